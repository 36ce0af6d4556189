/*
 * range_fuzz.c: the fields of a request for a file: Range, Accept-Encoding,
 * entity-tag lists, dates. Laws: ranges that are accepted lie within, are
 * apart, and survive being written and read again; of Accept-Encoding it does
 * not matter in how many fields a list comes; a tag is found in a list that
 * has it added; a date that was read is written and read as the same.
 */
#include <assert.h>
#include <stdio.h>

#include "base/fuzz.h"
#include "wire/accept.h"
#include "wire/date.h"
#include "wire/etag.h"
#include "wire/range.h"

#define MAX 16

static void
ranges(struct span in, uint64_t size)
{
	struct range r[MAX], again[MAX];
	size_t n = 0, k = 0;
	char text[1024];
	struct wr w = wr_init(text, sizeof text);

	if (range_parse(in, size, MAX, r, &n) != RANGE_SOME)
		return;
	assert(n >= 1);
	assert(n <= MAX);
	wr_str(&w, "bytes=");
	for (size_t i = 0; i < n; i++) {
		assert(r[i].n > 0);
		assert(r[i].at < size);
		assert(r[i].n <= size - r[i].at);
		for (size_t j = 0; j < i; j++)
			assert(r[i].at > r[j].at + r[j].n ||
			    r[j].at > r[i].at + r[i].n);
		wr_str(&w, i > 0 ? ", " : "");
		wr_dec(&w, r[i].at);
		wr_str(&w, "-");
		wr_dec(&w, r[i].at + (r[i].n - 1));
	}
	assert(wr_ok(&w));
	assert(range_parse(wr_done(&w), size, MAX, again, &k) == RANGE_SOME);
	assert(k == n);
	assert(memcmp(r, again, n * sizeof r[0]) == 0);
}

static void
codings(struct span in)
{
	struct accept whole, cut;

	accept_init(&whole);
	accept_add(&whole, in);
	accept_end(&whole);
	accept_init(&cut);
	for (size_t at = 0; at < in.n;) {
		struct span rest = span_sub(in, at, in.n);
		size_t comma = span_find(rest, ',');

		accept_add(&cut, span_sub(rest, 0, comma));
		at += comma + 1;
	}
	accept_end(&cut);
	for (unsigned have = 0; have < 1u << ACCEPT_CODINGS; have++) {
		int best = accept_best(&whole, have);

		assert(best == accept_best(&cut, have));
		assert(best < 0 || (have & 1u << best) != 0);
	}
}

static void
tags(struct span in)
{
	const struct span ours = SPAN("\"ours\"");
	char text[4200];
	struct wr w = wr_init(text, sizeof text);

	/* What is found strongly is found weakly. */
	assert(!etag_in(in, ours, false) || etag_in(in, ours, true));
	wr_str(&w, "\"ours\", ");
	wr_span(&w, in);
	assert(wr_ok(&w));
	assert(etag_in(wr_done(&w), ours, false));
}

static void
dates(struct span in)
{
	char text[64];
	struct wr w = wr_init(text, sizeof text);
	uint64_t t, again;

	if (!date_decode(in, 1795258131, &t))
		return;
	assert(t < (uint64_t)10000 * 366 * 86400);
	http_put_date(&w, "D", t * 1000);
	assert(wr_ok(&w));
	assert(date_decode(span_sub(wr_done(&w), 3, w.n - 5), 0, &again));
	assert(again == t);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, size);

	if (size < 2 || size > 4096)
		return 0;
	ranges(span_sub(in, 1, in.n), data[0] < 200 ? data[0] :
	    (uint64_t)1 << (data[0] - 192));
	ranges(span_sub(in, 1, in.n), UINT64_MAX);
	codings(in);
	tags(in);
	dates(in);
	return 0;
}
