#!/usr/bin/python3
"""symbols.py LIBCORE LIBCLIENT NIGHTJARD NIGHTJAR: what the programs contain.

The server cannot read messages because no symbol of the protocol core is in
it; and neither program exports a symbol that a system library could bind to
(our static OpenSSL lives beside the system's). Prints TAP.
"""
import subprocess
import sys

failed = 0
count = 0


def check(ok, name, why=''):
    global failed, count
    count += 1
    failed += not ok
    print(f'{"ok" if ok else "not ok"} {count} - {name}'
          + ('' if ok else f' # {why}'))


def symbols(*command):
    out = subprocess.run(['nm', *command], check=True, capture_output=True,
                         text=True).stdout
    return {line.split()[-1] for line in out.splitlines()
            if len(line.split()) >= 2 and line.split()[-2] in 'TDBRWVu'}


core = symbols('--defined-only', '-g', sys.argv[1])
client = symbols('--defined-only', '-g', sys.argv[2])
server = symbols('--defined-only', sys.argv[3])
check(len(core) > 30, 'the core has symbols to look for', str(len(core)))
check(len(server) > 300, 'the server is not stripped', str(len(server)))
check(not core & server, 'no symbol of the core is in nightjard',
      ' '.join(sorted(core & server)[:10]))
check(not client & server, 'no symbol of the client is in nightjard',
      ' '.join(sorted(client & server)[:10]))
for path in sys.argv[3:5]:
    exported = {s for s in symbols('-D', '--defined-only', path)
                if '@' not in s and 'GLIBC' not in s}
    check(not exported, f'{path.split("/")[-1]} exports nothing',
          ' '.join(sorted(exported)[:10]))
print(f'1..{count}')
sys.exit(failed != 0)
