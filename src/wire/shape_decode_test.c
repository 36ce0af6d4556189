/*
 * shape_decode_test.c: records read from JSON and from parameters: limits,
 * names of what is wrong, and that nothing is left behind of a bad one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "wire/shapes.h"

static uint8_t mem[1 << 18];
static struct arena arena;
static struct shape_error err;
static union {
	struct register_req reg;
	struct msg_send_req send;
	struct prekey_bundles_req bundles;
	struct user_devices_req devices;
	struct history_req history;
	struct chat_create_req create;
	struct sync_rep sync;
	struct device_bind_req bind;
	struct devices_changed_rec changed;
	struct me_rep me;
	struct presence_set_req presence;
	struct refresh_req refresh;
	uint8_t bytes[4096];
} out;

static enum err
decode(const struct shape *s, const char *text)
{
	arena_init(&arena, mem, sizeof mem);
	memset(&out, 0xa5, sizeof out);
	return shape_decode(s, span_str(text), &arena, &out, &err);
}

/* A fault of that field with that message, whichever other ones there are. */
static void
expect_fault(const char *field, const char *message)
{
	for (uint32_t i = 0; i < err.n; i++)
		if (strcmp(err.fault[i].field, field) == 0 &&
		    strcmp(err.fault[i].message, message) == 0)
			return;
	for (uint32_t i = 0; i < err.n; i++)
		print_message("%s: %s\n", err.fault[i].field,
		    err.fault[i].message);
	fail_msg("no fault %s: %s", field, message);
}

static void
expect_one(const struct shape *s, const char *text, const char *field,
    const char *message)
{
	assert_int_equal(decode(s, text), ERR_VALIDATION);
	if (err.n != 1)
		print_message("for %s\n", text);
	expect_fault(field, message);
	assert_int_equal(err.n, 1);
	for (uint32_t i = 0; i < s->size; i++)
		assert_int_equal(out.bytes[i], 0);
}

#define REG(more) "{\"username\":\"alice\",\"email\":\"a@b.de\"," \
	"\"password\":\"Abcdef1!\"" more "}"
#define UUID "0190aaaa-bbbb-7ccc-8ddd-eeeeeeeeeeee"

static void
test_shape_decode_fills_records(void **state)
{
	(void)state;
	assert_int_equal(decode(&shape_register_req, REG("")), OK);
	assert_true(span_eq(out.reg.username, SPAN("alice")));
	assert_false(out.reg.has_device);
	assert_false(out.reg.has_cookie);
	assert_int_equal(decode(&shape_register_req,
	    "{\"cookie\":false,\"password\":\"\\u00e4bcdefg\",\"email\":"
	    "\"a@b\",\"device\":{\"name\":\"Laptop\"},"
	    "\"inviteCode\":null,\"username\":\"a_1\"}"), OK);
	assert_true(out.reg.has_cookie && !out.reg.cookie);
	assert_true(span_eq(out.reg.device.name, SPAN("Laptop")));
	assert_false(out.reg.has_invite_code);
	assert_true(span_eq(out.reg.password, SPAN("\xc3\xa4" "bcdefg")));
}

static void
test_shape_decode_fills_every_kind(void **state)
{
	(void)state;
	assert_int_equal(decode(&shape_msg_send_req, "{\"chatId\":\"" UUID
	    "\",\"suite\":\"ratchet\",\"encryptedContent\":\"abc\","
	    "\"encryptedKeys\":{\"x.1\":\"k1\",\"x.2\":\"k2\"},\"iv\":\"\","
	    "\"messageType\":\"event\",\"metadata\":{\"relatesTo\":\"" UUID
	    "\",\"mentions\":[\"" UUID "\"],\"fileSize\":9007199254740991,"
	    "\"hybrid\":{\"a\":[1]}},\"sentAt\":\"2026-11-21T09:08:51.123Z\""
	    "}"), OK);
	assert_true(out.send.has_chat_id && out.send.chat_id.b[0] == 1 &&
	    out.send.chat_id.b[1] == 0x90);
	assert_int_equal(out.send.suite, MSG_SUITE_RATCHET);
	assert_int_equal(out.send.encrypted_keys.n, 2);
	assert_true(span_eq(out.send.encrypted_keys.p[1].name, SPAN("x.2")));
	assert_true(span_eq(out.send.encrypted_keys.p[1].value, SPAN("k2")));
	assert_int_equal(out.send.message_type, MSG_TYPE_EVENT);
	assert_int_equal(out.send.metadata.mentions.n, 1);
	assert_true(out.send.metadata.file_size == SHAPE_U53_MAX);
	assert_true(span_eq(out.send.metadata.hybrid, SPAN("{\"a\":[1]}")));
	assert_true(out.send.sent_at == 1795252131123ULL);
	assert_true(out.send.has_iv && out.send.iv.n == 0);
	assert_int_equal(decode(&shape_devices_changed_rec,
	    "{\"missing\":[],\"extra\":[\"x\"],\"listVersions\":{\"u\":7}}"),
	    OK);
	assert_int_equal(out.changed.list_versions.p[0].value, 7);
	assert_true(span_eq(out.changed.extra.p[0], SPAN("x")));
}

static void
test_shape_decode_names_what_is_wrong(void **state)
{
	(void)state;
	expect_one(&shape_register_req, "{\"username\":\"al\",\"email\":"
	    "\"a@b.de\",\"password\":\"Abcdef1!\"}", "username",
	    "must be a string of 3 to 30 characters of A-Z, a-z, 0-9 and _");
	expect_one(&shape_register_req, "{\"username\":\"alice\",\"email\":"
	    "\"a@b.de\"}", "password", "is required");
	expect_one(&shape_register_req, REG(",\"cookie\":1"), "cookie",
	    "must be true or false");
	expect_one(&shape_register_req, REG(",\"device\":\"x\""), "device",
	    "must be an object");
	expect_one(&shape_register_req, REG(",\"device\":{}"), "device.name",
	    "is required");
	expect_one(&shape_register_req, REG(",\"device\":{\"name\":\"a\\nb\"}"
	    ), "device.name", "must be a string of 1 to 64 characters, "
	    "without control characters or outer spaces");
	expect_one(&shape_history_req, "{\"chatId\":\"x\"}", "chatId",
	    "must be a UUID");
	expect_one(&shape_history_req, "{\"chatId\":\"" UUID "\","
	    "\"limit\":101}", "limit", "must be an integer from 1 to 100");
	expect_one(&shape_history_req, "{\"chatId\":\"" UUID "\","
	    "\"limit\":1.5}", "limit", "must be an integer from 1 to 100");
	expect_one(&shape_history_req, "{\"chatId\":\"" UUID "\","
	    "\"after\":-1}", "after",
	    "must be an integer from 0 to 9007199254740991");
	expect_one(&shape_presence_set_req, "{\"status\":\"offline\"}",
	    "status", "must be one of online, away");
	expect_one(&shape_presence_set_req, "{\"status\":1}", "status",
	    "must be one of online, away");
	expect_one(&shape_presence_set_req, "[]", "", "must be a JSON object");
}

/* api: a typo must not be lost silently; a member stands once. */
static void
test_shape_decode_refuses_unknown_and_repeated(void **state)
{
	(void)state;
	expect_one(&shape_register_req, REG(",\"cooky\":true"), "cooky",
	    "is not known here");
	expect_one(&shape_register_req, REG(",\"device\":{\"name\":\"a\","
	    "\"id\":[{}]}"), "device.id", "is not known here");
	expect_one(&shape_register_req, REG(",\"\":1"), "\"\"",
	    "is not known here");
	expect_one(&shape_register_req, REG(",\"username\":\"bob\""),
	    "username", "is given twice");
	expect_one(&shape_register_req, REG(",\"cookie\":null,\"cookie\":"
	    "true"), "cookie", "is given twice");
	expect_one(&shape_register_req, REG(",\"user\\u006eame\":\"bob\""),
	    "username", "is given twice");
	/* Answers may grow: clients pass over what they do not know. */
	assert_int_equal(decode(&shape_sync_rep, "{\"new\":[{}],\"events\":"
	    "[{\"x\":1,\"position\":2,\"prev\":1,\"event\":\"e\",\"data\":"
	    "[1 , 2]}],\"position\":2,\"more\":false}"), OK);
	assert_int_equal(out.sync.events.n, 1);
	assert_true(span_eq(out.sync.events.p[0].data, SPAN("[1 , 2]")));
}

static void
test_shape_decode_collects_faults(void **state)
{
	(void)state;
	assert_int_equal(decode(&shape_register_req, "{\"username\":\"\","
	    "\"email\":\"x\",\"password\":[{\"a\":1}],\"a\":1}"),
	    ERR_VALIDATION);
	assert_int_equal(err.n, 4);
	assert_int_equal(decode(&shape_register_req, "{\"a\":1,\"b\":1,"
	    "\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":1}"),
	    ERR_VALIDATION);
	assert_int_equal(err.n, SHAPE_FAULTS_MAX);
	expect_fault("h", "is not known here");
	/* Without a place for them, the answer is the same. */
	assert_int_equal(shape_decode(&shape_register_req, SPAN("{}"),
	    &arena, &out, NULL), ERR_VALIDATION);
	/* A name is cut between characters. */
	assert_int_equal(decode(&shape_presence_set_req, "{\"status\":"
	    "\"away\",\"0123456789012345678901234567890123456789012345678901"
	    "2345678901\xc3\xa4\xc3\xa4\":1}"), ERR_VALIDATION);
	assert_int_equal(strlen(err.fault[0].field), 62);
}

static void
test_shape_decode_says_where_json_breaks(void **state)
{
	static const char *const bad[] = { "", " ", "{", "{\"username\":}",
	    "{\"username\":\"a", "{\"username\":\"\xff\"}", "{}}", "nul",
	    "{\"x\":[1,}", "{\"username\":\"alice\"} x" };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_int_equal(decode(&shape_register_req, bad[i]),
		    ERR_BAD_REQUEST);
		assert_int_equal(err.n, 1);
		assert_string_equal(err.fault[0].field, "");
		assert_non_null(strstr(err.fault[0].message, "is not JSON"));
	}
	assert_int_equal(decode(&shape_register_req, "{\"username\":1x}"),
	    ERR_BAD_REQUEST);
	assert_string_equal(err.fault[0].message,
	    "is not JSON: expected , or } at byte 13");
}

static void
test_shape_decode_limits_lists(void **state)
{
	char text[64 + 17 * 4];
	size_t n;

	(void)state;
	expect_one(&shape_prekey_bundles_req, "{\"id\":\"" UUID
	    "\",\"deviceIds\":[]}", "deviceIds",
	    "must be a list of 1 to 16 entries");
	expect_one(&shape_prekey_bundles_req, "{\"id\":\"" UUID
	    "\",\"deviceIds\":[1,\"2\",3]}", "deviceIds[1]",
	    "must be an integer from 0 to 4294967295");
	expect_one(&shape_prekey_bundles_req, "{\"id\":\"" UUID
	    "\",\"deviceIds\":{}}", "deviceIds",
	    "must be a list of 1 to 16 entries");
	expect_one(&shape_chat_create_req, "{\"type\":\"group\","
	    "\"memberIds\":[\"" UUID "\",\"" UUID "\",\"x\"]}",
	    "memberIds[2]", "must be a UUID");
	expect_one(&shape_prekey_bundles_req, "{\"id\":\"" UUID
	    "\",\"known\":[\"AAAA\"]}", "known[0]",
	    "must be base64 of 32 bytes");
	n = (size_t)snprintf(text, sizeof text, "{\"id\":\"" UUID
	    "\",\"deviceIds\":[1");
	for (size_t i = 0; i < 15; i++)
		memcpy(&text[n + 2 * i], ",2", 2);
	memcpy(&text[n + 30], "]}", 3);
	assert_int_equal(decode(&shape_prekey_bundles_req, text), OK);
	assert_int_equal(out.bundles.device_ids.n, 16);
	memcpy(&text[n + 30], ",3]}", 5);
	expect_one(&shape_prekey_bundles_req, text, "deviceIds",
	    "must be a list of 1 to 16 entries");
}

static void
test_shape_decode_limits_maps(void **state)
{
#define SEND(keys) "{\"encryptedContent\":\"x\",\"encryptedKeys\":" keys "}"
	(void)state;
	assert_int_equal(decode(&shape_msg_send_req, SEND("{}")), OK);
	expect_one(&shape_msg_send_req, SEND("{\"a\":\"1\",\"a\":\"2\"}"),
	    "encryptedKeys.a", "is given twice");
	expect_one(&shape_msg_send_req, SEND("{\"\":\"1\"}"),
	    "encryptedKeys", "is not a valid name here");
	expect_one(&shape_msg_send_req, SEND("{\"a\":1}"),
	    "encryptedKeys.a", "must be a string of 0 to 4096 bytes");
	expect_one(&shape_msg_send_req, SEND("[]"), "encryptedKeys",
	    "must be an object of 0 to 100 members");
	expect_one(&shape_devices_changed_rec, "{\"missing\":[],\"extra\":[],"
	    "\"listVersions\":{\"a\":\"1\"}}", "listVersions.a",
	    "must be an integer from 0 to 9007199254740991");
#undef SEND
}

/* 100,000 characters, not bytes; and not one more. */
static void
test_shape_decode_counts_characters(void **state)
{
	static char text[300100];
	size_t n;

	(void)state;
	n = (size_t)snprintf(text, sizeof text, "{\"encryptedContent\":\"");
	for (size_t i = 0; i < 100000; i++)
		memcpy(&text[n + 2 * i], "\xc3\xa4", 2);
	memcpy(&text[n + 200000], "\"}", 3);
	assert_int_equal(decode(&shape_msg_send_req, text), OK);
	assert_int_equal(out.send.encrypted_content.n, 200000);
	memcpy(&text[n + 200000], "x\"}", 4);
	expect_one(&shape_msg_send_req, text, "encryptedContent",
	    "must be a string of 1 to 100000 characters");
	expect_one(&shape_msg_send_req, "{\"encryptedContent\":\"\"}",
	    "encryptedContent", "must be a string of 1 to 100000 characters");
	/* No store takes U+0000 in text. */
	expect_one(&shape_msg_send_req, "{\"encryptedContent\":\"a\\u0000\"}",
	    "encryptedContent", "must be a string of 1 to 100000 characters");
	expect_one(&shape_register_req, "{\"username\":\"alice\",\"email\":"
	    "\"a@b\",\"password\":\"Abcdef1!\\u0000\"}", "password",
	    "must be a string of 8 to 1024 bytes");
}

/* RFC 4648 4: strict, of exactly that many bytes. */
static void
test_shape_decode_checks_base64(void **state)
{
	static char text[6000];
	size_t n;

	(void)state;
	n = (size_t)snprintf(text, sizeof text,
	    "{\"deviceId\":1,\"proof\":\"");
	memset(&text[n], 'A', 4500);
	memcpy(&text[n + 4497], "A==\"}", 6);	/* 1124 * 3 + 1 = 3373 */
	assert_int_equal(decode(&shape_device_bind_req, text), OK);
	assert_int_equal(out.bind.proof.n, 3373);
	text[n + 4497] = 'B';			/* unused bits not zero */
	expect_one(&shape_device_bind_req, text, "proof",
	    "must be base64 of 3373 bytes");
	memcpy(&text[n + 4497], "AA=\"}", 6);	/* one byte more */
	expect_one(&shape_device_bind_req, text, "proof",
	    "must be base64 of 3373 bytes");
	text[n] = '-';
	expect_one(&shape_device_bind_req, text, "proof",
	    "must be base64 of 3373 bytes");
}

static void
test_shape_decode_says_when_the_arena_is_full(void **state)
{
	static const char *const texts[] = {
	    "{\"id\":\"" UUID "\",\"deviceIds\":[1,2]}",
	    "{\"id\":\"" UUID "\",\"known\":"
	    "[\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"]}",
	    "{\"i\\u0064\":\"" UUID "\"}" };

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		arena_init(&arena, mem, 4);
		assert_int_equal(shape_decode(&shape_prekey_bundles_req,
		    span_str(texts[i]), &arena, &out, &err), ERR_TOO_LARGE);
		arena_init(&arena, mem, sizeof mem);
		assert_int_equal(shape_decode(&shape_prekey_bundles_req,
		    span_str(texts[i]), &arena, &out, &err), OK);
	}
}

static enum err
params(const struct shape *s, const struct shape_param *p, size_t n,
    const char *json)
{
	arena_init(&arena, mem, sizeof mem);
	return shape_decode_call(s, p, n, span_str(json), &arena, &out, &err);
}

static void
test_shape_decode_takes_parameters(void **state)
{
	struct shape_param p[3] = { { SPAN("chatId"), SPAN(UUID) },
	    { SPAN("limit"), SPAN("7") }, { SPAN("cursor"), SPAN("abc") } };

	(void)state;
	assert_int_equal(params(&shape_history_req, p, 3, ""), OK);
	assert_true(out.history.has_limit && out.history.limit == 7);
	assert_true(span_eq(out.history.cursor, SPAN("abc")));
	assert_int_equal(params(&shape_history_req, p, 1, "{\"after\":5}"),
	    OK);
	assert_true(out.history.has_after && out.history.after == 5);
	/* In two places at once; unknown; missing; malformed. */
	assert_int_equal(params(&shape_history_req, p, 2, "{\"limit\":5}"),
	    ERR_VALIDATION);
	expect_fault("limit", "is given twice");
	p[2] = p[1];
	assert_int_equal(params(&shape_history_req, p, 3, ""),
	    ERR_VALIDATION);
	expect_fault("limit", "is given twice");
	p[2].name = SPAN("limt");
	assert_int_equal(params(&shape_history_req, p, 3, ""),
	    ERR_VALIDATION);
	expect_fault("limt", "is not known here");
	assert_int_equal(params(&shape_history_req, &p[1], 1, ""),
	    ERR_VALIDATION);
	expect_fault("chatId", "is required");
	p[1].value = SPAN("07");
	assert_int_equal(params(&shape_history_req, p, 2, ""),
	    ERR_VALIDATION);
	expect_fault("limit", "must be an integer from 1 to 100");
	assert_int_equal(params(&shape_none, NULL, 0, ""), OK);
	assert_int_equal(params(&shape_none, NULL, 0, "{}"), OK);
	assert_int_equal(params(&shape_none, p, 1, ""), ERR_VALIDATION);
	assert_int_equal(params(&shape_none, NULL, 0, "{\"a\":1}"),
	    ERR_VALIDATION);
}

static void
test_shape_decode_takes_lists_of_parameters(void **state)
{
	struct shape_param p[2] = { { SPAN("id"), SPAN(UUID) },
	    { SPAN("known"), SPAN("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	    ",//////////////////////////////////////////8=") } };

	(void)state;
	assert_int_equal(params(&shape_user_devices_req, p, 2, ""), OK);
	assert_int_equal(out.devices.known.n, 2);
	assert_int_equal(out.devices.known.p[1].p[31], 0xff);
	p[1].value = SPAN("");
	assert_int_equal(params(&shape_user_devices_req, p, 2, ""), OK);
	assert_int_equal(out.devices.known.n, 0);
	p[1].value = SPAN(",");
	assert_int_equal(params(&shape_user_devices_req, p, 2, ""),
	    ERR_VALIDATION);
	p[1] = (struct shape_param){ SPAN("deviceIds"), SPAN("1,22,333") };
	assert_int_equal(params(&shape_prekey_bundles_req, p, 2, ""), OK);
	assert_int_equal(out.bundles.device_ids.p[2], 333);
	p[1].value = SPAN("1,,2");
	assert_int_equal(params(&shape_prekey_bundles_req, p, 2, ""),
	    ERR_VALIDATION);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shape_decode_fills_records),
		cmocka_unit_test(test_shape_decode_fills_every_kind),
		cmocka_unit_test(test_shape_decode_names_what_is_wrong),
		cmocka_unit_test(
		    test_shape_decode_refuses_unknown_and_repeated),
		cmocka_unit_test(test_shape_decode_collects_faults),
		cmocka_unit_test(test_shape_decode_says_where_json_breaks),
		cmocka_unit_test(test_shape_decode_limits_lists),
		cmocka_unit_test(test_shape_decode_limits_maps),
		cmocka_unit_test(test_shape_decode_counts_characters),
		cmocka_unit_test(test_shape_decode_checks_base64),
		cmocka_unit_test(
		    test_shape_decode_says_when_the_arena_is_full),
		cmocka_unit_test(test_shape_decode_takes_parameters),
		cmocka_unit_test(test_shape_decode_takes_lists_of_parameters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
