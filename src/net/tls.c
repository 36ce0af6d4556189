/*
 * tls.c: TLS 1.3 over a socket with OpenSSL. Any thread for contexts, the
 * stream's thread for connections.
 *
 * Implementation notes. OpenSSL does every handshake, and everything for
 * clients; a server's connection goes on without it (tls_own.c).
 * Two tickets at the handshake's end are OpenSSL's default; we send one: a
 * client that resumes gets a new one (RFC 8446 C.4: a ticket used twice tells
 * who comes again), and each costs a record.
 */
#include <limits.h>
#include <stdatomic.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "net/tls_private.h"

struct tls_ctx {
	atomic_uint refs;
	SSL_CTX *ssl;
	struct tls_tickets *tickets;
	tls_verify_fn verify;
	bool client;
};

enum err
tls_setup(void)
{
	TRY(tls_heap_use());
	return OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) == 1 ? OK :
	    ERR_PROVIDER;
}

/* RFC 7301: only http/1.1; a client that offers none of ours is refused. */
static int
select_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_n,
    const unsigned char *in, unsigned in_n, void *arg)
{
	static const unsigned char ours[] = "\x08http/1.1";
	unsigned char *found = NULL;

	(void)ssl;
	(void)arg;
	if (SSL_select_next_proto(&found, out_n, ours, sizeof ours - 1, in,
	    in_n) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = found;
	return SSL_TLSEXT_ERR_OK;
}

/* What server and client contexts share. */
static enum err
ctx_new(const SSL_METHOD *method, struct tls_ctx **out)
{
	char groups[] = TLS_GROUPS;	/* the macro below casts const away */
	struct tls_ctx *c;

	TRY(tls_setup());
	if ((c = calloc(1, sizeof *c)) == NULL)
		return ERR_NOMEM;
	atomic_init(&c->refs, 1);
	if ((c->ssl = SSL_CTX_new(method)) == NULL) {
		free(c);
		return ERR_NOMEM;
	}
	SSL_CTX_set_mode(c->ssl, SSL_MODE_RELEASE_BUFFERS |
	    SSL_MODE_ENABLE_PARTIAL_WRITE |
	    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_options(c->ssl, SSL_OP_NO_COMPRESSION |
	    SSL_OP_NO_RENEGOTIATION);
	if (SSL_CTX_set_min_proto_version(c->ssl, TLS1_3_VERSION) != 1 ||
	    SSL_CTX_set1_groups_list(c->ssl, groups) != 1) {
		tls_ctx_unref(c);
		return ERR_PROVIDER;
	}
	*out = c;
	return OK;
}

static BIO *
pem_bio(struct span pem)
{
	return pem.n > INT_MAX ? NULL : BIO_new_mem_buf(pem.p, (int)pem.n);
}

/* No key of ours has a passphrase: never ask the terminal for one. */
static int
no_passphrase(char *buf, int n, int writing, void *arg)
{
	(void)buf;
	(void)n;
	(void)writing;
	(void)arg;
	return -1;
}

static enum err
use_chain(SSL_CTX *ssl, struct span cert_pem)
{
	enum err e = ERR_FORMAT;
	X509 *cert = NULL;
	BIO *b;

	if (cert_pem.n == 0)
		return ERR_FORMAT;
	if ((b = pem_bio(cert_pem)) == NULL)
		return ERR_NOMEM;
	cert = PEM_read_bio_X509(b, NULL, no_passphrase, NULL);
	if (cert == NULL || SSL_CTX_use_certificate(ssl, cert) != 1)
		goto out;
	for (;;) {
		X509 *more = PEM_read_bio_X509(b, NULL, no_passphrase, NULL);

		if (more == NULL)
			break;
		if (SSL_CTX_add0_chain_cert(ssl, more) != 1) {
			X509_free(more);
			goto out;
		}
	}
	e = OK;
out:
	X509_free(cert);
	BIO_free(b);
	ERR_clear_error();
	return e;
}

static enum err
use_key(SSL_CTX *ssl, struct span key_pem)
{
	enum err e = OK;
	EVP_PKEY *key;
	BIO *b;

	if (key_pem.n == 0)
		return ERR_FORMAT;
	if ((b = pem_bio(key_pem)) == NULL)
		return ERR_NOMEM;
	key = PEM_read_bio_PrivateKey(b, NULL, no_passphrase, NULL);
	if (key == NULL)
		e = ERR_FORMAT;
	else if (SSL_CTX_use_PrivateKey(ssl, key) != 1 ||
	    SSL_CTX_check_private_key(ssl) != 1)
		e = ERR_CONFLICT;
	EVP_PKEY_free(key);
	BIO_free(b);
	ERR_clear_error();
	return e;
}

enum err
tls_ctx_server(struct span cert_pem, struct span key_pem,
    struct tls_ctx **out)
{
	static const unsigned char name[] = "nightjar";
	struct record_engine *engine;
	struct tls_ctx *c;
	enum err e;

	/*
	 * Whether what records of our own need is there shows at the start;
	 * and it is in OpenSSL's cache when reactors ask for it.
	 */
	TRY(tls_setup());
	TRY(record_engine_new(&engine));
	record_engine_free(engine);
	TRY(ctx_new(TLS_server_method(), &c));
	if ((e = use_chain(c->ssl, cert_pem)) != OK ||
	    (e = use_key(c->ssl, key_pem)) != OK) {
		tls_ctx_unref(c);
		return e;
	}
	tls_own_prepare_ctx(c->ssl);
	SSL_CTX_set_options(c->ssl, SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_alpn_select_cb(c->ssl, select_alpn, NULL);
	/* Tickets hold the state: nothing is kept for who is gone. */
	SSL_CTX_set_session_cache_mode(c->ssl, SSL_SESS_CACHE_OFF);
	if (SSL_CTX_set_session_id_context(c->ssl, name,
	    sizeof name - 1) != 1 || SSL_CTX_set_num_tickets(c->ssl, 1) != 1) {
		tls_ctx_unref(c);
		return ERR_PROVIDER;
	}
	*out = c;
	return OK;
}

/* The contexts that OpenSSL seals or opens a ticket with get k. */
static bool
use_ticket_key(struct tls_ticket_key *k, const uint8_t *iv,
    EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int enc)
{
	char sha256[] = "SHA256";
	OSSL_PARAM p[3];

	p[0] = OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, k->mac,
	    sizeof(k->mac));
	p[1] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, sha256,
	    0);
	p[2] = OSSL_PARAM_construct_end();
	return EVP_MAC_CTX_set_params(mac, p) == 1 &&
	    EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, k->cipher, iv,
	    enc) == 1;
}

/* 1: go on, 2: go on and send a new ticket, 0: no key of ours (then a full
 * handshake), -1: failed. */
static int
on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv,
    EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int enc)
{
	struct tls_ctx *c = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	struct tls_ticket_key k;
	bool ok;

	if (enc != 0) {
		tls_tickets_current(c->tickets, &k);
		memcpy(name, k.name, TLS_TICKET_NAME);
		ok = RAND_bytes(iv, 16) == 1;
	} else {
		ok = true;
		if (!tls_tickets_find(c->tickets, name, &k))
			return 0;
	}
	ok = ok && use_ticket_key(&k, iv, cipher, mac, enc);
	wipe(&k, sizeof(k));
	return !ok ? -1 : enc != 0 ? 1 : 2;
}

enum err
tls_ctx_set_tickets(struct tls_ctx *c, struct tls_tickets *t)
{
	c->tickets = tls_tickets_ref(t);
	if (SSL_CTX_set_app_data(c->ssl, c) != 1 ||
	    SSL_CTX_set_tlsext_ticket_key_evp_cb(c->ssl, on_ticket) != 1)
		return ERR_PROVIDER;
	/* No longer than the key of the oldest is kept. */
	(void)SSL_CTX_set_timeout(c->ssl, TLS_TICKETS_PERIOD_MS / 1000);
	return OK;
}

static enum err
use_ca(SSL_CTX *ssl, struct span ca_pem)
{
	X509_STORE *store = SSL_CTX_get_cert_store(ssl);
	enum err e = ERR_FORMAT;
	X509 *cert;
	BIO *b;

	if (ca_pem.n == 0) {
		/* A machine without CAs trusts nothing; verify still asks. */
		(void)SSL_CTX_set_default_verify_paths(ssl);
		ERR_clear_error();
		return OK;
	}
	if ((b = pem_bio(ca_pem)) == NULL)
		return ERR_NOMEM;
	while ((cert = PEM_read_bio_X509(b, NULL, no_passphrase, NULL)) !=
	    NULL) {
		e = X509_STORE_add_cert(store, cert) == 1 ? OK : ERR_FORMAT;
		X509_free(cert);
		if (e != OK)
			break;
	}
	BIO_free(b);
	ERR_clear_error();
	return e;
}

/* The peer's certificate has come and been checked as far as it goes. */
static int
verify_peer(X509_STORE_CTX *store, void *arg)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store,
	    SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tls_conn *t = ssl == NULL ? NULL : SSL_get_app_data(ssl);
	X509 *cert = X509_STORE_CTX_get0_cert(store);
	struct tls_peer peer = { 0 };
	unsigned n = 0;
	bool ok;

	(void)arg;
	if (t == NULL || cert == NULL ||
	    X509_digest(cert, EVP_sha256(), peer.sha256, &n) != 1 ||
	    n != sizeof peer.sha256)
		return 0;
	peer.trusted = X509_verify_cert(store) == 1;
	if (!peer.trusted)
		peer.why_not = X509_verify_cert_error_string(
		    X509_STORE_CTX_get_error(store));
	ok = t->ctx->verify == NULL ? peer.trusted :
	    t->ctx->verify(t->verify_arg, &peer);
	X509_STORE_CTX_set_error(store,
	    ok ? X509_V_OK : X509_V_ERR_APPLICATION_VERIFICATION);
	return ok ? 1 : 0;
}

enum err
tls_ctx_client(struct span ca_pem, tls_verify_fn verify, struct tls_ctx **out)
{
	static const unsigned char alpn[] = "\x08http/1.1";
	struct tls_ctx *c;
	enum err e;

	TRY(ctx_new(TLS_client_method(), &c));
	c->client = true;
	c->verify = verify;
	if ((e = use_ca(c->ssl, ca_pem)) != OK)
		goto out;
	/* Zero is success, unlike everywhere else. */
	if (SSL_CTX_set_alpn_protos(c->ssl, alpn, sizeof alpn - 1) != 0) {
		e = ERR_PROVIDER;
		goto out;
	}
	SSL_CTX_set_verify(c->ssl, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(c->ssl, verify_peer, NULL);
	SSL_CTX_set_session_cache_mode(c->ssl, SSL_SESS_CACHE_OFF);
	*out = c;
	return OK;
out:
	tls_ctx_unref(c);
	return e;
}

struct tls_ctx *
tls_ctx_ref(struct tls_ctx *c)
{
	if (c != NULL)
		atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
	return c;
}

void
tls_ctx_unref(struct tls_ctx *c)
{
	if (c == NULL || atomic_fetch_sub_explicit(&c->refs, 1,
	    memory_order_acq_rel) != 1)
		return;
	SSL_CTX_free(c->ssl);
	tls_tickets_unref(c->tickets);
	free(c);
}

static enum err
conn_new(struct tls_ctx *c, int fd, struct tls_conn **out)
{
	struct tls_conn *t = calloc(1, sizeof *t);

	if (t == NULL)
		return ERR_NOMEM;
	t->ctx = tls_ctx_ref(c);
	t->client = c->client;
	t->group = "";
	t->fd = fd;
	t->ssl = SSL_new(c->ssl);
	if (t->ssl == NULL || SSL_set_fd(t->ssl, fd) != 1 ||
	    SSL_set_app_data(t->ssl, t) != 1) {
		tls_close(t);
		ERR_clear_error();
		return ERR_NOMEM;
	}
	*out = t;
	return OK;
}

enum err
tls_accept(struct tls_ctx *c, int fd, struct tls_conn **out)
{
	TRY(conn_new(c, fd, out));
	tls_own_prepare(*out);
	SSL_set_accept_state((*out)->ssl);
	return OK;
}

/* SNI is for names only (RFC 6066 3); an address is checked as an address. */
static bool
set_host(SSL *ssl, const char *host)
{
	X509_VERIFY_PARAM *p = SSL_get0_param(ssl);
	size_t n = strlen(host);
	char name[256];		/* a DNS name has at most 253 characters */

	if (n >= sizeof name)
		return false;
	memcpy(name, host, n + 1);
	if (X509_VERIFY_PARAM_set1_ip_asc(p, host) == 1)
		return true;
	return SSL_set1_host(ssl, host) == 1 &&
	    SSL_set_tlsext_host_name(ssl, name) == 1;
}

enum err
tls_connect(struct tls_ctx *c, int fd, const char *host, void *verify_arg,
    struct tls_conn **out)
{
	struct tls_conn *t;

	TRY(conn_new(c, fd, &t));
	t->verify_arg = verify_arg;
	if (!set_host(t->ssl, host)) {
		tls_close(t);
		ERR_clear_error();
		return ERR_ARG;
	}
	ERR_clear_error();	/* that the host was no address */
	SSL_set_connect_state(t->ssl);
	*out = t;
	return OK;
}

void
tls_close(struct tls_conn *t)
{
	if (t == NULL)
		return;
	SSL_free(t->ssl);
	tls_ctx_unref(t->ctx);
	if (t->engine != NULL)
		record_engine_drop(t->engine, t->part.n + t->left.n);
	record_fini(&t->rec, t->engine);
	buf_fini(&t->part);
	buf_fini(&t->left);
	free(t);
}

/* What a call that gave no count means. */
static int
outcome(struct tls_conn *t, int result)
{
	int why = SSL_get_error(t->ssl, result);

	ERR_clear_error();
	if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE)
		return TLS_AGAIN;
	if (why == SSL_ERROR_ZERO_RETURN)
		return 0;
	t->dead = true;
	return TLS_ERROR;
}

/* The names of TLS_GROUPS as literals, which outlive the SSL object. */
static const char *
group_name(SSL *ssl)
{
	const char *name = SSL_get0_group_name(ssl);

	if (name == NULL)
		return "";
	return strcmp(name, "x25519") == 0 ? "x25519" : "X25519MLKEM768";
}

int
tls_handshake(struct tls_conn *t)
{
	int n, r;

	if (t->dead)
		return TLS_ERROR;
	n = SSL_do_handshake(t->ssl);
	if (n == 1) {
		t->group = group_name(t->ssl);
		t->resumed = SSL_session_reused(t->ssl) == 1;
		if (!t->client)
			tls_own_take(t);
		return 1;
	}
	r = outcome(t, n);
	return r == TLS_AGAIN ? TLS_AGAIN : TLS_ERROR;
}

long
tls_read(struct tls_conn *t, void *p, size_t n)
{
	int k;

	if (t->dead)
		return TLS_ERROR;
	if (t->ssl == NULL)
		return tls_own_read(t, p, n);
	k = SSL_read(t->ssl, p, n > INT_MAX ? INT_MAX : (int)n);
	return k > 0 ? k : outcome(t, k);
}

/* The pieces one behind the other, up to a record: where they begin. */
static const void *
gather(const struct sys_iov *iov, size_t n, uint8_t *scratch, size_t *n_out)
{
	struct wr w = wr_init(scratch, RECORD_PLAIN_MAX);

	*n_out = iov[0].n;
	if (n == 1 || iov[0].n >= RECORD_PLAIN_MAX)
		return iov[0].p;
	for (size_t i = 0; i < n && w.n < w.cap; i++)
		wr_bytes(&w, iov[i].p, iov[i].n < w.cap - w.n ? iov[i].n :
		    w.cap - w.n);
	*n_out = w.n;
	return scratch;
}

long
tls_writev(struct tls_conn *t, const struct sys_iov *iov, size_t n,
    uint8_t *scratch)
{
	const void *p;
	size_t len;
	int k, r;

	if (t->dead)
		return TLS_ERROR;
	if (t->ssl == NULL)
		return tls_own_writev(t, iov, n, scratch);
	if (n == 0)
		return 0;
	p = gather(iov, n, scratch, &len);
	if (len == 0)
		return 0;
	k = SSL_write(t->ssl, p, len > INT_MAX ? INT_MAX : (int)len);
	if (k > 0)
		return k;
	r = outcome(t, k);
	return r == 0 ? TLS_ERROR : r;
}

bool
tls_is_waiting(const struct tls_conn *t)
{
	return t->ssl == NULL && !t->dead && (t->left.n > 0 ||
	    (!t->shut && record_wants_update(&t->rec)));
}

bool
tls_is_drained(const struct tls_conn *t)
{
	return t->drained;
}

void
tls_set_engine(struct tls_conn *t, struct record_engine *e)
{
	size_t held = t->part.n + t->left.n;

	if (t->engine == e)
		return;
	if (t->engine != NULL) {
		record_leave(&t->rec, t->engine);
		record_engine_drop(t->engine, held);
	}
	if (e != NULL)
		record_engine_join(e, held);
	t->engine = e;
}

long
tls_sendfile(struct tls_conn *t, int fd, uint64_t at, size_t n)
{
	BIO *out = t->ssl == NULL ? NULL : SSL_get_wbio(t->ssl);
	ossl_ssize_t k;

	if (t->dead)
		return TLS_ERROR;
	if (out == NULL || !BIO_get_ktls_send(out))
		return TLS_UNSUPPORTED;
	k = SSL_sendfile(t->ssl, fd, (off_t)at, n, 0);
	return k >= 0 ? (long)k : outcome(t, (int)k);
}

void
tls_end(struct tls_conn *t)
{
	/* SSL_shutdown may not be called after a fatal error. */
	if (t->dead || t->shut)
		return;
	if (t->ssl == NULL) {
		tls_own_end(t);
	} else if (SSL_is_init_finished(t->ssl)) {
		(void)SSL_shutdown(t->ssl);
		t->shut = true;
	}
	ERR_clear_error();
}

void
tls_cut(struct tls_conn *t)
{
	if (t->dead || t->shut)
		return;
	if (t->client)
		tls_end(t);
	else if (t->ssl == NULL)
		tls_own_cut(t);
	t->dead = true;
	ERR_clear_error();
}

bool
tls_is_own(const struct tls_conn *t)
{
	return t->ssl == NULL;
}

const char *
tls_group(const struct tls_conn *t)
{
	return t->group;
}

const char *
tls_version(const struct tls_conn *t)
{
	return t->ssl != NULL ? SSL_get_version(t->ssl) : "TLSv1.3";
}

bool
tls_resumed(const struct tls_conn *t)
{
	return t->resumed;
}
