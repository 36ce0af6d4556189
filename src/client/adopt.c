/*
 * adopt.c: the manager's side of linking. Until the right code was typed,
 * nothing of the account leaves this device; after it, everything that was
 * sealed is stored first and repeated as it is.
 */
#include "client/adopt.h"

#include "client/arcout.h"
#include "client/person.h"
#include "client/secret.h"
#include "client/setup.h"
#include "core/devices.h"
#include "wire/json.h"

#define DAY_MS (24ull * 3600 * 1000)
#define HISTORY_MS (90 * DAY_MS)
#define INBOX_WAIT_MS 20000u	/* for messages that are not open yet */
#define FACTS_BODY_MAX 16384u

enum err
adopt_is_manager(struct step *s, bool *out)
{
	struct arena_mark mark = step_scratch(s);
	struct identity id;
	enum err err = identity_load(&s->core, &id);

	*out = err == OK && id.is_manager;
	identity_wipe(&id);
	step_scratch_end(s, mark);
	return err == ERR_NOT_FOUND ? OK : err;
}

static enum err
adopt_call(struct step *s, const struct linkrec *l, enum call_what what,
    const char *method, const char *tail, struct span body)
{
	struct call_new n = { .what = what, .method = method, .body = body };
	bool made;

	memcpy(n.chat.b, l->mailbox.b, ID_LEN);
	TRY(linkrec_path(s, l, tail, &n.path));
	return call_make(s, &n, &made);
}

static enum err
adopt_may(struct step *s, const struct linkrec *l, const char **why_out)
{
	bool manager;

	*why_out = NULL;
	TRY(adopt_is_manager(s, &manager));
	if (!setup_is_ready(s))
		*why_out = "This device is not set up yet";
	else if (!manager)
		*why_out = "This device is no manager: link with another one";
	else if (!linkrec_is_over(l))
		*why_out = "Linking is under way: cancel it first";
	return OK;
}

enum err
adopt_scan(struct step *s, const struct client_input *in)
{
	struct linkrec l;
	const char *why;
	enum err err = linkrec_load(s, &l);

	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	TRY(adopt_may(s, &l, &why));
	linkrec_wipe(&l);
	if (why != NULL)
		return step_show_error(s, in->cmd, ERR_CONFLICT,
		    span_str(why));
	err = linking_text_parse(in->u.link_scan.text, &l.mailbox, l.hash);
	if (err != OK)
		return step_show_error(s, in->cmd, ERR_VALIDATION,
		    SPAN("That is not the text of a new device"));
	l.manager = in->u.link_scan.manager;
	l.all = in->u.link_scan.all;
	l.no_history = in->u.link_scan.no_history;
	l.expires_ms = s->now + LINKING_OFFER_MS;
	TRY(linkrec_go(s, &l, LINK_WAITS));
	return step_show_done(s, in->cmd);
}

/* ---- the code, and what is told after it ---- */

enum err
adopt_code(struct step *s, struct linkrec *l, const struct client_input *in)
{
	enum err err;

	if (l->is_new || l->state != LINK_ASKS)
		return step_show_error(s, in->cmd, ERR_CONFLICT,
		    SPAN("There is no code to enter"));
	err = linking_enter_code(&l->core, in->u.link_code);
	if (err == ERR_FORMAT)
		return step_show_error(s, in->cmd, ERR_VALIDATION,
		    SPAN("A code has six digits"));
	if (err == ERR_UNTRUSTED) {
		TRY(linkrec_go(s, l, LINK_WRONG_CODE));
		return step_show_error(s, in->cmd, ERR_UNTRUSTED,
		    SPAN("The code is wrong: begin anew on both devices"));
	}
	TRY(err);
	if (!l->no_history)
		TRY(s->pv->random(s->pv->ctx, l->archive_key,
		    sizeof(l->archive_key)));
	TRY(linkrec_go(s, l, LINK_TOLD));
	return step_show_done(s, in->cmd);
}

/* What the certificate has to agree with. */
static void
adopt_want(const struct identity *id, const struct linkrec *l,
    struct linking_facts *f)
{
	*f = (struct linking_facts){ .account = id->me.account,
	    .device = l->device,
	    .flags = l->manager ? DEVICE_MANAGER : 0 };
	memcpy(f->aik, id->aik, sizeof(f->aik));
}

static enum err
adopt_seal_facts(struct step *s, struct linkrec *l, struct identity *id,
    struct wr *w)
{
	struct linking_facts f;
	uint8_t hash[SHA256_LEN];
	uint64_t version;
	enum err err;

	TRY(devices_next(&s->core, &l->device, &version, hash));
	adopt_want(id, l, &f);
	f.list_version = version;
	memcpy(f.list_hash, hash, sizeof(hash));
	err = secret_get(s, f.secret);
	f.position = s->m.cursor;
	f.has_aik_priv = l->manager;
	if (l->manager)
		f.aik_priv = id->aik_priv;
	f.has_archive = l->has_archive;
	f.archive = l->archive;
	memcpy(f.archive_key, l->archive_key, sizeof(f.archive_key));
	f.device_name = l->device_name;
	f.user_name = s->m.name;
	if (err == OK)
		err = linking_provision(s->pv, &l->core, &f, w);
	linking_wipe_facts(&f);
	return err;
}

static enum err
adopt_provision(struct step *s, struct linkrec *l)
{
	struct arena_mark mark = step_scratch(s);
	struct identity id;
	struct wr w;
	enum err err;

	TRY(step_wr(s, LINKING_PROVISIONING_MAX, &w));
	err = identity_load(&s->core, &id);
	if (err == OK && !id.is_manager)
		err = ERR_FORBIDDEN;
	if (err == OK)
		err = adopt_seal_facts(s, l, &id, &w);
	identity_wipe(&id);
	step_scratch_end(s, mark);
	if (step_is_fatal(err))
		return err;
	if (err != OK)
		return linkrec_go(s, l, LINK_REFUSED);
	l->sent = wr_done(&w);
	return linkrec_save(s, l);
}

/* The archive gets its name first: the new device has to know it. */
static enum err
adopt_tell(struct step *s, struct linkrec *l)
{
	struct wr w;

	if (l->sent.n == 0) {
		if (!l->no_history && !l->has_archive)
			return arcout_ask_id(s, ARCOUT_LINK);
		return adopt_provision(s, l);
	}
	if (!l->posted) {
		TRY(step_wr(s, FACTS_BODY_MAX, &w));
		wr_str(&w, "{\"data\":");
		json_put_b64(&w, l->sent);
		wr_str(&w, "}");
		return adopt_call(s, l, CALL_LINK_FACTS_PUT, "PUT",
		    "/provisioning", wr_done(&w));
	}
	if (!linkrec_may_poll(s))
		return OK;
	return adopt_call(s, l, CALL_LINK_ANSWER, "GET", "/answer",
	    (struct span){ NULL, 0 });
}

static enum err
adopt_reply(struct step *s, struct linkrec *l)
{
	struct wr w;

	if (l->posted) {
		/* The person types the code, or lets it be. */
		if (s->now >= l->expires_ms)
			return linkrec_go(s, l, LINK_EXPIRED);
		step_wake(s, l->expires_ms);
		return OK;
	}
	TRY(step_wr(s, FACTS_BODY_MAX, &w));
	wr_str(&w, "{\"reply\":");
	json_put_b64(&w, SPAN_OF(l->core.reply));
	wr_str(&w, "}");
	return adopt_call(s, l, CALL_LINK_REPLY_PUT, "PUT", "/reply",
	    wr_done(&w));
}

/* ---- the list ---- */

enum listed { LISTED_YES, LISTED_FREE, LISTED_NEVER };

/* Does the newest known list name that certificate? */
static enum err
adopt_is_listed(struct step *s, const struct linkrec *l, enum listed *out)
{
	struct arena_mark mark = step_scratch(s);
	struct peer *peer = ARENA_NEW(&s->scratch, struct peer);
	const struct devlist_entry *e;
	uint8_t hash[SHA256_LEN];
	enum err err;

	if (peer == NULL)
		return ERR_TOO_LARGE;
	*out = LISTED_NEVER;
	err = peer_load(&s->core, &s->m.user, peer);
	if (err == OK)
		err = cert_hash(s->pv, l->cert, hash);
	if (err == OK) {
		e = devlist_find(&peer->list, l->device);
		if (e != NULL && memcmp(e->cert_hash, hash, SHA256_LEN) == 0)
			*out = LISTED_YES;
		else if (e == NULL && peer->list.next_id <= l->device)
			*out = LISTED_FREE;
	}
	step_scratch_end(s, mark);
	return err;
}

static enum err
adopt_add(struct step *s, struct linkrec *l)
{
	struct arena_mark mark = step_scratch(s);
	struct span list = { NULL, 0 };
	enum err err = devices_add(&s->core, l->cert, &list);

	if (err == OK)
		err = setup_publish(s, list, l->cert, (struct span){ NULL, 0 });
	step_scratch_end(s, mark);
	if (step_is_fatal(err))
		return err;
	if (err == OK) {
		l->posted = true;
		return linkrec_save(s, l);
	}
	return linkrec_go(s, l, err == ERR_LIST_CONFLICT ? LINK_TAKEN :
	    LINK_REFUSED);
}

static enum err
adopt_sign(struct step *s, struct linkrec *l)
{
	enum listed listed;
	bool busy;

	TRY(setup_is_publishing(s, &busy));
	if (busy)
		return OK;
	TRY(adopt_is_listed(s, l, &listed));
	if (listed == LISTED_YES)
		return linkrec_go(s, l, l->has_archive ? LINK_HISTORY :
		    LINK_DONE);
	/* A list of another manager came between: the number may be gone. */
	return listed == LISTED_FREE ? adopt_add(s, l) :
	    linkrec_go(s, l, LINK_TAKEN);
}

/*
 * What the new device gets no copy of is what the server took before the list:
 * all of that has to be here before the archive is made.
 */
static enum err
adopt_history(struct step *s, struct linkrec *l)
{
	uint64_t since = s->now > HISTORY_MS && !l->all ?
	    s->now - HISTORY_MS : 0;

	if (l->posted)
		return OK;
	if (s->c->synced_ms < l->since_ms) {
		if (s->c->sync_at_ms == 0)
			s->c->sync_at_ms = s->now;
		return OK;
	}
	if (s->m.inbox_n != 0 && s->now < l->since_ms + INBOX_WAIT_MS) {
		step_wake(s, l->since_ms + INBOX_WAIT_MS);
		return OK;
	}
	TRY(arcout_begin(s, ARCOUT_LINK, &l->archive, l->archive_key, since));
	l->posted = true;
	return linkrec_save(s, l);
}

enum err
adopt_pump(struct step *s, struct linkrec *l)
{
	switch ((int)l->state) {
	case LINK_WAITS:
		return adopt_call(s, l, CALL_LINK_GET, "GET", "",
		    (struct span){ NULL, 0 });
	case LINK_ASKS:
		return adopt_reply(s, l);
	case LINK_TOLD:
		return adopt_tell(s, l);
	case LINK_SIGNS:
		return adopt_sign(s, l);
	case LINK_HISTORY:
		return adopt_history(s, l);
	default:
		return OK;
	}
}

/* ---- answers ---- */

static enum err
adopt_heard_offer(struct step *s, struct linkrec *l,
    const struct call_answer *a)
{
	struct link_get_rep rep;
	enum err err;

	if (shape_decode(&shape_link_get_rep, a->data, s->a, &rep,
	    NULL) != OK)
		return linkrec_go(s, l, LINK_BAD_OFFER);
	err = linking_reply(s->pv, &l->mailbox, l->hash, rep.offer, &l->core);
	if (step_is_fatal(err))
		return err;
	if (err != OK)
		return linkrec_go(s, l, LINK_BAD_OFFER);
	l->device_name = rep.device_name;
	l->expires_ms = rep.expires_at;
	return linkrec_go(s, l, LINK_ASKS);
}

static enum err
adopt_heard_answer(struct step *s, struct linkrec *l,
    const struct call_answer *a)
{
	struct arena_mark mark;
	struct link_answer_rep rep;
	struct linking_facts want;
	struct identity id;
	struct cert *cert = ARENA_NEW(s->a, struct cert);
	uint8_t *plain;
	enum err err;

	if (shape_decode(&shape_link_answer_rep, a->data, s->a, &rep,
	    NULL) != OK || !rep.has_data) {
		linkrec_again(s);
		return OK;
	}
	plain = arena_bytes(s->a, rep.data.n);
	if (plain == NULL || cert == NULL)
		return ERR_TOO_LARGE;
	mark = step_scratch(s);
	err = identity_load(&s->core, &id);
	if (err == OK) {
		adopt_want(&id, l, &want);
		err = linking_open_answer(s->pv, &l->core, rep.data, &want,
		    plain, &l->cert, cert);
	}
	identity_wipe(&id);
	step_scratch_end(s, mark);
	if (step_is_fatal(err))
		return err;
	return linkrec_go(s, l, err == OK ? LINK_SIGNS : LINK_REFUSED);
}

static enum err
adopt_refused(struct step *s, struct linkrec *l, const struct call_answer *a)
{
	enum call_what what = (enum call_what)a->call->what;

	linkrec_again(s);
	if (a->status == 404 || a->status == 410)
		return linkrec_go(s, l, l->state == LINK_WAITS ||
		    s->now + 10000 >= l->expires_ms ? LINK_EXPIRED :
		    LINK_GONE);
	/* Another manager replied already. */
	if (a->err == ERR_CONFLICT && what == CALL_LINK_REPLY_PUT)
		return linkrec_go(s, l, LINK_TAKEN);
	if (a->err == ERR_CONFLICT && what == CALL_LINK_FACTS_PUT)
		return linkrec_go(s, l, LINK_GONE);
	return OK;
}

enum err
adopt_heard(struct step *s, struct linkrec *l, const struct call_answer *a)
{
	enum call_what what = (enum call_what)a->call->what;

	if (what == CALL_ARCHIVE_NEW)
		return OK;
	if (memcmp(a->call->chat.b, l->mailbox.b, ID_LEN) != 0 ||
	    linkrec_is_over(l) || l->state >= LINK_SIGNS)
		return OK;
	if (a->err != OK)
		return adopt_refused(s, l, a);
	if (what == CALL_LINK_GET && l->state == LINK_WAITS)
		return adopt_heard_offer(s, l, a);
	if ((what == CALL_LINK_REPLY_PUT && l->state == LINK_ASKS) ||
	    (what == CALL_LINK_FACTS_PUT && l->state == LINK_TOLD)) {
		l->posted = true;
		return linkrec_save(s, l);
	}
	if (what == CALL_LINK_ANSWER && l->state == LINK_TOLD)
		return adopt_heard_answer(s, l, a);
	return OK;
}

enum err
adopt_history_done(struct step *s)
{
	struct linkrec l;
	enum err err = linkrec_load(s, &l);

	if (err == ERR_NOT_FOUND)
		return OK;
	TRY(err);
	if (!l.is_new && l.state == LINK_HISTORY)
		err = linkrec_go(s, &l, LINK_DONE);
	linkrec_wipe(&l);
	return err;
}
