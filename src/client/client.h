/*
 * client.h: what every Nightjar client does, as a state machine without I/O:
 * account and device set-up, outbox, ordering and catch-up, sessions and their
 * repair, device lists, prekeys, marks. Inputs go in (struct client_input),
 * effects come out (struct client_effect); the command line and, compiled to
 * WebAssembly, the browser carry them out.
 *
 * The host's contract:
 *
 * 1. A step is one transaction. The host opens it (BEGIN IMMEDIATE, where
 *    several processes share a profile), calls client_step, which reads
 *    records through the host's `load` and `seek`, and then carries out the
 *    effects in the order of the list. All CLIENT_STORE effects come first:
 *    they are applied and COMMITTED, durably, before any later effect is
 *    carried out (docs/protocol.md, "Sealing"). Where the
 *    host cannot commit it drops all effects of the step and tells the step
 *    again or ends.
 * 2. Nothing that matters lives outside the records. struct client holds only
 *    what one process knows about its own connection and its requests under
 *    way; it may be lost at any moment. So a process may be killed between any
 *    two effects and started again with CLIENT_START, and several processes
 *    may work on one profile, each with a struct client of its own.
 * 3. Values are secret: the host seals them (authenticated, bound to kind, key
 *    and generation). Keys are public: ids and numbers.
 * 4. What is shown and lasts (messages, marks, device changes) is in the
 *    journal with a number that grows (client_journal_next). A process that
 *    shares its profile shows from the journal, after each of its steps and
 *    when the data changed otherwise; CLIENT_SHOW effects with seq != 0 say
 *    the same to a host that is alone. Those with seq 0 (typing, presence,
 *    errors, answers to commands) exist as effects only.
 * 5. A failed client_step (an error other than OK) has no effects and changed
 *    nothing, neither records nor *c.
 *
 * Freestanding: memory comes from the arena of the step, in which all effects
 * and what they point to live, until the host resets it. One thread at a time
 * for each struct client.
 */
#ifndef CLIENT_CLIENT_H
#define CLIENT_CLIENT_H

#include "base/arena.h"
#include "base/id.h"
#include "crypto/provider.h"

#define CLIENT_TEXT_MAX 49152u		/* bytes of UTF-8 in one message */
#define CLIENT_NAME_MAX 64u		/* bytes of a user name kept */
#define CLIENT_CALLS_MAX 24u		/* REST calls under way at once */
#define CLIENT_SENDS_MAX 64u		/* events awaiting their ack at once */
#define CLIENT_OUTBOX_MAX 10000u	/* messages that wait to be sent */
#define CLIENT_INBOX_MAX 4096u		/* events held back */
#define CLIENT_KEY_MAX 64u		/* bytes of a record's key */
/* What one step may need at most; natively let the arena grow up to it. */
#define CLIENT_STEP_BYTES ((size_t)48 << 20)

/* How the records are read. Outputs are copied into the arena. */
struct client_host {
	void *ctx;
	/* The value of (kind, key). ERR_NOT_FOUND; ERR_STORE. */
	MUST_USE enum err (*load)(void *ctx, uint8_t kind, struct span key,
	    struct arena *a, struct span *value_out);
	/*
	 * The first record of `kind` whose key starts with `prefix` and is
	 * greater than `from` in byte order (`back`: the last one whose key is
	 * smaller). An empty `from`: the very first (`back`: the very last).
	 * ERR_NOT_FOUND when there is none.
	 */
	MUST_USE enum err (*seek)(void *ctx, uint8_t kind, struct span prefix,
	    struct span from, bool back, struct arena *a,
	    struct span *key_out, struct span *value_out);
};

enum client_option {
	/* Keep a socket open (chat, listen); else only while messages wait. */
	CLIENT_LISTEN = 1,
	/* This host is a browser (device flag `web`). */
	CLIENT_WEB = 2,
	/* Ask for all that is new as soon as there is a connection: for a
	 * command that ends when it is there, and to which nothing is sent. */
	CLIENT_CATCH_UP = 4,
};

/* ------------------------------------------------------------- inputs */

enum client_input_type {
	/*
	 * First of all, and again whenever another process may have changed
	 * much: looks what is to be done. u.start.
	 */
	CLIENT_START,
	/* The host registered or logged in and has tokens. u.signed_in. */
	CLIENT_SIGNED_IN,
	/* Commands of the user; `cmd` comes back in SHOW_DONE, SHOW_ERROR. */
	CLIENT_FIND,		/* u.name: who is this? -> SHOW_USER */
	CLIENT_OPEN,		/* u.user: the direct chat -> SHOW_CHAT */
	CLIENT_SEND,		/* u.send */
	CLIENT_READ,		/* u.read: the person has seen up to there */
	CLIENT_TYPING,		/* u.typing */
	CLIENT_AWAY,		/* u.on: presence away (false: online) */
	CLIENT_VERIFY,		/* u.verify */
	CLIENT_ACCEPT,		/* u.user: goes on with a changed identity */
	CLIENT_CHECK,		/* u.user: fetch that device list now */
	CLIENT_START_OVER,	/* u.password: a new account key */
	CLIENT_LOGOUT,
	/*
	 * Other devices of the account ("Linking" in docs/protocol.md). What
	 * happens is told by SHOW_LINKING and stands in client_linking.
	 */
	CLIENT_LINK_NEW,	/* u.link_new: this empty profile asks */
	CLIENT_LINK_SCAN,	/* u.link_scan: a manager got the text */
	CLIENT_LINK_CODE,	/* u.link_code: and the code; one try */
	CLIENT_LINK_CONFIRM,	/* u.on: the new device takes the account */
	CLIENT_LINK_CANCEL,	/* either side gives it up */
	CLIENT_DEVICE_RENAME,	/* u.device: id, name */
	CLIENT_DEVICE_REVOKE,	/* u.device: id; ends it everywhere */
	CLIENT_RENEW,		/* new keys for this device */
	CLIENT_RENEW_ACCOUNT,	/* a new account key, signed by the old one */
	/* The encrypted backup; see struct client_unlock. */
	CLIENT_BACKUP_CREATE,	/* u.backup: a first one, or other secrets */
	CLIENT_BACKUP_REFRESH,	/* newer content under the same secrets */
	CLIENT_BACKUP_CHECK,	/* u.unlock: opens all of it, keeps nothing */
	CLIENT_BACKUP_DELETE,
	/* On a profile without keys: -> SHOW_BACKUP, then u.on goes on. */
	CLIENT_RESTORE,		/* u.unlock */
	CLIENT_RESTORE_CONFIRM,	/* u.on */
	CLIENT_BACKUP_PART,	/* u.part: of a file, as SHOW_PART asked */
	CLIENT_VERIFY_CODE,	/* u.verify_code: the other's code, pasted */
	/* Answers. */
	CLIENT_ANSWER,		/* u.answer: of a REST call */
	CLIENT_EVENT,		/* u.event: of the socket */
	CLIENT_ACK,		/* u.ack: of an emitted event */
	CLIENT_UP,		/* the socket's namespace is connected */
	CLIENT_DOWN,		/* u.down: it closed, or would not open */
	CLIENT_TIMER_FIRED,
};

/* A direct chat is named by the other person or by its chat. */
struct client_target {
	struct user_id user;		/* zero: by chat */
	struct chat_id chat;
};

/* What opens a backup, as a person typed it. */
enum client_unlock_kind {
	UNLOCK_RECOVERY_KEY = 1,	/* groups as client_recovery_key */
	UNLOCK_PASSPHRASE = 2,		/* UTF-8 in NFKC: the host's duty */
};

struct client_unlock {
	enum client_unlock_kind kind;
	struct span text;
	/* The head of a backup that is in a file; empty: at the server. */
	struct span file;
};

struct client_input {
	enum client_input_type type;
	uint64_t now_ms;		/* Unix time */
	uint64_t cmd;			/* commands: the host's own number */
	union {
		struct {
			/* Highest generation known elsewhere; 0: not kept. */
			uint64_t generation;
		} start;
		struct {
			struct user_id user;
			struct span name;
			struct span access, refresh;	/* tokens */
		} signed_in;
		struct span name;
		struct user_id user;
		struct {
			struct client_target to;
			struct span text;
		} send;
		struct {
			struct chat_id chat;
			uint64_t position;	/* 0: all there is */
		} read;
		struct {
			struct chat_id chat;
			bool on;
		} typing;
		struct {
			struct user_id user;
			bool on;
		} verify;
		bool on;
		struct span password;
		struct {
			struct span name;	/* of this device */
		} link_new;
		struct {
			struct span text;	/* "nightjar:link?..." */
			bool manager;		/* gets the account key */
			bool all;		/* history beyond 90 days */
			bool no_history;
		} link_scan;
		struct span link_code;		/* six digits */
		struct {
			uint32_t device;
			struct span name;
		} device;
		struct {
			/* One or both; an empty text: without it. */
			struct span recovery_key, passphrase;
			uint32_t every_n;	/* renewed after so many
						 * messages; 0: 500 */
			bool manual;		/* only when asked */
		} backup;
		struct client_unlock unlock;
		struct {
			uint32_t number;
			struct span data;	/* empty: cannot be read */
		} part;
		struct {
			struct user_id user;
			struct span code;
		} verify_code;
		struct {
			uint32_t id;
			uint32_t status;	/* 0: no answer came */
			uint32_t retry_after_s;	/* 0: not said */
			struct span body;
		} answer;
		struct {
			struct span name;
			struct span json;	/* its first argument */
		} event;
		struct {
			uint32_t id;
			struct span json;	/* its first argument */
		} ack;
		struct {
			struct span code;	/* of connect_error; or empty */
		} down;
	} u;
};

/* ------------------------------------------------------------ effects */

enum client_effect_type {
	CLIENT_STORE,
	CLIENT_REQUEST,
	CLIENT_EMIT,
	CLIENT_CONNECT,
	CLIENT_DISCONNECT,
	CLIENT_SHOW,
	CLIENT_TIMER,
};

enum client_show_type {
	/* In the journal: */
	SHOW_MESSAGE,		/* u.item: a new or changed entry of a chat */
	SHOW_MARK,		/* u.mark: delivered or read up to there */
	SHOW_DEVICES,		/* u.person: the device list changed */
	SHOW_IDENTITY,		/* u.person: the account key changed */
	SHOW_WARNING,		/* u.warning */
	/* Effects only: */
	SHOW_USER,		/* u.user: answer to CLIENT_FIND */
	SHOW_CHAT,		/* u.chat: answer to CLIENT_OPEN */
	SHOW_TYPING,		/* u.typing */
	SHOW_PRESENCE,		/* u.presence */
	SHOW_LINK,		/* u.link: the connection */
	SHOW_READY,		/* this device is set up and may send */
	SHOW_KEYS_MISSING,	/* the account's keys are not here: log in
				 * where they are, or CLIENT_START_OVER */
	SHOW_SIGNED_OUT,	/* u.reason: the session is over */
	SHOW_LINKING,		/* u.linking: linking went on, or ended */
	SHOW_PROGRESS,		/* u.progress: of something that takes long */
	SHOW_BACKUP,		/* u.backup: what a backup says of itself */
	SHOW_PART,		/* u.part: wants that part of the file */
	SHOW_REVOKED,		/* this device was taken off the account */
	SHOW_RENEW_DUE,		/* a manager was removed: renew the account */
	SHOW_DONE,		/* the command `cmd` is finished */
	SHOW_ERROR,		/* u.error: the command `cmd` failed */
};

enum client_item_kind {
	ITEM_TEXT = 1,
	ITEM_REFUSED = 2,	/* a message that was not accepted: cause */
	ITEM_GAP = 3,		/* messages of `sender` that never came */
	ITEM_OTHER = 4,		/* a kind or suite this client cannot show */
	ITEM_REMOVED = 5,	/* the server removed it before it was read */
};

enum client_item_state {
	STATE_RECEIVED = 1,	/* from somebody else, or another own device */
	STATE_WAITING = 2,	/* in the outbox */
	STATE_SENT = 3,		/* acknowledged: durable at the server */
	STATE_FAILED = 4,	/* will not be sent: cause */
};

enum client_item_flag {
	ITEM_DELIVERED = 1,	/* own: a device of the other has it */
	ITEM_READ = 2,		/* own: read; other's: I have read it */
	ITEM_REPAIRED = 4,	/* came by a second sending */
	ITEM_LATE = 8,		/* sender's clock and server's: > 24 h apart */
	ITEM_SERVER_REMOVED = 16, /* marked removed by the server, kept here */
	ITEM_ARCHIVED = 32,	/* came in an archive or a backup (origin) */
};

/* An entry of a chat's history. */
struct client_item {
	struct chat_id chat;
	uint64_t order;		/* sorts the chat; changes when it is sent */
	uint8_t sub;		/* 0 a gap before, 1 the message */
	enum client_item_kind kind;
	enum client_item_state state;
	uint32_t flags;		/* enum client_item_flag */
	uint64_t position;	/* server's; 0: not sent yet */
	struct event_id event;
	struct message_id message; /* server's name; zero: not sent yet */
	struct user_id sender;
	uint32_t device;	/* of the sender */
	uint64_t server_ms, sender_ms;
	uint64_t seq;		/* last change in the journal */
	enum err cause;		/* REFUSED, FAILED */
	uint32_t gap_n;		/* GAP: how many at least */
	struct span text;
};

enum client_mark_kind { MARK_DELIVERED = 1, MARK_READ = 2 };

struct client_mark {
	struct chat_id chat;
	struct user_id user;
	enum client_mark_kind kind;
	uint64_t position;	/* all messages of the chat up to there */
	uint64_t time_ms;
};

enum client_warning_kind {
	WARN_VIEW_CONFLICT = 1,	/* one list version, two contents */
	WARN_STALE_LIST = 2,	/* the server gives an older list than known */
	WARN_OLD_VIEW = 3,	/* the other is shown old lists of mine */
	WARN_LIST_EXPIRED = 4,	/* nobody signed that list for long */
	WARN_CLONE = 5,		/* somebody else speaks as this device */
	WARN_ROLLBACK = 6,	/* the profile is older than it was */
	WARN_REPAIR = 7,	/* a broken session is being replaced */
	WARN_PREKEYS_DRAINED = 8, /* the one-time keys ran out */
	WARN_LIST_REFUSED = 9,	/* the server gave a list that is not valid */
};

/* Where a linking stands; the side is told by client_linking.is_new. */
enum client_linking_state {
	LINKING_NONE,
	LINKING_WAITS,		/* new: the text may be shown */
	LINKING_ASKS,		/* manager: that device asks; type the code */
	LINKING_CODE,		/* new: shows the code */
	LINKING_TOLD,		/* manager: right code; waits for the keys */
	LINKING_CONFIRM,	/* new: this account? */
	LINKING_SIGNS,		/* both: the new list is on its way */
	LINKING_HISTORY,	/* both: linked; the history goes over */
	LINKING_DONE,
	/* Ends without a new device; nothing was given away but in the last
	 * three, where the account's data reached the other side. */
	LINKING_EXPIRED,	/* five minutes were over */
	LINKING_WRONG_CODE,	/* one try only */
	LINKING_CANCELLED,	/* by the person at this side */
	LINKING_BAD_OFFER,	/* the server gave another offer than shown */
	LINKING_REFUSED,	/* it does not open, or is not what it says */
	LINKING_TAKEN,		/* a list of another manager was first */
	LINKING_GONE,		/* the server knows nothing of it any more */
};

struct client_linking {
	enum client_linking_state state;
	bool is_new;			/* this is the new device */
	bool manager;			/* the new one gets the account key */
	struct span text;		/* WAITS: "nightjar:link?..." */
	char code[6 + 1];		/* new, CODE: six digits */
	struct span device_name;	/* of the new device */
	struct user_id user;		/* new, CONFIRM: the account */
	struct span user_name;
	uint64_t expires_ms;
};

enum client_progress_what {
	PROGRESS_HISTORY_OUT = 1,	/* history for a new device */
	PROGRESS_HISTORY_IN = 2,	/* of a manager, or out of a backup */
	PROGRESS_BACKUP = 3,		/* being made */
	PROGRESS_CHECK = 4,		/* being verified */
};

/* What is said of a backup; the numbers are known once it is open. */
struct client_backup {
	bool exists;
	bool has_recovery_key, has_passphrase;
	bool is_open;
	uint64_t number;		/* 1, 2, ...: each is newer */
	uint64_t made_ms;
	struct user_id user;
	uint64_t list_version;		/* of the account then */
	uint64_t newest_version;	/* signed list known now; 0: none */
	uint64_t messages, people;	/* counted when made */
	uint64_t size;			/* bytes of the archive */
	bool is_auto;			/* renewed by itself */
	uint64_t due_ms;		/* when next; 0: not known */
};

struct client_effect {
	enum client_effect_type type;
	struct client_effect *next;
	union {
		struct {
			uint8_t kind;
			bool del;
			struct span key, value;
		} store;
		struct {
			uint32_t id;		/* for CLIENT_ANSWER */
			const char *method;
			struct span path;	/* with its query */
			struct span body;	/* JSON; empty: none */
			struct span token;	/* empty: no authorization */
		} request;
		struct {
			struct span name;
			struct span json;	/* the one argument */
			uint32_t ack;		/* 0: no ack wanted */
		} emit;
		/* Open a socket now, in place of one that there may be. */
		struct {
			struct span token;
			bool has_after;
			uint64_t after;
		} connect;
		/* Call with CLIENT_TIMER_FIRED then; replaces the last one. */
		struct {
			uint64_t at_ms;		/* Unix time; 0: none */
		} timer;
		struct client_show {
			enum client_show_type type;
			uint64_t seq;	/* in the journal; 0: not there */
			uint64_t cmd;	/* the command it answers, or 0 */
			union {
				struct client_item item;
				struct client_mark mark;
				struct {
					struct user_id user;
					uint64_t version; /* of the list */
					uint32_t devices;
					bool was_verified;
					/* sending waits for ACCEPT */
					bool blocked;
				} person;
				struct {
					enum client_warning_kind kind;
					struct user_id user;
					uint32_t device;
				} warning;
				struct {
					struct user_id user;
					struct span name;
				} user;
				struct {
					struct chat_id chat;
					struct user_id user;
				} chat;
				struct {
					struct chat_id chat;
					struct user_id user;
					bool on;
				} typing;
				struct {
					struct user_id user;
					struct span status;
				} presence;
				struct {
					bool up;
					bool caught_up;
				} link;
				struct client_linking linking;
				struct {
					enum client_progress_what what;
					/* Bytes of archive, or messages. */
					uint64_t done, total;
				} progress;
				struct client_backup backup;
				struct {
					uint32_t number;
				} part;
				struct span reason;
				struct {
					enum err err;
					struct span message; /* for people */
				} error;
			} u;
		} show;
	} u;
};

struct client_effects {
	struct client_effect *first;
	/* Of the profile after this step; keep the highest elsewhere, too. */
	uint64_t generation;
};

/* --------------------------------------------------------------- steps */

/* One process' own view; no authority in it. Not for the host's eyes. */
struct client_call {
	uint32_t id;			/* 0: free */
	uint8_t what;
	uint64_t cmd;
	uint64_t sent_ms;
	uint64_t tag;			/* of the token it used */
	struct user_id user;
	struct chat_id chat;
	uint64_t number;		/* after, outbox number, version */
};

struct client_wait {
	uint32_t ack;			/* 0: free */
	struct user_id lane;		/* with out: which outbox entry */
	uint64_t out;
	uint64_t sent_ms;
};

struct client {
	const struct provider *pv;
	struct client_host host;
	uint32_t options;
	uint32_t next_id;
	bool started;
	bool ready;			/* SHOW_READY was said */
	bool up;			/* the socket's namespace */
	bool connecting;
	bool acknowledged;		/* connection:acknowledged came */
	bool caught_up;			/* but that is not said yet */
	uint64_t bad_tag;		/* of the token that was refused */
	bool dirty;			/* pump once more in this step */
	uint64_t gone_ms;		/* connect again then */
	uint32_t failures;		/* of connecting, in a row */
	uint64_t heard_ms;		/* last event of the socket */
	uint64_t catch_until;		/* events up to here come in order */
	uint64_t sync_at_ms;		/* ask `sync` then; 0: no need */
	uint64_t received_at_ms;	/* say message:received then */
	uint64_t received;		/* what was said on this connection */
	uint64_t typing_ms;		/* last typing:start */
	uint64_t rest_at_ms;		/* no REST call before (busy, limits) */
	uint32_t rest_failures;
	uint64_t send_at_ms;		/* no send before (busy, limits) */
	uint32_t send_failures;
	uint64_t host_generation;
	struct client_call calls[CLIENT_CALLS_MAX];
	struct client_wait waits[CLIENT_SENDS_MAX];
};

/* Starts a process' view. pv and host have to outlive it. */
void client_init(struct client *c, const struct provider *pv,
    const struct client_host *host, uint32_t options);

/*
 * One step.
 *   a        in/out  memory of the step and of its effects
 *   in       in      what happened; its spans need to live during the call only
 *   out      out     the effects, in the order in which to carry them out
 * ERR_STORE, ERR_TOO_LARGE (arena), ERR_PROVIDER: the step did not happen.
 * What bytes from outside do wrong is no error here: it becomes SHOW effects.
 */
MUST_USE enum err client_step(struct client *c, struct arena *a,
    const struct client_input *in, struct client_effects *out);

/* ------------------------------------------------------------- queries
 * They read records (within a transaction of the host, read-only is enough)
 * and never change any. Spans they give live in the arena, which grows with
 * each call (those that ask the core by 1 MiB): the host puts it back.
 */

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
	uint32_t unread_n;		/* counted up to 1000 */
};
/* Chats in the order of their ids; *after is zero at first. ERR_NOT_FOUND. */
MUST_USE enum err client_chat_next(struct client *c, struct arena *a,
    struct chat_id *after, struct client_chat *out);

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
 * A backup as a file, in one snapshot: head, then parts, until *done_out. The
 * state is made by client_export_begin and wiped by client_export_end; out
 * lives in the arena.
 */
struct client_export {
	uint8_t state[512];
};
MUST_USE enum err client_export_begin(struct client *c, struct arena *a,
    uint64_t now_ms, const struct client_input *create,
    struct client_export *x, struct span *head_out);
MUST_USE enum err client_export_next(struct client *c, struct arena *a,
    struct client_export *x, struct span *part_out, bool *done_out);
void client_export_end(struct client_export *x);

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
