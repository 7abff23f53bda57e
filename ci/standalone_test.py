"""standalone_test: a fuzz target with our own main: files, folders and stdin, mutants by seed, bad usage.

The target is built beside the command that is tested, in every build that has tests.
"""
import os
import signal
import subprocess
import unittest

from command import CANNOT_TEST, CLEAN, COMMAND, HEAD, ROOT, Case

TARGET = COMMAND.parent / 'buddy_fuzz_standalone'
FOUND = ROOT / 'props/mutants/buddy/no-merge-at-top.patch'
BREAKS = HEAD.replace('NORMAL:64', 'NORMAL:4').replace('era=linux-6.1', 'era=linux-6.1 orders=2') + \
    'p0 = alloc_page(gfp=GFP_KERNEL)\nfree_pages(page=p0)\nend\n'


class Standalone(Case):
    def target(self, code, *words, target=TARGET, stdin=b'', **environment):
        done = subprocess.run([target, *map(str, words)], cwd=self.folder, input=stdin, timeout=120,
                              env=os.environ | environment, capture_output=True)
        self.assertEqual(done.returncode, code, f'{words}: {done.stderr.decode()}')
        return done.stderr.decode()

    def packed(self, source):
        self.expect(CLEAN, 'corpus', 'pack', source, self.folder / 'packed')
        return sorted((self.folder / 'packed').iterdir())

    def planted(self):
        subprocess.run([ROOT / 'ci/mutant', FOUND, self.folder / 'planted', '--build', COMMAND.parent,
                        '--target', TARGET.name], check=True, stdout=subprocess.DEVNULL)
        return self.folder / 'planted' / TARGET.name

    def test_files_folders_and_stdin_are_run(self):
        inputs = self.packed(ROOT / 'corpus/buddy/seeds')
        self.target(CLEAN, *inputs)
        self.target(CLEAN, self.folder / 'packed')
        self.target(CLEAN, stdin=inputs[0].read_bytes())
        self.target(CLEAN, '-', stdin=os.urandom(3000))

    def test_a_broken_rule_is_told_and_aborts_by_file_and_by_stdin(self):
        self.write('in/breaks.trace', BREAKS)
        [breaks] = self.packed(self.folder / 'in')
        self.target(CLEAN, breaks)
        mutant = self.planted()
        for words, stdin in (([breaks], b''), ([], breaks.read_bytes())):
            said = self.target(-signal.SIGABRT, *words, target=mutant, stdin=stdin)
            self.assertIn('DEDUP_TOKEN: BUDDY-COALESCED\n', said)

    def test_a_seed_makes_the_same_mutants_and_the_one_that_breaks_is_kept(self):
        mutant = self.planted()
        crash = self.folder / 'crash-standalone'
        kept = {}
        for seed in (3, 3, 4):
            said = self.target(-signal.SIGABRT, '--runs', 100000, '--seed', seed, target=mutant)
            self.assertIn('the input is in crash-standalone\n', said)
            self.assertEqual(kept.setdefault(seed, crash.read_bytes()), crash.read_bytes())
        self.assertNotEqual(kept[3], kept[4])
        self.target(CLEAN, crash)
        self.assertIn('DEDUP_TOKEN: ', self.target(-signal.SIGABRT, crash, target=mutant))

    def test_mutants_of_the_reference_break_nothing_whatever_mutates(self):
        seeds = self.packed(ROOT / 'corpus/buddy/seeds')
        for by in ('bytes', 'operations', 'both'):
            said = self.target(CLEAN, '--runs', 500, '--seed', 9, *seeds, ALLOCHECK_MUTATE=by)
            self.assertEqual(said, 'ran 500 mutants of seed 9\n')

    def test_bad_words_and_files_are_refused(self):
        for words in (['--nonsense'], ['--runs'], ['--runs', 'x'], ['--seed', '-1'],
                      ['--max-len', 1 << 40], ['absent']):
            self.assertRegex(self.target(CANNOT_TEST, *words), r'\A.*; expected .*\n\Z', words)
        self.assertIn('expected bytes, operations or both',
                      self.target(CANNOT_TEST, '--runs', 1, ALLOCHECK_MUTATE='words'))
        self.write('packed/a', b'\0' * 100)
        os.truncate(self.write('packed/b', b''), 1 << 30)
        self.assertIn('b: ', self.target(CANNOT_TEST, self.folder / 'packed'))


if __name__ == '__main__':
    unittest.main()
