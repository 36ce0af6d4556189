/*
 * sock.h: an authenticated Socket.IO connection of one shard. While its
 * catch-up is read, live events for it are held, so that what it missed comes
 * first.
 */
#ifndef SERVER_SOCK_H
#define SERVER_SOCK_H

#include "server/frame.h"

/* Live events that wait for the catch-up; beyond: sync:now instead. */
#define SOCK_HELD_MAX 256

enum sock_state {
	SOCK_NEW,	/* CONNECT is being looked at */
	SOCK_WAITING,	/* connected without a token: authenticate follows */
	SOCK_HOLDING,	/* in the directory; live events are held */
	SOCK_LIVE,
	SOCK_ENDING,	/* told to go, or refused */
};

/* Events of a socket before it has authenticated; beyond: it has to go. */
#define SOCK_EARLY_MAX 32

struct held {
	struct blob *blob;
	uint64_t position;
};

struct sock {
	/* First: what the directory lists; its kind: enum deliver_names. */
	struct directory_conn conn;
	struct edge_ref ref;
	struct caller who;
	struct sys_addr addr;
	struct held *held;		/* SOCK_HELD_MAX, while holding */
	uint16_t held_n;
	bool held_over;			/* more came than fit */
	bool busy;			/* a frame refers to it */
	bool accepted;
	bool closed;			/* on_close came */
	uint8_t early_n;		/* events that came too early */
	struct sock_wait *wait;		/* while nobody has authenticated */
	uint8_t state;
};

static inline struct sock *
sock_of(struct list *l)
{
	return (struct sock *)(void *)LIST_ITEM(l, struct directory_conn,
	    link);
}

/* An event for this socket: sent, held, or dropped when it is going. */
void socket_give(struct shard *s, struct sock *k, struct blob *b,
    uint64_t position);
/* session:ended {reason}, then the connection ends. */
void socket_end(struct shard *s, struct sock *k, const char *reason);

#endif
