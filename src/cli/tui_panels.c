/*
 * tui_panels.c: see tui_panels.h. Search, people, help, details of a message,
 * pins; tui_protection.c has the rest.
 */
#include "cli/tui_panels.h"

#include "base/text.h"
#include "cli/clean.h"
#include "cli/show.h"
#include "cli/tui_act.h"
#include "cli/tui_command.h"
#include "cli/tui_draw.h"
#include "cli/tui_load.h"
#include "cli/tui_words.h"

#define OF(t, field) \
	((struct tui *)(void *)((char *)(t) - offsetof(struct tui, field)))
#define FOUND_MAX 60u
#define SEARCH_PAGES 40u	/* bounds the work of one search */

/* ---- search ---- */

/* Some of the text around what was found, on one line. */
static struct span
around(const struct client_search *q, struct span text)
{
	struct client_range r;
	size_t from = 0;
	if (client_search_ranges(q, text, &r, 1) == 1 && r.from > 30)
		from = r.from - 24;
	while (from > 0 && from < text.n && (text.p[from] & 0xc0) == 0x80)
		from--;
	return span_sub(text, from, 160);
}

static void
hit_line(struct tui *t, const struct client_search *q,
    const struct client_item *it)
{
	char text[TUI_PREVIEW_MAX], when[TUI_WORD_MAX], name[HOST_NAME_MAX +
	    1];
	struct client_person p = { 0 };
	struct host *h = t->h;
	uint64_t ms = it->server_ms != 0 ? it->server_ms : it->sender_ms;
	if (client_person_by_chat(&h->client, &h->query, &it->chat, &p) !=
	    OK)
		memcpy(p.user.b, it->chat.b, ID_LEN);
	show_name(h, &p.user, name);
	tui_words_short(ms, t->m.now_ms, when);
	tui_model_keep(text, sizeof(text), around(q, it->text));
	struct tui_line *l = tui_model_panel_add(&t->m, TUI_TEXT,
	    "%s, %s%s: %s", name, when, ID_EQ(it->sender, t->m.me) ?
	    ", you" : "", text);
	if (l == NULL)
		return;
	l->can = true;
	l->act = TUI_LINE_JUMP;
	l->user = p.user;
	l->ref = (struct client_ref){ it->sender, it->event };
}

static void
search_all(struct tui *t, const struct client_search *q)
{
	struct host *h = t->h;
	struct client_search_at at = { 0 };
	enum err e = OK;
	size_t found = 0;
	for (unsigned i = 0; i < SEARCH_PAGES && e == OK && !at.end &&
	    found < FOUND_MAX; i++) {
		struct client_item it[16];
		size_t n = 0;
		struct arena_mark m = arena_mark(&h->query);
		e = client_search_next(&h->client, &h->query, q, &at, it, 16,
		    &n);
		for (size_t k = 0; k < n && e == OK; k++, found++)
			hit_line(t, q, &it[k]);
		arena_wipe(&h->query, m);
	}
	if (e != OK && e != ERR_VALIDATION && e != ERR_NOT_FOUND)
		(void)tui_model_panel_add(&t->m, TUI_DANGER, "%s",
		    tui_words_error(e));
	else if (found == 0)
		(void)tui_model_panel_add(&t->m, TUI_META, "Nothing found. "
		    "Every word has to be in the message.");
	if (at.partial)
		(void)tui_model_panel_add(&t->m, TUI_META, "Older history is "
		    "still being prepared for search.");
}

static void
fill_search(struct tui *t)
{
	struct client_search q = { .words = tui_compose_text(t->m.field) };
	if (q.words.n == 0) {
		(void)tui_model_panel_add(&t->m, TUI_META, "Searched on this "
		    "device only: the server can't.");
		return;
	}
	if (host_read(t->h) != OK)
		return;
	search_all(t, &q);
	host_read_end(t->h);
	t->m.panel.sel = 0;
	tui_model_panel_select(&t->m, 0);
}

/* ---- people ---- */

static bool
contains(const char *name, struct span part)
{
	struct span s = span_str(name);
	for (size_t i = 0; i + part.n <= s.n; i++)
		if (span_eq_nocase(span_sub(s, i, part.n), part))
			return true;
	return false;
}

static void
person_line(struct tui *t, const struct user_id *user, const char *name,
    const char *more)
{
	for (size_t i = 0; i < t->m.panel.n; i++)
		if (t->m.panel.line[i].act == TUI_LINE_OPEN &&
		    ID_EQ(t->m.panel.line[i].user, *user))
			return;
	struct tui_line *l = tui_model_panel_add(&t->m, TUI_TEXT, "%s%s",
	    name, more);
	if (l == NULL)
		return;
	l->can = true;
	l->act = TUI_LINE_OPEN;
	l->user = *user;
}

static void
fill_people(struct tui *t)
{
	struct tui_model *m = &t->m;
	struct span part = tui_compose_text(m->field);
	size_t known = 0;
	for (size_t i = 0; i < m->chat_n && known < 20; i++) {
		if (!contains(m->chat[i].name, part))
			continue;
		person_line(t, &m->chat[i].user, m->chat[i].name, "");
		known++;
	}
	if (part.n > 0) {
		struct tui_line *l = tui_model_panel_add(m, TUI_ACCENT,
		    "Write to the person called \"%.*s\"", (int)part.n,
		    (const char *)part.p);
		if (l != NULL) {
			l->can = true;
			l->act = TUI_LINE_FIND;
		}
	} else if (known == 0) {
		(void)tui_model_panel_add(m, TUI_META, "Type a name.");
	}
	m->panel.sel = 0;
	tui_model_panel_select(m, 0);
}

void
tui_panels_found(struct tui *t, const struct client_show *s)
{
	char name[TUI_NAME_MAX];
	if (t->m.panel.kind != TUI_PANEL_PEOPLE || s->cmd != t->people_cmd)
		return;
	tui_model_keep(name, sizeof(name), s->u.user.name);
	person_line(t, &s->u.user.user, name, "");
	tui_touch(t);
}

static void
on_search(struct timer *timer)
{
	struct tui *t = OF(timer, search);
	struct span s = tui_compose_text(t->m.field);
	tui_panels_refresh(t);
	if (t->m.panel.kind == TUI_PANEL_PEOPLE && s.n >= 2 && t->h->up)
		tui_act_search_people(t, s);
}

void
tui_panels_typed(struct tui *t)
{
	timer_start(reactor_wheel(t->h->reactor), &t->search, TUI_SEARCH_MS,
	    on_search);
	tui_touch(t);
}

/* ---- help, details, pins ---- */

static void
fill_help(struct tui *t)
{
	tui_command_help(t);
}

static void
pair(struct tui_model *m, const char *label, const char *value)
{
	(void)tui_model_panel_add(m, TUI_META, "%s", label);
	struct tui_line *l = tui_model_panel_add(m, TUI_TEXT, "%s", value);
	if (l != NULL)
		l->indent = 2;
}

void
tui_panels_message(struct tui *t, struct tui_entry *e)
{
	struct tui_model *m = &t->m;
	const struct client_item it = e->it;
	char text[TUI_SENTENCE_MAX], name[HOST_NAME_MAX + 1];
	char id[ID_TEXT_LEN + 1];
	tui_model_panel_open(m, TUI_PANEL_MESSAGE, "Details");
	m->focus = TUI_AT_PANEL;
	show_name(t->h, &it.sender, name);
	(void)tui_model_panel_add(m, TUI_TEXT, " ");
	snprintf(text, sizeof(text), "%s, device %u", ID_EQ(it.sender, m->me) ?
	    "You" : name, (unsigned)it.device);
	pair(m, "From", text);
	tui_words_full(it.sender_ms, text);
	pair(m, "Written, by its device's clock", text);
	tui_words_full(it.server_ms, text);
	pair(m, "At the server", text);
	if (it.edit_number > 0) {
		char when[TUI_WORD_MAX];
		tui_words_full(it.edited_ms, when);
		snprintf(text, sizeof(text), "%u time%s, last %s%s",
		    (unsigned)it.edit_number, it.edit_number == 1 ? "" : "s",
		    when, it.flags & ITEM_OTHER_HISTORY ? "; an earlier form "
		    "was not seen here" : "");
		pair(m, "Edited", text);
	}
	pair(m, "State", tui_words_state_name(&it));
	if (it.flags & ITEM_REPAIRED)
		pair(m, "Repaired", "It came by a second sending.");
	if (it.flags & ITEM_ARCHIVED)
		pair(m, "Origin", "From an archive or a backup.");
	if (it.expire_s != 0) {
		tui_words_span(it.expire_s, text);
		pair(m, "Disappears after reading, in", text);
	}
	for (size_t i = 0; i < e->react_n; i++) {
		snprintf(text, sizeof(text), "%s %u%s", e->react[i].text,
		    (unsigned)e->react[i].n, e->react[i].mine ?
		    ", you among them" : "");
		pair(m, "Reaction", text);
	}
	if (it.cause != OK)
		pair(m, "Cause, as it is counted", err_code(it.cause));
	id_encode(it.message.b, id);
	pair(m, "Number at the server", id);
	id_encode(it.event.b, id);
	pair(m, "Number by its device", id);
	tui_touch(t);
}

static void
fill_pins(struct tui *t)
{
	struct host *h = t->h;
	struct client_ref after = { 0 };
	struct client_pin pin;
	size_t n = 0;
	if (host_read(h) != OK)
		return;
	for (enum err e = OK; e == OK && n < FOUND_MAX; ) {
		struct arena_mark m = arena_mark(&h->query);
		struct client_item it;
		e = client_pin_next(&h->client, &h->query, &t->m.with_chat,
		    &after, &pin);
		if (e == OK && client_item(&h->client, &h->query,
		    &after.sender, &after.event, &it) == OK) {
			char text[TUI_PREVIEW_MAX];
			tui_model_keep(text, sizeof(text), it.text);
			struct tui_line *l = tui_model_panel_add(&t->m,
			    TUI_TEXT, "%s", text);
			if (l != NULL) {
				l->can = true;
				l->act = TUI_LINE_JUMP;
				l->user = t->m.with;
				l->ref = after;
			}
			n++;
		}
		arena_wipe(&h->query, m);
	}
	host_read_end(h);
	if (n == 0)
		(void)tui_model_panel_add(&t->m, TUI_META, "Nothing is pinned "
		    "in this chat. Select a message and press p.");
	tui_model_panel_select(&t->m, 0);
}

/* ---- opening and closing ---- */

void
tui_panels_refresh(struct tui *t)
{
	struct tui_model *m = &t->m;
	t->panel_stale = false;
	if (m->panel.kind == TUI_PANEL_NONE ||
	    m->panel.kind == TUI_PANEL_MESSAGE)
		return;
	tui_model_panel_clear(m);
	switch (m->panel.kind) {
	case TUI_PANEL_PROTECTION: tui_protection_chat(t); break;
	case TUI_PANEL_SELF: tui_protection_self(t); break;
	case TUI_PANEL_SAFETY: tui_protection_safety(t); break;
	case TUI_PANEL_SEARCH: fill_search(t); break;
	case TUI_PANEL_PEOPLE: fill_people(t); break;
	case TUI_PANEL_HELP: fill_help(t); break;
	case TUI_PANEL_PINS: fill_pins(t); break;
	case TUI_PANEL_NONE: case TUI_PANEL_MESSAGE: default: break;
	}
	if (m->panel.sel >= m->panel.n || !m->panel.line[m->panel.sel].can) {
		m->panel.sel = 0;
		tui_model_panel_select(m, 0);
	}
	tui_touch(t);
}

static const char *const titles[] = {
	[TUI_PANEL_NONE] = "", [TUI_PANEL_PROTECTION] = "Protection",
	[TUI_PANEL_SELF] = "You", [TUI_PANEL_SEARCH] = "Search",
	[TUI_PANEL_PEOPLE] = "New chat", [TUI_PANEL_HELP] = "Keys and commands",
	[TUI_PANEL_SAFETY] = "Safety number", [TUI_PANEL_MESSAGE] = "Details",
	[TUI_PANEL_PINS] = "Pinned messages",
};

void
tui_panels_open(struct tui *t, enum tui_panel_kind kind)
{
	struct tui_model *m = &t->m;
	bool chat = kind == TUI_PANEL_PROTECTION || kind == TUI_PANEL_SAFETY ||
	    kind == TUI_PANEL_PINS;
	if (chat && !m->open) {
		tui_toast(t, true, "Open a chat first.");
		return;
	}
	if (m->panel.kind == kind && m->focus == TUI_AT_PANEL) {
		tui_panels_close(t);
		return;
	}
	tui_model_panel_open(m, kind, titles[kind]);
	m->panel_closed = false;
	m->focus = TUI_AT_PANEL;
	m->log.selecting = false;
	tui_panels_refresh(t);
}

void
tui_panels_default(struct tui *t)
{
	struct tui_model *m = &t->m;
	if (t->grid.cols < TUI_THREE_PANES) {
		/* A narrower terminal shows a panel only while it is used. */
		if (m->panel.kind != TUI_PANEL_NONE &&
		    m->focus != TUI_AT_PANEL)
			tui_model_panel_close(m);
		return;
	}
	if (!m->open || m->panel.kind != TUI_PANEL_NONE || m->panel_closed)
		return;
	tui_model_panel_open(m, TUI_PANEL_PROTECTION, titles[
	    TUI_PANEL_PROTECTION]);
	tui_panels_refresh(t);
}

void
tui_panels_close(struct tui *t)
{
	struct tui_model *m = &t->m;
	/* What stood there before something else took its place. */
	bool own = m->panel.kind == TUI_PANEL_PROTECTION;
	timer_cancel(&t->search);
	tui_model_panel_close(m);
	m->panel_closed = own;
	tui_panels_default(t);
	tui_touch(t);
}

/* ---- choosing ---- */

static void
jump(struct tui *t, const struct tui_line *line)
{
	struct tui_line l = *line;
	if (t->grid.cols < TUI_THREE_PANES)
		tui_panels_close(t);
	tui_act_open(t, &l.user);
	tui_act_jump(t, &l.ref);
}

static void
copy_number(struct tui *t)
{
	char digits[CLIENT_SAFETY_LEN + 1];
	if (host_read(t->h) != OK)
		return;
	if (client_safety(&t->h->client, &t->h->query, &t->m.with, digits) ==
	    OK && tui_draw_copy(span_str(digits)))
		tui_toast(t, false, "Copied, if this terminal lets programs "
		    "do that.");
	host_read_end(t->h);
}

void
tui_panels_choose(struct tui *t)
{
	struct tui_line *found = tui_model_panel_selected(&t->m);
	const struct tui_chat *c = tui_model_current(&t->m);
	if (found == NULL)
		return;
	struct tui_line l = *found;
	switch ((enum tui_panels_act)l.act) {
	case TUI_LINE_OPEN:
		tui_panels_close(t);
		tui_act_open(t, &l.user);
		break;
	case TUI_LINE_FIND:
		tui_act_find(t, tui_compose_text(t->m.field));
		tui_panels_close(t);
		break;
	case TUI_LINE_JUMP: jump(t, &l); break;
	case TUI_LINE_SAFETY: tui_panels_open(t, TUI_PANEL_SAFETY); break;
	case TUI_LINE_PINS: tui_panels_open(t, TUI_PANEL_PINS); break;
	case TUI_LINE_PROTECTION:
		tui_panels_open(t, TUI_PANEL_PROTECTION);
		break;
	case TUI_LINE_MATCH: tui_act_verify(t, true); break;
	case TUI_LINE_WITHDRAW: tui_act_verify(t, false); break;
	case TUI_LINE_DIFFER:
		tui_toast(t, true, "Don't send anything private here yet. "
		    "Compare once more, in person if you can. If it still "
		    "differs, somebody may be in between.");
		break;
	case TUI_LINE_COPY: copy_number(t); break;
	case TUI_LINE_ACCEPT: t->m.ask = TUI_ASK_WRITE_ANYWAY; break;
	case TUI_LINE_MUTE: tui_act_flag(t, &t->m.with, CHAT_MUTED); break;
	case TUI_LINE_BLOCK:
		if (c != NULL && c->blocked)
			tui_act_block(t, &t->m.with, false);
		else
			t->m.ask = TUI_ASK_BLOCK;
		break;
	case TUI_LINE_TIMER:
		tui_toast(t, false, "/timer 1d, /timer 1h, /timer off: how "
		    "long after reading.");
		break;
	case TUI_LINE_NONE: default: break;
	}
	tui_touch(t);
}
