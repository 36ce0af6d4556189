/*
 * app.h: a client device and the process that runs on it: src/client over an
 * in-memory profile, with the HTTP and WebSocket connections of src/cli. A
 * device keeps its records when its process dies; the process may die at any
 * effect.
 */
#ifndef SIM_APP_H
#define SIM_APP_H

#include "cli/remote.h"
#include "cli/sock.h"
#include "client/query.h"
#include "sim/kernel.h"
#include "sim/records.h"

#define APP_OLD_MAX 4

struct app;
struct world;

/* What is on a machine. */
struct device {
	struct world *world;
	unsigned index, account;
	uint32_t number;		/* in the account's list; 0: not yet */
	char name[24];			/* of the machine */
	records disk;			/* committed */
	uint64_t seen;			/* the second place: generation */
	uint64_t seq;			/* journal: looked at up to there */
	struct app *app;		/* what runs on it, or NULL */
	int64_t shift_ms;
	bool joined;			/* ready for the first time */
	bool gone;			/* for good */
	uint64_t gone_us;
	bool is_renewed;		/* it got other keys, once or more */
	uint64_t joined_us;
	/* Being linked by that device; links.c. */
	struct device *linking;
	unsigned link_tries;
	uint64_t link_at_us;
	/* Older versions of the disk, and when they were taken. */
	struct { records disk; uint64_t seen, at_us; } old[APP_OLD_MAX];
	unsigned old_n;
	/* Went back to a profile of before: from .. to. */
	struct { uint64_t from_us, to_us; } lost[16];
	unsigned lost_n;
	uint64_t steps, shown, die_in;
	uint64_t warnings[16];
};

/* A process. */
struct app {
	struct proc proc;
	struct device *device;
	struct reactor *reactor;
	struct where where;
	struct remote remote;
	struct sock sock;
	struct client client;
	struct arena step, query;
	struct timer wake;
	records view;			/* what load and seek read */
	uint64_t die_in;		/* points of the crash; 0: never */
	bool in_step, ended, ready, keys_missing, signed_out;
	bool up, caught_up;
};

/* Prepares the provider that records what is sealed. */
void app_setup(void);
/* Pairs (key, nonce) that were sealed twice; sealed ones in all. */
uint64_t app_nonce_repeats(void);
uint64_t app_nonces(void);
void app_nonces_forget(void);

/* Begins a process on d. die_in: dies at the n-th point from now; 0: never. */
void app_start(struct device *d, uint64_t die_in);
/* Kills it between two effects; silent: the network is not told. */
void app_kill(struct app *a, bool silent);
/* fn(a, n, m) in the process, at its next tick, unless it is dead by then. */
void app_do(struct app *a, void (*fn)(struct app *a, uint64_t n, uint64_t m),
    uint64_t n, uint64_t m);
/* Within the process: one input. */
void app_input(struct app *a, struct client_input *in);
/* Within the process: makes the account; or signs in to it. */
void app_register(struct app *a, uint64_t account, uint64_t unused);

/* A view of d's records for queries, from outside of it. */
void app_view(const struct device *d, struct app *out);
void app_view_end(struct app *a);

#endif
