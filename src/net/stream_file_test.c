/*
 * stream_file_test.c: files in the queue of a stream, plain and TLS.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/listener.h"
#include "net/stream.h"

#define SIZE 3000000u

struct peer {
	struct stream s;	/* first */
	struct buf in;
	bool opened, closed;
	unsigned drained;
	enum stream_end why;
};

static struct reactor *r;
static struct listener listener;
static struct tls_ctx *server_tls, *client_tls;
static struct peer server, client;
static char path[64];
static uint8_t *content;
static size_t fds;

static void
on_open(struct stream *s)
{
	((struct peer *)(void *)s)->opened = true;
}

static void
on_data(struct stream *s, struct span bytes)
{
	assert_int_equal(buf_add_span(&((struct peer *)(void *)s)->in, bytes),
	    OK);
}

static void
on_drained(struct stream *s)
{
	((struct peer *)(void *)s)->drained++;
}

static void
on_close(struct stream *s, enum stream_end why)
{
	((struct peer *)(void *)s)->closed = true;
	((struct peer *)(void *)s)->why = why;
}

static const struct stream_ops ops = { .on_open = on_open,
    .on_data = on_data, .on_drained = on_drained, .on_close = on_close };

static void
on_accept(struct listener *l, int fd, const struct sys_addr *peer)
{
	(void)l;
	(void)peer;
	assert_int_equal(stream_accept(&server.s, r, fd, server_tls, &ops,
	    4 * STREAM_FILE_WEIGHT), OK);
}

/* The lowest free descriptor: nothing is left when it is the same. */
static size_t
next_fd(void)
{
	int fd = dup(0);

	assert_true(fd >= 0);
	close(fd);
	return (size_t)fd;
}

static void
run_until(const bool *done)
{
	for (int i = 0; !*done && i < 20000; i++)
		reactor_tick(r, 1);
	assert_true(*done);
}

static bool
trust(void *arg, const struct tls_peer *peer)
{
	(void)arg;
	(void)peer;
	return true;
}

static void
make_tls(void)
{
	struct buf cert, key;

	buf_init(&cert, 16384);
	buf_init(&key, 16384);
	assert_int_equal(tls_self_signed("127.0.0.1", 30, &cert, &key), OK);
	assert_int_equal(tls_ctx_server(buf_span(&cert), buf_span(&key),
	    &server_tls), OK);
	assert_int_equal(tls_ctx_client(SPAN(""), trust, &client_tls), OK);
	buf_fini(&cert);
	buf_fini(&key);
}

/* So that the kernel does not take all of a file at once. */
static void
small_buffers(void)
{
	const int n = 65536;

	assert_int_equal(setsockopt(server.s.io.fd, SOL_SOCKET, SO_SNDBUF, &n,
	    sizeof n), 0);
	assert_int_equal(setsockopt(client.s.io.fd, SOL_SOCKET, SO_RCVBUF, &n,
	    sizeof n), 0);
}

static int
setup(void **state)
{
	struct sys_addr a;

	(void)state;
	memset(&server, 0, sizeof server);
	memset(&client, 0, sizeof client);
	buf_init(&client.in, SIZE * 2);
	assert_non_null(content = malloc(SIZE));
	for (size_t i = 0; i < SIZE; i++)
		content[i] = (uint8_t)(i * 2654435761u >> 13);
	snprintf(path, sizeof path, "/tmp/nightjar-stream.%ld",
	    (long)getpid());
	assert_int_equal(sys_file_write(path, span_of(content, SIZE), 0600),
	    OK);
	assert_int_equal(reactor_open(0, &r), OK);
	reactor_adopt(r);
	assert_true(sys_addr_decode("127.0.0.1", 0, &a));
	assert_int_equal(listener_open(&listener, r, &a, on_accept, NULL),
	    OK);
	assert_int_equal(listener_addr(&listener, &a), OK);
	assert_int_equal(stream_connect(&client.s, r, &a, client_tls,
	    "127.0.0.1", NULL, &ops, 65536), OK);
	run_until(&server.opened);
	run_until(&client.opened);
	small_buffers();
	fds = next_fd();
	return 0;
}

static int
setup_tls(void **state)
{
	make_tls();
	return setup(state);
}

static int
teardown(void **state)
{
	(void)state;
	stream_close(&server.s);
	stream_close(&client.s);
	for (int i = 0; i < 5; i++)
		reactor_tick(r, 0);
	listener_close(&listener);
	reactor_close(r);
	tls_ctx_unref(server_tls);
	tls_ctx_unref(client_tls);
	server_tls = client_tls = NULL;
	buf_fini(&client.in);
	free(content);
	unlink(path);
	return 0;
}

static struct sys_file
file(void)
{
	struct sys_file f;
	int root;

	assert_int_equal(sys_root_open("/tmp", &root), OK);
	assert_int_equal(sys_file_open(root, path + 5, &f), OK);
	sys_close(root);
	return f;
}

static void
write_file(uint64_t at, uint64_t n)
{
	struct sys_file f = file();

	assert_int_equal(stream_write_file(&server.s, &f, at, n), OK);
}

static void
run_for(size_t n)
{
	for (int i = 0; client.in.n < n && !client.closed && i < 20000; i++)
		reactor_tick(r, 1);
}

static void
check_got(size_t at, size_t from, size_t n)
{
	assert_true(client.in.n >= at + n);
	assert_memory_equal(client.in.p + at, content + from, n);
}

static void
test_stream_file_whole(void **state)
{
	(void)state;
	write_file(0, SIZE);
	assert_int_equal(stream_waiting(&server.s), STREAM_FILE_WEIGHT);
	run_for(SIZE);
	assert_int_equal(client.in.n, SIZE);
	check_got(0, 0, SIZE);
	assert_int_equal(stream_waiting(&server.s), 0);
	assert_int_equal(server.drained, 1);
	assert_int_equal(next_fd(), fds);
	for (int i = 0; i < 100 &&
	    stream_progress(&server.s) < SIZE; i++)
		reactor_tick(r, 1);
	assert_true(stream_progress(&server.s) >= SIZE);
}

/* Texts, files and blobs leave in the order in which they were queued. */
static void
test_stream_file_among_others(void **state)
{
	struct blob *b = blob_dup(SPAN("0123456789"));

	(void)state;
	assert_int_equal(stream_write(&server.s, SPAN("head")), OK);
	write_file(5, 100);
	assert_int_equal(stream_write(&server.s, SPAN("middle")), OK);
	assert_int_equal(stream_write_part(&server.s, b, 2, 3), OK);
	write_file(SIZE - 40000, 40000);
	assert_int_equal(stream_write_blob(&server.s, b), OK);
	write_file(0, 1);
	assert_int_equal(stream_write(&server.s, SPAN("end")), OK);
	blob_unref(b);
	run_for(4 + 100 + 6 + 3 + 40000 + 10 + 1 + 3);
	assert_int_equal(client.in.n, 40127);
	assert_memory_equal(client.in.p, "head", 4);
	check_got(4, 5, 100);
	assert_memory_equal(client.in.p + 104, "middle234", 9);
	check_got(113, SIZE - 40000, 40000);
	assert_memory_equal(client.in.p + 40113, "0123456789", 10);
	check_got(40123, 0, 1);
	assert_memory_equal(client.in.p + 40124, "end", 3);
	assert_int_equal(stream_waiting(&server.s), 0);
	assert_int_equal(next_fd(), fds);
}

/* Who does not read holds nothing but the descriptor; it goes with him. */
static void
test_stream_file_slow_reader(void **state)
{
	(void)state;
	stream_pause(&client.s);
	write_file(0, SIZE);
	for (int i = 0; i < 50; i++)
		reactor_tick(r, 1);
	assert_int_equal(stream_waiting(&server.s), STREAM_FILE_WEIGHT);
	stream_resume(&client.s);
	run_for(SIZE);
	check_got(0, 0, SIZE);
	stream_pause(&client.s);
	write_file(0, SIZE);
	reactor_tick(r, 1);
	stream_close(&server.s);
	reactor_tick(r, 1);
	assert_true(server.closed);
	assert_true(next_fd() <= fds);
}

/* The queue is bounded; what it does not take is closed, too. */
static void
test_stream_file_queue_is_bounded(void **state)
{
	struct sys_file f;

	(void)state;
	for (int i = 0; i < 4; i++)
		write_file(0, SIZE);
	f = file();
	assert_int_equal(stream_write_file(&server.s, &f, 0, 1), ERR_BUSY);
	assert_int_equal(sys_file_pread(f.fd, &(char){ 0 }, 1, 0), SYS_ERROR);
	assert_int_equal(stream_write(&server.s, SPAN("x")), ERR_BUSY);
	stream_close(&server.s);
	f = file();
	assert_int_equal(stream_write_file(&server.s, &f, 0, 1), OK);
	assert_int_equal(sys_file_pread(f.fd, &(char){ 0 }, 1, 0), SYS_ERROR);
}

/* Several pieces of one file have one descriptor; it goes with the last. */
static void
test_stream_file_in_pieces(void **state)
{
	const struct sys_file f = file();
	const size_t with = next_fd();

	(void)state;
	assert_int_equal(stream_write_same_file(&server.s, 0, 1),
	    ERR_CONFLICT);
	assert_int_equal(stream_write_file(&server.s, &f, 0, 70000), OK);
	assert_int_equal(stream_write(&server.s, SPAN("-")), OK);
	assert_int_equal(stream_write_same_file(&server.s, 9, 0), OK);
	assert_int_equal(stream_write_same_file(&server.s, 9, 300000), OK);
	assert_int_equal(stream_write_same_file(&server.s, SIZE - 1, 1), OK);
	assert_int_equal(next_fd(), with);
	run_for(370002);
	assert_int_equal(client.in.n, 370002);
	check_got(0, 0, 70000);
	assert_int_equal(client.in.p[70000], '-');
	check_got(70001, 9, 300000);
	check_got(370001, SIZE - 1, 1);
	assert_int_equal(stream_waiting(&server.s), 0);
	assert_int_equal(sys_file_pread(f.fd, &(char){ 0 }, 1, 0), SYS_ERROR);
	assert_int_equal(stream_write_same_file(&server.s, 0, 1),
	    ERR_CONFLICT);
}

static void
test_stream_file_of_nothing(void **state)
{
	(void)state;
	write_file(SIZE, 0);
	assert_int_equal(stream_waiting(&server.s), 0);
	assert_int_equal(next_fd(), fds);
}

/* A file that is not what was promised cuts the connection off. */
static void
test_stream_file_that_shrinks(void **state)
{
	(void)state;
	stream_pause(&client.s);
	write_file(0, SIZE);
	for (int i = 0; i < 20; i++)
		reactor_tick(r, 1);
	assert_int_equal(truncate(path, 4096), 0);
	stream_resume(&client.s);
	run_until(&server.closed);
	assert_int_equal(server.why, STREAM_RESET);
	run_until(&client.closed);
	assert_true(client.in.n < SIZE);
}

static void
test_stream_file_that_is_written_to(void **state)
{
	int fd;

	(void)state;
	stream_pause(&client.s);
	usleep(20000);			/* another tick than that of its time */
	write_file(0, SIZE);
	for (int i = 0; i < 20; i++)
		reactor_tick(r, 1);
	assert_true((fd = open(path, O_WRONLY)) >= 0);
	assert_int_equal(pwrite(fd, "XXXX", 4, SIZE - 4), 4);
	close(fd);
	stream_resume(&client.s);
	run_until(&server.closed);
	assert_int_equal(server.why, STREAM_RESET);
	run_until(&client.closed);
	check_got(0, 0, client.in.n);	/* not one of the new bytes */
	assert_true(client.in.n < SIZE);
}

/* Another reactor may take it over in the middle of a file. */
static void
test_stream_file_moves(void **state)
{
	struct stream_parts parts;
	struct peer other = { .opened = true };

	(void)state;
	stream_pause(&client.s);
	write_file(0, SIZE);
	assert_int_equal(stream_write(&server.s, SPAN("end")), OK);
	for (int i = 0; i < 10; i++)
		reactor_tick(r, 1);
	assert_int_equal(stream_release(&server.s, &parts), OK);
	assert_int_equal(stream_adopt(&other.s, r, &parts, &ops, 65536), OK);
	stream_resume(&client.s);
	run_for(SIZE + 3);
	check_got(0, 0, SIZE);
	assert_memory_equal(client.in.p + SIZE, "end", 3);
	assert_int_equal(stream_waiting(&other.s), 0);
	stream_close(&other.s);
	reactor_tick(r, 1);
}

static void
test_stream_file_parts_are_closed(void **state)
{
	struct stream_parts parts;

	(void)state;
	write_file(0, SIZE);
	write_file(0, SIZE);
	assert_int_equal(stream_release(&server.s, &parts), OK);
	stream_parts_close(r, &parts);
	assert_true(next_fd() <= fds);
}

#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown), \
    { #t " tls", t, setup_tls, teardown, NULL }

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_stream_file_whole),
		T(test_stream_file_among_others),
		T(test_stream_file_slow_reader),
		T(test_stream_file_queue_is_bounded),
		T(test_stream_file_in_pieces),
		T(test_stream_file_of_nothing),
		T(test_stream_file_that_shrinks),
		T(test_stream_file_that_is_written_to),
		T(test_stream_file_moves),
		T(test_stream_file_parts_are_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
