/*
 * linking.h: how a new device joins an account (docs/protocol.md, "Linking a
 * device"). The new device shows an offer's address and hash as text or QR;
 * a manager device answers with a KEM and a key exchange, the new device shows
 * a six-digit code of the shared secret, the user types it into the manager,
 * which then sends what a device needs to know; the new device makes its keys
 * and returns its certificate with a proof. Freestanding.
 *
 *	LinkOffer    = 0x1B | u8 1 | x25519[32] | mlkem[1184] | mailbox[16] |
 *	               nonce[16]
 *	LinkReply    = 0x1E | u8 1 | x25519[32] | mlkem ciphertext[1088]
 *	Provisioning = 0x1C | u8 1 | AES-256-GCM(k_m, 0, "NJ1 link m", pad(TLV))
 *	answer       = AES-256-GCM(k_n, 0, "NJ1 link n", certificate || proof)
 *
 * Order of calls. New device: linking_offer, linking_text, linking_accept,
 * linking_code, linking_open_provisioning, linking_answer. Manager:
 * linking_reply, linking_enter_code, linking_provision, linking_open_answer.
 * A call out of its order says ERR_CONFLICT and changes nothing. Each of the
 * two keys seals once and is gone after that, so what was sealed is stored
 * together with the state, before it is sent, and sent again as it is.
 *
 * The state is kept between the steps by linking_encode; a host commits it
 * before it sends what the step made. It holds private keys: linking_wipe.
 */
#ifndef CORE_LINKING_H
#define CORE_LINKING_H

#include "core/store.h"
#include "pub/cert.h"

#define LINKING_OFFER_LEN (2 + X25519_LEN + MLKEM_EK_LEN + ID_LEN + 16)
#define LINKING_REPLY_LEN (2 + X25519_LEN + MLKEM_CT_LEN)
#define LINKING_CODE_DIGITS 6
#define LINKING_OFFER_MS (5ull * 60 * 1000)	/* how long an offer lives */
/* "nightjar:link?m=" mailbox "&h=" hash, both base64url. */
#define LINKING_TEXT_LEN (16 + 22 + 3 + 43)
#define LINKING_NAME_MAX 64			/* bytes of UTF-8 */
#define LINKING_ANSWER_MAX (CERT_LEN_MAX + COMPOSITE_SIG_LEN + GCM_TAG_LEN)
#define LINKING_PROVISIONING_MAX 4096
#define LINKING_STATE_MAX 2560
#define ACCOUNT_SECRET_LEN 32

enum linking_step {
	LINKING_NONE = 0,
	LINKING_OFFERED,	/* new: waits for the reply */
	LINKING_SHOWN,		/* new: has the code, waits for provisioning */
	LINKING_PROVISIONED,	/* new: has to answer */
	LINKING_ANSWERED,	/* new: done */
	LINKING_REPLIED,	/* manager: waits for the code */
	LINKING_CODE_RIGHT,	/* manager: has to provision */
	LINKING_SENT,		/* manager: waits for the answer */
	LINKING_DONE,		/* manager: has the certificate */
	LINKING_FAILED		/* a wrong code or bad bytes: begin anew */
};

struct linking {
	uint8_t step;			/* enum linking_step */
	uint8_t offer[LINKING_OFFER_LEN];
	uint8_t reply[LINKING_REPLY_LEN];	/* from REPLIED, SHOWN on */
	uint8_t x25519_priv[X25519_LEN];	/* new device, OFFERED only */
	uint8_t mlkem_seed[MLKEM_SEED_LEN];
	uint8_t k_m[AES256_KEY_LEN], k_n[AES256_KEY_LEN];
	uint32_t code;			/* 0..999999, from REPLIED, SHOWN on */
};

/* What the manager tells the new device. Spans point into the opened bytes. */
struct linking_facts {
	struct user_id account;
	uint8_t aik[COMPOSITE_PUB_LEN];
	uint8_t secret[ACCOUNT_SECRET_LEN];	/* settings are sealed by it */
	uint32_t device;		/* the number that it gets, >= 1 */
	uint8_t flags;			/* DEVICE_* that it gets; MANAGER if
					 * and only if has_aik_priv */
	uint64_t list_version;		/* the newest list, which its own */
	uint8_t list_hash[SHA256_LEN];	/* follows */
	uint64_t position;		/* up to where the history reaches */
	bool has_aik_priv;
	struct composite_priv aik_priv;
	bool has_archive;
	struct any_id archive;		/* its id at the server */
	uint8_t archive_key[32];
	struct span device_name;	/* at most LINKING_NAME_MAX, may be
					 * empty */
	struct span user_name;		/* the account's name, likewise */
};

/* ---- new device ---- */

/*
 * New keys and an offer for this mailbox, in s->offer. ERR_PROVIDER.
 */
MUST_USE enum err linking_offer(const struct provider *p,
    const struct any_id *mailbox, struct linking *s);
/* What is shown as text and QR: LINKING_TEXT_LEN characters and a NUL. */
MUST_USE enum err linking_text(const struct provider *p,
    const struct linking *s, char out[static LINKING_TEXT_LEN + 1]);
/*
 * The manager's reply came; the private keys of the offer are gone after it.
 * ERR_FORMAT, ERR_VERSION, ERR_AUTH (a bad point): FAILED, begin anew.
 */
MUST_USE enum err linking_accept(const struct provider *p, struct linking *s,
    struct span reply);
/* The code to show (SHOWN) or to compare with: digits and a NUL. */
void linking_code(const struct linking *s,
    char out[static LINKING_CODE_DIGITS + 1]);
/*
 * linking_open_provisioning(p, s, bytes, plain, out):
 *   plain  out  at least bytes.n; secret: wiped by the caller, after use of
 *               out, whose spans point into it
 * ERR_AUTH: not from who replied.  ERR_FORMAT, ERR_VERSION,
 * ERR_UNKNOWN_CRITICAL: a newer manager.  FAILED then, *out zeroed.
 */
MUST_USE enum err linking_open_provisioning(const struct provider *p,
    struct linking *s, struct span bytes, uint8_t *plain,
    struct linking_facts *out);
/*
 * linking_answer(p, s, account, cert, dsk, w):
 * Appends the sealed certificate of this device (encoded, made with
 * devices_join) and the proof that it has the certificate's key.
 */
MUST_USE enum err linking_answer(const struct provider *p, struct linking *s,
    const struct user_id *account, struct span cert,
    const struct composite_priv *dsk, struct wr *w);

/* ---- manager ---- */

/* ERR_FORMAT: not such a text (spaces around it are forgiven). */
MUST_USE enum err linking_text_parse(struct span text,
    struct any_id *mailbox_out, uint8_t hash_out[static SHA256_LEN]);
/*
 * linking_reply(p, mailbox, hash, offer, s):
 * Takes the offer that the server gave for the mailbox of the text, and makes
 * the reply, in s->reply.
 * ERR_UNTRUSTED: not the offer that the text is about.  ERR_FORMAT,
 * ERR_VERSION, ERR_AUTH: bad keys.  *s is zeroed unless OK.
 */
MUST_USE enum err linking_reply(const struct provider *p,
    const struct any_id *mailbox, const uint8_t hash[static SHA256_LEN],
    struct span offer, struct linking *s);
/*
 * The code that the user read from the new device: six digits, spaces and
 * dashes between them are passed over. Compared in constant time.
 * ERR_FORMAT: not six digits; may be tried again.  ERR_UNTRUSTED: another
 * code: FAILED, there is no second try.
 */
MUST_USE enum err linking_enter_code(struct linking *s, struct span typed);
/*
 * Appends Provisioning, at most LINKING_PROVISIONING_MAX bytes. ERR_ARG: the
 * facts are not such as decode takes.
 */
MUST_USE enum err linking_provision(const struct provider *p,
    struct linking *s, const struct linking_facts *f, struct wr *w);
/*
 * linking_open_answer(p, s, bytes, want, plain, cert_out, c_out):
 *   want      in   account, aik, device and flags as they were provisioned
 *   plain     out  at least bytes.n
 *   cert_out  out  the certificate, in plain
 *   c_out     out  decoded and checked (cert_check); zeroed unless OK
 * ERR_AUTH: another key sealed it, or the proof does not hold.
 * ERR_FORBIDDEN: a certificate of another account, key, device or flags.
 * ERR_FORMAT, ERR_VERSION.  FAILED then.
 */
MUST_USE enum err linking_open_answer(const struct provider *p,
    struct linking *s, struct span bytes, const struct linking_facts *want,
    uint8_t *plain, struct span *cert_out, struct cert *c_out);

/* ---- both ---- */

/* The mailbox of the offer. */
struct any_id linking_mailbox(const struct linking *s);
/* Appends the state, at most LINKING_STATE_MAX bytes; secret. ERR_SPACE. */
MUST_USE enum err linking_encode(const struct linking *s, struct wr *w);
/* ERR_FORMAT, ERR_VERSION; *out is zeroed then. */
MUST_USE enum err linking_decode(struct span bytes, struct linking *out);
void linking_wipe(struct linking *s);
void linking_wipe_facts(struct linking_facts *f);

/* The offer's and the reply's layout alone, for the server's shape and for
 * tests. ERR_FORMAT, ERR_VERSION. */
MUST_USE enum err linking_check_offer(struct span offer);
MUST_USE enum err linking_check_reply(struct span reply);
/* The record inside Provisioning, for its fuzzer: errors as above. */
MUST_USE enum err linking_decode_facts(struct span tlv,
    struct linking_facts *out);
MUST_USE enum err linking_encode_facts(const struct linking_facts *f,
    struct wr *w);

#endif
