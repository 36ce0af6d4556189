/*
 * verifications.c: whom a person has verified: a record that one of their
 * devices signed (pub/verification.h), kept for their other devices. The
 * server can drop one, and can make none up.
 */
#include "crypto/openssl.h"
#include "pub/devlist.h"
#include "pub/verification.h"
#include "server/audit.h"
#include "server/deliver.h"
#include "server/ops.h"
#include "server/ops/listing.h"
#include "server/ops/stream.h"
#include "store/txn.h"

#define VERIFICATIONS_MAX 10000		/* of a person */
#define PAGE_DEFAULT 50
/* A record from further in the future would stand in the way of others. */
#define AHEAD_MS ((uint64_t)48 * 3600 * 1000)

struct verified {
	struct q_device_get_out device;
	struct verification record;
	bool is_changed;
	struct verification_ev ev;
};

enum err
verifications_check(struct call *c)
{
	c->state = ARENA_NEW(&c->arena, struct verified);
	return c->state != NULL ? OK : ERR_TOO_LARGE;
}

static enum err
note(struct call *c, struct txn *t, const struct user_id *peer, bool exists)
{
	struct verified *s = c->state;

	s->ev = (struct verification_ev){ .user_id = *peer,
	    .exists = exists };
	TRY(stream_put(c, t, "verification:changed", &shape_verification_ev,
	    &s->ev, &s->ev.position, &s->ev.prev));
	s->ev.has_position = s->ev.has_prev = true;
	s->is_changed = true;
	return audit_note(c, t, AUDIT_VERIFICATION, &(struct audit_entry){
	    .device = c->who.device });
}

void
verifications_emit(struct call *c)
{
	const struct verified *s = c->state;
	struct deliver_event out;

	if (!s->is_changed)
		return;
	out = deliver_event("verification:changed", &shape_verification_ev,
	    &s->ev);
	deliver_user(c, &c->who.user, &out, s->ev.position, 0);
	deliver_end(&out);
}

/* ---- POST /api/verifications ---- */

enum err
verifications_put_read(struct call *c, struct txn *t)
{
	const struct verification_put_req *in = c->req;
	struct verified *s = c->state;
	struct q_user_stream_out peer;

	TRY(q_user_stream(t, &(struct q_user_stream_in){ in->user_id },
	    &peer));
	return q_device_get(t, &(struct q_device_get_in){ c->who.user,
	    c->who.device }, &s->device);
}

static enum err
check_record(struct call *c, const struct provider *p, struct verified *s)
{
	const struct verification_put_req *in = c->req;
	struct cert *cert = ARENA_NEW(&c->arena, struct cert);
	struct verification *v = &s->record;
	enum err e;

	if (cert == NULL)
		return ERR_TOO_LARGE;
	if (cert_decode(s->device.cert, cert) != OK ||
	    s->device.cert_hash.n != SHA256_LEN)
		return ERR_STORE;
	e = verification_verify(p, in->record, cert, s->device.cert_hash.p,
	    v);
	if (e == ERR_FORBIDDEN)
		return call_fail(c, e, "Another device has signed it");
	if (e == ERR_UNTRUSTED)
		return call_invalid(c, "record",
		    "must name the device's present certificate");
	TRY(e);
	if (!ID_EQ(v->peer, in->user_id) ||
	    !span_eq(SPAN_OF(v->peer_aik_hash), in->key_hash) ||
	    v->method != (in->method == VERIFY_METHOD_NUMBER ?
	    VERIFICATION_NUMBER : VERIFICATION_CODE))
		return call_invalid(c, "record",
		    "must say what the call says");
	if (v->time_ms > c->now_ms + AHEAD_MS)
		return call_invalid(c, "record",
		    "must not be from the future");
	return OK;
}

enum err
verifications_put_work(struct call *c)
{
	struct provider p;
	enum err e;

	TRY(openssl_provider_open(&p));
	e = check_record(c, &p, c->state);
	openssl_provider_close(&p);
	return e;
}

/* Is there one that this does not replace? */
static enum err
check_newer(struct call *c, struct txn *t, bool *is_same_out)
{
	const struct verification_put_req *in = c->req;
	const struct verified *s = c->state;
	struct q_verification_get_out row;
	struct q_verification_count_out all;
	struct verification was;
	enum err e;

	*is_same_out = false;
	e = q_verification_get(t, &(struct q_verification_get_in){
	    c->who.user, in->user_id }, &row);
	if (e == ERR_NOT_FOUND) {
		TRY(q_verification_count(t, &(struct q_verification_count_in){
		    c->who.user }, &all));
		return all.count < VERIFICATIONS_MAX ? OK :
		    call_fail(c, ERR_LIMIT, "There are too many");
	}
	TRY(e);
	*is_same_out = span_eq(row.record, in->record);
	if (*is_same_out)
		return OK;
	if (verification_decode(row.record, &was) != OK)
		return ERR_STORE;
	return verification_replaces(&s->record, &was) ? OK :
	    call_fail(c, ERR_CONFLICT, "There is a newer record");
}

enum err
verifications_put_write(struct call *c, struct txn *t)
{
	const struct verification_put_req *in = c->req;
	struct verified *s = c->state;
	struct q_device_get_out d;
	bool is_same;

	s->is_changed = false;
	/* Session, device or certificate may have gone in between. */
	TRY(listing_speaks(c, t));
	TRY(q_device_get(t, &(struct q_device_get_in){ c->who.user,
	    c->who.device }, &d));
	if (!span_eq(d.cert_hash, s->device.cert_hash))
		return ERR_CONFLICT;
	TRY(check_newer(c, t, &is_same));
	if (is_same)
		return OK;
	TRY(q_verification_put(t, &(struct q_verification_put_in){
	    c->who.user, in->user_id, c->who.device, in->key_hash,
	    span_str(shape_name(&shape_names_verify_method, in->method)),
	    in->record, s->record.time_ms, c->now_ms }, NULL));
	return note(c, t, &in->user_id, true);
}

/* ---- DELETE /api/verifications/:userId ---- */

enum err
verifications_delete_write(struct call *c, struct txn *t)
{
	const struct verification_id_req *in = c->req;
	uint64_t rows;

	((struct verified *)c->state)->is_changed = false;
	TRY(listing_speaks(c, t));
	TRY(q_verification_delete(t, &(struct q_verification_delete_in){
	    c->who.user, in->user_id }, &rows));
	return rows == 0 ? ERR_NOT_FOUND : note(c, t, &in->user_id, false);
}

/* ---- GET /api/verifications ---- */

enum err
verifications_list_check(struct call *c)
{
	const struct list_req *in = c->req;
	struct user_id *after = ARENA_NEW(&c->arena, struct user_id);

	if (after == NULL)
		return ERR_TOO_LARGE;
	c->state = after;
	if (in->has_cursor && !id_decode(in->cursor, after->b))
		return call_invalid(c, "cursor",
		    "must be the nextCursor of an answer");
	return OK;
}

/* The cursor is the last person of the page. */
static enum err
set_cursor(struct call *c, const struct user_id *last)
{
	struct verification_list_rep *out = c->rep;
	char *text = arena_alloc(&c->arena, ID_TEXT_LEN + 1);

	if (text == NULL)
		return ERR_TOO_LARGE;
	id_encode(last->b, text);
	out->next_cursor = span_of(text, ID_TEXT_LEN);
	out->has_next_cursor = true;
	return OK;
}

enum err
verifications_list_read(struct call *c, struct txn *t)
{
	const struct list_req *in = c->req;
	uint32_t limit = in->has_limit ? in->limit : PAGE_DEFAULT;
	struct verification_list_rep *out = c->rep;
	struct q_verification_list_out row;
	struct cursor cu;
	uint32_t method;
	enum err e;

	out->verifications.p = arena_alloc(&c->arena,
	    limit * sizeof(*out->verifications.p));
	if (out->verifications.p == NULL)
		return ERR_TOO_LARGE;
	TRY(q_verification_list_open(t, &(struct q_verification_list_in){
	    c->who.user, *(const struct user_id *)c->state, limit + 1u },
	    &cu));
	while ((e = q_verification_list_next(&cu, &row)) == OK) {
		if (out->verifications.n == limit) {
			query_close(&cu);
			return set_cursor(c,
			    &out->verifications.p[limit - 1].user_id);
		}
		if (!shape_value(&shape_names_verify_method, row.method,
		    &method)) {
			query_close(&cu);
			return ERR_STORE;
		}
		out->verifications.p[out->verifications.n++] =
		    (struct verification_rec){ .user_id = row.peer,
		    .key_hash = row.key_hash,
		    .method = (enum verify_method)method,
		    .record = row.record, .device_id = row.device,
		    .created_at = row.created_at };
	}
	return e == ERR_NOT_FOUND ? OK : e;
}
