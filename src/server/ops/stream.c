/* stream.c: events of a person's own stream. */
#include "server/ops/stream.h"

#include "store/txn.h"

enum err
stream_put(struct call *c, struct txn *t, const char *event,
    const struct shape *shape, const void *payload, uint64_t *position_out,
    uint64_t *prev_out)
{
	struct q_event_insert_in in = { .user = c->who.user,
	    .event = span_str(event), .created_at = c->now_ms };
	struct q_user_stream_out own;

	TRY(shape_encode_arena(shape, payload, &c->arena, &in.data));
	TRY(q_user_stream(t, &(struct q_user_stream_in){ c->who.user },
	    &own));
	in.prev = *prev_out = own.position;
	in.position = *position_out = txn_position(t);
	return q_event_insert(t, &in, NULL);
}
