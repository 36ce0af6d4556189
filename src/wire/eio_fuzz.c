/*
 * eio_fuzz.c: law of the Engine.IO payload: packets that were taken, written
 * anew, are taken as the same; so is an open packet.
 */
#include "base/fuzz.h"

#include <stdlib.h>

#include "wire/eio.h"

#define PACKETS_MAX 64

static uint8_t mem[1 << 16], mem2[1 << 16], out[1 << 16];

static void
check_open(struct span data, struct arena *a)
{
	struct eio_open o, again;
	struct eio_packet p;
	struct wr w = wr_init(out, sizeof out);

	if (eio_decode_open(data, a, &o) != OK)
		return;
	eio_put_open(&w, &o);
	if (!wr_ok(&w) || eio_decode(wr_done(&w), false, &p) != OK ||
	    p.type != EIO_OPEN || eio_decode_open(p.data, a, &again) != OK ||
	    !span_eq(again.sid, o.sid) ||
	    again.ping_interval_ms != o.ping_interval_ms ||
	    again.ping_timeout_ms != o.ping_timeout_ms ||
	    again.max_payload != o.max_payload ||
	    again.upgrade_websocket != o.upgrade_websocket)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct eio_packet list[PACKETS_MAX], p;
	struct span body = span_of(data, size);
	struct wr w = wr_init(out, sizeof out);
	struct arena a, b;
	size_t n = 0, most = 0;
	enum err e;

	if (size > 4096)
		return 0;
	arena_init(&a, mem, sizeof mem);
	arena_init(&b, mem2, sizeof mem2);
	check_open(body, &b);
	while (n < PACKETS_MAX && eio_next(&body, &a, &list[n], &e))
		n++;
	for (size_t i = 0; i < n; i++) {
		eio_put(&w, &list[i]);
		most += eio_len(&list[i]);
	}
	if (!wr_ok(&w) || w.n > most)
		abort();
	if (n == 0)
		return 0;
	body = wr_done(&w);
	for (size_t i = 0; i < n; i++)
		if (!eio_next(&body, &b, &p, &e) ||
		    p.type != list[i].type || p.binary != list[i].binary ||
		    !span_eq(p.data, list[i].data))
			abort();
	if (eio_next(&body, &b, &p, &e) || e != OK)
		abort();
	return 0;
}
