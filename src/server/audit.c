/*
 * audit.c: writes the chain. The store has one writer, so the head that a
 * transaction reads is the newest; a batch that is rolled back takes its
 * entries and their numbers with it.
 */
#include "server/audit.h"

#include "base/sys.h"
#include "base/text.h"
#include "crypto/host.h"
#include "server/frame.h"
#include "store/txn.h"

#define AUDIT_PRIVATE_MAX (2 * ID_LEN + 4 + 2 + AUDIT_DETAIL_MAX + \
	AUDIT_ADDRESS_MAX)
#define AUDIT_TEXT_MAX 128

static const char *const audit_names[AUDIT_MAX] = {
#define AUDIT(NAME, name, help) [AUDIT_##NAME] = (name),
#include "server/audit.def"
#undef AUDIT
};

const char *
audit_name(enum audit_event event)
{
	return audit_names[event];
}

enum err
audit_key_init(struct audit_key *key, const uint8_t secret[static 32])
{
	return host_hmac_sha256(span_of(secret, 32), SPAN("NJ1 audit head"),
	    key->b);
}

/* ---- what is hashed ---- */

static void
put_text(struct wr *w, struct span s)
{
	wr_u8(w, (uint8_t)s.n);
	wr_span(w, s);
}

enum err
audit_private_hash(const struct audit_entry *e, struct span salt,
    uint8_t out[static AUDIT_HASH_LEN])
{
	uint8_t text[AUDIT_PRIVATE_MAX];
	struct wr w = wr_init(text, sizeof(text));

	if (e->detail.n > AUDIT_DETAIL_MAX || e->address.n > AUDIT_ADDRESS_MAX)
		return ERR_TOO_LARGE;
	wr_span(&w, SPAN_OF(e->user.b));
	wr_u32(&w, e->device);
	wr_span(&w, SPAN_OF(e->session.b));
	put_text(&w, e->detail);
	put_text(&w, e->address);
	return wr_ok(&w) ? host_hmac_sha256(salt, wr_done(&w), out) :
	    ERR_TOO_LARGE;
}

enum err
audit_hash(uint64_t sequence, uint64_t created_at, struct span event,
    const uint8_t private_hash[static AUDIT_HASH_LEN],
    const uint8_t previous[static AUDIT_HASH_LEN],
    uint8_t out[static AUDIT_HASH_LEN])
{
	uint8_t text[AUDIT_TEXT_MAX + 2 * AUDIT_HASH_LEN];
	struct wr w = wr_init(text, sizeof(text));

	if (event.n > UINT8_MAX)
		return ERR_TOO_LARGE;
	wr_str(&w, "NJ1 audit");
	wr_u64(&w, sequence);
	wr_u64(&w, created_at);
	put_text(&w, event);
	wr_span(&w, span_of(private_hash, AUDIT_HASH_LEN));
	wr_span(&w, span_of(previous, AUDIT_HASH_LEN));
	return wr_ok(&w) ? host_sha256(wr_done(&w), out) : ERR_TOO_LARGE;
}

enum err
audit_mac(const struct audit_key *key, const struct audit_head *h,
    uint8_t out[static AUDIT_HASH_LEN])
{
	uint8_t text[AUDIT_TEXT_MAX];
	struct wr w = wr_init(text, sizeof(text));

	wr_str(&w, "NJ1 audit head");
	wr_u64(&w, h->first_sequence);
	wr_span(&w, SPAN_OF(h->first_previous));
	wr_u64(&w, h->last_sequence);
	wr_span(&w, SPAN_OF(h->last_hash));
	wr_u64(&w, h->redacted);
	return wr_ok(&w) ? host_hmac_sha256(SPAN_OF(key->b), wr_done(&w),
	    out) : ERR_INTERNAL;
}

/* ---- the head ---- */

static void
copy_hash(uint8_t out[static AUDIT_HASH_LEN], struct span in)
{
	memset(out, 0, AUDIT_HASH_LEN);
	if (in.n == AUDIT_HASH_LEN)
		memcpy(out, in.p, AUDIT_HASH_LEN);
}

enum err
audit_head_get(struct txn *t, const struct audit_key *key,
    struct audit_head *out)
{
	struct q_audit_head_get_out row;
	uint8_t mac[AUDIT_HASH_LEN];

	TRY(q_audit_head_get(t, &(struct q_audit_head_get_in){ .none = 0 },
	    &row));
	out->first_sequence = row.first_sequence;
	out->last_sequence = row.last_sequence;
	out->redacted = row.redacted;
	copy_hash(out->first_previous, row.first_previous);
	copy_hash(out->last_hash, row.last_hash);
	if (row.mac.n == 0 && out->last_sequence == 0 &&
	    out->first_sequence == 1 && out->redacted == 0)
		return OK;
	TRY(audit_mac(key, out, mac));
	return row.mac.n == sizeof(mac) && ct_eq(row.mac.p, mac,
	    sizeof(mac)) ? OK : ERR_AUTH;
}

enum err
audit_head_set(struct txn *t, const struct audit_key *key,
    const struct audit_head *h)
{
	uint8_t mac[AUDIT_HASH_LEN];

	TRY(audit_mac(key, h, mac));
	return q_audit_head_set(t, &(struct q_audit_head_set_in){
	    h->first_sequence, SPAN_OF(h->first_previous), h->last_sequence,
	    SPAN_OF(h->last_hash), h->redacted, SPAN_OF(mac) }, NULL);
}

/* ---- entries ---- */

/*
 * A head that somebody forged does not stop the server: what follows is
 * chained to it, its MAC stays wrong, and the verifier tells.
 */
static enum err
head_to_follow(struct txn *t, const struct audit_key *key,
    struct audit_head *h, bool *is_ours_out)
{
	enum err e = audit_head_get(t, key, h);

	*is_ours_out = e == OK;
	return e == ERR_AUTH ? OK : e;
}

static enum err
head_put(struct txn *t, const struct audit_key *key,
    const struct audit_head *h, bool is_ours)
{
	static const struct audit_key none;

	return audit_head_set(t, is_ours ? key : &none, h);
}

enum err
audit_append(struct txn *t, const struct audit_key *key,
    enum audit_event event, const struct audit_entry *entry, uint64_t now_ms)
{
	uint8_t salt[AUDIT_SALT_LEN], private[AUDIT_HASH_LEN];
	uint8_t hash[AUDIT_HASH_LEN];
	struct span name = span_str(audit_names[event]);
	struct audit_head h;
	bool is_ours;

	TRY(head_to_follow(t, key, &h, &is_ours));
	sys_random(salt, sizeof(salt));
	TRY(audit_private_hash(entry, SPAN_OF(salt), private));
	TRY(audit_hash(h.last_sequence + 1, now_ms, name, private,
	    h.last_hash, hash));
	struct q_audit_insert_in in = { .sequence = h.last_sequence + 1,
	    .event = name, .now = now_ms, .user = entry->user,
	    .device = entry->device, .session = entry->session,
	    .salt = SPAN_OF(salt), .private_hash = SPAN_OF(private),
	    .previous_hash = SPAN_OF(h.last_hash), .hash = SPAN_OF(hash) };
	if (entry->detail.n > 0)
		in.detail = entry->detail;
	if (entry->address.n > 0)
		in.address = entry->address;
	TRY(q_audit_insert(t, &in, NULL));
	h.last_sequence++;
	memcpy(h.last_hash, hash, sizeof(hash));
	return head_put(t, key, &h, is_ours);
}

enum err
audit_note(struct call *c, struct txn *t, enum audit_event event,
    const struct audit_entry *more)
{
	static const struct audit_entry nothing;
	struct audit_entry e = more != NULL ? *more : nothing;

	if (!utf8_valid(e.detail))
		e.detail = (struct span){ NULL, 0 };
	if (ID_IS_ZERO(e.user) && c->who.is_known) {
		e.user = c->who.user;
		if (ID_IS_ZERO(e.session))
			e.session = c->who.session;
	}
	e.address = call_address(c);
	return audit_append(t, &frame_of(c)->home->server->audit, event, &e,
	    c->now_ms);
}

/* ---- what goes ---- */

enum err
audit_redact(struct txn *t, const struct audit_key *key,
    const struct user_id *user, uint32_t max, uint64_t *n_out)
{
	struct q_audit_redact_in in = { *user, max };
	struct audit_head h;
	bool is_ours;

	TRY(head_to_follow(t, key, &h, &is_ours));
	TRY(q_audit_redact(t, &in, n_out));
	if (*n_out == 0)
		return OK;
	h.redacted += *n_out;
	return head_put(t, key, &h, is_ours);
}

enum err
audit_prune(struct txn *t, const struct audit_key *key, uint64_t before_ms,
    uint32_t max)
{
	struct q_audit_oldest_out row;
	struct cursor cu = { 0 };
	struct audit_head h;
	uint64_t n = 0;
	bool is_ours;
	enum err e;

	TRY(head_to_follow(t, key, &h, &is_ours));
	TRY(q_audit_oldest_open(t, &(struct q_audit_oldest_in){
	    h.first_sequence, max }, &cu));
	while ((e = q_audit_oldest_next(&cu, &row)) == OK) {
		/* Never over a gap, which is to stay visible. */
		if (row.created_at >= before_ms ||
		    row.sequence != h.first_sequence) {
			query_close(&cu);
			break;
		}
		h.first_sequence++;
		copy_hash(h.first_previous, row.hash);
		h.redacted -= row.salt.p == NULL && h.redacted > 0;
		n++;
	}
	if (e != OK && e != ERR_NOT_FOUND)
		return e;
	if (n == 0)
		return OK;
	TRY(q_audit_drop(t, &(struct q_audit_drop_in){ h.first_sequence },
	    NULL));
	return head_put(t, key, &h, is_ours);
}
