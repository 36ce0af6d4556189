/*
 * tlv.c: reading and writing tag-length-value records, see tlv.h.
 */
#include "base/tlv.h"

struct tlv
tlv_init(struct span record)
{
	return (struct tlv){ rd_init(record), 0, false };
}

bool
tlv_next(struct tlv *t, uint32_t *tag_out, struct span *value_out)
{
	uint32_t tag, n;
	struct span value;

	if (t->r.bad || t->r.n == 0)
		return false;
	tag = rd_varint(&t->r);
	n = rd_varint(&t->r);
	value = rd_span(&t->r, n);
	if (t->any && tag <= t->last)
		t->r.bad = true;
	if (t->r.bad)
		return false;
	t->any = true;
	t->last = tag;
	*tag_out = tag;
	*value_out = value;
	return true;
}

enum err
tlv_end(const struct tlv *t)
{
	return rd_done(&t->r) ? OK : ERR_FORMAT;
}

void
tlv_put(struct wr *w, uint32_t tag, struct span value)
{
	if (value.n >= 1U << 30) {
		w->bad = true;
		return;
	}
	wr_varint(w, tag);
	wr_varint(w, (uint32_t)value.n);
	wr_span(w, value);
}

void
tlv_put_u8(struct wr *w, uint32_t tag, uint8_t v)
{
	wr_varint(w, tag);
	wr_varint(w, 1);
	wr_u8(w, v);
}

void
tlv_put_u32(struct wr *w, uint32_t tag, uint32_t v)
{
	wr_varint(w, tag);
	wr_varint(w, 4);
	wr_u32(w, v);
}

void
tlv_put_u64(struct wr *w, uint32_t tag, uint64_t v)
{
	wr_varint(w, tag);
	wr_varint(w, 8);
	wr_u64(w, v);
}

bool
tlv_u8(struct span value, uint8_t *out)
{
	struct rd r = rd_init(value);
	uint8_t v = rd_u8(&r);

	if (!rd_done(&r))
		return false;
	*out = v;
	return true;
}

bool
tlv_u32(struct span value, uint32_t *out)
{
	struct rd r = rd_init(value);
	uint32_t v = rd_u32(&r);

	if (!rd_done(&r))
		return false;
	*out = v;
	return true;
}

bool
tlv_u64(struct span value, uint64_t *out)
{
	struct rd r = rd_init(value);
	uint64_t v = rd_u64(&r);

	if (!rd_done(&r))
		return false;
	*out = v;
	return true;
}
