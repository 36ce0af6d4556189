/*
 * where.h: the server's address and how its certificate is trusted: by the
 * system's CAs, or by the SHA-256 fingerprint that the profile pins. Plain
 * http is for this machine only. One per process.
 */
#ifndef CLI_WHERE_H
#define CLI_WHERE_H

#include "base/sys.h"
#include "net/tls.h"

#define WHERE_URL_MAX 300
#define WHERE_HOST_MAX 255
#define WHERE_ADDRS_MAX 8
#define WHERE_PIN_TEXT 99	/* 32 bytes as two rows "AA:BB:...", a NUL */

struct where {
	char url[WHERE_URL_MAX + 1];	/* "https://host:port", no slash */
	char host[WHERE_HOST_MAX + 1];	/* without brackets */
	char authority[WHERE_HOST_MAX + 10];	/* for the Host field */
	uint16_t port;
	bool tls;
	struct sys_addr addr[WHERE_ADDRS_MAX];
	size_t addr_n, addr_at;

	struct tls_ctx *ctx;		/* NULL: plain */
	bool has_pin;
	uint8_t pin[32];
	bool refused;			/* the last handshake was, by us */
	uint8_t seen[32];		/* fingerprint of the refused one */
	char why[120];
};

/*
 * "https://host", "https://host:port/", "http://localhost:3000". Path other
 * than "/", user names and queries are refused. ERR_VALIDATION: *why_out says
 * what is wrong (a literal). Nothing is looked up.
 */
MUST_USE enum err where_init(struct where *w, const char *url,
    const char **why_out);
/* Gives the TLS context back. */
void where_fini(struct where *w);
/*
 * Looks the name up, once (BLOCKS). ERR_NOT_FOUND: no such host.
 * ERR_FORBIDDEN: plain http to another machine. ERR_PROVIDER: TLS.
 */
MUST_USE enum err where_resolve(struct where *w);
/* The verify function's argument is the struct where (net/tls.h). */
bool where_verify(void *arg, const struct tls_peer *peer);

/*
 * 64 hex digits, colons and blanks allowed between bytes (as where they were
 * copied from two rows), "sha256:" before.
 */
bool where_pin_decode(const char *text, uint8_t out[static 32]);
/* Two rows of 16 bytes, the second one indented by two, as the server's. */
void where_pin_text(const uint8_t pin[static 32],
    char out[static WHERE_PIN_TEXT]);

#endif
