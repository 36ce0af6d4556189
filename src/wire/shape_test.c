/*
 * shape_test.c: the tables themselves, classes of text, addresses, faults.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "wire/shapes.h"

static void
check_row(const struct shape *s, const struct shape_row *r, uint32_t i)
{
	assert_true(r->at < s->size);
	assert_int_equal(strlen(r->name), r->name_n);
	assert_true(r->name_n > 0 && r->name_n < 64);
	assert_true(r->min <= r->max);
	if (r->need != SHAPE_REQ)
		assert_true(r->has_at > r->at && r->has_at < s->size);
	assert_int_equal(r->kind == SHAPE_ENUM, r->names != NULL);
	assert_int_equal(r->kind == SHAPE_OBJ || r->kind == SHAPE_LIST,
	    r->shape != NULL);
	if (r->kind == SHAPE_U32)
		assert_true(r->max <= SHAPE_U32_MAX);
	if (r->kind == SHAPE_U53)
		assert_true(r->max <= SHAPE_U53_MAX);
	if (r->kind == SHAPE_STR || r->kind == SHAPE_B64 ||
	    r->kind == SHAPE_RAW || r->kind == SHAPE_MAP)
		assert_true(r->max > 0);	/* a limit on everything */
	for (uint32_t k = 0; k < i; k++)
		assert_string_not_equal(s->rows[k].name, r->name);
}

static void
test_shape_tables_are_sound(void **state)
{
	const struct shape *s;
	size_t n = 0;

	(void)state;
	for (; (s = shape_at(n)) != NULL; n++) {
		assert_true(s->rows_n > 0 && s->rows_n <= SHAPE_ROWS_MAX);
		for (uint32_t i = 0; i < s->rows_n; i++)
			check_row(s, &s->rows[i], i);
		assert_ptr_equal(shape_find(span_str(s->name)), s);
	}
	assert_true(n > 60);
	assert_null(shape_find(SPAN("no_such")));
	assert_ptr_equal(shape_find(SPAN("message_rec")),
	    &shape_message_rec);
}

static void
test_shape_requests_are_strict(void **state)
{
	const struct shape *s;

	(void)state;
	for (size_t i = 0; (s = shape_at(i)) != NULL; i++) {
		size_t n = strlen(s->name);
		bool request = strcmp(&s->name[n - 4], "_req") == 0 &&
		    s != &shape_connect_req;

		assert_int_equal(request, (s->flags & SHAPE_STRICT) != 0);
	}
}

static void
test_shape_enums_have_names(void **state)
{
	uint32_t v;

	(void)state;
	assert_string_equal(shape_name(&shape_names_msg_suite,
	    MSG_SUITE_RATCHET), "ratchet");
	assert_string_equal(shape_name(&shape_names_msg_suite, 99), "");
	assert_true(shape_value(&shape_names_user_role, SPAN("admin"), &v));
	assert_int_equal(v, USER_ROLE_ADMIN);
	assert_false(shape_value(&shape_names_user_role, SPAN("Admin"), &v));
	assert_false(shape_value(&shape_names_user_role, SPAN(""), &v));
	/* What is left out is the default. */
	assert_int_equal(MSG_SUITE_OTHER, 0);
	assert_int_equal(MSG_TYPE_TEXT, 0);
}

static void
test_shape_knows_emails(void **state)
{
	static const char *const good[] = { "a@b", "a.b+c@d-e.f0.g",
	    "!#$%&'*+/=?^_`{|}~-@x.y", "1@2.3" };
	static const char *const bad[] = { "", "@", "a@", "@b", "a b@c",
	    "a@b c", "a@b.", "a@.b", "a@b..c", "a@-b", "a@b-", "a@b@c",
	    "a@b_c", "\"a\"@b", "a@[::1]", "\xc3\xa4@b", "a@\xc3\xa4",
	    "0123456789012345678901234567890123456789012345678901234567890"
	    "1234x@b", "a@0123456789012345678901234567890123456789012345678"
	    "901234567890123x" };

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		assert_true(shape_is_class(SHAPE_EMAIL, span_str(good[i])));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(shape_is_class(SHAPE_EMAIL, span_str(bad[i])));
}

static void
test_shape_knows_classes(void **state)
{
	(void)state;
	assert_true(shape_is_class(SHAPE_USERNAME, SPAN("aZ_09")));
	assert_false(shape_is_class(SHAPE_USERNAME, SPAN("a-b")));
	assert_false(shape_is_class(SHAPE_USERNAME, SPAN("\xc3\xa4")));
	assert_true(shape_is_class(SHAPE_LABEL, SPAN("B\xc3\xa4r's 1")));
	assert_false(shape_is_class(SHAPE_LABEL, SPAN("")));
	assert_false(shape_is_class(SHAPE_LABEL, SPAN(" a")));
	assert_false(shape_is_class(SHAPE_LABEL, SPAN("a ")));
	assert_false(shape_is_class(SHAPE_LABEL, SPAN("a\tb")));
	assert_false(shape_is_class(SHAPE_LABEL, SPAN("a\xc2\x85" "b")));
	assert_false(shape_is_class(SHAPE_LABEL, SPAN("a\xe2\x80\xae" "b")));
	assert_false(shape_is_class(SHAPE_LABEL, SPAN("a\xe2\x81\xa6" "b")));
	assert_true(shape_is_class(SHAPE_TOKEN, SPAN("a.b-c~!")));
	assert_false(shape_is_class(SHAPE_TOKEN, SPAN("a b")));
	assert_false(shape_is_class(SHAPE_TOKEN, SPAN("a\x7f")));
	assert_true(shape_is_class(SHAPE_ANY, SPAN("\x01")));
}

/* RFC 4648 4, and the sizes. */
static void
test_shape_checks_base64(void **state)
{
	(void)state;
	assert_true(shape_is_base64(SPAN(""), 0, 0));
	assert_true(shape_is_base64(SPAN("AQID"), 3, 3));
	assert_true(shape_is_base64(SPAN("+/8="), 2, 2));
	assert_true(shape_is_base64(SPAN("/w=="), 1, 1));
	assert_false(shape_is_base64(SPAN("AQID"), 4, 9));
	assert_false(shape_is_base64(SPAN("AQID"), 0, 2));
	assert_false(shape_is_base64(SPAN("AQI"), 0, 9));
	assert_false(shape_is_base64(SPAN("AR=="), 0, 9));
	assert_false(shape_is_base64(SPAN("AQJ="), 0, 9));
	assert_false(shape_is_base64(SPAN("===="), 0, 9));
	assert_false(shape_is_base64(SPAN("A==="), 0, 9));
	assert_false(shape_is_base64(SPAN("AQ==AQID"), 0, 9));
	assert_false(shape_is_base64(SPAN("AQ-_"), 0, 9));
}

static void
test_shape_addresses_survive_the_way(void **state)
{
#define ID "0190aaaa-bbbb-7ccc-8ddd-eeeeeeeeeeee"
	static const char *const bad[] = { "", ID ".", ID ".0", ID ".01",
	    ID ".4294967296", ID "/1", ID ".1x", ID " ", ("x" ID),
	    "0190aaaa-bbbb-7ccc-8ddd-eeeeeeeeeee" };
	char text[SHAPE_ADDRESS_MAX];
	struct user_id user;
	uint32_t device;
	size_t n;

	(void)state;
	assert_true(shape_address_decode(SPAN(ID ".4294967295"), &user,
	    &device));
	assert_true(device == SHAPE_U32_MAX);
	n = shape_address_encode(&user, device, text);
	assert_true(span_eq(span_of(text, n), SPAN(ID ".4294967295")));
	assert_true(shape_address_decode(SPAN(ID), &user, &device));
	assert_int_equal(device, 0);
	n = shape_address_encode(&user, 0, text);
	assert_true(span_eq(span_of(text, n), SPAN(ID)));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(shape_address_decode(span_str(bad[i]), &user,
		    &device));
#undef ID
}

static void
test_shape_error_is_json(void **state)
{
	struct shape_error e = { .n = 0 };
	uint8_t out[256];
	struct wr w = wr_init(out, sizeof out);

	(void)state;
	shape_error_encode(&e, &w);
	assert_true(span_eq(wr_done(&w), SPAN("[]")));
	shape_error_add(&e, "a\"b", "is wrong");
	shape_error_add(&e, "c", "too");
	w = wr_init(out, sizeof out);
	shape_error_encode(&e, &w);
	assert_true(span_eq(wr_done(&w), SPAN("[{\"field\":\"a\\\"b\","
	    "\"message\":\"is wrong\"},{\"field\":\"c\",\"message\":\"too\"}]"
	    )));
	for (size_t i = 0; i < 20; i++)
		shape_error_add(&e, "x", "y");
	assert_int_equal(e.n, SHAPE_FAULTS_MAX);
	shape_error_add(NULL, "x", "y");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shape_tables_are_sound),
		cmocka_unit_test(test_shape_requests_are_strict),
		cmocka_unit_test(test_shape_enums_have_names),
		cmocka_unit_test(test_shape_knows_emails),
		cmocka_unit_test(test_shape_knows_classes),
		cmocka_unit_test(test_shape_checks_base64),
		cmocka_unit_test(test_shape_addresses_survive_the_way),
		cmocka_unit_test(test_shape_error_is_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
