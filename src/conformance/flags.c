/*
 * flags.c: one table for parsing, limits, defaults and --help.
 */
#include "conformance/flags.h"

#include <stdio.h>

#define EXIT_USAGE 2
#define DAY_MS 86400000u
#define GIB (1u << 30)

struct flag {
	const char *name;
	size_t at;		/* of the number in struct flags */
	uint64_t value;		/* default */
	uint64_t min, max;
	const char *help;
};

static const struct flag numbers[] = {
	{ "--port", offsetof(struct flags, port), 3000, 0, 65535,
	    "TCP port; 0: any that is free" },
	{ "--ping-interval", offsetof(struct flags, ping_interval_ms),
	    300, 1, DAY_MS, "Engine.IO pingInterval, milliseconds" },
	{ "--ping-timeout", offsetof(struct flags, ping_timeout_ms),
	    200, 1, DAY_MS, "Engine.IO pingTimeout, milliseconds" },
	{ "--max-payload", offsetof(struct flags, max_payload),
	    1000000, 1, GIB, "Engine.IO maxPayload, bytes" },
	{ "--connect-timeout", offsetof(struct flags, connect_timeout_ms),
	    1000, 1, DAY_MS, "time to join a namespace, milliseconds" },
	{ "--upgrade-timeout", offsetof(struct flags, upgrade_timeout_ms),
	    10000, 1, DAY_MS, "time to finish an upgrade, milliseconds" },
	{ "--recovery-ms", offsetof(struct flags, recovery_ms),
	    0, 0, DAY_MS, "connection state recovery; 0: none" },
	{ "--ws-max", offsetof(struct flags, ws_max),
	    67108864, 1, GIB, "largest message on /ws-echo, bytes" },
	{ "--threads", offsetof(struct flags, threads),
	    1, 1, FLAGS_THREADS_MAX,
	    "reactors, each with a thread of its own" },
};

static const struct text_flag {
	const char *name;
	size_t at;		/* of the const char * in struct flags */
	const char *value;	/* default */
	const char *help;
} texts[] = {
	{ "--host", offsetof(struct flags, host), "127.0.0.1",
	    "address to listen on" },
	{ "--root", offsetof(struct flags, root), NULL,
	    "directory of /static/; none: 404" },
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static uint64_t *
number_at(struct flags *f, const struct flag *n)
{
	return (uint64_t *)(void *)((char *)f + n->at);
}

static const char **
text_at(struct flags *f, const struct text_flag *t)
{
	return (const char **)(void *)((char *)f + t->at);
}

static void
usage(void)
{
	puts("usage: nightjar-conformance [--FLAG VALUE]...\n"
	    "\n"
	    "A peer for conformance suites: HTTP, WebSocket, Engine.IO 4 and "
	    "Socket.IO 5,\n"
	    "plain, without a login. Paths: /engine.io/ /socket.io/ /ws-echo "
	    "/echo /static/\n"
	    "/healthz.\n");
	for (size_t i = 0; i < COUNT(texts); i++)
		printf("  %-18s %s [%s]\n", texts[i].name, texts[i].help,
		    texts[i].value != NULL ? texts[i].value : "");
	for (size_t i = 0; i < COUNT(numbers); i++)
		printf("  %-18s %s [%llu]\n", numbers[i].name,
		    numbers[i].help, (unsigned long long)numbers[i].value);
}

static bool
set_number(struct flags *f, const char *name, const char *value)
{
	for (size_t i = 0; i < COUNT(numbers); i++) {
		const struct flag *n = &numbers[i];
		uint64_t v;

		if (strcmp(name, n->name) != 0)
			continue;
		if (span_u64(span_str(value), n->max, &v) && v >= n->min) {
			*number_at(f, n) = v;
			return true;
		}
		fprintf(stderr, "nightjar-conformance: %s wants a number from "
		    "%llu to %llu\n", name, (unsigned long long)n->min,
		    (unsigned long long)n->max);
		return false;
	}
	fprintf(stderr, "nightjar-conformance: %s is unknown; try --help\n",
	    name);
	return false;
}

static bool
set_one(struct flags *f, const char *name, const char *value)
{
	for (size_t i = 0; i < COUNT(texts); i++) {
		if (strcmp(name, texts[i].name) == 0) {
			*text_at(f, &texts[i]) = value;
			return true;
		}
	}
	return set_number(f, name, value);
}

static void
set_defaults(struct flags *f)
{
	memset(f, 0, sizeof(*f));
	for (size_t i = 0; i < COUNT(texts); i++)
		*text_at(f, &texts[i]) = texts[i].value;
	for (size_t i = 0; i < COUNT(numbers); i++)
		*number_at(f, &numbers[i]) = numbers[i].value;
}

int
flags_parse(struct flags *out, int argc, char **argv)
{
	set_defaults(out);
	for (int i = 1; i < argc; i += 2) {
		if (strcmp(argv[i], "--help") == 0) {
			usage();
			return 0;
		}
		if (i + 1 == argc) {
			fprintf(stderr, "nightjar-conformance: %s is unknown "
			    "or wants a value; try --help\n", argv[i]);
			return EXIT_USAGE;
		}
		if (!set_one(out, argv[i], argv[i + 1]))
			return EXIT_USAGE;
	}
	return -1;
}
