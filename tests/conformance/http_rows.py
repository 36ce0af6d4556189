"""http_rows.py: requests and what has to become of them, for 10_http.py.

ACCEPTED: (section, what, bytes, answers): answers is a list of (status, body
or None); then the connection goes on. REFUSED: (section, what, bytes,
statuses): one answer of these statuses, then the end, whatever comes behind.
LAST: like ACCEPTED, but the connection ends behind the last answer."""
H = b'Host: x\r\n'
OK = [(200, b'ok\n')]
CHUNKED = b'Transfer-Encoding: chunked\r\n'


def get(target=b'/healthz', *fields, method=b'GET', host=H, version=b'1.1'):
    return (method + b' ' + target + b' HTTP/' + version + b'\r\n' + host +
            b''.join(f + b'\r\n' for f in fields) + b'\r\n')


def post(body=b'', *fields, length=True, host=H, version=b'1.1'):
    size = [b'Content-Length: %d' % len(body)] if length else []
    return get(b'/echo', *fields, *size, method=b'POST', host=host, version=version) + body


def chunked(*chunks, fields=(), trailers=b''):
    """chunks: bytes, or (size line, bytes)."""
    text = b''
    for c in chunks:
        line, data = c if isinstance(c, tuple) else (b'%x' % len(c), c)
        text += line + b'\r\n' + data + b'\r\n'
    return (post(b'', b'Transfer-Encoding: chunked', *fields, length=False) + text +
            b'0\r\n' + trailers + b'\r\n')


def raw_chunks(text):
    return post(b'', b'Transfer-Encoding: chunked', length=False) + text


def framed(*fields, body=b'hello', version=b'1.1'):
    return post(b'', *fields, length=False, version=version) + body


def echo(body):
    return [(200, body)]


GETS = [
    ('9112 2.1', 'a request', get()),
    ('9112 2.2', 'an empty line before', b'\r\n' + get()),
    ('9112 2.2', 'two empty lines before', b'\r\n\r\n' + get()),
    ('9112 3.2.1', 'a query', get(b'/healthz?a=b')),
    ('9112 3.2.1', 'an empty query', get(b'/healthz?')),
    ('9112 3.2.1', 'a query with everything', get(b"/healthz?a/?:@!$&'()*+,;=-._~%41")),
    ('9112 3.2.2', 'absolute form', get(b'http://x/healthz')),
    ('9112 3.2.2', 'absolute form with a port', get(b'http://x:80/healthz')),
    ('9112 3.2.2', 'absolute form, the scheme without case', get(b'HTTP://x/healthz')),
    ('9112 3.2.2', 'absolute form, https', get(b'https://x/healthz')),
    ('9112 3.2.2', 'absolute form of another host', get(b'http://y/healthz')),
    ('9112 3.2.2', 'absolute form of IPv6', get(b'http://[::1]:8080/healthz')),
    ('9112 3.2.2', 'absolute form with a query', get(b'http://x/healthz?q')),
    ('9110 7.2', 'Host with a port', get(host=b'Host: x:3000\r\n')),
    ('9110 7.2', 'Host of IPv4', get(host=b'Host: 127.0.0.1:80\r\n')),
    ('9110 7.2', 'Host of IPv6', get(host=b'Host: [2001:db8::1]:80\r\n')),
    ('9110 7.2', 'Host of IPv6 without a port', get(host=b'Host: [::1]\r\n')),
    ('9110 7.2', 'Host with an empty port', get(host=b'Host: x:\r\n')),
    ('9112 3.2', 'an empty Host', get(host=b'Host:\r\n')),
    ('9110 7.2', 'Host with an underscore and a tilde', get(host=b'Host: a_b~c.d\r\n')),
    ('9110 7.2', 'Host percent-coded', get(host=b'Host: a%2db\r\n')),
    ('9110 7.2', 'Host of 255 bytes', get(host=b'Host: ' + b'a' * 255 + b'\r\n')),
    ('9110 5.1', 'names without case', get(host=b'hOST: x\r\n')),
    ('9112 5.1', 'no blank behind the colon', get(host=b'Host:x\r\n')),
    ('9112 5.1', 'blanks and tabs around a value', get(host=b'Host: \t x \t \r\n')),
    ('9110 5.5', 'an empty value', get(b'/healthz', b'X-A:')),
    ('9110 5.5', 'a value of blanks', get(b'/healthz', b'X-A: \t ')),
    ('9110 5.5', 'bytes above 127 in a value', get(b'/healthz', b'X-A: \xe4\xf6\xff')),
    ('9110 5.5', 'tabs inside a value', get(b'/healthz', b'X-A: a\tb')),
    ('9110 5.6.2', 'a name of every token character', get(b'/healthz', b"!#$%&'*+-.^_`|~0Az: v")),
    ('9110 5.3', 'a field twice', get(b'/healthz', b'X-A: 1', b'X-A: 2')),
    ('9110 5.4', 'a head of 15 KiB', get(b'/healthz', b'X-A: ' + b'a' * 15000)),
    ('9110 5.4', 'a hundred fields', get(b'/healthz', *[b'X-%d: v' % i for i in range(99)])),
    ('9112 3', 'a target of 8000 bytes', get(b'/healthz?' + b'a' * 7900)),
    ('9110 7.8', 'an upgrade to something unknown',
     get(b'/healthz', b'Connection: Upgrade', b'Upgrade: foo/2')),
    ('9110 7.8', 'an upgrade to h2c is not taken',
     get(b'/healthz', b'Connection: Upgrade, HTTP2-Settings', b'Upgrade: h2c',
         b'HTTP2-Settings: AAMAAABkAAQAAP__')),
    ('9110 10.1.4', 'TE: trailers', get(b'/healthz', b'TE: trailers', b'Connection: TE')),
    ('9110 7.6.1', 'Connection with an unknown option', get(b'/healthz', b'Connection: x')),
    ('9110 7.6.1', 'Connection: keep-alive', get(b'/healthz', b'Connection: keep-alive')),
    ('9110 8.6', 'Content-Length: 0 on GET', get(b'/healthz', b'Content-Length: 0')),
    ('9110 9.3.1', 'a body on GET is read', get(b'/healthz', b'Content-Length: 5') + b'hello'),
    ('9110 9.3.1', 'chunks on GET are read',
     get(b'/healthz', b'Transfer-Encoding: chunked') + b'2\r\nhi\r\n0\r\n\r\n'),
    ('9110 10.1.1', 'Expect without a body', get(b'/healthz', b'Expect: 100-continue')),
    ('9110 12.5', 'fields of a browser',
     get(b'/healthz', b'Accept: */*', b'Accept-Encoding: gzip, br', b'Accept-Language: de',
         b'User-Agent: x', b'Cookie: a=b; c=d', b'Cache-Control: no-cache')),
]

ECHOES = [
    ('9110 8.6', 'a body', post(b'hello'), b'hello'),
    ('9110 8.6', 'no body', post(b''), b''),
    ('9110 8.6', 'a length with leading zeros', framed(b'Content-Length: 0005'), b'hello'),
    ('9110 8.6', 'blanks around the length', framed(b'Content-Length: \t5 '), b'hello'),
    ('9110 8.6', 'neither length nor coding: no body', framed(body=b''), b''),
    ('9110 8.6', 'bytes of every value', post(bytes(range(256)) * 8), bytes(range(256)) * 8),
    ('9110 8.6', 'what looks like a request', post(get()), get()),
    ('9110 8.6', '70,000 bytes', post(b'q' * 70000), b'q' * 70000),
    ('9110 8.6', 'the largest body', post(b'z' * 1000000), b'z' * 1000000),
    ('9110 8.3', 'any media type', post(b'{', b'Content-Type: application/json'), b'{'),
    ('9110 8.4', 'a content coding is the body\'s own', post(b'x', b'Content-Encoding: gzip'), b'x'),
    ('9112 7.1', 'one chunk', chunked(b'hello'), b'hello'),
    ('9112 7.1', 'several chunks', chunked(b'a', b'bc', b'def'), b'abcdef'),
    ('9112 7.1', 'no chunk', chunked(), b''),
    ('9112 7.1', 'the coding without case',
     framed(b'Transfer-Encoding: ChUnKeD', body=b'1\r\na\r\n0\r\n\r\n'), b'a'),
    ('9112 7.1', 'blanks around the coding',
     framed(b'Transfer-Encoding: \t chunked \t', body=b'1\r\na\r\n0\r\n\r\n'), b'a'),
    ('9112 7.1', 'sizes in upper case', chunked((b'A', b'0123456789')), b'0123456789'),
    ('9112 7.1', 'sizes in lower case', chunked((b'a', b'0123456789')), b'0123456789'),
    ('9112 7.1', 'sizes with leading zeros', chunked((b'0000000000000005', b'hello')), b'hello'),
    ('9112 7.1', 'a last chunk of many zeros', raw_chunks(b'1\r\na\r\n0000\r\n\r\n'), b'a'),
    ('9112 7.1', 'CR and LF inside a chunk', chunked(b'\r\n0\r\n\r\n'), b'\r\n0\r\n\r\n'),
    ('9112 7.1', 'what looks like a request', chunked(get()), get()),
    ('9112 7.1', 'a large chunk', chunked(b'c' * 200000), b'c' * 200000),
    ('9112 7.1', 'a thousand chunks', chunked(*[b'x'] * 1000), b'x' * 1000),
    ('9112 7.1', 'a million bytes in chunks', chunked(*[b'x' * 50000] * 20), b'x' * 1000000),
    ('9112 7.1.1', 'an extension', chunked((b'1;a', b'x')), b'x'),
    ('9112 7.1.1', 'an extension with a value', chunked((b'1;a=b', b'x')), b'x'),
    ('9112 7.1.1', 'a quoted value', chunked((b'1;a="b c;\\"d"', b'x')), b'x'),
    ('9112 7.1.1', 'two extensions', chunked((b'1;a=b;c', b'x')), b'x'),
    ('9112 7.1.1', 'bad white space is passed over', chunked((b'1 ; a = b ;\tc="d"', b'x')), b'x'),
    ('9112 7.1.1', 'an extension of the last chunk', raw_chunks(b'1\r\na\r\n0;end\r\n\r\n'), b'a'),
    ('9112 7.1.2', 'a trailer', chunked(b'x', trailers=b'X-Sum: 1\r\n'), b'x'),
    ('9112 7.1.2', 'several trailers', chunked(b'x', trailers=b'A: 1\r\nB:\r\nC: \t3\r\n'), b'x'),
    ('9112 7.1.2', 'an announced trailer',
     chunked(b'x', fields=(b'Trailer: X-Sum',), trailers=b'X-Sum: 1\r\n'), b'x'),
    ('9110 10.1.1', 'Expect with the body at once', post(b'hi', b'Expect: 100-continue'), b'hi'),
    ('9110 10.1.1', 'Expect without case', post(b'hi', b'Expect: 100-Continue'), b'hi'),
    ('9112 9.3', 'Connection: keep-alive', post(b'hi', b'Connection: keep-alive'), b'hi'),
]

ACCEPTED = [(s, w, b, OK) for s, w, b in GETS] + [
    (s, w, b, echo(body)) for s, w, b, body in ECHOES] + [
    ('9112 9.3.2', 'two requests at once', get() * 2, OK * 2),
    ('9112 9.3.2', 'fifty requests at once', get() * 50, OK * 50),
    ('9112 9.3.2', 'bodies between requests', post(b'a') + get() + post(b'bc') + chunked(b'd') + get(),
     [(200, b'a')] + OK + [(200, b'bc'), (200, b'd')] + OK),
    ('9112 9.3.2', 'a 404 between requests', get() + get(b'/nothing') + get(),
     OK + [(404, None)] + OK),
    ('9112 9.3.2', 'a 405 between requests', get() + get(b'/echo') + get(), OK + [(405, None)] + OK),
    ('9112 9.3.2', 'a HEAD between requests', get() + get(method=b'HEAD') + get(),
     OK + [('HEAD', b'')] + OK),
    ('9112 2.2', 'empty lines between requests', get() + b'\r\n' + get(), OK * 2),
    ('9112 9.3', 'the body of a 405 is not the next request',
     get(b'/healthz', b'Content-Length: 23', method=b'PUT') + b'GET /x HTTP/1.1\r\nA: b\r\n' + get(),
     [(None, None)] + OK),
    ('9110 9.3.2', 'HEAD', get(method=b'HEAD'), [('HEAD', b'')]),
    ('9110 9.3.2', 'HEAD of nothing', get(b'/nothing', method=b'HEAD'), [('HEAD404', b'')]),
    ('9110 15.5.5', 'an unknown path', get(b'/nothing'), [(404, None)]),
    ('9110 15.5.5', 'the root', get(b'/'), [(404, None)]),
    ('9110 4.2.3', 'a path has its case', get(b'/HEALTHZ'), [(404, None)]),
    ('9110 15.5.6', 'GET where only POST is', get(b'/echo'), [('405 POST', None)]),
    ('9110 15.5.6', 'PUT where only POST is', get(b'/echo', b'Content-Length: 0', method=b'PUT'),
     [('405 POST', None)]),
    ('9110 15.5.6', 'DELETE where only POST is', get(b'/echo', method=b'DELETE'), [('405 POST', None)]),
    ('9110 15.5.6', 'PATCH where only POST is', get(b'/echo', b'Content-Length: 0', method=b'PATCH'),
     [('405 POST', None)]),
    ('9110 9.3.7', 'OPTIONS where only POST is', get(b'/echo', method=b'OPTIONS'), [('405 POST', None)]),
    ('9110 9.3.8', 'TRACE where only POST is', get(b'/echo', method=b'TRACE'), [('405 POST', None)]),
    ('9112 3.2.4', 'OPTIONS *', get(b'*', method=b'OPTIONS'), [(204, None)]),
    ('9112 3.2.4', 'OPTIONS of an authority', get(b'http://x:1', method=b'OPTIONS'), [(204, None)]),
    ('9112 9.3', 'HTTP/1.0 with keep-alive', get(b'/healthz', b'Connection: keep-alive', version=b'1.0'),
     OK),
    ('9112 9.3', 'HTTP/1.0 with Keep-Alive', get(b'/healthz', b'Connection: Keep-Alive', version=b'1.0'),
     OK),
    ('9112 9.3', 'a body in HTTP/1.0', post(b'abc', b'Connection: keep-alive', version=b'1.0'),
     echo(b'abc')),
    ('9110 10.1.1', 'HTTP/1.0 has no expectations',
     post(b'abc', b'Connection: keep-alive', b'Expect: 100-continue', version=b'1.0'), echo(b'abc')),
    ('9110 10.1.1', 'HTTP/1.0 has none that are unknown either',
     post(b'abc', b'Connection: keep-alive', b'Expect: x', version=b'1.0'), echo(b'abc')),
    ('9112 3.2.1', 'a path percent-coded is decoded once', get(b'/healthz%2541'), [(404, None)]),
    ('9112 3.2.1', 'a dot segment is no other name', get(b'/x/../healthz'), [(404, None)]),
    ('9112 3.2.1', 'a slash more is no other name', get(b'//healthz'), [(404, None)]),
]

LAST = [
    ('9112 9.3', 'HTTP/1.0', get(version=b'1.0'), OK),
    ('9112 9.3', 'HTTP/1.0 without Host', get(host=b'', version=b'1.0'), OK),
    ('9112 9.6', 'Connection: close', get(b'/healthz', b'Connection: close'), OK),
    ('9112 9.6', 'Connection: Close', get(b'/healthz', b'Connection: Close'), OK),
    ('9112 9.6', 'close among other options', get(b'/healthz', b'Connection: x, close ,y'), OK),
    ('9112 9.6', 'close in a second field', get(b'/healthz', b'Connection: x', b'Connection: close'), OK),
    ('9112 9.6', 'close beats keep-alive', get(b'/healthz', b'Connection: keep-alive, close'), OK),
    ('9112 9.3', 'close beats keep-alive in HTTP/1.0',
     get(b'/healthz', b'Connection: keep-alive, close', version=b'1.0'), OK),
    ('9112 9.6', 'nothing behind close is answered',
     get(b'/healthz', b'Connection: close') + get() * 3, OK),
    ('9112 9.6', 'close of a body', post(b'abc', b'Connection: close') + get(), echo(b'abc')),
    ('9112 9.6', 'close of a large body', post(b'l' * 900000, b'Connection: close'),
     echo(b'l' * 900000)),
    ('9112 9.6', 'requests before close are answered', get() * 3 + get(b'/nothing', b'Connection: close') +
     get(), OK * 3 + [(404, None)]),
    ('9110 9.3.2', 'HEAD with close', get(b'/healthz', b'Connection: close', method=b'HEAD'),
     [('HEAD', b'')]),
]

BAD = {400}
REFUSED = [
    # where a body ends: RFC 9112 6
    ('9112 6.3', 'two lengths that differ', framed(b'Content-Length: 5', b'Content-Length: 6'), BAD),
    ('9112 6.3', 'two lengths that are the same', framed(b'Content-Length: 5', b'Content-Length: 5'), BAD),
    ('9112 6.3', 'two lengths, one in another case', framed(b'Content-Length: 5', b'content-length: 5'), BAD),
    ('9112 6.3', 'a list of lengths', framed(b'Content-Length: 5, 5'), BAD),
    ('9112 6.3', 'a list of lengths without a blank', framed(b'Content-Length: 5,5'), BAD),
    ('9112 6.3', 'a list that differs', framed(b'Content-Length: 5, 6'), BAD),
    ('9112 6.3', 'a length and an empty member', framed(b'Content-Length: 5,'), BAD),
    ('9112 6.1', 'length and chunked', framed(b'Content-Length: 5', b'Transfer-Encoding: chunked'), BAD),
    ('9112 6.1', 'chunked and length', framed(b'Transfer-Encoding: chunked', b'Content-Length: 5',
                                             body=b'0\r\n\r\n'), BAD),
    ('9112 6.1', 'length 0 and chunked', framed(b'Content-Length: 0', b'Transfer-Encoding: chunked',
                                               body=b'0\r\n\r\n'), BAD),
    ('9112 6.1', 'length and an unknown coding', framed(b'Content-Length: 5', b'Transfer-Encoding: x'),
     BAD | {501}),
    ('9112 6.1', 'length and an empty coding', framed(b'Content-Length: 5', b'Transfer-Encoding:'), BAD),
    ('9112 6.1', 'chunked in HTTP/1.0', framed(b'Transfer-Encoding: chunked', body=b'0\r\n\r\n',
                                              version=b'1.0'), BAD),
    ('9112 6.1', 'chunked in HTTP/1.0 that stays',
     framed(b'Transfer-Encoding: chunked', b'Connection: keep-alive', body=b'0\r\n\r\n', version=b'1.0'), BAD),
    ('9112 6.1', 'chunked twice', framed(b'Transfer-Encoding: chunked, chunked', body=b'0\r\n\r\n'), BAD),
    ('9112 6.1', 'chunked in two fields', framed(b'Transfer-Encoding: chunked', b'Transfer-Encoding: chunked',
                                                body=b'0\r\n\r\n'), BAD),
    ('9112 6.3', 'chunked is not last', framed(b'Transfer-Encoding: chunked, gzip', body=b'0\r\n\r\n'), BAD),
    ('9112 6.3', 'identity behind chunked', framed(b'Transfer-Encoding: chunked, identity',
                                                  body=b'0\r\n\r\n'), BAD),
    ('9112 6.3', 'identity in a second field', framed(b'Transfer-Encoding: chunked',
                                                     b'Transfer-Encoding: identity', body=b'0\r\n\r\n'), BAD),
    ('9112 6.1', 'gzip below chunked', framed(b'Transfer-Encoding: gzip, chunked', body=b'0\r\n\r\n'), {501}),
    ('9112 6.1', 'gzip in a field before', framed(b'Transfer-Encoding: gzip', b'Transfer-Encoding: chunked',
                                                 body=b'0\r\n\r\n'), {501}),
    ('9112 6.1', 'gzip alone', framed(b'Transfer-Encoding: gzip'), BAD | {501}),
    ('9112 6.1', 'identity alone', framed(b'Transfer-Encoding: identity'), BAD | {501}),
    ('9112 6.1', 'an unknown coding', framed(b'Transfer-Encoding: xchunked'), BAD | {501}),
    ('9112 6.1', 'chunkedx', framed(b'Transfer-Encoding: chunkedx'), BAD | {501}),
    ('9112 6.1', 'an empty coding', framed(b'Transfer-Encoding:'), BAD),
    ('9112 6.1', 'an empty member before', framed(b'Transfer-Encoding: , chunked', body=b'0\r\n\r\n'), BAD),
    ('9112 6.1', 'an empty member behind', framed(b'Transfer-Encoding: chunked,', body=b'0\r\n\r\n'), BAD),
    ('9112 7', 'chunked with a parameter', framed(b'Transfer-Encoding: chunked;q=1', body=b'0\r\n\r\n'), BAD),
    ('9112 7', 'chunked in quotes', framed(b'Transfer-Encoding: "chunked"', body=b'0\r\n\r\n'), BAD),
    ('9112 6.1', 'a vertical tab before chunked', framed(b'Transfer-Encoding: \x0bchunked',
                                                        body=b'0\r\n\r\n'), BAD),
    ('9112 6.1', 'a NUL behind chunked', framed(b'Transfer-Encoding: chunked\0', body=b'0\r\n\r\n'), BAD),
    ('9112 5.1', 'a blank before the colon of the coding',
     framed(b'Transfer-Encoding : chunked', body=b'0\r\n\r\n'), BAD),
    ('9112 5.1', 'the same beside a length', framed(b'Content-Length: 5', b'Transfer-Encoding : chunked'), BAD),
    ('9112 5.1', 'a tab before the colon of the length', framed(b'Content-Length\t: 5'), BAD),
    ('9112 5.2', 'a folded coding', framed(b'Transfer-Encoding:\r\n chunked', body=b'0\r\n\r\n'), BAD),
] + [('9110 8.6', f'Content-Length: {v.decode("latin-1")!r}', framed(b'Content-Length: ' + v), BAD) for v in (
    b'+5', b'-5', b'0x5', b'5a', b'a', b'', b'5 5', b'5.0', b'5e0', b'"5"', b'5;', b'\xb2', b'1_0',
    b'18446744073709551616', b'18446744073709551621', b'9' * 40)] + [
    # chunks: RFC 9112 7.1
    ('9112 7.1', f'a chunk\'s size {line.decode("latin-1")!r}', raw_chunks(line + b'\r\nhello\r\n0\r\n\r\n'), BAD)
    for line in (b'', b'g', b'0x5', b'+5', b'-5', b' 5', b'5 ', b'5\t', b'5 5', b'5,5', b'5\0', b'5\x0b', b'"5"',
                 b'5.', b'00000000000000005', b'ffffffffffffffff', b'8000000000000000', b'f' * 17, b'10000000000000005',
                 b'\xef\xbc\x95')] + [
    ('9112 7.1', 'a size ended by LF', raw_chunks(b'5\nhello\r\n0\r\n\r\n'), BAD),
    ('9112 7.1', 'a size ended by CR', raw_chunks(b'5\rhello\r\n0\r\n\r\n'), BAD),
    ('9112 7.1', 'data ended by LF', raw_chunks(b'5\r\nhello\n0\r\n\r\n'), BAD),
    ('9112 7.1', 'data ended by CR', raw_chunks(b'5\r\nhello\r0\r\n\r\n'), BAD),
    ('9112 7.1', 'data ended by nothing', raw_chunks(b'5\r\nhello0\r\n\r\n'), BAD),
    ('9112 7.1', 'data longer than it says', raw_chunks(b'3\r\nhello\r\n0\r\n\r\n'), BAD),
    ('9112 7.1', 'data shorter than it says', raw_chunks(b'7\r\nhello\r\n0\r\n\r\n'), BAD),
    ('9112 7.1', 'a last chunk ended by LF', raw_chunks(b'1\r\na\r\n0\n\r\n'), BAD),
    ('9112 7.1', 'an end of LF', raw_chunks(b'1\r\na\r\n0\r\n\n'), BAD),
    ('9112 7.1', 'an empty line between chunks', raw_chunks(b'1\r\na\r\n\r\n1\r\nb\r\n0\r\n\r\n'), BAD),
] + [('9112 7.1.1', f'an extension {e.decode("latin-1")!r}', raw_chunks(b'1' + e + b'\r\na\r\n0\r\n\r\n'), BAD) for e in (
    b';', b';=a', b';a=', b';a b', b';a=b c', b';a="b', b';a="b"c', b';a\nb', b';a\rb', b';a=b\n', b';\0', b';a=\x01',
    b';a="\n"', b';a="b\\\n"', b';a ', b';;a', b';a=;b')] + [
    ('9112 7.1.1', 'an extension ended by LF', raw_chunks(b'1;a\na\r\n0\r\n\r\n'), BAD),
] + [('9112 7.1.2', f'a trailer {t.decode("latin-1")!r}', raw_chunks(b'1\r\na\r\n0\r\n' + t + b'\r\n'), BAD) for t in (
    b'A\r\n', b': b\r\n', b'A : b\r\n', b' A: b\r\n', b'A: b\r\n c\r\n', b'A: b\n', b'A: b\rc\r\n', b'A: \0\r\n',
    b'A: b\x7f\r\n', b'A\0: b\r\n', b'(A): b\r\n', b'GET /healthz HTTP/1.1\r\n')] + [
    ('9110 6.5.1', f'{n.decode()} as a trailer', raw_chunks(b'1\r\na\r\n0\r\n' + n + b': 1\r\n\r\n'), BAD)
    for n in (b'Content-Length', b'content-length', b'Transfer-Encoding', b'Host')] + [
    # lines and fields: RFC 9112 2.2, 5; RFC 9110 5
    ('9112 2.2', 'lines that end with LF', b'GET /healthz HTTP/1.1\nHost: x\n\n', BAD),
    ('9112 2.2', 'one field that ends with LF', b'GET /healthz HTTP/1.1\r\nHost: x\nA: b\r\n\r\n', BAD),
    ('9112 2.2', 'the empty line is LF', b'GET /healthz HTTP/1.1\r\nHost: x\r\n\n', BAD),
    ('9112 2.2', 'the first line ends with LF', b'GET /healthz HTTP/1.1\nHost: x\r\n\r\n', BAD),
    ('9112 2.2', 'CR inside the first line', b'GET /healthz\r HTTP/1.1\r\nHost: x\r\n\r\n', BAD),
    ('9112 2.2', 'CR inside a value', get(b'/healthz', b'X: a\rb'), BAD),
    ('9112 2.2', 'CR at the end of a value', get(b'/healthz', b'X: a\r'), BAD),
    ('9112 2.2', 'CR for a line end', get(b'/healthz', b'X: a\rContent-Length: 5'), BAD),
    ('9112 2.2', 'LF before a request', b'\n' + get(), BAD),
    ('9112 2.2', 'CR before a request', b'\r' + get(), BAD),
    ('9112 2.2', 'a hundred empty lines before', b'\r\n' * 100 + get(), BAD),
    ('9112 2.2', 'white space before the first field', b'GET /healthz HTTP/1.1\r\n X: y\r\n' + H + b'\r\n', BAD),
    ('9112 2.2', 'a tab before the first field', b'GET /healthz HTTP/1.1\r\n\tHost: x\r\n\r\n', BAD),
    ('9112 5.2', 'a folded value', get(b'/healthz', b'X: a\r\n b'), BAD),
    ('9112 5.2', 'a value folded by a tab', get(b'/healthz', b'X: a\r\n\tb'), BAD),
    ('9112 5.2', 'a folded empty value', get(b'/healthz', b'X:\r\n '), BAD),
    ('9112 5.2', 'a folded Host', get(host=b'Host:\r\n x\r\n'), BAD),
    ('9112 5.1', 'a blank before a colon', get(b'/healthz', b'X : a'), BAD),
    ('9112 5.1', 'a tab before a colon', get(b'/healthz', b'X\t: a'), BAD),
    ('9112 5.1', 'a blank before the colon of Host', get(host=b'Host : x\r\n'), BAD),
    ('9112 5', 'a line without a colon', get(b'/healthz', b'abc'), BAD),
    ('9112 5', 'a line that begins with a colon', get(b'/healthz', b': a'), BAD),
    ('9112 5', 'a colon alone', get(b'/healthz', b':'), BAD),
] + [('9110 5.1', f'a name with {c!r}', get(b'/healthz', b'X' + c + b'Y: a'), BAD) for c in (
    b'\0', b'\x01', b'\x0b', b'\x7f', b'\x80', b'\xff', b' ', b'(', b')', b'<', b'@', b',', b';', b'\\', b'"', b'/',
    b'[', b'?', b'=', b'{')] + [
    ('9110 5.5', f'a value with {c!r}', get(b'/healthz', b'X: a' + c + b'b'), BAD) for c in (
        b'\0', b'\x01', b'\x08', b'\x0b', b'\x0c', b'\x1b', b'\x1f', b'\x7f')] + [
    # the first line: RFC 9112 3
    ('9112 3', 'two blanks before the target', b'GET  /healthz HTTP/1.1\r\n' + H + b'\r\n', BAD),
    ('9112 3', 'two blanks before the version', b'GET /healthz  HTTP/1.1\r\n' + H + b'\r\n', BAD),
    ('9112 3', 'a tab for a blank', b'GET\t/healthz\tHTTP/1.1\r\n' + H + b'\r\n', BAD),
    ('9112 3', 'a blank at the end', b'GET /healthz HTTP/1.1 \r\n' + H + b'\r\n', BAD),
    ('9112 3', 'a blank at the beginning', b' GET /healthz HTTP/1.1\r\n' + H + b'\r\n', BAD),
    ('9112 3', 'a blank inside the target', get(b'/health z'), BAD),
    ('9112 3', 'no target', b'GET HTTP/1.1\r\n' + H + b'\r\n', BAD),
    ('9112 3', 'a method alone', b'GET\r\n' + H + b'\r\n', BAD),
    ('9112 3', 'no method', b'/healthz HTTP/1.1\r\n' + H + b'\r\n', BAD),
    ('9112 3', 'HTTP/0.9', b'GET /healthz\r\n\r\n', BAD | {505}),
    ('9112 3', 'an answer', b'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', BAD),
    ('9112 3', 'nonsense', b'nonsense\r\n\r\n', BAD),
    ('9112 3', 'TLS', b'\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', BAD),
    ('9112 3', 'bytes above 127', b'\xff\xfe\xfd\r\n\r\n', BAD),
] + [('9112 2.3', f'version {v.decode()}', b'GET /healthz ' + v + b'\r\n' + H + b'\r\n', s) for v, s in (
    (b'HTTP/2.0', {505}), (b'HTTP/3.0', {505}), (b'HTTP/1.2', {505}), (b'HTTP/1.9', {505}), (b'HTTP/0.9', {505}),
    (b'HTTP/0.0', {505}), (b'HTTP/1', BAD), (b'HTTP/11', BAD), (b'HTTP/1.10', BAD), (b'HTTP/1.1.1', BAD),
    (b'http/1.1', BAD), (b'Http/1.1', BAD), (b'HTTP/1,1', BAD), (b'HTTP/-1.1', BAD), (b'HTTP /1.1', BAD),
    (b'HTTPS/1.1', BAD), (b'HTTP/1.x', BAD), (b'HTTP/a.1', BAD), (b'XTTP/1.1', BAD))] + [
    ('9113 3.4', 'the preface of HTTP/2', b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', {505, 400}),
    ('9110 9.1', 'an unknown method', get(method=b'BREW'), {501}),
    ('9110 9.1', 'a method has its case', get(method=b'get'), {501}),
    ('9110 9.1', 'a method longer than any', get(method=b'A' * 200), {501, 400}),
    ('9110 9.1', 'a method that does not end', b'A' * 20000, {501, 400, 414}),
    ('9110 9.1', 'a method with a character that is none', get(method=b'G(T'), BAD),
    ('9110 9.3.6', 'CONNECT', get(b'x:443', method=b'CONNECT'), {501, 405, 400}),
    ('9110 9.3.6', 'CONNECT of a path', get(b'/echo', method=b'CONNECT'), {501, 405, 400}),
    ('9110 9.3.8', 'TRACE with a body', get(b'/echo', b'Content-Length: 1', method=b'TRACE') + b'x', BAD),
    ('9112 3.2.1', 'a target without a slash', get(b'healthz'), BAD),
    ('9112 3.2.3', 'authority form for GET', get(b'x:80'), BAD),
    ('9112 3.2.4', 'GET *', get(b'*'), BAD),
    ('9112 3.2.4', 'POST *', get(b'*', b'Content-Length: 0', method=b'POST'), BAD),
    ('9112 3.2.2', 'another scheme', get(b'ftp://x/healthz'), BAD),
    ('9112 3.2.2', 'absolute form without a host', get(b'http:///healthz'), BAD),
    ('9110 4.2.4', 'absolute form with a user', get(b'http://u@x/healthz'), BAD),
    ('9110 4.2.4', 'absolute form with a password', get(b'http://u:p@x/healthz'), BAD),
    ('9112 3.2.2', 'absolute form with a bad port', get(b'http://x:99999/healthz'), BAD),
    ('9112 3.2.2', 'absolute form without Host', get(b'http://x/healthz', host=b''), BAD),
    ('9110 4.2.5', 'a fragment', get(b'/healthz#a'), BAD),
] + [('9112 3.2', f'a target with {c!r}', get(b'/a' + c + b'b'), BAD) for c in (
    b'\0', b'\x01', b'\x7f', b'\x80', b'\xc3\xa4', b'"', b'<', b'>', b'\t')] + [
    # Host: RFC 9112 3.2, RFC 9110 7.2
    ('9112 3.2', 'no Host', get(host=b''), BAD),
    ('9112 3.2', 'no Host but fields', get(b'/healthz', b'A: b', host=b''), BAD),
    ('9112 3.2', 'two Hosts', get(b'/healthz', b'Host: x'), BAD),
    ('9112 3.2', 'two Hosts that differ', get(b'/healthz', b'Host: y'), BAD),
    ('9112 3.2', 'two Hosts in HTTP/1.0', get(b'/healthz', b'Host: y', version=b'1.0'), BAD),
    ('9112 3.2', 'two Hosts, one in another case', get(b'/healthz', b'HOST: x'), BAD),
] + [('9110 7.2', f'Host: {v.decode("latin-1")!r}', get(host=b'Host: ' + v + b'\r\n'), BAD) for v in (
    b'a b', b'a/b', b'http://a', b'u@a', b'a?b', b'a#b', b'a\\b', b'a, b', b'a:b', b'a:80:80', b'a:-1', b'a:65536',
    b'a:99999', b':80', b'[::1', b'::1', b'[::1]x', b'[]', b'[x]', b'[::1%25eth0]', b'a%', b'a%4', b'a%zz', b'a\x80',
    b'<a>', b'a"b', b'a^b', b'{a}', b'a|b', b'a`b', b'a' * 300)] + [
    ('9110 10.1.1', 'an unknown expectation', post(b'x', b'Expect: x'), {417}),
    ('9110 10.1.1', 'an unknown expectation beside the known', post(b'x', b'Expect: 100-continue, x'), {417}),
    ('9110 10.1.1', 'an expectation with a value', post(b'x', b'Expect: 100-continue=1'), {417}),
    # limits
    ('9112 3', 'a target of 40,000 bytes', get(b'/' + b'a' * 40000), {414, 431}),
    ('9112 3', 'a target that does not end', b'GET /' + b'a' * 70000, {414, 431, 400}),
    ('6585 5', 'a field of 70,000 bytes', get(b'/healthz', b'X: ' + b'a' * 70000), {431}),
    ('6585 5', 'a name of 70,000 bytes', get(b'/healthz', b'a' * 70000 + b': b'), {431}),
    ('6585 5', 'a head of 70,000 bytes of fields', get(b'/healthz', *[b'X-A: ' + b'a' * 95] * 700), {431}),
    ('6585 5', '10,000 fields', get(b'/healthz', *[b'X: '] * 10000), {431}),
    ('9110 15.5.14', 'a body one byte too large', post(b'x' * 1000001), {413}),
    ('9110 15.5.14', 'a length of 2 GB', framed(b'Content-Length: 2147483648'), {413}),
    ('9110 15.5.14', 'a length of 2^62', framed(b'Content-Length: 4611686018427387904'), {413, 400}),
    ('9110 15.5.14', 'chunks one byte too many', chunked(*[b'x' * 50000] * 20, b'y'), {413}),
    ('9110 15.5.14', 'too large, and the body is expected', framed(
        b'Content-Length: 1000001', b'Expect: 100-continue', body=b''), {413}),
    ('9112 7.1.1', 'extensions of 100,000 bytes', raw_chunks(b'1;' + b'a' * 100000 + b'\r\na\r\n0\r\n\r\n'),
     {431, 400, 413}),
    ('9112 7.1.1', 'extensions of 100,000 bytes in many chunks',
     raw_chunks((b'1;' + b'a' * 100 + b'\r\na\r\n') * 1000 + b'0\r\n\r\n'), {431, 400, 413}),
    ('9112 7.1.2', 'trailers of 100,000 bytes', raw_chunks(b'0\r\n' + b'X: aaaaaaaaaa\r\n' * 8000 + b'\r\n'),
     {431, 400, 413}),
]
