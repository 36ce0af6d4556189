/*
 * settings.c: a blob that the clients have sealed, and a few flags that the
 * server has to know, since it would tell others otherwise. Both have one
 * version; who changes them names the one that he has seen.
 */
#include "server/ops/settings.h"

#include "server/deliver.h"
#include "server/ops.h"
#include "server/presence.h"
#include "wire/json.h"

#define FLAGS_OF(row) (struct settings_flags_rec){ \
	.read_receipts = (row).read_receipts, .has_read_receipts = true, \
	.delivery_receipts = (row).delivery_receipts, \
	.has_delivery_receipts = true, \
	.typing = (row).typing, .has_typing = true, \
	.presence = (row).presence, .has_presence = true, \
	.last_seen = (row).last_seen, .has_last_seen = true, \
	.searchable = (row).searchable, .has_searchable = true }

static const struct q_settings_get_out defaults = { .read_receipts = true,
	.delivery_receipts = true, .typing = true, .presence = true,
	.last_seen = true, .searchable = true };

enum err
settings_flags(struct call *c, struct txn *t, struct settings_flags_rec *out)
{
	struct q_settings_flags_out row;
	enum err e = q_settings_flags(t, &(struct q_settings_flags_in){
	    c->who.user }, &row);

	if (e != OK && e != ERR_NOT_FOUND)
		return e;
	if (e == OK)
		*out = FLAGS_OF(row);
	else
		*out = FLAGS_OF(defaults);
	return OK;
}

enum err
settings_load(struct call *c, struct txn *t, struct settings_rep *out)
{
	struct q_settings_get_out row;
	enum err e = q_settings_get(t, &(struct q_settings_get_in){
	    c->who.user }, &row);

	if (e == ERR_NOT_FOUND)
		row = defaults;
	else
		TRY(e);
	*out = (struct settings_rep){ .version = row.version,
	    .data = row.data, .has_data = row.data.p != NULL,
	    .flags = FLAGS_OF(row) };
	return OK;
}

enum err
settings_get_read(struct call *c, struct txn *t)
{
	return settings_load(c, t, c->rep);
}

/* ---- PUT /api/settings ---- */

struct change {
	struct settings_ev ev;
	struct presence_state peers;	/* who hear that presence changes */
	bool presence, was_presence;
};

static enum err
refuse(struct call *c, uint64_t version)
{
	struct settings_conflict_rec d = { version };
	struct span json;

	TRY(shape_encode_arena(&shape_settings_conflict_rec, &d, &c->arena,
	    &json));
	return call_conflict(c, ERR_CONFLICT, json);
}

/* What is given replaces what was. */
static void
merge(struct settings_flags_rec *f, const struct settings_flags_rec *in)
{
	if (in->has_read_receipts)
		f->read_receipts = in->read_receipts;
	if (in->has_delivery_receipts)
		f->delivery_receipts = in->delivery_receipts;
	if (in->has_typing)
		f->typing = in->typing;
	if (in->has_presence)
		f->presence = in->presence;
	if (in->has_last_seen)
		f->last_seen = in->last_seen;
	if (in->has_searchable)
		f->searchable = in->searchable;
}

/* settings:changed, in the person's own stream. */
static enum err
add_event(struct call *c, struct txn *t, struct settings_ev *ev)
{
	struct q_event_insert_in in = { .user = c->who.user,
	    .event = SPAN("settings:changed"), .created_at = c->now_ms };
	struct q_user_stream_out own;

	TRY(q_user_stream(t, &(struct q_user_stream_in){ c->who.user }, &own));
	TRY(shape_encode_arena(&shape_settings_ev, ev, &c->arena, &in.data));
	in.prev = own.position;
	in.position = txn_position(t);
	TRY(q_event_insert(t, &in, NULL));
	ev->position = in.position;
	ev->prev = in.prev;
	ev->has_position = ev->has_prev = true;
	return OK;
}

static enum err
store_one(struct call *c, struct txn *t, const struct settings_rep *now)
{
	const struct settings_flags_rec *f = &now->flags;
	struct q_settings_put_in in = { .user = c->who.user,
	    .version = now->version, .data = now->data,
	    .read_receipts = f->read_receipts,
	    .delivery_receipts = f->delivery_receipts, .typing = f->typing,
	    .presence = f->presence, .last_seen = f->last_seen,
	    .searchable = f->searchable, .now = c->now_ms };

	TRY(q_settings_put(t, &in, NULL));
	if (f->last_seen)
		return OK;
	return q_user_seen_drop(t, &(struct q_user_seen_drop_in){
	    c->who.user }, NULL);
}

enum err
settings_put_write(struct call *c, struct txn *t)
{
	const struct settings_put_req *in = c->req;
	struct settings_put_rep *out = c->rep;
	struct change *s = ARENA_NEW(&c->arena, struct change);
	struct settings_rep now;

	if (s == NULL)
		return ERR_TOO_LARGE;
	c->state = s;
	TRY(settings_load(c, t, &now));
	if (in->version != now.version)
		return refuse(c, now.version);
	s->was_presence = now.flags.presence;
	now.version++;
	if (in->has_data)
		now.data = in->data;
	if (in->has_flags)
		merge(&now.flags, &in->flags);
	s->presence = now.flags.presence;
	TRY(store_one(c, t, &now));
	s->ev.version = out->version = now.version;
	if (s->presence != s->was_presence)
		TRY(presence_peers(c, t, PRESENCE_TO_ALL, &s->peers));
	return add_event(c, t, &s->ev);
}

void
settings_put_emit(struct call *c)
{
	const struct change *s = c->state;
	struct deliver_event out = deliver_event("settings:changed",
	    &shape_settings_ev, &s->ev);

	deliver_user(c, &c->who.user, &out, s->ev.position,
	    DELIVER_NOT_SENDER);
	deliver_end(&out);
	/* Who hides is gone, for the others; who shows himself is there. */
	if (s->presence != s->was_presence)
		presence_tell(c, &c->who.user, s->presence ?
		    call_presence_of(c, &c->who.user) : PRESENCE_OFFLINE,
		    s->peers.peers, s->peers.peers_n);
}
