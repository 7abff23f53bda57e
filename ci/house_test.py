"""house_test: plants every fault the house check names, in small trees and in a copy of this one.

Each case is one fault: the check must exit 1 and name the very line. A check that cannot fail is
decoration, so a case is worth as much as the message it expects.
"""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from tree import Tree

CI = Path(__file__).resolve().parent
ROOT = CI.parent
FUZZ_TARGET = 'extern "C" int LLVMFuzzerTestOneInput(const char*, unsigned long) { return 0; }\n'

# The smallest house that stands: two rows, every cell filled.
SMALL = {
    'CMakeLists.txt': '# set(ALLOCHECK_ROWS none)\nset(ALLOCHECK_ROWS core buddy)\n',
    '.gitignore': '/build/\n',
    'ref/core/arena.hpp': '#pragma once\n#include <vector>\n',
    'ref/core/arena.cpp': '#include "ref/core/arena.hpp"\nint arena() { return 1; }\n',
    'ref/buddy/zone.hpp': '#pragma once\n#include "../core/arena.hpp"\n',
    'ref/buddy/zone.cpp': '#include "zone.hpp"\nint zone() { return 2; }\n',
    'props/core/rules.cpp': '#include "ref/core/arena.hpp"\nauto id = "TRACE-ANSWER";\n',
    'props/buddy/world.hpp': '#pragma once\n',
    'props/buddy/rules.cpp': '#include "ref/buddy/zone.hpp"\nauto id = "BUDDY-COALESCED";\n',
    'props/linux/judge.cpp': '#include "props/core/report.hpp"\n',
    'props/core/report.hpp': '#pragma once\n',
    'fuzz/buddy_fuzz.cpp': '#include "props/buddy/world.hpp"\n' + FUZZ_TARGET,
    'fuzz/cli/main.cpp': '#include <CLI/CLI.hpp>\n#include <nlohmann/json.hpp>\n',
    'corpus/buddy/seeds/split.trace':
        'allocheck 1\nmachine era=linux-6.1 zones=DMA:8\np0 = alloc_pages(order=1)\nend\n',
    'corpus/linux/README.md': 'recordings\n',
    'ci/house-over.txt': '# old offenders\n',
}

COMMAND = '''#!/bin/sh
case "$1" in
  rules) echo '{rules}' ;;
  replay) test "$2" = corpus/buddy && exit {replay} ;;
esac
'''
ALL_RULES = '{"rules": [{"id": "A-B", "layer": "core"}, {"id": "C-D", "layer": "buddy"}]}'


def git(folder, *words):
    clean = {k: v for k, v in os.environ.items() if not k.startswith('GIT_')}
    subprocess.run(['git', '-C', folder, '-c', 'user.name=t', '-c', 'user.email=t@example.org',
                    '-c', 'init.defaultBranch=main', *words], check=True, env=clean,
                   stdout=subprocess.DEVNULL)


def write(folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


class InATree(unittest.TestCase):
    """A tree in a folder with a space in its name, and the check run on it from elsewhere."""

    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory(prefix='house test ')
        self.addCleanup(self.scratch.cleanup)
        self.root = Path(self.scratch.name).resolve() / 'a tree'
        self.root.mkdir()

    def plant(self, files, base=SMALL, tracked=True):
        write(self.root, {**base, **files})
        git(self.root, 'init', '-q')
        if tracked:
            git(self.root, 'add', '-A')

    def house(self, *words):
        run = subprocess.run([sys.executable, '-B', CI / 'house.py', '--root', self.root, *words],
                             cwd='/', capture_output=True, encoding='utf-8')
        return run.returncode, run.stdout + run.stderr

    def stands(self, *words, saying='nothing wrong'):
        code, said = self.house(*words)
        self.assertEqual(code, 0, said)
        self.assertIn(saying, said.strip().split('\n')[-1])

    def fails(self, *expected, words=()):
        code, said = self.house(*words)
        self.assertEqual(code, 1, said)
        for text in expected:
            self.assertIn(text, said)

    def cannot(self, *words, saying):
        code, said = self.house(*words)
        self.assertEqual(code, 125, said)
        self.assertIn(saying, said)


class Directions(InATree):
    def test_a_clean_tree_stands(self):
        self.plant({})
        self.stands(saying='checked by name only: there is no build')

    def test_an_unpacked_archive_stands_and_is_checked(self):
        write(self.root, SMALL)
        self.stands()
        write(self.root, {'ref/core/arena.hpp': '#include "fuzz/cli/main.cpp"\n'})
        self.fails('ref/core/arena.hpp:1: ref never includes fuzz')

    def test_ref_includes_props(self):
        self.plant({'ref/buddy/zone.hpp': '\n#include "props/core/report.hpp"\n'})
        self.fails('ref/buddy/zone.hpp:2: ref never includes props')

    def test_ref_includes_props_in_a_file_not_yet_tracked(self):
        self.plant({'ref/buddy/zone.hpp': '#include "props/core/report.hpp"\n'}, tracked=False)
        self.fails('ref/buddy/zone.hpp:1: ref never includes props')

    def test_ref_includes_props_by_a_path_from_its_own_folder(self):
        self.plant({'ref/buddy/zone.hpp': '#include "../../props/core/report.hpp"\n'})
        self.fails('ref/buddy/zone.hpp:1: ref never includes props')

    def test_ref_includes_props_in_angle_brackets(self):
        self.plant({'ref/buddy/zone.hpp': '#include <props/core/report.hpp>\n'})
        self.fails('ref/buddy/zone.hpp:1: ref never includes props')

    def test_ref_reaches_props_through_a_third_header(self):
        self.plant({'ref/buddy/zone.hpp': '\n#include "ci/all.inc"\n',
                    'ci/all.inc': '// a detour\n\n#include "props/core/report.hpp"\n'})
        self.fails('ref/buddy/zone.hpp:2: ref never includes props: '
                   'ref/buddy/zone.hpp:2 -> ci/all.inc:3 -> props/core/report.hpp')

    def test_ref_reaches_props_through_a_file_that_is_no_source(self):
        self.plant({'ref/buddy/zone.hpp': '#include "list.txt"\n',
                    'ref/buddy/list.txt': '#include "props/core/report.hpp"\n'})
        self.fails('ref/buddy/list.txt:1: ref never includes props')

    def test_ref_reaches_props_through_a_link(self):
        self.plant({'ref/buddy/zone.hpp': '#include "ref/core/link.hpp"\n'})
        (self.root / 'ref/core/link.hpp').symlink_to('../../props/core/report.hpp')
        self.fails('ref/buddy/zone.hpp:1: ref never includes props')

    def test_the_finding_stands_where_the_way_turns_bad_and_only_there(self):
        self.plant({'ref/core/arena.hpp': '#include "props/core/report.hpp"\n'})
        self.fails('ref/core/arena.hpp:1: ref never includes props', '1 finding')

    def test_an_include_behind_a_comment_or_a_joined_line_counts(self):
        self.plant({'ref/core/arena.hpp':
                    '/* a */ # /* b */ inc\\\nlude "props/core/report.hpp"\n'})
        self.fails('ref/core/arena.hpp:1: ref never includes props')

    def test_an_include_in_a_comment_or_a_string_does_not_count(self):
        self.plant({'ref/core/arena.cpp': '// #include "props/core/report.hpp"\n'
                                          '/*\n#include "props/core/report.hpp"\n*/\n'
                                          'auto c = R"(\n#include "props/core/report.hpp"\n)";\n'
                                          "int million = 1'000'000; char quote = '\"';\n"})
        self.stands()

    def test_an_include_by_a_macro(self):
        self.plant({'ref/core/arena.hpp': '#define WHAT "props/core/report.hpp"\n#include WHAT\n'})
        self.fails('ref/core/arena.hpp:2: computed include `WHAT`')

    def test_an_include_of_nothing(self):
        self.plant({'ref/core/arena.hpp': '#include "ref/core/absent.hpp"\n'})
        self.fails('ref/core/arena.hpp:1: "ref/core/absent.hpp" resolves to no file')

    def test_an_include_that_counts_on_another_include_directory(self):
        self.plant({'ref/core/arena.hpp': '#include <core/report.hpp>\n'})
        self.fails('ref/core/arena.hpp:1: <core/report.hpp> is a file of this tree')

    def test_props_includes_fuzz(self):
        self.plant({'props/buddy/world.hpp': '\n\n#include "fuzz/engine/swarm.hpp"\n',
                    'fuzz/engine/swarm.hpp': ''})
        self.fails('props/buddy/world.hpp:3: props never includes fuzz')

    def test_a_lower_row_includes_an_upper_row_of_ref(self):
        self.plant({'ref/core/arena.hpp': '#include "ref/buddy/zone.cpp"\n'})
        self.fails('ref/core/arena.hpp:1: row core may include only rows above it, and buddy')

    def test_a_lower_row_of_props_includes_an_upper_row(self):
        self.plant({'props/core/report.hpp': '#include "ref/buddy/zone.hpp"\n'})
        self.fails('props/core/report.hpp:1: row core may include only rows above it, and buddy')

    def test_a_room_includes_a_row_it_may_not(self):
        self.plant({'props/linux/judge.cpp': '#include "props/buddy/world.hpp"\n'})
        self.fails('props/linux/judge.cpp:1: room linux may include only core')

    def test_a_row_includes_a_room(self):
        self.plant({'props/buddy/world.hpp': '#include "props/linux/judge.cpp"\n'})
        self.fails('props/buddy/world.hpp:1: row buddy may include only rows above it, and linux')

    def test_the_command_line_library_outside_fuzz(self):
        self.plant({'props/core/report.hpp': '#include <nlohmann/json.hpp>\n',
                    'ref/core/arena.hpp': '#include "CLI/CLI.hpp"\n'})
        self.fails('props/core/report.hpp:1: <nlohmann/json.hpp> belongs under fuzz/',
                   'ref/core/arena.hpp:1: <CLI/CLI.hpp> belongs under fuzz/')


class Cells(InATree):
    def test_an_unexpected_folder_at_the_top(self):
        self.plant({'tools/count.py': ''})
        self.fails('tools/count.py:1: unexpected at the top: tools')

    def test_a_ref_folder_of_no_row(self):
        self.plant({'ref/slab/cache.hpp': ''})
        self.fails('ref/slab/cache.hpp:1: ref/slab is no row')

    def test_other_folders_of_no_row(self):
        self.plant({'props/slab/world.hpp': '', 'fuzz/slab_fuzz.cpp': FUZZ_TARGET,
                    'corpus/slab/seeds/a.trace': 'f()\n'})
        self.fails('props/slab/world.hpp:1:', 'fuzz/slab_fuzz.cpp:1:',
                   'corpus/slab/seeds/a.trace:1:')

    def test_a_declared_row_that_is_not_there(self):
        self.plant({'CMakeLists.txt': '\n\nset(ALLOCHECK_ROWS core buddy slab)\n'})
        self.fails('CMakeLists.txt:3: row slab is declared, but ref/slab/ has no source',
                   'CMakeLists.txt:3: row slab is declared, but props/slab/ names no rule',
                   'CMakeLists.txt:3: row slab is declared, but fuzz/slab_fuzz.cpp',
                   'CMakeLists.txt:3: row slab is declared, but corpus/slab/seeds/')

    def test_a_ref_cell_that_holds_only_a_comment(self):
        self.plant({'ref/core/arena.hpp': '// soon\n', 'ref/core/arena.cpp': ''})
        self.fails('row core is declared, but ref/core/ has no source')

    def test_a_props_cell_whose_rule_is_only_in_a_test_or_a_comment(self):
        self.plant({'props/buddy/rules.cpp': '// "BUDDY-COALESCED"\n',
                    'props/buddy/rules_test.cpp': 'auto id = "BUDDY-COALESCED";\n'})
        self.fails('row buddy is declared, but props/buddy/ names no rule')

    def test_an_empty_fuzz_cell(self):
        self.plant({'fuzz/buddy_fuzz.cpp': '// later\n'})
        self.fails('row buddy is declared, but fuzz/buddy_fuzz.cpp')

    def test_no_seeds(self):
        self.plant({})
        (self.root / 'corpus/buddy/seeds/split.trace').unlink()
        self.fails('row buddy is declared, but corpus/buddy/seeds/ holds no *.trace')

    def test_a_seed_without_a_step(self):
        self.plant({'corpus/buddy/seeds/idle.trace': 'allocheck 1\n# alloc_pages(order=0)\nend\n'})
        self.fails('corpus/buddy/seeds/idle.trace:1: this seed has no step')

    def test_a_tree_that_declares_no_rows(self):
        self.plant({'CMakeLists.txt': '# set(ALLOCHECK_ROWS core)\n'})
        self.cannot(saying='declares no rows')

    def test_an_unknown_argument(self):
        self.plant({})
        self.cannot('--fast', saying='--fast')


class CellsOfABuild(InATree):
    def build(self, rules=ALL_RULES, replay=0, folder='build/dev', cache=''):
        write(self.root / folder, {'allocheck': COMMAND.replace('{rules}', rules).replace(
            '{replay}', str(replay)), 'CMakeCache.txt': cache})
        (self.root / folder / 'allocheck').chmod(0o755)

    def test_a_build_that_agrees(self):
        self.plant({})
        self.build()
        self.stands(saying='build/dev/allocheck')
        self.stands('--build', str(self.root / 'build/dev'), saying='build/dev/allocheck')
        self.stands('--no-build', saying='by name only, as asked')

    def test_a_row_without_a_rule_in_the_command(self):
        self.plant({})
        self.build(rules='{"rules": [{"id": "A-B", "layer": "core"}]}')
        self.fails('CMakeLists.txt:2: row buddy is declared, but', 'lists no rule of it')

    def test_a_corpus_that_does_not_replay(self):
        self.plant({})
        self.build(replay=1)
        self.fails('CMakeLists.txt:2: row buddy is declared, but', 'replay corpus/buddy` exits 1')

    def test_a_fuzz_target_that_was_not_built(self):
        self.plant({})
        self.build(folder='build/fuzz', cache='ALLOCHECK_FUZZERS:BOOL=true\n')
        self.fails('row buddy is declared, but', 'buddy_fuzz was not built')
        write(self.root, {'build/fuzz/buddy_fuzz': ''})
        (self.root / 'build/fuzz/buddy_fuzz').chmod(0o755)
        self.stands()

    def test_a_build_older_than_a_source_is_not_asked(self):
        self.plant({})
        self.build(replay=1)
        os.utime(self.root / 'build/dev/allocheck', (1, 1))
        self.stands(saying='is older than a source')
        self.fails('exits 1', words=('--build', str(self.root / 'build/dev')))

    def test_a_command_that_does_not_speak_json(self):
        self.plant({})
        self.build(rules='none')
        self.cannot(saying='prints no list of rules')

    def test_a_build_that_is_not_there(self):
        self.plant({})
        self.cannot('--build', '/nowhere', saying='no command /nowhere/allocheck')


class Lengths(InATree):
    LONG_FILE = 'int x;\n' * 401
    LONG_FUNCTION = 'namespace a {\n\nint f(int x = 1) {\n' + '  { ++x; }\n' * 69 + '}\n}\n'

    def test_a_file_too_long(self):
        self.plant({'ref/core/long.cpp': self.LONG_FILE})
        self.fails('ref/core/long.cpp:1: file of 401 lines, over 400')

    def test_a_function_too_long(self):
        self.plant({'ref/core/long.cpp': self.LONG_FUNCTION})
        self.fails('ref/core/long.cpp:3: function f of 71 lines, over 70')

    def test_a_long_table_is_no_function(self):
        self.plant({'ref/core/table.cpp': 'constexpr int t[] = {\n' + '  f(1),\n' * 90 + '};\n'})
        self.stands()

    def test_old_offenders_may_stay_but_not_grow(self):
        both = 'file 401 ref/core/long.cpp\nfunction 71 ref/core/f.cpp:f\n'
        self.plant({'ref/core/long.cpp': self.LONG_FILE, 'ref/core/f.cpp': self.LONG_FUNCTION,
                    'ci/house-over.txt': both})
        self.stands()
        write(self.root, {'ref/core/long.cpp': self.LONG_FILE + 'int y;\n'})
        self.fails('ref/core/long.cpp:1: file of 402 lines, over 400; ci/house-over.txt allows 401')

    def test_the_list_of_old_offenders_only_gets_shorter(self):
        self.plant({})
        git(self.root, 'commit', '-qm', 'first')
        write(self.root, {'ref/core/long.cpp': self.LONG_FILE,
                          'ci/house-over.txt': 'file 401 ref/core/long.cpp\n'})
        self.fails('ci/house-over.txt:1: grew since HEAD')
        git(self.root, 'add', '-A')
        git(self.root, 'commit', '-qm', 'second')
        self.fails('ci/house-over.txt:1: grew since HEAD^')

    def test_a_mended_offender_is_struck_off(self):
        self.plant({'ci/house-over.txt': 'file 500 ref/core/arena.cpp\nfile 500 gone.cpp\n'})
        self.fails('ci/house-over.txt:1: file ref/core/arena.cpp is no longer',
                   'ci/house-over.txt:2: file gone.cpp is not there any more')


class ThisTree(InATree):
    """A copy of the tree this test stands in."""

    def setUp(self):
        super().setUp()
        original = Tree(ROOT)
        for name in original.files:
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, self.root / name, follow_symlinks=False)
        self.plant({}, base={})
        self.header = next(f for f in original.cpp([f'ref/{original.rows[-1]}'])
                           if f.endswith('.hpp'))
        self.props = next(f for f in original.cpp(['props/core']) if f.endswith('.hpp'))

    def test_the_tree_stands(self):
        self.stands()

    def test_the_readme_of_ci_names_every_script(self):
        readme = (ROOT / 'ci/README.md').read_text()
        scripts = [p.name for p in CI.iterdir() if os.access(p, os.X_OK) and p.is_file()]
        self.assertEqual([name for name in scripts if name not in readme], [])

    def test_a_planted_include_is_found_by_the_script_itself(self):
        path = self.root / self.header
        path.write_text(f'#include "{self.props}"\n' + path.read_text())
        run = subprocess.run(['bash', self.root / 'ci/house'], cwd='/', capture_output=True,
                             encoding='utf-8')
        self.assertEqual(run.returncode, 1, run.stdout + run.stderr)
        self.assertIn(f'{self.header}:1: ref never includes props', run.stdout)


if __name__ == '__main__':
    unittest.main(verbosity=2)
