"""file_rows.py: the rows of 12_files.py: what is asked of /static/ and what
has to come. A row: section, what, target below /static/ (coded, as it goes
on the wire), fields, expected. Expected: status, then what the answer has:
body=bytes, f_<field>=value or None (absent) or re.Pattern; method=... asks by
another method. {tag}, {then}, {before}, {after} in fields are the ETag of the
same target and dates around its modification."""
import re

TEXT = b'abcdefghijklmnopqrstuvwxyz'
THEN = 784111777        # Sun, 06 Nov 1994 08:49:37 GMT
STRONG = re.compile(r'^"[\x21\x23-\x7e]+"$')
R9110 = 'RFC 9110 '


def row(section, what, target, fields, status, **want):
    return (section, what, target, fields, status, want)


def ok(what, target, body=TEXT, **want):
    return row(R9110 + '15.3.1', what, target, '', 200, body=body, **want)


def gone(what, target):
    """Never served, and the connection goes on."""
    return row(R9110 + '17.3', what, target, '', 404)


PLAIN = [
    ok('a file', 'hello.txt', f_content_type='text/plain; charset=utf-8',
       f_content_length='26', f_etag=STRONG, f_accept_ranges='bytes',
       f_last_modified='Sun, 06 Nov 1994 08:49:37 GMT',
       f_x_content_type_options='nosniff', f_vary='Accept-Encoding',
       f_content_encoding=None),
    ok('html', 'page.html', b'<p>', f_content_type='text/html; charset=utf-8'),
    ok('css', 'style.css', b'p{}', f_content_type='text/css; charset=utf-8'),
    ok('js', 'app.js', b'1;', f_content_type='text/javascript; charset=utf-8'),
    ok('bin', 'data.bin', bytes(range(256)), f_content_type='application/octet-stream'),
    ok('JSON', 'data.json', b'{}', f_content_type='application/json'),
    ok('svg', 'pic.svg', b'<svg/>', f_content_type='image/svg+xml'),
    ok('a suffix in capitals', 'LOUD.TXT', b'!', f_content_type='text/plain; charset=utf-8'),
    ok('an unknown suffix', 'weird.xyz', b'x', f_content_type='application/octet-stream'),
    ok('no suffix', 'noext', b'n', f_content_type='application/octet-stream'),
    ok('empty', 'empty.txt', b'', f_content_length='0'),
    ok('in a folder', 'sub/in.txt', b'in'),
    ok('with a query', 'hello.txt?a=../b'),
    ok('larger than what is kept', 'large.bin', b'L' * 300000),
    row(R9110 + '9.3.2', 'HEAD', 'hello.txt', '', 200, method='HEAD', body=b'',
        f_content_length='26', f_etag=STRONG, f_content_type='text/plain; charset=utf-8'),
    row(R9110 + '9.3.2', 'HEAD of a large one', 'large.bin', '', 200, method='HEAD', body=b'',
        f_content_length='300000'),
    row(R9110 + '9.3.2', 'HEAD of what is not there', 'none.txt', '', 404, method='HEAD', body=b''),
] + [
    row(R9110 + '15.5.6', m, 'hello.txt', 'Content-Length: 0\r\n', 405, method=m,
        f_allow='GET, HEAD')
    for m in ('POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS')
]

CODED = [
    ok('a coded letter', '%68ello.txt'),
    ok('all coded', '%68%65%6C%6c%6F%2e%74%78%74'),
    ok('a space', 'sp%20ace.txt', b'space'),
    ok('a coded slash', 'sub%2fin.txt', b'in'),
    ok('a coded slash, capitals', 'sub%2Fin.txt', b'in'),
    ok('a plus is a plus', 'plus+.txt', b'plus'),
    ok('UTF-8', '%C3%BCmlaut.txt', b'umlaut'),
    ok('a percent sign, decoded once', 'a%2541.txt', b'percent'),
    ok('a question mark', 'q%3F.txt', b'question'),
    ok('a semicolon', 'semi;colon.txt', b'semi'),
    gone('decoded twice it would be there', '%2568ello.txt'),
    gone('a backslash', 'sub%5cin.txt'),
    gone('NUL', 'hello.txt%00'),
    gone('NUL and a suffix', 'hello.txt%00.png'),
    gone('not UTF-8', 'hello%ff.txt'),
    gone('overlong UTF-8 for a dot', '%c0%ae%c0%ae/outside.txt'),
    gone('overlong UTF-8 for a slash', 'sub%c0%afin.txt'),
    gone('overlong, three bytes', '%e0%80%ae%e0%80%ae/outside.txt'),
    gone('a surrogate', '%ed%a0%80.txt'),
    gone('a control character', 'hello.txt%0a'),
    gone('DEL', 'hello%7f.txt'),
    gone('a name of 256 bytes', 'n' * 256),
    gone('a path of 2,000 bytes', 'sub/' * 500 + 'in.txt'),
]

OUT = [gone(what, target) for what, target in (
    ('..', '../outside.txt'),
    ('.. twice', '../../etc/passwd'),
    ('.. in the middle', 'sub/../../outside.txt'),
    ('.. that stays within', 'sub/../hello.txt'),
    ('coded dots', '%2e%2e/outside.txt'),
    ('half coded dots', '.%2e/outside.txt'),
    ('half coded dots, the other', '%2E./outside.txt'),
    ('coded dots and slash', '%2e%2e%2foutside.txt'),
    ('coded slash', '..%2foutside.txt'),
    ('coded backslash', '..%5coutside.txt'),
    ('double coding', '%252e%252e/outside.txt'),
    ('double coded slash', '..%252foutside.txt'),
    ('many dots', '..../outside.txt'),
    ('dots and a semicolon', '..;/outside.txt'),
    ('absolute', '/etc/passwd'),
    ('absolute, coded', '%2fetc%2fpasswd'),
    ('a dot', './hello.txt'),
    ('a dot within', 'sub/./in.txt'),
    ('an empty name', 'sub//in.txt'),
    ('nothing but dots', '..'),
    ('.. at the end', 'sub/..'),
    ('a link out, absolute', 'out.txt'),
    ('a link out, relative', 'out2.txt'),
    ('a link to a folder outside', 'outdir/outside.txt'),
    ('a link to a link out', 'out3.txt'),
    ('an absolute link, though it leads back in', 'abs.txt'),
    ('a link to itself', 'loop.txt'),
    ('a link to nothing', 'dangling.txt'),
    ('a link through the root folder and back', 'around.txt'),
    ('/proc/self/root', 'proc.txt'),
)] + [
    ok('a link within', 'link.txt'),
    ok('a link up within', 'sub/up.txt'),
    ok('a folder that is a link within', 'dirlink/in.txt', b'in'),
]

KINDS = [gone(what, target) for what, target in (
    ('nothing', ''),
    ('a folder', 'sub'),
    ('a folder with its slash', 'sub/'),
    ('a file with a slash', 'hello.txt/'),
    ('below a file', 'hello.txt/x'),
    ('a fifo', 'fifo'),
    ('a socket', 'sock'),
    ('a device', 'null'),
    ('hidden', '.hidden'),
    ('hidden, coded', '%2ehidden'),
    ('hidden in a folder', 'sub/.hidden'),
    ('in a hidden folder', '.dir/in.txt'),
    ('in a hidden folder, coded', '%2edir/in.txt'),
    ('not there', 'none.txt'),
    ('another case', 'HELLO.txt'),
)]

C = R9110 + '13'
CONDITIONS = [
    row(C + '.1.2', 'If-None-Match', 'hello.txt', 'If-None-Match: {tag}\r\n', 304, body=b'',
        f_etag=STRONG, f_content_length=None, f_content_type=None, f_vary='Accept-Encoding'),
    row(C + '.1.2', 'If-None-Match weakly', 'hello.txt', 'If-None-Match: W/{tag}\r\n', 304),
    row(C + '.1.2', 'If-None-Match of a list', 'hello.txt', 'If-None-Match: "a,b", W/"c" ,{tag}\r\n', 304),
    row(C + '.1.2', 'If-None-Match in two fields', 'hello.txt',
        'If-None-Match: "x"\r\nIf-None-Match: {tag}\r\n', 304),
    row(C + '.1.2', 'If-None-Match *', 'hello.txt', 'If-None-Match: *\r\n', 304),
    row(C + '.1.2', 'another tag', 'hello.txt', 'If-None-Match: "x"\r\n', 200, body=TEXT),
    row(C + '.1.2', 'malformed', 'hello.txt', 'If-None-Match: x\r\n', 200, body=TEXT),
    row(C + '.1.2', 'HEAD', 'hello.txt', 'If-None-Match: {tag}\r\n', 304, method='HEAD', body=b''),
    row(C + '.1.2', 'a large one', 'large.bin', 'If-None-Match: {tag}\r\n', 304, body=b''),
    row(C + '.1.3', 'If-Modified-Since', 'hello.txt', 'If-Modified-Since: {then}\r\n', 304),
    row(C + '.1.3', 'later', 'hello.txt', 'If-Modified-Since: {after}\r\n', 304),
    row(C + '.1.3', 'earlier', 'hello.txt', 'If-Modified-Since: {before}\r\n', 200, body=TEXT),
    row(C + '.1.3', 'no date', 'hello.txt', 'If-Modified-Since: tomorrow\r\n', 200, body=TEXT),
    row(R9110 + '5.6.7', 'RFC 850 date', 'hello.txt',
        'If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT\r\n', 304),
    row(R9110 + '5.6.7', 'asctime date', 'hello.txt',
        'If-Modified-Since: Sun Nov  6 08:49:37 1994\r\n', 304),
    row(C + '.1.3', 'not with If-None-Match', 'hello.txt',
        'If-None-Match: "x"\r\nIf-Modified-Since: {after}\r\n', 200, body=TEXT),
    row(C + '.1.1', 'If-Match', 'hello.txt', 'If-Match: {tag}\r\n', 200, body=TEXT),
    row(C + '.1.1', 'If-Match *', 'hello.txt', 'If-Match: *\r\n', 200, body=TEXT),
    row(C + '.1.1', 'If-Match of a list', 'hello.txt', 'If-Match: "x", {tag}\r\n', 200, body=TEXT),
    row(C + '.1.1', 'another', 'hello.txt', 'If-Match: "x"\r\n', 412),
    row(C + '.1.1', 'strongly', 'hello.txt', 'If-Match: W/{tag}\r\n', 412),
    row(C + '.1.4', 'If-Unmodified-Since', 'hello.txt', 'If-Unmodified-Since: {then}\r\n', 200, body=TEXT),
    row(C + '.1.4', 'earlier', 'hello.txt', 'If-Unmodified-Since: {before}\r\n', 412),
    row(C + '.1.4', 'no date', 'hello.txt', 'If-Unmodified-Since: x\r\n', 200, body=TEXT),
    row(C + '.1.4', 'not with If-Match', 'hello.txt',
        'If-Match: {tag}\r\nIf-Unmodified-Since: {before}\r\n', 200, body=TEXT),
    row(C + '.2.2', 'If-Match first', 'hello.txt', 'If-None-Match: {tag}\r\nIf-Match: "x"\r\n', 412),
    row(C + '.2.2', 'both hold', 'hello.txt', 'If-None-Match: {tag}\r\nIf-Match: {tag}\r\n', 304),
    row(C + '.2.2', 'before Range', 'hello.txt', 'If-None-Match: {tag}\r\nRange: bytes=0-0\r\n', 304),
    row(C + '.2.1', 'not for what is not there', 'none.txt', 'If-Match: "x"\r\n', 404),
]


def some(what, spec, body, where, target='hello.txt', more=''):
    return row(R9110 + '14', what, target, f'Range: {spec}\r\n{more}', 206, body=body,
               f_content_range=where, f_etag=STRONG, f_content_length=str(len(body)),
               f_content_type='text/plain; charset=utf-8')


def whole(what, spec, target='hello.txt', more='', **want):
    return row(R9110 + '14.2', what, target, f'Range: {spec}\r\n{more}', 200, body=TEXT,
               f_content_range=None, **want)


def none(what, spec, size=26, target='hello.txt'):
    return row(R9110 + '15.5.17', what, target, f'Range: {spec}\r\n', 416,
               f_content_range=f'bytes */{size}')


RANGES = [
    some('the first', 'bytes=0-4', TEXT[:5], 'bytes 0-4/26'),
    some('one byte', 'bytes=25-25', b'z', 'bytes 25-25/26'),
    some('from', 'bytes=20-', TEXT[20:], 'bytes 20-25/26'),
    some('the last', 'bytes=-3', TEXT[-3:], 'bytes 23-25/26'),
    some('more than there is', 'bytes=20-999', TEXT[20:], 'bytes 20-25/26'),
    some('a longer suffix', 'bytes=-999', TEXT, 'bytes 0-25/26'),
    some('all', 'bytes=0-', TEXT, 'bytes 0-25/26'),
    some('beyond 64 bits', 'bytes=0-99999999999999999999999', TEXT, 'bytes 0-25/26'),
    some('the unit in capitals', 'Bytes=0-0', b'a', 'bytes 0-0/26'),
    some('one of two is there', 'bytes=100-,1-1', b'b', 'bytes 1-1/26'),
    some('two that overlap', 'bytes=0-4,2-6', TEXT[:7], 'bytes 0-6/26'),
    some('two that touch', 'bytes=0-4,5-6', TEXT[:7], 'bytes 0-6/26'),
    some('empty elements', 'bytes=,1-1,', b'b', 'bytes 1-1/26'),
    some('If-Range', 'bytes=1-1', b'b', 'bytes 1-1/26', more='If-Range: {tag}\r\n'),
    some('If-Range with a date', 'bytes=1-1', b'b', 'bytes 1-1/26', more='If-Range: {then}\r\n'),
    whole('If-Range of another', 'bytes=1-1', more='If-Range: "x"\r\n'),
    whole('If-Range weakly', 'bytes=1-1', more='If-Range: W/{tag}\r\n'),
    whole('If-Range later', 'bytes=1-1', more='If-Range: {after}\r\n'),
    whole('If-Range malformed', 'bytes=1-1', more='If-Range: x\r\n'),
    whole('another unit', 'lines=1-1'),
    whole('backwards', 'bytes=5-4'),
    whole('no number', 'bytes=a-b'),
    whole('no dash', 'bytes=5'),
    whole('nothing', 'bytes='),
    whole('a dash', 'bytes=-'),
    whole('negative', 'bytes=-1-2'),
    whole('two fields', 'bytes=0-0', more='Range: bytes=1-1\r\n'),
    whole('seventeen', 'bytes=' + ','.join(f'{i}-{i}' for i in range(0, 26, 2))
          + ',' + ','.join('0-0' for _ in range(4))),
    whole('a thousand', 'bytes=' + ','.join('0-' for _ in range(1000))),
    row(R9110 + '14.2', 'HEAD', 'hello.txt', 'Range: bytes=0-0\r\n', 200, method='HEAD', body=b'',
        f_content_length='26', f_content_range=None),
    none('behind the end', 'bytes=26-'),
    none('all behind the end', 'bytes=26-,30-40'),
    none('a suffix of nothing', 'bytes=-0'),
    none('of an empty one', 'bytes=0-', 0, 'empty.txt'),
    row(R9110 + '14.1.2', 'the end of an empty one', 'empty.txt', 'Range: bytes=-5\r\n', 200, body=b''),
    row(R9110 + '14.1.2', 'of a large one', 'large.bin', 'Range: bytes=299999-\r\n', 206, body=b'L',
        f_content_range='bytes 299999-299999/300000'),
    row(R9110 + '15.5.17', 'behind a large one', 'large.bin', 'Range: bytes=300000-\r\n', 416,
        f_content_range='bytes */300000'),
    row(R9110 + '14.2', 'of what is not there', 'none.txt', 'Range: bytes=0-0\r\n', 404),
]

A = R9110 + '12.5.3'


def coded(what, accept, coding, target='form.js', **want):
    body = {'br': b'BR-FORM', 'zstd': b'ZST-FORM!', 'gzip': b'GZ-FORM!!', None: b'plain form;'}[coding]
    field = '' if accept is None else f'Accept-Encoding: {accept}\r\n'
    return row(A, what, target, field, 200, body=body, f_content_encoding=coding,
               f_content_type='text/javascript; charset=utf-8', f_vary='Accept-Encoding',
               f_etag=STRONG, **want)


CODINGS = [
    coded('none asked', None, None),
    coded('br', 'br', 'br'),
    coded('zstd', 'zstd', 'zstd'),
    coded('gzip', 'gzip', 'gzip'),
    coded('x-gzip', 'x-gzip', 'gzip'),
    coded('as browsers ask', 'gzip, deflate, br, zstd', 'br'),
    coded('weights', 'br;q=0.1, gzip;q=0.9', 'gzip'),
    coded('any', '*', 'br'),
    coded('any but', '*, br;q=0', 'zstd'),
    coded('unknown ones', 'compress, deflate', None),
    coded('excluded', 'br;q=0, gzip;q=0, zstd;q=0', None),
    coded('identity before', 'identity, gzip;q=0.5', None),
    coded('no identity', 'identity;q=0, gzip', 'gzip'),
    coded('in two fields', 'gzip;q=0.2\r\nAccept-Encoding: zstd', 'zstd'),
    coded('malformed weight', 'gzip;q=5', None),
    coded('empty', '', None),
    row(A, 'nothing that is acceptable', 'hello.txt', 'Accept-Encoding: identity;q=0\r\n', 406),
    row(A, 'no form of it', 'hello.txt', 'Accept-Encoding: br, gzip\r\n', 200, body=TEXT,
        f_content_encoding=None),
    row(A, 'an older form is not of this content', 'stale.js', 'Accept-Encoding: gzip\r\n', 200,
        body=b'new', f_content_encoding=None),
    row(A, 'a form that is a fifo', 'odd.js', 'Accept-Encoding: gzip\r\n', 200, body=b'odd',
        f_content_encoding=None),
    row(A, 'a form that is a link out', 'odd.js', 'Accept-Encoding: br\r\n', 200, body=b'odd',
        f_content_encoding=None),
    row(R9110 + '14', 'a range is of the form', 'form.js',
        'Accept-Encoding: gzip\r\nRange: bytes=0-1\r\n', 206, body=b'GZ',
        f_content_range='bytes 0-1/9', f_content_encoding='gzip'),
    row(A, 'HEAD', 'form.js', 'Accept-Encoding: zstd\r\n', 200, method='HEAD', body=b'',
        f_content_length='9', f_content_encoding='zstd'),
    row(A, 'a form by its own name', 'form.js.gz', '', 200, body=b'GZ-FORM!!',
        f_content_type='application/gzip', f_content_encoding=None),
]

ROWS = PLAIN + CODED + OUT + KINDS + CONDITIONS + RANGES + CODINGS
