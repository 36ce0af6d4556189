/*
 * newdev.c: the new device's side of linking. Nothing that a server says is
 * taken for the manager's word: the reply shows itself by the code, what is
 * provisioned by the key that the code is of, the list by the account key that
 * was provisioned.
 */
#include "client/newdev.h"

#include "client/arcin.h"
#include "client/person.h"
#include "client/secret.h"
#include "client/setup.h"
#include "client/trust.h"
#include "core/devices.h"
#include "wire/json.h"

#define LIST_POLL_MS 700u
#define ANSWER_BODY_MAX 16384u

static enum err
newdev_call(struct step *s, const struct linkrec *l, struct call_new *n,
    const char *tail)
{
	bool made;

	memcpy(n->chat.b, l->mailbox.b, ID_LEN);
	if (n->path.n == 0)
		TRY(linkrec_path(s, l, tail, &n->path));
	return call_make(s, n, &made);
}

/* {"secret":"...", "data":"..."}: what is in the path is not in the body. */
static enum err
newdev_body(struct step *s, const struct linkrec *l, struct span data,
    struct span *out)
{
	struct wr w;

	TRY(step_wr(s, ANSWER_BODY_MAX, &w));
	wr_str(&w, "{\"secret\":");
	json_put_b64(&w, SPAN_OF(l->secret));
	if (data.n != 0) {
		wr_str(&w, ",\"data\":");
		json_put_b64(&w, data);
	}
	wr_str(&w, "}");
	*out = wr_done(&w);
	return wr_ok(&w) ? OK : ERR_SPACE;
}

/* New keys and a new mailbox, under the same name. */
static enum err
newdev_offer(struct step *s, struct linkrec *l)
{
	TRY(s->pv->random(s->pv->ctx, l->mailbox.b, ID_LEN));
	TRY(linking_offer(s->pv, &l->mailbox, &l->core));
	l->has_secret = false;
	return linkrec_go(s, l, LINK_WAITS);
}

enum err
newdev_begin(struct step *s, const struct client_input *in)
{
	struct linkrec l;
	enum err err = linkrec_load(s, &l);

	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	/* Whoever is signed out may begin anew: these keys go then. */
	if ((s->m.flags & META_KEYS) && (s->m.flags & META_SIGNED_IN) &&
	    !(s->m.flags & (META_KEYS_MISSING | META_REVOKED)))
		return step_show_error(s, in->cmd, ERR_CONFLICT,
		    SPAN("This profile is a device already"));
	if (!linkrec_is_over(&l) && !(l.is_new && l.state < LINK_SIGNS))
		return step_show_error(s, in->cmd, ERR_CONFLICT,
		    SPAN("Linking is under way"));
	if (in->u.link_new.name.n == 0 ||
	    in->u.link_new.name.n > LINKING_NAME_MAX)
		return step_show_error(s, in->cmd, ERR_VALIDATION,
		    SPAN("A device's name has 1 to 64 bytes"));
	linkrec_wipe(&l);
	l.is_new = true;
	l.device_name = in->u.link_new.name;
	TRY(newdev_offer(s, &l));
	linkrec_wipe(&l);
	return step_show_done(s, in->cmd);
}

static enum err
newdev_post_offer(struct step *s, const struct linkrec *l)
{
	struct call_new n = { .what = CALL_LINK_POST, .method = "POST",
	    .path = SPAN("/api/link"), .no_token = true };
	struct link_create_req req = { .mailbox = l->mailbox,
	    .offer = SPAN_OF(l->core.offer), .device_name = l->device_name };

	TRY(step_json(s, &shape_link_create_req, &req, &n.body));
	return newdev_call(s, l, &n, "");
}

static enum err
newdev_poll(struct step *s, const struct linkrec *l, enum call_what what,
    const char *tail)
{
	struct call_new n = { .what = what, .method = "POST",
	    .no_token = true };

	if (!linkrec_may_poll(s))
		return OK;
	TRY(newdev_body(s, l, (struct span){ NULL, 0 }, &n.body));
	return newdev_call(s, l, &n, tail);
}

/* The answer goes up until the server has it; then the list is looked for. */
static enum err
newdev_sign(struct step *s, const struct linkrec *l)
{
	struct call_new n = { .what = CALL_LINK_ANSWER_PUT, .method = "PUT",
	    .no_token = true };
	struct person p;
	bool asked;

	if (!l->posted) {
		TRY(newdev_body(s, l, l->sent, &n.body));
		return newdev_call(s, l, &n, "/answer");
	}
	TRY(person_is_wanted(s, &s->m.user, &asked));
	TRY(person_load(s, &s->m.user, &p));
	if (asked)
		return OK;
	if (s->now < p.checked_ms + LIST_POLL_MS) {
		step_wake(s, p.checked_ms + LIST_POLL_MS);
		return OK;
	}
	return person_want(s, &s->m.user);
}

enum err
newdev_pump(struct step *s, struct linkrec *l)
{
	switch ((int)l->state) {
	case LINK_WAITS:
		return l->has_secret ? newdev_poll(s, l, CALL_LINK_REPLY,
		    "/reply") : newdev_post_offer(s, l);
	case LINK_CODE:
		return newdev_poll(s, l, CALL_LINK_FACTS, "/provisioning");
	case LINK_SIGNS:
		return newdev_sign(s, l);
	default:
		return OK;
	}
}

/* ---- answers ---- */

static enum err
newdev_heard_post(struct step *s, struct linkrec *l,
    const struct call_answer *a)
{
	struct link_create_rep rep;

	/* It may be there from an answer that was lost: with other keys. */
	if (a->err == ERR_CONFLICT)
		return newdev_offer(s, l);
	if (a->err != OK)
		return a->status >= 400 && a->status < 500 &&
		    a->status != 429 ? linkrec_go(s, l, LINK_GONE) : OK;
	if (shape_decode(&shape_link_create_rep, a->data, s->a, &rep,
	    NULL) != OK || rep.secret.n != sizeof(l->secret))
		return linkrec_go(s, l, LINK_REFUSED);
	memcpy(l->secret, rep.secret.p, sizeof(l->secret));
	l->has_secret = true;
	l->expires_ms = rep.expires_at;
	return linkrec_go(s, l, LINK_WAITS);
}

static enum err
newdev_heard_reply(struct step *s, struct linkrec *l,
    const struct call_answer *a)
{
	struct link_reply_rep rep;
	enum err err;

	if (shape_decode(&shape_link_reply_rep, a->data, s->a, &rep,
	    NULL) != OK || !rep.has_reply) {
		linkrec_again(s);
		return OK;
	}
	err = linking_accept(s->pv, &l->core, rep.reply);
	if (step_is_fatal(err))
		return err;
	return linkrec_go(s, l, err == OK ? LINK_CODE : LINK_REFUSED);
}

/* What is kept until the person confirms. */
static enum err
newdev_keep_facts(struct step *s, struct linkrec *l,
    const struct link_provisioning_rep *rep, const struct linking_facts *f)
{
	struct wr w;

	TRY(step_wr(s, LINKING_PROVISIONING_MAX, &w));
	TRY(linking_encode_facts(f, &w));
	l->facts = wr_done(&w);
	l->user = f->account;
	/* Its manager's word where there is one: the server could call any
	 * account by the name that is expected. */
	l->user_name = f->user_name.n != 0 ? f->user_name : rep->username;
	l->access = rep->tokens.access_token;
	l->refresh = rep->tokens.refresh_token;
	l->manager = f->has_aik_priv;
	l->device = f->device;
	return linkrec_go(s, l, LINK_CONFIRM);
}

static enum err
newdev_heard_facts(struct step *s, struct linkrec *l,
    const struct call_answer *a)
{
	struct link_provisioning_rep rep;
	struct linking_facts f = { .device = 0 };
	uint8_t *plain;
	enum err err;

	if (shape_decode(&shape_link_provisioning_rep, a->data, s->a, &rep,
	    NULL) != OK || !rep.has_data) {
		linkrec_again(s);
		return OK;
	}
	plain = arena_bytes(s->a, rep.data.n);
	if (plain == NULL)
		return ERR_TOO_LARGE;
	err = linking_open_provisioning(s->pv, &l->core, rep.data, plain, &f);
	/* The session that the server gives has to be of the same account. */
	if (err == OK && (!rep.has_user_id || !rep.has_tokens ||
	    !rep.has_username || !ID_EQ(rep.user_id, f.account)))
		err = ERR_FORBIDDEN;
	if (err == OK)
		err = newdev_keep_facts(s, l, &rep, &f);
	else if (!step_is_fatal(err))
		err = linkrec_go(s, l, LINK_REFUSED);
	linking_wipe_facts(&f);
	wipe(plain, rep.data.n);
	return err;
}

enum err
newdev_heard(struct step *s, struct linkrec *l, const struct call_answer *a)
{
	enum call_what what = (enum call_what)a->call->what;

	if (what == CALL_LINK_POST && l->state == LINK_WAITS &&
	    !l->has_secret)
		return newdev_heard_post(s, l, a);
	if (memcmp(a->call->chat.b, l->mailbox.b, ID_LEN) != 0)
		return OK;
	if (a->err != OK) {
		linkrec_again(s);
		if (a->status != 404 && a->status != 410)
			return OK;
		return linkrec_go(s, l, l->expires_ms != 0 &&
		    s->now + 10000 >= l->expires_ms ? LINK_EXPIRED :
		    LINK_GONE);
	}
	if (what == CALL_LINK_REPLY && l->state == LINK_WAITS)
		return newdev_heard_reply(s, l, a);
	if (what == CALL_LINK_FACTS && l->state == LINK_CODE)
		return newdev_heard_facts(s, l, a);
	if (what == CALL_LINK_ANSWER_PUT && l->state == LINK_SIGNS) {
		l->posted = true;
		return linkrec_save(s, l);
	}
	return OK;
}

/* ---- taking the account into use ---- */

/* The sealed certificate and the proof that its key is here. */
static enum err
newdev_answer(struct step *s, struct linkrec *l, struct span cert)
{
	struct arena_mark mark = step_scratch(s);
	struct identity id;
	struct wr w;
	enum err err;

	TRY(step_wr(s, LINKING_ANSWER_MAX, &w));
	err = identity_load(&s->core, &id);
	if (err == OK)
		err = linking_answer(s->pv, &l->core, &l->user, cert,
		    &id.keys.dsk, &w);
	identity_wipe(&id);
	step_scratch_end(s, mark);
	l->sent = wr_done(&w);
	return err;
}

static enum err
newdev_join(struct step *s, struct linkrec *l, const struct linking_facts *f)
{
	struct arena_mark mark = step_scratch(s);
	struct span cert = { NULL, 0 }, kept = { NULL, 0 };
	enum err err = devices_join(&s->core, f, &cert);

	if (err == OK)
		err = arena_dup(s->a, cert, &kept);
	step_scratch_end(s, mark);
	TRY(err);
	TRY(secret_put(s, f->secret));
	TRY(newdev_answer(s, l, kept));
	if (f->has_archive)
		TRY(arcin_begin(s, ARCIN_LINK, &f->archive, f->archive_key,
		    &f->account));
	s->m.device = f->device;
	s->m.flags |= META_KEYS | META_LINKING;
	s->m.flags &= ~(uint32_t)(META_KEYS_MISSING | META_CHECK_KEYS |
	    META_LIST_SENT | META_REVOKED);
	/* Older events hold nothing for this device: the archive has them. */
	if (f->position > s->m.cursor)
		s->m.cursor = f->position;
	s->m.signed_up_ms = s->now;
	s->m.published_ms = 0;
	return OK;
}

static enum err
newdev_take(struct step *s, struct linkrec *l)
{
	struct linking_facts f;
	enum err err = linking_decode_facts(l->facts, &f);

	TRY(err);
	err = setup_enter(s, &l->user, l->user_name, l->access, l->refresh);
	if (err == OK)
		err = newdev_join(s, l, &f);
	linking_wipe_facts(&f);
	return err;
}

/* The session that came with it ends again. */
static enum err
newdev_decline(struct step *s, struct linkrec *l)
{
	struct call_new n = { .what = CALL_LOGOUT, .method = "POST",
	    .path = SPAN("/api/auth/logout") };
	struct span access = s->m.access;
	uint32_t flags = s->m.flags;
	bool made;

	s->m.access = l->access;
	s->m.flags |= META_SIGNED_IN;
	TRY(call_make(s, &n, &made));
	s->m.access = access;
	s->m.flags = flags;
	return linkrec_go(s, l, LINK_CANCELLED);
}

enum err
newdev_confirm(struct step *s, struct linkrec *l,
    const struct client_input *in)
{
	enum err err;

	if (!l->is_new || l->state != LINK_CONFIRM)
		return step_show_error(s, in->cmd, ERR_CONFLICT,
		    SPAN("There is nothing to confirm"));
	if (!in->u.on) {
		TRY(newdev_decline(s, l));
		return step_show_done(s, in->cmd);
	}
	if ((s->m.flags & (META_KEYS | META_KEYS_MISSING | META_REVOKED)) &&
	    !ID_EQ(s->m.user, l->user)) {
		TRY(newdev_decline(s, l));
		return step_show_error(s, in->cmd, ERR_CONFLICT,
		    SPAN("This profile belongs to another account"));
	}
	/* What an earlier device of this profile had is of no more use. */
	if (s->m.flags & META_KEYS)
		TRY(setup_forget(s));
	err = newdev_take(s, l);
	if (step_is_fatal(err))
		return err;
	TRY(linkrec_go(s, l, err == OK ? LINK_SIGNS : LINK_REFUSED));
	return err == OK ? step_show_done(s, in->cmd) :
	    step_show_error(s, in->cmd, err, (struct span){ NULL, 0 });
}

/* ---- the list that names this device ---- */

enum named { NAMED_NOT_YET, NAMED_YES, NAMED_NEVER };

/* Is the list of the account that was provisioned, and is this device in it? */
static enum err
newdev_is_named(struct step *s, struct span bytes, enum named *out)
{
	struct arena_mark mark = step_scratch(s);
	struct devlist *l = ARENA_NEW(&s->scratch, struct devlist);
	const struct devlist_entry *e;
	struct identity id;
	enum err err;

	*out = NAMED_NOT_YET;
	if (l == NULL)
		return ERR_TOO_LARGE;
	err = identity_load(&s->core, &id);
	if (err == OK)
		err = devlist_verify(s->pv, bytes, &s->m.user, l);
	if (err == OK && memcmp(l->aik, id.aik, sizeof(id.aik)) != 0)
		err = ERR_UNTRUSTED;
	if (err == OK) {
		e = devlist_find(l, id.me.device);
		if (e != NULL && memcmp(e->cert_hash, id.keys.cert_hash,
		    SHA256_LEN) == 0)
			*out = NAMED_YES;
		else if (e != NULL || l->next_id > id.me.device)
			*out = NAMED_NEVER;	/* another one has it */
	}
	identity_wipe(&id);
	step_scratch_end(s, mark);
	return err;
}

static enum err
newdev_give_up(struct step *s, struct linkrec *l,
    enum client_linking_state state)
{
	TRY(arcin_drop(s));
	TRY(secret_drop(s));
	TRY(setup_forget(s));
	s->m.flags &= ~(uint32_t)META_LINKING;
	return linkrec_go(s, l, state);
}

static enum err
newdev_named(struct step *s, struct linkrec *l,
    const struct user_devices_rep *rep)
{
	bool taken;
	size_t i;

	TRY(person_take_list(s, &s->m.user, rep->list, &taken));
	if (!taken)
		return newdev_give_up(s, l, LINK_REFUSED);
	for (i = 0; i < rep->certs.n; i++)
		TRY(person_take_cert(s, &s->m.user, rep->certs.p[i]));
	s->m.flags &= ~(uint32_t)META_LINKING;
	s->m.flags |= META_LIST_SENT;
	s->m.published_ms = s->m.signed_ms = s->now;
	if (s->now > s->m.signed_up_ms)
		s->m.signed_up_ms = s->now;
	TRY(setup_make_prekeys(s));
	trust_ask(s);
	return linkrec_go(s, l, arcin_is_open(s) ? LINK_HISTORY : LINK_DONE);
}

enum err
newdev_heard_devices(struct step *s, const struct user_devices_rep *rep)
{
	enum named named = NAMED_NOT_YET;
	struct linkrec l;
	struct person p;
	enum err err;

	TRY(rec_del(&s->r, REC_WANT, ID_SPAN(s->m.user)));
	TRY(linkrec_load(s, &l));
	TRY(person_load(s, &s->m.user, &p));
	p.checked_ms = s->now;
	TRY(person_save(s, &p));
	if (!rep->has_list || l.state != LINK_SIGNS)
		return OK;
	err = newdev_is_named(s, rep->list, &named);
	if (step_is_fatal(err))
		return err;
	if (err == OK && named == NAMED_YES)
		err = newdev_named(s, &l, rep);
	else if (err != OK || named == NAMED_NEVER)
		err = newdev_give_up(s, &l, err != OK ? LINK_REFUSED :
		    LINK_TAKEN);
	else if (s->now > l.since_ms + 3 * LINKING_OFFER_MS)
		err = newdev_give_up(s, &l, LINK_EXPIRED);
	linkrec_wipe(&l);
	return err;
}

enum err
newdev_history_done(struct step *s)
{
	struct linkrec l;
	enum err err = linkrec_load(s, &l);

	if (err == ERR_NOT_FOUND)
		return OK;
	TRY(err);
	if (l.is_new && l.state == LINK_HISTORY)
		err = linkrec_go(s, &l, LINK_DONE);
	linkrec_wipe(&l);
	return err;
}
