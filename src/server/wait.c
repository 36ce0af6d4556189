/*
 * wait.c: calls that wait for what another call does (call.h, "waiting"). A
 * call is in its home reactor's list from wait_begin to its end, so nothing
 * that changes while it is being read is missed: who wakes either finds it
 * parked and has it read again, or notes that it has to be.
 */
#include <assert.h>

#include "server/frame.h"

/* What is left to answer in, of edge.answer. */
#define WAIT_SLACK_MS 1000

void
wait_init(struct shard *s)
{
	list_init(&s->waits);
	s->waits_n = 0;
}

static void wait_read(struct frame *f);

/* The time is over: once more, and it goes on with what that finds. */
static void
wait_fired(struct timer *timer)
{
	struct frame *f = LIST_ITEM(timer, struct frame, wait_timer);

	if (f->is_parked)
		wait_read(f);
}

enum err
wait_begin(struct call *c, const uint8_t key[static ID_LEN], uint64_t ms)
{
	uint64_t most = c->conf->edge_answer_ms;
	struct frame *f = frame_of(c);
	struct shard *s = f->home;

	assert(reactor_self() == s->reactor);
	assert(!list_is_in(&f->wait_link));
	if (s->waits_n >= WAITS_MAX)
		return ERR_BUSY;
	most = most > 2 * WAIT_SLACK_MS ? most - WAIT_SLACK_MS : most / 2;
	memcpy(f->wait_key, key, ID_LEN);
	list_push(&s->waits, &f->wait_link);
	s->waits_n++;
	timer_start(reactor_wheel(s->reactor), &f->wait_timer,
	    ms < most ? ms : most, wait_fired);
	return OK;
}

void
wait_more(struct call *c)
{
	frame_of(c)->lacks = true;
}

/* Its read step once more. */
static void
wait_read(struct frame *f)
{
	f->is_parked = f->is_woken = f->lacks = false;
	f->call.now_ms = reactor_unix_ms(f->home->reactor);
	arena_reset(&f->call.arena, f->mark);
	f->stage = STAGE_READ;
	frame_run(f);
}

bool
wait_park(struct frame *f)
{
	assert(f->at == f->home);
	assert(list_is_in(&f->wait_link));
	if (!timer_is_running(&f->wait_timer) || f->home->stopping)
		return false;
	if (f->is_woken)
		wait_read(f);
	else
		f->is_parked = true;
	return true;
}

void
wait_end(struct frame *f)
{
	if (!list_is_in(&f->wait_link))
		return;
	timer_cancel(&f->wait_timer);
	list_remove(&f->wait_link);
	f->home->waits_n--;
}

/* On each reactor, of the call that has changed something. */
static void
wait_woken(struct shard *s, struct frame *by)
{
	for (struct list *l = s->waits.next, *next; l != &s->waits; l = next) {
		struct frame *f = LIST_ITEM(l, struct frame, wait_link);

		next = l->next;
		if (memcmp(f->wait_key, by->wait_key, ID_LEN) != 0)
			continue;
		if (f->is_parked)
			wait_read(f);
		else
			f->is_woken = true;
	}
}

void
wait_wake(struct call *c, const uint8_t key[static ID_LEN])
{
	struct frame *f = frame_of(c);

	assert(f->after_emit == NULL);
	assert(!list_is_in(&f->wait_link));
	memcpy(f->wait_key, key, ID_LEN);
	f->after_emit = wait_woken;
}

void
wait_stop(struct shard *s)
{
	for (struct list *l = s->waits.next, *next; l != &s->waits; l = next) {
		struct frame *f = LIST_ITEM(l, struct frame, wait_link);

		next = l->next;
		timer_cancel(&f->wait_timer);
		if (!f->is_parked)
			continue;
		f->is_parked = false;
		frame_run(f);
	}
}
