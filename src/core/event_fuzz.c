/*
 * event_fuzz.c: an event that decodes survives encode and decode. (Odd tags
 * that are not known are dropped on the way, so the bytes may differ once.)
 */
#include <stdlib.h>

#include "base/fuzz.h"
#include "core/event.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t one[EVENT_LEN_MAX + 64], two[EVENT_LEN_MAX + 64];
	struct wr w1 = wr_init(one, sizeof(one));
	struct wr w2 = wr_init(two, sizeof(two));
	struct event e, again;
	struct event_reset reset;
	struct event_about about;

	if (event_decode(span_of(data, size), &e) != OK)
		return 0;
	if (event_encode(&e, &w1) != OK ||
	    event_decode(wr_done(&w1), &again) != OK ||
	    event_encode(&again, &w2) != OK ||
	    !span_eq(wr_done(&w1), wr_done(&w2)) || again.has != e.has)
		abort();
	if (e.kind == EVENT_SESSION_RESET)
		(void)event_reset_decode(e.body, &reset);
	if (e.kind == EVENT_REACTION || e.kind == EVENT_PIN ||
	    e.kind == EVENT_HIDE) {
		w2 = wr_init(two, sizeof(two));
		if (event_about_decode(&e, &about) != OK ||
		    event_about_encode(e.kind, &about, &w2) != OK ||
		    !span_eq(wr_done(&w2), e.body))
			abort();
	}
	if (e.kind == EVENT_RESEND)
		(void)event_resend_decode(&e, &again);
	return 0;
}
