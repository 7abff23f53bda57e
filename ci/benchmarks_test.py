"""benchmarks_test: bounds are judged by what was measured, and the committed page has its rows."""
import importlib.machinery
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import benchmark_page as pages
import benchmark_profile as profiles

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = ROOT / 'ci/benchmarks'
loader = importlib.machinery.SourceFileLoader('benchmarks', str(SCRIPT))
benchmarks = importlib.util.module_from_spec(importlib.util.spec_from_loader('benchmarks', loader))
loader.exec_module(benchmarks)


def results(passes=3):
    """Everything measured 1, which meets all bounds but those that want more of something."""
    blank = pages.blank([(what, 'x') for what in benchmarks.MACHINE])
    return pages.Results([dict(blank.benches[0]) for _ in range(passes)],
                         [{key: dict(rates) for key, rates in blank.targets[0].items()}
                          for _ in range(passes)], blank.machine, [])


def with_objects(run, ways):
    """The same with other times of objects, in every pass."""
    times = {f'objects/{way}/{pair}/{era}': time for way, time in ways.items() for pair, era in pages.OBJECTS}
    return pages.Results([p | times for p in run.benches], run.targets, run.machine, [])


def missed(bounds):
    return {bound.name for bound in bounds if not bound.met}


def row(name='bare/0/0', label='linux-2.6.11, 112 pages', **more):
    return {'name': name, 'label': label, 'cpu_time': 2.0, 'time_unit': 'us'} | more


class Bounds(unittest.TestCase):
    def test_a_ratio_is_taken_within_a_pass_and_then_the_median(self):
        run = results()
        # Medians of each side alone would give 4 / 2; the passes say 1, 2.5 and 4.
        for p, (bare, judged) in zip(run.benches, ((4, 4), (2, 5), (1, 4))):
            p['bare/1/0'], p['judged/quick/1/0'] = bare, judged
        bound = next(b for b in pages.required(run) if b.name == 'judged ≤ 2.2 × bare: linux-6.1, 112 pages')
        self.assertEqual((bound.value, bound.met), (2.5, False))
        self.assertEqual(bound.row()[1:], ['2.50 (1.00 to 4.00)', '**missed**'])

    def test_each_required_ratio_is_missed_by_what_it_compares(self):
        executions = {b.name for b in pages.required(results()) if b.name.startswith('executions')}
        self.assertEqual(len(executions), len(pages.LENGTHS))
        self.assertEqual(missed(pages.required(results())), executions)
        for stem, factor, words in (('judged/quick/0/0', 2.3, 'judged ≤ 2.2 × bare: linux-2.6.11, 112 pages'),
                                    ('judged/touched/1/1', 4.1, 'judged with touched invariants ≤ 4 × bare: '
                                                                'linux-6.1, 2^20 pages 70 % full'),
                                    ('judged/quick/1/1', 4.1, 'judged at 2^20 pages ≤ 4 × judged at 112: '
                                                              'linux-6.1')):
            run = results()
            for p in run.benches:
                p[stem] = factor
            self.assertIn(words, missed(pages.required(run)))
        run = results()
        for p in run.targets:
            p['fuzz-plain', 64]['libfuzzer'] = 2.0
        self.assertEqual({n for n in executions if '64' in n},
                         executions - missed(pages.required(run)))

    def test_goals_are_judged_on_the_right_side(self):
        met = results()
        for p in met.benches:
            p['swarm_operations/quick/manual_time'] = 1e9 / 12e6
        for p in met.targets:
            for preset, rate in (('fuzz-plain', 150_000), ('fuzz', 80_000)):
                p[preset, 64] = {'alone': rate, 'libfuzzer': rate}
        self.assertEqual(missed(pages.goals(met)), set())
        for other in pages.OTHERS:
            self.assertEqual(len(missed(pages.goals(with_objects(met, {other: 0.3})))), len(pages.OBJECTS), other)
        self.assertEqual(missed(pages.goals(with_objects(met, {'bare': 3}))), set())
        slow = with_objects(met, {'bare': 1})
        for p in slow.benches:
            p['objects/bare/1/0'] = 3.1
        self.assertEqual(missed(pages.goals(slow)), {'bare ≤ 3 × the fastest of glibc, mimalloc, jemalloc: '
                                                     'kmalloc and kfree, linux-2.6.11'})
        for p in met.benches:
            p |= {'bare/0/0': 36, 'judged/quick/1/0': 66, 'swarm_operations/quick/manual_time': 90}
        for p in met.targets:
            p['fuzz', 64]['libfuzzer'] = 79_999
        self.assertEqual(missed(pages.goals(met)),
                         {'bare ≤ 35 ns: linux-2.6.11, 112 pages', 'judged ≤ 65 ns: linux-6.1, 112 pages',
                          'swarm ≥ 12,000,000 judged operations a second',
                          'target, ASan+UBSan, under libFuzzer ≥ 80,000 executions a second: up to 64 '
                          'operations'})


class Page(unittest.TestCase):
    def run_check(self, text):
        with tempfile.TemporaryDirectory() as folder:
            page = Path(folder) / 'page.md'
            page.write_text(text)
            return subprocess.run([SCRIPT, '--check', page], capture_output=True, text=True)

    def test_the_committed_page_has_the_rows_that_would_be_written(self):
        done = subprocess.run([SCRIPT, '--check', benchmarks.PAGE], capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, '', ''))

    def test_so_has_the_page_of_maps_and_another_page_is_refused(self):
        for page, code in (('fuzz/BENCHMARKS_MAPS.md', 0), ('fuzz/BENCHMARKS.md', 1)):
            done = subprocess.run([ROOT / 'ci/bench-maps', '--check', ROOT / page], capture_output=True, text=True)
            self.assertEqual(done.returncode, code, done.stdout + done.stderr)

    def test_numbers_and_profiles_do_not_matter_but_rows_and_columns_do(self):
        run = results()
        run.benches[0]['bare/0/0'] = 77
        run.profiles = [('bare', 'perf', [(50.0, 'f(int)'), (2.5, 'g()')])]
        text = pages.page(run)
        self.assertIn('| `f(int)` | 50.0 % |', text)
        self.assertEqual(self.run_check(text).returncode, 0)
        for old, new in (('| judged ≤ 2.2 ×', '| judged ≤ 2.3 ×'), (' full walk |', ' walk |'),
                         ('| processor |', '| host |')):
            self.assertIn(old, text)
            done = self.run_check(text.replace(old, new))
            self.assertEqual(done.returncode, 1, old)
            self.assertIn('no row', done.stdout)
            self.assertIn('an old row', done.stdout)

    def test_a_row_too_few_is_named(self):
        text = '\n'.join(line for line in pages.page(results()).splitlines() if '| bare ≤ 35' not in line)
        done = self.run_check(text)
        self.assertEqual(done.returncode, 1)
        self.assertIn('"bare ≤ 35 ns: linux-6.1, 112 pages"', done.stdout)


class Reading(unittest.TestCase):
    def test_google_benchmarks_json_becomes_nanoseconds_of_an_operation(self):
        text = json.dumps({'benchmarks': [row(items_per_second=2e7), row('copy_machine/0/0'),
                                          {'name': 'swarm', 'cpu_time': 1, 'time_unit': 'ns'}]})
        self.assertEqual(benchmarks.read_benches(text),
                         {'bare/0/0': 50.0, 'copy_machine/0/0': 2000.0, 'swarm': 1})

    def test_what_ran_in_turns_is_there_by_the_names_of_its_counters(self):
        counters = {name: 10.0 + i for i, name in enumerate(pages.COMPARED)}
        text = json.dumps({'benchmarks': [row('in_turns/0/1', 'linux-2.6.11, 2^20 pages 70 % full', **counters)]})
        self.assertEqual(benchmarks.read_benches(text), {f'{name}/0/1': t for name, t in counters.items()})
        self.assertEqual(counters['judged/touched'], 13.0)

    def test_objects_are_there_by_way_pair_and_era_and_none_may_be_missing(self):
        counters = {name: 5.0 + i for i, name in enumerate(pages.OBJECT_WAYS)}
        rows = [row(f'objects_in_turns/{pair}/{era}', pages.pair_name(pair, era), **counters)
                for pair, era in pages.OBJECTS]
        found = benchmarks.read_benches(json.dumps({'benchmarks': rows}))
        self.assertEqual(found['objects/jemalloc/1/0'], 10.0)
        self.assertEqual(set(found), set(pages.object_names()))
        whole = found | dict.fromkeys(pages.bench_names(), 1.0)
        benchmarks.complete(whole)
        for gone in ('objects/jemalloc/0/1', 'bare/0/0'):
            with self.assertRaisesRegex(benchmarks.CannotMeasure, gone):
                benchmarks.complete({name: time for name, time in whole.items() if name != gone})
        with self.assertRaises(benchmarks.CannotMeasure):
            benchmarks.read_benches(json.dumps({'benchmarks': [row('objects_in_turns/0/1', 'kmalloc')]}))

    def test_a_benchmark_of_another_machine_or_one_that_failed_measures_nothing(self):
        for bad in (row(label='linux-2.6.11, 113 pages'), row('bare/1/0'),
                    row(error_occurred=True, error_message='a rule broke')):
            with self.assertRaises(benchmarks.CannotMeasure):
                benchmarks.read_benches(json.dumps({'benchmarks': [bad]}))
        with self.assertRaises(benchmarks.CannotMeasure):
            benchmarks.read_benches('Segmentation fault')

    def test_profiles_of_both_tools_are_read(self):
        perf = '# Overhead  Symbol\n    61.20%  [.] ref::f(int) const\n     3.00%  [k] clear_page\n'
        self.assertEqual(profiles.shares(perf, profiles.PERF_LINE),
                         [(61.2, 'ref::f(int) const'), (3.0, 'clear_page')])
        callgrind = ('1,000 (100.0%)  PROGRAM TOTALS\n'
                     '  700 (70.00%)  ???:ref::f(int) [/x/buddy_bench]\n'
                     '   50 ( 5.00%)  a.cpp:g(char, long) [/x/buddy_bench]\n')
        self.assertEqual(profiles.shares(callgrind, profiles.CALLGRIND_LINE),
                         [(70.0, 'ref::f(int)'), (5.0, 'g(char, long)')])

    def test_at_most_fifteen_functions(self):
        self.assertEqual(len(profiles.shares('  1.00%  [.] f\n' * 40, profiles.PERF_LINE)), 15)


class Words(unittest.TestCase):
    def test_bad_words_and_a_page_that_is_not_there_cannot_be_tested(self):
        for words in (['--passes', '0'], ['--passes', 'x'], ['--jobs', '-1'], ['--nonsense'], ['more'],
                      ['--check', '/nowhere/at/all']):
            done = subprocess.run([SCRIPT, *words], capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stdout), (125, ''), words)
            self.assertRegex(done.stderr, r'\Abenchmarks: .*expected .*\n\Z', words)

    def test_what_does_not_build_is_said_with_the_packages(self):
        with tempfile.TemporaryDirectory() as folder:
            cmake = Path(folder) / 'cmake'
            cmake.write_text('#!/bin/sh\necho ALLOCHECK_BENCH needs Google Benchmark >&2\nexit 1\n')
            cmake.chmod(0o755)
            done = subprocess.run([sys.executable, '-B', '-c', BUILD, SCRIPT, folder], capture_output=True,
                                  text=True, env=os.environ | {'PATH': f"{folder}:{os.environ['PATH']}"})
        self.assertEqual(done.returncode, 125, done.stderr)
        self.assertIn('needs Google Benchmark', done.stderr)
        self.assertIn('ci/setup --all', done.stderr)


# main() of the script, with an empty folder instead of the tree.
BUILD = '''
import importlib.machinery, importlib.util, pathlib, sys
sys.path.insert(0, str(pathlib.Path(sys.argv[1]).parent))
loader = importlib.machinery.SourceFileLoader('benchmarks', sys.argv[1])
script = importlib.util.module_from_spec(importlib.util.spec_from_loader('benchmarks', loader))
loader.exec_module(script)
script.ROOT = pathlib.Path(sys.argv[2])
sys.exit(script.main(['--quick']))
'''

if __name__ == '__main__':
    unittest.main()
