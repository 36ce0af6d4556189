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
	/* This process stays: what may take a while is done by the way. */
	CLIENT_STAYS = 8,
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
	/* About a message that is in the history here ("Events"). */
	CLIENT_EDIT,		/* u.edit: another text, 24 h long */
	CLIENT_DELETE,		/* u.erase: for me, or for both */
	CLIENT_REACT,		/* u.react: one for each person and message */
	CLIENT_PIN,		/* u.pin: in the chat, for both */
	/* About a chat. */
	CLIENT_TIMER_SET,	/* u.expire: what is sent disappears */
	CLIENT_CHAT_SET,	/* u.chat_set: mute, pin, archive, notify */
	CLIENT_DRAFT,		/* u.draft: kept on this device alone */
	/* About people and oneself. */
	CLIENT_BLOCK,		/* u.verify: user, on */
	CLIENT_REPORT,		/* u.report */
	CLIENT_SETTINGS,	/* u.settings: flags and preferences */
	CLIENT_SEARCH_PEOPLE,	/* u.name: -> SHOW_FOUND for each, DONE */
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

/* A message: ids of events are unique for each sender only. */
struct client_ref {
	struct user_id sender;
	struct event_id event;
};

/* What is told of me, as the server keeps to it; and what I can be found by. */
enum client_setting {
	SETTING_READ_RECEIPTS = 1,	/* others hear that I read */
	SETTING_DELIVERY_RECEIPTS = 2,	/* and that it arrived */
	SETTING_TYPING = 4,
	SETTING_PRESENCE = 8,		/* online and away */
	SETTING_LAST_SEEN = 16,
	SETTING_SEARCHABLE = 32,	/* by others' people search */
	SETTING_ALL = 63,
};
#define CLIENT_PREF_NAME_MAX 32u	/* bytes, [a-z0-9._-] */
#define CLIENT_PREF_VALUE_MAX 1024u
#define CLIENT_PREFS_MAX 100u
#define CLIENT_REACTION_MAX 64u		/* bytes of UTF-8 */
#define CLIENT_REPORT_MAX 1000u		/* bytes of its comment */

enum client_chat_flag {
	CHAT_MUTED = 1,
	CHAT_PINNED = 2,		/* above the others in the list */
	CHAT_ARCHIVED = 4,
	CHAT_QUIET = 8,			/* nothing is announced of it */
	CHAT_ONLY_MENTIONS = 16,	/* only what mentions me */
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
			/* "@name" of a member becomes a mention. */
			struct span text;
			struct client_ref reply_to; /* zeros: none */
			uint32_t expire_s;	/* 0: as the chat has it */
		} send;
		struct {
			struct client_ref ref;
			struct span text;
		} edit;
		struct {
			struct client_ref ref;
			bool for_both;	/* own ones; false: hidden for me */
		} erase;
		struct {
			struct client_ref ref;
			struct span text;	/* an emoji; empty: withdrawn */
		} react;
		struct {
			struct client_ref ref;
			bool on;
		} pin;
		struct {
			struct client_target to;
			uint32_t expire_s;	/* 0: nothing disappears */
		} expire;
		struct {
			struct chat_id chat;
			uint32_t mask, flags;	/* enum client_chat_flag */
		} chat_set;
		struct {
			struct client_target to;
			struct span text;	/* empty: none */
		} draft;
		struct {
			struct user_id user;
			struct client_ref ref;	/* zeros: the person only */
			struct span reason;	/* as docs/api.md names them */
			struct span comment;
			bool with_text;	/* the text of that message goes to
					 * the people who run the server */
		} report;
		struct {
			uint32_t mask, flags;	/* enum client_setting */
			struct span name, value; /* a preference; or empty */
		} settings;
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
	SHOW_RENEWED,		/* u.person: renewed, vouched for by the
				 * old key: compare the number again */
	SHOW_WARNING,		/* u.warning */
	SHOW_REACTION,		/* u.reaction: of somebody on a message */
	SHOW_PIN,		/* u.pin: a message was pinned, or not any
				 * more */
	SHOW_GONE,		/* u.person: the account was erased */
	/* Effects only: */
	SHOW_USER,		/* u.user: answer to CLIENT_FIND */
	SHOW_CHAT,		/* u.chat: answer to CLIENT_OPEN */
	SHOW_TYPING,		/* u.typing */
	SHOW_PRESENCE,		/* u.presence */
	SHOW_CHAT_STATE,	/* u.chat: ask client_chat for its state */
	SHOW_SETTINGS,		/* ask client_settings */
	SHOW_BLOCKED,		/* u.blocked: by me, here or elsewhere */
	SHOW_FOUND,		/* u.user: one that people search found */
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
	ITEM_DELETED = 6,	/* its sender took it back, for both */
	ITEM_HIDDEN = 7,	/* not shown (any more): hidden, disappeared,
				 * or no message once it could be read. In the
				 * journal only: take it off the screen */
	ITEM_TIMER = 8,		/* a change of the chat's timer: expire_s */
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
	ITEM_PINNED = 64,
	ITEM_MENTIONS_ME = 128,
	ITEM_CHANGING = 256,	/* own: an edit waits to be sent */
	ITEM_OTHER_HISTORY = 512, /* an edit names an earlier text that is not
				 * the one seen here */
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
	struct client_ref reply_to; /* zeros: none */
	struct span mentions;	/* user ids, 16 bytes each */
	uint32_t edit_number;	/* 0: never edited */
	uint64_t edited_ms;	/* by its sender's clock */
	uint64_t edit_server_ms; /* of the edit that is shown */
	uint32_t edit_device;	/* and its sender's device */
	uint32_t expire_s;	/* disappears so long after ...; 0: never */
	uint64_t expires_at_ms;	/* 0: has not been read yet */
	uint8_t history[32];	/* hash chain of its texts ("Events") */
	uint8_t history_before[32];
};

/* A reaction as it stands. */
struct client_reaction {
	struct chat_id chat;
	struct client_ref to;
	struct user_id user;
	uint64_t position;	/* 0: waits to be sent */
	uint64_t time_ms;	/* by their clock */
	struct span text;	/* empty: withdrawn */
};

struct client_pin {
	struct chat_id chat;
	struct client_ref to;
	struct user_id user;	/* who did it */
	uint64_t position, time_ms;
	bool on;
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
	LINK_NONE,
	LINK_WAITS,		/* new: the text may be shown */
	LINK_ASKS,		/* manager: that device asks; type the code */
	LINK_CODE,		/* new: shows the code */
	LINK_TOLD,		/* manager: right code; waits for the keys */
	LINK_CONFIRM,	/* new: this account? */
	LINK_SIGNS,		/* both: the new list is on its way */
	LINK_HISTORY,	/* both: linked; the history goes over */
	LINK_DONE,
	/* Ends without a new device; nothing was given away but in the last
	 * three, where the account's data reached the other side. */
	LINK_EXPIRED,	/* five minutes were over */
	LINK_WRONG_CODE,	/* one try only */
	LINK_CANCELLED,	/* by the person at this side */
	LINK_BAD_OFFER,	/* the server gave another offer than shown */
	LINK_REFUSED,	/* it does not open, or is not what it says */
	LINK_TAKEN,		/* a list of another manager was first */
	LINK_GONE,		/* the server knows nothing of it any more */
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
	uint64_t messages, people, records; /* counted when made */
	uint64_t size;			/* bytes of the archive */
	bool is_auto;			/* renewed by itself */
	bool busy;			/* being made, renewed or deleted */
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
			/* The server may take half a minute to answer: not
			 * to be put in front of others. */
			bool waits;
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
				struct client_reaction reaction;
				struct client_pin pin;
				struct {
					struct user_id user;
					bool on;
				} blocked;
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
					uint64_t time_ms; /* since, or seen */
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

#define CLIENT_READS_MAX 8u		/* marks awaiting their ack at once */
struct client_say {
	uint32_t ack;			/* 0: free */
	struct chat_id chat;
	uint64_t position;
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
	uint64_t now_ms;		/* Unix time of the last step */
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
	bool clock_wrong;		/* sends do not say when */
	uint64_t poll_at_ms;		/* no asking of a mailbox before */
	uint64_t trust_at_ms;		/* no asking for verified people before */
	uint64_t bind_at_ms;		/* no binding before */
	bool trust_sent;		/* none is to be told the server */
	uint64_t arrive_at_ms;		/* nor what there is of an archive */
	uint32_t part_asked;		/* of a file, from the host; + 1 */
	uint64_t synced_ms;		/* a complete `sync` began then */
	uint64_t cursor_at_ms;		/* the next one, if anything came */
	uint64_t host_generation;
	bool search_done;		/* the history is indexed */
	struct client_call calls[CLIENT_CALLS_MAX];
	struct client_wait waits[CLIENT_SENDS_MAX];
	struct client_say says[CLIENT_READS_MAX];
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

#include "client/query.h"

#endif
