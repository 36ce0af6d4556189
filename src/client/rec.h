/*
 * rec.h: the records as one step sees them. What a step puts is seen by its
 * own later reads and becomes CLIENT_STORE effects at the end, one for each
 * record that changed; nothing reaches the host before. Called by everything
 * in this layer; memory is the step's arena.
 */
#ifndef CLIENT_REC_H
#define CLIENT_REC_H

#include "client/client.h"

/*
 * Kinds, with key -> what; those of the core (core/store.h) stand below 32.
 * All integers in keys are big-endian, so that byte order is their order.
 * Numbers are for ever: profiles hold them.
 */
enum rec_kind {
	REC_META = 32,		/* "" -> struct meta (meta.h) */
	REC_PERSON = 33,	/* user -> struct person (person.h) */
	REC_NAME = 34,		/* lower-case user name -> user */
	REC_UPLOAD = 35,	/* u8 what -> JSON body that the server must get */
	REC_CHAT = 36,		/* chat -> struct chat (chat.h) */
	REC_TRAIL = 37,		/* chat | user | u32 device -> a chain began */
	REC_ITEM = 38,		/* chat | u64 order | u8 sub -> entry */
	REC_EVENT = 39,		/* user | event -> where its entry is */
	REC_OUT = 40,		/* user (0: control) | u64 number -> outbox.h */
	REC_INBOX = 41,		/* chat | u64 position -> event held back */
	REC_MARK = 42,		/* chat | user | u8 kind -> mark */
	REC_JOURNAL = 43,	/* u64 seq -> what changed */
	REC_SENT = 44,		/* event -> own event, kept for retries */
	REC_WANT = 45,		/* user -> fetch the device list */
	REC_NEWLIST = 46,	/* user -> a list under another account key */
	REC_GAP = 47,		/* user | event -> the gap that it would fill */
	REC_CONFLICT = 48,	/* user -> body of a view-conflict to send */
	/* From 64: devices, archives, backup, trust. */
	REC_REACT = 49,		/* author | event | user -> react.h */
	REC_PINNED = 50,	/* chat | author | event -> react.h */
	REC_NAMED = 51,		/* server's message id -> where its entry is */
	REC_EXPIRY = 52,	/* u64 when | chat | order | sub -> "" */
	REC_LATER = 53,		/* sender | author | target | event -> later.h */
	REC_TASK = 54,		/* u64 number -> a call to make (task.h) */
	REC_CAUSE = 55,		/* name -> u64 how often | u64 when last */
	REC_DRAFT = 56,		/* user -> text that is not sent yet */
	REC_SETTINGS = 57,	/* "" -> setting.h */
	REC_PREF = 58,		/* name -> setting.h */
	REC_SECRET = 64,	/* "" -> the account secret (secret.h) */
	REC_LINKING = 65,	/* "" -> linking under way (linkrec.h) */
	REC_OUTGOING = 66,	/* u8 purpose -> archive being made (arcout.h) */
	REC_PART = 67,		/* u8 purpose | u32 n -> its part n, sealed */
	REC_INCOMING = 68,	/* "" -> archive being read (arcin.h) */
	REC_BACKUP = 69,	/* "" -> the backup made here (vault.h) */
	REC_RESTORE = 70,	/* "" -> a restore under way (restore.h) */
	REC_TRUST = 71,		/* user -> signed verification (trust.h) */
	REC_DEVICE = 72,	/* u32 device -> own device's name, ... */
	REC_RENEWED = 73,	/* user -> account key renewed (u64 when) */
	REC_SEARCH = 80,	/* the index of what was said (search.h) */
	REC_MAX
};

struct rec_entry {
	uint8_t kind;
	bool dirty;		/* to be stored */
	bool present;		/* else deleted, or not there */
	struct span key, value;
};

struct rec {
	const struct client_host *host;
	struct arena *a;
	struct rec_entry *e;	/* sorted by kind, key */
	size_t n, cap;
	size_t dirty_n;
};

/* No record known yet. */
void rec_init(struct rec *r, const struct client_host *host, struct arena *a);
/* ERR_NOT_FOUND; ERR_STORE. The value lives as long as the arena. */
MUST_USE enum err rec_get(struct rec *r, uint8_t k, struct span key,
    struct span *value_out);
/* True when there is one; errors of the store count as "no" (*e says). */
bool rec_has(struct rec *r, uint8_t k, struct span key, enum err *e);
/* Key and value are copied. ERR_TOO_LARGE: the arena is full. */
MUST_USE enum err rec_put(struct rec *r, uint8_t k, struct span key,
    struct span value);
MUST_USE enum err rec_del(struct rec *r, uint8_t k, struct span key);
/*
 * The first record with this prefix after `from` (back: the last before it);
 * an empty `from` is the beginning (the end). ERR_NOT_FOUND.
 */
MUST_USE enum err rec_seek(struct rec *r, uint8_t k, struct span prefix,
    struct span from, bool back, struct span *key_out, struct span *value_out);

/* A key under construction: ids and numbers one after the other. */
struct rec_key {
	uint8_t b[CLIENT_KEY_MAX];
	size_t n;
};
struct rec_key rec_key(void);
void rec_key_id(struct rec_key *k, const uint8_t id[static ID_LEN]);
void rec_key_u8(struct rec_key *k, uint8_t v);
void rec_key_u32(struct rec_key *k, uint32_t v);
void rec_key_u64(struct rec_key *k, uint64_t v);
void rec_key_bytes(struct rec_key *k, struct span s);
struct span rec_key_span(const struct rec_key *k);

#endif
