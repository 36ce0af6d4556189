/*
 * tui_load.c: see tui_load.h.
 */
#include "cli/tui_load.h"

#include "cli/clean.h"
#include "cli/show.h"
#include "cli/tui_words.h"

#define UNREAD_PAGES 20u	/* loaded at most to reach what is unread */
#define UNTIL_PAGES 500u

/* ---- rows ---- */

/* The chat's entries stand under the person's id until it has one. */
static struct chat_id
chat_of(const struct client_person *p, const struct user_id *user)
{
	struct chat_id chat = p->chat;
	if (ID_IS_ZERO(chat))
		memcpy(chat.b, user->b, ID_LEN);
	return chat;
}

static void
set_preview(struct tui_chat *c, const struct client_item *it, bool mine)
{
	char text[TUI_SENTENCE_MAX];
	c->mine = mine;
	c->kind = it->kind;
	c->state = it->state;
	c->item_flags = it->flags;
	if (c->last_ms == 0)
		c->last_ms = it->server_ms != 0 ? it->server_ms :
		    it->sender_ms;
	if (tui_words_absent(it, c->name, mine, text))
		tui_model_keep(c->preview, sizeof(c->preview),
		    span_of(text, strcspn(text, "\n")));
	else
		tui_model_keep(c->preview, sizeof(c->preview), it->text);
}

static void
add_last(struct tui *t, const struct chat_id *chat, struct tui_chat *c)
{
	struct host *h = t->h;
	struct client_place at = { 0 };
	struct client_item it;
	struct arena_mark m = arena_mark(&h->query);
	if (client_history_next(&h->client, &h->query, chat, true, &at,
	    &it) == OK)
		set_preview(c, &it, ID_EQ(it.sender, t->m.me));
	arena_wipe(&h->query, m);
}

/* What was there already and is in no record: who is online, who types. */
static void
keep_live(struct tui *t, struct tui_chat *c)
{
	const struct tui_chat *old = tui_model_chat(&t->m, &c->user);
	if (old == NULL)
		return;
	c->presence = old->presence;
	c->typing_until_ms = old->typing_until_ms;
	if (c->seen_ms == 0)
		c->seen_ms = old->seen_ms;
}

static void
add_chat(struct tui *t, struct tui_chat *c)
{
	struct host *h = t->h;
	struct client_chat cc;
	struct arena_mark m = arena_mark(&h->query);
	if (!ID_IS_ZERO(c->chat) &&
	    client_chat(&h->client, &h->query, &c->chat, &cc) == OK) {
		c->last_ms = cc.last_ms;
		c->unread_n = cc.unread_n;
		c->mentions_n = cc.mentions_n;
		c->flags = cc.flags;
		c->expire_s = cc.expire_s;
		c->blocked = cc.blocked;
		c->read = cc.read;
		/* What is being written is seen where it is written. */
		c->draft = cc.draft.n > 0 && !(t->m.open &&
		    ID_EQ(c->user, t->m.with));
		if (c->draft)
			tui_model_keep(c->preview, sizeof(c->preview),
			    cc.draft);
	}
	arena_wipe(&h->query, m);
}

static enum err
read_row(struct tui *t, const struct user_id *user, bool make)
{
	struct host *h = t->h;
	struct client_person p = { 0 };
	struct tui_chat c = { .user = *user };
	struct arena_mark m = arena_mark(&h->query);
	enum err e = client_person(&h->client, &h->query, user, &p);
	if (e == ERR_NOT_FOUND && !make && !ID_EQ(*user, t->m.me))
		return OK;
	if (e != OK && e != ERR_NOT_FOUND)
		return e;
	char name[HOST_NAME_MAX + 1];
	show_name(h, user, name);
	snprintf(c.name, sizeof(c.name), "%s", name);
	c.chat = p.chat;
	c.verified = p.verified && !p.identity_changed;
	c.changed = p.identity_changed;
	c.stopped = p.blocked;
	c.blocked = p.blocked_by_me;
	c.gone = p.erased;
	c.seen_ms = p.last_seen_ms;
	arena_wipe(&h->query, m);
	struct chat_id chat = chat_of(&p, user);
	add_last(t, &chat, &c);
	add_chat(t, &c);
	keep_live(t, &c);
	/* Somebody who is known, but with whom nothing was ever said. */
	if (ID_IS_ZERO(c.chat) && c.last_ms == 0 && !make &&
	    tui_model_chat(&t->m, user) == NULL)
		return OK;
	return tui_model_chat_put(&t->m, &c);
}

enum err
tui_load_row(struct tui *t, const struct user_id *user, bool make)
{
	TRY(host_read(t->h));
	enum err e = read_row(t, user, make);
	host_read_end(t->h);
	return e;
}

void
tui_load_later(struct tui *t, const struct user_id *user)
{
	tui_touch(t);
	for (size_t i = 0; i < t->stale_n; i++)
		if (ID_EQ(t->stale[i], *user))
			return;
	if (t->stale_n == TUI_STALE_MAX)
		t->stale_all = true;
	else
		t->stale[t->stale_n++] = *user;
}

static enum err
read_people(struct tui *t)
{
	struct host *h = t->h;
	struct user_id after = { 0 };
	struct client_person p;
	enum err e = OK;
	while (e == OK) {
		struct arena_mark m = arena_mark(&h->query);
		e = client_person_next(&h->client, &h->query, &after, &p);
		arena_wipe(&h->query, m);
		if (e == OK)
			e = read_row(t, &after, false);
	}
	return e == ERR_NOT_FOUND || e == ERR_LIMIT ? OK : e;
}

enum err
tui_load_all(struct tui *t)
{
	struct host *h = t->h;
	struct client_status s = { 0 };
	char name[HOST_NAME_MAX + 1];
	TRY(host_read(h));
	struct arena_mark m = arena_mark(&h->query);
	enum err e = client_status(&h->client, &h->query, &s);
	t->m.me = s.user;
	t->m.me_devices = s.devices;
	arena_wipe(&h->query, m);
	show_name(h, &t->m.me, name);
	snprintf(t->m.me_name, sizeof(t->m.me_name), "%s", name);
	if (e == OK)
		e = read_people(t);
	host_read_end(h);
	return e;
}

void
tui_load_stale(struct tui *t)
{
	enum err e = OK;
	if (t->stale_all)
		e = tui_load_all(t);
	for (size_t i = 0; i < t->stale_n && e == OK && !t->stale_all; i++) {
		e = tui_load_row(t, &t->stale[i], false);
		if (t->m.open && ID_EQ(t->stale[i], t->m.with))
			tui_load_person(t);
	}
	if (t->stale_all && t->m.open)
		tui_load_person(t);
	t->stale_n = 0;
	t->stale_all = false;
	if (e != OK)
		tui_toast(t, true, "%s", tui_words_error(e));
}

void
tui_load_person(struct tui *t)
{
	struct host *h = t->h;
	struct client_person p = { 0 };
	struct client_trust tr = { 0 };
	struct client_status s = { 0 };
	if (host_read(h) != OK)
		return;
	struct arena_mark m = arena_mark(&h->query);
	if (client_person(&h->client, &h->query, &t->m.with, &p) == OK) {
		t->m.with_devices = p.devices;
		if (!ID_IS_ZERO(p.chat))
			t->m.with_chat = p.chat;
	}
	if (client_trust(&h->client, &h->query, &t->m.with, &tr) == OK)
		t->m.renewed = tr.renewed_ms > tr.verified_ms &&
		    !tr.verified;
	if (client_status(&h->client, &h->query, &s) == OK)
		t->m.me_devices = s.devices;
	arena_wipe(&h->query, m);
	host_read_end(h);
}

/* ---- entries ---- */

static void
read_reactions(struct tui *t, struct tui_entry *e)
{
	struct host *h = t->h;
	struct client_ref ref = tui_log_ref(e);
	struct user_id after = { 0 };
	struct client_reaction r;
	tui_log_react_clear(e);
	for (enum err err = OK; err == OK; ) {
		struct arena_mark m = arena_mark(&h->query);
		err = client_reaction_next(&h->client, &h->query, &ref,
		    &after, &r);
		if (err == OK)
			tui_log_react_add(e, r.text, ID_EQ(after, t->m.me));
		arena_wipe(&h->query, m);
	}
}

static void
read_quote(struct tui *t, struct tui_entry *e)
{
	struct host *h = t->h;
	struct client_item it;
	char text[TUI_SENTENCE_MAX];
	struct arena_mark m = arena_mark(&h->query);
	enum err err = client_item(&h->client, &h->query,
	    &e->it.reply_to.sender, &e->it.reply_to.event, &it);
	const struct tui_chat *c = tui_model_current(&t->m);
	if (err != OK || it.kind == ITEM_HIDDEN)
		tui_log_quote(e, (struct span){ 0 }, true);
	else if (tui_words_absent(&it, c != NULL ? c->name : "?",
	    ID_EQ(it.sender, t->m.me), text))
		tui_log_quote(e, span_of(text, strcspn(text, "\n")), false);
	else
		tui_log_quote(e, it.text, false);
	arena_wipe(&h->query, m);
}

void
tui_load_extras(struct tui *t, struct tui_entry *e)
{
	if (e->it.kind != ITEM_TEXT || host_read(t->h) != OK)
		return;
	read_reactions(t, e);
	if (!ID_IS_ZERO(e->it.reply_to.event))
		read_quote(t, e);
	host_read_end(t->h);
}

static struct chat_id
here(const struct tui *t)
{
	struct chat_id chat = t->m.with_chat;
	if (ID_IS_ZERO(chat))
		memcpy(chat.b, t->m.with.b, ID_LEN);
	return chat;
}

static enum err
read_page(struct tui *t, size_t *n_out)
{
	struct host *h = t->h;
	struct tui_log *l = &t->m.log;
	struct chat_id chat = here(t);
	struct client_place at = { 0 };
	struct client_item it;
	enum err e = OK;
	size_t n = 0;
	if (l->n > 0)
		at = (struct client_place){ true, l->entry[0].it.order,
		    l->entry[0].it.sub };
	while (n < TUI_PAGE && e == OK) {
		struct arena_mark m = arena_mark(&h->query);
		e = client_history_next(&h->client, &h->query, &chat, true,
		    &at, &it);
		if (e == OK)
			e = tui_log_put_older(l, &it);
		arena_wipe(&h->query, m);
		n += e == OK;
	}
	tui_log_settle(l, n);
	for (size_t i = 0; i < n; i++)
		tui_load_extras(t, &l->entry[i]);
	*n_out = n;
	if (e == ERR_NOT_FOUND || e == ERR_LIMIT) {
		l->all = true;
		return OK;
	}
	return e;
}

enum err
tui_load_page(struct tui *t, bool *any_out)
{
	size_t n = 0;
	*any_out = false;
	if (t->m.log.all || !t->m.open)
		return OK;
	TRY(host_read(t->h));
	enum err e = read_page(t, &n);
	host_read_end(t->h);
	*any_out = n > 0;
	return e;
}

enum err
tui_load_open(struct tui *t)
{
	struct tui_log *l = &t->m.log;
	const struct tui_chat *c = tui_model_current(&t->m);
	bool any = true;
	tui_log_fini(l);
	if (c != NULL) {
		l->unread_on = c->unread_n > 0;
		l->unread_after = c->read;
	}
	for (unsigned i = 0; i < UNREAD_PAGES && any; i++) {
		TRY(tui_load_page(t, &any));
		if (!l->unread_on || tui_log_unread(l, &t->m.me) > 0)
			break;
	}
	return OK;
}

enum err
tui_load_until(struct tui *t, const struct client_ref *ref)
{
	bool any = true;
	for (unsigned i = 0; i < UNTIL_PAGES && any; i++) {
		if (tui_log_find(&t->m.log, ref) != NULL)
			return OK;
		TRY(tui_load_page(t, &any));
	}
	return ERR_NOT_FOUND;
}

void
tui_load_item(struct tui *t, const struct client_item *it)
{
	struct tui_model *m = &t->m;
	bool fresh = false;
	bool mine = ID_EQ(it->sender, m->me);
	if (tui_log_put(&m->log, it, &fresh) != OK) {
		tui_toast(t, true, "There is no room for more messages on "
		    "this screen.");
		return;
	}
	struct client_ref ref = { it->sender, it->event };
	struct tui_entry *e = tui_log_find(&m->log, &ref);
	if (e != NULL && it->kind != ITEM_GAP)
		tui_load_extras(t, e);
	if (fresh && !mine && !m->log.follow && it->kind == ITEM_TEXT)
		m->log.below_n++;
	tui_touch(t);
}
