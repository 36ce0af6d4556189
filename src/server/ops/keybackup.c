/*
 * keybackup.c: the key backup of an account: what recovers its keys, sealed by
 * a recovery key or a passphrase that the server does not have, and the name
 * of an archive that goes with it (docs/protocol.md, "Backup"). There is one;
 * a new one names the version that it follows, so that two devices do not
 * overwrite each other's. It can be fetched by who knows the password alone,
 * since that is all that somebody has who lost every device: so it is given
 * out a few times a day, and each time is noted for its owner.
 */
#include "server/audit.h"
#include "server/conf.h"
#include "server/deliver.h"
#include "server/ops.h"
#include "server/ops/archives.h"
#include "server/ops/listing.h"
#include "server/ops/stream.h"
#include "store/txn.h"

static enum err
get(struct call *c, struct txn *t, struct q_keybackup_get_out *out)
{
	return q_keybackup_get(t, &(struct q_keybackup_get_in){ c->who.user },
	    out);
}

/* ---- its change, stored and told ---- */

struct keybackup {
	bool is_changed;
	struct backup_ev ev;
};

enum err
keybackup_change_check(struct call *c)
{
	c->state = ARENA_NEW(&c->arena, struct keybackup);
	return c->state != NULL ? OK : ERR_TOO_LARGE;
}

static enum err
note(struct call *c, struct txn *t, uint64_t version, bool exists)
{
	struct keybackup *s = c->state;

	s->ev = (struct backup_ev){ .version = version, .exists = exists };
	TRY(stream_put(c, t, "backup:changed", &shape_backup_ev, &s->ev,
	    &s->ev.position, &s->ev.prev));
	s->ev.has_position = s->ev.has_prev = true;
	s->is_changed = true;
	TRY(q_keybackup_version_set(t, &(struct q_keybackup_version_set_in){
	    c->who.user, version }, NULL));
	return audit_note(c, t, exists ? AUDIT_BACKUP_STORED :
	    AUDIT_BACKUP_DELETED, &(struct audit_entry){
	    .device = c->who.device });
}

void
keybackup_change_emit(struct call *c)
{
	const struct keybackup *s = c->state;
	struct deliver_event out;

	if (!s->is_changed)
		return;
	out = deliver_event("backup:changed", &shape_backup_ev, &s->ev);
	deliver_user(c, &c->who.user, &out, s->ev.position, 0);
	deliver_end(&out);
}

/* ---- PUT /api/keybackup ---- */

static enum err
refuse(struct call *c, uint64_t version)
{
	struct version_rec d = { version };
	struct span json;

	TRY(shape_encode_arena(&shape_version_rec, &d, &c->arena, &json));
	(void)call_fail(c, ERR_CONFLICT, "There is a newer key backup");
	return call_conflict(c, ERR_CONFLICT, json);
}

enum err
keybackup_put_write(struct call *c, struct txn *t)
{
	const struct keybackup_put_req *in = c->req;
	struct keybackup_put_rep *out = c->rep;
	struct keybackup *s = c->state;
	struct q_keybackup_get_out was;
	struct any_id archive = { { 0 } };

	s->is_changed = false;
	if (in->has_archive_id)
		archive = in->archive_id;
	TRY(listing_speaks(c, t));
	TRY(get(c, t, &was));
	/* Again, since the answer was lost. */
	if (was.version == in->version + 1 && was.data.p != NULL &&
	    span_eq(was.data, in->data) && ID_EQ(was.archive, archive)) {
		out->version = was.version;
		return OK;
	}
	if (was.version != in->version)
		return refuse(c, was.version);
	if (in->has_archive_id)
		TRY(archives_keep(c, t, &archive));
	TRY(q_keybackup_put(t, &(struct q_keybackup_put_in){ c->who.user,
	    in->data, archive, c->now_ms }, NULL));
	if (!ID_IS_ZERO(was.archive) && !ID_EQ(was.archive, archive))
		TRY(archives_drop(c, t, &was.archive));
	out->version = in->version + 1;
	return note(c, t, out->version, true);
}

/* ---- DELETE /api/keybackup ---- */

enum err
keybackup_delete_write(struct call *c, struct txn *t)
{
	struct q_keybackup_get_out was;

	((struct keybackup *)c->state)->is_changed = false;
	TRY(listing_speaks(c, t));
	TRY(get(c, t, &was));
	if (was.data.p == NULL)
		return ERR_NOT_FOUND;
	TRY(q_keybackup_delete(t, &(struct q_keybackup_delete_in){
	    c->who.user }, NULL));
	if (!ID_IS_ZERO(was.archive))
		TRY(archives_drop(c, t, &was.archive));
	return note(c, t, was.version + 1, false);
}

/* ---- GET /api/keybackup ---- */

/* How many more may be fetched now, and when else (0: unlimited). */
static enum err
reads_left(struct call *c, struct txn *t, uint32_t *left_out,
    uint64_t *next_ms_out)
{
	struct rate r = c->conf->limits_keybackup;
	struct q_keybackup_reads_out reads;

	TRY(q_keybackup_reads(t, &(struct q_keybackup_reads_in){ c->who.user,
	    c->now_ms - r.period_ms }, &reads));
	*left_out = reads.count < r.burst ? r.burst - reads.count : 0;
	*next_ms_out = reads.first + r.period_ms;
	return OK;
}

enum err
keybackup_get_write(struct call *c, struct txn *t)
{
	struct rate r = c->conf->limits_keybackup;
	struct keybackup_rep *out = c->rep;
	struct q_keybackup_get_out row;
	uint64_t next;
	uint32_t left;

	TRY(get(c, t, &row));
	if (row.data.p == NULL)
		return ERR_NOT_FOUND;
	if (r.burst != 0) {
		TRY(reads_left(c, t, &left, &next));
		if (left == 0) {
			call_retry_after(c, (uint32_t)((next > c->now_ms ?
			    next - c->now_ms : 0) / 1000 + 1));
			return call_fail(c, ERR_RATE_LIMITED,
			    "The key backup was fetched too often today");
		}
		TRY(q_keybackup_reads_prune(t,
		    &(struct q_keybackup_reads_prune_in){ c->who.user,
		    c->now_ms - r.period_ms }, NULL));
		TRY(q_keybackup_read_insert(t,
		    &(struct q_keybackup_read_insert_in){ c->who.user,
		    c->now_ms }, NULL));
	}
	*out = (struct keybackup_rep){ .version = row.version,
	    .data = row.data, .archive_id = row.archive,
	    .has_archive_id = !ID_IS_ZERO(row.archive),
	    .updated_at = row.updated_at };
	return audit_note(c, t, AUDIT_BACKUP_READ, &(struct audit_entry){
	    .device = c->who.device });
}

/* ---- GET /api/keybackup/state ---- */

enum err
keybackup_state_read(struct call *c, struct txn *t)
{
	struct keybackup_state_rep *out = c->rep;
	struct q_keybackup_get_out row;
	uint64_t next;

	TRY(get(c, t, &row));
	out->version = row.version;
	out->exists = row.data.p != NULL;
	out->size = (uint32_t)row.data.n;
	out->archive_id = row.archive;
	out->has_archive_id = !ID_IS_ZERO(row.archive);
	out->updated_at = row.updated_at;
	out->has_updated_at = out->exists;
	out->has_reads_left = c->conf->limits_keybackup.burst != 0;
	if (out->has_reads_left)
		TRY(reads_left(c, t, &out->reads_left, &next));
	return OK;
}
