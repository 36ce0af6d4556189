/*
 * event.h: what people and devices say to each other, inside the encryption
 * (docs/protocol.md, "Events"): one TLV record. Spans of a decoded event point
 * into the record. Freestanding, strict in both directions: every kind has
 * its own set of fields, and what it does not know it refuses.
 */
#ifndef CORE_EVENT_H
#define CORE_EVENT_H

#include "base/id.h"
#include "base/tlv.h"

#define EVENT_LEN_MAX (64u * 1024)
#define EVENT_TEXT_MAX (48u * 1024)	/* fits 100,000 characters of base64 */
#define EVENT_MENTIONS_MAX 100
#define EVENT_ATTACHMENTS_MAX 32
#define EVENT_REACTION_MAX 64		/* bytes of its text */
#define EVENT_HISTORY_LEN 32
#define EVENT_CLIENT_MAX 64
#define EVENT_VIEW_LEN 32
#define EVENT_VIEW_CONFLICT_LEN (16 + 8 + 32 + 32)	/* account, version,
							 * both hashes */
#define EVENT_EXPIRE_S_MAX (365u * 24 * 3600)
#define CONV_LEN 16

/* Which conversation: the same for all its devices (content.h). */
struct conv_id { uint8_t b[CONV_LEN]; };

enum event_kind {
	EVENT_TEXT = 1, EVENT_ATTACHMENT = 2, EVENT_EDIT = 3, EVENT_DELETE = 4,
	EVENT_REACTION = 5, EVENT_TIMER = 9, EVENT_PROFILE = 10,
	EVENT_CALL = 11, EVENT_PIN = 12, EVENT_SKDM = 20, EVENT_ROSTER = 21,
	EVENT_RETRY_REQUEST = 22, EVENT_SESSION_RESET = 23,
	EVENT_READ_SYNC = 25, EVENT_VIEW_CONFLICT = 26, EVENT_RESEND = 27,
	EVENT_HIDE = 28, EVENT_CERT = 29, EVENT_POLL = 30
};

/* Which optional fields are there. */
#define EVENT_HAS_BODY (1u << 6)
#define EVENT_HAS_PREV (1u << 8)
#define EVENT_HAS_VIEW (1u << 9)
#define EVENT_HAS_EXPIRE (1u << 10)
#define EVENT_HAS_REPLY (1u << 12)
#define EVENT_HAS_MENTIONS (1u << 13)
#define EVENT_HAS_ATTACHMENTS (1u << 14)
#define EVENT_HAS_TARGET (1u << 16)
#define EVENT_HAS_CLIENT (1u << 17)
#define EVENT_HAS_EDIT (1u << 18)
#define EVENT_HAS_REPLY_AUTHOR (1u << 20)
#define EVENT_HAS_HISTORY (1u << 22)

struct event {
	uint8_t kind;			/* enum event_kind */
	uint32_t has;			/* EVENT_HAS_* */
	struct event_id id;
	struct conv_id conv;
	uint64_t time_ms;		/* the sender's clock */
	struct span body;		/* text: UTF-8; others: per kind */
	struct event_id prev;		/* what this device sent before */
	uint8_t view[EVENT_VIEW_LEN];	/* view.h */
	uint32_t expire_s;		/* disappears after; 0: never */
	struct event_id reply_to;
	struct span mentions;		/* vec16 items: account ids */
	struct span attachments;	/* vec16 items: pointers */
	struct event_id target;		/* what it edits, deletes, ... */
	struct span client;		/* name and version of the program */
	uint32_t edit_number;		/* 1, 2, ... */
	struct user_id reply_author;	/* whose message reply_to is */
	uint8_t history[EVENT_HISTORY_LEN]; /* of the texts before the edit */
};

/*
 * ERR_FORMAT: malformed, or not what its kind demands.
 * ERR_UNKNOWN_CRITICAL: a kind or a field of a later version: show that there
 * is a message which this version cannot show. *out is zeroed unless OK.
 */
MUST_USE enum err event_decode(struct span record, struct event *out);
/* Appends the record. ERR_ARG: not what its kind demands. ERR_SPACE. */
MUST_USE enum err event_encode(const struct event *e, struct wr *w);
/* May this kind travel pairwise (suite `ratchet`) within a group? */
bool event_is_pairwise_in_group(uint8_t kind);
/* Does the kind stand in the prev chain (sent to all devices)? */
bool event_is_chained(uint8_t kind);

/* One item after the other; false at the end. */
bool event_next_mention(struct span *mentions, struct user_id *out);

/*
 * Body of what is about a message of anybody (reaction, pin, hide): the
 * account of its author, and what is said about it.
 */
struct event_about {
	struct user_id author;
	struct span text;	/* reaction: UTF-8, empty takes it back */
	bool on;		/* pin */
};
#define EVENT_ABOUT_MAX (ID_LEN + EVENT_REACTION_MAX)
/* Appends the body for an event of this kind. ERR_SPACE. */
MUST_USE enum err event_about_encode(uint8_t kind,
    const struct event_about *b, struct wr *w);
/* Of a decoded event of these kinds. ERR_FORMAT. */
MUST_USE enum err event_about_decode(const struct event *e,
    struct event_about *out);

/*
 * The original event in a resend. ERR_FORMAT: malformed, another one than its
 * target names, of another conversation, or a resend itself.
 */
MUST_USE enum err event_resend_decode(const struct event *resend,
    struct event *out);

/* Body of a session-reset: SID[16] | u8 1 when its sender initiated it, 2 when
 * its receiver did. */
struct event_reset {
	uint8_t sid[16];
	bool receiver_initiated;
};
#define EVENT_RESET_LEN 17
void event_reset_encode(const struct event_reset *r,
    uint8_t out[static EVENT_RESET_LEN]);
MUST_USE enum err event_reset_decode(struct span body, struct event_reset *out);

#endif
