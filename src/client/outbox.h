/*
 * outbox.h: what this device has to send. A message is encrypted once; its
 * finished bytes are in its record before they are emitted, so a repetition
 * after a crash or a lost acknowledgement repeats them (docs/protocol.md,
 * "Sealing"). Messages to one person go one after the other; control events
 * (retries, resets, conflicts), each for one device, go beside them.
 *
 *	REC_OUT  lane[16] | u64 number; lane: the person, zeros for control
 */
#ifndef CLIENT_OUTBOX_H
#define CLIENT_OUTBOX_H

#include "client/call.h"
#include "client/item.h"
#include "client/person.h"
#include "core/content.h"
#include "core/retry.h"

#define OUTBOX_ENTRIES_MAX (2 * DEVLIST_DEVICES_MAX)
#define OUTBOX_CHANGED_MAX 3		/* answers devices_changed in a row */
#define OUTBOX_ACK_MS 15000u

/* A sealed envelope for one device. */
struct out_entry {
	struct address to;
	uint8_t cert_hash[SHA256_LEN];
	struct span bytes;
};

struct out {
	/* Key. */
	struct user_id lane;
	uint64_t number;
	/* What it is. */
	uint8_t kind;			/* enum event_kind */
	struct user_id user;		/* the other person of the chat */
	struct chat_id chat;		/* zero: not known yet */
	struct event_id event;
	struct event_id target;		/* the event it is about */
	struct user_id author;		/* whose event that is, if anybody's */
	struct client_ref reply_to;
	struct span mentions;		/* ids, 16 bytes each */
	uint32_t expire_s;
	uint32_t edit_number;		/* once it is encrypted */
	uint8_t history[EVENT_HISTORY_LEN];
	struct message_id about;	/* the server's name of the target */
	struct address only;		/* control: the one device */
	uint64_t time_ms;
	uint64_t cmd;
	struct span body;
	/* Where it stands. */
	bool fresh;			/* wants a session of our own first */
	uint64_t next_ms;		/* not before */
	uint32_t tries;			/* emitted */
	uint32_t changed;		/* devices_changed in a row */
	uint32_t fetched;		/* bundles asked in vain */
	/* Encrypted; c.n == 0: not yet. */
	struct span c;
	struct envelope env;
	uint8_t nonce[GCM_NONCE_LEN];
	uint8_t n;
	struct out_entry entries[OUTBOX_ENTRIES_MAX];
};

/* outnew.c: what comes into the outbox.
 * Queues a text and shows it as waiting. Bad text: SHOW_ERROR. */
MUST_USE enum err outnew_text(struct step *s, const struct client_input *in);
/* May this be sent to that person now? ERR_NO_KEY, ERR_UNTRUSTED, ERR_BUSY,
 * ERR_BLOCKED. */
MUST_USE enum err outnew_may(struct step *s, const struct user_id *user);
/* Whom a command's target means. ERR_NOT_FOUND: an unknown chat;
 * ERR_VALIDATION: it names nobody. */
MUST_USE enum err outnew_target(struct step *s,
    const struct client_target *to, struct out *o);
/*
 * Queues an event of the chat that is no message: o has kind, user, chat, body
 * and target; event, lane and number are made here.
 */
MUST_USE enum err outnew_event(struct step *s, struct out *o);
/*
 * Queues a control event for one device.
 *   target  in  NULL: none
 *   fresh   in  initiate a new session for it
 */
MUST_USE enum err outnew_control(struct step *s, uint8_t kind,
    const struct user_id *chat_with, const struct address *to,
    const struct event_id *target, struct span body, bool fresh);
/* Tells the devices concerned of two lists with one version. */
MUST_USE enum err outnew_conflicts(struct step *s);
/* Tells the own other devices to hide a message as this one does. */
MUST_USE enum err outnew_hide(struct step *s, const struct user_id *chat_with,
    const struct client_ref *to);
/*
 * The entry of the lane of user that nobody was given yet, of this kind: the
 * event itself (a text) or what is about it (an edit). It comes back
 * unencrypted: store or drop it. ERR_NOT_FOUND.
 */
MUST_USE enum err outnew_find_open(struct step *s, const struct user_id *user,
    uint8_t kind, const struct event_id *event, struct out *o);
/* Moves on whatever can move: calls, sealing, emitting. */
MUST_USE enum err outbox_pump(struct step *s);
/* The acknowledgement of an emitted event. */
MUST_USE enum err outbox_ack(struct step *s, uint32_t ack, struct span json);
/*
 * An own event is at the server: by its acknowledgement, or seen in the chat.
 * Fine when it is not in the outbox any more.
 */
MUST_USE enum err outbox_done(struct step *s, const struct event_id *event,
    const struct msg_send_rep *rep);
/* Answers to calls made here. */
MUST_USE enum err outbox_heard_bundles(struct step *s,
    const struct call_answer *a);
MUST_USE enum err outbox_heard_chat(struct step *s,
    const struct call_answer *a);
/* The socket is up again: everything that waits for an ack is emitted anew. */
void outbox_reconnected(struct step *s);
/* Is there anything to send? */
MUST_USE enum err outbox_is_empty(struct step *s, bool *out);
/*
 * The profile is older than it was: what was sealed with its sessions may
 * have been opened already, by the same keys. It is sealed anew before it is
 * sent (docs/protocol.md, "Sealing"); an event that the server has is not
 * stored again.
 */
MUST_USE enum err outbox_unseal(struct step *s);
/* Forgets own events that nobody can ask for any more. */
MUST_USE enum err outbox_prune(struct step *s);

/* The first entry after `from` in the lanes of prefix. ERR_NOT_FOUND. */
MUST_USE enum err outrec_next(struct step *s, struct span prefix,
    struct span from, struct out *o);
/* The key of an entry; *k holds its bytes. */
struct span outrec_key(const struct out *o, struct rec_key *k);
/* outdone.c: the server has it: what follows. */
MUST_USE enum err outdone_sent(struct step *s, const struct out *o,
    const struct msg_send_rep *rep);
/* It will never be sent: shown with its cause, and taken back here. */
MUST_USE enum err outdone_failed(struct step *s, const struct out *o,
    enum err cause);

/* outrec.c: the record. */
MUST_USE enum err outrec_load(struct step *s, struct span key,
    struct span value, struct out *o);
MUST_USE enum err outrec_save(struct step *s, const struct out *o);
MUST_USE enum err outrec_drop(struct step *s, const struct out *o);
/* seal.c: makes o complete for the present devices. */
enum seal_state {
	SEAL_READY,		/* may be emitted */
	SEAL_WAIT,		/* for an answer, or a time */
	SEAL_FAILED		/* for good: *cause_out */
};
MUST_USE enum err seal_prepare(struct step *s, struct out *o,
    enum seal_state *state_out, enum err *cause_out);
/* The JSON of message:send, or message:edit, for this attempt. */
MUST_USE enum err seal_json(struct step *s, const struct out *o,
    struct span *out);
/* The record of an own event (for a resend): kept for seven days. */
MUST_USE enum err seal_kept(struct step *s, const struct event_id *event,
    struct span *record_out);

#endif
