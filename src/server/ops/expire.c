/*
 * expire.c: what the server has kept long enough: messages whose sender said
 * how long (metadata.expiresIn) become tombstones; edits that nobody sends
 * again and reports that nobody has closed are forgotten.
 */
#include "server/ops.h"
#include "store/txn.h"
#include "wire/json.h"

#define MESSAGES_AT_ONCE 256
#define EDITS_KEPT_MS ((uint64_t)7 * 86400 * 1000)
#define REPORTS_KEPT_MS ((uint64_t)180 * 86400 * 1000)

/* {"expiresIn":seconds}: so its readers can tell it from what was deleted. */
static struct span
to_metadata(const struct q_messages_expired_out *m, uint8_t *p, size_t n)
{
	struct wr w = wr_init(p, n);

	wr_u8(&w, '{');
	json_put_name(&w, "expiresIn");
	json_put_u64(&w, (m->expires_at - m->created_at) / 1000);
	wr_u8(&w, '}');
	return wr_done(&w);
}

static enum err
expire_messages(struct call *c, struct txn *t)
{
	struct q_messages_expired_in in = { c->now_ms, MESSAGES_AT_ONCE };
	struct q_messages_expired_out rows[MESSAGES_AT_ONCE];
	struct cursor cu;
	size_t n = 0;
	enum err e;

	TRY(q_messages_expired_open(t, &in, &cu));
	while ((e = q_messages_expired_next(&cu, &rows[n])) == OK)
		if (++n == MESSAGES_AT_ONCE)
			break;
	if (e == OK)
		query_close(&cu);
	else if (e != ERR_NOT_FOUND)
		return e;
	for (size_t i = 0; i < n; i++) {
		uint8_t text[40];
		struct q_message_expire_in gone = { rows[i].position,
		    to_metadata(&rows[i], text, sizeof(text)), c->now_ms };

		TRY(q_message_expire(t, &gone, NULL));
	}
	/* There may be more: the next call comes soon. */
	c->state = n == MESSAGES_AT_ONCE ? c : NULL;
	return OK;
}

/* before: in Unix time; nothing is as old while the clock is so young. */
static uint64_t
before(const struct call *c, uint64_t kept_ms)
{
	return c->now_ms > kept_ms ? c->now_ms - kept_ms : 0;
}

enum err
expire_write(struct call *c, struct txn *t)
{
	struct q_message_edits_prune_in edits = { before(c, EDITS_KEPT_MS) };
	struct q_reports_prune_in reports = { before(c, REPORTS_KEPT_MS) };

	TRY(expire_messages(c, t));
	TRY(q_message_edits_prune(t, &edits, NULL));
	return q_reports_prune(t, &reports, NULL);
}
