/*
 * node.c: see node.h. A process of it is a fiber that opens the server, waits
 * to be told to end, and closes it; killed ones (ghosts) do the same.
 */
#include "sim/node.h"

#include <assert.h>

#include "base/log.h"
#include "base/text.h"
#include "crypto/host.h"
#include "net/tls.h"
#include "server/server.h"
#include "sim/disk.h"
#include "sim/wire.h"
#include "sim/world.h"

struct node_run {
	struct proc proc;
	struct node *node;
	struct disk *disk;
	bool stop;
};

struct node {
	struct world *world;
	struct node_conf conf;
	struct jwt_key secret;		/* jwt.key */
	struct disk *disk;		/* when no process runs */
	struct node_run *run;
	int64_t shift_ms;
};

/* Cheap password hashes: the simulation is not about Argon2id. */
enum err __wrap_host_password_hash(struct span password,
    char phc_out[static HOST_PHC_MAX]);

enum err
__wrap_host_password_hash(struct span password,
    char phc_out[static HOST_PHC_MAX])
{
	uint8_t salt[16], hash[32];
	char salt64[32], hash64[64];
	struct host_argon in = { .password = password,
	    .salt = SPAN_OF(salt), .m_kib = 8, .t = 1, .p = 1 };

	rng_bytes(kernel_key_rng(), salt, sizeof(salt));
	TRY(host_argon2id(&in, hash, sizeof(hash)));
	salt64[base64_encode(SPAN_OF(salt), salt64)] = '\0';
	hash64[base64_encode(SPAN_OF(hash), hash64)] = '\0';
	/* Without the padding. */
	snprintf(phc_out, HOST_PHC_MAX,
	    "$argon2id$v=19$m=8,t=1,p=1$%.22s$%.43s", salt64, hash64);
	return OK;
}

static const struct conf_set sets[] = {
	{ "listen.http", "10.0.0.1:3000" }, { "listen.https", "" },
	{ "store.path", "/nightjar.db" }, { "argon2.threads", "1" },
	{ "edge.conns_max", "1000" }, { "edge.calls_max", "1000" },
	{ "sessions.cache", "1000" }, { "log.level", "debug" },
};

static const struct conf_set wide[] = {
	{ "limits.cheap", "0" }, { "limits.connects", "0" },
	{ "limits.login", "0" }, { "limits.messages", "0" },
	{ "limits.messages_hour", "0" }, { "limits.prekeys_device", "0" },
	{ "limits.prekeys_pair", "0" }, { "limits.refresh", "0" },
	{ "limits.register", "0" }, { "limits.rest", "0" },
};

#define N_OF(a) (sizeof(a) / sizeof((a)[0]))

static struct conf *
make_conf(const struct node *n)
{
	struct conf_set all[N_OF(sets) + N_OF(wide) + 2];
	char reactors[12], readers[12];
	struct conf_source src = { .sets = all };
	struct conf_error why;
	struct conf *c;

	memcpy(all, sets, sizeof(sets));
	src.sets_n = N_OF(sets);
	snprintf(reactors, sizeof(reactors), "%u", n->conf.reactors);
	snprintf(readers, sizeof(readers), "%u", n->conf.readers);
	all[src.sets_n++] = (struct conf_set){ "threads.reactors", reactors };
	all[src.sets_n++] = (struct conf_set){ "store.readers", readers };
	for (size_t i = 0; i < N_OF(wide) && !n->conf.tight; i++)
		all[src.sets_n++] = wide[i];
	if (conf_load(&src, &c, &why) != OK) {
		fprintf(stderr, "%s\n", why.text);
		abort();
	}
	return c;
}

static void
node_main(void *arg)
{
	struct node_run *r = arg;
	struct node *n = r->node;
	struct data data = { .path = "/", .lock_fd = -1,
	    .keys.secret = n->secret };
	struct server_error why;
	struct server *s;

	if (server_open(make_conf(n), &data, &s, &why) != OK) {
		if (!r->proc.dead)
			world_broken(n->world, "the server does not start: "
			    "%s", why.text);
	} else {
		while (!r->stop)
			(void)kernel_wait(r, KERNEL_NEVER);
		if (!server_close(s) && !r->proc.dead)
			world_broken(n->world, "the server does not stop");
	}
	if (n->run == r) {
		n->disk = r->disk;
		n->run = NULL;
	} else {
		disk_free(r->disk);
	}
	wire_kill(&r->proc, false);
	free(r);
}

static void
log_line(const char *line, size_t n)
{
	world_tap_log(line, n);
}

static uint64_t
now_ms(void)
{
	return kernel_now_us() / 1000;
}

void
node_setup(void)
{
	if (tls_setup() != OK || host_init() != OK)
		abort();
	disk_setup();
	log_setup(LOG_DEBUG, LOG_IP_FULL, log_line, now_ms);
}

struct node *
node_new(struct world *w, const struct node_conf *conf)
{
	struct node *n = calloc(1, sizeof(*n));

	assert(n != NULL);
	n->world = w;
	n->conf = *conf;
	n->disk = disk_new();
	rng_bytes(kernel_key_rng(), &n->secret, sizeof(n->secret));
	return n;
}

bool
node_start(struct node *n)
{
	struct node_run *r;

	if (n->run != NULL)
		return false;
	r = calloc(1, sizeof(*r));
	assert(r != NULL && n->disk != NULL);
	r->node = n;
	r->disk = n->disk;
	n->disk = NULL;
	r->proc = (struct proc){ .name = "server", .host = 1,
	    .shift_ms = n->shift_ms, .disk = r->disk, .is_server = true };
	n->run = r;
	kernel_spawn(&r->proc, "server", node_main, r);
	return true;
}

bool
node_is_up(const struct node *n)
{
	return n->run != NULL;
}

void
node_kill(struct node *n, bool silent)
{
	struct node_run *r = n->run;

	if (r == NULL)
		return;
	n->disk = disk_crashed(r->disk);
	n->run = NULL;
	r->proc.dead = true;
	r->stop = true;
	disk_trap(r->disk, 0, NULL, NULL);
	wire_kill(&r->proc, silent);
	kernel_wake(r);
}

static void
on_trap(void *arg)
{
	node_kill(arg, rng_permille(kernel_rng(), 300));
}

void
node_kill_at(struct node *n, uint64_t k)
{
	if (n->run != NULL)
		disk_trap(n->run->disk, k, on_trap, n);
}

void
node_stop(struct node *n)
{
	if (n->run == NULL)
		return;
	n->run->stop = true;
	kernel_wake(n->run);
}

void
node_clock(struct node *n, int64_t shift_ms)
{
	n->shift_ms = shift_ms;
	if (n->run != NULL)
		n->run->proc.shift_ms = shift_ms;
}

struct proc *
node_proc(struct node *n)
{
	return n->run == NULL ? NULL : &n->run->proc;
}

void
node_free(struct node *n)
{
	assert(n->run == NULL);
	disk_free(n->disk);
	free(n);
}
