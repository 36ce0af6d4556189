/* mailbox_test.c: order, completeness and waking, across threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/sys.h"
#include "net/mailbox.h"
#include "net/reactor.h"
#include "net/thread.h"

#define THREADS 4
#define EACH 20000

struct note {
	struct mail mail;
	unsigned from;
	unsigned seq;
};

static struct note notes[THREADS][EACH];
static struct mailbox box;

static void
no_run(struct reactor *r, struct mail *m)
{
	(void)r;
	(void)m;
}

static void
test_mailbox_keeps_the_order(void **arg)
{
	struct mail m[3] = { { NULL, no_run }, { NULL, no_run },
	    { NULL, no_run } };
	struct mail *at;

	(void)arg;
	assert_int_equal(mailbox_open(&box), OK);
	assert_null(mailbox_take(&box));
	for (int i = 0; i < 3; i++)
		mailbox_post(&box, &m[i]);
	at = mailbox_take(&box);
	for (int i = 0; i < 3; i++) {
		assert_ptr_equal(at, &m[i]);
		at = at->next;
	}
	assert_null(at);
	assert_null(mailbox_take(&box));
	mailbox_close(&box);
}

static void
test_mailbox_does_not_sleep_on_mail(void **arg)
{
	struct mail m = { NULL, no_run };

	(void)arg;
	assert_int_equal(mailbox_open(&box), OK);
	assert_true(mailbox_sleep(&box));
	mailbox_awake(&box);
	mailbox_post(&box, &m);
	assert_false(mailbox_sleep(&box));
	assert_ptr_equal(mailbox_take(&box), &m);
	assert_true(mailbox_sleep(&box));
	mailbox_awake(&box);
	mailbox_close(&box);
}

/* ---- Through a reactor, from several threads ---- */

static struct reactor *reactor;
static unsigned next_seq[THREADS];
static unsigned taken;

static void
on_note(struct reactor *r, struct mail *m)
{
	struct note *n = (struct note *)(void *)m;

	assert_ptr_equal(r, reactor);
	assert_ptr_equal(reactor_self(), reactor);
	assert_int_equal(n->seq, next_seq[n->from]);
	next_seq[n->from]++;
	if (++taken == THREADS * EACH)
		reactor_stop(r);
}

static void
writer(void *arg)
{
	struct note *mine = arg;

	for (unsigned i = 0; i < EACH; i++) {
		mine[i].mail.run = on_note;
		reactor_post(reactor, &mine[i].mail);
		if (i % 1000 == 0)	/* let the reader fall asleep */
			thread_sleep_ms(1);
	}
}

static void
test_mailbox_many_writers_one_reader(void **arg)
{
	struct thread t[THREADS];

	(void)arg;
	assert_int_equal(reactor_open(0, &reactor), OK);
	for (unsigned i = 0; i < THREADS; i++) {
		for (unsigned k = 0; k < EACH; k++) {
			notes[i][k].from = i;
			notes[i][k].seq = k;
		}
		assert_int_equal(thread_start(&t[i], "writer", writer,
		    notes[i], THREAD_ANY_CPU), OK);
	}
	reactor_run(reactor);
	for (unsigned i = 0; i < THREADS; i++) {
		thread_join(&t[i]);
		assert_int_equal(next_seq[i], EACH);
	}
	assert_int_equal(taken, THREADS * EACH);
	reactor_close(reactor);
}

/* Ping-pong: each post has to wake the other side, or this never ends. */
static struct reactor *sides[2];
static unsigned volleys;
static struct mail ball;

static void
on_ball(struct reactor *r, struct mail *m)
{
	if (++volleys >= 2000) {
		reactor_stop(sides[0]);
		reactor_stop(sides[1]);
		return;
	}
	reactor_post(r == sides[0] ? sides[1] : sides[0], m);
}

static void
run_side(void *arg)
{
	reactor_run(arg);
}

static void
test_mailbox_wakes_the_other_side(void **arg)
{
	struct thread t[2];

	(void)arg;
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(reactor_open(i, &sides[i]), OK);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(thread_start(&t[i], "side", run_side,
		    sides[i], THREAD_ANY_CPU), OK);
	ball.run = on_ball;
	reactor_post(sides[0], &ball);
	for (unsigned i = 0; i < 2; i++)
		thread_join(&t[i]);
	assert_int_equal(volleys, 2000);
	for (unsigned i = 0; i < 2; i++)
		reactor_close(sides[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mailbox_keeps_the_order),
		cmocka_unit_test(test_mailbox_does_not_sleep_on_mail),
		cmocka_unit_test(test_mailbox_many_writers_one_reader),
		cmocka_unit_test(test_mailbox_wakes_the_other_side),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
