#!/usr/bin/python3
"""start.py BUILD DATA [--json]: how long nightjard takes from being started to
answering /ready with 200 on the data directory DATA (made when it is not
there), best and worst of five starts, and its resident memory then.
"""
import http.client
import json
import os
import sqlite3
import subprocess
import sys
import time

STARTS = 5
GIVE_UP_S = 20


def messages(data):
    path = os.path.join(data, 'nightjar.db')
    if not os.path.exists(path):
        return 0
    db = sqlite3.connect(path)
    try:
        return db.execute('SELECT count(*) FROM messages').fetchone()[0]
    finally:
        db.close()


def start(binary, data, port):
    """(milliseconds to ready, resident KiB)"""
    began = time.monotonic()
    child = subprocess.Popen(
        [binary, 'serve', '--data', data, '--set',
         f'listen.http=127.0.0.1:{port}', '--set', 'listen.https='],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL)
    try:
        while time.monotonic() - began < GIVE_UP_S:
            try:
                c = http.client.HTTPConnection('127.0.0.1', port, timeout=1)
                c.request('GET', '/ready')
                if c.getresponse().status == 200:
                    break
            except OSError:
                time.sleep(0.001)
        took = (time.monotonic() - began) * 1000
        with open(f'/proc/{child.pid}/status', encoding='utf-8') as f:
            rss = next(int(x.split()[1]) for x in f if x.startswith('VmRSS'))
        return took, rss
    finally:
        child.terminate()
        child.wait(40)


def main():
    binary = os.path.join(sys.argv[1], 'nightjard')
    data = sys.argv[2]
    port = 20000 + os.getpid() % 20000
    runs = [start(binary, data, port) for _ in range(STARTS)]
    ms = sorted(r[0] for r in runs)
    mib = max(r[1] for r in runs) / 1024
    if '--json' in sys.argv:
        print(json.dumps({'scenario': 'start', 'messages': messages(data),
                          'ready_ms_best': round(ms[0], 1),
                          'ready_ms_worst': round(ms[-1], 1),
                          'rss_mib': round(mib, 1)}))
    else:
        print(f'start     ready in {ms[0]:.0f} to {ms[-1]:.0f} ms with '
              f'{messages(data):,} messages stored; {mib:.1f} MiB resident')


main()
