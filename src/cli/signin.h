/*
 * signin.h: what `register` and `login` share: asking for what was not
 * given, the call, and bringing the device to life.
 */
#ifndef CLI_SIGNIN_H
#define CLI_SIGNIN_H

#include "cli/host.h"

#define SIGNIN_TEXT_MAX 1024

/* Bits of what was asked at the terminal, or refused by the server. */
enum signin_part { SIGNIN_USERNAME = 1, SIGNIN_EMAIL = 2, SIGNIN_PASSWORD = 4 };
#define SIGNIN_TRIES 5	/* of answers that the server refuses */

struct signin {
	char username[256];
	char email[256];
	char password[SIGNIN_TEXT_MAX + 1];
	size_t password_n;
	char device[65];
	unsigned asked, wrong;	/* enum signin_part */
	bool cancels;		/* an account that is to be deleted is kept */
	bool pending;		/* out: refused, since it is to be deleted */
	char known[HOST_KNOWN_MAX + 1];	/* from and for h->account */
	bool waits;		/* out: made, but the address comes first */
};

/*
 * Name, e-mail (register) and password: from options, environment
 * (NIGHTJAR_USERNAME, NIGHTJAR_EMAIL, NIGHTJAR_PASSWORD), a file, or the
 * terminal. EXIT_USAGE, printed, where something is missing and nobody can
 * be asked.
 */
enum exit_status signin_ask(struct host *h, bool is_new, struct signin *out);
/*
 * Asks anew for what the server refused (s->wrong) and the terminal gave.
 * EXIT_REFUSED: nothing of it, so there is nothing to ask.
 */
enum exit_status signin_ask_again(struct host *h, bool is_new,
    struct signin *s);
/*
 * POST /api/auth/register or login, then the client's set-up, until the
 * device is ready or the account's keys turn out to be elsewhere
 * (h->keys_missing). Prints what went wrong and notes it in s->wrong.
 */
enum exit_status signin_enter(struct host *h, bool is_new, struct signin *s);
/* Waits until h->ready or h->keys_missing. */
enum exit_status signin_settle(struct host *h);
/* Prints who is signed in now. */
enum exit_status signin_tell(struct host *h, bool is_new);
void signin_wipe(struct signin *s);

#endif
