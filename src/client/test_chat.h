/*
 * test_chat.h: for tests only: what people do in a chat of the world of
 * test_world.h, and what they see of it.
 */
#ifndef CLIENT_TEST_CHAT_H
#define CLIENT_TEST_CHAT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "client/test_world.h"

#define HOUR_MS (3600ull * 1000)

static uint8_t memory[4u << 20];

static inline struct fake *
ready(uint64_t seed)
{
	struct fake *f = fake_new(seed);
	int i;

	for (i = 0; i < FAKE_NODES; i++)
		fake_sign_in(f, i);
	fake_run(f, 5000);
	return f;
}

static inline void
go(struct fake *f, int i, struct client_input *in)
{
	f->node[i].error = OK;
	in->cmd = 7;
	fake_step(f, i, in);
	fake_run(f, 3000);
}

static inline void
send_with(struct fake *f, int from, int to, const char *text,
    const struct client_ref *reply, uint32_t expire_s)
{
	struct client_input in = { .type = CLIENT_SEND };

	in.u.send.to.user = f->node[to].user;
	in.u.send.text = span_str(text);
	in.u.send.expire_s = expire_s;
	if (reply != NULL)
		in.u.send.reply_to = *reply;
	go(f, from, &in);
}

static inline void
send_text(struct fake *f, int from, int to, const char *text)
{
	send_with(f, from, to, text, NULL, 0);
}

static inline struct arena
arena(void)
{
	struct arena a;

	arena_init(&a, memory, sizeof(memory));
	return a;
}

static inline struct chat_id
chat_of(struct fake *f, int i, int with)
{
	struct client_person p;
	struct arena a = arena();

	assert_int_equal(client_person(&f->node[i].c, &a, &f->node[with].user,
	    &p), OK);
	return p.chat;
}

/* Entry number `nth` of i's history with `with`. ERR_NOT_FOUND. */
static inline enum err
entry(struct fake *f, int i, int with, unsigned nth, struct client_item *it)
{
	struct chat_id chat = chat_of(f, i, with);
	struct client_place at = { .set = false };
	struct arena a = arena();
	enum err err = OK;
	unsigned n;

	for (n = 0; n <= nth && err == OK; n++)
		err = client_history_next(&f->node[i].c, &a, &chat, false, &at,
		    it);
	return err;
}

static inline struct client_item
get(struct fake *f, int i, int with, unsigned nth)
{
	struct client_item it;

	assert_int_equal(entry(f, i, with, nth, &it), OK);
	return it;
}

static inline struct client_ref
ref(struct fake *f, int i, int with, unsigned nth)
{
	struct client_item it = get(f, i, with, nth);

	return (struct client_ref){ it.sender, it.event };
}

static inline void
check_text(struct fake *f, int i, int with, unsigned nth, const char *text)
{
	struct client_item it = get(f, i, with, nth);

	assert_int_equal(it.kind, ITEM_TEXT);
	assert_true(span_eq(it.text, span_str(text)));
}

static inline void
check_end(struct fake *f, int i, int with, unsigned n)
{
	struct client_item it;

	assert_int_equal(entry(f, i, with, n, &it), ERR_NOT_FOUND);
}

static inline void
edit(struct fake *f, int i, struct client_ref of, const char *text)
{
	struct client_input in = { .type = CLIENT_EDIT };

	in.u.edit.ref = of;
	in.u.edit.text = span_str(text);
	go(f, i, &in);
}

static inline void
erase(struct fake *f, int i, struct client_ref of, bool both)
{
	struct client_input in = { .type = CLIENT_DELETE };

	in.u.erase.ref = of;
	in.u.erase.for_both = both;
	go(f, i, &in);
}

static inline void
react(struct fake *f, int i, struct client_ref of, const char *text)
{
	struct client_input in = { .type = CLIENT_REACT };

	in.u.react.ref = of;
	in.u.react.text = span_str(text);
	go(f, i, &in);
}

static inline void
read_all(struct fake *f, int i, int with)
{
	struct client_input in = { .type = CLIENT_READ };

	in.u.read.chat = chat_of(f, i, with);
	go(f, i, &in);
}

/* Does any record of i hold this text? (Profiles are sealed by hosts.) */
static inline bool
holds(const struct fake *f, int i, const char *text)
{
	const struct fake_store *st = &f->node[i].store;
	size_t n = strlen(text), k, at;

	for (k = 0; k < st->n; k++)
		for (at = 0; at + n <= st->r[k].value.n; at++)
			if (memcmp(st->r[k].value.p + at, text, n) == 0)
				return true;
	return false;
}

static inline uint64_t
causes(struct fake *f, int i, const char *name)
{
	struct span after = { NULL, 0 };
	struct client_cause c;
	struct arena a = arena();

	while (client_cause_next(&f->node[i].c, &a, &after, &c) == OK)
		if (span_eq(c.name, span_str(name)))
			return c.n;
	return 0;
}

static inline void
stop(struct fake *f, int i)
{
	f->node[i].alive = f->node[i].up = false;
	f->node[i].link++;
	f->node[i].life++;
}

static inline void
start(struct fake *f, int i)
{
	fake_start(f, i);
	fake_run(f, 10000);
}

static inline unsigned
reactions(struct fake *f, int i, struct client_ref to, const char *text)
{
	struct client_reaction r;
	struct user_id after = { .b = { 0 } };
	struct arena a = arena();
	unsigned n = 0;

	while (client_reaction_next(&f->node[i].c, &a, &to, &after, &r) == OK)
		n += span_eq(r.text, span_str(text));
	return n;
}

static inline void
set_timer(struct fake *f, int i, int with, uint32_t seconds)
{
	struct client_input in = { .type = CLIENT_TIMER_SET };

	in.u.expire.to.user = f->node[with].user;
	in.u.expire.expire_s = seconds;
	go(f, i, &in);
}

#endif
