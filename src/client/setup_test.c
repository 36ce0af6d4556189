/*
 * setup_test.c: what age makes necessary.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "client/test_world.h"

#define DAY_MS (24ull * 3600 * 1000)

static void
send_text(struct fake *f, int from, int to, const char *text)
{
	struct client_input in = { .type = CLIENT_SEND, .cmd = 7 };

	in.u.send.to.user = f->node[to].user;
	in.u.send.text = span_str(text);
	fake_step(f, from, &in);
	fake_run(f, 20000);
}

/* docs/protocol.md, Keys: lists weekly, batches weekly, certificates after 90
 * days; what is sent afterwards arrives. */
static void
test_setup_renews_by_age(void **state)
{
	struct fake *f = fake_new(9);
	struct span cert, list, header;
	int i;

	(void)state;
	for (i = 0; i < FAKE_NODES; i++)
		fake_sign_in(f, i);
	fake_run(f, 5000);
	send_text(f, 0, 1, "one");
	assert_int_equal(f->msgs, 1);
	cert = f->node[0].cert;
	list = f->node[0].list;
	header = f->node[0].header;
	f->now += 8 * DAY_MS;
	fake_run(f, 120000);
	assert_false(span_eq(list, f->node[0].list));
	assert_false(span_eq(header, f->node[0].header));
	assert_true(span_eq(cert, f->node[0].cert));
	header = f->node[0].header;
	f->now += 83 * DAY_MS;
	fake_run(f, 300000);
	assert_false(span_eq(cert, f->node[0].cert));
	assert_false(span_eq(header, f->node[0].header));
	send_text(f, 0, 1, "two");
	send_text(f, 1, 0, "three");
	assert_int_equal(f->node[0].refused + f->node[1].refused, 0);
	fake_close(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_setup_renews_by_age),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
