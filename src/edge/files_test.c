/*
 * files_test.c: files of a folder and of a table, asked for over a connection
 * (what tests/conformance/12_files.py does not reach: tables, options, the
 * cache). The app answers by edge_files_answer and 404.
 */
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "edge/files.h"
#include "edge/files_private.h"
#include "edge/rig.h"

static struct edge_files *files;
static char root[64];

static void
on_request(void *arg, struct edge_ref ref, const struct edge_request *req)
{
	static const struct edge_answer none = { .status = 404 };
	struct span path = req->head->path;

	(void)arg;
	if (!edge_files_answer(ref, files, req, span_sub(path, 1, path.n)))
		edge_answer(ref, &none);
}

static struct edge_app app;

static void
start(const struct edge_files_conf *fc)
{
	struct edge_conf c;

	memset(&rig, 0, sizeof rig);
	app = rig_app;
	app.on_request = on_request;
	edge_conf_default(&c);
	buf_init(&rig.log, RIG_OUT_MAX);
	assert_int_equal(edge_files_open(fc, &files), OK);
	assert_int_equal(reactor_open(3, &rig.reactor), OK);
	reactor_adopt(rig.reactor);
	assert_int_equal(edge_open(rig.reactor, &c, &app, &rig.edge), OK);
}

static void
stop(void)
{
	rig_teardown(NULL);
	edge_files_close(files);
}

static void
put(const char *name, const char *text, long age_s)
{
	char path[128];
	struct timeval t[2];

	snprintf(path, sizeof path, "%s/%s", root, name);
	assert_int_equal(sys_file_write(path, span_str(text), 0600), OK);
	t[0] = (struct timeval){ (long)(sys_unix_ms() / 1000) - age_s, 0 };
	t[1] = t[0];
	assert_int_equal(utimes(path, t), 0);
}

static int
setup(void **state)
{
	(void)state;
	snprintf(root, sizeof root, "/tmp/nightjar-files.XXXXXX");
	assert_non_null(mkdtemp(root));
	return 0;
}

static int
teardown(void **state)
{
	pid_t child = fork();
	int status;

	(void)state;
	if (child == 0) {
		execl("/bin/rm", "rm", "-rf", root, (char *)NULL);
		_exit(1);
	}
	return waitpid(child, &status, 0) == child && status == 0 ? 0 : -1;
}

/* The answer to one request, as text. */
static const char *
ask(const char *target, const char *fields)
{
	static char text[4096];
	int n, fd = rig_client();
	const char *got;

	n = snprintf(text, sizeof text,
	    "GET %s HTTP/1.1\r\nHost: h\r\n%s\r\n", target, fields);
	rig_send(fd, span_of(text, (size_t)n));
	got = rig_text(fd, NULL);
	snprintf(text, sizeof text, "%s", got);
	sys_close(fd);
	rig_run(3);
	return text;
}

static bool
has(const char *answer, const char *part)
{
	if (strstr(answer, part) != NULL)
		return true;
	print_message("%s\nlacks %s\n", answer, part);
	return false;
}

static bool
ends(const char *answer, const char *body)
{
	const char *at = strstr(answer, "\r\n\r\n");

	return at != NULL && strcmp(at + 4, body) == 0;
}

#define S(text) { (const uint8_t *)(text), sizeof(text) - 1 }
#define NONE { NULL, 0 }

static const struct edge_file table[] = {
	{ S("index.html"), NONE, S("<index>"), S("BR"), NONE, S("GZ") },
	{ S("assets/app-1f.js"), NONE, S("app"), NONE, S("ZST"), NONE },
	{ S("data"), S("text/x-own"), S("own"), NONE, NONE, NONE },
	{ S("empty.txt"), NONE, NONE, NONE, NONE, NONE },
};

static struct edge_files_conf
of_table(void)
{
	struct edge_files_conf c;

	edge_files_conf_default(&c);
	c.table = table;
	c.table_n = sizeof table / sizeof table[0];
	c.index = SPAN("index.html");
	c.spa = true;
	c.immutable = SPAN("assets/");
	c.cache_control = SPAN("max-age=60");
	return c;
}

static void
test_files_of_a_table(void **state)
{
	struct edge_files_conf c = of_table();
	char tag[128];
	const char *a;

	(void)state;
	start(&c);
	a = ask("/assets/app-1f.js", "");
	assert_true(has(a, "HTTP/1.1 200 OK\r\n") && ends(a, "app"));
	assert_true(has(a, "Content-Type: text/javascript; charset=utf-8"));
	assert_true(has(a, "Cache-Control: public, max-age=31536000, "
	    "immutable\r\n"));
	assert_null(strstr(a, "Last-Modified"));
	assert_true(has(a, "ETag: \""));
	snprintf(tag, sizeof tag, "If-None-Match: %.34s\r\n",
	    strstr(a, "ETag: ") + 6);
	assert_true(has(ask("/assets/app-1f.js", tag), " 304 "));
	a = ask("/assets/app-1f.js", "Accept-Encoding: zstd, br\r\n");
	assert_true(has(a, "Content-Encoding: zstd\r\n") && ends(a, "ZST"));
	a = ask("/assets/app-1f.js", "Range: bytes=1-1\r\n");
	assert_true(has(a, " 206 ") && ends(a, "p"));
	a = ask("/data", "");
	assert_true(has(a, "Content-Type: text/x-own\r\n") && ends(a, "own"));
	assert_true(has(a, "Cache-Control: max-age=60\r\n"));
	assert_true(has(ask("/empty.txt", ""), "Content-Length: 0\r\n"));
	stop();
}

/* A client with pages of its own: "/" and /chats/1 are its index. */
static void
test_files_index(void **state)
{
	struct edge_files_conf c = of_table();
	const char *a;

	(void)state;
	start(&c);
	for (int i = 0; i < 3; i++) {
		static const char *const as[] = { "/", "/chats/1", "/index.html" };

		a = ask(as[i], "");
		assert_true(has(a, " 200 ") && ends(a, "<index>"));
		assert_true(has(a, "Cache-Control: no-cache\r\n"));
		assert_true(has(a, "Content-Type: text/html"));
	}
	a = ask("/", "Accept-Encoding: gzip, br\r\n");
	assert_true(has(a, "Content-Encoding: br\r\n") && ends(a, "BR"));
	assert_true(has(a, "Content-Type: text/html"));
	/* What looks like a file, or is no name, is none. */
	assert_true(has(ask("/none.js", ""), " 404 "));
	assert_true(has(ask("/a/../b", ""), " 404 "));
	assert_true(has(ask("/.git", ""), " 404 "));
	assert_true(has(ask("/chats/", ""), " 404 "));
	stop();
	c.spa = false;
	start(&c);
	assert_true(has(ask("/", ""), " 200 "));
	assert_true(has(ask("/chats", ""), " 404 "));
	stop();
	c.index = SPAN("");
	start(&c);
	assert_true(has(ask("/", ""), " 404 "));
	stop();
}

/* The table is before the folder; a form is of the same place. */
static void
test_files_table_before_folder(void **state)
{
	struct edge_files_conf c = of_table();
	const char *a;

	(void)state;
	put("index.html", "of the folder", 100);
	put("assets", "x", 100);
	put("data.br", "of the folder", 0);
	put("more.txt", "more", 100);
	c.root = root;
	start(&c);
	assert_true(ends(ask("/index.html", ""), "<index>"));
	assert_true(ends(ask("/more.txt", ""), "more"));
	a = ask("/data", "Accept-Encoding: br\r\n");
	assert_true(ends(a, "own"));
	stop();
}

static void
test_files_options(void **state)
{
	struct edge_files_conf c;
	const char *a;

	(void)state;
	edge_files_conf_default(&c);
	put("a.txt", "hello", 100);
	put("a.txt.gz", "GZ", 50);
	c.root = root;
	c.forms = c.nosniff = false;
	c.ranges_max = 0;
	c.cache_bytes = 0;
	start(&c);
	a = ask("/a.txt", "Accept-Encoding: gzip\r\nRange: bytes=0-0\r\n");
	assert_true(has(a, " 200 ") && ends(a, "hello"));
	assert_null(strstr(a, "nosniff"));
	assert_null(strstr(a, "Vary"));
	assert_null(strstr(a, "Accept-Ranges"));
	assert_null(strstr(a, "Cache-Control"));
	assert_int_equal(edge_files_stats(files)->cached, 0);
	stop();
}

/* Kept, asked for anew at each input, dropped for room. */
static void
test_files_cache(void **state)
{
	struct edge_files_conf c;
	const struct edge_files_stats *st;
	char name[32];
	int fd;

	(void)state;
	edge_files_conf_default(&c);
	c.root = root;
	c.forms = false;
	c.cache_bytes = 4000;
	put("young.txt", "young", 0);
	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof name, "f%d.txt", i);
		put(name, "text", 100);
	}
	start(&c);
	st = edge_files_stats(files);
	/* Their change times are of now: they are not at rest. */
	assert_true(ends(ask("/young.txt", ""), "young"));
	assert_true(ends(ask("/f0.txt", ""), "text"));
	assert_int_equal(st->cached, 0);
	assert_int_equal(st->reads, 2);
	rig_run_ms(3000);
	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof name, "/f%d.txt", i);
		assert_true(ends(ask(name, ""), "text"));
	}
	assert_int_equal(st->reads, 22);
	assert_true(st->cached > 2 && st->cached < 20);
	assert_true(st->cached_bytes <= 4000);
	assert_true(st->dropped > 0);
	assert_int_equal(st->hits, 0);
	/* Those of one input are looked at once, and answered alike. */
	fd = rig_client();
	rig_send(fd, SPAN("GET /f19.txt HTTP/1.1\r\nHost: h\r\n\r\n"
	    "GET /f19.txt HTTP/1.1\r\nHost: h\r\n\r\n"));
	assert_non_null(strstr(rig_text(fd, NULL), "textHTTP/1.1 200"));
	assert_int_equal(st->hits, 2);
	put("f19.txt", "next", 100);
	rig_send(fd, SPAN("GET /f19.txt HTTP/1.1\r\nHost: h\r\n\r\n"));
	assert_true(ends(rig_text(fd, NULL), "next"));
	sys_close(fd);
	stop();
}

/* A form that appears later is found, within a second. */
static void
test_files_form_appears(void **state)
{
	struct edge_files_conf c;
	static const char gzip[] = "Accept-Encoding: gzip\r\n";

	(void)state;
	edge_files_conf_default(&c);
	c.root = root;
	put("a.txt", "hello", 100);
	start(&c);
	assert_true(ends(ask("/a.txt", gzip), "hello"));
	put("a.txt.gz", "GZ", 0);
	rig_run_ms(1100);
	assert_true(ends(ask("/a.txt", gzip), "GZ"));
	put("a.txt", "changed", -10);	/* newer than its form */
	assert_true(ends(ask("/a.txt", gzip), "changed"));
	stop();
}

static void
test_files_bad_configurations(void **state)
{
	struct edge_files_conf c;
	struct edge_files *f;
	struct edge_file no_name = { .body = SPAN("x") };

	(void)state;
	edge_files_conf_default(&c);
	c.root = "/tmp/nightjar-files.none";
	assert_int_equal(edge_files_open(&c, &f), ERR_NOT_FOUND);
	c.root = NULL;
	c.ranges_max = 65;
	assert_int_equal(edge_files_open(&c, &f), ERR_ARG);
	c.ranges_max = 1;
	c.file_max = 2 << 20;
	assert_int_equal(edge_files_open(&c, &f), ERR_ARG);
	c.file_max = 1;
	c.table = &no_name;
	c.table_n = 1;
	assert_int_equal(edge_files_open(&c, &f), ERR_ARG);
	c.table_n = 0;
	assert_int_equal(edge_files_open(&c, &f), OK);
	edge_files_close(f);
	edge_files_close(NULL);
}

#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_files_of_a_table),
		T(test_files_index),
		T(test_files_table_before_folder),
		T(test_files_options),
		T(test_files_cache),
		T(test_files_form_appears),
		T(test_files_bad_configurations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
