/*
 * probe.c: one blocking request with short timeouts, on the main thread of
 * a process that does nothing else.
 */
#include "server/probe.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define PROBE_SECONDS 5

static int
probe_connect(const char *host, const char *port)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	const struct timeval wait = { PROBE_SECONDS, 0 };
	struct addrinfo *list, *a;
	int fd = -1;

	if (getaddrinfo(host, port, &hints, &list) != 0)
		return -1;
	for (a = list; a != NULL && fd < 0; a = a->ai_next) {
		fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, 0);
		if (fd < 0)
			continue;
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
		if (connect(fd, a->ai_addr, a->ai_addrlen) != 0) {
			close(fd);
			fd = -1;
		}
	}
	freeaddrinfo(list);
	return fd;
}

const char *
probe_ready(const char *http)
{
	static const char request[] = "GET /ready HTTP/1.1\r\n"
	    "Host: localhost\r\nConnection: close\r\n\r\n";
	char at[256], answer[64] = "";
	char *colon;
	size_t n = 0;

	snprintf(at, sizeof(at), "%.*s", (int)strcspn(http, ","), http);
	colon = strrchr(at, ':');
	if (colon == NULL) {
		return "health asks a plain listener, and listen.http is "
		    "empty";
	}
	*colon = '\0';
	char *host = at[0] == '[' ? at + 1 : at;
	host[strcspn(host, "]")] = '\0';
	int fd = probe_connect(host, colon + 1);
	if (fd < 0) {
		return "nothing answers at listen.http";
	}
	if (send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) ==
	    (ssize_t)sizeof(request) - 1) {
		ssize_t got;

		while (n < sizeof(answer) - 1 && (got = recv(fd, answer + n,
		    sizeof(answer) - 1 - n, 0)) > 0)
			n += (size_t)got;
	}
	close(fd);
	answer[n] = '\0';
	return strncmp(answer, "HTTP/1.1 200 ", 13) == 0 ? NULL : "not ready";
}
