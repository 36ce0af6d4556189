/*
 * linking_test.c: linking a new device (docs/protocol.md, "Linking a device").
 */
#include "crypto/test_native.h"

#include "core/linking.h"
#include "crypto/hash.h"

static const struct any_id mailbox = { { 0xab, 0xcd } };
static struct linking fresh, manager;
static struct linking_facts facts;
static struct composite_priv dsk;
static uint8_t cert_mem[CERT_LEN_MAX], prov[LINKING_PROVISIONING_MAX];
static uint8_t answer[LINKING_ANSWER_MAX], plain[LINKING_ANSWER_MAX];
static struct span cert;

static void
reply_to_it(void)
{
	char text[LINKING_TEXT_LEN + 1];
	struct any_id m;
	uint8_t hash[SHA256_LEN];

	assert_int_equal(linking_offer(&p, &mailbox, &fresh), OK);
	assert_int_equal(linking_text(&p, &fresh, text), OK);
	assert_int_equal(strlen(text), LINKING_TEXT_LEN);
	assert_int_equal(linking_text_parse(span_str(text), &m, hash), OK);
	assert_true(ID_EQ(m, mailbox));
	assert_int_equal(linking_reply(&p, &m, hash, SPAN_OF(fresh.offer),
	    &manager), OK);
	assert_int_equal(linking_accept(&p, &fresh, SPAN_OF(manager.reply)),
	    OK);
}

static void
make_facts(void)
{
	struct composite_pub pub;

	facts = (struct linking_facts){ .account = { { 1 } }, .device = 4,
	    .secret = { 6 }, .flags = 0, .list_version = 9, .position = 77,
	    .has_archive = true, .archive = { { 5 } },
	    .archive_key = { 1, 2, 3 }, .device_name = SPAN("laptop"),
	    .user_name = SPAN("alice") };
	assert_int_equal(composite_generate(&p, &dsk), OK);
	assert_int_equal(composite_make_pub(&p, &dsk, &pub), OK);
	memcpy(facts.aik, pub.b, sizeof(facts.aik));
}

/* A certificate as the new device would make it. */
static void
make_cert(void)
{
	struct cert c = { .account = facts.account, .device = facts.device,
	    .flags = facts.flags, .suites_n = 1, .suites = { 1 }, .vmin = 1,
	    .vmax = 1 };
	struct composite_pub pub;
	uint8_t seed[MLKEM_SEED_LEN] = { 3 }, priv[32] = { 4 };
	struct wr w = wr_init(cert_mem, sizeof(cert_mem));

	assert_int_equal(composite_make_pub(&p, &dsk, &pub), OK);
	memcpy(c.dsk, pub.b, sizeof(c.dsk));
	assert_int_equal(cert_aik_hash(&p, facts.aik, c.aik_hash), OK);
	assert_int_equal(p.x25519_pub(p.ctx, priv, c.ikx), OK);
	assert_int_equal(p.mlkem_pub(p.ctx, seed, c.ikk), OK);
	assert_int_equal(cert_encode(&c, &w), OK);
	cert = wr_done(&w);
}

/* Through a store, as between two starts of a program. */
static void
through_store(struct linking *s)
{
	uint8_t mem[LINKING_STATE_MAX];
	struct wr w = wr_init(mem, sizeof(mem));
	struct linking copy = *s;

	assert_int_equal(linking_encode(s, &w), OK);
	assert_int_equal(linking_decode(wr_done(&w), s), OK);
	assert_memory_equal(s, &copy, sizeof(copy));
	for (size_t n = 0; n < w.n; n += 101)
		assert_int_equal(linking_decode(span_of(mem, n), &copy),
		    ERR_FORMAT);
}

static void
provision(struct linking_facts *got)
{
	char code[LINKING_CODE_DIGITS + 1];
	struct wr w = wr_init(prov, sizeof(prov));

	linking_code(&fresh, code);
	assert_int_equal(linking_enter_code(&manager, span_str(code)), OK);
	through_store(&manager);
	assert_int_equal(linking_provision(&p, &manager, &facts, &w), OK);
	through_store(&fresh);
	assert_int_equal(linking_open_provisioning(&p, &fresh, wr_done(&w),
	    plain, got), OK);
}

static void
test_linking_whole(void **state)
{
	struct linking_facts got;
	struct wr w = wr_init(answer, sizeof(answer));
	struct span cert_got;
	struct cert c;

	(void)state;
	make_facts();
	reply_to_it();
	through_store(&fresh);
	through_store(&manager);
	provision(&got);
	assert_true(ID_EQ(got.account, facts.account));
	assert_memory_equal(got.secret, facts.secret, 32);
	assert_memory_equal(got.archive_key, facts.archive_key, 32);
	assert_int_equal(got.device, 4);
	assert_true(span_eq(got.user_name, SPAN("alice")));
	assert_true(span_eq(got.device_name, SPAN("laptop")));
	make_cert();
	assert_int_equal(linking_answer(&p, &fresh, &facts.account, cert,
	    &dsk, &w), OK);
	assert_int_equal(fresh.step, LINKING_ANSWERED);
	assert_int_equal(linking_open_answer(&p, &manager, wr_done(&w),
	    &facts, plain, &cert_got, &c), OK);
	assert_true(span_eq(cert_got, cert));
	assert_int_equal(c.device, 4);
	assert_int_equal(manager.step, LINKING_DONE);
}

/* Nothing is done out of its order, nor twice. */
static void
test_linking_order(void **state)
{
	struct linking_facts got;
	struct wr w = wr_init(answer, sizeof(answer));
	struct wr v = wr_init(prov, sizeof(prov));
	struct span cert_got;
	struct cert c;

	(void)state;
	make_facts();
	reply_to_it();
	assert_int_equal(linking_accept(&p, &fresh, SPAN_OF(manager.reply)),
	    ERR_CONFLICT);
	/* docs/protocol.md, Linking a device: only after the right code. */
	assert_int_equal(linking_provision(&p, &manager, &facts, &v),
	    ERR_CONFLICT);
	assert_int_equal(v.n, 0);
	make_cert();
	assert_int_equal(linking_answer(&p, &fresh, &facts.account, cert,
	    &dsk, &w), ERR_CONFLICT);
	assert_int_equal(linking_open_answer(&p, &manager, cert, &facts,
	    plain, &cert_got, &c), ERR_CONFLICT);
	assert_int_equal(linking_enter_code(&fresh, SPAN("000000")),
	    ERR_CONFLICT);
	provision(&got);
	/* docs/protocol.md, Linking a device: each key seals once. */
	assert_int_equal(linking_provision(&p, &manager, &facts, &v),
	    ERR_CONFLICT);
	assert_int_equal(linking_answer(&p, &fresh, &facts.account, cert,
	    &dsk, &w), OK);
	assert_int_equal(linking_answer(&p, &fresh, &facts.account, cert,
	    &dsk, &w), ERR_CONFLICT);
}

static void
test_linking_keys_are_gone_after_use(void **state)
{
	static const uint8_t zeros[64];
	struct linking_facts got;
	struct wr w = wr_init(answer, sizeof(answer));

	(void)state;
	make_facts();
	reply_to_it();
	assert_memory_equal(fresh.x25519_priv, zeros, 32);
	assert_memory_equal(fresh.mlkem_seed, zeros, 64);
	assert_memory_equal(fresh.k_m, manager.k_m, 32);
	assert_memory_not_equal(fresh.k_m, fresh.k_n, 32);
	provision(&got);
	assert_memory_equal(manager.k_m, zeros, 32);
	assert_memory_equal(fresh.k_m, zeros, 32);
	make_cert();
	assert_int_equal(linking_answer(&p, &fresh, &facts.account, cert,
	    &dsk, &w), OK);
	assert_memory_equal(fresh.k_n, zeros, 32);
}

static void
test_linking_code_has_one_try(void **state)
{
	char code[LINKING_CODE_DIGITS + 1], typed[16];
	struct wr w = wr_init(prov, sizeof(prov));

	(void)state;
	make_facts();
	reply_to_it();
	linking_code(&fresh, code);
	assert_int_equal(linking_enter_code(&manager, SPAN("12345")),
	    ERR_FORMAT);
	assert_int_equal(linking_enter_code(&manager, SPAN("1234567")),
	    ERR_FORMAT);
	assert_int_equal(linking_enter_code(&manager, SPAN("12345a")),
	    ERR_FORMAT);
	/* As it may be typed. */
	(void)snprintf(typed, sizeof(typed), " %.3s-%.3s\n", code, code + 3);
	assert_int_equal(linking_enter_code(&manager, span_str(typed)), OK);
	reply_to_it();
	linking_code(&fresh, code);
	code[5] = code[5] == '9' ? '0' : (char)(code[5] + 1);
	assert_int_equal(linking_enter_code(&manager, span_str(code)),
	    ERR_UNTRUSTED);
	assert_int_equal(manager.step, LINKING_FAILED);
	linking_code(&fresh, code);
	assert_int_equal(linking_enter_code(&manager, span_str(code)),
	    ERR_CONFLICT);
	assert_int_equal(linking_provision(&p, &manager, &facts, &w),
	    ERR_CONFLICT);
}

/* Every bit of the offer and of the text's hash is bound. */
static void
test_linking_offer_is_the_one_of_the_text(void **state)
{
	uint8_t hash[SHA256_LEN], offer[LINKING_OFFER_LEN];
	struct any_id wrong = mailbox;

	(void)state;
	assert_int_equal(linking_offer(&p, &mailbox, &fresh), OK);
	memcpy(offer, fresh.offer, sizeof(offer));
	assert_int_equal(hash_sha256(&p, SPAN_OF(offer), hash), OK);
	for (size_t i = 0; i < sizeof(offer) * 8; i += 3) {
		offer[i / 8] ^= (uint8_t)(1u << i % 8);
		assert_int_equal(linking_reply(&p, &mailbox, hash,
		    SPAN_OF(offer), &manager), ERR_UNTRUSTED);
		offer[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	/* An offer of another mailbox, with the right hash of itself. */
	wrong.b[15] ^= 1;
	assert_int_equal(linking_reply(&p, &wrong, hash, SPAN_OF(offer),
	    &manager), ERR_UNTRUSTED);
	assert_int_equal(manager.step, LINKING_NONE);
	/* Keys that are none. */
	memset(&offer[2], 0xff, X25519_LEN);
	assert_int_equal(hash_sha256(&p, SPAN_OF(offer), hash), OK);
	assert_int_equal(linking_reply(&p, &mailbox, hash, SPAN_OF(offer),
	    &manager), ERR_FORMAT);
	memset(&offer[2], 0, X25519_LEN);	/* of small order */
	assert_int_equal(hash_sha256(&p, SPAN_OF(offer), hash), OK);
	assert_int_not_equal(linking_reply(&p, &mailbox, hash, SPAN_OF(offer),
	    &manager), OK);
}

/* A server in the middle: another reply gives another code. */
static void
test_linking_changed_reply_changes_the_code(void **state)
{
	struct linking one, two;
	size_t others = 0;

	(void)state;
	make_facts();
	reply_to_it();
	for (size_t i = 0; i < 40; i++) {
		assert_int_equal(linking_offer(&p, &mailbox, &one), OK);
		two = manager;
		two.reply[40 + i * 20] ^= 1;
		if (linking_accept(&p, &one, SPAN_OF(two.reply)) == OK)
			others += one.code != manager.code;
	}
	assert_true(others >= 39);
	assert_int_equal(linking_offer(&p, &mailbox, &one), OK);
	memset(&two.reply[2], 0, X25519_LEN);
	assert_int_not_equal(linking_accept(&p, &one, SPAN_OF(two.reply)), OK);
	assert_int_equal(one.step, LINKING_FAILED);
}

static void
test_linking_refuses_changed_provisioning(void **state)
{
	char code[LINKING_CODE_DIGITS + 1];
	struct wr w = wr_init(prov, sizeof(prov));
	struct linking_facts got;
	struct linking keep;

	(void)state;
	make_facts();
	reply_to_it();
	linking_code(&fresh, code);
	assert_int_equal(linking_enter_code(&manager, span_str(code)), OK);
	assert_int_equal(linking_provision(&p, &manager, &facts, &w), OK);
	keep = fresh;
	for (size_t i = 0; i < w.n * 8; i += 7) {
		prov[i / 8] ^= (uint8_t)(1u << i % 8);
		fresh = keep;
		assert_int_not_equal(linking_open_provisioning(&p, &fresh,
		    wr_done(&w), plain, &got), OK);
		assert_int_equal(fresh.step, LINKING_FAILED);
		assert_int_equal(got.device, 0);
		prov[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	fresh = keep;
	assert_int_equal(linking_open_provisioning(&p, &fresh, wr_done(&w),
	    plain, &got), OK);
}

/* What the manager gave out is what comes back, with a proof of the key. */
static void
test_linking_refuses_other_answers(void **state)
{
	struct linking_facts got, want;
	struct wr w = wr_init(answer, sizeof(answer));
	struct linking keep;
	struct composite_priv stranger;
	struct span cert_got;
	struct cert c;

	(void)state;
	make_facts();
	reply_to_it();
	provision(&got);
	make_cert();
	keep = fresh;
	assert_int_equal(linking_answer(&p, &fresh, &facts.account, cert,
	    &dsk, &w), OK);
	for (int i = 0; i < 4; i++) {
		struct linking m = manager;

		want = facts;
		want.device += i == 0;
		want.flags ^= i == 1 ? DEVICE_WEB : 0;
		want.account.b[0] ^= i == 2;
		want.aik[0] ^= i == 3;
		assert_int_equal(linking_open_answer(&p, &m, wr_done(&w),
		    &want, plain, &cert_got, &c), ERR_FORBIDDEN);
		assert_int_equal(m.step, LINKING_FAILED);
		assert_int_equal(c.device, 0);
	}
	fresh = keep;
	assert_int_equal(composite_generate(&p, &stranger), OK);
	w.n = 0;
	assert_int_equal(linking_answer(&p, &fresh, &facts.account, cert,
	    &stranger, &w), OK);
	keep = manager;
	assert_int_equal(linking_open_answer(&p, &manager, wr_done(&w),
	    &facts, plain, &cert_got, &c), ERR_AUTH);
	/* A proof of another linking. */
	fresh.step = LINKING_PROVISIONED;
	fresh.reply[100] ^= 1;
	memcpy(fresh.k_n, keep.k_n, sizeof(fresh.k_n));
	w.n = 0;
	assert_int_equal(linking_answer(&p, &fresh, &facts.account, cert,
	    &dsk, &w), OK);
	assert_int_equal(linking_open_answer(&p, &keep, wr_done(&w), &facts,
	    plain, &cert_got, &c), ERR_AUTH);
}

static void
test_linking_facts_are_checked(void **state)
{
	struct linking_facts f[6], got;
	uint8_t mem[LINKING_PROVISIONING_MAX];
	struct wr w;

	(void)state;
	make_facts();
	for (size_t i = 0; i < 6; i++)
		f[i] = facts;
	f[0].device = 0;
	f[1].flags = DEVICE_MANAGER;		/* without the key */
	f[2].has_aik_priv = true;		/* without the flag */
	f[3].list_version = 0;
	f[4].user_name = SPAN("\xff");
	f[5].flags = 0x80;
	for (size_t i = 0; i < 6; i++) {
		w = wr_init(mem, sizeof(mem));
		assert_int_equal(linking_encode_facts(&f[i], &w), ERR_ARG);
	}
	facts.flags = DEVICE_MANAGER;
	facts.has_aik_priv = true;
	w = wr_init(mem, sizeof(mem));
	assert_int_equal(linking_encode_facts(&facts, &w), OK);
	assert_int_equal(linking_decode_facts(wr_done(&w), &got), OK);
	assert_true(got.has_aik_priv);
	/* What must be there ends before the archive and the names. */
	for (size_t n = 0; n < w.n - 70; n++)
		assert_int_not_equal(linking_decode_facts(span_of(mem, n),
		    &got), OK);
}

static void
test_linking_text_is_strict(void **state)
{
	char text[LINKING_TEXT_LEN + 3];
	struct any_id m;
	uint8_t hash[SHA256_LEN];

	(void)state;
	assert_int_equal(linking_offer(&p, &mailbox, &fresh), OK);
	text[0] = ' ';
	assert_int_equal(linking_text(&p, &fresh, text + 1), OK);
	text[LINKING_TEXT_LEN + 1] = '\n';
	assert_int_equal(linking_text_parse(span_of(text, sizeof(text) - 1),
	    &m, hash), OK);
	for (size_t n = 0; n < LINKING_TEXT_LEN; n++)
		assert_int_equal(linking_text_parse(span_of(text + 1, n), &m,
		    hash), ERR_FORMAT);
	for (size_t i = 1; i <= LINKING_TEXT_LEN; i++) {
		char was = text[i];

		text[i] = '!';
		assert_int_equal(linking_text_parse(span_of(text + 1,
		    LINKING_TEXT_LEN), &m, hash), ERR_FORMAT);
		text[i] = was;
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_linking_whole),
		cmocka_unit_test(test_linking_order),
		cmocka_unit_test(test_linking_keys_are_gone_after_use),
		cmocka_unit_test(test_linking_code_has_one_try),
		cmocka_unit_test(test_linking_offer_is_the_one_of_the_text),
		cmocka_unit_test(test_linking_changed_reply_changes_the_code),
		cmocka_unit_test(test_linking_refuses_changed_provisioning),
		cmocka_unit_test(test_linking_refuses_other_answers),
		cmocka_unit_test(test_linking_facts_are_checked),
		cmocka_unit_test(test_linking_text_is_strict),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
