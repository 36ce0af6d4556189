/*
 * restore.c: see restore.h. What a backup says is believed only once it is
 * open under the person's key; where the server has a newer signed list, that
 * one holds, and an older one than the backup knows is refused.
 */
#include "client/restore.h"

#include "client/person.h"
#include "client/secret.h"
#include "client/setup.h"
#include "client/trust.h"
#include "client/vault.h"
#include "client/vaultrec.h"
#include "core/devices.h"
#include "core/recovery.h"

#define RESTORE_VERSION 1
#define SIGN_TRIES_MAX 3

static enum err
restore_save(struct step *s, const struct restore *x)
{
	struct wr w;

	TRY(step_wr(s, 128 + x->text.n + x->bytes.n, &w));
	wr_u8(&w, RESTORE_VERSION);
	wr_u8(&w, (uint8_t)x->state);
	wr_u8(&w, x->check);
	wr_u8(&w, x->file);
	wr_u8(&w, x->unlock);
	wr_u8(&w, x->tries);
	wr_u64(&w, x->cmd);
	wr_u64(&w, x->version);
	wr_bytes(&w, x->bk.b, BACKUP_KEY_LEN);
	wr_vec16(&w, x->text);
	wr_vec16(&w, x->bytes);
	s->c->dirty = true;
	return !wr_ok(&w) ? ERR_SPACE : rec_put(&s->r, REC_RESTORE,
	    (struct span){ NULL, 0 }, wr_done(&w));
}

static enum err
restore_load(struct step *s, struct restore *x)
{
	struct span value;
	struct rd r;
	uint8_t version;

	*x = (struct restore){ .state = RESTORE_NONE };
	TRY(rec_get(&s->r, REC_RESTORE, (struct span){ NULL, 0 }, &value));
	r = rd_init(value);
	version = rd_u8(&r);
	x->state = (enum restore_state)rd_u8(&r);
	x->check = rd_u8(&r) != 0;
	x->file = rd_u8(&r) != 0;
	x->unlock = rd_u8(&r);
	x->tries = rd_u8(&r);
	x->cmd = rd_u64(&r);
	x->version = rd_u64(&r);
	rd_bytes(&r, x->bk.b, BACKUP_KEY_LEN);
	x->text = rd_vec16(&r);
	x->bytes = rd_vec16(&r);
	if (version != RESTORE_VERSION)
		return ERR_VERSION;
	return rd_done(&r) ? OK : ERR_FORMAT;
}

static enum err
restore_drop(struct step *s)
{
	return rec_del(&s->r, REC_RESTORE, (struct span){ NULL, 0 });
}

/* It ends here, and whoever asked hears why. */
static enum err
restore_fail(struct step *s, const struct restore *x, enum err why,
    struct span message)
{
	TRY(restore_drop(s));
	return step_show_error(s, x->cmd, why, message);
}

/* ---- opening ---- */

/* One wrap with what the person typed. */
static enum err
restore_try(struct step *s, struct restore *x, const struct backup_wrap *k)
{
	struct backup_stretched st;
	struct recovery_fault fault;
	enum err err;

	if (k->kdf == BACKUP_RECOVERY_KEY)
		err = recovery_parse(s->pv, x->text, st.b, &fault);
	else
		err = backup_stretch(s->pv, k, x->text, &st);
	if (err == OK)
		err = backup_wrap_open(s->pv, &s->m.user, &st, k, &x->bk);
	wipe(&st, sizeof(st));
	return err;
}

static enum err
restore_unlock(struct step *s, struct restore *x, const struct backup *b)
{
	uint8_t kdf = x->unlock == UNLOCK_PASSPHRASE ? BACKUP_PASSPHRASE :
	    BACKUP_RECOVERY_KEY, i;
	enum err err = ERR_NOT_FOUND;

	for (i = 0; i < b->wraps_n; i++) {
		if (b->wraps[i].kdf != kdf)
			continue;
		err = restore_try(s, x, &b->wraps[i]);
		if (err != ERR_NO_KEY)
			return err;
	}
	return err;
}

static struct span
restore_why(enum err err)
{
	switch ((int)err) {
	case ERR_NO_KEY:
		return SPAN("Wrong recovery key or passphrase");
	case ERR_NOT_FOUND:
		return SPAN("The backup is not protected by that: try the "
		    "other one");
	case ERR_AUTH:
		return SPAN("The backup was changed: it is not what was "
		    "stored");
	case ERR_FORMAT:
		return SPAN("That is no recovery key, or no backup");
	case ERR_VERSION: case ERR_UNKNOWN_CRITICAL:
		return SPAN("The backup was made by a newer version");
	case ERR_LIMIT:
		return SPAN("The backup asks for more work than is allowed: "
		    "it was changed");
	case ERR_IDENTITY_CHANGED:
		return SPAN("The account key was renewed or replaced after "
		    "this backup was made: it does not help any more");
	case ERR_CONFLICT:
		return SPAN("The server gives another list of devices than "
		    "the one that the backup knows");
	case ERR_STALE:
		return SPAN("The server gives an older list of devices than "
		    "the backup knows");
	default:
		return (struct span){ NULL, 0 };
	}
}

static enum err
restore_list(struct step *s, uint64_t *version_out)
{
	struct arena_mark mark = step_scratch(s);
	struct devlist *l = ARENA_NEW(&s->scratch, struct devlist);
	struct span list;
	enum err err = l == NULL ? ERR_TOO_LARGE : rec_get(&s->r, REC_NEWLIST,
	    ID_SPAN(s->m.user), &list);

	*version_out = 0;
	if (err == OK && devlist_decode(list, l, NULL) == OK)
		*version_out = l->version;
	step_scratch_end(s, mark);
	if (err == ERR_NOT_FOUND)
		err = vaultrec_list_version(s, version_out);
	return err == ERR_NOT_FOUND ? OK : err;
}

static enum err
restore_show(struct step *s, const struct backup *b,
    const struct backup_secrets *secrets)
{
	struct client_show *show = step_show(s, SHOW_BACKUP, 0);
	struct client_backup *v;
	uint8_t i;

	if (show == NULL)
		return ERR_TOO_LARGE;
	v = &show->u.backup;
	*v = (struct client_backup){ .exists = true, .is_open = true,
	    .number = b->head.number, .made_ms = b->head.made_ms,
	    .user = s->m.user, .list_version = b->head.list_version,
	    .records = secrets->records };
	for (i = 0; i < b->wraps_n; i++) {
		if (b->wraps[i].kdf == BACKUP_RECOVERY_KEY)
			v->has_recovery_key = true;
		else
			v->has_passphrase = true;
	}
	return restore_list(s, &v->newest_version);
}

/* What the archive has to be. */
static enum err
restore_read(struct step *s, const struct restore *x,
    const struct backup_secrets *secrets)
{
	struct arcin in = { .mode = x->check ? ARCIN_CHECK : ARCIN_RESTORE,
	    .file = x->file, .id = secrets->archive,
	    .account = s->m.user, .want_chunks = secrets->archive_chunks,
	    .want_records = secrets->records };
	enum err err;

	memcpy(in.key, secrets->archive_key.b, ARCHIVE_KEY_LEN);
	memcpy(in.want_digest, secrets->archive_digest, SHA256_LEN);
	s->c->part_asked = 0;
	err = arcin_begin_backup(s, &in);
	wipe(&in, sizeof(in));
	return err;
}

static enum err
restore_opened(struct step *s, struct restore *x, const struct backup *b,
    const struct backup_secrets *secrets)
{
	struct span none = { NULL, 0 };

	x->text = none;
	TRY(restore_show(s, b, secrets));
	if (!x->check) {
		x->state = RESTORE_SHOWN;
		TRY(restore_save(s, x));
		return step_show_done(s, x->cmd);
	}
	if (!secrets->has_archive) {
		TRY(restore_drop(s));
		return step_show_done(s, x->cmd);
	}
	x->state = RESTORE_HISTORY;
	x->bytes = none;
	TRY(restore_save(s, x));
	return restore_read(s, x, secrets);
}

/* The backup is here: decoded, unlocked, opened. */
static enum err
restore_open(struct step *s, struct restore *x)
{
	struct backup *b = ARENA_NEW(s->a, struct backup);
	struct backup_secrets secrets = { .position = 0 };
	uint8_t *plain = arena_bytes(s->a, BACKUP_SEALED_MAX);
	enum err err;

	if (b == NULL || plain == NULL)
		return ERR_TOO_LARGE;
	err = backup_decode(x->bytes, b);
	if (err == OK)
		err = restore_unlock(s, x, b);
	if (err == OK)
		err = backup_open(s->pv, &s->m.user, &x->bk, x->bytes, plain,
		    b, &secrets);
	if (err == OK)
		err = restore_opened(s, x, b, &secrets);
	else if (!step_is_fatal(err))
		err = restore_fail(s, x, err == ERR_NO_KEY ? ERR_UNTRUSTED :
		    err, restore_why(err));
	wipe(&secrets, sizeof(secrets));
	wipe(plain, BACKUP_SEALED_MAX);
	return err;
}

enum err
restore_begin(struct step *s, const struct client_input *in)
{
	const struct client_unlock *u = &in->u.unlock;
	struct restore x = { .state = RESTORE_FETCHES,
	    .check = in->type == CLIENT_BACKUP_CHECK, .cmd = in->cmd,
	    .unlock = (uint8_t)u->kind, .file = u->file.n != 0,
	    .text = u->text, .bytes = u->file };
	struct restore was;
	enum err err = restore_load(s, &was);
	bool busy = err == OK && was.state >= RESTORE_SIGNS && !was.check;

	wipe(&was, sizeof(was));
	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	if (!(s->m.flags & META_SIGNED_IN))
		return step_show_error(s, in->cmd, ERR_INVALID_TOKEN,
		    (struct span){ NULL, 0 });
	if (!x.check && !(s->m.flags & META_KEYS_MISSING))
		return step_show_error(s, in->cmd, ERR_CONFLICT,
		    SPAN("The account's keys are here: nothing to restore"));
	if (busy || (arcin_is_open(s) && !x.check))
		return step_show_error(s, in->cmd, ERR_CONFLICT,
		    SPAN("History is on its way in already"));
	if (u->text.n > 2 * BACKUP_PASSPHRASE_MAX ||
	    u->file.n > BACKUP_LEN_MAX)
		return step_show_error(s, in->cmd, ERR_VALIDATION,
		    (struct span){ NULL, 0 });
	if (x.file)
		return restore_open(s, &x);
	return restore_save(s, &x);
}

/* ---- taking it into use ---- */

static enum err
restore_devices(struct step *s, const struct backup_secrets *secrets,
    struct span base, struct span *cert, struct span *list)
{
	uint8_t flags = s->c->options & CLIENT_WEB ? DEVICE_WEB : 0;
	enum err err = devices_restore(&s->core, &s->m.user,
	    &secrets->aik_priv, base, flags, cert, list);

	/* Sixteen devices, and none of them at hand: this one is all. */
	if (err == ERR_LIMIT)
		err = devices_restore_instead(&s->core, &s->m.user,
		    &secrets->aik_priv, base, flags, cert, list);
	return err;
}

/* Two lists of one version: whoever has the account key made the other. */
static enum err
restore_is_that(struct step *s, struct span list,
    const uint8_t want[static SHA256_LEN])
{
	uint8_t hash[SHA256_LEN];

	TRY(devlist_hash(s->pv, list, hash));
	return memcmp(hash, want, sizeof(hash)) == 0 ? OK : ERR_CONFLICT;
}

static enum err
restore_publish(struct step *s, struct restore *x, const struct backup *b,
    const struct backup_secrets *secrets)
{
	struct arena_mark mark = step_scratch(s);
	struct span base, cert = { NULL, 0 }, list = { NULL, 0 };
	struct identity id;
	uint64_t newest;
	enum err err;

	TRY(restore_list(s, &newest));
	if (newest < b->head.list_version)
		return ERR_STALE;
	TRY(rec_get(&s->r, REC_NEWLIST, ID_SPAN(s->m.user), &base));
	if (newest == b->head.list_version)
		TRY(restore_is_that(s, base, secrets->list_hash));
	err = restore_devices(s, secrets, base, &cert, &list);
	if (err == OK && (err = identity_load(&s->core, &id)) == OK) {
		s->m.device = id.me.device;
		err = setup_publish(s, list, cert, (struct span){ NULL, 0 });
		identity_wipe(&id);
	}
	step_scratch_end(s, mark);
	TRY(err);
	s->m.flags |= META_KEYS;
	s->m.flags &= ~(uint32_t)(META_KEYS_MISSING | META_CHECK_KEYS |
	    META_LIST_SENT | META_REVOKED);
	s->m.published_ms = 0;
	s->m.signed_up_ms = s->now;
	if (secrets->has_archive && secrets->position > s->m.cursor)
		s->m.cursor = secrets->position;
	TRY(secret_put(s, secrets->secret));
	TRY(setup_make_prekeys(s));
	x->state = RESTORE_SIGNS;
	return restore_save(s, x);
}

/* Opens the kept bytes once more and hands on what is in them. */
static enum err
restore_with(struct step *s, struct restore *x, enum err (*use)(struct step *,
    struct restore *, const struct backup *, const struct backup_secrets *))
{
	struct backup *b = ARENA_NEW(s->a, struct backup);
	struct backup_secrets secrets = { .position = 0 };
	uint8_t *plain = arena_bytes(s->a, BACKUP_SEALED_MAX);
	enum err err;

	if (b == NULL || plain == NULL)
		return ERR_TOO_LARGE;
	err = backup_open(s->pv, &s->m.user, &x->bk, x->bytes, plain, b,
	    &secrets);
	if (err == OK)
		err = use(s, x, b, &secrets);
	wipe(&secrets, sizeof(secrets));
	wipe(plain, BACKUP_SEALED_MAX);
	return err;
}

enum err
restore_confirm(struct step *s, const struct client_input *in)
{
	struct restore x;
	enum err err = restore_load(s, &x);

	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	if (x.state != RESTORE_SHOWN)
		return step_show_error(s, in->cmd, ERR_CONFLICT,
		    SPAN("There is no open backup to go on with"));
	x.cmd = in->cmd;
	if (!in->u.on) {
		wipe(&x, sizeof(x));
		TRY(restore_drop(s));
		return step_show_done(s, in->cmd);
	}
	err = restore_with(s, &x, restore_publish);
	if (err != OK && !step_is_fatal(err))
		err = restore_fail(s, &x, err, restore_why(err));
	wipe(&x, sizeof(x));
	return err;
}

/* The list is at the server: now the history, and the backup goes on. */
static enum err
restore_listed(struct step *s, struct restore *x, const struct backup *b,
    const struct backup_secrets *secrets)
{
	if (!x->file)
		TRY(vault_adopt(s, &x->bk, b, x->version));
	trust_ask(s);
	TRY(person_want(s, &s->m.user));
	x->state = RESTORE_HISTORY;
	x->bytes = (struct span){ NULL, 0 };
	wipe(&x->bk, sizeof(x->bk));
	if (secrets->has_archive) {
		TRY(restore_save(s, x));
		return restore_read(s, x, secrets);
	}
	TRY(restore_drop(s));
	return step_show_done(s, x->cmd);
}

static enum err
restore_go(struct step *s, struct restore *x)
{
	struct call_new n = { .what = CALL_BACKUP_GET, .method = "GET",
	    .path = SPAN("/api/keybackup") };
	bool made;

	if (x->state == RESTORE_FETCHES)
		return call_make(s, &n, &made);
	if (x->state != RESTORE_SIGNS)
		return OK;
	if (s->m.flags & META_LIST_SENT)
		return restore_with(s, x, restore_listed);
	/* Another list was first: this one is made anew after it. */
	if (!(s->m.flags & META_KEYS_MISSING))
		return OK;
	if (++x->tries > SIGN_TRIES_MAX)
		return restore_fail(s, x, ERR_LIST_CONFLICT,
		    (struct span){ NULL, 0 });
	return restore_with(s, x, restore_publish);
}

enum err
restore_pump(struct step *s)
{
	struct restore x;
	enum err err = restore_load(s, &x);

	if (err == ERR_NOT_FOUND)
		return OK;
	TRY(err);
	err = restore_go(s, &x);
	if (err != OK && !step_is_fatal(err))
		err = restore_fail(s, &x, err, restore_why(err));
	wipe(&x, sizeof(x));
	return err;
}

enum err
restore_heard(struct step *s, const struct call_answer *a)
{
	struct keybackup_rep rep;
	struct restore x;
	enum err err = restore_load(s, &x);

	if (err == ERR_NOT_FOUND || (err == OK &&
	    x.state != RESTORE_FETCHES))
		return OK;
	TRY(err);
	if (a->err == OK && shape_decode(&shape_keybackup_rep, a->data, s->a,
	    &rep, NULL) == OK) {
		x.bytes = rep.data;
		x.version = rep.version;
		err = restore_open(s, &x);
	} else if (a->err == OK) {
		err = restore_fail(s, &x, ERR_FORMAT, (struct span){ NULL, 0 });
	} else if (a->status >= 400 && a->status < 500 && a->status != 401) {
		err = restore_fail(s, &x, a->err, a->err == ERR_NOT_FOUND ?
		    SPAN("The server has no backup of this account") :
		    a->error.message);
	}
	wipe(&x, sizeof(x));
	return err;
}

enum err
restore_arrived(struct step *s, const struct arcin *in, enum err why)
{
	struct client_show *show;
	struct restore x;
	enum err err = restore_load(s, &x);

	if (err == ERR_NOT_FOUND)
		return OK;
	TRY(err);
	TRY(restore_drop(s));
	show = step_show(s, SHOW_BACKUP, 0);
	if (show == NULL)
		return ERR_TOO_LARGE;
	show->u.backup = (struct client_backup){ .exists = true,
	    .is_open = true, .user = s->m.user, .messages = in->n.messages,
	    .people = in->n.people, .records = in->n.records,
	    .size = in->bytes };
	if (why == OK)
		err = step_show_done(s, x.cmd);
	else
		err = step_show_error(s, x.cmd, why, why == ERR_NOT_FOUND ?
		    SPAN("The archive of this backup is not at the server") :
		    SPAN("The archive of this backup is damaged or not "
		    "whole"));
	wipe(&x, sizeof(x));
	return err;
}
