/*
 * listing.c: changes of an account's signed device list: a new one is put as
 * it is, with a device more (linked), or with one less (revoked). The lists
 * are signed by keys that the server does not have; it refuses what does not
 * follow (pub/devlist.h, pub/rotate.h) and what no client would accept. What a
 * device loses with its place in the list it loses in the same transaction:
 * its sessions, prekeys, what was noted about them, and what waits for it.
 */
#include "server/ops/listing.h"

#include "crypto/host.h"
#include "crypto/openssl.h"
#include "pub/rotate.h"
#include "server/audit.h"
#include "server/ops.h"
#include "server/ops/audits.h"
#include "server/ops/contacts.h"
#include "server/ops/partials.h"

#define LISTS_KEPT 1000

struct change {
	/* what is asked for */
	struct span list;
	struct span_list certs;		/* that are new in it */
	struct span password, rotation;	/* or without a pointer */
	uint32_t speaker;		/* has to be in it; 0: nobody has to */
	uint32_t added;			/* has to be new in it, or 0 */
	uint32_t removed;		/* has to be gone with it, or 0 */
	struct span name;		/* of the one that is added */
	/* read */
	bool is_first;
	struct q_devlist_get_out known;
	struct listing_devices devices;
	struct span password_hash;
	/* work */
	struct devlist next;
	uint8_t next_hash[SHA256_LEN], aik_hash[SHA256_LEN];
	struct span put[DEVLIST_DEVICES_MAX];	/* by entry; empty: as it was */
	bool is_other_key;
	bool is_renewed;	/* and the key before has signed that one */
	bool is_same;		/* sent again: its answer was lost */
	/* write */
	struct session_id *ended;
	size_t ended_n, ended_cap;
	struct contacts contacts;
};

static enum err
change_new(struct call *c, struct change **out)
{
	*out = ARENA_NEW(&c->arena, struct change);
	c->state = *out;
	return *out != NULL ? OK : ERR_TOO_LARGE;
}

enum err
listing_devices(struct call *c, struct txn *t, const struct user_id *user,
    struct listing_devices *out)
{
	struct q_device_list_all_out row;
	struct cursor cu;
	size_t cap = 0;
	enum err e;

	*out = (struct listing_devices){ NULL, 0 };
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

enum err
listing_speaks(struct call *c, struct txn *t)
{
	struct q_session_speaks_out row;
	enum err e = q_session_speaks(t, &(struct q_session_speaks_in){
	    c->who.session, c->who.user }, &row);

	if (e == ERR_NOT_FOUND || (e == OK && row.device != c->who.device))
		return call_fail(c, ERR_FORBIDDEN,
		    "This session speaks for no device");
	return e;
}

static const struct q_device_list_all_out *
find_device(const struct listing_devices *d, uint32_t device)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->p[i].device == device)
			return &d->p[i];
	return NULL;
}

/* ---- check: what is asked for ---- */

/* PUT /api/users/me/device-list */
enum err
listing_put_check(struct call *c)
{
	const struct device_list_put_req *in = c->req;
	struct change *s;

	TRY(change_new(c, &s));
	s->list = in->list;
	s->certs = in->certs;
	s->speaker = in->device_id;
	if (in->has_rotation)
		s->rotation = in->rotation;
	if (!in->has_password)
		return OK;
	s->password = in->password;
	/* As everywhere, it waits for its own mistakes alone. */
	return account_wait(c, SPAN_OF(c->who.session.b));
}

/* POST /api/devices */
enum err
listing_add_check(struct call *c)
{
	const struct device_add_req *in = c->req;
	struct change *s;

	TRY(change_new(c, &s));
	s->list = in->list;
	s->certs.p = ARENA_NEW(&c->arena, struct span);
	if (s->certs.p == NULL)
		return ERR_TOO_LARGE;
	s->certs.p[0] = in->cert;
	s->certs.n = 1;
	s->speaker = c->who.device;
	s->added = in->device_id;
	if (in->has_name)
		s->name = in->name;
	return OK;
}

/* DELETE /api/devices/:id */
enum err
listing_remove_check(struct call *c)
{
	const struct device_remove_req *in = c->req;
	struct change *s;

	TRY(change_new(c, &s));
	s->list = in->list;
	s->removed = in->id;
	/* Who takes oneself out is not in it any more. */
	s->speaker = in->id == c->who.device ? 0 : c->who.device;
	return OK;
}

/* ---- read ---- */

enum err
listing_read(struct call *c, struct txn *t)
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
	return listing_devices(c, t, &c->who.user, &s->devices);
}

/* ---- work: is it right? ---- */

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
check_password(struct call *c, const struct change *s)
{
	enum err e;

	if (s->password.p == NULL)
		return call_invalid(c, "password", "must be given with a "
		    "list under another account key, or a rotation");
	e = host_password_verify(s->password, s->password_hash);
	if (e != ERR_INVALID_CREDENTIALS)
		return e;
	account_failed(c, SPAN_OF(c->who.session.b));
	audits_failed(c, &c->who.user);
	return call_fail(c, e, "The password is wrong");
}

/* The key before vouches for the new one: nobody has to start over. */
static enum err
check_rotation(struct call *c, const struct provider *p, struct change *s,
    const struct devlist *known)
{
	struct rotate *r = ARENA_NEW(&c->arena, struct rotate);
	enum err e;

	if (r == NULL)
		return ERR_TOO_LARGE;
	e = rotate_verify(p, s->rotation, &c->who.user, r);
	if (e == ERR_FORBIDDEN)
		return call_fail(c, e, "The rotation is another account's");
	TRY(e);
	e = rotate_succeeds(r, known, s->known.list_hash.p, &s->next,
	    s->next_hash);
	if (e == ERR_UNTRUSTED)
		return call_invalid(c, "rotation",
		    "must lead from the present key to that of this list");
	if (e == ERR_LIST_CONFLICT)
		return refuse_list(c, s->known.version);
	TRY(e);
	s->is_renewed = true;
	return OK;
}

static enum err
check_succession(struct call *c, const struct provider *p, struct change *s)
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
		return s->rotation.p != NULL ?
		    check_rotation(c, p, s, known) : check_password(c, s);
	}
	if (e == OK && s->rotation.p != NULL)
		return call_invalid(c, "rotation",
		    "must be left out: the account key stays");
	return e == OK ? OK : refuse_list(c, s->known.version);
}

/* Is the entry's certificate here already? Under another key none is. */
static bool
has_cert(const struct change *s, const struct devlist_entry *entry)
{
	const struct q_device_list_all_out *d = find_device(&s->devices,
	    entry->device);

	return !s->is_other_key && d != NULL && span_eq(d->cert_hash,
	    SPAN_OF(entry->cert_hash));
}

/* Each certificate belongs to an entry, and each entry has one. */
static enum err
check_certs(struct call *c, const struct provider *p, struct change *s)
{
	struct cert *cert = ARENA_NEW(&c->arena, struct cert);
	const struct devlist_entry *entry;

	if (cert == NULL)
		return ERR_TOO_LARGE;
	for (size_t i = 0; i < s->certs.n; i++) {
		if (cert_decode(s->certs.p[i], cert) != OK ||
		    cert_check(cert) != OK)
			return call_invalid(c, "certs",
			    "must be well-formed certificates");
		entry = devlist_find(&s->next, cert->device);
		if (entry == NULL || devlist_check_cert(p, &s->next,
		    s->certs.p[i], cert) != OK)
			return call_invalid(c, "certs",
			    "must be certificates that the list names");
		s->put[entry - s->next.entries] = s->certs.p[i];
	}
	for (unsigned i = 0; i < s->next.n; i++) {
		bool is_here = has_cert(s, &s->next.entries[i]);

		if (!is_here && s->put[i].n == 0 && !s->is_same)
			return call_invalid(c, "certs",
			    "must hold every certificate that is new");
		/* One that is here already replaces nothing: dropping its
		 * batch would let used one-time pairs come again. */
		if (is_here)
			s->put[i] = (struct span){ NULL, 0 };
	}
	return OK;
}

/* Does it do what the call is named for? */
static enum err
check_purpose(struct call *c, const struct change *s)
{
	if (s->speaker != 0 && devlist_find(&s->next, s->speaker) == NULL)
		return call_invalid(c, s->added != 0 || s->removed != 0 ?
		    "list" : "deviceId", "must name the device that speaks");
	if (s->added != 0 && devlist_find(&s->next, s->added) == NULL)
		return call_invalid(c, "deviceId",
		    "must be a device of the list");
	if (s->removed != 0 && devlist_find(&s->next, s->removed) != NULL)
		return call_invalid(c, "list",
		    "must not name the device any more");
	if (s->is_same)
		return OK;
	if (s->added != 0 && find_device(&s->devices, s->added) != NULL)
		return call_fail(c, ERR_CONFLICT,
		    "The device was there before");
	if (s->removed != 0 && find_device(&s->devices, s->removed) == NULL)
		return ERR_NOT_FOUND;
	return OK;
}

static enum err
check_list(struct call *c, const struct provider *p, struct change *s)
{
	enum err e = devlist_verify(p, s->list, &c->who.user, &s->next);

	if (e == ERR_FORBIDDEN)
		return call_fail(c, e, "The list is another account's");
	TRY(e);
	TRY(devlist_hash(p, s->list, s->next_hash));
	TRY(cert_aik_hash(p, s->next.aik, s->aik_hash));
	s->is_same = !s->is_first && span_eq(s->known.list_hash,
	    SPAN_OF(s->next_hash));
	TRY(check_purpose(c, s));
	TRY(check_succession(c, p, s));
	if (s->is_other_key && (s->added != 0 || s->removed != 0))
		return call_invalid(c, "list",
		    "must be under the present account key");
	return check_certs(c, p, s);
}

enum err
listing_work(struct call *c)
{
	struct provider p;
	enum err e;

	TRY(openssl_provider_open(&p));
	e = check_list(c, &p, c->state);
	openssl_provider_close(&p);
	return e;
}

/* ---- write ---- */

/*
 * Does this session end? One that speaks for a device that is not listed any
 * more. Under another key every other one; with a renewed key those go on that
 * speak for a device.
 */
static bool
ends(const struct call *c, const struct change *s, uint32_t device,
    const struct session_id *session)
{
	bool is_own = ID_EQ(*session, c->who.session);

	if (device != 0 && devlist_find(&s->next, device) == NULL)
		return true;
	return s->is_other_key && !is_own && !(s->is_renewed && device != 0);
}

static enum err
end_sessions(struct call *c, struct txn *t)
{
	struct change *s = c->state;
	struct q_session_list_in all = { c->who.user, c->now_ms };
	struct q_session_list_out row;
	struct cursor cu;
	enum err e;

	TRY(q_session_list_open(t, &all, &cu));
	while ((e = q_session_list_next(&cu, &row)) == OK) {
		if (!ends(c, s, row.device, &row.session))
			continue;
		s->ended = arena_grow(&c->arena, s->ended, s->ended_n,
		    &s->ended_cap, sizeof(*s->ended));
		if (s->ended == NULL) {
			query_close(&cu);
			return ERR_TOO_LARGE;
		}
		s->ended[s->ended_n++] = row.session;
	}
	if (e != ERR_NOT_FOUND)
		return e;
	for (size_t i = 0; i < s->ended_n; i++)
		TRY(q_session_delete(t, &(struct q_session_delete_in){
		    s->ended[i], c->who.user }, NULL));
	return OK;
}

/* The name of a device that is new: as it was linked, or signed in. */
static struct span
name_of(const struct change *s, uint32_t device, struct span session)
{
	if (device == s->added)
		return s->name;
	return s->added == 0 && device == s->speaker ? session :
	    (struct span){ NULL, 0 };
}

/* Certificates that are new; what a replaced one signed is void. */
static enum err
put_devices(struct call *c, struct txn *t, const struct listing_devices *was)
{
	struct change *s = c->state;
	struct q_session_name_out name = { .name.p = NULL };
	const struct devlist_entry *entry;

	TRY(q_session_name(t, &(struct q_session_name_in){ c->who.session },
	    &name));
	for (unsigned i = 0; i < s->next.n; i++) {
		entry = &s->next.entries[i];
		if (s->put[i].n == 0)
			continue;
		TRY(q_device_put(t, &(struct q_device_put_in){ c->who.user,
		    entry->device, name_of(s, entry->device, name.name),
		    s->put[i], SPAN_OF(entry->cert_hash), c->now_ms },
		    NULL));
		TRY(q_prekey_batch_drop(t, &(struct q_prekey_batch_drop_in){
		    c->who.user, entry->device }, NULL));
		if (find_device(was, entry->device) != NULL)
			continue;
		TRY(contacts_tell(c, t, &s->contacts, "device:added",
		    entry->device, s->next.version));
		TRY(audit_note(c, t, AUDIT_DEVICE_ADDED,
		    &(struct audit_entry){ .device = entry->device }));
	}
	return OK;
}

/* All that the server holds for it; q_device_remove comes last. */
static enum err
drop_device(struct call *c, struct txn *t, uint32_t device)
{
	const struct user_id *user = &c->who.user;
	struct q_device_get_out d;

	TRY(q_device_get(t, &(struct q_device_get_in){ *user, device }, &d));
	TRY(partials_drop(c, t, device, d.received_position));
	TRY(q_prekey_batch_drop(t, &(struct q_prekey_batch_drop_in){ *user,
	    device }, NULL));
	TRY(q_prekey_grants_drop(t, &(struct q_prekey_grants_drop_in){ *user,
	    device }, NULL));
	TRY(q_verifications_drop(t, &(struct q_verifications_drop_in){ *user,
	    device }, NULL));
	return q_device_remove(t, &(struct q_device_remove_in){ *user,
	    device, c->now_ms }, NULL);
}

static enum err
drop_devices(struct call *c, struct txn *t,
    const struct listing_devices *was)
{
	struct change *s = c->state;

	for (size_t i = 0; i < was->n; i++) {
		uint32_t device = was->p[i].device;

		if (devlist_find(&s->next, device) != NULL)
			continue;
		TRY(drop_device(c, t, device));
		TRY(contacts_tell(c, t, &s->contacts, "device:removed",
		    device, s->next.version));
		TRY(audit_note(c, t, AUDIT_DEVICE_REMOVED,
		    &(struct audit_entry){ .device = device }));
	}
	return OK;
}

/* Under another account key: who may go on, and who hears of it. */
static enum err
change_key(struct call *c, struct txn *t)
{
	struct change *s = c->state;

	if (s->is_renewed)
		TRY(q_rotation_insert(t, &(struct q_rotation_insert_in){
		    c->who.user, s->next.version, s->rotation, c->now_ms },
		    NULL));
	s->contacts.is_renewed = s->is_renewed;
	TRY(contacts_tell(c, t, &s->contacts, "keys:changed", 0,
	    s->next.version));
	return audit_note(c, t, s->is_renewed ? AUDIT_KEY_ROTATED :
	    AUDIT_IDENTITY_RESET, NULL);
}

static enum err
put_list(struct call *c, struct txn *t)
{
	struct change *s = c->state;
	struct listing_devices was;

	TRY(q_devlist_insert(t, &(struct q_devlist_insert_in){ c->who.user,
	    s->next.version, s->list, SPAN_OF(s->next_hash),
	    SPAN_OF(s->aik_hash), c->now_ms }, NULL));
	if (s->next.version > LISTS_KEPT)
		TRY(q_devlist_prune(t, &(struct q_devlist_prune_in){
		    c->who.user, s->next.version - LISTS_KEPT }, NULL));
	TRY(listing_devices(c, t, &c->who.user, &was));
	TRY(contacts_load(c, t, &s->contacts));
	if (s->is_other_key)
		TRY(change_key(c, t));
	TRY(drop_devices(c, t, &was));
	TRY(put_devices(c, t, &was));
	return end_sessions(c, t);
}

static enum err
write_list(struct call *c, struct txn *t)
{
	struct change *s = c->state;
	struct q_devlist_get_out now;
	enum err e;

	s->ended = NULL;
	s->ended_n = s->ended_cap = 0;
	s->contacts = (struct contacts){ .told = NULL };
	if (c->who.device != 0)
		TRY(listing_speaks(c, t));
	/* Somebody else may have been faster. */
	e = q_devlist_get(t, &(struct q_devlist_get_in){ c->who.user }, &now);
	if (e != OK && e != ERR_NOT_FOUND)
		return e;
	if ((e == ERR_NOT_FOUND) != s->is_first ||
	    (e == OK && !span_eq(now.list_hash, s->known.list_hash)))
		return refuse_list(c, e == OK ? now.version : 0);
	return s->is_same ? OK : put_list(c, t);
}

enum err
listing_put_write(struct call *c, struct txn *t)
{
	struct device_list_put_rep *out = c->rep;

	TRY(write_list(c, t));
	out->version = ((const struct change *)c->state)->next.version;
	return OK;
}

enum err
listing_add_write(struct call *c, struct txn *t)
{
	const struct change *s = c->state;
	struct device_add_rep *out = c->rep;

	TRY(write_list(c, t));
	out->device_id = s->added;
	out->version = s->next.version;
	call_status(c, 201);
	return OK;
}

/* ---- emit ---- */

void
listing_emit(struct call *c)
{
	const struct change *s = c->state;

	contacts_emit(c, &s->contacts);
	if (s->ended_n > 0)
		call_sessions_end(c, &c->who.user, s->ended, s->ended_n,
		    s->is_other_key && !s->is_renewed ? "identity_changed" :
		    "device_removed");
}
