/*
 * tls_private.h: what tls.c (contexts, OpenSSL's connections) and tls_own.c
 * (connections whose records are ours) share.
 */
#ifndef NET_TLS_PRIVATE_H
#define NET_TLS_PRIVATE_H

#include <openssl/ssl.h>

#include "net/record.h"
#include "net/tls.h"

struct tls_conn {
	SSL *ssl;		/* NULL once the records are ours */
	struct tls_ctx *ctx;	/* goes with ssl */
	struct record_engine *engine;	/* of its thread, or NULL */
	void *verify_arg;
	const char *group;	/* a literal */
	/*
	 * Of the handshake only the secrets and counts of records under them,
	 * filled in as OpenSSL tells of them, until it starts (record_init).
	 */
	struct record rec;
	struct buf part;	/* of a record, until the rest has come */
	struct buf left;	/* sealed, and not taken by the kernel yet */
	int fd;
	bool client;
	bool dead;		/* after a fatal error nothing may be called */
	bool has_in, has_out;	/* secrets */
	bool resumed;
	bool shut;		/* our close_notify is on its way */
	bool ended;		/* the peer's has come */
	bool failed;		/* rec.alert is due */
	bool drained;		/* the kernel had no more when last asked */
};

/* OpenSSL's memory from now on is one that is wiped when it is given back.
 * Before it has any: ERR_PROVIDER. Again: does nothing. */
MUST_USE enum err tls_heap_use(void);

/* OpenSSL is to tell of secrets (context) and records (connection). */
void tls_own_prepare_ctx(SSL_CTX *ctx);
void tls_own_prepare(struct tls_conn *t);
/*
 * The handshake is done: takes the records over and frees the SSL object.
 * Does nothing where that is not possible: OpenSSL goes on then.
 */
void tls_own_take(struct tls_conn *t);
/* As tls_read, tls_writev, tls_end and tls_cut. */
long tls_own_read(struct tls_conn *t, uint8_t *p, size_t n);
long tls_own_writev(struct tls_conn *t, const struct sys_iov *iov, size_t n,
    uint8_t *scratch);
void tls_own_end(struct tls_conn *t);
void tls_own_cut(struct tls_conn *t);

#endif
