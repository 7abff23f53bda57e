"""Plants bugs in a copy of the reference and sees the main job find, keep, minimize and explain them.

The harness is judged by the bugs it finds. $ALLOCHECK names the command that is tested; its build
directory lends the objects that a planted bug does not change.

    planted_test.py                 all patches apply and say what they are; a few of them are found
    planted_test.py --all           every one is found: some ten seconds each on a quiet machine
    planted_test.py NAME...         these are found
    planted_test.py --table         prints the tables of props/mutants/README.md
"""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / 'props/mutants/README.md'
PATCHES = sorted((ROOT / 'props/mutants').glob('*/*.patch'))
LAYERS = sorted({p.parent.name for p in PATCHES})
# Rules that are first to see a state which a unit test plants, but no planted bug: of what breaks records
# callers see something sooner, and whatever the text of slabinfo leaves out, its comparison as a whole does.
BY_STATES = {
    'OBJECT-LISTED': 'props/slab/world_test.cpp',
    'KMAP-CONTENT': 'props/kmap/world_test.cpp', 'KMAP-DISJOINT': 'props/kmap/slots_test.cpp',
    'KMAP-WINDOW': 'props/kmap/slots_test.cpp',
    'VMALLOC-CONTENT': 'props/vmalloc/world_test.cpp', 'VMALLOC-INSIDE': 'props/vmalloc/ranges_scope_test.cpp',
    'VMALLOC-DISJOINT': 'props/vmalloc/ranges_scope_test.cpp',
    **dict.fromkeys((f'VMALLOC-{rule}' for rule in (
        'WINDOW', 'RECORDS', 'PARTITION', 'ORDERED', 'TREE', 'OBJECTS', 'BLOCKS', 'CACHED', 'STALE',
        'ACCOUNTED', 'TO-PAGE')),
        'props/vmalloc/planted_test.cpp'),
}
# Rows whose fields_test flips bits until each rule that the register names was the first to see one.
BY_FLIPS = ('kmap',)
# Beside the patches stands what was measured of them, a row for each.
PAGES = sorted(p for page in ('MATRIX.md', 'MINIMIZED.md') for p in README.parent.glob(f'*/{page}'))
# Rows whose rules see the bugs of another, too.
SEEN_BY = {'kmalloc': ('slab',), 'vmalloc': ('slab',), 'kmap': ('mmu',), 'mmu': ('kmap',)}
# Rows that are searched through another one.
SEARCHED_BY = {'mmu': 'kmap'}
KEYS = ('what', 'from', 'layer', 'rule')  # and `steps`, where more than STEPS must be left
STEPS = 12
# Found in every run. Of buddy: one that any client sees, one that only an end of a trace shows, one that
# only the naive model sees, one of the per-CPU lists, one that needs a fault plan. Of slab: a client's,
# the naive model's, one of the records. Of kmalloc: a client's, one that needs memory to run out. Of mmu
# one, of kmap and of vmalloc two: what a caller sees, and what only the naive model does.
CANARIES = ('fallback-upwards', 'no-merge-at-top', 'upper-half-on-split', 'cold-page-counted-as-hot',
            'injected-failure-leaks',
            'bulk-hands-one-out-twice', 'partial-at-the-head', 'caller-never-leaves',
            'product-not-checked', 'krealloc-frees-before-it-has',
            'entry-left-without-its-bit', 'wake-up-at-zero', 'slot-0-first', 'last-page-stays-mapped', 'not-the-lowest')
# How long is searched for a bug: another seed and twice as many runs each time, but not for ever.
SEARCHES = [(seed, 1_500 << seed) for seed in range(1, 9)]


def header(patch):
    """The lines before the diff, as a table of key and text."""
    said = {}
    for line in patch.read_text().split('\ndiff ', 1)[0].splitlines():
        key, colon, text = line.partition(': ')
        if colon and key in (*KEYS, 'steps') and key not in said:
            said[key] = text.strip()
    return said


def table(layer):
    lines = ['| planted bug | what it does | rule | from |', '|---|---|---|---|']
    for patch in PATCHES:
        if patch.parent.name != layer:
            continue
        said = header(patch)
        lines.append(f'| `{patch.stem}` | {said["what"]} | {said["rule"]} | {said["from"]} |')
    return '\n'.join(lines) + '\n'


def planted(patch, out):
    done = subprocess.run([ROOT / 'ci/mutant', patch, out, '--build', command().parent],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip())


def command():
    return Path(os.environ['ALLOCHECK']).resolve()


def run(*words, cwd=None):
    return subprocess.run([str(w) for w in words], capture_output=True, text=True, cwd=cwd, timeout=300)


def rules_of_the_layer(layer):
    listed = run(command(), 'rules', '--layer', layer, '--json')
    return [rule['id'] for rule in json.loads(listed.stdout)['rules']]


chosen = []


class PlantedBugs(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix='planted bug ')
        self.addCleanup(self.folder.cleanup)
        self.out = Path(self.folder.name)

    def test_each_patch_applies_and_says_what_it_is(self):
        known = {layer: rules_of_the_layer(layer) for layer in LAYERS}
        for patch in PATCHES:
            with self.subTest(patch.stem):
                said = header(patch)
                for key in KEYS:
                    self.assertTrue(said.get(key), f'{patch.name} has no {key}:')
                self.assertEqual(said['layer'], patch.parent.name)
                others = [rule for row in SEEN_BY.get(patch.parent.name, ()) for rule in known[row]]
                self.assertIn(said['rule'], known[patch.parent.name] + others)
                self.assertTrue(said.get('steps', '1').isdigit(), said.get('steps'))
                self.assertTrue(re.search(r'^[+-][^+-]', patch.read_text(), re.M), 'an empty diff')
                done = run('git', 'apply', '--check', patch, cwd=ROOT)
                self.assertEqual(done.returncode, 0, done.stderr)

    def test_no_bug_is_planted_twice(self):
        diffs = {}
        for patch in PATCHES:
            diff = re.sub(r'^@@.*$', '', patch.read_text().split('\ndiff ', 1)[1], flags=re.M)
            self.assertTrue(diff not in diffs, f'{patch.stem} is {diffs.get(diff)}')
            diffs[diff] = patch.stem

    def test_every_rule_is_the_rule_of_a_planted_bug(self):
        for layer in LAYERS:
            planted_for = {header(p)['rule'] for p in PATCHES}
            if layer in BY_FLIPS:
                planted_for |= set(re.findall(r'[A-Z]+-[A-Z]+', (ROOT / f'props/{layer}/FIELDS.md').read_text()))
            for rule in set(rules_of_the_layer(layer)) - planted_for:
                with self.subTest(rule):
                    self.assertIn(rule, BY_STATES, f'no bug in props/mutants/{layer}')
                    self.assertIn(f'"{rule}"', (ROOT / BY_STATES[rule]).read_text())

    def test_every_planted_bug_has_a_name_of_its_own(self):
        self.assertEqual(len({p.stem for p in PATCHES}), len(PATCHES))

    def test_the_table_says_what_the_patches_say(self):
        for layer in LAYERS:
            self.assertIn('\n' + table(layer), README.read_text(),
                          'props/mutants/README.md: renew its tables; ci/planted_test.py --table prints them')

    def test_the_pages_have_a_row_for_each(self):
        self.assertLessEqual({f'{layer}/MATRIX.md' for layer in LAYERS},
                             {str(p.relative_to(README.parent)) for p in PAGES})
        for page in PAGES:
            rows = re.findall(r'(?m)^\| (\S+) \| [A-Z-]+ \|', page.read_text())
            measured = [p.stem for p in PATCHES if p.parent == page.parent]
            self.assertEqual(sorted(rows), sorted(measured), f'{page}: write it anew')

    def test_the_chosen_are_found_minimized_and_explained(self):
        by_name = {p.stem: p for p in PATCHES}
        for name in chosen:
            with self.subTest(name):
                self.find(by_name[name])

    def find(self, patch):
        rule = header(patch)['rule']
        mutant = planted(patch, self.out / patch.stem)
        for seed, runs in SEARCHES:
            failures = self.out / patch.stem / f'failures {seed}'
            row = SEARCHED_BY.get(patch.parent.name, patch.parent.name)
            done = run(mutant, 'fuzz', row, '--engine', 'swarm', '--runs', runs, '--seed', seed,
                       '--out', failures, '--json')
            self.assertIn(done.returncode, (0, 1), done.stderr)
            rules = {v['rule'] for v in json.loads(done.stdout)['violations']}
            if rule in rules:
                break
        self.assertIn(rule, rules, f'{runs} runs')
        self.check_kept(mutant, failures, rule, int(header(patch).get('steps', STEPS)))
        for small in failures.glob('*/minimized.trace'):
            # What a planted bug breaks, the reference keeps.
            done = run(command(), 'replay', small)
            self.assertEqual(done.returncode, 0, done.stdout)

    def check_kept(self, mutant, failures, rule, most_steps):
        kept = sorted(failures.glob(f'{rule}-*'))
        self.assertTrue(kept, f'nothing kept for {rule}')
        lengths = []
        for folder in kept:
            small = folder / 'minimized.trace'
            for name in ('found.trace', 'minimized.trace', 'explain.md', 'report.json'):
                self.assertTrue((folder / name).stat().st_size > 0, folder / name)
            self.assertIn(rule, (folder / 'explain.md').read_text())
            steps = [line for line in small.read_text().splitlines()
                     if line and not line.startswith(('#', 'allocheck ', 'machine ', 'end'))]
            lengths.append(len(steps))
            replayed = run(mutant, 'replay', small)
            self.assertEqual(replayed.returncode, 1, replayed.stdout)
            self.assertIn(f'ASSERTION FAILED: {rule}', replayed.stdout + replayed.stderr)
        self.assertLessEqual(min(lengths), most_steps, f'{rule}: minimizing left {lengths} steps')

    def test_a_kill_right_after_the_first_finding_loses_nothing(self):
        patch = next(p for p in PATCHES if p.stem == 'fallback-upwards')
        # Below the checkout, where most people build: git apply has its own idea of paths there.
        below = command().parent / 'planted below the checkout'
        self.addCleanup(shutil.rmtree, below, ignore_errors=True)
        mutant = planted(patch, below)
        for how in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT):
            with self.subTest(how.name):
                failures = self.out / how.name
                process = subprocess.Popen(
                    [mutant, 'fuzz', 'buddy', '--engine', 'swarm', '--time', '60s', '--out', failures],
                    stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
                found = self.wait_for_finding(failures, process)
                process.send_signal(how)
                _, said = process.communicate(timeout=60)
                if how == signal.SIGKILL:
                    self.assertEqual(process.returncode, -signal.SIGKILL)
                else:
                    self.assertEqual(process.returncode, 1, said)
                    self.assertIn('--seed', said)
                found = sorted(failures.glob('*/found.trace'))
                self.assertTrue(found)
                replayed = run(mutant, 'replay', found[0])
                self.assertEqual(replayed.returncode, 1, replayed.stdout + replayed.stderr)

    def wait_for_finding(self, failures, process):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            found = list(failures.glob('*/found.trace'))
            if found:
                return found
            self.assertIsNone(process.poll(), 'the search ended without a finding')
            time.sleep(0.002)
        self.fail('no finding within a minute')

    def test_a_patch_that_is_no_planted_bug_is_refused(self):
        bad = self.out / 'bad.patch'
        for text in ('', '--- a/props/x\n+++ b/props/x\n', '--- a/ref/x.cpp\n+++ b/ref/x.cpp\n@@ -1 +1 @@\n-a\n+b\n'):
            bad.write_text(text)
            done = run(ROOT / 'ci/mutant', bad, self.out / 'bad', '--build', command().parent)
            self.assertEqual(done.returncode, 125)
            self.assertTrue(done.stderr.startswith('mutant: '))


def main(words):
    names = {p.stem for p in PATCHES}
    if not names:
        return 'no planted bugs in props/mutants'
    if words == ['--table']:
        print('\n'.join(table(layer) for layer in LAYERS), end='')
        return 0
    if words == ['--all']:
        words = sorted(names)
    if unknown := [w for w in words if w not in names]:
        return f'planted_test: {unknown[0]} is no planted bug; expected --all, --table, or names'
    chosen[:] = words or CANARIES
    unittest.main(argv=sys.argv[:1], verbosity=2)


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
