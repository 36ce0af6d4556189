/*
 * link.c: the connections of the load: WebSocket frames, Engine.IO and
 * Socket.IO packets, just what a well-behaved client says. Frames are masked
 * with the key 0 (allowed by RFC 6455 5.3, and no work for the generator).
 * exports load_*
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load.h"

enum { LINK_NEW, LINK_HTTP, LINK_OPEN, LINK_READY, LINK_DEAD };

#define READ_MAX ((size_t)256 << 10)
#define EVENTS_MAX 512

uint64_t
load_now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

enum err
load_open(struct load *l, const struct load_conf *c, size_t links)
{
	size_t n = c->bytes + 61;	/* commitment, tag, padding's length */
	uint8_t *plain = calloc(1, n);
	char *text = malloc(BASE64_LEN(n));

	*l = (struct load){ .conf = c, .n = links };
	l->ep = epoll_create1(EPOLL_CLOEXEC);
	l->links = calloc(links, sizeof(*l->links));
	l->messages_max = (size_t)8 << 20;
	l->sent_us = calloc(l->messages_max, sizeof(*l->sent_us));
	if (plain == NULL || text == NULL || l->ep < 0 || l->links == NULL ||
	    l->sent_us == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < n; i++)
		plain[i] = (uint8_t)(i * 73);
	l->body = span_of(text, base64_encode(span_of(plain, n), text));
	free(plain);
	return OK;
}

void
load_close(struct load *l)
{
	for (size_t i = 0; i < l->n; i++) {
		if (l->links[i].fd > 0)
			close(l->links[i].fd);
		free(l->links[i].in);
		free(l->links[i].out);
	}
	free(l->links);
	free(l->sent_us);
	close(l->ep);
}

static void
link_die(struct load *l, struct link *k, const char *why)
{
	if (k->state == LINK_DEAD)
		return;
	if (l->dead++ == 0)
		snprintf(l->why, sizeof(l->why), "%s (%s)", why,
		    strerror(errno));
	k->state = LINK_DEAD;
	close(k->fd);
	k->fd = -1;
}

static void
link_keep(uint8_t **p, uint32_t *n, uint32_t *cap, struct span more)
{
	if (*n + more.n > *cap) {
		*cap = (uint32_t)(*n + more.n) * 2;
		*p = realloc(*p, *cap);
		if (*p == NULL)
			abort();
	}
	memcpy(*p + *n, more.p, more.n);
	*n += (uint32_t)more.n;
}

static void
link_watch(struct load *l, struct link *k, bool want_write)
{
	struct epoll_event e = { .data.u32 = k->index, .events = EPOLLIN |
	    (want_write ? (uint32_t)EPOLLOUT : 0) };

	if (k->want_write == want_write)
		return;
	k->want_write = want_write;
	epoll_ctl(l->ep, EPOLL_CTL_MOD, k->fd, &e);
}

static void
link_write(struct load *l, struct link *k, struct span s)
{
	ssize_t n = 0;

	if (k->state == LINK_DEAD)
		return;
	if (k->out_n == 0) {
		n = send(k->fd, s.p, s.n, MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN) {
			link_die(l, k, "send failed");
			return;
		}
		n = n < 0 ? 0 : n;
	}
	if ((size_t)n < s.n) {
		link_keep(&k->out, &k->out_n, &k->out_cap,
		    span_sub(s, (size_t)n, s.n));
		link_watch(l, k, true);
	}
}

/* A masked text frame (RFC 6455 5.2). */
static void
link_frame(struct load *l, struct link *k, struct span text)
{
	uint8_t frame[4096];
	struct wr w = wr_init(frame, sizeof(frame));

	wr_u8(&w, 0x81);
	if (text.n < 126) {
		wr_u8(&w, (uint8_t)(0x80 | text.n));
	} else {
		wr_u8(&w, 0x80 | 126);
		wr_u16(&w, (uint16_t)text.n);
	}
	wr_u32(&w, 0);
	wr_span(&w, text);
	if (!wr_ok(&w))
		abort();
	link_write(l, k, wr_done(&w));
}

void
load_connect(struct load *l, size_t i, const struct person *who)
{
	struct link *k = &l->links[i];
	struct sockaddr_in to = { .sin_family = AF_INET,
	    .sin_port = htons((uint16_t)l->conf->port) };
	struct epoll_event e = { .events = EPOLLIN, .data.u32 = (uint32_t)i };
	char head[512];
	int one = 1;

	k->index = (uint32_t)i;
	k->who = who;
	k->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	inet_pton(AF_INET, l->conf->host, &to.sin_addr);
	if (k->fd < 0 || connect(k->fd, (struct sockaddr *)&to,
	    sizeof(to)) != 0) {
		link_die(l, k, "cannot connect");
		return;
	}
	setsockopt(k->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	fcntl(k->fd, F_SETFL, O_NONBLOCK);
	epoll_ctl(l->ep, EPOLL_CTL_ADD, k->fd, &e);
	snprintf(head, sizeof(head),
	    "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n"
	    "Host: %s:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	    "Sec-WebSocket-Version: 13\r\n"
	    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
	    l->conf->host, l->conf->port);
	k->state = LINK_HTTP;
	link_write(l, k, span_str(head));
}

void
load_send(struct load *l, size_t i, uint64_t intended_us)
{
	struct link *k = &l->links[i];
	uint8_t text[4000], id[ID_LEN] = { 0 };
	char id_text[ID_TEXT_LEN + 1];
	struct wr w = wr_init(text, sizeof(text));
	size_t number = l->messages;

	if (number >= l->messages_max || k->state != LINK_READY)
		return;
	l->messages++;
	l->sent_us[number] = intended_us;
	/* The message's number travels in its clientMessageId. */
	for (size_t b = 0; b < 4; b++)
		id[b] = (uint8_t)(number >> (24 - 8 * b));
	memcpy(id + 4, k->who->id.b + 4, 12);
	id_v4(id, id);
	id_encode(id, id_text);
	wr_str(&w, "42");
	wr_dec(&w, number);		/* its ack id, too */
	wr_str(&w, "[\"message:send\",{\"chatId\":\"");
	wr_str(&w, k->chat);
	wr_str(&w, "\",\"clientMessageId\":\"");
	wr_str(&w, id_text);
	wr_str(&w, "\",\"iv\":\"AAAAAAAAAAAAAAAA\",\"encryptedContent\":\"");
	wr_span(&w, l->body);
	wr_str(&w, "\"}]");
	k->inflight++;
	link_frame(l, k, wr_done(&w));
}

/* The number that load_send put into the clientMessageId of this text. */
static bool
message_number(const struct load *l, struct span text, size_t *out)
{
	static const char key[] = "\"clientMessageId\":\"";
	const uint8_t *at = memmem(text.p, text.n, key, sizeof(key) - 1);
	uint8_t b[4];
	size_t from;

	if (at == NULL)
		return false;
	from = (size_t)(at - text.p) + sizeof(key) - 1;
	if (from + 8 > text.n || !hex_decode(span_sub(text, from, 8), b))
		return false;
	*out = (size_t)b[0] << 24 | (size_t)b[1] << 16 | (size_t)b[2] << 8 |
	    b[3];
	return *out < l->messages;
}

static void
on_ack(struct load *l, struct link *k, struct span text, uint64_t now_us)
{
	size_t digits = 2;
	uint64_t number;

	k->inflight--;
	while (digits < text.n && text.p[digits] >= '0' &&
	    text.p[digits] <= '9')
		digits++;
	if (memmem(text.p, text.n, "\"error\"", 7) != NULL) {
		if (l->refused++ == 0)
			snprintf(l->why, sizeof(l->why), "%.*s",
			    (int)(text.n < 200 ? text.n : 200), text.p);
	} else if (l->measure && l->messages > 0 &&
	    span_u64(span_sub(text, 2, digits - 2), l->messages - 1,
	    &number)) {
		l->acked++;
		hist_add(&l->ack, now_us - l->sent_us[number]);
	}
	if (l->refill)
		load_send(l, k->index, now_us);
}

static void
on_event(struct load *l, struct link *k, struct span text, uint64_t now_us)
{
		size_t number;

	if (k->state == LINK_OPEN && span_starts(text, SPAN("42[\"connection:acknowledged\""))) {
		k->state = LINK_READY;
		l->ready++;
	} else if (span_starts(text, SPAN("42[\"message:new\""))) {
		if (l->measure && message_number(l, text, &number)) {
			l->delivered++;
			hist_add(&l->delivery, now_us - l->sent_us[number]);
		}
	}
}

static void
on_text(struct load *l, struct link *k, struct span text, uint64_t now_us)
{
	char hello[2200];

	if (text.n == 0)
		return;
	switch (text.p[0]) {
	case '0':			/* Engine.IO open */
		snprintf(hello, sizeof(hello), "40{\"token\":\"%s\"}",
		    k->who->token);
		k->state = LINK_OPEN;
		link_frame(l, k, span_str(hello));
		return;
	case '2':			/* ping */
		link_frame(l, k, SPAN("3"));
		return;
	case '4':
		break;
	default:
		return;
	}
	if (span_starts(text, SPAN("43")))
		on_ack(l, k, text, now_us);
	else if (span_starts(text, SPAN("42")))
		on_event(l, k, text, now_us);
	else if (span_starts(text, SPAN("44")) ||
	    span_starts(text, SPAN("41")))
		link_die(l, k, "the server refused the connection");
}

/* Takes whole frames from the front; how many bytes were used. */
static size_t
on_bytes(struct load *l, struct link *k, struct span in, uint64_t now_us)
{
	size_t used = 0;

	if (k->state == LINK_HTTP) {
		const uint8_t *end = memmem(in.p, in.n, "\r\n\r\n", 4);

		if (end == NULL)
			return 0;
		if (!span_starts(in, SPAN("HTTP/1.1 101"))) {
			link_die(l, k, "no upgrade");
			return in.n;
		}
		used = (size_t)(end - in.p) + 4;
	}
	for (;;) {
		struct rd r = rd_init(span_sub(in, used, in.n));
		uint8_t op = rd_u8(&r) & 15;
		uint64_t n = rd_u8(&r) & 127;
		struct span payload;

		if (n == 126)
			n = rd_u16(&r);
		else if (n == 127)
			n = rd_u64(&r);
		payload = rd_span(&r, (size_t)n);
		if (r.bad)
			return used;
		used = in.n - r.n;
		if (op == 1)
			on_text(l, k, payload, now_us);
		else if (op == 8)
			link_die(l, k, "closed by the server");
		if (k->state == LINK_DEAD)
			return in.n;
	}
}

static void
on_readable(struct load *l, struct link *k)
{
	static uint8_t mem[READ_MAX];
	uint64_t now_us;
	struct span in;
	size_t used;
	ssize_t n = recv(k->fd, mem, sizeof(mem), 0);

	if (n <= 0) {
		if (n == 0 || errno != EAGAIN)
			link_die(l, k, "connection lost");
		return;
	}
	now_us = load_now_us();
	in = span_of(mem, (size_t)n);
	if (k->in_n > 0) {
		link_keep(&k->in, &k->in_n, &k->in_cap, in);
		in = span_of(k->in, k->in_n);
	}
	used = on_bytes(l, k, in, now_us);
	if (k->in_n > 0) {
		memmove(k->in, k->in + used, in.n - used);
		k->in_n = (uint32_t)(in.n - used);
	} else if (used < in.n) {
		link_keep(&k->in, &k->in_n, &k->in_cap,
		    span_sub(in, used, in.n));
	}
}

static void
on_writable(struct load *l, struct link *k)
{
	ssize_t n = send(k->fd, k->out, k->out_n, MSG_NOSIGNAL);

	if (n < 0 && errno != EAGAIN) {
		link_die(l, k, "send failed");
		return;
	}
	if (n > 0) {
		memmove(k->out, k->out + n, k->out_n - (size_t)n);
		k->out_n -= (uint32_t)n;
	}
	if (k->out_n == 0)
		link_watch(l, k, false);
}

void
load_poll(struct load *l, uint64_t until_us)
{
	struct epoll_event events[EVENTS_MAX];
	uint64_t now = load_now_us();
	uint64_t wait = until_us > now ? until_us - now : 0;
	struct timespec t = { (time_t)(wait / 1000000),
	    (long)(wait % 1000000) * 1000 };
	int n = epoll_pwait2(l->ep, events, EVENTS_MAX, &t, NULL);

	for (int i = 0; i < n; i++) {
		struct link *k = &l->links[events[i].data.u32];

		if (k->state != LINK_DEAD && (events[i].events & EPOLLOUT))
			on_writable(l, k);
		if (k->state != LINK_DEAD && (events[i].events &
		    (EPOLLIN | EPOLLERR | EPOLLHUP)))
			on_readable(l, k);
	}
}
