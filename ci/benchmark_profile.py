"""benchmark_profile: where the time of a program goes: its functions by their share.

perf where the kernel lets us, for it disturbs least and can look into a build with sanitizers;
else callgrind, which counts instructions instead of time.
"""
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

TOP = 15
PERF_LINE = re.compile(r'\s*([\d.]+)%\s+\[[.k]\]\s+(.+?)\s*$')
CALLGRIND_LINE = re.compile(r'\s*[\d,]+ \(\s*([\d.]+)%\)\s+\S*?:(.+?)(?: \[[^]]*\])?\s*$')


def shares(text, pattern):
    found = [(float(m[1]), shortened(m[2])) for m in map(pattern.match, text.splitlines()) if m]
    return found[:TOP]


def shortened(name, room=100):
    name = name.replace('|', '\\|').replace('`', "'")
    return name if len(name) <= room else name[:room - 1] + '…'


def run(words, folder, more, seconds):
    return subprocess.run(list(map(str, words)), cwd=folder, env=os.environ | more, capture_output=True,
                          text=True, errors='replace', timeout=seconds)


def with_perf(words, folder, more):
    run(['perf', 'record', '-q', '-e', 'cpu-clock', '-F', '997', '-o', 'perf.data', *words], folder, more, 120)
    done = run(['perf', 'report', '-i', 'perf.data', '--stdio', '--no-children', '-F', 'overhead,symbol'],
               folder, {}, 120)
    return shares(done.stdout, PERF_LINE)


def with_callgrind(words, folder, more):
    run(['valgrind', '--tool=callgrind', '--trace-children=yes', '--callgrind-out-file=callgrind.%p', *words],
        folder, more, 300)
    files = sorted(Path(folder).glob('callgrind.*'), key=lambda file: file.stat().st_size)
    if not files:
        return []
    # A search is parent and worker: the worker is the larger file.
    return shares(run(['callgrind_annotate', files[-1]], folder, {}, 120).stdout, CALLGRIND_LINE)


def profile(words, more=None):
    """(which tool, [(share, function)]); no functions when no tool can look."""
    for tool, name, look in (('perf', '`perf record -e cpu-clock`: share of the time', with_perf),
                             ('valgrind', '`valgrind --tool=callgrind`: share of the instructions',
                              with_callgrind)):
        if shutil.which(tool) is None:
            continue
        try:
            with tempfile.TemporaryDirectory() as folder:
                found = look(words, folder, more or {})
        except subprocess.TimeoutExpired:
            continue
        if found:
            return name, found
    return 'No profile: neither perf nor callgrind (`ci/setup --all`) could look at it here.', []
