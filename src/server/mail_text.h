/*
 * mail_text.h: which mails there are, what stands in them, and the tokens that
 * some carry. A token is made of the mail's id and a key that is not in the
 * database, and only its hash is there: neither a stolen database nor one
 * that is read while mail waits gives a token away.
 */
#ifndef SERVER_MAIL_TEXT_H
#define SERVER_MAIL_TEXT_H

#include "base/id.h"

enum mail_kind {
	MAIL_VERIFY,	/* proves the address */
	MAIL_RESET,	/* lets a new password be chosen */
	MAIL_RESET_DONE,	/* it was */
	MAIL_DELETION,	/* the account is to be erased */
	MAIL_KIND_MAX
};

#define MAIL_TOKEN_LEN 43	/* 32 bytes in base64url */
#define MAIL_TEXT_MAX 4096

/* As in the database. */
const char *mail_kind_name(enum mail_kind k);
bool mail_kind_find(struct span name, enum mail_kind *out);

/*
 * The token of a mail, text with a NUL: HMAC-SHA-256 under the account key
 * over "NJ1 mail token", the kind's name and the id. ERR_PROVIDER.
 */
MUST_USE enum err mail_token(const uint8_t account_key[static 32],
    enum mail_kind k, const struct any_id *id,
    char out[static MAIL_TOKEN_LEN + 1]);

struct mail_text {
	enum mail_kind kind;
	const struct any_id *id;
	struct span to, username;
	const char *from, *name, *link;	/* mail.from, mail.name, mail.link */
	const char *token;		/* of kinds with one, else NULL */
	uint64_t now_ms, expires_ms;
	uint64_t erase_ms;		/* MAIL_DELETION */
};

/*
 * The whole mail (RFC 5322), lines ended by CRLF, into w. ERR_VALIDATION: an
 * address or name that would break a header.  ERR_SPACE: w is full.
 */
MUST_USE enum err mail_write(const struct mail_text *m, struct wr *w);

#endif
