/*
 * devices_test.c: devices of one account that join, leave and renew, account
 * keys that are renewed, and what peers make of it (docs/protocol.md,
 * "Linking a device", "Renewing keys", "Renewing the account key").
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/renew.h"
#include "core/test_world.h"

static struct w_dev a, b, c;		/* c: a second device of a's account */

static int
setup(void **state)
{
	(void)state;
	w_pair_init(&a, &b, 5, 4);
	w_dev_init(&c, 3, 5, 4);
	w_forget_upload(&c);
	w_store_fini(&c.st);
	w_store_init(&c.st);
	c.addr = (struct address){ a.addr.account, 2 };
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	w_dev_fini(&c);
	return w_pair_fini(&a, &b);
}

static void
keep(struct span *to, struct span s)
{
	w_drop(to);
	*to = w_keep(s);
}

static void
facts_for_c(struct linking_facts *f, bool manager)
{
	struct identity id;

	memset(f, 0, sizeof(*f));
	assert_int_equal(identity_load(&a.c, &id), OK);
	f->account = a.addr.account;
	memcpy(f->aik, id.aik, sizeof(f->aik));
	f->flags = manager ? DEVICE_MANAGER : 0;
	f->has_aik_priv = manager;
	if (manager)
		f->aik_priv = id.aik_priv;
	assert_int_equal(devices_next(&a.c, &f->device, &f->list_version,
	    f->list_hash), OK);
	identity_wipe(&id);
	(void)w_end(&a, OK);
}

/* c becomes device 2 of a's account; all know the new list. */
static void
link_c(bool manager)
{
	struct linking_facts f;
	struct peer_news news;
	struct span cert, list;

	facts_for_c(&f, manager);
	assert_int_equal(f.device, 2);
	assert_int_equal(devices_join(&c.c, &f, &cert), OK);
	keep(&c.cert, cert);
	(void)w_end(&c, OK);
	assert_int_equal(devices_add(&a.c, c.cert, &list), OK);
	keep(&a.list, list);
	(void)w_end(&a, OK);
	assert_int_equal(w_end(&c, peer_accept_list(&c.c, &a.addr.account,
	    a.list, &news)), OK);
	assert_false(news.own_cert_forged);
	assert_int_equal(w_end(&b, peer_accept_list(&b.c, &a.addr.account,
	    a.list, &news)), OK);
	assert_int_equal(news.added_n, 1);
	assert_int_equal(w_end(&b, peer_accept_cert(&b.c, &a.addr.account,
	    c.cert)), OK);
}

static void
test_devices_join_and_add(void **state)
{
	struct linking_facts f;
	struct identity id;
	struct span cert, list;

	(void)state;
	link_c(false);
	assert_int_equal(identity_load(&c.c, &id), OK);
	assert_int_equal(id.me.device, 2);
	assert_false(id.is_manager);
	assert_int_equal(id.list_version, 2);
	identity_wipe(&id);
	/* An identity is made once. */
	facts_for_c(&f, false);
	assert_int_equal(w_end(&c, devices_join(&c.c, &f, &cert)),
	    ERR_CONFLICT);
	/* A number is given once, and by managers alone. */
	assert_int_equal(w_end(&a, devices_add(&a.c, c.cert, &list)),
	    ERR_LIST_CONFLICT);
	assert_int_equal(w_end(&c, devices_add(&c.c, c.cert, &list)),
	    ERR_LIST_CONFLICT);
	assert_int_equal(w_end(&c, devices_remove(&c.c, 1, &list)),
	    ERR_FORBIDDEN);
	/* A certificate of somebody else. */
	assert_int_equal(w_end(&a, devices_add(&a.c, b.cert, &list)),
	    ERR_FORBIDDEN);
}

/* The first list of the own account has to be under the key that a device was
 * told when it joined. */
static void
test_devices_join_knows_its_account_key(void **state)
{
	struct linking_facts f;
	struct peer_news news;
	struct span cert;

	(void)state;
	facts_for_c(&f, false);
	f.aik[5] ^= 1;
	assert_int_equal(w_end(&c, devices_join(&c.c, &f, &cert)), OK);
	assert_int_equal(w_end(&c, peer_accept_list(&c.c, &a.addr.account,
	    a.list, &news)), ERR_IDENTITY_CHANGED);
	/* A manager key that is not the account's. */
	w_store_fini(&c.st);
	w_store_init(&c.st);
	facts_for_c(&f, true);
	f.aik_priv.b[0] ^= 1;
	assert_int_equal(w_end(&c, devices_join(&c.c, &f, &cert)), ERR_ARG);
}

static void
test_devices_remove(void **state)
{
	struct peer_news news;
	struct span list;

	(void)state;
	link_c(false);
	assert_int_equal(w_end(&a, devices_remove(&a.c, 1, &list)), ERR_ARG);
	assert_int_equal(w_end(&a, devices_remove(&a.c, 9, &list)),
	    ERR_NOT_FOUND);
	assert_int_equal(devices_remove(&a.c, 2, &list), OK);
	keep(&a.list, list);
	(void)w_end(&a, OK);
	assert_int_equal(w_end(&b, peer_accept_list(&b.c, &a.addr.account,
	    a.list, &news)), OK);
	assert_int_equal(news.removed_n, 1);
	assert_int_equal(news.removed[0], 2);
	/* Its number is not given again. */
	assert_int_equal(w_end(&a, devices_add(&a.c, c.cert, &list)),
	    ERR_LIST_CONFLICT);
}

static void
test_devices_restore(void **state)
{
	struct composite_priv aik, wrong = { { 1 } };
	struct identity id;
	struct peer_news news;
	struct devlist l;
	struct span cert, list;

	(void)state;
	link_c(false);
	w_store_fini(&c.st);		/* the machine is lost */
	w_store_init(&c.st);
	assert_int_equal(identity_load(&a.c, &id), OK);
	aik = id.aik_priv;
	identity_wipe(&id);
	(void)w_end(&a, OK);
	assert_int_equal(w_end(&c, devices_restore(&c.c, &a.addr.account,
	    &wrong, a.list, 0, &cert, &list)), ERR_IDENTITY_CHANGED);
	assert_int_equal(w_end(&c, devices_restore(&c.c, &b.addr.account,
	    &aik, a.list, 0, &cert, &list)), ERR_FORBIDDEN);
	assert_int_equal(devices_restore(&c.c, &a.addr.account, &aik, a.list,
	    0, &cert, &list), OK);
	assert_int_equal(devlist_decode(list, &l, NULL), OK);
	assert_int_equal(l.n, 3);
	assert_int_equal(l.entries[2].device, 3);
	assert_int_equal(l.entries[2].flags, DEVICE_MANAGER);
	keep(&a.list, list);
	(void)w_end(&c, OK);
	assert_int_equal(w_end(&b, peer_accept_list(&b.c, &a.addr.account,
	    a.list, &news)), OK);
	w_store_fini(&c.st);
	w_store_init(&c.st);
	assert_int_equal(devices_restore_instead(&c.c, &a.addr.account, &aik,
	    a.list, 0, &cert, &list), OK);
	assert_int_equal(devlist_decode(list, &l, NULL), OK);
	assert_int_equal(l.n, 1);
	assert_int_equal(l.entries[0].device, 4);
	keep(&a.list, list);
	(void)w_end(&c, OK);
	assert_int_equal(w_end(&b, peer_accept_list(&b.c, &a.addr.account,
	    a.list, &news)), OK);
	assert_int_equal(news.removed_n, 3);
	wipe(&aik, sizeof(aik));
}

/*
 * A list under the renewed key with a certificate of the old one: its device
 * has none, so sessions with it end.
 */
static void
test_renew_old_certificates_are_none(void **state)
{
	struct span rotation, cert, list, forged;
	struct renew_news news;
	struct identity id;
	struct devlist was, l;
	static uint8_t mem[DEVLIST_LEN_MAX];
	struct wr w = wr_init(mem, sizeof(mem));

	(void)state;
	link_c(false);
	assert_int_equal(w_prekeys(&c, 4), OK);
	assert_int_equal(w_initiate(&b, &c), OK);
	assert_int_equal(w_count(&b.st, RECORD_SESSION), 1);
	assert_int_equal(devlist_decode(a.list, &was, NULL), OK);
	assert_int_equal(renew_account(&a.c, NULL, 0, &rotation, &cert,
	    &list), OK);
	assert_int_equal(devlist_decode(list, &l, NULL), OK);
	rotation = w_keep(rotation);
	(void)w_end(&a, OK);
	assert_int_equal(identity_load(&a.c, &id), OK);
	l.n = 2;
	l.entries[1] = was.entries[1];
	assert_int_equal(devlist_sign(&a.p, &id.aik_priv, &l, &w), OK);
	identity_wipe(&id);
	(void)w_end(&a, OK);
	forged = wr_done(&w);
	assert_int_equal(w_end(&b, renew_accept(&b.c, &a.addr.account, forged,
	    &rotation, 1, &news)), OK);
	assert_int_equal(w_count(&b.st, RECORD_SESSION), 0);
	assert_int_equal(w_end(&b, peer_accept_cert(&b.c, &a.addr.account,
	    c.cert)), ERR_UNTRUSTED);
	w_drop(&rotation);
}

/* A device that is no manager gets new keys by way of one. */
static void
test_devices_renew_without_the_account_key(void **state)
{
	struct composite_sig proof, again;
	struct identity id;
	struct peer_news news;
	struct span cert, next = { 0 }, list;
	bool adopted;

	(void)state;
	link_c(false);
	assert_int_equal(devices_next_cert(&c.c, NULL, &cert, &proof), OK);
	keep(&next, cert);
	(void)w_end(&c, OK);
	assert_int_equal(devices_next_cert(&c.c, NULL, &cert, &again), OK);
	assert_true(span_eq(cert, next));
	(void)w_end(&c, OK);
	assert_int_equal(devices_adopt(&c.c, &adopted), OK);
	assert_false(adopted);
	(void)w_end(&c, OK);
	assert_int_equal(w_end(&a, devices_check_next(&a.c, 2, NULL, next,
	    proof.b)), OK);
	/* For another device, with another proof, for another key. */
	assert_int_equal(w_end(&a, devices_check_next(&a.c, 1, NULL, next,
	    proof.b)), ERR_FORBIDDEN);
	assert_int_equal(w_end(&a, devices_check_next(&a.c, 7, NULL, next,
	    proof.b)), ERR_NOT_FOUND);
	again = proof;
	again.b[100] ^= 1;
	assert_int_equal(w_end(&a, devices_check_next(&a.c, 2, NULL, next,
	    again.b)), ERR_AUTH);
	assert_int_equal(devices_renew(&a.c, next, &list), OK);
	keep(&a.list, list);
	(void)w_end(&a, OK);
	assert_int_equal(w_end(&c, peer_accept_list(&c.c, &a.addr.account,
	    a.list, &news)), OK);
	assert_false(news.own_cert_forged);
	assert_int_equal(devices_adopt(&c.c, &adopted), OK);
	assert_true(adopted);
	(void)w_end(&c, OK);
	assert_int_equal(identity_load(&c.c, &id), OK);
	assert_true(span_eq(span_of(id.keys.cert, id.keys.cert_n), next));
	assert_false(id.has_next_cert);
	identity_wipe(&id);
	(void)w_end(&c, OK);
	assert_int_equal(w_end(&b, peer_accept_list(&b.c, &a.addr.account,
	    a.list, &news)), OK);
	assert_int_equal(news.renewed_n, 1);
	w_drop(&next);
}

/* a renews the account key with c's new certificate at hand. */
static struct span
renew_with_c(struct span *rotation)
{
	uint8_t aik[COMPOSITE_PUB_LEN];
	struct composite_sig proof;
	struct span cert, next = { 0 }, list, rot;

	assert_int_equal(w_end(&a, renew_begin(&a.c, aik)), OK);
	assert_int_equal(devices_next_cert(&c.c, aik, &cert, &proof), OK);
	keep(&next, cert);
	(void)w_end(&c, OK);
	assert_int_equal(w_end(&a, devices_check_next(&a.c, 2, aik, next,
	    proof.b)), OK);
	assert_int_equal(renew_account(&a.c, &next, 1, &rot, &cert, &list),
	    OK);
	*rotation = w_keep(rot);
	keep(&a.list, list);
	keep(&a.cert, cert);
	(void)w_end(&a, OK);
	w_drop(&next);
	return a.list;
}

static void
test_renew_is_taken_by_peers_and_own_devices(void **state)
{
	struct span rotation, old;
	struct renew_news news;
	struct identity id;
	struct devlist l;
	bool verified, adopted;

	(void)state;
	link_c(true);
	old = w_keep(a.list);
	assert_int_equal(w_end(&b, peer_set_verified(&b.c, &a.addr.account,
	    true)), OK);
	(void)renew_with_c(&rotation);
	assert_int_equal(devlist_decode(a.list, &l, NULL), OK);
	assert_int_equal(l.n, 2);
	/* c does not hold the new key, so it is no manager any more. */
	assert_int_equal(l.entries[1].flags, 0);
	/* Without the renewal it is a changed identity. */
	assert_int_equal(w_end(&b, renew_accept(&b.c, &a.addr.account, a.list,
	    NULL, 0, &news)), ERR_IDENTITY_CHANGED);
	assert_int_equal(w_end(&b, peer_is_verified(&b.c, &a.addr.account,
	    &verified)), OK);
	assert_true(verified);
	assert_int_equal(w_end(&b, renew_accept(&b.c, &a.addr.account, a.list,
	    &rotation, 1, &news)), OK);
	assert_true(news.renewed);
	assert_true(news.was_verified);
	assert_int_equal(news.list.renewed_n, 2);
	/* docs/protocol.md, Renewing the account key: the mark ends. */
	assert_int_equal(w_end(&b, peer_is_verified(&b.c, &a.addr.account,
	    &verified)), OK);
	assert_false(verified);
	assert_int_equal(w_count(&b.st, RECORD_TRUST), 0);
	/* The same list again is nothing new. */
	assert_int_equal(w_end(&b, renew_accept(&b.c, &a.addr.account, a.list,
	    &rotation, 1, &news)), OK);
	assert_false(news.renewed);
	/* A copy from before is old, and no other identity: also at home,
	 * where such an answer may have been under way. */
	assert_int_equal(w_end(&b, renew_accept(&b.c, &a.addr.account, old,
	    &rotation, 1, &news)), ERR_STALE);
	assert_int_equal(w_end(&a, renew_accept(&a.c, &a.addr.account, old,
	    NULL, 0, &news)), ERR_STALE);
	w_drop(&old);
	/* The other own device follows, too. */
	assert_int_equal(w_end(&c, renew_accept(&c.c, &a.addr.account, a.list,
	    &rotation, 1, &news)), OK);
	assert_int_equal(w_end(&c, devices_adopt(&c.c, &adopted)), OK);
	assert_true(adopted);
	assert_int_equal(identity_load(&c.c, &id), OK);
	assert_false(id.is_manager);
	assert_memory_equal(id.aik, l.aik, sizeof(l.aik));
	identity_wipe(&id);
	(void)w_end(&c, OK);
	w_drop(&rotation);
}

/* Messages flow again under the new certificates. */
static void
test_renew_sending_goes_on(void **state)
{
	struct span rotation, cert, list, msg, got = { 0 };
	struct renew_news news;
	struct sessions_opened o;

	(void)state;
	assert_int_equal(w_initiate(&b, &a), OK);
	assert_int_equal(w_seal(&b, &a, SPAN("before"), &msg), OK);
	assert_int_equal(w_open(&a, &b, msg, &o, &got), OK);
	w_drop(&msg);
	w_drop(&got);
	assert_int_equal(renew_account(&a.c, NULL, 0, &rotation, &cert,
	    &list), OK);
	rotation = w_keep(rotation);
	keep(&a.list, list);
	keep(&a.cert, cert);
	(void)w_end(&a, OK);
	assert_int_equal(w_prekeys(&a, 4), OK);
	assert_int_equal(w_end(&b, renew_accept(&b.c, &a.addr.account, a.list,
	    &rotation, 1, &news)), OK);
	assert_int_equal(w_end(&b, peer_accept_cert(&b.c, &a.addr.account,
	    a.cert)), OK);
	assert_int_equal(w_initiate(&b, &a), OK);
	assert_int_equal(w_seal(&b, &a, SPAN("after"), &msg), OK);
	assert_int_equal(w_open(&a, &b, msg, &o, &got), OK);
	assert_true(span_eq(got, SPAN("after")));
	w_drop(&msg);
	w_drop(&got);
	w_drop(&rotation);
}

/*
 * A thief of the old key signs a renewal of his own: who took the true one
 * does not follow it, nor does who is shown both.
 */
static void
test_renew_of_a_thief(void **state)
{
	struct w_store thief;
	struct span rotation, stolen[2], cert, list, bad_list;
	struct renew_news news;
	struct user_id who = a.addr.account;

	(void)state;
	w_store_copy(&thief, &a.st);
	assert_int_equal(renew_account(&a.c, NULL, 0, &rotation, &cert,
	    &list), OK);
	stolen[0] = w_keep(rotation);
	keep(&a.list, list);
	(void)w_end(&a, OK);
	a.c.store = &thief.api;
	thief.api.ctx = &thief;
	assert_int_equal(renew_account(&a.c, NULL, 0, &rotation, &cert,
	    &list), OK);
	stolen[1] = w_keep(rotation);
	bad_list = w_keep(list);
	w_commit(&thief);
	a.c.store = &a.st.api;
	(void)w_end(&a, OK);
	assert_int_equal(w_end(&b, renew_accept(&b.c, &who, bad_list, stolen,
	    2, &news)), ERR_IDENTITY_CHANGED);
	assert_int_equal(w_end(&b, renew_accept(&b.c, &who, a.list, stolen, 1,
	    &news)), OK);
	assert_int_equal(w_end(&b, renew_accept(&b.c, &who, bad_list,
	    &stolen[1], 1, &news)), ERR_IDENTITY_CHANGED);
	w_drop(&stolen[0]);
	w_drop(&stolen[1]);
	w_drop(&bad_list);
	w_store_fini(&thief);
}

/*
 * A renewal that was taken is remembered: a later one is not believed beside
 * another one of the old key.
 */
static void
test_renew_remembers(void **state)
{
	struct w_store thief;
	struct span rotation, r[3], cert, list, old_list;
	struct renew_news news;
	struct user_id who = a.addr.account;

	(void)state;
	w_store_copy(&thief, &a.st);
	assert_int_equal(renew_account(&a.c, NULL, 0, &rotation, &cert,
	    &list), OK);
	r[0] = w_keep(rotation);
	old_list = w_keep(list);
	(void)w_end(&a, OK);
	assert_int_equal(w_end(&b, renew_accept(&b.c, &who, old_list, r, 1,
	    &news)), OK);
	assert_int_equal(w_end(&a, renew_done(&a.c)), OK);
	assert_int_equal(renew_account(&a.c, NULL, 0, &rotation, &cert,
	    &list), OK);
	r[1] = w_keep(rotation);
	keep(&a.list, list);
	(void)w_end(&a, OK);
	a.c.store = &thief.api;
	thief.api.ctx = &thief;
	assert_int_equal(renew_account(&a.c, NULL, 0, &rotation, &cert,
	    &list), OK);
	r[2] = w_keep(rotation);
	w_commit(&thief);
	a.c.store = &a.st.api;
	(void)w_end(&a, OK);
	/* The thief's and the second true one: what was first is not shown. */
	assert_int_equal(w_end(&b, renew_accept(&b.c, &who, a.list, &r[1], 2,
	    &news)), ERR_IDENTITY_CHANGED);
	assert_int_equal(w_end(&b, renew_accept(&b.c, &who, a.list, r, 2,
	    &news)), OK);
	assert_true(news.renewed);
	for (size_t i = 0; i < 3; i++)
		w_drop(&r[i]);
	w_drop(&old_list);
	w_store_fini(&thief);
}

/* The server had another manager's list first: back to the old key, and once
 * more with the same new one. */
static void
test_renew_goes_back(void **state)
{
	struct span rotation, cert, list, theirs = { 0 };
	struct identity id;
	struct renew_news rn;
	struct peer_news news;
	uint8_t aik[COMPOSITE_PUB_LEN], again[COMPOSITE_PUB_LEN];

	(void)state;
	link_c(true);
	/* c, a manager too, signs the next list; a does not know. */
	assert_int_equal(identity_resign_list(&c.c, &cert, &list), OK);
	keep(&theirs, list);
	(void)w_end(&c, OK);
	assert_int_equal(w_end(&a, renew_begin(&a.c, aik)), OK);
	assert_int_equal(w_end(&a, renew_account(&a.c, NULL, 0, &rotation,
	    &cert, &list)), OK);
	assert_int_equal(w_end(&a, renew_account(&a.c, NULL, 0, &rotation,
	    &cert, &list)), ERR_CONFLICT);
	assert_int_equal(w_end(&a, renew_go_back(&a.c, b.list, &news)),
	    ERR_IDENTITY_CHANGED);
	assert_int_equal(w_end(&a, renew_go_back(&a.c, theirs, &news)), OK);
	assert_int_equal(identity_load(&a.c, &id), OK);
	assert_int_equal(id.list_version, 3);
	assert_true(id.has_next_aik);
	assert_false(id.has_prev_aik);
	assert_true(id.is_manager);
	assert_true(span_eq(span_of(id.keys.cert, id.keys.cert_n), a.cert));
	identity_wipe(&id);
	(void)w_end(&a, OK);
	assert_int_equal(w_end(&a, renew_begin(&a.c, again)), OK);
	assert_memory_equal(aik, again, sizeof(aik));
	assert_int_equal(renew_account(&a.c, NULL, 0, &rotation, &cert,
	    &list), OK);
	rotation = w_keep(rotation);
	keep(&a.list, list);
	(void)w_end(&a, OK);
	assert_int_equal(w_end(&a, renew_done(&a.c)), OK);
	assert_int_equal(identity_load(&a.c, &id), OK);
	assert_false(id.has_prev_aik);
	identity_wipe(&id);
	(void)w_end(&a, OK);
	assert_int_equal(w_end(&a, renew_go_back(&a.c, theirs, &news)),
	    ERR_CONFLICT);
	assert_int_equal(w_end(&b, renew_accept(&b.c, &a.addr.account, a.list,
	    &rotation, 1, &rn)), OK);
	assert_true(rn.renewed);
	w_drop(&rotation);
	w_drop(&theirs);
}

static void
test_renew_refuses_others_certificates(void **state)
{
	struct span rotation, cert, list;
	uint8_t aik[COMPOSITE_PUB_LEN];
	uint64_t before;

	(void)state;
	link_c(false);
	assert_int_equal(w_end(&a, renew_begin(&a.c, aik)), OK);
	before = w_hash(&a.st);
	/* Made for the present key, not for the next one. */
	assert_int_equal(w_end(&a, renew_account(&a.c, &c.cert, 1, &rotation,
	    &cert, &list)), ERR_FORBIDDEN);
	assert_int_equal(w_end(&a, renew_account(&a.c, &a.cert, 1, &rotation,
	    &cert, &list)), ERR_FORBIDDEN);
	assert_true(before == w_hash(&a.st));
	assert_int_equal(w_end(&c, renew_begin(&c.c, aik)), ERR_FORBIDDEN);
	assert_int_equal(w_end(&a, renew_cancel(&a.c)), OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(test_devices_join_and_add),
		T(test_devices_join_knows_its_account_key),
		T(test_devices_remove),
		T(test_devices_restore),
		T(test_devices_renew_without_the_account_key),
		T(test_renew_is_taken_by_peers_and_own_devices),
		T(test_renew_sending_goes_on),
		T(test_renew_of_a_thief),
		T(test_renew_old_certificates_are_none),
		T(test_renew_remembers),
		T(test_renew_goes_back),
		T(test_renew_refuses_others_certificates),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	w_teardown();
	return failed;
}
