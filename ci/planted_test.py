"""Plants bugs in a copy of the reference and sees the main job find, keep, minimize and explain them.

The harness is judged by the bugs it finds. $ALLOCHECK names the command that is tested; its build
directory lends the objects that a planted bug does not change.
"""
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMMAND = Path(os.environ['ALLOCHECK']).resolve()
PATCHES = sorted((ROOT / 'props/mutants/buddy').glob('*.patch'))


def header(patch, key):
    for line in patch.read_text().splitlines():
        if line.startswith(key + ': '):
            return line[len(key) + 2:]
    raise AssertionError(f'{patch} has no {key}:')


def planted(patch, out):
    done = subprocess.run([ROOT / 'ci/mutant', patch, out, '--build', COMMAND.parent],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip())


def run(*words, cwd=None):
    return subprocess.run([str(w) for w in words], capture_output=True, text=True, cwd=cwd, timeout=300)


class PlantedBugs(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix='planted bug ')
        self.addCleanup(self.folder.cleanup)
        self.out = Path(self.folder.name)

    def test_there_are_planted_bugs(self):
        self.assertGreaterEqual(len(PATCHES), 3)

    def test_each_is_found_minimized_and_explained(self):
        for patch in PATCHES:
            with self.subTest(patch.stem):
                self.find(patch)

    def find(self, patch):
        mutant = planted(patch, self.out / patch.stem)
        failures = self.out / patch.stem / 'failures'
        done = run(mutant, 'fuzz', 'buddy', '--engine', 'swarm', '--runs', 3000, '--seed', 1, '--out',
                   failures, '--json')
        self.assertEqual(done.returncode, 1, done.stderr)
        report = json.loads(done.stdout)
        rules = {v['rule'] for v in report['violations']}
        self.assertIn(header(patch, 'rule'), rules)
        for rule in rules:
            self.check_kept(mutant, failures, rule)

    def check_kept(self, mutant, failures, rule):
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
            # What a planted bug breaks, the reference keeps.
            self.assertEqual(run(COMMAND, 'replay', small).returncode, 0)
        self.assertLessEqual(min(lengths), 12, f'{rule}: minimizing left {lengths} steps')

    def test_a_kill_right_after_the_first_finding_loses_nothing(self):
        patch = next(p for p in PATCHES if p.stem == 'fallback-upwards')
        mutant = planted(patch, self.out / 'killed')
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
            done = run(ROOT / 'ci/mutant', bad, self.out / 'bad', '--build', COMMAND.parent)
            self.assertEqual(done.returncode, 125)
            self.assertTrue(done.stderr.startswith('mutant: '))


if __name__ == '__main__':
    if not PATCHES:
        sys.exit('no planted bugs in props/mutants/buddy')
    unittest.main(verbosity=2)
