/*
 * links.c: see links.h. What is to be done is read from the two profiles, as
 * people read it from two screens; a linking that ended without a new device
 * is begun again by them, a bounded number of times.
 */
#include "sim/links.h"

#include <assert.h>

#define TRIES_MAX 100
#define TEXT_MAX 256

/* What a screen shows. */
static void
look(const struct device *d, struct client_linking *out, char text[static
    TEXT_MAX])
{
	struct app view;

	memset(out, 0, sizeof(*out));
	app_view(d, &view);
	if (client_linking(&view.client, &view.query, out) != OK)
		out->state = LINK_NONE;
	snprintf(text, TEXT_MAX, "%.*s", (int)out->text.n,
	    (const char *)out->text.p);
	app_view_end(&view);
}

static void
order_new(struct app *a, uint64_t unused, uint64_t unused2)
{
	struct client_input in = { .type = CLIENT_LINK_NEW };

	(void)unused;
	(void)unused2;
	in.u.link_new.name = span_str(a->device->name);
	app_input(a, &in);
}

static void
order_scan(struct app *a, uint64_t new, uint64_t manager)
{
	struct client_input in = { .type = CLIENT_LINK_SCAN };
	struct client_linking l;
	char text[TEXT_MAX];

	look(&a->device->world->device[new], &l, text);
	if (text[0] == '\0')
		return;
	in.u.link_scan.text = span_str(text);
	in.u.link_scan.manager = manager != 0;
	app_input(a, &in);
}

static void
order_code(struct app *a, uint64_t new, uint64_t unused)
{
	struct client_input in = { .type = CLIENT_LINK_CODE };
	struct client_linking l;
	char text[TEXT_MAX];

	(void)unused;
	look(&a->device->world->device[new], &l, text);
	if (l.code[0] == '\0')
		return;
	in.u.link_code = span_str(l.code);
	app_input(a, &in);
}

static void
order_confirm(struct app *a, uint64_t unused, uint64_t unused2)
{
	struct client_input in = { .type = CLIENT_LINK_CONFIRM };

	(void)unused;
	(void)unused2;
	in.u.on = true;
	app_input(a, &in);
}

static void
do_on(struct device *d, void (*fn)(struct app *a, uint64_t n, uint64_t m),
    uint64_t n, uint64_t m)
{
	if (d->app != NULL && d->app->reactor != NULL)
		app_do(d->app, fn, n, m);
}

void
links_begin(struct world *w, struct device *new, struct device *manager)
{
	(void)w;
	if (new->joined || new->gone || manager->gone || !manager->joined ||
	    manager == new)
		return;
	new->linking = manager;
	new->link_tries = 0;
}

/* The new device has an end that is none: again, from the begin. */
static bool
is_lost(enum client_linking_state s)
{
	return s > LINK_DONE;
}

static void
tick(struct world *w, struct device *new)
{
	struct device *manager = new->linking;
	struct client_linking a, b;
	char text[TEXT_MAX], other[TEXT_MAX];

	look(new, &a, text);
	look(manager, &b, other);
	if (new->joined && a.state >= LINK_DONE) {
		new->linking = NULL;
		return;
	}
	if (kernel_now_us() < new->link_at_us || new->app == NULL ||
	    new->app->reactor == NULL)
		return;
	/* People look twice a second. */
	new->link_at_us = kernel_now_us() + 500000;
	if (a.state == LINK_NONE || is_lost(a.state)) {
		if (++new->link_tries > TRIES_MAX)
			world_broken(w, "link: device %u: state %d",
			    new->index, (int)a.state);
		do_on(new, order_new, 0, 0);
	} else if (a.state == LINK_WAITS && (b.state == LINK_NONE ||
	    b.state >= LINK_DONE)) {
		do_on(manager, order_scan, new->index, 1);
	} else if (a.state == LINK_CODE && b.state == LINK_ASKS) {
		do_on(manager, order_code, new->index, 0);
	} else if (a.state == LINK_CONFIRM) {
		do_on(new, order_confirm, 0, 0);
	}
}

void
links_tick(struct world *w)
{
	for (unsigned i = 0; i < w->plan->devices; i++) {
		struct device *d = &w->device[i];

		if (d->linking != NULL && d->linking->gone)
			d->linking = NULL;
		if (d->linking != NULL)
			tick(w, d);
	}
}

bool
links_are_over(const struct world *w)
{
	for (unsigned i = 0; i < w->plan->devices; i++)
		if (w->device[i].linking != NULL)
			return false;
	return true;
}
