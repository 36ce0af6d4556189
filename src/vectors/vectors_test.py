#!/usr/bin/env python3
"""Tests that nightjar-vectors can fail: each kind of file is changed so that
its answers are wrong, and the runner has to say so.

usage: vectors_test.py NIGHTJAR-VECTORS FOLDER-OF-VECTORS
"""
import copy
import json
import pathlib
import subprocess
import sys
import tempfile

runner, folder = sys.argv[1], pathlib.Path(sys.argv[2])
scratch = pathlib.Path(tempfile.mkdtemp(prefix='nj-vectors-'))
bad = 0
count = 0


def check(name, good, detail=''):
    global bad, count
    count += 1
    bad += not good
    print('%s %d - %s%s' % ('ok' if good else 'not ok', count, name,
                            '' if good else ' # ' + str(detail)))


def run(path):
    """Exit status and the one line of JSON for a file."""
    r = subprocess.run([runner, '--json', str(path)], capture_output=True,
                       text=True, timeout=120)
    lines = [json.loads(line) for line in r.stdout.splitlines()]
    return r.returncode, lines[0] if lines else {}


def run_value(value, name='case.json'):
    path = scratch / name
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return run(path)


def load(name):
    return json.loads((folder / name).read_text())


def flip(text):
    """Another last character, still hex or base64."""
    tail = text.rstrip('=')
    at = len(tail) - 2 if tail != text else len(tail) - 1
    return text[:at] + ('0' if text[at] != '0' else '1') + text[at + 1:]


def refuses(name, value):
    status, line = run_value(value)
    check(name, status == 1 and line['failed'] > 0, line)


# Wycheproof: valid turned into invalid and back must fail at every case that
# applies and is not merely acceptable.
for path in sorted((folder / 'wycheproof').glob('*.json')):
    _, before = run(path)
    if before['passed'] == 0:
        continue
    value = json.loads(path.read_text())
    cases = [t for g in value['testGroups'] for t in g['tests']]
    tolerant = sum(t['result'] == 'acceptable' for t in cases)
    for t in cases:
        t['result'] = {'valid': 'invalid', 'invalid': 'valid'}.get(
            t['result'], t['result'])
    status, line = run_value(value)
    check('turned results of ' + path.name, status == 1 and
          line['failed'] >= before['passed'] - tolerant, line['failed'])

value = load('wycheproof/hkdf_sha256_test.json')
del value['testGroups'][0]['tests'][0]
refuses('a Wycheproof case that is missing', value)
value = load('wycheproof/hkdf_sha256_test.json')
del value['testGroups'][0]['tests'][0]['ikm']
refuses('a Wycheproof case without its key', value)
value = load('wycheproof/x25519_test.json')
value['testGroups'][0]['tests'][0]['shared'] = '00' * 32
refuses('another shared secret', value)
value = load('wycheproof/x25519_test.json')
value['testGroups'][0]['tests'][0]['shared'] = 'zz'
refuses('a value that is no hex', value)
value = load('wycheproof/x25519_test.json')
value['testGroups'][0]['tests'][0]['result'] = 'perhaps'
refuses('an unknown result', value)

ANSWERS = {'acvp/ML-KEM-768-keyGen-FIPS203.json': 'ek',
           'acvp/ML-KEM-768-encapDecap-FIPS203.json': 'k',
           'acvp/ML-DSA-65-keyGen-FIPS204.json': 'sk',
           'acvp/ML-DSA-65-sigGen-internal-FIPS204.json': 'signature'}
for name, field in ANSWERS.items():
    value = load(name)
    n = 0
    for g in value['testGroups']:
        for t in g['tests']:
            t[field] = flip(t[field])
            n += 1
    status, line = run_value(value)
    check('changed answers of ' + name, status == 1 and line['failed'] == n,
          line)
value = load('acvp/ML-DSA-65-sigVer-internal-FIPS204.json')
for t in value['testGroups'][0]['tests']:
    t['testPassed'] = not t['testPassed']
status, line = run_value(value)
check('turned verdicts of sigVer', status == 1 and line['passed'] == 0, line)

value = load('cctv/ed25519-edge-a.json')
strict = sum(bool({'low_order_A', 'low_order_R', 'low_order_residue',
                   'non_canonical_A', 'non_canonical_R'} &
                  set(t['flags'] or [])) for t in value)
for t in value:
    t['flags'] = []
status, line = run_value(value)
check('edge cases of Ed25519 without their flags',
      status == 1 and line['failed'] == strict and strict > 0, line['failed'])
text = (folder / 'cctv/ML-KEM-768.unluckysample.txt').read_text()
head, _, tail = text.partition('\nK = ')
status, line = run_value(head + '\nK = ' +
                         ('1' if tail[0] == '0' else '0') + tail[1:],
                         'sample.txt')
check('another secret of CCTV ML-KEM', status == 1 and line['failed'] == 2,
      line)

value = load('composite/composite-mldsa65-ed25519.json')
for field in 'pk', 's', 'sWithContext':
    changed = copy.deepcopy(value)
    old = changed['tests'][0][field]
    changed['tests'][0][field] = ('A' if old[0] != 'A' else 'B') + old[1:]
    refuses('a changed %s of a composite signature' % field, changed)

value = load('kdf/argon2id.json')
value['rfc9106_5_3_hex']['tag'] = flip(value['rfc9106_5_3_hex']['tag'])
refuses('another tag of Argon2id', value)
value = load('kdf/bcrypt.json')
value['tests'][0]['password_hex'] = flip(value['tests'][0]['password_hex'])
refuses('another password of bcrypt', value)
value = load('kdf/totp.json')
value['totp'][5]['code'] = '00000000'
refuses('another one-time code', value)

for name, members in {
        'archive': ('key', 'random', 'digest', 'last_chunk'),
        'attachment': ('key', 'blob', 'plain_sha256'),
        'backup': ('backup_key', 'backup', 'stretched', 'aik_seed'),
        'backup-wrap': ('wrap', 'backup_key'),
        'linking': ('offer', 'reply', 'code', 'provisioning', 'answer',
                    'text', 'secret'),
        'rotation': ('rotation', 'old_seed', 'random'),
        'settings': ('secret', 'account_id'),
        'verification': ('cert', 'peer_id', 'random')}.items():
    for member in members:
        value = load('nightjar/%s.json' % name)
        value[member] = flip(value[member])
        refuses('another %s in %s' % (member, name), value)
value = load('nightjar/recovery.json')
value['keys'][3]['key'] = flip(value['keys'][3]['key'])
refuses('another recovery key', value)

status, line = run_value('{"a": [1, 2}')
check('a file that is no JSON', status == 1 and line['failed'] == 1, line)
status, line = run_value({'anything': 1})
check('a file of unknown kind is not applicable', status == 0 and
      line['schema'] is None and line['notApplicable'] == 1, line)
status, line = run(scratch / 'absent.json')
check('a file that is not there', status == 1 and line['failed'] == 1, line)
check('no argument is wrong usage', subprocess.run(
    [runner], capture_output=True, check=False).returncode == 2)

for path in scratch.iterdir():
    path.unlink()
scratch.rmdir()
print('1..%d' % count)
sys.exit(bad > 0)
