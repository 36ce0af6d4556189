/*
 * sio_fuzz.c: law of the Socket.IO codec: a packet that was taken, written
 * anew from its parts, is taken as the same; its arguments divide cleanly.
 */
#include "base/fuzz.h"

#include <stdlib.h>

#include "wire/json.h"
#include "wire/sio.h"

static uint8_t mem[1 << 17], mem2[1 << 17], out[1 << 17];

static void
check_args(struct span args, struct arena *a)
{
	struct span left = args, arg;
	size_t n = 0;
	uint32_t places;

	(void)sio_check_placeholders(args, 2, a, &places);
	while (sio_arg(&left, &arg)) {
		n += arg.n;
		if (json_check(arg) != OK)
			abort();
	}
	if (left.n != 0 || n > args.n)
		abort();
}

static void
write_again(const struct sio_packet *p, struct wr *w)
{
	switch (p->type) {
	case SIO_CONNECT:
		sio_put_connect(w, p->nsp, p->data);
		break;
	case SIO_EVENT:
		sio_put_event(w, p->nsp, p->has_id ? p->id : SIO_NO_ID, 0,
		    p->event, p->args);
		break;
	case SIO_ACK:
		sio_put_ack(w, p->nsp, p->id, 0, sio_ack_args(p));
		break;
	case SIO_BINARY_EVENT:
		sio_put_event(w, p->nsp, p->has_id ? p->id : SIO_NO_ID,
		    p->attachments, p->event, p->args);
		break;
	case SIO_BINARY_ACK:
		sio_put_ack(w, p->nsp, p->id, p->attachments,
		    sio_ack_args(p));
		break;
	case SIO_DISCONNECT:
	case SIO_CONNECT_ERROR:
		break;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sio_packet p, q;
	struct arena a, b;
	struct wr w = wr_init(out, sizeof out);
	uint32_t places;

	if (size > 8192)
		return 0;
	arena_init(&a, mem, sizeof mem);
	arena_init(&b, mem2, sizeof mem2);
	(void)sio_check_placeholders(span_of(data, size), 3, &b,
	    &places);
	if (sio_decode(span_of(data, size), &a, &p) != OK)
		return 0;
	arena_init(&b, mem2, sizeof mem2);
	check_args(p.type == SIO_ACK || p.type == SIO_BINARY_ACK ?
	    sio_ack_args(&p) : p.args, &b);
	/* An acknowledgement of nothing can not be written. */
	if (p.type == SIO_ACK || p.type == SIO_BINARY_ACK ? !p.has_id : false)
		return 0;
	write_again(&p, &w);
	if (!wr_ok(&w))
		abort();
	if (w.n == 0)
		return 0;
	arena_init(&b, mem2, sizeof mem2);
	/* A number as a name comes back as text that reserves nothing. */
	if (w.p[0] != '4' || sio_decode(span_sub(wr_done(&w), 1, w.n), &b,
	    &q) != OK)
		abort();
	if (!span_eq(p.nsp, q.nsp) || !span_eq(p.event, q.event) ||
	    !span_eq(p.args, q.args))
		abort();
	/* An id on CONNECT means nothing, and is not written. */
	if (p.type != SIO_CONNECT && (p.id != q.id || p.has_id != q.has_id))
		abort();
	return 0;
}
