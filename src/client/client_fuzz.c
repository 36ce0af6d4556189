/*
 * client_fuzz.c: bytes from outside into a live client: JSON of socket events,
 * of acknowledgements and of REST answers. The client has keys, a session with
 * a peer, a message in its outbox. Law: every step is OK whatever comes, and
 * what the host would read afterwards (history, journal, status) is readable.
 *
 * Input: u8 what | u8 which | rest: the JSON; or, for a genuine message on its
 * way to this client, what is changed in it: u16 place | u8 value, repeated.
 */
#include "base/fuzz.h"
#include "client/test_world.h"

/* A message from the peer that was never delivered, as JSON. */
static struct span genuine;

static void
fuzz_capture(struct fake *f)
{
	struct arena a;

	arena_init(&a, f->mem, 4u << 20);
	genuine = fake_dup(fake_view(f, &a, &f->msg[1], 0));
}

/* Unchanged, it is opened and shown: else changing it would say nothing. */
static void
fuzz_check_genuine(struct fake *f)
{
	struct client c = f->node[0].c;
	struct client_input in = { .type = CLIENT_EVENT, .now_ms = f->now };
	struct client_effects out;
	struct client_effect *e;
	bool shown = false;
	struct arena a;

	in.u.event.name = SPAN("message:new");
	in.u.event.json = genuine;
	arena_init(&a, f->mem, 4u << 20);
	if (client_step(&c, &a, &in, &out) != OK)
		abort();
	for (e = out.first; e != NULL; e = e->next)
		if (e->type == CLIENT_SHOW && e->u.show.type ==
		    SHOW_MESSAGE && e->u.show.u.item.kind == ITEM_TEXT)
			shown = true;
	if (!shown)
		abort();
}

static struct fake *
fuzz_world(void)
{
	static struct fake *f;
	struct client_input in = { .type = CLIENT_SEND };

	if (f != NULL)
		return f;
	f = fake_new(5);
	fake_sign_in(f, 0);
	fake_sign_in(f, 1);
	fake_run(f, 5000);
	in.u.send.to.user = f->node[1].user;
	in.u.send.text = SPAN("one");
	fake_step(f, 0, &in);
	fake_run(f, 3000);
	f->drop = 100;
	in.u.send.to.user = f->node[0].user;
	in.u.send.text = SPAN("two");
	fake_step(f, 1, &in);
	fake_run(f, 300);
	if (f->msgs != 2)
		abort();
	fuzz_capture(f);
	fuzz_check_genuine(f);
	return f;
}

/* Steps of node 0 whose effects are dropped, as if the host had died. */
static void
fuzz_step(struct fake *f, struct client *c, struct client_input *in)
{
	struct client_effects out;
	struct arena a;

	arena_init_growing(&a, f->mem, 4u << 20, CLIENT_STEP_BYTES,
	    fake_grow);
	in->now_ms = f->now;
	if (client_step(c, &a, in, &out) != OK)
		abort();
	arena_fini(&a);
}

/* The genuine message with some bytes changed. */
static struct span
fuzz_change(struct span changes)
{
	static uint8_t copy[16384];
	struct rd r = rd_init(changes);
	struct span out = span_of(copy, genuine.n);

	if (genuine.n > sizeof(copy))
		abort();
	memcpy(copy, genuine.p, genuine.n);
	while (r.n >= 3) {
		size_t at = rd_u16(&r) % genuine.n;

		copy[at] = rd_u8(&r);
	}
	return out;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct span events[] = {
		{ (const uint8_t *)"message:new", 11 },
		{ (const uint8_t *)"message:receipt", 15 },
		{ (const uint8_t *)"message:read", 12 },
		{ (const uint8_t *)"keys:changed", 12 },
		{ (const uint8_t *)"chat:created", 12 },
		{ (const uint8_t *)"connection:acknowledged", 23 },
		{ (const uint8_t *)"sync:now", 8 },
		{ (const uint8_t *)"keys:low", 8 },
		{ (const uint8_t *)"presence:update", 15 },
		{ (const uint8_t *)"typing:indicator", 16 },
	};
	struct fake *f = fuzz_world();
	struct client c = f->node[0].c;
	struct client_input in = { .type = CLIENT_EVENT };
	struct span rest;
	uint32_t i;

	if (size < 2)
		return 0;
	rest = span_of(data + 2, size - 2);
	switch (data[0] % 4) {
	case 3:
		in.u.event.name = SPAN("message:new");
		in.u.event.json = fuzz_change(rest);
		break;
	case 0:
		in.u.event.name = events[data[1] % 10];
		in.u.event.json = rest;
		break;
	case 1:
		/* A call of every kind is under way with its own id. */
		memset(c.calls, 0, sizeof(c.calls));
		c.calls[0].id = 1;
		c.calls[0].what = (uint8_t)(1 + data[1] % 12);
		c.calls[0].user = f->node[1].user;
		in.type = CLIENT_ANSWER;
		in.u.answer.id = 1;
		in.u.answer.status = data[1] & 0x80 ? 400 : 200;
		in.u.answer.body = rest;
		break;
	default:
		memset(c.waits, 0, sizeof(c.waits));
		for (i = 0; i < 4; i++) {
			c.waits[i].ack = i + 1;
			c.waits[i].out = i;
			c.waits[i].lane = f->node[1].user;
		}
		in.type = CLIENT_ACK;
		in.u.ack.id = 1 + data[1] % 4;
		in.u.ack.json = rest;
		break;
	}
	fuzz_step(f, &c, &in);
	return 0;
}
