/*
 * client.c: a step: the input is taken in, then everything that can move is
 * moved, until nothing does; what remains to be waited for sets the timer.
 */
#include "client/client.h"

#include "client/change.h"
#include "client/clock.h"
#include "client/erase.h"
#include "client/keyring.h"
#include "client/link.h"
#include "client/newdev.h"
#include "client/prefs.h"
#include "client/search.h"
#include "client/setting.h"
#include "client/task.h"
#include "client/secret.h"
#include "client/trust.h"

#define PUMP_ROUNDS_MAX 8u

void
client_init(struct client *c, const struct provider *pv,
    const struct client_host *host, uint32_t options)
{
	*c = (struct client){ .pv = pv, .host = *host, .options = options };
}

static enum err
client_find(struct step *s, const struct client_input *in)
{
	struct call_new n = { .what = CALL_FIND, .method = "GET",
	    .cmd = in->cmd };
	struct client_show *show;
	struct user_id user;
	struct span name = in->u.name;
	bool made;
	struct wr w;
	enum err err = person_by_name(s, name, &user);

	if (err == OK) {
		show = step_show(s, SHOW_USER, in->cmd);
		if (show == NULL)
			return ERR_TOO_LARGE;
		show->u.user.user = user;
		return arena_dup(s->a, name, &show->u.user.name);
	}
	if (err != ERR_NOT_FOUND)
		return err;
	/* In this class a name needs no escape in a path. */
	if (name.n < 3 || name.n > 30 || !shape_is_class(SHAPE_USERNAME, name))
		return step_show_error(s, in->cmd, ERR_NOT_FOUND,
		    (struct span){ NULL, 0 });
	TRY(step_wr(s, 64 + name.n, &w));
	wr_str(&w, "/api/users/search?q=");
	wr_span(&w, name);
	n.path = wr_done(&w);
	TRY(call_make(s, &n, &made));
	if (made)
		return OK;
	return step_show_error(s, in->cmd, s->m.flags & META_SIGNED_IN ?
	    ERR_UNAVAILABLE : ERR_INVALID_TOKEN, (struct span){ NULL, 0 });
}

static enum err
client_heard_find(struct step *s, const struct call_answer *a)
{
	struct user_search_rep rep;
	struct client_show *show;
	size_t i;

	if (a->err != OK)
		return step_show_error(s, a->call->cmd, a->err,
		    a->error.message);
	if (shape_decode(&shape_user_search_rep, a->data, s->a, &rep,
	    NULL) != OK)
		return step_show_error(s, a->call->cmd, ERR_FORMAT,
		    (struct span){ NULL, 0 });
	for (i = 0; i < rep.users.n; i++)
		TRY(person_set_name(s, &rep.users.p[i].id,
		    rep.users.p[i].username));
	/* The exact name comes first, if it is there at all. */
	if (rep.users.n == 0)
		return step_show_error(s, a->call->cmd, ERR_NOT_FOUND,
		    (struct span){ NULL, 0 });
	show = step_show(s, SHOW_USER, a->call->cmd);
	if (show == NULL)
		return ERR_TOO_LARGE;
	show->u.user.user = rep.users.p[0].id;
	return arena_dup(s->a, rep.users.p[0].username, &show->u.user.name);
}

static enum err
client_open(struct step *s, const struct client_input *in)
{
	struct user_id user = in->u.user;
	struct chat_create_req req = { .type = CHAT_TYPE_DIRECT };
	struct call_new n = { .what = CALL_CHAT, .method = "POST",
	    .path = SPAN("/api/chats"), .user = user, .cmd = in->cmd };
	struct client_show *show;
	struct person p;
	bool made;

	TRY(person_load(s, &user, &p));
	if (p.checked_ms == 0)
		TRY(person_want(s, &user));
	if (!ID_IS_ZERO(p.chat)) {
		show = step_show(s, SHOW_CHAT, in->cmd);
		if (show == NULL)
			return ERR_TOO_LARGE;
		show->u.chat.chat = p.chat;
		show->u.chat.user = user;
		return OK;
	}
	req.member_ids.p = &user;
	req.member_ids.n = 1;
	TRY(step_json(s, &shape_chat_create_req, &req, &n.body));
	TRY(call_make(s, &n, &made));
	return made ? OK : step_show_error(s, in->cmd, ERR_UNAVAILABLE,
	    (struct span){ NULL, 0 });
}

static enum err
client_verify(struct step *s, const struct client_input *in)
{
	enum err err = trust_set(s, &in->u.verify.user, in->u.verify.on,
	    VERIFY_NUMBER);

	if (step_is_fatal(err))
		return err;
	return err == OK ? step_show_done(s, in->cmd) :
	    step_show_error(s, in->cmd, err, (struct span){ NULL, 0 });
}

static enum err
client_accept(struct step *s, const struct client_input *in)
{
	enum err err = person_accept(s, &in->u.user);

	if (step_is_fatal(err))
		return err;
	return err == OK ? step_show_done(s, in->cmd) :
	    step_show_error(s, in->cmd, err, (struct span){ NULL, 0 });
}

static enum err
client_logout(struct step *s, const struct client_input *in)
{
	struct call_new n = { .what = CALL_LOGOUT, .method = "POST",
	    .path = SPAN("/api/auth/logout"), .cmd = in->cmd };
	bool made;

	if (!(s->m.flags & META_SIGNED_IN))
		return step_show_done(s, in->cmd);
	s->c->rest_at_ms = 0;
	TRY(call_make(s, &n, &made));
	TRY(call_signed_out(s, SPAN("logout")));
	return made ? OK : step_show_done(s, in->cmd);
}

static enum err
client_heard_devices(struct step *s, const struct call_answer *a)
{
	struct user_devices_rep rep;
	struct person p;

	if (a->err != OK) {
		if (a->status != 404 && a->status != 403 && a->status != 400)
			return OK;
		TRY(rec_del(&s->r, REC_WANT, ID_SPAN(a->call->user)));
		TRY(person_load(s, &a->call->user, &p));
		p.checked_ms = s->now;
		p.flags |= PERSON_GONE;
		return person_save(s, &p);
	}
	if (shape_decode(&shape_user_devices_rep, a->data, s->a, &rep,
	    NULL) != OK) {
		s->c->rest_at_ms = s->now + 5000;
		return OK;
	}
	if (ID_EQ(a->call->user, s->m.user) && (s->m.flags & META_LINKING))
		return newdev_heard_devices(s, &rep);
	if (ID_EQ(a->call->user, s->m.user) && (!(s->m.flags & META_KEYS) ||
	    (s->m.flags & (META_KEYS_MISSING | META_CHECK_KEYS))))
		return setup_heard_own(s, &rep);
	/* The own first list is not there yet: nothing to learn. */
	if (ID_EQ(a->call->user, s->m.user) && !rep.has_list)
		return rec_del(&s->r, REC_WANT, ID_SPAN(s->m.user));
	return person_heard_devices(s, &a->call->user, &rep);
}

static enum err
client_heard_chat_get(struct step *s, const struct call_answer *a)
{
	struct chat_rec rec;

	if (a->err != OK || shape_decode(&shape_chat_rec, a->data, s->a, &rec,
	    NULL) != OK)
		return OK;
	return person_heard_chat(s, &rec);
}

static enum err
client_heard_user(struct step *s, const struct call_answer *a)
{
	struct user_get_rep rep;

	if (a->err != OK || shape_decode(&shape_user_get_rep, a->data, s->a,
	    &rep, NULL) != OK || !ID_EQ(rep.id, a->call->user))
		return OK;
	return person_set_name(s, &rep.id, rep.username);
}

static enum err
client_answer(struct step *s, const struct client_input *in)
{
	struct client_call call;
	struct call_answer a;
	enum err err = call_answer(s, in, &call, &a);

	if (err == ERR_NOT_FOUND)
		return OK;
	TRY(err);
	switch ((int)call.what) {
	case CALL_BIND:
		return setup_heard_bind(s, &a);
	case CALL_BUNDLES:
		return outbox_heard_bundles(s, &a);
	case CALL_CHAT:
		return outbox_heard_chat(s, &a);
	case CALL_CHAT_GET:
		return client_heard_chat_get(s, &a);
	case CALL_DEVICES:
		return client_heard_devices(s, &a);
	case CALL_FIND:
		return client_heard_find(s, &a);
	case CALL_LIST_PUT:
		return setup_heard_list(s, &a);
	case CALL_LOGOUT:
		return step_show_done(s, call.cmd);
	case CALL_PREKEYS_PUT:
		return setup_heard_prekeys(s, &a);
	case CALL_REFRESH:
		return setup_heard_refresh(s, &a);
	case CALL_SYNC:
		return link_heard_sync(s, &a);
	case CALL_BLOCKS:
		return prefs_heard_blocks(s, &a);
	case CALL_CHATS:
		return prefs_heard_chats(s, &a);
	case CALL_PEOPLE:
		return prefs_heard_people(s, &a);
	case CALL_SETTINGS_GET:
		return setting_heard(s, &a);
	case CALL_SETTINGS_PUT:
		return setting_heard_put(s, &a);
	case CALL_TASK:
		return task_heard(s, &a);
	case CALL_USER_GET:
		return client_heard_user(s, &a);
	case CALL_NONE:
		return OK;
	default:
		return keyring_heard(s, &a);
	}
}

static enum err
client_start(struct step *s, const struct client_input *in)
{
	if (s->c->started)
		return OK;
	s->c->started = true;
	if (in->u.start.generation > s->m.generation)
		TRY(setup_check_generation(s, in->u.start.generation));
	if (s->c->options & CLIENT_STAYS)
		trust_ask(s);
	if (s->m.flags & META_OFFERED)
		TRY(person_want(s, &s->m.user));
	/* A profile of an earlier version has none. */
	if (s->m.flags & META_KEYS)
		TRY(secret_make(s));
	if (s->m.flags & META_KEYS_MISSING)
		return step_show(s, SHOW_KEYS_MISSING, 0) == NULL ?
		    ERR_TOO_LARGE : OK;
	return OK;
}

static enum err
client_ack(struct step *s, const struct client_input *in)
{
	bool mine;

	TRY(link_ack(s, in->u.ack.id, &mine));
	return mine ? OK : outbox_ack(s, in->u.ack.id, in->u.ack.json);
}

static enum err
client_take(struct step *s, const struct client_input *in)
{
	switch (in->type) {
	case CLIENT_START:
		return client_start(s, in);
	case CLIENT_SIGNED_IN:
		return setup_signed_in(s, in);
	case CLIENT_FIND:
		return client_find(s, in);
	case CLIENT_OPEN:
		return client_open(s, in);
	case CLIENT_SEND:
		return outnew_text(s, in);
	case CLIENT_READ:
		return link_read(s, in);
	case CLIENT_TYPING:
		return link_typing(s, in);
	case CLIENT_AWAY:
		return link_away(s, in);
	case CLIENT_VERIFY:
		return client_verify(s, in);
	case CLIENT_ACCEPT:
		return client_accept(s, in);
	case CLIENT_CHECK:
		TRY(person_want(s, &in->u.user));
		return step_show_done(s, in->cmd);
	case CLIENT_START_OVER:
		return setup_start_over(s, in);
	case CLIENT_LOGOUT:
		return client_logout(s, in);
	case CLIENT_EDIT: case CLIENT_DELETE: case CLIENT_REACT:
	case CLIENT_PIN: case CLIENT_TIMER_SET:
		return change_take(s, in);
	case CLIENT_CHAT_SET: case CLIENT_DRAFT: case CLIENT_BLOCK:
	case CLIENT_REPORT: case CLIENT_SETTINGS: case CLIENT_SEARCH_PEOPLE:
		return prefs_take(s, in);
	case CLIENT_LINK_NEW: case CLIENT_LINK_SCAN: case CLIENT_LINK_CODE:
	case CLIENT_LINK_CONFIRM: case CLIENT_LINK_CANCEL:
	case CLIENT_DEVICE_RENAME: case CLIENT_DEVICE_REVOKE:
	case CLIENT_RENEW: case CLIENT_RENEW_ACCOUNT:
	case CLIENT_BACKUP_CREATE: case CLIENT_BACKUP_REFRESH:
	case CLIENT_BACKUP_CHECK: case CLIENT_BACKUP_DELETE:
	case CLIENT_RESTORE: case CLIENT_RESTORE_CONFIRM:
	case CLIENT_BACKUP_PART: case CLIENT_VERIFY_CODE:
		return keyring_take(s, in);
	case CLIENT_ANSWER:
		return client_answer(s, in);
	case CLIENT_EVENT:
		return link_event(s, in->u.event.name, in->u.event.json);
	case CLIENT_ACK:
		return client_ack(s, in);
	case CLIENT_UP:
		return link_up(s);
	case CLIENT_DOWN:
		return link_down(s, in->u.down.code);
	case CLIENT_TIMER_FIRED:
		return OK;
	}
	return ERR_ARG;
}

/* Device lists that something needs. */
static enum err
client_fetch_wanted(struct step *s)
{
	struct call_new n = { .what = CALL_DEVICES, .method = "GET" };
	struct span key = { NULL, 0 }, value;
	struct person p;
	struct rd r;
	bool made;
	enum err err;

	while ((err = rec_seek(&s->r, REC_WANT, (struct span){ NULL, 0 }, key,
	    false, &key, &value)) == OK) {
		r = rd_init(key);
		rd_bytes(&r, n.user.b, ID_LEN);
		if (call_is_open(s->c, CALL_DEVICES, &n.user))
			continue;
		TRY(person_fetch_path(s, &n.user, &n.path));
		TRY(call_make(s, &n, &made));
		TRY(person_load(s, &n.user, &p));
		if (p.name.n != 0 || !made)
			continue;
		n.what = CALL_USER_GET;
		TRY(call_path(s, "/api/users/", n.user.b, "", &n.path));
		TRY(call_make(s, &n, &made));
		n.what = CALL_DEVICES;
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

static enum err
client_pump(struct step *s)
{
	unsigned round = 0;

	do {
		s->c->dirty = false;
		TRY(call_refresh(s));
		TRY(setup_pump(s));
		TRY(client_fetch_wanted(s));
		TRY(keyring_pump(s));
		TRY(inbox_pump(s));
		TRY(outnew_conflicts(s));
		TRY(outbox_pump(s));
		TRY(setting_pump(s));
		TRY(task_pump(s));
		TRY(erase_pump(s));
	} while (s->c->dirty && ++round < PUMP_ROUNDS_MAX);
	call_expire(s);
	if (s->m.flags & META_SIGNED_IN)
		TRY(search_pump(s));
	return link_pump(s);
}

static enum err
client_run(struct step *s, const struct client_input *in,
    struct client_effects *out)
{
	struct client_effect *e;

	TRY(client_take(s, in));
	TRY(client_pump(s));
	e = step_effect(s, CLIENT_TIMER);
	if (e == NULL)
		return ERR_TOO_LARGE;
	e->u.timer.at_ms = s->timer;
	return step_end(s, out);
}

enum err
client_step(struct client *c, struct arena *a, const struct client_input *in,
    struct client_effects *out)
{
	struct client before = *c;
	struct step *s = ARENA_NEW(a, struct step);
	enum err err;

	*out = (struct client_effects){ NULL, 0 };
	if (s == NULL)
		return ERR_TOO_LARGE;
	clock_follow(c, in->now_ms);
	err = step_init(s, c, a, in->now_ms, true);
	if (err == OK)
		err = client_run(s, in, out);
	step_fini(s);
	if (err != OK) {
		*c = before;
		*out = (struct client_effects){ NULL, 0 };
	}
	return err;
}
