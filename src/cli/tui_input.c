/*
 * tui_input.c: see tui_input.h.
 */
#include "cli/tui_input.h"

#include "base/text.h"
#include "cli/tui_act.h"
#include "cli/tui_command.h"
#include "cli/tui_draw.h"
#include "cli/tui_history.h"
#include "cli/tui_load.h"
#include "cli/tui_panels.h"

#define WHEEL_ROWS 3

static bool
is_char(const struct tui_key *k, uint32_t code)
{
	return k->name == TUI_KEY_CHAR && k->mods == 0 && !k->pasted &&
	    k->code == code;
}

static bool
is_alt(const struct tui_key *k, uint32_t code)
{
	return k->name == TUI_KEY_CHAR && k->mods & TUI_ALT &&
	    k->code == code;
}

static bool
is_ctrl(const struct tui_key *k, uint32_t code)
{
	return k->name == TUI_KEY_CTRL && k->mods == 0 && k->code == code;
}

static bool
is_f(const struct tui_key *k, uint32_t number)
{
	return k->name == TUI_KEY_F && k->code == number;
}

static void
focus(struct tui *t, enum tui_focus to)
{
	t->m.focus = to;
	if (to != TUI_AT_LOG)
		t->m.log.selecting = false;
	tui_panels_default(t);
}

/* ---- questions ---- */

static void
answer_delete(struct tui *t, const struct tui_key *k)
{
	if (is_char(k, 'm') || is_char(k, 'M'))
		tui_act_delete(t, &t->m.ask_ref, false);
	else if ((is_char(k, 'b') || is_char(k, 'B')) && t->m.ask_mine)
		tui_act_delete(t, &t->m.ask_ref, true);
	else if (!is_char(k, 'k') && !is_char(k, 'K') &&
	    k->name != TUI_KEY_ESC && k->name != TUI_KEY_ENTER)
		return;
	t->m.ask = TUI_ASK_NONE;
}

static void
answer_react(struct tui *t, const struct tui_key *k)
{
	static const char *const quick[] = { "", "\U0001f44d", "\u2764",
		"\U0001f602", "\U0001f62e", "\U0001f389" };
	struct span typed = tui_compose_text(t->m.field);
	struct client_ref ref = t->m.ask_ref;
	if (k->name == TUI_KEY_ESC) {
		t->m.ask = TUI_ASK_NONE;
	} else if (typed.n == 0 && k->name == TUI_KEY_CHAR &&
	    k->code >= '0' && k->code <= '5') {
		t->m.ask = TUI_ASK_NONE;
		tui_act_react(t, &ref, span_str(quick[k->code - '0']));
	} else if (k->name == TUI_KEY_ENTER) {
		t->m.ask = TUI_ASK_NONE;
		if (typed.n > 0 && typed.n <= CLIENT_REACTION_MAX)
			tui_act_react(t, &ref, typed);
	} else {
		(void)tui_compose_key(t->m.field, k, 1000);
	}
	if (t->m.ask == TUI_ASK_NONE)
		tui_compose_clear(t->m.field, false);
}

/* y does it; n, Esc and Enter leave it. */
static void
answer_yes(struct tui *t, const struct tui_key *k)
{
	enum tui_ask ask = t->m.ask;
	bool yes = is_char(k, 'y') || is_char(k, 'Y');
	if (!yes && !is_char(k, 'n') && !is_char(k, 'N') &&
	    k->name != TUI_KEY_ESC && k->name != TUI_KEY_ENTER)
		return;
	t->m.ask = TUI_ASK_NONE;
	if (!yes)
		return;
	if (ask == TUI_ASK_BLOCK)
		tui_act_block(t, &t->m.with, true);
	else if (ask == TUI_ASK_WRITE_ANYWAY)
		tui_act_accept(t);
	else if (ask == TUI_ASK_REPORT)
		tui_act_report(t, &t->m.ask_ref);
}

static void
on_answer(struct tui *t, const struct tui_key *k)
{
	if (k->pasted && t->m.ask != TUI_ASK_REACT)
		return;
	if (t->m.ask == TUI_ASK_DELETE)
		answer_delete(t, k);
	else if (t->m.ask == TUI_ASK_REACT)
		answer_react(t, k);
	else
		answer_yes(t, k);
}

/* ---- everywhere ---- */

static void
to_list(struct tui *t)
{
	const struct tui_chat *c = tui_model_current(&t->m);
	if (c != NULL)
		t->m.chat_sel = (size_t)(c - t->m.chat);
	focus(t, t->m.focus == TUI_AT_LIST && t->m.open ? TUI_AT_COMPOSE :
	    TUI_AT_LIST);
}

/* Function keys and those with Control or Alt that mean one thing. */
static bool
on_global_chord(struct tui *t, const struct tui_key *k)
{
	if (is_f(k, 1))
		tui_panels_open(t, TUI_PANEL_HELP);
	else if (is_f(k, 2) || is_alt(k, 'l'))
		to_list(t);
	else if (is_f(k, 3) || is_ctrl(k, 's'))
		tui_panels_open(t, TUI_PANEL_SEARCH);
	else if (is_f(k, 4) || is_alt(k, 'p'))
		tui_panels_open(t, TUI_PANEL_PROTECTION);
	else if (is_f(k, 5) || is_alt(k, 'm'))
		tui_panels_open(t, TUI_PANEL_SELF);
	else if (is_alt(k, 'c'))
		tui_panels_open(t, TUI_PANEL_SAFETY);
	else if (is_alt(k, 'w'))
		tui_command_run(t, SPAN("/write-anyway"));
	else if (is_alt(k, 'n'))
		tui_panels_open(t, TUI_PANEL_PEOPLE);
	else if (is_alt(k, 'e'))
		tui_command_run(t, SPAN("/edit"));
	else if (is_ctrl(k, 'q') || is_ctrl(k, 'c'))
		t->over = true;
	else if (is_ctrl(k, 'l'))
		tui_draw_again();
	else if (is_ctrl(k, 'z'))
		tui_suspend(t);
	else
		return false;
	return true;
}

static bool
on_global(struct tui *t, const struct tui_key *k)
{
	bool vertical = k->name == TUI_KEY_UP || k->name == TUI_KEY_DOWN;
	if (vertical && k->mods & TUI_ALT) {
		tui_act_next_chat(t, k->name == TUI_KEY_UP,
		    k->mods & TUI_SHIFT);
		return true;
	}
	if (is_f(k, 6) || (k->name == TUI_KEY_TAB && k->mods & TUI_SHIFT)) {
		tui_model_next_focus(&t->m, k->mods & TUI_SHIFT);
		tui_panels_default(t);
		return true;
	}
	if (k->name == TUI_KEY_PGUP || k->name == TUI_KEY_PGDN) {
		struct tui_box b = tui_log_box(t);
		long page = b.rows > 2 ? (long)b.rows - 2 : 1;
		if (t->m.focus == TUI_AT_PANEL || t->m.focus == TUI_AT_LIST ||
		    b.rows == 0)
			return false;
		tui_history_scroll(&t->m, b, k->name == TUI_KEY_PGUP ? -page :
		    page);
		return true;
	}
	return on_global_chord(t, k);
}

/* ---- the list ---- */

static void
in_list(struct tui *t, const struct tui_key *k)
{
	struct tui_model *m = &t->m;
	size_t at = m->chat_sel;
	bool any = at < m->chat_n;
	if (k->name == TUI_KEY_UP || is_char(k, 'k'))
		m->chat_sel = tui_model_next_chat(m, at, true, false);
	else if (k->name == TUI_KEY_DOWN || is_char(k, 'j'))
		m->chat_sel = tui_model_next_chat(m, at, false, false);
	else if (k->name == TUI_KEY_HOME)
		m->chat_sel = 0;
	else if (k->name == TUI_KEY_END && m->chat_n > 0)
		m->chat_sel = m->chat_n - 1;
	else if (k->name == TUI_KEY_PGUP || k->name == TUI_KEY_PGDN)
		for (int i = 0; i < 8; i++)
			m->chat_sel = tui_model_next_chat(m, m->chat_sel,
			    k->name == TUI_KEY_PGUP, false);
	else if ((k->name == TUI_KEY_ENTER || k->name == TUI_KEY_RIGHT) && any)
		tui_act_open(t, &m->chat[at].user);
	else if (is_char(k, 'm') && any)
		tui_act_flag(t, &m->chat[at].user, CHAT_MUTED);
	else if (is_char(k, 'p') && any)
		tui_act_flag(t, &m->chat[at].user, CHAT_PINNED);
	else if (is_char(k, 'a') && any)
		tui_act_flag(t, &m->chat[at].user, CHAT_ARCHIVED);
	else if (is_char(k, 'A'))
		tui_command_run(t, SPAN("/archived"));
	else if (is_char(k, '?'))
		tui_panels_open(t, TUI_PANEL_HELP);
	else if (is_char(k, '/'))
		tui_panels_open(t, TUI_PANEL_SEARCH);
	else if (is_ctrl(k, 'n') || is_char(k, 'n'))
		tui_panels_open(t, TUI_PANEL_PEOPLE);
	else if ((k->name == TUI_KEY_ESC || k->name == TUI_KEY_TAB) &&
	    m->open)
		focus(t, TUI_AT_COMPOSE);
}

/* ---- the log ---- */

static void
ask_react(struct tui *t, const struct tui_entry *e)
{
	if (e->it.kind != ITEM_TEXT)
		return;
	tui_compose_clear(t->m.field, false);
	t->m.ask = TUI_ASK_REACT;
	t->m.ask_ref = tui_log_ref(e);
}

static void
enter_entry(struct tui *t, struct tui_entry *e)
{
	if (!ID_IS_ZERO(e->it.reply_to.event)) {
		struct client_ref ref = e->it.reply_to;
		tui_act_jump(t, &ref);
	} else {
		e->open = !e->open;
	}
}

/* A letter acts on the selected message; false: it is none of these. */
static bool
on_message(struct tui *t, struct tui_entry *e, const struct tui_key *k)
{
	struct client_ref ref = tui_log_ref(e);
	if (is_char(k, 'r'))
		tui_act_reply(t, e);
	else if (is_char(k, 'a'))
		ask_react(t, e);
	else if (is_char(k, 'c'))
		tui_act_copy(t, e);
	else if (is_char(k, 'e'))
		tui_act_edit(t, e);
	else if (is_char(k, 'd') || k->name == TUI_KEY_DELETE) {
		t->m.ask = TUI_ASK_DELETE;
		t->m.ask_ref = ref;
		t->m.ask_mine = ID_EQ(e->it.sender, t->m.me) &&
		    e->it.kind == ITEM_TEXT;
	} else if (is_char(k, 'p') && e->it.kind == ITEM_TEXT)
		tui_act_pin(t, e);
	else if (is_char(k, 'i'))
		tui_panels_message(t, e);
	else if (k->name == TUI_KEY_ENTER)
		enter_entry(t, e);
	else
		return false;
	return true;
}

static void
in_log(struct tui *t, const struct tui_key *k)
{
	struct tui_log *l = &t->m.log;
	struct tui_entry *e = tui_log_selected(l);
	struct tui_box b = tui_log_box(t);
	if (e != NULL && on_message(t, e, k))
		return;
	if (k->name == TUI_KEY_UP || is_char(k, 'k')) {
		tui_log_select(l, -1);
		tui_history_show(&t->m, b, l->sel);
	} else if (k->name == TUI_KEY_DOWN || is_char(k, 'j')) {
		if (l->sel + 1 >= l->n)
			focus(t, TUI_AT_COMPOSE);
		tui_log_select(l, l->selecting ? 1 : 0);
		l->selecting = t->m.focus == TUI_AT_LOG;
		tui_history_show(&t->m, b, l->sel);
	} else if (k->name == TUI_KEY_HOME && l->n > 0) {
		l->sel = 0;
		tui_history_show(&t->m, b, 0);
	} else if (k->name == TUI_KEY_END && l->n > 0) {
		tui_log_end(l);
		tui_log_select(l, 0);
	} else if (is_char(k, '/')) {
		/* A command, perhaps about this message: selected it stays. */
		t->m.focus = TUI_AT_COMPOSE;
		(void)tui_compose_key(t->m.compose, k, 80);
		tui_act_typed(t);
	} else if (is_char(k, 'u')) {
		tui_act_jump_unread(t);
	} else if (is_char(k, '?')) {
		tui_panels_open(t, TUI_PANEL_HELP);
	} else if (k->name == TUI_KEY_ESC || k->name == TUI_KEY_TAB) {
		focus(t, TUI_AT_COMPOSE);
	}
}

/* ---- the composer ---- */

static void
enter_line(struct tui *t)
{
	struct tui_compose *c = t->m.compose;
	struct span s = tui_compose_text(c);
	if (s.n > 1 && s.p[0] == '/' && s.p[1] != '/') {
		uint8_t line[256];
		struct span copy = span_of(line, s.n < sizeof(line) ? s.n :
		    sizeof(line));
		memcpy(line, s.p, copy.n);
		/* The command may put another text there. */
		if (ID_IS_ZERO(t->m.edit.event))
			tui_compose_clear(c, true);
		if (!tui_command_run(t, copy))
			tui_compose_set(c, copy);
		t->draft_dirty = true;
		tui_act_save_draft(t);
		return;
	}
	if (span_starts(s, SPAN("//")) && ID_IS_ZERO(t->m.edit.event)) {
		c->at = 1;
		struct tui_key back = { .name = TUI_KEY_BACKSPACE };
		(void)tui_compose_key(c, &back, 80);
	}
	tui_act_send(t);
}

static void
escape(struct tui *t)
{
	struct tui_model *m = &t->m;
	if (!ID_IS_ZERO(m->reply.event) || !ID_IS_ZERO(m->edit.event))
		tui_act_end_about(t);
	else if (!m->log.follow)
		tui_log_end(&m->log);
	else if (t->grid.cols < TUI_TWO_PANES)
		to_list(t);
}

/* Up in the first line: into the messages. */
static void
select_last(struct tui *t)
{
	struct tui_log *l = &t->m.log;
	if (l->n == 0)
		return;
	focus(t, TUI_AT_LOG);
	tui_log_select(l, 0);
	tui_history_show(&t->m, tui_log_box(t), l->sel);
}

static void
in_compose(struct tui *t, const struct tui_key *k)
{
	struct tui_panes p = tui_layout_panes(&t->m, &t->grid);
	struct tui_compose *c = t->m.compose;
	if (is_ctrl(k, 'd') && c->n == 0) {
		t->over = true;
		return;
	}
	/* With nothing to bring back, ^N finds somebody. */
	if (is_ctrl(k, 'n') && c->n == 0 && c->past_at == c->past_n) {
		tui_panels_open(t, TUI_PANEL_PEOPLE);
		return;
	}
	size_t cols = tui_layout_compose_cols(p.chat);
	switch (tui_compose_key(c, k, cols)) {
	case TUI_COMPOSE_CHANGED: tui_act_typed(t); return;
	case TUI_COMPOSE_FULL:
		tui_toast(t, true, "That is as long as a message can be.");
		return;
	case TUI_COMPOSE_MOVED: return;
	case TUI_COMPOSE_NONE: default: break;
	}
	if (k->name == TUI_KEY_ENTER)
		enter_line(t);
	else if (k->name == TUI_KEY_UP && k->mods == 0)
		select_last(t);
	else if (k->name == TUI_KEY_ESC)
		escape(t);
	else if (k->name == TUI_KEY_TAB && tui_command_mention(t))
		tui_act_typed(t);
	else if (k->name == TUI_KEY_TAB && !tui_command_complete(t))
		tui_model_next_focus(&t->m, false);
}

/* ---- panels ---- */

static void
in_panel(struct tui *t, const struct tui_key *k)
{
	struct tui_panel *p = &t->m.panel;
	size_t rows = t->grid.rows > 6 ? t->grid.rows - 6 : 1;
	if (k->name == TUI_KEY_ESC) {
		tui_panels_close(t);
	} else if (k->name == TUI_KEY_ENTER && !k->pasted) {
		/* Typed just now: what it finds is there first. */
		if (timer_is_running(&t->search)) {
			timer_cancel(&t->search);
			tui_panels_refresh(t);
		}
		tui_panels_choose(t);
	} else if (k->name == TUI_KEY_UP || k->name == TUI_KEY_DOWN) {
		size_t was = p->sel;
		int by = k->name == TUI_KEY_UP ? -1 : 1;
		tui_model_panel_select(&t->m, by);
		/* Nothing more to select there: the lines move. */
		if (p->sel == was) {
			p->sel = p->n;
			p->top = by < 0 ? p->top > 0 ? p->top - 1 : 0 :
			    p->top + 1;
		}
	} else if (k->name == TUI_KEY_PGUP || k->name == TUI_KEY_PGDN) {
		p->sel = p->n;
		p->top = k->name == TUI_KEY_PGDN ? p->top + rows :
		    p->top > rows ? p->top - rows : 0;
	} else if (k->name == TUI_KEY_TAB && !k->pasted) {
		tui_model_next_focus(&t->m, false);
		tui_panels_default(t);
	} else if (p->has_input) {
		if (is_ctrl(k, 'j') || (k->name == TUI_KEY_ENTER))
			return;		/* one line only */
		if (tui_compose_key(t->m.field, k, 1000) ==
		    TUI_COMPOSE_CHANGED)
			tui_panels_typed(t);
	}
}

/* ---- the mouse ---- */

static void
click(struct tui *t, const struct tui_hit *h)
{
	struct tui_model *m = &t->m;
	switch ((enum tui_hit_kind)h->kind) {
	case TUI_HIT_CHAT:
		if (h->index < m->chat_n)
			tui_act_open(t, &m->chat[h->index].user);
		break;
	case TUI_HIT_ITEM: case TUI_HIT_QUOTE:
		if (h->index >= m->log.n)
			break;
		focus(t, TUI_AT_LOG);
		m->log.selecting = true;
		m->log.sel = h->index;
		if (h->kind == TUI_HIT_QUOTE)
			enter_entry(t, &m->log.entry[h->index]);
		break;
	case TUI_HIT_COMPOSER: focus(t, TUI_AT_COMPOSE); break;
	case TUI_HIT_PANEL:
		m->focus = TUI_AT_PANEL;
		if (h->index < m->panel.n && m->panel.line[h->index].can) {
			m->panel.sel = h->index;
			tui_panels_choose(t);
		}
		break;
	case TUI_HIT_CHIP: tui_panels_open(t, TUI_PANEL_PROTECTION); break;
	case TUI_HIT_BAR: {
		const struct tui_chat *c = tui_model_current(m);
		if (c != NULL && (c->changed || c->stopped))
			tui_panels_open(t, TUI_PANEL_SAFETY);
		break;
	}
	case TUI_HIT_JUMP: tui_log_end(&m->log); break;
	case TUI_HIT_BACK:
		if (h->index == 1)
			to_list(t);
		else
			tui_panels_close(t);
		break;
	case TUI_HIT_LIST: focus(t, TUI_AT_LIST); break;
	case TUI_HIT_NONE: case TUI_HIT_HEAD: case TUI_HIT_LOG: default:
		break;
	}
}

static void
wheel(struct tui *t, const struct tui_hit *h, int by)
{
	struct tui_model *m = &t->m;
	if (h->kind == TUI_HIT_CHAT || h->kind == TUI_HIT_LIST) {
		m->chat_top = by < 0 ? m->chat_top > 0 ? m->chat_top - 1 : 0 :
		    m->chat_top + 1;
	} else if (h->kind == TUI_HIT_PANEL) {
		m->panel.sel = m->panel.n;
		m->panel.top = by < 0 ? m->panel.top > WHEEL_ROWS ?
		    m->panel.top - WHEEL_ROWS : 0 : m->panel.top + WHEEL_ROWS;
	} else {
		struct tui_box b = tui_log_box(t);
		if (b.rows > 0)
			tui_history_scroll(m, b, by * WHEEL_ROWS);
	}
}

static void
on_mouse(struct tui *t, const struct tui_key *k)
{
	struct tui_hit h = tui_grid_find(&t->grid, k->row, k->col);
	if (k->released)
		return;
	if (k->button == TUI_WHEEL_UP || k->button == TUI_WHEEL_DOWN)
		wheel(t, &h, k->button == TUI_WHEEL_UP ? -1 : 1);
	else if (k->button == TUI_BUTTON_LEFT && t->m.ask == TUI_ASK_NONE)
		click(t, &h);
}

void
tui_input_key(struct tui *t, const struct tui_key *k)
{
	tui_touch(t);
	if (k->name == TUI_KEY_FOCUS) {
		tui_act_focus(t, k->code == 1);
		return;
	}
	if (k->name == TUI_KEY_PASTE || k->name == TUI_KEY_NONE)
		return;
	if (k->name == TUI_KEY_MOUSE) {
		on_mouse(t, k);
		return;
	}
	if (!k->pasted && t->m.ask == TUI_ASK_NONE && on_global(t, k))
		return;
	if (t->m.ask != TUI_ASK_NONE && (is_ctrl(k, 'c') ||
	    is_ctrl(k, 'q'))) {
		t->over = true;
		return;
	}
	if (t->m.ask != TUI_ASK_NONE) {
		on_answer(t, k);
		return;
	}
	switch (t->m.focus) {
	case TUI_AT_LIST: in_list(t, k); break;
	case TUI_AT_LOG: in_log(t, k); break;
	case TUI_AT_PANEL: in_panel(t, k); break;
	case TUI_AT_COMPOSE: default: in_compose(t, k); break;
	}
}
