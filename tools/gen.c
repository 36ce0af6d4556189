/*
 * gen.c: prints what is generated from the .def tables, so that it can not
 * drift from the code.
 *
 *	gen records		the records as Markdown
 *	gen ts			the records as TypeScript types
 *	gen routes		routes and events as Markdown
 *	gen write DIR		writes DIR/records.md, DIR/routes.md
 *	gen check DIR		0 when DIR holds what `gen write` writes
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/shapes.h"

#define OUT_MAX (1 << 20)

static struct wr out;

static void
put(const char *s)
{
	wr_str(&out, s);
}

/* In a cell of a table, where a bar would end it. */
static void
put_cell(const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s == '|')
			wr_u8(&out, '\\');
		wr_u8(&out, (uint8_t)*s);
	}
}

static void
put_range(uint64_t min, uint64_t max, const char *unit)
{
	wr_dec(&out, min);
	if (min != max) {
		put("–");
		wr_dec(&out, max);
	}
	put(unit);
}

static void
put_values(const struct shape_names *e, const char *quote, const char *sep)
{
	for (uint32_t i = 0; i < e->n; i++) {
		put(i == 0 ? "" : sep);
		put(quote);
		put(e->text[i]);
		put(quote);
	}
}

/* ------------------------------------------------------------ records -- */

static void
put_link(const struct shape *s)
{
	put("[");
	put(s->name);
	put("](#");
	put(s->name);
	put(")");
}

static const char *
class_text(unsigned class)
{
	switch (class) {
	case SHAPE_USERNAME:
		return " of `A-Za-z0-9_`";
	case SHAPE_EMAIL:
		return ", an e-mail address";
	case SHAPE_LABEL:
		return ", no control characters, no outer spaces";
	case SHAPE_TOKEN:
		return " of visible ASCII";
	default:
		return "";
	}
}

static void
put_scalar(const struct shape_row *r)
{
	switch (r->kind) {
	case SHAPE_STR:
	case SHAPE_PAT:
		put("string, ");
		put_range(r->min, r->max, " characters");
		put(class_text(r->class));
		break;
	case SHAPE_STRB:
		put("string, ");
		put_range(r->min, r->max, " bytes");
		break;
	case SHAPE_B64:
	case SHAPE_B64TEXT:
		put("base64 of ");
		put_range(r->min, r->max, " bytes");
		break;
	case SHAPE_UUID:
		put("UUID");
		break;
	case SHAPE_U32:
	case SHAPE_U53:
		put("integer, ");
		put_range(r->min, r->max, "");
		break;
	case SHAPE_BOOL:
		put("boolean");
		break;
	case SHAPE_TIME:
		put("time");
		break;
	case SHAPE_ENUM:
		put_values(r->names, "`", ", ");
		break;
	case SHAPE_RAW:
		put("any JSON, at most ");
		put_range(r->max, r->max, " bytes");
		break;
	default:
		break;
	}
}

static void
put_type(const struct shape_row *r)
{
	switch (r->kind) {
	case SHAPE_OBJ:
		put_link(r->shape);
		return;
	case SHAPE_LIST:
		put("list of ");
		put_link(r->shape);
		break;
	case SHAPE_STRS:
		put("list of strings (");
		put_range(r->item_min, r->item_max, " characters)");
		break;
	case SHAPE_B64S:
		put("list of base64 (");
		put_range(r->item_min, r->item_max, " bytes)");
		break;
	case SHAPE_UUIDS:
		put("list of UUIDs");
		break;
	case SHAPE_U32S:
		put("list of integers");
		break;
	case SHAPE_MAP:
		put("map of strings (names 1–");
		wr_dec(&out, r->item_min);
		put(", values 0–");
		wr_dec(&out, r->item_max);
		put(" bytes)");
		break;
	case SHAPE_COUNTS:
		put("map of integers");
		break;
	default:
		put_scalar(r);
		return;
	}
	put(", ");
	put_range(r->min, r->max, " entries");
}

static void
put_record(const struct shape *s)
{
	static const char *const need[] = { "required", "optional",
	    "or null" };

	put("\n### ");
	put(s->name);
	put("\n\n");
	if (s->note[0] != '\0') {
		put(s->note);
		put("\n\n");
	}
	put("| member | | type | |\n| --- | --- | --- | --- |\n");
	for (uint32_t i = 0; i < s->rows_n; i++) {
		const struct shape_row *r = &s->rows[i];

		put("| `");
		put(r->name);
		put("` | ");
		put(need[r->need]);
		put(" | ");
		put_type(r);
		put(" | ");
		put_cell(r->note);
		put(" |\n");
	}
}

static void
print_records(void)
{
	const struct shape *s;

	put("# Records\n\nEvery record of the interface. Generated from "
	    "`src/wire/shapes.def` by `tools/gen.c`; not edited by hand.\n\n"
	    "Requests (`_req`) refuse members that are not listed; in "
	    "answers (`_rep`), events (`_ev`) and their parts (`_rec`) "
	    "clients pass over them. *Optional* members may be left out or "
	    "null; *or null* ones are always there. Binary values are "
	    "standard base64 with padding, times ISO 8601 in UTC with "
	    "milliseconds. In a path or query, lists are separated by "
	    "commas.\n");
	for (size_t i = 0; (s = shape_at(i)) != NULL; i++)
		put_record(s);
}

/* ---------------------------------------------------------- TypeScript -- */

/* message_rec: MessageRec */
static void
put_ts_name(const char *name)
{
	bool upper = true;

	for (; *name != '\0'; name++) {
		if (*name != '_')
			wr_u8(&out, (uint8_t)(upper && *name >= 'a' &&
			    *name <= 'z' ? *name - 32 : *name));
		upper = *name == '_';
	}
}

static void
put_ts_type(const struct shape_row *r)
{
	switch (r->kind) {
	case SHAPE_U32:
	case SHAPE_U53:
		put("number");
		break;
	case SHAPE_BOOL:
		put("boolean");
		break;
	case SHAPE_ENUM:
		put_ts_name(r->names->name);
		break;
	case SHAPE_RAW:
		put("unknown");
		break;
	case SHAPE_OBJ:
		put_ts_name(r->shape->name);
		break;
	case SHAPE_LIST:
		put_ts_name(r->shape->name);
		put("[]");
		break;
	case SHAPE_STRS:
	case SHAPE_B64S:
	case SHAPE_UUIDS:
		put("string[]");
		break;
	case SHAPE_U32S:
		put("number[]");
		break;
	case SHAPE_MAP:
		put("Record<string, string>");
		break;
	case SHAPE_COUNTS:
		put("Record<string, number>");
		break;
	default:
		put("string");
		break;
	}
}

static void
put_ts_enum(const struct shape_names *e)
{
	put("export type ");
	put_ts_name(e->name);
	put(" = ");
	put_values(e, "'", " | ");
	put(";\n");
}

#define TS_ENUM(e, note) put_ts_enum(&shape_names_##e);

static void
print_ts(void)
{
	const struct shape *s;

	put("// Generated from src/wire/shapes.def by tools/gen.c; "
	    "not edited by hand.\n\n");
	ENUMS(TS_ENUM)
	for (size_t i = 0; (s = shape_at(i)) != NULL; i++) {
		put("\nexport interface ");
		put_ts_name(s->name);
		put(" {\n");
		for (uint32_t k = 0; k < s->rows_n; k++) {
			const struct shape_row *r = &s->rows[k];

			put("  ");
			put(r->name);
			put(r->need == SHAPE_OPT ? "?: " : ": ");
			put_ts_type(r);
			put(r->need == SHAPE_NUL ? " | null;\n" : ";\n");
		}
		put("}\n");
	}
}

/* -------------------------------------------------------------- routes -- */

struct op_row {
	const char *name, *who, *rate, *req, *rep;
};

/* The columns of ops.def; the steps behind them are not of interest here. */
static const struct op_row op_rows[] = {
#define OP(name, who, rate, req, rep, ...) { #name, #who, #rate, #req, #rep },
#include "server/ops.def"
#undef OP
};

struct rate_row {
	const char *name, *key;
};

static const struct rate_row rate_rows[] = {
#define RATE(name, scope, key) { #name, #key },
#include "server/rates.def"
#undef RATE
};

static const struct op_row *
op_find(const char *name)
{
	for (size_t i = 0; i < sizeof(op_rows) / sizeof(op_rows[0]); i++)
		if (strcmp(op_rows[i].name, name) == 0)
			return &op_rows[i];
	fprintf(stderr, "names.def: there is no operation %s\n", name);
	exit(1);
}

/* The configuration key of a limit: its c_name with a dot. */
static void
put_rate(const char *rate)
{
	for (size_t i = 0; i < sizeof(rate_rows) / sizeof(rate_rows[0]); i++) {
		const char *key = rate_rows[i].key;
		const char *rest = strchr(key, '_');

		if (strcmp(rate_rows[i].name, rate) != 0)
			continue;
		if (rest == NULL) {
			put("–");
			return;
		}
		put("`");
		wr_bytes(&out, key, (size_t)(rest - key));
		put(".");
		put(rest + 1);
		put("`");
	}
}

static void
put_shape(const char *name)
{
	if (strcmp(name, "none") == 0) {
		put("–");
		return;
	}
	put("[");
	put(name);
	put("](records.md#");
	put(name);
	put(")");
}

static void
put_op(const char *name, const char *op, const char *dialect)
{
	const struct op_row *o = op_find(op);

	put("| `");
	put(name);
	put("` | `");
	put(op);
	put("` | ");
	put(strcmp(o->who, "ANYONE") == 0 ? "anyone" :
	    strcmp(o->who, "USER") == 0 ? "user" : "device");
	put(" | ");
	put_rate(o->rate);
	put(" | ");
	put_shape(o->req);
	put(" | ");
	if (strcmp(dialect, "raw") == 0)
		put("text");
	else
		put_shape(o->rep);
	put(" |\n");
}

#define ROUTES_HEAD "| operation | who | limit | request | answer |\n" \
	"| --- | --- | --- | --- | --- | --- |\n"

static void
print_routes(void)
{
	put("# Routes and events\n\nEvery name by which an operation is "
	    "called. Generated from `src/server/names.def`, `ops.def` and "
	    "`rates.def` by `tools/gen.c`; not edited by hand.\n\n"
	    "*Who*: anyone; a user (a valid token); a device (a token whose "
	    "session is bound to one). *Limit*: its key of the "
	    "configuration. Members of path and query belong to the request "
	    "record. Answers below `/api`, but for `/api/health`, are in "
	    "the envelope of [api.md](../api.md#rest).\n\n"
	    "## REST\n\n| route " ROUTES_HEAD);
#define HTTP(dialect, name, op, summary) put_op(name, #op, #dialect);
#define EVENT(dialect, name, op, failed)
#include "server/names.def"
#undef HTTP
#undef EVENT
	put("\n## Socket.IO\n\nThe answer is the acknowledgement.\n\n| event "
	    ROUTES_HEAD);
#define HTTP(dialect, name, op, summary)
#define EVENT(dialect, name, op, failed) put_op(name, #op, #dialect);
#include "server/names.def"
#undef HTTP
#undef EVENT
}

/* ---------------------------------------------------------------- main -- */

struct page {
	const char *file;
	void (*print)(void);
};

static const struct page pages[] = {
	{ "records.md", print_records },
	{ "routes.md", print_routes },
};

static int
usage(void)
{
	fputs("usage: gen records | gen routes | gen ts | gen write DIR | "
	    "gen check DIR\n", stderr);
	return 2;
}

static FILE *
open_in(const char *dir, const char *file, const char *mode)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", dir, file);
	f = fopen(path, mode);
	if (f == NULL)
		perror(path);
	return f;
}

static int
write_to(FILE *f)
{
	bool good = fwrite(out.p, 1, out.n, f) == out.n;

	return fclose(f) == 0 && good ? 0 : 1;
}

/* Does the file hold what was generated? */
static int
compare(FILE *f, const char *file)
{
	static uint8_t text[OUT_MAX];
	size_t n = fread(text, 1, sizeof text, f);

	fclose(f);
	if (span_eq(span_of(text, n), wr_done(&out)))
		return 0;
	fprintf(stderr, "docs/gen/%s is out of date: run `make gen`\n", file);
	return 1;
}

static int
do_pages(const char *dir, bool write, uint8_t *mem)
{
	int bad = 0;

	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		FILE *f = open_in(dir, pages[i].file, write ? "wb" : "rb");

		out = wr_init(mem, OUT_MAX);
		pages[i].print();
		if (f == NULL || !wr_ok(&out))
			return 1;
		bad |= write ? write_to(f) : compare(f, pages[i].file);
	}
	return bad;
}

int
main(int argc, char **argv)
{
	static uint8_t mem[OUT_MAX];

	if (argc == 3 && strcmp(argv[1], "write") == 0)
		return do_pages(argv[2], true, mem);
	if (argc == 3 && strcmp(argv[1], "check") == 0)
		return do_pages(argv[2], false, mem);
	out = wr_init(mem, sizeof mem);
	if (argc == 2 && strcmp(argv[1], "ts") == 0)
		print_ts();
	else if (argc == 2 && strcmp(argv[1], "records") == 0)
		print_records();
	else if (argc == 2 && strcmp(argv[1], "routes") == 0)
		print_routes();
	else
		return usage();
	return wr_ok(&out) ? write_to(stdout) : 1;
}
