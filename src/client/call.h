/*
 * call.h: the REST calls of a client: making them, at most one of each kind
 * and object at a time, and taking their answers apart. Calls are not kept in
 * records: what makes one necessary is, so it is made again after a crash.
 */
#ifndef CLIENT_CALL_H
#define CLIENT_CALL_H

#include "client/step.h"

enum call_what {
	CALL_NONE,
	CALL_BIND,		/* POST /api/auth/device */
	CALL_BUNDLES,		/* POST /api/users/:id/prekey-bundles */
	CALL_CHAT,		/* POST /api/chats: the direct chat with user */
	CALL_CHAT_GET,		/* GET /api/chats/:chatId */
	CALL_DEVICES,		/* GET /api/users/:id/devices */
	CALL_FIND,		/* GET /api/users/search */
	CALL_LIST_PUT,		/* PUT /api/users/me/device-list */
	CALL_LOGOUT,		/* POST /api/auth/logout */
	CALL_PREKEYS_PUT,	/* PUT /api/devices/:id/prekeys */
	CALL_REFRESH,		/* POST /api/auth/refresh */
	CALL_SYNC,		/* GET /api/sync */
	CALL_BLOCKS,		/* GET /api/blocks */
	CALL_CHATS,		/* GET /api/chats, page by page */
	CALL_PEOPLE,		/* GET /api/users/search */
	CALL_SETTINGS_GET,	/* GET /api/settings */
	CALL_SETTINGS_PUT,	/* PUT /api/settings */
	CALL_TASK,		/* what task.h keeps */
	CALL_USER_GET,		/* GET /api/users/:id */
	/* Devices, archives, backup, trust: keyring.c takes the answers. */
	CALL_KEYRING_FIRST,
	CALL_LINK_POST = CALL_KEYRING_FIRST, /* POST /api/link */
	CALL_LINK_GET,		/* GET /api/link/:mailbox */
	CALL_LINK_REPLY_PUT,	/* PUT /api/link/:mailbox/reply */
	CALL_LINK_REPLY,	/* the new device asks for it */
	CALL_LINK_FACTS_PUT,	/* PUT /api/link/:mailbox/provisioning */
	CALL_LINK_FACTS,	/* the new device asks for it */
	CALL_LINK_ANSWER_PUT,	/* PUT /api/link/:mailbox/answer */
	CALL_LINK_ANSWER,	/* GET /api/link/:mailbox/answer */
	CALL_LINK_DROP,		/* DELETE /api/link/:mailbox */
	CALL_ARCHIVE_NEW,	/* POST /api/archives; number: purpose */
	CALL_ARCHIVE_GET,	/* GET /api/archives/:id */
	CALL_ARCHIVE_DONE,	/* POST /api/archives/:id/complete */
	CALL_ARCHIVE_DROP,	/* DELETE /api/archives/:id */
	CALL_PART_PUT,		/* PUT /api/archives/:id/parts/:n */
	CALL_PART_GET,		/* GET /api/archives/:id/parts/:n */
	CALL_BACKUP_PUT,	/* PUT /api/keybackup */
	CALL_BACKUP_GET,	/* GET /api/keybackup */
	CALL_BACKUP_STATE,	/* GET /api/keybackup/state */
	CALL_BACKUP_DROP,	/* DELETE /api/keybackup */
	CALL_DEVICE_NAME,	/* PUT /api/devices/:id */
	CALL_TRUST_PUT,		/* POST /api/verifications */
	CALL_TRUST_GET,		/* GET /api/verifications */
	CALL_TRUST_DROP,	/* DELETE /api/verifications/:userId */
	CALL_MAX
};

/* A call to make. */
struct call_new {
	enum call_what what;
	const char *method;
	struct span path, body;
	bool no_token;
	uint64_t cmd;
	uint64_t number;
	struct user_id user;
	struct chat_id chat;
};

/* An answer, taken apart. */
struct call_answer {
	const struct client_call *call;
	uint32_t status;		/* 0: none came */
	enum err err;			/* OK: a success */
	struct span data;		/* JSON of the envelope's data */
	struct error_rec error;		/* when err is not OK and one was sent */
	uint32_t retry_after_s;
};

/* Is such a call under way? */
bool call_is_open(const struct client *c, enum call_what what,
    const struct user_id *user);
/* May one be made now (token, backoff)? If not, sets the timer. */
bool call_may(struct step *s);
/*
 * Makes it, unless the same is under way, or none may be made now: *made_out
 * says false then, and the caller's need stays where it is recorded.
 */
MUST_USE enum err call_make(struct step *s, const struct call_new *n,
    bool *made_out);
/*
 * The input CLIENT_ANSWER: *call_out is the call it belongs to, which is over;
 * ERR_NOT_FOUND: none (it was given up). Backoff, token trouble and limits are
 * dealt with here: the answer's err says what is left.
 */
MUST_USE enum err call_answer(struct step *s, const struct client_input *in,
    struct client_call *call_out, struct call_answer *out);
/* Calls that nobody answered for a minute are forgotten. */
void call_expire(struct step *s);
/* Refreshes the access token when the server refused it. */
MUST_USE enum err call_refresh(struct step *s);
/* The server refused this token. */
void call_refused_token(struct step *s, uint64_t tag);
/* Tells one access token from another. */
uint64_t call_token_tag(struct span token);
/* The tokens are gone: nothing is sent until somebody signs in. */
MUST_USE enum err call_signed_out(struct step *s, struct span reason);

/* "/api/users/" + id + tail. */
MUST_USE enum err call_path(struct step *s, const char *head,
    const uint8_t id[static ID_LEN], const char *tail, struct span *out);

#endif
