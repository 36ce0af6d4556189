/*
 * record.h: record protection of TLS 1.3 once a handshake is over (RFC 8446
 * 5, 6, 7.2 and 7.3): seals and opens records, changes keys, judges what a
 * peer may still send. Bytes in, bytes out: no socket and no clock.
 *
 * An SSL object of OpenSSL at rest costs 21 KiB, most of it two record layers
 * of 4.4 KiB and itself (5.6 KiB), which no option takes away. So net/tls.c
 * lets OpenSSL do the handshake, takes the traffic secrets and frees it. What
 * stays is a struct record. The cipher contexts (about 1 KiB each) belong to
 * a record_engine, one for each reactor; giving a context another key costs
 * about 60 ns, and nothing while the same connection goes on.
 */
#ifndef NET_RECORD_H
#define NET_RECORD_H

#include "base/bytes.h"
#include "base/sys.h"

#define RECORD_HEAD 5
#define RECORD_PLAIN_MAX 16384		/* RFC 8446 5.1 */
#define RECORD_BODY_MAX (RECORD_PLAIN_MAX + 256)	/* 5.2 */
#define RECORD_MAX (RECORD_HEAD + RECORD_BODY_MAX)
/* What sealing adds: head, content type, tag. */
#define RECORD_EXTRA (RECORD_HEAD + 1 + 16)
/* A sealed alert or KeyUpdate has at most so many bytes. */
#define RECORD_SMALL (RECORD_EXTRA + 5)

/* Content types (RFC 8446 B.1). */
enum record_type {
	RECORD_ALERT = 21,
	RECORD_HANDSHAKE = 22,
	RECORD_DATA = 23
};

/* Alerts (RFC 8446 6). */
enum record_alert {
	ALERT_CLOSE_NOTIFY = 0,
	ALERT_UNEXPECTED_MESSAGE = 10,
	ALERT_BAD_RECORD_MAC = 20,
	ALERT_RECORD_OVERFLOW = 22,
	ALERT_ILLEGAL_PARAMETER = 47,
	ALERT_DECODE_ERROR = 50,
	ALERT_INTERNAL_ERROR = 80,
	ALERT_USER_CANCELED = 90
};

/* Cipher suites by their numbers (RFC 8446 B.4). */
#define RECORD_AES_128_GCM_SHA256 0x1301
#define RECORD_AES_256_GCM_SHA384 0x1302
#define RECORD_CHACHA20_POLY1305_SHA256 0x1303

#define RECORD_SECRET_MAX 48

/*
 * Records under one key before it is changed: below the 2^24.5 of full size
 * that RFC 8446 5.5 allows for AES-GCM.
 */
#define RECORD_KEY_USES (1u << 24)
/* Records in a row that carry no data, before the peer is one to be cut. */
#define RECORD_IDLE_MAX 32

struct record_engine;

/* For one thread. ERR_NOMEM, ERR_PROVIDER. */
MUST_USE enum err record_engine_new(struct record_engine **out);
void record_engine_free(struct record_engine *e);	/* NULL does nothing */
/*
 * What its connections hold of unfinished records, and of sealed ones that
 * the kernel did not take, is counted: all together at most RECORD_HELD_MAX
 * bytes. False: it would be more, nothing was counted.
 */
#define RECORD_HELD_MAX ((size_t)64 << 20)
MUST_USE bool record_engine_hold(struct record_engine *e, size_t n);
/* The same for what comes from another engine: it may pass the limit. */
void record_engine_join(struct record_engine *e, size_t n);
void record_engine_drop(struct record_engine *e, size_t n);
size_t record_engine_held(const struct record_engine *e);

/* One direction. Fields are record.c's. */
struct record_keys {
	uint64_t seq;		/* of the next record under this key */
	uint64_t id;		/* of the key in its engine; 0: none yet */
	uint8_t secret[RECORD_SECRET_MAX];
	uint8_t key[32];
	uint8_t iv[12];
};

struct record {
	struct record_keys in, out;
	uint32_t key_uses;	/* RECORD_KEY_USES; less in tests */
	uint16_t suite;
	uint16_t plain_max;	/* RECORD_PLAIN_MAX; less by record_limit */
	uint8_t alert;		/* to be sent when opening has failed */
	uint8_t idle;		/* records without data in a row */
	uint8_t part[5];	/* of a handshake message */
	uint8_t part_n;
	bool owe_update;	/* the peer has asked for new keys */
	bool ask_update;	/* its own keys are used up */
	bool asked;
	bool mute;		/* the peer has sent a fatal alert */
};

/*
 * Starts on the secrets of the handshake (client_ and server_application_
 * traffic_secret_0), of the length of the suite's hash.
 *   in_seq, out_seq  records that went under these keys already
 * ERR_ARG: unknown suite, wrong length. ERR_PROVIDER.
 */
MUST_USE enum err record_init(struct record *r, struct record_engine *e,
    uint16_t suite, struct span in_secret, struct span out_secret,
    uint64_t in_seq, uint64_t out_seq);
/*
 * No record has more content, either way: what max_fragment_length (RFC 6066
 * 4) has agreed on, at most RECORD_PLAIN_MAX. Padding does not count.
 */
void record_limit(struct record *r, size_t plain_max);
/* Wipes. e: the engine that it was used with last, or NULL when that is gone;
 * a zeroed record is fine. */
void record_fini(struct record *r, struct record_engine *e);
/* It goes to another thread: e, its engine so far, forgets its keys. */
void record_leave(struct record *r, struct record_engine *e);

/*
 * Length of the record that begins with p, whole, from its head.
 *   p      at least RECORD_HEAD bytes
 *   n_out  at most RECORD_MAX
 * ERR_FORMAT: no record that may come here; r->alert says which alert.
 */
MUST_USE enum err record_length(struct record *r, const uint8_t *p,
    size_t *n_out);

enum record_is {
	RECORD_IS_DATA,		/* plain_out: application data, maybe none */
	RECORD_IS_OURS,		/* it was for this layer; go on */
	RECORD_IS_END,		/* close_notify: nothing follows */
	RECORD_IS_BAD,		/* r->alert is due (unless r->mute); nothing
				   more may be read or written */
};
/*
 * Opens a whole record in place.
 *   p, n       in/out  as record_length said
 *   plain_out  out     inside p, for RECORD_IS_DATA
 * On RECORD_IS_BAD p holds no plaintext.
 */
MUST_USE enum record_is record_open(struct record *r, struct record_engine *e,
    uint8_t *p, size_t n, struct span *plain_out);

/*
 * Seals one record.
 *   iov, iov_n  in   its content, together at most r->plain_max bytes
 *   out         out  content and RECORD_EXTRA bytes; does not overlap it
 *   n_out       out  bytes written
 * ERR_PROVIDER: the connection is of no use any more.
 */
MUST_USE enum err record_seal(struct record *r, struct record_engine *e,
    enum record_type type, const struct sys_iov *iov, size_t iov_n,
    uint8_t *out, size_t *n_out);
/* Our keys have to change before the next record (RFC 8446 4.6.3, 5.5). */
bool record_wants_update(const struct record *r);
/* Seals a KeyUpdate and changes our keys. out: RECORD_SMALL bytes. */
MUST_USE enum err record_update(struct record *r, struct record_engine *e,
    uint8_t *out, size_t *n_out);
/* Seals an alert. out: RECORD_SMALL bytes. */
MUST_USE enum err record_alert(struct record *r, struct record_engine *e,
    uint8_t alert, uint8_t *out, size_t *n_out);

#endif
