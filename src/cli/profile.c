/*
 * profile.c: see profile.h. Folders, opening, transactions, records.
 *
 * Implementation notes: an interrupted profile_make leaves a key without a
 * database; profile_open makes the tables where they are not there, so the
 * next start finishes it. That an emptied database is not taken for a new one
 * is the second place's work: its generation is higher.
 */
#include "cli/profile.h"

#include <unistd.h>

#include "base/sys.h"
#include "cli/seen.h"

#define FORMAT_VERSION 1
#define CHECK_NAME SPAN("check")

static const char schema[] =
	"CREATE TABLE record("
	"kind INTEGER NOT NULL, key BLOB NOT NULL,"
	"generation INTEGER NOT NULL, value BLOB NOT NULL,"
	"PRIMARY KEY(kind,key)) WITHOUT ROWID;"
	"CREATE TABLE meta(id INTEGER PRIMARY KEY CHECK(id=1),"
	"generation INTEGER NOT NULL);"
	"INSERT INTO meta VALUES(1,0);"
	"PRAGMA user_version=1;";

static const char *const sql[PROFILE_QUERIES] = {
	[PROFILE_BEGIN] = "BEGIN IMMEDIATE",
	[PROFILE_BEGIN_READ] = "BEGIN",
	[PROFILE_COMMIT] = "COMMIT",
	[PROFILE_ROLLBACK] = "ROLLBACK",
	[PROFILE_GET] = "SELECT key,generation,value FROM record "
	    "WHERE kind=?1 AND key=?2",
	[PROFILE_NEXT] = "SELECT key,generation,value FROM record "
	    "WHERE kind=?1 AND key>?2 ORDER BY key LIMIT 1",
	[PROFILE_FIRST] = "SELECT key,generation,value FROM record "
	    "WHERE kind=?1 AND key>=?3 ORDER BY key LIMIT 1",
	[PROFILE_PREV] = "SELECT key,generation,value FROM record "
	    "WHERE kind=?1 AND key<?2 AND key>=?3 "
	    "ORDER BY key DESC LIMIT 1",
	[PROFILE_LAST] = "SELECT key,generation,value FROM record "
	    "WHERE kind=?1 AND key>=?3 ORDER BY key DESC LIMIT 1",
	[PROFILE_PUT] = "INSERT INTO record VALUES(?1,?2,?3,?4) "
	    "ON CONFLICT(kind,key) DO UPDATE SET "
	    "generation=excluded.generation,value=excluded.value",
	[PROFILE_DEL] = "DELETE FROM record WHERE kind=?1 AND key=?2",
	[PROFILE_TICK] = "UPDATE meta SET generation=generation+1 "
	    "RETURNING generation",
	[PROFILE_VERSION] = "PRAGMA data_version",
};

static enum err
store_err(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_OK: case SQLITE_ROW: case SQLITE_DONE: return OK;
	case SQLITE_BUSY: case SQLITE_LOCKED: return ERR_BUSY;
	case SQLITE_FULL: return ERR_DISK_FULL;
	case SQLITE_NOTADB: case SQLITE_CORRUPT: return ERR_FORMAT;
	default: return ERR_STORE;
	}
}

/* One step of a statement that has been bound, reset when it is not a row. */
static enum err
step(sqlite3_stmt *st, bool *row_out)
{
	int rc = sqlite3_step(st);
	*row_out = rc == SQLITE_ROW;
	if (rc != SQLITE_ROW)
		sqlite3_reset(st);
	return store_err(rc);
}

static enum err
run(struct profile *p, enum profile_query q)
{
	bool row;
	enum err e = step(p->st[q], &row);
	sqlite3_reset(p->st[q]);
	return e;
}

static void
bind_blob(sqlite3_stmt *st, int at, struct span s)
{
	/* A NULL pointer would bind SQL's NULL. */
	sqlite3_bind_blob64(st, at, s.n > 0 ? (const void *)s.p : "", s.n,
	    SQLITE_TRANSIENT);
}

/* ---- where and whether ---- */

bool
profile_name_ok(const char *name)
{
	size_t n = strlen(name);
	if (n == 0 || n > 64 || name[0] == '.')
		return false;
	return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == n;
}

static bool
join(char out[static PROFILE_PATH_MAX], const char *a, const char *b,
    const char *c)
{
	int n = snprintf(out, PROFILE_PATH_MAX, "%s%s%s", a, b, c);
	return n > 0 && n < PROFILE_PATH_MAX;
}

enum err
profile_find(const char *name, const char *home, const char *data_home,
    const char *state_home, struct profile_paths *out)
{
	char base[PROFILE_PATH_MAX], state[PROFILE_PATH_MAX];
	bool fits = true;
	if (!profile_name_ok(name))
		return ERR_VALIDATION;
	/* The specification: a path that is not absolute is ignored. */
	bool data = data_home != NULL && data_home[0] == '/';
	bool st = state_home != NULL && state_home[0] == '/';
	if ((!data || !st) && (home == NULL || home[0] != '/'))
		return ERR_NOT_FOUND;
	fits &= data ? join(base, data_home, "/nightjar/", name) :
	    join(base, home, "/.local/share/nightjar/", name);
	fits &= st ? join(state, state_home, "/nightjar/", name) :
	    join(state, home, "/.local/state/nightjar/", name);
	fits &= join(out->data, base, "", "");
	fits &= join(out->db, base, "/profile.db", "");
	fits &= join(out->key, base, "/key", "");
	fits &= join(out->state, state, ".generation", "");
	return fits ? OK : ERR_TOO_LARGE;
}

bool
profile_exists(const struct profile_paths *at)
{
	return access(at->key, F_OK) == 0;
}

enum err
profile_make(const struct provider *pv, const struct profile_paths *at,
    struct span passphrase)
{
	char dir[PROFILE_PATH_MAX];
	struct seal_key key;
	TRY(sys_dir_make(at->data, 0700));
	snprintf(dir, sizeof(dir), "%s", at->state);
	*strrchr(dir, '/') = '\0';
	TRY(sys_dir_make(dir, 0700));
	uint8_t id[SEAL_ID_LEN];
	TRY(keyfile_make(pv, at->key, passphrase, &key));
	enum err e = seal_id(pv, &key, id);
	wipe(&key, sizeof(key));
	return e == OK ? seen_make(at->state, id) : e;
}

enum err
profile_erase(const struct profile_paths *at)
{
	char path[PROFILE_PATH_MAX + 8];
	static const char *const tails[] = { "", "-wal", "-shm" };
	/* The key first: whatever stays behind cannot be opened any more. */
	enum err e = seen_shred(at->key);
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s%s", at->db, tails[i]);
		if (unlink(path) != 0 && access(path, F_OK) == 0)
			e = ERR_IO;
	}
	if (unlink(at->state) != 0 && access(at->state, F_OK) == 0)
		e = ERR_IO;
	rmdir(at->data);
	return e;
}

/* ---- opening ---- */

static enum err
exec(struct profile *p, const char *text)
{
	return store_err(sqlite3_exec(p->db, text, NULL, NULL, NULL));
}

static enum err
read_version(struct profile *p, int *out)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(p->db, "PRAGMA user_version", -1, &st,
	    NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		*out = sqlite3_column_int(st, 0);
	sqlite3_finalize(st);
	return store_err(rc);
}

static enum err
prepare_all(struct profile *p)
{
	for (int i = 0; i < PROFILE_QUERIES; i++) {
		int rc = sqlite3_prepare_v3(p->db, sql[i], -1,
		    SQLITE_PREPARE_PERSISTENT, &p->st[i], NULL);
		if (rc != SQLITE_OK)
			return store_err(rc);
	}
	return OK;
}

/* The tables, unless they are there; of two processes one makes them. */
static enum err
make_tables(struct profile *p)
{
	int version = 0;
	TRY(exec(p, "BEGIN IMMEDIATE"));
	enum err e = read_version(p, &version);
	if (e == OK && version == 0)
		e = exec(p, schema);
	if (e == OK && version > FORMAT_VERSION)
		e = ERR_VERSION;
	if (e == OK)
		e = exec(p, "COMMIT");
	if (e != OK)
		(void)exec(p, "ROLLBACK");
	return e;
}

static enum err
open_db(struct profile *p, const char *path)
{
	int rc = sqlite3_open_v2(path, &p->db, SQLITE_OPEN_READWRITE |
	    SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW,
	    NULL);
	if (rc != SQLITE_OK)
		return store_err(rc);
	sqlite3_busy_timeout(p->db, PROFILE_BUSY_MS);
	sqlite3_db_config(p->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_limit(p->db, SQLITE_LIMIT_LENGTH,
	    (int)(PROFILE_VALUE_MAX + SEAL_OVERHEAD + 4096));
	/*
	 * synchronous FULL: a commit is on the disk when it returns.
	 * secure_delete: deleted (sealed) keys do not stay in free pages.
	 */
	TRY(exec(p, "PRAGMA trusted_schema=OFF; PRAGMA journal_mode=WAL;"
	    "PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;"
	    "PRAGMA temp_store=MEMORY;"));
	TRY(make_tables(p));
	return prepare_all(p);
}

/* Proves that the key belongs to the database, before anything is done. */
static enum err
check_key(struct profile *p)
{
	uint8_t mem[256];
	struct arena a;
	struct span value;
	arena_init(&a, mem, sizeof(mem));
	TRY(profile_begin(p));
	enum err e = profile_load(p, PROFILE_KIND_HOST, CHECK_NAME, &a,
	    &value);
	if (e == ERR_NOT_FOUND) {
		e = profile_put(p, PROFILE_KIND_HOST, CHECK_NAME,
		    SPAN("nightjar"));
		if (e == OK)
			return profile_commit(p);
	}
	profile_rollback(p);
	return e != OK && p->damage != OK ? p->damage : e;
}

enum err
profile_open(struct profile *p, const struct provider *pv,
    const struct profile_paths *at, keyfile_ask_fn ask, void *ctx)
{
	memset(p, 0, sizeof(*p));
	p->pv = pv;
	p->seen_fd = -1;
	buf_init(&p->work, PROFILE_VALUE_MAX + SEAL_OVERHEAD);
	enum err e = keyfile_read(pv, at->key, ask, ctx, &p->key);
	if (e == OK)
		e = open_db(p, at->db);
	if (e == OK)
		e = check_key(p);
	if (e == OK)
		e = seal_id(pv, &p->key, p->id);
	if (e == OK)
		e = seen_open(at->state, &p->seen_fd);
	if (e != OK)
		profile_close(p);
	return e;
}

void
profile_close(struct profile *p)
{
	for (int i = 0; i < PROFILE_QUERIES; i++)
		sqlite3_finalize(p->st[i]);
	sqlite3_close(p->db);
	/* 0 in a zeroed profile: nobody keeps this on the standard input. */
	if (p->seen_fd > 0)
		seen_close(p->seen_fd);
	buf_fini(&p->work);
	wipe(p, sizeof(*p));
	p->seen_fd = -1;
}

/* ---- transactions ---- */

enum err
profile_begin(struct profile *p)
{
	TRY(run(p, PROFILE_BEGIN));
	p->open = true;
	p->generation = 0;
	return OK;
}

enum err
profile_begin_read(struct profile *p)
{
	TRY(run(p, PROFILE_BEGIN_READ));
	p->open = true;
	p->generation = 0;
	return OK;
}

enum err
profile_commit(struct profile *p)
{
	enum err e = run(p, PROFILE_COMMIT);
	if (e == OK)
		p->open = false;
	else
		profile_rollback(p);
	return e;
}

void
profile_rollback(struct profile *p)
{
	/* After some errors SQLite has rolled back already: no matter. */
	if (p->open)
		(void)!run(p, PROFILE_ROLLBACK);
	p->open = false;
}

/* ---- records ---- */

/* Opens the value of the row that st stands on. */
static enum err
take_row(struct profile *p, sqlite3_stmt *st, uint8_t kind, struct arena *a,
    struct span *key_out, struct span *value_out)
{
	struct span key = span_of(sqlite3_column_blob(st, 0),
	    (size_t)sqlite3_column_bytes(st, 0));
	struct seal_place at = { kind, key,
	    (uint64_t)sqlite3_column_int64(st, 1) };
	struct span sealed = span_of(sqlite3_column_blob(st, 2),
	    (size_t)sqlite3_column_bytes(st, 2));
	size_t n = 0;
	uint8_t *value = arena_bytes(a, sealed.n + 1);
	if (value == NULL)
		return ERR_TOO_LARGE;
	enum err e = seal_open(p->pv, &p->key, &at, sealed, value, &n);
	if (e == ERR_AUTH || e == ERR_ARG)
		p->damage = ERR_AUTH;
	if (e != OK)
		return e == ERR_PROVIDER ? e : ERR_STORE;
	if (key_out != NULL)
		TRY(arena_dup(a, key, key_out));
	*value_out = span_of(value, n);
	return OK;
}

enum err
profile_load(struct profile *p, uint8_t kind, struct span key,
    struct arena *a, struct span *value_out)
{
	sqlite3_stmt *st = p->st[PROFILE_GET];
	bool row;
	sqlite3_bind_int(st, 1, kind);
	bind_blob(st, 2, key);
	enum err e = step(st, &row);
	if (e == OK && row)
		e = take_row(p, st, kind, a, NULL, value_out);
	else if (e == OK)
		e = ERR_NOT_FOUND;
	sqlite3_reset(st);
	return e;
}

/* The first key after all those that start with `prefix`; false: none. */
static bool
prefix_end(struct span prefix, uint8_t out[static SEAL_NAME_MAX], size_t *n)
{
	*n = prefix.n;
	if (prefix.n > 0)
		memcpy(out, prefix.p, prefix.n);
	while (*n > 0 && out[*n - 1] == 0xff)
		(*n)--;
	if (*n == 0)
		return false;
	out[*n - 1]++;
	return true;
}

enum err
profile_seek(struct profile *p, uint8_t kind, struct span prefix,
    struct span from, bool back, struct arena *a, struct span *key_out,
    struct span *value_out)
{
	sqlite3_stmt *st = p->st[back ? PROFILE_PREV : PROFILE_NEXT];
	uint8_t end[SEAL_NAME_MAX];
	struct span key;
	size_t n;
	bool row;
	if (prefix.n > SEAL_NAME_MAX)
		return ERR_ARG;
	/* A statement for each kind of bound: of several, or of one that may
	 * not hold, SQLite takes one to find the place and walks the rest. */
	if (!back && prefix.n != 0 && span_cmp(from, prefix) < 0) {
		st = p->st[PROFILE_FIRST];
	} else if (back && from.n == 0) {
		if (prefix_end(prefix, end, &n))
			from = span_of(end, n);
		else
			st = p->st[PROFILE_LAST];
	}
	sqlite3_bind_int(st, 1, kind);
	if (st != p->st[PROFILE_LAST] && st != p->st[PROFILE_FIRST])
		bind_blob(st, 2, from);
	if (st != p->st[PROFILE_NEXT])
		bind_blob(st, 3, prefix);
	enum err e = step(st, &row);
	if (e == OK && row) {
		key = span_of(sqlite3_column_blob(st, 0),
		    (size_t)sqlite3_column_bytes(st, 0));
		e = span_starts(key, prefix) ?
		    take_row(p, st, kind, a, key_out, value_out) :
		    ERR_NOT_FOUND;
	} else if (e == OK) {
		e = ERR_NOT_FOUND;
	}
	sqlite3_reset(st);
	return e;
}

/* The generation of this transaction's writes, one more than the last. */
static enum err
tick(struct profile *p)
{
	sqlite3_stmt *st = p->st[PROFILE_TICK];
	bool row;
	if (p->generation != 0)
		return OK;
	enum err e = step(st, &row);
	if (e == OK && row)
		p->generation = (uint64_t)sqlite3_column_int64(st, 0);
	else if (e == OK)
		e = ERR_STORE;
	sqlite3_reset(st);
	return e;
}

enum err
profile_put(struct profile *p, uint8_t kind, struct span key,
    struct span value)
{
	sqlite3_stmt *st = p->st[PROFILE_PUT];
	bool row;
	if (value.n > PROFILE_VALUE_MAX)
		return ERR_TOO_LARGE;
	TRY(tick(p));
	struct seal_place at = { kind, key, p->generation };
	buf_clear(&p->work);
	TRY(seal_close(p->pv, &p->key, &at, value, &p->work));
	sqlite3_bind_int(st, 1, kind);
	bind_blob(st, 2, key);
	sqlite3_bind_int64(st, 3, (sqlite3_int64)p->generation);
	sqlite3_bind_blob64(st, 4, p->work.p, p->work.n, SQLITE_STATIC);
	return step(st, &row);
}

enum err
profile_del(struct profile *p, uint8_t kind, struct span key)
{
	sqlite3_stmt *st = p->st[PROFILE_DEL];
	bool row;
	sqlite3_bind_int(st, 1, kind);
	bind_blob(st, 2, key);
	return step(st, &row);
}

enum err
profile_version(struct profile *p, uint64_t *out)
{
	sqlite3_stmt *st = p->st[PROFILE_VERSION];
	bool row;
	enum err e = step(st, &row);
	if (e == OK && row)
		*out = (uint64_t)sqlite3_column_int64(st, 0);
	sqlite3_reset(st);
	return e;
}

/* ---- the second place ---- */

enum err
profile_seen(struct profile *p, uint64_t *out)
{
	return seen_get(p->seen_fd, p->id, out);
}

enum err
profile_saw(struct profile *p, uint64_t generation)
{
	return seen_raise(p->seen_fd, p->id, generation);
}
