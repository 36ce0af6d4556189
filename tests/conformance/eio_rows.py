"""eio_rows.py: what 20_engineio.py sends and what has to come of it."""
from eio_raw import SEP
from ws_raw import BINARY, TEXT, frame

# (what, query behind EIO and transport)
GOOD_QUERIES = [
    ('plainly', ''),
    ('a time stamp', '&t=OabcDEF'),
    ('others of the app', '&token=a%20b%26c&x=&y'),
    ('an empty sid', '&sid='),
    ('base64 asked for', '&b64=1'),
    ('a long value', '&q=' + 'x' * 2000),
]

# (what, method, query, code, 'own': Node does otherwise)
ERRORS = [
    ('no query', 'GET', '', 0),
    ('an empty query', 'GET', '?', 0),
    ('no transport', 'GET', '?EIO=4', 0),
    ('an empty transport', 'GET', '?EIO=4&transport=', 0),
    ('an unknown transport', 'GET', '?EIO=4&transport=abc', 0),
    ('a transport in capitals', 'GET', '?EIO=4&transport=POLLING', 0),
    ('webtransport', 'GET', '?EIO=4&transport=webtransport', 0),
    ('an unknown transport and sid', 'GET', '?EIO=4&transport=abc&sid=xyz', 0),
    ('an unknown transport by POST', 'POST', '?EIO=4&transport=abc', 0),
    ('a transport named toString', 'GET', '?EIO=4&transport=toString', 0),
    ('no revision', 'GET', '?transport=polling', 5),
    ('an empty revision', 'GET', '?EIO=&transport=polling', 5),
    ('revision 3', 'GET', '?EIO=3&transport=polling', 5),
    ('revision 5', 'GET', '?EIO=5&transport=polling', 5),
    ('revision 44', 'GET', '?EIO=44&transport=polling', 5),
    ('revision abc', 'GET', '?EIO=abc&transport=polling', 5),
    ('revision 4.0', 'GET', '?EIO=4.0&transport=polling', 5),
    ('POST', 'POST', '?EIO=4&transport=polling', 2),
    ('PUT', 'PUT', '?EIO=4&transport=polling', 2),
    ('DELETE', 'DELETE', '?EIO=4&transport=polling', 2),
    ('PATCH', 'PATCH', '?EIO=4&transport=polling', 2),
    ('HEAD', 'HEAD', '?EIO=4&transport=polling', 2),
    ('POST for websocket', 'POST', '?EIO=4&transport=websocket', 2),
    ('websocket without an upgrade', 'GET', '?EIO=4&transport=websocket', 3),
    ('an unknown sid', 'GET', '?EIO=4&transport=polling&sid=abcdefghijklmnopqrst', 1),
    ('an unknown sid of 24', 'GET', '?EIO=4&transport=polling&sid=AAAAAAAAAAAAAAAAAAAAAAAA', 1),
    ('an unknown sid of another reactor', 'GET', '?EIO=4&transport=polling&sid=AAEAAAAAAAAAAAAAAAAAAAAA', 1),
    ('an unknown sid of no reactor', 'GET', '?EIO=4&transport=polling&sid=____AAAAAAAAAAAAAAAAAAAA', 1),
    ('a short sid', 'GET', '?EIO=4&transport=polling&sid=a', 1),
    ('a long sid', 'GET', '?EIO=4&transport=polling&sid=' + 'a' * 3000, 1),
    ('a sid with blanks', 'GET', '?EIO=4&transport=polling&sid=%20%20%20%20%20%20%20%20', 1),
    ('a sid named __proto__', 'GET', '?EIO=4&transport=polling&sid=__proto__', 1),
    ('a sid of bytes', 'GET', '?EIO=4&transport=polling&sid=%C3%A9%C3%A9%C3%A9'
     '%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9', 1),
    ('an unknown sid by POST', 'POST', '?EIO=4&transport=polling&sid=abcdefghijklmnopqrst', 1),
    ('an unknown sid by DELETE', 'DELETE', '?EIO=4&transport=polling&sid=abcdefghijklmnopqrst', 1),
    ('an unknown sid, websocket', 'GET', '?EIO=4&transport=websocket&sid=abcdefghijklmnopqrst', 1),
    ('an unknown sid, revision 3', 'GET', '?EIO=3&transport=polling&sid=abcdefghijklmnopqrst', 1),
]

# (what, query, code of the answer, if there is one)
WS_ERRORS = [
    ('no transport', '?EIO=4', 0),
    ('an unknown transport', '?EIO=4&transport=abc', 0),
    ('transport polling', '?EIO=4&transport=polling', 3),
    ('no revision', '?transport=websocket', 5),
    ('revision 3', '?EIO=3&transport=websocket', 5),
    ('revision abc', '?EIO=abc&transport=websocket', 5),
    ('an unknown sid', '?EIO=4&transport=websocket&sid=abcdefghijklmnopqrst', 1),
    ('an unknown sid of another reactor', '?EIO=4&transport=websocket&sid=AAEAAAAAAAAAAAAAAAAAAAAA', 1),
    ('an unknown sid of no reactor', '?EIO=4&transport=websocket&sid=____AAAAAAAAAAAAAAAAAAAA', 1),
]

# (what, bodies of POSTs, packets that come back)
ECHOES = [
    ('a text', ['4hello'], ['4hello']),
    ('an empty text', ['4'], ['4']),
    ('three texts', [SEP.join(['4test1', '4test2', '4test3'])], ['4test1', '4test2', '4test3']),
    ('text and binary', [f'4hello{SEP}bAQIDBA=='], ['4hello', 'bAQIDBA==']),
    ('binary of 1, 2 and 3', [SEP.join(['bAA==', 'bAQI=', 'bAQID'])], ['bAA==', 'bAQI=', 'bAQID']),
    ('binary of no bytes', ['b'], ['b']),
    ('base64 without its padding', ['bAQI'], ['bAQI=']),
    ('base64 of the other alphabet', ['bA-_/'], ['bA+//']),
    ('base64 with a blank, and too much padding', ['bAQ ID===='], ['bAQID']),
    ('base64 with bits left', ['bAQJ='], ['bAQI=']),
    ('binary between texts', [SEP.join(['4a', 'b//79', '4b'])], ['4a', 'b//79', '4b']),
    ('several POSTs', ['4a', '4b', 'bAAA=', '4c'], ['4a', '4b', 'bAAA=', '4c']),
    ('other characters', ['4h\u00e9llo \u20ac \U0001f600'], ['4h\u00e9llo \u20ac \U0001f600']),
    ('digits', ['41234567'], ['41234567']),
    ('quotes and line ends', ['4"\\\r\n\t'], ['4"\\\r\n\t']),
    ('a NUL', ['4\0a'], ['4\0a']),
    ('a long text', ['4' + 'x' * 200000], ['4' + 'x' * 200000]),
    ('a long binary', ['b' + 'ABCD' * 50000], ['b' + 'ABCD' * 50000]),
]

# (what, body, headers, first packet of the GET that waits; None: 1 alone;
# 'own': Node reads on)
BAD_BODIES = [
    ('an unknown type', 'abc', {}, None),
    ('type 7', '7', {}, None),
    ('type 9', '9x', {}, None),
    ('type /', '/', {}, None),
    ('an empty body', '', {}, None),
    ('a separator alone', SEP, {}, None),
    ('a separator in front', f'{SEP}4a', {}, None),
    ('a ping', '2', {}, None),
    ('a probe', '2probe', {}, None),
    ('a body said to be binary', '4a', {'Content-Type': 'application/octet-stream'}, None),
    ('no UTF-8', b'4\xff\xfe', {}, None, 'own'),
    ('a surrogate', b'4\xed\xa0\x80', {}, None, 'own'),
    ('bad behind good', f'4good{SEP}x', {}, '4good', 'own'),
    ('a separator at the end', f'4good{SEP}', {}, '4good', 'own'),
    ('two separators', f'4good{SEP}{SEP}4more', {}, '4good', 'own'),
]

# (what, bytes of a frame)
BAD_PACKETS = [
    ('an unknown type', frame(TEXT, b'abc')),
    ('type 7', frame(TEXT, b'7')),
    ('nothing', frame(TEXT, b'')),
    ('a ping', frame(TEXT, b'2')),
    ('a probe', frame(TEXT, b'2probe')),
    ('a blank', frame(TEXT, b' 4hello')),
]

# Packets that a client has no reason to send, and that change nothing.
IGNORED = ['0', '0{}', '5', '6', '3', '3probe']

# (what, bytes of a frame)
PROBES = [
    ('2', frame(TEXT, b'2')),
    ('another text', frame(TEXT, b'2prob')),
    ('a longer text', frame(TEXT, b'2probes')),
    ('a pong', frame(TEXT, b'3probe')),
    ('a message', frame(TEXT, b'4hello')),
    ('a close packet', frame(TEXT, b'1')),
    ('a noop', frame(TEXT, b'6')),
    ('nothing', frame(TEXT, b'')),
    ('an unknown type', frame(TEXT, b'x')),
    ('binary', frame(BINARY, b'2probe')),
]
