/*
 * fleet.c: see fleet.h. The signed list alone says which devices there are;
 * the server's names for them are only words.
 */
#include "client/fleet.h"

#include "client/adopt.h"
#include "client/outbox.h"
#include "client/person.h"
#include "client/setup.h"
#include "client/trust.h"
#include "core/devices.h"
#include "core/renew.h"
#include "wire/json.h"

static struct rec_key
fleet_key(uint32_t device)
{
	struct rec_key k = rec_key();

	rec_key_u32(&k, device);
	return k;
}

enum err
fleet_name(struct step *s, uint32_t device, struct span *name_out,
    uint64_t *active_ms_out)
{
	struct rec_key k = fleet_key(device);
	struct span value;
	struct rd r;

	TRY(rec_get(&s->r, REC_DEVICE, rec_key_span(&k), &value));
	r = rd_init(value);
	*active_ms_out = rd_u64(&r);
	*name_out = rd_vec16(&r);
	return rd_done(&r) ? OK : ERR_FORMAT;
}

static enum err
fleet_set_name(struct step *s, uint32_t device, uint64_t active_ms,
    struct span name)
{
	struct rec_key k = fleet_key(device);
	struct wr w;

	TRY(step_wr(s, 16 + name.n, &w));
	wr_u64(&w, active_ms);
	wr_vec16(&w, name);
	return !wr_ok(&w) ? ERR_SPACE : rec_put(&s->r, REC_DEVICE,
	    rec_key_span(&k), wr_done(&w));
}

enum err
fleet_heard_devices(struct step *s, const struct user_devices_rep *rep)
{
	size_t i;

	for (i = 0; i < rep->devices.n; i++) {
		const struct device_rec *d = &rep->devices.p[i];

		if (d->has_name)
			TRY(fleet_set_name(s, d->device_id,
			    d->has_last_active ? d->last_active : 0, d->name));
	}
	return OK;
}

enum err
fleet_rename(struct step *s, const struct client_input *in)
{
	struct call_new n = { .what = CALL_DEVICE_NAME, .method = "PUT",
	    .cmd = in->cmd, .number = in->u.device.device };
	struct span name = in->u.device.name;
	struct wr w;
	bool made;

	if (name.n == 0 || name.n > 64 || !shape_is_class(SHAPE_LABEL, name))
		return step_show_error(s, in->cmd, ERR_VALIDATION,
		    SPAN("A device's name has 1 to 64 bytes"));
	TRY(step_wr(s, 64, &w));
	wr_str(&w, "/api/devices/");
	wr_dec(&w, in->u.device.device);
	n.path = wr_done(&w);
	TRY(step_wr(s, 6 * name.n + 32, &w));
	wr_str(&w, "{\"name\":");
	json_put_str(&w, name);
	wr_str(&w, "}");
	n.body = wr_done(&w);
	TRY(call_make(s, &n, &made));
	return made ? OK : step_show_error(s, in->cmd, ERR_UNAVAILABLE,
	    (struct span){ NULL, 0 });
}

enum err
fleet_heard(struct step *s, const struct call_answer *a)
{
	if (a->call->cmd == 0)
		return OK;
	if (a->err != OK)
		return step_show_error(s, a->call->cmd, a->err,
		    a->error.message);
	TRY(person_want(s, &s->m.user));
	return step_show_done(s, a->call->cmd);
}

/* ---- the list ---- */

/* Why this device may not change the list now; NULL: it may. */
static enum err
fleet_may(struct step *s, const char **why_out)
{
	bool manager, busy;

	*why_out = NULL;
	TRY(adopt_is_manager(s, &manager));
	TRY(setup_is_publishing(s, &busy));
	if (!setup_is_ready(s))
		*why_out = "This device is not set up yet";
	else if (!manager)
		*why_out = "This device has not the account key: do it on a "
		    "manager";
	else if (busy)
		*why_out = "A list of devices is on its way: try again";
	return OK;
}

/* Was that one of those that have the account key? */
static enum err
fleet_was_manager(struct step *s, uint32_t device, bool *out)
{
	struct arena_mark mark = step_scratch(s);
	struct peer *own = ARENA_NEW(&s->scratch, struct peer);
	const struct devlist_entry *e;
	enum err err;

	*out = false;
	if (own == NULL)
		return ERR_TOO_LARGE;
	err = peer_load(&s->core, &s->m.user, own);
	if (err == OK && (e = devlist_find(&own->list, device)) != NULL)
		*out = (e->flags & DEVICE_MANAGER) != 0;
	step_scratch_end(s, mark);
	return err == ERR_NOT_FOUND ? OK : err;
}

static enum err
fleet_remove(struct step *s, uint32_t device)
{
	struct arena_mark mark = step_scratch(s);
	struct span list = { NULL, 0 }, none = { NULL, 0 };
	enum err err = devices_remove(&s->core, device, &list);

	if (err == OK)
		err = setup_publish(s, list, none, none);
	step_scratch_end(s, mark);
	return err;
}

enum err
fleet_revoke(struct step *s, const struct client_input *in)
{
	uint32_t device = in->u.device.device;
	const char *why;
	bool manager;
	enum err err;

	TRY(fleet_may(s, &why));
	if (why != NULL)
		return step_show_error(s, in->cmd, ERR_FORBIDDEN,
		    span_str(why));
	TRY(fleet_was_manager(s, device, &manager));
	err = fleet_remove(s, device);
	if (step_is_fatal(err))
		return err;
	if (err != OK)
		return step_show_error(s, in->cmd, err, err == ERR_ARG ?
		    SPAN("That is this device: it cannot take itself off. Use "
		    "another manager, or sign out") : err == ERR_NOT_FOUND ?
		    SPAN("There is no such device") :
		    (struct span){ NULL, 0 });
	s->m.list_cmd = in->cmd;
	if (!manager)
		return OK;
	/* Whoever has that device has the account key as well. */
	s->m.flags |= META_RENEW_DUE;
	return step_show(s, SHOW_RENEW_DUE, 0) == NULL ? ERR_TOO_LARGE : OK;
}

enum err
fleet_renew(struct step *s, const struct client_input *in)
{
	const char *why;
	bool manager;

	TRY(adopt_is_manager(s, &manager));
	if (setup_is_ready(s) && !manager) {
		/* Told when it was offered: a manager has to come. */
		TRY(fleet_offer(s));
		return step_show_done(s, in->cmd);
	}
	TRY(fleet_may(s, &why));
	if (why != NULL)
		return step_show_error(s, in->cmd, ERR_FORBIDDEN,
		    span_str(why));
	s->m.flags |= META_RENEW;
	s->m.flags &= ~(uint32_t)META_STALE;	/* now, whatever waits */
	s->m.list_cmd = in->cmd;
	s->c->dirty = true;
	return OK;
}

enum err
fleet_renew_account(struct step *s, const struct client_input *in)
{
	struct arena_mark mark = step_scratch(s);
	struct span rotation = { NULL, 0 }, cert = { NULL, 0 },
	    list = { NULL, 0 };
	const char *why;
	enum err err;

	TRY(fleet_may(s, &why));
	if (why != NULL)
		return step_show_error(s, in->cmd, ERR_FORBIDDEN,
		    span_str(why));
	err = renew_account(&s->core, NULL, 0, &rotation, &cert, &list);
	if (err == OK)
		err = setup_publish(s, list, cert, rotation);
	step_scratch_end(s, mark);
	/* One is under way already, say. */
	if (err != OK && !step_is_fatal(err))
		return step_show_error(s, in->cmd, err,
		    (struct span){ NULL, 0 });
	TRY(err);
	s->m.flags &= ~(uint32_t)META_RENEW_DUE;
	s->m.list_cmd = in->cmd;
	TRY(fleet_renewed(s, &s->m.user));
	TRY(trust_sign_again(s));
	return setup_make_prekeys(s);
}

/* ---- a device that is no manager has its keys renewed ---- */

#define LOOK_AGAIN_MS 60000u
#define CERT_BODY_MAX (2 + CERT_LEN_MAX + COMPOSITE_SIG_LEN)

static enum err
fleet_make_offer(struct step *s, struct devlist *l, struct wr *w)
{
	struct arena_mark mark = step_scratch(s);
	struct composite_sig *proof = ARENA_NEW(&s->scratch,
	    struct composite_sig);
	struct peer *own = ARENA_NEW(&s->scratch, struct peer);
	struct span cert = { NULL, 0 };
	enum err err;

	if (proof == NULL || own == NULL)
		return ERR_TOO_LARGE;
	err = devices_next_cert(&s->core, NULL, &cert, proof);
	if (err == OK)
		err = peer_load(&s->core, &s->m.user, own);
	if (err == OK) {
		*l = own->list;
		wr_vec16(w, cert);
		wr_bytes(w, proof->b, sizeof(proof->b));
	}
	step_scratch_end(s, mark);
	return err;
}

enum err
fleet_offer(struct step *s)
{
	struct devlist *l = ARENA_NEW(s->a, struct devlist);
	struct address to = { s->m.user, 0 };
	struct wr w;
	uint8_t i;

	if (l == NULL)
		return ERR_TOO_LARGE;
	TRY(step_wr(s, CERT_BODY_MAX, &w));
	TRY(fleet_make_offer(s, l, &w));
	s->m.flags |= META_OFFERED;
	for (i = 0; i < l->n; i++) {
		to.device = l->entries[i].device;
		if (!(l->entries[i].flags & DEVICE_MANAGER) ||
		    to.device == s->m.device)
			continue;
		TRY(outnew_control(s, EVENT_CERT, &s->m.user, &to, NULL,
		    wr_done(&w), false));
	}
	return OK;
}

enum err
fleet_heard_cert(struct step *s, const struct address *from,
    struct span body)
{
	struct arena_mark mark = step_scratch(s);
	struct span cert, proof, list = { NULL, 0 }, none = { NULL, 0 };
	struct rd r = rd_init(body);
	const char *why;
	enum err err;

	cert = rd_vec16(&r);
	proof = rd_span(&r, COMPOSITE_SIG_LEN);
	/* Only of an own device, for itself, and only where it can be taken
	 * now: it is offered again tomorrow. */
	if (!rd_done(&r) || !ID_EQ(from->account, s->m.user))
		return OK;
	TRY(fleet_may(s, &why));
	if (why != NULL)
		return OK;
	err = devices_check_next(&s->core, from->device, NULL, cert, proof.p);
	if (err == OK)
		err = devices_renew(&s->core, cert, &list);
	if (err == OK)
		err = setup_publish(s, list, cert, none);
	step_scratch_end(s, mark);
	return step_is_fatal(err) ? err : OK;
}

/* ---- what lists mean ---- */

/* Nobody is told of a renewed certificate: so it is looked for. */
enum err
fleet_look(struct step *s)
{
	struct person p;
	bool asked;

	if (!(s->m.flags & META_OFFERED))
		return OK;
	TRY(person_is_wanted(s, &s->m.user, &asked));
	TRY(person_load(s, &s->m.user, &p));
	if (!asked && s->now >= p.checked_ms + LOOK_AGAIN_MS)
		return person_want(s, &s->m.user);
	step_wake(s, p.checked_ms + LOOK_AGAIN_MS);
	return OK;
}

/* The list names the certificate that was kept aside: it is ours now. */
static enum err
fleet_adopt(struct step *s)
{
	struct arena_mark mark = step_scratch(s);
	bool adopted = false;
	enum err err = devices_adopt(&s->core, &adopted);

	step_scratch_end(s, mark);
	TRY(err);
	if (!adopted)
		return OK;
	s->m.flags &= ~(uint32_t)META_OFFERED;
	TRY(trust_sign_again(s));
	return setup_make_prekeys(s);
}

enum err
fleet_check(struct step *s)
{
	struct arena_mark mark = step_scratch(s);
	struct peer *own = ARENA_NEW(&s->scratch, struct peer);
	bool gone = false;
	enum err err;

	if (own == NULL)
		return ERR_TOO_LARGE;
	if (!(s->m.flags & META_KEYS) || !(s->m.flags & META_LIST_SENT) ||
	    (s->m.flags & META_KEYS_MISSING))
		return OK;
	err = peer_load(&s->core, &s->m.user, own);
	if (err == OK)
		gone = devlist_find(&own->list, s->m.device) == NULL;
	step_scratch_end(s, mark);
	TRY(err);
	if (!gone)
		return fleet_adopt(s);
	/* Signed by the account itself: these keys are of no more use. */
	TRY(setup_forget(s));
	s->m.flags |= META_REVOKED;
	s->c->ready = false;
	s->c->dirty = true;
	return step_show(s, SHOW_REVOKED, 0) == NULL ||
	    step_show(s, SHOW_KEYS_MISSING, 0) == NULL ? ERR_TOO_LARGE : OK;
}

enum err
fleet_renewed(struct step *s, const struct user_id *user)
{
	uint8_t value[8];
	struct wr w = wr_init(value, sizeof(value));

	wr_u64(&w, s->now);
	return rec_put(&s->r, REC_RENEWED, ID_SPAN(*user), wr_done(&w));
}

enum err
fleet_renewed_ms(struct step *s, const struct user_id *user, uint64_t *out)
{
	struct span value;
	struct rd r;
	enum err err = rec_get(&s->r, REC_RENEWED, ID_SPAN(*user), &value);

	*out = 0;
	if (err != OK)
		return err == ERR_NOT_FOUND ? OK : err;
	r = rd_init(value);
	*out = rd_u64(&r);
	return rd_done(&r) ? OK : ERR_FORMAT;
}
