/*
 * prefs.c: see prefs.h.
 */
#include "client/prefs.h"

#include "base/text.h"
#include "client/arcin.h"
#include "client/item.h"
#include "client/person.h"
#include "client/setting.h"
#include "client/task.h"
#include "wire/json.h"

#define REPORT_TEXT_MAX 4000u

uint32_t
prefs_chat_flags(bool muted, bool pinned, bool archived,
    enum chat_notify notify)
{
	return (muted ? CHAT_MUTED : 0u) | (pinned ? CHAT_PINNED : 0u) |
	    (archived ? CHAT_ARCHIVED : 0u) |
	    (notify == CHAT_NOTIFY_NONE ? CHAT_QUIET :
	    notify == CHAT_NOTIFY_MENTIONS ? CHAT_ONLY_MENTIONS : 0u);
}

static enum err
prefs_show_chat(struct step *s, const struct chat *c)
{
	struct client_show *show = step_show(s, SHOW_CHAT_STATE, 0);

	if (show == NULL)
		return ERR_TOO_LARGE;
	show->u.chat.chat = c->id;
	show->u.chat.user = c->user;
	return OK;
}

static void
prefs_put_flag(struct wr *w, const char *name, bool on)
{
	wr_str(w, w->n > 1 ? "," : "");
	wr_str(w, "\"");
	wr_str(w, name);
	wr_str(w, on ? "\":true" : "\":false");
}

static enum err
prefs_chat(struct step *s, const struct client_input *in)
{
	uint32_t mask = in->u.chat_set.mask, flags;
	struct span path;
	struct chat c;
	struct wr w;

	TRY(person_chat(s, &in->u.chat_set.chat, &c));
	c.flags = flags = (c.flags & ~mask) | (in->u.chat_set.flags & mask);
	TRY(step_wr(s, 256, &w));
	wr_str(&w, "{");
	if (mask & CHAT_MUTED)
		prefs_put_flag(&w, "muted", flags & CHAT_MUTED);
	if (mask & CHAT_PINNED)
		prefs_put_flag(&w, "pinned", flags & CHAT_PINNED);
	if (mask & CHAT_ARCHIVED)
		prefs_put_flag(&w, "archived", flags & CHAT_ARCHIVED);
	if (mask & (CHAT_QUIET | CHAT_ONLY_MENTIONS)) {
		wr_str(&w, w.n > 1 ? "," : "");
		wr_str(&w, flags & CHAT_QUIET ? "\"notify\":\"none\"" :
		    flags & CHAT_ONLY_MENTIONS ? "\"notify\":\"mentions\"" :
		    "\"notify\":\"all\"");
	}
	wr_str(&w, "}");
	if (w.n == 2)
		return step_show_done(s, in->cmd);
	TRY(call_path(s, "/api/chats/", c.id.b, "/me", &path));
	TRY(person_save_chat(s, &c));
	TRY(prefs_show_chat(s, &c));
	return task_put(s, TASK_PATCH, path, wr_done(&w), in->cmd);
}

/* Drafts are by person: there may be no chat yet. */
static enum err
prefs_draft(struct step *s, const struct client_input *in)
{
	struct user_id user = in->u.draft.to.user;
	struct span text = in->u.draft.text;
	struct chat c;

	if (text.n > CLIENT_TEXT_MAX)
		return ERR_LIMIT;
	if (!utf8_valid(text))
		return ERR_VALIDATION;
	if (!ID_IS_ZERO(in->u.draft.to.chat)) {
		TRY(person_chat(s, &in->u.draft.to.chat, &c));
		user = c.user;
	}
	if (ID_IS_ZERO(user))
		return ERR_VALIDATION;
	TRY(text.n == 0 ? rec_del(&s->r, REC_DRAFT, ID_SPAN(user)) :
	    rec_put(&s->r, REC_DRAFT, ID_SPAN(user), text));
	return step_show_done(s, in->cmd);
}

enum err
prefs_heard_block(struct step *s, const struct user_id *user, bool on)
{
	struct client_show *show;
	struct person p;

	TRY(person_load(s, user, &p));
	if (((p.flags & PERSON_BLOCKED) != 0) == on)
		return OK;
	p.flags = on ? p.flags | PERSON_BLOCKED :
	    p.flags & ~(uint32_t)PERSON_BLOCKED;
	TRY(person_save(s, &p));
	show = step_show(s, SHOW_BLOCKED, 0);
	if (show == NULL)
		return ERR_TOO_LARGE;
	show->u.blocked.user = *user;
	show->u.blocked.on = on;
	return OK;
}

static enum err
prefs_block(struct step *s, const struct client_input *in)
{
	const struct user_id *user = &in->u.verify.user;
	struct block_req req = { .user_id = *user };
	struct span path = SPAN("/api/blocks"), body = { NULL, 0 };

	if (ID_IS_ZERO(*user) || ID_EQ(*user, s->m.user))
		return ERR_VALIDATION;
	TRY(prefs_heard_block(s, user, in->u.verify.on));
	s->c->dirty = true;
	if (in->u.verify.on) {
		TRY(step_json(s, &shape_block_req, &req, &body));
		return task_put(s, TASK_POST, path, body, in->cmd);
	}
	TRY(call_path(s, "/api/blocks/", user->b, "", &path));
	return task_put(s, TASK_DELETE, path, body, in->cmd);
}

/* At most so many bytes, and no half of a character. */
static struct span
prefs_cut(struct span text, size_t max)
{
	text = span_sub(text, 0, max);
	while (text.n > 0 && !utf8_valid(text))
		text.n--;
	return text;
}

static enum err
prefs_report(struct step *s, const struct client_input *in)
{
	struct report_req req = { .user_id = in->u.report.user,
	    .has_comment = in->u.report.comment.n != 0,
	    .comment = in->u.report.comment };
	struct report_message_rec m = { .has_text = false };
	struct client_item it;
	uint32_t reason;
	struct span body;

	if (in->u.report.comment.n > CLIENT_REPORT_MAX ||
	    !utf8_valid(in->u.report.comment) || !shape_value(
	    &shape_names_report_reason, in->u.report.reason, &reason))
		return ERR_VALIDATION;
	req.reason = (enum report_reason)reason;
	if (!ID_IS_ZERO(in->u.report.ref.event)) {
		TRY(item_find(s, &in->u.report.ref.sender,
		    &in->u.report.ref.event, &it));
		req.user_id = it.sender;
		m.message_id = it.message;
		m.text = prefs_cut(it.text, REPORT_TEXT_MAX);
		m.has_text = in->u.report.with_text && m.text.n != 0;
		req.has_messages = !ID_IS_ZERO(it.message);
		req.messages.p = &m;
		req.messages.n = req.has_messages;
	}
	if (ID_IS_ZERO(req.user_id) || ID_EQ(req.user_id, s->m.user))
		return ERR_VALIDATION;
	TRY(step_json(s, &shape_report_req, &req, &body));
	return task_put(s, TASK_POST, SPAN("/api/reports"), body, in->cmd);
}

static enum err
prefs_people(struct step *s, const struct client_input *in)
{
	struct call_new n = { .what = CALL_PEOPLE, .method = "GET",
	    .cmd = in->cmd };
	bool made;
	struct wr w;

	/* In this class a name needs no escape in a path. */
	if (in->u.name.n < 2 || in->u.name.n > 30 ||
	    !shape_is_class(SHAPE_USERNAME, in->u.name))
		return ERR_VALIDATION;
	TRY(step_wr(s, 64 + in->u.name.n, &w));
	wr_str(&w, "/api/users/search?q=");
	wr_span(&w, in->u.name);
	n.path = wr_done(&w);
	TRY(call_make(s, &n, &made));
	return made ? OK : ERR_UNAVAILABLE;
}

enum err
prefs_heard_people(struct step *s, const struct call_answer *a)
{
	struct user_search_rep rep;
	struct client_show *show;
	size_t i;

	if (a->err != OK || shape_decode(&shape_user_search_rep, a->data,
	    s->a, &rep, NULL) != OK)
		return step_show_error(s, a->call->cmd, a->err != OK ?
		    a->err : ERR_FORMAT, a->error.message);
	for (i = 0; i < rep.users.n; i++) {
		TRY(person_set_name(s, &rep.users.p[i].id,
		    rep.users.p[i].username));
		show = step_show(s, SHOW_FOUND, a->call->cmd);
		if (show == NULL)
			return ERR_TOO_LARGE;
		show->u.user.user = rep.users.p[i].id;
		TRY(arena_dup(s->a, rep.users.p[i].username,
		    &show->u.user.name));
	}
	return step_show_done(s, a->call->cmd);
}

enum err
prefs_heard_blocks(struct step *s, const struct call_answer *a)
{
	struct block_list_rep rep;
	struct setting t;
	size_t i;

	if (a->err != OK && (a->status < 400 || a->status >= 500 ||
	    a->status == 401 || a->status == 429))
		return OK;
	TRY(setting_load(s, &t));
	t.blocks_known = true;
	TRY(setting_save(s, &t));
	if (a->err != OK || shape_decode(&shape_block_list_rep, a->data, s->a,
	    &rep, NULL) != OK)
		return OK;
	for (i = 0; i < rep.blocks.n; i++) {
		TRY(person_set_name(s, &rep.blocks.p[i].user_id,
		    rep.blocks.p[i].username));
		TRY(prefs_heard_block(s, &rep.blocks.p[i].user_id, true));
	}
	return OK;
}

enum err
prefs_heard_me(struct step *s, const struct chat_me_rec *me)
{
	uint32_t flags = prefs_chat_flags(me->muted, me->pinned, me->archived,
	    me->notify);
	struct chat c;
	enum err err = person_chat(s, &me->chat_id, &c);

	if (err == ERR_NOT_FOUND)
		return OK;
	TRY(err);
	if (c.flags == flags)
		return OK;
	c.flags = flags;
	TRY(person_save_chat(s, &c));
	return prefs_show_chat(s, &c);
}

/*
 * How the account keeps its chats, for a device that was not there when it was
 * set: once, when the history is here and no change of its own waits.
 */
enum err
prefs_ask_chats(struct step *s, struct span cursor)
{
	struct call_new n = { .what = CALL_CHATS, .method = "GET" };
	struct span key, value, none = { NULL, 0 };
	struct wr w;
	bool made;
	enum err err = rec_seek(&s->r, REC_TASK, none, none, false, &key,
	    &value);

	if (err != ERR_NOT_FOUND)
		return err;
	if (arcin_is_open(s) || call_is_open(s->c, CALL_CHATS, NULL))
		return OK;
	TRY(step_wr(s, 64 + cursor.n, &w));
	wr_str(&w, "/api/chats?limit=100");
	wr_str(&w, cursor.n != 0 ? "&cursor=" : "");
	wr_span(&w, cursor);
	n.path = wr_done(&w);
	return call_make(s, &n, &made);
}

static enum err
prefs_take_chat(struct step *s, const struct chat_rec *rec)
{
	struct chat_me_rec me = { .chat_id = rec->chat_id,
	    .muted = rec->muted, .pinned = rec->pinned,
	    .archived = rec->archived, .notify = rec->notify };

	if (rec->type != CHAT_TYPE_DIRECT || !rec->has_members ||
	    !rec->has_pinned || !rec->has_archived || !rec->has_notify)
		return OK;
	TRY(person_heard_chat(s, rec));
	return prefs_heard_me(s, &me);
}

enum err
prefs_heard_chats(struct step *s, const struct call_answer *a)
{
	struct chat_list_rep rep;
	struct setting t;
	size_t i;

	if (a->err != OK && (a->status < 400 || a->status >= 500 ||
	    a->status == 401 || a->status == 429))
		return OK;
	if (a->err == OK && shape_decode(&shape_chat_list_rep, a->data, s->a,
	    &rep, NULL) == OK) {
		for (i = 0; i < rep.chats.n; i++)
			TRY(prefs_take_chat(s, &rep.chats.p[i]));
		if (rep.has_next_cursor)
			return prefs_ask_chats(s, rep.next_cursor);
	}
	TRY(setting_load(s, &t));
	t.chats_known = true;
	return setting_save(s, &t);
}

enum err
prefs_take(struct step *s, const struct client_input *in)
{
	enum err err = ERR_ARG;

	if (in->type == CLIENT_CHAT_SET)
		err = prefs_chat(s, in);
	else if (in->type == CLIENT_DRAFT)
		err = prefs_draft(s, in);
	else if (in->type == CLIENT_BLOCK)
		err = prefs_block(s, in);
	else if (in->type == CLIENT_REPORT)
		err = prefs_report(s, in);
	else if (in->type == CLIENT_SETTINGS)
		err = setting_change(s, in);
	else if (in->type == CLIENT_SEARCH_PEOPLE)
		err = prefs_people(s, in);
	if (err == OK || step_is_fatal(err))
		return err;
	return step_show_error(s, in->cmd, err, (struct span){ NULL, 0 });
}
