/*
 * cmd_status.c: exports cmd_status, cmd_devices: what is known of this
 * profile, of a person and of the keys between them.
 */
#include "base/text.h"
#include "cli/clean.h"
#include "cli/cmd.h"
#include "cli/show.h"
#include "cli/show_about.h"
#include "cli/there.h"

#define OUT_MAX ((size_t)1 << 18)

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
	return s->revoked ? "this device was taken off the account" :
	    s->keys_missing ? "signed in, but the keys are not here" :
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
	TRY(show_json_bool(out, "revoked", s->revoked));
	TRY(show_json_bool(out, "renewAccount", s->renew_due));
	TRY(show_json_bool(out, "historyComing", s->history_in));
	TRY(show_json_u64(out, "device", s->device));
	TRY(show_json_u64(out, "devices", s->devices));
	TRY(show_json_u64(out, "listVersion", s->list_version));
	TRY(show_json_u64(out, "outbox", s->outbox_n));
	TRY(show_json_u64(out, "inbox", s->inbox_n));
	TRY(show_json_u64(out, "prekeysLeft", s->prekeys_left));
	TRY(show_json_u64(out, "position", s->cursor));
	TRY(show_json_u64(out, "generation", s->generation));
	TRY(show_causes_json(h, out));
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
	TRY(put_number(out, "One-time keys", s->prekeys_left));
	TRY(put_text(out, "Messages", "how they ended, since this profile "
	    "was made:"));
	TRY(show_causes(h, out));
	if (s->history_in || s->history_out)
		TRY(put_text(out, "History", s->history_in ? "is coming in" :
		    "is being sent to a new device"));
	return s->renew_due ? put_text(out, "Account key", "RENEW IT: a "
	    "device that has it was removed (see: keys)") : OK;
}

/* How a person is protected: trust, and each device's session. */
struct protection {
	struct client_trust trust;
	struct client_device d[CLIENT_DEVICES_MAX];
	size_t n;
};

static enum err
look_at(struct host *h, const struct client_person *p, struct protection *x)
{
	TRY(client_trust(&h->client, &h->query, &p->user, &x->trust));
	enum err e = client_devices(&h->client, &h->query, &p->user, x->d,
	    &x->n);
	return e == ERR_NOT_FOUND ? OK : e;
}

static const char *
pq_text(uint8_t pq_auth)
{
	static const char *const text[] = { "none", "peer", "mutual" };
	return pq_auth < 3 ? text[pq_auth] : "unknown";
}

static const char *
method_text(enum client_verify_method m)
{
	return m == VERIFY_CODE ? "code" : m == VERIFY_NUMBER ? "number" :
	    "none";
}

static enum err
session_json(const struct client_device *d, struct buf *out)
{
	TRY(buf_add_str(out, out->p[out->n - 1] == '[' ? "{" : ",{"));
	TRY(show_json_u64(out, "device", d->device));
	TRY(show_json_bool(out, "session", d->has_session));
	if (d->has_session) {
		TRY(show_json_str(out, "suite", SPAN("ratchet")));
		TRY(show_json_str(out, "postQuantumAuth",
		    span_str(pq_text(d->pq_auth))));
		TRY(show_json_u64(out, "turns", d->turns));
		TRY(show_json_u64(out, "messagesSealed", d->sent));
		TRY(show_json_u64(out, "messagesOpened", d->received));
		TRY(show_json_u64(out, "keysMixed", d->epoch > 0 ?
		    d->epoch - 1 : 0));
		TRY(show_json_time(out, "since", d->since_ms));
		TRY(show_json_time(out, "lastMixed", d->mixed_ms));
	}
	return buf_add_str(out, "}");
}

/* When somebody was seen last: the server's word, or what was heard once. */
static uint64_t
seen_ms(const struct client_person *p, const struct there_seen *seen)
{
	return seen->known && seen->seen_ms != 0 ? seen->seen_ms :
	    p->last_seen_ms;
}

static enum err
seen_json(const struct client_person *p, const struct there_seen *seen,
    struct buf *out)
{
	if (seen->known)
		TRY(show_json_str(out, "presence", span_str(seen->status)));
	return show_json_time(out, "lastSeen", seen_ms(p, seen));
}

static enum err
person_json(const struct client_person *p, const struct protection *x,
    const struct there_seen *seen, struct buf *out)
{
	TRY(buf_add_str(out, "{"));
	TRY(show_json_str(out, "username", p->name));
	TRY(show_json_id(out, "userId", p->user.b));
	TRY(show_json_id(out, "chatId", p->chat.b));
	TRY(seen_json(p, seen, out));
	TRY(show_json_u64(out, "devices", p->devices));
	TRY(show_json_u64(out, "listVersion", p->version));
	TRY(show_json_bool(out, "verified", p->verified));
	TRY(show_json_time(out, "verifiedTime", x->trust.verified_ms));
	if (p->verified) {
		TRY(show_json_str(out, "verifiedBy",
		    span_str(method_text(x->trust.method))));
		TRY(show_json_u64(out, "verifiedDevice", x->trust.device));
		TRY(show_json_time(out, "verifyAgain", x->trust.due_ms));
	}
	TRY(show_json_time(out, "keyRenewed", x->trust.renewed_ms));
	TRY(show_json_bool(out, "identityChanged", p->identity_changed));
	TRY(show_json_bool(out, "blocked", p->blocked));
	TRY(show_json_bool(out, "erased", p->erased));
	TRY(show_json_name(out, "protection"));
	TRY(buf_add_str(out, "["));
	for (size_t i = 0; i < x->n; i++)
		TRY(session_json(&x->d[i], out));
	return buf_add_str(out, "]}");
}

static enum err
put_session(const struct client_device *d, struct buf *out)
{
	char line[300], since[SHOW_TIME_LEN] = "-", mixed[SHOW_TIME_LEN] = "-";
	show_time(d->since_ms, false, since);
	show_time(d->mixed_ms, false, mixed);
	if (!d->has_session)
		snprintf(line, sizeof(line), "\n  device %-6u  no session yet",
		    (unsigned)d->device);
	else
		snprintf(line, sizeof(line), "\n  device %-6u  X25519 + "
		    "ML-KEM-768, AES-256-GCM, since %s; %u turns of the "
		    "ratchet, %u keys mixed, last "
		    "%s; authenticated: %s", (unsigned)d->device, since,
		    (unsigned)d->turns,
		    d->epoch > 0 ? (unsigned)d->epoch - 1 : 0, mixed,
		    d->pq_auth == 2 ? "both, post-quantum" : d->pq_auth == 1 ?
		    "they post-quantum, you classically so far" :
		    "classically so far");
	return buf_add_str(out, line);
}

static enum err
put_trust(const struct client_person *p, const struct client_trust *t,
    struct buf *out)
{
	char line[200], at[SHOW_TIME_LEN];
	if (!p->verified && t->renewed_ms != 0) {
		show_time(t->renewed_ms, false, at);
		snprintf(line, sizeof(line), "\nKey renewed    %s, vouched for "
		    "by the old one: compare the number again", at);
		return buf_add_str(out, line);
	}
	if (!p->verified || t->verified_ms == 0)
		return OK;
	show_time(t->verified_ms, false, at);
	snprintf(line, sizeof(line), "\nVerified on    %s, device %u%s, by %s",
	    at, (unsigned)t->device, t->here ? " (this one)" : "",
	    t->method == VERIFY_CODE ? "their code" : "the number");
	TRY(buf_add_str(out, line));
	return sys_unix_ms() > t->due_ms ? buf_add_str(out, "\n               "
	    "that is 90 days ago: compare again") : OK;
}

static enum err
put_seen(const struct client_person *p, const struct there_seen *seen,
    struct buf *out)
{
	char at[SHOW_TIME_LEN];
	if (seen->known)
		TRY(put_text(out, "Presence", seen->status));
	if (seen_ms(p, seen) == 0 || strcmp(seen->status, "online") == 0)
		return OK;
	show_time(seen_ms(p, seen), false, at);
	return put_text(out, "Last seen", at);
}

static enum err
person_status(struct host *h, const struct client_person *p,
    const struct there_seen *seen, struct buf *out)
{
	char name[HOST_NAME_MAX + 1];
	struct protection x = { .n = 0 };
	TRY(look_at(h, p, &x));
	if (h->args->json)
		return person_json(p, &x, seen, out);
	show_name(h, &p->user, name);
	TRY(put_text(out, "Person", name));
	if (p->erased)
		TRY(put_text(out, "Account", "deleted"));
	else
		TRY(put_seen(p, seen, out));
	TRY(put_number(out, "Devices", p->devices));
	TRY(put_text(out, "Verified", p->verified ? "yes" : "no"));
	TRY(put_trust(p, &x.trust, out));
	for (size_t i = 0; i < x.n; i++)
		TRY(put_session(&x.d[i], out));
	if (p->identity_changed)
		TRY(put_text(out, "Identity", "HAS CHANGED and is not "
		    "confirmed yet (see: verify)"));
	return p->blocked ? put_text(out, "Sending", "stopped until it is "
	    "confirmed") : OK;
}

/* Writes about a person, or about this profile where p is NULL. */
typedef enum err (*about_fn)(struct host *h, const struct client_person *p,
    const struct client_status *s, const struct there_seen *seen,
    struct buf *out);

/* Prints about the person that is the first operand, or about the profile. */
static enum exit_status
about(struct host *h, const struct args *a, about_fn put)
{
	struct client_status s = { 0 };
	struct client_person p = { 0 };
	struct there_seen seen = { .known = false };
	struct buf out;
	enum exit_status st = host_open_reader(h, a, NULL);
	if (st == EXIT_OK && a->operand_n > 0)
		st = host_find_fresh(h, a->operand[0], &p);
	if (st == EXIT_OK && a->operand_n > 0 && !a->offline &&
	    a->cmd == CMD_status)
		st = there_ask(h, &p.user, &seen);
	if (st != EXIT_OK)
		return st;
	buf_init(&out, OUT_MAX);
	enum err e = host_read(h);
	if (e != OK)
		return finish(h, &out, e);
	e = client_status(&h->client, &h->query, &s);
	if (e == OK)
		e = put(h, a->operand_n > 0 ? &p : NULL, &s, &seen, &out);
	host_read_end(h);
	return finish(h, &out, e);
}

static enum err
put_status(struct host *h, const struct client_person *p,
    const struct client_status *s, const struct there_seen *seen,
    struct buf *out)
{
	return p != NULL ? person_status(h, p, seen, out) :
	    own_status(h, s, out);
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
	if (d->name.n != 0)
		TRY(show_json_str(out, "name", d->name));
	TRY(show_json_time(out, "lastActive", d->active_ms));
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
	char line[240], hex[65], time[SHOW_TIME_LEN] = "-";
	hex_encode(SPAN_OF(d->fingerprint), hex);
	if (d->created_ms != 0)
		show_time(d->created_ms, false, time);
	snprintf(line, sizeof(line), "%s%3u  ", out->n > 0 ? "\n" : "",
	    (unsigned)d->device);
	TRY(buf_add_str(out, line));
	if (d->name.n != 0) {
		TRY(clean_line(d->name, out));
		TRY(buf_add_str(out, "  "));
	}
	snprintf(line, sizeof(line), "since %-16s  key %.16s%s%s%s%s", time,
	    hex, d->own ? "  (this one)" : "",
	    d->flags & 1 ? "  primary" : "", d->flags & 2 ? "  manager" : "",
	    d->has_session ? d->pq_auth != 0 ? "  post-quantum session" :
	    "  session" : "");
	return buf_add_str(out, line);
}

static enum err
put_devices(struct host *h, const struct client_person *p,
    const struct client_status *s, const struct there_seen *seen,
    struct buf *out)
{
	(void)seen;
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
