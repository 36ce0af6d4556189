/*
 * retry.c: asking again and answering, see retry.h.
 */
#include "core/retry.h"

#define SENT_LEN (8 + SHA256_LEN)

struct key64 { uint8_t b[RECORD_KEY_MAX]; };

static struct span
device_key(const struct event_id *id, const struct address *who,
    struct key64 *k)
{
	struct wr w = wr_init(k->b, sizeof(k->b));

	wr_bytes(&w, id->b, ID_LEN);
	wr_bytes(&w, who->account.b, ID_LEN);
	wr_u32(&w, who->device);
	return wr_done(&w);
}

static enum err
put_time(struct core *c, uint8_t kind, struct span key)
{
	uint8_t rec[8];
	struct wr w = wr_init(rec, sizeof(rec));

	wr_u64(&w, c->now_ms);
	return c->store->put(c->store->ctx, kind, key, wr_done(&w),
	    c->store->generation);
}

/* The time at the front of a record; found_out is false without one. */
static enum err
get_time(struct core *c, uint8_t kind, struct span key, bool *found_out,
    uint64_t *ms_out)
{
	struct arena_mark m = arena_mark(c->arena);
	struct span v;
	struct rd r;
	enum err e = c->store->get(c->store->ctx, kind, key, c->arena, &v);

	*found_out = e == OK;
	if (e == OK) {
		r = rd_init(v);
		*ms_out = rd_u64(&r);
		e = r.bad ? ERR_FORMAT : OK;
	}
	arena_reset(c->arena, m);
	return e == ERR_NOT_FOUND ? OK : e;
}

static bool
is_within(uint64_t then_ms, uint64_t life_ms, uint64_t now_ms)
{
	return now_ms <= then_ms || now_ms - then_ms <= life_ms;
}

/* The certificate that a device has in the list known now. */
static enum err
listed_cert(struct core *c, const struct address *who,
    uint8_t out[static SHA256_LEN])
{
	const struct devlist_entry *e;
	struct peer peer;

	TRY(peer_load(c, &who->account, &peer));
	e = devlist_find(&peer.list, who->device);
	if (e == NULL)
		return ERR_UNTRUSTED;
	memcpy(out, e->cert_hash, SHA256_LEN);
	return OK;
}

enum err
retry_sent(struct core *c, const struct event_id *id, const struct address *to)
{
	uint8_t rec[SENT_LEN], cert[SHA256_LEN];
	struct wr w = wr_init(rec, sizeof(rec));
	struct key64 k;

	TRY(listed_cert(c, to, cert));
	wr_u64(&w, c->now_ms);
	wr_bytes(&w, cert, sizeof(cert));
	return c->store->put(c->store->ctx, RECORD_SENT,
	    device_key(id, to, &k), wr_done(&w), c->store->generation);
}

enum err
retry_ask(struct core *c, const struct event_id *id, bool *may_ask_out)
{
	uint64_t ms = 0;
	bool found;

	TRY(get_time(c, RECORD_ASKED, ID_SPAN(*id), &found, &ms));
	*may_ask_out = !found || !is_within(ms, RETRY_AGAIN_MS, c->now_ms);
	return *may_ask_out ? put_time(c, RECORD_ASKED, ID_SPAN(*id)) : OK;
}

/* In the original set, then, with this certificate? */
static enum err
check_sent(struct core *c, struct span key, struct span cert)
{
	struct arena_mark m = arena_mark(c->arena);
	struct span v;
	struct rd r;
	uint64_t ms;
	enum err e = c->store->get(c->store->ctx, RECORD_SENT, key, c->arena,
	    &v);

	if (e == OK) {
		r = rd_init(v);
		ms = rd_u64(&r);
		if (!is_within(ms, RETRY_MS, c->now_ms))
			e = ERR_NOT_FOUND;
		else if (!span_eq(rd_rest(&r), cert))
			e = ERR_UNTRUSTED;
	}
	arena_reset(c->arena, m);
	return e;
}

enum err
retry_answer(struct core *c, const struct event_id *id,
    const struct address *to)
{
	uint8_t cert[SHA256_LEN];
	struct key64 k;
	struct span key = device_key(id, to, &k);
	uint64_t ms = 0;
	bool found;

	TRY(listed_cert(c, to, cert));
	TRY(check_sent(c, key, SPAN_OF(cert)));
	TRY(get_time(c, RECORD_ANSWERED, key, &found, &ms));
	if (found && is_within(ms, RETRY_AGAIN_MS, c->now_ms))
		return ERR_RATE_LIMITED;
	return put_time(c, RECORD_ANSWERED, key);
}

enum err
retry_take(struct core *c, const struct event_id *id, bool *asked_out)
{
	uint64_t ms = 0;
	bool found;

	TRY(get_time(c, RECORD_ASKED, ID_SPAN(*id), &found, &ms));
	*asked_out = found && is_within(ms, RETRY_MS, c->now_ms);
	return found ? c->store->del(c->store->ctx, RECORD_ASKED,
	    ID_SPAN(*id)) : OK;
}

enum err
retry_event_once(struct core *c, const struct conv_id *conv,
    const struct user_id *sender, const struct event_id *id)
{
	struct key64 k;
	struct wr w = wr_init(k.b, sizeof(k.b));
	uint64_t ms = 0;
	bool found;

	wr_bytes(&w, conv->b, CONV_LEN);
	wr_bytes(&w, sender->b, ID_LEN);
	wr_bytes(&w, id->b, ID_LEN);
	TRY(get_time(c, RECORD_EVENT, wr_done(&w), &found, &ms));
	return found ? ERR_DUPLICATE : put_time(c, RECORD_EVENT, wr_done(&w));
}

struct tidy {
	struct core *c;
	uint8_t kind;
	uint64_t life_ms;
};

static enum err
tidy_one(void *arg, struct span key, struct span value)
{
	struct tidy *t = arg;
	struct rd r = rd_init(value);
	uint64_t ms = rd_u64(&r);

	if (is_within(ms, t->life_ms, t->c->now_ms))
		return OK;
	return t->c->store->del(t->c->store->ctx, t->kind, key);
}

enum err
retry_tidy(struct core *c)
{
	struct tidy t[] = {
		{ c, RECORD_SENT, RETRY_MS },
		{ c, RECORD_ASKED, RETRY_MS },
		{ c, RECORD_ANSWERED, RETRY_AGAIN_MS },
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		TRY(c->store->iterate(c->store->ctx, t[i].kind,
		    (struct span){ 0 }, tidy_one, &t[i]));
	return OK;
}
