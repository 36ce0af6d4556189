#!/usr/bin/python3
"""same.py PROGRAM: a seed gives one run, whatever the addresses in memory and
whatever ran before: two processes leave one trace, and so do two builds, were
they compared by hand. Another seed leaves another one. TAP."""
import re
import subprocess
import sys


def trace(seed):
    out = subprocess.run([sys.argv[1], '--seed', str(seed)], check=True,
                         capture_output=True, text=True, timeout=200).stdout
    return re.search(r'trace ([0-9a-f]{16})', out).group(1)


SEEDS = [1, 7, 11]
print(f'1..{len(SEEDS) + 1}')
traces = []
for i, seed in enumerate(SEEDS, 1):
    a, b = trace(seed), trace(seed)
    traces.append(a)
    print('ok' if a == b else 'not ok', i, f'- seed {seed} leaves {a} twice')
different = len(set(traces)) == len(SEEDS)
print('ok' if different else 'not ok', len(SEEDS) + 1,
      '- other seeds leave other traces')
