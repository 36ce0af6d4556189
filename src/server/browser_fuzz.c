/*
 * browser_fuzz.c: the field Cookie. What is found lies within the field, behind
 * its name; a second reader, of another make, finds the same; and what stands
 * behind the cookie does not change it.
 */
#include <stdlib.h>

#include "base/fuzz.h"
#include "server/browser.h"

/* Byte by byte: 0 before a pair, 1 in a name that fits so far, 2 in a value, 3
 * in another pair. */
static struct span
second(struct span all, struct span name)
{
	size_t state = 0, k = 0, from = 0;

	for (size_t i = 0; i <= all.n; i++) {
		uint8_t c = i < all.n ? all.p[i] : ';';

		if (state == 0 && c == ' ')
			continue;
		if (state == 2 && c == ';')
			return span_sub(all, from, i - from);
		if (state == 2)
			continue;
		if (c == ';') {
			state = k = 0;
			continue;
		}
		if (state == 3)
			continue;
		state = 1;
		if (k == name.n && c == '=') {
			state = 2;
			from = i + 1;
		} else if (k < name.n && c == name.p[k]) {
			k++;
		} else {
			state = 3;
		}
	}
	return SPAN("");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "nj_refresh", "nj_csrf", "a" };
	struct span all = span_of(data, size);

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct span name = span_str(names[i]);
		struct span got = browser_cookie(all, name);

		if (!span_eq(got, second(all, name)))
			abort();
		if (got.n == 0)
			continue;
		if (got.p < data || got.n > size ||
		    got.p + got.n > data + size ||
		    span_find(got, ';') != got.n)
			abort();
		/* Cut behind the value, or with the next one left out. */
		size_t end = (size_t)(got.p - data) + got.n;
		if (!span_eq(browser_cookie(span_of(data, end), name), got))
			abort();
	}
	return 0;
}
