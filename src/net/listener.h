/*
 * listener.h: a listening socket of one reactor. Every reactor opens one on
 * the same address (SO_REUSEPORT) and the kernel spreads connections.
 * Accepts at most LISTENER_BATCH a tick; when the process has no descriptor
 * left, or its owner pauses it, connections wait in the backlog.
 */
#ifndef NET_LISTENER_H
#define NET_LISTENER_H

#include "base/sys.h"
#include "net/reactor.h"

#define LISTENER_BATCH 64
#define LISTENER_BACKLOG 4096
#define LISTENER_RETRY_MS 100	/* after running out of descriptors */

struct listener {
	struct io io;
	struct timer retry;
	struct reactor *reactor;
	/* fd is the callee's: it closes it when it refuses. */
	void (*on_accept)(struct listener *l, int fd,
	    const struct sys_addr *peer);
	void *arg;
	bool paused;
	uint64_t starved;	/* times that no descriptor was left */
};

/*
 * Binds and listens; on_accept is called in the reactor's ticks.
 * ERR_CONFLICT: in use. ERR_FORBIDDEN. ERR_IO.
 */
MUST_USE enum err listener_open(struct listener *l, struct reactor *r,
    const struct sys_addr *a,
    void (*on_accept)(struct listener *, int, const struct sys_addr *),
    void *arg);
void listener_close(struct listener *l);	/* a zeroed one is fine */
void listener_pause(struct listener *l);
void listener_resume(struct listener *l);
/* Where it listens (the port, when 0 was asked for). */
MUST_USE enum err listener_addr(const struct listener *l,
    struct sys_addr *out);

#endif
