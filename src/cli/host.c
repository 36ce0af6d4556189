/*
 * host.c: opening and closing: see host.h. The rest of it is in host_step.c
 * (steps and effects), host_ask.c (commands and queries), host_say.c.
 */
#include "cli/host.h"

#include "base/tlv.h"
#include "cli/tty.h"
#include "crypto/host.h"
#include "crypto/openssl.h"

#define DEFAULT_SERVER "https://localhost:8443"
#define ACCOUNT_NAME SPAN("account")
#define ACCOUNT_MAX 1024
#define QUERY_MAX ((size_t)64 << 20)

enum { TAG_URL = 2, TAG_NAME = 4, TAG_PIN = 6, TAG_KNOWN = 7 };

static void *
grow(void *p, size_t n)
{
	if (p == NULL)
		return malloc(n);
	free(p);
	return NULL;
}

static const char *
option(const char *given, const char *variable)
{
	const char *env = getenv(variable);
	return given != NULL ? given : env != NULL && *env != '\0' ? env :
	    NULL;
}

/* ---- the account record ---- */

static enum err
decode_account(struct span s, struct host_account *out)
{
	struct tlv t = tlv_init(s);
	struct span v;
	uint32_t tag;
	while (tlv_next(&t, &tag, &v)) {
		if (tag == TAG_URL && v.n < sizeof(out->url))
			memcpy(out->url, v.p, v.n);
		else if (tag == TAG_NAME && v.n < sizeof(out->name))
			memcpy(out->name, v.p, v.n);
		else if (tag == TAG_PIN && v.n == sizeof(out->pin)) {
			memcpy(out->pin, v.p, v.n);
			out->has_pin = true;
		} else if (tag == TAG_KNOWN && v.n < sizeof(out->known))
			memcpy(out->known, v.p, v.n);
		else
			TRY(tlv_unknown(tag));
	}
	return tlv_end(&t);
}

static enum err
load_account(struct host *h)
{
	struct span v;
	TRY(host_read(h));
	enum err e = profile_load(&h->profile, PROFILE_KIND_HOST,
	    ACCOUNT_NAME, &h->query, &v);
	if (e == OK)
		e = decode_account(v, &h->account);
	host_read_end(h);
	return e == ERR_NOT_FOUND ? OK : e;
}

enum err
host_save(struct host *h)
{
	uint8_t mem[ACCOUNT_MAX];
	struct wr w = wr_init(mem, sizeof(mem));
	tlv_put(&w, TAG_URL, span_str(h->account.url));
	tlv_put(&w, TAG_NAME, span_str(h->account.name));
	if (h->account.has_pin)
		tlv_put(&w, TAG_PIN, SPAN_OF(h->account.pin));
	if (h->account.known[0] != '\0')
		tlv_put(&w, TAG_KNOWN, span_str(h->account.known));
	if (!wr_ok(&w))
		return ERR_TOO_LARGE;
	TRY(profile_begin(&h->profile));
	enum err e = profile_put(&h->profile, PROFILE_KIND_HOST, ACCOUNT_NAME,
	    wr_done(&w));
	if (e == OK)
		return profile_commit(&h->profile);
	profile_rollback(&h->profile);
	return e;
}

/* ---- opening the profile ---- */

static enum err
ask_passphrase(void *ctx, char *out, size_t *n_out)
{
	const char *env = getenv("NIGHTJAR_PASSPHRASE");
	(void)ctx;
	if (env != NULL) {
		*n_out = strlen(env);
		if (*n_out > KEYFILE_PASSPHRASE_MAX)
			return ERR_TOO_LARGE;
		memcpy(out, env, *n_out);
		return OK;
	}
	return tty_ask("Passphrase of this profile: ", false, out,
	    KEYFILE_PASSPHRASE_MAX, n_out);
}

/* A new passphrase, twice; empty where none is wanted. */
static enum err
new_passphrase(struct host *h, char *out, size_t *n_out)
{
	char again[KEYFILE_PASSPHRASE_MAX];
	size_t n = 0;
	*n_out = 0;
	if (!h->args->passphrase)
		return OK;
	TRY(ask_passphrase(NULL, out, n_out));
	enum err e = OK;
	if (getenv("NIGHTJAR_PASSPHRASE") == NULL) {
		e = tty_ask("The same again: ", false, again, sizeof(again),
		    &n);
		if (e == OK && !span_eq(span_of(out, *n_out),
		    span_of(again, n)))
			e = ERR_VALIDATION;
		wipe(again, sizeof(again));
	}
	return e == OK && *n_out == 0 ? ERR_VALIDATION : e;
}

static enum exit_status
make_profile(struct host *h)
{
	char phrase[KEYFILE_PASSPHRASE_MAX];
	size_t n = 0;
	enum err e = new_passphrase(h, phrase, &n);
	if (e == ERR_VALIDATION) {
		host_error(h, "the passphrases differ or are empty; nothing "
		    "was changed");
		return EXIT_FAILED;
	}
	if (e == OK)
		e = profile_make(&h->pv, &h->paths, span_of(phrase, n));
	wipe(phrase, sizeof(phrase));
	if (e == OK || e == ERR_CONFLICT)	/* somebody was quicker */
		return EXIT_OK;
	host_error(h, "the profile cannot be made in %s (%s); is the folder "
	    "writable?", h->paths.data, err_text(e));
	return EXIT_PROFILE;
}

/* Why a profile could not be opened, and what to do. */
static enum exit_status
explain_profile(struct host *h, enum err e)
{
	const char *dir = h->paths.data;
	switch ((int)e) {
	case ERR_INVALID_CREDENTIALS:
		host_error(h, "wrong passphrase");
		break;
	case ERR_FORBIDDEN:
		host_error(h, "this profile has a passphrase, and there is no "
		    "terminal to ask for it; set NIGHTJAR_PASSPHRASE");
		break;
	case ERR_UNTRUSTED:
		host_error(h, "others can read %s; make it private "
		    "(chmod 600) if nobody has copied it", h->paths.key);
		break;
	case ERR_AUTH:
		host_error(h, "the profile in %s was changed or its key is "
		    "another one; restore both from one backup, or move the "
		    "folder away and sign in anew", dir);
		break;
	case ERR_FORMAT:
		host_error(h, "%s holds no profile of Nightjar, or a damaged "
		    "one; move it away and sign in anew", dir);
		break;
	case ERR_VERSION:
		host_error(h, "the profile was made by a newer nightjar; "
		    "use that one");
		break;
	case ERR_BUSY:
		host_error(h, "the profile is in use by another program; try "
		    "again");
		break;
	case ERR_DISK_FULL:
		host_error(h, "the disk is full: %s", dir);
		break;
	default:
		host_error(h, "the profile in %s cannot be opened (%s)", dir,
		    err_text(e));
		break;
	}
	return EXIT_PROFILE;
}

static enum exit_status
find_profile(struct host *h)
{
	const char *name = option(h->args->profile, "NIGHTJAR_PROFILE");
	enum err e = profile_find(name != NULL ? name : "default",
	    getenv("HOME"), getenv("XDG_DATA_HOME"), getenv("XDG_STATE_HOME"),
	    &h->paths);
	if (e == ERR_VALIDATION)
		host_error(h, "a profile's name has 1 to 64 letters, digits, "
		    "'.', '_' or '-', and no '.' in front");
	else if (e != OK)
		host_error(h, "where should the profile be? Set HOME");
	return e == OK ? EXIT_OK : e == ERR_VALIDATION ? EXIT_USAGE :
	    EXIT_PROFILE;
}

/* The server's address: given, or the profile's, or the usual one. */
static enum exit_status
find_server(struct host *h)
{
	const char *given = option(h->args->server, "NIGHTJAR_SERVER");
	const char *url = given != NULL ? given :
	    h->account.url[0] != '\0' ? h->account.url : DEFAULT_SERVER;
	const char *pin = option(h->args->pin, "NIGHTJAR_PIN"), *why = NULL;
	if (where_init(&h->where, url, &why) != OK) {
		host_error(h, "%s: %s", url, why);
		return EXIT_USAGE;
	}
	if (h->account.url[0] != '\0' && h->account.name[0] != '\0' &&
	    strcmp(h->where.url, h->account.url) != 0) {
		host_error(h, "the account of this profile is at %s; use "
		    "another profile (--profile NAME) for %s",
		    h->account.url, h->where.url);
		return EXIT_USAGE;
	}
	h->where.has_pin = h->account.has_pin;
	memcpy(h->where.pin, h->account.pin, sizeof(h->where.pin));
	if (pin == NULL)
		return EXIT_OK;
	if (!where_pin_decode(pin, h->where.pin)) {
		host_error(h, "--pin wants a SHA-256 fingerprint: 64 hex "
		    "digits, with or without colons");
		return EXIT_USAGE;
	}
	h->where.has_pin = true;
	return EXIT_OK;
}

static enum exit_status
open_profile(struct host *h, bool make)
{
	enum exit_status st = find_profile(h);
	if (st == EXIT_OK && !profile_exists(&h->paths)) {
		if (!make) {
			host_error(h, "there is no account in this profile; "
			    "begin with: %s (or login)", host_hint(h,
			    "register"));
			return EXIT_SIGNED_OUT;
		}
		st = make_profile(h);
	}
	if (st != EXIT_OK)
		return st;
	enum err e = profile_open(&h->profile, &h->pv, &h->paths,
	    ask_passphrase, h);
	if (e == OK)
		e = load_account(h);
	return e == OK ? EXIT_OK : explain_profile(h, e);
}

enum exit_status
host_open(struct host *h, const struct args *a, bool make)
{
	memset(h, 0, sizeof(*h));
	h->args = a;
	h->signals.fd = -1;
	arena_init_growing(&h->step, NULL, 0, CLIENT_STEP_BYTES, grow);
	arena_init_growing(&h->query, NULL, 0, QUERY_MAX, grow);
	if (tls_setup() != OK || host_init() != OK ||
	    openssl_provider_open(&h->pv) != OK) {
		host_error(h, "the cryptographic library cannot be used");
		return EXIT_FAILED;
	}
	/* Numbers of commands differ between processes of one profile. */
	sys_random(&h->cmd, sizeof(h->cmd));
	h->cmd >>= 16;
	enum exit_status st = open_profile(h, make);
	return st == EXIT_OK ? find_server(h) : st;
}

void
host_close(struct host *h)
{
	/* In this order: the network, which may still call; then what for. */
	timer_cancel(&h->wake);
	timer_cancel(&h->watch);
	timer_cancel(&h->limit);
	if (h->args != NULL && h->steps != 0)
		host_debug(h, "%llu us of client work in %llu steps",
		    (unsigned long long)h->work_us,
		    (unsigned long long)h->steps);
	h->running = false;
	if (h->reactor != NULL) {
		stand_close(&h->stand);
		sock_close(&h->sock);
		remote_close(&h->remote);
		remote_close(&h->slow);
		for (int i = 0; i < 4; i++)
			reactor_tick(h->reactor, 0);
		stand_fini(&h->stand);
		sock_fini(&h->sock);
		remote_fini(&h->remote);
		remote_fini(&h->slow);
		if (h->signals.fd >= 0) {
			reactor_unwatch(h->reactor, &h->signals);
			sys_close(h->signals.fd);
		}
		reactor_close(h->reactor);
	}
	where_fini(&h->where);
	profile_close(&h->profile);
	arena_wipe(&h->step, (struct arena_mark){ 0 });
	arena_wipe(&h->query, (struct arena_mark){ 0 });
	arena_fini(&h->step);
	arena_fini(&h->query);
	openssl_provider_close(&h->pv);
	wipe(h, sizeof(*h));
	h->signals.fd = -1;
}

/* ---- the certificate ---- */

static enum exit_status
ask_pin(struct host *h)
{
	char text[WHERE_PIN_TEXT], question[900];
	where_pin_text(h->where.seen, text);
	if (h->where.has_pin) {
		host_error(h, "the certificate of %s is not the one that was "
		    "pinned. Its SHA-256 is\n  %s\nIf the server's operator "
		    "confirms it, give it with --pin; if not, somebody may "
		    "be between you and the server", h->where.url, text);
		return EXIT_UNTRUSTED;
	}
	snprintf(question, sizeof(question),
	    "The certificate of %s cannot be checked (%s).\n"
	    "Its SHA-256 fingerprint is\n  %s\n"
	    "Compare it with what the server's operator says. Trust it? "
	    "[yes/no] ", h->where.url, h->where.why, text);
	if (tty_ask_yes(question)) {
		memcpy(h->where.pin, h->where.seen, sizeof(h->where.pin));
		h->where.has_pin = true;
		return EXIT_OK;
	}
	host_error(h, "the certificate of %s is not trusted (%s). Its SHA-256 "
	    "is\n  %s\nTo trust it give --pin with these digits",
	    h->where.url, h->where.why, text);
	return EXIT_UNTRUSTED;
}

/* Any answer at all will do: it came through the TLS that is looked at. */
static enum exit_status
probe(struct host *h)
{
	struct buf body;
	uint32_t status;
	buf_init(&body, REMOTE_ANSWER_MAX);
	enum exit_status st = host_call(h, "GET", SPAN("/health"),
	    (struct span){ 0 }, (struct span){ 0 }, &status, &body);
	buf_fini(&body);
	return st;
}

enum exit_status
host_trust(struct host *h)
{
	enum exit_status st = probe(h);
	if (st == EXIT_UNTRUSTED) {
		st = ask_pin(h);
		if (st == EXIT_OK) {
			h->blocked_trust = false;
			st = probe(h);
		}
	}
	if (st != EXIT_OK)
		return st;
	h->account.has_pin = h->where.has_pin;
	memcpy(h->account.pin, h->where.pin, sizeof(h->account.pin));
	snprintf(h->account.url, sizeof(h->account.url), "%s", h->where.url);
	if (host_save(h) == OK)
		return EXIT_OK;
	host_error(h, "the profile cannot be written: %s", h->paths.data);
	return EXIT_PROFILE;
}
