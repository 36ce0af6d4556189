/*
 * mails.c: the outbox: rows that are due, tried, sent, given up.
 */
#include "server/ops/mails.h"

#include "crypto/host.h"
#include "server/conf.h"
#include "server/ops.h"
#include "store/txn.h"

/* News that nobody waits for are of no use any more after so long. */
#define MAILS_NEWS_MS ((uint64_t)7 * 86400000)
#define MAILS_DEAD_KEPT_MS ((uint64_t)30 * 86400000)

bool
mails_are_sent(const struct call *c)
{
	return c->conf->mail_url[0] != '\0';
}

enum err
mails_token_hash(struct span token, uint8_t out[static 32])
{
	return host_sha256(token, out);
}

enum err
mails_put(struct call *c, struct txn *t, const struct user_id *user,
    struct span recipient, enum mail_kind kind)
{
	struct span name = span_str(mail_kind_name(kind));
	char token[MAIL_TOKEN_LEN + 1];
	uint64_t ms = kind == MAIL_VERIFY ? c->conf->accounts_verify_ms :
	    kind == MAIL_RESET ? c->conf->accounts_reset_ms : MAILS_NEWS_MS;
	struct any_id id;
	uint8_t hash[32];

	if (!mails_are_sent(c))
		return OK;
	call_new_id(c, id.b);
	if (kind == MAIL_VERIFY || kind == MAIL_RESET) {
		TRY(mail_token(call_account_key(c), kind, &id, token));
		enum err e = mails_token_hash(span_str(token), hash);
		wipe(token, sizeof(token));
		TRY(e);
		TRY(q_account_token_insert(t, &(struct
		    q_account_token_insert_in){ SPAN_OF(hash), *user, name,
		    c->now_ms, c->now_ms + ms }, NULL));
	}
	return q_mail_insert(t, &(struct q_mail_insert_in){ id, *user, name,
	    recipient, c->now_ms, c->now_ms + ms }, NULL);
}

/* ---- the mailer's operations ---- */

enum err
mails_look_read(struct call *c, struct txn *t)
{
	struct mails_due *due = ARENA_NEW(&c->arena, struct mails_due);
	struct q_mail_next_out row;
	enum err e;

	if (due == NULL)
		return ERR_TOO_LARGE;
	due->n = 0;
	c->state = due;
	e = q_mail_next(t, &(struct q_mail_next_in){ .none = 0 }, &row);
	if (e == OK)
		due->n = row.next_at <= c->now_ms;
	return e == ERR_NOT_FOUND ? OK : e;
}

/* After how long the next try is due; this one was the nth. */
static uint64_t
mails_backoff(const struct conf *conf, uint32_t n)
{
	uint64_t ms = conf->mail_retry_ms;

	for (uint32_t i = 1; i < n && ms < MAILS_NEWS_MS; i++)
		ms *= 4;
	return conf->mail_timeout_ms + ms;
}

enum err
mails_take_check(struct call *c)
{
	c->state = ARENA_NEW(&c->arena, struct mails_due);
	return c->state == NULL ? ERR_TOO_LARGE : OK;
}

static enum err
mails_take_one(struct call *c, struct txn *t, struct mails_due *due,
    const struct q_mail_due_out *row)
{
	struct mailer_row r = { .id = row->id, .recipient = row->recipient,
	    .username = row->username, .attempts = row->attempts + 1,
	    .expires_at = row->expires_at, .delete_at = row->delete_at };

	if (!mail_kind_find(row->kind, &r.kind) ||
	    row->expires_at <= c->now_ms ||
	    row->attempts >= c->conf->mail_attempts)
		return q_mail_failed(t, &(struct q_mail_failed_in){ row->id,
		    SPAN("it is of no use any more"), true }, NULL);
	TRY(q_mail_try(t, &(struct q_mail_try_in){ row->id, r.attempts,
	    c->now_ms + mails_backoff(c->conf, r.attempts) }, NULL));
	due->rows[due->n++] = r;
	return OK;
}

enum err
mails_take_write(struct call *c, struct txn *t)
{
	struct q_mail_due_out rows[MAILER_JOBS];
	struct mails_due *due = c->state;
	struct cursor cu = { 0 };
	size_t n = 0;
	enum err e;

	due->n = 0;
	TRY(q_mail_due_open(t, &(struct q_mail_due_in){ c->now_ms,
	    MAILER_JOBS }, &cu));
	while (n < MAILER_JOBS &&
	    (e = q_mail_due_next(&cu, &rows[n])) == OK)
		n++;
	query_close(&cu);
	if (n < MAILER_JOBS && e != ERR_NOT_FOUND)
		return e;
	for (size_t i = 0; i < n; i++)
		TRY(mails_take_one(c, t, due, &rows[i]));
	return OK;
}

enum err
mails_done_write(struct call *c, struct txn *t)
{
	const struct mailer_end *end = c->state;

	if (end->is_sent)
		return q_mail_sent(t, &(struct q_mail_sent_in){ end->id },
		    NULL);
	return q_mail_failed(t, &(struct q_mail_failed_in){ end->id,
	    end->why, end->is_dead }, NULL);
}

enum err
mails_sweep(struct call *c, struct txn *t)
{
	uint64_t before = c->now_ms > MAILS_DEAD_KEPT_MS ?
	    c->now_ms - MAILS_DEAD_KEPT_MS : 0;

	TRY(q_mail_prune(t, &(struct q_mail_prune_in){ before }, NULL));
	return q_account_tokens_prune(t, &(struct
	    q_account_tokens_prune_in){ c->now_ms }, NULL);
}
