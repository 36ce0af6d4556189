/*
 * zip_test.c: permessage-deflate under Engine.IO: packets both ways, and what
 * a session's limits mean then. (wsapp_test.c has the rest: RFC 7692 itself.)
 */
#include "edge/rig.h"
#include "wire/deflate.h"

#define OFFER "Sec-WebSocket-Extensions: permessage-deflate"

static void *
get(void *arg, size_t n)
{
	(void)arg;
	return malloc(n);
}

static void
put(void *arg, void *p)
{
	(void)arg;
	free(p);
}

static const struct deflate_mem mem = { get, put, NULL };

/* The client's two streams, and what the last frame said. */
static struct deflate_out *out;
static struct deflate_in *in;
static uint8_t text[1 << 20];

static int
open_zip(uint32_t max, bool for_eio)
{
	struct edge_conf c;
	const char *got;
	int fd;

	edge_conf_default(&c);
	c.deflates_max = max;
	c.eio_deflate = for_eio;
	rig_restart(&c);
	fd = rig_client();
	rig_send(fd, SPAN("GET " RIG_WS_PATH " HTTP/1.1\r\n" RIG_UPGRADE
	    OFFER "\r\n\r\n"));
	got = rig_text(fd, NULL);
	assert_non_null(strstr(got, "HTTP/1.1 101 "));
	assert_int_equal(strstr(got, OFFER "\r\n") != NULL,
	    for_eio && max > 0);
	return fd;
}

static void
open_streams(void)
{
	assert_int_equal(deflate_out_open(&out, &mem, 15), OK);
	assert_int_equal(deflate_in_open(&in, &mem, 15), OK);
}

static void
close_streams(void)
{
	deflate_out_close(out);
	deflate_in_close(in);
}

static void
send_packed(int fd, const char *packet)
{
	static uint8_t packed[1 << 16], copy[1 << 17];
	struct span f;
	size_t n;

	assert_int_equal(deflate_out_write(out, span_str(packet), packed,
	    sizeof packed, &n), OK);
	f = rig_frame(WS_OP_TEXT, true, span_of(packed, n));
	memcpy(copy, f.p, f.n);
	copy[0] |= 0x40;
	rig_send(fd, span_of(copy, f.n));
}

/* The text of a compressed frame at the front of r. */
static struct span
unpack(struct rd *r)
{
	struct span data;
	uint8_t len;
	size_t n, at = 0;

	assert_int_equal(rd_u8(r), 0xc1);
	len = rd_u8(r);
	data = rd_span(r, len < 126 ? len : rd_u16(r));
	assert_false(r->bad);
	do {
		assert_int_equal(deflate_in_read(in, &data, true, &text[at],
		    sizeof text - at, &n), OK);
		at += n;
	} while (data.n > 0);
	return span_of(text, at);
}

static void
expect_packed(int fd, const char *want)
{
	struct rd r;
	struct span got;

	(void)rig_text(fd, NULL);
	r = rd_init(span_of(rig_got.p, rig_got.n - 1));
	got = unpack(&r);
	if (got.n < strlen(want) || memcmp(got.p, want, strlen(want)) != 0)
		fail_msg("%.*s", (int)got.n, (const char *)got.p);
	assert_int_equal(r.n, 0);
}

/* The open packet, a CONNECT, an event and its answer, all compressed. */
static void
test_zip_carries_packets(void **state)
{
	int fd = open_zip(4, true);
	struct rd r;
	const uint8_t *head;

	(void)state;
	open_streams();
	head = memmem(rig_got.p, rig_got.n, "\r\n\r\n", 4);
	assert_non_null(head);
	r = rd_init(span_of(head + 4, rig_got.n - 1 -
	    (size_t)(head + 4 - rig_got.p)));
	assert_true(span_starts(unpack(&r), SPAN("0{\"sid\":\"")));
	send_packed(fd, "40");
	expect_packed(fd, "40{\"sid\":\"");
	for (int i = 0; i < 5; i++) {
		send_packed(fd, "421[\"echo\",{\"a\":\"\xc3\xa4\"}]");
		expect_packed(fd, "431[{\"a\":\"\xc3\xa4\"}]");
	}
	/* What is not compressed is taken, too. */
	rig_send_text(fd, "422[\"echo\",1]");
	expect_packed(fd, "432[1]");
	assert_int_equal(edge_stats(rig.edge)->deflates, 1);
	sys_close(fd);
	rig_run(5);
	assert_int_equal(edge_stats(rig.edge)->deflates, 0);
	assert_int_equal(edge_stats(rig.edge)->sessions, 0);
	close_streams();
}

/* What was inflated does not stay in a buffer that others use. */
static void
test_zip_leaves_nothing_behind(void **state)
{
	int fd = open_zip(4, true);

	(void)state;
	open_streams();
	send_packed(fd, "40");
	send_packed(fd, "42[\"quiet\",\"hush-hush\"]");
	assert_int_equal(edge_stats(rig.edge)->events_in, 1);
	assert_null(memmem(rig.edge->scratch, EDGE_SCRATCH, "hush-hush", 9));
	sys_close(fd);
	close_streams();
}

/* Before a socket is in, inflated messages are small: conf.join_max. */
static void
test_zip_keeps_the_limit_of_a_session(void **state)
{
	static char large[20000];
	int fd = open_zip(4, true);

	(void)state;
	open_streams();
	memset(large, 'x', sizeof large - 1);
	send_packed(fd, large);
	(void)rig_text(fd, NULL);
	assert_memory_equal(rig_got.p, "\x88", 1);
	assert_memory_equal(rig_got.p + 2, "\x03\xf1", 2);	/* 1009 */
	assert_int_equal(edge_stats(rig.edge)->message_large, 1);
	assert_int_equal(edge_stats(rig.edge)->sessions, 0);
	sys_close(fd);
	close_streams();
}

static void
test_zip_is_off_unless_asked_for(void **state)
{
	(void)state;
	sys_close(open_zip(4, false));
	sys_close(open_zip(0, true));
	assert_int_equal(edge_stats(rig.edge)->deflates_over, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(test_zip_carries_packets),
		RIG_TEST(test_zip_leaves_nothing_behind),
		RIG_TEST(test_zip_keeps_the_limit_of_a_session),
		RIG_TEST(test_zip_is_off_unless_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
