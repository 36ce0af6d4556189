/*
 * sys_linux_file_test.c: files beneath a root, with openat2(2) and without.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sys.h"

static char top[64];
static int root;

static const char *
at(const char *name)
{
	static char path[256];

	snprintf(path, sizeof path, "%s/%s", top, name);
	return path;
}

static void
put(const char *name, const char *text)
{
	assert_int_equal(sys_file_write(at(name), span_str(text), 0600), OK);
}

static void
link_to(const char *name, const char *to)
{
	assert_int_equal(symlink(to, at(name)), 0);
}

static int
setup(void **state)
{
	(void)state;
	snprintf(top, sizeof top, "/tmp/nightjar-file.XXXXXX");
	assert_non_null(mkdtemp(top));
	assert_int_equal(sys_dir_make(at("root/sub"), 0700), OK);
	put("root/a.txt", "hello");
	put("root/sub/b.txt", "below");
	put("root/.hidden", "no");
	put("outside", "outside");
	link_to("root/in", "a.txt");
	link_to("root/sub/up", "../a.txt");
	link_to("root/dir", "sub");
	link_to("root/out", "../outside");
	link_to("root/absolute", at("root/a.txt"));
	link_to("root/outdir", "..");
	link_to("root/loop", "loop");
	link_to("root/null", "/dev/null");
	assert_int_equal(mkfifo(at("root/fifo"), 0600), 0);
	assert_int_equal(sys_root_open(at("root"), &root), OK);
	return 0;
}

static int
teardown(void **state)
{
	pid_t child = fork();
	int status;

	(void)state;
	sys_close(root);
	if (child == 0) {
		execl("/bin/rm", "rm", "-rf", top, (char *)NULL);
		_exit(1);
	}
	return waitpid(child, &status, 0) == child && status == 0 ? 0 : -1;
}

static bool
opens(const char *name, const char *want)
{
	struct sys_file f = { .fd = -1 };
	uint8_t text[16];
	bool same;

	if (sys_file_open(root, name, &f) != OK)
		return false;
	same = f.id.size == strlen(want) && sys_file_pread(f.fd, text,
	    sizeof text, 0) == (long)strlen(want) &&
	    memcmp(text, want, strlen(want)) == 0;
	sys_close(f.fd);
	return same;
}

static bool
is_not_found(const char *name)
{
	struct sys_file f;

	return sys_file_open(root, name, &f) == ERR_NOT_FOUND;
}

/* What is refused by every kernel. */
static bool
refuses_all(void)
{
	static const char *const names[] = { "none", "sub", "fifo", "out",
	    "absolute", "outdir/outside", "outdir/root/a.txt", "loop", "null",
	    "../outside", "sub/../../outside", "/etc/passwd", "a.txt/",
	    "a.txt/b", "sub/" };

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		if (!is_not_found(names[i])) {
			print_message("opened: %s\n", names[i]);
			return false;
		}
	}
	return true;
}

static void
test_sys_file_opens_beneath(void **state)
{
	(void)state;
	assert_true(opens("a.txt", "hello"));
	assert_true(opens("sub/b.txt", "below"));
	assert_true(opens("in", "hello"));
	assert_true(opens("sub/up", "hello"));
	assert_true(opens("dir/b.txt", "below"));
}

static void
test_sys_file_nothing_else(void **state)
{
	(void)state;
	assert_true(refuses_all());
}

/* From here on openat2 fails so, as on an old kernel or under a filter. */
static bool
forbid_openat2(uint32_t error)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		    offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof code / sizeof code[0], code };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static bool
by_parts(void)
{
	return opens("a.txt", "hello") && opens("sub/b.txt", "below") &&
	    is_not_found("in") && is_not_found("sub/up") &&
	    is_not_found("dir/b.txt") && is_not_found(".hidden") &&
	    is_not_found("sub//b.txt") && is_not_found("") && refuses_all();
}

/* Without openat2 no link is followed, and nothing more gets out. */
static void
test_sys_file_without_openat2(void **state)
{
	static const uint32_t errors[] = { ENOSYS, EPERM };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		int status;
		pid_t child = fork();

		if (child == 0)
			_exit(!forbid_openat2(errors[i]) ? 77 : by_parts() ?
			    0 : 1);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFEXITED(status));
		if (WEXITSTATUS(status) == 77)
			skip();
		assert_int_equal(WEXITSTATUS(status), 0);
	}
}

/* A fifo with a writer that waits: neither of us is let go. */
static void
test_sys_file_fifo_does_not_wait(void **state)
{
	pid_t child = fork();
	int status;

	(void)state;
	if (child == 0) {
		int fd = open(at("root/fifo"), O_WRONLY);

		_exit(fd < 0);
	}
	for (int i = 0; i < 20; i++) {
		assert_true(is_not_found("fifo"));
		usleep(2000);
	}
	assert_int_equal(waitpid(child, &status, WNOHANG), 0);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
}

static void
test_sys_file_identity(void **state)
{
	struct sys_file f;
	struct sys_file_id now;

	(void)state;
	assert_int_equal(sys_file_open(root, "a.txt", &f), OK);
	assert_int_equal(sys_file_find(root, "a.txt", &now), OK);
	assert_true(sys_file_id_eq(&f.id, &now));
	assert_true(sys_file_is_same(&f));
	usleep(20000);			/* a tick of the file system's clock */
	put("root/a.txt", "HELLO");	/* by renaming over it */
	assert_int_equal(sys_file_find(root, "a.txt", &now), OK);
	assert_false(sys_file_id_eq(&f.id, &now));
	assert_true(sys_file_is_same(&f));	/* ours is as it was */
	sys_close(f.fd);
	assert_int_equal(sys_file_open(root, "a.txt", &f), OK);
	assert_int_equal(truncate(at("root/a.txt"), 3), 0);
	assert_false(sys_file_is_same(&f));
	sys_close(f.fd);
	assert_int_equal(sys_file_find(root, "none", &now), ERR_NOT_FOUND);
	assert_int_equal(sys_file_find(root, "sub", &now), ERR_NOT_FOUND);
	assert_int_equal(sys_file_find(root, "fifo", &now), ERR_NOT_FOUND);
}

static void
test_sys_file_reads_and_sends(void **state)
{
	uint8_t text[16];
	struct sys_file f;
	int pair[2], other;

	(void)state;
	assert_int_equal(sys_file_open(root, "a.txt", &f), OK);
	assert_int_equal(sys_file_pread(f.fd, text, 3, 1), 3);
	assert_memory_equal(text, "ell", 3);
	assert_int_equal(sys_file_pread(f.fd, text, 9, 5), 0);
	assert_int_equal(sys_pair(pair), OK);
	assert_int_equal(sys_sendfile(pair[0], f.fd, 2, 2), 2);
	assert_int_equal(sys_recv(pair[1], text, sizeof text), 2);
	assert_memory_equal(text, "ll", 2);
	assert_int_equal(sys_sendfile(pair[0], f.fd, 5, 9), 0);
	sys_close(f.fd);
	assert_int_equal(sys_sendfile(pair[0], f.fd, 0, 1), SYS_ERROR);
	sys_close(pair[0]);
	sys_close(pair[1]);
	assert_int_equal(sys_root_open(at("none"), &other), ERR_NOT_FOUND);
	assert_int_equal(sys_root_open(at("outside"), &other),
	    ERR_NOT_FOUND);
}

#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_sys_file_opens_beneath),
		T(test_sys_file_nothing_else),
		T(test_sys_file_without_openat2),
		T(test_sys_file_fifo_does_not_wait),
		T(test_sys_file_identity),
		T(test_sys_file_reads_and_sends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
