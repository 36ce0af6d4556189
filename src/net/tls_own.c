/*
 * tls_own.c: a server's connection after its handshake, with records of our
 * own (net/record.h) in the place of OpenSSL's. On the stream's thread.
 *
 * Implementation notes. OpenSSL tells of the traffic secrets where it would
 * write a key log, and of every record that it writes, so that the tickets
 * it sends after the handshake are counted: they went under the same key. It
 * reads no byte beyond the client's Finished (read-ahead is off), so what
 * follows is still in the kernel. One recv takes as many records as there
 * are; they are opened where they lie and moved together.
 */
#include <assert.h>

#include <openssl/err.h>

#include "net/tls_private.h"

/* ---- The handshake is OpenSSL's ---- */

static bool
hex_digit(char c, uint8_t *out)
{
	if (c >= '0' && c <= '9')
		*out = (uint8_t)(c - '0');
	else if (c >= 'a' && c <= 'f')
		*out = (uint8_t)(c - 'a' + 10);
	else
		return false;
	return true;
}

/* " <client_random> <secret>": the secret; false when it is no such thing. */
static bool
read_secret(const char *line, uint8_t out[static RECORD_SECRET_MAX])
{
	const char *hex = strrchr(line, ' ');
	size_t n = hex == NULL ? 0 : strlen(++hex);

	if (n == 0 || n > 2 * RECORD_SECRET_MAX || n % 2 != 0)
		return false;
	for (size_t i = 0; i < n; i += 2) {
		uint8_t a, b;

		if (!hex_digit(hex[i], &a) || !hex_digit(hex[i + 1], &b))
			return false;
		out[i / 2] = (uint8_t)(a << 4 | b);
	}
	return true;
}

static void
on_secret(const SSL *ssl, const char *line)
{
	static const char in[] = "CLIENT_TRAFFIC_SECRET_0 ";
	static const char out[] = "SERVER_TRAFFIC_SECRET_0 ";
	struct tls_conn *t = SSL_get_app_data(ssl);

	if (t == NULL || t->client)
		return;
	if (strncmp(line, in, sizeof(in) - 1) == 0)
		t->has_in = read_secret(line, t->rec.in.secret);
	else if (strncmp(line, out, sizeof(out) - 1) == 0)
		t->has_out = read_secret(line, t->rec.out.secret);
}

/* A record went under a key that we will go on with. */
static void
on_message(int written, int version, int type, const void *p, size_t n,
    SSL *ssl, void *arg)
{
	struct tls_conn *t = arg;

	(void)version;
	(void)p;
	(void)n;
	(void)ssl;
	if (type != SSL3_RT_HEADER)
		return;
	if (written != 0 && t->has_out)
		t->rec.out.seq++;
	else if (written == 0 && t->has_in)
		t->rec.in.seq++;
}

void
tls_own_prepare_ctx(SSL_CTX *ctx)
{
	SSL_CTX_set_keylog_callback(ctx, on_secret);
}

void
tls_own_prepare(struct tls_conn *t)
{
	SSL_set_msg_callback(t->ssl, on_message);
	SSL_set_msg_callback_arg(t->ssl, t);
	buf_init(&t->part, RECORD_MAX);
	buf_init(&t->left, RECORD_MAX + 4 * RECORD_SMALL);
}

/* RFC 6066 4: OpenSSL agrees to max_fragment_length; we have to keep it. */
static size_t
plain_max(const SSL *ssl)
{
	const SSL_SESSION *s = SSL_get_session(ssl);
	unsigned mode = s == NULL ? 0 : SSL_SESSION_get_max_fragment_length(s);

	return mode >= TLSEXT_max_fragment_length_512 &&
	    mode <= TLSEXT_max_fragment_length_4096 ? 256u << mode :
	    RECORD_PLAIN_MAX;
}

void
tls_own_take(struct tls_conn *t)
{
	const SSL_CIPHER *cipher = SSL_get_current_cipher(t->ssl);
	uint16_t suite = cipher == NULL ? 0 :
	    SSL_CIPHER_get_protocol_id(cipher);
	size_t n = suite == RECORD_AES_256_GCM_SHA384 ? 48 : 32;
	struct record secrets = t->rec;
	enum err e = ERR_ARG;

	if (t->engine != NULL && t->has_in && t->has_out &&
	    secrets.in.seq == 0 && SSL_has_pending(t->ssl) == 0)
		e = record_init(&t->rec, t->engine, suite,
		    span_of(secrets.in.secret, n),
		    span_of(secrets.out.secret, n), 0, secrets.out.seq);
	wipe(&secrets, sizeof(secrets));
	ERR_clear_error();
	if (e != OK) {
		wipe(&t->rec, sizeof(t->rec));
		return;
	}
	record_limit(&t->rec, plain_max(t->ssl));
	SSL_free(t->ssl);
	t->ssl = NULL;
	tls_ctx_unref(t->ctx);
	t->ctx = NULL;
}

/* ---- Writing ---- */

static long
fail(struct tls_conn *t)
{
	t->dead = true;
	return TLS_ERROR;
}

/* Adds to part or left, within what all connections together may hold. */
static bool
keep(struct tls_conn *t, struct buf *b, const uint8_t *p, size_t n)
{
	if (!record_engine_hold(t->engine, n))
		return false;
	if (buf_add(b, p, n) == OK)
		return true;
	record_engine_drop(t->engine, n);
	return false;
}

/* The first n bytes of it are needed no more. */
static void
drop(struct tls_conn *t, struct buf *b, size_t n)
{
	record_engine_drop(t->engine, n);
	if (n < b->n)
		buf_drop(b, n);
	else
		buf_fini(b);
}

/* Sends sealed bytes; what the kernel does not take is kept. */
static bool
put(struct tls_conn *t, const uint8_t *p, size_t n)
{
	const struct sys_iov iov = { p, n };
	long k = t->left.n > 0 ? SYS_AGAIN : sys_sendv(t->fd, &iov, 1);
	size_t sent = k > 0 ? (size_t)k : 0;

	if (k == SYS_ERROR)
		return false;
	return sent == n || keep(t, &t->left, p + sent, n - sent);
}

/* 1 when nothing of before waits, else TLS_AGAIN or TLS_ERROR. */
static int
flush(struct tls_conn *t)
{
	uint8_t m[RECORD_SMALL];
	size_t n;

	while (t->left.n > 0) {
		const struct sys_iov iov = { t->left.p, t->left.n };
		long k = sys_sendv(t->fd, &iov, 1);

		if (k < 0)
			return k == SYS_AGAIN ? TLS_AGAIN : TLS_ERROR;
		drop(t, &t->left, (size_t)k);
	}
	if (t->shut || !record_wants_update(&t->rec))
		return 1;
	if (record_update(&t->rec, t->engine, m, &n) != OK || !put(t, m, n))
		return TLS_ERROR;
	return t->left.n > 0 ? TLS_AGAIN : 1;
}

long
tls_own_writev(struct tls_conn *t, const struct sys_iov *iov, size_t n,
    uint8_t *scratch)
{
	struct sys_iov some[SYS_IOV_MAX];
	size_t total = 0, k = 0, max = t->rec.plain_max, sealed;
	int r = flush(t);

	if (r == TLS_ERROR)
		return fail(t);
	if (r != 1)
		return r;
	for (; k < n && k < SYS_IOV_MAX && total < max; k++) {
		some[k] = iov[k];
		if (some[k].n > max - total)
			some[k].n = max - total;
		total += some[k].n;
	}
	if (total == 0)
		return 0;
	assert(!t->shut);
	if (record_seal(&t->rec, t->engine, RECORD_DATA, some, k, scratch,
	    &sealed) != OK || !put(t, scratch, sealed))
		return fail(t);
	return (long)total;
}

static void
send_alert(struct tls_conn *t, uint8_t alert)
{
	uint8_t m[RECORD_SMALL];
	size_t n;

	if (t->engine == NULL ||
	    record_alert(&t->rec, t->engine, alert, m, &n) != OK ||
	    !put(t, m, n))
		t->dead = true;
}

/* RFC 8446 6.2: tells of what has failed, unless it was the peer who told. */
static void
tell(struct tls_conn *t)
{
	if (!t->rec.mute && !t->shut)
		send_alert(t, t->rec.alert);
	t->dead = true;
}

void
tls_own_end(struct tls_conn *t)
{
	if (t->failed) {	/* and nobody has read as far as that */
		tell(t);
		return;
	}
	if (!t->shut)
		send_alert(t, ALERT_CLOSE_NOTIFY);
	t->shut = true;
}

void
tls_own_cut(struct tls_conn *t)
{
	if (!t->failed)
		t->rec.alert = ALERT_INTERNAL_ERROR;
	tell(t);
}

/* ---- Reading ---- */

/* Opens the records of p[n]; bytes of data, moved to p's beginning. What is
 * left at the end is kept for the next time. */
static size_t
open_all(struct tls_conn *t, uint8_t *p, size_t n)
{
	size_t at = 0, got = 0;

	while (n - at >= RECORD_HEAD && !t->ended && !t->failed) {
		struct span s = { 0 };
		size_t len;

		if (record_length(&t->rec, p + at, &len) != OK) {
			t->failed = true;
			break;
		}
		if (len > n - at)
			break;
		switch (record_open(&t->rec, t->engine, p + at, len, &s)) {
		case RECORD_IS_DATA:
			if (s.n > 0)
				memmove(p + got, s.p, s.n);
			got += s.n;
			break;
		case RECORD_IS_OURS:
			break;
		case RECORD_IS_END:
			t->ended = true;
			break;
		case RECORD_IS_BAD:
			t->failed = true;
			break;
		}
		at += len;
	}
	if (!t->ended && !t->failed && at < n &&
	    !keep(t, &t->part, p + at, n - at)) {
		t->rec.alert = ALERT_INTERNAL_ERROR;
		t->failed = true;
	}
	wipe(p + got, at - got);	/* copies of what was moved */
	return got;
}

/* What an earlier call found behind its data. */
static long
settle(struct tls_conn *t)
{
	if (t->ended)
		return 0;
	tell(t);
	return TLS_ERROR;
}

long
tls_own_read(struct tls_conn *t, uint8_t *p, size_t n)
{
	assert(n >= TLS_READ_MIN);
	t->drained = false;
	while (!t->ended && !t->failed) {
		size_t had = t->part.n, got;
		long k = sys_recv(t->fd, p + had, n - had);

		if (k == SYS_AGAIN)
			return TLS_AGAIN;
		/* RFC 8446 6.1: an end without close_notify is no end. */
		if (k <= 0)
			return fail(t);
		if (had > 0) {
			memcpy(p, t->part.p, had);
			drop(t, &t->part, had);
		}
		got = open_all(t, p, had + (size_t)k);
		t->drained = (size_t)k < n - had && !t->ended && !t->failed;
		if (got > 0)
			return (long)got;
		if (t->drained)
			return TLS_AGAIN;
	}
	return settle(t);
}
