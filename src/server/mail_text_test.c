/*
 * mail_text_test.c: mails and their tokens: headers that nobody can add to,
 * codes that no other mail has.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "crypto/host.h"
#include "server/mail_text.h"

static const uint8_t key[32] = { 7 };
static const struct any_id id = { { 1, 2, 3 } };

static struct mail_text
mail(enum mail_kind kind)
{
	return (struct mail_text){ .kind = kind, .id = &id,
	    .to = SPAN("ann@example.org"), .username = SPAN("ann"),
	    .from = "robot@example.org", .name = "Nightjar", .link = "",
	    .token = kind == MAIL_VERIFY || kind == MAIL_RESET ?
	    "0123456789012345678901234567890123456789012" : NULL,
	    .now_ms = 1763737200000, .expires_ms = 1763740800000,
	    .erase_ms = 1764345600000 };
}

static bool
has(struct span s, const char *what)
{
	size_t n = strlen(what);

	for (size_t i = 0; i + n <= s.n; i++)
		if (memcmp(s.p + i, what, n) == 0)
			return true;
	return false;
}

/* RFC 5322 2.1: lines end in CRLF, nowhere else is either; below 998. */
static void
test_mail_of_every_kind(void **state)
{
	static uint8_t text[MAIL_TEXT_MAX];

	(void)state;
	for (int i = 0; i < MAIL_KIND_MAX; i++) {
		struct mail_text m = mail((enum mail_kind)i);
		struct wr w = wr_init(text, sizeof(text));
		size_t line = 0;

		assert_int_equal(mail_write(&m, &w), OK);
		for (size_t j = 0; j < w.n; j++) {
			if (text[j] == '\n')
				assert_true(j > 0 && text[j - 1] == '\r');
			if (text[j] == '\r')
				assert_true(j + 1 < w.n && text[j + 1] == '\n');
			line = text[j] == '\n' ? 0 : line + 1;
			assert_true(line < 200 && text[j] < 128);
		}
		assert_true(has(wr_done(&w), "To: <ann@example.org>\r\n"));
		assert_true(has(wr_done(&w),
		    "Date: Fri, 21 Nov 2025 15:00:00 +0000\r\n"));
		assert_true(has(wr_done(&w), "\r\n\r\nHello ann,\r\n"));
		assert_int_equal(has(wr_done(&w), "0123456789"), m.token !=
		    NULL);
	}
}

static void
test_mail_of_a_reset_is_honest(void **state)
{
	static uint8_t text[MAIL_TEXT_MAX];
	struct mail_text m = mail(MAIL_RESET);
	struct wr w = wr_init(text, sizeof(text));

	(void)state;
	m.link = "https://chat.example.org/#";
	assert_int_equal(mail_write(&m, &w), OK);
	assert_true(has(wr_done(&w), "does not give you your end-to-end keys"));
	assert_true(has(wr_done(&w), "https://chat.example.org/#/reset/0123"));
}

static void
test_mail_headers_can_not_be_added_to(void **state)
{
	static const char *const bad[] = { "", "a@b\r\nBcc: eve@example.org",
	    "a@b\nX: y", "a@b>, <eve@example.org", "a b@c", "a@b,c@d",
	    "\"a@b" };
	static uint8_t text[MAIL_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct wr w = wr_init(text, sizeof(text));
		struct mail_text m = mail(MAIL_VERIFY);

		m.to = span_str(bad[i]);
		assert_int_equal(mail_write(&m, &w), ERR_VALIDATION);
		m = mail(MAIL_VERIFY);
		m.username = span_str(bad[i]);
		assert_int_equal(mail_write(&m, &w), ERR_VALIDATION);
		m = mail(MAIL_VERIFY);
		m.from = bad[i];
		assert_int_equal(mail_write(&m, &w), ERR_VALIDATION);
	}
	struct wr w = wr_init(text, 100);
	struct mail_text m = mail(MAIL_VERIFY);
	assert_int_equal(mail_write(&m, &w), ERR_SPACE);
}

static void
test_mail_tokens_are_of_key_kind_and_id(void **state)
{
	const uint8_t other_key[32] = { 8 };
	const struct any_id other = { { 1, 2, 4 } };
	char t[5][MAIL_TOKEN_LEN + 1];

	(void)state;
	assert_int_equal(mail_token(key, MAIL_RESET, &id, t[0]), OK);
	assert_int_equal(mail_token(key, MAIL_RESET, &id, t[1]), OK);
	assert_string_equal(t[0], t[1]);
	assert_int_equal(strlen(t[0]), MAIL_TOKEN_LEN);
	assert_int_equal(mail_token(key, MAIL_VERIFY, &id, t[1]), OK);
	assert_int_equal(mail_token(other_key, MAIL_RESET, &id, t[2]), OK);
	assert_int_equal(mail_token(key, MAIL_RESET, &other, t[3]), OK);
	for (int i = 1; i < 4; i++)
		assert_string_not_equal(t[0], t[i]);
}

static void
test_mail_kinds_have_names(void **state)
{
	enum mail_kind k;

	(void)state;
	for (int i = 0; i < MAIL_KIND_MAX; i++) {
		assert_true(mail_kind_find(span_str(mail_kind_name(
		    (enum mail_kind)i)), &k));
		assert_int_equal(k, i);
	}
	assert_false(mail_kind_find(SPAN("nothing"), &k));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mail_of_every_kind),
		cmocka_unit_test(test_mail_of_a_reset_is_honest),
		cmocka_unit_test(test_mail_headers_can_not_be_added_to),
		cmocka_unit_test(test_mail_tokens_are_of_key_kind_and_id),
		cmocka_unit_test(test_mail_kinds_have_names),
	};

	return host_init() != OK ? 1 :
	    cmocka_run_group_tests(tests, NULL, NULL);
}
