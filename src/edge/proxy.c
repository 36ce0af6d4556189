/*
 * proxy.c: what a trusted proxy says about the client it speaks for. exports
 * edge_proxy_*, edge_net_decode
 *
 * Implementation notes. Every hop adds a member at the right end of a list;
 * what stands left of the first member that an untrusted peer could have
 * written may be anything. So the list is walked from the right, starting at
 * the connection's own peer, as long as the address reached is a trusted one.
 * Only one family of fields is believed (conf.forwarded): a proxy that writes
 * the one passes the other through from its client.
 */
#include "edge/private.h"

#define MEMBERS_MAX 32		/* hops looked at, from the right */

/* Members of a list, the last ones of it. */
struct members {
	struct span at[MEMBERS_MAX];
	size_t n;
};

/* ---- Networks ---- */

bool
edge_net_decode(struct span text, struct edge_net *out)
{
	size_t slash = span_find(text, '/');
	char ip[SYS_ADDR_TEXT];
	uint64_t bits = 0;
	struct sys_addr a;
	unsigned room;

	if (slash == 0 || slash >= sizeof ip)
		return false;
	memcpy(ip, text.p, slash);
	ip[slash] = '\0';
	if (!sys_addr_decode(ip, 0, &a))
		return false;
	room = span_find(text, ':') < slash ? 128 : 32;
	if (slash == text.n)
		bits = room;
	else if (!span_u64(span_sub(text, slash + 1, text.n), room, &bits))
		return false;
	*out = (struct edge_net){ a, (uint8_t)(bits + 128 - room) };
	return true;
}

static bool
is_in(const struct edge_net *net, const struct sys_addr *a)
{
	size_t whole = net->bits / 8;
	unsigned mask = 0xff00u >> net->bits % 8 & 0xff;

	return memcmp(net->addr.ip, a->ip, whole) == 0 && (mask == 0 ||
	    ((net->addr.ip[whole] ^ a->ip[whole]) & mask) == 0);
}

bool
edge_proxy_is_trusted(const struct edge *e, const struct sys_addr *a)
{
	for (size_t i = 0; i < e->trusted_n; i++)
		if (is_in(&e->trusted[i], a))
			return true;
	return false;
}

/* ---- Lists ---- */

static void
add(struct members *m, struct span one)
{
	if (m->n == MEMBERS_MAX) {
		memmove(m->at, m->at + 1, sizeof m->at - sizeof m->at[0]);
		m->n--;
	}
	m->at[m->n++] = span_trim(one);
}

/* Where the member or part at the front ends: at `mark` outside quotes. */
static size_t
part_end(struct span s, uint8_t mark)
{
	bool quoted = false;

	for (size_t i = 0; i < s.n; i++) {
		if (quoted && s.p[i] == '\\')
			i++;
		else if (s.p[i] == '"')
			quoted = !quoted;
		else if (!quoted && s.p[i] == mark)
			return i;
	}
	return s.n;
}

static void
collect(const struct http_msg *h, const char *name, struct members *m)
{
	struct span want = span_str(name);

	m->n = 0;
	for (size_t i = 0; i < h->field_n; i++) {
		struct span list = h->field[i].value;

		if (!span_eq_nocase(h->field[i].name, want))
			continue;
		for (;;) {
			size_t end = part_end(list, ',');

			add(m, span_sub(list, 0, end));
			if (end == list.n)
				break;
			list = span_sub(list, end + 1, list.n);
		}
	}
}

/* ---- What a member says ---- */

/* "1.2.3.4", "1.2.3.4:5", "::1", "[::1]", "[::1]:5"; false: no address. */
static bool
addr_of(struct span s, struct sys_addr *out)
{
	struct span ip = s, port = { NULL, 0 };
	char text[SYS_ADDR_TEXT];
	uint64_t n = 0;
	size_t end;

	if (s.n > 0 && s.p[0] == '[') {
		end = span_find(s, ']');
		ip = span_sub(s, 1, end - 1);
		port = span_sub(s, end + 1, s.n);
		if (end == s.n || (port.n > 0 && port.p[0] != ':'))
			return false;
		port = span_sub(port, 1, port.n);
	} else if ((end = span_find(s, ':')) < s.n &&
	    span_find(span_sub(s, end + 1, s.n), ':') == s.n - end - 1) {
		ip = span_sub(s, 0, end);
		port = span_sub(s, end + 1, s.n);
	}
	if (ip.n == 0 || ip.n >= sizeof text || (port.n > 0 &&
	    !span_u64(port, 65535, &n)))
		return false;
	memcpy(text, ip.p, ip.n);
	text[ip.n] = '\0';
	return sys_addr_decode(text, (uint16_t)n, out);
}

/* RFC 7239 4: the value of a parameter, without its quotes. */
static struct span
parameter(struct span member, struct span name)
{
	while (member.n > 0) {
		size_t end = part_end(member, ';');
		struct span pair = span_trim(span_sub(member, 0, end));
		size_t eq = span_find(pair, '=');
		struct span value = span_sub(pair, eq + 1, pair.n);

		if (span_eq_nocase(span_sub(pair, 0, eq), name)) {
			if (value.n >= 2 && value.p[0] == '"' &&
			    value.p[value.n - 1] == '"')
				value = span_sub(value, 1, value.n - 2);
			return value;
		}
		member = span_sub(member, end + 1, member.n);
	}
	return span_of(NULL, 0);
}

/* The member of another list that stands beside member i of n: or its last. */
static struct span
beside(const struct members *m, size_t i, size_t n)
{
	if (m->n == 0)
		return span_of(NULL, 0);
	return m->at[m->n == n ? i : m->n - 1];
}

static void
believe(struct edge_request *req, struct span proto, struct span host)
{
	if (span_eq_nocase(proto, SPAN("https")) ||
	    span_eq_nocase(proto, SPAN("wss")))
		req->tls = true;
	else if (span_eq_nocase(proto, SPAN("http")) ||
	    span_eq_nocase(proto, SPAN("ws")))
		req->tls = false;
	if (http_is_authority(host))
		req->host = host;
}

/*
 * Walks the hops from the right. The client is the first address that is no
 * trusted one; the leftmost one where all are; the last one known where a
 * member is no address ("unknown", a name, nonsense).
 */
static void
forwarded(struct conn *c, const struct http_msg *h, struct edge_request *req)
{
	bool x = c->edge->conf.forwarded == EDGE_FORWARDED_X;
	struct members hops, protos, hosts;
	struct sys_addr a;
	size_t i;

	collect(h, x ? "x-forwarded-for" : "forwarded", &hops);
	for (i = hops.n; i > 0; i--) {
		if (!addr_of(x ? hops.at[i - 1] : parameter(hops.at[i - 1],
		    SPAN("for")), &a))
			break;
		req->peer = a;
		if (!edge_proxy_is_trusted(c->edge, &a)) {
			i--;
			break;
		}
	}
	if (i == hops.n && i > 0)
		i--;		/* nobody was named; still its word */
	if (!x) {
		if (hops.n > 0)
			believe(req, parameter(hops.at[i], SPAN("proto")),
			    parameter(hops.at[i], SPAN("host")));
		return;
	}
	collect(h, "x-forwarded-proto", &protos);
	collect(h, "x-forwarded-host", &hosts);
	believe(req, beside(&protos, i, hops.n), beside(&hosts, i, hops.n));
}

void
edge_proxy_request(struct conn *c, const struct http_msg *h,
    struct edge_request *req)
{
	*req = (struct edge_request){ .head = h, .body_fd = -1,
	    .peer = c->peer, .host = h->host,
	    .tls = (c->flags & CONN_IS_TLS) != 0 };
	if ((c->flags & CONN_TRUSTED) == 0)
		return;
	req->tls = c->stream.tls != NULL;
	forwarded(c, h, req);
	c->flags &= (uint16_t)~CONN_IS_TLS;
	if (req->tls)
		c->flags |= CONN_IS_TLS;
}
