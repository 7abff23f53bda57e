"""check_test: properties hold of the reference, and fall with planted bugs; one seed is one check."""
import json
import signal
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from command import CLEAN, COMMAND, INTERRUPTED, ROOT, VIOLATION, Case, allocheck, validate


def without_clock(report):
    return {key: value for key, value in report.items() if 'seconds' not in key}


class Check(Case):
    def check(self, *words, code=CLEAN):
        done = self.expect(code, 'check', '--out', self.folder / 'failures', *words)
        return done

    def report(self, *words, code=CLEAN):
        return validate('check', self.check(*words, '--json', code=code).stdout)

    def test_every_property_holds_and_was_put_to_the_test(self):
        report = self.report('--seed', 3, '--runs', 40)
        self.assertGreaterEqual(len(report['properties']), 12)
        for one in report['properties']:
            self.assertEqual((one['result'], one['cases']), ('ok', 40), one)
            self.assertGreater(one['asked'], 0, one)
        self.assertIsNone(report['first_violation_cpu_seconds'])

    def test_one_seed_is_one_check(self):
        words = ('--property', 'PROP-SKIPPED', '--runs', 30)
        first, second = (self.report('--seed', 5, *words) for _ in range(2))
        self.assertEqual(without_clock(first), without_clock(second))
        other = self.report('--seed', 6, *words)
        self.assertNotEqual(first['properties'][0]['asked'], other['properties'][0]['asked'])

    def test_a_property_is_checked_the_same_alone_as_among_all(self):
        alone = self.report('--seed', 5, '--runs', 20, '--property', 'PROP-COUNTS')
        among = self.report('--seed', 5, '--runs', 20)
        self.assertIn(alone['properties'][0], among['properties'])

    def test_properties_are_listed_and_chosen_by_words_of_their_sentence(self):
        listed = validate('check', self.expect(CLEAN, 'check', '--list', '--json').stdout)
        text = self.expect(CLEAN, 'check', '--list').stdout
        for one in listed['properties']:
            self.assertIn(one['id'], text)
            self.assertIn(one['sentence'], text)
        chosen = self.report('--property', 'DOUBLE free', '--runs', 5)
        self.assertEqual([one['id'] for one in chosen['properties']], ['PROP-DOUBLE-FREE'])

    def test_the_seed_is_told_before_anything_else(self):
        done = self.check('--runs', 1)
        self.assertRegex(done.stderr.splitlines()[0], r'seed \d+ .*allocheck check .*--seed \d')

    def test_what_cannot_be_understood_is_refused(self):
        for words in (['--seed', 'seven'], ['--seed', '-1'], ['--seed', ''], ['--runs', '0'],
                      ['--runs', 'many'], ['--time', 'soon'], ['--property', 'no such words'],
                      ['slap'], ['--out', '/proc/nowhere']):
            with self.subTest(words):
                self.refused('check', *words)

    def test_time_bounds_it(self):
        start = time.monotonic()
        report = self.report('--time', '2s', '--seed', 1)
        self.assertLess(time.monotonic() - start, 30)
        self.assertGreater(sum(one['cases'] for one in report['properties']), 0)

    def test_an_interrupt_says_how_to_start_over(self):
        process = subprocess.Popen([COMMAND, 'check', '--time', '60s', '--seed', '11', '--out',
                                    self.folder / 'failures'],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        time.sleep(2)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, INTERRUPTED, out + err)
        self.assertRegex(err.splitlines()[-1], r'allocheck check --seed 11 --time 60s')


class PlantedBugs(unittest.TestCase):
    """Properties must be able to fail: in the command, from the drawn case to the replayed trace."""

    def check(self, name, seed=1):
        folder = tempfile.TemporaryDirectory(prefix='planted bug ')
        self.addCleanup(folder.cleanup)
        out = Path(folder.name)
        done = subprocess.run([ROOT / 'ci/mutant', ROOT / f'props/mutants/buddy/{name}.patch', out / 'm',
                               '--build', COMMAND.parent], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        mutant = done.stdout.strip()
        done = subprocess.run([mutant, 'check', 'buddy', '--seed', str(seed), '--out', out / 'failures',
                               '--json'], capture_output=True, text=True, timeout=300)
        self.assertEqual(done.returncode, VIOLATION, done.stderr)
        report = validate('check', done.stdout)
        self.assertGreater(report['first_violation_cpu_seconds'], 0)
        return mutant, [one for one in report['properties'] if one['result'] == 'falsified']

    def expect_kept(self, mutant, falsified):
        traces = set()
        for one in falsified:
            self.assertIsNotNone(one['trace'], one)
            trace = Path(one['trace'])
            traces.add(trace)
            self.assertEqual((trace.name, one['reproduced']), ('minimized.trace', True), one)
            self.assertLessEqual(one['steps'], 6, one)
            for name in ('found.trace', 'explain.md', 'report.json'):
                self.assertGreater((trace.parent / name).stat().st_size, 0, name)
            self.assertEqual(json.loads((trace.parent / 'report.json').read_text())['rule'], one['rule'])
        for trace in traces:
            replayed = subprocess.run([mutant, 'replay', trace], capture_output=True, text=True)
            self.assertEqual(replayed.returncode, VIOLATION, replayed.stdout + replayed.stderr)
            self.assertEqual(allocheck('replay', trace).returncode, CLEAN, trace)

    def test_what_only_a_property_sees_is_found_minimized_and_replayed(self):
        # Any seed makes both properties fall, but what is drawn decides which rule the shortest case
        # breaks: with some seeds the rule that freed blocks merge breaks already on the way. With
        # this one both end with what only the property itself sees.
        mutant, falsified = self.check('no-merge-at-top', seed=3)
        self.assertLessEqual({'PROP-EXHAUST', 'PROP-ROUND-TRIP'}, {one['rule'] for one in falsified})
        self.expect_kept(mutant, falsified)
        done = subprocess.run([mutant, 'check', 'buddy', '--seed', '3', '--stop-at-first', '--json', '--out',
                               Path(mutant).parent / 'first'], capture_output=True, text=True, timeout=300)
        self.assertEqual(done.returncode, VIOLATION, done.stderr)
        first = [one for one in validate('check', done.stdout)['properties'] if one['result'] == 'falsified']
        self.assertEqual([one['id'] for one in first], [falsified[0]['id']])
        self.expect_kept(mutant, first)

    def test_a_rule_that_breaks_meanwhile_is_named(self):
        mutant, falsified = self.check('watermark-off-by-one')
        self.assertIn(('PROP-AGREED', 'BUDDY-EXACT'), {(one['id'], one['rule']) for one in falsified})
        self.expect_kept(mutant, falsified)


if __name__ == '__main__':
    unittest.main(verbosity=2)
