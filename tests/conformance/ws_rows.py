"""ws_rows.py: the tables of 15_websocket.py: what is sent, and what has to come.

A row: (section, what, pieces to send, what comes, marks). What comes: messages
as ('T', bytes), ('B', bytes), pongs ('O', bytes), and at last a close
('C', code) after which the connection ends. Without a close nothing else may
come: a ping at the end shows that. Marks: 'own' where Node's ws does not do
what the section asks, 'slow' where pieces go out one by one.
"""
import struct

from ws_raw import BINARY, CLOSE, PING, PONG, TEXT, chops, close, frame

ROWS = []
TOO_BIG = 1009


def row(section, what, pieces, want, *marks):
    pieces = [pieces] if isinstance(pieces, bytes) else list(pieces)
    ROWS.append((section, what, pieces, want, set(marks)))


def body(n):
    return bytes(33 + i * 7 % 90 for i in range(min(n, 9973))) * (n // 9973) + \
        bytes(33 + i * 7 % 90 for i in range(n % 9973)) if n > 9973 else \
        bytes(33 + i * 7 % 90 for i in range(n))


# ---- 1: whole messages, every form of length ----
for n in (0, 1, 2, 7, 16, 64, 125, 126, 127, 128, 1000, 65535, 65536, 65537):
    row('5.2, 5.6', f'text of {n} bytes', frame(TEXT, body(n)), [('T', body(n))])
    row('5.2, 5.6', f'binary of {n} bytes', frame(BINARY, b'\xfe' * n), [('B', b'\xfe' * n)])
row('5.2', 'text of 65536 bytes in pieces of 997', chops(frame(TEXT, body(65536)), 997),
    [('T', body(65536))])
row('5.2', 'a frame byte by byte', chops(frame(TEXT, b'byte by byte'), 1),
    [('T', b'byte by byte')], 'slow')
row('5.2', 'a head of 64 bits of length byte by byte',
    chops(frame(BINARY, b'q' * 65536)[:14], 1) + [
        frame(BINARY, b'q' * 65536)[14:]], [('B', b'q' * 65536)], 'slow')
row('5.2', 'many frames in one write',
    b''.join(frame(TEXT, str(i).encode()) for i in range(200)),
    [('T', str(i).encode()) for i in range(200)])
row('5.2', 'frames cut everywhere', chops(b''.join(
    frame(TEXT, b'abc' * i) for i in range(40)), 13), [('T', b'abc' * i) for i in range(40)])

# ---- masks (5.1, 5.3) ----
for mask in (b'\0\0\0\0', b'\xff\xff\xff\xff', b'\x80\0\0\0', b'\1\2\3\4', b'\0\0\0\x80'):
    row('5.3', f'mask {mask.hex()}', frame(TEXT, b'masked by it', mask=mask),
        [('T', b'masked by it')])
for n in range(1, 9):
    row('5.3', f'mask over fragments of {n} bytes',
        b''.join(frame(TEXT if i == 0 else 0, body(64)[i:i + n], fin=int(i + n >= 64),
                       mask=bytes([i, 1, 2, n])) for i in range(0, 64, n)), [('T', body(64))])
row('5.3', 'a mask cut behind every byte', chops(frame(BINARY, body(300), mask=b'\x91\2\x7f\xee'), 3),
    [('B', body(300))])
for op, name in ((TEXT, 'text'), (BINARY, 'binary'), (0, 'continuation'), (CLOSE, 'close'),
                 (PING, 'ping'), (PONG, 'pong')):
    row('5.1', f'unmasked {name}', frame(op, b'' if op == CLOSE else b'x', mask=None), [('C', 1002)])
row('5.1', 'unmasked fragment of a message', frame(TEXT, b'a', fin=0) + frame(0, b'b', mask=None),
    [('C', 1002)])

# ---- 2: pings and pongs (5.5.2, 5.5.3) ----
for data in (b'', b'hello', b'\0\xff\xfe\xfd\0', b'p' * 124, b'p' * 125):
    row('5.5.2', f'ping of {len(data)} bytes', frame(PING, data), [('O', data)])
row('5.5', 'ping of 126 bytes', frame(PING, b'p' * 126), [('C', 1002)])
row('5.5', 'pong of 126 bytes', frame(PONG, b'p' * 126), [('C', 1002)])
row('5.5', 'ping of 64 bits of length', frame(PING, b'p' * 70000), [('C', 1002)])
row('5.5.2', 'ping byte by byte', chops(frame(PING, b'slowly'), 1), [('O', b'slowly')], 'slow')
row('5.5.2', 'ping of 125 bytes in two writes', chops(frame(PING, b'p' * 125), 60),
    [('O', b'p' * 125)], 'slow')
row('5.5.3', 'pong that nobody asked for', frame(PONG), [])
row('5.5.3', 'pong with data', frame(PONG, b'unasked'), [])
row('5.5.3', 'pongs and a ping', frame(PONG, b'a') + frame(PING, b'b') + frame(PONG, b'c'),
    [('O', b'b')])
row('5.5.2', 'ten pings', b''.join(frame(PING, b'%d' % i) for i in range(10)),
    [('O', b'%d' % i) for i in range(10)])
row('5.5.2', 'ten pings byte by byte', chops(b''.join(
    frame(PING, b'%d' % i) for i in range(10)), 1), [('O', b'%d' % i) for i in range(10)])
row('5.5.2', '5000 pings', b''.join(frame(PING, b'%d' % i) for i in range(5000)),
    [('O', b'%d' % i) for i in range(5000)])
row('5.5.2', 'pings and messages in turn', b''.join(
    frame(PING, b'p') + frame(TEXT, b't') for _ in range(20)), [('O', b'p'), ('T', b't')] * 20)

# ---- 3: reserved bits; 4: reserved opcodes (5.2) ----
for bits in range(1, 8):
    for op, name in ((TEXT, 'text'), (BINARY, 'binary'), (PING, 'ping'), (PONG, 'pong'),
                     (CLOSE, 'close')):
        data = b'' if op == CLOSE else b'data'
        row('5.2', f'{name} with reserved bits {bits:03b}',
            frame(TEXT, b'first') + frame(op, data, rsv=bits), [('T', b'first'), ('C', 1002)])
    row('5.2', f'continuation with reserved bits {bits:03b}',
        frame(TEXT, b'a', fin=0) + frame(0, b'b', rsv=bits), [('C', 1002)])
for op in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15):
    row('5.2', f'opcode {op}', frame(op), [('C', 1002)])
    row('5.2', f'opcode {op} with data behind a message', frame(TEXT, b'1') + frame(op, b'data'),
        [('T', b'1'), ('C', 1002)])
    row('5.2', f'opcode {op} inside a message', frame(TEXT, b'1', fin=0) + frame(op, b'x'),
        [('C', 1002)])

# ---- lengths not in their least form (5.2) ----
for n, form in ((0, 16), (1, 16), (125, 16), (0, 64), (125, 64), (126, 64), (65535, 64)):
    row('5.2', f'{n} bytes with a length of {form} bits', frame(BINARY, b'x' * n, form=form),
        [('C', 1002)], 'own')
for op, name in ((PING, 'ping'), (CLOSE, 'close')):
    row('5.2, 5.5', f'{name} with a length of 16 bits', frame(op, b'', form=16), [('C', 1002)])
row('5.2', 'a length with its highest bit set', b'\x82\xff' + b'\x80' + b'\0' * 7 + b'mask',
    [('C', 1002)], 'own')

# ---- 5: fragments (5.4) ----


def parts(op, data, n, **how):
    some = chops(data, n) or [b'']
    return b''.join(frame(op if i == 0 else 0, x, fin=int(i == len(some) - 1), **how)
                    for i, x in enumerate(some))


for op, name in ((PING, 'ping'), (PONG, 'pong'), (CLOSE, 'close')):
    row('5.5', f'fragmented {name}', frame(op, b'', fin=0) + frame(0, b''), [('C', 1002)])
for op, kind in ((TEXT, 'T'), (BINARY, 'B')):
    for n in (1, 2, 3, 50, 99):
        row('5.4', f'{kind}: fragments of {n}', parts(op, body(100), n), [(kind, body(100))])
    row('5.4', f'{kind}: two fragments, two writes', [
        frame(op, b'one ', fin=0), frame(0, b'two')], [(kind, b'one two')], 'slow')
    row('5.4', f'{kind}: fragments byte by byte', chops(parts(op, b'fragment', 3), 1),
        [(kind, b'fragment')], 'slow')
    row('5.4', f'{kind}: a ping between fragments',
        frame(op, b'a', fin=0) + frame(PING, b'p') + frame(0, b'b'), [('O', b'p'), (kind, b'ab')])
    row('5.4', f'{kind}: pings and pongs between many fragments',
        frame(op, b'', fin=0) + b''.join(frame(0, b'x', fin=0) + frame(PING, b'%d' % i) +
                                         frame(PONG) for i in range(10)) + frame(0),
        [('O', b'%d' % i) for i in range(10)] + [(kind, b'x' * 10)])
    row('5.4', f'{kind}: only empty fragments', frame(op, fin=0) + frame(0, fin=0) + frame(0),
        [(kind, b'')])
    row('5.4', f'{kind}: empty fragments around', frame(op, fin=0) + frame(0, b'in', fin=0) + frame(0),
        [(kind, b'in')])
    row('5.4', f'{kind}: empty fragments between', frame(op, b'a', fin=0) + frame(0, fin=0) * 5 +
        frame(0, b'b'), [(kind, b'ab')])
    row('5.4', f'{kind}: a whole message inside another',
        frame(op, b'a', fin=0) + frame(op, b'b'), [('C', 1002)])
    row('5.4', f'{kind}: a fragment that begins inside another',
        frame(op, b'a', fin=0) + frame(3 - op, b'b', fin=0), [('C', 1002)])
    row('5.4', f'{kind}: messages one behind the other, fragmented',
        parts(op, b'first', 2) + parts(3 - op, b'second', 3) + frame(op, b'third'),
        [(kind, b'first'), ('BT'['BT'.index(kind) ^ 1], b'second'), (kind, b'third')])
    row('5.4', f'{kind}: 30000 fragments of a byte', parts(op, b'f' * 30000, 1),
        [(kind, b'f' * 30000)])
row('5.4', 'a continuation of nothing', frame(0, b'x'), [('C', 1002)])
row('5.4', 'a continuation of nothing, not the last', frame(0, b'x', fin=0), [('C', 1002)])
row('5.4', 'a continuation behind a whole message', frame(TEXT, b'a') + frame(0, b'b'),
    [('T', b'a'), ('C', 1002)])
row('5.4', 'a continuation behind a fragmented message', parts(TEXT, b'abcd', 2) + frame(0, b'e'),
    [('T', b'abcd'), ('C', 1002)])
row('5.4', 'an empty continuation of nothing', frame(0), [('C', 1002)])

# ---- 6: UTF-8 (8.1) ----
VALID = [
    'κόσμε', '\x00', '\x7f', '\u0080', '\u07ff', '\u0800', '\uffff', '\U00010000', '\U0010ffff',
    '\ud7ff', '\ue000', '\ufffd', '\ufeff', '\ufffe', '\ufdd0', '\U0001fffe', '\U0001f600',
    'äöü' * 30, '日本語の文字列' * 10, '😀' * 33, 'a' * 15 + 'é' + 'b' * 16 + '€', 'é' * 64,
]
INVALID = {
    'continuation byte': b'\x80', 'continuation byte bf': b'\xbf', 'two of them': b'\x80\xbf',
    'all continuation bytes': bytes(range(0x80, 0xc0)), 'lonely c2': b'\xc2 ',
    'lonely e1': b'\xe1 ', 'lonely f1': b'\xf1 ', 'c0': b'\xc0\x80', 'c1': b'\xc1\xbf',
    'f5': b'\xf5\x80\x80\x80', 'f8': b'\xf8\x88\x80\x80\x80', 'fc': b'\xfc\x84\x80\x80\x80\x80',
    'fe': b'\xfe', 'ff': b'\xff', 'feff': b'\xfe\xfe\xff\xff',
    'overlong of 3': b'\xe0\x80\xaf', 'overlong of 3, highest': b'\xe0\x9f\xbf',
    'overlong of 4': b'\xf0\x80\x80\xaf', 'overlong of 4, highest': b'\xf0\x8f\xbf\xbf',
    'surrogate d800': b'\xed\xa0\x80', 'surrogate db7f': b'\xed\xad\xbf',
    'surrogate dc00': b'\xed\xb0\x80', 'surrogate dfff': b'\xed\xbf\xbf',
    'a pair of surrogates': b'\xed\xa0\x80\xed\xb0\x80', 'beyond 10ffff': b'\xf4\x90\x80\x80',
    'cut after 1 of 2': b'\xc3', 'cut after 1 of 3': b'\xe2', 'cut after 2 of 3': b'\xe2\x82',
    'cut after 3 of 4': b'\xf0\x9f\x98', 'cut in the middle': b'\xe2\x82x',
    'bad behind 16 good': b'x' * 16 + b'\xff', 'bad behind 31 good': b'x' * 31 + b'\x80',
    'bad behind good words': 'κόσμε'.encode() + b'\xed\xa0\x80' + b'edited',
    'bad at 1000': b'y' * 1000 + b'\xc3(' + b'y' * 100,
}
for s in VALID:
    data = s.encode('utf-8', 'surrogatepass')
    name = ' '.join(f'{ord(c):04x}' for c in s[:3]) + ('...' if len(s) > 3 else '')
    row('8.1', f'UTF-8 {name}', frame(TEXT, data), [('T', data)])
    row('8.1', f'UTF-8 {name} in fragments of a byte', parts(TEXT, data, 1), [('T', data)])
row('8.1', 'UTF-8 split over reads', chops(frame(TEXT, 'ä€😀'.encode() * 3), 1),
    [('T', 'ä€😀'.encode() * 3)], 'slow')
for name, data in INVALID.items():
    row('8.1', f'not UTF-8: {name}', frame(TEXT, data), [('C', 1007)])
    row('8.1', f'not UTF-8, in fragments: {name}', parts(TEXT, data, 1), [('C', 1007)])
    row('8.1', f'binary may be so: {name}', frame(BINARY, data), [('B', data)])
row('8.1', 'a ping inside a character', frame(TEXT, b'\xe2', fin=0) + frame(PING, b'\xff') +
    frame(0, b'\x82\xac'), [('O', b'\xff'), ('T', '€'.encode())])
row('8.1', 'no state is left of the message before', frame(BINARY, b'\xe2') + frame(TEXT, b'ok'),
    [('B', b'\xe2'), ('T', b'ok')])
# As soon as it is certain: the rest of the frame or message is never sent.
for name, data in (('c0', b'\xc0'), ('ff', b'good\xff'), ('surrogate', b'\xed\xa0'),
                   ('beyond 10ffff', b'\xf4\x90'), ('overlong', b'\xe0\x80')):
    row('8.1', f'fails at once, in a frame: {name}', frame(TEXT, data + b'x' * 50)[:6 + len(data)],
        [('C', 1007)], 'own')
    row('8.1', f'fails at once, in a fragment: {name}', frame(TEXT, data, fin=0), [('C', 1007)], 'own')

# ---- 7: closing (5.5.1, 7) ----
row('5.5.1', 'close without a code', close(), [('C', 1005)])
for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014,
             3000, 3999, 4000, 4999):
    row('7.4', f'close {code}', close(code), [('C', code)])
for code in (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1099, 1100, 2000, 2999, 5000, 65535):
    row('7.4', f'close {code} is none', close(code), [('C', 1002)])
row('5.5.1', 'close of one byte', frame(CLOSE, b'\x03'), [('C', 1002)])
row('5.5.1', 'close with a reason', close(1000, b'bye'), [('C', 1000)])
row('5.5.1', 'close with 123 bytes of reason', close(1000, b'r' * 123), [('C', 1000)])
row('5.5', 'close with 124 bytes of reason', frame(CLOSE, b'\x03\xe8' + b'r' * 124), [('C', 1002)])
row('5.5.1', 'close with a reason of characters', close(1000, '€ä😀'.encode()), [('C', 1000)])
for name in ('continuation byte', 'c0', 'surrogate d800', 'cut after 2 of 3', 'ff'):
    row('5.5.1, 8.1', f'close whose reason is not UTF-8: {name}', close(1000, INVALID[name]),
        [('C', 1007)])
row('5.5.1', 'a message behind a close is not read', close(1000) + frame(TEXT, b'late'), [('C', 1000)])
row('5.5.1', 'a ping behind a close is not read', close(1000) + frame(PING, b'late'), [('C', 1000)])
row('5.5.1', 'a bad frame behind a close is not read', close(1001) + b'\xff\xff\xff', [('C', 1001)])
row('5.5.1', 'two closes', close(1000) + close(1001), [('C', 1000)])
row('5.5.1', 'a close inside a message', frame(TEXT, b'half', fin=0) + close(1000), [('C', 1000)])
row('5.5.1', 'messages, then a close', frame(TEXT, b'a') + frame(BINARY, b'b') + close(3001),
    [('T', b'a'), ('B', b'b'), ('C', 3001)])
row('5.5.1', 'a close byte by byte', chops(close(1000, b'slow'), 1), [('C', 1000)], 'slow')
row('7.1.7', 'nothing is read behind a bad frame', frame(3) + frame(TEXT, b'late'), [('C', 1002)])

# ---- 9: larger messages, in one frame, fragments and pieces ----
for n in (1 << 18, 1 << 20, 1 << 22):
    for op, kind in ((TEXT, 'T'), (BINARY, 'B')):
        row('5.4', f'{kind} of {n >> 10} KiB', frame(op, body(n), mask=b'\0\0\0\0'), [(kind, body(n))])
        row('5.4', f'{kind} of {n >> 10} KiB in fragments of 4 KiB',
            parts(op, body(n), 4096, mask=b'\0\0\0\0'), [(kind, body(n))])
row('5.4', 'T of 1 MiB in fragments of 64 bytes', parts(TEXT, body(1 << 20), 64), [('T', body(1 << 20))])
for n in (128, 1024, 16384):
    row('5.2', f'T of 256 KiB in pieces of {n}',
        chops(frame(TEXT, body(1 << 18), mask=b'\0\0\0\0'), n), [('T', body(1 << 18))])
row('8.1', '€ 500000 times', frame(TEXT, '€'.encode() * 500000, mask=b'\0\0\0\0'),
    [('T', '€'.encode() * 500000)])

# ---- rules that hold on every path ----
EVERYWHERE = [
    ('5.1', 'unmasked frame', frame(TEXT, b'4x', mask=None), 1002),
    ('5.2', 'reserved bit 1', frame(TEXT, b'4x', rsv=4), 1002),
    ('5.2', 'reserved bit 2', frame(TEXT, b'4x', rsv=2), 1002),
    ('5.2', 'reserved bit 3', frame(TEXT, b'4x', rsv=1), 1002),
    ('5.2', 'opcode 3', frame(3, b'4x'), 1002),
    ('5.2', 'opcode 11', frame(11, b''), 1002),
    ('5.5', 'ping of 126 bytes', frame(PING, b'x' * 126), 1002),
    ('5.5', 'fragmented ping', frame(PING, b'x', fin=0), 1002),
    ('5.4', 'continuation of nothing', frame(0, b'4x'), 1002),
    ('5.4', 'message inside another', frame(TEXT, b'4x', fin=0) + frame(TEXT, b'4y'), 1002),
    ('8.1', 'text that is not UTF-8', frame(TEXT, b'4\xff'), 1007),
    ('8.1', 'text that is cut short', frame(TEXT, b'4\xc3'), 1007),
    ('7.4.1', 'frame of 1000001 bytes',
     b'\x81\xff' + struct.pack('>Q', 1000001) + b'mask', TOO_BIG),
    ('7.4.1', 'fragments of 1200000 bytes', parts(TEXT, b'4' + b'x' * 1199999, 100000,
                                                   mask=b'\0\0\0\0'), TOO_BIG),
    ('5.5.1', 'close with code 999', close(999), 1002),
    ('5.5.1', 'close of one byte', frame(CLOSE, b'\x03'), 1002),
    ('5.5.1', 'close 1000', close(1000), 1000),
    ('5.5.1', 'close 1001', close(1001, b'going'), 1001),
    ('5.5.1', 'close without a code', close(), 1005),
]
