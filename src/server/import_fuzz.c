/*
 * import_fuzz.c: files of accounts. Whatever the bytes are: an accepted row has
 * what it needs; written as a JSON line and read again it is the same.
 */
#include <stdlib.h>

#include "base/fuzz.h"
#include "server/import.h"
#include "wire/json.h"

static uint8_t mem[1 << 20], again[1 << 16];

static void
check(const struct import *im)
{
	struct wr w = wr_init(again, sizeof(again));
	static struct import two;
	struct arena a;

	for (size_t i = 0; i < im->rows_n; i++) {
		const struct import_row *r = &im->rows[i];

		if (r->username.n != r->key.n || r->hash.n != 60 ||
		    r->email.n < 3 || r->line == 0)
			abort();
		wr_u8(&w, '{');
		json_put_name(&w, "username");
		json_put_str(&w, r->username);
		wr_u8(&w, ',');
		json_put_name(&w, "email");
		json_put_str(&w, r->email);
		wr_u8(&w, ',');
		json_put_name(&w, "password_hash");
		json_put_str(&w, r->hash);
		wr_str(&w, "}\n");
	}
	if (!wr_ok(&w))
		return;
	arena_init(&a, mem + sizeof(mem) / 2, sizeof(mem) / 2);
	if (import_read(wr_done(&w), &a, &two) != OK ||
	    two.rows_n != im->rows_n)
		abort();
	for (size_t i = 0; i < im->rows_n; i++)
		if (!span_eq(im->rows[i].username, two.rows[i].username) ||
		    !span_eq(im->rows[i].email, two.rows[i].email) ||
		    !span_eq(im->rows[i].hash, two.rows[i].hash))
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct import im;
	struct arena a;

	arena_init(&a, mem, sizeof(mem) / 2);
	if (import_read(span_of(data, size), &a, &im) == OK)
		check(&im);
	else if (im.faults_n > IMPORT_FAULTS_MAX)
		abort();
	return 0;
}
