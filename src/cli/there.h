/*
 * there.h: who is there, and was seen when, as the server says: of one person,
 * or of all who share a chat. Both only as far as people let it be known
 * (settings of docs/api.md); whose presence is not told is "offline".
 */
#ifndef CLI_THERE_H
#define CLI_THERE_H

#include "cli/host.h"

/* What is said of one person now. */
struct there_seen {
	bool known;		/* the server was asked, and answered */
	char status[12];	/* "online", "away", "offline" */
	uint64_t seen_ms;	/* 0: not told */
};
/*
 * Asks, on a host that is started. EXIT_OK: out->known says whether there was
 * an answer; errors of the network as host_call has them (printed).
 */
enum exit_status there_ask(struct host *h, const struct user_id *user,
    struct there_seen *out);

/* Who of all is online or away. Zeroed: nobody was asked. */
struct there {
	bool known;
	struct there_one {
		struct user_id user;
		char status[12];
	} *p;
	size_t n;
};
/* As there_ask; there_fini gives back what it holds. */
enum exit_status there_load(struct host *h, struct there *out);
void there_fini(struct there *t);
/* NULL: not known. */
const char *there_status(const struct there *t, const struct user_id *user);

#endif
