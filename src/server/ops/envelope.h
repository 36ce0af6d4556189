/*
 * envelope.h: what the server can check of a sealed message, whichever
 * operation brings it: the form that its suite asks for, and that it is for
 * exactly the devices of the chat (docs/protocol.md, "Messages").
 */
#ifndef SERVER_OPS_ENVELOPE_H
#define SERVER_OPS_ENVELOPE_H

#include "server/call.h"
#include "store/txn.h"

/* Borrowed from the request. */
struct envelope {
	enum msg_suite suite;
	enum msg_type type;
	struct span content;
	struct span iv;
	bool has_iv;
	struct shape_pair_list keys;
};

/*
 * Is it well-formed in its suite? ERR_VALIDATION, naming the field;
 * ERR_FORBIDDEN: the suite needs a device, and the session speaks for none.
 */
MUST_USE enum err envelope_check(struct call *c, const struct envelope *e);
/*
 * In write, for the suite ratchet: it names exactly the current devices of
 * all members but the one that sends. is_partial: it may name fewer, but one.
 * None at all: in the chat with oneself, where there is no other device.
 * ERR_DEVICES_CHANGED with details; ERR_VALIDATION: it names none;
 * ERR_FORBIDDEN: the sending device is no current one.
 */
MUST_USE enum err envelope_devices(struct call *c, struct txn *t,
    const struct chat_id *chat, const struct envelope *e, bool is_partial);
/*
 * A send that says it is too old, or whose nonce (empty: none) was seen
 * before. check: in check. take: in write. ERR_REPLAY.
 */
MUST_USE enum err envelope_age_check(struct call *c, bool has_sent_at,
    uint64_t sent_at);
MUST_USE enum err envelope_nonce_take(struct call *c, struct txn *t,
    struct span nonce);

#endif
