/*
 * host.h: what carries src/client: profile, network, timers, signals. A
 * command opens a host, gives inputs (host_command, host_wait) and is shown
 * what happens through its callbacks; every step is one transaction of the
 * profile, committed before any of its effects leaves this process. One per
 * process, one thread, one reactor.
 */
#ifndef CLI_HOST_H
#define CLI_HOST_H

#include "cli/args.h"
#include "cli/profile.h"
#include "cli/remote.h"
#include "cli/sock.h"
#include "cli/stand.h"
#include "client/client.h"

#define HOST_NAME_MAX 64
#define HOST_KNOWN_MAX 200
#define HOST_WATCH_MS 200	/* how often others' changes are looked for */
#define HOST_MESSAGE_MAX 400
#define HOST_HINT_MAX 300

struct host;

/* Any may be NULL. They may read (host_read), not give inputs. */
struct host_ops {
	/* Of the journal, in its order: messages, marks, devices. */
	void (*on_journal)(struct host *h, const struct client_show *s);
	/* Effects without a place in the journal: typing, presence, link. */
	void (*on_show)(struct host *h, const struct client_show *s);
	/* After every step and look: inputs may be given here. */
	void (*on_idle)(struct host *h);
	/* The terminal's size changed. */
	void (*on_resize)(struct host *h);
	/* In place of the standard error (host_error): a screen is there. */
	void (*on_say)(const struct host *h, const char *text);
	void *ctx;
};

/* What the profile says of its account; kept under PROFILE_KIND_HOST. */
struct host_account {
	char url[WHERE_URL_MAX + 1];
	char name[HOST_NAME_MAX + 1];
	bool has_pin;
	uint8_t pin[32];
	/* What makes this device known at the next sign-in; empty: nothing. */
	char known[HOST_KNOWN_MAX + 1];
};

/* The answer to the command that is waited for. */
struct host_reply {
	uint64_t cmd;
	bool done;
	enum err err;
	char message[HOST_MESSAGE_MAX];
	struct user_id user;
	struct chat_id chat;
	char name[HOST_NAME_MAX + 1];
};

/* A REST call of the host's own. */
struct host_own {
	uint64_t id;		/* of the one that is waited for */
	bool done;
	uint32_t status;
	enum dial_end why;
	uint64_t written;
	struct buf *body;
	enum err err;
};

struct host {
	const struct args *args;
	struct profile_paths paths;
	struct host_account account;
	struct provider pv;
	struct profile profile;
	struct reactor *reactor;
	struct where where;
	struct remote remote;
	struct remote slow;	/* of calls that wait for somebody */
	struct sock sock;
	struct stand stand;
	struct client client;
	const struct host_ops *ops;
	struct arena step;	/* of the step under way */
	struct arena query;	/* of host_read */
	unsigned reading;	/* nested host_read */
	bool in_step;
	bool live;		/* a socket of its own (chat, listen) */
	bool catch_up;		/* without one: ask what is new once */
	bool running;		/* client is started */
	uint64_t seq;		/* journal shown up to there */
	uint64_t seen;		/* generation told to the second place */
	uint64_t version;	/* of the profile, by other processes */
	uint64_t cmd;
	uint64_t work_us;	/* in steps of the client, without commits */
	uint64_t steps;
	bool kept;		/* the command waited for is in records */
	struct host_reply reply;
	struct host_own own;
	struct timer wake, watch, limit;
	struct io signals;
	bool limit_over;
	bool interrupted, signed_out, ready, keys_missing, up, quit;
	bool blocked_trust;	/* the certificate was refused */
	enum dial_end last_end;	/* of the last connection that failed */
	bool failed_net;	/* and nothing has come through since */
	const char *subject;	/* whom the command is about, as typed */
	char hint[HOST_HINT_MAX];
	enum exit_status fatal;	/* not EXIT_OK: the host cannot go on */
};

/* ---- opening ---- */

/*
 * Paths of the profile and what is stored there, server and pin. Prints what
 * is wrong. make: it may be made where there is none (register, login); else
 * its absence is EXIT_SIGNED_OUT.
 */
enum exit_status host_open(struct host *h, const struct args *a, bool make);
void host_close(struct host *h);
/* Looks the server up and prepares TLS. */
enum exit_status host_net(struct host *h);
/*
 * Makes sure that the server's certificate is trusted or pinned: asks at the
 * terminal where it is not (SHA-256 shown), or obeys --pin. Stores the pin.
 */
enum exit_status host_trust(struct host *h);
/* Stores h->account. */
MUST_USE enum err host_save(struct host *h);
/*
 * Starts the client. live: with a socket that stays (chat, listen). EXIT_OK,
 * or why not (not signed in).
 */
enum exit_status host_start(struct host *h, const struct host_ops *ops,
    bool live);
/*
 * Prepares queries (host_read, client_*) without network and steps. EXIT_OK,
 * or EXIT_SIGNED_OUT (printed) where nobody is signed in.
 */
enum exit_status host_peek(struct host *h);
/*
 * For commands that mostly read: opens, and unless --offline starts and
 * catches up with the server.
 */
enum exit_status host_open_reader(struct host *h, const struct args *a,
    const struct host_ops *ops);
/* Waits until all that is new was fetched. Errors as host_wait. */
enum exit_status host_catch_up(struct host *h);

/* Waits until this device's keys are at the server. Errors as host_wait. */
enum exit_status host_settle(struct host *h);

/* ---- running ---- */

/* One input; in->now_ms is filled in. */
void host_input(struct host *h, struct client_input *in);
/* The number for a command's input. */
uint64_t host_number(struct host *h);
/*
 * Gives a command and waits for its end, at most --timeout. EXIT_OK, or what
 * went wrong (printed); h->reply holds the answer.
 */
enum exit_status host_command(struct host *h, struct client_input *in);
/* Turns the loop until until(h, ctx) or the timeout (0: none) or the end. */
enum exit_status host_wait(struct host *h, bool (*until)(struct host *h,
    const void *ctx), const void *ctx, uint64_t timeout_ms);
/* Milliseconds of --timeout. */
uint64_t host_timeout(const struct host *h);
/*
 * A REST call of the host's own. EXIT_OK: an answer came; *status_out and the
 * body (added to `body`).
 */
enum exit_status host_call(struct host *h, const char *method,
    struct span path, struct span token, struct span json,
    uint32_t *status_out, struct buf *body);

/*
 * GET with the token, a 200's body into fd (remote_fetch), of another status
 * added to `body`. *bytes_out: how much went to the file.
 */
enum exit_status host_fetch(struct host *h, struct span path,
    struct span token, int fd, uint32_t *status_out, struct buf *body,
    uint64_t *bytes_out);

/* ---- reading ---- */

/* A snapshot for queries of the client, which use &h->query; nests. */
MUST_USE enum err host_read(struct host *h);
void host_read_end(struct host *h);
/*
 * The person of this name: as known here, else asked from the server (once
 * the client is started). EXIT_FAILED, printed, when there is none.
 */
enum exit_status host_find(struct host *h, const char *name,
    struct client_person *out);
/* The same with the device list asked for anew, unless --offline. */
enum exit_status host_find_fresh(struct host *h, const char *name,
    struct client_person *out);
/* The direct chat with a person; made where there is none. */
enum exit_status host_chat(struct host *h, const struct user_id *user,
    struct chat_id *out);

/* ---- saying ---- */

/*
 * "nightjar --profile one verify bob": the command line that goes on, with the
 * profile where one was named by option. Good until the next call.
 */
const char *host_hint(struct host *h, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* "nightjar: ..." on the standard error; a JSON object with --json. */
void host_error(const struct host *h, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The same unless --quiet. */
void host_note(const struct host *h, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The same with --verbose only. */
void host_debug(const struct host *h, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
