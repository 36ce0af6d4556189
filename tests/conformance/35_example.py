#!/usr/bin/env python3
"""35_example.py: the server of docs/socketio-in-c.md is the one in
docs/examples, and does what the page says.

    35_example.py EXAMPLE SOURCE-ROOT
"""
import asyncio
import os
import socket
import subprocess
import sys
import time

from peer import Tap, free_port
from sio_raw import Client, Wrong

PLACE = '{"_placeholder":true,"num":0}'


def same_code(root):
    with open(os.path.join(root, 'docs/examples/chat.c'), encoding='utf-8') as f:
        code = f.read()
    with open(os.path.join(root, 'docs/socketio-in-c.md'), encoding='utf-8') as f:
        page = f.read()
    shown = ''.join('    ' + line if line.strip() else line
                    for line in code.splitlines(True))
    if shown not in page:
        raise Wrong('the page shows other code than docs/examples/chat.c')


async def join(c, auth=''):
    await c.open()
    await c.send('0' + auth)
    if not (await c.next()).startswith('0{"sid":"'):
        raise Wrong('not let in')
    await c.expect(f'2["welcome",{auth}]' if auth else '2["welcome"]')


async def talk(url, one, two):
    a, b = Client(url, one), Client(url, two)
    try:
        await join(a, '{"name":"a"}')
        await join(b)
        await b.send('21["join","garden"]')
        await b.expect('31[true]')
        await a.send('21["say","garden","hello"]')
        await a.expect('31[true]')
        await b.expect('2["said","garden","hello"]')
        await a.send(f'51-["say","garden",{PLACE}]', b'\1\2\3')
        await b.expect(f'51-["said","garden",{PLACE}]', b'\1\2\3')
        await b.send('2["say","garden","to myself"]')
        await b.silence()
        await a.send('22["say",5]')
        await a.expect('32[false]')
        await a.send('0/other,')
        await a.expect('4/other,{"message":"Invalid namespace"}')
    finally:
        a.cut()
        b.cut()


def wait_for(port):
    """Until it listens."""
    end = time.monotonic() + 60
    while True:
        try:
            return socket.create_connection(('127.0.0.1', port), 1).close()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)


def main():
    program, root = sys.argv[1:3]
    port = free_port()
    tap = Tap()
    with tap.case('the page shows the file'):
        same_code(root)
    with subprocess.Popen([program, str(port)],
                          stdout=subprocess.DEVNULL) as child:
        wait_for(port)
        for one in ('websocket', 'polling'):
            for two in ('websocket', 'polling'):
                with tap.case(f'{one} to {two}'):
                    asyncio.run(talk(f'http://127.0.0.1:{port}', one, two))
        with tap.case('it runs on'):
            assert child.poll() is None
        child.terminate()
    return tap.done()


if __name__ == '__main__':
    sys.exit(main())
