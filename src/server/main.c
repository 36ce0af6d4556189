/*
 * main.c: nightjard's start: flags, configuration, data directory, signals.
 * The main thread sleeps until a signal comes.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/sys.h"
#include "base/text.h"
#include "crypto/host.h"
#include "net/tls.h"
#include "server/main_audit.h"
#include "server/main_user.h"
#include "server/probe.h"
#include "server/server.h"
#include "server/watch.h"

#ifndef NIGHTJAR_VERSION
#define NIGHTJAR_VERSION "0.1.0"
#endif

#define SETS_MAX 128
#define WORDS_MAX 4	/* behind the command */
#define EXIT_USAGE 2

extern char **environ;

struct options {
	const char *command;
	const char *words[WORDS_MAX];
	size_t words_n;
	bool json;
	const char *data, *file;
	char default_data[DATA_PATH_MAX];
	struct conf_set sets[SETS_MAX];
	size_t sets_n;
	char *texts[SETS_MAX];	/* copies that the sets point into */
};

static void
put_line(const char *line)
{
	puts(line);
}

static void
usage(void)
{
	puts("usage: nightjard [serve|init|health|user ...|audit ...] [--data DIR] "
	    "[--config FILE]\n"
	    "                 [--set KEY=VALUE]...\n"
	    "\n"
	    "  serve          run the server (default)\n"
	    "  init           make the data directory, secrets and "
	    "certificate, then end\n"
	    "  health         ask a running server whether it is ready\n"
	    "  user import F  accounts with bcrypt hashes, from JSON lines or\n"
	    "                 CSV (username, email, password_hash): all or "
	    "none\n"
	    "  user invite [N]  a code by which one (or N) may register\n"
	    "  user role N R  the role of N: user, auditor, operator, admin\n"
	    "  audit verify [HEAD]  is the audit log whole? HEAD: as an\n"
	    "                 earlier verify printed it\n"
	    "  audit export   the audit log as JSON lines\n"
	    "                 (the server must not run; --json: say it so)\n"
	    "  --data DIR     data directory (NIGHTJARD_DATA); default "
	    "~/.local/share/nightjard\n"
	    "  --config FILE  configuration, JSON (NIGHTJARD_CONFIG)\n"
	    "  --set K=V      one key; stronger than NIGHTJARD_K in the\n"
	    "                 environment, which is stronger than the file\n"
	    "  --help, --version\n"
	    "\n"
	    "Keys, [default]; (live): taken over on SIGHUP or when the\n"
	    "file changes\n");
	conf_help(put_line);
}

static int
fail(int code, const char *text)
{
	fprintf(stderr, "nightjard: %s\n", text);
	return code;
}

static void
log_stderr(const char *line, size_t n)
{
	while (n > 0) {
		ssize_t done = write(STDERR_FILENO, line, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return;
		line += done;
		n -= (size_t)done;
	}
}

/* No core image, no debugger of the same user, private files. */
static void
harden(void)
{
	const struct rlimit none = { 0, 0 };

	umask(077);
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	sys_ignore_sigpipe();
}

static int
parse_set(struct options *o, const char *text)
{
	char *copy = strdup(text);
	char *eq = copy == NULL ? NULL : strchr(copy, '=');

	if (eq == NULL || o->sets_n == SETS_MAX) {
		free(copy);
		return fail(EXIT_USAGE, eq == NULL ?
		    "--set wants KEY=VALUE" : "too many --set");
	}
	*eq = '\0';
	o->texts[o->sets_n] = copy;
	o->sets[o->sets_n++] = (struct conf_set){ copy, eq + 1 };
	return -1;
}

/* -1: go on; else the exit status. */
static int
parse(struct options *o, int argc, char **argv)
{
	bool have_command = false;

	for (int i = 1; i < argc; i++) {
		const char *a = argv[i];
		const char *value = i + 1 < argc ? argv[i + 1] : NULL;
		bool wants = strcmp(a, "--data") == 0 ||
		    strcmp(a, "--config") == 0 || strcmp(a, "--set") == 0;

		if (strcmp(a, "--help") == 0 || strcmp(a, "-h") == 0) {
			usage();
			return 0;
		}
		if (strcmp(a, "--version") == 0) {
			puts("nightjard " NIGHTJAR_VERSION);
			return 0;
		}
		if (wants && value == NULL) {
			fprintf(stderr, "nightjard: %s wants a value\n", a);
			return EXIT_USAGE;
		}
		if (strcmp(a, "--data") == 0) {
			o->data = value;
		} else if (strcmp(a, "--config") == 0) {
			o->file = value;
		} else if (strcmp(a, "--set") == 0) {
			int status = parse_set(o, value);

			if (status >= 0)
				return status;
		} else if (strcmp(a, "--json") == 0) {
			o->json = true;
		} else if (a[0] != '-' && !have_command) {
			o->command = a;
			have_command = true;
		} else if (a[0] != '-' &&
		    (strcmp(o->command, "user") == 0 ||
		    strcmp(o->command, "audit") == 0) && o->words_n < WORDS_MAX) {
			o->words[o->words_n++] = a;
		} else {
			fprintf(stderr, "nightjard: %s is unknown; "
			    "try nightjard --help\n", a);
			return EXIT_USAGE;
		}
		i += wants;
	}
	return -1;
}

static void
default_data(struct options *o)
{
	const char *xdg = getenv("XDG_DATA_HOME"), *home = getenv("HOME");

	if (o->file == NULL)
		o->file = getenv("NIGHTJARD_CONFIG");
	if (o->data == NULL)
		o->data = getenv("NIGHTJARD_DATA");
	if (o->data != NULL)
		return;
	if (xdg != NULL && xdg[0] == '/')
		snprintf(o->default_data, sizeof(o->default_data),
		    "%s/nightjard", xdg);
	else
		snprintf(o->default_data, sizeof(o->default_data),
		    "%s/.local/share/nightjard", home != NULL ? home : "");
	o->data = o->default_data;
}

static enum err
load(const struct options *o, struct conf **out, struct conf_error *e)
{
	struct conf_source src = { .file = o->file, .env = environ,
	    .sets = o->sets, .sets_n = o->sets_n };

	return conf_load(&src, out, e);
}

/* Somebody sits there and reads what we say. */
static bool
is_watched(void)
{
	return isatty(STDOUT_FILENO) && isatty(STDERR_FILENO);
}

static void
log_start(const struct conf *c)
{
	enum log_level level = is_watched() ? LOG_WARN : LOG_INFO;

	(void)log_level_by_name(c->log_level, &level);
	log_setup(level, strcmp(c->log_ip, "full") == 0 ? LOG_IP_FULL :
	    strcmp(c->log_ip, "off") == 0 ? LOG_IP_OFF : LOG_IP_TRUNCATED,
	    log_stderr, sys_unix_ms);
}

/* In the form in which the client shows it: eyes have to compare the two. */
static void
say_fingerprint(const uint8_t sha[static 32])
{
	printf("  its certificate's SHA-256 fingerprint, which a client shows "
	    "at its first visit:\n");
	for (size_t i = 0; i < 32; i++)
		printf("%s%02X%s", i % 16 == 0 ? "    " : "", sha[i],
		    i == 31 ? "\n" : i == 15 ? ":\n" : ":");
}

/* One line for each of a comma separated list. */
static void
say_addresses(const char *scheme, const char *list)
{
	struct span left = span_str(list);

	while (left.n > 0) {
		size_t end = span_find(left, ',');
		struct span item = span_sub(left, 0, end);

		while (item.n > 0 && item.p[0] == ' ')
			item = span_sub(item, 1, item.n);
		printf("  %s://%.*s\n", scheme, (int)item.n,
		    (const char *)item.p);
		left = span_sub(left, end + 1, left.n);
	}
}

static void
say_in_words(const struct conf *c, const struct data *d,
    const uint8_t sha[static 32])
{
	printf("Nightjar is ready. It listens on\n");
	say_addresses("http", c->listen_http);
	say_addresses("https", c->listen_https);
	if (c->listen_https[0] != '\0')
		say_fingerprint(sha);
	printf("Its data is in %s\n", d->path);
	printf("Ctrl-C stops it. Warnings appear here%s.\n",
	    strcmp(c->log_level, "auto") == 0 ?
	    "; the whole log with --set log.level=info" : "");
	fflush(stdout);
}

/* For people on a terminal, else as a log line. */
static void
say_ready(const struct conf *c, const struct data *d, uint64_t took_us)
{
	uint8_t sha[32] = { 0 };
	char hex[65] = "";
	struct log l;

	if (c->listen_https[0] != '\0' &&
	    tls_fingerprint(buf_span(&d->cert_pem), sha) == OK) {
		hex_encode(SPAN_OF(sha), hex);
		hex[64] = '\0';
	}
	if (isatty(STDOUT_FILENO))
		say_in_words(c, d, sha);
	if (!log_begin(&l, LOG_INFO, "ready"))
		return;
	log_str(&l, "https", c->listen_https);
	log_str(&l, "http", c->listen_http);
	log_str(&l, "certificate", hex);
	log_str(&l, "data", d->path);
	log_u64(&l, "us", took_us);
	log_end(&l);
}

/* ---- what changes while it runs ---- */

enum watched { WATCH_CONF, WATCH_CERT, WATCH_KEY };

static void
say_refused(const char *event, const char *why)
{
	struct log l;

	if (log_begin(&l, LOG_ERROR, event)) {
		log_str(&l, "why", why);
		log_end(&l);
	}
}

static void
reload(struct server *s, const struct options *o)
{
	struct server_error why;
	struct conf_error e;
	struct conf *next;
	struct log l;

	if (load(o, &next, &e) != OK)
		say_refused("reload_refused", e.text);
	else if (server_reload(s, next, &why) != OK)
		say_refused("reload_refused", why.text);
	else if (log_begin(&l, LOG_INFO, "reloaded"))
		log_end(&l);
}

static void
reload_cert(struct server *s)
{
	struct server_error why;
	struct log l;

	if (server_reload_cert(s, &why) != OK)
		say_refused("certificate_refused", why.text);
	else if (log_begin(&l, LOG_INFO, "certificate_loaded"))
		log_end(&l);
}

/* As they are now, the certificate's files are known. */
static void
watch_cert(struct watch *w, const struct server *s, const struct data *d)
{
	const struct conf *c = server_conf(s);
	char cert[DATA_FILE_MAX], key[DATA_FILE_MAX];

	data_cert_paths(d, c->tls_cert, c->tls_key, cert, key);
	watch_set(w, WATCH_CERT, c->listen_https[0] != '\0' ? cert : NULL);
	watch_set(w, WATCH_KEY, c->listen_https[0] != '\0' ? key : NULL);
}

/* SIGHUP (all is read anew), or a second has passed (what has changed is). */
static void
refresh(struct watch *w, struct server *s, const struct options *o,
    const struct data *d, bool all)
{
	bool conf = watch_look(w, WATCH_CONF);
	bool cert = watch_look(w, WATCH_CERT);
	bool key = watch_look(w, WATCH_KEY);

	if (all)
		watch_set(w, WATCH_CONF, o->file);
	if (all || conf) {
		reload(s, o);
		watch_cert(w, s, d);	/* there may be other paths in it */
	}
	if (all || conf || cert || key)
		reload_cert(s);
}

/* Did the certificate change after the start had read it, before we looked? */
static bool
is_stale(const struct server *s, const struct data *d)
{
	const struct conf *c = server_conf(s);
	struct data_error why;
	struct data_cert now;
	bool stale;

	if (c->listen_https[0] == '\0')
		return false;
	if (data_cert_read(d, c->tls_cert, c->tls_key, &now, &why) != OK)
		return true;	/* reading it again says why */
	stale = !span_eq(buf_span(&now.cert_pem), buf_span(&d->cert_pem)) ||
	    !span_eq(buf_span(&now.key_pem), buf_span(&d->key_pem));
	data_cert_fini(&now);
	return stale;
}

/*
 * Until SIGTERM or SIGINT; a second one while we stop ends at once. The watch
 * knows the configuration as it was before it was read.
 */
static int
wait_for_end(struct server *s, const struct options *o, const struct data *d,
    struct watch *w, const sigset_t *set)
{
	const struct timespec second = { 1, 0 };
	struct log l;
	int sig;

	watch_cert(w, s, d);
	if (is_stale(s, d))
		reload_cert(s);
	for (;;) {
		sig = sigtimedwait(set, NULL, &second);
		if (sig > 0 && sig != SIGHUP)
			break;
		if (sig > 0 || errno == EAGAIN)
			refresh(w, s, o, d, sig > 0);
	}
	if (log_begin(&l, LOG_INFO, "stopping")) {
		log_str(&l, "signal", sig == SIGTERM ? "TERM" : "INT");
		log_end(&l);
	}
	if (isatty(STDOUT_FILENO)) {
		printf("\nNightjar is stopping; clients come back by "
		    "themselves.\n");
		fflush(stdout);
	}
	sigset_t end = *set;
	sigdelset(&end, SIGHUP);
	sigprocmask(SIG_UNBLOCK, &end, NULL);
	bool clean = server_close(s);
	if (log_begin(&l, clean ? LOG_INFO : LOG_WARN, "stopped")) {
		log_str(&l, "how", clean ? "clean" : "cut off");
		log_end(&l);
	}
	return clean ? 0 : 1;
}

static int
serve(const struct options *o, struct conf *conf, const struct data *d,
    struct watch *w, uint64_t began_us)
{
	struct server_error why;
	struct server *s;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	(void)sys_fd_limit();
	if (server_open(conf, d, &s, &why) != OK)
		return fail(1, why.text);
	say_ready(conf, d, sys_mono_us() - began_us);
	return wait_for_end(s, o, d, w, &set);
}

static int
with_data(const struct options *o, struct conf *conf, struct watch *w,
    uint64_t began_us)
{
	struct data_error why;
	struct data d;
	int status;

	if (data_open(&d, o->data, conf->tls_cert, conf->tls_key,
	    conf->tls_names, &why) != OK || data_tokens(&d,
	    conf->tokens_algorithm, conf->tokens_key, conf->tokens_previous,
	    &why) != OK) {
		status = fail(1, why.text);
		conf_free(conf);
	} else if (strcmp(o->command, "init") == 0) {
		printf("The data directory %s is ready.\n", d.path);
		conf_free(conf);
		status = 0;
	} else if (strcmp(o->command, "user") == 0) {
		status = main_user(conf, &d, o->words, o->words_n, o->json);
		conf_free(conf);
	} else if (strcmp(o->command, "audit") == 0) {
		status = main_audit(conf, &d, o->words, o->words_n, o->json);
		conf_free(conf);
	} else {
		status = serve(o, conf, &d, w, began_us);
	}
	data_close(&d);
	return status;
}

int
main(int argc, char **argv)
{
	uint64_t began_us = sys_mono_us();
	struct options o = { .command = "serve" };
	struct watch w = { .n = 0 };
	struct conf_error e;
	struct conf *conf;
	int status = parse(&o, argc, argv);

	if (status >= 0)
		goto out;
	harden();
	default_data(&o);
	watch_set(&w, WATCH_CONF, o.file);
	if (load(&o, &conf, &e) != OK) {
		status = fail(EXIT_USAGE, e.text);
		goto out;
	}
	log_start(conf);
	if (tls_setup() != OK || host_init() != OK) {
		status = fail(1, "OpenSSL can not be set up");
		conf_free(conf);
	} else if (strcmp(o.command, "health") == 0) {
		const char *why = probe_ready(conf->listen_http);

		if (why == NULL)
			puts("ready");
		status = why == NULL ? 0 : fail(1, why);
		conf_free(conf);
	} else if (strcmp(o.command, "serve") == 0 ||
	    strcmp(o.command, "init") == 0 ||
	    strcmp(o.command, "audit") == 0 ||
	    strcmp(o.command, "user") == 0) {
		status = with_data(&o, conf, &w, began_us);
	} else {
		status = fail(EXIT_USAGE, "the command is none of serve, "
		    "init, health, user and audit");
		conf_free(conf);
	}
out:
	for (size_t i = 0; i < o.sets_n; i++)
		free(o.texts[i]);
	return status;
}
