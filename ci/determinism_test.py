"""determinism_test: one seed is one search, whichever compiler made the command, and in any process.

Compares every finished build of the same sources: operations, digest, reach and findings must be
equal. Alone, it takes the builds that are there; with DETERMINISM=all (as `ci/test` runs it) those of
g++ and of clang with sanitizers must be there.
"""
import hashlib
import json
import os
import subprocess
import sys
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from command import CLEAN, COMMAND, ROOT, VIOLATION, Case, validate

ALL = os.environ.get('DETERMINISM') == 'all'
DEMANDED = ('dev', 'dev-clang', 'release')
PROCESSES = 10 if ALL else 3
SAME = ('seed', 'runs', 'operations', 'digest', 'reach', 'reach_by_era')
PATCH = ROOT / 'props/mutants/buddy/fallback-upwards.patch'


def newest_source():
    files = [path for folder in ('ref', 'props', 'fuzz') for path in (ROOT / folder).rglob('*.[ch]pp')
             if not path.name.endswith('_test.cpp') and path.name != 'toy_layer.hpp']
    return max(path.stat().st_mtime for path in files)


def builds():
    """Preset and command of each build to compare; an old one says nothing about these sources."""
    found = {}
    for preset in DEMANDED:
        command = ROOT / 'build' / preset / 'allocheck'
        if ALL or (command.exists() and command.stat().st_mtime >= newest_source()):
            found[preset] = command
    if COMMAND not in found.values():
        found[COMMAND.parent.name] = COMMAND
    return found


class Determinism(Case):
    def search(self, command, *words, code=CLEAN, name='failures'):
        done = subprocess.run([command, 'fuzz', 'buddy', '--engine', 'swarm', '--json', '--out',
                               self.folder / name, *map(str, words)],
                              capture_output=True, text=True, timeout=600)
        self.assertEqual(done.returncode, code, f'{command}: {done.stdout}{done.stderr}')
        return validate('fuzz', done.stdout)

    def equal(self, first, second, what):
        for key in SAME:
            self.assertEqual(first[key], second[key], f'{what}: {key}')

    def test_the_builds_to_compare_are_there(self):
        for preset, command in builds().items():
            self.assertTrue(command.exists(), f'not built: {preset}; run ci/build {preset}')
        print('compared:', ' '.join(builds()), file=sys.stderr)
        if ALL:
            self.assertEqual(set(DEMANDED) - set(builds()), set())

    def test_every_build_makes_the_same_search(self):
        found = {preset: self.search(command, '--seed', 11, '--runs', 400)
                 for preset, command in builds().items()}
        first = next(iter(found.values()))
        for preset, one in found.items():
            self.equal(first, one, preset)

    def test_processes_of_each_build_make_the_same_search(self):
        for preset, command in builds().items():
            with ThreadPoolExecutor(2) as pool:
                found = list(pool.map(
                    lambda i: self.search(command, '--seed', 12, '--runs', 60, name=f'{preset}-{i}'),
                    range(PROCESSES)))
            for one in found[1:]:
                self.equal(found[0], one, preset)

    def test_a_search_split_among_processes_is_the_same_search(self):
        for preset, command in builds().items():
            whole = self.search(command, '--seed', 13, '--runs', 120)
            parts = [self.search(command, '--seed', 13, '--first-run', first, '--runs', runs)
                     for first, runs in ((0, 50), (50, 70))]
            self.assertEqual(whole['operations'], sum(part['operations'] for part in parts))
            for half in (slice(0, 16), slice(16, 32)):
                total = sum(int(part['digest'][half], 16) for part in parts) % 2**64
                self.assertEqual(int(whole['digest'][half], 16), total, preset)

    def findings(self, mutant, name):
        """What was found: the rules, the steps, and every byte of the traces."""
        report = self.search(mutant, '--seed', 14, '--runs', 150, code=VIOLATION, name=name)
        rows = sorted((one['rule'], one['steps'], one['count'], one['reproduced'],
                       Path(one['directory']).name) for one in report['violations'])
        traces = {f'{path.parent.name}/{path.name}': hashlib.sha256(path.read_bytes()).hexdigest()
                  for path in sorted((self.folder / name).glob('*/*.trace'))}
        self.assertTrue(traces)
        return report, rows, traces

    def test_every_build_finds_the_same_in_a_planted_bug(self):
        first = None
        for preset, command in builds().items():
            out = self.folder / f'mutant-{preset}'
            subprocess.run([ROOT / 'ci/mutant', PATCH, out, '--build', command.parent], check=True,
                           stdout=subprocess.DEVNULL)
            found = self.findings(out / 'allocheck', f'found-{preset}')
            first = first or found
            self.equal(first[0], found[0], preset)
            self.assertEqual(first[1:], found[1:], preset)


if __name__ == '__main__':
    unittest.main()
