"""tree: the files of a checkout as the house check sees them: listed, read, resolved, each once."""
import functools
import os
import re
import subprocess
from pathlib import Path

from cpp_text import Source

CPP = re.compile(r'.*\.(c|cc|cpp|cxx|h|hh|hpp|hxx|inc|ipp|tpp|def)')
NOT_OURS = {'.git', 'build', 'failures', '__pycache__'}  # when git cannot tell


class CannotCheck(Exception):
    """The tree, the build or the command line is unfit to be checked: exit code 125."""


class Tree:
    def __init__(self, root):
        self.root = Path(os.path.realpath(root))
        if not (self.root / 'CMakeLists.txt').is_file():
            raise CannotCheck(f'{root} has no CMakeLists.txt')
        self.rows, self.rows_line = self.declared_rows()
        listed = self.git('ls-files', '-z', '-c', '-o', '--exclude-standard')
        self.files = sorted(f for f in set((listed or '').split('\0')) if self.has(f))
        if self.files:
            self.tracked = sorted(filter(self.has, self.git('ls-files', '-z').split('\0')))
        else:  # an unpacked archive: every file is taken for tracked
            self.files = self.tracked = sorted(self.walk())

    def git(self, *words):
        """What git prints, None if it fails. A checkout of another user is as good as ours."""
        clean = {k: v for k, v in os.environ.items() if not k.startswith('GIT_')}
        try:
            answer = subprocess.run(
                ['git', '-c', f'safe.directory={self.root}', '-C', str(self.root), *words],
                env=clean, capture_output=True, encoding='utf-8', errors='surrogateescape')
        except OSError:
            return None
        return answer.stdout if answer.returncode == 0 else None

    def committed(self, revision, path):
        return self.git('show', f'{revision}:./{path}')

    def walk(self):
        for folder, folders, names in os.walk(self.root):
            folders[:] = [f for f in folders if f not in NOT_OURS]
            yield from (os.path.relpath(os.path.join(folder, n), self.root) for n in names)

    def declared_rows(self):
        text = re.sub(r'#[^\n]*', '', self.read('CMakeLists.txt'))
        line = re.search(r'\bset\s*\(\s*ALLOCHECK_ROWS\s+([^)]*)\)', text)
        if not line or not line[1].split():
            raise CannotCheck('CMakeLists.txt declares no rows: set(ALLOCHECK_ROWS ...)')
        return line[1].split(), text.count('\n', 0, line.start()) + 1

    def has(self, path):
        return path != '' and (self.root / path).is_file()

    @functools.lru_cache(maxsize=None)
    def read(self, path):
        return (self.root / path).read_text(encoding='utf-8', errors='replace')

    @functools.lru_cache(maxsize=None)
    def source(self, path):
        return Source(self.read(path))

    def cpp(self, folders):
        """The C and C++ files under these folders."""
        starts = tuple(f'{folder}/' for folder in folders)
        return [f for f in self.files if f.startswith(starts) and CPP.fullmatch(f)]

    @functools.lru_cache(maxsize=None)
    def resolve(self, path, spelling):
        """The file an include means, as a path from the root; None if it is none of this tree.

        Quoted: beside the including file, then from the root; angled: from the root, which is the
        only include directory the build declares. Links are followed first.
        """
        name = re.match(r'(["<])([^">]+)[">]', spelling)
        if not name:
            return None
        beside = [os.path.dirname(os.path.join(self.root, path))] if name[1] == '"' else []
        for folder in (*beside, self.root):
            candidate = os.path.realpath(os.path.join(folder, name[2]))
            if os.path.isfile(candidate):
                inside = os.path.relpath(candidate, self.root)
                return None if inside.startswith('../') else inside
        return None

    @functools.cached_property
    def newest_source(self):
        """When the last of the sources changed that the command is built from."""
        parts = [f for f in self.cpp(('ref', 'props', 'fuzz')) if '_test.' not in f]
        return max((os.stat(self.root / f).st_mtime for f in parts), default=0)

    def is_fresh(self, binary):
        return binary.stat().st_mtime >= self.newest_source
