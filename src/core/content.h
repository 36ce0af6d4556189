/*
 * content.h: how an event travels in suite `ratchet` (docs/protocol.md, "How
 * it travels"): encrypted once, its key sent to each device through the
 * ratchet. Freestanding.
 *
 *	key || nonce || kc = HKDF(0^32, CEK, "NJ1 envelope" ||
 *	    TH("NJ1 envelope", conv, sender, event id), 76)
 *	C = kc || AES-256-GCM(key, nonce, "NJ1 envelope" || kc, pad(event))
 *	KeyEnvelope = 0x1D | CEK[32] | event id[16] | TH("NJ1 content", C)[32]
 */
#ifndef CORE_CONTENT_H
#define CORE_CONTENT_H

#include "core/event.h"
#include "core/kdf.h"

#define ENVELOPE_LEN (1 + 32 + 16 + 32)	/* 81 */
#define ENVELOPE_TYPE 0x1d
#define CONTENT_KC_LEN 32
#define CONTENT_LEN_MAX (75000u)	/* 100,000 characters of base64 */

struct envelope { uint8_t b[ENVELOPE_LEN]; };	/* secret: holds the CEK */

struct content_sender {
	struct user_id account;
	uint32_t device;
};

/* How the receiver sees the conversation that a message came in. */
struct content_place {
	struct conv_id conv;
	bool is_group;
};

/* The id of a direct conversation; the same for both sides; both may be one. */
MUST_USE enum err content_conv_direct(const struct provider *p,
    const struct user_id *a, const struct user_id *b, struct conv_id *out);
/* The id of a group is its chat id. */
struct conv_id content_conv_group(const struct chat_id *chat);

/*
 * content_seal(p, place, from, record, c_out, env_out, nonce_out):
 *   record     in   an encoded event; its id and conv have to be the place's
 *   c_out      out  encryptedContent is appended
 *   env_out    out  what goes to every device; zeroed unless OK
 *   nonce_out  out  for `iv`; receivers derive it
 * ERR_ARG: the event is malformed or of another conversation, or may not
 * travel so.  ERR_SPACE.
 */
MUST_USE enum err content_seal(const struct provider *p,
    const struct content_place *place, const struct content_sender *from,
    struct span record, struct wr *c_out, struct envelope *env_out,
    uint8_t nonce_out[static GCM_NONCE_LEN]);

/*
 * content_open(p, place, from, c, env, plain_out, event_out):
 * All checks after the sender's, in the order of the specification: digest,
 * commitment, tag, padding, then id, conversation and kind.
 *   from       in   the peer of the session that brought env
 *   env        in   the content of its ratchet message
 *   plain_out  out  c.n bytes of room; wiped unless OK
 *   event_out  out  points into plain_out
 * ERR_FORMAT, ERR_AUTH, ERR_FORBIDDEN: this kind may not travel pairwise in a
 * group.  ERR_UNKNOWN_CRITICAL: of a later version.
 */
MUST_USE enum err content_open(const struct provider *p,
    const struct content_place *place, const struct content_sender *from,
    struct span c, struct span env, uint8_t *plain_out,
    struct event *event_out);
/* The event id that an envelope names. ERR_FORMAT. */
MUST_USE enum err content_envelope_id(struct span env, struct event_id *out);

/* For known answers: the same with a given CEK and any record. */
MUST_USE enum err content_seal_with(const struct provider *p,
    const struct conv_id *conv, const struct content_sender *from,
    const struct event_id *id, const uint8_t cek[static KEY_LEN],
    struct span record, struct wr *c_out, struct envelope *env_out,
    uint8_t nonce_out[static GCM_NONCE_LEN]);

#endif
