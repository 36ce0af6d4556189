/*
 * vaultrec.c: exports vault_load, vault_save, vault_view and vaultrec_*: the
 * record of the backup. A version octet, then one layout.
 */
#include "client/vaultrec.h"

#include "core/peer.h"

#define VAULTREC_VERSION 1
#define VAULTREC_MAX 1024u

enum { FLAG_EXISTS = 1, FLAG_MANUAL = 2 };

enum err
vault_save(struct step *s, const struct vault *v)
{
	uint8_t value[VAULTREC_MAX];
	struct wr w = wr_init(value, sizeof(value));
	enum err err = OK;
	uint8_t i;

	wr_u8(&w, VAULTREC_VERSION);
	wr_u8(&w, (uint8_t)v->state);
	wr_u8(&w, (uint8_t)((v->exists ? FLAG_EXISTS : 0) |
	    (v->manual ? FLAG_MANUAL : 0)));
	wr_bytes(&w, v->bk.b, BACKUP_KEY_LEN);
	wr_u64(&w, v->version);
	wr_u64(&w, v->made_ms);
	wr_u64(&w, v->tried_ms);
	wr_u64(&w, v->list_version);
	wr_u64(&w, v->position);
	wr_u64(&w, v->messages);
	wr_u64(&w, v->people);
	wr_u64(&w, v->size);
	wr_u64(&w, v->journal);
	wr_u32(&w, v->every_n);
	wr_u64(&w, v->cmd);
	wr_bytes(&w, v->archive.b, ID_LEN);
	wr_u8(&w, v->wraps_n);
	for (i = 0; i < v->wraps_n && err == OK; i++)
		err = backup_wrap_encode(&v->wraps[i], &w);
	s->c->dirty = true;
	if (err == OK)
		err = !wr_ok(&w) ? ERR_SPACE : rec_put(&s->r, REC_BACKUP,
		    (struct span){ NULL, 0 }, wr_done(&w));
	wipe(value, sizeof(value));
	return err;
}

static void
vaultrec_decode(struct rd *r, struct vault *v)
{
	uint8_t flags;

	v->state = (enum vault_state)rd_u8(r);
	flags = rd_u8(r);
	v->exists = flags & FLAG_EXISTS;
	v->manual = flags & FLAG_MANUAL;
	rd_bytes(r, v->bk.b, BACKUP_KEY_LEN);
	v->version = rd_u64(r);
	v->made_ms = rd_u64(r);
	v->tried_ms = rd_u64(r);
	v->list_version = rd_u64(r);
	v->position = rd_u64(r);
	v->messages = rd_u64(r);
	v->people = rd_u64(r);
	v->size = rd_u64(r);
	v->journal = rd_u64(r);
	v->every_n = rd_u32(r);
	v->cmd = rd_u64(r);
	rd_bytes(r, v->archive.b, ID_LEN);
	v->wraps_n = rd_u8(r);
}

enum err
vault_load(struct step *s, struct vault *v)
{
	struct span value;
	struct rd r;
	uint8_t version, i;

	*v = (struct vault){ .state = VAULT_IDLE };
	TRY(rec_get(&s->r, REC_BACKUP, (struct span){ NULL, 0 }, &value));
	r = rd_init(value);
	version = rd_u8(&r);
	vaultrec_decode(&r, v);
	if (version != VAULTREC_VERSION)
		return ERR_VERSION;
	if (v->wraps_n > BACKUP_WRAPS_MAX)
		return ERR_FORMAT;
	for (i = 0; i < v->wraps_n; i++)
		TRY(backup_wrap_decode(rd_span(&r, BACKUP_WRAP_LEN),
		    &v->wraps[i]));
	return rd_done(&r) ? OK : ERR_FORMAT;
}

enum err
vaultrec_list_version(struct step *s, uint64_t *out)
{
	struct arena_mark mark = step_scratch(s);
	struct peer *own = ARENA_NEW(&s->scratch, struct peer);
	enum err err;

	if (own == NULL)
		return ERR_TOO_LARGE;
	err = peer_load(&s->core, &s->m.user, own);
	*out = err == OK ? own->list.version : 0;
	step_scratch_end(s, mark);
	return err;
}

enum err
vault_view(struct step *s, const struct vault *v, struct client_backup *out)
{
	enum err err;
	uint8_t i;

	*out = (struct client_backup){ .exists = v->exists, .is_open = true,
	    .number = v->version, .made_ms = v->made_ms, .user = s->m.user,
	    .list_version = v->list_version, .messages = v->messages,
	    .people = v->people, .size = v->size, .is_auto = !v->manual,
	    .busy = v->state != VAULT_IDLE };
	for (i = 0; i < v->wraps_n; i++) {
		if (v->wraps[i].kdf == BACKUP_RECOVERY_KEY)
			out->has_recovery_key = true;
		else
			out->has_passphrase = true;
	}
	if (!v->manual)
		out->due_ms = v->made_ms + VAULT_EVERY_MS;
	err = vaultrec_list_version(s, &out->newest_version);
	return err == ERR_NOT_FOUND ? OK : err;
}
