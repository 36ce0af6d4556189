/*
 * tui_model.c: see tui_model.h.
 */
#include "cli/tui_model.h"

#include <stdarg.h>
#include <stdlib.h>

#include "cli/clean.h"
#include "cli/tui_grid.h"

enum err
tui_model_init(struct tui_model *m)
{
	memset(m, 0, sizeof(*m));
	tui_log_init(&m->log);
	m->compose = calloc(1, sizeof(*m->compose));
	m->field = calloc(1, sizeof(*m->field));
	m->panel.line = calloc(TUI_LINES_MAX, sizeof(*m->panel.line));
	if (m->compose != NULL && m->field != NULL && m->panel.line != NULL)
		return OK;
	tui_model_fini(m);
	return ERR_NOMEM;
}

void
tui_model_fini(struct tui_model *m)
{
	tui_log_fini(&m->log);
	if (m->compose != NULL)
		tui_compose_fini(m->compose);
	if (m->field != NULL)
		tui_compose_fini(m->field);
	if (m->panel.line != NULL)
		wipe(m->panel.line, TUI_LINES_MAX * sizeof(*m->panel.line));
	if (m->chat != NULL)
		wipe(m->chat, m->chat_cap * sizeof(*m->chat));
	free(m->compose);
	free(m->field);
	free(m->panel.line);
	free(m->chat);
	wipe(m, sizeof(*m));
}

void
tui_model_keep(char *out, size_t cap, struct span s)
{
	struct buf b;
	buf_init(&b, 4096);
	*out = '\0';
	if (clean_line(span_sub(s, 0, 600), &b) == OK && b.n > 0) {
		size_t n = b.n < cap ? b.n : cap - 1;
		while (n > 0 && n < b.n && (b.p[n] & 0xc0) == 0x80)
			n--;
		memcpy(out, b.p, n);
		out[n] = '\0';
	}
	if (b.p != NULL)
		wipe(b.p, b.n);
	buf_fini(&b);
}

/* ---- chats ---- */

/* Where a stands in the list before b. */
static bool
is_above(const struct tui_chat *a, const struct tui_chat *b)
{
	bool pa = a->flags & CHAT_PINNED, pb = b->flags & CHAT_PINNED;
	bool aa = a->flags & CHAT_ARCHIVED, ab = b->flags & CHAT_ARCHIVED;
	if (aa != ab)
		return ab;
	if (pa != pb)
		return pa;
	if (a->last_ms != b->last_ms)
		return a->last_ms > b->last_ms;
	return strcmp(a->name, b->name) < 0;
}

static enum err
room_for_chat(struct tui_model *m)
{
	if (m->chat_n < m->chat_cap)
		return OK;
	if (m->chat_n >= TUI_CHATS_MAX)
		return ERR_LIMIT;
	size_t cap = m->chat_cap == 0 ? 64 : m->chat_cap * 2;
	struct tui_chat *p = calloc(cap, sizeof(*p));
	if (p == NULL)
		return ERR_NOMEM;
	if (m->chat_n > 0) {
		memcpy(p, m->chat, m->chat_n * sizeof(*p));
		wipe(m->chat, m->chat_n * sizeof(*p));
	}
	free(m->chat);
	m->chat = p;
	m->chat_cap = cap;
	return OK;
}

enum err
tui_model_chat_put(struct tui_model *m, const struct tui_chat *c)
{
	struct tui_chat *old = tui_model_chat(m, &c->user);
	struct user_id sel = { 0 };
	if (m->chat_sel < m->chat_n)
		sel = m->chat[m->chat_sel].user;
	if (old != NULL) {
		size_t i = (size_t)(old - m->chat);
		memmove(old, old + 1, (m->chat_n - i - 1) * sizeof(*old));
		m->chat_n--;
	} else {
		TRY(room_for_chat(m));
	}
	size_t i = m->chat_n;
	while (i > 0 && is_above(c, &m->chat[i - 1]))
		i--;
	memmove(&m->chat[i + 1], &m->chat[i],
	    (m->chat_n - i) * sizeof(*m->chat));
	m->chat[i] = *c;
	m->chat_n++;
	for (size_t k = 0; k < m->chat_n; k++)
		if (ID_EQ(m->chat[k].user, sel))
			m->chat_sel = k;
	return OK;
}

struct tui_chat *
tui_model_chat(struct tui_model *m, const struct user_id *user)
{
	for (size_t i = 0; i < m->chat_n; i++)
		if (ID_EQ(m->chat[i].user, *user))
			return &m->chat[i];
	return NULL;
}

struct tui_chat *
tui_model_chat_by_id(struct tui_model *m, const struct chat_id *chat)
{
	struct user_id before;
	/* Until the server has named the chat, the person's id stands. */
	memcpy(before.b, chat->b, ID_LEN);
	if (ID_IS_ZERO(*chat))
		return NULL;
	for (size_t i = 0; i < m->chat_n; i++)
		if (ID_EQ(m->chat[i].chat, *chat) ||
		    ID_EQ(m->chat[i].user, before))
			return &m->chat[i];
	return NULL;
}

struct tui_chat *
tui_model_current(struct tui_model *m)
{
	return m->open ? tui_model_chat(m, &m->with) : NULL;
}

bool
tui_model_is_listed(const struct tui_model *m, const struct tui_chat *c)
{
	return m->archived || !(c->flags & CHAT_ARCHIVED) ||
	    (m->open && ID_EQ(c->user, m->with));
}

size_t
tui_model_next_chat(const struct tui_model *m, size_t at, bool back,
    bool unread)
{
	size_t i = at;
	while (back ? i > 0 : i + 1 < m->chat_n) {
		i = back ? i - 1 : i + 1;
		if (tui_model_is_listed(m, &m->chat[i]) &&
		    (!unread || m->chat[i].unread_n > 0))
			return i;
	}
	return at;
}

uint32_t
tui_model_unread(const struct tui_model *m)
{
	uint32_t n = 0;
	for (size_t i = 0; i < m->chat_n; i++)
		if (!(m->chat[i].flags & CHAT_MUTED))
			n += m->chat[i].unread_n;
	return n;
}

/* ---- state ---- */

void
tui_model_toast(struct tui_model *m, bool bad, const char *text)
{
	tui_model_keep(m->toast, sizeof(m->toast), span_str(text));
	m->toast_bad = bad;
	m->toast_until_ms = m->now_ms + TUI_TOAST_MS;
}

enum tui_bar
tui_model_bar(struct tui_model *m)
{
	const struct tui_chat *c = tui_model_current(m);
	if (c != NULL && m->conflict)
		return TUI_BAR_CONFLICT;
	if (c != NULL && c->stopped)
		return TUI_BAR_STOPPED;
	if (c != NULL && c->changed)
		return m->renewed ? TUI_BAR_RENEWED : TUI_BAR_CHANGED;
	if (!m->up)
		return m->now_ms > m->down_since_ms + 1500 ?
		    TUI_BAR_OFFLINE : TUI_BAR_NONE;
	return m->caught_up ? TUI_BAR_NONE : TUI_BAR_CATCHING_UP;
}

void
tui_model_next_focus(struct tui_model *m, bool back)
{
	bool can[4] = { m->chat_n > 0, m->open && m->log.n > 0, m->open,
	    m->panel.kind != TUI_PANEL_NONE };
	unsigned at = (unsigned)m->focus;
	for (unsigned i = 0; i < 4; i++) {
		at = (at + (back ? 3 : 1)) % 4;
		if (can[at])
			break;
	}
	m->focus = (enum tui_focus)at;
	if (m->focus == TUI_AT_LOG)
		tui_log_select(&m->log, 0);
	else
		m->log.selecting = false;
}

static void
earlier(uint64_t *at, uint64_t t)
{
	if (t != 0 && (*at == 0 || t < *at))
		*at = t;
}

uint64_t
tui_model_next_change(const struct tui_model *m)
{
	uint64_t at = 0;
	earlier(&at, m->toast_until_ms);
	earlier(&at, m->log.lit_until_ms);
	if (!m->up && m->down_since_ms + 1500 >= m->now_ms)
		earlier(&at, m->down_since_ms + 1501);
	for (size_t i = 0; i < m->chat_n; i++)
		earlier(&at, m->chat[i].typing_until_ms);
	/* The last minute of a disappearing message counts down. */
	for (size_t i = m->log.n; i-- > 0 && m->log.n - i < 100; ) {
		uint64_t end = m->log.entry[i].it.expires_at_ms;
		if (end > m->now_ms)
			earlier(&at, end > m->now_ms + 60000 ? end - 60000 :
			    m->now_ms + 1000);
	}
	return at;
}

void
tui_model_expire(struct tui_model *m)
{
	if (m->toast_until_ms != 0 && m->now_ms >= m->toast_until_ms) {
		m->toast_until_ms = 0;
		m->toast[0] = '\0';
	}
	if (m->log.lit_until_ms != 0 && m->now_ms >= m->log.lit_until_ms)
		m->log.lit_until_ms = 0;
	for (size_t i = 0; i < m->chat_n; i++)
		if (m->now_ms >= m->chat[i].typing_until_ms)
			m->chat[i].typing_until_ms = 0;
}

/* ---- panels ---- */

void
tui_model_panel_clear(struct tui_model *m)
{
	wipe(m->panel.line, m->panel.n * sizeof(*m->panel.line));
	m->panel.n = 0;
}

void
tui_model_panel_open(struct tui_model *m, enum tui_panel_kind kind,
    const char *title)
{
	struct tui_panel *p = &m->panel;
	if (p->kind == TUI_PANEL_NONE)
		m->before_panel = m->focus;
	if (p->kind != kind) {
		p->top = p->sel = 0;
		tui_compose_clear(m->field, false);
	}
	tui_model_panel_clear(m);
	p->kind = kind;
	p->has_input = kind == TUI_PANEL_SEARCH || kind == TUI_PANEL_PEOPLE;
	p->hint = kind == TUI_PANEL_SEARCH ? "Search messages" :
	    "Name, or part of it";
	snprintf(p->title, sizeof(p->title), "%s", title);
}

void
tui_model_panel_close(struct tui_model *m)
{
	tui_model_panel_clear(m);
	tui_compose_clear(m->field, false);
	m->panel.kind = TUI_PANEL_NONE;
	m->panel.has_input = false;
	if (m->focus == TUI_AT_PANEL)
		m->focus = m->before_panel != TUI_AT_PANEL ? m->before_panel :
		    m->open ? TUI_AT_COMPOSE : TUI_AT_LIST;
}

struct tui_line *
tui_model_panel_add(struct tui_model *m, int style, const char *format, ...)
{
	va_list ap;
	if (m->panel.n == TUI_LINES_MAX)
		return NULL;
	struct tui_line *l = &m->panel.line[m->panel.n++];
	memset(l, 0, sizeof(*l));
	l->style = (uint8_t)style;
	va_start(ap, format);
	vsnprintf(l->text, sizeof(l->text), format, ap);
	va_end(ap);
	return l;
}

void
tui_model_panel_select(struct tui_model *m, int by)
{
	struct tui_panel *p = &m->panel;
	size_t i = p->sel;
	if (p->n == 0)
		return;
	if (i < p->n && !p->line[i].can && by == 0)
		by = 1;
	while (by < 0 ? i > 0 : by > 0 && i + 1 < p->n) {
		i = by < 0 ? i - 1 : i + 1;
		if (p->line[i].can) {
			p->sel = i;
			return;
		}
	}
}

struct tui_line *
tui_model_panel_selected(struct tui_model *m)
{
	struct tui_panel *p = &m->panel;
	return p->sel < p->n && p->line[p->sel].can ? &p->line[p->sel] : NULL;
}
