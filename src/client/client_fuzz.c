/*
 * client_fuzz.c: bytes from outside into a live client: JSON of socket events,
 * of acknowledgements and of REST answers. The client has keys, a session with
 * a peer, a message in its outbox. Law: every step is OK whatever comes, and
 * what the host would read afterwards (history, journal, status) is readable.
 *
 * Input: u8 what | rest. A name or status stands before the JSON, up to a zero.
 */
#include "base/fuzz.h"
#include "client/test_world.h"

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
	switch (data[0] % 3) {
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
