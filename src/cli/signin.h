/*
 * signin.h: what `register` and `login` share: asking for what was not
 * given, the call, and bringing the device to life.
 */
#ifndef CLI_SIGNIN_H
#define CLI_SIGNIN_H

#include "cli/host.h"

#define SIGNIN_TEXT_MAX 1024

struct signin {
	char username[256];
	char email[256];
	char password[SIGNIN_TEXT_MAX + 1];
	size_t password_n;
	char device[65];
};

/*
 * Name, e-mail (register) and password: from options, environment
 * (NIGHTJAR_USERNAME, NIGHTJAR_EMAIL, NIGHTJAR_PASSWORD), a file, or the
 * terminal. EXIT_USAGE, printed, where something is missing and nobody can
 * be asked.
 */
enum exit_status signin_ask(struct host *h, bool is_new, struct signin *out);
/*
 * POST /api/auth/register or login, then the client's set-up, until the
 * device is ready or the account's keys turn out to be elsewhere
 * (h->keys_missing). Prints what went wrong.
 */
enum exit_status signin_enter(struct host *h, bool is_new,
    const struct signin *s);
/* Waits until h->ready or h->keys_missing. */
enum exit_status signin_settle(struct host *h);
/* Prints who is signed in now. */
enum exit_status signin_tell(struct host *h, bool is_new);
void signin_wipe(struct signin *s);

#endif
