/*
 * files_path_test.c: which paths of URLs are names of files (RFC 3986 2.1,
 * RFC 9110 17.3), and the types that their suffixes stand for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "edge/files_private.h"

static const char *
path(const char *raw)
{
	static char out[FILES_PATH_MAX + 1];
	size_t n;

	if (!edge_files_path(span_str(raw), out, &n))
		return "-";
	assert_int_equal(strlen(out), n);
	return out;
}

static void
test_files_path_decodes_once(void **state)
{
	static const char *const rows[][2] = {
		{ "a.txt", "a.txt" }, { "a/b/c", "a/b/c" },
		{ "%61.txt", "a.txt" }, { "a%20b", "a b" }, { "a+b", "a+b" },
		{ "%2561", "%61" }, { "%252e%252e", "%2e%2e" },
		{ "%C3%BC", "\xc3\xbc" }, { "a..b", "a..b" }, { "a.", "a." },
		{ "a%2fb", "a/b" }, { "a%2Fb/c", "a/b/c" },
		{ "a;b=c", "a;b=c" }, { "~", "~" }, { "a:b", "a:b" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_string_equal(path(rows[i][0]), rows[i][1]);
}

static void
test_files_path_refuses(void **state)
{
	static const char *const bad[] = { "", "/", "/a", "a/", "a//b", ".",
	    "..", "./a", "../a", "a/..", "a/../b", "a/.", "a/.b", ".a",
	    "%2e", "%2E%2e", "%2e%2e/a", ".%2e/a", "a/%2e%2e/b", "%2ea",
	    "%2f", "%2fa", "a%2f", "a%2f%2fb", "a%2f..%2fb", "a%2f.b",
	    "..%2fa", "%2e%2e%2Fa", "a/%2fb", "a%5cb", "a\\b", "..%5ca", "a%00",
	    "%00", "a%0ab", "a%7f", "a%", "a%4", "a%zz", "%c0%ae", "%c0%af",
	    "%e0%80%ae", "%f0%80%80%ae", "%ff", "%ed%a0%80", "%80", "\xff",
	    "...", "....//" };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (strcmp(path(bad[i]), "-") != 0)
			fail_msg("accepted: %s", bad[i]);
}

static void
test_files_path_lengths(void **state)
{
	char raw[3 * 256 + 1] = { 0 }, out[FILES_PATH_MAX + 1];
	char deep[1100];
	size_t n;

	(void)state;
	for (size_t i = 0; i < 256; i++)
		memcpy(raw + 3 * i, "%61", 3);
	assert_true(edge_files_path(span_of(raw, 255 * 3), out, &n));
	assert_int_equal(n, 255);
	assert_false(edge_files_path(span_of(raw, 256 * 3), out, &n));
	memset(deep, 'a', sizeof deep);
	for (size_t i = 100; i < sizeof deep; i += 101)
		deep[i] = '/';
	assert_true(edge_files_path(span_of(deep, FILES_PATH_MAX), out, &n));
	assert_int_equal(n, FILES_PATH_MAX);
	assert_false(edge_files_path(span_of(deep, FILES_PATH_MAX + 1), out,
	    &n));
}

static void
test_files_suffix(void **state)
{
	(void)state;
	assert_true(edge_files_has_suffix(SPAN("a.txt")));
	assert_true(edge_files_has_suffix(SPAN("a/b.txt")));
	assert_false(edge_files_has_suffix(SPAN("a.b/c")));
	assert_false(edge_files_has_suffix(SPAN("chats")));
	assert_false(edge_files_has_suffix(SPAN("")));
}

static const char *
type(const char *name)
{
	static char text[80];
	struct span t = edge_files_type(span_str(name));

	snprintf(text, sizeof text, "%.*s", (int)t.n, (const char *)t.p);
	return text;
}

static void
test_files_type(void **state)
{
	static const char octets[] = "application/octet-stream";

	(void)state;
	assert_string_equal(type("a.html"), "text/html; charset=utf-8");
	assert_string_equal(type("d.js/a.CSS"), "text/css; charset=utf-8");
	assert_string_equal(type("a.min.js"),
	    "text/javascript; charset=utf-8");
	assert_string_equal(type("a.wasm"), "application/wasm");
	assert_string_equal(type("a.woff2"), "font/woff2");
	assert_string_equal(type("a.woff3"), octets);
	assert_string_equal(type("a.bin"), octets);
	assert_string_equal(type("html"), octets);
	assert_string_equal(type("d.html/a"), octets);
	assert_string_equal(type("a."), octets);
	assert_string_equal(type(""), octets);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files_path_decodes_once),
		cmocka_unit_test(test_files_path_refuses),
		cmocka_unit_test(test_files_path_lengths),
		cmocka_unit_test(test_files_suffix),
		cmocka_unit_test(test_files_type),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
