#!/usr/bin/python3
"""acceptance.py: which demands are met, and by which test.

tests/acceptance.tsv has a row for each demand: id, state (done, partly, open,
declined), the tests that prove it (`path` or `path:name`, comma-separated),
a note (what is missing, or why declined), the demand in short.

    tools/acceptance.py           the state by source, and what is open
    tools/acceptance.py --check   only check the table; exit 1 on a bad row
"""
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TABLE = os.path.join(ROOT, 'tests', 'acceptance.tsv')
STATES = ('done', 'partly', 'open', 'declined')
SOURCES = {'X': 'contradictions settled', 'Q': 'Quantum Vault',
           'R': 'Real-Time Chat', 'E': 'E2E Encrypted Chat',
           'C': 'CipherCanary', 'S': 'SecureChat', 'N': 'gaps of all'}


def rows():
    with open(TABLE, encoding='utf-8') as f:
        for n, line in enumerate(f, 1):
            if line.startswith('#') or not line.strip():
                continue
            yield n, line.rstrip('\n').split('\t')


def test_exists(test):
    path, _, name = test.partition(':')
    full = os.path.join(ROOT, path)
    if not os.path.isfile(full):
        return False
    if not name:
        return True
    with open(full, encoding='utf-8', errors='replace') as f:
        return name in f.read()


def check(n, row, seen):
    if len(row) != 5:
        return f'line {n}: {len(row)} columns, 5 expected'
    ident, state, tests, note, _ = row
    if ident in seen:
        return f'line {n}: {ident} stands twice'
    seen.add(ident)
    if ident.split('-')[0] not in SOURCES:
        return f'line {n}: {ident}: unknown source'
    if state not in STATES:
        return f'line {n}: {ident}: state {state!r}, one of {STATES} expected'
    if state in ('done', 'partly') and not tests:
        return f'line {n}: {ident} is {state} without a test'
    if state in ('partly', 'declined') and not note:
        return f'line {n}: {ident} is {state}: the note says what or why'
    for t in filter(None, tests.split(',')):
        if not test_exists(t.strip()):
            return f'line {n}: {ident}: no such test: {t.strip()}'
    return None


def main():
    seen, bad, table = set(), [], []
    for n, row in rows():
        problem = check(n, row, seen)
        if problem:
            bad.append(problem)
        else:
            table.append(row)
    for b in bad:
        print('acceptance:', b)
    if '--check' not in sys.argv:
        for row in table:
            if row[1] in ('partly', 'open'):
                print(f'{row[0]:7} {row[1]:7} {row[4][:80]}'
                      + (f'  [{row[3]}]' if row[3] else ''))
        print()
        for s, title in SOURCES.items():
            of = [r[1] for r in table if r[0].split('-')[0] == s]
            print(f'{title:24} ' + '  '.join(
                f'{st} {of.count(st)}' for st in STATES))
    print(f'acceptance: {len(table)} rows, {len(bad)} bad')
    return 1 if bad or not table else 0


if __name__ == '__main__':
    sys.exit(main())
