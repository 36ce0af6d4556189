/*
 * json_fuzz.c: laws of the JSON reader and writer. (1) What is taken is what
 * yyjson takes (nesting apart, which only we limit). (2) A string that was
 * read, written and read again is the same.
 */
#include "base/fuzz.h"

#include <stdlib.h>

#include <yyjson.h>

#include "wire/json.h"

static uint8_t mem[1 << 16], mem2[1 << 16], out[1 << 18];

static void
check_string(struct span text)
{
	struct json j = json_init(text), k;
	struct wr w = wr_init(out, sizeof out);
	struct arena a, b;
	struct span s, t;

	arena_init(&a, mem, sizeof mem);
	arena_init(&b, mem2, sizeof mem2);
	if (!json_string(&j, &a, &s))
		return;
	json_put_str(&w, s);
	if (!wr_ok(&w) || w.n != json_put_len(s))
		abort();
	k = json_init(wr_done(&w));
	if (!json_string(&k, &b, &t) || json_end(&k) != OK || !span_eq(s, t))
		abort();
}

static size_t
most_open(struct span s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] == '[' || s.p[i] == '{';
	return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = span_of(data, size);
	enum err e;
	yyjson_doc *doc;

	if (size > 8192)
		return 0;
	e = json_check(text);
	doc = yyjson_read((const char *)data, size,
	    YYJSON_READ_NUMBER_AS_RAW);
	if ((e == OK) != (doc != NULL) && (e == OK ||
	    most_open(text) <= JSON_DEPTH_MAX))
		abort();
	yyjson_doc_free(doc);
	check_string(text);
	(void)json_find(text, SPAN("a"));
	return 0;
}
