/*
 * tui_log.c: see tui_log.h.
 */
#include "cli/tui_log.h"

#include <stdlib.h>

void
tui_log_init(struct tui_log *l)
{
	memset(l, 0, sizeof(*l));
	l->follow = true;
}

static void
drop(struct tui_entry *e)
{
	if (e->it.text.n > 0) {
		uint8_t *p = (uint8_t *)(uintptr_t)e->it.text.p;
		wipe(p, e->it.text.n);
		free(p);
	}
	if (e->quote != NULL)
		wipe(e->quote, e->quote_n);
	free(e->quote);
	free(e->react);
	memset(e, 0, sizeof(*e));
}

void
tui_log_fini(struct tui_log *l)
{
	for (size_t i = 0; i < l->n; i++)
		drop(&l->entry[i]);
	free(l->entry);
	tui_log_init(l);
}

static enum err
copy_text(struct span s, struct span *out)
{
	*out = (struct span){ 0 };
	if (s.n == 0)
		return OK;
	uint8_t *p = malloc(s.n);
	if (p == NULL)
		return ERR_NOMEM;
	memcpy(p, s.p, s.n);
	*out = span_of(p, s.n);
	return OK;
}

static enum err
make_room(struct tui_log *l)
{
	if (l->n < l->cap)
		return OK;
	if (l->n >= TUI_ENTRIES_MAX)
		return ERR_LIMIT;
	size_t cap = l->cap == 0 ? 256 : l->cap * 2;
	struct tui_entry *p = calloc(cap, sizeof(*p));
	if (p == NULL)
		return ERR_NOMEM;
	if (l->n > 0)
		memcpy(p, l->entry, l->n * sizeof(*p));
	free(l->entry);		/* the copies own what it pointed to */
	l->entry = p;
	l->cap = cap;
	return OK;
}

/* Fills an entry that is empty or holds an earlier form. */
static enum err
fill(struct tui_entry *e, const struct client_item *it)
{
	struct span text;
	TRY(copy_text(it->text, &text));
	if (e->it.text.n > 0) {
		uint8_t *p = (uint8_t *)(uintptr_t)e->it.text.p;
		wipe(p, e->it.text.n);
		free(p);
	}
	e->it = *it;
	e->it.text = text;
	e->it.mentions = (struct span){ 0 };
	return OK;
}

static bool
is_before(const struct client_item *a, const struct client_item *b)
{
	return a->order != b->order ? a->order < b->order : a->sub < b->sub;
}

/* A gap has the event of the message that it stands before. */
static bool
is_same(const struct client_item *a, const struct client_item *b)
{
	return ID_EQ(a->event, b->event) && ID_EQ(a->sender, b->sender) &&
	    a->sub == b->sub && (!ID_IS_ZERO(a->event) ||
	    a->order == b->order);
}

static size_t
find_same(const struct tui_log *l, const struct client_item *it)
{
	for (size_t i = l->n; i-- > 0; )
		if (is_same(&l->entry[i].it, it))
			return i;
	return l->n;
}

static void
take_out(struct tui_log *l, size_t i, struct tui_entry *out)
{
	*out = l->entry[i];
	memmove(&l->entry[i], &l->entry[i + 1],
	    (l->n - i - 1) * sizeof(*l->entry));
	l->n--;
	memset(&l->entry[l->n], 0, sizeof(*l->entry));
	if (l->bottom > i || (l->bottom == l->n && l->bottom > 0))
		l->bottom--;
	if (l->sel > i || (l->sel == l->n && l->sel > 0))
		l->sel--;
	if (l->n == 0)
		l->bottom = l->sel = l->skip = 0;
}

static void
put_in(struct tui_log *l, const struct tui_entry *e)
{
	size_t i = l->n;
	while (i > 0 && is_before(&e->it, &l->entry[i - 1].it))
		i--;
	memmove(&l->entry[i + 1], &l->entry[i],
	    (l->n - i) * sizeof(*l->entry));
	l->entry[i] = *e;
	l->n++;
	if (l->n > 1 && l->bottom >= i && !(i == l->n - 1))
		l->bottom++;
	if (l->n > 1 && l->sel >= i && !(i == l->n - 1))
		l->sel++;
	if (l->follow) {
		l->bottom = l->n - 1;
		l->skip = 0;
	}
}

enum err
tui_log_put(struct tui_log *l, const struct client_item *it, bool *fresh_out)
{
	struct tui_entry e = { 0 };
	size_t i = find_same(l, it);
	bool fresh = i == l->n;
	if (fresh_out != NULL)
		*fresh_out = fresh && it->kind != ITEM_HIDDEN;
	if (it->kind == ITEM_HIDDEN) {
		if (!fresh) {
			take_out(l, i, &e);
			drop(&e);
		}
		return OK;
	}
	if (!fresh && l->entry[i].it.order == it->order)
		return fill(&l->entry[i], it);
	/* Older than what is loaded: it comes with its page. */
	if (fresh && l->n > 0 && !l->all && is_before(it, &l->entry[0].it)) {
		if (fresh_out != NULL)
			*fresh_out = false;
		return OK;
	}
	TRY(make_room(l));
	bool selected = !fresh && l->selecting && l->sel == i;
	if (!fresh)
		take_out(l, i, &e);
	enum err err = fill(&e, it);
	if (err != OK) {
		drop(&e);
		return err;
	}
	put_in(l, &e);
	if (selected)
		l->sel = find_same(l, it);
	return OK;
}

enum err
tui_log_put_older(struct tui_log *l, const struct client_item *it)
{
	TRY(make_room(l));
	struct tui_entry *e = &l->entry[l->n];
	memset(e, 0, sizeof(*e));
	TRY(fill(e, it));
	l->n++;
	return OK;
}

static void
reverse(struct tui_entry *e, size_t n)
{
	for (size_t i = 0; i < n / 2; i++) {
		struct tui_entry t = e[i];
		e[i] = e[n - 1 - i];
		e[n - 1 - i] = t;
	}
}

/* Behind `old` entries stand `added` older ones, newest first. */
void
tui_log_settle(struct tui_log *l, size_t added)
{
	size_t old = l->n - added;
	if (added == 0)
		return;
	/* [old][added backwards] -> all backwards: [added][old backwards] */
	reverse(l->entry, l->n);
	reverse(l->entry + added, old);
	/* Now [added, oldest first][old, as it was]. */
	if (old == 0) {
		l->bottom = l->n - 1;
		l->skip = 0;
		l->sel = l->bottom;
		return;
	}
	l->bottom += added;
	l->sel += added;
}

struct tui_entry *
tui_log_find(struct tui_log *l, const struct client_ref *ref)
{
	for (size_t i = l->n; i-- > 0; ) {
		const struct client_item *it = &l->entry[i].it;
		if (ID_EQ(it->event, ref->event) &&
		    ID_EQ(it->sender, ref->sender) && it->kind != ITEM_GAP)
			return &l->entry[i];
	}
	return NULL;
}

size_t
tui_log_index(const struct tui_log *l, const struct tui_entry *e)
{
	return (size_t)(e - l->entry);
}

void
tui_log_react_clear(struct tui_entry *e)
{
	free(e->react);
	e->react = NULL;
	e->react_n = 0;
}

void
tui_log_react_add(struct tui_entry *e, struct span text, bool mine)
{
	if (text.n == 0 || text.n > CLIENT_REACTION_MAX)
		return;
	for (size_t i = 0; i < e->react_n; i++) {
		struct tui_react *r = &e->react[i];
		if (span_eq(span_str(r->text), text)) {
			r->n = (uint8_t)(r->n < 255 ? r->n + 1 : 255);
			r->mine = r->mine || mine;
			return;
		}
	}
	if (e->react_n == TUI_REACTS_MAX)
		return;
	if (e->react == NULL)
		e->react = calloc(TUI_REACTS_MAX, sizeof(*e->react));
	if (e->react == NULL)
		return;
	struct tui_react *r = &e->react[e->react_n++];
	*r = (struct tui_react){ .n = 1, .mine = mine };
	memcpy(r->text, text.p, text.n);
}

void
tui_log_quote(struct tui_entry *e, struct span text, bool gone)
{
	struct span copy = { 0 };
	size_t n = text.n < TUI_QUOTE_MAX ? text.n : TUI_QUOTE_MAX;
	while (n > 0 && n < text.n && (text.p[n] & 0xc0) == 0x80)
		n--;
	if (e->quote != NULL)
		wipe(e->quote, e->quote_n);
	free(e->quote);
	e->quote = NULL;
	e->quote_n = 0;
	e->quote_gone = gone;
	if (copy_text(span_sub(text, 0, n), &copy) == OK && copy.n > 0) {
		e->quote = (uint8_t *)(uintptr_t)copy.p;
		e->quote_n = copy.n;
	}
}

void
tui_log_mark(struct tui_log *l, const struct user_id *me, uint64_t position,
    bool read)
{
	for (size_t i = l->n; i-- > 0; ) {
		struct client_item *it = &l->entry[i].it;
		if (!ID_EQ(it->sender, *me) || it->position == 0 ||
		    it->position > position || it->state != STATE_SENT)
			continue;
		uint32_t want = ITEM_DELIVERED |
		    (read ? (uint32_t)ITEM_READ : 0);
		if ((it->flags & want) == want)
			break;	/* and so are all before it */
		it->flags |= want;
	}
}

uint64_t
tui_log_newest(const struct tui_log *l, const struct user_id *me)
{
	for (size_t i = l->n; i-- > 0; )
		if (!ID_EQ(l->entry[i].it.sender, *me) &&
		    l->entry[i].it.position != 0)
			return l->entry[i].it.position;
	return 0;
}

static bool
is_unread(const struct tui_log *l, const struct client_item *it,
    const struct user_id *me)
{
	return !ID_EQ(it->sender, *me) && it->position > l->unread_after &&
	    it->kind != ITEM_TIMER;
}

/* Walks back to what was read: as long as the unread part, not the log. */
static size_t
walk_unread(const struct tui_log *l, const struct user_id *me,
    uint32_t *n_out)
{
	size_t first = l->n;
	*n_out = 0;
	for (size_t i = l->n; l->unread_on && i-- > 0; ) {
		const struct client_item *it = &l->entry[i].it;
		if (is_unread(l, it, me)) {
			first = i;
			(*n_out)++;
		} else if (it->position != 0 &&
		    it->position <= l->unread_after) {
			break;
		}
	}
	return first;
}

size_t
tui_log_unread(const struct tui_log *l, const struct user_id *me)
{
	uint32_t n;
	return walk_unread(l, me, &n);
}

uint32_t
tui_log_unread_n(const struct tui_log *l, const struct user_id *me)
{
	uint32_t n;
	(void)walk_unread(l, me, &n);
	return n;
}

struct tui_entry *
tui_log_last_mine(struct tui_log *l, const struct user_id *me)
{
	for (size_t i = l->n; i-- > 0; )
		if (l->entry[i].it.kind == ITEM_TEXT &&
		    ID_EQ(l->entry[i].it.sender, *me))
			return &l->entry[i];
	return NULL;
}

void
tui_log_select(struct tui_log *l, int by)
{
	if (l->n == 0)
		return;
	if (!l->selecting) {
		l->selecting = true;
		l->sel = l->bottom < l->n ? l->bottom : l->n - 1;
		return;
	}
	if (by < 0 && l->sel > 0)
		l->sel--;
	else if (by > 0 && l->sel + 1 < l->n)
		l->sel++;
}

struct tui_entry *
tui_log_selected(struct tui_log *l)
{
	return l->selecting && l->sel < l->n ? &l->entry[l->sel] : NULL;
}

void
tui_log_end(struct tui_log *l)
{
	l->selecting = false;
	l->follow = true;
	l->bottom = l->n > 0 ? l->n - 1 : 0;
	l->skip = 0;
	l->below_n = 0;
}
