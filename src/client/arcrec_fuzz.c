/*
 * arcrec_fuzz.c: records of an archive, of whatever bytes. Laws: (1) what is
 * refused changes no record of the profile. (2) Taking in a record a second
 * time changes nothing of what is shown; what was taken survives being made
 * into a record of an archive and taken in elsewhere.
 *
 * Input: u8 kind | the record.
 */
#include "base/fuzz.h"

#include "client/arcrec.h"
#include "client/test_world.h"

static struct fake *world;

static void
open_side(struct fake_store *store, struct client *c, struct arena *a,
    struct step *s)
{
	struct client_host host = { store, fake_load, fake_seek };

	client_init(c, &world->pv, &host, CLIENT_LISTEN);
	arena_init(a, world->mem, 4u << 20);
	if (step_init(s, c, a, world->now, true) != OK)
		abort();
	s->m.user = world->node[0].user;
}

/* Each record that the step holds, made and taken in once more. */
static void
take_again(struct step *s)
{
	const struct arcrec_what what = { 0, true };
	struct arcrec_count n = { 0 };
	size_t i, w, dirty = s->r.dirty_n;

	for (i = 0; i < s->r.n; i++) {
		struct rec_entry e = s->r.e[i];
		struct wr out;
		uint8_t kind;

		for (w = 0; arcrec_walk[w] != 0; w++)
			if (arcrec_walk[w] == e.kind)
				break;
		if (arcrec_walk[w] == 0 || !e.present)
			continue;
		if (step_wr(s, e.key.n + e.value.n + 128, &out) != OK ||
		    arcrec_make(s, e.kind, e.key, e.value, &what, &out,
		    &kind) != OK)
			abort();
		if (kind != 0 && arcrec_take(s, kind, wr_done(&out), true,
		    &n) != OK)
			abort();
	}
	if (s->r.dirty_n != dirty)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fake_store store = { NULL, 0, 0 };
	struct arcrec_count n = { 0 };
	struct client c;
	struct arena a;
	static struct step s;
	struct span bytes;
	enum err err;

	if (world == NULL)
		world = fake_new(8);
	if (size < 1 || size > 65536)
		return 0;
	bytes = span_of(data + 1, size - 1);
	open_side(&store, &c, &a, &s);
	err = arcrec_take(&s, data[0], bytes, true, &n);
	if (step_is_fatal(err))
		abort();
	if (err != OK && s.r.dirty_n != 0)
		abort();
	if (err == OK)
		take_again(&s);
	step_fini(&s);
	return 0;
}
