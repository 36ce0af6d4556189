/*
 * setup.c: people and chats for a run, made over REST with blocking sockets:
 * this is before the clock starts. exports setup_*
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load.h"

static void
setup_fail(const char *what, const char *answer)
{
	fprintf(stderr, "nightjar-bench: %s: %.400s\n", what, answer);
	exit(1);
}

/* One request on a connection of its own; the whole answer with its head. */
static void
setup_ask(const struct load_conf *c, const char *path, const char *token,
    const char *body, char *answer, size_t cap)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
	    .sin_port = htons((uint16_t)c->port) };
	char head[4096];
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	size_t n = 0;
	ssize_t got;

	if (inet_pton(AF_INET, c->host, &to.sin_addr) != 1)
		setup_fail("--host wants an IPv4 address", c->host);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		setup_fail("cannot connect", c->host);
	snprintf(head, sizeof(head), "POST %s HTTP/1.1\r\nHost: %s:%d\r\n"
	    "Content-Type: application/json\r\nContent-Length: %zu\r\n%s%s%s"
	    "Connection: close\r\n\r\n", path, c->host, c->port, strlen(body),
	    token != NULL ? "Authorization: Bearer " : "",
	    token != NULL ? token : "", token != NULL ? "\r\n" : "");
	if (write(fd, head, strlen(head)) < 0 ||
	    write(fd, body, strlen(body)) < 0)
		setup_fail("cannot write", path);
	while (n < cap - 1 && (got = read(fd, answer + n, cap - 1 - n)) > 0)
		n += (size_t)got;
	answer[n] = '\0';
	close(fd);
	if (strncmp(answer, "HTTP/1.1 20", 11) != 0)
		setup_fail(path, answer);
}

/* The string member's value after the text `after`. */
static void
setup_member(const char *answer, const char *after, const char *name,
    char *out, size_t cap)
{
	const char *at = strstr(answer, after), *end;
	char key[64];

	snprintf(key, sizeof(key), "\"%s\":\"", name);
	at = at != NULL ? strstr(at, key) : NULL;
	if (at == NULL)
		setup_fail("the answer lacks a member", name);
	at += strlen(key);
	end = strchr(at, '"');
	if (end == NULL || (size_t)(end - at) >= cap)
		setup_fail("the answer is cut", name);
	memcpy(out, at, (size_t)(end - at));
	out[end - at] = '\0';
}

void
setup_people(const struct load_conf *c, struct person *people, size_t n)
{
	char body[512], answer[16384], id[ID_TEXT_LEN + 1];
	unsigned run = (unsigned)(load_now_us() ^ (uint64_t)getpid() << 20);

	for (size_t i = 0; i < n; i++) {
		snprintf(body, sizeof(body), "{\"username\":\"b%08x_%zu\","
		    "\"email\":\"b%08x_%zu@bench.invalid\","
		    "\"password\":\"Bench-Pass-%u!\"}", run, i, run, i, run);
		setup_ask(c, "/api/auth/register", NULL, body, answer,
		    sizeof(answer));
		setup_member(answer, "\"user\"", "id", id, sizeof(id));
		setup_member(answer, "\"tokens\"", "accessToken",
		    people[i].token, sizeof(people[i].token));
		if (!id_decode(span_str(id), people[i].id.b))
			setup_fail("not a user id", id);
	}
}

void
setup_chat(const struct load_conf *c, const struct person *a,
    const struct person *b, char chat_out[static ID_TEXT_LEN + 1])
{
	char body[256], answer[16384], id[ID_TEXT_LEN + 1];

	id_encode(b->id.b, id);
	snprintf(body, sizeof(body),
	    "{\"type\":\"direct\",\"memberIds\":[\"%s\"]}", id);
	setup_ask(c, "/api/chats", a->token, body, answer, sizeof(answer));
	setup_member(answer, "\"data\"", "chatId", chat_out, ID_TEXT_LEN + 1);
}
