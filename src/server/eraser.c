/*
 * eraser.c: runs the steps of ops/deletion.c one after the other, each as a
 * call of its own, so that those of people come between them.
 */
#include "server/eraser.h"

#include "base/log.h"
#include "server/frame.h"
#include "server/ops.h"
#include "server/ops/deletion.h"

#define ERASER_SOON_MS 200

static void eraser_look(struct shard *s);
static void eraser_stepped(struct frame *f);

static void
eraser_step(struct shard *s, const struct user_id *user, uint64_t after)
{
	struct caller who = { .user = *user };
	struct frame *f = s->stopping ? NULL : frame_internal(s,
	    ops_get(OP_erase_step), &who, eraser_stepped);
	struct deletion_step *d = f == NULL ? NULL :
	    ARENA_NEW(&f->call.arena, struct deletion_step);

	if (d == NULL) {
		if (f != NULL)
			frame_free(f);
		s->is_erasing = false;	/* the next look goes on */
		return;
	}
	d->user = *user;
	d->after = after;
	f->call.state = d;
	frame_run(f);
}

static void
eraser_stepped(struct frame *f)
{
	const struct deletion_step *d = f->call.state;
	struct log l;

	f->home->is_erasing = f->err == OK && !d->is_done;
	if (f->err != OK)
		return;
	if (!d->is_done) {
		eraser_step(f->home, &d->user, d->next);
		return;
	}
	if (log_begin(&l, LOG_INFO, "account_erased"))
		log_end(&l);
	eraser_look(f->home);
}

static void
eraser_looked(struct frame *f)
{
	const struct deletion_step *d = f->call.state;

	f->home->is_erasing = f->err == OK && d != NULL;
	if (f->home->is_erasing)
		eraser_step(f->home, &d->user, 0);
}

static void
eraser_look(struct shard *s)
{
	const struct caller nobody = { .is_known = false };
	struct frame *f = s->stopping || s->is_erasing ? NULL :
	    frame_internal(s, ops_get(OP_erase_look), &nobody, eraser_looked);

	if (f == NULL)
		return;
	s->is_erasing = true;
	frame_run(f);
}

static void
eraser_tick(struct timer *t)
{
	struct shard *s = LIST_ITEM(t, struct shard, erase_timer);
	const struct conf *conf = atomic_load_explicit(&s->server->conf,
	    memory_order_acquire);

	timer_start(reactor_wheel(s->reactor), t, conf->sessions_sweep_ms,
	    eraser_tick);
	eraser_look(s);
}

void
eraser_start(struct shard *s)
{
	timer_start(reactor_wheel(s->reactor), &s->erase_timer,
	    ERASER_SOON_MS, eraser_tick);
}

void
eraser_stop(struct shard *s)
{
	timer_cancel(&s->erase_timer);
}
