/*
 * tls.h: TLS 1.3 by OpenSSL >= 3.5, key agreement X25519MLKEM768 first and
 * X25519 for peers without it. A context is shared by all reactors (it is
 * counted and immutable once made); a connection belongs to its stream.
 * Nothing of OpenSSL is visible here.
 */
#ifndef NET_TLS_H
#define NET_TLS_H

#include "base/bytes.h"
#include "base/sys.h"
#include "net/tls_ticket.h"

#define TLS_GROUPS "X25519MLKEM768:X25519"

struct tls_ctx;
struct tls_conn;
struct record_engine;	/* net/record.h */

/*
 * The first call of a program that uses OpenSSL in any way: the system's
 * configuration file is not read, and what it frees is wiped. ERR_PROVIDER:
 * also when OpenSSL has allocated memory before.
 */
MUST_USE enum err tls_setup(void);

/*
 * A server's context from PEM texts: certificate chain (own first) and key.
 * Session tickets on, ALPN http/1.1 (other offers are refused, none is fine).
 * ERR_FORMAT: unreadable. ERR_CONFLICT: the key is not the certificate's.
 */
MUST_USE enum err tls_ctx_server(struct span cert_pem, struct span key_pem,
    struct tls_ctx **out);

/*
 * Its tickets are made and opened with these keys instead of ones that it has
 * alone (counted; once, before it is used). ERR_PROVIDER.
 */
MUST_USE enum err tls_ctx_set_tickets(struct tls_ctx *c,
    struct tls_tickets *t);

/* What a client learns of the server before any byte is sent to it. */
struct tls_peer {
	uint8_t sha256[32];	/* of the certificate (DER) */
	bool trusted;		/* chain to a system CA, and the name matches */
	const char *why_not;	/* reason when it is not trusted, or NULL */
};
/* True: go on. Called on the stream's thread during the handshake. */
typedef bool (*tls_verify_fn)(void *arg, const struct tls_peer *peer);

/*
 * A client's context. verify decides about every server; NULL: what is
 * trusted is accepted. arg is that of the stream (stream_connect).
 * ca_pem: instead of the system's CAs when not empty. ERR_FORMAT.
 */
MUST_USE enum err tls_ctx_client(struct span ca_pem, tls_verify_fn verify,
    struct tls_ctx **out);
struct tls_ctx *tls_ctx_ref(struct tls_ctx *c);
void tls_ctx_unref(struct tls_ctx *c);	/* NULL does nothing */

/*
 * A connection over a socket that stays the caller's. OpenSSL does the
 * handshake; a server's connection that has an engine by then (tls_set_engine)
 * goes on with records of our own and costs 500 bytes instead of 21 KiB.
 */
MUST_USE enum err tls_accept(struct tls_ctx *c, int fd, struct tls_conn **out);
/* host: for SNI and the name check, a name or a literal address. */
MUST_USE enum err tls_connect(struct tls_ctx *c, int fd, const char *host,
    void *verify_arg, struct tls_conn **out);
void tls_close(struct tls_conn *t);	/* frees; NULL does nothing */
/*
 * The engine of the thread that the connection is on; NULL before it goes to
 * another thread, where it gets that one's before anything else.
 */
void tls_set_engine(struct tls_conn *t, struct record_engine *e);
/* Its records are ours: reading and writing need an engine. */
bool tls_is_own(const struct tls_conn *t);

/* Results beside a count: as SYS_AGAIN and SYS_ERROR of sys.h. */
#define TLS_AGAIN (-1)
#define TLS_ERROR (-2)

/* 1: done, TLS_AGAIN, TLS_ERROR. */
int tls_handshake(struct tls_conn *t);
/*
 * > 0 bytes, 0 at the end (close_notify), TLS_AGAIN, TLS_ERROR. With records
 * of our own p needs room for TLS_READ_MIN bytes; what is in it beyond the
 * bytes returned is no plaintext.
 */
#define TLS_READ_MIN 34000	/* two records */
long tls_read(struct tls_conn *t, void *p, size_t n);
/* The last tls_read has taken all that the kernel had: more to come is a new
 * event. False when that is not known. */
bool tls_is_drained(const struct tls_conn *t);
/*
 * Writes at most one record from n pieces. Bytes taken, TLS_AGAIN, TLS_ERROR.
 * After TLS_AGAIN the next call must begin with the same bytes (they may have
 * moved). n may be 0: writes only what waits (tls_is_waiting); 0 when all of
 * it has gone.
 *   scratch  out  TLS_SCRATCH bytes that overlap no piece
 */
#define TLS_SCRATCH 16640
long tls_writev(struct tls_conn *t, const struct sys_iov *iov, size_t n,
    uint8_t *scratch);
/* Bytes that were taken, or a message of ours, still have to be sent. */
bool tls_is_waiting(const struct tls_conn *t);
/*
 * From a file, where the kernel encrypts (kTLS): bytes sent, 0 at the file's
 * end, TLS_AGAIN, TLS_ERROR, or TLS_UNSUPPORTED: tls_write has to do it.
 */
#define TLS_UNSUPPORTED (-3)
long tls_sendfile(struct tls_conn *t, int fd, uint64_t at, size_t n);
/* Sends close_notify, as far as it goes without waiting. */
void tls_end(struct tls_conn *t);
/*
 * Gives up in the middle of something: a server's peer gets a fatal alert in
 * the place of close_notify, which would say that it has got all (RFC 8446
 * 6.1); a client ends as by tls_end. Nothing can be read or written then.
 */
void tls_cut(struct tls_conn *t);
/* The group agreed on ("X25519MLKEM768"); "" before. For logs and tests. */
const char *tls_group(const struct tls_conn *t);
const char *tls_version(const struct tls_conn *t);
bool tls_resumed(const struct tls_conn *t);

/*
 * Self-signed certificate and key (P-256) for the given names and addresses
 * (comma-separated: "localhost,127.0.0.1,::1"), valid from a day ago for
 * `days`: the one that a server makes on its first start. PEM texts.
 */
MUST_USE enum err tls_self_signed(const char *names, unsigned days,
    struct buf *cert_pem, struct buf *key_pem);
/* SHA-256 of the first certificate (DER) of a PEM text: what clients pin. */
MUST_USE enum err tls_fingerprint(struct span cert_pem,
    uint8_t sha256[static 32]);
/* SHA-1, which the WebSocket handshake asks for (RFC 6455 4.2.2) and no one
 * else should. ERR_PROVIDER. */
MUST_USE enum err tls_sha1(struct span in, uint8_t out[20]);

#endif
