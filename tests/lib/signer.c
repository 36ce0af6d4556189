/*
 * signer.c: makes signed public objects for tests that speak the interface by
 * hand (tests/lib/signer.py starts it). A key pair is made of a name, so the
 * same words give the same keys. A line in, a line out; binary values are
 * base64, several of them separated by commas; "!" and an error's name when
 * something can not be made.
 *
 *	list ACCOUNT AIK VERSION NEXT_ID PREV ISSUED DEVICES
 *	    DEVICES: DEVICE:NAME,..., and NAME@AIK for a certificate under
 *	    another account key; PREV: "-" or a hash -> LIST HASH CERTS
 *	batch ACCOUNT AIK DEVICE NAME NUMBER CREATED LEAVES -> HEADER LEAVES
 *	bind ACCOUNT SESSION DEVICE NAME -> PROOF
 *	rotate ACCOUNT OLD_AIK NEW_AIK VERSION TIME -> ROTATION
 *	verified ACCOUNT AIK DEVICE NAME PEER PEER_AIK METHOD WITHDRAWN TIME
 *	    -> RECORD KEY_HASH
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "crypto/host.h"
#include "crypto/openssl.h"
#include "pub/prekey_batch.h"
#include "pub/rotate.h"
#include "pub/verification.h"

#define WORDS_MAX 16
#define LINE_MAX_ 65536
#define OUT_MAX ((size_t)1 << 20)

static struct provider p;
static char text[BASE64_LEN(OUT_MAX / 4)];

struct words {
	struct span at[WORDS_MAX];
	size_t n;
};

static void
say(struct span bytes, const char *end)
{
	size_t n = base64_encode(bytes, text);

	fwrite(text, 1, n, stdout);
	fputs(end, stdout);
}

static uint64_t
number(struct span s)
{
	uint64_t v = 0;

	for (size_t i = 0; i < s.n; i++)
		v = v * 10 + (uint64_t)(s.p[i] - '0');
	return v;
}

static struct user_id
id_of(struct span s)
{
	struct user_id id = { { 0 } };

	if (!id_decode(s, id.b))
		memset(id.b, 0, sizeof(id.b));
	return id;
}

/* n bytes that a name gives. */
static enum err
seed(struct span name, const char *use, uint8_t *out, size_t n)
{
	for (uint8_t i = 0; n > 0; i++) {
		const struct span parts[] = { name, span_str(use),
			span_of(&i, 1) };
		size_t some = n < SHA256_LEN ? n : SHA256_LEN;
		uint8_t hash[SHA256_LEN];

		TRY(p.sha256(p.ctx, parts, 3, hash));
		memcpy(out, hash, some);
		out += some;
		n -= some;
	}
	return OK;
}

static enum err
signing_key(struct span name, const char *use, struct composite_priv *priv,
    struct composite_pub *pub)
{
	TRY(seed(name, use, priv->b, sizeof(priv->b)));
	return composite_make_pub(&p, priv, pub);
}

static enum err
make_cert(struct user_id account, struct span aik, uint32_t device,
    struct span name, struct cert *out)
{
	uint8_t x25519[X25519_LEN], mlkem[MLKEM_SEED_LEN];
	struct composite_priv priv;
	struct composite_pub pub;

	*out = (struct cert){ .account = account, .device = device,
	    .created_ms = 1, .suites_n = 1, .suites = { 1 }, .vmin = 1,
	    .vmax = 1 };
	TRY(signing_key(aik, "aik", &priv, &pub));
	TRY(cert_aik_hash(&p, pub.b, out->aik_hash));
	TRY(signing_key(name, "dsk", &priv, &pub));
	memcpy(out->dsk, pub.b, sizeof(out->dsk));
	TRY(seed(name, "ikx", x25519, sizeof(x25519)));
	TRY(p.x25519_pub(p.ctx, x25519, out->ikx));
	TRY(seed(name, "ikk", mlkem, sizeof(mlkem)));
	return p.mlkem_pub(p.ctx, mlkem, out->ikk);
}

struct whole {
	struct cert cert;
	uint8_t bytes[CERT_LEN_MAX], hash[SHA256_LEN];
	size_t n;
};

static enum err
whole_cert(struct user_id account, struct span aik, uint32_t device,
    struct span name, struct whole *out)
{
	struct wr w = wr_init(out->bytes, sizeof(out->bytes));

	TRY(make_cert(account, aik, device, name, &out->cert));
	TRY(cert_encode(&out->cert, &w));
	out->n = w.n;
	return cert_hash(&p, span_of(out->bytes, out->n), out->hash);
}

static enum err
do_list(const struct words *w)
{
	static struct whole certs[DEVLIST_DEVICES_MAX];
	static uint8_t out[1 << 14];
	struct composite_priv priv;
	struct composite_pub pub;
	struct devlist l = { .account = id_of(w->at[1]),
	    .version = number(w->at[3]),
	    .next_id = (uint32_t)number(w->at[4]),
	    .issued_ms = number(w->at[6]) };
	struct wr o = wr_init(out, sizeof(out));
	struct span left = w->at[7];
	uint8_t hash[SHA256_LEN];
	size_t n;

	l.expires_ms = l.issued_ms + DEVLIST_LIFE_MS_MAX;
	TRY(signing_key(w->at[2], "aik", &priv, &pub));
	memcpy(l.aik, pub.b, sizeof(l.aik));
	if (w->at[5].n > 1 && (!base64_decode(w->at[5], l.prev_hash, &n) ||
	    n != sizeof(l.prev_hash)))
		return ERR_ARG;
	while (left.n > 0 && l.n < DEVLIST_DEVICES_MAX) {
		size_t end = span_find(left, ',');
		struct span item = span_sub(left, 0, end);
		size_t colon = span_find(item, ':');
		struct span name = span_sub(item, colon + 1, item.n);
		size_t at = span_find(name, '@');
		struct devlist_entry *e = &l.entries[l.n];

		e->device = (uint32_t)number(span_sub(item, 0, colon));
		TRY(whole_cert(l.account, at == name.n ? w->at[2] :
		    span_sub(name, at + 1, name.n), e->device,
		    span_sub(name, 0, at), &certs[l.n]));
		memcpy(e->cert_hash, certs[l.n].hash, SHA256_LEN);
		l.n++;
		left = span_sub(left, end + 1, left.n);
	}
	TRY(devlist_sign(&p, &priv, &l, &o));
	TRY(devlist_hash(&p, wr_done(&o), hash));
	say(wr_done(&o), " ");
	say(SPAN_OF(hash), " ");
	for (unsigned i = 0; i < l.n; i++)
		say(span_of(certs[i].bytes, certs[i].n),
		    i + 1u < l.n ? "," : "");
	return OK;
}

static enum err
make_leaf(struct span name, uint64_t batch, uint32_t i, struct wr *w)
{
	struct leaf l = { .type = i == 0 ? LEAF_SPK : i == 1 ? LEAF_LRK :
	    LEAF_OTP, .id = i < 2 ? 0 : i - 1 };
	uint8_t key[MLKEM_SEED_LEN];
	char use[64];

	snprintf(use, sizeof(use), "leaf %llu %u", (unsigned long long)batch,
	    i);
	TRY(seed(name, use, key, sizeof(key)));
	if (i != 1)
		TRY(p.x25519_pub(p.ctx, key, l.x25519));
	if (i != 0)
		TRY(p.mlkem_pub(p.ctx, key, l.mlkem));
	return batch_leaf_encode(&l, w);
}

static enum err
do_batch(const struct words *w)
{
	static uint8_t mem[MERKLE_LEAVES_MAX][LEAF_LEN_MAX];
	static struct whole cert;
	struct merkle_hash hashes[MERKLE_LEAVES_MAX], root;
	struct span leaves[MERKLE_LEAVES_MAX];
	struct composite_priv priv;
	struct composite_pub pub;
	uint8_t out[BATCH_LEN];
	struct wr o = wr_init(out, sizeof(out));
	struct batch b = { .account = id_of(w->at[1]),
	    .device = (uint32_t)number(w->at[3]),
	    .id = (uint32_t)number(w->at[5]),
	    .created_ms = number(w->at[6]),
	    .leaves_n = (uint16_t)number(w->at[7]) };

	if (b.leaves_n > MERKLE_LEAVES_MAX)
		return ERR_ARG;
	b.expires_ms = b.created_ms + BATCH_LIFE_MS_MAX;
	TRY(whole_cert(b.account, w->at[2], b.device, w->at[4], &cert));
	memcpy(b.aik_hash, cert.cert.aik_hash, SHA256_LEN);
	memcpy(b.cert_hash, cert.hash, SHA256_LEN);
	TRY(signing_key(w->at[4], "dsk", &priv, &pub));
	for (uint32_t i = 0; i < b.leaves_n; i++) {
		struct wr l = wr_init(mem[i], LEAF_LEN_MAX);

		TRY(make_leaf(w->at[4], b.id, i, &l));
		leaves[i] = wr_done(&l);
		TRY(merkle_leaf(&p, leaves[i], &hashes[i]));
	}
	TRY(merkle_root(&p, hashes, b.leaves_n, &root));
	memcpy(b.root, root.b, sizeof(b.root));
	TRY(batch_sign(&p, &priv, &b, &o));
	say(wr_done(&o), " ");
	for (unsigned i = 0; i < b.leaves_n; i++)
		say(leaves[i], i + 1u < b.leaves_n ? "," : "");
	return OK;
}

static enum err
do_bind(const struct words *w)
{
	struct user_id account = id_of(w->at[1]), session = id_of(w->at[2]);
	uint8_t body[1 + 2 * ID_LEN + 4];
	struct wr o = wr_init(body, sizeof(body));
	struct composite_priv priv;
	struct composite_pub pub;
	struct composite_sig sig;

	TRY(signing_key(w->at[4], "dsk", &priv, &pub));
	wr_u8(&o, 1);
	wr_bytes(&o, session.b, ID_LEN);
	wr_bytes(&o, account.b, ID_LEN);
	wr_u32(&o, (uint32_t)number(w->at[3]));
	TRY(composite_sign(&p, &priv, SPAN("NJ1/bind"), wr_done(&o), NULL,
	    &sig));
	say(SPAN_OF(sig.b), "");
	return OK;
}

static enum err
do_rotate(const struct words *w)
{
	static uint8_t out[ROTATE_LEN];
	struct rotate r = { .account = id_of(w->at[1]),
	    .version = number(w->at[4]), .time_ms = number(w->at[5]) };
	struct wr o = wr_init(out, sizeof(out));
	struct composite_priv before, after;
	struct composite_pub pub;

	TRY(signing_key(w->at[2], "aik", &before, &pub));
	memcpy(r.old_aik, pub.b, sizeof(r.old_aik));
	TRY(signing_key(w->at[3], "aik", &after, &pub));
	memcpy(r.new_aik, pub.b, sizeof(r.new_aik));
	TRY(rotate_sign(&p, &before, &after, &r, &o));
	say(wr_done(&o), "");
	return OK;
}

static enum err
do_verified(const struct words *w)
{
	static uint8_t out[VERIFICATION_LEN];
	static struct whole cert;
	struct verification v = { .account = id_of(w->at[1]),
	    .device = (uint32_t)number(w->at[3]), .peer = id_of(w->at[5]),
	    .method = (uint8_t)number(w->at[7]),
	    .withdrawn = number(w->at[8]) != 0, .time_ms = number(w->at[9]) };
	struct wr o = wr_init(out, sizeof(out));
	struct composite_priv priv;
	struct composite_pub pub;

	TRY(signing_key(w->at[6], "aik", &priv, &pub));
	TRY(cert_aik_hash(&p, pub.b, v.peer_aik_hash));
	TRY(whole_cert(v.account, w->at[2], v.device, w->at[4], &cert));
	memcpy(v.cert_hash, cert.hash, sizeof(v.cert_hash));
	TRY(signing_key(w->at[4], "dsk", &priv, &pub));
	TRY(verification_sign(&p, &priv, &v, &o));
	say(wr_done(&o), " ");
	say(SPAN_OF(v.peer_aik_hash), "");
	return OK;
}

static const struct {
	const char *name;
	size_t words;
	enum err (*run)(const struct words *w);
} commands[] = {
	{ "list", 8, do_list }, { "batch", 8, do_batch },
	{ "bind", 5, do_bind }, { "rotate", 6, do_rotate },
	{ "verified", 10, do_verified },
};

static enum err
run(struct span line)
{
	struct words w = { .n = 0 };

	while (line.n > 0 && w.n < WORDS_MAX) {
		size_t end = span_find(line, ' ');

		w.at[w.n++] = span_sub(line, 0, end);
		line = span_sub(line, end + 1, line.n);
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (w.n == commands[i].words &&
		    span_eq(w.at[0], span_str(commands[i].name)))
			return commands[i].run(&w);
	return ERR_ARG;
}

int
main(void)
{
	static char line[LINE_MAX_];
	enum err e;

	if (host_init() != OK || openssl_provider_open(&p) != OK)
		return 1;
	while (fgets(line, sizeof(line), stdin) != NULL) {
		struct span s = span_str(line);

		if (s.n > 0 && s.p[s.n - 1] == '\n')
			s.n--;
		e = run(s);
		if (e != OK)
			printf("!%s", err_name(e));
		putchar('\n');
		fflush(stdout);
	}
	openssl_provider_close(&p);
	return 0;
}
