/*
 * directory.h: who is online where. Every reactor has a whole copy: each user
 * with a socket, on which reactors (a bit each) and with which presence; of
 * its own reactor also the connections themselves. The caller tells the other
 * reactors of each that comes, goes or changes; directory_hear takes it over.
 * One thread; connections are intrusive and their owner's memory.
 */
#ifndef BUS_DIRECTORY_H
#define BUS_DIRECTORY_H

#include "base/id.h"
#include "base/list.h"
#include "base/map.h"
#include "net/pool.h"

#define DIRECTORY_REACTORS_MAX 64
#define DIRECTORY_USERS_MAX ((size_t)4 << 20)
/* Kinds of connections, which the caller tells apart. */
#define DIRECTORY_KINDS 2

/* How present a user is, here or everywhere; the larger wins. */
enum directory_state { DIRECTORY_OFFLINE, DIRECTORY_AWAY, DIRECTORY_ONLINE };

/* Inside what stands for one connection. */
struct directory_conn {
	struct list link;
	struct directory_user *user;	/* NULL: not in the directory */
	bool is_away;
	uint8_t kind;			/* < DIRECTORY_KINDS; fixed while in */
};

struct directory_user {
	struct user_id id;
	uint32_t conns_n;		/* of this reactor */
	uint32_t others_n;		/* of all others */
	uint64_t online, away;		/* bit k: what reactor k has */
	uint64_t kinds[DIRECTORY_KINDS];	/* bit k: reactor k has such */
	struct list conns;		/* struct directory_conn.link */
};

struct directory {
	struct map users;
	struct pool pool;
	unsigned self;			/* this reactor's index */
	size_t here;			/* users with a connection here */
};

/* seed: of the hash. self < DIRECTORY_REACTORS_MAX. */
void directory_init(struct directory *d, unsigned self, uint64_t seed);
void directory_fini(struct directory *d);	/* connections are removed */

/*
 * A connection of this reactor comes, goes, or changes its presence: tell the
 * others what directory_here says from then on. add: ERR_NOMEM, ERR_LIMIT:
 * nothing changed. remove and set_away do nothing to one that is not in.
 */
MUST_USE enum err directory_add(struct directory *d, const struct user_id *user,
    struct directory_conn *c);
void directory_remove(struct directory *d, struct directory_conn *c);
void directory_set_away(struct directory *d, struct directory_conn *c,
    bool is_away);
/* What this reactor, or all together, have of a user. */
enum directory_state directory_here(const struct directory *d,
    const struct user_id *user);
enum directory_state directory_state(const struct directory *d,
    const struct user_id *user);
/* Which kinds of connections this reactor has of a user: bit i, kind i. */
unsigned directory_kinds(const struct directory *d,
    const struct user_id *user);

/*
 * Another reactor, `from`, has this of the user now (its directory_here and
 * directory_kinds), and `delta` connections (1, -1 or 0) more than when it was
 * last heard. before_out and
 * after_out: the user's presence everywhere, as known here. ERR_NOMEM, ERR_LIMIT: not taken.
 */
MUST_USE enum err directory_hear(struct directory *d, unsigned from,
    const struct user_id *user, enum directory_state state, unsigned kinds,
    int delta, enum directory_state *before_out,
    enum directory_state *after_out);

/* Connections of a user everywhere, as known here. */
uint32_t directory_conns(const struct directory *d,
    const struct user_id *user);

/* Entry of a user that is online anywhere, or NULL. */
const struct directory_user *directory_find(const struct directory *d,
    const struct user_id *user);

#endif
