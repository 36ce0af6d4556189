/*
 * cmd_status.c: exports cmd_status, cmd_devices, cmd_verify: what is known of
 * this profile, of a person and of the keys between them.
 */
#include "base/text.h"
#include "cli/cmd.h"
#include "cli/show.h"

#define OUT_MAX ((size_t)1 << 18)

/* Fetches the person's device list anew, unless --offline. */
static enum exit_status
refresh(struct host *h, const struct user_id *user)
{
	struct client_input in = { .type = CLIENT_CHECK, .u.user = *user };
	return h->args->offline ? EXIT_OK : host_command(h, &in);
}

/* NAME as given, with what is known after refreshing it. */
static enum exit_status
find_fresh(struct host *h, const char *name, struct client_person *out)
{
	enum exit_status st = host_find(h, name, out);
	if (st == EXIT_OK)
		st = refresh(h, &out->user);
	if (st != EXIT_OK)
		return st;
	enum err e = host_read(h);
	if (e == OK) {
		struct user_id user = out->user;
		e = client_person(&h->client, &h->query, &user, out);
		host_read_end(h);
	}
	if (e == OK)
		return EXIT_OK;
	host_error(h, "nothing is known of \"%s\" (%s)", name, err_text(e));
	return EXIT_FAILED;
}

static enum exit_status
finish(struct host *h, struct buf *out, enum err e)
{
	if (e == OK)
		e = show_line(out);
	buf_fini(out);
	if (e == OK)
		return EXIT_OK;
	host_error(h, "it could not be shown (%s)", err_text(e));
	return EXIT_FAILED;
}

static enum err
put_text(struct buf *out, const char *label, const char *value)
{
	char line[PROFILE_PATH_MAX + 64];
	snprintf(line, sizeof(line), "%s%-14s %s", out->n > 0 ? "\n" : "",
	    label, value);
	return buf_add_str(out, line);
}

static enum err
put_number(struct buf *out, const char *label, uint64_t v)
{
	char text[24];
	snprintf(text, sizeof(text), "%llu", (unsigned long long)v);
	return put_text(out, label, text);
}

/* ---- status ---- */

static const char *
state_text(const struct client_status *s)
{
	return s->keys_missing ? "signed in, but the keys are not here" :
	    s->ready ? "ready" : "being set up";
}

static enum err
own_status_json(struct host *h, const struct client_status *s,
    struct buf *out)
{
	TRY(buf_add_str(out, "{"));
	TRY(show_json_str(out, "username", s->name));
	TRY(show_json_id(out, "userId", s->user.b));
	TRY(show_json_str(out, "server", span_str(h->account.url)));
	TRY(show_json_bool(out, "signedIn", s->signed_in));
	TRY(show_json_bool(out, "ready", s->ready));
	TRY(show_json_bool(out, "keysMissing", s->keys_missing));
	TRY(show_json_u64(out, "device", s->device));
	TRY(show_json_u64(out, "devices", s->devices));
	TRY(show_json_u64(out, "listVersion", s->list_version));
	TRY(show_json_u64(out, "outbox", s->outbox_n));
	TRY(show_json_u64(out, "inbox", s->inbox_n));
	TRY(show_json_u64(out, "prekeysLeft", s->prekeys_left));
	TRY(show_json_u64(out, "position", s->cursor));
	TRY(show_json_u64(out, "generation", s->generation));
	return buf_add_str(out, "}");
}

static enum err
own_status(struct host *h, const struct client_status *s, struct buf *out)
{
	if (h->args->json)
		return own_status_json(h, s, out);
	TRY(put_text(out, "Account", h->account.name));
	TRY(put_text(out, "Server", h->account.url));
	TRY(put_text(out, "Profile", h->paths.data));
	TRY(put_text(out, "State", state_text(s)));
	TRY(put_number(out, "This device", s->device));
	TRY(put_number(out, "Devices", s->devices));
	TRY(put_number(out, "To be sent", s->outbox_n));
	return put_number(out, "One-time keys", s->prekeys_left);
}

static enum err
person_json(const struct client_person *p, struct buf *out)
{
	TRY(buf_add_str(out, "{"));
	TRY(show_json_str(out, "username", p->name));
	TRY(show_json_id(out, "userId", p->user.b));
	TRY(show_json_id(out, "chatId", p->chat.b));
	TRY(show_json_u64(out, "devices", p->devices));
	TRY(show_json_u64(out, "listVersion", p->version));
	TRY(show_json_bool(out, "verified", p->verified));
	TRY(show_json_time(out, "verifiedTime", p->verified_ms));
	TRY(show_json_bool(out, "identityChanged", p->identity_changed));
	TRY(show_json_bool(out, "blocked", p->blocked));
	return buf_add_str(out, "}");
}

static enum err
person_status(struct host *h, const struct client_person *p, struct buf *out)
{
	char name[HOST_NAME_MAX + 1];
	if (h->args->json)
		return person_json(p, out);
	show_name(h, &p->user, name);
	TRY(put_text(out, "Person", name));
	TRY(put_number(out, "Devices", p->devices));
	TRY(put_text(out, "Verified", p->verified ? "yes" : "no"));
	if (p->identity_changed)
		TRY(put_text(out, "Identity", "HAS CHANGED and is not "
		    "confirmed yet (see: verify)"));
	return p->blocked ? put_text(out, "Sending", "stopped until it is "
	    "confirmed") : OK;
}

/* Writes about a person, or about this profile where p is NULL. */
typedef enum err (*about_fn)(struct host *h, const struct client_person *p,
    const struct client_status *s, struct buf *out);

/* Prints about the person that is the first operand, or about the profile. */
static enum exit_status
about(struct host *h, const struct args *a, about_fn put)
{
	struct client_status s = { 0 };
	struct client_person p = { 0 };
	struct buf out;
	enum exit_status st = host_open_reader(h, a, NULL);
	if (st == EXIT_OK && a->operand_n > 0)
		st = find_fresh(h, a->operand[0], &p);
	if (st != EXIT_OK)
		return st;
	buf_init(&out, OUT_MAX);
	enum err e = host_read(h);
	if (e != OK)
		return finish(h, &out, e);
	e = client_status(&h->client, &h->query, &s);
	if (e == OK)
		e = put(h, a->operand_n > 0 ? &p : NULL, &s, &out);
	host_read_end(h);
	return finish(h, &out, e);
}

static enum err
put_status(struct host *h, const struct client_person *p,
    const struct client_status *s, struct buf *out)
{
	return p != NULL ? person_status(h, p, out) : own_status(h, s, out);
}

enum exit_status
cmd_status(struct host *h, const struct args *a)
{
	return about(h, a, put_status);
}

/* ---- devices ---- */

static enum err
device_json(const struct client_device *d, struct buf *out)
{
	char hex[65];
	hex_encode(SPAN_OF(d->fingerprint), hex);
	TRY(buf_add_str(out, out->n > 1 ? ",{" : "{"));
	TRY(show_json_u64(out, "device", d->device));
	TRY(show_json_bool(out, "own", d->own));
	TRY(show_json_bool(out, "primary", d->flags & 1));
	TRY(show_json_bool(out, "manager", d->flags & 2));
	TRY(show_json_bool(out, "web", d->flags & 4));
	TRY(show_json_time(out, "created", d->created_ms));
	TRY(show_json_bool(out, "hasSession", d->has_session));
	TRY(show_json_u64(out, "pqAuth", d->pq_auth));
	TRY(show_json_u64(out, "epoch", d->epoch));
	TRY(show_json_str(out, "fingerprint", span_of(hex, 64)));
	return buf_add_str(out, "}");
}

static enum err
device_line(const struct client_device *d, struct buf *out)
{
	char line[200], hex[65], time[SHOW_TIME_LEN] = "-";
	hex_encode(SPAN_OF(d->fingerprint), hex);
	if (d->created_ms != 0)
		show_time(d->created_ms, false, time);
	snprintf(line, sizeof(line), "%s%3u  since %-16s  key %.16s%s%s%s",
	    out->n > 0 ? "\n" : "", (unsigned)d->device, time, hex,
	    d->own ? "  (this one)" : "", d->flags & 1 ? "  primary" : "",
	    d->has_session ? d->pq_auth != 0 ? "  post-quantum session" :
	    "  session" : "");
	return buf_add_str(out, line);
}

static enum err
put_devices(struct host *h, const struct client_person *p,
    const struct client_status *s, struct buf *out)
{
	const struct user_id *user = p != NULL ? &p->user : &s->user;
	struct client_device d[CLIENT_DEVICES_MAX];
	size_t n = 0;
	bool json = h->args->json;
	TRY(client_devices(&h->client, &h->query, user, d, &n));
	if (json)
		TRY(buf_add_str(out, "["));
	for (size_t i = 0; i < n; i++)
		TRY(json ? device_json(&d[i], out) : device_line(&d[i], out));
	return json ? buf_add_str(out, "]") : OK;
}

enum exit_status
cmd_devices(struct host *h, const struct args *a)
{
	return about(h, a, put_devices);
}

/* ---- verify ---- */

static enum exit_status
mark(struct host *h, const struct client_person *p)
{
	struct client_input in = { .type = CLIENT_VERIFY };
	struct client_input go = { .type = CLIENT_ACCEPT, .u.user = p->user };
	enum exit_status st = EXIT_OK;
	if (!h->running)
		return EXIT_OK;
	/* Who confirms the number accepts the identity that it is of. */
	if (h->args->confirm && p->identity_changed)
		st = host_command(h, &go);
	in.u.verify.user = p->user;
	in.u.verify.on = h->args->confirm;
	return st == EXIT_OK ? host_command(h, &in) : st;
}

static enum err
put_safety(struct host *h, const struct client_person *p, const char *digits,
    struct buf *out)
{
	char name[HOST_NAME_MAX + 1], rows[CLIENT_SAFETY_LEN + 64];
	bool verified = h->args->confirm ||
	    (p->verified && !h->args->withdraw);
	if (h->args->json) {
		TRY(buf_add_str(out, "{"));
		TRY(show_json_str(out, "username", p->name));
		TRY(show_json_id(out, "userId", p->user.b));
		TRY(show_json_str(out, "safetyNumber", span_str(digits)));
		TRY(show_json_bool(out, "verified", verified));
		return buf_add_str(out, "}");
	}
	show_name(h, &p->user, name);
	TRY(buf_add_str(out, "Safety number with "));
	TRY(buf_add_str(out, name));
	/* Four groups of five digits a row: 24 characters with spaces. */
	snprintf(rows, sizeof(rows), ":\n\n    %.23s\n    %.23s\n    %.23s\n\n",
	    digits, digits + 24, digits + 48);
	TRY(buf_add_str(out, rows));
	if (verified)
		return buf_add_str(out, "You have verified this person.");
	TRY(buf_add_str(out, "Not verified. Compare these digits with those on "
	    "the other person's screen;\nif they are equal: "));
	return buf_add_str(out, host_hint(h, "verify --confirm %s", name));
}

enum exit_status
cmd_verify(struct host *h, const struct args *a)
{
	char digits[CLIENT_SAFETY_LEN + 1];
	struct client_person p;
	struct buf out;
	if (a->offline && (a->confirm || a->withdraw)) {
		h->args = a;
		host_error(h, "--offline shows the number only; leave it out "
		    "to confirm or withdraw");
		return EXIT_USAGE;
	}
	enum exit_status st = host_open_reader(h, a, NULL);
	if (st == EXIT_OK)
		st = find_fresh(h, a->operand[0], &p);
	if (st != EXIT_OK)
		return st;
	enum err e = host_read(h);
	if (e == OK) {
		e = client_safety(&h->client, &h->query, &p.user, digits);
		host_read_end(h);
	}
	if (e != OK) {
		host_error(h, "there is no safety number yet: the keys of "
		    "\"%s\" are not known here", a->operand[0]);
		return EXIT_FAILED;
	}
	buf_init(&out, OUT_MAX);
	e = put_safety(h, &p, digits, &out);
	if (a->confirm || a->withdraw)
		st = mark(h, &p);
	return st == EXIT_OK ? finish(h, &out, e) :
	    (buf_fini(&out), st);
}
