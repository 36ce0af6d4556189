/*
 * setup.c: keys, lists, uploads. What is to be done is read off the records:
 * a process that dies in between goes on where it was.
 */
#include "client/setup.h"

#include "base/text.h"
#include "client/fleet.h"
#include "client/item.h"
#include "client/later.h"
#include "client/outbox.h"
#include "client/secret.h"
#include "client/trust.h"
#include "core/renew.h"
#include "wire/json.h"

#define DAY_MS (24ull * 3600 * 1000)
#define PREKEYS_AGAIN_MS 60000u
#define LIST_AGAIN_MS (3600ull * 1000)
#define LIST_BODY_MAX 24576u
/* How long a renewal after a rollback waits for what was asked for. */
#define STALE_WAIT_MS DAY_MS
#define PREKEYS_BODY_MAX (8192u + BATCH_LEAVES_DEFAULT * 1700u)
#define TOKEN_PART_MAX 2048u

bool
setup_is_ready(const struct step *s)
{
	return (s->m.flags & META_SIGNED_IN) && (s->m.flags & META_KEYS) &&
	    !(s->m.flags & (META_KEYS_MISSING | META_LINKING |
	    META_REVOKED)) && ID_EQ(s->m.bound, s->m.session);
}

static enum err
setup_put_upload(struct step *s, enum setup_upload what, struct span body)
{
	uint8_t key = (uint8_t)what;

	s->c->dirty = true;
	return rec_put(&s->r, REC_UPLOAD, span_of(&key, 1), body);
}

static enum err
setup_get_upload(struct step *s, enum setup_upload what, struct span *body)
{
	uint8_t key = (uint8_t)what;

	return rec_get(&s->r, REC_UPLOAD, span_of(&key, 1), body);
}

static enum err
setup_drop_upload(struct step *s, enum setup_upload what)
{
	uint8_t key = (uint8_t)what;

	s->c->dirty = true;
	return rec_del(&s->r, REC_UPLOAD, span_of(&key, 1));
}

enum err
setup_is_done(struct step *s, bool *out)
{
	struct span body;
	enum err err = setup_get_upload(s, UPLOAD_PREKEYS, &body);

	*out = err == ERR_NOT_FOUND && setup_is_ready(s);
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err
setup_token_session(struct step *s, struct span token, struct session_id *out)
{
	size_t dot = span_find(token, '.');
	struct span part = span_sub(token, dot + 1, token.n), sid;
	uint8_t *p;
	size_t n;

	part = span_sub(part, 0, span_find(part, '.'));
	if (part.n == 0 || part.n > TOKEN_PART_MAX)
		return ERR_FORMAT;
	p = arena_bytes(s->a, part.n + 4);
	if (p == NULL)
		return ERR_TOO_LARGE;
	if (!base64url_decode(part, p, &n) || !json_find_string(span_of(p, n),
	    SPAN("sid"), s->a, &sid) || !id_decode(sid, out->b))
		return ERR_FORMAT;
	return OK;
}

enum err
setup_enter(struct step *s, const struct user_id *user, struct span name,
    struct span access, struct span refresh)
{
	struct meta *m = &s->m;
	struct session_id session;

	if (access.n > META_TOKEN_MAX || refresh.n > META_TOKEN_MAX ||
	    name.n > CLIENT_NAME_MAX)
		return ERR_LIMIT;
	TRY(setup_token_session(s, access, &session));
	m->user = *user;
	m->session = session;
	m->token_lease_ms = 0;
	m->flags |= META_SIGNED_IN;
	TRY(arena_dup(s->a, name, &m->name));
	TRY(arena_dup(s->a, access, &m->access));
	TRY(arena_dup(s->a, refresh, &m->refresh));
	s->c->bad_tag = 0;
	s->c->dirty = true;
	return person_set_name(s, &m->user, m->name);
}

enum err
setup_signed_in(struct step *s, const struct client_input *in)
{
	struct meta *m = &s->m;
	enum err err;

	if ((m->flags & (META_KEYS | META_KEYS_MISSING)) &&
	    !ID_EQ(m->user, in->u.signed_in.user))
		return step_show_error(s, in->cmd, ERR_CONFLICT,
		    SPAN("This profile belongs to another account"));
	err = setup_enter(s, &in->u.signed_in.user, in->u.signed_in.name,
	    in->u.signed_in.access, in->u.signed_in.refresh);
	if (err == ERR_FORMAT || err == ERR_LIMIT)
		return step_show_error(s, in->cmd, err == ERR_FORMAT ?
		    ERR_INVALID_TOKEN : err, (struct span){ NULL, 0 });
	TRY(err);
	if (!(m->flags & META_KEYS)) {
		m->flags &= ~(uint32_t)META_KEYS_MISSING;
		m->flags |= META_CHECK_KEYS;
		TRY(person_want(s, &m->user));
	}
	return step_show_done(s, in->cmd);
}

/* The body of PUT device-list. certs may be empty. */
static enum err
setup_list_body(struct step *s, struct span list, struct span cert,
    struct span password, struct span rotation)
{
	struct device_list_put_req req = { .list = list,
	    .device_id = s->m.device, .has_password = password.n != 0,
	    .password = password, .has_rotation = rotation.n != 0,
	    .rotation = rotation };
	struct span body;

	req.certs.p = &cert;
	req.certs.n = cert.n != 0 ? 1 : 0;
	TRY(step_json(s, &shape_device_list_put_req, &req, &body));
	s->m.signed_ms = s->now;
	return setup_put_upload(s, UPLOAD_LIST, body);
}

enum err
setup_publish(struct step *s, struct span list, struct span cert,
    struct span rotation)
{
	return setup_list_body(s, list, cert, (struct span){ NULL, 0 },
	    rotation);
}

enum err
setup_make_prekeys(struct step *s)
{
	struct arena_mark mark = step_scratch(s);
	struct prekey_upload up = { .leaves_n = 0 };
	struct identity id;
	struct wr w;
	uint16_t i;
	enum err err;

	TRY(step_wr(s, PREKEYS_BODY_MAX, &w));
	err = prekey_make(&s->core, BATCH_LEAVES_DEFAULT, &up);
	if (err == OK && (err = identity_load(&s->core, &id)) == OK) {
		s->m.batch = id.batch_last;
		identity_wipe(&id);
	}
	/* `id` is in the path and must not be in the body as well. */
	wr_str(&w, "{\"header\":");
	json_put_b64(&w, up.header);
	wr_str(&w, ",\"leaves\":[");
	for (i = 0; i < up.leaves_n; i++) {
		if (i != 0)
			wr_str(&w, ",");
		json_put_b64(&w, up.leaves[i]);
	}
	wr_str(&w, "]}");
	step_scratch_end(s, mark);
	TRY(err);
	if (!wr_ok(&w))
		return ERR_SPACE;
	s->m.batch_ms = s->now;
	return setup_put_upload(s, UPLOAD_PREKEYS, wr_done(&w));
}

enum err
setup_is_publishing(struct step *s, bool *out)
{
	struct span body;
	enum err err = setup_get_upload(s, UPLOAD_LIST, &body);

	*out = err == OK || (s->m.flags & META_REFUSED) != 0;
	return err == ERR_NOT_FOUND ? OK : err;
}

/* Keys for this device; old_list: of the account key that is lost. */
static enum err
setup_create(struct step *s, struct span old_list, struct span password)
{
	struct arena_mark mark = step_scratch(s);
	uint8_t flags = s->c->options & CLIENT_WEB ? DEVICE_WEB : 0;
	struct identity id;
	struct span list = { NULL, 0 };
	enum err err;

	err = old_list.n == 0 ? identity_create(&s->core, &s->m.user, flags,
	    &list) : identity_start_over(&s->core, &s->m.user, flags,
	    old_list, &list);
	if (err == OK && (err = identity_load(&s->core, &id)) == OK) {
		s->m.device = id.me.device;
		err = setup_list_body(s, list, span_of(id.keys.cert,
		    id.keys.cert_n), password, (struct span){ NULL, 0 });
		identity_wipe(&id);
	}
	step_scratch_end(s, mark);
	TRY(err);
	s->m.flags |= META_KEYS;
	s->m.flags &= ~(uint32_t)(META_KEYS_MISSING | META_CHECK_KEYS |
	    META_LIST_SENT);
	s->m.published_ms = 0;
	s->m.signed_up_ms = old_list.n != 0 ? s->now : 0;
	TRY(secret_make(s));
	return setup_make_prekeys(s);
}

enum err
setup_forget(struct step *s)
{
	static const uint8_t kinds[] = { RECORD_LIST, RECORD_PAIR,
	    RECORD_SEEN };
	struct arena_mark mark = step_scratch(s);
	struct span none = { NULL, 0 }, key, value;
	size_t i;
	enum err err = identity_drop(&s->core);

	step_scratch_end(s, mark);
	TRY(err);
	for (i = 0; i < sizeof(kinds); i++) {
		key = none;
		while ((err = rec_seek(&s->r, kinds[i], none, key, false,
		    &key, &value)) == OK)
			TRY(rec_del(&s->r, kinds[i], key));
		if (err != ERR_NOT_FOUND)
			return err;
	}
	TRY(setup_drop_upload(s, UPLOAD_LIST));
	TRY(setup_drop_upload(s, UPLOAD_PREKEYS));
	s->m.flags &= ~(uint32_t)(META_KEYS | META_LIST_SENT | META_REFUSED |
	    META_LINKING | META_RENEW | META_STALE);
	s->m.flags |= META_KEYS_MISSING;
	s->m.alarm_ms = 0;
	s->m.bound = (struct session_id){ .b = { 0 } };
	s->m.device = 0;
	return OK;
}

enum err
setup_start_over(struct step *s, const struct client_input *in)
{
	struct span list;
	enum err err;

	if (!(s->m.flags & META_SIGNED_IN) ||
	    !(s->m.flags & META_KEYS_MISSING))
		return step_show_error(s, in->cmd, ERR_CONFLICT,
		    SPAN("The account's keys are here: nothing to start over"));
	err = rec_get(&s->r, REC_NEWLIST, ID_SPAN(s->m.user), &list);
	if (err == ERR_NOT_FOUND) {
		TRY(person_want(s, &s->m.user));
		return step_show_error(s, in->cmd, ERR_BUSY,
		    (struct span){ NULL, 0 });
	}
	TRY(err);
	TRY(setup_forget(s));
	err = setup_create(s, list, in->u.password);
	if (step_is_fatal(err))
		return err;
	if (err != OK)
		return step_show_error(s, in->cmd, err,
		    (struct span){ NULL, 0 });
	s->m.over_cmd = in->cmd;
	s->m.flags |= META_OVER;
	return OK;
}

/* Did the list name a new account key? The former one is erased. */
static enum err
setup_end_renewal(struct step *s)
{
	struct arena_mark mark = step_scratch(s);
	enum err err = renew_done(&s->core);

	step_scratch_end(s, mark);
	return err;
}

/* The server has the first list: set-up goes on. */
static enum err
setup_list_taken(struct step *s)
{
	s->m.published_ms = s->now;
	s->m.flags |= META_LIST_SENT;
	TRY(setup_drop_upload(s, UPLOAD_LIST));
	TRY(setup_end_renewal(s));
	TRY(rec_del(&s->r, REC_NEWLIST, ID_SPAN(s->m.user)));
	TRY(step_show_done(s, s->m.list_cmd));
	s->m.list_cmd = 0;
	if (!(s->m.flags & META_OVER))
		return OK;
	s->m.flags &= ~(uint32_t)META_OVER;
	return step_show_done(s, s->m.over_cmd);
}

/* Is the list that the server has the one that was made here? */
static enum err
setup_is_own_list(struct step *s, struct span list, bool *out)
{
	struct arena_mark m = step_scratch(s);
	struct peer *peer = ARENA_NEW(&s->scratch, struct peer);
	uint8_t hash[SHA256_LEN];
	enum err err;

	*out = false;
	if (peer == NULL)
		return ERR_TOO_LARGE;
	err = peer_load(&s->core, &s->m.user, peer);
	if (err == OK)
		err = devlist_hash(s->pv, list, hash);
	if (err == OK)
		*out = memcmp(hash, peer->list_hash, SHA256_LEN) == 0;
	step_scratch_end(s, m);
	return step_is_fatal(err) ? err : OK;
}

/*
 * The first list was refused as a conflict: either it is there already (the
 * answer was lost), or the account got another one in the meantime.
 */
static enum err
setup_settle_conflict(struct step *s, const struct user_devices_rep *rep)
{
	bool over = (s->m.flags & META_OVER) != 0, own;

	if (!rep->has_list)
		return OK;
	TRY(setup_is_own_list(s, rep->list, &own));
	if (own)
		return setup_list_taken(s);
	TRY(setup_forget(s));
	s->m.flags &= ~(uint32_t)META_OVER;
	TRY(rec_put(&s->r, REC_NEWLIST, ID_SPAN(s->m.user), rep->list));
	if (over)
		TRY(step_show_error(s, s->m.over_cmd, ERR_LIST_CONFLICT,
		    (struct span){ NULL, 0 }));
	return step_show(s, SHOW_KEYS_MISSING, 0) == NULL ?
	    ERR_TOO_LARGE : OK;
}

enum err
setup_heard_own(struct step *s, const struct user_devices_rep *rep)
{
	TRY(rec_del(&s->r, REC_WANT, ID_SPAN(s->m.user)));
	s->m.flags &= ~(uint32_t)META_CHECK_KEYS;
	s->c->dirty = true;
	if ((s->m.flags & META_KEYS) && !(s->m.flags & META_KEYS_MISSING))
		return setup_settle_conflict(s, rep);
	if (!rep->has_list && !(s->m.flags & META_KEYS_MISSING))
		return setup_create(s, (struct span){ NULL, 0 },
		    (struct span){ NULL, 0 });
	if (!rep->has_list)
		return OK;
	TRY(rec_put(&s->r, REC_NEWLIST, ID_SPAN(s->m.user), rep->list));
	TRY(fleet_heard_devices(s, rep));
	s->m.flags |= META_KEYS_MISSING;
	return step_show(s, SHOW_KEYS_MISSING, 0) == NULL ?
	    ERR_TOO_LARGE : OK;
}

/* The server would not have the first list, or the password was wrong. */
static enum err
setup_list_refused(struct step *s, const struct call_answer *a)
{
	bool over = (s->m.flags & META_OVER) != 0;

	if (s->m.flags & META_LIST_SENT) {
		/*
		 * A later one: another device was first, or the server will
		 * not have it. What it has is the base of the next: at once,
		 * or after a while.
		 */
		if (s->m.list_cmd != 0)
			TRY(step_show_error(s, s->m.list_cmd, a->err,
			    a->error.message));
		s->m.list_cmd = 0;
		TRY(setup_drop_upload(s, UPLOAD_LIST));
		s->m.flags |= META_REFUSED;
		s->m.signed_ms = a->err == ERR_LIST_CONFLICT ? 0 :
		    s->now - IDENTITY_LIST_RENEW_MS + LIST_AGAIN_MS;
		return person_want(s, &s->m.user);
	}
	if (a->err == ERR_LIST_CONFLICT) {
		s->m.flags |= META_CHECK_KEYS;
		return person_want(s, &s->m.user);
	}
	TRY(setup_forget(s));
	s->m.flags &= ~(uint32_t)META_OVER;
	TRY(person_want(s, &s->m.user));
	if (over)
		return step_show_error(s, s->m.over_cmd, a->err,
		    a->error.message);
	return step_show(s, SHOW_KEYS_MISSING, 0) == NULL ?
	    ERR_TOO_LARGE : OK;
}

/* docs/protocol.md, Replay, order, clones: once in 24 hours. */
enum err
setup_alarm(struct step *s, const struct address *by)
{
	struct arena_mark m;
	enum err err;

	if (s->m.alarm_ms == 0 || s->now < s->m.alarm_ms ||
	    s->now - s->m.alarm_ms >= DAY_MS) {
		s->m.alarm_ms = s->now;
		s->m.flags |= META_RENEW;
		s->m.flags &= ~(uint32_t)META_STALE;	/* now, whatever waits */
		s->c->dirty = true;
		return OK;
	}
	m = step_scratch(s);
	err = sessions_rekey(&s->core, by);
	step_scratch_end(s, m);
	return err;
}

enum err
setup_heard_list(struct step *s, const struct call_answer *a)
{
	if (a->err == OK)
		return setup_list_taken(s);
	if (a->status < 400 || a->status >= 500 || a->status == 429 ||
	    a->err == ERR_TOKEN_EXPIRED || a->err == ERR_INVALID_TOKEN)
		return OK;
	return setup_list_refused(s, a);
}

enum err
setup_heard_bind(struct step *s, const struct call_answer *a)
{
	struct device_bind_rep rep;

	if (a->err != OK) {
		if (a->status < 400 || a->status >= 500 ||
		    a->status == 401 || a->status == 429)
			return OK;
		/* It does not know this device: what does it know? */
		s->c->bind_at_ms = s->now + PREKEYS_AGAIN_MS;
		return person_want(s, &s->m.user);
	}
	s->m.bound = s->m.session;
	if (shape_decode(&shape_device_bind_rep, a->data, s->a, &rep,
	    NULL) == OK && rep.has_access_token &&
	    rep.access_token.n <= META_TOKEN_MAX)
		s->m.access = rep.access_token;
	return OK;
}

enum err
setup_heard_prekeys(struct step *s, const struct call_answer *a)
{
	/* A conflict: it is there already, the answer was lost. */
	if (a->err == OK || a->err == ERR_CONFLICT)
		return setup_drop_upload(s, UPLOAD_PREKEYS);
	if (a->status < 400 || a->status >= 500 || a->status == 401 ||
	    a->status == 429)
		return OK;
	/* Refused as it is: another one, after a while. */
	TRY(setup_drop_upload(s, UPLOAD_PREKEYS));
	s->m.batch_ms = s->now - PREKEY_REFILL_MS + PREKEYS_AGAIN_MS;
	return OK;
}

enum err
setup_heard_refresh(struct step *s, const struct call_answer *a)
{
	struct refresh_rep rep;

	s->m.token_lease_ms = 0;
	if (a->err == OK && shape_decode(&shape_refresh_rep, a->data, s->a,
	    &rep, NULL) == OK && rep.access_token.n <= META_TOKEN_MAX &&
	    (!rep.has_refresh_token ||
	    rep.refresh_token.n <= META_TOKEN_MAX)) {
		s->m.access = rep.access_token;
		if (rep.has_refresh_token)
			s->m.refresh = rep.refresh_token;
		s->c->bad_tag = 0;
		return OK;
	}
	if (a->status >= 400 && a->status < 500 && a->status != 429 &&
	    call_token_tag(s->m.access) == a->call->tag)
		return call_signed_out(s, a->error.code.n != 0 ?
		    a->error.code : SPAN("expired"));
	return OK;
}

enum err
setup_keys_low(struct step *s, uint32_t device, uint32_t left)
{
	struct span body;
	enum err err;

	if (!setup_is_ready(s) || device != s->m.device ||
	    left >= PREKEY_REFILL_BELOW ||
	    s->now < s->m.batch_ms + PREKEYS_AGAIN_MS)
		return OK;
	if (left == 0)
		TRY(item_warn(s, WARN_PREKEYS_DRAINED, &s->m.user, device));
	err = setup_get_upload(s, UPLOAD_PREKEYS, &body);
	if (err == ERR_NOT_FOUND)
		return setup_make_prekeys(s);
	return err;
}

enum err
setup_check_generation(struct step *s, uint64_t greatest)
{
	struct arena_mark mark = step_scratch(s);
	enum err err;

	if (greatest == 0 || !(s->m.flags & META_KEYS))
		return OK;
	err = identity_check_generation(&s->core, greatest);
	step_scratch_end(s, mark);
	if (err != ERR_ROLLBACK)
		return err;
	s->m.generation = greatest;
	s->store.generation = greatest + 1;
	s->m.flags |= META_RENEW | META_STALE;
	s->m.stale_ms = s->now;
	s->c->dirty = true;
	TRY(outbox_unseal(s));
	return item_warn(s, WARN_ROLLBACK, &s->m.user, s->m.device);
}

/* Was a message asked for again, since the rollback, that did not come yet? */
static enum err
setup_is_asking(struct step *s, bool *out)
{
	struct span none = { NULL, 0 }, key = none, value;
	struct rd r;
	enum err err;

	*out = false;
	while (!*out && (err = rec_seek(&s->r, RECORD_ASKED, none, key, false,
	    &key, &value)) != ERR_NOT_FOUND) {
		TRY(err);
		r = rd_init(value);
		*out = rd_u64(&r) >= s->m.stale_ms;
	}
	return OK;
}

/*
 * A device that went back to an older profile cannot open all that was under
 * way to it. It gets that again under this certificate only (docs/protocol.md,
 * "Retries"), so it looks at everything and asks before it renews, and waits a
 * day at most. New sessions it makes at once, all the same.
 */
static enum err
setup_may_renew(struct step *s, bool *out)
{
	bool asking;

	*out = true;
	if (!(s->m.flags & META_STALE) || s->now < s->m.stale_ms ||
	    s->now - s->m.stale_ms >= STALE_WAIT_MS)
		return OK;
	TRY(setup_is_asking(s, &asking));
	*out = !asking && s->c->acknowledged && s->m.inbox_n == 0 &&
	    s->c->catch_until == UINT64_MAX && s->m.out_n == 0;
	if (!*out)
		step_wake(s, s->m.stale_ms + STALE_WAIT_MS);
	return OK;
}

/* New certificate, new batch, new epochs: after a rollback or a clone. */
static enum err
setup_renew(struct step *s)
{
	struct arena_mark mark = step_scratch(s);
	struct span cert = { NULL, 0 }, list = { NULL, 0 };
	enum err err = identity_renew_device(&s->core, &cert, &list);

	s->m.flags &= ~(uint32_t)(META_RENEW | META_STALE);
	if (err == OK)
		err = setup_publish(s, list, cert, (struct span){ NULL, 0 });
	if (err == OK)
		err = sessions_rekey_all(&s->core);
	step_scratch_end(s, mark);
	if (err == ERR_FORBIDDEN)
		return fleet_offer(s);	/* another device has to sign it */
	if (err == ERR_UNTRUSTED)
		return OK;
	TRY(err);
	TRY(trust_sign_again(s));
	return setup_make_prekeys(s);
}

static enum err
setup_resign(struct step *s)
{
	struct arena_mark mark = step_scratch(s);
	struct span cert = { NULL, 0 }, list = { NULL, 0 };
	enum err err = identity_resign_list(&s->core, &cert, &list);

	s->m.signed_ms = s->now;
	if (err == OK)
		err = setup_publish(s, list, cert, (struct span){ NULL, 0 });
	step_scratch_end(s, mark);
	return err == ERR_FORBIDDEN || err == ERR_LIST_CONFLICT ? OK : err;
}

/* docs/protocol.md, Keys: a certificate lives 90 days. */
static enum err
setup_check_cert(struct step *s)
{
	struct arena_mark mark = step_scratch(s);
	struct cert *cert = ARENA_NEW(&s->scratch, struct cert);
	struct identity id;
	enum err err;

	if (cert == NULL)
		return ERR_TOO_LARGE;
	err = identity_load(&s->core, &id);
	if (err == OK)
		err = cert_decode(span_of(id.keys.cert, id.keys.cert_n), cert);
	if (err == OK && s->now >= cert->created_ms + IDENTITY_CERT_LIFE_MS) {
		s->m.flags |= META_RENEW;
		s->c->dirty = true;
	}
	identity_wipe(&id);
	step_scratch_end(s, mark);
	return err;
}

/*
 * A list was refused and what the server has did not settle it yet: asked for
 * again now and then. No list is made meanwhile.
 */
static enum err
setup_ask_base(struct step *s)
{
	struct person p;
	bool asked;

	TRY(person_is_wanted(s, &s->m.user, &asked));
	TRY(person_load(s, &s->m.user, &p));
	if (asked || s->now < p.checked_ms + LIST_AGAIN_MS)
		return OK;
	return person_want(s, &s->m.user);
}

/* What age alone makes necessary. */
static enum err
setup_upkeep(struct step *s)
{
	struct arena_mark mark;
	bool renews = (s->m.flags & META_RENEW) != 0;
	enum err err;

	if (renews)
		TRY(setup_may_renew(s, &renews));
	if (s->m.flags & META_REFUSED)
		TRY(setup_ask_base(s));
	else if (renews)
		return setup_renew(s);
	else if (s->now >= s->m.signed_ms + IDENTITY_LIST_RENEW_MS)
		return setup_resign(s);
	if (s->now >= s->m.batch_ms + PREKEY_REFILL_MS)
		return setup_make_prekeys(s);
	if (s->now < s->m.pruned_ms + DAY_MS)
		return OK;
	s->m.pruned_ms = s->now;
	TRY(setup_check_cert(s));
	mark = step_scratch(s);
	err = identity_tidy(&s->core);
	if (err == OK)
		err = prekey_tidy(&s->core);
	if (err == OK)
		err = sessions_tidy(&s->core);
	if (err == OK)
		err = retry_tidy(&s->core);
	step_scratch_end(s, mark);
	TRY(err);
	TRY(later_prune(s));
	return outbox_prune(s);
}

static enum err
setup_bind(struct step *s)
{
	struct call_new n = { .what = CALL_BIND, .method = "POST",
	    .path = SPAN("/api/auth/device") };
	struct arena_mark mark = step_scratch(s);
	struct composite_sig sig;
	struct device_bind_req req = { .device_id = s->m.device };
	bool made;
	enum err err;

	if (call_is_open(s->c, CALL_BIND, NULL))
		return OK;
	if (s->now < s->c->bind_at_ms) {
		step_wake(s, s->c->bind_at_ms);
		return OK;
	}
	err = identity_bind(&s->core, &s->m.session, &sig);
	step_scratch_end(s, mark);
	TRY(err);
	req.proof = SPAN_OF(sig.b);
	TRY(step_json(s, &shape_device_bind_req, &req, &n.body));
	return call_make(s, &n, &made);
}

/* An upload that waits, as a call. ERR_NOT_FOUND: none. */
static enum err
setup_send_upload(struct step *s, enum setup_upload what)
{
	struct call_new n = { .what = CALL_LIST_PUT, .method = "PUT",
	    .path = SPAN("/api/users/me/device-list") };
	bool made;
	struct wr w;

	TRY(setup_get_upload(s, what, &n.body));
	if (what == UPLOAD_PREKEYS) {
		n.what = CALL_PREKEYS_PUT;
		TRY(step_wr(s, 64, &w));
		wr_str(&w, "/api/devices/");
		wr_dec(&w, s->m.device);
		wr_str(&w, "/prekeys");
		n.path = wr_done(&w);
	}
	return call_make(s, &n, &made);
}

enum err
setup_pump(struct step *s)
{
	bool pending;
	enum err err;

	if (!(s->m.flags & META_SIGNED_IN) || !(s->m.flags & META_KEYS) ||
	    (s->m.flags & (META_KEYS_MISSING | META_CHECK_KEYS |
	    META_LINKING | META_REVOKED)))
		return OK;
	err = setup_send_upload(s, UPLOAD_LIST);
	if (err != ERR_NOT_FOUND && (err != OK ||
	    !(s->m.flags & META_LIST_SENT)))
		return err;
	pending = err == OK;
	if (!ID_EQ(s->m.bound, s->m.session))
		return setup_bind(s);
	err = setup_send_upload(s, UPLOAD_PREKEYS);
	if (err != ERR_NOT_FOUND)
		return err;
	/* Others can begin sessions with this device now. */
	if (!s->c->ready && step_show(s, SHOW_READY, 0) == NULL)
		return ERR_TOO_LARGE;
	s->c->ready = true;
	/* A list in place of one that is under way would go with the answer
	 * to that one, and never be sent. */
	return pending ? OK : setup_upkeep(s);
}
