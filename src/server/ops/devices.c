/*
 * devices.c: an account's signed device list with its certificates, as others
 * read it; what its owner calls a device; which device a login session speaks
 * for. How lists change: listing.c.
 */
#include "crypto/openssl.h"
#include "pub/rotate.h"
#include "server/audit.h"
#include "server/ops.h"
#include "server/ops/listing.h"
#include "store/txn.h"

#define ROTATIONS_MAX ROTATE_CHAIN_MAX
/* u8 1 | session | account | u32 device (docs/protocol.md, "Devices"). */
#define BIND_LEN (1 + ID_LEN + ID_LEN + 4)

/* ---- GET /api/users/:id/devices ---- */

static bool
is_known(const struct span_list *known, struct span hash)
{
	for (size_t i = 0; i < known->n; i++)
		if (span_eq(known->p[i], hash))
			return true;
	return false;
}

/* How the account key was renewed, the oldest first. */
static enum err
load_rotations(struct call *c, struct txn *t, const struct user_id *user,
    struct span_list *out)
{
	struct span newest_first[ROTATIONS_MAX];
	struct q_rotation_list_out row;
	struct cursor cu;
	size_t n = 0;
	enum err e;

	TRY(q_rotation_list_open(t, &(struct q_rotation_list_in){ *user },
	    &cu));
	while ((e = q_rotation_list_next(&cu, &row)) == OK) {
		if (n == ROTATIONS_MAX) {
			query_close(&cu);
			return ERR_STORE;
		}
		newest_first[n++] = row.rotation;
	}
	if (e != ERR_NOT_FOUND)
		return e;
	out->p = arena_alloc(&c->arena, (n + 1) * sizeof(*out->p));
	if (out->p == NULL)
		return ERR_TOO_LARGE;
	while (n > 0)
		out->p[out->n++] = newest_first[--n];
	return OK;
}

enum err
devices_list_read(struct call *c, struct txn *t)
{
	const struct user_devices_req *in = c->req;
	struct user_devices_rep *out = c->rep;
	bool own = ID_EQ(in->id, c->who.user);
	struct q_user_stream_out user;
	struct q_devlist_get_out list;
	struct listing_devices d;
	enum err e;

	TRY(q_user_stream(t, &(struct q_user_stream_in){ in->id }, &user));
	e = q_devlist_get(t, &(struct q_devlist_get_in){ in->id }, &list);
	if (e == ERR_NOT_FOUND)
		return OK;	/* no device yet */
	TRY(e);
	out->list = list.list;
	out->has_list = true;
	TRY(listing_devices(c, t, &in->id, &d));
	TRY(load_rotations(c, t, &in->id, &out->rotations));
	out->certs.p = arena_alloc(&c->arena, (d.n + 1) * sizeof(struct span));
	out->devices.p = arena_alloc(&c->arena,
	    (d.n + 1) * sizeof(*out->devices.p));
	if (out->certs.p == NULL || out->devices.p == NULL)
		return ERR_TOO_LARGE;
	for (size_t i = 0; i < d.n; i++) {
		if (!is_known(&in->known, d.p[i].cert_hash))
			out->certs.p[out->certs.n++] = d.p[i].cert;
		out->devices.p[out->devices.n++] = (struct device_rec){
			.device_id = d.p[i].device, .name = d.p[i].name,
			.has_name = own && d.p[i].name.p != NULL,
			.is_trusted = d.p[i].is_trusted,
			.created_at = d.p[i].created_at,
			.last_active = d.p[i].last_active,
			.has_last_active = own && d.p[i].last_active != 0 };
	}
	return OK;
}

/* ---- POST /api/auth/device ---- */

enum err
devices_bind_read(struct call *c, struct txn *t)
{
	const struct device_bind_req *in = c->req;
	struct q_device_get_out *d = ARENA_NEW(&c->arena,
	    struct q_device_get_out);

	if (d == NULL)
		return ERR_TOO_LARGE;
	c->state = d;
	return q_device_get(t, &(struct q_device_get_in){ c->who.user,
	    in->device_id }, d);
}

enum err
devices_bind_work(struct call *c)
{
	const struct device_bind_req *in = c->req;
	const struct q_device_get_out *d = c->state;
	struct cert *cert = ARENA_NEW(&c->arena, struct cert);
	uint8_t text[BIND_LEN];
	struct wr w = wr_init(text, sizeof(text));
	struct provider p;
	enum err e;

	if (cert == NULL)
		return ERR_TOO_LARGE;
	if (cert_decode(d->cert, cert) != OK)
		return ERR_STORE;
	wr_u8(&w, 1);
	wr_bytes(&w, c->who.session.b, ID_LEN);
	wr_bytes(&w, c->who.user.b, ID_LEN);
	wr_u32(&w, in->device_id);
	TRY(openssl_provider_open(&p));
	e = in->proof.n != COMPOSITE_SIG_LEN ? ERR_AUTH :
	    composite_verify(&p, cert->dsk, SPAN("NJ1/bind"), SPAN_OF(text),
	    in->proof.p);
	openssl_provider_close(&p);
	return e;
}

enum err
devices_bind_write(struct call *c, struct txn *t)
{
	const struct device_bind_req *in = c->req;
	const struct q_device_get_out *was = c->state;
	struct device_bind_rep *out = c->rep;
	struct q_session_name_out name = { .name.p = NULL };
	struct q_device_get_out d;
	uint64_t rows;

	/* The device may have gone while its proof was checked. */
	TRY(q_device_get(t, &(struct q_device_get_in){ c->who.user,
	    in->device_id }, &d));
	if (!span_eq(d.cert_hash, was->cert_hash))
		return ERR_CONFLICT;
	TRY(q_session_bind(t, &(struct q_session_bind_in){ c->who.session,
	    c->who.user, in->device_id }, &rows));
	if (rows == 0)
		return ERR_INVALID_TOKEN;
	/* A linked device has said its name when it opened the mailbox. */
	TRY(q_session_name(t, &(struct q_session_name_in){ c->who.session },
	    &name));
	if (name.name.p != NULL)
		TRY(q_device_name_first(t, &(struct q_device_name_first_in){
		    c->who.user, in->device_id, name.name }, NULL));
	TRY(audit_note(c, t, AUDIT_DEVICE_BOUND, &(struct audit_entry){
	    .device = in->device_id }));
	out->session_id = c->who.session;
	out->device_id = in->device_id;
	return OK;
}

void
devices_bind_emit(struct call *c)
{
	const struct device_bind_req *in = c->req;

	call_session_device(c, &c->who.session, in->device_id);
}

/* ---- PUT /api/devices/:id ---- */

/* device_label's word for what stays as it is. */
#define TRUST_SAME 2u

enum err
devices_label_check(struct call *c)
{
	const struct device_put_req *in = c->req;

	if (!in->has_name && !in->has_is_trusted)
		return call_invalid(c, "name",
		    "must be given, or is_trusted");
	return OK;
}

enum err
devices_label_write(struct call *c, struct txn *t)
{
	const struct device_put_req *in = c->req;
	struct q_device_label_in set = { .user = c->who.user,
	    .device = in->id, .trusted = TRUST_SAME };
	struct device_rec *out = c->rep;
	struct q_device_rec_out row;
	uint64_t rows;

	if (in->has_name)
		set.name = in->name;
	if (in->has_is_trusted)
		set.trusted = in->is_trusted;
	TRY(listing_speaks(c, t));
	TRY(q_device_label(t, &set, &rows));
	if (rows == 0)
		return ERR_NOT_FOUND;
	TRY(q_device_rec(t, &(struct q_device_rec_in){ c->who.user, in->id },
	    &row));
	*out = (struct device_rec){ .device_id = in->id, .name = row.name,
	    .has_name = row.name.p != NULL, .is_trusted = row.is_trusted,
	    .created_at = row.created_at, .last_active = row.last_active,
	    .has_last_active = row.last_active != 0 };
	return audit_note(c, t, AUDIT_DEVICE_CHANGED, &(struct audit_entry){
	    .device = in->id });
}
