/*
 * record_test.c: the record layer against the traces of RFC 8448 and against
 * itself (a server's end and a client's), with everything that may be wrong
 * in a record. Messages of the handshake: record_update_test.c; against other
 * implementations: tls_test.c.
 */
#include "net/record_rig.h"

/* ---- RFC 8448 3 ---- */

#define CLIENT_SECRET \
	"9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5"
#define SERVER_SECRET \
	"a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643"

static void
start_trace(void)
{
	uint8_t c[32], s[32];

	record_fini(&us, engine);
	assert_int_equal(hex(CLIENT_SECRET, c), 32);
	assert_int_equal(hex(SERVER_SECRET, s), 32);
	/* One record has gone: the ticket. */
	assert_int_equal(record_init(&us, engine, RECORD_AES_128_GCM_SHA256,
	    SPAN_OF(c), SPAN_OF(s), 0, 1), OK);
}

/* RFC 8448 3: write_key and write_iv of both sides (RFC 8446 7.3). */
static void
test_record_derives_keys_of_rfc8448(void **state)
{
	uint8_t want[16];

	(void)state;
	start_trace();
	hex("17422dda596ed5d9acd890e3c63f5051", want);
	assert_memory_equal(us.in.key, want, 16);
	hex("5b78923dee08579033e523d9", want);
	assert_memory_equal(us.in.iv, want, 12);
	hex("9f02283b6c9c07efc26bb9f2ac92e356", want);
	assert_memory_equal(us.out.key, want, 16);
	hex("cf782b88dd83549aadf1e984", want);
	assert_memory_equal(us.out.iv, want, 12);
}

static void
test_record_opens_the_client_of_rfc8448(void **state)
{
	struct span s;
	size_t n;

	(void)state;
	start_trace();
	n = hex("1703030043a23f7054b62c94d0affafe8228ba55cbefacea42f914aa66bc"
	    "ab3f2b9819a8a5b46b395bd54a9a20441e2b62974e1f5a6292a2977014bd1e3d"
	    "eae63aeebb21694915e4", wire);
	assert_int_equal(open_wire(n, &s), RECORD_IS_DATA);
	assert_int_equal(s.n, 50);
	for (unsigned i = 0; i < 50; i++)
		assert_int_equal(s.p[i], i);
	n = hex("1703030013c9872760655666b74d7ff1153efd6db6d0b0e3", wire);
	assert_int_equal(open_wire(n, &s), RECORD_IS_END);
}

static void
test_record_seals_the_server_of_rfc8448(void **state)
{
	uint8_t data[50], want[72];
	const struct sys_iov iov[3] = { { data, 1 }, { data + 1, 40 },
	    { data + 41, 9 } };
	size_t n;

	(void)state;
	start_trace();
	for (unsigned i = 0; i < 50; i++)
		data[i] = (uint8_t)i;
	assert_int_equal(record_seal(&us, engine, RECORD_DATA, iov, 3, wire,
	    &n), OK);
	assert_int_equal(hex("17030300432e937e11ef4ac740e538ad36005fc4a46932"
	    "fc3225d05f82aa1b36e30efaf97d90e6dffc602dcb501a59a8fcc49c4bf2e5f0"
	    "a21c0047c2abf332540dd032e167c2955d", want), n);
	assert_memory_equal(wire, want, n);
	assert_int_equal(record_alert(&us, engine, ALERT_CLOSE_NOTIFY, wire,
	    &n), OK);
	assert_int_equal(hex("1703030013b58fd67166ebf599d24720cfbe7efa7a8864"
	    "a9", want), n);
	assert_memory_equal(wire, want, n);
}

/* A record of the trace under another number (RFC 8446 5.3). */
static void
test_record_order_is_authenticated(void **state)
{
	(void)state;
	for (uint64_t seq = 1; seq != 0; seq <<= 7) {
		size_t n;

		start_trace();
		us.in.seq = seq;
		n = hex("1703030043a23f7054b62c94d0affafe8228ba55cbefacea42f9"
		    "14aa66bcab3f2b9819a8a5b46b395bd54a9a20441e2b62974e1f5a62"
		    "92a2977014bd1e3deae63aeebb21694915e4", wire);
		refuses(n, ALERT_BAD_RECORD_MAC);
	}
}

/* ---- Data ---- */

static void
test_record_carries_data_of_every_suite(void **state)
{
	static uint8_t big[RECORD_PLAIN_MAX];
	static const size_t sizes[] = { 0, 1, 15, 16, 17, 255, 4096, 16383,
	    16384 };

	(void)state;
	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (uint8_t)(i * 13);
	for (uint16_t s = 0x1301; s <= 0x1303; s++) {
		start(s);
		for (size_t k = 0; k < sizeof(sizes) / sizeof(*sizes); k++) {
			struct span d = span_of(big, sizes[k]);
			size_t n = seal(RECORD_DATA, d);

			assert_int_equal(n, sizes[k] + RECORD_EXTRA);
			accepts(n, d);
		}
	}
}

/* Two connections of every suite share an engine and never a key. */
static void
test_record_engine_keeps_keys_apart(void **state)
{
	static struct record a[6], b[6];
	uint8_t x[48], y[48];

	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		uint16_t s = (uint16_t)(0x1301 + i % 3);
		size_t n = s == 0x1302 ? 48 : 32;

		memset(x, (int)i, sizeof(x));
		memset(y, (int)i + 100, sizeof(y));
		assert_int_equal(record_init(&a[i], engine, s, span_of(x, n),
		    span_of(y, n), 0, 0), OK);
		assert_int_equal(record_init(&b[i], engine, s, span_of(y, n),
		    span_of(x, n), 0, 0), OK);
	}
	for (unsigned i = 0; i < 600; i++) {
		unsigned k = i * i % 6;
		const struct sys_iov iov = { &i, sizeof(i) };
		struct span got;
		size_t n;

		assert_int_equal(record_seal(&a[k], engine, RECORD_DATA,
		    &iov, 1, wire, &n), OK);
		assert_int_equal(record_open(&b[k], engine, wire, n, &got),
		    RECORD_IS_DATA);
		assert_memory_equal(got.p, &i, sizeof(i));
	}
	for (unsigned i = 0; i < 6; i++) {
		record_fini(&a[i], engine);
		record_fini(&b[i], engine);
	}
}

/* On another thread's engine the same keys go on. */
static void
test_record_moves_between_engines(void **state)
{
	struct record_engine *other;
	struct span s;
	size_t n;

	(void)state;
	assert_int_equal(record_engine_new(&other), OK);
	accepts(seal(RECORD_DATA, SPAN("here")), SPAN("here"));
	record_leave(&us, engine);
	n = seal(RECORD_DATA, SPAN("there"));
	assert_int_equal(record_open(&us, other, wire, n, &s),
	    RECORD_IS_DATA);
	assert_memory_equal(s.p, "there", 5);
	record_leave(&us, other);
	accepts(seal(RECORD_DATA, SPAN("back")), SPAN("back"));
	record_engine_free(other);
}

/* RFC 8446 5.4: any number of zeros after the content type. */
static void
test_record_takes_padding(void **state)
{
	static uint8_t inner[RECORD_PLAIN_MAX + 1];

	(void)state;
	memcpy(inner, "data\x17", 5);
	accepts(seal_raw(span_of(inner, 5)), SPAN("data"));
	accepts(seal_raw(span_of(inner, 6)), SPAN("data"));
	accepts(seal_raw(span_of(inner, 1000)), SPAN("data"));
	accepts(seal_raw(SPAN_OF(inner)), SPAN("data"));
	/* Content may end in zeros itself. */
	accepts(seal(RECORD_DATA, SPAN("\0\0\0")), SPAN("\0\0\0"));
}

/* ---- What is refused ---- */

/* RFC 8446 5.4: a record of padding alone has no type. */
static void
test_record_refuses_padding_alone(void **state)
{
	static const uint8_t zero[100];

	(void)state;
	refuses(seal_raw(span_of(zero, 1)), ALERT_UNEXPECTED_MESSAGE);
	start(RECORD_AES_128_GCM_SHA256);
	refuses(seal_raw(SPAN_OF(zero)), ALERT_UNEXPECTED_MESSAGE);
}

/* RFC 8446 5.2: bad_record_mac for every bit that is not as it was. */
static void
test_record_refuses_every_flipped_bit(void **state)
{
	static uint8_t good[100];
	struct span s;
	size_t n;

	(void)state;
	n = seal(RECORD_DATA, SPAN("all of it counts"));
	memcpy(good, wire, n);
	for (size_t bit = 0; bit < n * 8; bit++) {
		memcpy(wire, good, n);
		wire[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(record_open(&us, engine, wire, n, &s),
		    RECORD_IS_BAD);
		assert_int_equal(us.alert, ALERT_BAD_RECORD_MAC);
		assert_int_equal(us.in.seq, 0);
	}
	memcpy(wire, good, n);
	accepts(n, SPAN("all of it counts"));
}

static void
test_record_refuses_replays_and_gaps(void **state)
{
	static uint8_t good[100];
	size_t n;

	(void)state;
	n = seal(RECORD_DATA, SPAN("once"));
	memcpy(good, wire, n);
	accepts(n, SPAN("once"));
	memcpy(wire, good, n);
	refuses(n, ALERT_BAD_RECORD_MAC);
	(void)seal(RECORD_DATA, SPAN("lost"));
	refuses(seal(RECORD_DATA, SPAN("next")), ALERT_BAD_RECORD_MAC);
}

static void
test_record_refuses_our_own_record(void **state)
{
	const struct sys_iov iov = { "mirror", 6 };
	size_t n;

	(void)state;
	assert_int_equal(record_seal(&us, engine, RECORD_DATA, &iov, 1, wire,
	    &n), OK);
	refuses(n, ALERT_BAD_RECORD_MAC);
}

static void
test_record_refuses_short_bodies(void **state)
{
	(void)state;
	for (uint8_t n = 0; n < 17; n++) {
		memcpy(wire, "\x17\x03\x03\x00", 4);
		wire[4] = n;
		memset(wire + 5, 7, n);
		refuses(5u + n, ALERT_BAD_RECORD_MAC);
	}
}

/* RFC 8446 5 and 5.1: what is not protected may not come any more. */
static void
test_record_refuses_other_outer_types(void **state)
{
	size_t n;

	(void)state;
	for (unsigned type = 0; type < 256; type++) {
		const uint8_t head[5] = { (uint8_t)type, 3, 3, 0, 40 };

		if (type == 23)
			continue;
		us.alert = 0;
		assert_int_equal(record_length(&us, head, &n), ERR_FORMAT);
		assert_int_equal(us.alert, ALERT_UNEXPECTED_MESSAGE);
	}
}

/* RFC 8446 5.2: length at most 2^14 + 256, else record_overflow. */
static void
test_record_refuses_long_records(void **state)
{
	uint8_t head[5] = { 23, 3, 3, 0x41, 0 };
	size_t n;

	(void)state;
	assert_int_equal(record_length(&us, head, &n), OK);
	assert_int_equal(n, RECORD_MAX);
	head[4] = 1;
	assert_int_equal(record_length(&us, head, &n), ERR_FORMAT);
	assert_int_equal(us.alert, ALERT_RECORD_OVERFLOW);
	head[3] = head[4] = 0xff;
	assert_int_equal(record_length(&us, head, &n), ERR_FORMAT);
}

/* RFC 8446 5.4: content, type and padding are at most 2^14 + 1 bytes. */
static void
test_record_refuses_long_content(void **state)
{
	static uint8_t inner[RECORD_PLAIN_MAX + 240];

	(void)state;
	memset(inner, 'x', sizeof(inner));
	inner[RECORD_PLAIN_MAX] = 23;
	accepts(seal_raw(span_of(inner, RECORD_PLAIN_MAX + 1)),
	    span_of(inner, RECORD_PLAIN_MAX));
	inner[RECORD_PLAIN_MAX + 1] = 23;
	refuses(seal_raw(span_of(inner, RECORD_PLAIN_MAX + 2)),
	    ALERT_RECORD_OVERFLOW);
	start(RECORD_CHACHA20_POLY1305_SHA256);
	memset(inner + 4, 0, sizeof(inner) - 4);
	inner[4] = 23;
	refuses(seal_raw(SPAN_OF(inner)), ALERT_RECORD_OVERFLOW);
}

/* RFC 6066 4: a lower limit, either way; padding is no content. */
static void
test_record_keeps_a_lower_limit(void **state)
{
	static uint8_t inner[2000];

	(void)state;
	memset(inner, 'x', 512);
	record_limit(&us, 512);
	inner[512] = 23;
	accepts(seal_raw(span_of(inner, 513)), span_of(inner, 512));
	accepts(seal_raw(SPAN_OF(inner)), span_of(inner, 512));
	inner[512] = 'x';
	inner[513] = 23;
	refuses(seal_raw(SPAN_OF(inner)), ALERT_RECORD_OVERFLOW);
	start(RECORD_AES_128_GCM_SHA256);
	accepts(seal_raw(span_of(inner, 514)), span_of(inner, 513));
}

static void
test_record_refuses_unknown_types(void **state)
{
	(void)state;
	for (unsigned type = 1; type < 256; type++) {
		const uint8_t inner[3] = { 2, 50, (uint8_t)type };

		if (type >= 21 && type <= 23)
			continue;
		start(RECORD_AES_128_GCM_SHA256);
		refuses(seal_raw(SPAN_OF(inner)), ALERT_UNEXPECTED_MESSAGE);
	}
}

/* ---- Alerts ---- */

static void
test_record_end_by_close_notify(void **state)
{
	struct span s;
	size_t n;

	(void)state;
	/* RFC 8446 6: the level means nothing. */
	for (uint8_t level = 0; level < 4; level++) {
		const uint8_t m[2] = { level, 0 };

		start(RECORD_AES_128_GCM_SHA256);
		assert_int_equal(open_wire(seal(RECORD_ALERT, SPAN_OF(m)),
		    &s), RECORD_IS_END);
	}
	start(RECORD_AES_128_GCM_SHA256);
	assert_int_equal(record_alert(&them, engine, ALERT_CLOSE_NOTIFY, wire,
	    &n), OK);
	assert_true(n <= RECORD_SMALL);
	assert_int_equal(open_wire(n, &s), RECORD_IS_END);
}

/* RFC 8446 6.1: user_canceled says nothing, close_notify follows. */
static void
test_record_user_canceled_is_passed_over(void **state)
{
	struct span s;

	(void)state;
	assert_int_equal(open_wire(seal(RECORD_ALERT, SPAN("\1\x5a")), &s),
	    RECORD_IS_OURS);
	assert_int_equal(open_wire(seal(RECORD_ALERT, SPAN("\1\0")), &s),
	    RECORD_IS_END);
}

/* RFC 8446 6.2: an error of the peer's gets no alert back. */
static void
test_record_fatal_alert_ends_in_silence(void **state)
{
	(void)state;
	for (unsigned a = 1; a < 256; a++) {
		const uint8_t m[2] = { (uint8_t)(1 + a % 2), (uint8_t)a };

		if (a == ALERT_USER_CANCELED)
			continue;
		start(RECORD_AES_128_GCM_SHA256);
		refuses(seal(RECORD_ALERT, SPAN_OF(m)), ALERT_CLOSE_NOTIFY);
		assert_true(us.mute);
	}
}

/* RFC 8446 5.1: neither empty, nor in pieces, nor two in one. */
static void
test_record_refuses_alerts_of_other_lengths(void **state)
{
	(void)state;
	refuses(seal(RECORD_ALERT, SPAN("")), ALERT_UNEXPECTED_MESSAGE);
	start(RECORD_AES_128_GCM_SHA256);
	refuses(seal(RECORD_ALERT, SPAN("\1")), ALERT_DECODE_ERROR);
	start(RECORD_AES_128_GCM_SHA256);
	refuses(seal(RECORD_ALERT, SPAN("\1\0\1\0")), ALERT_DECODE_ERROR);
	assert_false(us.mute);
}

static void
test_record_init_refuses_what_it_does_not_know(void **state)
{
	static const uint8_t secret[48];
	struct record r = { 0 };

	(void)state;
	/* TLS_AES_128_CCM_SHA256, and a suite of TLS 1.2. */
	assert_int_equal(record_init(&r, engine, 0x1304, span_of(secret, 32),
	    span_of(secret, 32), 0, 0), ERR_ARG);
	assert_int_equal(record_init(&r, engine, 0xc02f, span_of(secret, 32),
	    span_of(secret, 32), 0, 0), ERR_ARG);
	assert_int_equal(record_init(&r, engine, 0x1301, span_of(secret, 48),
	    span_of(secret, 32), 0, 0), ERR_ARG);
	assert_int_equal(record_init(&r, engine, 0x1302, span_of(secret, 48),
	    span_of(secret, 32), 0, 0), ERR_ARG);
	assert_int_equal(record_init(&r, engine, 0x1303, span_of(secret, 0),
	    span_of(secret, 0), 0, 0), ERR_ARG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_record_derives_keys_of_rfc8448),
		T(test_record_opens_the_client_of_rfc8448),
		T(test_record_seals_the_server_of_rfc8448),
		T(test_record_order_is_authenticated),
		T(test_record_carries_data_of_every_suite),
		T(test_record_engine_keeps_keys_apart),
		T(test_record_moves_between_engines),
		T(test_record_takes_padding),
		T(test_record_refuses_padding_alone),
		T(test_record_refuses_every_flipped_bit),
		T(test_record_refuses_replays_and_gaps),
		T(test_record_refuses_our_own_record),
		T(test_record_refuses_short_bodies),
		T(test_record_refuses_other_outer_types),
		T(test_record_refuses_long_records),
		T(test_record_refuses_long_content),
		T(test_record_keeps_a_lower_limit),
		T(test_record_refuses_unknown_types),
		T(test_record_end_by_close_notify),
		T(test_record_user_canceled_is_passed_over),
		T(test_record_fatal_alert_ends_in_silence),
		T(test_record_refuses_alerts_of_other_lengths),
		T(test_record_init_refuses_what_it_does_not_know),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
