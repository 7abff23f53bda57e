"""minimize_test: minimizing what a planted bug breaks: repeatable, interruptible, no longer than by hand.

The bugs are planted in a copy of the reference, as in planted_test.
"""
import json
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from command import CANNOT_TEST, CLEAN, COMMAND, INTERRUPTED, ROOT, VIOLATION, Case, validate

BUGS = ('fallback-upwards', 'watermark-off-by-one')


def run(*words):
    return subprocess.run([str(w) for w in words], capture_output=True, text=True, timeout=300)


def plant(name, folder):
    out = folder / name
    done = run(ROOT / 'ci/mutant', ROOT / f'props/mutants/buddy/{name}.patch', out, '--build', COMMAND.parent)
    assert done.returncode == 0, done.stderr
    return out / 'allocheck'


def find(binary, folder):
    """The traces that a short search finds, longest first."""
    done = run(binary, 'fuzz', 'buddy', '--engine', 'swarm', '--runs', 3000, '--seed', 1, '--out', folder)
    assert done.returncode == VIOLATION, done.stderr
    return sorted(folder.glob('*/found.trace'), key=lambda f: -f.stat().st_size)


def without_clock(found):
    text = re.sub(r'"seconds":[0-9.e+-]+', '"seconds":0', json.dumps(found, separators=(',', ':')))
    return json.loads(text)


class Minimizing(Case):
    @classmethod
    def setUpClass(cls):
        cls.planted = Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, cls.planted)
        cls.binaries = {name: plant(name, cls.planted) for name in BUGS}
        cls.binary = cls.binaries[BUGS[0]]
        cls.found = {name: find(binary, cls.planted / f'{name}-failures') for name, binary in cls.binaries.items()}
        cls.trace = cls.found[BUGS[0]][0]

    def minimize(self, *words, code=CLEAN, binary=None):
        done = run(binary or self.binary, 'minimize', *words)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def json(self, *words):
        return validate('minimize', self.minimize(*words, '--json').stdout)

    def test_every_level_leaves_less_or_the_same_and_the_rule_stays(self):
        for name, binary in self.binaries.items():
            for trace in self.found[name][:3]:
                found = validate('minimize', self.minimize(trace, '--json', binary=binary).stdout)
                steps = [found['steps_before']] + [level['steps'] for level in found['levels']]
                self.assertEqual(steps, sorted(steps, reverse=True))
                self.assertEqual(len(steps), 5)
                self.assertEqual(found['shortest']['status'], 'proved', found['shortest'])
                self.assertEqual(found['rule'], found['rule_before'])
                small = self.write('small.trace', found['text'])
                replayed = run(binary, 'replay', small)
                self.assertEqual(replayed.returncode, VIOLATION)
                self.assertIn(f"ASSERTION FAILED: {found['rule']} ", replayed.stdout + replayed.stderr)
                again = validate('minimize', self.minimize(small, '--json', binary=binary).stdout)
                self.assertEqual(again['text'], found['text'])

    def test_one_budget_one_result(self):
        for words in ([], ['--budget', 3000], ['--budget', 300], ['--search', 30]):
            first, second = (without_clock(self.json(self.trace, *words)) for _ in range(2))
            self.assertEqual(first, second)

    def interrupted(self, how, delay, state, out):
        process = subprocess.Popen([self.binary, 'minimize', self.trace, '--state', state, '--out', out],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        time.sleep(delay)
        process.send_signal(how)
        _, said = process.communicate(timeout=60)
        return process.returncode, said

    def test_going_on_after_an_interrupt_gives_the_same(self):
        begun = time.monotonic()
        whole = self.minimize(self.trace).stdout
        seconds = time.monotonic() - begun
        codes = set()
        for i in range(1, 4):
            for how in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
                delay = seconds * i / 4
                state, out = self.folder / f'{i}-{how}.state', self.folder / 'out.trace'
                out.unlink(missing_ok=True)
                code, said = self.interrupted(how, delay, state, out)
                codes.add(code)
                if code == INTERRUPTED and 'starts over' not in said:  # that one had not begun
                    self.assertIn(f'to go on: allocheck minimize --resume {state}', said)
                    self.assertEqual(run(self.binary, 'replay', out).returncode, VIOLATION)
                if not state.exists():
                    continue  # killed before it had begun
                resumed = self.json('--resume', state)
                self.assertEqual(resumed['text'], whole)
        self.assertIn(INTERRUPTED, codes)
        self.assertIn(-signal.SIGKILL, codes)

    def test_a_state_is_good_for_its_own_trace_and_build_only(self):
        state = self.folder / 'a.state'
        self.minimize(self.trace, '--state', state)
        small = self.write('small.trace', self.minimize(self.trace).stdout)
        for words in ((small, '--state', state), (self.trace, '--resume', state), ('--resume', small), (),
                      ('--resume', self.folder / 'absent')):
            said = self.minimize(*words, code=CANNOT_TEST).stderr
            self.assertRegex(said, r'\Aallocheck: .*expected .*\n\Z')
        said = self.minimize('--resume', state, code=CANNOT_TEST, binary=COMMAND).stderr
        self.assertIn('not what this command sees', said)
        validate('minimize', self.minimize('--resume', small, '--json', code=CANNOT_TEST).stdout)

    def test_the_table_holds_what_was_left_against_traces_by_hand(self):
        binary, trace = self.binaries[BUGS[1]], self.found[BUGS[1]][0]
        small = self.write('small.trace', self.minimize(trace, binary=binary).stdout)
        done = run(ROOT / 'ci/minimized', binary, trace, '--hand', small)
        self.assertEqual(done.returncode, CLEAN, done.stderr)
        head, _, row = done.stdout.splitlines()
        self.assertIn('| deletion | simplification | pairs | search | by hand |', head)
        self.assertIn('| proved |', row)
        done = run(ROOT / 'ci/minimized', binary, trace, '--hand', small, '--budget', 1)
        self.assertEqual(done.returncode, VIOLATION, done.stdout)
        done = run(ROOT / 'ci/minimized', COMMAND, trace)
        self.assertEqual(done.returncode, CANNOT_TEST)
        self.assertRegex(done.stderr, r'\Aminimized: .*expected ')

    def test_the_page_has_a_row_for_each_planted_bug(self):
        patch = ROOT / 'props/mutants/buddy/no-merge-at-top.patch'
        done = run(ROOT / 'ci/minimized', '--mutants', patch)
        self.assertEqual(done.returncode, CLEAN, done.stderr)
        self.assertRegex(done.stdout, r'(?m)^\| no-merge-at-top \| BUDDY-COALESCED \|( \d+ \|){5} - \|.* proved \|$')
        self.assertRegex(done.stdout, r'Measured on .+, \d+ cores\. Written by\n`ci/minimized --mutants ')
        done = run(ROOT / 'ci/minimized', '--mutants', self.trace)
        self.assertEqual(done.returncode, CANNOT_TEST)
        self.assertRegex(done.stderr, r'(?s)\Aminimized: .*expected ')

    def test_a_finding_says_how_short_it_is(self):
        folder = self.trace.parent
        self.assertIn('proved shortest in this alphabet', (folder / 'explain.md').read_text())
        self.assertEqual(json.loads((folder / 'report.json').read_text())['shortest']['status'], 'proved')

    def test_the_stages_are_told(self):
        text = self.minimize(self.trace, '--stages').stdout
        for word in ('| deletion |', '| simplification |', '| pairs |', '| search |', '| registers |'):
            self.assertIn(word, text)


if __name__ == '__main__':
    unittest.main()
