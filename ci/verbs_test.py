"""verbs_test: each verb of the built command but replay: what it prints, and what it leaves."""
import os
import re
import shlex
import signal
import subprocess
import time
import unittest

from command import (CANNOT_TEST, CLEAN, COMMAND, GOOD, INTERRUPTED, ROOT, VIOLATION, WRONG, Case,
                     allocheck, validate)


class Fuzz(Case):
    def fuzz(self, *words):
        done = allocheck('fuzz', 'buddy', '--engine', 'swarm', '--out', self.folder / 'failures',
                         *words)
        self.assertIn(done.returncode, (CLEAN, VIOLATION), done.stderr)
        return done

    def test_one_seed_is_one_search(self):
        first, second = (validate('fuzz', self.fuzz('--seed', 7, '--runs', 300, '--json').stdout)
                         for _ in range(2))
        for key in ('seed', 'runs', 'operations', 'digest'):
            self.assertEqual(first[key], second[key])
        self.assertEqual(first['seed'], 7)
        self.assertEqual(first['runs'], 300)
        other = validate('fuzz', self.fuzz('--seed', 8, '--runs', 300, '--json').stdout)
        self.assertNotEqual(first['digest'], other['digest'])

    def test_the_seed_is_told_before_anything_else(self):
        done = self.fuzz('--runs', 50)
        self.assertRegex(done.stderr.splitlines()[0], r'seed \d+ .*allocheck fuzz .*--seed \d')

    def test_a_number_of_operations_ends_it(self):
        first, second = (validate('fuzz', self.fuzz('--seed', 7, '--operations', 5000, '--judge',
                                                    'quick', '--json').stdout) for _ in range(2))
        self.assertGreaterEqual(first['operations'], 5000)
        self.assertLess(first['operations'], 5000 + 512)
        self.assertEqual((first['operations'], first['digest']),
                         (second['operations'], second['digest']))
        judged = first['reach']['buddy']['judged']
        self.assertEqual([judged[how] > 0 for how in ('cheap', 'model', 'everything')],
                         [True, False, False])

    def test_every_rule_after_every_step_is_a_way_to_judge(self):
        found = validate('fuzz', self.fuzz('--seed', 7, '--runs', 20, '--judge', 'full',
                                           '--json').stdout)
        self.assertEqual(found['reach']['buddy']['judged']['everything'], 20)
        for words in (['--judge', 'some'], ['--operations', 0], ['--time', '1s', '--operations', 9],
                      ['--require-reach', '--engine', 'libfuzzer']):
            self.refused('fuzz', *words)

    def test_what_was_never_reached_fails_a_search_that_is_held_to_it(self):
        machine = ('--machine', 'era=linux-6.1 zones=NORMAL:64', '--runs', 1, '--seed', 3)
        self.fuzz(*machine)
        words = ('fuzz', 'buddy', '--engine', 'swarm', '--out', self.folder / 'f', *machine,
                 '--require-reach')
        done = self.expect(VIOLATION, *words)
        self.assertRegex(done.stderr, r'RUN-REACH: never buddy: \w+ \S+ in linux-6.1; expected once')
        self.assertNotIn('linux-2.6.11', done.stderr)  # nor what the machine has not
        self.assertNotIn('highmem', done.stderr)
        found = validate('fuzz', self.expect(VIOLATION, *words, '--json').stdout)
        self.assertTrue(found['unreached'])
        self.assertEqual(found['violations'], [])

    def test_reach_adds_up(self):
        found = validate('fuzz', self.fuzz('--seed', 7, '--runs', 300, '--json').stdout)
        counts, eras = found['reach']['buddy'], found['reach_by_era']['buddy']
        for group, names in counts.items():
            for name, count in names.items():
                self.assertEqual(count, sum(era[group][name] for era in eras.values()))
        done = sum(sum(counts[group].values()) for group in ('executed', 'skipped'))
        self.assertLessEqual(done, found['operations'])
        self.assertGreater(done, 0.9 * found['operations'])
        self.assertEqual(counts['runs']['runs'], 300)
        self.assertLess(found['skip_rate']['buddy']['all'], 0.1)

    def interrupt(self, with_signal):
        process = subprocess.Popen([COMMAND, 'fuzz', 'buddy', '--time', '60s', '--seed', '11',
                                    '--engine', 'swarm', '--out', self.folder / 'failures'],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        time.sleep(2)
        process.send_signal(with_signal)
        out, err = process.communicate(timeout=60)
        self.assertIn(process.returncode, (VIOLATION, INTERRUPTED), out + err)
        self.assertRegex(out + err, r'allocheck fuzz .*--seed 11')

    def test_an_interrupt_says_how_to_go_on(self):
        self.interrupt(signal.SIGINT)

    def test_so_does_a_polite_kill(self):
        self.interrupt(signal.SIGTERM)


class Minimize(Case):
    def test_a_wrong_answer_shrinks_to_its_step(self):
        steps = ''.join(f'p{i} = alloc_page(gfp=GFP_KERNEL)\n' for i in range(1, 9))
        path = self.write('long.trace', WRONG.replace('p0 =', steps + 'p0 =', 1))
        smaller = self.folder / 'smaller.trace'
        done = allocheck('minimize', path, '--out', smaller, '--json')
        found = validate('minimize', done.stdout)
        self.assertEqual(found['rule'], 'STEP-ANSWER')
        self.assertEqual(smaller.read_text().count('alloc_page'), 1)
        self.expect(VIOLATION, 'replay', smaller)


class Explain(Case):
    def test_a_broken_trace_is_told_with_its_rule_and_step(self):
        path = self.write('wrong.trace', WRONG.replace(
            'machine', '# What this shows.\nmachine').replace(
            'p0 =', 'touch(page=p9)\np0 =', 1))
        done = self.expect(VIOLATION, 'explain', path)
        text = done.stdout
        self.assertTrue(text.startswith('# What this shows.\n'))
        self.assertIn('machine era=linux-6.1 zones=NORMAL:64\n', text)
        self.assertRegex(text, r'(?m)^    1  touch\(page=p9\) +skipped$')
        self.assertRegex(text, r'(?m)^>   2  p0 = alloc_pages.* pfn \d+$')
        for part in ('## The rule: STEP-ANSWER', '- Why: ', '- Source: ', '- Expected: refused',
                     '- Actual: pfn ', '## Memory before step 2', '## Memory after step 2',
                     f'allocheck replay {path}'):
            self.assertIn(part, text)

    def test_a_clean_trace_is_told_as_well(self):
        done = self.expect(CLEAN, 'explain', self.write('good.trace', GOOD))
        self.assertIn('no rule breaks', done.stdout)
        self.assertIn('## Memory at the end', done.stdout)

    def test_json(self):
        wrong = self.write('wrong.trace', WRONG)
        found = validate('explain', self.expect(VIOLATION, 'explain', wrong, '--json').stdout)
        self.assertEqual(found['rule']['id'], 'STEP-ANSWER')
        self.assertEqual(found['run']['step'], 1)
        done = self.expect(CANNOT_TEST, 'explain', self.folder, '--json')
        found = validate('explain', done.stdout)
        self.assertTrue(found['error']['what'])


class Rules(Case):
    def test_every_layer_and_room_has_its_rules(self):
        found = validate('rules', self.expect(CLEAN, 'rules', '--json').stdout)['rules']
        self.assertEqual({r['layer'] for r in found},
                         {'core', 'buddy', 'mmu', 'kmap', 'slab', 'kmalloc', 'vmalloc', 'linux'})
        ids = [r['id'] for r in found]
        self.assertEqual(len(ids), len(set(ids)))
        listed = self.expect(CLEAN, 'rules').stdout
        for rule in ids:
            self.assertRegex(listed, rf'(?m)^{rule} ')

    def test_one_rule_is_told_whole(self):
        text = self.expect(CLEAN, 'rules', 'STEP-ANSWER').stdout
        for word in ('STEP-ANSWER', 'statement', 'why', 'source', 'cost', 'scope'):
            self.assertIn(word, text)
        found = validate('rules', self.expect(CLEAN, 'rules', 'STEP-ANSWER', '--json').stdout)
        self.assertEqual([rule['id'] for rule in found['rules']], ['STEP-ANSWER'])

    def test_a_layer_alone(self):
        found = validate('rules', self.expect(CLEAN, 'rules', '--layer', 'linux', '--json').stdout)
        self.assertEqual({r['layer'] for r in found['rules']}, {'linux'})


class Pages(Case):
    """Pages that are generated: write them anew with the command in the message."""

    def check(self, page, *words):
        made = self.expect(CLEAN, *words).stdout
        self.assertEqual((ROOT / page).read_text(), made,
                         f'out of date: build/dev/allocheck {" ".join(words)} >{page}')

    def test_the_catalogue_of_rules_is_up_to_date(self):
        self.check('props/RULES.md', 'rules', '--markdown')

    def test_the_reference_of_the_language_is_up_to_date(self):
        self.check('props/TRACE.md', 'show', 'operations', '--markdown')

    def test_the_figure_of_waste_is_up_to_date(self):
        self.check('ref/kmalloc/waste.svg', 'show', 'waste', '--svg')

    def test_the_page_of_reach_has_the_rows_that_are_counted(self):
        # Its numbers are measured, and differ from search to search.
        def rows(text):
            lines = [line for line in text.splitlines() if line.startswith(('|', '#'))]
            return [re.sub(r'\d+ \|', '|', line) for line in lines]
        made = self.expect(CLEAN, 'fuzz', '--engine', 'swarm', '--runs', 1, '--seed', 1, '--out',
                           self.folder / 'f', '--reach-markdown').stdout
        self.assertEqual(rows((ROOT / 'fuzz/REACH.md').read_text()), rows(made),
                         'out of date; the page says how to make it')

    def test_the_example_of_the_reference_is_a_trace(self):
        example = (ROOT / 'props/TRACE.md').read_text().split('```\n')[1]
        self.expect(CLEAN, 'replay', self.write('example.trace', example))


class Show(Case):
    def test_texts_at_the_end_of_a_trace(self):
        path = self.write('good.trace', GOOD.replace('free_pages(page=p0)\n', ''))
        self.assertRegex(self.expect(CLEAN, 'show', 'buddyinfo', path).stdout,
                         r'\ANode 0, zone +Normal +\d+')
        self.assertIn('pages free', self.expect(CLEAN, 'show', 'zoneinfo', path).stdout)
        machine = self.expect(CLEAN, 'show', 'machine', path).stdout
        self.assertIn('machine era=linux-6.1 zones=NORMAL:64\n', machine)
        self.assertIn('watermarks', machine)

    def test_a_broken_trace_is_shown_up_to_there(self):
        done = self.expect(VIOLATION, 'show', 'buddyinfo', self.write('wrong.trace', WRONG))
        self.assertTrue(done.stdout.startswith('Node 0'))
        self.assertIn('STEP-ANSWER', done.stderr)

    def test_tables(self):
        operations = self.expect(CLEAN, 'show', 'operations').stdout
        self.assertIn('p = alloc_pages(order, gfp)\n', operations)
        self.assertRegex(self.expect(CLEAN, 'show', 'exit-codes').stdout, r'(?m)^  125  ')
        self.assertIn('trace-bytes', self.expect(CLEAN, 'show', 'sizes').stdout)

    def test_waste_is_told_up_to_the_limit_of_each_interface(self):
        text = self.expect(CLEAN, 'show', 'waste').stdout
        # The class of 128 KiB is the last of the old era; just above 64 KiB half of it is lost.
        self.assertRegex(text, r'(?m)^ +65537 +131072 +131072 +50\.0 % +25\.0 %$')
        self.assertIn('lost by alloc_pages_exact, linux-6.1', text)
        curves = {(c['interface'], c['era']): c for c in
                  validate('show', self.expect(CLEAN, 'show', 'waste', '--json').stdout)['content']}
        self.assertEqual({key: c['limit'] for key, c in curves.items()},
                         {('kmalloc', 'linux-2.6.11'): 131072, ('kmalloc', 'linux-6.1'): 4 << 20,
                          ('alloc_pages', 'linux-2.6.11'): 4 << 20,
                          ('alloc_pages', 'linux-6.1'): 4 << 20,
                          ('alloc_pages_exact', 'linux-2.6.11'): 4 << 20,
                          ('alloc_pages_exact', 'linux-6.1'): 4 << 20})
        for curve in curves.values():
            after = 1
            for step in curve['steps']:
                self.assertEqual(step['first'], after)
                self.assertLessEqual(step['last'], step['usable'])
                after = step['last'] + 1
        self.refused('show', 'limits', '--svg')

    def test_limits_are_found_on_the_machine_that_is_named(self):
        text = self.expect(CLEAN, 'show', 'limits').stdout
        self.assertRegex(text, r'(?m)^kmalloc +131072 +131072 ')
        self.assertRegex(text, r'(?m)^kmalloc +4194304 +4194304 ')
        small = validate('show', self.expect(CLEAN, 'show', 'limits', '--machine',
                                             'era=linux-6.1 zones=NORMAL:256', '--json').stdout)
        (found,) = small['content']
        granted = {r['interface']: r['granted'] for r in found['requests']}
        documented = {r['interface']: r['documented'] for r in found['requests']}
        self.assertEqual(documented['alloc_pages'], 4 << 20)
        self.assertEqual(granted['alloc_pages'], 512 << 10)  # of 1 MiB, some is in use since boot
        self.assertEqual(granted['alloc_pages'], granted['kmalloc'])
        for request in found['requests']:
            self.assertNotEqual(request['buddyinfo'], found['buddyinfo'])
        self.assertIn('--machine:1:', self.refused('show', 'limits', '--machine', 'era=linux-9'))

    def test_json(self):
        good, wrong = self.write('good.trace', GOOD), self.write('wrong.trace', WRONG)
        for words, code in [(['window', good], CLEAN), (['window'], CLEAN),
                            (['vmallocinfo'], CLEAN), (['slabinfo', good], CLEAN),
                            (['window', '--machine', 'era=linux-9'], CANNOT_TEST),
                            (['buddyinfo', good], CLEAN), (['zoneinfo', good], CLEAN),
                            (['machine', good], CLEAN), (['buddyinfo', wrong], VIOLATION),
                            (['buddyinfo', self.folder / 'absent'], CANNOT_TEST),
                            (['operations'], CLEAN), (['limits'], CLEAN), (['sizes'], CLEAN),
                            (['waste'], CLEAN), (['exit-codes'], CLEAN),
                            (['limits', '--machine', 'era=linux-9'], CANNOT_TEST)]:
            validate('show', self.expect(code, 'show', *words, '--json').stdout)


class Promote(Case):
    def setUp(self):
        super().setUp()
        (self.folder / 'corpus/buddy').mkdir(parents=True)
        self.made = self.folder / 'corpus/buddy/regressions/one-two.trace'

    def promote(self, code, *words):
        return self.expect(code, 'promote', *words, '--name', 'one-two', cwd=self.folder)

    def test_a_failure_goes_round(self):
        self.write('failures/STEP-ANSWER-01234567/found.trace', 'noise')
        self.write('failures/STEP-ANSWER-01234567/minimized.trace', WRONG)
        done = self.promote(CLEAN, 'failures/STEP-ANSWER-01234567', '--mutant', 'thing')
        self.assertIn('still breaks STEP-ANSWER', done.stdout)
        self.assertIn('git add corpus/buddy/regressions/one-two.trace', done.stdout)
        lines = self.made.read_text().splitlines()
        self.assertTrue(lines[1].startswith('# This broke STEP-ANSWER: '))
        self.assertEqual(lines[3], 'expect mutant:buddy/thing STEP-ANSWER')
        self.assertIn('STEP-ANSWER', self.expect(VIOLATION, 'replay', self.made).stdout)
        self.assertEqual(os.listdir(self.made.parent), [self.made.name])

    def test_what_is_mended_stays_as_a_regression(self):
        self.write('failures/BUDDY-COALESCED-01234567/found.trace', GOOD)
        done = self.promote(CLEAN, 'failures/BUDDY-COALESCED-01234567', '--what',
                            'Two blocks were\nnot one.')
        self.assertIn('clean', done.stdout)
        self.assertEqual(self.made.read_text().splitlines()[1], '# Two blocks were not one.')
        self.expect(CLEAN, 'replay', self.made)

    def test_nothing_is_ever_overwritten(self):
        path = self.write('wrong.trace', WRONG)
        self.promote(CLEAN, path)
        before = self.made.read_text()
        self.assertIn('there already', self.promote(CANNOT_TEST, path, '--what', 'Else.').stderr)
        self.assertEqual(self.made.read_text(), before)

    def test_what_cannot_be_promoted_leaves_nothing(self):
        good = self.write('good.trace', GOOD)
        self.promote(CANNOT_TEST, good)  # nobody knows what was wrong
        self.promote(CANNOT_TEST, good, '--what', 'A thing.', '--mutant', 'thing')
        self.promote(CANNOT_TEST, self.folder)
        self.promote(CANNOT_TEST, self.write('noise', 'noise'))
        self.promote(CANNOT_TEST, good, '--what', 'A thing.', '--corpus', 'elsewhere')
        self.assertEqual(os.listdir(self.folder / 'corpus/buddy'), [])

    def test_json(self):
        path = self.write('wrong.trace', WRONG)
        found = validate('promote', self.promote(CLEAN, path, '--json').stdout)
        self.assertEqual((found['rule'], found['still_broken']), ('STEP-ANSWER', True))
        validate('promote', self.promote(CANNOT_TEST, path, '--json').stdout)


class Judge(Case):
    def test_json_of_clean_broken_and_unreadable(self):
        clean, broken = (ROOT / 'corpus/linux' / f'{n}.trace' for n in ('clean', 'duplicate'))
        validate('judge', self.expect(CLEAN, 'judge', clean, '--json').stdout)
        found = validate('judge', self.expect(VIOLATION, 'judge', broken, '--json').stdout)
        self.assertGreater(found['violation_count'], 0)
        empty = self.write('empty', '')
        found = validate('judge', self.expect(CANNOT_TEST, 'judge', empty, '--json').stdout)
        self.assertTrue(found['error']['what'])

    def test_json_of_objects(self):
        def judged(code, name, *words):
            path = ROOT / f'corpus/linux/{name}.trace'
            return validate('judge', self.expect(code, 'judge', path, *words, '--json').stdout)

        found = judged(VIOLATION, 'object-overlap')
        self.assertEqual(found['objects']['events'],
                         sum(found['objects'][key] for key in ('allocations', 'failed', 'frees')))
        self.assertEqual(found['direct_map'], {'base': '0xffff888000000000', 'from': 'layout'})
        one, = found['violations']
        self.assertEqual((one['rule'], one['line'], one['collides_with_line'], one['address']),
                         ('LINUX-OBJECT-OVERLAP', 46, 41, '0xffff8881087c6620'))
        self.assertIsNone(judged(CLEAN, 'object-overlap-without-pages')['direct_map'])
        self.assertGreater(judged(CLEAN, 'objects-hashed')['notes']['object_hidden'], 0)

    def test_the_classes_of_kmalloc_are_chosen(self):
        path = ROOT / 'corpus/linux/kmalloc-class.trace'
        text = self.expect(VIOLATION, 'judge', path).stdout
        self.assertIn('line 9: object 0xffff888100ddae80 of 32 bytes for 12', text)
        self.assertIn('expected  16 bytes, by the classes of slub', text)
        text = self.expect(VIOLATION, 'judge', path, '--classes', 'slab').stdout
        self.assertNotIn('line 9:', text)  # 32 bytes are the least of SLAB
        self.assertIn('line 11: object 0xffff88816240daf0 of 16 bytes for 11', text)
        self.assertIn(f'replay: allocheck judge --classes slab {shlex.quote(str(path))}\n', text)
        message = self.expect(CANNOT_TEST, 'judge', path, '--classes', 'slob').stderr
        self.assertIn("bad classes 'slob'; expected slub or slab", message)

    def test_without_frees_in_the_recording_doubt_is_said(self):
        path = ROOT / 'corpus/linux/object-overlap.trace'
        doubt = 'no kfree or kmem_cache_free event at all'
        self.assertNotIn(doubt, self.expect(VIOLATION, 'judge', path).stderr)
        kept = [line for line in path.read_text().splitlines(True) if 'free: ' not in line]
        path = self.write('no-frees.trace', ''.join(kept))
        self.assertIn(doubt, self.expect(VIOLATION, 'judge', path).stderr)


if __name__ == '__main__':
    unittest.main()
