"""mutants_test: planted bugs, found and missed, and patches that are no planted bugs at all.

The build directory of the command that is tested lends what a patch does not change.
"""
import os
import re
import shutil
import signal
import subprocess
import time
import unittest

from command import CANNOT_TEST, CLEAN, COMMAND, INTERRUPTED, ROOT, SCHEMA, VIOLATION, Case, validate

FOUND = ROOT / 'props/mutants/buddy/no-merge-at-top.patch'
SOURCE = 'ref/buddy/free_area.cpp'
LAST = (ROOT / SOURCE).read_text().splitlines()[-1]


def appended(*lines, what='A planted bug.', rule='BUDDY-EXACT'):
    """A patch that adds lines to the end of a source."""
    count = len((ROOT / SOURCE).read_text().splitlines())
    return '\n'.join([f'what: {what}', 'from: this test', 'layer: buddy', f'rule: {rule}', '',
                      f'diff --git a/{SOURCE} b/{SOURCE}', f'--- a/{SOURCE}', f'+++ b/{SOURCE}',
                      f'@@ -{count} +{count},{len(lines) + 1} @@', f' {LAST}',
                      *(f'+{line}' for line in lines), ''])


def at_start(statement):
    """Runs before main, and not already in the compiler, which cannot ask for the process."""
    return appended('#include <unistd.h>',
                    'namespace { const int planted = [] { if (::getpid() == 0) return 1;', statement,
                    'return 0; }(); }')


OUTSIDE = '''what: A check is gone.
layer: buddy
rule: BUDDY-EXACT

--- a/props/buddy/oracle.cpp
+++ b/props/buddy/oracle.cpp
@@ -1 +1 @@
-// No such line.
+
'''
BROKEN = {
    'no-patch': ('these are just words\n', 'does-not-apply'),
    'empty': ('', 'does-not-apply'),
    'other-sources': (appended('int planted;').replace(f' {LAST}', ' no such line'), 'does-not-apply'),
    'outside': (OUTSIDE, 'outside-ref'),
    'upwards': (appended('int planted;').replace('/ref/', '/ref/../props/'), 'outside-ref'),
    'new-file': ('--- /dev/null\n+++ b/ref/buddy/planted.cpp\n@@ -0,0 +1 @@\n+int planted;\n',
                 'does-not-build'),
    'no-code': (appended('this is no code'), 'does-not-build'),
    'loops': (at_start('for (volatile unsigned i = 0;;) i = i + 1;'), 'hangs'),
    'floods': (at_start('for (;;) if (::write(2, "flood flood flood", 17) < 0) break;'), 'hangs'),
    'eats': (at_start('for (;;) { volatile char* p = new char[1 << 20];'
                      ' for (int i = 0; i < 1 << 20; i += 4096) p[i] = 1; }'), 'out-of-memory'),
    'dies': (at_start('__builtin_abort();'), 'does-not-start'),
}


class Mutants(Case):
    def mutants(self, code, *words, **more):
        done = self.expect(code, 'mutants', *words, '--json', timeout=500, **more)
        return {row['name']: row for row in validate('mutants', done.stdout)['mutants']}, done

    def folder_of(self, **patches):
        for name, text in patches.items():
            self.write(f'patches/{name}.patch', text)
        return self.folder / 'patches'

    def test_a_planted_bug_is_found_minimized_and_no_false_accusation(self):
        kept = self.folder / 'kept'
        rows, done = self.mutants(CLEAN, FOUND, '--seeds', 3, '--out', kept)
        row = rows['no-merge-at-top']
        self.assertEqual((row['status'], row['promised']), ('found', 'BUDDY-COALESCED'))
        [engine] = row['engines']
        self.assertEqual((engine['engine'], engine['found'], engine['found_seeds']), ('swarm', True, 3))
        self.assertLessEqual(engine['operations'], 6)
        self.assertTrue(0 < engine['cpu_seconds'] < 5)
        self.assertIn('no-merge-at-top: found', done.stderr)
        trace = kept / 'no-merge-at-top.swarm.trace'
        self.expect(CLEAN, 'replay', trace)

    def test_a_change_that_breaks_nothing_is_missed(self):
        folder = self.folder_of(harmless=appended('[[maybe_unused]] int planted;'))
        rows, _ = self.mutants(VIOLATION, folder, '--seeds', 1, '--budget', 1, '--engine', 'swarm,uniform')
        self.assertEqual(rows['harmless']['status'], 'missed')
        self.assertEqual([(e['engine'], e['found'], e['rule'], e['cpu_seconds'], e['operations'])
                          for e in rows['harmless']['engines']],
                         [('swarm', False, None, None, None), ('uniform', False, None, None, None)])

    def test_what_is_no_planted_bug_is_named_and_the_others_are_judged(self):
        folder = self.folder_of(**{name: text for name, (text, _) in BROKEN.items()})
        # Names may nest, and one may be the folder of another.
        self.write('patches/no-code/good.patch', FOUND.read_bytes())
        rows, done = self.mutants(CANNOT_TEST, folder, '--seeds', 1, '--memory', 1000)
        expected = {name: status for name, (_, status) in BROKEN.items()}
        self.assertEqual({name: row['status'] for name, row in rows.items()},
                         expected | {'no-code/good': 'found'})
        self.assertTrue(all(row['note'] for name, row in rows.items() if name in BROKEN))
        self.assertLess(len(done.stderr), 20000)

    def test_a_false_accusation_is_told_from_a_finding(self):
        # The command in this copy of the build directory is itself mutated: its reference is wrong.
        build = self.folder / 'build/mutated'
        build.mkdir(parents=True)
        for column in ('ref', 'props', 'fuzz'):
            (self.folder / column).symlink_to(ROOT / column)
        for entry in COMMAND.parent.iterdir():
            if entry.name.startswith('.ninja'):
                shutil.copy(entry, build)
            elif entry.name != 'allocheck':
                (build / entry.name).symlink_to(entry)
        subprocess.run([ROOT / 'ci/mutant', FOUND, self.folder / 'planted', '--build', COMMAND.parent],
                       check=True, stdout=subprocess.DEVNULL)
        shutil.copy(self.folder / 'planted/allocheck', build)
        done = subprocess.run([build / 'allocheck', 'mutants', FOUND, '--seeds', '1', '--json'],
                              capture_output=True, text=True, cwd=self.folder)
        self.assertEqual(done.returncode, VIOLATION, done.stderr)
        [row] = validate('mutants', done.stdout)['mutants']
        self.assertEqual((row['status'], row['engines'][0]['found']), ('reference-fails', False))
        self.assertIn('the reference breaks BUDDY-COALESCED', row['note'])
        self.assertTrue(list(self.folder.glob('failures/BUDDY-COALESCED-*/found.trace')))

    def test_the_matrix_is_a_page(self):
        page = self.expect(CLEAN, 'mutants', FOUND, '--seeds', 1, '--engine', 'swarm,uniform',
                           '--markdown').stdout
        self.assertIn('| mutant | rule promised | swarm | uniform |\n|---|---|---|---|\n', page)
        self.assertRegex(page, r'\| no-merge-at-top \| BUDDY-COALESCED \| [0-9.]+ s, \d')
        self.assertRegex(page, r'## Slower than the goal\n\nThe goals: `swarm` 0.1 s, 10 s for one whose')
        self.assertRegex(page, r'Measured on .+, \d+ cores; (g\+\+|clang) ')

    def test_help_and_schema_list_the_same(self):
        said = self.expect(CLEAN, 'mutants', '--help').stdout
        row = SCHEMA['$defs']['mutants']['properties']['mutants']['items']['properties']
        engine = row['engines']['items']['properties']['engine']
        for head, names in (('Engines:', engine['enum']), ('What is said of a mutant:', row['status']['enum'])):
            listed = re.findall(r'(?m)^  ([a-z-]+)  ', re.search(rf'(?m)^{head}\n((?:  .*\n)+)', said)[1])
            self.assertEqual(listed, names)

    def test_bad_usage_is_refused(self):
        empty = self.folder / 'empty'
        empty.mkdir()
        for words in ([empty], [self.folder / 'none'], [FOUND, '--engine', 'magic'],
                      [FOUND, '--engine', ''], [FOUND, '--seeds', 'x'], [FOUND, '--seed', 'x'],
                      [FOUND, '--seeds', '0'], [FOUND, '--budget', '-1'], [FOUND, '--jobs', '0'],
                      [FOUND, FOUND]):
            with self.subTest(words):
                self.refused('mutants', *words)

    def test_an_interrupt_ends_it_and_leaves_nothing_running(self):
        folder = self.folder_of(a=appended('[[maybe_unused]] int planted;'),
                                b=appended('[[maybe_unused]] int planted;'))
        process = subprocess.Popen([COMMAND, 'mutants', folder, '--budget', '100', '--jobs', '1', '--json'],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   env=os.environ | {'TMPDIR': str(self.folder)})
        time.sleep(6)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=20)
        self.assertEqual(process.returncode, INTERRUPTED, err)
        self.assertEqual([row['status'] for row in validate('mutants', out)['mutants']], ['interrupted'] * 2)
        self.assertEqual(list(self.folder.glob('allocheck-*')), [])


if __name__ == '__main__':
    unittest.main(verbosity=2)
