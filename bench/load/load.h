/*
 * load.h: nightjar-bench, a load generator for a Nightjar server: one thread,
 * epoll, Socket.IO over WebSocket on the plain listener. Open loop: a message
 * has the time at which it was meant to leave, and latency counts from there,
 * so a server that stalls cannot hide it (no coordinated omission).
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include "base/id.h"
#include "base/text.h"

/* Latencies in microseconds: 64 buckets for each power of two (1.6 %). */
#define HIST_SUB 64
#define HIST_BUCKETS (HIST_SUB * 32)

struct hist {
	uint64_t count[HIST_BUCKETS];
	uint64_t n, max;
};

void hist_add(struct hist *h, uint64_t us);
/* The value at quantile q (0..1), microseconds. */
uint64_t hist_at(const struct hist *h, double q);

/* What the command line says. */
struct load_conf {
	const char *scenario;	/* idle, pair, saturate */
	const char *host;
	int port;
	int pid;		/* of the server: memory and CPU; 0: unknown */
	size_t conns;		/* idle: connections; else: pairs of people */
	size_t users;		/* idle: accounts that share the connections */
	double rate;		/* pair: messages a second */
	size_t window;		/* saturate: unacknowledged per sender */
	double seconds;
	size_t bytes;		/* plaintext size that the ciphertext stands for */
	bool json;
};

/* A person who was registered for the run. */
struct person {
	struct user_id id;
	char token[2048];
};

/* Registers n people over REST; exits with a message when it can not. */
void setup_people(const struct load_conf *c, struct person *people, size_t n);
/* The direct chat of a and b, as text. */
void setup_chat(const struct load_conf *c, const struct person *a,
    const struct person *b, char chat_out[static ID_TEXT_LEN + 1]);

/* One connection of the load. */
struct link {
	int fd;
	uint8_t state;
	bool want_write;
	uint32_t index;
	const struct person *who;
	char chat[ID_TEXT_LEN + 1];
	uint8_t *in;		/* an unfinished frame */
	uint32_t in_n, in_cap;
	uint8_t *out;		/* what the socket did not take yet */
	uint32_t out_n, out_cap;
	uint32_t inflight;
};

struct load {
	const struct load_conf *conf;
	int ep;
	struct link *links;
	size_t n, ready, dead;
	uint64_t *sent_us;	/* intended time of each message, by number */
	size_t messages, messages_max;
	uint64_t acked, delivered, refused;
	struct hist ack, delivery;
	bool refill;		/* saturate: an ack sends the next */
	bool measure;
	struct span body;	/* ciphertext as base64 */
	char why[256];		/* the first refusal's text */
};

MUST_USE enum err load_open(struct load *l, const struct load_conf *c,
    size_t links);
void load_close(struct load *l);
/* Connects link i as `who`; READY once the server acknowledged it. */
void load_connect(struct load *l, size_t i, const struct person *who);
/* Sends a message on link i, meant to leave at intended_us. */
void load_send(struct load *l, size_t i, uint64_t intended_us);
/* Waits for events until the monotonic clock says until_us. */
void load_poll(struct load *l, uint64_t until_us);

uint64_t load_now_us(void);
/* The server's CPU seconds so far and its resident bytes; 0 without a pid. */
double load_cpu_s(int pid);
uint64_t load_rss(int pid);

#endif
