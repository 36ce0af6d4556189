/*
 * tui_act.c: see tui_act.h.
 */
#include "cli/tui_act.h"

#include "base/text.h"
#include "cli/tui_draw.h"
#include "cli/tui_history.h"
#include "cli/tui_load.h"
#include "cli/tui_panels.h"
#include "cli/tui_words.h"

#define OF(t, field) \
	((struct tui *)(void *)((char *)(t) - offsetof(struct tui, field)))

/* Gives a command; `done` is said when it has ended well. */
static void
give(struct tui *t, struct client_input *in, enum tui_what what,
    const struct user_id *user, const char *done)
{
	struct tui_pending *p = &t->pending[0];
	for (size_t i = 0; i < TUI_PENDING_MAX; i++)
		if (t->pending[i].cmd == 0) {
			p = &t->pending[i];
			break;
		}
	in->cmd = host_number(t->h);
	*p = (struct tui_pending){ .cmd = in->cmd, .what = what };
	if (user != NULL)
		p->user = *user;
	snprintf(p->done, sizeof(p->done), "%s", done);
	if (what == TUI_DOES_PEOPLE)
		t->people_cmd = in->cmd;
	tui_touch(t);
	host_input(t->h, in);
}

/* ---- typing, drafts, marks ---- */

static void
say_typing(struct tui *t, bool on)
{
	struct client_input in = { .type = CLIENT_TYPING };
	t->told_typing = on;
	in.u.typing.chat = t->m.with_chat;
	in.u.typing.on = on;
	if (!ID_IS_ZERO(t->m.with_chat))
		host_input(t->h, &in);
}

static void
on_pause(struct timer *timer)
{
	struct tui *t = OF(timer, pause);
	if (t->told_typing)
		say_typing(t, false);
}

static void
stop_typing(struct tui *t)
{
	timer_cancel(&t->pause);
	if (t->told_typing)
		say_typing(t, false);
}

void
tui_act_save_draft(struct tui *t)
{
	struct client_input in = { .type = CLIENT_DRAFT };
	timer_cancel(&t->draft);
	if (!t->draft_dirty || !t->m.open)
		return;
	t->draft_dirty = false;
	/* While an edit is written the draft is what stood before it. */
	if (!ID_IS_ZERO(t->m.edit.event))
		return;
	in.u.draft.to.user = t->m.with;
	in.u.draft.to.chat = t->m.with_chat;
	in.u.draft.text = tui_compose_text(t->m.compose);
	host_input(t->h, &in);
	tui_load_later(t, &t->m.with);
}

static void
on_draft(struct timer *timer)
{
	tui_act_save_draft(OF(timer, draft));
}

void
tui_act_typed(struct tui *t)
{
	struct span s = tui_compose_text(t->m.compose);
	struct timer_wheel *w = reactor_wheel(t->h->reactor);
	tui_touch(t);
	if (!t->m.open)
		return;
	t->draft_dirty = true;
	timer_start(w, &t->draft, TUI_DRAFT_MS, on_draft);
	if (s.n == 0 || (s.p[0] == '/' && !span_starts(s, SPAN("//")))) {
		stop_typing(t);
		return;
	}
	if (!t->told_typing)
		say_typing(t, true);
	timer_start(w, &t->pause, TUI_PAUSE_MS, on_pause);
}

/* Whether the person looks at the end of the open chat. */
static bool
is_watching(struct tui *t)
{
	return t->m.open && t->focused && tui_log_box(t).rows > 0 &&
	    t->m.log.follow;
}

void
tui_act_seen(struct tui *t)
{
	struct tui_box b = tui_log_box(t);
	bool any = true;
	if (b.rows == 0)
		return;
	while (!t->m.log.all && any && tui_history_above(&t->m, b) <
	    TUI_AHEAD)
		if (tui_load_page(t, &any) != OK)
			break;
	uint64_t newest = tui_log_newest(&t->m.log, &t->m.me);
	if (!is_watching(t) || newest <= t->read_to || !t->h->up ||
	    ID_IS_ZERO(t->m.with_chat))
		return;
	struct client_input in = { .type = CLIENT_READ };
	in.u.read.chat = t->m.with_chat;
	in.u.read.position = newest;
	t->read_to = newest;
	host_input(t->h, &in);
	tui_load_later(t, &t->m.with);
}

static void
say_away(struct tui *t, bool on)
{
	struct client_input in = { .type = CLIENT_AWAY, .u.on = on };
	t->told_away = on;
	host_input(t->h, &in);
}

static void
on_away(struct timer *timer)
{
	say_away(OF(timer, away), true);
}

/* A look at another window is nobody's business: away is who stays away. */
void
tui_act_focus(struct tui *t, bool on)
{
	t->focused = on;
	if (!on)
		timer_start(reactor_wheel(t->h->reactor), &t->away,
		    TUI_AWAY_MS, on_away);
	else
		timer_cancel(&t->away);
	if (on && t->told_away)
		say_away(t, false);
	tui_touch(t);
}

/* ---- chats ---- */

static void
read_draft(struct tui *t)
{
	struct host *h = t->h;
	struct client_target to = { t->m.with, t->m.with_chat };
	struct span text = { 0 };
	tui_compose_set(t->m.compose, text);
	if (host_read(h) != OK)
		return;
	struct arena_mark m = arena_mark(&h->query);
	if (client_draft(&h->client, &h->query, &to, &text) == OK)
		tui_compose_set(t->m.compose, text);
	arena_wipe(&h->query, m);
	host_read_end(h);
}

/* Puts down what was done in the chat that was open. */
static void
leave_chat(struct tui *t)
{
	if (!t->m.open)
		return;
	stop_typing(t);
	tui_act_end_about(t);
	tui_act_save_draft(t);
	tui_load_later(t, &t->m.with);
}

void
tui_act_open(struct tui *t, const struct user_id *user)
{
	struct tui_model *m = &t->m;
	struct user_id who = *user;
	if (m->open && ID_EQ(who, m->with)) {
		m->focus = TUI_AT_COMPOSE;
		tui_touch(t);
		return;
	}
	leave_chat(t);
	if (tui_load_row(t, &who, true) != OK)
		return;
	const struct tui_chat *c = tui_model_chat(m, &who);
	m->open = true;
	m->with = who;
	m->with_chat = c != NULL ? c->chat : (struct chat_id){ 0 };
	m->chat_sel = c != NULL ? (size_t)(c - m->chat) : 0;
	m->conflict = m->was_verified = m->renewed = false;
	m->focus = TUI_AT_COMPOSE;
	m->ask = TUI_ASK_NONE;
	t->read_to = 0;
	tui_load_person(t);
	if (tui_load_open(t) != OK)
		tui_toast(t, true, "The history can't be read.");
	read_draft(t);
	tui_act_jump_unread(t);
	tui_panels_refresh(t);
	struct client_input in = { .type = CLIENT_OPEN, .u.user = who };
	give(t, &in, TUI_DOES_OPEN, &who, "");
}

void
tui_act_find(struct tui *t, struct span name)
{
	struct host *h = t->h;
	struct client_person p;
	enum err e = ERR_NOT_FOUND;
	if (name.n > 0 && name.p[0] == '@')
		name = span_sub(name, 1, name.n);
	if (name.n == 0)
		return;
	if (host_read(h) == OK) {
		struct arena_mark m = arena_mark(&h->query);
		e = client_person_by_name(&h->client, &h->query, name, &p);
		arena_wipe(&h->query, m);
		host_read_end(h);
	}
	if (e == OK) {
		struct user_id user = p.user;
		tui_act_open(t, &user);
		return;
	}
	struct client_input in = { .type = CLIENT_FIND, .u.name = name };
	if (!h->up)
		tui_toast(t, true, "You're offline: only people you know "
		    "can be found.");
	give(t, &in, TUI_DOES_FIND, NULL, "");
}

void
tui_act_next_chat(struct tui *t, bool back, bool unread)
{
	struct tui_model *m = &t->m;
	const struct tui_chat *c = tui_model_current(m);
	size_t at = c != NULL ? (size_t)(c - m->chat) : m->chat_sel;
	size_t to = tui_model_next_chat(m, at, back, unread);
	if (to == at && unread)
		to = tui_model_next_chat(m, at, !back, unread);
	if (to < m->chat_n && (to != at || !m->open)) {
		struct user_id who = m->chat[to].user;
		tui_act_open(t, &who);
	}
}

void
tui_act_flag(struct tui *t, const struct user_id *user, uint32_t flag)
{
	struct client_input in = { .type = CLIENT_CHAT_SET };
	const struct tui_chat *c = tui_model_chat(&t->m, user);
	if (c == NULL || ID_IS_ZERO(c->chat)) {
		tui_toast(t, true, "Nothing was said in this chat yet.");
		return;
	}
	bool on = !(c->flags & flag);
	in.u.chat_set.chat = c->chat;
	in.u.chat_set.mask = flag;
	in.u.chat_set.flags = on ? flag : 0;
	give(t, &in, TUI_DOES_OTHER, user, flag == CHAT_MUTED ? on ? "Muted." :
	    "Not muted any more." : flag == CHAT_PINNED ? on ? "Pinned." :
	    "Not pinned any more." : on ? "Archived." :
	    "Back among the chats.");
	tui_load_later(t, user);
}

void
tui_act_timer(struct tui *t, uint32_t seconds)
{
	struct client_input in = { .type = CLIENT_TIMER_SET };
	if (!t->m.open)
		return;
	in.u.expire.to.user = t->m.with;
	in.u.expire.expire_s = seconds;
	give(t, &in, TUI_DOES_OTHER, &t->m.with, "");
}

void
tui_act_block(struct tui *t, const struct user_id *user, bool on)
{
	struct client_input in = { .type = CLIENT_BLOCK };
	in.u.verify.user = *user;
	in.u.verify.on = on;
	give(t, &in, TUI_DOES_OTHER, user, on ? "Blocked." :
	    "Not blocked any more.");
}

/* ---- messages ---- */

void
tui_act_send_text(struct tui *t, struct span text)
{
	struct client_input in = { .type = CLIENT_SEND };
	timer_cancel(&t->pause);
	t->told_typing = false;
	in.u.send.to.user = t->m.with;
	in.u.send.text = text;
	in.u.send.reply_to = t->m.reply;
	t->m.log.unread_on = false;
	tui_log_end(&t->m.log);
	give(t, &in, TUI_DOES_SEND, &t->m.with, "");
}

void
tui_act_send(struct tui *t)
{
	struct tui_model *m = &t->m;
	struct span text = tui_compose_text(m->compose);
	if (text.n == 0 || !m->open)
		return;
	if (!utf8_valid(text)) {
		tui_toast(t, true, "Not sent: it is no readable text.");
		return;
	}
	if (!ID_IS_ZERO(m->edit.event)) {
		struct client_input in = { .type = CLIENT_EDIT };
		in.u.edit.ref = m->edit;
		in.u.edit.text = text;
		give(t, &in, TUI_DOES_OTHER, NULL, "");
		tui_act_end_about(t);
		return;
	}
	tui_act_send_text(t, text);
	tui_compose_clear(m->compose, true);
	m->reply = (struct client_ref){ 0 };
	t->draft_dirty = true;
	tui_act_save_draft(t);
}

static void
set_about(struct tui *t, const struct tui_entry *e)
{
	tui_model_keep(t->m.about, sizeof(t->m.about), e->it.text);
	t->m.about_mine = ID_EQ(e->it.sender, t->m.me);
	t->m.focus = TUI_AT_COMPOSE;
	t->m.log.selecting = false;
	tui_touch(t);
}

void
tui_act_reply(struct tui *t, struct tui_entry *e)
{
	if (e->it.kind != ITEM_TEXT) {
		tui_toast(t, true, "There is nothing to reply to.");
		return;
	}
	tui_act_end_about(t);
	t->m.reply = tui_log_ref(e);
	set_about(t, e);
}

void
tui_act_edit(struct tui *t, struct tui_entry *e)
{
	if (e->it.kind != ITEM_TEXT || !ID_EQ(e->it.sender, t->m.me)) {
		tui_toast(t, true, "Only what you wrote can be edited.");
		return;
	}
	struct client_ref ref = tui_log_ref(e);
	tui_act_end_about(t);
	/* The draft is set aside, and comes back after. Storing it is a step,
	 * in which the log may change. */
	tui_act_save_draft(t);
	e = tui_log_find(&t->m.log, &ref);
	if (e == NULL)
		return;
	t->m.edit = ref;
	set_about(t, e);
	tui_compose_set(t->m.compose, e->it.text);
	stop_typing(t);
}

void
tui_act_end_about(struct tui *t)
{
	bool edit = !ID_IS_ZERO(t->m.edit.event);
	t->m.reply = t->m.edit = (struct client_ref){ 0 };
	if (edit) {
		t->draft_dirty = false;
		read_draft(t);
	}
	tui_touch(t);
}

void
tui_act_delete(struct tui *t, const struct client_ref *ref, bool both)
{
	struct client_input in = { .type = CLIENT_DELETE };
	in.u.erase.ref = *ref;
	in.u.erase.for_both = both;
	t->m.log.selecting = false;
	t->m.focus = TUI_AT_COMPOSE;
	give(t, &in, TUI_DOES_OTHER, NULL, both ? "" : "Deleted for you.");
}

void
tui_act_react(struct tui *t, const struct client_ref *ref, struct span text)
{
	struct client_input in = { .type = CLIENT_REACT };
	in.u.react.ref = *ref;
	in.u.react.text = text;
	give(t, &in, TUI_DOES_OTHER, NULL, "");
}

void
tui_act_pin(struct tui *t, struct tui_entry *e)
{
	struct client_input in = { .type = CLIENT_PIN };
	bool on = !(e->it.flags & ITEM_PINNED);
	in.u.pin.ref = tui_log_ref(e);
	in.u.pin.on = on;
	give(t, &in, TUI_DOES_OTHER, NULL, on ? "Pinned for both." :
	    "Not pinned any more.");
}

void
tui_act_report(struct tui *t, const struct client_ref *ref)
{
	struct client_input in = { .type = CLIENT_REPORT };
	in.u.report.user = t->m.with;
	in.u.report.ref = *ref;
	in.u.report.reason = SPAN("other");
	in.u.report.with_text = true;
	give(t, &in, TUI_DOES_OTHER, NULL, "Reported. The people who run the "
	    "server will look at it.");
}

void
tui_act_copy(struct tui *t, struct tui_entry *e)
{
	if (e->it.text.n == 0)
		tui_toast(t, true, "There is no text to copy.");
	else if (tui_draw_copy(e->it.text))
		tui_toast(t, false, "Copied, if this terminal lets programs "
		    "do that.");
	else
		tui_toast(t, true, "That is too long to copy.");
}

void
tui_act_jump(struct tui *t, const struct client_ref *ref)
{
	struct client_ref to = *ref;
	if (tui_load_until(t, &to) != OK) {
		tui_toast(t, true, "That message is not here.");
		return;
	}
	struct tui_entry *e = tui_log_find(&t->m.log, &to);
	if (e == NULL)
		return;
	tui_history_jump(&t->m, tui_log_box(t), tui_log_index(&t->m.log, e));
	t->m.log.lit = to;
	t->m.log.lit_until_ms = t->m.now_ms + TUI_LIT_MS;
	if (t->m.log.selecting)
		t->m.log.sel = tui_log_index(&t->m.log, e);
	tui_touch(t);
}

void
tui_act_jump_unread(struct tui *t)
{
	struct tui_log *l = &t->m.log;
	size_t i = tui_log_unread(l, &t->m.me);
	struct tui_box b = tui_log_box(t);
	tui_log_end(l);
	if (i < l->n && b.rows > 0 && tui_history_above(&t->m, b) >= i)
		tui_history_jump(&t->m, b, i);
	tui_touch(t);
}

/* ---- people ---- */

void
tui_act_accept(struct tui *t)
{
	struct client_input in = { .type = CLIENT_ACCEPT,
	    .u.user = t->m.with };
	give(t, &in, TUI_DOES_OTHER, &t->m.with, "What waited is sent now.");
}

void
tui_act_verify(struct tui *t, bool on)
{
	struct client_input in = { .type = CLIENT_VERIFY };
	struct client_input go = { .type = CLIENT_ACCEPT,
	    .u.user = t->m.with };
	const struct tui_chat *c = tui_model_current(&t->m);
	if (c == NULL)
		return;
	/* Who confirms the number accepts the key that it is of. */
	if (on && (c->changed || c->stopped))
		give(t, &go, TUI_DOES_OTHER, &t->m.with, "");
	in.u.verify.user = t->m.with;
	in.u.verify.on = on;
	give(t, &in, TUI_DOES_VERIFY, &t->m.with, on ? "Marked as verified." :
	    "Not verified any more.");
}

void
tui_act_verify_code(struct tui *t, struct span code)
{
	struct client_input in = { .type = CLIENT_VERIFY_CODE };
	in.u.verify_code.user = t->m.with;
	in.u.verify_code.code = code;
	give(t, &in, TUI_DOES_VERIFY, &t->m.with, "The codes match: marked "
	    "as verified.");
}

void
tui_act_search_people(struct tui *t, struct span name)
{
	struct client_input in = { .type = CLIENT_SEARCH_PEOPLE,
	    .u.name = name };
	give(t, &in, TUI_DOES_PEOPLE, NULL, "");
}

/* ---- answers ---- */

static void
on_chat(struct tui *t, const struct client_show *s)
{
	if (!t->m.open || !ID_EQ(s->u.chat.user, t->m.with))
		return;
	t->m.with_chat = s->u.chat.chat;
	tui_load_later(t, &t->m.with);
}

static void
on_error(struct tui *t, const struct tui_pending *p,
    const struct client_show *s)
{
	enum err e = s->u.error.err;
	if (p->what == TUI_DOES_OPEN && e != ERR_NOT_FOUND)
		return;		/* offline: what is here is shown */
	if (p->what == TUI_DOES_FIND && e == ERR_NOT_FOUND)
		tui_toast(t, true, "There is nobody of that name.");
	else
		tui_toast(t, true, "%s", tui_words_error(e));
	if (e == ERR_IDENTITY_CHANGED)
		tui_load_later(t, &t->m.with);
}

void
tui_act_answer(struct tui *t, const struct client_show *s)
{
	struct tui_pending p = { 0 };
	for (size_t i = 0; i < TUI_PENDING_MAX; i++) {
		if (t->pending[i].cmd != s->cmd || s->cmd == 0)
			continue;
		p = t->pending[i];
		if (s->type != SHOW_FOUND)
			t->pending[i].cmd = 0;
	}
	if (p.cmd == 0)
		return;
	if (s->type == SHOW_ERROR) {
		on_error(t, &p, s);
	} else if (s->type == SHOW_CHAT) {
		on_chat(t, s);
	} else if (s->type == SHOW_USER && p.what == TUI_DOES_FIND) {
		t->open_next = s->u.user.user;	/* not within this step */
	} else if (p.done[0] != '\0') {
		tui_toast(t, false, "%s", p.done);
	}
	if (!ID_IS_ZERO(p.user))
		tui_load_later(t, &p.user);
	t->panel_stale = true;
	tui_touch(t);
}

void
tui_act_leave(struct tui *t)
{
	leave_chat(t);
	timer_cancel(&t->pause);
	timer_cancel(&t->draft);
	timer_cancel(&t->search);
	timer_cancel(&t->away);
}
