"""command_test: usage, bad input and replay of the built command: exit codes, messages, JSON."""
import os
import pty
import re
import subprocess
import time
import unittest

from command import (CANNOT_TEST, CLEAN, COMMAND, GOOD, HEAD, ROOT, VERBS, VIOLATION, WRONG, Case,
                     allocheck, validate)


class Usage(Case):
    def test_without_arguments_help_goes_to_stderr(self):
        done = self.expect(CANNOT_TEST)
        self.assertEqual(done.stdout, '')
        for verb in VERBS:
            self.assertRegex(done.stderr, rf'(?m)^  {verb} ')

    def test_help_goes_to_stdout_and_tells_the_exit_codes(self):
        for words in [()] + [(verb,) for verb in VERBS]:
            done = self.expect(CLEAN, *words, '--help')
            self.assertEqual(done.stderr, '')
            for code in (0, 1, 70, 71, 72, 125):
                self.assertRegex(done.stdout, rf'(?m)^ +{code}  \w', words)

    def test_every_verb_speaks_json_and_says_so(self):
        for verb in VERBS:
            self.assertIn('--json', self.expect(CLEAN, verb, '--help').stdout)

    def test_version(self):
        for words in [()] + [(verb,) for verb in VERBS]:
            self.assertRegex(self.expect(CLEAN, *words, '--version').stdout,
                             r'\Aallocheck \d+\.\d+\.\d+\n\Z')

    def test_an_unknown_verb_is_told_the_verbs(self):
        message = self.refused('nonsense')
        for verb in VERBS:
            self.assertIn(verb, message)

    def test_unknown_words_are_refused(self):
        good = self.write('good.trace', GOOD)
        for words in [['--no-such-flag'], ['--json'], ['fuzz', '--no-such-flag'],
                      ['fuzz', 'no-such-layer'], ['fuzz', '--runs', 'many'],
                      ['fuzz', '--runs', '-1'], ['fuzz', '--time', 'soon'],
                      ['fuzz', '--seed', '0x'], ['fuzz', '--engine', 'magic'],
                      ['replay'], ['replay', good, '--jobs', '0'],
                      ['replay', good, '--layer', 'slap'], ['explain'], ['explain', good, good],
                      ['judge'], ['minimize'], ['rules', 'NO-RULE'], ['rules', '--layer', 'slap'],
                      ['show'], ['show', 'moreinfo', good], ['show', 'buddyinfo'],
                      ['show', 'limits', good], ['promote', good],
                      ['promote', good, '--name', 'Not A Name'],
                      ['promote', good, '--name', '../x']]:
            with self.subTest(words):
                self.refused(*words)

    def test_colour_is_for_terminals_only(self):
        for environment, coloured in [({'NO_COLOR': ''}, True), ({'NO_COLOR': '1'}, False)]:
            terminal, end = pty.openpty()
            subprocess.run([COMMAND, 'rules', 'STEP-ANSWER'], stdout=end, check=True,
                           env=os.environ | environment)
            os.close(end)
            self.assertEqual(b'\x1b[' in os.read(terminal, 4096), coloured)
            os.close(terminal)
        self.assertNotIn('\x1b', self.expect(CLEAN, 'rules', 'STEP-ANSWER').stdout)

    def test_a_full_disk_is_noticed(self):
        with open('/dev/full', 'w') as full:
            done = subprocess.run([COMMAND, 'rules'], stdout=full, stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, CANNOT_TEST)
        self.assertIn(b'allocheck: ', done.stderr)


class BadInput(Case):
    def machine(self, words):
        return f'allocheck 1\nmachine {words}\nend\n'

    def test_the_place_is_named(self):
        for place, content in [
                ('1:1', ''),
                ('1:1', 'something else\n'),
                ('1:11', 'allocheck 99\n'),
                ('1:11', 'allocheck one\n'),
                ('2:9', 'allocheck 1\nmachine \n'),
                ('2:', self.machine('zones=NORMAL:64')),
                ('2:', self.machine('era=linux-9.9 zones=NORMAL:64')),
                ('2:', self.machine('era=linux-6.1 zones=NORMAL:0')),
                ('2:', self.machine('era=linux-6.1 zones=NORMAL:many')),
                ('2:', self.machine('era=linux-6.1 zones=DMA:64,NORMAL@32:64')),
                ('2:', self.machine('era=linux-6.1 zones=NORMAL@4294967295:64')),
                ('2:', self.machine('era=linux-6.1 zones=NORMAL:64 orders=12')),
                ('2:', self.machine('era=linux-6.1 zones=NORMAL:64 colour=red')),
                ('3:1', HEAD + 'steal_pages(order=1)\nend\n'),
                ('3:24', HEAD + 'p0 = alloc_pages(order=banana, gfp=GFP_KERNEL)\nend\n'),
                ('3:24', HEAD + 'p0 = alloc_pages(order=99, gfp=GFP_KERNEL)\nend\n'),
                ('3:', HEAD + 'p64 = alloc_page(gfp=GFP_KERNEL)\nend\n'),
                ('3:', HEAD + 'p0 = alloc_page(gfp=GFP_NONSENSE)\nend\n'),
                ('3:', HEAD + 'p0 = alloc_page(gfp=GFP_KERNEL) -> perhaps\nend\n'),
                ('3:', HEAD + '@nowhere p0 = alloc_page(gfp=GFP_KERNEL)\nend\n'),
                ('3:', HEAD + 'touch(page=p0) and more\nend\n'),
                ('3:15', HEAD + 'touch(page=p0)\n'),
                ('5:1', HEAD + 'touch(page=p0)\nend\ntouch(page=p0)\n'),
                ('2:', 'allocheck 1\nmachine era=linux-6.1 zones=NORM'),
                ('3:27', HEAD + 'expect mutant:buddy/thing NO-RULE\ntouch(page=p0)\nend\n')]:
            for verb in ('replay', 'explain', 'minimize', 'show'):
                with self.subTest(content, verb=verb):
                    path = self.write('bad.trace', content)
                    words = ['show', 'buddyinfo', path] if verb == 'show' else [verb, path]
                    if verb == 'minimize' and 'NO-RULE' in content:
                        continue  # the expectation is not what it minimizes
                    if verb == 'minimize':
                        words += ['--out', self.folder / 'smaller.trace']
                    message = allocheck(*words)
                    self.assertEqual(message.returncode, CANNOT_TEST, message)
                    self.assertIn(f'{path}:{place}', message.stderr)
                    self.assertRegex(message.stderr, r':\d+:\d+: .*; expected ')
                    self.assertEqual(os.listdir(self.folder), ['bad.trace'])

    def test_absent_files_and_folders_are_named(self):
        for verb in ('replay', 'explain', 'minimize', 'judge'):
            self.assertIn('absent', self.refused(verb, self.folder / 'absent'))
        self.assertIn('no file', self.refused('replay', self.folder))

    def test_noise_of_any_size_is_refused_at_once(self):
        noise = self.folder / 'noise'
        block = os.urandom(1 << 20)
        with open(noise, 'wb') as file:
            for _ in range(100):
                file.write(block)
        started = time.monotonic()
        self.assertIn(f'{noise}:1:1: ', self.refused('replay', noise))
        self.assertLess(time.monotonic() - started, 5)

    def test_a_trace_that_is_too_long_is_refused(self):
        path = self.write('long.trace', HEAD + '# and so on\n' * 2_000_000)
        self.assertIn('bytes', self.refused('replay', path))

    def test_names_are_printed_safely(self):
        path = self.write('a \x1b[31m name\n.trace', b'\xff\x00\n')
        message = self.refused('replay', path)
        self.assertIn('a \\x1b[31m name\\x0a.trace:1:1:', message)
        self.assertNotIn('\x1b', message)

    def test_a_machine_option_that_is_wrong_is_no_fault_of_the_file(self):
        path = self.write('good.trace', GOOD)
        message = self.refused('replay', path, '--machine', 'era=linux-6.1 zones=NORMAL:none')
        self.assertRegex(message, r'^allocheck: --machine:1:\d+: ')


class Replay(Case):
    def test_the_corpus_is_clean(self):
        for seeds in sorted((ROOT / 'corpus').glob('*/seeds')):
            layer = seeds.parent
            done = self.expect(CLEAN, 'replay', layer, cwd=ROOT)
            traces = len(list(layer.rglob('*.trace')))
            self.assertEqual(done.stdout.count('\nok ') + done.stdout.startswith('ok '), traces)
            self.assertIn(f'{traces} clean, 0 violations, 0 unreadable', done.stdout)

    def test_an_error_is_of_the_row_that_reads_furthest(self):
        seed = (ROOT / 'corpus/slab/seeds/life-of-a-slab.trace').read_text()
        wrong = seed.replace('kmem_cache_free(object=o1)', 'kmem_cache_free(object=x1)')
        line = 1 + wrong[:wrong.index('object=x1')].count('\n')
        done = self.expect(CANNOT_TEST, 'replay', self.write('wrong.trace', wrong))
        self.assertRegex(done.stdout + done.stderr, rf':{line}:\d+: bad object .x1.; expected')

    def test_every_trace_of_the_corpus_says_what_it_shows(self):
        for trace in (ROOT / 'corpus').glob('*/[sr]e*/*.trace'):
            self.assertRegex(trace.read_text().splitlines()[1], r'\A# [A-Z0-9].*\.\Z', trace)

    def test_a_wrong_answer_is_a_violation_with_its_place(self):
        path = self.write('wrong.trace', WRONG)
        done = self.expect(VIOLATION, 'replay', path)
        lines = done.stdout.splitlines()
        self.assertTrue(lines[0].startswith('STEP-ANSWER: '))
        self.assertIn('1: p0 = alloc_pages(order=0, gfp=GFP_KERNEL) -> refused', lines[1])
        self.assertIn(f'replay: allocheck replay {path}', lines)
        self.assertRegex(done.stdout, r'(?m)^ASSERTION FAILED: STEP-ANSWER \w')
        self.assertRegex(done.stdout, r'(?m)^DEDUP_TOKEN: STEP-ANSWER$')
        self.assertNotIn('\x1b', done.stdout)

    def test_a_wrong_answer_in_a_seed_is_noticed(self):
        changed = 0
        for seed in sorted((ROOT / 'corpus/buddy').rglob('*.trace')):
            wrong, count = re.subn(r'-> pfn \d+', '-> pfn 99999', seed.read_text(), count=1)
            if not count:
                continue
            changed += 1
            self.expect(VIOLATION, 'replay', self.write('wrong.trace', wrong))
        self.assertGreater(changed, 0)

    def test_a_folder_is_answered_in_order_and_completely(self):
        self.write('d/b.trace', WRONG)
        self.write('d/a/deep.trace', GOOD)
        self.write('d/c', 'noise')
        self.write('d/README.md', 'not a trace')
        self.write('d/.hidden', 'not a trace')
        done = self.expect(VIOLATION, 'replay', 'd', cwd=self.folder)
        lines = done.stdout.splitlines()
        self.assertEqual(lines[:2], ['ok d/a/deep.trace', 'VIOLATION d/b.trace STEP-ANSWER'])
        self.assertTrue(lines[2].startswith('unreadable d/c:1:1: '))
        self.assertEqual(lines[3:], ['replay: allocheck replay d/b.trace',
                                     '1 clean, 1 violations, 1 unreadable'])
        (self.folder / 'd/b.trace').unlink()
        self.expect(CANNOT_TEST, 'replay', 'd', cwd=self.folder)

    def test_the_number_of_jobs_changes_nothing(self):
        for i in range(12):
            self.write(f'd/{i:02}.trace', [GOOD, WRONG, 'noise'][i % 3])
        outputs = {self.expect(VIOLATION, 'replay', self.folder / 'd', '--jobs', n).stdout
                   for n in (1, 2, 7)}
        self.assertEqual(len(outputs), 1)

    def test_json_of_clean_broken_and_unreadable(self):
        files = [self.write('a.trace', GOOD), self.write('b.trace', WRONG),
                 self.write('c.trace', 'noise')]
        found = validate('replay', self.expect(VIOLATION, 'replay', *files, '--json').stdout)
        self.assertEqual([f['verdict'] for f in found['files']],
                         ['clean', 'violation', 'unreadable'])
        self.assertEqual(found['files'][0]['run']['executed'], 2)
        self.assertEqual(found['files'][1]['run']['rule'], 'STEP-ANSWER')
        self.assertEqual(found['files'][1]['run']['step'], 1)
        self.assertEqual(found['files'][2]['error']['line'], 1)

    def test_a_name_that_is_no_text_still_gives_json(self):
        path = os.fsencode(self.folder) + b'/\xff.trace'
        with open(path, 'w') as file:
            file.write(GOOD)
        validate('replay', self.expect(CLEAN, 'replay', os.fsdecode(path), '--json').stdout)

    def test_any_bytes_are_some_trace(self):
        path = self.write('raw', bytes(range(256)))
        self.expect(CANNOT_TEST, 'replay', path)
        done = allocheck('replay', path, '--bytes', '--layer', 'buddy', '--json')
        found = validate('replay', done.stdout)
        self.assertNotEqual(found['files'][0]['verdict'], 'unreadable')

    def test_another_machine_takes_the_answers_along_with_it(self):
        path = self.write('wrong.trace', WRONG)
        done = self.expect(CLEAN, 'replay', path, '--json', '--machine',
                           'era=linux-2.6.11 zones=DMA:16,NORMAL:16')
        found = validate('replay', done.stdout)
        self.assertIn('linux-2.6.11', found['files'][0]['machine'])

    def test_an_expectation_of_a_mutant_is_no_matter_of_the_reference(self):
        self.expect(CLEAN, 'replay', self.write('m.trace', GOOD.replace(
            'p0 =', 'expect mutant:buddy/thing STEP-ANSWER\np0 =', 1)))


if __name__ == '__main__':
    unittest.main()
