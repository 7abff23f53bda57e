"""command: what the tests of the built command share: running it, files, JSON.

The command is $ALLOCHECK. Budgets are small: what a search finds is tested elsewhere.
"""
import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

import jsonschema

ROOT = Path(__file__).resolve().parent.parent
COMMAND = Path(os.environ.get('ALLOCHECK', ROOT / 'build/release/allocheck')).resolve()
SCHEMA = json.loads((ROOT / 'fuzz/cli/schema.json').read_text())
VERBS = ('fuzz', 'check', 'replay', 'minimize', 'explain', 'judge', 'rules', 'show', 'promote',
         'corpus', 'mutants')
CLEAN, VIOLATION, INTERRUPTED, CANNOT_TEST = 0, 1, 72, 125

HEAD = 'allocheck 1\nmachine era=linux-6.1 zones=NORMAL:64\n'
GOOD = HEAD + 'p0 = alloc_pages(order=1, gfp=GFP_KERNEL)\nfree_pages(page=p0)\nend\n'
# A new machine has memory, so the answer that this demands is wrong.
WRONG = HEAD + 'p0 = alloc_pages(order=0, gfp=GFP_KERNEL) -> refused\nend\n'


def allocheck(*words, cwd=None, timeout=120, **environment):
    return subprocess.run([COMMAND, *map(str, words)], cwd=cwd, timeout=timeout,
                          env=os.environ | environment, capture_output=True, encoding='utf-8',
                          errors='surrogateescape')


def validate(verb, text):
    found = json.loads(text)
    jsonschema.Draft202012Validator(SCHEMA | {'$ref': f'#/$defs/{verb}'}).validate(found)
    return found


class Case(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def write(self, name, content):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def expect(self, code, *words, **more):
        done = allocheck(*words, **more)
        self.assertEqual(done.returncode, code, f'{words}: {done.stdout}{done.stderr}')
        return done

    def refused(self, *words, **more):
        """Cannot test: says so in one line on stderr, and nothing on stdout."""
        done = self.expect(CANNOT_TEST, *words, **more)
        self.assertEqual(done.stdout, '', words)
        self.assertRegex(done.stderr, r'\Aallocheck: .*expected .*\n\Z', words)
        return done.stderr
