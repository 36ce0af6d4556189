/*
 * files.h: static files over HTTP: a folder, and files that are part of the
 * program. GET and HEAD with validators, conditions (RFC 9110 13), ranges
 * (RFC 9110 14) and precompressed forms (RFC 9110 12.5.3).
 *
 * Nothing outside the root is ever served, however the path is coded; names
 * that begin with a dot, folders, devices and fifos are not found. Small files
 * come from a bounded cache; each use asks the file system whether the file
 * is still the same, so a changed one is never served stale. Larger ones are
 * sent from the disk (stream_write_file).
 *
 * A form of a file beside it, name.br, name.zst or name.gz, is sent instead
 * when the client prefers it and it is not older than the file.
 *
 * One struct edge_files serves one edge, on its thread. Reading blocks: the
 * files are meant to be on a local disk.
 */
#ifndef EDGE_FILES_H
#define EDGE_FILES_H

#include "edge/edge.h"

struct edge_files;

/* A file that is part of the program. */
struct edge_file {
	struct span path;	/* "index.html", "assets/app-1f.js": decoded,
				   no '/' in front */
	struct span type;	/* Content-Type; empty: by the suffix */
	struct span body;
	struct span br, zst, gz;	/* compressed forms; empty: none */
};

struct edge_files_conf {
	const char *root;	/* a folder; NULL: none */
	const struct edge_file *table;	/* found before what is in the folder;
				   copied but for its types */
	size_t table_n;
	struct span index;	/* what "" and, with spa, unknown names without
				   a suffix stand for; never kept by caches
				   without asking. Empty: none */
	bool spa;
	bool forms;		/* look for compressed forms [true] */
	bool nosniff;		/* X-Content-Type-Options [true] */
	struct span immutable;	/* paths that begin so never change their
				   content ("assets/"); empty: none */
	struct span cache_control;	/* of all others; empty: no field */
	uint32_t file_max;	/* files of at most so many bytes are kept
				   [65536]; <= 1 MiB */
	size_t cache_bytes;	/* of all kept files [16 MiB]; 0: none */
	uint32_t ranges_max;	/* of one request [16]; over: the whole file;
				   0: no ranges; <= RANGE_MAX */
};
void edge_files_conf_default(struct edge_files_conf *c);

/* What happened. */
struct edge_files_stats {
	uint64_t hits, reads;	/* from the cache; from the file system */
	uint64_t dropped;	/* from the cache, changed or for room */
	size_t cached, cached_bytes;	/* now */
};

/*
 * c is copied, with the contents of its table (the texts of its types stay
 * where they are); root is opened: what is renamed
 * over it later is not seen. ERR_NOT_FOUND: no such folder. ERR_NOMEM.
 * ERR_ARG: a limit that can not be.
 */
MUST_USE enum err edge_files_open(const struct edge_files_conf *c,
    struct edge_files **out);
void edge_files_close(struct edge_files *f);	/* NULL does nothing */
/*
 * Answers a request whose path is below the files' prefix.
 *   path  in  the part behind the prefix, still percent-coded, no '/' in front
 * False: there is no such file, and the request is still to be answered (404).
 * Else it was answered: 200, 206, 304, 405, 406, 412, 416, 503.
 */
MUST_USE bool edge_files_answer(struct edge_ref request,
    struct edge_files *f, const struct edge_request *req, struct span path);
const struct edge_files_stats *edge_files_stats(const struct edge_files *f);

#endif
