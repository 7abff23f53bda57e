"""benchmark_page: what the benchmarks must show, and the page that tells whether they do.

    passes   one of buddy_bench and object_bench is {name: nanoseconds}, of bench-target {(preset, operations):
             rates}
    ratio    taken within a pass, where both sides ran in turns; then the median of the passes

A bound is written once, in required() or goals(); page, exit code and `--check` follow.
"""
from dataclasses import dataclass
from statistics import median

ERAS = ('linux-2.6.11', 'linux-6.1')  # in the order of EraId, which the benchmarks are named by
SIZES = ('112 pages', '2^20 pages 70 % full')
SETTINGS = [(era, size) for era in range(len(ERAS)) for size in range(len(SIZES))]
PRESETS = {'fuzz-plain': 'plain', 'fuzz': 'ASan+UBSan', 'fuzz-traced': 'plain, all instrumented'}
LENGTHS = (16, 64, 256)
WAYS = {'bare': 'bare', 'judged': 'judged/quick', 'and reach counted': 'judged/counted',
        'touched invariants': 'judged/touched', 'full walk': 'judged/full_walk'}
COMPARED = tuple(WAYS.values())[:-1]  # with each other, so they run in turns: counters of one benchmark
PAIRS = ('kmem_cache_alloc and kmem_cache_free', 'kmalloc and kfree')  # as object_bench numbers them
OBJECTS = [(pair, era) for pair in range(len(PAIRS)) for era in range(len(ERAS))]
OTHERS = ('glibc', 'mimalloc', 'jemalloc')
OBJECT_WAYS = ('bare', 'judged', 'invariants', *OTHERS)
COSTS = {'copy of the machine': 'copy_machine', '16 operations and restore': 'run_and_restore',
         'hash after 16 operations': 'hash_after_sixteen'}
SWARMS = {'judged after every operation (`--judge quick`)': 'swarm_operations/quick/manual_time',
          'as `allocheck fuzz` does (`--judge mixed`)': 'swarm_operations/mixed/manual_time'}
ENGINES = {'alone': 'alone', 'under libFuzzer': 'libfuzzer'}


@dataclass
class Results:
    benches: list  # of passes
    targets: list
    machine: list  # of (what, text)
    profiles: list  # of (title, tool, [(share, function)])


@dataclass
class Bound:
    """A number of each pass, and the side of a limit where it should be."""
    name: str
    values: list
    least: float = None
    most: float = None
    form: str = '{:.2f}'
    profile: tuple = None  # what to run when it is missed: program or preset, and what of it

    @property
    def value(self):
        return median(self.values)

    @property
    def met(self):
        return self.value >= self.least if self.most is None else self.value <= self.most

    def row(self):
        value, low, high = (self.form.format(v) for v in (self.value, min(self.values), max(self.values)))
        return [self.name, f'{value} ({low} to {high})', 'met' if self.met else '**missed**']


def setting_name(era, size):
    return f'{ERAS[era]}, {SIZES[size]}'


def pair_name(pair, era):
    return f'{PAIRS[pair]}, {ERAS[era]}'


def bench_names():
    """Every benchmark of buddy_bench that the page needs."""
    return [f'{stem}/{era}/{size}' for stem in (*WAYS.values(), *COSTS.values())
            for era, size in SETTINGS] + list(SWARMS.values())


def object_names():
    """Every benchmark of object_bench that the page needs."""
    return [f'objects/{way}/{pair}/{era}' for way in OBJECT_WAYS for pair, era in OBJECTS]


def ratio(results, over, under):
    return [run[over] / run[under] for run in results.benches]


def required(results):
    for era, size in SETTINGS:
        at = f'{era}/{size}'
        yield Bound(f'judged ≤ 2.2 × bare: {setting_name(era, size)}',
                    ratio(results, f'judged/quick/{at}', f'bare/{at}'), most=2.2)
        yield Bound(f'judged with touched invariants ≤ 4 × bare: {setting_name(era, size)}',
                    ratio(results, f'judged/touched/{at}', f'bare/{at}'), most=4)
    for era, name in enumerate(ERAS):
        yield Bound(f'judged at 2^20 pages ≤ 4 × judged at 112: {name}',
                    ratio(results, f'judged/quick/{era}/1', f'judged/quick/{era}/0'), most=4)
    for steps in LENGTHS:
        yield Bound(f'executions, subject instrumented ≥ 2 × all instrumented: {steps} operations',
                    [run['fuzz-plain', steps]['libfuzzer'] / run['fuzz-traced', steps]['libfuzzer']
                     for run in results.targets], least=2)


def goals(results):
    for stem, name, most in (('bare', 'bare', 35), ('judged/quick', 'judged', 65)):
        for era, era_name in enumerate(ERAS):
            bench = f'{stem}/{era}/0'
            yield Bound(f'{name} ≤ {most} ns: {era_name}, {SIZES[0]}', [run[bench] for run in results.benches],
                        most=most, form='{:.1f} ns', profile=('buddy_bench', bench))
    for pair, era in OBJECTS:
        at = f'{pair}/{era}'
        yield Bound(f'bare ≤ 3 × the fastest of {", ".join(OTHERS)}: {pair_name(pair, era)}',
                    [run[f'objects/bare/{at}'] / min(run[f'objects/{other}/{at}'] for other in OTHERS)
                     for run in results.benches], most=3, profile=('object_bench', f'objects_bare/{at}'))
    quick = next(iter(SWARMS.values()))
    yield Bound('swarm ≥ 12,000,000 judged operations a second', [1e9 / run[quick] for run in results.benches],
                least=12e6, form='{:,.0f}', profile=('bench', quick))
    for preset, least in (('fuzz-plain', 150_000), ('fuzz', 80_000)):
        for name, engine in ENGINES.items():
            yield Bound(f'target, {PRESETS[preset]}, {name} ≥ {least:,} executions a second: up to 64 operations',
                        [run[preset, 64][engine] for run in results.targets], least=least, form='{:,.0f}',
                        profile=(preset, engine))


def table(head, rows):
    lines = [head, ['---'] + ['---:'] * (len(head) - 1), *rows]
    return [f'| {" | ".join(map(str, line))} |' for line in lines] + ['']


def nanoseconds(value):
    return f'{value:.1f}' if value < 1000 else f'{value:,.0f}'


def cost_tables(results):
    def cells(stems, era, size):
        return [nanoseconds(median(run[f'{stem}/{era}/{size}'] for run in results.benches)) for stem in stems]
    return ['## Nanoseconds per operation', '',
            'One stream of allocations and frees, the same for bare and judged; judged is with the oracle and',
            'the stamps. The full walk at 2^20 pages takes a shorter stream: it costs milliseconds a step.', '',
            *table(['machine', *WAYS],
                   ([setting_name(*s), *cells(WAYS.values(), *s)] for s in SETTINGS)),
            '## Nanoseconds to copy, restore, hash', '',
            *table(['machine', *COSTS],
                   ([setting_name(*s), *cells(COSTS.values(), *s)] for s in SETTINGS))]


def object_table(results):
    return ['## Nanoseconds for an object to go back and another to come', '',
            'Of 64 that are held, in turn: 128 bytes, or for kmalloc sizes as kernels ask for them, mostly up to',
            '512 bytes and some of a page and more. Judged is with the oracle and the stamps; with invariants the',
            'whole machine of 1280 pages is walked after each of the two calls. The others take the same sizes.', '',
            *table(['pair', *OBJECT_WAYS],
                   ([pair_name(*s), *(nanoseconds(median(run[f'objects/{way}/{s[0]}/{s[1]}']
                                                         for run in results.benches)) for way in OBJECT_WAYS)]
                    for s in OBJECTS))]


def rate_tables(results):
    swarm = [[name, f'{1e9 / median(run[bench] for run in results.benches):,.0f}']
             for name, bench in SWARMS.items()]
    target = [[f'{text}, {steps} operations',
               *(f'{median(run[preset, steps][engine] for run in results.targets):,.0f}'
                 for engine in ENGINES.values())]
              for steps in LENGTHS for preset, text in PRESETS.items()]
    return ['## Operations a second of the swarm', '', 'On one core.', '',
            *table(['search', 'operations a second'], swarm),
            '## Executions a second of the target', '',
            '`buddy_fuzz` alone on traces that the swarm draws (never instrumented for coverage), and under',
            'libFuzzer from an empty corpus, which decides itself what it runs, up to so many operations.', '',
            *table(['build', *ENGINES], target)]


def profiles(results):
    if not results.profiles:
        return []
    lines = ['## Profiles of what missed its goal', '']
    for title, tool, shares in results.profiles:
        lines += [f'### {title}', '', tool, '']
        if shares:
            lines += table(['function', 'share'], ([f'`{name}`', f'{share:.1f} %'] for share, name in shares))
    return lines


def page(results):
    must = [bound.row() for bound in required(results)]
    want = [bound.row() for bound in goals(results)]
    head = ['measured', 'median (least to most)', 'verdict']
    lines = ['# How fast is it?', '',
             'Written by `ci/benchmarks`; do not edit. All times are processor time, of which a busy machine',
             'disturbs less than of the clock. Numbers are medians of several passes; a ratio is taken within',
             'each pass, in which its two sides ran in turns, a millisecond each; then the median is taken.',
             '', '## Machine', '', *table(['what', 'here'], results.machine),
             '## Required', '', *table(head, must),
             '## Goals on a quiet core', '', *table(head, want),
             *cost_tables(results), *object_table(results), *rate_tables(results), *profiles(results)]
    return '\n'.join(lines).rstrip('\n') + '\n'


def blank(machine):
    """Results without meaning, for a page whose rows are the right ones."""
    rates = dict.fromkeys(ENGINES.values(), 1.0)
    return Results([dict.fromkeys([*bench_names(), *object_names()], 1.0)],
                   [{(p, steps): rates for p in PRESETS for steps in LENGTHS}], machine, [])


def rows_of(text):
    """(heading, row) of every table but the profiles': heads whole, of other rows the first cell."""
    found, heading, lines = [], '', text.splitlines()
    for line, after in zip(lines, [*lines[1:], '']):
        if line.startswith('## '):
            heading = line[3:]
        if line.startswith('|') and not line.startswith('| ---') and not heading.startswith('Profiles'):
            cells = [cell.strip() for cell in line.strip('|').split('|')]
            found.append((heading, ' | '.join(cells) if after.startswith('| ---') else cells[0]))
    return found
