/*
 * unlock.c: see unlock.h.
 */
#include "cli/unlock.h"

#include <fcntl.h>
#include <unistd.h>

#include "cli/show.h"
#include "cli/strength.h"
#include "cli/tty.h"

#define TRIES 3

void
unlock_wipe(struct unlock *u)
{
	wipe(u, sizeof(*u));
}

/* The first line of a file; - is the standard input. */
static bool
read_line(const char *path, struct unlock *u)
{
	int fd = strcmp(path, "-") == 0 ? STDIN_FILENO :
	    open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = 0;

	if (fd < 0)
		return false;
	u->n = 0;
	while (u->n < UNLOCK_TEXT_MAX && (got = read(fd, u->text + u->n, 1)) >
	    0 && u->text[u->n] != '\n')
		u->n++;
	if (u->n > 0 && u->text[u->n - 1] == '\r')
		u->n--;
	u->text[u->n] = '\0';
	if (fd != STDIN_FILENO)
		close(fd);
	return got >= 0 && u->n > 0;
}

static bool
from_variable(struct unlock *u)
{
	const char *env = getenv("NIGHTJAR_BACKUP_KEY");

	if (env == NULL || *env == '\0' || strlen(env) > UNLOCK_TEXT_MAX)
		return false;
	u->n = strlen(env);
	memcpy(u->text, env, u->n + 1);
	return true;
}

/* Fifty-six characters of base32 are no phrase that people choose. */
static bool
is_key(const struct unlock *u)
{
	size_t n = 0;

	for (size_t i = 0; i < u->n; i++) {
		char c = u->text[i];
		bool blank = c == '-' || c == ' ' || c == '\t';

		if (!blank && !((c >= '0' && c <= '9') ||
		    (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')))
			return false;
		n += !blank;
	}
	return n > 50 && n < 60;
}

static enum exit_status
check_phrase(struct host *h, const struct unlock *u)
{
	uint32_t code;

	if (strength_is_stable(span_of(u->text, u->n), &code))
		return EXIT_OK;
	if (code == 0)
		host_error(h, "the passphrase is no UTF-8 text");
	else
		host_error(h, "the passphrase has a character (U+%04X) that "
		    "may be written in more than one way; leave it out, or "
		    "write it as one character", (unsigned)code);
	return EXIT_USAGE;
}

enum exit_status
unlock_ask(struct host *h, struct unlock *u)
{
	const char *file = h->args->key_file;

	memset(u, 0, sizeof(*u));
	if (file != NULL && !read_line(file, u)) {
		host_error(h, "no key can be read from %s", file);
		return EXIT_USAGE;
	}
	if (file == NULL && !from_variable(u) && (tty_ask(
	    "Recovery key, or passphrase of the backup: ", false, u->text,
	    UNLOCK_TEXT_MAX, &u->n) != OK || u->n == 0)) {
		host_error(h, "what opens the backup is missing: give "
		    "--key-file, or set NIGHTJAR_BACKUP_KEY");
		return EXIT_USAGE;
	}
	u->kind = !h->args->passphrase && is_key(u) ? UNLOCK_RECOVERY_KEY :
	    UNLOCK_PASSPHRASE;
	return u->kind == UNLOCK_PASSPHRASE ? check_phrase(h, u) : EXIT_OK;
}

static enum exit_status
tell_key(struct host *h, const struct unlock *u)
{
	struct buf out;
	enum err e;

	buf_init(&out, 1024);
	if (h->args->json) {
		e = buf_add_str(&out, "{");
		if (e == OK)
			e = show_json_str(&out, "recoveryKey",
			    span_of(u->text, u->n));
		if (e == OK)
			e = buf_add_str(&out, "}");
	} else {
		e = buf_add_str(&out, "This recovery key opens the backup. It "
		    "is shown this once: write it down, on paper,\nand keep "
		    "it where no device is lost with it.\n\n");
		for (size_t i = 0; e == OK && i < u->n; i += 35) {
			e = buf_add_str(&out, "    ");
			if (e == OK)
				e = buf_add(&out, u->text + i,
				    u->n - i < 34 ? u->n - i : 34);
			if (e == OK)
				e = buf_add_str(&out, "\n");
		}
	}
	if (e == OK)
		e = show_line(&out);
	buf_fini(&out);
	return e == OK ? EXIT_OK : EXIT_FAILED;
}

static enum exit_status
write_key(struct host *h, const char *path, const struct unlock *u)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	bool ok = fd >= 0 && write(fd, u->text, u->n) == (ssize_t)u->n &&
	    write(fd, "\n", 1) == 1 && fsync(fd) == 0;

	if (fd >= 0 && close(fd) != 0)
		ok = false;
	if (!ok)
		host_error(h, "the recovery key cannot be written to %s; a "
		    "file that is there is not replaced", path);
	return ok ? EXIT_OK : EXIT_FAILED;
}

enum exit_status
unlock_new_key(struct host *h, struct unlock *u)
{
	char typed[64];
	size_t n = 0;

	memset(u, 0, sizeof(*u));
	u->kind = UNLOCK_RECOVERY_KEY;
	if (client_recovery_key(&h->client, u->text) != OK) {
		host_error(h, "no recovery key can be made");
		return EXIT_FAILED;
	}
	u->n = strlen(u->text);
	if (h->args->key_file != NULL)
		return write_key(h, h->args->key_file, u);
	enum exit_status st = tell_key(h, u);
	if (st != EXIT_OK || h->args->yes || h->args->json)
		return st;
	for (int i = 0; i < TRIES; i++) {
		if (tty_ask("To be sure that it is written down, type its "
		    "last group: ", true, typed, sizeof(typed), &n) != OK)
			break;
		if (span_eq_nocase(span_of(typed, n),
		    span_of(u->text + u->n - 4, 4)))
			return EXIT_OK;
	}
	host_error(h, "nothing was changed: that key opens nothing");
	return EXIT_FAILED;
}

enum exit_status
unlock_new_phrase(struct host *h, struct unlock *u)
{
	char again[UNLOCK_TEXT_MAX + 1];
	size_t n = 0;

	memset(u, 0, sizeof(*u));
	u->kind = UNLOCK_PASSPHRASE;
	if (h->args->key_file != NULL && !read_line(h->args->key_file, u)) {
		host_error(h, "no passphrase can be read from %s",
		    h->args->key_file);
		return EXIT_USAGE;
	}
	if (h->args->key_file == NULL && !from_variable(u)) {
		enum err e = tty_ask("Passphrase for the backup: ", false,
		    u->text, UNLOCK_TEXT_MAX, &u->n);
		if (e == OK)
			e = tty_ask("The same again: ", false, again,
			    UNLOCK_TEXT_MAX, &n);
		bool same = e == OK && span_eq(span_of(u->text, u->n),
		    span_of(again, n));
		wipe(again, sizeof(again));
		if (!same) {
			host_error(h, "%s", e == OK ? "the two passphrases "
			    "differ" : "there is no terminal to ask for the "
			    "passphrase; give --key-file");
			return EXIT_USAGE;
		}
	}
	unsigned bits = strength_bits(span_of(u->text, u->n));
	if (bits < STRENGTH_LEAST) {
		host_error(h, "this passphrase is too easy to guess (about %u "
		    "bits, %u are needed): whoever steals the server's disk "
		    "can try many. Take six random words, or --recovery-key",
		    bits, STRENGTH_LEAST);
		return EXIT_USAGE;
	}
	return check_phrase(h, u);
}
