/*
 * files_private.h: what the files of static files share: paths (files_path.c),
 * content types (files_type.c), the cache (files_cache.c), answers (files.c).
 */
#ifndef EDGE_FILES_PRIVATE_H
#define EDGE_FILES_PRIVATE_H

#include "base/list.h"
#include "base/map.h"
#include "edge/files.h"
#include "edge/private.h"
#include "wire/accept.h"

#define FILES_PATH_MAX 1023	/* bytes of a decoded path */
#define FILES_TAG_MAX 48	/* of an entity-tag with its quotes */

/* ---- files_path.c ---- */

/*
 * A path of a URL to the name of a file below the root: decoded once, names
 * divided by single slashes, none of which begins with a dot or has a
 * backslash or a control character in it.
 *   raw  in   still percent-coded, without a '/' in front
 *   out  out  with a NUL; and its length
 * False: nothing that is served has such a name.
 */
bool edge_files_path(struct span raw, char out[static FILES_PATH_MAX + 1],
    size_t *n_out);
/* Has the last name a suffix? */
bool edge_files_has_suffix(struct span path);

/* ---- files_type.c ---- */

/* The media type that a name's suffix stands for. */
struct span edge_files_type(struct span path);

/* ---- files_cache.c ---- */

/* A file in memory, or (body NULL) that there is none of that name. */
struct kept {
	struct list link;		/* least recently used first */
	struct sys_file_id id;
	uint64_t seen;			/* when it was last asked for */
	uint64_t until_ms;		/* of one that is not there */
	struct blob *body;
	struct blob *fields[2];		/* of a 200: asked for itself, and as
					   a form of another; see files.c */
	struct span type;		/* of the table; empty: by suffix */
	uint8_t key[16];
	size_t bytes;			/* what it counts */
	bool fixed;			/* of the table: never changes */
	uint8_t tag_n;
	char tag[FILES_TAG_MAX];
	size_t path_n;
	char path[];
};

/* Something that can be sent. */
struct rep {
	struct kept *kept;	/* what it came from, or NULL; good until the
				   next call of edge_files_get */
	struct blob *body;	/* a reference of its own, or NULL: */
	struct sys_file file;	/* a descriptor of its own */
	uint64_t size;
	uint64_t mtime_ns;	/* 0: not known */
	struct span type;	/* of the table, or empty */
	bool fixed;
	uint8_t tag_n;
	char tag[FILES_TAG_MAX];
};

struct edge_files {
	struct edge_files_conf conf;
	struct edge_files_stats stats;
	int root;			/* -1: none */
	struct map map;			/* struct kept by key */
	struct list lru;		/* without the fixed ones */
	struct span index, immutable, cache_control;	/* copies, in text */
	uint8_t *text;
};

/*
 * The file of that name, decoded, with a NUL behind it.
 *   seen    in   grows with each input: what was looked at since then is not
 *                looked at again (pipelined requests)
 *   now_ms  in   Unix time
 *   sure    in   false: that it was not there a second ago is enough
 * ERR_NOT_FOUND, ERR_NOMEM, ERR_IO.
 */
MUST_USE enum err edge_files_get(struct edge_files *f, struct span path,
    uint64_t seen, uint64_t now_ms, bool sure, struct rep *out);
void edge_files_put(struct rep *r);	/* gives back what it holds */
/* A file of the table. ERR_NOMEM. */
MUST_USE enum err edge_files_fix(struct edge_files *f, struct span path,
    struct span type, struct span body);
void edge_files_drop_all(struct edge_files *f);

#endif
