/*
 * deletion.c: the end of an account. Asked for, it is out of sight at once and
 * nobody is signed in to it; until its days of grace are over, signing in can
 * have it back. Then it is erased in small steps, so that no write of others
 * waits long; every step may be the last before the power goes, and the next
 * start goes on, as all that says how far it is, is what is still there.
 */
#include "crypto/host.h"
#include "server/audit.h"
#include "server/conf.h"
#include "server/deliver.h"
#include "server/ops.h"
#include "server/ops/audits.h"
#include "server/ops/deletion.h"
#include "server/ops/mails.h"
#include "server/ops/sessions.h"
#include "store/msgid.h"
#include "store/txn.h"

#define DELETION_PARTS 16	/* of an archive, 256 KiB each */

/* ---- DELETE /api/users/me ---- */

struct goodbye {
	struct span stored, email;
	struct sessions_ended ended;
};

enum err
deletion_check(struct call *c)
{
	c->state = ARENA_NEW(&c->arena, struct goodbye);
	if (c->state == NULL)
		return ERR_TOO_LARGE;
	return account_wait(c, SPAN_OF(c->who.session.b));
}

enum err
deletion_read(struct call *c, struct txn *t)
{
	struct goodbye *g = c->state;
	struct q_user_password_get_out row;
	struct q_user_get_out user;

	TRY(q_user_password_get(t, &(struct q_user_password_get_in){
	    c->who.user }, &row));
	TRY(q_user_get(t, &(struct q_user_get_in){ c->who.user }, &user));
	g->stored = row.password_hash;
	g->email = user.email;
	return OK;
}

enum err
deletion_work(struct call *c)
{
	const struct account_delete_req *in = c->req;
	const struct goodbye *g = c->state;
	enum err e = host_password_verify(in->password, g->stored);

	if (e == ERR_INVALID_CREDENTIALS) {
		account_failed(c, SPAN_OF(c->who.session.b));
		audits_failed(c, &c->who.user);
		return call_fail(c, e, "The password is wrong");
	}
	return e;
}

enum err
deletion_write(struct call *c, struct txn *t)
{
	const struct session_id none = { { 0 } };
	struct account_delete_rep *out = c->rep;
	struct goodbye *g = c->state;
	uint64_t rows;

	out->erase_at = c->now_ms + c->conf->accounts_grace_ms;
	TRY(q_user_delete_ask(t, &(struct q_user_delete_ask_in){
	    c->who.user, out->erase_at }, &rows));
	if (rows == 0)
		return ERR_INVALID_TOKEN;	/* asked for meanwhile */
	TRY(sessions_end_all(c, t, &c->who.user, &none, &g->ended));
	TRY(audit_note(c, t, AUDIT_DELETION_ASKED, NULL));
	return mails_put(c, t, &c->who.user, g->email, MAIL_DELETION);
}

void
deletion_emit(struct call *c)
{
	const struct goodbye *g = c->state;

	cookie_clear(c);
	call_sessions_end(c, &c->who.user, g->ended.p, g->ended.n,
	    "account_deleted");
}

/* ---- erasure ---- */

/* In read: the next account that is due. */
enum err
deletion_look_read(struct call *c, struct txn *t)
{
	struct q_erase_due_out row;
	struct deletion_step *s;
	enum err e;

	e = q_erase_due(t, &(struct q_erase_due_in){ c->now_ms }, &row);
	if (e == ERR_NOT_FOUND)
		return OK;
	TRY(e);
	s = ARENA_NEW(&c->arena, struct deletion_step);
	if (s == NULL)
		return ERR_TOO_LARGE;
	s->user = row.user;
	c->state = s;
	return OK;
}

/* All that hangs on the account and is never much. */
static enum err
deletion_small(struct txn *t, const struct user_id u)
{
	TRY(q_erase_grants(t, &(struct q_erase_grants_in){ u }, NULL));
	TRY(q_erase_lists(t, &(struct q_erase_lists_in){ u }, NULL));
	TRY(q_erase_rotations(t, &(struct q_erase_rotations_in){ u }, NULL));
	TRY(q_erase_devices(t, &(struct q_erase_devices_in){ u }, NULL));
	TRY(q_erase_sessions(t, &(struct q_erase_sessions_in){ u }, NULL));
	TRY(q_erase_nonces(t, &(struct q_erase_nonces_in){ u }, NULL));
	TRY(q_erase_tokens(t, &(struct q_erase_tokens_in){ u }, NULL));
	TRY(q_erase_mails(t, &(struct q_erase_mails_in){ u }, NULL));
	TRY(q_erase_invites(t, &(struct q_erase_invites_in){ u }, NULL));
	TRY(q_erase_key_backups(t, &(struct q_erase_key_backups_in){ u },
	    NULL));
	TRY(q_erase_archives(t, &(struct q_erase_archives_in){ u }, NULL));
	TRY(q_erase_backup_reads(t, &(struct q_erase_backup_reads_in){ u },
	    NULL));
	TRY(q_erase_verifications(t, &(struct q_erase_verifications_in){ u },
	    NULL));
	TRY(q_erase_settings(t, &(struct q_erase_settings_in){ u }, NULL));
	TRY(q_erase_blocked_chats(t, &(struct q_erase_blocked_chats_in){ u },
	    NULL));
	TRY(q_erase_blocks(t, &(struct q_erase_blocks_in){ u }, NULL));
	TRY(q_erase_edits(t, &(struct q_erase_edits_in){ u }, NULL));
	TRY(q_erase_reports_by(t, &(struct q_erase_reports_by_in){ u },
	    NULL));
	return q_erase_reports_of(t, &(struct q_erase_reports_of_in){ u },
	    NULL);
}

/* Its chats are told; *done: nothing is left of it but an id. */
static enum err
deletion_last(struct call *c, struct txn *t, struct deletion_step *s)
{
	const struct user_id u = s->user;
	char key[1 + ID_TEXT_LEN + 1] = "!";

	id_encode(u.b, key + 1);
	TRY(contacts_load(c, t, &s->contacts));
	TRY(contacts_tell(c, t, &s->contacts, "user:erased", 0, 0));
	TRY(deletion_small(t, u));
	TRY(q_erase_heirs(t, &(struct q_erase_heirs_in){ u }, NULL));
	TRY(q_erase_memberships(t, &(struct q_erase_memberships_in){ u },
	    NULL));
	TRY(q_erase_marks(t, &(struct q_erase_marks_in){ u }, NULL));
	TRY(q_erase_events(t, &(struct q_erase_events_in){ u,
	    DELETION_STEP }, NULL));
	TRY(q_erase_user(t, &(struct q_erase_user_in){ u,
	    span_of(key, 1 + ID_TEXT_LEN), c->now_ms }, NULL));
	s->is_done = true;
	return audit_append(t, call_audit_key(c), AUDIT_ACCOUNT_ERASED,
	    &(struct audit_entry){ .device = 0 }, c->now_ms);
}

static enum err
deletion_messages(struct call *c, struct txn *t, struct deletion_step *s,
    uint64_t *rows)
{
	struct q_erase_range_out range;

	TRY(q_erase_messages(t, &(struct q_erase_messages_in){ s->user,
	    c->now_ms, DELETION_STEP }, rows));
	if (*rows > 0)
		return OK;
	/* All are without their client's id now; on in order of position. */
	TRY(q_erase_range(t, &(struct q_erase_range_in){ s->user, s->after,
	    DELETION_STEP }, &range));
	if (range.up_to == 0)
		return OK;
	TRY(q_erase_messages_rest(t, &(struct q_erase_messages_rest_in){
	    s->user, c->now_ms, s->after, range.up_to }, NULL));
	s->next = range.up_to;
	*rows = 1;
	return OK;
}

/*
 * One step: the first kind of thing of which there is some still. What a
 * rolled back run left in s is set again.
 */
enum err
deletion_step_write(struct call *c, struct txn *t)
{
	struct deletion_step *s = c->state;
	struct user_id u = s->user;
	uint64_t rows = 0;

	s->is_done = false;
	s->next = s->after;
	memset(&s->contacts, 0, sizeof(s->contacts));
	TRY(deletion_messages(c, t, s, &rows));
	if (rows > 0)
		return OK;
	TRY(q_erase_receipts(t, &(struct q_erase_receipts_in){ u,
	    DELETION_STEP }, &rows));
	if (rows > 0)
		return OK;
	TRY(q_erase_hides(t, &(struct q_erase_hides_in){ u, DELETION_STEP },
	    &rows));
	if (rows > 0)
		return OK;
	TRY(q_erase_events(t, &(struct q_erase_events_in){ u,
	    DELETION_STEP }, &rows));
	if (rows > 0)
		return OK;
	TRY(q_erase_archive_parts(t, &(struct q_erase_archive_parts_in){ u,
	    DELETION_PARTS }, &rows));
	if (rows > 0)
		return OK;
	TRY(audit_redact(t, call_audit_key(c), &u, DELETION_STEP, &rows));
	if (rows > 0)
		return OK;
	return deletion_last(c, t, s);
}

void
deletion_step_emit(struct call *c)
{
	const struct deletion_step *s = c->state;

	if (s->is_done)
		contacts_emit(c, &s->contacts);
}
