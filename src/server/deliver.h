/*
 * deliver.h: events to people who are online. Called from emit only: the
 * frame runs it after commit, on the reactor of the call's key, so that the
 * events of one chat leave in commit order. Sockets hear events by one of two
 * sets of names (enum deliver_names); an event is encoded at most once for
 * each, when the first socket is found that hears it so, and that blob is
 * referenced by every socket that gets it.
 *
 *	struct deliver_event ev = deliver_event("typing:indicator",
 *	    &shape_typing_ev, &payload);
 *	deliver_user(c, &user, &ev, 0, 0);
 *	deliver_end(&ev);
 *
 * Who is offline learns of it by sync: delivery is never retried here.
 */
#ifndef SERVER_DELIVER_H
#define SERVER_DELIVER_H

#include "base/blob.h"
#include "bus/directory.h"
#include "server/call.h"

/* All sockets but the one that the call came from (it has the answer). */
#define DELIVER_NOT_SENDER 1u
/* Only sockets whose session speaks for a device. */
#define DELIVER_DEVICES 2u

/* By which names a socket hears events: how it has authenticated (docs/api.md,
 * "Socket.IO"). The kinds of the directory's connections. */
enum deliver_names { DELIVER_HANDSHAKE, DELIVER_FIRST_EVENT, DELIVER_NAMES };
_Static_assert((int)DELIVER_NAMES == DIRECTORY_KINDS, "a bit for each");

/*
 * An event in both forms. What it refers to has to stay as it is until
 * deliver_end. Without memory, or when a payload can not be encoded, nobody
 * gets it, and its readers resync by `prev`.
 */
struct deliver_event {
	struct deliver_form {
		const char *name;	/* a literal; NULL: as the first */
		const struct shape *shape;
		const void *payload;	/* C struct of the shape */
		struct blob *blob;	/* a complete frame */
		bool is_encoded;	/* or has failed to be */
	} forms[DELIVER_NAMES];
};
/* The same for everybody. */
struct deliver_event deliver_event(const char *name,
    const struct shape *shape, const void *payload);
/* It has another form for those who authenticated by an event. */
void deliver_other_form(struct deliver_event *ev, const char *name,
    const struct shape *shape, const void *payload);
void deliver_end(struct deliver_event *ev);

/*
 * To every socket of a user, on whichever reactor it is.
 *   position  in  of the event, 0 when it has none: a socket that is being
 *                 caught up drops what its catch-up held already
 */
void deliver_user(struct call *c, const struct user_id *to,
    struct deliver_event *ev, uint64_t position, unsigned flags);
/* To the sockets of one device of a user. */
void deliver_device(struct call *c, const struct user_id *to, uint32_t device,
    struct deliver_event *ev, uint64_t position);
/* To each of n users, for a chat whose members the call knows. */
void deliver_users(struct call *c, const struct user_id *to, size_t n,
    struct deliver_event *ev, uint64_t position, unsigned flags);
/* To the socket that the call came from; nothing over REST. */
void deliver_caller(struct call *c, struct deliver_event *ev);

/* Does this user have a socket anywhere? From the directory of this thread. */
bool deliver_is_online(struct call *c, const struct user_id *user);

#endif
