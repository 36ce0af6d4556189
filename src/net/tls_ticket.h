/*
 * tls_ticket.h: keys of session tickets (RFC 8446 4.6.1, RFC 5077 4), shared
 * by all contexts and threads of a process, so that a client resumes on any
 * reactor and after a change of the certificate. They live in memory only and
 * change by time: whoever takes them later can not open what was resumed long
 * before (and every resumption makes a new key exchange besides).
 */
#ifndef NET_TLS_TICKET_H
#define NET_TLS_TICKET_H

#include "base/bytes.h"

struct tls_tickets;

/* How long a key makes tickets; it opens them for as long again. */
#define TLS_TICKETS_PERIOD_MS (6u * 3600 * 1000)

/*
 *   period_ms  in   at least 1; TLS_TICKETS_PERIOD_MS but in tests
 * ERR_NOMEM.
 */
MUST_USE enum err tls_tickets_new(uint64_t period_ms,
    struct tls_tickets **out);
struct tls_tickets *tls_tickets_ref(struct tls_tickets *t);
/* Wiped with the last reference; NULL does nothing. */
void tls_tickets_unref(struct tls_tickets *t);

#define TLS_TICKET_NAME 16

/* One key. Wipe what was copied. */
struct tls_ticket_key {
	uint8_t name[TLS_TICKET_NAME];	/* which one, in the ticket, open */
	uint8_t cipher[32];		/* AES-256-CBC */
	uint8_t mac[32];		/* HMAC-SHA-256 */
};

/* The key that makes tickets now. Any thread. */
void tls_tickets_current(struct tls_tickets *t,
    struct tls_ticket_key *out);
/* The key of a ticket; false when there is none such any more. Any thread. */
bool tls_tickets_find(struct tls_tickets *t,
    const uint8_t name[static TLS_TICKET_NAME], struct tls_ticket_key *out);

#endif
