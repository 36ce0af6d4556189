/*
 * tlv.h: the one extensible encoding (docs/protocol.md, "Encodings"): a
 * sequence of `varint tag | varint len | value`, tags strictly increasing. An
 * unknown even tag refuses the record, an unknown odd one is skipped.
 */
#ifndef BASE_TLV_H
#define BASE_TLV_H

#include "base/bytes.h"

struct tlv {
	struct rd r;
	uint32_t last;
	bool any;
};

struct tlv tlv_init(struct span record);
/*
 * The next field. False at the end or when the record is malformed (order,
 * lengths): ask tlv_end.
 */
bool tlv_next(struct tlv *t, uint32_t *tag_out, struct span *value_out);
/* OK when the whole record was well-formed, else ERR_FORMAT. */
MUST_USE enum err tlv_end(const struct tlv *t);
/* What to do with a tag that the caller does not know. */
static inline enum err
tlv_unknown(uint32_t tag)
{
	return (tag & 1) ? OK : ERR_UNKNOWN_CRITICAL;
}

/* Tags have to be written in ascending order. */
void tlv_put(struct wr *w, uint32_t tag, struct span value);
void tlv_put_u8(struct wr *w, uint32_t tag, uint8_t v);
void tlv_put_u32(struct wr *w, uint32_t tag, uint32_t v);
void tlv_put_u64(struct wr *w, uint32_t tag, uint64_t v);
/* Value of exactly 1, 4, 8 bytes; false (out untouched) otherwise. */
bool tlv_u8(struct span value, uint8_t *out);
bool tlv_u32(struct span value, uint32_t *out);
bool tlv_u64(struct span value, uint64_t *out);

#endif
