/* sys_linux_test.c: the seam to the OS: addresses, sockets, files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sys.h"

static char folder[64];

static int
setup(void **state)
{
	(void)state;
	snprintf(folder, sizeof folder, "/tmp/nightjar-test-XXXXXX");
	return mkdtemp(folder) == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	char path[128];

	(void)state;
	snprintf(path, sizeof path, "%s/a/b/c", folder);
	(void)rmdir(path);
	snprintf(path, sizeof path, "%s/a/b", folder);
	(void)rmdir(path);
	snprintf(path, sizeof path, "%s/a", folder);
	(void)rmdir(path);
	snprintf(path, sizeof path, "%s/f", folder);
	(void)unlink(path);
	return rmdir(folder);
}

static const char *
at(const char *name)
{
	static char path[128];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

static void
test_sys_linux_clocks_go_on(void **state)
{
	uint64_t a = sys_mono_us(), b = sys_mono_us();

	(void)state;
	assert_true(b >= a);
	assert_true(sys_unix_ms() > UINT64_C(1700000000000));
}

static void
test_sys_linux_random_differs(void **state)
{
	uint8_t a[32] = { 0 }, b[32] = { 0 };

	(void)state;
	sys_random(a, sizeof a);
	sys_random(b, sizeof b);
	assert_memory_not_equal(a, b, sizeof a);
	sys_random(NULL, 0);
}

static void
test_sys_linux_addresses(void **state)
{
	static const char *const good[] = { "127.0.0.1", "0.0.0.0", "::1",
	    "::", "2001:db8::7", "192.0.2.255" };
	static const char *const bad[] = { "", "localhost", "1.2.3",
	    "1.2.3.4.5", "256.1.1.1", ":::1", "[::1]", "127.0.0.1 " };
	char text[SYS_ADDR_TEXT];
	struct sys_addr a;

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		assert_true(sys_addr_decode(good[i], 443, &a));
		sys_addr_text(&a, text);
		assert_string_equal(text, good[i]);
		assert_int_equal(a.port, 443);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(sys_addr_decode(bad[i], 1, &a));
	assert_true(sys_addr_decode("127.9.9.9", 1, &a));
	assert_true(sys_addr_is_v4(&a));
	assert_true(sys_addr_is_loopback(&a));
	assert_true(sys_addr_decode("::1", 1, &a));
	assert_false(sys_addr_is_v4(&a));
	assert_true(sys_addr_is_loopback(&a));
	assert_true(sys_addr_decode("192.0.2.1", 1, &a));
	assert_false(sys_addr_is_loopback(&a));
}

static void
test_sys_linux_resolves_literals(void **state)
{
	struct sys_addr a[4];
	size_t n = 0;

	(void)state;
	assert_int_equal(sys_resolve("127.0.0.1", 80, a, 4, &n), OK);
	assert_int_equal(n, 1);
	assert_int_equal(a[0].port, 80);
	assert_int_equal(sys_resolve("no.such.name.invalid", 80, a, 4, &n),
	    ERR_NOT_FOUND);
}

static void
test_sys_linux_port_in_use(void **state)
{
	struct sys_addr a;
	int one, two;

	(void)state;
	assert_true(sys_addr_decode("127.0.0.1", 0, &a));
	assert_int_equal(sys_listen(&a, 8, &one), OK);
	assert_int_equal(sys_local_addr(one, &a), OK);
	assert_int_not_equal(a.port, 0);
	/* Each reactor has a listener of its own on the same port. */
	assert_int_equal(sys_listen(&a, 8, &two), OK);
	assert_int_equal(sys_port_free(&a), ERR_CONFLICT);
	sys_close(one);
	sys_close(two);
	assert_int_equal(sys_port_free(&a), OK);
	assert_true(sys_addr_decode("192.0.2.1", 80, &a));
	assert_int_equal(sys_listen(&a, 8, &one), ERR_IO);
}

static void
test_sys_linux_recv_and_send(void **state)
{
	struct sys_iov v[2] = { { "ab", 2 }, { "cde", 3 } };
	char text[8];
	int fds[2];

	(void)state;
	sys_ignore_sigpipe();
	assert_int_equal(sys_pair(fds), OK);
	assert_int_equal(sys_recv(fds[0], text, sizeof text), SYS_AGAIN);
	assert_int_equal(sys_sendv(fds[1], v, 2), 5);
	assert_int_equal(sys_recv(fds[0], text, sizeof text), 5);
	assert_memory_equal(text, "abcde", 5);
	sys_shutdown_write(fds[1]);
	assert_int_equal(sys_recv(fds[0], text, sizeof text), 0);
	sys_close(fds[1]);
	assert_int_equal(sys_sendv(fds[0], v, 2), SYS_ERROR);
	sys_close(fds[0]);
	sys_close(-1);
}

/* ---- Files ---- */

static void
test_sys_linux_file_round_trip(void **state)
{
	struct buf b;
	struct stat st;

	(void)state;
	buf_init(&b, 100);
	assert_int_equal(sys_file_read(at("f"), &b), ERR_NOT_FOUND);
	assert_int_equal(sys_file_create(at("f"), SPAN("one"), 0600), OK);
	assert_int_equal(sys_file_create(at("f"), SPAN("two"), 0600),
	    ERR_CONFLICT);
	assert_int_equal(sys_file_read(at("f"), &b), OK);
	assert_true(span_eq(buf_span(&b), SPAN("one")));
	assert_int_equal(sys_file_write(at("f"), SPAN("three"), 0600), OK);
	buf_clear(&b);
	assert_int_equal(sys_file_read(at("f"), &b), OK);
	assert_true(span_eq(buf_span(&b), SPAN("three")));
	assert_int_equal(stat(at("f"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	buf_fini(&b);
}

static void
test_sys_linux_file_too_large(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 4);
	assert_int_equal(sys_file_create(at("f"), SPAN("12345"), 0600), OK);
	assert_int_equal(sys_file_read(at("f"), &b), ERR_TOO_LARGE);
	buf_fini(&b);
}

static void
test_sys_linux_file_in_no_folder(void **state)
{
	(void)state;
	assert_int_equal(sys_file_write(at("no/f"), SPAN("x"), 0600),
	    ERR_NOT_FOUND);
}

static void
test_sys_linux_dir_make(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(sys_dir_make(at("a/b/c"), 0700), OK);
	assert_int_equal(stat(at("a/b/c"), &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_int_equal(sys_dir_make(at("a/b/c"), 0700), OK);
	assert_int_equal(sys_file_create(at("f"), SPAN("x"), 0600), OK);
	assert_int_not_equal(sys_dir_make(at("f"), 0700), OK);
	assert_int_not_equal(sys_dir_make(at("f/x"), 0700), OK);
	assert_int_equal(sys_dir_make("", 0700), ERR_ARG);
}

static void
test_sys_linux_memory(void **state)
{
	const size_t n = (size_t)1 << 34;	/* address space only */
	uint8_t *p = sys_reserve(n);

	(void)state;
	assert_non_null(p);
	assert_int_equal(p[n - 1], 0);
	p[12345678901] = 7;
	assert_int_equal(p[12345678901], 7);
	sys_unreserve(p, n);
	sys_unreserve(NULL, 0);
	assert_true(sys_resident() > 100000);
	assert_true(sys_cpus() >= 1);
	assert_true(sys_fd_limit() >= 64);
}

#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_sys_linux_clocks_go_on),
		T(test_sys_linux_random_differs),
		T(test_sys_linux_addresses),
		T(test_sys_linux_resolves_literals),
		T(test_sys_linux_port_in_use),
		T(test_sys_linux_recv_and_send),
		T(test_sys_linux_file_round_trip),
		T(test_sys_linux_file_too_large),
		T(test_sys_linux_file_in_no_folder),
		T(test_sys_linux_dir_make),
		T(test_sys_linux_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
