/*
 * sio.h: what the Socket.IO files of edge share: sockets (sio.c, sock.c),
 * namespaces (nsp.c), rooms (rooms.c), what is sent to many (emit.c),
 * questions (asks.c), binary events that come in pieces (binary.c), recovery
 * (recover.c, seek.c).
 *
 * A socket that has ended leaves its rooms and its namespace only when the
 * app is told (edge_sio_tell), never while something is being sent: so a walk
 * over members may end any of them.
 */
#ifndef EDGE_SIO_H
#define EDGE_SIO_H

#include "edge/private.h"

#define SIO_NONE SLAB_NONE		/* no index */
#define SIO_PID 20			/* characters of 15 random bytes */
#define SIO_OFFSET 12			/* characters of 9 bytes */

/* A namespace in use: by sockets, kept sessions or logged events. */
struct nsp {
	struct slab_slot slot;
	struct edge *edge;
	struct blob *name;
	uint64_t hash;
	uint64_t ids;			/* next question's */
	uint32_t refs;
	uint32_t same;			/* next one of equal hash */
	uint32_t first, last;		/* its sockets, by index */
};

#define SOCK_IN_NSP 1u			/* in its namespace's list */
#define SOCK_NOT_OWN 2u			/* has left the room of its own id */
#define SOCK_FINAL 4u			/* its end is not to be recovered from */
#define SOCK_SEEKING 8u			/* siblings are asked; the app is not yet */
#define SOCK_GUEST 16u			/* see edge_accept_guest */

/* What few sockets have. */
struct sock_more {
	struct slab_slot slot;
	struct kept *restore;		/* what it comes back to; until it is
					   accepted */
	struct blob *auth;		/* of its CONNECT, while seeking */
	uint64_t mark;			/* in the log, when that began */
	uint32_t seeks;			/* siblings that have not answered */
	uint32_t rooms, rooms_n;	/* first membership */
	uint32_t asks, asks_last, asks_n;	/* open questions, oldest first */
	char pid[SIO_PID];
	bool has_pid;
	bool recovered;
};

/* A room with members. */
struct room {
	struct slab_slot slot;
	struct nsp *nsp;
	struct blob *name;
	uint64_t hash;
	uint32_t same;			/* next one of equal hash */
	uint32_t first;			/* membership */
	uint32_t n;
};

/* One socket in one room, by indices. */
struct member {
	struct slab_slot slot;
	uint32_t sock, room;
	uint32_t prev, next;		/* in the room */
	uint32_t sock_next;		/* of the socket's */
};

/* A question that waits for its answer. */
struct ask {
	struct slab_slot slot;
	struct timer timer;
	struct edge *edge;
	uint64_t id;
	edge_answer_fn fn;
	void *arg;
	uint32_t sock;			/* index */
	uint32_t next;
};

/* A binary packet whose attachments are still to come. */
struct binary {
	struct slab_slot slot;
	struct timer timer;
	struct session *session;
	struct hold *bytes;		/* the packet's text, then the parts */
	struct hold *ends;		/* size_t each: where they end */
	uint32_t due, got;
	bool is_used;		/* the packet has placeholders */
};

/* The state of an edge. */
struct sio {
	struct slab nsps, mores, rooms, members, asks, binaries;
	struct map nsps_by, rooms_by;	/* by hash: index + 1 */
	uint64_t seed;
	uint8_t *marks;			/* a bit a socket */
	struct blob *under_way;		/* atomic_uint: mails to siblings */
	struct recovery *recovery;	/* NULL: off */
};

/*
 * To whom something goes: names that follow each other, each with its length
 * (2 bytes) before it: the namespace, rooms, exceptions. As one blob, it goes
 * to siblings and into the log.
 */
struct targets {
	struct span nsp;
	struct span rooms, except;	/* coded names */
	uint32_t rooms_n, except_n;
};

/* ---- sio.c ---- */

struct edge_ref edge_sio_ref(struct edge *e, const struct sock *k);
struct sock *edge_sio_find(struct edge_ref r);
/* NULL: not one that events may go to and come from. */
struct sock *edge_sio_find_open(struct edge_ref r);
/* What few have; NULL: no slot. */
struct sock_more *edge_sio_more(struct sock *k);
/* Whole frames to an open socket; counted as bytes of one event. */
void edge_sio_send_blob(struct sock *k, struct blob *frames, bool is_volatile);
/* A packet that is whole: parts_n attachments. */
void edge_sio_packet(struct session *s, struct span msg,
    const struct span *parts, uint32_t parts_n);
/* Asks the app whether it may join, once siblings have answered. */
void edge_sio_connect(struct sock *k);
/* Has it an open socket in that namespace? NULL: no. */
struct sock *edge_sio_joined(struct session *s, struct span nsp);

/* ---- nsp.c ---- */

/* A reference to the namespace of that name; NULL: too many, no memory. */
struct nsp *edge_nsp_ref(struct edge *e, struct span name);
/* The same where it exists, without a reference. */
struct nsp *edge_nsp_find(struct edge *e, struct span name);
void edge_nsp_unref(struct nsp *n);
void edge_nsp_add(struct nsp *n, struct sock *k);
void edge_nsp_remove(struct nsp *n, struct sock *k);
static inline struct span
edge_nsp_name(const struct nsp *n)
{
	return blob_span(n->name);
}

/* ---- rooms.c ---- */

/* A new id for k, whose slot it says. */
void edge_rooms_make_id(struct sock *k);
/* The socket whose own id that is, and that is in its room; else NULL. */
struct sock *edge_rooms_owner(struct nsp *n, struct span name);
struct room *edge_rooms_find(struct nsp *n, struct span name);
MUST_USE enum err edge_rooms_add(struct sock *k, struct span name);
void edge_rooms_remove(struct sock *k, struct span name);
void edge_rooms_remove_all(struct sock *k);
bool edge_rooms_is_in(const struct sock *k, struct span name);
/* The rooms of k one after the other; *at starts at 0. */
bool edge_rooms_next(const struct sock *k, uint64_t *at, struct span *name);

/* ---- emit.c ---- */

/* The next of coded names. */
bool edge_emit_next(struct span *names, struct span *name_out);
void edge_emit_decode(struct span coded, struct targets *out);
/* Targets as bytes. NULL: no memory. */
struct blob *edge_emit_targets(const struct edge_to *to);
/* NULL: no memory, or above 4 GiB. */
struct blob *edge_emit_encode(const struct sio_frames *f);
/*
 * One more mail to a sibling is under way: a reference that travels with it,
 * given back where it ends. NULL: too many are (conf.links_max), counted.
 */
struct blob *edge_emit_depart(struct edge *e);
void edge_emit_arrive(struct blob *under_way);
/* To one, where recovery is on. */
void edge_emit_logged(struct sock *k, struct span name,
    const struct edge_args *args);

/* ---- asks.c ---- */

/* The answer to one of k's questions; an unknown id is ignored. */
void edge_asks_answer(struct sock *k, uint64_t id,
    const struct edge_args *args);
/* All of them end: nobody will answer. */
void edge_asks_end(struct sock *k);

/* ---- binary.c ---- */

/*
 * A packet with attachments begins; is_used: it has placeholders for them,
 * else they are dropped (as Node does). It may end the session.
 */
void edge_binary_begin(struct session *s, struct span msg, uint32_t due,
    bool is_used);
/* One of them; with the last the packet goes to edge_sio_packet. */
void edge_binary_part(struct session *s, struct span part);
void edge_binary_drop(struct session *s);

/* ---- recover.c ---- */

MUST_USE enum err edge_recover_open(struct edge *e);
void edge_recover_close(struct edge *e);
/* A CONNECT's auth may name what was kept: it is k's then. False: not so. */
bool edge_recover_find(struct sock *k, struct span auth);
/* k is accepted: its id, rooms and what it has missed. False: that is gone. */
bool edge_recover_restore(struct sock *k);
/* It was not accepted: what was kept stays kept. */
void edge_recover_put_back(struct sock *k);
/* k ends and may come back. */
void edge_recover_keep(struct sock *k);
/* An offset for an event, as JSON text into out; the same as a number. */
uint64_t edge_recover_offset(struct edge *e,
    char out[static SIO_OFFSET + 2]);
/* An event that may have to be sent again. Takes no reference of its own
 * where there is no memory for it: then it is not recovered. */
void edge_recover_log(struct nsp *n, uint64_t offset, struct blob *frames,
    struct blob *targets);

#endif
