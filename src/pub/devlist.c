/*
 * devlist.c: codec, signature and succession of device lists, see devlist.h.
 */
#include "pub/devlist.h"

#include "crypto/hash.h"

#define DEVLIST_VERSION 1
#define CONTEXT SPAN("NJ1/devlist")

static const uint8_t zeros[SHA256_LEN];

static bool
entries_are_good(const struct devlist *l)
{
	uint32_t last = 0;

	if (l->n < 1 || l->n > DEVLIST_DEVICES_MAX)
		return false;
	for (uint8_t i = 0; i < l->n; i++) {
		const struct devlist_entry *e = &l->entries[i];

		/* Ids are below next_id; each device stands there once. */
		if (e->device <= last || e->device >= l->next_id ||
		    (e->flags & ~DEVICE_FLAGS) != 0)
			return false;
		last = e->device;
	}
	return true;
}

static bool
is_well_formed(const struct devlist *l)
{
	bool first = memcmp(l->prev_hash, zeros, sizeof(zeros)) == 0;

	/* docs/protocol.md, Devices: prev_hash of the first version is zero;
	 * expires - issued <= 45 days. */
	return l->version >= 1 && first == (l->version == 1) &&
	    l->expires_ms > l->issued_ms &&
	    l->expires_ms - l->issued_ms <= DEVLIST_LIFE_MS_MAX &&
	    entries_are_good(l);
}

static void
read_body(struct rd *r, struct devlist *l)
{
	rd_bytes(r, l->account.b, ID_LEN);
	rd_bytes(r, l->aik, sizeof(l->aik));
	l->version = rd_u64(r);
	l->issued_ms = rd_u64(r);
	l->expires_ms = rd_u64(r);
	rd_bytes(r, l->prev_hash, sizeof(l->prev_hash));
	l->next_id = rd_u32(r);
	l->n = rd_u8(r);
	if (l->n > DEVLIST_DEVICES_MAX) {
		r->bad = true;
		return;
	}
	for (uint8_t i = 0; i < l->n; i++) {
		l->entries[i].device = rd_u32(r);
		rd_bytes(r, l->entries[i].cert_hash, SHA256_LEN);
		l->entries[i].flags = rd_u8(r);
	}
}

enum err
devlist_decode(struct span bytes, struct devlist *out, struct span *body_out)
{
	struct rd r = rd_init(bytes);
	uint8_t version = rd_u8(&r);
	size_t body_n;

	memset(out, 0, sizeof(*out));
	if (!r.bad && version != DEVLIST_VERSION)
		return ERR_VERSION;
	read_body(&r, out);
	body_n = bytes.n - r.n;
	(void)rd_span(&r, COMPOSITE_SIG_LEN);
	if (!rd_done(&r) || !is_well_formed(out)) {
		memset(out, 0, sizeof(*out));
		return ERR_FORMAT;
	}
	if (body_out != NULL)
		*body_out = span_of(bytes.p, body_n);
	return OK;
}

enum err
devlist_encode(const struct devlist *l, struct wr *w)
{
	if (!is_well_formed(l))
		return ERR_ARG;
	wr_u8(w, DEVLIST_VERSION);
	wr_bytes(w, l->account.b, ID_LEN);
	wr_bytes(w, l->aik, sizeof(l->aik));
	wr_u64(w, l->version);
	wr_u64(w, l->issued_ms);
	wr_u64(w, l->expires_ms);
	wr_bytes(w, l->prev_hash, sizeof(l->prev_hash));
	wr_u32(w, l->next_id);
	wr_u8(w, l->n);
	for (uint8_t i = 0; i < l->n; i++) {
		wr_u32(w, l->entries[i].device);
		wr_bytes(w, l->entries[i].cert_hash, SHA256_LEN);
		wr_u8(w, l->entries[i].flags);
	}
	return wr_ok(w) ? OK : ERR_SPACE;
}

enum err
devlist_sign(const struct provider *p, const struct composite_priv *aik,
    const struct devlist *l, struct wr *w)
{
	struct composite_sig sig;
	size_t from = w->n;

	TRY(devlist_encode(l, w));
	TRY(composite_sign(p, aik, CONTEXT,
	    span_sub(wr_done(w), from, w->n - from), NULL, &sig));
	wr_bytes(w, sig.b, sizeof(sig.b));
	return wr_ok(w) ? OK : ERR_SPACE;
}

enum err
devlist_verify(const struct provider *p, struct span bytes,
    const struct user_id *account, struct devlist *out)
{
	struct span body, sig;
	enum err e;

	TRY(devlist_decode(bytes, out, &body));
	sig = span_sub(bytes, body.n, COMPOSITE_SIG_LEN);
	e = ID_EQ(out->account, *account) ? OK : ERR_FORBIDDEN;
	if (e == OK)
		e = composite_verify(p, out->aik, CONTEXT, body, sig.p);
	if (e != OK)
		memset(out, 0, sizeof(*out));
	return e;
}

enum err
devlist_hash(const struct provider *p, struct span bytes,
    uint8_t out[static SHA256_LEN])
{
	if (bytes.n < COMPOSITE_SIG_LEN)
		return ERR_FORMAT;
	return hash_tuple1(p, "NJ1 devlist",
	    span_of(bytes.p, bytes.n - COMPOSITE_SIG_LEN), out);
}

/*
 * docs/protocol.md, Devices: a device id is never given twice: a device that
 * was not in the list one knew must have an id >= the next_id one knew.
 */
static bool
ids_follow(const struct devlist *known, const struct devlist *next)
{
	if (next->next_id < known->next_id)
		return false;
	for (uint8_t i = 0; i < next->n; i++) {
		uint32_t id = next->entries[i].device;

		if (id < known->next_id && devlist_find(known, id) == NULL)
			return false;
	}
	return true;
}

enum err
devlist_follow_renewed(const struct devlist *known,
    const uint8_t known_hash[static SHA256_LEN], const struct devlist *next,
    const uint8_t next_hash[static SHA256_LEN])
{
	if (!ID_EQ(known->account, next->account))
		return ERR_FORBIDDEN;
	if (next->version < known->version)
		return ERR_STALE;
	if (next->version == known->version)
		return memcmp(known_hash, next_hash, SHA256_LEN) == 0 ?
		    OK : ERR_CONFLICT;
	if (next->version - known->version == 1 &&
	    memcmp(next->prev_hash, known_hash, SHA256_LEN) != 0)
		return ERR_LIST_CONFLICT;
	return ids_follow(known, next) ? OK : ERR_LIST_CONFLICT;
}

enum err
devlist_follow(const struct devlist *known,
    const uint8_t known_hash[static SHA256_LEN], const struct devlist *next,
    const uint8_t next_hash[static SHA256_LEN])
{
	if (ID_EQ(known->account, next->account) &&
	    memcmp(known->aik, next->aik, sizeof(known->aik)) != 0)
		return ERR_IDENTITY_CHANGED;
	return devlist_follow_renewed(known, known_hash, next, next_hash);
}

enum err
devlist_succeeds(const struct devlist *known, const uint8_t *known_hash,
    const struct devlist *next, const uint8_t next_hash[static SHA256_LEN])
{
	if (known == NULL)
		return next->version == 1 ? OK : ERR_LIST_CONFLICT;
	if (next->version <= known->version ||
	    next->version - known->version != 1)
		return ERR_LIST_CONFLICT;
	return devlist_follow(known, known_hash, next, next_hash);
}

enum devlist_age
devlist_age(const struct devlist *l, uint64_t now_ms)
{
	if (now_ms < l->expires_ms)
		return DEVLIST_FRESH;
	return now_ms - l->expires_ms < DEVLIST_GRACE_MS ?
	    DEVLIST_EXPIRED : DEVLIST_DEAD;
}

const struct devlist_entry *
devlist_find(const struct devlist *l, uint32_t device)
{
	for (uint8_t i = 0; i < l->n; i++)
		if (l->entries[i].device == device)
			return &l->entries[i];
	return NULL;
}

enum err
devlist_check_cert(const struct provider *p, const struct devlist *l,
    struct span cert_bytes, const struct cert *c)
{
	const struct devlist_entry *e;
	uint8_t hash[SHA256_LEN], aik_hash[SHA256_LEN];

	if (!ID_EQ(c->account, l->account))
		return ERR_FORBIDDEN;
	TRY(cert_hash(p, cert_bytes, hash));
	TRY(cert_aik_hash(p, l->aik, aik_hash));
	e = devlist_find(l, c->device);
	if (e == NULL || memcmp(e->cert_hash, hash, sizeof(hash)) != 0 ||
	    e->flags != c->flags ||
	    memcmp(aik_hash, c->aik_hash, sizeof(aik_hash)) != 0)
		return ERR_UNTRUSTED;
	return OK;
}
