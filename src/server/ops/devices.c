/*
 * devices.c: the signed device lists of accounts, their certificates, and
 * which device a login session speaks for. The lists are signed by keys that
 * the server does not have; it refuses what does not follow (pub/devlist.h)
 * and what no client would accept.
 */
#include "crypto/host.h"
#include "crypto/openssl.h"
#include "pub/devlist.h"
#include "server/ops.h"
#include "server/ops/contacts.h"
#include "store/txn.h"

#define LISTS_KEPT 1000
#define SESSIONS_MAX 1000
/* u8 1 | session | account | u32 device (docs/protocol.md, "Devices"). */
#define BIND_LEN (1 + ID_LEN + ID_LEN + 4)

struct devices {
	struct q_device_list_all_out *p;
	size_t n;
};

static enum err
load_devices(struct call *c, struct txn *t, const struct user_id *user,
    struct devices *out)
{
	struct q_device_list_all_out row;
	struct cursor cu;
	size_t cap = 0;
	enum err e;

	*out = (struct devices){ NULL, 0 };
	TRY(q_device_list_all_open(t, &(struct q_device_list_all_in){ *user },
	    &cu));
	while ((e = q_device_list_all_next(&cu, &row)) == OK) {
		out->p = arena_grow(&c->arena, out->p, out->n, &cap, sizeof(row));
		if (out->p == NULL) {
			query_close(&cu);
			return ERR_TOO_LARGE;
		}
		out->p[out->n++] = row;
	}
	return e == ERR_NOT_FOUND ? OK : e;
}

/* ---- GET /api/users/:id/devices ---- */

static bool
is_known(const struct span_list *known, struct span hash)
{
	for (size_t i = 0; i < known->n; i++)
		if (span_eq(known->p[i], hash))
			return true;
	return false;
}

enum err
devices_list_read(struct call *c, struct txn *t)
{
	const struct user_devices_req *in = c->req;
	struct user_devices_rep *out = c->rep;
	bool own = ID_EQ(in->id, c->who.user);
	struct q_user_stream_out user;
	struct q_devlist_get_out list;
	struct devices d;
	enum err e;

	TRY(q_user_stream(t, &(struct q_user_stream_in){ in->id }, &user));
	e = q_devlist_get(t, &(struct q_devlist_get_in){ in->id }, &list);
	if (e == ERR_NOT_FOUND)
		return OK;	/* no device yet */
	TRY(e);
	out->list = list.list;
	out->has_list = true;
	TRY(load_devices(c, t, &in->id, &d));
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

/* ---- PUT /api/users/me/device-list ---- */

struct change {
	/* read */
	bool is_first;
	struct q_devlist_get_out known;
	struct devices devices;
	struct span password_hash;
	/* work */
	struct devlist next;
	uint8_t next_hash[SHA256_LEN], aik_hash[SHA256_LEN];
	struct span certs[DEVLIST_DEVICES_MAX];	/* by entry; empty: as it was */
	bool is_other_key;
	bool is_same;		/* sent again: its answer was lost */
	/* write */
	struct session_id *ended;
	size_t ended_n, ended_cap;
	struct contacts contacts;
};

enum err
devices_put_check(struct call *c)
{
	const struct device_list_put_req *in = c->req;

	c->state = ARENA_NEW(&c->arena, struct change);
	if (c->state == NULL)
		return ERR_TOO_LARGE;
	if (in->has_password)
		return account_wait(c, span_of(c->who.username,
		    c->who.username_n));
	return OK;
}

enum err
devices_put_read(struct call *c, struct txn *t)
{
	struct change *s = c->state;
	struct q_user_password_get_out row;
	enum err e = q_devlist_get(t, &(struct q_devlist_get_in){
	    c->who.user }, &s->known);

	if (e != OK && e != ERR_NOT_FOUND)
		return e;
	s->is_first = e == ERR_NOT_FOUND;
	TRY(q_user_password_get(t, &(struct q_user_password_get_in){
	    c->who.user }, &row));
	s->password_hash = row.password_hash;
	return load_devices(c, t, &c->who.user, &s->devices);
}

/* 409 with the version that is the newest here. */
static enum err
refuse_list(struct call *c, uint64_t version)
{
	struct list_conflict_rec d = { .version = version };
	struct span json;

	TRY(shape_encode_arena(&shape_list_conflict_rec, &d, &c->arena,
	    &json));
	return call_conflict(c, ERR_LIST_CONFLICT, json);
}

/* Under another key the chain of versions and of device ids goes on. */
static bool
goes_on(const struct devlist *known, const struct change *s)
{
	const struct devlist *next = &s->next;

	if (next->version != known->version + 1 ||
	    next->next_id < known->next_id ||
	    !span_eq(SPAN_OF(next->prev_hash), s->known.list_hash))
		return false;
	for (unsigned i = 0; i < next->n; i++)
		if (devlist_find(known, next->entries[i].device) == NULL &&
		    next->entries[i].device < known->next_id)
			return false;
	return true;
}

static enum err
check_password(struct call *c)
{
	const struct device_list_put_req *in = c->req;
	const struct change *s = c->state;
	enum err e;

	if (!in->has_password)
		return call_invalid(c, "password",
		    "must be given with a list under another account key");
	e = host_password_verify(in->password, s->password_hash);
	if (e != ERR_INVALID_CREDENTIALS)
		return e;
	account_failed(c, span_of(c->who.username, c->who.username_n));
	return call_fail(c, e, "The password is wrong");
}

static enum err
check_succession(struct call *c, struct change *s)
{
	struct devlist *known;
	enum err e;

	if (s->is_first) {
		e = devlist_succeeds(NULL, NULL, &s->next, s->next_hash);
		return e == OK ? OK : refuse_list(c, 0);
	}
	known = ARENA_NEW(&c->arena, struct devlist);
	if (known == NULL)
		return ERR_TOO_LARGE;
	if (devlist_decode(s->known.list, known, NULL) != OK ||
	    s->known.list_hash.n != SHA256_LEN)
		return ERR_STORE;
	s->is_same = span_eq(s->known.list_hash, SPAN_OF(s->next_hash));
	if (s->is_same)
		return OK;
	e = devlist_succeeds(known, s->known.list_hash.p, &s->next,
	    s->next_hash);
	if (e == ERR_IDENTITY_CHANGED && goes_on(known, s)) {
		s->is_other_key = true;
		return check_password(c);
	}
	return e == OK ? OK : refuse_list(c, s->known.version);
}

/* Each certificate belongs to an entry, and each entry has one. */
static enum err
check_certs(struct call *c, const struct provider *p, struct change *s)
{
	const struct device_list_put_req *in = c->req;
	struct cert *cert = ARENA_NEW(&c->arena, struct cert);
	const struct devlist_entry *entry;
	size_t k;

	if (cert == NULL)
		return ERR_TOO_LARGE;
	for (size_t i = 0; i < in->certs.n; i++) {
		if (cert_decode(in->certs.p[i], cert) != OK ||
		    cert_check(cert) != OK)
			return call_invalid(c, "certs",
			    "must be well-formed certificates");
		entry = devlist_find(&s->next, cert->device);
		if (entry == NULL || devlist_check_cert(p, &s->next,
		    in->certs.p[i], cert) != OK)
			return call_invalid(c, "certs",
			    "must be certificates that the list names");
		s->certs[entry - s->next.entries] = in->certs.p[i];
	}
	for (unsigned i = 0; i < s->next.n; i++) {
		for (k = 0; k < s->devices.n; k++)
			if (s->devices.p[k].device ==
			    s->next.entries[i].device &&
			    span_eq(s->devices.p[k].cert_hash,
			    SPAN_OF(s->next.entries[i].cert_hash)))
				break;
		if (k == s->devices.n && s->certs[i].n == 0)
			return call_invalid(c, "certs",
			    "must hold every certificate that is new");
		/* One that is here already replaces nothing: dropping its
		 * batch would let used one-time pairs come again. */
		if (k < s->devices.n)
			s->certs[i] = (struct span){ NULL, 0 };
	}
	return OK;
}

static enum err
check_list(struct call *c, const struct provider *p, struct change *s)
{
	const struct device_list_put_req *in = c->req;
	enum err e = devlist_verify(p, in->list, &c->who.user, &s->next);

	if (e == ERR_FORBIDDEN)
		return call_fail(c, e, "The list is another account's");
	TRY(e);
	TRY(devlist_hash(p, in->list, s->next_hash));
	TRY(cert_aik_hash(p, s->next.aik, s->aik_hash));
	if (devlist_find(&s->next, in->device_id) == NULL)
		return call_invalid(c, "deviceId",
		    "must be a device of the list");
	TRY(check_succession(c, s));
	return check_certs(c, p, s);
}

enum err
devices_put_work(struct call *c)
{
	struct provider p;
	enum err e;

	TRY(openssl_provider_open(&p));
	e = check_list(c, &p, c->state);
	openssl_provider_close(&p);
	return e;
}

/* Sessions to end: of one device, or (0) all but the caller's. */
static enum err
end_sessions(struct call *c, struct txn *t, uint32_t device)
{
	struct change *s = c->state;
	struct q_session_list_in all = { c->who.user, c->now_ms };
	struct q_session_list_out row;
	struct cursor cu;
	size_t from = s->ended_n;
	enum err e;

	TRY(q_session_list_open(t, &all, &cu));
	while ((e = q_session_list_next(&cu, &row)) == OK) {
		if (ID_EQ(row.session, c->who.session) ||
		    (device != 0 && row.device != device))
			continue;
		s->ended = arena_grow(&c->arena, s->ended, s->ended_n, &s->ended_cap,
		    sizeof(*s->ended));
		if (s->ended == NULL) {
			query_close(&cu);
			return ERR_TOO_LARGE;
		}
		s->ended[s->ended_n++] = row.session;
	}
	if (e != ERR_NOT_FOUND)
		return e;
	for (size_t i = from; i < s->ended_n; i++)
		TRY(q_session_delete(t, &(struct q_session_delete_in){
		    s->ended[i], c->who.user }, NULL));
	return OK;
}

static const struct q_device_list_all_out *
find_device(const struct devices *d, uint32_t device)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->p[i].device == device)
			return &d->p[i];
	return NULL;
}

/* Certificates that are new; what a replaced one signed is void. */
static enum err
put_devices(struct call *c, struct txn *t, const struct devices *was)
{
	const struct device_list_put_req *in = c->req;
	struct change *s = c->state;
	struct q_session_name_out name = { .name.p = NULL };
	const struct devlist_entry *entry;

	TRY(q_session_name(t, &(struct q_session_name_in){ c->who.session },
	    &name));
	for (unsigned i = 0; i < s->next.n; i++) {
		entry = &s->next.entries[i];
		if (s->certs[i].n == 0)
			continue;
		TRY(q_device_put(t, &(struct q_device_put_in){ c->who.user,
		    entry->device, entry->device == in->device_id ? name.name :
		    (struct span){ NULL, 0 }, s->certs[i],
		    SPAN_OF(entry->cert_hash), c->now_ms }, NULL));
		TRY(q_prekey_batch_drop(t, &(struct q_prekey_batch_drop_in){
		    c->who.user, entry->device }, NULL));
		if (find_device(was, entry->device) == NULL)
			TRY(contacts_tell(c, t, &s->contacts,
			    "device:added", entry->device, s->next.version));
	}
	return OK;
}

static enum err
drop_devices(struct call *c, struct txn *t, const struct devices *was)
{
	struct change *s = c->state;

	for (size_t i = 0; i < was->n; i++) {
		uint32_t device = was->p[i].device;

		if (devlist_find(&s->next, device) != NULL)
			continue;
		TRY(q_device_remove(t, &(struct q_device_remove_in){
		    c->who.user, device, c->now_ms }, NULL));
		TRY(q_prekey_batch_drop(t, &(struct q_prekey_batch_drop_in){
		    c->who.user, device }, NULL));
		if (!s->is_other_key)
			TRY(end_sessions(c, t, device));
		TRY(contacts_tell(c, t, &s->contacts, "device:removed",
		    device, s->next.version));
	}
	return OK;
}

enum err
devices_put_write(struct call *c, struct txn *t)
{
	const struct device_list_put_req *in = c->req;
	struct device_list_put_rep *out = c->rep;
	struct change *s = c->state;
	struct q_devlist_get_out now;
	struct devices was;
	enum err e;

	s->ended = NULL;
	s->ended_n = s->ended_cap = 0;
	s->contacts = (struct contacts){ .told = NULL };
	/* Somebody else may have been faster. */
	e = q_devlist_get(t, &(struct q_devlist_get_in){ c->who.user }, &now);
	if (e != OK && e != ERR_NOT_FOUND)
		return e;
	if ((e == ERR_NOT_FOUND) != s->is_first ||
	    (e == OK && !span_eq(now.list_hash, s->known.list_hash)))
		return refuse_list(c, e == OK ? now.version : 0);
	out->version = s->next.version;
	if (s->is_same)
		return OK;
	TRY(q_devlist_insert(t, &(struct q_devlist_insert_in){ c->who.user,
	    s->next.version, in->list, SPAN_OF(s->next_hash),
	    SPAN_OF(s->aik_hash), c->now_ms }, NULL));
	if (s->next.version > LISTS_KEPT)
		TRY(q_devlist_prune(t, &(struct q_devlist_prune_in){
		    c->who.user, s->next.version - LISTS_KEPT }, NULL));
	TRY(load_devices(c, t, &c->who.user, &was));
	TRY(contacts_load(c, t, &s->contacts));
	if (s->is_other_key) {
		TRY(end_sessions(c, t, 0));
		TRY(contacts_tell(c, t, &s->contacts, "keys:changed", 0,
		    s->next.version));
	}
	TRY(drop_devices(c, t, &was));
	return put_devices(c, t, &was);
}

void
devices_put_emit(struct call *c)
{
	const struct change *s = c->state;

	contacts_emit(c, &s->contacts);
	if (s->ended_n > 0)
		call_sessions_end(c, &c->who.user, s->ended, s->ended_n,
		    s->is_other_key ? "identity_changed" : "device_removed");
}
