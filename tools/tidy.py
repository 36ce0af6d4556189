#!/usr/bin/python3
"""tidy.py: the rules of the house that a machine can check (ARCHITECTURE.md,
"Rules"). Prints one line a finding, `file:line: what`, and exits 1 if any.

    tools/tidy.py            check the tree
    tools/tidy.py --pairs    also list sources without a test beside them
"""
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# layer -> layers whose headers it may include (beside its own)
LAYERS = {
    'base': [], 'crypto': ['base'], 'pub': ['base', 'crypto'],
    'core': ['base', 'crypto', 'pub'], 'wire': ['base'],
    'client': ['base', 'crypto', 'pub', 'core', 'wire'],
    'net': ['base'], 'edge': ['base', 'wire', 'net'],
    'store': ['base', 'wire', 'net'], 'bus': ['base', 'wire', 'net'],
    'server': ['base', 'crypto', 'pub', 'wire', 'net', 'edge', 'store', 'bus'],
    'cli': ['base', 'crypto', 'pub', 'core', 'wire', 'client', 'net'],
    'conformance': ['base', 'wire', 'net', 'edge'],
    'vectors': ['base', 'crypto', 'pub', 'core', 'wire'],
}
FREESTANDING = {'pub', 'core', 'wire', 'client'}

FILE_LINES_MAX = 800
FUNCTION_LINES_MAX = 70
LINE_COLUMNS_MAX = 100      # 80 is the aim, tabs count 8

# Heap: start-up code, owners of a pool, and hosts. Everything else takes
# memory from its caller or from an arena.
HEAP_OK = re.compile(r'^src/(base/(arena|blob|bytes|limit|map)\.c|net/|edge/|'
                     r'store/|bus/|server/(?!ops/)|cli/|crypto/|vectors/)')
THREADS_OK = re.compile(r'^src/net/')
PRINT_OK = re.compile(r'^(src/(cli|vectors|conformance)/|src/server/(main|conf|usage|init)'
                      r'|src/base/log\.c|tools/|bench/|src/\w+/\w+_test\.c)')
HEAP = re.compile(r'\b(malloc|calloc|realloc|strdup|strndup)\s*\(')
THREAD = re.compile(r'\bpthread_\w+\s*\(')
PRINT = re.compile(r'\b(printf|fprintf|puts|fputs|vprintf|perror)\s*\(')
NEVER = re.compile(r'\b(rand|srand|signal|time|strcpy|strcat|sprintf|gets|'
                   r'strtok|atoi|localtime|gmtime|system|popen)\s*\(')
OS_IN_FREESTANDING = re.compile(r'#include <(stdio|stdlib|unistd|time|pthread|'
                                r'sys/|errno|fcntl|signal)')
# Statements are rows of one table; beside it the schema's own bookkeeping and
# the command line's file of records.
SQL_OK = re.compile(r'^src/(store/(queries(_\w+)?\.def|sqlite\.c|migrate\.c)|'
                    r'cli/profile\.c)$|_test\.c$|^bench/')
SQL = re.compile(r'"\s*(SELECT\s|INSERT\s+(OR \w+ )?INTO\s|UPDATE\s+\w+\s+SET\s|'
                 r'DELETE\s+FROM\s)')
UNFINISHED = re.compile(r'\b(TODO|FIXME|XXX|HACK)\b')
# Exceptions to the length of a function: tables and switch decoders.
LONG_OK = re.compile(r'/\* tidy: long: .{10,} \*/')

findings = []


def say(path, line, what):
    findings.append(f'{path}:{line}: {what}')


def files():
    out = subprocess.run(['git', 'ls-files', '--cached', '--others',
                          '--exclude-standard'], cwd=ROOT, check=True,
                         capture_output=True, text=True).stdout
    return sorted(p for p in set(out.split('\n'))
                  if p and os.path.isfile(os.path.join(ROOT, p)))


def strip_comments(text):
    """Comments and literals become blanks of the same shape."""
    def blank(m):
        return re.sub(r'[^\n]', ' ', m.group(0))
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'',
                  blank, text, flags=re.S)


def width(line):
    n = 0
    for c in line:
        n += 8 - n % 8 if c == '\t' else 1
    return n


def check_lines(path, text):
    lines = text.split('\n')
    if len(lines) > FILE_LINES_MAX + 1 and not path.endswith('.def'):
        say(path, len(lines), f'{len(lines) - 1} lines, at most {FILE_LINES_MAX}')
    for i, line in enumerate(lines, 1):
        if line != line.rstrip():
            say(path, i, 'white space at the end')
        if not path.endswith('.def') and width(line) > LINE_COLUMNS_MAX:
            say(path, i, f'{width(line)} columns')
        if UNFINISHED.search(line):
            say(path, i, 'unfinished: ' + line.strip()[:60])
    if not text.startswith('/*') and not text.startswith('#'):
        say(path, 1, 'a file opens with what it is')


def check_includes(path, layer, text):
    for m in re.finditer(r'^#include "([^"]+)"', text, re.M):
        line = text.count('\n', 0, m.start()) + 1
        if '/' not in m.group(1):
            say(path, line, f'include "{m.group(1)}" without its layer')
            continue
        to = m.group(1).split('/')[0]
        if to != layer and to not in LAYERS.get(layer, []):
            say(path, line, f'layer {layer} may not include {to}')
    if layer in FREESTANDING and not re.search(r'_(test|fuzz)\.c$|/test_\w+\.h$', path):
        for m in OS_IN_FREESTANDING.finditer(text):
            say(path, text.count('\n', 0, m.start()) + 1,
                f'freestanding layer {layer}: {m.group(0)}')


def check_calls(path, code):
    test = re.search(r'_(test|fuzz)\.c$|/test_\w+\.h$', path)
    rules = [(NEVER, None, 'banned')]
    if not test:
        rules += [(HEAP, HEAP_OK, 'heap'), (THREAD, THREADS_OK, 'threads'),
                  (PRINT, PRINT_OK, 'printing')]
    for rule, where, what in rules:
        if where is not None and where.match(path):
            continue
        for m in rule.finditer(code):
            say(path, code.count('\n', 0, m.start()) + 1,
                f'{what}: {m.group(0)}')


def check_sql(path, text):
    if not SQL_OK.search(path):
        for m in SQL.finditer(text):
            say(path, text.count('\n', 0, m.start()) + 1,
                'SQL stands in src/store/queries.def alone')


def functions(code):
    """(name, first line, last line, static) of each definition."""
    lines = code.split('\n')
    i = 0
    while i < len(lines):
        m = re.match(r'(\w+)\(', lines[i])
        if m and i > 0 and not lines[i].rstrip().endswith(';') \
                and re.match(r'[a-zA-Z_]', lines[i - 1]):
            j = i
            while j < len(lines) and lines[j] != '{' and not lines[j].endswith(';'):
                j += 1
            if j < len(lines) and lines[j] == '{':
                k = j
                while k < len(lines) and lines[k] != '}':
                    k += 1
                yield m.group(1), i + 1, k + 1, 'static' in lines[i - 1]
                i = k
        i += 1


def check_functions(path, layer, text, code):
    stem = os.path.basename(path)[:-2]
    test = re.search(r'_(test|fuzz)$', stem)
    raw = text.split('\n')
    for name, first, last, static in functions(code):
        if last - first > FUNCTION_LINES_MAX and not test and not any(
                LONG_OK.search(x) for x in raw[max(0, first - 4):first + 2]):
            say(path, first, f'{name}: {last - first} lines, '
                f'at most {FUNCTION_LINES_MAX}')
        if static or test or name in ('main', 'LLVMFuzzerTestOneInput'):
            continue
        # foo_bar.c may export foo_*, bar_* (or the plural) and LAYER_*.
        words = [w for w in stem.split('_')] + [w + 's' for w in stem.split('_')]
        words.append(layer)     # a library's public face: edge_*
        if not (name == stem or name.split('_')[0] in words):
            allowed = re.findall(r'\bexports ([\w, *]+)', '\n'.join(raw[:30]))
            names = re.split(r'[,\s]+', ' '.join(allowed))
            if not any(n and (name == n or (n.endswith('*') and
                       name.startswith(n[:-1]))) for n in names):
                say(path, first, f'{name}: {stem}.c exports only {stem}_*')


def check_sorted(path, text):
    """Rows of one macro in an unbroken block of lines are in order."""
    last = {}
    for i, line in enumerate(text.split('\n'), 1):
        m = re.match(r'(\w+)\s*\(\s*(\w+)\s*,\s*("(?:[^"]*)"|\w+)?', line)
        if not m:
            if not line.strip() or line.startswith('/*'):
                last = {}
            continue
        if 'sorted' not in text[:1500]:
            return
        key = m.group(2)
        if m.group(1) in last and key < last[m.group(1)]:
            say(path, i, f'{key} after {last[m.group(1)]}: rows are sorted')
        last[m.group(1)] = key


def check_citations(path, text, headings):
    """docs/protocol.md, "Name", "Name" or , Name: each is a heading there."""
    flat = re.sub(r'\n[ \t]*(\*[ \t]?)?', ' ', text)
    names = sorted((h.lower() for h in headings), key=len, reverse=True)
    for m in re.finditer(r'docs/protocol\.md, ', flat):
        rest = flat[m.end():]
        quoted = re.match(r'"[^"]*"(?:(?:,| and) "[^"]*")*', rest)
        cited = re.findall(r'"([^"]*)"', quoted.group(0)) if quoted else []
        if quoted:
            bad = [c for c in cited if c.lower() not in names]
        else:
            bad = [] if any(re.match(re.escape(n) + r'(?!\w)', rest.lower())
                            for n in names) else [rest[:30]]
        for b in bad:
            # Where it began in the text: as many citations before it.
            nth = len(re.findall(r'docs/protocol\.md', flat[:m.start()]))
            at = [x.start() for x in re.finditer(r'docs/protocol\.md',
                                                 text)][nth]
            say(path, text.count('\n', 0, at) + 1,
                f'docs/protocol.md has no section {b!r}')


def protocol_headings():
    with open(os.path.join(ROOT, 'docs/protocol.md'), encoding='utf-8') as f:
        return re.findall(r'^##+ (.+)$', f.read(), re.M)


def check_pairs(all_files):
    have = set(all_files)
    for p in all_files:
        if re.match(r'src/\w+/\w+\.c$', p) and not re.search(
                r'_(test|fuzz)\.c$|main\.c$|src/(cli/cmd_|vectors/)', p):
            if p[:-2] + '_test.c' not in have:
                print(f'{p}: no test beside it')


def main():
    all_files = files()
    headings = protocol_headings()
    for p in all_files:
        if not re.match(r'(src|bench|tools)/.*\.(c|h|def)$', p):
            continue
        with open(os.path.join(ROOT, p), encoding='utf-8') as f:
            text = f.read()
        layer = p.split('/')[1] if p.startswith('src/') else None
        check_lines(p, text)
        check_citations(p, text, headings)
        check_sql(p, text)
        if p.endswith('.def'):
            check_sorted(p, text)
            continue
        code = strip_comments(text)
        if layer:
            check_includes(p, layer, text)
            check_calls(p, code)
        if p.endswith('.c') and layer:
            check_functions(p, layer, text, code)
    if '--pairs' in sys.argv:
        check_pairs(all_files)
    for f in findings:
        print(f)
    print(f'tidy: {len(findings)} findings')
    return 1 if findings else 0


if __name__ == '__main__':
    sys.exit(main())
