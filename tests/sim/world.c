/*
 * world.c: see world.h. The driver is a fiber of a process of its own; it
 * carries out one step of the plan after the other, begins again what has
 * died, and in the end waits until everything is where it belongs.
 */
#include "sim/world.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <unistd.h>

#include "base/text.h"
#include "sim/disk.h"
#include "sim/excuse.h"
#include "sim/links.h"
#include "sim/wire.h"

#define SLICE_MS 50
#define TEXT_MAX 4000
#define NEEDLES 6

/* What no byte may hold; for the taps, which know of no world. */
static struct {
	struct world *world;
	struct span wire[4];		/* canary, plain and in base64 */
	char base64[3][28];
} watch;

void
world_broken(struct world *w, const char *format, ...)
{
	va_list ap;

	fflush(stdout);
	fprintf(stderr, "seed %" PRIu64 " at %" PRIu64 " ms: ",
	    w->plan->seed, kernel_now_us() / 1000);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fprintf(stderr, "\n");
	fflush(stderr);
	_exit(1);
}

__attribute__((format(printf, 2, 3)))
static void
say(const struct world *w, const char *format, ...)
{
	va_list ap;

	if (!w->verbose)
		return;
	printf("%10" PRIu64 " ", kernel_now_us() / 1000);
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	printf("\n");
}

/* ------------------------------------------------------------------ taps */

static bool
has(const void *p, size_t n, struct span needle)
{
	return memmem(p, n, needle.p, needle.n) != NULL;
}

static void
look(const char *where, const void *p, size_t n)
{
	for (size_t i = 0; i < 4; i++)
		if (has(p, n, watch.wire[i]))
			world_broken(watch.world, "plaintext %s", where);
}

void
world_tap_wire(const void *p, size_t n)
{
	look("on the network", p, n);
}

/* The first bytes of every token's text: {"alg":"HS256", in base64url. */
static void
look_for_secrets(const char *where, const void *p, size_t n)
{
	look(where, p, n);
	if (has(p, n, SPAN(WORLD_PASSWORD)))
		world_broken(watch.world, "a password %s", where);
	if (has(p, n, SPAN("eyJhbGciOiJIUzI1NiIs")))
		world_broken(watch.world, "a token %s", where);
}

void
world_tap_disk(const void *p, size_t n)
{
	look_for_secrets("on the server's disk", p, n);
}

void
world_tap_log(const void *p, size_t n)
{
	look_for_secrets("in the server's log", p, n);
	if (watch.world->verbose)
		printf("%10" PRIu64 "   log %.*s", kernel_now_us() / 1000,
		    (int)n, (const char *)p);
}

static void
make_canary(struct world *w)
{
	struct span s;

	for (size_t i = 0; i < 21; i++)
		w->canary[i] = (char)('a' + rng_below(kernel_key_rng(), 26));
	s = span_of(w->canary, 21);
	watch.world = w;
	watch.wire[0] = s;
	/* Whole triples, for each way it may lie. */
	for (size_t i = 0; i < 3; i++)
		watch.wire[i + 1] = span_of(watch.base64[i], base64_encode(
		    span_sub(s, i, i + 18), watch.base64[i]));
}

/* ----------------------------------------------------------- the devices */

void
world_registered(struct world *w, struct device *d, const struct user_id *user)
{
	w->user[d->account] = *user;
}

static bool
is_refused(const struct client_effects *fx, uint64_t cmd)
{
	for (const struct client_effect *f = fx->first; f != NULL; f = f->next)
		if (f->type == CLIENT_SHOW && f->u.show.type == SHOW_ERROR &&
		    f->u.show.cmd == cmd)
			return true;
	return false;
}

void
world_committed(struct world *w, struct device *d,
    const struct client_input *in, const struct client_effects *fx)
{
	struct world_message *m;

	if (in->type != CLIENT_SEND)
		return;
	m = &w->message[in->cmd];
	if (is_refused(fx, in->cmd)) {
		say(w, "device %u: message %" PRIu64 " is refused", d->index,
		    in->cmd);
		return;
	}
	m->accepted = true;
	m->at_us = kernel_now_us();
}

void
world_shown(struct world *w, struct device *d, const struct client_show *s)
{
	if (s->type == SHOW_ERROR)
		say(w, "device %u: error of %" PRIu64 ": %s", d->index,
		    s->cmd, err_text(s->u.error.err));
	else if (s->type == SHOW_LINK)
		say(w, "device %u: up %d, caught up %d", d->index,
		    s->u.link.up, s->u.link.caught_up);
	if (s->type == SHOW_LINKING)
		say(w, "device %u: linking %s", d->index,
		    client_linking_name(s->u.linking.state));
	if (!d->gone && (s->type == SHOW_SIGNED_OUT ||
	    s->type == SHOW_KEYS_MISSING || s->type == SHOW_REVOKED))
		world_broken(w, "device %u: %s", d->index,
		    s->type == SHOW_SIGNED_OUT ? "signed out" :
		    "keys missing");
}

void
world_saw(struct world *w, const struct device *d,
    const struct client_item *it)
{
	size_t n = it->kind == ITEM_TEXT ? laws_message(w, it->text) :
	    WORLD_MESSAGES_MAX;

	if (it->state == STATE_FAILED)
		world_broken(w, "failed: device %u: message %d: %s",
		    d->index, (int)n, err_text(it->cause));
	if (it->kind == ITEM_TEXT && n == WORLD_MESSAGES_MAX)
		world_broken(w, "device %u shows a text of nobody", d->index);
	if (it->kind == ITEM_REFUSED)
		excuse_note(w, d, it);
	if (n == WORLD_MESSAGES_MAX)
		return;
	w->message[n].shown[d->index] = 1;
	w->message[n].event = it->event;
	if (it->position != 0)
		w->message[n].position = it->position;
}

static void
note_item(struct world *w, struct device *d, const struct client_item *it)
{
	d->shown++;
	say(w, "device %u: kind %d state %d flags %x position %" PRIu64
	    " cause %s message %d", d->index, (int)it->kind, (int)it->state,
	    it->flags, it->position, err_text(it->cause),
	    it->kind == ITEM_TEXT ? (int)laws_message(w, it->text) : -1);
	world_saw(w, d, it);
	if (it->kind == ITEM_REFUSED && !excuse_is_explained(w, d, it))
		world_broken(w, "refused: device %u, position %" PRIu64 ": %s",
		    d->index, it->position, err_text(it->cause));
}

void
world_journal(struct world *w, struct device *d, const struct client_show *s)
{
	if (s->type == SHOW_MESSAGE) {
		note_item(w, d, &s->u.item);
	} else if (s->type == SHOW_WARNING) {
		d->warnings[s->u.warning.kind % 16]++;
		say(w, "device %u: warning %s", d->index,
		    client_warning_name(s->u.warning.kind));
	}
}

/* Texts that are whole: the canary, the number, something behind it. */
static void
order_send(struct app *a, uint64_t number, uint64_t size)
{
	struct world *w = a->device->world;
	struct client_input in = { .type = CLIENT_SEND, .cmd = number };
	char text[TEXT_MAX];
	int n = snprintf(text, sizeof(text), "%s-%06" PRIu64 "-", w->canary,
	    number);

	for (size_t at = (size_t)n; at < size; at++)
		text[n++] = (char)('A' + at % 26);
	in.u.send.to.user = w->user[w->message[number].to];
	in.u.send.text = span_of(text, (size_t)n);
	app_input(a, &in);
}

static bool find_chat(struct app *a, uint64_t account, struct chat_id *out);

/* The newest text of a chat that is at the server; own: by this account. */
static bool
find_newest(struct app *a, uint64_t account, bool own, struct client_ref *out,
    size_t *message_out)
{
	struct world *w = a->device->world;
	struct arena_mark m = arena_mark(&a->query);
	struct client_place at = { 0 };
	struct client_item it;
	struct chat_id chat;
	bool found = false;

	if (!find_chat(a, account, &chat))
		return false;
	while (!found && client_history_next(&a->client, &a->query, &chat,
	    true, &at, &it) == OK) {
		found = it.kind == ITEM_TEXT && it.position != 0 && (!own ||
		    ID_EQ(it.sender, w->user[a->device->account]));
		out->sender = it.sender;
		out->event = it.event;
		*message_out = found ? laws_message(w, it.text) : 0;
		arena_reset(&a->query, m);
	}
	return found;
}

static void
order_edit(struct app *a, uint64_t account, uint64_t unused)
{
	struct world *w = a->device->world;
	struct client_input in = { .type = CLIENT_EDIT };
	char text[100];
	size_t n;

	(void)unused;
	if (!find_newest(a, account, true, &in.u.edit.ref, &n) ||
	    w->message[n].deleted)
		return;
	snprintf(text, sizeof(text), "%s-%06zu-edited by %u: %u", w->canary,
	    n, a->device->index, ++w->message[n].edits);
	in.u.edit.text = span_str(text);
	app_input(a, &in);
}

static void
order_react(struct app *a, uint64_t account, uint64_t unused)
{
	static const char *const signs[] = { "+", "\xe2\x9d\xa4", "" };
	struct client_input in = { .type = CLIENT_REACT };
	size_t n;

	(void)unused;
	if (!find_newest(a, account, false, &in.u.react.ref, &n))
		return;
	in.u.react.text = span_str(signs[rng_below(kernel_rng(), 3)]);
	app_input(a, &in);
}

static void
order_take_back(struct app *a, uint64_t account, uint64_t unused)
{
	struct world *w = a->device->world;
	struct client_input in = { .type = CLIENT_DELETE };
	size_t n;

	(void)unused;
	if (!find_newest(a, account, true, &in.u.erase.ref, &n))
		return;
	in.u.erase.for_both = true;
	w->message[n].deleted = true;
	app_input(a, &in);
}

static bool
find_chat(struct app *a, uint64_t account, struct chat_id *out)
{
	struct arena_mark m = arena_mark(&a->query);
	struct client_person p;
	enum err e = client_person(&a->client, &a->query,
	    &a->device->world->user[account], &p);

	if (e == OK)
		*out = p.chat;
	arena_reset(&a->query, m);
	return e == OK && !ID_IS_ZERO(*out);
}

static void
order_read(struct app *a, uint64_t account, uint64_t unused)
{
	struct client_input in = { .type = CLIENT_READ };

	(void)unused;
	if (find_chat(a, account, &in.u.read.chat))
		app_input(a, &in);
}

static void
order_typing(struct app *a, uint64_t account, uint64_t unused)
{
	struct client_input in = { .type = CLIENT_TYPING };

	(void)unused;
	in.u.typing.on = true;
	if (find_chat(a, account, &in.u.typing.chat))
		app_input(a, &in);
}

static void
order_renew(struct app *a, uint64_t account, uint64_t unused)
{
	struct client_input in = { .type = account != 0 ?
	    CLIENT_RENEW_ACCOUNT : CLIENT_RENEW };

	(void)unused;
	a->device->is_renewed = true;
	app_input(a, &in);
}

/* Its number in the account's list; 0: none. */
static uint32_t
device_number(const struct device *d)
{
	struct client_status st = { 0 };
	struct app view;

	app_view(d, &view);
	if (client_status(&view.client, &view.query, &st) != OK)
		st.device = 0;
	app_view_end(&view);
	return st.device;
}

static void
order_revoke(struct app *a, uint64_t device, uint64_t unused)
{
	struct world *w = a->device->world;
	struct client_input in = { .type = CLIENT_DEVICE_REVOKE };

	(void)unused;
	in.u.device.device = device_number(&w->device[device]);
	if (in.u.device.device == 0)
		return;
	app_input(a, &in);
	/* Whether it is done now or later: it shows nothing new any more. */
	if (!a->proc.dead) {
		w->device[device].gone = true;
		w->device[device].gone_us = kernel_now_us();
	}
}

/* -------------------------------------------------------------- time goes */

/* What has died begins again when its time has come. */
static void
keep_alive(struct world *w)
{
	uint64_t now = kernel_now_us();

	if (!node_is_up(w->node) && (w->calm_now || w->node_at_us <= now)) {
		say(w, "the server starts");
		(void)node_start(w->node);
	}
	for (unsigned i = 0; i < w->plan->devices; i++) {
		struct device *d = &w->device[i];

		if (!d->gone && d->joined && d->number == 0)
			d->number = device_number(d);
		if (d->gone || d->app != NULL)
			continue;
		if (w->start_at_us[i] == 0)
			w->start_at_us[i] = now + d->die_in;
		if (!w->calm_now && w->start_at_us[i] > now)
			continue;
		say(w, "device %u starts", i);
		w->start_at_us[i] = 0;
		app_start(d, 0);
	}
	links_tick(w);
}

static void
sleep_ms(struct world *w, uint64_t ms)
{
	while (ms > 0) {
		uint64_t slice = ms < SLICE_MS ? ms : SLICE_MS;

		kernel_sleep_us(slice * 1000);
		keep_alive(w);
		ms -= slice;
	}
}

/* ------------------------------------------------------------------ steps */

static void
send_some(struct world *w, unsigned device, unsigned account, int64_t n)
{
	struct device *d = &w->device[device];
	struct rng *r = kernel_rng();

	for (; n > 0; n--) {
		struct world_message *m = &w->message[w->messages_n];
		uint64_t size = rng_below(r, 40) == 0 ? rng_below(r, 3500) :
		    rng_below(r, 160);

		if (d->app == NULL || d->app->reactor == NULL || !d->joined ||
		    w->messages_n == WORLD_MESSAGES_MAX)
			return;
		*m = (struct world_message){ .device = device,
		    .account = d->account, .to = account };
		app_do(d->app, order_send, w->messages_n++, size);
	}
}

static void
keep_profile(struct device *d)
{
	unsigned i = d->old_n < APP_OLD_MAX ? d->old_n++ :
	    (unsigned)rng_below(kernel_rng(), APP_OLD_MAX);

	records_unref(d->old[i].disk);
	d->old[i].disk = records_ref(d->disk);
	d->old[i].seen = d->seen;
	d->old[i].at_us = kernel_now_us();
}

/* What it sent since then it may not know of any more. */
static void
go_back(struct world *w, struct device *d, bool all)
{
	unsigned i, last = d->lost_n;

	if (d->old_n == 0 || last == 16)
		return;
	i = (unsigned)rng_below(kernel_rng(), d->old_n);
	if (d->app != NULL)
		app_kill(d->app, false);
	records_unref(d->disk);
	d->disk = records_ref(d->old[i].disk);
	if (all)
		d->seen = d->old[i].seen;
	d->seq = 0;
	d->lost[last].from_us = d->old[i].at_us;
	d->lost[last].to_us = kernel_now_us();
	d->lost_n++;
	d->is_renewed = true;
	for (size_t k = 0; k < w->messages_n; k++) {
		struct world_message *m = &w->message[k];

		if (m->accepted && m->at_us >= d->old[i].at_us)
			m->shown[d->index] = 0;
		if (m->device == d->index && m->at_us >= d->old[i].at_us)
			m->loose = true;
	}
}

static void
trouble_app(struct world *w, const struct plan_step *s, struct device *d)
{
	struct app *a = d->app;

	switch ((int)s->verb) {
	case PLAN_cut:
		if (a != NULL)
			wire_cut(&a->proc);
		break;
	case PLAN_stall:
		if (a != NULL)
			wire_stall(&a->proc, (uint64_t)s->arg[1] * 1000);
		break;
	case PLAN_crash:
		d->die_in = (uint64_t)s->arg[2] * 1000;
		if (a != NULL)
			a->die_in = (uint64_t)s->arg[1];
		break;
	case PLAN_off:
		d->die_in = (uint64_t)s->arg[1] * 1000;
		if (a != NULL)
			app_kill(a, rng_below(kernel_rng(), 2) == 0);
		break;
	case PLAN_keep:
		keep_profile(d);
		break;
	case PLAN_back:
		go_back(w, d, s->arg[1] != 0);
		break;
	case PLAN_clock:
		d->shift_ms = s->arg[1];
		if (a != NULL)
			a->proc.shift_ms = s->arg[1];
		break;
	}
}

static void
trouble_node(struct world *w, const struct plan_step *s)
{
	switch ((int)s->verb) {
	case PLAN_kill:
		node_kill(w->node, s->arg[0] != 0);
		w->node_at_us = kernel_now_us() + (uint64_t)s->arg[1] * 1000;
		break;
	case PLAN_killat:
		node_kill_at(w->node, (uint64_t)s->arg[0]);
		w->node_at_us = kernel_now_us() + (uint64_t)s->arg[1] * 1000;
		break;
	case PLAN_stop:
		node_stop(w->node);
		w->node_at_us = kernel_now_us() + (uint64_t)s->arg[0] * 1000;
		break;
	case PLAN_serverstall:
		if (node_proc(w->node) != NULL)
			wire_stall(node_proc(w->node),
			    (uint64_t)s->arg[0] * 1000);
		break;
	case PLAN_serverclock:
		node_clock(w->node, s->arg[0]);
		break;
	}
}

/* May that device take d off the account, and is it on? */
static bool
is_manager(const struct world *w, const struct device *d, unsigned n,
    unsigned manager)
{
	const struct device *m = &w->device[manager];

	return d != NULL && manager < w->plan->devices && manager != n &&
	    m->account == d->account && d->joined && d->linking == NULL &&
	    m->joined && !m->gone && m->app != NULL && m->app->reactor != NULL;
}

static void
do_step(struct world *w, const struct plan_step *s)
{
	unsigned n = (unsigned)s->arg[0], account = (unsigned)s->arg[1];
	struct device *d = n < w->plan->devices ? &w->device[n] : NULL;
	bool is_on;

	sleep_ms(w, s->wait_ms);
	is_on = d != NULL && d->app != NULL && d->app->reactor != NULL &&
	    account < w->plan->accounts;
	say(w, "step %d: %" PRId64 " %" PRId64 " %" PRId64, (int)s->verb,
	    s->arg[0], s->arg[1], s->arg[2]);
	if (s->verb == PLAN_rest)
		return;
	if (s->verb == PLAN_send) {
		if (is_on)
			send_some(w, n, account, s->arg[2]);
	} else if (s->verb == PLAN_read) {
		if (is_on)
			app_do(d->app, order_read, account, 0);
	} else if (s->verb == PLAN_typing) {
		if (is_on)
			app_do(d->app, order_typing, account, 0);
	} else if (s->verb == PLAN_edit || s->verb == PLAN_react ||
	    s->verb == PLAN_take_back) {
		if (is_on)
			app_do(d->app, s->verb == PLAN_edit ? order_edit :
			    s->verb == PLAN_react ? order_react :
			    order_take_back, account, 0);
	} else if (s->verb == PLAN_link) {
		if (d != NULL && account < w->plan->devices &&
		    w->device[account].account == d->account)
			links_begin(w, d, &w->device[account]);
	} else if (s->verb == PLAN_revoke) {
		if (is_manager(w, d, n, account))
			app_do(w->device[account].app, order_revoke, n, 0);
	} else if (s->verb == PLAN_renew || s->verb == PLAN_renewaccount) {
		if (d != NULL && d->joined && d->app != NULL &&
		    d->app->reactor != NULL)
			app_do(d->app, order_renew,
			    s->verb == PLAN_renewaccount, 0);
	} else if (s->verb >= PLAN_kill) {
		trouble_node(w, s);
	} else if (d != NULL) {
		trouble_app(w, s, d);
	}
}

/* ---------------------------------------------------------------- the run */

static void
bring_up(struct world *w)
{
	sleep_ms(w, 500);
	for (unsigned i = 0; i < w->plan->accounts; i++) {
		struct device *d = &w->device[i];

		while (d->app == NULL || d->app->reactor == NULL)
			sleep_ms(w, 10);
		sleep_ms(w, 10);
		app_do(d->app, app_register, d->account, 0);
	}
	for (unsigned i = 0; i < w->plan->accounts; i++)
		for (int k = 0; !w->device[i].joined; k++) {
			if (k > 1000)
				world_broken(w, "device %u is never ready", i);
			sleep_ms(w, 1000);
		}
	/* Half of the runs begin with all devices. */
	for (unsigned i = w->plan->accounts; i < w->plan->devices; i++)
		if (w->plan->linked)
			links_begin(w, &w->device[i],
			    &w->device[w->device[i].account]);
	while (!links_are_over(w))
		sleep_ms(w, 500);
}

/* Until every law holds; clocks that are wrong stay wrong. */
static void
settle(struct world *w, const char *when)
{
	uint64_t pause = 100, end = kernel_now_us() / 1000 +
	    WORLD_PATIENCE_MS;
	char why[200];

	while (!laws_hold_yet(w, why)) {
		if (kernel_now_us() / 1000 > end)
			world_broken(w, "%s, %s", when, why);
		sleep_ms(w, pause);
		pause = pause < 30000 ? pause * 3 / 2 : pause;
	}
}

/* While it is still known who was revoked. */
static void
count_excuses(struct world *w)
{
	for (size_t k = 0; k < w->messages_n; k++)
		for (unsigned i = 0; i < w->plan->devices; i++)
			if (w->message[k].accepted && !w->device[i].gone &&
			    w->message[k].shown[i] == 0)
				w->excuse[laws_refused(w, &w->message[k],
				    &w->device[i])]++;
	w->excuse[EXCUSE_NONE] = 0;
}

static void
shut_down(struct world *w)
{
	for (unsigned i = 0; i < w->plan->devices; i++) {
		w->device[i].gone = true;
		if (w->device[i].app != NULL)
			app_kill(w->device[i].app, false);
	}
	/* A last wake, so that they see it. */
	node_stop(w->node);
}

static void
driver_main(void *arg)
{
	struct world *w = arg;

	bring_up(w);
	for (size_t i = 0; i < w->plan->steps_n; i++)
		do_step(w, &w->plan->step[i]);
	w->calm_now = true;
	for (unsigned i = 0; i < w->plan->devices; i++)
		if (w->device[i].app != NULL)
			w->device[i].app->die_in = 0;
	node_kill_at(w->node, 0);
	keep_alive(w);
	for (unsigned i = 0; i < w->plan->devices; i++)
		if (!w->device[i].joined && w->device[i].linking == NULL)
			w->device[i].gone = true;	/* it never was */
	settle(w, "after the plan");
	/* And still everybody can write to everybody. */
	for (unsigned i = 0; i < w->plan->devices; i++)
		for (unsigned k = 0; k < w->plan->accounts; k++)
			if (k != w->device[i].account && !w->device[i].gone)
				send_some(w, i, k, 1);
	sleep_ms(w, 1000);
	settle(w, "in the end");
	laws_check(w);
	count_excuses(w);
	shut_down(w);
}

static void
close_world(struct world *w)
{
	for (unsigned i = 0; i < PLAN_DEVICES_MAX; i++) {
		records_unref(w->device[i].disk);
		for (unsigned k = 0; k < w->device[i].old_n; k++)
			records_unref(w->device[i].old[k].disk);
	}
	node_free(w->node);
	free(w->message);
	free(w->refused);
}

static void
tell(struct world *w, struct world_result *out)
{
	*out = (struct world_result){ .trace = kernel_trace_hash(),
	    .messages = w->messages_n, .sealed = app_nonces(),
	    .switches = kernel_switches(), .bytes = wire_bytes(),
	    .virtual_ms = kernel_now_us() / 1000 };
	for (unsigned i = 0; i < w->plan->devices; i++)
		out->steps += w->device[i].steps;
	memcpy(out->excuse, w->excuse, sizeof(out->excuse));
}

void
world_run(const struct plan *p, bool verbose, struct world_result *out)
{
	struct wire_conf wire = { p->delay_us, p->slow_permille,
	    (size_t)p->window };
	struct node_conf conf = { p->tight, p->reactors, p->readers };
	struct world *w = calloc(1, sizeof(*w));

	assert(w != NULL);
	kernel_open(p->seed);
	wire_open(&wire, world_tap_wire);
	disk_tap(world_tap_disk);
	w->plan = p;
	w->verbose = verbose;
	w->message = calloc(WORLD_MESSAGES_MAX, sizeof(*w->message));
	w->refused = calloc(WORLD_MESSAGES_MAX, sizeof(*w->refused));
	assert(w->message != NULL && w->refused != NULL);
	make_canary(w);
	w->node = node_new(w, &conf);
	for (unsigned i = 0; i < p->devices; i++) {
		w->device[i] = (struct device){ .world = w, .index = i,
		    .account = i % p->accounts };
		snprintf(w->device[i].name, sizeof(w->device[i].name),
		    "machine %u", i);
	}
	snprintf(w->driver.name, sizeof(w->driver.name), "driver");
	kernel_spawn(&w->driver, "driver", driver_main, w);
	if (!kernel_run())
		world_broken(w, "everybody waits for ever");
	tell(w, out);
	wire_close();
	kernel_close();
	app_nonces_forget();
	close_world(w);
	free(w);
}
