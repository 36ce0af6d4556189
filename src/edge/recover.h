/*
 * recover.h: what the files of recovery share: recover.c has what is kept,
 * seek.c asks siblings for it.
 */
#ifndef EDGE_RECOVER_H
#define EDGE_RECOVER_H

#include "edge/sio.h"

/* An event that an absent client has not got. */
struct missed {
	struct blob *frames;
	uint64_t offset;
};

/* An ended socket that may come back. */
struct kept {
	struct slab_slot slot;
	struct list link;		/* oldest first; none: restoring */
	struct nsp *nsp;
	struct blob *rooms;		/* coded names, its own id if in it */
	uint64_t until_ms;
	uint64_t offset;		/* what its client has, once it says */
	/* One that ended at a sibling: */
	bool foreign;
	struct buf missed;		/* struct missed each, from there */
	uint64_t mark;			/* and all from here on in our log */
	char id[EDGE_SOCK_ID];
	char pid[SIO_PID];
};

/* An event that was sent. */
struct logged {
	struct nsp *nsp;
	struct blob *frames;		/* NULL: just a place */
	struct blob *targets;
	uint64_t offset;
	uint64_t at_ms;
	bool copy;			/* for one socket, when it came here */
};

struct recovery {
	struct edge *edge;
	struct slab kepts;
	struct map by_pid;
	struct list order;		/* of kept, oldest first */
	struct logged *log;		/* a ring of `max` */
	size_t max, first, n;
	uint64_t total;			/* that were ever logged */
	struct timer timer;		/* next expiry */
	uint64_t next;			/* offset */
};

/* Whom a CONNECT's auth names; pid is SIO_PID characters. False: nobody. */
bool edge_recover_names(struct span auth, struct arena *a, struct span *pid,
    uint64_t *offset);
/* Who is kept under that pid and may go on from that offset; hidden from
 * others then. NULL: nobody. */
struct kept *edge_recover_take(struct recovery *v, struct span nsp,
    struct span pid, uint64_t offset);
/* A new one, hidden; what it has is the caller's to set. NULL: no slot. */
struct kept *edge_recover_new(struct recovery *v);
/* Counted and findable from now on; or gone. */
void edge_recover_show(struct recovery *v, struct kept *t);
/* Calls fn for all that t has missed, in order. */
void edge_recover_walk(const struct recovery *v, const struct kept *t,
    void (*fn)(void *arg, const struct missed *m), void *arg);
void edge_recover_drop(struct recovery *v, struct kept *t);

/* ---- seek.c ---- */

/* Asks siblings whether they keep whom auth names. False: there is nobody to
 * ask. Else edge_sio_connect follows, once it is known. */
bool edge_seek_begin(struct sock *k, struct span auth);

#endif
