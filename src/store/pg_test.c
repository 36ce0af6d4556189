/*
 * pg_test.c: every row of queries.def and the whole schema on a real
 * PostgreSQL, which the test starts for itself: each prepares, with the
 * parameters and the types that its kinds say.
 */
#include "store/harness.h"

#include <libpq-fe.h>
#include <signal.h>
#include <sys/wait.h>

#include "store/migrate.h"
#include "store/query.h"

/* Makes and starts a cluster in $1 on port $2; as its own user when root. */
static const char script[] =
    "set -e; d=$1; p=$2\n"
    "b=$(ls -d /usr/lib/postgresql/*/bin | tail -n 1)\n"
    "as=; if [ \"$(id -u)\" = 0 ]; then chown postgres \"$d\"; as='setpriv"
    " --reuid=postgres --regid=postgres --init-groups'; fi\n"
    "cd \"$d\"\n"
    "$as \"$b/initdb\" -D \"$d/pg\" -U nj -A trust --no-sync -E UTF8"
    " --locale=C >\"$d/log\" 2>&1\n"
    "exec $as \"$b/postgres\" -D \"$d/pg\" -p \"$p\""
    " -c listen_addresses=127.0.0.1 -c unix_socket_directories=\"$d\""
    " -c fsync=off -c full_page_writes=off -c synchronous_commit=off"
    " >>\"$d/log\" 2>&1\n";

#define READY_MS 60000

static pid_t server;
static PGconn *conn;

static int
stop(void **state)
{
	pid_t pid;
	int status;

	(void)state;
	PQfinish(conn);
	if (server > 0) {
		kill(server, SIGINT);
		waitpid(server, NULL, 0);
	}
	pid = fork();
	if (pid == 0) {
		execl("/bin/rm", "rm", "-rf", harness_dir, (char *)NULL);
		_exit(127);
	}
	return waitpid(pid, &status, 0) == pid && status == 0 ? 0 : -1;
}

static uint16_t
free_port(void)
{
	struct sys_addr a;
	int fd;

	assert_true(sys_addr_decode("127.0.0.1", 0, &a));
	assert_int_equal(sys_listen(&a, 1, &fd), OK);
	assert_int_equal(sys_local_addr(fd, &a), OK);
	sys_close(fd);
	return a.port;
}

static int
start(void **state)
{
	char port[8], dsn[128];
	uint64_t begin = sys_mono_us();

	(void)state;
	harness_begin();
	snprintf(port, sizeof(port), "%u", free_port());
	snprintf(dsn, sizeof(dsn), "host=127.0.0.1 port=%s user=nj "
	    "dbname=postgres connect_timeout=5", port);
	server = fork();
	if (server == 0) {
		execl("/bin/sh", "sh", "-c", script, "sh", harness_dir, port,
		    (char *)NULL);
		_exit(127);
	}
	for (;;) {
		conn = PQconnectdb(dsn);
		if (PQstatus(conn) == CONNECTION_OK)
			return 0;
		if (sys_mono_us() - begin > READY_MS * 1000ull ||
		    waitpid(server, NULL, WNOHANG) != 0) {
			fprintf(stderr, "PostgreSQL does not start (is it "
			    "installed?): %s", PQerrorMessage(conn));
			return -1;
		}
		PQfinish(conn);
		conn = NULL;
		usleep(50000);
	}
}

static void
run(const char *what, const char *sql)
{
	PGresult *r = PQexec(conn, sql);

	if (PQresultStatus(r) != PGRES_COMMAND_OK)
		fail_msg("%s: %s", what, PQerrorMessage(conn));
	PQclear(r);
}

static void
test_pg_takes_the_schema(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1 << 20);
	for (const struct migrate_file *f = migrate_files; f->name != NULL;
	    f++) {
		if (f->driver[0] != '\0' && strcmp(f->driver, "pg") != 0)
			continue;
		buf_clear(&b);
		assert_int_equal(migrate_spell(&migrate_pg_words, f->sql, &b),
		    OK);
		run(f->name, (const char *)b.p);
	}
	buf_fini(&b);
}

/* Object ids of types, as pg_type.dat fixes them. */
static bool
fits(enum kind k, Oid type)
{
	switch (k) {
	case KIND_BOOL:
		return type == 16;
	case KIND_U32:
		return type == 20 || type == 23;
	case KIND_U64:
	case KIND_TIME:
		return type == 20;
	case KIND_ID:
		return type == 2950;
	case KIND_TEXT:
		return type == 25 || type == 1043;
	case KIND_BYTES:
		return type == 17;
	case KIND_JSON:
		return type == 3802;
	case KIND_IP:
		return type == 869;
	}
	return false;
}

static void
check_types(const struct query *q, const PGresult *r)
{
	const struct query_field *f;
	size_t n;

	f = q->in(&n);
	if ((size_t)PQnparams(r) != n)
		fail_msg("%s: %d parameters, not %zu", q->name, PQnparams(r),
		    n);
	for (int i = 0; i < PQnparams(r); i++)
		if (!fits(kind_rows[f[i].row].kind, PQparamtype(r, i)))
			fail_msg("%s: $%d (%s) is of type %u", q->name, i + 1,
			    f[i].name, PQparamtype(r, i));
	if (q->out == NULL)
		return;
	f = q->out(&n);
	if ((size_t)PQnfields(r) != n)
		fail_msg("%s: %d columns, not %zu", q->name, PQnfields(r), n);
	for (int i = 0; i < PQnfields(r); i++)
		if (!fits(kind_rows[f[i].row].kind, PQftype(r, i)))
			fail_msg("%s: column %d (%s) is of type %u", q->name,
			    i + 1, f[i].name, PQftype(r, i));
}

static void
test_pg_prepares_every_query(void **state)
{
	PGresult *r;

	(void)state;
	for (unsigned id = 0; id < query_count(); id++) {
		const struct query *q = query_row(id);

		r = PQprepare(conn, q->name, q->sql, 0, NULL);
		if (PQresultStatus(r) != PGRES_COMMAND_OK)
			fail_msg("%s: %s", q->name, PQerrorMessage(conn));
		PQclear(r);
		r = PQdescribePrepared(conn, q->name);
		if (PQresultStatus(r) != PGRES_COMMAND_OK)
			fail_msg("%s: %s", q->name, PQerrorMessage(conn));
		check_types(q, r);
		PQclear(r);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pg_takes_the_schema),
		cmocka_unit_test(test_pg_prepares_every_query),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
