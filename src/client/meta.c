/*
 * meta.c: codec of the meta record. A version octet, then one layout; version
 * 1 had no alarm_ms, version 2 no list_cmd, version 3 no stale_ms. A profile of
 * any other version is refused and not guessed at.
 */
#include "client/meta.h"

#define META_VERSION 4
#define META_VERSION_FIRST 1

enum err
meta_decode(struct span bytes, struct meta *m)
{
	struct rd r = rd_init(bytes);
	uint8_t version = rd_u8(&r);
	bool known;

	*m = (struct meta){ .flags = rd_u32(&r) };
	rd_bytes(&r, m->user.b, ID_LEN);
	m->device = rd_u32(&r);
	rd_bytes(&r, m->session.b, ID_LEN);
	rd_bytes(&r, m->bound.b, ID_LEN);
	m->generation = rd_u64(&r);
	m->journal = rd_u64(&r);
	m->out = rd_u64(&r);
	m->cursor = rd_u64(&r);
	m->stream = rd_u64(&r);
	m->applied = rd_u64(&r);
	m->token_lease_ms = rd_u64(&r);
	m->signed_ms = rd_u64(&r);
	m->published_ms = rd_u64(&r);
	m->batch_ms = rd_u64(&r);
	m->batch = rd_u32(&r);
	m->pruned_ms = rd_u64(&r);
	m->signed_up_ms = rd_u64(&r);
	m->out_n = rd_u32(&r);
	m->inbox_n = rd_u32(&r);
	m->over_cmd = rd_u64(&r);
	if (version != META_VERSION_FIRST)
		m->alarm_ms = rd_u64(&r);
	if (version > META_VERSION_FIRST + 1)
		m->list_cmd = rd_u64(&r);
	if (version > META_VERSION_FIRST + 2)
		m->stale_ms = rd_u64(&r);
	m->name = rd_vec16(&r);
	m->access = rd_vec16(&r);
	m->refresh = rd_vec16(&r);
	m->password = rd_vec16(&r);
	known = version >= META_VERSION_FIRST && version <= META_VERSION;
	if (rd_done(&r) && known)
		return OK;
	*m = (struct meta){ .flags = 0 };
	return known ? ERR_FORMAT : ERR_VERSION;
}

enum err
meta_encode(const struct meta *m, struct wr *w)
{
	wr_u8(w, META_VERSION);
	wr_u32(w, m->flags);
	wr_bytes(w, m->user.b, ID_LEN);
	wr_u32(w, m->device);
	wr_bytes(w, m->session.b, ID_LEN);
	wr_bytes(w, m->bound.b, ID_LEN);
	wr_u64(w, m->generation);
	wr_u64(w, m->journal);
	wr_u64(w, m->out);
	wr_u64(w, m->cursor);
	wr_u64(w, m->stream);
	wr_u64(w, m->applied);
	wr_u64(w, m->token_lease_ms);
	wr_u64(w, m->signed_ms);
	wr_u64(w, m->published_ms);
	wr_u64(w, m->batch_ms);
	wr_u32(w, m->batch);
	wr_u64(w, m->pruned_ms);
	wr_u64(w, m->signed_up_ms);
	wr_u32(w, m->out_n);
	wr_u32(w, m->inbox_n);
	wr_u64(w, m->over_cmd);
	wr_u64(w, m->alarm_ms);
	wr_u64(w, m->list_cmd);
	wr_u64(w, m->stale_ms);
	wr_vec16(w, m->name);
	wr_vec16(w, m->access);
	wr_vec16(w, m->refresh);
	wr_vec16(w, m->password);
	return wr_ok(w) ? OK : ERR_SPACE;
}
