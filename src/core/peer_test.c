/*
 * peer_test.c: identities, lists, batches, safety numbers, views and retries
 * through the store (docs/protocol.md, "Devices", "Safety number", "Echo of
 * views", "Retries").
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/test_world.h"

static struct w_dev a, b;

static int
setup(void **state)
{
	(void)state;
	w_pair_init(&a, &b, 5, 4);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	return w_pair_fini(&a, &b);
}

static enum err
accept_list(struct w_dev *d, const struct w_dev *of, struct peer_news *news)
{
	return w_end(d, peer_accept_list(&d->c, &of->addr.account, of->list,
	    news));
}

static void
test_peer_identity_is_made_once(void **state)
{
	struct span list;
	struct identity id;

	(void)state;
	assert_int_equal(w_end(&a, identity_create(&a.c, &a.addr.account, 0,
	    &list)), ERR_CONFLICT);
	assert_int_equal(identity_load(&a.c, &id), OK);
	assert_int_equal(id.list_version, 1);
	assert_true(id.is_manager);
	assert_int_equal(id.batch_last, 1);
	assert_true(prekey_is_due(&id, 15, a.c.now_ms));
	assert_false(prekey_is_due(&id, 16, a.c.now_ms));
	assert_true(prekey_is_due(&id, 60, a.c.now_ms + 8 * W_DAY_MS));
	identity_wipe(&id);
}

static void
test_peer_lists_follow(void **state)
{
	struct span list, cert, first = w_keep(b.list);
	struct peer_news news;

	(void)state;
	assert_int_equal(accept_list(&a, &b, &news), OK);
	assert_false(news.changed);
	assert_int_equal(identity_resign_list(&b.c, &cert, &list), OK);
	assert_int_equal(cert.n, 0);
	w_drop(&b.list);
	b.list = w_keep(list);
	(void)w_end(&b, OK);
	assert_int_equal(accept_list(&a, &b, &news), OK);
	assert_true(news.changed);
	assert_int_equal(news.added_n + news.removed_n + news.renewed_n, 0);
	w_drop(&b.list);
	b.list = first;
	assert_int_equal(accept_list(&a, &b, &news), ERR_STALE);
}

/* The same version with other contents is an attack: the old one stays. */
static void
test_peer_list_fork_is_a_conflict(void **state)
{
	struct w_store copy;
	struct span one, two, cert;
	struct peer_news news;

	(void)state;
	w_store_copy(&copy, &b.st);
	assert_int_equal(identity_resign_list(&b.c, &cert, &one), OK);
	one = w_keep(one);
	(void)w_end(&b, OK);
	w_store_fini(&b.st);
	b.st = copy;
	b.st.api.ctx = &b.st;
	b.c.now_ms++;
	assert_int_equal(identity_resign_list(&b.c, &cert, &two), OK);
	two = w_keep(two);
	(void)w_end(&b, OK);
	assert_int_equal(w_end(&a, peer_accept_list(&a.c, &b.addr.account, one,
	    &news)), OK);
	assert_int_equal(w_end(&a, peer_accept_list(&a.c, &b.addr.account, two,
	    &news)), ERR_CONFLICT);
	w_drop(&one);
	w_drop(&two);
}

static void
test_peer_identity_change_is_never_silent(void **state)
{
	struct w_dev other;
	struct peer_news news;
	struct sessions_info info;
	bool verified;

	(void)state;
	w_dev_init(&other, 2, 99, 4);	/* b's account id, another key */
	assert_int_equal(w_initiate(&a, &b), OK);
	assert_int_equal(w_end(&a, peer_set_verified(&a.c, &b.addr.account,
	    true)), OK);
	assert_int_equal(accept_list(&a, &other, &news),
	    ERR_IDENTITY_CHANGED);
	assert_int_equal(w_end(&a, peer_is_verified(&a.c, &b.addr.account,
	    &verified)), OK);
	assert_true(verified);
	assert_int_equal(w_end(&a, peer_accept_identity(&a.c,
	    &b.addr.account, other.list, &news)), OK);
	assert_int_equal(w_end(&a, peer_is_verified(&a.c, &b.addr.account,
	    &verified)), OK);
	assert_false(verified);
	assert_int_equal(w_end(&a, sessions_info(&a.c, &b.addr, &info)), OK);
	assert_int_equal(info.count, 0);
	w_dev_fini(&other);
}

static void
test_peer_refuses_a_certificate_that_is_not_listed(void **state)
{
	(void)state;
	assert_int_equal(w_end(&a, peer_accept_cert(&a.c, &b.addr.account,
	    a.cert)), ERR_FORBIDDEN);
	((uint8_t *)(uintptr_t)b.cert.p)[60] ^= 1;
	assert_int_equal(w_end(&a, peer_accept_cert(&a.c, &b.addr.account,
	    b.cert)), ERR_UNTRUSTED);
	assert_int_equal(w_end(&a, peer_accept_cert(&a.c, &(struct user_id){
	    { 77 } }, b.cert)), ERR_NOT_FOUND);
}

/* A device that is not in the list does not exist: its sessions end. */
static void
test_peer_removed_device_ends_its_sessions(void **state)
{
	struct identity id;
	struct devlist_entry e[2] = { 0 };
	struct span list;
	struct peer_news news;
	struct address gone = b.addr;

	(void)state;
	assert_int_equal(identity_load(&b.c, &id), OK);
	e[0] = (struct devlist_entry){ .device = 1, .flags = 3 };
	memcpy(e[0].cert_hash, id.keys.cert_hash, 32);
	e[1] = (struct devlist_entry){ .device = 2, .cert_hash = { 9 } };
	assert_int_equal(identity_sign_list(&b.c, &id, e, 2, 3, &list), OK);
	assert_int_equal(w_end(&a, peer_accept_list(&a.c, &b.addr.account,
	    list, &news)), OK);
	assert_int_equal(news.added_n, 1);
	assert_int_equal(news.added[0], 2);
	/* Only device 2 stays: 1 is gone, and its session with it. */
	assert_int_equal(w_initiate(&a, &b), OK);
	assert_int_equal(identity_sign_list(&b.c, &id, &e[1], 1, 3, &list),
	    OK);
	assert_int_equal(w_end(&a, peer_accept_list(&a.c, &b.addr.account,
	    list, &news)), OK);
	assert_int_equal(news.removed_n, 1);
	assert_int_equal(w_count(&a.st, RECORD_SESSION), 0);
	assert_int_equal(w_seal(&a, &b, SPAN("x"), &list), ERR_UNTRUSTED);
	/* Never given twice: device 1 can't come back. */
	assert_int_equal(identity_sign_list(&b.c, &id, e, 2, 3, &list),
	    ERR_LIST_CONFLICT);
	(void)gone;
	identity_wipe(&id);
	(void)w_end(&b, ERR_STORE);
}

/* A list with a certificate for this device that it never made. */
static void
test_peer_forged_own_certificate_is_noticed(void **state)
{
	struct w_store copy;
	struct span cert, list;
	struct peer_news news;

	(void)state;
	w_store_copy(&copy, &a.st);	/* the thief's */
	assert_int_equal(identity_renew_device(&a.c, &cert, &list), OK);
	list = w_keep(list);
	(void)w_end(&a, OK);
	w_store_fini(&a.st);
	a.st = copy;
	a.st.api.ctx = &a.st;
	assert_int_equal(w_end(&a, peer_accept_list(&a.c, &a.addr.account,
	    list, &news)), OK);
	assert_true(news.own_cert_forged);
	w_drop(&list);
}

static void
test_peer_safety_numbers_agree(void **state)
{
	struct peer_safety x, y;

	(void)state;
	assert_int_equal(w_end(&a, peer_safety(&a.c, &b.addr.account, &x)),
	    OK);
	assert_int_equal(w_end(&b, peer_safety(&b.c, &a.addr.account, &y)),
	    OK);
	assert_string_equal(x.number, y.number);
	assert_int_equal(strlen(x.number), 60);
	assert_string_not_equal(x.qr, y.qr);
	assert_int_equal(safety_check_qr_text(&x.own, &x.peer,
	    span_str(y.qr)), OK);
	assert_int_equal(safety_check_qr_text(&x.own, &x.peer,
	    span_str(x.qr)), ERR_UNTRUSTED);
	y.qr[5] = '!';
	assert_int_equal(safety_check_qr_text(&x.own, &x.peer,
	    span_str(y.qr)), ERR_FORMAT);
	assert_int_equal(safety_check_qr(&x.own, &x.peer, SPAN("short")),
	    ERR_FORMAT);
}

/* docs/protocol.md, Devices: more than a day ahead of the own clock. */
static void
test_peer_refuses_a_list_of_the_future(void **state)
{
	struct span list, cert;
	struct peer_news news;

	(void)state;
	b.c.now_ms += W_DAY_MS + 1;
	assert_int_equal(identity_resign_list(&b.c, &cert, &list), OK);
	w_drop(&b.list);
	b.list = w_keep(list);
	(void)w_end(&b, OK);
	assert_int_equal(accept_list(&a, &b, &news), ERR_EXPIRED);
	a.c.now_ms++;
	assert_int_equal(accept_list(&a, &b, &news), OK);
	assert_true(news.changed);
	/* A clock that is set back makes nothing unknown. */
	a.c.now_ms -= 2 * W_DAY_MS;
	assert_int_equal(accept_list(&a, &b, &news), OK);
	assert_false(news.changed);
}

static void
test_peer_refuses_a_stranger_of_the_future(void **state)
{
	struct w_dev late;
	struct peer_news news;

	(void)state;
	w_dev_init(&late, 3, 5, 4);
	a.c.now_ms -= W_DAY_MS + 1;
	assert_int_equal(accept_list(&a, &late, &news), ERR_EXPIRED);
	a.c.now_ms++;
	assert_int_equal(accept_list(&a, &late, &news), OK);
	w_dev_fini(&late);
}

static struct span
resigned(struct w_dev *d)
{
	struct span list, cert;

	d->c.now_ms++;
	assert_int_equal(identity_resign_list(&d->c, &cert, &list), OK);
	list = w_keep(list);
	assert_int_equal(w_end(d, OK), OK);
	return list;
}

static enum err
go_back(struct w_dev *d, struct span list)
{
	struct peer_news news;

	return w_end(d, peer_go_back(&d->c, &d->addr.account, list, &news));
}

/* A list that the server refused never was: the next follows from what the
 * server has, and only from what the refused one followed. */
static void
test_peer_goes_back_to_what_a_refused_list_followed(void **state)
{
	struct span two, three, refused, next;
	struct peer_news news;
	struct peer own;

	(void)state;
	two = resigned(&b);
	three = resigned(&b);
	refused = resigned(&b);
	assert_int_equal(go_back(&b, b.list), ERR_STALE);
	assert_int_equal(go_back(&b, two), ERR_STALE);
	assert_int_equal(go_back(&b, a.list), ERR_FORBIDDEN);
	assert_int_equal(go_back(&b, refused), OK);
	assert_int_equal(peer_load(&b.c, &b.addr.account, &own), OK);
	assert_int_equal(own.list.version, 4);
	assert_int_equal(go_back(&b, three), OK);
	next = resigned(&b);
	assert_int_equal(peer_load(&b.c, &b.addr.account, &own), OK);
	assert_int_equal(own.list.version, 4);
	assert_int_equal(w_end(&a, peer_accept_list(&a.c, &b.addr.account,
	    three, &news)), OK);
	assert_int_equal(w_end(&a, peer_accept_list(&a.c, &b.addr.account,
	    next, &news)), OK);
	/* Another that follows from the same one takes its place. */
	assert_int_equal(go_back(&b, refused), OK);
	w_drop(&two);
	w_drop(&three);
	w_drop(&refused);
	w_drop(&next);
}

/* Where the refused list brought a certificate, the next one brings it. */
static void
test_peer_next_list_brings_a_refused_certificate(void **state)
{
	struct span cert, list, again;
	struct peer own;

	(void)state;
	assert_int_equal(w_end(&b, identity_renew_device(&b.c, &cert, &list)),
	    OK);
	w_take_cert(&b);
	assert_int_equal(go_back(&b, b.list), OK);
	assert_int_equal(identity_resign_list(&b.c, &again, &list), OK);
	assert_true(span_eq(again, b.cert));
	assert_int_equal(w_end(&b, OK), OK);
	assert_int_equal(peer_load(&b.c, &b.addr.account, &own), OK);
	assert_int_equal(own.list.version, 2);
	assert_int_equal(w_end(&b, peer_accept_cert(&b.c, &b.addr.account,
	    b.cert)), OK);
}

static void
test_peer_views(void **state)
{
	uint8_t view[EVENT_VIEW_LEN];
	enum view_verdict v;
	struct span list, cert;

	(void)state;
	assert_int_equal(w_end(&b, peer_view(&b.c, &a.addr.account, view)),
	    OK);
	assert_int_equal(w_end(&a, peer_check_view(&a.c, &b.addr.account, view,
	    &v)), OK);
	assert_int_equal(v, VIEW_SAME);
	view[31] ^= 1;
	assert_int_equal(w_end(&a, peer_check_view(&a.c, &b.addr.account, view,
	    &v)), OK);
	assert_int_equal(v, VIEW_CONFLICT);
	assert_int_equal(w_end(&b, identity_resign_list(&b.c, &cert, &list)),
	    OK);
	assert_int_equal(w_end(&b, peer_view(&b.c, &a.addr.account, view)),
	    OK);
	assert_int_equal(w_end(&a, peer_check_view(&a.c, &b.addr.account, view,
	    &v)), OK);
	assert_int_equal(v, VIEW_NEWER);
	assert_int_equal(w_end(&a, peer_view(&a.c, &b.addr.account, view)),
	    OK);
	assert_int_equal(w_end(&b, peer_check_view(&b.c, &a.addr.account, view,
	    &v)), OK);
	assert_int_equal(v, VIEW_OLDER);
}

/* How many keys of which lengths the provider was told to forget. */
static unsigned forgot_32, forgot_64;

static void
count_forget(void *ctx, struct span seed)
{
	(void)ctx;
	forgot_32 += seed.n == 32;
	forgot_64 += seed.n == 64;
}

/* docs/protocol.md, Keys: who erases a private key erases its traces. */
static void
test_peer_erased_keys_are_forgotten(void **state)
{
	static struct prekey_upload up;
	struct span cert, list;

	(void)state;
	assert_int_equal(w_end(&a, identity_renew_device(&a.c, &cert, &list)),
	    OK);
	assert_int_equal(w_end(&a, prekey_make(&a.c, 4, &up)), OK);
	a.c.now_ms += 46 * W_DAY_MS;
	a.p.forget = count_forget;
	forgot_32 = forgot_64 = 0;
	assert_int_equal(w_end(&a, prekey_tidy(&a.c)), OK);
	/* SPK and LRK, and each one-time pair that was left */
	assert_true(forgot_32 > 1);
	assert_int_equal(forgot_32, forgot_64);
	forgot_32 = forgot_64 = 0;
	assert_int_equal(w_end(&a, identity_tidy(&a.c)), OK);
	/* both halves of DSK, IKX; IKK */
	assert_int_equal(forgot_32, 3);
	assert_int_equal(forgot_64, 1);
}

static void
test_peer_dropped_sessions_are_forgotten(void **state)
{
	struct span msg = { 0 };

	(void)state;
	assert_int_equal(w_initiate(&a, &b), OK);
	assert_int_equal(w_seal(&a, &b, SPAN("text"), &msg), OK);
	w_drop(&msg);
	a.p.forget = count_forget;
	forgot_32 = forgot_64 = 0;
	assert_int_equal(w_end(&a, sessions_drop(&a.c, &b.addr)), OK);
	/* its ratchet key; the seed of epoch 1 */
	assert_int_equal(forgot_32, 1);
	assert_int_equal(forgot_64, 1);
	forgot_32 = forgot_64 = 0;
	assert_int_equal(w_end(&a, sessions_drop(&a.c, &b.addr)), OK);
	assert_int_equal(forgot_32, 0);
}

static void
test_peer_dropped_identity_is_forgotten(void **state)
{
	struct identity id;
	struct span msg = { 0 };

	(void)state;
	assert_int_equal(w_initiate(&a, &b), OK);
	assert_int_equal(w_seal(&a, &b, SPAN("text"), &msg), OK);
	w_drop(&msg);
	a.p.forget = count_forget;
	forgot_32 = forgot_64 = 0;
	assert_int_equal(w_end(&a, identity_drop(&a.c)), OK);
	/* AIK 2, DSK 2, IKX, SPK, two pairs, a ratchet key */
	assert_int_equal(forgot_32, 9);
	/* IKK, LRK, two pairs, the seed of epoch 1 */
	assert_int_equal(forgot_64, 5);
	assert_int_equal(identity_load(&a.c, &id), ERR_NOT_FOUND);
	assert_int_equal(w_count(&a.st, RECORD_DEVICE) +
	    w_count(&a.st, RECORD_BATCH) + w_count(&a.st, RECORD_OTP) +
	    w_count(&a.st, RECORD_SESSION) + w_count(&a.st, RECORD_ACCOUNT),
	    0);
	assert_int_equal(w_end(&a, identity_drop(&a.c)), OK);
}

static void
test_peer_batches_are_kept_45_days(void **state)
{
	struct prekey_batch old;

	(void)state;
	assert_int_equal(w_prekeys(&a, 4), OK);
	assert_int_equal(w_count(&a.st, RECORD_OTP), 4);
	a.c.now_ms += 44 * W_DAY_MS;
	assert_int_equal(w_end(&a, prekey_tidy(&a.c)), OK);
	assert_int_equal(prekey_load(&a.c, 1, &old), OK);
	a.c.now_ms += 2 * W_DAY_MS;
	assert_int_equal(w_end(&a, prekey_tidy(&a.c)), OK);
	assert_int_equal(prekey_load(&a.c, 1, &old), ERR_PREKEY_GONE);
	assert_int_equal(w_count(&a.st, RECORD_OTP), 2);
	assert_int_equal(prekey_load(&a.c, 2, &old), OK);
	wipe(&old, sizeof(old));
}

/* Keys of a replaced certificate stay as long as a batch names it. */
static void
test_peer_old_device_keys_go_with_their_batch(void **state)
{
	struct span cert, list;

	(void)state;
	assert_int_equal(w_end(&a, identity_renew_device(&a.c, &cert, &list)),
	    OK);
	assert_int_equal(w_prekeys(&a, 4), OK);
	assert_int_equal(w_count(&a.st, RECORD_DEVICE), 2);
	assert_int_equal(w_end(&a, identity_tidy(&a.c)), OK);
	assert_int_equal(w_count(&a.st, RECORD_DEVICE), 2);
	a.c.now_ms += 46 * W_DAY_MS;
	assert_int_equal(w_end(&a, prekey_tidy(&a.c)), OK);
	assert_int_equal(w_end(&a, identity_tidy(&a.c)), OK);
	assert_int_equal(w_count(&a.st, RECORD_DEVICE), 1);
}

static void
test_peer_retry_rules(void **state)
{
	struct event_id id = { { 1 } }, other = { { 2 } };
	struct span cert, list;
	bool yes;

	(void)state;
	assert_int_equal(w_end(&a, retry_sent(&a.c, &id, &b.addr)), OK);
	assert_int_equal(w_end(&a, retry_answer(&a.c, &other, &b.addr)),
	    ERR_NOT_FOUND);
	assert_int_equal(w_end(&a, retry_answer(&a.c, &id, &b.addr)), OK);
	assert_int_equal(w_end(&a, retry_answer(&a.c, &id, &b.addr)),
	    ERR_RATE_LIMITED);
	a.c.now_ms += W_DAY_MS + 1;
	assert_int_equal(w_end(&a, retry_answer(&a.c, &id, &b.addr)), OK);
	a.c.now_ms += 7 * W_DAY_MS;
	assert_int_equal(w_end(&a, retry_answer(&a.c, &id, &b.addr)),
	    ERR_NOT_FOUND);
	/* Another certificate: only when the user agrees. */
	assert_int_equal(w_end(&a, retry_sent(&a.c, &other, &b.addr)), OK);
	assert_int_equal(identity_renew_device(&b.c, &cert, &list), OK);
	w_drop(&b.list);
	w_drop(&b.cert);
	b.list = w_keep(list);
	b.cert = w_keep(cert);
	(void)w_end(&b, OK);
	assert_int_equal(w_meet(&a, &b), OK);
	assert_int_equal(w_end(&a, retry_answer(&a.c, &other, &b.addr)),
	    ERR_UNTRUSTED);
	/* The asking side. */
	assert_int_equal(w_end(&b, retry_take(&b.c, &id, &yes)), OK);
	assert_false(yes);
	assert_int_equal(w_end(&b, retry_ask(&b.c, &id, &yes)), OK);
	assert_true(yes);
	assert_int_equal(w_end(&b, retry_ask(&b.c, &id, &yes)), OK);
	assert_false(yes);
	assert_int_equal(w_end(&b, retry_take(&b.c, &id, &yes)), OK);
	assert_true(yes);
	assert_int_equal(w_end(&b, retry_take(&b.c, &id, &yes)), OK);
	assert_false(yes);
}

static void
test_peer_event_ids_are_used_once(void **state)
{
	struct conv_id conv = { { 1 } }, conv2 = { { 2 } };
	struct event_id id = { { 3 } };

	(void)state;
	assert_int_equal(w_end(&a, retry_event_once(&a.c, &conv,
	    &b.addr.account, &id)), OK);
	assert_int_equal(w_end(&a, retry_event_once(&a.c, &conv,
	    &b.addr.account, &id)), ERR_DUPLICATE);
	assert_int_equal(w_end(&a, retry_event_once(&a.c, &conv,
	    &a.addr.account, &id)), OK);
	assert_int_equal(w_end(&a, retry_event_once(&a.c, &conv2,
	    &b.addr.account, &id)), OK);
}

static void
test_peer_bind_proof_verifies(void **state)
{
	struct session_id sid = { { 8 } };
	struct composite_sig sig;
	struct cert cert;
	uint8_t msg[IDENTITY_BIND_LEN];

	(void)state;
	assert_int_equal(w_end(&a, identity_bind(&a.c, &sid, &sig)), OK);
	assert_int_equal(cert_decode(a.cert, &cert), OK);
	identity_bind_message(&sid, &a.addr, msg);
	assert_int_equal(composite_verify(&w_base, cert.dsk, SPAN("NJ1/bind"),
	    SPAN_OF(msg), sig.b), OK);
	sid.b[0]++;
	identity_bind_message(&sid, &a.addr, msg);
	assert_int_equal(composite_verify(&w_base, cert.dsk, SPAN("NJ1/bind"),
	    SPAN_OF(msg), sig.b), ERR_AUTH);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_peer_identity_is_made_once),
		TEST(test_peer_lists_follow),
		TEST(test_peer_list_fork_is_a_conflict),
		TEST(test_peer_identity_change_is_never_silent),
		TEST(test_peer_refuses_a_certificate_that_is_not_listed),
		TEST(test_peer_removed_device_ends_its_sessions),
		TEST(test_peer_forged_own_certificate_is_noticed),
		TEST(test_peer_safety_numbers_agree),
		TEST(test_peer_refuses_a_list_of_the_future),
		TEST(test_peer_refuses_a_stranger_of_the_future),
		TEST(test_peer_goes_back_to_what_a_refused_list_followed),
		TEST(test_peer_next_list_brings_a_refused_certificate),
		TEST(test_peer_views),
		TEST(test_peer_batches_are_kept_45_days),
		TEST(test_peer_erased_keys_are_forgotten),
		TEST(test_peer_dropped_sessions_are_forgotten),
		TEST(test_peer_dropped_identity_is_forgotten),
		TEST(test_peer_old_device_keys_go_with_their_batch),
		TEST(test_peer_retry_rules),
		TEST(test_peer_event_ids_are_used_once),
		TEST(test_peer_bind_proof_verifies),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	w_teardown();
	return failed;
}
