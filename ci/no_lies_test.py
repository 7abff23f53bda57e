"""no_lies_test: ci/no-lies adds up, goes on where it was, repeats, and fails when something lies."""
import json
import os
import signal
import subprocess
import time
import unittest

from command import CANNOT_TEST, CLEAN, COMMAND, INTERRUPTED, ROOT, VIOLATION, Case


class NoLies(Case):
    def no_lies(self, code, *words, command=COMMAND, out='out'):
        done = subprocess.run([ROOT / 'ci/no-lies', *map(str, words), '--command', command, '--out',
                               self.folder / out], capture_output=True, text=True, timeout=300)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def summary(self, out='out'):
        return json.loads(next((self.folder / out).glob('*/summary.json')).read_text())

    def test_it_adds_up_and_repeats_and_takes_over_what_is_finished(self):
        words = ('3e4', '--share', '0.1', '--seed', 5)
        done = self.no_lies(CLEAN, *words, '--jobs', 2)
        self.assertTrue(done.stdout.endswith('no accusation\n'))
        first = self.summary()
        self.assertGreaterEqual(first['judged']['full'], 3000)
        self.assertGreaterEqual(first['judged']['quick'], 27000)
        self.assertEqual(first['operations'], sum(first['judged'].values()))
        self.assertTrue(all(first['eras'].values()), first)
        self.assertRegex(done.stdout, rf'digest +{first["digest"]}\n')
        self.no_lies(CLEAN, *words)
        again = self.summary()
        self.assertEqual((again['parts_taken_over'], again['digest']), (2, first['digest']))
        self.no_lies(CLEAN, *words, '--jobs', 1, out='elsewhere')
        elsewhere = self.summary('elsewhere')
        self.assertEqual((elsewhere['parts_taken_over'], elsewhere['digest']), (0, first['digest']))
        self.no_lies(CLEAN, '3e4', '--share', '0.1', '--seed', 6, out='other')
        self.assertNotEqual(self.summary('other')['digest'], first['digest'])

    def test_a_part_of_another_binary_is_made_again(self):
        self.no_lies(CLEAN, 1000, '--share', 0)
        part = next((self.folder / 'out').glob('*/part-*.json'))
        part.write_text(json.dumps(json.loads(part.read_text()) | {'binary': 'another'}))
        self.no_lies(CLEAN, 1000, '--share', 0)
        self.assertEqual(self.summary()['parts_taken_over'], 0)

    def test_a_planted_bug_makes_it_fail_and_its_trace_is_kept(self):
        patch = ROOT / 'props/mutants/buddy/no-merge-at-top.patch'
        subprocess.run([ROOT / 'ci/mutant', patch, self.folder / 'mutant', '--build', COMMAND.parent],
                       check=True, stdout=subprocess.DEVNULL)
        mutant = self.folder / 'mutant/allocheck'
        done = self.no_lies(VIOLATION, '2e5', '--jobs', 1, command=mutant)
        self.assertIn('ACCUSED: BUDDY-COALESCED, kept in ', done.stdout)
        traces = list((self.folder / 'out').glob('*/failures/BUDDY-COALESCED-*/found.trace'))
        self.assertTrue(traces)
        self.expect(CLEAN, 'replay', traces[0])  # the reference itself passes it

    def test_an_interrupt_says_how_to_go_on(self):
        process = subprocess.Popen([ROOT / 'ci/no-lies', '1e9', '--command', COMMAND, '--out',
                                    self.folder / 'out', '--jobs', '1'],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        time.sleep(2)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, INTERRUPTED, err)
        self.assertIn('goes on: ci/no-lies 1000000000 --seed 1', err)

    def test_bad_words_are_refused(self):
        for words in (['ten'], ['0'], ['1e99'], ['10', '--share', '2'], ['10', '--seed', '-1'],
                      ['10', '--jobs', '0'], ['10', '--nonsense']):
            done = self.no_lies(CANNOT_TEST, *words)
            self.assertRegex(done.stderr, r'\Ano-lies: .*expected .*\n\Z', words)
        done = self.no_lies(CANNOT_TEST, '10', command=self.folder / 'absent')
        self.assertIn('expected a command', done.stderr)


if __name__ == '__main__':
    unittest.main()
