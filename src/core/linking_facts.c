/*
 * linking_facts.c: the record inside Provisioning, and the state that is kept
 * between the steps; part of linking.h (exports linking_encode_facts,
 * linking_decode_facts, linking_wipe_facts, linking_encode, linking_decode).
 */
#include "core/linking.h"

#include "base/text.h"
#include "base/tlv.h"

enum { TAG_ACCOUNT = 2, TAG_AIK = 4, TAG_SECRET = 6, TAG_PLACE = 8,
	TAG_LIST = 10, TAG_POSITION = 12, TAG_AIK_PRIV = 14, TAG_ARCHIVE = 16,
	TAG_DEVICE_NAME = 17, TAG_USER_NAME = 19 };

/* All tags that must be there, as bits. */
#define NEEDED (1u << TAG_ACCOUNT | 1u << TAG_AIK | 1u << TAG_SECRET | \
	1u << TAG_PLACE | 1u << TAG_LIST | 1u << TAG_POSITION)
#define STATE_FORMAT 1

void
linking_wipe_facts(struct linking_facts *f)
{
	wipe(f, sizeof(*f));
}

static bool
name_ok(struct span name)
{
	return name.n <= LINKING_NAME_MAX && utf8_valid(name);
}

static bool
is_well_formed(const struct linking_facts *f)
{
	return f->device >= 1 && (f->flags & ~DEVICE_FLAGS) == 0 &&
	    ((f->flags & DEVICE_MANAGER) != 0) == f->has_aik_priv &&
	    f->list_version >= 1 && name_ok(f->device_name) &&
	    name_ok(f->user_name);
}

enum err
linking_encode_facts(const struct linking_facts *f, struct wr *w)
{
	uint8_t mem[ID_LEN + 32];
	struct wr t = wr_init(mem, sizeof(mem));

	if (!is_well_formed(f))
		return ERR_ARG;
	tlv_put(w, TAG_ACCOUNT, ID_SPAN(f->account));
	tlv_put(w, TAG_AIK, SPAN_OF(f->aik));
	tlv_put(w, TAG_SECRET, SPAN_OF(f->secret));
	wr_u32(&t, f->device);
	wr_u8(&t, f->flags);
	tlv_put(w, TAG_PLACE, wr_done(&t));
	t = wr_init(mem, sizeof(mem));
	wr_u64(&t, f->list_version);
	wr_bytes(&t, f->list_hash, SHA256_LEN);
	tlv_put(w, TAG_LIST, wr_done(&t));
	tlv_put_u64(w, TAG_POSITION, f->position);
	if (f->has_aik_priv)
		tlv_put(w, TAG_AIK_PRIV, SPAN_OF(f->aik_priv.b));
	if (f->has_archive) {
		t = wr_init(mem, sizeof(mem));
		wr_bytes(&t, f->archive.b, ID_LEN);
		wr_bytes(&t, f->archive_key, sizeof(f->archive_key));
		tlv_put(w, TAG_ARCHIVE, wr_done(&t));
	}
	if (f->device_name.n != 0)
		tlv_put(w, TAG_DEVICE_NAME, f->device_name);
	if (f->user_name.n != 0)
		tlv_put(w, TAG_USER_NAME, f->user_name);
	wipe(mem, sizeof(mem));
	return wr_ok(w) ? OK : ERR_SPACE;
}

static enum err
get_fact(uint32_t tag, struct span v, struct linking_facts *f)
{
	struct rd r = rd_init(v);

	switch (tag) {
	case TAG_ACCOUNT:
		rd_bytes(&r, f->account.b, ID_LEN);
		break;
	case TAG_AIK:
		rd_bytes(&r, f->aik, sizeof(f->aik));
		break;
	case TAG_SECRET:
		rd_bytes(&r, f->secret, sizeof(f->secret));
		break;
	case TAG_PLACE:
		f->device = rd_u32(&r);
		f->flags = rd_u8(&r);
		break;
	case TAG_LIST:
		f->list_version = rd_u64(&r);
		rd_bytes(&r, f->list_hash, SHA256_LEN);
		break;
	case TAG_POSITION:
		f->position = rd_u64(&r);
		break;
	case TAG_AIK_PRIV:
		f->has_aik_priv = true;
		rd_bytes(&r, f->aik_priv.b, sizeof(f->aik_priv.b));
		break;
	case TAG_ARCHIVE:
		f->has_archive = true;
		rd_bytes(&r, f->archive.b, ID_LEN);
		rd_bytes(&r, f->archive_key, sizeof(f->archive_key));
		break;
	case TAG_DEVICE_NAME:
		f->device_name = rd_rest(&r);
		return f->device_name.n == 0 ? ERR_FORMAT : OK;
	case TAG_USER_NAME:
		f->user_name = rd_rest(&r);
		return f->user_name.n == 0 ? ERR_FORMAT : OK;
	default:
		return tlv_unknown(tag);
	}
	return rd_done(&r) ? OK : ERR_FORMAT;
}

enum err
linking_decode_facts(struct span record, struct linking_facts *out)
{
	struct tlv t = tlv_init(record);
	uint32_t tag, seen = 0;
	struct span v;
	enum err e = OK;

	*out = (struct linking_facts){ .device = 0 };
	while (e == OK && tlv_next(&t, &tag, &v)) {
		e = get_fact(tag, v, out);
		seen |= tag < 32 ? 1u << tag : 0;
	}
	if (e == OK)
		e = tlv_end(&t);
	if (e == OK && ((seen & NEEDED) != NEEDED || !is_well_formed(out)))
		e = ERR_FORMAT;
	if (e != OK)
		linking_wipe_facts(out);
	return e;
}

/* u8 format | u8 step | offer | reply | keys | code: a fixed layout, in which
 * what a step does not need is zero. */
enum err
linking_encode(const struct linking *s, struct wr *w)
{
	wr_u8(w, STATE_FORMAT);
	wr_u8(w, s->step);
	wr_bytes(w, s->offer, sizeof(s->offer));
	wr_bytes(w, s->reply, sizeof(s->reply));
	wr_bytes(w, s->x25519_priv, sizeof(s->x25519_priv));
	wr_bytes(w, s->mlkem_seed, sizeof(s->mlkem_seed));
	wr_bytes(w, s->k_m, sizeof(s->k_m));
	wr_bytes(w, s->k_n, sizeof(s->k_n));
	wr_u32(w, s->code);
	return wr_ok(w) ? OK : ERR_SPACE;
}

enum err
linking_decode(struct span bytes, struct linking *out)
{
	struct rd r = rd_init(bytes);
	uint8_t format = rd_u8(&r);

	linking_wipe(out);
	if (!r.bad && format != STATE_FORMAT)
		return ERR_VERSION;
	out->step = rd_u8(&r);
	rd_bytes(&r, out->offer, sizeof(out->offer));
	rd_bytes(&r, out->reply, sizeof(out->reply));
	rd_bytes(&r, out->x25519_priv, sizeof(out->x25519_priv));
	rd_bytes(&r, out->mlkem_seed, sizeof(out->mlkem_seed));
	rd_bytes(&r, out->k_m, sizeof(out->k_m));
	rd_bytes(&r, out->k_n, sizeof(out->k_n));
	out->code = rd_u32(&r);
	if (rd_done(&r) && out->step <= LINKING_FAILED &&
	    out->code < 1000000)
		return OK;
	linking_wipe(out);
	return ERR_FORMAT;
}
