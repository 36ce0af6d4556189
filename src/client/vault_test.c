/*
 * vault_test.c: when a backup is renewed by itself, and what its record keeps;
 * and the record of a linking, which forgets its secrets at every end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "client/fleet.h"
#include "client/linkrec.h"
#include "client/test_world.h"
#include "client/vault.h"

#define DAY_MS (24ull * 3600 * 1000)
#define KEY "8WDC-PS7G-281T-Q93F-338H-6QV3-S0VV-RNGG-9VPX-APV2-N04W-80ED-" \
	"A0P0-GSME"

struct side {
	struct fake_store store;
	struct client c;
	struct arena a;
	struct step s;
};

static struct side *
side_open(struct fake *f)
{
	struct side *x = fake_alloc(sizeof(*x));
	struct client_host host = { &x->store, fake_load, fake_seek };

	client_init(&x->c, &f->pv, &host, CLIENT_LISTEN | CLIENT_STAYS);
	arena_init_growing(&x->a, NULL, 0, CLIENT_STEP_BYTES, fake_grow);
	assert_int_equal(step_init(&x->s, &x->c, &x->a, f->now, true), OK);
	x->s.m.user = f->node[0].user;
	x->s.m.flags = META_SIGNED_IN | META_KEYS;
	return x;
}

static void
side_close(struct side *x)
{
	step_fini(&x->s);
	arena_fini(&x->a);
	fake_drop(x);
}

/* Is it renewed, made so long ago, with so many changes since, where the
 * account key was renewed at some time (0: never)? */
static bool
is_renewed_after(struct fake *f, struct vault v, uint64_t ago_ms,
    uint64_t changes, uint32_t options, uint64_t key_ago_ms)
{
	const uint64_t now = f->now;
	struct side *x = side_open(f);
	bool yes;

	x->c.options = options;
	x->s.m.journal = 1000 + changes;
	v.journal = 1000;
	v.made_ms = v.tried_ms = x->s.now - ago_ms;
	assert_int_equal(vault_save(&x->s, &v), OK);
	if (key_ago_ms != 0) {
		x->s.now = now - key_ago_ms;
		assert_int_equal(fleet_renewed(&x->s, &x->s.m.user), OK);
		x->s.now = now;
	}
	assert_int_equal(vault_pump(&x->s), OK);
	assert_int_equal(vault_load(&x->s, &v), OK);
	yes = v.state != VAULT_IDLE;
	wipe(&v, sizeof(v));
	side_close(x);
	return yes;
}

static bool
is_renewed(struct fake *f, struct vault v, uint64_t ago_ms, uint64_t changes,
    uint32_t options)
{
	return is_renewed_after(f, v, ago_ms, changes, options, 0);
}

static void
test_vault_is_renewed_after_a_day_or_many_changes(void **state)
{
	struct fake *f = fake_new(1);
	struct vault v = { .exists = true, .every_n = 500 }, none = v,
	    manual = v;
	uint32_t stays = CLIENT_LISTEN | CLIENT_STAYS;

	(void)state;
	none.exists = false;
	manual.manual = true;
	assert_false(is_renewed(f, v, DAY_MS, 0, stays));
	assert_true(is_renewed(f, v, DAY_MS, 1, stays));
	assert_false(is_renewed(f, v, DAY_MS - 1, 499, stays));
	assert_true(is_renewed(f, v, DAY_MS / 2, 500, stays));
	/* Not again at once, whatever happened. */
	assert_false(is_renewed(f, v, 1000, 5000, stays));
	assert_false(is_renewed(f, v, DAY_MS, 5000, CLIENT_LISTEN));
	assert_false(is_renewed(f, manual, DAY_MS, 5000, stays));
	assert_false(is_renewed(f, none, DAY_MS, 5000, stays));
	/* It must not go on with a former account key inside. */
	assert_true(is_renewed_after(f, v, DAY_MS / 2, 0, stays, DAY_MS / 4));
	assert_false(is_renewed_after(f, v, DAY_MS / 4, 0, stays, DAY_MS / 2));
	assert_false(is_renewed_after(f, manual, DAY_MS / 2, 0, stays,
	    DAY_MS / 4));
	fake_close(f);
}

static void
test_vault_wraps_what_opens_it(void **state)
{
	struct fake *f = fake_new(2);
	struct side *x = side_open(f);
	struct span none = { NULL, 0 };
	struct vault v = { .every_n = 7, .cmd = 9, .version = 3 }, got;
	const char *why = NULL;

	(void)state;
	assert_int_equal(vault_wrap(&x->s, &x->s.m.user, none, none, &v,
	    &why), ERR_ARG);
	assert_int_equal(vault_wrap(&x->s, &x->s.m.user, SPAN("no key"), none,
	    &v, &why), ERR_VALIDATION);
	assert_non_null(why);
	assert_int_equal(vault_wrap(&x->s, &x->s.m.user, SPAN(KEY), SPAN(
	    "a passphrase"), &v, &why), OK);
	assert_int_equal(v.wraps_n, 2);
	assert_int_equal(vault_save(&x->s, &v), OK);
	assert_int_equal(vault_load(&x->s, &got), OK);
	assert_int_equal(got.wraps_n, 2);
	assert_int_equal(got.wraps[0].kdf, BACKUP_RECOVERY_KEY);
	assert_int_equal(got.wraps[1].kdf, BACKUP_PASSPHRASE);
	assert_memory_equal(got.bk.b, v.bk.b, BACKUP_KEY_LEN);
	assert_int_equal(got.cmd, 9);
	assert_int_equal(got.version, 3);
	side_close(x);
	fake_close(f);
}

static bool
holds(struct side *x, const void *secret, size_t n)
{
	struct span value;
	size_t i;

	assert_int_equal(rec_get(&x->s.r, REC_LINKING,
	    (struct span){ NULL, 0 }, &value), OK);
	for (i = 0; i + n <= value.n; i++)
		if (memcmp(&value.p[i], secret, n) == 0)
			return true;
	return false;
}

static struct linkrec
under_way(struct side *x)
{
	struct linkrec l = { .state = LINK_CODE, .is_new = true,
	    .manager = true, .has_secret = true, .has_archive = true,
	    .expires_ms = 5, .device = 4, .device_name = SPAN("a name"),
	    .access = SPAN("token-a"), .refresh = SPAN("token-r"),
	    .facts = SPAN("facts"), .sent = SPAN("sent") };

	memset(l.secret, 0x5a, sizeof(l.secret));
	memset(l.archive_key, 0xa5, sizeof(l.archive_key));
	assert_int_equal(linking_offer(x->s.pv, &l.mailbox, &l.core), OK);
	return l;
}

static void
test_vault_linking_is_kept_and_forgets_at_its_end(void **state)
{
	static const enum client_linking_state ends[] = { LINK_DONE,
	    LINK_EXPIRED, LINK_WRONG_CODE, LINK_CANCELLED, LINK_BAD_OFFER,
	    LINK_REFUSED, LINK_TAKEN, LINK_GONE };
	struct fake *f = fake_new(3);
	struct side *x = side_open(f);
	uint8_t seed[32];
	struct linkrec l, got;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		l = under_way(x);
		memcpy(seed, l.core.mlkem_seed, sizeof(seed));
		assert_int_equal(linkrec_save(&x->s, &l), OK);
		assert_int_equal(linkrec_load(&x->s, &got), OK);
		assert_int_equal(got.state, LINK_CODE);
		assert_true(got.is_new && got.manager && got.has_secret &&
		    got.has_archive && !got.posted && !got.all);
		assert_int_equal(got.device, 4);
		assert_true(span_eq(got.device_name, SPAN("a name")));
		assert_true(span_eq(got.facts, SPAN("facts")));
		assert_memory_equal(got.core.offer, l.core.offer,
		    LINKING_OFFER_LEN);
		assert_false(linkrec_is_over(&got));
		assert_true(holds(x, seed, sizeof(seed)));
		assert_int_equal(linkrec_go(&x->s, &got, ends[i]), OK);
		assert_true(linkrec_is_over(&got));
		assert_false(holds(x, seed, sizeof(seed)));
		assert_false(holds(x, l.secret, sizeof(l.secret)));
		assert_false(holds(x, l.archive_key,
		    sizeof(l.archive_key)));
		assert_false(holds(x, "token-a", 7));
		assert_false(holds(x, "facts", 5));
	}
	side_close(x);
	fake_close(f);
}

/* Out of their order, commands say so and change nothing. */
static void
test_vault_linking_refuses_what_does_not_fit(void **state)
{
	static const enum client_input_type types[] = { CLIENT_LINK_CODE,
	    CLIENT_LINK_CONFIRM, CLIENT_LINK_CANCEL, CLIENT_RESTORE_CONFIRM,
	    CLIENT_BACKUP_REFRESH, CLIENT_RENEW_ACCOUNT, CLIENT_RENEW,
	    CLIENT_DEVICE_REVOKE, CLIENT_LINK_SCAN };
	struct fake *f = fake_new(4);
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct client_input in = { .type = types[i], .cmd = 1 };
		unsigned errors = f->node[0].errors;
		size_t n = f->node[0].store.n;

		fake_step(f, 0, &in);
		assert_int_equal(f->node[0].errors, errors + 1);
		assert_int_equal(f->node[0].store.n, n);
	}
	fake_close(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_vault_is_renewed_after_a_day_or_many_changes),
		cmocka_unit_test(test_vault_wraps_what_opens_it),
		cmocka_unit_test(
		    test_vault_linking_is_kept_and_forgets_at_its_end),
		cmocka_unit_test(
		    test_vault_linking_refuses_what_does_not_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
