/*
 * wire.c: sockets, waiting and waking of base/sys.h over memory; see wire.h.
 * exports wire_*, sys_*
 *
 * Implementation notes. A descriptor is an index of one table for all
 * processes. What is sent becomes a parcel that arrives in one to three
 * pieces, never before an earlier one. Readiness is edge-triggered as
 * epoll(7) has it: a change makes the descriptor due, and waiting reports
 * what holds then. A peer that closed with bytes unread resets, as TCP does.
 */
#include <assert.h>

#include "base/sys.h"
#include "sim/wire.h"

#define FDS_MAX 4096
#define FD_BASE 1000		/* so that no real descriptor is meant */
#define REGS_MAX 1024
#define BACKLOG_MAX 128
#define RTO_US 1000000

enum kind { FD_FREE, FD_CONN, FD_LISTENER, FD_POLL, FD_WAKE };

struct fd {
	enum kind kind;
	uint64_t serial;
	struct proc *proc;
	struct sys_addr local, remote;
	/* FD_CONN */
	int peer;
	uint64_t peer_serial;
	struct buf in;
	size_t under_way;	/* sent, not read by the peer yet */
	uint64_t last_us;	/* when the last piece arrives */
	size_t window;
	bool up, eof, reset, refused, full, sent_eof, silent;
	/* FD_WAKE */
	bool woken;
	/* Its place in a set. */
	int poll;
	bool edge, due;
	void *ptr;
	/* FD_LISTENER: who waits; FD_POLL: what is in the set. */
	int *list;
	size_t list_n;
};

struct parcel {
	int to;
	uint64_t serial;
	size_t n;		/* 0: the end of the stream */
	uint8_t bytes[];
};

static struct {
	struct fd *fd[FDS_MAX];
	uint64_t serial, bytes;
	struct wire_conf conf;
	void (*tap)(const void *p, size_t n);
	struct { unsigned host; uint64_t until_us; } stall[64];
	uint16_t port;
	bool closing;
} w;

/* ------------------------------------------------------------ descriptors */

static struct fd *
find(int fd)
{
	struct fd *f = fd < FD_BASE || fd >= FD_BASE + FDS_MAX ? NULL :
	    w.fd[fd - FD_BASE];

	return f;
}

static struct fd *
get(int fd, enum kind kind)
{
	struct fd *f = find(fd);

	assert(f != NULL);
	assert(f->kind == kind);
	return f;
}

static int
make(enum kind kind)
{
	size_t list = kind == FD_LISTENER ? BACKLOG_MAX :
	    kind == FD_POLL ? REGS_MAX : 0;

	for (int i = 0; i < FDS_MAX; i++) {
		if (w.fd[i] != NULL)
			continue;
		w.fd[i] = calloc(1, sizeof(*w.fd[i]));
		assert(w.fd[i] != NULL);
		w.fd[i]->kind = kind;
		w.fd[i]->serial = ++w.serial;
		w.fd[i]->proc = kernel_proc();
		w.fd[i]->peer = w.fd[i]->poll = -1;
		w.fd[i]->list = list == 0 ? NULL : calloc(list, sizeof(int));
		assert(list == 0 || w.fd[i]->list != NULL);
		buf_init(&w.fd[i]->in, (size_t)64 << 20);
		return FD_BASE + i;
	}
	abort();
}

static struct fd *
peer_of(const struct fd *f)
{
	struct fd *p = f->peer < 0 ? NULL : find(f->peer);

	return p != NULL && p->serial == f->peer_serial ? p : NULL;
}

/* Something changed: who waits for it goes on. */
static void
touch(struct fd *f)
{
	f->due = true;
	if (f->poll >= 0)
		kernel_wake(get(f->poll, FD_POLL));
}

static void
reset(struct fd *f)
{
	f->reset = true;
	f->under_way = 0;
	touch(f);
}

/* --------------------------------------------------------------- delays */

static uint64_t
stalled_until(const struct proc *p)
{
	for (size_t i = 0; i < 64; i++)
		if (p != NULL && w.stall[i].host == p->host)
			return w.stall[i].until_us;
	return 0;
}

static uint64_t
arrival(struct fd *from, const struct proc *to)
{
	struct rng *r = kernel_rng();
	uint64_t at = kernel_now_us() + 20 +
	    rng_below(r, w.conf.delay_us_max + 1);
	uint64_t a = stalled_until(from->proc), b = stalled_until(to);

	if (rng_permille(r, w.conf.slow_permille))
		at += rng_below(r, 1000000);
	a = a > b ? a : b;
	if (a > at)	/* sent again when the line is back */
		at = a + rng_below(r, RTO_US);
	if (at < from->last_us)
		at = from->last_us;
	from->last_us = at;
	return at;
}

static void
on_parcel(void *arg)
{
	struct parcel *m = arg;
	struct fd *f = w.closing ? NULL : find(m->to);

	if (f == NULL || f->serial != m->serial || f->reset) {
		free(m);
		return;
	}
	kernel_trace_u64(m->serial);
	kernel_trace(m->bytes, m->n);
	w.bytes += m->n;
	if (m->n == 0)
		f->eof = true;
	else if (buf_add(&f->in, m->bytes, m->n) != OK)
		abort();
	touch(f);
	free(m);
}

static void
dispatch(struct fd *from, const uint8_t *p, size_t n)
{
	struct fd *to = peer_of(from);
	struct parcel *m;

	if (to == NULL)
		return;
	m = malloc(sizeof(*m) + n);
	assert(m != NULL);
	m->to = from->peer;
	m->serial = from->peer_serial;
	m->n = n;
	if (n > 0)
		memcpy(m->bytes, p, n);
	kernel_at(arrival(from, to->proc), on_parcel, m);
}

/* ------------------------------------------------------------ connections */

struct knock {
	int fd;
	uint64_t serial;
};

static bool
is_same_addr(const struct sys_addr *a, const struct sys_addr *b)
{
	return a->port == b->port && memcmp(a->ip, b->ip, 16) == 0;
}

/* One of the listeners of that address, any of them. */
static struct fd *
find_listener(const struct sys_addr *a)
{
	struct fd *out = NULL;
	uint64_t n = 0;

	for (int i = 0; i < FDS_MAX; i++) {
		struct fd *f = w.fd[i];

		if (f != NULL && f->kind == FD_LISTENER && !f->proc->dead &&
		    is_same_addr(&f->local, a) &&
		    rng_below(kernel_rng(), ++n) == 0)
			out = f;
	}
	return out;
}

/* The SYN arrives. */
static void
on_knock(void *arg)
{
	struct knock *m = arg;
	struct fd *c = w.closing ? NULL : find(m->fd), *l, *s;
	uint64_t until;
	int fd, m_fd;

	if (c == NULL || c->serial != m->serial || c->reset) {
		free(m);
		return;
	}
	l = find_listener(&c->remote);
	until = stalled_until(l == NULL ? NULL : l->proc);
	if (until > kernel_now_us()) {
		kernel_at(until + 1, on_knock, m);
		return;
	}
	m_fd = m->fd;
	free(m);
	if (l == NULL || l->list_n == BACKLOG_MAX) {
		c->refused = true;
		reset(c);
		return;
	}
	for (fd = 0; w.fd[fd] != NULL; fd++)
		assert(fd < FDS_MAX - 1);
	s = w.fd[fd] = calloc(1, sizeof(*s));
	assert(s != NULL);
	*s = (struct fd){ .kind = FD_CONN, .serial = ++w.serial,
	    .proc = l->proc, .local = c->remote, .remote = c->local,
	    .peer = m_fd, .poll = -1, .up = true };
	buf_init(&s->in, (size_t)64 << 20);
	s->window = c->window;
	s->peer_serial = c->serial;
	c->peer = FD_BASE + fd;
	c->peer_serial = s->serial;
	c->up = true;
	l->list[l->list_n++] = FD_BASE + fd;
	touch(l);
	touch(c);
}

enum err
sys_listen(const struct sys_addr *a, int backlog, int *fd_out)
{
	int fd = make(FD_LISTENER);

	(void)backlog;
	get(fd, FD_LISTENER)->local = *a;
	*fd_out = fd;
	return OK;
}

enum err
sys_port_free(const struct sys_addr *a)
{
	return find_listener(a) == NULL ? OK : ERR_CONFLICT;
}

enum err
sys_local_addr(int fd, struct sys_addr *out)
{
	const struct fd *f = find(fd);

	assert(f != NULL);
	*out = f->local;
	return OK;
}

int
sys_accept(int fd, struct sys_addr *peer_out)
{
	struct fd *l = get(fd, FD_LISTENER), *c;
	int out;

	if (l->list_n == 0 || l->proc->dead)
		return SYS_AGAIN;
	out = l->list[0];
	memmove(l->list, l->list + 1,
	    --l->list_n * sizeof(l->list[0]));
	c = get(out, FD_CONN);
	*peer_out = c->remote;
	return out;
}

enum err
sys_connect(const struct sys_addr *a, int *fd_out)
{
	struct knock *m = malloc(sizeof(*m));
	int fd = make(FD_CONN);
	struct fd *c = get(fd, FD_CONN);

	assert(m != NULL);
	(void)sys_addr_decode("10.0.0.0", 0, &c->local);
	c->local.ip[15] = (uint8_t)c->proc->host;
	c->local.port = (uint16_t)(20000 + w.port++ % 40000);
	c->remote = *a;
	/* Between a few and plenty of segments. */
	c->window = 4096 + rng_below(kernel_rng(), w.conf.window);
	m->fd = fd;
	m->serial = c->serial;
	kernel_at(arrival(c, NULL), on_knock, m);
	*fd_out = fd;
	return OK;
}

enum err
sys_connected(int fd)
{
	const struct fd *c = get(fd, FD_CONN);

	return c->reset ? ERR_UNAVAILABLE : c->up ? OK : ERR_BUSY;
}

enum err
sys_pair(int fds_out[static 2])
{
	(void)fds_out;
	return ERR_UNAVAILABLE;
}

long
sys_recv(int fd, void *p, size_t n)
{
	struct fd *c = get(fd, FD_CONN), *from = peer_of(c);

	if (c->reset || c->proc->dead)
		return SYS_ERROR;
	if (c->in.n == 0)
		return c->eof ? 0 : SYS_AGAIN;
	n = n < c->in.n ? n : c->in.n;
	memcpy(p, c->in.p, n);
	buf_drop(&c->in, n);
	if (from != NULL) {
		from->under_way -= from->under_way < n ? from->under_way : n;
		/* tcp(7): writable again once a third is free. */
		if (from->full && from->under_way < from->window / 3 * 2) {
			from->full = false;
			touch(from);
		}
	}
	return (long)n;
}

/* Bytes in one to three pieces. */
static void
send_pieces(struct fd *c, const uint8_t *p, size_t n)
{
	struct rng *r = kernel_rng();

	if (w.tap != NULL)
		w.tap(p, n);
	c->under_way += n;
	while (n > 0) {
		size_t k = rng_below(r, 4) != 0 ? n : 1 + rng_below(r, n);

		dispatch(c, p, k);
		p += k;
		n -= k;
	}
}

long
sys_sendv(int fd, const struct sys_iov *iov, size_t n)
{
	struct fd *c = get(fd, FD_CONN);
	uint8_t *all;
	size_t room, sum = 0;

	if (c->reset || c->sent_eof || c->proc->dead)
		return SYS_ERROR;
	room = c->window - (c->under_way < c->window ? c->under_way :
	    c->window);
	if (!c->up || room == 0) {
		c->full = true;
		return SYS_AGAIN;
	}
	all = malloc(room);
	assert(all != NULL);
	for (size_t i = 0; i < n; i++) {
		size_t take = iov[i].n < room - sum ? iov[i].n : room - sum;

		if (take > 0)
			memcpy(all + sum, iov[i].p, take);
		sum += take;
		c->full |= take < iov[i].n;
	}
	send_pieces(c, all, sum);
	free(all);
	return (long)sum;
}

long
sys_sendv_more(int fd, const struct sys_iov *iov, size_t n)
{
	return sys_sendv(fd, iov, n);
}

size_t
sys_unacked(int sock)
{
	return get(sock, FD_CONN)->under_way;
}

void
sys_shutdown_write(int fd)
{
	struct fd *c = get(fd, FD_CONN);

	if (c->sent_eof || c->reset || c->proc->dead)
		return;
	c->sent_eof = true;
	dispatch(c, NULL, 0);
}

static void
close_conn(struct fd *c)
{
	struct fd *p = peer_of(c);

	if (p == NULL || c->proc->dead || c->reset)
		return;
	if (c->in.n > 0)	/* RFC 9293 3.6.1: data was lost, say so */
		reset(p);
	else
		sys_shutdown_write(p->peer);
}

void
sys_close(int fd)
{
	struct fd *f = find(fd);

	if (f == NULL)
		return;
	if (f->kind == FD_CONN)
		close_conn(f);
	for (size_t i = 0; f->kind == FD_LISTENER && i < f->list_n; i++)
		sys_close(f->list[i]);
	for (size_t i = 0; f->kind == FD_POLL && i < f->list_n; i++) {
		struct fd *in = find(f->list[i]);

		if (in != NULL)
			in->poll = -1;
	}
	if (f->poll >= 0)
		sys_poll_remove(f->poll, fd);
	buf_fini(&f->in);
	free(f->list);
	free(f);
	w.fd[fd - FD_BASE] = NULL;
}

/* --------------------------------------------------------------- waiting */

static uint32_t
readiness(const struct fd *f)
{
	uint32_t out = 0;

	if (f->kind == FD_WAKE)
		return f->woken ? SYS_READ : 0;
	if (f->kind == FD_LISTENER)
		return f->list_n > 0 && !f->proc->dead ? SYS_READ : 0;
	if (f->reset || f->proc->dead)
		return SYS_READ | SYS_WRITE | SYS_HUP | SYS_END;
	if (f->in.n > 0 || f->eof)
		out |= SYS_READ;
	if (f->eof)
		out |= SYS_END;
	if (f->eof && f->sent_eof)
		out |= SYS_HUP;
	if (f->up && f->under_way < f->window)
		out |= SYS_WRITE;
	return out;
}

enum err
sys_poll_open(int *fd_out)
{
	*fd_out = make(FD_POLL);
	return OK;
}

enum err
sys_poll_add(int poll_fd, int fd, bool edge, void *ptr)
{
	struct fd *p = get(poll_fd, FD_POLL), *f = find(fd);

	assert(f != NULL);
	assert(f->poll < 0);
	assert(p->list_n < REGS_MAX);
	p->list[p->list_n++] = fd;
	f->poll = poll_fd;
	f->edge = edge;
	f->ptr = ptr;
	touch(f);
	return OK;
}

void
sys_poll_remove(int poll_fd, int fd)
{
	struct fd *p = get(poll_fd, FD_POLL), *f = find(fd);

	for (size_t i = 0; i < p->list_n; i++) {
		if (p->list[i] != fd)
			continue;
		memmove(&p->list[i], &p->list[i + 1],
		    (--p->list_n - i) * sizeof(p->list[0]));
		break;
	}
	if (f != NULL)
		f->poll = -1;
}

static size_t
collect(struct fd *p, struct sys_event *out)
{
	size_t n = 0;

	for (size_t i = 0; i < p->list_n && n < SYS_EVENTS_MAX; i++) {
		struct fd *f = find(p->list[i]);
		uint32_t ready = f == NULL ? 0 : readiness(f);

		if (ready == 0 || (f->edge && !f->due))
			continue;
		f->due = false;
		out[n++] = (struct sys_event){ f->ptr, f->edge ? ready :
		    ready & SYS_READ };
	}
	return n;
}

size_t
sys_poll_wait(int poll_fd, struct sys_event *out, int timeout_ms)
{
	struct fd *p = get(poll_fd, FD_POLL);
	uint64_t until = timeout_ms < 0 ? KERNEL_NEVER :
	    kernel_now_us() + (uint64_t)timeout_ms * 1000;
	size_t n = collect(p, out);

	if (n > 0)
		return n;
	(void)kernel_wait(p, until);
	return collect(p, out);
}

enum err
sys_wake_open(int *fd_out)
{
	*fd_out = make(FD_WAKE);
	return OK;
}

void
sys_wake(int fd)
{
	struct fd *f = get(fd, FD_WAKE);

	f->woken = true;
	touch(f);
}

void
sys_wake_clear(int fd)
{
	get(fd, FD_WAKE)->woken = false;
}

/* ---------------------------------------------------------------- faults */

void
wire_cut(struct proc *p)
{
	for (int i = 0; i < FDS_MAX; i++) {
		struct fd *f = w.fd[i], *other;

		if (f == NULL || f->kind != FD_CONN || f->proc != p)
			continue;
		other = peer_of(f);
		if (other != NULL)
			reset(other);
		reset(f);
	}
}

void
wire_kill(struct proc *p, bool silent)
{
	for (int i = 0; i < FDS_MAX; i++) {
		struct fd *f = w.fd[i], *other;

		if (f == NULL || f->proc != p)
			continue;
		other = f->kind == FD_CONN ? peer_of(f) : NULL;
		if (other != NULL && !silent)
			reset(other);
		touch(f);
	}
}

void
wire_stall(struct proc *p, uint64_t us)
{
	uint64_t until = kernel_now_us() + us;
	size_t at = 0;

	for (size_t i = 0; i < 64; i++) {
		if (w.stall[i].host == p->host) {
			at = i;
			break;
		}
		if (w.stall[i].until_us < w.stall[at].until_us)
			at = i;
	}
	w.stall[at].host = p->host;
	w.stall[at].until_us = until;
}

uint64_t
wire_bytes(void)
{
	return w.bytes;
}

void
wire_conf_set(const struct wire_conf *conf)
{
	w.conf = *conf;
}

void
wire_open(const struct wire_conf *conf, void (*tap)(const void *p, size_t n))
{
	memset(&w, 0, sizeof(w));
	w.conf = *conf;
	w.tap = tap;
}

/* Before kernel_close, which lets go of what was under way. */
void
wire_close(void)
{
	w.closing = true;
	for (int i = 0; i < FDS_MAX; i++) {
		if (w.fd[i] == NULL)
			continue;
		buf_fini(&w.fd[i]->in);
		free(w.fd[i]->list);
		free(w.fd[i]);
		w.fd[i] = NULL;
	}
}
