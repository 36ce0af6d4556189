/*
 * deliver.h: events to people who are online. Called from emit only: the
 * frame runs it after commit, on the reactor of the call's key, so that the
 * events of one chat leave in commit order. An event is encoded once for
 * each distinct payload (deliver_encode) and that blob is referenced by every
 * socket that gets it.
 *
 *	struct blob *b = deliver_encode(c, "message:new", &shape_message, &m);
 *	deliver_user(c, &m.recipient, b, m.position, 0);
 *	deliver_user(c, &c->who.user, own, m.position, DELIVER_NOT_SENDER);
 *	blob_unref(b);
 *
 * Who is offline learns of it by sync: delivery is never retried here.
 */
#ifndef SERVER_DELIVER_H
#define SERVER_DELIVER_H

#include "base/blob.h"
#include "server/call.h"

/* All sockets but the one that the call came from (it has the answer). */
#define DELIVER_NOT_SENDER 1u
/* Only sockets whose session speaks for a device. */
#define DELIVER_DEVICES 2u

/*
 * A complete frame of the event, with one reference that is the caller's.
 * NULL without memory, or when the payload can not be encoded: every deliver_*
 * below takes NULL and does nothing, and the readers resync by `prev`.
 *   event    in  name, a literal
 *   shape    in  of the payload;  payload: its C struct
 */
struct blob *deliver_encode(struct call *c, const char *event,
    const struct shape *shape, const void *payload);
/* The same from JSON text (an object). */
struct blob *deliver_encode_json(struct call *c, const char *event,
    struct span json);

/*
 * To every socket of a user, on whichever reactor it is.
 *   position  in  of the event, 0 when it has none: a socket that is being
 *                 caught up drops what its catch-up held already
 */
void deliver_user(struct call *c, const struct user_id *to, struct blob *b,
    uint64_t position, unsigned flags);
/* To the sockets of one device of a user. */
void deliver_device(struct call *c, const struct user_id *to, uint32_t device,
    struct blob *b, uint64_t position);
/* To each of n users, for a chat whose members the call knows. */
void deliver_users(struct call *c, const struct user_id *to, size_t n,
    struct blob *b, uint64_t position, unsigned flags);
/* To the socket that the call came from; nothing over REST. */
void deliver_caller(struct call *c, struct blob *b);

/* Does this user have a socket anywhere? From the directory of this thread. */
bool deliver_is_online(struct call *c, const struct user_id *user);

#endif
