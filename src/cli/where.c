/*
 * where.c: see where.h.
 */
#include "cli/where.h"

#include <assert.h>

#include "base/text.h"

#define SHA256_HEX 64

static bool
is_host_char(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

static bool
take_scheme(struct where *w, struct span *s)
{
	if (span_starts(*s, SPAN("https://"))) {
		w->tls = true;
		w->port = 443;
		*s = span_sub(*s, 8, s->n);
		return true;
	}
	if (span_starts(*s, SPAN("http://"))) {
		w->port = 80;
		*s = span_sub(*s, 7, s->n);
		return true;
	}
	return false;
}

/* "name", "1.2.3.4" or "[::1]". */
static bool
take_host(struct where *w, struct span *s)
{
	size_t n = 0;
	if (s->n > 0 && s->p[0] == '[') {
		size_t end = span_find(*s, ']');
		struct sys_addr a;
		if (end == s->n || end - 1 > WHERE_HOST_MAX)
			return false;
		memcpy(w->host, s->p + 1, end - 1);
		w->host[end - 1] = '\0';
		*s = span_sub(*s, end + 1, s->n);
		return sys_addr_decode(w->host, 0, &a);
	}
	while (n < s->n && is_host_char(s->p[n]))
		n++;
	if (n == 0 || n > WHERE_HOST_MAX)
		return false;
	memcpy(w->host, s->p, n);
	w->host[n] = '\0';
	*s = span_sub(*s, n, s->n);
	return true;
}

static bool
take_port(struct where *w, struct span *s)
{
	uint64_t port;
	if (s->n == 0 || s->p[0] != ':')
		return true;
	size_t n = span_find(*s, '/');
	if (!span_u64(span_sub(*s, 1, n - 1), 65535, &port) || port == 0)
		return false;
	w->port = (uint16_t)port;
	*s = span_sub(*s, n, s->n);
	return true;
}

enum err
where_init(struct where *w, const char *url, const char **why_out)
{
	struct span s = span_str(url);
	memset(w, 0, sizeof(*w));
	if (s.n > WHERE_URL_MAX - 10)
		*why_out = "the address is too long";
	else if (!take_scheme(w, &s))
		*why_out = "the address has to begin with https:// (or with "
		    "http:// for this machine)";
	else if (!take_host(w, &s))
		*why_out = "the address names no valid host";
	else if (!take_port(w, &s))
		*why_out = "the port has to be a number from 1 to 65535";
	else if (s.n > 1 || (s.n == 1 && s.p[0] != '/'))
		*why_out = "nothing may follow host and port in the address";
	else {
		bool v6 = strchr(w->host, ':') != NULL;
		bool usual = w->port == (w->tls ? 443 : 80);
		int n = snprintf(w->authority, sizeof(w->authority),
		    "%s%s%s", v6 ? "[" : "", w->host, v6 ? "]" : "");
		if (!usual)
			snprintf(w->authority + n,
			    sizeof(w->authority) - (size_t)n, ":%u",
			    (unsigned)w->port);
		snprintf(w->url, sizeof(w->url), "%s://%s",
		    w->tls ? "https" : "http", w->authority);
		return OK;
	}
	return ERR_VALIDATION;
}

void
where_fini(struct where *w)
{
	tls_ctx_unref(w->ctx);
	w->ctx = NULL;
}

enum err
where_resolve(struct where *w)
{
	if (w->addr_n == 0)
		TRY(sys_resolve(w->host, w->port, w->addr, WHERE_ADDRS_MAX,
		    &w->addr_n));
	/* Without TLS the password would cross a network in the clear. */
	for (size_t i = 0; !w->tls && i < w->addr_n; i++)
		if (!sys_addr_is_loopback(&w->addr[i]))
			return ERR_FORBIDDEN;
	if (w->tls && w->ctx == NULL)
		TRY(tls_ctx_client((struct span){ 0 }, where_verify,
		    &w->ctx));
	return OK;
}

bool
where_verify(void *arg, const struct tls_peer *peer)
{
	struct where *w = arg;
	/* A pin is a decision of the user: it stands above the CAs. */
	bool good = w->has_pin ?
	    memcmp(w->pin, peer->sha256, sizeof(w->pin)) == 0 : peer->trusted;
	w->refused = !good;
	if (!good) {
		memcpy(w->seen, peer->sha256, sizeof(w->seen));
		snprintf(w->why, sizeof(w->why), "%s", w->has_pin ?
		    "it is another one than the pinned certificate" :
		    peer->why_not != NULL ? peer->why_not : "it is not trusted");
	}
	return good;
}

bool
where_pin_decode(const char *text, uint8_t out[static 32])
{
	char hex[SHA256_HEX];
	size_t n = 0;
	if (strncasecmp(text, "sha256:", 7) == 0)
		text += 7;
	for (; *text != '\0'; text++) {
		/* A colon stands between two whole bytes only. */
		if (*text == ':' && n % 2 == 0 && n > 0 && text[1] != '\0' &&
		    text[1] != ':')
			continue;
		if ((*text == ' ' || *text == '\n') && n % 2 == 0 && n > 0)
			continue;
		if (n == SHA256_HEX)
			return false;
		hex[n++] = *text;
	}
	return n == SHA256_HEX && hex_decode(span_of(hex, n), out);
}

void
where_pin_text(const uint8_t pin[static 32], char out[static WHERE_PIN_TEXT])
{
	static const char digits[] = "0123456789ABCDEF";
	struct wr w = wr_init((uint8_t *)out, WHERE_PIN_TEXT - 1);
	for (size_t i = 0; i < 32; i++) {
		if (i > 0)
			wr_str(&w, i == 16 ? ":\n  " : ":");
		wr_u8(&w, (uint8_t)digits[pin[i] >> 4]);
		wr_u8(&w, (uint8_t)digits[pin[i] & 15]);
	}
	assert(wr_ok(&w));
	out[w.n] = '\0';
}
