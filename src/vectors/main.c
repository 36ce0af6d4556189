/*
 * main.c: nightjar-vectors, which runs files of test vectors through the
 * native provider and the protocol core.
 *
 *	nightjar-vectors [--json] FILE-OR-FOLDER...
 *
 * Folders are walked in sorted order. One line a file: counts, and the ids of
 * failed cases; --json prints one JSON object a line instead. Exit status 0
 * when nothing failed, 1 when something did (an unreadable file counts), 2
 * for wrong usage.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/text.h"
#include "crypto/host.h"
#include "crypto/openssl.h"
#include "vectors/schema.h"

#define FILE_BYTES_MAX ((size_t)64 << 20)
#define ARENA_BYTES_MAX ((size_t)256 << 20)
#define DEPTH_MAX 8

#define SCHEMA(name) extern const struct vector_schema name;
#include "vectors/schemas.def"
#undef SCHEMA

static const struct vector_schema *const schemas[] = {
#define SCHEMA(name) &name,
#include "vectors/schemas.def"
#undef SCHEMA
};

struct run {
	bool json;
	struct provider provider;
	struct tally total;
	unsigned long files, unknown;
};

static void
print_quoted(const char *s)
{
	putchar('"');
	for (; *s != '\0'; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\')
			printf("\\%c", c);
		else if (c < 0x20)
			printf("\\u%04x", c);
		else
			putchar(c);
	}
	putchar('"');
}

static void
print_json(const char *path, const char *schema, const struct tally *t)
{
	size_t i;

	printf("{\"file\":");
	print_quoted(path);
	printf(",\"schema\":");
	if (schema != NULL)
		print_quoted(schema);
	else
		printf("null");
	printf(",\"passed\":%lu,\"failed\":%lu,\"notApplicable\":%lu,"
	    "\"failures\":[", t->passed, t->failed, t->not_applicable);
	for (i = 0; i < t->n_failures; i++) {
		if (i > 0)
			putchar(',');
		print_quoted(t->failures[i].text);
	}
	printf("]}\n");
}

static void
print_text(const char *path, const char *schema, const struct tally *t)
{
	size_t i;

	printf("%-4s %s (%s): %lu passed, %lu failed, %lu not applicable\n",
	    t->failed > 0 ? "FAIL" : schema == NULL ? "n/a" : "ok", path,
	    schema != NULL ? schema : "unknown kind", t->passed, t->failed,
	    t->not_applicable);
	for (i = 0; i < t->n_failures; i++)
		printf("     %s\n", t->failures[i].text);
	if (t->failed > t->n_failures)
		printf("     and %lu more\n", t->failed - t->n_failures);
}

static void
report(struct run *r, const char *path, const char *schema,
    const struct tally *t)
{
	r->files++;
	r->total.passed += t->passed;
	r->total.failed += t->failed;
	r->total.not_applicable += t->not_applicable;
	if (schema == NULL && t->failed == 0)
		r->unknown++;
	if (r->json)
		print_json(path, schema, t);
	else
		print_text(path, schema, t);
	(void)fflush(stdout);
}

/* The whole file in memory of its own, with a NUL behind; NULL on error. */
static char *
slurp(const char *path, size_t *n_out)
{
	FILE *f = fopen(path, "rb");
	char *p = NULL;
	long n = -1;

	if (f == NULL)
		return NULL;
	if (fseek(f, 0, SEEK_END) == 0)
		n = ftell(f);
	if (n >= 0 && (size_t)n <= FILE_BYTES_MAX && fseek(f, 0, SEEK_SET) == 0)
		p = (char *)malloc((size_t)n + 1);
	if (p != NULL && fread(p, 1, (size_t)n, f) != (size_t)n) {
		free(p);
		p = NULL;
	}
	(void)fclose(f);
	if (p == NULL)
		return NULL;
	p[n] = '\0';
	*n_out = (size_t)n;
	return p;
}

static void *
grow(void *p, size_t n)
{
	if (p == NULL)
		return malloc(n);
	free(p);
	return NULL;
}

static const struct vector_schema *
schema_of(const struct vector_file *f)
{
	size_t i;

	for (i = 0; i < sizeof(schemas) / sizeof(schemas[0]); i++)
		if (schemas[i]->recognise(f))
			return schemas[i];
	return NULL;
}

/* A file that is named JSON has to be JSON. */
static bool
is_json_name(const char *path)
{
	size_t n = strlen(path);

	return n > 5 && strcmp(path + n - 5, ".json") == 0;
}

static void
run_file(struct run *r, const char *path)
{
	static uint64_t memory[65536 / 8];
	struct tally *t = (struct tally *)calloc(1, sizeof(*t));
	const struct vector_schema *schema = NULL;
	struct vector_file f = { .path = path, .provider = &r->provider };
	struct arena arena;
	yyjson_doc *doc = NULL;
	size_t n = 0;
	char *text = slurp(path, &n);

	if (t == NULL)
		abort();
	arena_init_growing(&arena, memory, sizeof(memory), ARENA_BYTES_MAX,
	    grow);
	f.arena = &arena;
	if (text == NULL) {
		tally_fail(t, "file", "cannot be read: %s", strerror(errno));
	} else {
		doc = yyjson_read(text, n, 0);
		f.text = span_of(text, n);
		f.root = yyjson_doc_get_root(doc);
		schema = schema_of(&f);
		if (schema != NULL)
			schema->run(&f, t);
		else if (doc == NULL && is_json_name(path))
			tally_fail(t, "file", "is not valid JSON");
		else
			tally_skip(t);
	}
	report(r, path, schema != NULL ? schema->name : NULL, t);
	yyjson_doc_free(doc);
	free(text);
	arena_fini(&arena);
	free(t);
}

static void
run_path(struct run *r, const char *path, int depth)
{
	struct dirent **names = NULL;
	char child[PATH_MAX];
	struct stat st;
	int i, n;

	if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode)) {
		run_file(r, path);
		return;
	}
	n = depth < DEPTH_MAX ? scandir(path, &names, NULL, alphasort) : -1;
	if (n < 0) {
		struct tally t = { 0 };

		tally_fail(&t, "folder", "cannot be read");
		report(r, path, NULL, &t);
		return;
	}
	for (i = 0; i < n; i++) {
		const char *name = names[i]->d_name;
		int len = snprintf(child, sizeof(child), "%s/%s", path, name);
		size_t tail = strlen(name);

		/* Hidden files and the folders' own descriptions are no data. */
		if (name[0] != '.' && len > 0 && (size_t)len < sizeof(child) &&
		    !(tail > 3 && strcmp(name + tail - 3, ".md") == 0))
			run_path(r, child, depth + 1);
		free(names[i]);
	}
	free(names);
}

static int
usage(void)
{
	fprintf(stderr, "usage: nightjar-vectors [--json] FILE-OR-FOLDER...\n");
	return 2;
}

int
main(int argc, char **argv)
{
	static struct run r;
	int i = 1;

	if (argc > 1 && strcmp(argv[1], "--json") == 0) {
		r.json = true;
		i++;
	}
	if (i == argc || argv[i][0] == '-')
		return usage();
	if (host_init() != OK || openssl_provider_open(&r.provider) != OK) {
		fprintf(stderr, "nightjar-vectors: OpenSSL lacks something\n");
		return 1;
	}
	for (; i < argc; i++)
		run_path(&r, argv[i], 0);
	if (!r.json)
		printf("%lu files (%lu of unknown kind): %lu passed, %lu "
		    "failed, %lu not applicable\n", r.files, r.unknown,
		    r.total.passed, r.total.failed, r.total.not_applicable);
	openssl_provider_close(&r.provider);
	return r.total.failed > 0 ? 1 : 0;
}
