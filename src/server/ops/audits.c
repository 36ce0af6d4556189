/*
 * audits.c: reading the audit log, by whom it is about and by auditors; and
 * failed logins, which are noted after the answer, so that neither names that
 * nobody has nor limits show in the time that it took.
 */
#include "base/log.h"
#include "base/sys.h"
#include "server/audit_check.h"
#include "server/conf.h"
#include "server/ops.h"
#include "server/ops/audits.h"
#include "store/txn.h"

#define AUDITS_DEFAULT 50
#define AUDITS_WINDOW_MS 3600000
#define AUDITS_PATH_MAX 1056
#define AUDITS_SHARE 10		/* of one account: one part in so many */
#define AUDITS_PRUNE_MAX 1000	/* entries in one sweep */

/* ---- lists ---- */

struct page {
	uint64_t before;
	uint32_t limit;
};

static enum err
audits_page(struct call *c, bool has_limit, uint32_t limit, bool has_cursor,
    struct span cursor)
{
	struct page *p = ARENA_NEW(&c->arena, struct page);

	if (p == NULL)
		return ERR_TOO_LARGE;
	p->limit = has_limit ? limit : AUDITS_DEFAULT;
	p->before = SHAPE_U53_MAX;
	if (has_cursor && !span_u64(cursor, SHAPE_U53_MAX, &p->before))
		return call_invalid(c, "cursor",
		    "must be nextCursor of an answer");
	c->state = p;
	return OK;
}

/* One row more than asked for says that there are more. */
static enum err
audits_add(struct call *c, const struct page *p, size_t *cap,
    const struct q_audit_list_out *row)
{
	struct audit_list_rep *out = c->rep;
	char text[24];

	if (out->entries.n == p->limit) {
		struct wr w = wr_init(text, sizeof(text));

		wr_dec(&w, out->entries.p[out->entries.n - 1].sequence);
		out->has_next_cursor = true;
		return arena_dup(&c->arena, wr_done(&w), &out->next_cursor);
	}
	out->entries.p = arena_grow(&c->arena, out->entries.p,
	    out->entries.n, cap, sizeof(*out->entries.p));
	if (out->entries.p == NULL)
		return ERR_TOO_LARGE;
	out->entries.p[out->entries.n++] = (struct audit_rec){
	    .sequence = row->sequence, .event = row->event,
	    .timestamp = row->created_at, .user_id = row->user,
	    .has_user_id = !ID_IS_ZERO(row->user), .device_id = row->device,
	    .has_device_id = row->device != 0, .session_id = row->session,
	    .has_session_id = !ID_IS_ZERO(row->session),
	    .detail = row->detail, .has_detail = row->detail.p != NULL,
	    .ip = row->address, .has_ip = row->address.p != NULL };
	return OK;
}

static enum err
audits_read(struct call *c, struct txn *t, const struct user_id *user)
{
	const struct page *p = c->state;
	struct q_audit_list_user_out of;
	struct q_audit_list_out row;
	struct cursor cu = { 0 };
	size_t cap = 0;
	enum err e;

	if (user == NULL) {
		TRY(q_audit_list_open(t, &(struct q_audit_list_in){
		    p->before, p->limit + 1 }, &cu));
		while ((e = q_audit_list_next(&cu, &row)) == OK &&
		    (e = audits_add(c, p, &cap, &row)) == OK)
			continue;
	} else {
		TRY(q_audit_list_user_open(t, &(struct q_audit_list_user_in){
		    *user, p->before, p->limit + 1 }, &cu));
		while ((e = q_audit_list_user_next(&cu, &of)) == OK) {
			row = (struct q_audit_list_out){ of.sequence, of.event,
			    of.created_at, of.user, of.device, of.session,
			    of.detail, of.address };
			e = audits_add(c, p, &cap, &row);
			if (e != OK)
				break;
		}
	}
	query_close(&cu);
	return e == ERR_NOT_FOUND ? OK : e;
}

enum err
audits_mine_check(struct call *c)
{
	const struct audit_list_req *in = c->req;

	return audits_page(c, in->has_limit, in->limit, in->has_cursor,
	    in->cursor);
}

enum err
audits_mine_read(struct call *c, struct txn *t)
{
	return audits_read(c, t, &c->who.user);
}

enum err
audits_all_check(struct call *c)
{
	const struct audit_all_req *in = c->req;

	if (c->who.role != USER_ROLE_AUDITOR && c->who.role != USER_ROLE_ADMIN)
		return call_fail(c, ERR_FORBIDDEN,
		    "Only auditors read the log of everybody");
	return audits_page(c, in->has_limit, in->limit, in->has_cursor,
	    in->cursor);
}

enum err
audits_all_read(struct call *c, struct txn *t)
{
	const struct audit_all_req *in = c->req;

	return audits_read(c, t, in->has_user_id ? &in->user_id : NULL);
}

/* ---- failed logins ---- */

struct failed {
	struct user_id user;		/* zero: nobody has that name */
};

static enum err
audits_failed_fill(const struct call *from, const void *arg,
    struct call *to)
{
	const struct user_id *user = arg;
	struct failed *f = ARENA_NEW(&to->arena, struct failed);

	(void)from;
	if (f == NULL)
		return ERR_TOO_LARGE;
	f->user = *user;
	to->state = f;
	return OK;
}

void
audits_failed(struct call *c, const struct user_id *user)
{
	call_follow(c, ops_get(OP_login_failed), audits_failed_fill, user);
}

enum err
audits_failed_write(struct call *c, struct txn *t)
{
	const struct failed *f = c->state;
	uint32_t max = c->conf->audit_failed_max;
	uint32_t share = max / AUDITS_SHARE + 1;
	struct q_audit_failed_out row;

	TRY(q_audit_failed(t, &(struct q_audit_failed_in){ c->now_ms >
	    AUDITS_WINDOW_MS ? c->now_ms - AUDITS_WINDOW_MS : 0, f->user,
	    max }, &row));
	if (row.all >= max || row.of_user >= share)
		return OK;
	return audit_note(c, t, AUDIT_LOGIN_FAILED, &(struct audit_entry){
	    .user = f->user, .detail = row.all + 1 == max ||
	    row.of_user + 1 == share ? SPAN("more of this hour are not noted")
	    : SPAN("") });
}

/*
 * The head once more, in a file: who puts the database back to an older state
 * has to change that, too. It is read from what is committed.
 */
enum err
audits_save_read(struct call *c, struct txn *t)
{
	char path[AUDITS_PATH_MAX], text[AUDIT_HEAD_TEXT];
	struct audit_head h;
	struct log l;
	enum err e;

	e = audit_head_get(t, call_audit_key(c), &h);
	if (e == ERR_AUTH && log_begin(&l, LOG_ERROR, "audit_head_forged"))
		log_end(&l);
	TRY(e);
	if (h.last_sequence == 0)
		return OK;
	audit_head_encode(&h, text);
	if (log_begin(&l, LOG_INFO, "audit_head")) {
		log_str(&l, "head", text);
		log_end(&l);
	}
	TRY(call_data_file(c, "audit.head", path, sizeof(path)));
	return sys_file_write(path, span_str(text), 0600);
}

enum err
audits_sweep(struct call *c, struct txn *t)
{
	uint64_t keep = c->conf->audit_keep_ms;

	if (keep == 0 || c->now_ms <= keep)
		return OK;
	return audit_prune(t, call_audit_key(c), c->now_ms - keep,
	    AUDITS_PRUNE_MAX);
}
