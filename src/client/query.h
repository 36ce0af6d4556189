/*
 * query.h: what hosts ask a client to show; part of client.h, which includes
 * it.
 *
 * Queries read records (within a transaction of the host, read-only is enough)
 * and never change any. Spans they give live in the arena, which grows with
 * each call (those that ask the core by 1 MiB): the host puts it back.
 */
#ifndef CLIENT_QUERY_H
#define CLIENT_QUERY_H

#include "client/client.h"

/* What `status` shows. */
struct client_status {
	bool signed_in;
	bool ready;			/* device set up and published */
	bool keys_missing;
	bool blocked;			/* too old a list: sending stopped */
	struct user_id user;
	struct span name;
	uint32_t device;		/* 0: none */
	uint64_t list_version;
	uint64_t list_expires_ms;
	uint32_t devices;		/* of the account */
	uint64_t cursor;		/* position of the catch-up */
	uint64_t generation;
	uint32_t outbox_n;
	uint32_t inbox_n;
	uint32_t prekeys_left;		/* one-time pairs that are still here */
	uint64_t batch_ms;		/* when the present batch was made */
	bool revoked;			/* this device was taken off the list */
	bool renew_due;			/* a manager was removed: renew the
					 * account key */
	bool history_in, history_out;	/* an archive is being read, sent */
	bool restoring;			/* a restore is not at its end */
};
MUST_USE enum err client_status(struct client *c, struct arena *a,
    struct client_status *out);

/* The tokens, for calls that the host makes itself. ERR_NOT_FOUND. */
MUST_USE enum err client_tokens(struct client *c, struct arena *a,
    struct span *access_out, struct span *refresh_out);

/* A person as this client knows it. ERR_NOT_FOUND. */
struct client_person {
	struct user_id user;
	struct span name;		/* empty: not known */
	struct chat_id chat;		/* zero: no direct chat yet */
	uint64_t version;		/* of the device list; 0: unknown */
	uint64_t expires_ms;
	uint32_t devices;
	bool verified;
	uint64_t verified_ms;
	bool identity_changed;		/* not accepted yet */
	bool blocked;			/* and sending waits for that */
	bool blocked_by_me;		/* hidden, and cannot write to me */
	bool erased;			/* the account is gone for ever */
	uint64_t last_seen_ms;		/* 0: not known */
};
MUST_USE enum err client_person(struct client *c, struct arena *a,
    const struct user_id *user, struct client_person *out);
/* All persons, in the order of their ids; *after is zero at first. */
MUST_USE enum err client_person_next(struct client *c, struct arena *a,
    struct user_id *after, struct client_person *out);
/* By user name, among those that are known here. ERR_NOT_FOUND. */
MUST_USE enum err client_person_by_name(struct client *c, struct arena *a,
    struct span name, struct client_person *out);
/* The person of a direct chat. ERR_NOT_FOUND. */
MUST_USE enum err client_person_by_chat(struct client *c, struct arena *a,
    const struct chat_id *chat, struct client_person *out);

/* A device of a person in the newest signed list. */
struct client_device {
	uint32_t device;
	uint8_t flags;			/* bit0 primary, 1 manager, 2 web */
	uint64_t created_ms;		/* by its certificate; 0: not fetched */
	bool own;			/* this one */
	bool has_session;
	uint8_t pq_auth;		/* 0 none, 1 its prekeys, 2 mutual */
	uint32_t epoch;			/* post-quantum epoch */
	uint64_t sent, received;	/* on the present session */
	uint8_t fingerprint[32];	/* hash of its certificate */
	struct span name;		/* own devices: as the server has it */
	uint64_t active_ms;		/* own ones: last seen by the server */
	uint32_t turns;			/* Diffie-Hellman steps of it */
	uint64_t since_ms;		/* present session; 0: none */
	uint64_t mixed_ms;		/* last post-quantum key mixed in */
};
#define CLIENT_DEVICES_MAX 16
/* Devices of a person, at most CLIENT_DEVICES_MAX. ERR_NOT_FOUND. */
MUST_USE enum err client_devices(struct client *c, struct arena *a,
    const struct user_id *user, struct client_device *out, size_t *n_out);

/* Sixty digits in twelve groups of five, and a NUL. ERR_NOT_FOUND. */
#define CLIENT_SAFETY_LEN 71
MUST_USE enum err client_safety(struct client *c, struct arena *a,
    const struct user_id *user, char out[static CLIENT_SAFETY_LEN + 1]);

/* A chat, as in a list of chats. */
struct client_chat {
	struct chat_id chat;
	struct user_id user;		/* the other one; oneself: notes */
	uint64_t head;			/* position of its last event */
	uint64_t read;			/* what I have read */
	uint64_t said;			/* and what of that the server knows */
	uint32_t unread_n;		/* counted up to 1000 */
	uint32_t mentions_n;		/* of me, among them */
	uint32_t flags;			/* enum client_chat_flag */
	uint32_t expire_s;		/* timer; 0: nothing disappears */
	bool blocked;			/* the other one, by me */
	uint64_t last_ms;		/* of its newest entry; 0: none */
	struct span draft;
};
/* Chats in the order of their ids; *after is zero at first. ERR_NOT_FOUND. */
MUST_USE enum err client_chat_next(struct client *c, struct arena *a,
    struct chat_id *after, struct client_chat *out);
/* One of them. ERR_NOT_FOUND. */
MUST_USE enum err client_chat(struct client *c, struct arena *a,
    const struct chat_id *chat, struct client_chat *out);
/* What was not sent to a person yet; empty: nothing. */
MUST_USE enum err client_draft(struct client *c, struct arena *a,
    const struct client_target *to, struct span *out);

/*
 * History of a chat: the entry after (back: before) the place *at, which moves
 * to it; a zeroed place is the beginning (back: the end). ERR_NOT_FOUND at the
 * end.
 */
struct client_place {
	bool set;
	uint64_t order;
	uint8_t sub;
};
MUST_USE enum err client_history_next(struct client *c, struct arena *a,
    const struct chat_id *chat, bool back, struct client_place *at,
    struct client_item *out);
/* One entry by sender and event id. ERR_NOT_FOUND. */
MUST_USE enum err client_item(struct client *c, struct arena *a,
    const struct user_id *sender, const struct event_id *event,
    struct client_item *out);

/* The reactions on a message, withdrawn ones left out, in the order of the
 * people's ids; *after is zero at first. ERR_NOT_FOUND. */
MUST_USE enum err client_reaction_next(struct client *c, struct arena *a,
    const struct client_ref *to, struct user_id *after,
    struct client_reaction *out);
/* The messages that are pinned in a chat; *after is zero at first.
 * ERR_NOT_FOUND. */
MUST_USE enum err client_pin_next(struct client *c, struct arena *a,
    const struct chat_id *chat, struct client_ref *after,
    struct client_pin *out);
/*
 * Messages of a chat whose event id begins with these hexadecimal digits (an
 * id's own hyphens may be there): at most CLIENT_REFS_MAX of them, in no
 * order. ERR_VALIDATION: not such digits. None: *n_out is 0.
 */
#define CLIENT_REFS_MAX 8
MUST_USE enum err client_find_refs(struct client *c, struct arena *a,
    const struct chat_id *chat, struct span prefix,
    struct client_ref out[static CLIENT_REFS_MAX], size_t *n_out);

/*
 * Messages that contain all of the words, newest first, in pages. Case and
 * diacritics do not count; a word may stand within another one. What was
 * deleted, has disappeared, or stood there before an edit is not found.
 *   at         in/out  zeroed for the first page, then as the last call left
 *                      it; at->end when there is no more
 *   items_out  out     at most cap of them
 * An empty page with !at->end is possible: it only bounds the work of a call.
 * ERR_VALIDATION: no word, more than CLIENT_WORDS_MAX of them, or longer than
 * CLIENT_WORDS_LEN_MAX bytes.
 */
#define CLIENT_WORDS_MAX 8u
#define CLIENT_WORDS_LEN_MAX 256u
struct client_search {
	struct span words;		/* UTF-8, as typed */
	struct chat_id chat;		/* zero: all chats */
};
struct client_search_at {
	bool set, end;
	bool partial;			/* older history is not indexed yet */
	uint64_t order;
	struct chat_id chat;
	uint8_t sub;
};
MUST_USE enum err client_search_next(struct client *c, struct arena *a,
    const struct client_search *q, struct client_search_at *at,
    struct client_item *items_out, size_t cap, size_t *n_out);
/*
 * Where the words stand in a text, to be shown: byte ranges on whole
 * characters, ascending, not overlapping; at most cap (more are left out).
 */
struct client_range {
	size_t from, n;
};
size_t client_search_ranges(const struct client_search *q, struct span text,
    struct client_range *out, size_t cap);

/*
 * Does what the command `cmd` asked for still wait to be sent? Another process
 * of the profile may send it, and hear of it. Commands of processes that share
 * a profile need numbers of their own for this.
 */
MUST_USE enum err client_waits_for(struct client *c, struct arena *a,
    uint64_t cmd, bool *out);

/* The settings as this device knows them. */
struct client_settings {
	bool known;			/* fetched, and nothing newer is known */
	uint64_t version;
	uint32_t flags;			/* enum client_setting */
	bool waits;			/* a change is not at the server yet */
};
MUST_USE enum err client_settings(struct client *c, struct arena *a,
    struct client_settings *out);
/* Preferences that only own devices can read, by name; *after is empty at
 * first and lives in the arena. ERR_NOT_FOUND. */
MUST_USE enum err client_pref_next(struct client *c, struct arena *a,
    struct span *after, struct span *value_out);

/*
 * How messages ended that were not shown as they came, counted by cause since
 * the profile was made: of each that arrives, one of "shown", "repaired",
 * "refused_<cause>", "dropped_<cause>" grows. *after is empty at first.
 * ERR_NOT_FOUND.
 */
struct client_cause {
	struct span name;
	uint64_t n;
	uint64_t last_ms;
};
MUST_USE enum err client_cause_next(struct client *c, struct arena *a,
    struct span *after, struct client_cause *out);

/*
 * The journal: the next entry whose number is greater than *seq, which moves
 * to it. Each message has one entry, at its last change. ERR_NOT_FOUND.
 */
MUST_USE enum err client_journal_next(struct client *c, struct arena *a,
    uint64_t *seq, struct client_show *out);
/* The highest number so far: where a process that starts to show begins. */
MUST_USE enum err client_journal_last(struct client *c, struct arena *a,
    uint64_t *seq_out);

/* Where linking stands, for a host that comes later. ERR_NOT_FOUND: none. */
MUST_USE enum err client_linking(struct client *c, struct arena *a,
    struct client_linking *out);
/* The backup as this device knows it. ERR_NOT_FOUND: none was made here. */
MUST_USE enum err client_backup(struct client *c, struct arena *a,
    struct client_backup *out);
/*
 * A new recovery key in its groups, for the host to show once and give to
 * CLIENT_BACKUP_CREATE. Wipe it.
 */
#define CLIENT_RECOVERY_LEN 69		/* 14 groups of 4, and hyphens */
MUST_USE enum err client_recovery_key(struct client *c,
    char out[static CLIENT_RECOVERY_LEN + 1]);
/*
 * A backup as a file, all calls within one snapshot: parts, one after the
 * other, until *done_out; then the head, which CLIENT_RESTORE wants first. The
 * file's form is the host's. create: an input CLIENT_BACKUP_CREATE.
 * ERR_VALIDATION: its secrets cannot be such. ERR_FORBIDDEN: no manager.
 */
struct client_export {
	uint64_t state[256];		/* secret: client_export_end */
};
MUST_USE enum err client_export_begin(struct client *c, struct arena *a,
    const struct client_input *create, struct client_export *x);
MUST_USE enum err client_export_next(struct client *c, struct arena *a,
    struct client_export *x, struct span *part_out, bool *done_out);
MUST_USE enum err client_export_head(struct client *c, struct arena *a,
    struct client_export *x, struct span *head_out,
    struct client_backup *out);
void client_export_end(struct client_export *x);
/* Bytes of a head at most. */
#define CLIENT_BACKUP_HEAD_MAX 8192u
/* Bytes of a part at most. */
#define CLIENT_BACKUP_PART_MAX 262144u

/* The keys of this device and account: ages, and when they are due. */
struct client_keys {
	uint64_t account_ms;		/* account key: since when in use */
	uint64_t device_ms;		/* certificate */
	uint64_t device_due_ms;
	uint64_t list_ms, list_due_ms;	/* device list: last signed */
	uint64_t batch_ms, batch_due_ms; /* prekeys */
	bool is_manager;		/* the account key is here */
	bool revoked;			/* this device was taken off */
	bool renew_account;		/* advised: a manager was removed */
	uint64_t renewed_ms;		/* last account key renewal; 0: none */
};
MUST_USE enum err client_keys(struct client *c, struct arena *a,
    struct client_keys *out);

/* How a person is trusted. */
enum client_verify_method { VERIFY_NONE, VERIFY_NUMBER = 1, VERIFY_CODE = 2 };
struct client_trust {
	bool verified;
	uint64_t verified_ms;
	enum client_verify_method method;
	uint32_t device;		/* own one, which signed it */
	bool here;			/* on this device itself */
	bool told;			/* the server has the mark */
	uint64_t due_ms;		/* compare again then (90 days) */
	uint64_t renewed_ms;		/* account key renewed and cross-
					 * signed: verify again; 0: never */
};
MUST_USE enum err client_trust(struct client *c, struct arena *a,
    const struct user_id *user, struct client_trust *out);
/* The text of the QR code for a person, to be compared by CLIENT_VERIFY_CODE
 * at the other side. ERR_NOT_FOUND. */
#define CLIENT_QR_LEN 87
MUST_USE enum err client_safety_code(struct client *c, struct arena *a,
    const struct user_id *user, char out[static CLIENT_QR_LEN + 1]);

/* Stable names for --json: "refused", "sent", "view_conflict". */
const char *client_linking_name(enum client_linking_state s);
const char *client_item_kind_name(enum client_item_kind k);
const char *client_item_state_name(enum client_item_state s);
const char *client_warning_name(enum client_warning_kind k);

#endif
