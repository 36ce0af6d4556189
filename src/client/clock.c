/* clock.c: see clock.h. */
#include "client/clock.h"

static void
clock_back(uint64_t *at_ms, uint64_t by_ms)
{
	if (*at_ms != 0)
		*at_ms = *at_ms > by_ms ? *at_ms - by_ms : 1;
}

void
clock_follow(struct client *c, uint64_t now_ms)
{
	uint64_t *const times[] = { &c->gone_ms, &c->heard_ms,
	    &c->sync_at_ms, &c->received_at_ms, &c->typing_ms,
	    &c->rest_at_ms, &c->send_at_ms, &c->poll_at_ms,
	    &c->trust_at_ms, &c->arrive_at_ms, &c->synced_ms };
	uint64_t by = c->now_ms > now_ms ? c->now_ms - now_ms : 0;
	size_t i;

	c->now_ms = now_ms;
	if (by == 0)
		return;
	for (i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		clock_back(times[i], by);
	for (i = 0; i < CLIENT_CALLS_MAX; i++)
		clock_back(&c->calls[i].sent_ms, by);
	for (i = 0; i < CLIENT_SENDS_MAX; i++)
		clock_back(&c->waits[i].sent_ms, by);
}
