/*
 * migrate.c: schema migrations. Runs once at start-up, on the writer's
 * connection, before any thread of the store exists.
 */
#include <ctype.h>

#include "store/migrate.h"

#define SQL_MAX ((size_t)1 << 20)

const struct driver_words migrate_pg_words = {
	.id = "UUID", .bytes = "BYTEA", .time = "BIGINT", .json = "JSONB",
	.ip = "INET", .boolean = "BOOLEAN", .integer = "BIGINT",
};

static enum err
word_of(const struct driver_words *w, struct span name, const char **out)
{
	const struct {
		const char *name, *text;
	} words[] = {
		{ "BOOL", w->boolean }, { "BYTES", w->bytes }, { "ID", w->id },
		{ "INT", w->integer }, { "IP", w->ip }, { "JSON", w->json },
		{ "TIME", w->time },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (span_eq(name, span_str(words[i].name))) {
			*out = words[i].text;
			return OK;
		}
	}
	return ERR_FORMAT;
}

enum err
migrate_spell(const struct driver_words *w, const char *sql, struct buf *out)
{
	const char *text = NULL;
	size_t n;

	while (*sql != '\0') {
		n = strcspn(sql, "@");
		TRY(buf_add(out, sql, n));
		sql += n;
		if (*sql == '\0')
			break;
		n = 1;
		while (isupper((unsigned char)sql[n]))
			n++;
		TRY(word_of(w, span_of(sql + 1, n - 1), &text));
		TRY(buf_add_str(out, text));
		sql += n;
	}
	return buf_add(out, "", 1);
}

static void
blame(struct store_error *err_out, const char *what, const char *why)
{
	if (err_out != NULL)
		snprintf(err_out->text, sizeof(err_out->text),
		    "migration %s: %s", what, why);
}

/* Is the migration noted in the database? Any text matches name NULL. */
static enum err
count_noted(const struct driver *d, struct db *db, struct stmt *st,
    const char *name, uint64_t *n_out)
{
	struct value v = { .kind = KIND_TEXT };
	enum err e = OK;
	bool row;

	(void)db;
	if (name != NULL) {
		v.s = span_str(name);
		e = d->bind(st, 0, &v);
	}
	if (e == OK)
		e = d->step(st, &row);
	if (e == OK) {
		d->column(st, 0, KIND_U64, &v);
		*n_out = v.n;
	}
	d->reset(st);
	return e;
}

static enum err
note(const struct driver *d, struct stmt *st, const char *name, uint64_t n,
    uint64_t now_ms)
{
	struct value v[3] = {
		{ .kind = KIND_U64, .n = n },
		{ .kind = KIND_TEXT, .s = span_str(name) },
		{ .kind = KIND_TIME, .n = now_ms },
	};
	enum err e = OK;
	bool row;

	for (unsigned i = 0; i < 3 && e == OK; i++)
		e = d->bind(st, i, &v[i]);
	if (e == OK)
		e = d->step(st, &row);
	d->reset(st);
	return e;
}

/* One file's text, spelled and run. */
static enum err
run_file(const struct driver *d, struct db *db, const struct migrate_file *f)
{
	struct buf b;
	enum err e;

	buf_init(&b, SQL_MAX);
	e = migrate_spell(&d->words, f->sql, &b);
	if (e == OK)
		e = d->run(db, (const char *)b.p);
	buf_fini(&b);
	return e;
}

/* All files of one migration in one transaction, and its note. */
static enum err
run_one(const struct driver *d, struct db *db, const struct migrate_file *f,
    struct stmt *insert, uint64_t number, uint64_t now_ms,
    struct store_error *err_out)
{
	const char *name = f->name;
	enum err e;

	TRY(d->run(db, "BEGIN"));
	e = OK;
	for (; f->name != NULL && strcmp(f->name, name) == 0 && e == OK; f++)
		if (f->driver[0] == '\0' || strcmp(f->driver, d->name) == 0)
			e = run_file(d, db, f);
	if (e == OK)
		e = note(d, insert, name, number, now_ms);
	if (e == OK)
		e = d->run(db, "COMMIT");
	if (e != OK) {
		blame(err_out, name, d->why(db));
		(void)d->run(db, "ROLLBACK");
		return e == ERR_CONFLICT ? ERR_STORE : e;
	}
	return OK;
}

static enum err
run_all(const struct driver *d, struct db *db,
    const struct migrate_file *files, const char *last, uint64_t now_ms,
    struct store_error *err_out)
{
	struct stmt *find, *insert, *count;
	uint64_t noted = 0, known = 0, number = 0, n;

	TRY(d->prepare(db, "SELECT COUNT(*) FROM migrations WHERE name = $1",
	    &find));
	TRY(d->prepare(db, "SELECT COUNT(*) FROM migrations", &count));
	TRY(d->prepare(db, "INSERT INTO migrations (id, name, executed_at)"
	    " VALUES ($1, $2, $3)", &insert));
	TRY(count_noted(d, db, count, NULL, &noted));
	for (const struct migrate_file *f = files; f->name != NULL; f++) {
		if (f != files && strcmp(f->name, f[-1].name) == 0)
			continue;
		TRY(count_noted(d, db, find, f->name, &n));
		known += n;
	}
	if (known != noted) {
		blame(err_out, "check",
		    "the database was made by a newer version");
		return ERR_VERSION;
	}
	for (const struct migrate_file *f = files; f->name != NULL; f++) {
		if (f != files && strcmp(f->name, f[-1].name) == 0)
			continue;
		number++;
		TRY(count_noted(d, db, find, f->name, &n));
		if (n == 0 && (last == NULL || strcmp(f->name, last) <= 0))
			TRY(run_one(d, db, f, insert, number, now_ms,
			    err_out));
	}
	return OK;
}

enum err
migrate_run(const struct driver *d, struct db *db,
    const struct migrate_file *files, const char *last, uint64_t now_ms,
    struct store_error *err_out)
{
	enum err e;
	struct buf b;

	buf_init(&b, SQL_MAX);
	e = migrate_spell(&d->words, "CREATE TABLE IF NOT EXISTS migrations ("
	    "id INTEGER NOT NULL PRIMARY KEY,"
	    "name VARCHAR(100) NOT NULL UNIQUE, executed_at @TIME NOT NULL)",
	    &b);
	if (e == OK)
		e = d->run(db, (const char *)b.p);
	buf_fini(&b);
	if (e != OK) {
		blame(err_out, "table", d->why(db));
		return e;
	}
	return run_all(d, db, files != NULL ? files : migrate_files, last,
	    now_ms, err_out);
}
