/*
 * world.h: a run: a server, accounts with devices, a plan that is carried
 * out, and the laws that hold on the way and in the end (docs/simulator.md).
 * A law that is broken ends the process with status 1 after saying which.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "sim/app.h"
#include "sim/node.h"
#include "sim/plan.h"

/* Everybody's; it must be on no disk and in no log. */
#define WORLD_PASSWORD "Simulated-Pass-77"
#define WORLD_MESSAGES_MAX 20000
/* Kinds of excuses of what stays refused (excuse.h). */
#define WORLD_EXCUSES 7
/* A law must hold after so long without new trouble. */
#define WORLD_PATIENCE_MS (12u * 3600 * 1000)

struct world_message {
	unsigned device, account, to;	/* from, its account, to whom */
	bool accepted;			/* the client has committed it */
	bool loose;			/* its sender went back to before it */
	bool deleted;			/* its sender wants it to be gone */
	unsigned edits;
	uint64_t at_us;
	uint64_t position;		/* the server's; 0: not known */
	struct event_id event;		/* zeros: no device showed it yet */
	uint8_t shown[PLAN_DEVICES_MAX];
};

/* What a device shows as refused, or showed once. */
struct world_refused {
	unsigned device;
	struct event_id event;
	struct user_id sender;
	uint32_t from;			/* the number of its device */
	enum err cause;
	uint64_t position;
};

struct world {
	const struct plan *plan;
	struct node *node;
	struct device device[PLAN_DEVICES_MAX];
	struct user_id user[PLAN_DEVICES_MAX];	/* of accounts */
	uint64_t start_at_us[PLAN_DEVICES_MAX];	/* of devices that are off */
	uint64_t node_at_us;
	struct world_message *message;
	size_t messages_n;
	struct world_refused *refused;	/* WORLD_MESSAGES_MAX */
	size_t refused_n;
	uint64_t excuse[WORLD_EXCUSES];	/* how many stay so in the end */
	char canary[24];
	bool verbose;
	bool calm_now;		/* the plan is over: no more trouble */
	struct proc driver;
};

struct world_result {
	uint64_t excuse[WORLD_EXCUSES];	/* messages that stay refused */
	uint64_t trace, messages, steps, sealed, switches, bytes, virtual_ms;
	uint64_t bring_up_us, run_us;	/* of this machine's time */
};

/* Carries the plan out; returns only when every law held. */
void world_run(const struct plan *p, bool verbose, struct world_result *out);

/* What a law has to say; does not return. */
_Noreturn void world_broken(struct world *w, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* From the devices. */
void world_committed(struct world *w, struct device *d,
    const struct client_input *in, const struct client_effects *fx);
void world_shown(struct world *w, struct device *d,
    const struct client_show *s);
void world_journal(struct world *w, struct device *d,
    const struct client_show *s);
void world_saw(struct world *w, const struct device *d,
    const struct client_item *it);
void world_registered(struct world *w, struct device *d,
    const struct user_id *user);
/* From the machine: bytes of the network, of the disk, of the log. */
void world_tap_wire(const void *p, size_t n);
void world_tap_disk(const void *p, size_t n);
void world_tap_log(const void *p, size_t n);

/* laws.c: is all that was accepted where it belongs? */
bool laws_hold_yet(struct world *w, char why_out[static 200]);
/* The full check of every history; breaks, or returns. */
void laws_check(struct world *w);
/* Why this device may show that message as refused for good, and does: an
 * enum excuse, 0: it may not. */
int laws_refused(const struct world *w, const struct world_message *m,
    const struct device *d);
/* The number of a canary's message, or WORLD_MESSAGES_MAX: it has none. */
size_t laws_message(const struct world *w, struct span text);

#endif
