/*
 * tls_ticket.c: see tls_ticket.h. Any thread: a lock, held for the time of a
 * copy, at most twice a handshake. exports tls_tickets_*
 */
#include <stdatomic.h>

#include "base/sys.h"
#include "net/thread.h"
#include "net/tls_ticket.h"

struct tls_tickets {
	atomic_uint refs;
	struct thread_lock lock;
	uint64_t period_ms;
	uint64_t made_ms;		/* when the present key was */
	bool has_last;
	struct tls_ticket_key now, last;
};

enum err
tls_tickets_new(uint64_t period_ms, struct tls_tickets **out)
{
	struct tls_tickets *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return ERR_NOMEM;
	atomic_init(&t->refs, 1);
	thread_lock_init(&t->lock);
	t->period_ms = period_ms;
	t->made_ms = sys_mono_us() / 1000;
	sys_random(&t->now, sizeof(t->now));
	*out = t;
	return OK;
}

struct tls_tickets *
tls_tickets_ref(struct tls_tickets *t)
{
	if (t != NULL)
		atomic_fetch_add_explicit(&t->refs, 1, memory_order_relaxed);
	return t;
}

void
tls_tickets_unref(struct tls_tickets *t)
{
	if (t == NULL || atomic_fetch_sub_explicit(&t->refs, 1,
	    memory_order_acq_rel) != 1)
		return;
	thread_lock_fini(&t->lock);
	wipe(&t->now, sizeof(t->now));
	wipe(&t->last, sizeof(t->last));
	free(t);
}

/* A key whose time is over makes no tickets, the one before opens none. */
static void
rotate(struct tls_tickets *t)
{
	uint64_t now_ms = sys_mono_us() / 1000;
	uint64_t age = now_ms - t->made_ms;

	if (age < t->period_ms)
		return;
	t->has_last = age < 2 * t->period_ms;
	t->last = t->now;
	if (!t->has_last)
		wipe(&t->last, sizeof(t->last));
	sys_random(&t->now, sizeof(t->now));
	/* To the time that it was due, so that the last one ends in time. */
	t->made_ms = now_ms - age % t->period_ms;
}

void
tls_tickets_current(struct tls_tickets *t, struct tls_ticket_key *out)
{
	thread_lock_take(&t->lock);
	rotate(t);
	*out = t->now;
	thread_lock_give(&t->lock);
}

bool
tls_tickets_find(struct tls_tickets *t,
    const uint8_t name[static TLS_TICKET_NAME], struct tls_ticket_key *out)
{
	const struct tls_ticket_key *k = NULL;

	thread_lock_take(&t->lock);
	rotate(t);
	if (memcmp(name, t->now.name, TLS_TICKET_NAME) == 0)
		k = &t->now;
	else if (t->has_last &&
	    memcmp(name, t->last.name, TLS_TICKET_NAME) == 0)
		k = &t->last;
	if (k != NULL)
		*out = *k;
	thread_lock_give(&t->lock);
	return k != NULL;
}
