/*
 * cause.c: see cause.h.
 */
#include "client/cause.h"

enum err
cause_count(struct step *s, const char *what, enum err e)
{
	struct rec_key k = rec_key();
	const char *name = err_name(e);
	struct span value;
	uint8_t b[16];
	struct wr w = wr_init(b, sizeof(b));
	uint64_t n = 0;
	enum err err;
	size_t i;

	rec_key_bytes(&k, span_str(what));
	if (e != OK)
		rec_key_u8(&k, '_');
	for (i = 0; e != OK && name[i] != '\0'; i++)
		rec_key_u8(&k, (uint8_t)(name[i] >= 'A' && name[i] <= 'Z' ?
		    name[i] + ('a' - 'A') : name[i]));
	err = rec_get(&s->r, REC_CAUSE, rec_key_span(&k), &value);
	if (err == OK) {
		struct rd r = rd_init(value);

		n = rd_u64(&r);
	} else if (err != ERR_NOT_FOUND) {
		return err;
	}
	wr_u64(&w, n + 1);
	wr_u64(&w, s->now);
	return rec_put(&s->r, REC_CAUSE, rec_key_span(&k), wr_done(&w));
}
