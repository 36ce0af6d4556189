/*
 * cmd_account.c: exports cmd_account: what the server has of the account: its
 * address and password by mail, what is stored, all of it as an archive, the
 * log of its safety, its end.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/api.h"
#include "cli/clean.h"
#include "cli/cmd.h"
#include "cli/show.h"
#include "cli/tty.h"

#define PASSWORD_MAX 1024
#define LINE_MAX_ 4096
#define KEYS_WORD "Your end-to-end keys are not part of this: they are on " \
	"your devices and in your backup alone."

typedef enum exit_status (*account_fn)(struct host *h, const struct args *a);

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

/* ---- show ---- */

static enum err
show_words(const struct me_rep *r, struct buf *b)
{
	char line[400], at[SHOW_TIME_LEN], last[SHOW_TIME_LEN] = "-";

	show_time(r->created_at, false, at);
	if (r->has_last_login)
		show_time(r->last_login, false, last);
	TRY(buf_add_str(b, "Name       "));
	TRY(clean_line(r->username, b));
	TRY(buf_add_str(b, "\nAddress    "));
	TRY(clean_line(r->email, b));
	TRY(buf_add_str(b, r->is_verified ? " (verified)" :
	    " (not verified)"));
	snprintf(line, sizeof(line), "\nRole       %s\nMade       %s\n"
	    "Signed in  %s", shape_name(&shape_names_user_role, r->role), at, last);
	return buf_add_str(b, line);
}

static enum exit_status
account_show(struct host *h, const struct args *a)
{
	struct me_rep rep = { 0 };
	struct api api;
	struct buf b;
	enum exit_status st = api_begin(&api, h, a, true);

	if (st == EXIT_OK)
		st = api_call(&api, &(struct api_call){ "GET", "/api/auth/me",
		    true, NULL, NULL, &shape_me_rep, &rep }, NULL);
	if (st == EXIT_OK && a->json)
		st = api_print(&api, &shape_me_rep, &rep);
	else if (st == EXIT_OK) {
		buf_init(&b, LINE_MAX_);
		st = put(h, &b, show_words(&rep, &b));
	}
	api_end(&api);
	return st;
}

/* ---- by mail: verify-email, forgot, reset ---- */

/* The operand, a variable, or a question; a code is no secret for long. */
static enum exit_status
ask_line(struct host *h, const char *given, const char *question, char *out,
    size_t cap)
{
	size_t n = 0;

	if (given != NULL && strlen(given) < cap) {
		memcpy(out, given, strlen(given) + 1);
		return EXIT_OK;
	}
	if (given == NULL && tty_ask(question, true, out, cap - 1, &n) == OK &&
	    n > 0) {
		out[n] = '\0';
		return EXIT_OK;
	}
	host_error(h, "something is missing behind it: %s",
	    host_hint(h, "help account"));
	return EXIT_USAGE;
}

static enum exit_status
account_verify(struct host *h, const struct args *a)
{
	char code[300];
	struct mail_token_req token = { 0 };
	struct mail_ask_req ask = { 0 };
	struct api api;
	bool resend;
	enum exit_status st = ask_line(h, a->operand[1],
	    "Code of the mail (or your address, for another mail): ", code,
	    sizeof(code));

	h->args = a;
	if (st != EXIT_OK)
		return st;
	resend = strchr(code, '@') != NULL;
	token.token = ask.email = span_str(code);
	st = api_begin(&api, h, a, false);
	if (st == EXIT_OK && resend)
		st = api_call(&api, &(struct api_call){ "POST",
		    "/api/auth/verify-email/resend", false,
		    &shape_mail_ask_req, &ask, NULL, NULL }, "");
	else if (st == EXIT_OK)
		st = api_call(&api, &(struct api_call){ "POST",
		    "/api/auth/verify-email", false, &shape_mail_token_req,
		    &token, NULL, NULL }, "");
	if (st == EXIT_OK)
		st = api_done(&api, api.message);
	api_end(&api);
	return st;
}

static enum exit_status
account_forgot(struct host *h, const struct args *a)
{
	char address[300];
	struct mail_ask_req ask = { 0 };
	struct api api;
	enum exit_status st = ask_line(h, a->operand[1],
	    "E-mail address of the account: ", address, sizeof(address));

	if (st != EXIT_OK)
		return st;
	ask.email = span_str(address);
	st = api_begin(&api, h, a, false);
	if (st == EXIT_OK)
		st = api_call(&api, &(struct api_call){ "POST",
		    "/api/auth/password/forgot", false, &shape_mail_ask_req,
		    &ask, NULL, NULL }, "");
	if (st == EXIT_OK && !a->json)
		host_note(h, "with the code of the mail: %s",
		    host_hint(h, "account reset CODE"));
	if (st == EXIT_OK)
		st = api_done(&api, api.message);
	api_end(&api);
	return st;
}

static enum exit_status
account_reset(struct host *h, const struct args *a)
{
	char code[300], password[PASSWORD_MAX];
	struct password_reset_req req = { 0 };
	struct api api = { .h = h };
	size_t n = 0;
	enum exit_status st = ask_line(h, a->operand[1], "Code of the mail: ",
	    code, sizeof(code));

	if (st == EXIT_OK)
		host_note(h, "%s", KEYS_WORD);
	if (st == EXIT_OK)
		st = api_secret(h, a->new_password_file,
		    "NIGHTJAR_NEW_PASSWORD", "New password (8 or more "
		    "characters; upper and lower case, digit, sign): ", true,
		    password, sizeof(password), &n);
	if (st == EXIT_OK)
		st = api_begin(&api, h, a, false);
	req.token = span_str(code);
	req.new_password = span_of(password, n);
	if (st == EXIT_OK)
		st = api_call(&api, &(struct api_call){ "POST",
		    "/api/auth/password/reset", false,
		    &shape_password_reset_req, &req, NULL, NULL }, "");
	wipe(password, sizeof(password));
	if (st == EXIT_OK)
		st = api_done(&api, api.message);
	api_end(&api);
	return st;
}

/* ---- stored, export, log ---- */

static enum err
stored_words(const struct stored_rep *r, struct buf *b)
{
	char line[160];

	for (size_t i = 0; i < r->tables.n; i++) {
		const struct stored_table_rec *t = &r->tables.p[i];

		if (t->rows == 0)
			continue;
		TRY(clean_line(t->table, b));
		snprintf(line, sizeof(line), ": %llu row%s, kept ",
		    (unsigned long long)t->rows, t->rows == 1 ? "" : "s");
		TRY(buf_add_str(b, line));
		TRY(clean_line(t->kept, b));
		TRY(buf_add_str(b, "\n"));
		for (size_t j = 0; j < t->fields.n; j++) {
			TRY(buf_add_str(b, "    "));
			TRY(clean_line(t->fields.p[j].field, b));
			TRY(buf_add_str(b, ": "));
			TRY(clean_line(t->fields.p[j].why, b));
			TRY(buf_add_str(b, "\n"));
		}
	}
	return clean_line(r->not_stored, b);
}

static enum exit_status
account_stored(struct host *h, const struct args *a)
{
	struct stored_rep rep = { 0 };
	struct api api;
	struct buf b;
	enum exit_status st = api_begin(&api, h, a, true);

	if (st == EXIT_OK)
		st = api_call(&api, &(struct api_call){ "GET",
		    "/api/users/me/stored", true, NULL, NULL,
		    &shape_stored_rep, &rep }, NULL);
	if (st == EXIT_OK && a->json)
		st = api_print(&api, &shape_stored_rep, &rep);
	else if (st == EXIT_OK) {
		buf_init(&b, (size_t)1 << 18);
		st = put(h, &b, stored_words(&rep, &b));
	}
	api_end(&api);
	return st;
}

/* The file is there whole, or not at all. */
static enum exit_status
export_to(struct api *api, const char *path)
{
	char part[4096], said[4400];
	uint64_t n = 0;
	int fd;

	if ((size_t)snprintf(part, sizeof(part), "%s.part", path) >=
	    sizeof(part)) {
		host_error(api->h, "the file's name is too long");
		return EXIT_USAGE;
	}
	fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0) {
		host_error(api->h, "%s can not be made: %s", part,
		    strerror(errno));
		return EXIT_FAILED;
	}
	host_note(api->h, "fetching everything that the server has about "
	    "you ...");
	enum exit_status st = api_fetch(api, "/api/users/me/export", fd, &n);
	if (fsync(fd) != 0 && st == EXIT_OK)
		st = EXIT_FAILED;
	close(fd);
	if (st == EXIT_OK && link(part, path) != 0) {
		host_error(api->h, "%s can not be made: %s", path,
		    strerror(errno));
		st = EXIT_FAILED;
	}
	unlink(part);
	if (st != EXIT_OK)
		return st;
	snprintf(said, sizeof(said), "%s: %llu bytes. Messages in it are "
	    "ciphertext; this device has them in the clear.", path,
	    (unsigned long long)n);
	return api_done(api, said);
}

static enum exit_status
account_export(struct host *h, const struct args *a)
{
	struct api api = { .h = h };
	enum exit_status st;

	if (a->operand[1] == NULL) {
		host_error(h, "name the file: %s",
		    host_hint(h, "account export FILE.zip"));
		return EXIT_USAGE;
	}
	st = api_begin(&api, h, a, true);
	if (st == EXIT_OK)
		st = export_to(&api, a->operand[1]);
	api_end(&api);
	return st;
}

static enum err
log_words(const struct audit_list_rep *r, struct buf *b)
{
	char at[SHOW_TIME_LEN];

	for (size_t i = r->entries.n; i-- > 0;) {
		const struct audit_rec *e = &r->entries.p[i];

		show_time(e->timestamp, true, at);
		TRY(buf_add_str(b, at));
		TRY(buf_add_str(b, "  "));
		TRY(clean_line(e->event, b));
		if (e->has_detail) {
			TRY(buf_add_str(b, ", "));
			TRY(clean_line(e->detail, b));
		}
		if (e->has_ip) {
			TRY(buf_add_str(b, ", from "));
			TRY(clean_line(e->ip, b));
		}
		if (i > 0)
			TRY(buf_add_str(b, "\n"));
	}
	return OK;
}

static enum exit_status
account_log(struct host *h, const struct args *a)
{
	struct audit_list_rep rep = { 0 };
	struct api api;
	struct buf b;
	enum exit_status st = api_begin(&api, h, a, true);

	if (st == EXIT_OK)
		st = api_call(&api, &(struct api_call){ "GET",
		    "/api/users/me/audit?limit=100", true, NULL, NULL,
		    &shape_audit_list_rep, &rep }, NULL);
	if (st == EXIT_OK && a->json) {
		for (size_t i = rep.entries.n; i-- > 0 && st == EXIT_OK;)
			st = api_print(&api, &shape_audit_rec,
			    &rep.entries.p[i]);
	} else if (st == EXIT_OK) {
		buf_init(&b, (size_t)1 << 18);
		st = put(h, &b, log_words(&rep, &b));
	}
	api_end(&api);
	return st;
}

/* ---- delete, undelete ---- */

static enum exit_status
delete_sure(struct host *h, const struct args *a)
{
	host_note(h, "deleting the account %s:\n"
	    "  - all its devices are signed out now;\n"
	    "  - for some days (the server says how many) signing in can have "
	    "it back;\n"
	    "  - then everything that the server has of it is erased: its name "
	    "becomes free, its messages become tombstones;\n"
	    "  - what your contacts have read stays with them, and what is on "
	    "this machine stays on it (nightjar logout --forget).",
	    h->account.name);
	if (a->yes || tty_ask_yes("Delete this account? [yes/no] "))
		return EXIT_OK;
	host_error(h, "nothing was deleted (--yes answers the question in "
	    "scripts)");
	return EXIT_FAILED;
}

static enum exit_status
account_delete(struct host *h, const struct args *a)
{
	struct account_delete_rep rep = { 0 };
	struct account_delete_req req = { 0 };
	char password[PASSWORD_MAX], at[SHOW_TIME_LEN], said[200];
	struct api api;
	size_t n = 0;
	enum exit_status st = api_begin(&api, h, a, true);

	if (st == EXIT_OK)
		st = delete_sure(h, a);
	if (st == EXIT_OK)
		st = api_secret(h, a->password_file, "NIGHTJAR_PASSWORD",
		    "Password: ", false, password, sizeof(password), &n);
	req.password = span_of(password, n);
	if (st == EXIT_OK)
		st = api_call(&api, &(struct api_call){ "DELETE",
		    "/api/users/me", true, &shape_account_delete_req, &req,
		    &shape_account_delete_rep, &rep }, NULL);
	wipe(password, sizeof(password));
	if (st == EXIT_OK && a->json)
		st = api_print(&api, &shape_account_delete_rep, &rep);
	else if (st == EXIT_OK) {
		show_time(rep.erase_at, false, at);
		snprintf(said, sizeof(said), "The account will be erased at "
		    "%s. To keep it: %s", at,
		    host_hint(h, "account undelete"));
		st = api_done(&api, said);
	}
	api_end(&api);
	return st;
}

/* ---- which ---- */

static const struct {
	const char *name;
	account_fn run;
	size_t most;		/* operands, its name counted */
} whats[] = {
	{ "delete", account_delete, 1 },
	{ "export", account_export, 2 },
	{ "forgot", account_forgot, 2 },
	{ "log", account_log, 1 },
	{ "reset", account_reset, 2 },
	{ "show", account_show, 1 },
	{ "stored", account_stored, 1 },
	/* Signing in, but the account is kept (signin.c). */
	{ "undelete", cmd_login, 1 },
	{ "verify-email", account_verify, 2 },
};

enum exit_status
cmd_account(struct host *h, const struct args *a)
{
	const char *what = a->operand_n > 0 ? a->operand[0] : "show";

	for (size_t i = 0; i < sizeof(whats) / sizeof(whats[0]); i++) {
		if (strcmp(what, whats[i].name) != 0)
			continue;
		if (a->operand_n <= whats[i].most)
			return whats[i].run(h, a);
		host_error(h, "account %s takes nothing more", what);
		return EXIT_USAGE;
	}
	host_error(h, "account %s is unknown; try: %s", what,
	    host_hint(h, "help account"));
	return EXIT_USAGE;
}
