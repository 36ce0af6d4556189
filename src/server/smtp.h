/*
 * smtp.h: hands one mail to a mail server (RFC 5321), by libcurl, which is
 * loaded when the first mail is sent: a server without mail has nothing of it
 * in its memory. Blocks: for a thread of its own.
 */
#ifndef SERVER_SMTP_H
#define SERVER_SMTP_H

#include <stdatomic.h>

#include "base/bytes.h"

/* Where and how; strings as in the configuration (mail.*). */
struct smtp {
	const char *url, *user, *password_file, *from, *ca, *tls;
	uint64_t timeout_ms;
};

#define SMTP_WHY_MAX 200

/*
 * smtp_send(s, to, text, stop, why_out):
 * Hands over one mail. Certificates are checked; over smtp:// the connection
 * is upgraded (RFC 3207) as s->tls says, before a password is sent.
 *   to       in   address, text with a NUL
 *   text     in   headers and body, lines end in CRLF
 *   stop     in   ends it soon once true
 *   why_out  out  on failure, for the operator; it names no recipient
 * ERR_UNAVAILABLE: try again later.  ERR_FORBIDDEN: it was refused for good
 * (a 5yz reply to the recipient or the mail).
 */
MUST_USE enum err smtp_send(const struct smtp *s, const char *to,
    struct span text, const atomic_bool *stop, char why_out[SMTP_WHY_MAX]);

#endif
