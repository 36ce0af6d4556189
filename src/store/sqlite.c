/*
 * sqlite.c: the SQLite driver. WAL with synchronous=FULL: a commit returns
 * when the log is on disk. Checkpoints run on a connection of their own, so
 * automatic ones are off and the writer only counts the log's pages.
 */
#include <errno.h>
#include <sqlite3.h>

#include "store/driver.h"

/*
 * Implementation notes
 *
 * $1 is a named parameter to SQLite, numbered by first appearance, so each
 * statement has a map from our numbers to its own. Values are bound without
 * a copy (SQLITE_STATIC): the caller keeps them until reset.
 *
 * Memory: caches are small, since hot pages are in the system's page cache
 * anyway. The writer's holds what a full batch changes (about three pages a
 * message), for what does not fit is written to the log early and again; it
 * is taken only when needed. 1 MiB a reader, which also maps 64 MiB of file.
 *
 * The log is cut by beginning anew in place, never by truncation: its blocks
 * and cached pages are used again, which saves the file system most of its
 * work.
 */
#define BUSY_MS 10000
#define BUSY_CHECKPOINT_MS 50
#define PARAMS_MAX 32

struct db {
	sqlite3 *h;
	uint64_t log_pages;
	struct stmt *stmts;		/* all of them */
};

struct stmt {
	sqlite3_stmt *h;
	struct db *db;
	struct stmt *next;
	uint8_t map[PARAMS_MAX];	/* ours to SQLite's; 0: not used */
};

static bool
is_no_room(int e)
{
	return e == ENOSPC || e == EDQUOT || e == EFBIG;
}

/*
 * Did writing fail for want of room? By the time of the answer errno is
 * often another; the log's file remembers its own.
 */
static bool
is_full(sqlite3 *h)
{
	sqlite3_file *f = NULL;
	int e = 0;

	if (is_no_room(sqlite3_system_errno(h)))
		return true;
	if (sqlite3_file_control(h, "main", SQLITE_FCNTL_JOURNAL_POINTER,
	    &f) != SQLITE_OK || f == NULL || f->pMethods == NULL)
		return false;
	return f->pMethods->xFileControl(f, SQLITE_FCNTL_LAST_ERRNO, &e) ==
	    SQLITE_OK && is_no_room(e);
}

/* A write that failed for want of room says so whatever call failed. */
static enum err
sqlite_err(sqlite3 *h, int rc)
{
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return OK;
	case SQLITE_CONSTRAINT:
		return ERR_CONFLICT;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return ERR_BUSY;
	case SQLITE_FULL:
		return ERR_DISK_FULL;
	case SQLITE_IOERR:
		return is_full(h) ? ERR_DISK_FULL : ERR_IO;
	case SQLITE_READONLY:
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return ERR_IO;
	case SQLITE_NOMEM:
		return ERR_NOMEM;
	case SQLITE_TOOBIG:
		return ERR_TOO_LARGE;
	default:
		return ERR_STORE;
	}
}

static enum err
sqlite_run(struct db *db, const char *sql)
{
	int rc = sqlite3_exec(db->h, sql, NULL, NULL, NULL);

	return sqlite_err(db->h, rc);
}

static int
on_commit(void *arg, sqlite3 *h, const char *name, int pages)
{
	struct db *db = arg;

	(void)h;
	(void)name;
	db->log_pages = pages > 0 ? (uint64_t)pages : 0;
	return SQLITE_OK;
}

static const char *
sqlite_pragmas(enum db_use use)
{
	switch (use) {
	case DB_READ:
		return "PRAGMA query_only = ON; PRAGMA cache_size = -1024;"
		    "PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 67108864;";
	case DB_CHECKPOINT:
		return "PRAGMA synchronous = FULL; PRAGMA cache_size = -256;"
		    "PRAGMA mmap_size = 0;";
	case DB_WRITE:
		break;
	}
	return "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
	    "PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY;"
	    "PRAGMA cache_size = -8192; PRAGMA mmap_size = 0;"
	    /* What is deleted is overwritten, not only unlinked. */
	    "PRAGMA journal_size_limit = -1; PRAGMA secure_delete = ON;";
}

static void
sqlite_close(struct db *db)
{
	struct stmt *st;

	if (db == NULL)
		return;
	while ((st = db->stmts) != NULL) {
		db->stmts = st->next;
		sqlite3_finalize(st->h);
		free(st);
	}
	sqlite3_close_v2(db->h);
	free(db);
}

static enum err
sqlite_open(const char *path, enum db_use use, struct db **out,
    struct store_error *err_out)
{
	int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READWRITE;
	struct db *db = calloc(1, sizeof(*db));
	enum err e;
	int rc;

	if (db == NULL)
		return ERR_NOMEM;
	/* Process-wide and without effect once SQLite has begun. */
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	if (use == DB_WRITE)
		flags |= SQLITE_OPEN_CREATE;
	rc = sqlite3_open_v2(path, &db->h, flags, NULL);
	e = sqlite_err(db->h, rc);
	if (e == OK) {
		sqlite3_extended_result_codes(db->h, 1);
		sqlite3_busy_timeout(db->h, use == DB_CHECKPOINT ?
		    BUSY_CHECKPOINT_MS : BUSY_MS);
		e = sqlite_run(db, sqlite_pragmas(use));
	}
	if (e == OK && use == DB_WRITE)
		sqlite3_wal_hook(db->h, on_commit, db);
	if (e != OK) {
		if (err_out != NULL)
			snprintf(err_out->text, sizeof(err_out->text),
			    "%s: %s", path, sqlite3_errmsg(db->h));
		sqlite_close(db);
		return e;
	}
	*out = db;
	return OK;
}

static enum err
sqlite_prepare(struct db *db, const char *sql, struct stmt **out)
{
	struct stmt *st = calloc(1, sizeof(*st));
	char name[8];
	enum err e;
	int rc;

	if (st == NULL)
		return ERR_NOMEM;
	rc = sqlite3_prepare_v3(db->h, sql, -1, SQLITE_PREPARE_PERSISTENT,
	    &st->h, NULL);
	e = sqlite_err(db->h, rc);
	if (e != OK) {
		free(st);
		return e;
	}
	st->db = db;
	st->next = db->stmts;
	db->stmts = st;
	for (unsigned i = 0; i < PARAMS_MAX; i++) {
		snprintf(name, sizeof(name), "$%u", i + 1);
		st->map[i] = (uint8_t)sqlite3_bind_parameter_index(st->h, name);
	}
	*out = st;
	return OK;
}

static enum err
sqlite_bind(struct stmt *st, unsigned i, const struct value *v)
{
	static const uint8_t none[1];
	const void *p = v->s.p != NULL ? v->s.p : none;
	int at = i < PARAMS_MAX ? st->map[i] : 0;
	int rc = SQLITE_RANGE;

	if (at == 0)
		return ERR_ARG;
	if (v->is_null) {
		rc = sqlite3_bind_null(st->h, at);
		return sqlite_err(st->db->h, rc);
	}
	switch (v->kind) {
	case KIND_BOOL:
	case KIND_U32:
	case KIND_U64:
	case KIND_TIME:
		if (v->n > INT64_MAX)
			return ERR_ARG;
		rc = sqlite3_bind_int64(st->h, at, (sqlite3_int64)v->n);
		break;
	case KIND_ID:
	case KIND_BYTES:
		rc = sqlite3_bind_blob64(st->h, at, p, v->s.n, SQLITE_STATIC);
		break;
	case KIND_TEXT:
	case KIND_JSON:
	case KIND_IP:
		rc = sqlite3_bind_text64(st->h, at, p, v->s.n, SQLITE_STATIC,
		    SQLITE_UTF8);
		break;
	}
	return sqlite_err(st->db->h, rc);
}

static enum err
sqlite_step(struct stmt *st, bool *row_out)
{
	int rc = sqlite3_step(st->h);

	*row_out = rc == SQLITE_ROW;
	return sqlite_err(st->db->h, rc);
}

static void
sqlite_column(struct stmt *st, unsigned i, enum kind kind, struct value *out)
{
	int at = (int)i;

	*out = (struct value){ .kind = kind };
	if (sqlite3_column_type(st->h, at) == SQLITE_NULL) {
		out->is_null = true;
		return;
	}
	switch (kind) {
	case KIND_BOOL:
	case KIND_U32:
	case KIND_U64:
	case KIND_TIME:
		out->n = (uint64_t)sqlite3_column_int64(st->h, at);
		break;
	case KIND_ID:
	case KIND_BYTES:
		out->s.p = sqlite3_column_blob(st->h, at);
		out->s.n = (size_t)sqlite3_column_bytes(st->h, at);
		break;
	case KIND_TEXT:
	case KIND_JSON:
	case KIND_IP:
		out->s.p = sqlite3_column_text(st->h, at);
		out->s.n = (size_t)sqlite3_column_bytes(st->h, at);
		break;
	}
}

static uint64_t
sqlite_reset(struct stmt *st)
{
	uint64_t n = (uint64_t)sqlite3_changes64(st->db->h);

	sqlite3_reset(st->h);
	return n;
}

static enum err
sqlite_checkpoint(struct db *db, bool hard, uint64_t *left_out)
{
	int log = 0, done = 0, rc;

	rc = sqlite3_wal_checkpoint_v2(db->h, NULL, hard ?
	    SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_PASSIVE, &log, &done);
	*left_out = log > done ? (uint64_t)(log - done) : 0;
	return sqlite_err(db->h, rc);
}

static uint64_t
sqlite_log_pages(const struct db *db)
{
	return db->log_pages;
}

/*
 * The log is read up to the first frame whose checksum is not right: zeros
 * end it (sqlite.org/fileformat2.html, 4.4). Only the writer's thread may do
 * this, for it alone makes the log longer.
 */
static void
sqlite_log_reserve(struct db *db, uint64_t bytes)
{
	static const uint8_t zeros[65536];
	sqlite3_file *f = NULL;
	sqlite3_int64 n, was = 0, end = (sqlite3_int64)bytes;
	int rc;

	rc = sqlite3_file_control(db->h, "main",
	    SQLITE_FCNTL_JOURNAL_POINTER, &f);
	if (rc != SQLITE_OK || f == NULL || f->pMethods == NULL)
		return;
	rc = f->pMethods->xFileSize(f, &was);
	for (n = was; rc == SQLITE_OK && n < end; n += (int)sizeof(zeros))
		rc = f->pMethods->xWrite(f, zeros, sizeof(zeros), n);
	if (rc == SQLITE_OK)
		(void)f->pMethods->xSync(f, SQLITE_SYNC_FULL);
	else	/* the last room on a disk is for others */
		(void)f->pMethods->xTruncate(f, was);
}

static const char *
sqlite_why(struct db *db)
{
	return sqlite3_errmsg(db->h);
}

const struct driver sqlite_driver = {
	.name = "sqlite",
	.words = { "BLOB", "BLOB", "INTEGER", "TEXT", "TEXT", "INTEGER",
	    "INTEGER" },
	.open = sqlite_open,
	.close = sqlite_close,
	.prepare = sqlite_prepare,
	.bind = sqlite_bind,
	.step = sqlite_step,
	.column = sqlite_column,
	.reset = sqlite_reset,
	.run = sqlite_run,
	.checkpoint = sqlite_checkpoint,
	.log_pages = sqlite_log_pages,
	.log_reserve = sqlite_log_reserve,
	.why = sqlite_why,
};
