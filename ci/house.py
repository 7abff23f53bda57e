"""house: checks that the tree is the table it claims to be.

    row \\ column   ref/          props/            fuzz/              corpus/
    core           sources       a rule            -                  -
    buddy          sources       a rule            buddy_fuzz.cpp     buddy/seeds/*.trace
                   ^ never includes props or fuzz; props never includes fuzz;
                     a row includes itself and the rows above it, however long the way

The rows are the line `set(ALLOCHECK_ROWS ...)` of the root's CMakeLists.txt; what else is declared
stands in the tables below. An include is followed as a compiler follows it, through any
file, so a detour by a third header, `../` or a link is the same as a direct include.
"""
import argparse
import json
import os
import re
import subprocess
import sys
from pathlib import Path

from cpp_text import functions
from tree import CannotCheck, Tree

COLUMNS = ('ref', 'props', 'fuzz')
TOP = {'CMakeLists.txt', 'CMakePresets.json', 'ref', 'fuzz', 'props', 'corpus', 'ci', 'README.md',
       'LICENSE', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md', 'CITATION.cff'}

# Rooms of props/ that are no rows, and the rows each may include ('*': all that are delivered).
ROOMS = {'linux': ('core',), 'subject': ('core',), 'exhaustive': ('*',), 'lemmas': ('*',),
         'mutants': ()}
# Folders of corpus/ that belong to a room.
CORPUS_ROOMS = {'linux'}
# Rows that no target of their own attacks: what stands in the cell instead.
NO_FUZZ_CELL = {'core': '-', 'memcg': 'via machine', 'mmu': 'via kmap, vmalloc',
                'devres': 'via machine'}
# Libraries that only one column may see.
LIBRARIES = {'CLI': 'fuzz', 'nlohmann': 'fuzz'}

FILE_LINES, FUNCTION_LINES = 400, 70
OVER = 'ci/house-over.txt'
RULE_ID = re.compile(r'[A-Z][A-Z0-9]*(-[A-Z0-9]+)+')


def place(path):
    """('props', 'buddy') of props/buddy/x.hpp, ('props', None) of props/x.hpp, else two None."""
    parts = path.split('/')
    if parts[0] not in COLUMNS or len(parts) < 2:
        return None, None
    return parts[0], parts[1] if len(parts) > 2 else None


class House:
    def __init__(self, tree):
        self.tree, self.rows = tree, tree.rows
        self.findings, self.notes = set(), []

    def find(self, path, line, what):
        self.findings.add((path, line, what))

    # ---- who includes whom

    def forbids(self, source, target):
        """Why `source` must not see `target`; None if it may."""
        (column, room), (target_column, target_room) = place(source), place(target)
        if target_column is None or column in (None, 'fuzz'):
            return None
        if COLUMNS.index(target_column) > COLUMNS.index(column):
            return f'{column} never includes {target_column}'
        if room is None or target_room is None or room == target_room:
            return None
        if room in self.rows:
            if target_room not in self.rows[:self.rows.index(room)]:
                return f'row {room} may include only rows above it, and {target_room} is not'
        elif room in ROOMS and column == 'props':
            allowed = self.rows if '*' in ROOMS[room] else ROOMS[room]
            if target_room not in allowed:
                return f'room {room} may include only {" ".join(allowed) or "itself"}'
        return None

    def check_includes(self):
        """Every source, and every file they reach, whatever its folder and suffix."""
        queue = self.tree.cpp(COLUMNS)
        for path in queue:
            for line, spelling in self.tree.source(path).includes:
                self.check_spelling(path, line, spelling)
                target = self.tree.resolve(path, spelling)
                if target and target not in queue:
                    queue.append(target)
            self.check_reach(path)

    def check_spelling(self, path, line, spelling):
        name = re.match(r'(["<])([^">]+)[">]', spelling)
        if not name:
            self.find(path, line, f'computed include `{spelling}`: nobody can see what it includes')
            return
        library = name[2].split('/')[0]
        if library in LIBRARIES and place(path)[0] != LIBRARIES[library]:
            self.find(path, line, f'<{name[2]}> belongs under {LIBRARIES[library]}/ only')
        elif self.tree.resolve(path, spelling) is None:
            if name[1] == '"':
                self.find(path, line, f'"{name[2]}" resolves to no file of this tree'
                                      ' (a library is included with <>)')
            elif any(self.tree.has(f'{column}/{name[2]}') for column in COLUMNS):
                self.find(path, line, f'<{name[2]}> is a file of this tree: include it by its path'
                                      ' from the root, with ""')

    def check_reach(self, start):
        """Follows everything `start` includes up to the first forbidden file of each way.

        Only the file where a way turns bad is reported: if the next file on the way is itself
        forbidden to see the target, the finding is there.
        """
        ways = {start: []}  # file -> the includes (file, line) that lead to it, shortest first
        queue = [start]
        for path in queue:
            for line, spelling in self.tree.source(path).includes:
                target = self.tree.resolve(path, spelling)
                if target is None or target in ways:
                    continue
                ways[target] = ways[path] + [(path, line)]
                why = self.forbids(start, target)
                if not why:
                    queue.append(target)
                    continue
                way = ways.pop(target)  # another way to it may turn bad at `start` itself
                if len(way) == 1 or not self.forbids(way[1][0], target):
                    chain = ' -> '.join([f'{p}:{n}' for p, n in way] + [target])
                    self.find(start, way[0][1], f'{why}: {chain}')

    # ---- what stands in the cells

    def check_top(self):
        for path in self.tree.tracked:
            top = path.split('/')[0]
            if top not in TOP and not top.startswith('.'):
                self.find(path, 1, f'unexpected at the top: {top}')

    def check_rooms(self):
        for path in self.tree.files:
            column, room = place(path)
            known = {'ref': self.rows, 'props': [*self.rows, *ROOMS]}
            if column in known and room is not None and room not in known[column]:
                self.find(path, 1, f'{column}/{room} is no row of ALLOCHECK_ROWS'
                                   + (' and no room' if column == 'props' else ''))
            target = re.fullmatch(r'fuzz/(\w+)_fuzz\.cpp', path)
            if target and target[1] not in self.rows:
                self.find(path, 1, f'{target[1]} is no row of ALLOCHECK_ROWS')
            parts = path.split('/')
            if parts[0] == 'corpus' and len(parts) > 2 and \
                    parts[1] not in CORPUS_ROOMS.union(self.rows):
                self.find(path, 1, f'corpus/{parts[1]} is no row of ALLOCHECK_ROWS and no room')

    def check_cells(self):
        for row in self.rows:
            if not any(self.tree.source(p).code.strip() for p in self.tree.cpp([f'ref/{row}'])):
                self.missing(row, f'ref/{row}/ has no source')
            if not any(RULE_ID.fullmatch(text) for p in self.tree.cpp([f'props/{row}'])
                       if '_test.' not in p for _, text in self.tree.source(p).literals):
                self.missing(row, f'props/{row}/ names no rule (a string like "LAYER-WORD")')
            if row in NO_FUZZ_CELL:
                continue
            target = f'fuzz/{row}_fuzz.cpp'
            if target not in self.tree.files or not self.tree.source(target).code.strip():
                self.missing(row, f'{target} is not there or empty')
            self.check_seeds(row)

    def missing(self, row, what):
        self.find('CMakeLists.txt', self.tree.rows_line, f'row {row} is declared, but {what}')

    def check_seeds(self, row):
        seeds = [p for p in self.tree.files
                 if p.startswith(f'corpus/{row}/seeds/') and p.endswith('.trace')]
        if not seeds:
            self.missing(row, f'corpus/{row}/seeds/ holds no *.trace')
        for path in seeds:
            if not re.search(r'^[^#\n]*\w\(', self.tree.read(path), re.MULTILINE):
                self.find(path, 1, 'this seed has no step')

    # ---- the same with a build at hand: not what is written, but what is there

    def check_build(self, build):
        command = build / 'allocheck'
        layers = {rule['layer'] for rule in self.rules(command)}
        for row in self.rows:
            if row not in layers:
                self.missing(row, f'`{command} rules` lists no rule of it')
            if row in NO_FUZZ_CELL:
                continue
            replay = run([command, 'replay', f'corpus/{row}'], self.tree.root)
            if replay.returncode != 0:
                last = (replay.stdout + replay.stderr).strip().split('\n')[-1]
                self.missing(row, f'`{command} replay corpus/{row}` exits {replay.returncode}:'
                                  f' {last}')
        self.check_targets(build)

    def rules(self, command):
        listing = run([command, 'rules', '--json'], self.tree.root)
        try:
            return json.loads(listing.stdout)['rules']
        except (ValueError, KeyError, TypeError):
            raise CannotCheck(f'`{command} rules --json` exits {listing.returncode} and prints no'
                              f' list of rules: {listing.stderr.strip()[-200:]}')

    def check_targets(self, build):
        """Fuzz targets, where such a build is at hand: in `build`, or an up-to-date build/fuzz."""
        for folder in {build, self.tree.root / 'build/fuzz'}:
            cache = folder / 'CMakeCache.txt'
            if not cache.is_file() or not re.search(r'^ALLOCHECK_FUZZERS:\w+=(ON|TRUE|1)$',
                                                    cache.read_text(), re.M | re.I):
                continue
            built = [*folder.glob('*_fuzz'), *folder.glob('allocheck')]
            if folder != build and not any(self.tree.is_fresh(p) for p in built):
                continue
            for row in self.rows:
                if row not in NO_FUZZ_CELL and not os.access(folder / f'{row}_fuzz', os.X_OK):
                    self.missing(row, f'{folder}/{row}_fuzz was not built')

    # ---- what has grown too long

    def check_lengths(self):
        """Whatever is over the limits is a finding, except old offenders, which may only shrink."""
        listed = self.offenders(self.tree.read(OVER) if self.tree.has(OVER) else '')
        for revision in ('HEAD', 'HEAD^'):
            before = self.tree.committed(revision, OVER)
            old = self.offenders(before) if before is not None else listed
            for key, (lines, line) in listed.items():
                if lines > old.get(key, (0, 0))[0]:
                    self.find(OVER, line, f'grew since {revision}: this list may only get shorter')
        for kind, name, line, lines, limit in self.lengths():
            allowed, at = listed.pop((kind, name), (0, 0))
            path = name.split(':')[0]
            what = f'{kind}{name[len(path):].replace(":", " ")} of {lines} lines, over {limit}'
            if lines > max(allowed, limit):
                self.find(path, line, what + (f'; {OVER} allows {allowed}' if allowed else ''))
            elif lines > limit:
                self.notes.append(f'{path}:{line}: {what}' + (
                    f'; {OVER} can say {lines} now' if lines < allowed else ''))
            elif allowed:
                self.find(OVER, at, f'{kind} {name} is no longer over {limit} lines: strike it')
        for (kind, name), (_, line) in listed.items():
            self.find(OVER, line, f'{kind} {name} is not there any more: strike it')

    @staticmethod
    def offenders(text):
        """{(kind, name): (lines, line of the list)} of lines like `file 412 ref/buddy/zone.cpp`
        and `function 83 ref/buddy/zone.cpp:rebuild`."""
        rows = ((row.split(maxsplit=2), n) for n, row in enumerate(text.split('\n'), 1)
                if row.strip() and not row.startswith('#'))
        try:
            return {(kind, path): (int(lines), n) for (kind, lines, path), n in rows}
        except ValueError:
            raise CannotCheck(f'{OVER}: unreadable; expected lines `file|function LINES PATH`')

    def lengths(self):
        for path in self.tree.cpp(COLUMNS):
            yield 'file', path, 1, self.tree.read(path).count('\n'), FILE_LINES
            longest = {}  # overloads share a name: the longest stands for them
            for line, lines, name in functions(self.tree.source(path)):
                longest[name] = max(longest.get(name, (0, 0)), (lines, line))
            for name, (lines, line) in longest.items():
                yield 'function', f'{path}:{name}', line, lines, FUNCTION_LINES
        for path in self.tree.files:
            if re.fullmatch(r'ci/[^.]+|ci/.*\.py', path):
                yield 'file', path, 1, self.tree.read(path).count('\n'), FILE_LINES


def run(command, folder):
    try:
        return subprocess.run([str(word) for word in command], cwd=folder, timeout=900,
                              capture_output=True, encoding='utf-8', errors='replace')
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotCheck(str(error))


class Arguments(argparse.ArgumentParser):
    def error(self, message):
        raise CannotCheck(f'{message}; see --help')


def arguments(words):
    parser = Arguments(prog='ci/house', description='Checks that the tree is the table'
                                     ' it claims to be: include directions, cells, top folders,'
                                     ' lengths. Exit 0: it is; 1: findings; 125: cannot check.')
    parser.add_argument('--build', type=Path, metavar='DIR', help='ask DIR/allocheck for the rules'
                        ' and replay the corpus (default: the newest build/*/allocheck if it is'
                        ' newer than all sources)')
    parser.add_argument('--no-build', action='store_true', help='check by name only')
    parser.add_argument('--root', type=Path, default=Path(__file__).resolve().parent.parent,
                        metavar='DIR', help='the tree to check (default: the one of this script)')
    return parser.parse_args(words)


def build_at_hand(options, tree):
    if options.no_build:
        return None, 'checked by name only, as asked'
    if options.build:
        if not os.access(options.build / 'allocheck', os.X_OK):
            raise CannotCheck(f'no command {options.build}/allocheck')
        return options.build.resolve(), ''
    commands = sorted(tree.root.glob('build/*/allocheck'), key=lambda p: p.stat().st_mtime)
    if not commands:
        return None, 'checked by name only: there is no build'
    if not tree.is_fresh(commands[-1]):
        return None, (f'checked by name only: {commands[-1].relative_to(tree.root)} is older than'
                      ' a source')
    return commands[-1].parent, ''


def check(words):
    options = arguments(words)
    tree = Tree(options.root)
    build, why_not = build_at_hand(options, tree)
    house = House(tree)
    for part in (house.check_top, house.check_rooms, house.check_includes, house.check_cells,
                 house.check_lengths):
        part()
    if build:
        house.check_build(build)
    for note in house.notes:
        print(f'note: {note}')
    for path, line, what in sorted(house.findings):
        print(f'{path}:{line}: {what}')
    cells = why_not or f'checked with {build}/allocheck'
    count = len(house.findings)
    print(f'house: {len(tree.files)} files, rows {" ".join(tree.rows)}; cells {cells}; '
          + (f'{count} finding{"s" if count != 1 else ""}' if count else 'nothing wrong'))
    return 1 if count else 0


if __name__ == '__main__':
    sys.stdout.reconfigure(errors='backslashreplace')
    try:
        sys.exit(check(sys.argv[1:]))
    except CannotCheck as error:
        print(f'ci/house: cannot check: {error}', file=sys.stderr)
        sys.exit(125)
