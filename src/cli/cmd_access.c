/*
 * cmd_access.c: exports cmd_password, cmd_sessions, cmd_invite: who comes in.
 */
#include "cli/api.h"
#include "cli/clean.h"
#include "cli/cmd.h"
#include "cli/show.h"

#define PASSWORD_MAX 1024
#define OUT_MAX ((size_t)1 << 18)

static enum exit_status
put(struct host *h, struct buf *b, enum err e)
{
	if (e == OK && b->n > 0)
		e = show_line(b);
	buf_fini(b);
	if (e == OK)
		return EXIT_OK;
	host_error(h, "it could not be shown (%s)", err_text(e));
	return EXIT_FAILED;
}

/* ---- password ---- */

enum exit_status
cmd_password(struct host *h, const struct args *a)
{
	char old[PASSWORD_MAX], new[PASSWORD_MAX];
	struct password_put_req req = { 0 };
	size_t old_n = 0, new_n = 0;
	struct api api;
	enum exit_status st = api_begin(&api, h, a, true);

	if (st == EXIT_OK)
		st = api_secret(h, a->password_file, "NIGHTJAR_PASSWORD",
		    "Present password: ", false, old, sizeof(old), &old_n);
	if (st == EXIT_OK)
		st = api_secret(h, a->new_password_file,
		    "NIGHTJAR_NEW_PASSWORD", "New password (8 or more "
		    "characters; upper and lower case, digit, sign): ", true,
		    new, sizeof(new), &new_n);
	req.current_password = span_of(old, old_n);
	req.new_password = span_of(new, new_n);
	if (st == EXIT_OK)
		st = api_call(&api, &(struct api_call){ "PUT",
		    "/api/auth/password", true, &shape_password_put_req, &req,
		    NULL, NULL }, NULL);
	wipe(old, sizeof(old));
	wipe(new, sizeof(new));
	if (st == EXIT_OK)
		st = api_done(&api, api.message);
	api_end(&api);
	return st;
}

/* ---- sessions ---- */

static enum err
session_words(const struct session_rec *s, struct buf *b)
{
	char at[SHOW_TIME_LEN], id[ID_TEXT_LEN + 1], line[160];

	id_encode(s->id.b, id);
	id[ID_TEXT_LEN] = '\0';
	show_time(s->last_active, false, at);
	snprintf(line, sizeof(line), "%s  %s  ", id, at);
	TRY(buf_add_str(b, line));
	TRY(clean_line(s->has_name ? s->name : SPAN("?"), b));
	if (s->has_device_id) {
		snprintf(line, sizeof(line), ", device %u", s->device_id);
		TRY(buf_add_str(b, line));
	}
	if (s->has_ip) {
		TRY(buf_add_str(b, ", from "));
		TRY(clean_line(s->ip, b));
	}
	return s->current ? buf_add_str(b, " (this one)") : OK;
}

static enum exit_status
sessions_list(struct api *api)
{
	struct session_list_rep rep = { 0 };
	struct host *h = api->h;
	struct buf b;
	enum err e = OK;
	enum exit_status st = api_call(api, &(struct api_call){ "GET",
	    "/api/auth/sessions", true, NULL, NULL, &shape_session_list_rep,
	    &rep }, NULL);

	if (st == EXIT_OK && h->args->json) {
		for (size_t i = 0; i < rep.sessions.n && st == EXIT_OK; i++)
			st = api_print(api, &shape_session_rec,
			    &rep.sessions.p[i]);
		return st;
	}
	if (st != EXIT_OK)
		return st;
	buf_init(&b, OUT_MAX);
	for (size_t i = 0; i < rep.sessions.n && e == OK; i++) {
		if (i > 0)
			e = buf_add_str(&b, "\n");
		if (e == OK)
			e = session_words(&rep.sessions.p[i], &b);
	}
	return put(h, &b, e);
}

/* An id goes into a path: nothing but what ids and codes consist of. */
static bool
is_plain(const char *s)
{
	size_t n = strspn(s, "0123456789abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ-");

	return n > 0 && n <= 64 && s[n] == '\0';
}

static enum exit_status
delete(struct api *api, const char *path, const char *id)
{
	char text[160];
	enum exit_status st;

	if (id[0] != '\0' && !is_plain(id)) {
		host_error(api->h, "%s is none", id);
		return EXIT_USAGE;
	}
	snprintf(text, sizeof(text), "%s%s", path, id);
	st = api_call(api, &(struct api_call){ "DELETE", text, true, NULL,
	    NULL, NULL, NULL }, NULL);
	return st == EXIT_OK ? api_done(api, api->message) : st;
}

enum exit_status
cmd_sessions(struct host *h, const struct args *a)
{
	bool ends = a->operand_n == 2 && strcmp(a->operand[0], "end") == 0;
	struct api api;
	enum exit_status st;

	if (a->operand_n > 0 && !ends) {
		host_error(h, "sessions takes nothing, end ID, or --others");
		return EXIT_USAGE;
	}
	st = api_begin(&api, h, a, true);
	if (st == EXIT_OK && a->others)
		st = delete(&api, "/api/auth/sessions?others=true", "");
	else if (st == EXIT_OK && ends)
		st = delete(&api, "/api/auth/sessions/", a->operand[1]);
	else if (st == EXIT_OK)
		st = sessions_list(&api);
	api_end(&api);
	return st;
}

/* ---- invite ---- */

static enum err
invite_words(const struct invite_rec *r, struct buf *b)
{
	char at[SHOW_TIME_LEN], id[ID_TEXT_LEN + 1], line[200];

	id_encode(r->id.b, id);
	id[ID_TEXT_LEN] = '\0';
	show_time(r->expires_at, false, at);
	if (r->has_code) {
		TRY(clean_line(r->code, b));
		snprintf(line, sizeof(line), "\ngood for %u account%s until "
		    "%s; it is shown this once", r->uses_max,
		    r->uses_max == 1 ? "" : "s", at);
		return buf_add_str(b, line);
	}
	snprintf(line, sizeof(line), "%s  %u of %u used, %s %s  ", id,
	    r->uses, r->uses_max, r->has_revoked_at ? "revoked, was until" :
	    r->valid ? "until" : "over, was until", at);
	TRY(buf_add_str(b, line));
	return r->has_note ? clean_line(r->note, b) : OK;
}

static enum exit_status
invite_new(struct api *api)
{
	const struct args *a = api->h->args;
	struct invite_post_req req = { 0 };
	struct invite_rec rep = { 0 };
	unsigned long uses = 1, days = 7;
	struct buf b;
	enum exit_status st;

	if ((a->uses != NULL && !args_number(a->uses, 1, 1000, &uses)) ||
	    (a->days != NULL && !args_number(a->days, 1, 365, &days))) {
		host_error(api->h, "--uses takes 1 to 1000, --days 1 to 365");
		return EXIT_USAGE;
	}
	req.uses = (uint32_t)uses;
	req.expires_in = (uint32_t)days * 86400;
	req.has_uses = req.has_expires_in = true;
	req.has_note = a->note != NULL;
	if (a->note != NULL)
		req.note = span_str(a->note);
	st = api_call(api, &(struct api_call){ "POST", "/api/invites", true,
	    &shape_invite_post_req, &req, &shape_invite_rec, &rep }, NULL);
	if (st != EXIT_OK || a->json)
		return st == EXIT_OK ? api_print(api, &shape_invite_rec,
		    &rep) : st;
	buf_init(&b, 4096);
	return put(api->h, &b, invite_words(&rep, &b));
}

static enum exit_status
invite_list(struct api *api)
{
	struct invite_list_rep rep = { 0 };
	struct host *h = api->h;
	struct buf b;
	enum err e = OK;
	enum exit_status st = api_call(api, &(struct api_call){ "GET",
	    "/api/invites", true, NULL, NULL, &shape_invite_list_rep, &rep },
	    NULL);

	if (st == EXIT_OK && h->args->json) {
		for (size_t i = 0; i < rep.invites.n && st == EXIT_OK; i++)
			st = api_print(api, &shape_invite_rec,
			    &rep.invites.p[i]);
		return st;
	}
	if (st != EXIT_OK)
		return st;
	buf_init(&b, OUT_MAX);
	for (size_t i = 0; i < rep.invites.n && e == OK; i++) {
		if (i > 0)
			e = buf_add_str(&b, "\n");
		if (e == OK)
			e = invite_words(&rep.invites.p[i], &b);
	}
	return put(h, &b, e);
}

enum exit_status
cmd_invite(struct host *h, const struct args *a)
{
	const char *what = a->operand_n > 0 ? a->operand[0] : "list";
	bool revokes = a->operand_n == 2 && strcmp(what, "revoke") == 0;
	bool makes = a->operand_n == 1 && strcmp(what, "new") == 0;
	struct api api;
	enum exit_status st;

	if (!revokes && !makes && (a->operand_n > 1 ||
	    strcmp(what, "list") != 0)) {
		host_error(h, "invite takes new, list, or revoke CODE");
		return EXIT_USAGE;
	}
	st = api_begin(&api, h, a, true);
	if (st == EXIT_OK)
		st = revokes ? delete(&api, "/api/invites/", a->operand[1]) :
		    makes ? invite_new(&api) : invite_list(&api);
	api_end(&api);
	return st;
}
