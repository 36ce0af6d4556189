/*
 * person.h: people and the direct chats with them: names, what is known of
 * their device lists, and when to fetch them anew. The lists themselves are
 * the core's (core/peer.h), which alone decides what is accepted. Called by
 * inbox, outbox, setup and queries.
 */
#ifndef CLIENT_PERSON_H
#define CLIENT_PERSON_H

#include "client/step.h"

/* A list is fetched again before a send when it was checked this long ago. */
#define PERSON_FRESH_MS (24ull * 3600 * 1000)
/* Who was not there is looked for again before a send after this long: an
 * account that was to be deleted may have been had back. */
#define PERSON_GONE_MS (60ull * 1000)

enum person_flag {
	PERSON_NO_DEVICES = 1,		/* the server has no list of them */
	PERSON_CHANGED = 2,		/* another account key, not accepted */
	PERSON_WAS_VERIFIED = 4,	/* so sending waits for ACCEPT */
	PERSON_GONE = 8,		/* no such account, as last asked */
	PERSON_BLOCKED = 16,		/* by me */
	PERSON_ERASED = 32,		/* gone, and for ever */
};

struct person {
	struct user_id user;
	uint32_t flags;
	struct chat_id chat;		/* the direct chat; zero: none known */
	uint64_t checked_ms;		/* the server's list was looked at */
	uint64_t wanted_version;	/* named in a view, not seen yet */
	uint64_t warned_ms;		/* last warning about their list */
	uint32_t stale_n;		/* older copies in a row */
	uint64_t last_online_ms;
	struct span name;
};

struct chat {
	struct chat_id id;
	struct user_id user;		/* the other one */
	uint64_t head;			/* events up to there are applied */
	bool has_last;
	struct event_id last;		/* own last event to all devices */
	uint64_t said_read;		/* message:read told the server */
	bool pinned;			/* suite `ratchet` was used here */
	uint32_t flags;			/* enum client_chat_flag */
	uint32_t expire_s;		/* timer of the chat, as all know it */
	uint64_t timer_position;	/* of the event that set it */
	bool timer_waits;		/* a change by this device: */
	struct event_id timer_event;
	uint32_t timer_next;
};

/* A person who is not known yet comes back zeroed but for its id. */
MUST_USE enum err person_load(struct step *s, const struct user_id *user,
    struct person *out);
MUST_USE enum err person_save(struct step *s, const struct person *p);
/* Keeps a name, and finds it again without regard to case. */
MUST_USE enum err person_set_name(struct step *s, const struct user_id *user,
    struct span name);
/* ERR_NOT_FOUND. */
MUST_USE enum err person_by_name(struct step *s, struct span name,
    struct user_id *out);
MUST_USE enum err person_next(struct step *s, const struct user_id *after,
    struct person *out);

/* ERR_NOT_FOUND. */
MUST_USE enum err person_chat(struct step *s, const struct chat_id *chat,
    struct chat *out);
/* The timer that holds for what is sent now. */
uint32_t person_timer(const struct chat *c);
MUST_USE enum err person_save_chat(struct step *s, const struct chat *c);
/* Makes chat the direct chat of user, when there is none. */
MUST_USE enum err person_meet(struct step *s, const struct chat_id *chat,
    const struct user_id *user, struct chat *out);
/* What the server says about a chat. Other types than direct are passed by. */
MUST_USE enum err person_heard_chat(struct step *s,
    const struct chat_rec *rec);

/* The list of user has to be fetched. */
MUST_USE enum err person_want(struct step *s, const struct user_id *user);
MUST_USE enum err person_is_wanted(struct step *s,
    const struct user_id *user, bool *out);
/* The path of the fetch. ERR_TOO_LARGE. */
MUST_USE enum err person_fetch_path(struct step *s,
    const struct user_id *user, struct span *out);
/* The server says that the account was erased. Says so, once. */
MUST_USE enum err person_erased(struct step *s, const struct user_id *user);
/* The answer of the fetch. */
MUST_USE enum err person_heard_devices(struct step *s,
    const struct user_id *user, const struct user_devices_rep *rep);
/*
 * A signed list of user, from wherever, offered to the core; shows what
 * changed. *taken_out: it is (now) the one that is known.
 */
MUST_USE enum err person_take_list(struct step *s, const struct user_id *user,
    struct span list, bool *taken_out);
/* The same, with renewals of the account key that may lead to it. (Without
 * them, a list under another key makes it fetched from where they are.) */
MUST_USE enum err person_take_renewed(struct step *s,
    const struct user_id *user, struct span list,
    const struct span_list *rotations, bool *taken_out);
/* Certificates that may be of use; bad ones are passed by. */
MUST_USE enum err person_take_cert(struct step *s, const struct user_id *user,
    struct span cert);
/* The user goes on with a changed identity. ERR_NOT_FOUND: none changed. */
MUST_USE enum err person_accept(struct step *s, const struct user_id *user);
/* What the view in an event of this person tells about our lists. */
MUST_USE enum err person_heard_view(struct step *s,
    const struct address *from, const struct event *e, bool *conflict_out);

#endif
