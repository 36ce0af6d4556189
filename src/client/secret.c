/*
 * secret.c: the account secret's record.
 */
#include "client/secret.h"

#define SECRET_VERSION 1

enum err
secret_get(struct step *s, uint8_t out[static SECRET_LEN])
{
	struct span value;
	struct rd r;
	uint8_t version;

	TRY(rec_get(&s->r, REC_SECRET, (struct span){ NULL, 0 }, &value));
	r = rd_init(value);
	version = rd_u8(&r);
	rd_bytes(&r, out, SECRET_LEN);
	if (version == SECRET_VERSION && rd_done(&r))
		return OK;
	wipe(out, SECRET_LEN);
	return version == SECRET_VERSION ? ERR_FORMAT : ERR_VERSION;
}

enum err
secret_put(struct step *s, const uint8_t secret[static SECRET_LEN])
{
	uint8_t value[1 + SECRET_LEN];
	struct wr w = wr_init(value, sizeof(value));
	enum err err;

	wr_u8(&w, SECRET_VERSION);
	wr_bytes(&w, secret, SECRET_LEN);
	err = rec_put(&s->r, REC_SECRET, (struct span){ NULL, 0 },
	    wr_done(&w));
	wipe(value, sizeof(value));
	return err;
}

enum err
secret_make(struct step *s)
{
	uint8_t secret[SECRET_LEN];
	enum err err = secret_get(s, secret);

	if (err == ERR_NOT_FOUND &&
	    (err = s->pv->random(s->pv->ctx, secret, sizeof(secret))) == OK)
		err = secret_put(s, secret);
	wipe(secret, sizeof(secret));
	return err;
}

enum err
secret_drop(struct step *s)
{
	return rec_del(&s->r, REC_SECRET, (struct span){ NULL, 0 });
}
