"""eio_upgrades.py: the cases of 20_engineio.py in which polling becomes a
WebSocket (docs/engineio.md, Upgrade)."""
import asyncio
import time

from eio_raw import (ENGINE, SEP, SOCKET, binary, equal, head_of, in_time, is_closed, is_ok,
                     is_packet, refused, text, ws_echoes, ws_packet)
from ws_raw import Client, Wrong, close, request

UPGRADE_S = 1.5
WS = '?EIO=4&transport=websocket'


async def upgrade(w):
    s = await w.polling()
    c = await s.upgrade()
    for m in ('4hello', '4', '4' + 'x' * 70000):
        await ws_echoes(c, m)
    await c.send(binary(b'\1\2\3'))
    equal(await ws_packet(c), ('B', b'\1\2\3'))


async def upgrade_ends_get(w):
    s = await w.polling()
    h = await s.pending()
    c = await s.probe()
    got = await h.answer(wait_s=1)
    is_packet(got)
    equal(got.text(), '6')
    await c.send(text('5'))
    await ws_echoes(c)


async def upgrade_ends_later_get(w):
    s = await w.polling()
    c = await s.probe()
    for _ in range(3):
        begin = time.monotonic()
        equal((await s.get()).text(), '6')
        if time.monotonic() - begin > 0.6:
            raise Wrong('the GET was held')
    await c.send(text('5'))
    await ws_echoes(c)


async def upgrade_in_one_piece(w, pieces):
    """Nothing says that a client waits for 3probe."""
    s = await w.polling()
    c = await w.ws(s.ws_target)
    await c.send(b''.join(text(p) for p in pieces))
    want = [('T', b'3probe')] * pieces.count('2probe') + \
        [('T', p.encode()) for p in pieces if p[0] == '4']
    got = [await ws_packet(c) for _ in want]
    equal(got, want)


async def frames_behind_handshake(w):
    s = await w.polling()
    c = Client(w.port)
    await c.open()
    w.open.append(c.writer.transport.abort)
    await c.send(request(s.ws_target) + text('2probe') + text('5') + text('4early'))
    equal(await c.read_head(), 101)
    equal([await ws_packet(c) for _ in range(2)], [('T', b'3probe'), ('T', b'4early')])


async def nothing_lost(w, when):
    """Packets posted before and during the upgrade, some fetched by a GET,
    the rest on the WebSocket; then those of the WebSocket."""
    s = await w.polling()
    got, sent = [], 0

    async def send(n):
        nonlocal sent
        packets = [f'4{sent + i}' for i in range(n)]
        packets[n // 2] = 'bAQIDBA=='
        await s.sends(*packets)
        sent += n

    async def fetch():
        answer = await s.get()
        is_packet(answer)
        got.extend(p for p in answer.text().split(SEP) if p not in '26')

    await send(7)
    if 'fetch before' in when:
        await fetch()
    await send(4)
    c = await s.probe()
    await send(5)
    if 'fetch during' in when:
        await fetch()
    await send(6)
    await c.send(text('5'))
    for i in range(5):
        await c.send(text(f'4{sent + i}'))
    sent += 5
    while len(got) < sent:
        kind, data = await ws_packet(c)
        got.append(data.decode() if kind == 'T' else 'bAQIDBA==' if data == b'\1\2\3\4' else data)
    want = [f'4{i}' for i in range(sent)]
    at = 0
    for n in (7, 4, 5, 6):
        want[at + n // 2] = 'bAQIDBA=='
        at += n
    equal(got, want)


async def post_across_upgrade(w):
    """A POST that was begun before 5 and ends behind it is heard."""
    s = await w.polling()
    h = await w.http()
    await h.send(head_of('POST', s.target, b'4half and half') + b'4half ')
    c = await s.upgrade()
    await ws_echoes(c)
    await h.send(b'and half')
    is_ok(await h.answer())
    equal(await ws_packet(c), ('T', b'4half and half'))
    refused(await s.post('4x'), 3)


async def post_dropped_across_upgrade(w):
    s = await w.polling()
    h = await w.http()
    await h.send(head_of('POST', s.target, b'4half and half') + b'4half ')
    c = await s.upgrade()
    await ws_echoes(c)
    h.shut()
    await asyncio.sleep(0.1)
    await ws_echoes(c)


async def bad_probe(w, data):
    """That WebSocket is closed; the session goes on over polling."""
    s = await w.polling()
    c = await w.ws(s.ws_target)
    await c.send(data)
    await is_closed(c)
    await s.echoes()
    await ws_echoes(await s.upgrade())


async def bad_after_probe(w, data):
    s = await w.polling()
    c = await s.probe()
    await c.send(data)
    await is_closed(c)
    await s.echoes()


async def probe_lost(w, how, probed):
    s = await w.polling()
    c = await s.probe() if probed else await w.ws(s.ws_target)
    if how == 'frame':
        await c.send(close(1000))
        await is_closed(c)
    await c.shut()
    await asyncio.sleep(0.1)
    await s.echoes()
    h = await s.pending()
    await s.sends('4a')
    equal((await h.answer()).text(), '4a')
    await ws_echoes(await s.upgrade())


async def second_probe(w, probed):
    """One upgrade at a time: the second WebSocket is closed, the first not."""
    s = await w.polling()
    c = await s.probe() if probed else await w.ws(s.ws_target)
    second = await w.ws(s.ws_target)
    await is_closed(second)
    if not probed:
        await c.send(text('2probe'))
        equal(await c.message(), ('T', b'3probe'))
    await c.send(text('5'))
    await ws_echoes(c)


async def polls_after_upgrade(w):
    s = await w.polling()
    c = await s.upgrade()
    await ws_echoes(c)
    refused(await s.get(), 3)
    refused(await s.post('4x'), 3)
    await ws_echoes(c)


async def websocket_after_upgrade(w):
    s = await w.polling()
    c = await s.upgrade()
    await ws_echoes(c)
    await is_closed(await w.ws(s.ws_target))
    await ws_echoes(c)


async def websocket_of_a_websocket(w):
    c, data = await w.websocket()
    await is_closed(await w.ws(f'{ENGINE}{WS}&sid={data["sid"]}'))
    await ws_echoes(c)


async def close_while_upgrading(w):
    s = await w.polling()
    c = await s.probe()
    await s.sends('1')
    await is_closed(c)
    await s.is_gone()


async def get_dropped_while_upgrading(w):
    s = await w.polling()
    c = await w.ws(s.ws_target)
    h = await s.pending()
    h.shut()
    await is_closed(c)
    await s.is_gone()


async def upgrade_too_slow(w, probed):
    s = await w.polling()
    begin = time.monotonic()
    c = await s.probe() if probed else await w.ws(s.ws_target)
    await is_closed(c)
    in_time(begin, UPGRADE_S)
    await s.echoes()
    await ws_echoes(await s.upgrade())


async def upgrade_socketio(w):
    s = await w.polling(SOCKET)
    await s.sends('40')
    await s.packets(2)
    await s.sends('42["message","before"]')
    c = await s.upgrade()
    equal(await ws_packet(c), ('T', b'42["message-back","before"]'))
    await c.send(text('420["info"]'))
    if b'"transport":"websocket"' not in (await ws_packet(c))[1]:
        raise Wrong('the transport')
