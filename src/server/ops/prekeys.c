/*
 * prekeys.c: the signed batches of one-time keys that devices leave here, and
 * giving them out: each one-time pair once, so many of a device and no more,
 * beyond that the last-resort key (docs/protocol.md, "Prekey batches").
 */
#include "crypto/openssl.h"
#include "pub/devlist.h"
#include "pub/prekey_batch.h"
#include "server/conf.h"
#include "server/deliver.h"
#include "server/ops.h"
#include "store/txn.h"

/* The owner hears of it when fewer are left. */
#define LEFT_LOW 16
/* Leaves that are no one-time pairs: signed prekey, last-resort key. */
#define LEAF_INDEX_SPK 0
#define LEAF_INDEX_LRK 1
#define LEAVES_FIXED 2

/* ---- PUT /api/devices/:id/prekeys ---- */

struct upload {
	struct q_device_get_out device;
	uint32_t newest;	/* batch that is there; 0: none */
	struct batch batch;
	struct merkle_hash *paths;	/* leaves * depth */
	size_t depth;
};

enum err
prekeys_put_check(struct call *c)
{
	const struct prekeys_put_req *in = c->req;

	c->state = ARENA_NEW(&c->arena, struct upload);
	if (c->state == NULL)
		return ERR_TOO_LARGE;
	return in->id == c->who.device ? OK : call_fail(c, ERR_FORBIDDEN,
	    "This session speaks for another device");
}

static enum err
find_newest(struct txn *t, const struct user_id *user, uint32_t device,
    uint32_t *out)
{
	struct q_prekey_batch_get_out row;
	enum err e = q_prekey_batch_get(t, &(struct q_prekey_batch_get_in){
	    *user, device }, &row);

	*out = e == OK ? row.batch : 0;
	return e == ERR_NOT_FOUND ? OK : e;
}

enum err
prekeys_put_read(struct call *c, struct txn *t)
{
	const struct prekeys_put_req *in = c->req;
	struct upload *s = c->state;

	TRY(q_device_get(t, &(struct q_device_get_in){ c->who.user, in->id },
	    &s->device));
	return find_newest(t, &c->who.user, in->id, &s->newest);
}

/* The way from each leaf to the root, to be given out with it. */
static enum err
make_paths(struct call *c, const struct provider *p, struct upload *s)
{
	const struct prekeys_put_req *in = c->req;
	struct merkle_hash hashes[MERKLE_LEAVES_MAX];
	struct merkle_hash path[MERKLE_DEPTH_MAX];

	s->depth = merkle_depth(in->leaves.n);
	s->paths = arena_alloc(&c->arena,
	    in->leaves.n * s->depth * sizeof(*s->paths));
	if (s->paths == NULL)
		return ERR_TOO_LARGE;
	for (size_t i = 0; i < in->leaves.n; i++)
		TRY(merkle_leaf(p, in->leaves.p[i], &hashes[i]));
	for (size_t i = 0; i < in->leaves.n; i++) {
		TRY(merkle_path(p, hashes, in->leaves.n, i, path));
		memcpy(s->paths + i * s->depth, path,
		    s->depth * sizeof(*path));
	}
	return OK;
}

static enum err
check_batch(struct call *c, const struct provider *p, struct upload *s)
{
	const struct prekeys_put_req *in = c->req;
	struct cert *cert = ARENA_NEW(&c->arena, struct cert);
	enum err e;

	if (cert == NULL)
		return ERR_TOO_LARGE;
	if (cert_decode(s->device.cert, cert) != OK ||
	    s->device.cert_hash.n != SHA256_LEN)
		return ERR_STORE;
	e = batch_verify(p, in->header, cert, s->device.cert_hash.p,
	    &s->batch);
	if (e == ERR_UNTRUSTED)
		return call_invalid(c, "header",
		    "must name the device's present certificate");
	TRY(e);
	if (s->batch.expires_ms <= c->now_ms)
		return call_invalid(c, "header", "must not be expired");
	if (s->batch.leaves_n != in->leaves.n)
		return call_invalid(c, "leaves",
		    "must be as many as the header says");
	TRY(batch_check_leaves(p, &s->batch, in->leaves.p, in->leaves.n));
	/* The same one again is an upload whose answer was lost. */
	if (s->batch.id < s->newest)
		return call_fail(c, ERR_CONFLICT,
		    "The number of a batch must be above the last one");
	return make_paths(c, p, s);
}

enum err
prekeys_put_work(struct call *c)
{
	struct provider p;
	enum err e;

	TRY(openssl_provider_open(&p));
	e = check_batch(c, &p, c->state);
	openssl_provider_close(&p);
	return e;
}

/* The batch is there already: OK when it is this very one. */
static enum err
put_again(struct call *c, struct txn *t)
{
	const struct prekeys_put_req *in = c->req;
	struct prekeys_put_rep *out = c->rep;
	struct q_prekey_batch_get_out row;
	struct q_prekey_left_out left;

	TRY(q_prekey_batch_get(t, &(struct q_prekey_batch_get_in){
	    c->who.user, in->id }, &row));
	if (!span_eq(row.header, in->header))
		return call_fail(c, ERR_CONFLICT,
		    "Another batch has this number");
	TRY(q_prekey_left(t, &(struct q_prekey_left_in){ c->who.user, in->id,
	    row.batch }, &left));
	out->left = left.left;
	return OK;
}

enum err
prekeys_put_write(struct call *c, struct txn *t)
{
	const struct prekeys_put_req *in = c->req;
	struct prekeys_put_rep *out = c->rep;
	const struct upload *s = c->state;
	struct q_device_get_out d;
	uint32_t newest;

	/* The device or its batch may have changed in between. */
	TRY(q_device_get(t, &(struct q_device_get_in){ c->who.user, in->id },
	    &d));
	TRY(find_newest(t, &c->who.user, in->id, &newest));
	if (!span_eq(d.cert_hash, s->device.cert_hash) ||
	    s->batch.id < newest)
		return ERR_CONFLICT;
	if (s->batch.id == newest)
		return put_again(c, t);
	TRY(q_prekey_batch_insert(t, &(struct q_prekey_batch_insert_in){
	    c->who.user, in->id, s->batch.id, in->header,
	    s->batch.expires_ms, c->now_ms }, NULL));
	for (size_t i = 0; i < in->leaves.n; i++)
		TRY(q_prekey_leaf_insert(t, &(struct q_prekey_leaf_insert_in){
		    c->who.user, in->id, s->batch.id, (uint32_t)i,
		    in->leaves.p[i], span_of(s->paths + i * s->depth,
		    s->depth * sizeof(*s->paths)) }, NULL));
	TRY(q_prekey_batch_prune(t, &(struct q_prekey_batch_prune_in){
	    c->who.user, in->id, s->batch.id }, NULL));
	out->left = (uint32_t)in->leaves.n - LEAVES_FIXED;
	return OK;
}

/* ---- GET /api/devices/:id/prekeys/count ---- */

enum err
prekeys_count_read(struct call *c, struct txn *t)
{
	const struct prekeys_count_req *in = c->req;
	struct prekeys_count_rep *out = c->rep;
	struct q_device_get_out d;
	struct q_prekey_left_out left;
	uint32_t batch;

	TRY(q_device_get(t, &(struct q_device_get_in){ c->who.user, in->id },
	    &d));
	TRY(find_newest(t, &c->who.user, in->id, &batch));
	TRY(q_prekey_left(t, &(struct q_prekey_left_in){ c->who.user, in->id,
	    batch }, &left));
	out->left = left.left;
	return OK;
}

/* ---- POST /api/users/:id/prekey-bundles ---- */

/* Devices that are running out of one-time pairs. */
struct giving {
	struct keys_low_ev low[DEVLIST_DEVICES_MAX];
	size_t low_n;
};

enum err
prekeys_bundles_check(struct call *c)
{
	c->state = ARENA_NEW(&c->arena, struct giving);
	return c->state != NULL ? OK : ERR_TOO_LARGE;
}

/* Has this caller, or everybody, had enough of the device's pairs? */
static enum err
may_give(struct call *c, struct txn *t, const struct user_id *owner,
    uint32_t device, bool *out)
{
	struct rate pair = c->conf->limits_prekeys_pair;
	struct rate all = c->conf->limits_prekeys_device;
	struct q_prekey_grants_pair_out by_pair = { 0 };
	struct q_prekey_grants_device_out by_all = { 0 };

	if (pair.burst != 0)
		TRY(q_prekey_grants_pair(t, &(struct q_prekey_grants_pair_in){
		    *owner, device, c->who.user,
		    c->now_ms - pair.period_ms }, &by_pair));
	if (all.burst != 0)
		TRY(q_prekey_grants_device(t,
		    &(struct q_prekey_grants_device_in){ *owner, device,
		    c->now_ms - all.period_ms }, &by_all));
	*out = (pair.burst == 0 || by_pair.count < pair.burst) &&
	    (all.burst == 0 || by_all.count < all.burst);
	return OK;
}

static enum err
note_grant(struct call *c, struct txn *t, const struct user_id *owner,
    uint32_t device)
{
	uint64_t pair = c->conf->limits_prekeys_pair.period_ms;
	uint64_t all = c->conf->limits_prekeys_device.period_ms;

	TRY(q_prekey_grants_prune(t, &(struct q_prekey_grants_prune_in){
	    *owner, device, c->now_ms - (pair > all ? pair : all) }, NULL));
	return q_prekey_grant_insert(t, &(struct q_prekey_grant_insert_in){
	    *owner, device, c->who.user, c->now_ms }, NULL);
}

static enum err
fixed_leaf(struct txn *t, const struct user_id *owner, uint32_t device,
    uint32_t batch, uint32_t index, struct leaf_rec *out)
{
	struct q_prekey_leaf_get_out row;

	TRY(q_prekey_leaf_get(t, &(struct q_prekey_leaf_get_in){ *owner,
	    device, batch, index }, &row));
	*out = (struct leaf_rec){ index, row.leaf, row.path };
	return OK;
}

/* A one-time pair, or ERR_NOT_FOUND: none may be given or is left. */
static enum err
claim(struct call *c, struct txn *t, const struct user_id *owner,
    uint32_t device, uint32_t batch, struct leaf_rec *out)
{
	struct giving *s = c->state;
	struct q_prekey_claim_out row;
	struct q_prekey_left_out left;
	bool may;

	TRY(may_give(c, t, owner, device, &may));
	if (!may)
		return ERR_NOT_FOUND;
	TRY(q_prekey_claim(t, &(struct q_prekey_claim_in){ *owner, device,
	    batch, c->now_ms }, &row));
	TRY(note_grant(c, t, owner, device));
	TRY(q_prekey_left(t, &(struct q_prekey_left_in){ *owner, device,
	    batch }, &left));
	if (left.left < LEFT_LOW && s->low_n < DEVLIST_DEVICES_MAX)
		s->low[s->low_n++] = (struct keys_low_ev){ device, left.left };
	*out = (struct leaf_rec){ row.index, row.leaf, row.path };
	return OK;
}

static bool
is_wanted(const struct call *c, uint32_t device)
{
	const struct prekey_bundles_req *in = c->req;

	if (ID_EQ(in->id, c->who.user) && device == c->who.device)
		return false;
	for (size_t i = 0; i < in->device_ids.n; i++)
		if (in->device_ids.p[i] == device)
			return true;
	return !in->has_device_ids;
}

/* ERR_NOT_FOUND: the device has no batch that is still good. */
static enum err
make_bundle(struct call *c, struct txn *t,
    const struct q_device_list_all_out *d, struct bundle_rec *out)
{
	const struct prekey_bundles_req *in = c->req;
	struct q_prekey_batch_get_out batch;
	enum err e;

	TRY(q_prekey_batch_get(t, &(struct q_prekey_batch_get_in){ in->id,
	    d->device }, &batch));
	if (batch.expires_at <= c->now_ms)
		return ERR_NOT_FOUND;
	*out = (struct bundle_rec){ .device_id = d->device, .cert = d->cert,
	    .has_cert = true, .header = batch.header };
	for (size_t i = 0; i < in->known.n; i++)
		if (span_eq(in->known.p[i], d->cert_hash))
			out->has_cert = false;
	out->leaves.p = arena_alloc(&c->arena, 2 * sizeof(*out->leaves.p));
	if (out->leaves.p == NULL)
		return ERR_TOO_LARGE;
	out->leaves.n = 2;
	TRY(fixed_leaf(t, &in->id, d->device, batch.batch, LEAF_INDEX_SPK,
	    &out->leaves.p[0]));
	e = claim(c, t, &in->id, d->device, batch.batch, &out->leaves.p[1]);
	if (e == ERR_NOT_FOUND)
		e = fixed_leaf(t, &in->id, d->device, batch.batch,
		    LEAF_INDEX_LRK, &out->leaves.p[1]);
	return e;
}

enum err
prekeys_bundles_write(struct call *c, struct txn *t)
{
	const struct prekey_bundles_req *in = c->req;
	struct prekey_bundles_rep *out = c->rep;
	struct giving *s = c->state;
	struct q_device_list_all_out devices[DEVLIST_DEVICES_MAX];
	struct q_devlist_get_out list;
	struct cursor cu;
	size_t n = 0;
	enum err e;

	s->low_n = 0;
	TRY(q_devlist_get(t, &(struct q_devlist_get_in){ in->id }, &list));
	out->list = list.list;
	out->bundles.p = arena_alloc(&c->arena,
	    DEVLIST_DEVICES_MAX * sizeof(*out->bundles.p));
	if (out->bundles.p == NULL)
		return ERR_TOO_LARGE;
	TRY(q_device_list_all_open(t, &(struct q_device_list_all_in){
	    in->id }, &cu));
	while (n < DEVLIST_DEVICES_MAX &&
	    (e = q_device_list_all_next(&cu, &devices[n])) == OK)
		n++;
	if (n == DEVLIST_DEVICES_MAX)
		e = ERR_NOT_FOUND;
	query_close(&cu);
	if (e != ERR_NOT_FOUND)
		return e;
	for (size_t i = 0; i < n; i++) {
		if (!is_wanted(c, devices[i].device))
			continue;
		e = make_bundle(c, t, &devices[i],
		    &out->bundles.p[out->bundles.n]);
		if (e == OK)
			out->bundles.n++;
		else if (e != ERR_NOT_FOUND)
			return e;
	}
	return OK;
}

void
prekeys_bundles_emit(struct call *c)
{
	const struct prekey_bundles_req *in = c->req;
	const struct giving *s = c->state;

	for (size_t i = 0; i < s->low_n; i++) {
		struct deliver_event out = deliver_event("keys:low",
		    &shape_keys_low_ev, &s->low[i]);

		deliver_device(c, &in->id, s->low[i].device_id, &out, 0);
		deliver_end(&out);
	}
}
