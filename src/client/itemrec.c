/*
 * itemrec.c: codec of an entry of the history. Version 1 had no replies,
 * mentions, edits and timers.
 */
#include "client/item.h"

#define ITEMREC_VERSION 2
#define ITEMREC_VERSION_FIRST 1

/* Errors are kept by name: their numbers change from version to version. */
static enum err
itemrec_cause(struct span name)
{
	int e;

	for (e = 1; e < ERR_MAX; e++)
		if (span_eq(name, span_str(err_name((enum err)e))))
			return (enum err)e;
	return name.n == 0 ? OK : ERR_INTERNAL;
}

enum err
itemrec_encode(const struct client_item *it, struct wr *w)
{
	wr_u8(w, ITEMREC_VERSION);
	wr_u8(w, (uint8_t)it->kind);
	wr_u8(w, (uint8_t)it->state);
	wr_u32(w, it->flags);
	wr_u64(w, it->position);
	wr_bytes(w, it->event.b, ID_LEN);
	wr_bytes(w, it->message.b, ID_LEN);
	wr_bytes(w, it->sender.b, ID_LEN);
	wr_u32(w, it->device);
	wr_u64(w, it->server_ms);
	wr_u64(w, it->sender_ms);
	wr_u64(w, it->seq);
	wr_vec16(w, it->cause == OK ? (struct span){ NULL, 0 } :
	    span_str(err_name(it->cause)));
	wr_u32(w, it->gap_n);
	wr_bytes(w, it->reply_to.sender.b, ID_LEN);
	wr_bytes(w, it->reply_to.event.b, ID_LEN);
	wr_vec16(w, it->mentions);
	wr_u32(w, it->edit_number);
	wr_u64(w, it->edited_ms);
	wr_u64(w, it->edit_server_ms);
	wr_u32(w, it->edit_device);
	wr_u32(w, it->expire_s);
	wr_u64(w, it->expires_at_ms);
	wr_bytes(w, it->history, sizeof(it->history));
	wr_bytes(w, it->history_before, sizeof(it->history_before));
	wr_vec32(w, it->text);
	return wr_ok(w) ? OK : ERR_SPACE;
}

static void
itemrec_decode_rest(struct rd *r, struct client_item *it)
{
	rd_bytes(r, it->reply_to.sender.b, ID_LEN);
	rd_bytes(r, it->reply_to.event.b, ID_LEN);
	it->mentions = rd_vec16(r);
	it->edit_number = rd_u32(r);
	it->edited_ms = rd_u64(r);
	it->edit_server_ms = rd_u64(r);
	it->edit_device = rd_u32(r);
	it->expire_s = rd_u32(r);
	it->expires_at_ms = rd_u64(r);
	rd_bytes(r, it->history, sizeof(it->history));
	rd_bytes(r, it->history_before, sizeof(it->history_before));
}

enum err
itemrec_decode(const struct item_place *at, struct span value,
    struct client_item *it)
{
	struct rd r = rd_init(value);
	uint8_t version = rd_u8(&r);

	*it = (struct client_item){ .chat = at->chat, .order = at->order,
	    .sub = at->sub };
	it->kind = (enum client_item_kind)rd_u8(&r);
	it->state = (enum client_item_state)rd_u8(&r);
	it->flags = rd_u32(&r);
	it->position = rd_u64(&r);
	rd_bytes(&r, it->event.b, ID_LEN);
	rd_bytes(&r, it->message.b, ID_LEN);
	rd_bytes(&r, it->sender.b, ID_LEN);
	it->device = rd_u32(&r);
	it->server_ms = rd_u64(&r);
	it->sender_ms = rd_u64(&r);
	it->seq = rd_u64(&r);
	it->cause = itemrec_cause(rd_vec16(&r));
	it->gap_n = rd_u32(&r);
	if (version != ITEMREC_VERSION_FIRST)
		itemrec_decode_rest(&r, it);
	it->text = rd_vec32(&r);
	return version >= ITEMREC_VERSION_FIRST &&
	    version <= ITEMREC_VERSION && rd_done(&r) ? OK : ERR_FORMAT;
}
