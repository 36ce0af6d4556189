/*
 * mails.h: putting a mail into the outbox, in the transaction of what it tells.
 */
#ifndef SERVER_OPS_MAILS_H
#define SERVER_OPS_MAILS_H

#include "server/call.h"
#include "server/mailer.h"

/* Does this server send mail? */
bool mails_are_sent(const struct call *c);

/*
 * In write: a mail to that account, with a token that is valid from now on
 * where its kind has one. Where no mail is sent nothing is done.
 */
MUST_USE enum err mails_put(struct call *c, struct txn *t,
    const struct user_id *user, struct span recipient, enum mail_kind kind);
/* SHA-256 of a token's text: what the database has of it. ERR_PROVIDER. */
MUST_USE enum err mails_token_hash(struct span token, uint8_t out[static 32]);

/* In the sweep: tokens that are over, mail that was given up long ago. */
MUST_USE enum err mails_sweep(struct call *c, struct txn *t);

/* State of the ops mail_look (n: 1 when something is due) and mail_take. */
struct mails_due {
	struct mailer_row rows[MAILER_JOBS];
	size_t n;
};

#endif
