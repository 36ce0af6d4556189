/*
 * laws.c: what has to hold; see world.h and docs/simulator.md.
 */
#include <assert.h>

#include "sim/excuse.h"
#include "sim/links.h"

#define PLACES_MAX 20000

size_t
laws_message(const struct world *w, struct span text)
{
	size_t n = strlen(w->canary);
	uint64_t number;

	if (!span_starts(text, span_of(w->canary, n)))
		return WORLD_MESSAGES_MAX;
	/* Six digits with zeros in front; at least one is left. */
	text = span_sub(text, n + 1, 6);
	while (text.n > 1 && text.p[0] == '0')
		text = span_sub(text, 1, text.n);
	return span_u64(text, WORLD_MESSAGES_MAX - 1, &number) &&
	    number < w->messages_n ? (size_t)number : WORLD_MESSAGES_MAX;
}

/* Is that message for this device to see? */
static bool
is_for(const struct world_message *m, const struct device *d)
{
	return d->account == m->account || d->account == m->to;
}

int
laws_refused(const struct world *w, const struct world_message *m,
    const struct device *d)
{
	const struct world_refused *r = excuse_find(w, d, &m->event);

	if (r == NULL)
		r = excuse_at(w, d, m->position);
	return ID_IS_ZERO(m->event) || r == NULL ? EXCUSE_NONE :
	    (int)excuse_of(w, r);
}

/* Was never at the server, and its device was taken off the account. */
static bool
is_cut_off(const struct world *w, const struct world_message *m)
{
	return w->device[m->device].gone && m->position == 0;
}

/*
 * A device that was linked later gets what was before from its manager, whose
 * history has no message that it could not open itself.
 */
static bool
is_before_link(const struct world *w, const struct world_message *m,
    const struct device *d)
{
	return d->index >= w->plan->accounts && m->at_us <= d->joined_us &&
	    laws_refused(w, m, &w->device[d->account]) != EXCUSE_NONE;
}

static bool
is_excused(const struct world *w, const struct world_message *m,
    const struct device *d)
{
	return is_cut_off(w, m) || laws_refused(w, m, d) != EXCUSE_NONE ||
	    is_before_link(w, m, d);
}

static bool
status_is_clean(struct device *d, char why_out[static 200])
{
	struct client_status st = { 0 };
	struct app view;
	enum err e;

	if (d->app == NULL || !d->app->up || !d->app->caught_up) {
		snprintf(why_out, 200, "device %u is not connected",
		    d->index);
		return false;
	}
	app_view(d, &view);
	e = client_status(&view.client, &view.query, &st);
	app_view_end(&view);
	if (e == OK && st.outbox_n == 0 && st.inbox_n == 0)
		return true;
	snprintf(why_out, 200, "stuck: device %u: %u to send, %u held back "
	    "(%s)", d->index, st.outbox_n, st.inbox_n, err_text(e));
	return false;
}

/* What came as an archive is in the history and in no journal. */
static void
look_at_history(struct world *w, const struct device *d)
{
	struct app view;

	app_view(d, &view);
	for (unsigned k = 0; k < w->plan->accounts; k++) {
		struct client_place at = { 0 };
		struct client_person p;
		struct client_item it;
		enum err e;

		if (k == d->account || client_person(&view.client,
		    &view.query, &w->user[k], &p) != OK)
			continue;
		do {
			struct arena_mark m = arena_mark(&view.query);

			e = client_history_next(&view.client, &view.query,
			    &p.chat, false, &at, &it);
			if (e == OK)
				world_saw(w, d, &it);
			arena_reset(&view.query, m);
		} while (e == OK);
	}
	app_view_end(&view);
}

static bool
is_anything_lost(const struct world *w, const struct device *d,
    char why_out[static 200])
{
	for (size_t k = 0; k < w->messages_n; k++) {
		const struct world_message *m = &w->message[k];

		if (!m->accepted || m->loose || m->deleted || !is_for(m, d) ||
		    m->shown[d->index] > 0 || is_excused(w, m, d))
			continue;
		snprintf(why_out, 200, "lost: message %zu of device %u is "
		    "not on device %u", k, m->device, d->index);
		return true;
	}
	return false;
}

bool
laws_hold_yet(struct world *w, char why_out[static 200])
{
	for (unsigned i = 0; i < w->plan->devices; i++)
		if (!w->device[i].gone &&
		    !status_is_clean(&w->device[i], why_out))
			return false;
	if (!links_are_over(w)) {
		snprintf(why_out, 200, "link: one is under way");
		return false;
	}
	for (unsigned i = 0; i < w->plan->devices; i++) {
		struct device *d = &w->device[i];

		if (d->gone || !is_anything_lost(w, d, why_out))
			continue;
		if (i >= w->plan->accounts)
			look_at_history(w, d);
		if (is_anything_lost(w, d, why_out))
			return false;
	}
	return true;
}

/* ------------------------------------------------------------- histories */

/* A chat as one device shows it. */
struct sight {
	unsigned *message;
	uint64_t *text;			/* hash of what is shown */
	size_t n;
};

/* What a device shows of a message: its text, and who reacted how. */
static uint64_t
hash_item(struct app *view, const struct client_item *it)
{
	struct client_ref ref = { it->sender, it->event };
	struct client_reaction r;
	struct user_id after = { { 0 } };
	uint64_t h = 14695981039346656037u;

	for (size_t i = 0; i < it->text.n; i++)
		h = (h ^ it->text.p[i]) * 1099511628211u;
	while (client_reaction_next(&view->client, &view->query, &ref,
	    &after, &r) == OK) {
		for (size_t i = 0; i < ID_LEN; i++)
			h = (h ^ after.b[i]) * 1099511628211u;
		for (size_t i = 0; i < r.text.n; i++)
			h = (h ^ r.text.p[i]) * 1099511628211u;
	}
	return h;
}

/* What is refused, a message or a change of one, has an excuse of its own. */
static bool
is_known_refused(struct world *w, const struct device *d,
    const struct client_item *it)
{
	excuse_note(w, d, it);
	return excuse_of(w, excuse_find(w, d, &it->event)) != EXCUSE_NONE;
}

static void
check_item(struct world *w, const struct device *d,
    struct app *view, const struct client_item *it, struct sight *s)
{
	size_t n;

	if (it->kind == ITEM_REFUSED && is_known_refused(w, d, it))
		return;
	if (it->kind == ITEM_REFUSED)
		world_broken(w, "undecryptable: device %u, position %llu: %s",
		    d->index, (unsigned long long)it->position,
		    err_text(it->cause));
	if (it->kind == ITEM_GAP)
		world_broken(w, "gap: device %u: %u messages", d->index,
		    it->gap_n);
	if (it->kind == ITEM_DELETED || it->kind == ITEM_REMOVED)
		return;
	if (it->kind != ITEM_TEXT)
		world_broken(w, "device %u shows kind %d", d->index,
		    (int)it->kind);
	if (it->state != STATE_SENT && it->state != STATE_RECEIVED)
		world_broken(w, "device %u: state %d in the end", d->index,
		    (int)it->state);
	n = laws_message(w, it->text);
	assert(n < WORLD_MESSAGES_MAX && s->n < PLACES_MAX);
	s->text[s->n] = hash_item(view, it);
	s->message[s->n++] = (unsigned)n;
}

static void
read_chat(struct world *w, const struct device *d, struct app *view,
    const struct chat_id *chat, struct sight *s)
{
	struct client_place at = { 0 };
	struct client_item it;
	enum err e = OK;

	s->n = 0;
	while (e == OK) {
		struct arena_mark m = arena_mark(&view->query);

		e = client_history_next(&view->client, &view->query, chat,
		    false, &at, &it);
		if (e == OK)
			check_item(w, d, view, &it, s);
		arena_reset(&view->query, m);
	}
	if (e != ERR_NOT_FOUND)
		world_broken(w, "device %u: its history: %s", d->index,
		    err_text(e));
}

/* Each message that belongs to the chat once, none that does not. */
static void
check_once(struct world *w, const struct device *d, unsigned other,
    const struct sight *s)
{
	uint8_t *seen = calloc(w->messages_n, 1);

	assert(seen != NULL);
	for (size_t i = 0; i < s->n; i++) {
		const struct world_message *m = &w->message[s->message[i]];

		if (seen[s->message[i]]++ > 0)
			world_broken(w, "twice: message %u on device %u",
			    s->message[i], d->index);
		if (!is_for(m, d) || (m->account != other && m->to != other))
			world_broken(w, "message %u in a wrong chat of "
			    "device %u", s->message[i], d->index);
	}
	for (size_t k = 0; k < w->messages_n; k++) {
		const struct world_message *m = &w->message[k];

		if (m->accepted && !m->loose && !m->deleted && is_for(m, d) &&
		    (m->account == other || m->to == other) && !seen[k] &&
		    !is_excused(w, m, d))
			world_broken(w, "lost: message %zu of device %u is "
			    "not in the history of device %u", k, m->device,
			    d->index);
	}
	free(seen);
}

/* What both show stands in the same order. */
static void
check_order(struct world *w, unsigned a, const struct sight *x, unsigned b,
    const struct sight *y)
{
	size_t *place = calloc(w->messages_n, sizeof(*place)), last = 0;

	assert(place != NULL);
	for (size_t i = 0; i < x->n; i++)
		place[x->message[i]] = i + 1;
	for (size_t i = 0; i < y->n; i++) {
		size_t at = place[y->message[i]];

		if (at != 0 && at < last)
			world_broken(w, "order: message %u: devices %u and "
			    "%u differ", y->message[i], a, b);
		if (at != 0 && y->text[i] != x->text[at - 1] &&
		    w->device[a].lost_n + w->device[b].lost_n == 0)
			world_broken(w, "text: message %u: devices %u and %u "
			    "show others", y->message[i], a, b);
		last = at != 0 ? at : last;
	}
	free(place);
}

static bool
see(struct world *w, const struct device *d, unsigned other, struct sight *s)
{
	struct client_person p;
	struct app view;
	enum err e;

	app_view(d, &view);
	e = client_person(&view.client, &view.query, &w->user[other], &p);
	s->n = 0;
	if (e == OK && !ID_IS_ZERO(p.chat)) {
		read_chat(w, d, &view, &p.chat, s);
		check_once(w, d, other, s);
	}
	app_view_end(&view);
	return e == OK;
}

/* One chat on all devices of both. */
static void
check_chat(struct world *w, unsigned a, unsigned b, struct sight sight[2])
{
	unsigned first = PLAN_DEVICES_MAX;

	for (unsigned i = 0; i < w->plan->devices; i++) {
		const struct device *d = &w->device[i];
		unsigned other = d->account == a ? b : a;

		if (d->gone || (d->account != a && d->account != b))
			continue;
		if (!see(w, d, other, &sight[first < PLAN_DEVICES_MAX]))
			continue;
		if (first < PLAN_DEVICES_MAX)
			check_order(w, first, &sight[0], i, &sight[1]);
		else
			first = i;
	}
}

void
laws_check(struct world *w)
{
	struct sight sight[2];

	for (int i = 0; i < 2; i++) {
		sight[i].message = calloc(PLACES_MAX,
		    sizeof(*sight[i].message));
		sight[i].text = calloc(PLACES_MAX, sizeof(*sight[i].text));
		assert(sight[i].text != NULL);
		assert(sight[i].message != NULL);
	}
	for (unsigned a = 0; a < w->plan->accounts; a++)
		for (unsigned b = a + 1; b < w->plan->accounts; b++)
			check_chat(w, a, b, sight);
	for (int i = 0; i < 2; i++) {
		free(sight[i].message);
		free(sight[i].text);
	}
	if (app_nonce_repeats() > 0)
		world_broken(w, "nonce: %llu pairs of key and nonce twice",
		    (unsigned long long)app_nonce_repeats());
}
