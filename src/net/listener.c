/* listener.c: see listener.h. */
#include "net/listener.h"

static void
on_retry(struct timer *t)
{
	struct listener *l = (struct listener *)(void *)((char *)t -
	    offsetof(struct listener, retry));

	if (reactor_watch_level(l->reactor, &l->io) != OK)
		timer_start(reactor_wheel(l->reactor), &l->retry,
		    LISTENER_RETRY_MS, on_retry);
}

static void
on_ready(struct io *io, unsigned ready)
{
	struct listener *l = (struct listener *)(void *)((char *)io -
	    offsetof(struct listener, io));

	(void)ready;
	for (int i = 0; i < LISTENER_BATCH && !l->paused && l->io.fd >= 0; i++) {
		struct sys_addr peer;
		int fd = sys_accept(l->io.fd, &peer);

		if (fd == SYS_AGAIN)
			return;
		if (fd == SYS_ERROR) {
			l->starved++;
			reactor_unwatch(l->reactor, &l->io);
			timer_start(reactor_wheel(l->reactor), &l->retry,
			    LISTENER_RETRY_MS, on_retry);
			return;
		}
		l->on_accept(l, fd, &peer);
	}
}

enum err
listener_open(struct listener *l, struct reactor *r, const struct sys_addr *a,
    void (*on_accept)(struct listener *, int, const struct sys_addr *),
    void *arg)
{
	enum err e;
	int fd;

	TRY(sys_listen(a, LISTENER_BACKLOG, &fd));
	*l = (struct listener){ .io = { fd, on_ready }, .reactor = r,
	    .on_accept = on_accept, .arg = arg };
	if ((e = reactor_watch_level(r, &l->io)) != OK) {
		sys_close(fd);
		*l = (struct listener){ 0 };
	}
	return e;
}

void
listener_close(struct listener *l)
{
	if (l->reactor == NULL)
		return;
	listener_pause(l);
	sys_close(l->io.fd);
	l->io.fd = -1;
	l->reactor = NULL;
}

void
listener_pause(struct listener *l)
{
	if (l->paused)
		return;
	l->paused = true;
	if (timer_is_running(&l->retry))
		timer_cancel(&l->retry);
	else
		reactor_unwatch(l->reactor, &l->io);
}

void
listener_resume(struct listener *l)
{
	if (!l->paused)
		return;
	l->paused = false;
	/* Without memory for the watch it is tried again like an accept. */
	if (reactor_watch_level(l->reactor, &l->io) != OK)
		timer_start(reactor_wheel(l->reactor), &l->retry,
		    LISTENER_RETRY_MS, on_retry);
}

enum err
listener_addr(const struct listener *l, struct sys_addr *out)
{
	return sys_local_addr(l->io.fd, out);
}
