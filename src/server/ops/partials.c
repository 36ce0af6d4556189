/*
 * partials.c: events for single devices (docs/api.md, "Chats and messages"):
 * those of a device that was removed. They stand outside the chats' chains of
 * positions, so that nobody misses one that is gone.
 */
#include "server/ops/partials.h"

#include "server/ops/records.h"
#include "store/txn.h"
#include "wire/json.h"

#define KEYS_MAX 100
#define BATCH 64	/* as the query's LIMIT */

struct batch {
	struct q_message_partials_out rows[BATCH];
	size_t n;
};

static enum err
load(struct txn *t, const struct q_message_partials_in *in,
    struct batch *out)
{
	struct cursor cu;
	enum err e;

	out->n = 0;
	TRY(q_message_partials_open(t, in, &cu));
	while (out->n < BATCH &&
	    (e = q_message_partials_next(&cu, &out->rows[out->n])) == OK)
		out->n++;
	if (out->n == BATCH) {
		query_close(&cu);
		return OK;
	}
	return e == ERR_NOT_FOUND ? OK : e;
}

/* The stored object without the entry of that name. */
static enum err
without(struct call *c, struct span text, struct span name,
    struct shape_pair_list *out)
{
	struct json j = json_init(text);
	struct span key, value;

	out->n = 0;
	out->p = arena_alloc(&c->arena, KEYS_MAX * sizeof(*out->p));
	if (out->p == NULL)
		return ERR_TOO_LARGE;
	if (json_object(&j)) {
		while (json_member(&j, &c->arena, &key)) {
			if (!json_string(&j, &c->arena, &value))
				break;
			if (!span_eq(key, name) && out->n < KEYS_MAX)
				out->p[out->n++] = (struct shape_pair){ key,
				    value };
		}
	}
	return json_end(&j) == OK ? OK : ERR_STORE;
}

static enum err
drop_one(struct call *c, struct txn *t,
    const struct q_message_partials_out *row, struct span name)
{
	struct shape_pair_list left;
	struct span json;

	TRY(without(c, row->keys, name, &left));
	if (left.n == 0)
		return q_message_partial_drop(t,
		    &(struct q_message_partial_drop_in){ row->position },
		    NULL);
	TRY(records_keys_encode(&c->arena, &left, &json));
	return q_message_partial_keys(t, &(struct q_message_partial_keys_in){
	    row->position, json }, NULL);
}

enum err
partials_drop(struct call *c, struct txn *t, uint32_t device,
    uint64_t received)
{
	uint8_t pattern[SHAPE_ADDRESS_MAX + 4];
	struct wr w = wr_init(pattern, sizeof(pattern));
	struct q_message_partials_in in = { .user = c->who.user,
	    .after = received };
	char name[SHAPE_ADDRESS_MAX];
	size_t name_n = shape_address_encode(&c->who.user, device, name);
	struct batch *b = ARENA_NEW(&c->arena, struct batch);

	if (b == NULL)
		return ERR_TOO_LARGE;
	/* It narrows the search; what the entry is called decides. */
	wr_str(&w, "%\"");
	wr_span(&w, span_of(name, name_n));
	wr_str(&w, "\"%");
	in.pattern = wr_done(&w);
	do {
		struct arena_mark mark = arena_mark(&c->arena);

		TRY(load(t, &in, b));
		for (size_t i = 0; i < b->n; i++) {
			TRY(drop_one(c, t, &b->rows[i],
			    span_of(name, name_n)));
			in.after = b->rows[i].position;
		}
		arena_reset(&c->arena, mark);
	} while (b->n == BATCH);
	return OK;
}
