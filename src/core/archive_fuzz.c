/*
 * archive_fuzz.c: chunks and the records in them: what is read is what
 * archive_add would write, and no changed chunk opens.
 */
#include <stdlib.h>

#include "base/fuzz.h"
#include "core/archive.h"
#include "crypto/openssl.h"

static struct provider p;
static struct archive a;
static uint8_t good[ARCHIVE_CHUNK_MAX], plain[ARCHIVE_PLAIN_LEN];
static size_t good_n;

static void
start(void)
{
	struct archive_key key = { { 1 } };
	struct user_id me = { { 2 } };
	struct archive_writer w;

	archive_begin(&w, plain);
	if (openssl_provider_open(&p) != OK ||
	    archive_init(&a, &p, &key, &me) != OK ||
	    archive_add(&w, 3, SPAN("genuine")) != OK ||
	    archive_seal(&a, 1, true, &w, good, &good_n) != OK)
		abort();
}

/* Read, written again, the same. */
static void
check_records(struct span in)
{
	static uint8_t mem[ARCHIVE_PLAIN_LEN];
	struct archive_reader r = archive_read(in);
	struct archive_writer w;
	struct span bytes;
	uint8_t kind;

	archive_begin(&w, mem);
	while (archive_next(&r, &kind, &bytes))
		if (archive_add(&w, kind, bytes) != OK)
			abort();
	if (archive_end(&r) == OK && in.n <= sizeof(mem) &&
	    !span_eq(span_sub(in, 0, w.w.n), wr_done(&w.w)))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, size);
	static uint8_t changed[ARCHIVE_CHUNK_MAX];
	struct archive_head head;
	size_t n;
	bool last;

	if (p.random == NULL)
		start();
	if (size <= ARCHIVE_PLAIN_LEN)
		check_records(in);
	if (archive_peek(in, &head) == OK && size <= ARCHIVE_CHUNK_MAX)
		(void)!archive_open(&a, head.index, in, plain, &n, &last);
	memcpy(changed, good, good_n);
	for (size_t i = 0; i + 2 < size && i < 60; i += 3)
		changed[(size_t)(data[i] << 8 | data[i + 1]) % good_n] ^=
		    data[i + 2];
	if ((archive_open(&a, 1, span_of(changed, good_n), plain, &n, &last)
	    == OK) != (memcmp(changed, good, good_n) == 0))
		abort();
	return 0;
}
