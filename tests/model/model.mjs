/*
 * model.mjs: a model of formats of docs/protocol.md, written from that page
 * alone and on other libraries than the C code (noble). It makes the known
 * answers of tests/vectors/nightjar that have a "format" member, from named
 * randomness, and says whether the files still are what it makes.
 *
 *   node model.mjs --write FOLDER     writes the files
 *   node model.mjs --check FOLDER     TAP: one test for each file
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { argon2id } from '@noble/hashes/argon2.js';
import { expand, hkdf } from '@noble/hashes/hkdf.js';
import { sha256, sha512 } from '@noble/hashes/sha2.js';
import { gcm } from '@noble/ciphers/aes.js';
import { ed25519, x25519 } from '@noble/curves/ed25519.js';
import { ml_dsa65 } from '@noble/post-quantum/ml-dsa.js';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';

/* ---- notation, encodings ---- */

const text = (s) => new TextEncoder().encode(s);
const hex = (b) => Buffer.from(b).toString('hex');
const b64url = (b) => Buffer.from(b).toString('base64url');
const cat = (...parts) => Uint8Array.from(Buffer.concat(parts.map(
	(p) => typeof p === 'string' ? text(p) : p)));
const zeros = (n) => new Uint8Array(n);

function uint(bytes, v) {
	const out = new Uint8Array(bytes);
	for (let i = bytes - 1, n = BigInt(v); i >= 0; i--, n >>= 8n)
		out[i] = Number(n & 255n);
	return out;
}
const u8 = (v) => uint(1, v), u16 = (v) => uint(2, v);
const u32 = (v) => uint(4, v), u64 = (v) => uint(8, v);

function varint(v) {
	if (v < 64)
		return u8(v);
	return v < 16384 ? u16(v | 0x4000) : u32(v + 0x80000000);
}
const tlv = (...fields) => cat(...fields.flatMap(([tag, value]) =>
	[varint(tag), varint(value.length), value]));
const vec16 = (b) => cat(u16(b.length), b);

const TH = (label, ...parts) => sha256(cat(u8(label.length), label,
	...parts.flatMap((p) => [u32(p.length), p])));
const HKDF = (ikm, info, n) => hkdf(sha256, ikm, zeros(32), info, n);
const HKDFExpand = (prk, info, n) => expand(sha256, prk, info, n);
const seal = (key, nonce, ad, plain) => gcm(key, nonce, ad).encrypt(plain);

function paddedSize(n) {
	if (n <= 1024)
		return Math.ceil(n / 128) * 128;
	if (n <= 4096)
		return Math.ceil(n / 256) * 256;
	return padme(n);
}
function padme(n) {
	const e = Math.floor(Math.log2(n)), s = Math.floor(Math.log2(e)) + 1;
	const unit = 2 ** (e - s);
	return Math.ceil(n / unit) * unit;
}
function pad(x) {
	const head = cat(varint(x.length), x);
	return cat(head, zeros(paddedSize(head.length) - head.length));
}

/* ---- composite signatures ---- */

const LABEL = 'COMPSIG-MLDSA65-Ed25519-SHA512';

function keyPair(seed64) {
	const pq = ml_dsa65.keygen(seed64.slice(0, 32));
	const ed = seed64.slice(32);
	return { seed: seed64, pq: pq.secretKey, ed,
		pk: cat(pq.publicKey, ed25519.getPublicKey(ed)) };
}
function csig(key, context, message, rnd) {
	const m = cat('CompositeAlgorithmSignatures2025', LABEL,
		u8(context.length), context, sha512(message));
	return cat(ml_dsa65.sign(m, key.pq, { context: text(LABEL),
		extraEntropy: rnd }), ed25519.sign(m, key.ed));
}

/* ---- named randomness ---- */

/* Bytes by name: what a name stands for never depends on another one. */
function named(file) {
	const queue = [];
	const make = (name, n) => HKDFExpand(sha256(text('nightjar model')),
		cat(file, ' ', name), n);
	return {
		fixed: make,
		/* What the program draws from its source, in this order. */
		random(name, n) {
			const b = make(name, n);
			queue.push(b);
			return b;
		},
		drawn: () => hex(cat(...queue)),
	};
}

/* ---- the files ---- */

const files = {};

files['archive.json'] = () => {
	const r = named('archive');
	const account = r.fixed('account', 16), key = r.fixed('key', 32);
	const okm = HKDF(key, cat('NJ1 archive', account), 64);
	const ek = okm.slice(0, 32), commit = okm.slice(32);
	const records = [];
	for (let i = 0; i < 40; i++)
		records.push({ kind: 1 + i % 5,
			bytes: r.fixed(`record ${i}`, 1 + (i * i * 37) % 4000) });
	records[7].bytes = zeros(0);
	const chunks = [];
	let digest = zeros(32);
	/* What fits goes into the first chunk, the rest into the last one. */
	let first = zeros(0), k = 0;
	for (; k < records.length; k++) {
		const p = pad(cat(u8(records[k].kind), records[k].bytes));
		if (first.length + p.length > 30000)
			break;
		first = cat(first, p);
	}
	const rest = cat(...records.slice(k).map((x) =>
		pad(cat(u8(x.kind), x.bytes))));
	const plains = [cat(first, zeros(65536 - first.length)),
		cat(rest, zeros(Math.max(1024, paddedSize(rest.length)) -
			rest.length))];
	plains.forEach((plain, i) => {
		const salt = r.random(`salt ${i}`, 16);
		const head = cat(u8(0x1a), u8(1), u8(i === 1 ? 1 : 0), u32(i),
			commit, salt);
		const kn = HKDFExpand(ek, cat('NJ1 archive chunk', head), 44);
		const chunk = cat(head, seal(kn.slice(0, 32), kn.slice(32),
			head, plain));
		digest = TH('NJ1 archive digest', digest, chunk);
		chunks.push(chunk);
	});
	return { account_id: hex(account), key: hex(key), ek: hex(ek),
		commit: hex(commit), random: r.drawn(), first_chunk_records: k,
		records: records.map((x) => ({ kind: x.kind,
			bytes: hex(x.bytes) })),
		chunk_sha256: chunks.map((c) => hex(sha256(c))),
		last_chunk: hex(chunks[1]), digest: hex(digest) };
};

function certificate(r, account, aik, device, flags) {
	const dsk = keyPair(r.fixed('dsk', 64));
	const ikx = r.fixed('ikx', 32);
	const ikk = ml_kem768.keygen(r.fixed('ikk', 64));
	return { dsk, bytes: cat(u8(1), account, TH('NJ1 aik', aik.pk),
		u32(device), u64(1767225600000), u8(flags), dsk.pk,
		x25519.getPublicKey(ikx), ikk.publicKey, u8(1), u16(1), u8(1),
		u8(1)) };
}

files['linking.json'] = () => {
	const r = named('linking');
	const account = r.fixed('account', 16), aik = keyPair(r.fixed('aik', 64));
	const mailbox = r.fixed('mailbox', 16);
	/* The new device's offer. */
	const x = r.random('offer x25519', 32);
	const kem = ml_kem768.keygen(r.random('offer mlkem', 64));
	const nonce = r.random('offer nonce', 16);
	const offer = cat(u8(0x1b), u8(1), x25519.getPublicKey(x),
		kem.publicKey, mailbox, nonce);
	/* The manager's reply. */
	const eph = r.random('reply x25519', 32);
	const enc = ml_kem768.encapsulate(kem.publicKey,
		r.random('reply mlkem', 32));
	const reply = cat(u8(0x1e), u8(1), x25519.getPublicKey(eph),
		enc.cipherText);
	const z = x25519.getSharedSecret(eph, x25519.getPublicKey(x));
	const okm = HKDF(cat(z, enc.sharedSecret), cat('NJ1 link',
		TH('NJ1 link', offer, reply)), 72);
	const km = okm.slice(0, 32), kn = okm.slice(32, 64);
	const code = Buffer.from(okm.slice(64)).readBigUInt64BE() % 1000000n;
	/* What it tells. */
	const secret = r.fixed('secret', 32), listHash = r.fixed('list', 32);
	const archive = r.fixed('archive', 16), akey = r.fixed('archive key', 32);
	const facts = tlv([2, account], [4, aik.pk], [6, secret],
		[8, cat(u32(5), u8(2))], [10, cat(u64(17), listHash)],
		[12, u64(987654321)], [14, aik.seed], [16, cat(archive, akey)],
		[17, text('Ada’s laptop')], [19, text('ada')]);
	const provisioning = cat(u8(0x1c), u8(1), seal(km, zeros(12),
		text('NJ1 link m'), pad(facts)));
	/* The answer. */
	const cert = certificate(r, account, aik, 5, 2);
	const certHash = TH('NJ1 cert', cert.bytes);
	const proof = csig(cert.dsk, 'NJ1/link', TH('NJ1 link-proof', offer,
		reply, account, certHash), r.random('proof', 32));
	const answer = seal(kn, zeros(12), text('NJ1 link n'),
		cat(cert.bytes, proof));
	return { account_id: hex(account), aik_seed: hex(aik.seed),
		mailbox: hex(mailbox), random: r.drawn(), offer: hex(offer),
		text: 'nightjar:link?m=' + b64url(mailbox) + '&h=' +
			b64url(sha256(offer)), reply: hex(reply),
		k_m: hex(km), k_n: hex(kn), code: String(code).padStart(6, '0'),
		secret: hex(secret), list_hash: hex(listHash),
		archive_id: hex(archive), archive_key: hex(akey),
		provisioning: hex(provisioning), dsk_seed: hex(cert.dsk.seed),
		cert: hex(cert.bytes), answer: hex(answer) };
};

files['rotation.json'] = () => {
	const r = named('rotation');
	const account = r.fixed('account', 16);
	const from = keyPair(r.fixed('old', 64)), to = keyPair(r.fixed('new', 64));
	const body = cat(u8(1), account, from.pk, to.pk, u64(12),
		u64(1767225600123));
	const a = csig(from, 'NJ1/aik-rotate', body, r.random('old rnd', 32));
	const b = csig(to, 'NJ1/aik-rotate', body, r.random('new rnd', 32));
	return { account_id: hex(account), old_seed: hex(from.seed),
		new_seed: hex(to.seed), version: 12, time_ms: 1767225600123,
		random: r.drawn(), rotation: hex(cat(body, a, b)) };
};

files['verification.json'] = () => {
	const r = named('verification');
	const account = r.fixed('account', 16), peer = r.fixed('peer', 16);
	const aik = keyPair(r.fixed('aik', 64));
	const cert = certificate(r, account, aik, 3, 0);
	const peerAik = r.fixed('peer aik hash', 32);
	const records = [[2, 0], [1, 1]].map(([method, flags], i) => {
		const body = cat(u8(1), account, u32(3),
			TH('NJ1 cert', cert.bytes), peer, peerAik, u8(method),
			u8(flags), u64(1767225600000 + i));
		return { method, withdrawn: flags === 1,
			time_ms: 1767225600000 + i,
			record: hex(cat(body, csig(cert.dsk, 'NJ1/verified',
				body, r.random(`rnd ${i}`, 32)))) };
	});
	return { account_id: hex(account), peer_id: hex(peer),
		peer_aik_hash: hex(peerAik), cert: hex(cert.bytes),
		dsk_seed: hex(cert.dsk.seed), random: r.drawn(), records };
};

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

function recoveryText(key) {
	const digits = (bytes, n) => {
		let bits = '';
		for (const b of bytes)
			bits += b.toString(2).padStart(8, '0');
		bits = bits.padEnd(n * 5, '0');
		return Array.from({ length: n }, (_, i) =>
			CROCKFORD[parseInt(bits.slice(5 * i, 5 * i + 5), 2)])
			.join('');
	};
	return (digits(key, 52) + digits(sha256(key), 4)).match(/.{4}/g)
		.join('-');
}

files['recovery.json'] = () => {
	const r = named('recovery');
	const keys = [zeros(32), zeros(32).fill(255),
		...Array.from({ length: 14 }, (_, i) => r.fixed(`key ${i}`, 32))];
	return { keys: keys.map((k) => ({ key: hex(k),
		text: recoveryText(k) })) };
};

function wrap(r, name, account, bk, kdf, s, m, t, p, salt) {
	const okm = HKDF(s, text('NJ1 backup-wrap'), 64);
	const nonce = r.random(`${name} nonce`, 12);
	const head = cat(u8(0x19), u8(kdf), u32(m), u8(t), u8(p), salt,
		okm.slice(32));
	return cat(head, nonce, seal(okm.slice(0, 32), nonce,
		cat('NJ1 backup-wrap', account, head), bk));
}

files['backup.json'] = () => {
	const r = named('backup');
	const account = r.fixed('account', 16), bk = r.fixed('bk', 32);
	const recovery = r.fixed('recovery key', 32);
	const passphrase = 'seven owls read the night ledger';
	const one = wrap(r, 'one', account, bk, 1, recovery, 0, 0, 0,
		zeros(16));
	const salt = r.random('two salt', 16);
	const s = argon2id(text(passphrase), salt, { t: 3, m: 19456, p: 4,
		dkLen: 32 });
	const two = wrap(r, 'two', account, bk, 2, s, 19456, 3, 4, salt);
	const aik = r.fixed('aik', 64), secret = r.fixed('secret', 32);
	const listHash = r.fixed('list', 32), archive = r.fixed('archive', 16);
	const akey = r.fixed('archive key', 32), digest = r.fixed('digest', 32);
	const record = tlv([2, aik], [4, secret], [6, listHash],
		[8, u64(123456789)], [10, cat(archive, akey, u32(7), digest,
			u64(4321))], [11, text('ada')]);
	const wholeSalt = r.random('salt', 32);
	const okm = HKDF(bk, cat('NJ1 backup', account, wholeSalt), 76);
	const head = cat(u8(0x1f), u8(1), u64(9), u64(1767225600000), u64(31),
		wholeSalt, okm.slice(44));
	const sealed = seal(okm.slice(0, 32), okm.slice(32, 44),
		cat('NJ1 backup', head), pad(record));
	return { account_id: hex(account), backup_key: hex(bk),
		recovery_key: hex(recovery), passphrase, m_kib: 19456, t: 3,
		p: 4, stretched: hex(s), random: r.drawn(), number: 9,
		made_ms: 1767225600000, list_version: 31, aik_seed: hex(aik),
		secret: hex(secret), list_hash: hex(listHash),
		position: 123456789, archive_id: hex(archive),
		archive_key: hex(akey), archive_chunks: 7,
		archive_digest: hex(digest), records: 4321, user_name: 'ada',
		backup: hex(cat(head, vec16(sealed), u8(2), one, two)) };
};

files['settings.json'] = () => {
	const r = named('settings');
	const account = r.fixed('account', 16), secret = r.fixed('secret', 32);
	const cases = ['', '{"theme":"dark"}', 'x'.repeat(5000)];
	return { account_id: hex(account), secret: hex(secret),
		cases: cases.map((plain, i) => {
			const salt = r.fixed(`salt ${i}`, 32);
			const head = cat(u8(0x10), u8(1), salt);
			const kn = HKDF(secret, cat('NJ1 settings', salt), 44);
			return { version: i + 1, plain, random: hex(salt),
				sealed: hex(cat(head, seal(kn.slice(0, 32),
					kn.slice(32), cat('NJ1 settings', account,
						u64(i + 1), head), pad(text(plain))))) };
		}) };
};

/* ---- what to do ---- */

const [what, folder] = process.argv.slice(2);
if ((what !== '--write' && what !== '--check') || folder === undefined) {
	console.error('usage: model.mjs --write|--check FOLDER');
	process.exit(2);
}
let number = 0, bad = 0;
for (const [name, make] of Object.entries(files)) {
	const made = JSON.stringify({ format: 'nightjar-model 1 ' +
		name.replace('.json', ''), note: 'Written by tests/model/' +
		'model.mjs from docs/protocol.md; it shares nothing with the ' +
		'C code.', ...make() }, null, 1) + '\n';
	if (what === '--write') {
		writeFileSync(join(folder, name), made);
		continue;
	}
	let there = '';
	try {
		there = readFileSync(join(folder, name), 'utf8');
	} catch (e) {
		console.log('# ' + e.message);
	}
	bad += there !== made;
	console.log(`${there === made ? 'ok' : 'not ok'} ${++number} - ` +
		`${name} is what the model makes`);
}
if (what === '--check')
	console.log(`1..${number}`);
process.exit(bad === 0 ? 0 : 1);
