/*
 * tui_protection.c: exports tui_protection_*: who can read a chat, how it is
 * protected, the safety number, and what this device is. Plain words first,
 * exact terms second. See tui_panels.h.
 */
#include "base/text.h"
#include "cli/qr.h"
#include "cli/tui_panels.h"
#include "cli/tui_words.h"

#define SUITE "X25519 + ML-KEM-768, AES-256-GCM"

/* ---- helpers ---- */

static void
blank(struct tui_model *m)
{
	(void)tui_model_panel_add(m, TUI_TEXT, " ");
}

static void
title(struct tui_model *m, const char *text)
{
	blank(m);
	(void)tui_model_panel_add(m, TUI_STRONG, "%s", text);
}

static void
fact(struct tui_model *m, const char *plain, const char *exact)
{
	(void)tui_model_panel_add(m, TUI_TEXT, "%s", plain);
	struct tui_line *l = tui_model_panel_add(m, TUI_META, "%s", exact);
	if (l != NULL)
		l->indent = 2;
}

static void
choice(struct tui_model *m, enum tui_panels_act act, const char *text)
{
	struct tui_line *l = tui_model_panel_add(m, TUI_ACCENT, "%s", text);
	if (l == NULL)
		return;
	l->can = true;
	l->act = (uint8_t)act;
}

static void
centered(struct tui_model *m, int style, const char *text)
{
	struct tui_line *l = tui_model_panel_add(m, style, "%s", text);
	if (l != NULL)
		l->center = true;
}

/* ---- devices ---- */

/* What the sessions with all devices of a person come to. */
struct sum {
	uint64_t sent, received, since_ms, mixed_ms;
	uint32_t turns, mixed;
	size_t sessions;
	uint8_t least_auth;
};

static struct sum
add_up(const struct client_device *d, size_t n)
{
	struct sum s = { .least_auth = 2 };
	for (size_t i = 0; i < n; i++) {
		if (!d[i].has_session)
			continue;
		s.sessions++;
		s.sent += d[i].sent;
		s.received += d[i].received;
		if (d[i].pq_auth < s.least_auth)
			s.least_auth = d[i].pq_auth;
		s.turns += d[i].turns;
		/* Epoch 1 is the one that the session begins in. */
		s.mixed += d[i].epoch > 1 ? d[i].epoch - 1 : 0;
		if (d[i].mixed_ms > s.mixed_ms)
			s.mixed_ms = d[i].mixed_ms;
		if (d[i].since_ms != 0 && (s.since_ms == 0 ||
		    d[i].since_ms < s.since_ms))
			s.since_ms = d[i].since_ms;
	}
	return s;
}

static void
device_line(struct tui_model *m, const struct client_device *d,
    const char *whose)
{
	char name[TUI_NAME_MAX], since[TUI_WORD_MAX], hex[65];
	tui_model_keep(name, sizeof(name), d->name);
	hex_encode(SPAN_OF(d->fingerprint), hex);
	(void)tui_model_panel_add(m, TUI_TEXT, "%s%s%s%s", d->own ?
	    "This device" : whose, name[0] != '\0' ? ": " : "", name,
	    d->flags & 4 ? " (browser)" : "");
	if (d->created_ms != 0)
		tui_words_date(d->created_ms, m->now_ms, since);
	struct tui_line *l = tui_model_panel_add(m, TUI_META,
	    "number %u%s%s%s%s%.16s", (unsigned)d->device, d->flags & 1 ?
	    ", first" : "", d->created_ms != 0 ? ", since " : "",
	    d->created_ms != 0 ? since : "", ", key ", hex);
	if (l != NULL)
		l->indent = 2;
}

static size_t
read_devices(struct tui *t, const struct user_id *user,
    struct client_device out[static CLIENT_DEVICES_MAX])
{
	size_t n = 0;
	if (client_devices(&t->h->client, &t->h->query, user, out, &n) != OK)
		return 0;
	return n;
}

/* ---- the chat ---- */

static void
how(struct tui_model *m, const struct sum *s)
{
	char text[200], word[TUI_WORD_MAX];
	title(m, "How");
	fact(m, "Safe against quantum computers", s->sessions == 0 ?
	    "From the first message on; none was sent yet." :
	    s->least_auth == 2 ? "Since the first message, confirmed by both "
	    "sides." : s->least_auth == 1 ? "Since the first message; both "
	    "sides confirm it once each has written." :
	    "Since the first message, not confirmed yet.");
	if (s->sessions == 0)
		return;
	uint64_t n = s->sent + s->received;
	if (n > 0)
		snprintf(text, sizeof(text), "A key for each message, %llu so "
		    "far in these sessions; %u turn%s of the ratchet.",
		    (unsigned long long)n, (unsigned)s->turns,
		    s->turns == 1 ? "" : "s");
	else
		snprintf(text, sizeof(text), "A key for each message.");
	fact(m, "Keys change as you talk", text);
	if (s->mixed != 0 && s->mixed_ms != 0) {
		tui_words_ago(s->mixed_ms, m->now_ms, word);
		snprintf(text, sizeof(text), "%u time%s, last %s.",
		    (unsigned)s->mixed, s->mixed == 1 ? "" : "s", word);
	} else {
		snprintf(text, sizeof(text), "%u time%s.",
		    (unsigned)s->mixed, s->mixed == 1 ? "" : "s");
	}
	fact(m, "Quantum-safe keys mixed in", text);
	if (s->since_ms != 0) {
		tui_words_full(s->since_ms, word);
		fact(m, "Encrypted since", word);
	}
	(void)tui_model_panel_add(m, TUI_TEXT, "Method");
	struct tui_line *l = tui_model_panel_add(m, TUI_CODE, "%s", SUITE);
	if (l != NULL)
		l->indent = 2;
}

static void
trust(struct tui *t, const struct tui_chat *c)
{
	struct tui_model *m = &t->m;
	struct client_trust tr = { 0 };
	char text[TUI_SENTENCE_MAX], day[TUI_WORD_MAX];
	enum err e = client_trust(&t->h->client, &t->h->query, &c->user,
	    &tr);
	if (c->changed || c->stopped) {
		snprintf(text, sizeof(text), "%s's safety number is different "
		    "now. Compare it before you write anything private.",
		    c->name);
		centered(m, TUI_WARNING, text);
	} else if (c->verified) {
		tui_words_date(tr.verified_ms, m->now_ms, day);
		snprintf(text, sizeof(text), "You compared the safety number"
		    "%s%s%s.", e == OK && tr.verified_ms != 0 ? " " : "",
		    e == OK && tr.verified_ms != 0 ? day : "",
		    tr.method == VERIFY_CODE ? ", by code" : "");
		centered(m, TUI_VERIFIED, text);
	} else {
		centered(m, TUI_META, "You have not compared the safety "
		    "number yet.");
	}
	blank(m);
	choice(m, TUI_LINE_SAFETY, "[ Safety number ]");
	if (c->stopped)
		choice(m, TUI_LINE_ACCEPT, "[ Write anyway ]");
}

static void
chat_facts(struct tui *t, const struct tui_chat *c)
{
	struct tui_model *m = &t->m;
	char text[TUI_SENTENCE_MAX], span[TUI_WORD_MAX];
	title(m, "In this chat");
	if (c->expire_s != 0) {
		tui_words_span(c->expire_s, span);
		snprintf(text, sizeof(text), "Messages disappear %s after "
		    "reading", span);
	} else {
		snprintf(text, sizeof(text), "Messages don't disappear");
	}
	choice(m, TUI_LINE_TIMER, text);
	choice(m, TUI_LINE_PINS, "Pinned messages");
	choice(m, TUI_LINE_MUTE, c->flags & CHAT_MUTED ? "Muted" :
	    "Not muted");
	choice(m, TUI_LINE_BLOCK, c->blocked ? "Blocked: can't write to you "
	    "and isn't told" : "Block");
	title(m, "What the server sees");
	(void)tui_model_panel_add(m, TUI_META, "That you two write, when, and "
	    "about how much. Never what you write, or which reaction you "
	    "choose.");
}

void
tui_protection_chat(struct tui *t)
{
	struct tui_model *m = &t->m;
	struct client_device d[CLIENT_DEVICES_MAX];
	const struct tui_chat *c = tui_model_current(m);
	char text[TUI_SENTENCE_MAX];
	if (c == NULL || host_read(t->h) != OK)
		return;
	struct arena_mark mark = arena_mark(&t->h->query);
	blank(m);
	snprintf(text, sizeof(text), "Only you and %s can read this chat",
	    c->name);
	centered(m, TUI_STRONG, text);
	trust(t, c);
	size_t n = read_devices(t, &c->user, d);
	struct sum s = add_up(d, n);
	how(m, &s);
	title(m, "Devices that can read");
	snprintf(text, sizeof(text), "%s's device", c->name);
	for (size_t i = 0; i < n; i++)
		device_line(m, &d[i], text);
	n = read_devices(t, &m->me, d);
	for (size_t i = 0; i < n; i++)
		device_line(m, &d[i], "Your device");
	chat_facts(t, c);
	arena_wipe(&t->h->query, mark);
	host_read_end(t->h);
}

/* ---- oneself ---- */

static void
settings(struct tui *t)
{
	static const struct { uint32_t flag; const char *on, *off; } rows[] = {
		{ SETTING_READ_RECEIPTS, "Others hear that you read",
		    "Others don't hear that you read" },
		{ SETTING_DELIVERY_RECEIPTS, "Others hear that it arrived",
		    "Others don't hear that it arrived" },
		{ SETTING_TYPING, "Others see you typing",
		    "Others don't see you typing" },
		{ SETTING_PRESENCE, "Others see that you are online",
		    "Others don't see that you are online" },
		{ SETTING_LAST_SEEN, "Others see when you were here last",
		    "Others don't see when you were here last" },
		{ SETTING_SEARCHABLE, "People can find you by name",
		    "People can't find you by search" },
	};
	struct client_settings s;
	if (client_settings(&t->h->client, &t->h->query, &s) != OK ||
	    !s.known)
		return;
	title(&t->m, "What others see of you");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		(void)tui_model_panel_add(&t->m, TUI_META, "%s", s.flags &
		    rows[i].flag ? rows[i].on : rows[i].off);
}

static void
keys(struct tui *t, const struct client_status *s)
{
	struct tui_model *m = &t->m;
	struct client_keys k;
	char text[160], word[TUI_WORD_MAX];
	title(m, "Keys");
	if (client_keys(&t->h->client, &t->h->query, &k) == OK) {
		if (k.device_ms != 0) {
			tui_words_date(k.device_ms, m->now_ms, word);
			snprintf(text, sizeof(text), "Since %s; %s", word,
			    k.is_manager ? "it may add and remove devices." :
			    "another device manages the account.");
			fact(m, "Keys of this device", text);
		}
		if (k.device_due_ms != 0 && k.device_due_ms < m->now_ms +
		    10ull * 86400000)
			(void)tui_model_panel_add(m, TUI_EMBER,
			    "They are due to be renewed.");
		if (k.renew_account)
			(void)tui_model_panel_add(m, TUI_EMBER, "A device "
			    "that managed the account was removed: renew the "
			    "account key (nightjar keys).");
	}
	snprintf(text, sizeof(text), "%u left here; new ones are made by "
	    "themselves.", (unsigned)s->prekeys_left);
	fact(m, "One-time keys", text);
}

void
tui_protection_self(struct tui *t)
{
	struct tui_model *m = &t->m;
	struct client_device d[CLIENT_DEVICES_MAX];
	struct client_status s = { 0 };
	if (host_read(t->h) != OK)
		return;
	struct arena_mark mark = arena_mark(&t->h->query);
	blank(m);
	centered(m, TUI_STRONG, m->me_name);
	centered(m, TUI_META, t->h->account.url);
	if (client_status(&t->h->client, &t->h->query, &s) == OK) {
		blank(m);
		(void)tui_model_panel_add(m, s.ready ? TUI_TEXT : TUI_WARNING,
		    "%s", s.keys_missing ? "The keys of this account are not "
		    "here." : s.ready ? m->up ? "Online" : "Offline; what you "
		    "write is kept" : "Being set up");
		if (s.outbox_n > 0)
			(void)tui_model_panel_add(m, TUI_EMBER, "%u message%s "
			    "wait to be sent", (unsigned)s.outbox_n,
			    s.outbox_n == 1 ? "" : "s");
		keys(t, &s);
	}
	title(m, "Your devices");
	size_t n = read_devices(t, &m->me, d);
	for (size_t i = 0; i < n; i++)
		device_line(m, &d[i], "Device");
	settings(t);
	arena_wipe(&t->h->query, mark);
	host_read_end(t->h);
}

/* ---- the safety number ---- */

static void
qr(struct tui *t, const struct user_id *user)
{
	char code[CLIENT_QR_LEN + 1];
	struct buf b;
	buf_init(&b, 65536);
	enum err e = client_safety_code(&t->h->client, &t->h->query, user,
	    code);
	if (e == OK)
		e = qr_put(code, !t->m.ascii, false, &b);
	struct span rest = buf_span(&b);
	if (e == OK)
		blank(&t->m);
	while (e == OK && rest.n > 0) {
		size_t n = span_find(rest, '\n');
		struct tui_line *l = tui_model_panel_add(&t->m, TUI_QR,
		    "%.*s", (int)n, (const char *)rest.p);
		if (l != NULL)
			l->raw = l->center = true;
		rest = span_sub(rest, n + 1, rest.n);
	}
	if (e == OK)
		blank(&t->m);
	wipe(code, sizeof(code));
	buf_fini(&b);
}

static void
digit_rows(struct tui_model *m, const char *digits)
{
	for (size_t row = 0; row < 4; row++) {
		struct tui_line *l = tui_model_panel_add(m, TUI_CODE, "%.17s",
		    digits + row * 18);
		if (l != NULL)
			l->raw = l->center = true;
	}
}

void
tui_protection_safety(struct tui *t)
{
	struct tui_model *m = &t->m;
	char digits[CLIENT_SAFETY_LEN + 1], text[TUI_SENTENCE_MAX];
	const struct tui_chat *c = tui_model_current(m);
	if (c == NULL || host_read(t->h) != OK)
		return;
	struct arena_mark mark = arena_mark(&t->h->query);
	enum err e = client_safety(&t->h->client, &t->h->query, &c->user,
	    digits);
	blank(m);
	snprintf(text, sizeof(text), "Are you talking to %s?", c->name);
	centered(m, TUI_STRONG, text);
	if (e != OK) {
		snprintf(text, sizeof(text), "There is no safety number yet: "
		    "the keys of %s come with the first message.", c->name);
		centered(m, TUI_META, text);
	} else {
		centered(m, TUI_META, "Both of you look at this and compare, "
		    "on a call you trust or face to face. If the numbers are "
		    "the same, nobody is in between, not even this server.");
		blank(m);
		digit_rows(m, digits);
		blank(m);
		choice(m, TUI_LINE_MATCH, "[ They match: mark as verified ]");
		choice(m, TUI_LINE_DIFFER, "[ They differ ]");
		choice(m, TUI_LINE_COPY, "[ Copy the number ]");
		if (c->verified)
			choice(m, TUI_LINE_WITHDRAW, "[ Not verified any more "
			    "]");
		qr(t, &c->user);
		snprintf(text, sizeof(text), "The number stays the same when "
		    "%s adds or changes a device. If it ever changes, you are "
		    "told at once. /code TEXT compares %s's code.", c->name,
		    c->name);
		(void)tui_model_panel_add(m, TUI_META, "%s", text);
	}
	wipe(digits, sizeof(digits));
	arena_wipe(&t->h->query, mark);
	host_read_end(t->h);
}
