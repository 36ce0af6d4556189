/*
 * signin.c: see signin.h. The password is never an argument (others would see
 * it in the list of processes), and it is wiped after its last use.
 */
#include "cli/signin.h"

#include <fcntl.h>
#include <unistd.h>

#include "cli/clean.h"
#include "cli/show.h"
#include "cli/tty.h"
#include "wire/json.h"
#include "wire/shapes.h"

#define REQUEST_MAX 8192
#define ARENA_MAX (64 * 1024)

void
signin_wipe(struct signin *s)
{
	wipe(s, sizeof(*s));
}

struct question {
	const char *variable, *text, *flag;
	enum shape_class class;
	size_t least, most;
	const char *rule;
};

static const struct question ask_name = { "NIGHTJAR_USERNAME", "User name: ",
    "--username", SHAPE_USERNAME, 3, 30,
    "a user name has 3 to 30 letters, digits or '_'" };
static const struct question ask_email = { "NIGHTJAR_EMAIL",
    "E-mail address: ", "--email", SHAPE_EMAIL, 3, 254,
    "that is no e-mail address" };

/* At the terminal, until it can be an answer at all. */
static bool
type_text(struct host *h, const struct question *q, char *out, size_t cap)
{
	size_t n = 0;
	for (int i = 0; i < SIGNIN_TRIES; i++) {
		if (tty_ask(q->text, true, out, cap - 1, &n) != OK || n == 0)
			return false;
		out[n] = '\0';
		if (n >= q->least && n <= q->most &&
		    shape_is_class(q->class, span_of(out, n)))
			return true;
		host_error(h, "%s", q->rule);
	}
	return false;
}

/* An option, a variable, or a question. *asked gets `part` with the last. */
static enum exit_status
ask_text(struct host *h, const char *given, const struct question *q,
    char *out, size_t cap, enum signin_part part, unsigned *asked)
{
	const char *env = getenv(q->variable);
	const char *from = given != NULL ? given : env;
	if (from != NULL && strlen(from) < cap) {
		memcpy(out, from, strlen(from) + 1);
		return EXIT_OK;
	}
	if (from != NULL) {
		host_error(h, "%s is too long", q->flag);
		return EXIT_USAGE;
	}
	if (type_text(h, q, out, cap)) {
		*asked |= part;
		return EXIT_OK;
	}
	host_error(h, "%s is missing (or set %s)", q->flag, q->variable);
	return EXIT_USAGE;
}

/* The first line of a file. */
static bool
read_password(const char *path, struct signin *s)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	size_t n = 0;
	ssize_t got = 0;
	while (n < SIGNIN_TEXT_MAX &&
	    (got = read(fd, s->password + n, SIGNIN_TEXT_MAX - n)) > 0)
		n += (size_t)got;
	close(fd);
	s->password_n = span_find(span_of(s->password, n), '\n');
	if (s->password_n > 0 && s->password[s->password_n - 1] == '\r')
		s->password_n--;
	return got >= 0 && s->password_n > 0;
}

/* A new one is typed twice, until both are the same. */
static enum exit_status
type_password(struct host *h, bool is_new, struct signin *s)
{
	const char *question = is_new ? "Password (8 or more characters; upper "
	    "and lower case, digit, sign): " : "Password: ";
	char again[SIGNIN_TEXT_MAX];
	size_t n = 0;
	for (int i = 0; i < SIGNIN_TRIES; i++) {
		if (tty_ask(question, false, s->password, SIGNIN_TEXT_MAX,
		    &s->password_n) != OK) {
			host_error(h, "there is no terminal to ask for the "
			    "password; give --password-file or set "
			    "NIGHTJAR_PASSWORD");
			return EXIT_USAGE;
		}
		s->asked |= SIGNIN_PASSWORD;
		if (!is_new)
			return EXIT_OK;
		enum err e = tty_ask("The same again: ", false, again,
		    sizeof(again), &n);
		bool same = e == OK && span_eq(span_of(s->password,
		    s->password_n), span_of(again, n));
		wipe(again, sizeof(again));
		if (same)
			return EXIT_OK;
		host_error(h, "the two passwords differ; once more");
	}
	return EXIT_USAGE;
}

static enum exit_status
ask_password(struct host *h, bool is_new, struct signin *s)
{
	const char *file = h->args->password_file;
	const char *env = getenv("NIGHTJAR_PASSWORD");
	if (file != NULL) {
		if (read_password(file, s))
			return EXIT_OK;
		host_error(h, "no password can be read from %s", file);
		return EXIT_USAGE;
	}
	if (env != NULL && strlen(env) <= SIGNIN_TEXT_MAX) {
		s->password_n = strlen(env);
		memcpy(s->password, env, s->password_n);
		return EXIT_OK;
	}
	return type_password(h, is_new, s);
}

/* What this device is called in lists: given, or the machine's name. */
static void
name_device(struct host *h, struct signin *s)
{
	if (h->args->device_name != NULL)
		snprintf(s->device, sizeof(s->device), "%s",
		    h->args->device_name);
	else if (gethostname(s->device, sizeof(s->device) - 1) != 0)
		s->device[0] = '\0';
	if (!shape_is_class(SHAPE_LABEL, span_str(s->device)) ||
	    s->device[0] == '\0')
		snprintf(s->device, sizeof(s->device), "nightjar");
}

enum exit_status
signin_ask(struct host *h, bool is_new, struct signin *out)
{
	memset(out, 0, sizeof(*out));
	const char *name = h->args->username;
	if (name == NULL && h->account.name[0] != '\0')
		name = h->account.name;
	enum exit_status st = ask_text(h, name, &ask_name, out->username,
	    sizeof(out->username), SIGNIN_USERNAME, &out->asked);
	if (st == EXIT_OK && is_new)
		st = ask_text(h, h->args->email, &ask_email, out->email,
		    sizeof(out->email), SIGNIN_EMAIL, &out->asked);
	if (st == EXIT_OK)
		st = ask_password(h, is_new, out);
	name_device(h, out);
	if (!is_new)
		memcpy(out->known, h->account.known, sizeof(out->known));
	/* account undelete is signing in, and that word. */
	out->cancels = h->args->cmd == CMD_account;
	return st;
}

enum exit_status
signin_ask_again(struct host *h, bool is_new, struct signin *s)
{
	unsigned again = s->asked & s->wrong;
	/* What an option said is not changed behind its back. */
	if (again == 0 || (s->wrong & ~s->asked) != 0)
		return EXIT_REFUSED;
	s->wrong = 0;
	if ((again & SIGNIN_USERNAME) && !type_text(h, &ask_name, s->username,
	    sizeof(s->username)))
		return EXIT_REFUSED;
	if ((again & SIGNIN_EMAIL) && !type_text(h, &ask_email, s->email,
	    sizeof(s->email)))
		return EXIT_REFUSED;
	return again & SIGNIN_PASSWORD ? type_password(h, is_new, s) : EXIT_OK;
}

/* ---- the call ---- */

/* Which of the answers a field of an error is about. */
static unsigned
part_of(struct span field)
{
	return span_eq(field, SPAN("username")) ? SIGNIN_USERNAME :
	    span_eq(field, SPAN("email")) ? SIGNIN_EMAIL :
	    span_eq(field, SPAN("password")) ? SIGNIN_PASSWORD : 0;
}

static unsigned
part_of_code(struct span code)
{
	return span_eq(code, SPAN("username_taken")) ? SIGNIN_USERNAME :
	    span_eq(code, SPAN("email_taken")) ? SIGNIN_EMAIL :
	    span_eq(code, SPAN("invalid_credentials")) ?
	    SIGNIN_USERNAME | SIGNIN_PASSWORD : 0;
}

/* What the server said no to: its message, and each field of `details`. */
static enum exit_status
explain(struct host *h, uint32_t status, const struct success_rep *rep,
    struct signin *s)
{
	struct buf b;
	struct json j = json_init(rep->error.details);
	struct span name, value, field, why;
	buf_init(&b, 8192);
	bool said = rep->has_error &&
	    clean_line(rep->error.message, &b) == OK;
	/* Of name or password the one that was typed may be the wrong one. */
	s->wrong = rep->has_error ? part_of_code(rep->error.code) : 0;
	s->pending = rep->has_error &&
	    span_eq(rep->error.code, SPAN("deletion_pending"));
	if (s->pending && said)
		said = buf_add_str(&b, "\n  to keep it: ") == OK &&
		    buf_add_str(&b, host_hint(h, "account undelete")) == OK;
	else if (rep->has_error && said &&
	    span_eq(rep->error.code, SPAN("email_unverified")))
		said = buf_add_str(&b, "\n  ") == OK && buf_add_str(&b,
		    host_hint(h, "account verify-email CODE")) == OK;
	if (s->asked & s->wrong & SIGNIN_PASSWORD)
		s->wrong &= s->asked;
	if (said && rep->error.has_details && json_array(&j)) {
		while (json_item(&j) && json_object(&j)) {
			field = why = (struct span){ 0 };
			while (json_member(&j, NULL, &name)) {
				if (!json_string(&j, NULL, &value))
					break;
				if (span_eq(name, SPAN("field")))
					field = value;
				else if (span_eq(name, SPAN("message")))
					why = value;
			}
			s->wrong |= part_of(field);
			said = buf_add_str(&b, "\n  ") == OK &&
			    clean_line(field, &b) == OK &&
			    buf_add_str(&b, ": ") == OK &&
			    clean_line(why, &b) == OK;
		}
	}
	if (said)
		host_error(h, "%.*s", (int)b.n, (const char *)b.p);
	else
		host_error(h, "the server answered with status %u; is %s a "
		    "Nightjar server?", (unsigned)status, h->where.url);
	buf_fini(&b);
	return EXIT_REFUSED;
}

static enum err
make_request(bool is_new, const struct signin *s, const char *invite,
    struct buf *out)
{
	struct span password = span_of(s->password, s->password_n);
	if (is_new) {
		struct register_req req = {
			.has_invite_code = invite != NULL,
			.invite_code = span_str(invite != NULL ? invite : ""),
			.username = span_str(s->username),
			.email = span_str(s->email), .password = password,
			.has_device = true,
			.device.name = span_str(s->device),
		};
		return shape_encode_buf(&shape_register_req, &req, out);
	}
	struct login_req req = {
		.username = span_str(s->username), .password = password,
		.has_device = true, .device.name = span_str(s->device),
		.has_known_device = s->known[0] != '\0',
		.known_device = span_str(s->known),
		.has_cancel_deletion = s->cancels,
		.cancel_deletion = s->cancels,
	};
	return shape_encode_buf(&shape_login_req, &req, out);
}

static void
keep_known(struct signin *s, struct span known)
{
	if (known.n == 0 || known.n > HOST_KNOWN_MAX)
		return;
	memcpy(s->known, known.p, known.n);
	s->known[known.n] = '\0';
}

/* The answer as the client's input; false: it is not one. */
static bool
take_answer(bool is_new, struct span data, struct arena *a,
    struct client_input *in, struct signin *s)
{
	in->type = CLIENT_SIGNED_IN;
	if (is_new) {
		struct register_rep r;
		if (shape_decode(&shape_register_rep, data, a, &r, NULL) != OK)
			return false;
		s->waits = !r.has_tokens;
		keep_known(s, r.known_device);
		in->u.signed_in.user = r.user.id;
		in->u.signed_in.name = r.user.username;
		in->u.signed_in.access = r.tokens.access_token;
		in->u.signed_in.refresh = r.tokens.refresh_token;
		return true;
	}
	struct login_rep r;
	if (shape_decode(&shape_login_rep, data, a, &r, NULL) != OK)
		return false;
	keep_known(s, r.known_device);
	in->u.signed_in.user = r.user.id;
	in->u.signed_in.name = r.user.username;
	in->u.signed_in.access = r.tokens.access_token;
	in->u.signed_in.refresh = r.tokens.refresh_token;
	return true;
}

/* Keeps who it is, and gives the client its tokens. */
static enum exit_status
enter(struct host *h, struct client_input *in, const struct signin *s)
{
	struct span name = in->u.signed_in.name;
	if (name.n > HOST_NAME_MAX)
		return EXIT_FAILED;
	if (h->account.name[0] != '\0' &&
	    !span_eq_nocase(span_str(h->account.name), name)) {
		host_error(h, "this profile belongs to the account %s; sign in "
		    "as another one with another profile (--profile NAME)",
		    h->account.name);
		return EXIT_FAILED;
	}
	memcpy(h->account.name, name.p, name.n);
	h->account.name[name.n] = '\0';
	memcpy(h->account.known, s->known, sizeof(h->account.known));
	if (host_save(h) != OK) {
		host_error(h, "the profile cannot be written: %s",
		    h->paths.data);
		return EXIT_PROFILE;
	}
	/* What the profile said of itself before this session does not count. */
	h->ready = h->keys_missing = false;
	host_input(h, in);
	return h->fatal;
}

/* The account is made, but only its address lets it in. */
static enum exit_status
wait_for_mail(struct host *h)
{
	host_error(h, "the account is made. A mail is on its way to its "
	    "address: confirm it, then sign in.\n  %s",
	    host_hint(h, "account verify-email CODE"));
	return EXIT_REFUSED;
}

enum exit_status
signin_enter(struct host *h, bool is_new, struct signin *s)
{
	static const char *const paths[] = { "/api/auth/login",
	    "/api/auth/register" };
	struct buf request, body;
	struct success_rep rep = { 0 };
	struct client_input in = { 0 };
	struct arena a;
	uint32_t status = 0;
	uint8_t *mem = calloc(1, ARENA_MAX);
	enum exit_status st = EXIT_FAILED;
	buf_init(&request, REQUEST_MAX);
	buf_init(&body, REMOTE_ANSWER_MAX);
	arena_init(&a, mem, mem != NULL ? ARENA_MAX : 0);
	if (make_request(is_new, s, h->args->invite, &request) == OK)
		st = host_call(h, "POST", span_str(paths[is_new]),
		    (struct span){ 0 }, buf_span(&request), &status, &body);
	if (st == EXIT_OK) {
		enum err e = shape_decode(&shape_success_rep, buf_span(&body),
		    &a, &rep, NULL);
		if (e != OK || !rep.success || !rep.has_data ||
		    !take_answer(is_new, rep.data, &a, &in, s))
			st = explain(h, status, &rep, s);
		else if (s->waits)
			st = wait_for_mail(h);
		else
			st = enter(h, &in, s);
	}
	if (request.p != NULL)
		wipe(request.p, request.n);
	if (body.p != NULL)
		wipe(body.p, body.n);
	if (mem != NULL)
		wipe(mem, ARENA_MAX);
	free(mem);
	buf_fini(&request);
	buf_fini(&body);
	return st == EXIT_OK ? signin_settle(h) : st;
}

static bool
is_settled(struct host *h, const void *ctx)
{
	(void)ctx;
	return h->ready || h->keys_missing;
}

enum exit_status
signin_settle(struct host *h)
{
	return host_wait(h, is_settled, NULL, 2 * host_timeout(h));
}

enum exit_status
signin_tell(struct host *h, bool is_new)
{
	struct buf out;
	enum err e = OK;
	buf_init(&out, 4096);
	if (h->args->json) {
		e = buf_add_str(&out, "{");
		if (e == OK)
			e = show_json_str(&out, "username",
			    span_str(h->account.name));
		if (e == OK)
			e = show_json_str(&out, "server",
			    span_str(h->account.url));
		if (e == OK)
			e = show_json_bool(&out, "ready", h->ready);
		if (e == OK)
			e = buf_add_str(&out, "}");
	} else if (!h->args->quiet) {
		e = buf_add_str(&out, is_new ? "Welcome, " : "Signed in as ");
		if (e == OK)
			e = buf_add_str(&out, h->account.name);
		if (e == OK)
			e = buf_add_str(&out, is_new ? ". Write to somebody "
			    "with: " : ".");
		if (e == OK && is_new)
			e = buf_add_str(&out, host_hint(h, "chat NAME"));
	}
	if (e == OK && out.n > 0)
		e = show_line(&out);
	buf_fini(&out);
	return e == OK ? EXIT_OK : EXIT_FAILED;
}
