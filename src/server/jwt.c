/*
 * jwt.c: makes and checks tokens. The signature is checked before anything
 * inside is looked at.
 */
#include "server/jwt.h"

#include "base/text.h"
#include "crypto/host.h"
#include "wire/json.h"

/* base64url of {"alg":"HS256","typ":"JWT"} and the dot. */
#define JWT_HEADER SPAN("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.")
#define JWT_CLAIMS_MAX 384
#define JWT_SIG_TEXT 43		/* base64url of 32 bytes */

_Static_assert(37 + (JWT_CLAIMS_MAX * 4 + 2) / 3 + 1 + JWT_SIG_TEXT <= JWT_MAX,
    "a token fits");

static const char *const type_names[] = { "access", "refresh" };

static void
jwt_claims(const struct jwt *t, struct wr *w)
{
	wr_u8(w, '{');
	json_put_name(w, "userId");
	json_put_id(w, t->user.b);
	wr_u8(w, ',');
	if (t->type == JWT_ACCESS) {	/* the long-lived one has no name */
		json_put_name(w, "username");
		json_put_str(w, span_of(t->username, t->username_n));
		wr_u8(w, ',');
	}
	json_put_name(w, "sid");
	json_put_id(w, t->session.b);
	wr_u8(w, ',');
	json_put_name(w, "jti");
	json_put_id(w, t->id.b);
	wr_u8(w, ',');
	json_put_name(w, "type");
	json_put_str(w, span_str(type_names[t->type]));
	wr_u8(w, ',');
	json_put_name(w, "iat");
	json_put_u64(w, t->issued_s);
	wr_u8(w, ',');
	json_put_name(w, "exp");
	json_put_u64(w, t->expires_s);
	wr_u8(w, '}');
}

enum err
jwt_encode(const struct jwt_key *key, const struct jwt *t, struct wr *w)
{
	uint8_t claims[JWT_CLAIMS_MAX], mac[SHA256_LEN];
	char text[JWT_MAX];
	struct wr c = wr_init(claims, sizeof(claims));
	struct wr body = wr_init(text, sizeof(text));
	char part[JWT_MAX];

	jwt_claims(t, &c);
	if (!wr_ok(&c))
		return ERR_SPACE;
	wr_span(&body, JWT_HEADER);
	wr_bytes(&body, part, base64url_encode(wr_done(&c), part));
	TRY(host_hmac_sha256(SPAN_OF(key->b), wr_done(&body), mac));
	wr_u8(&body, '.');
	wr_bytes(&body, part, base64url_encode(SPAN_OF(mac), part));
	if (!wr_ok(&body))
		return ERR_SPACE;
	wr_span(w, wr_done(&body));
	return OK;
}

#define JWT_USERNAME_SEEN 32u

static bool
jwt_claim(struct json *j, struct span name, struct jwt *t, unsigned *seen)
{
	struct span s;

	if (span_eq(name, SPAN("iat")) || span_eq(name, SPAN("exp"))) {
		bool is_exp = name.p[0] == 'e';

		*seen |= is_exp ? 1u : 2u;
		return json_u64(j, JSON_U53_MAX,
		    is_exp ? &t->expires_s : &t->issued_s);
	}
	if (!json_string(j, NULL, &s))
		return false;
	if (span_eq(name, SPAN("userId"))) {
		*seen |= 4;
		return id_decode(s, t->user.b);
	}
	if (span_eq(name, SPAN("sid"))) {
		*seen |= 8;
		return id_decode(s, t->session.b);
	}
	if (span_eq(name, SPAN("jti"))) {
		*seen |= 16;
		return id_decode(s, t->id.b);
	}
	if (span_eq(name, SPAN("username"))) {
		*seen |= JWT_USERNAME_SEEN;
		if (s.n > sizeof(t->username))
			return false;
		memcpy(t->username, s.p, s.n);
		t->username_n = (uint8_t)s.n;
		return true;
	}
	*seen |= 64;
	t->type = span_eq(s, SPAN("access")) ? JWT_ACCESS : JWT_REFRESH;
	return span_eq(name, SPAN("type")) &&
	    span_eq(s, span_str(type_names[t->type]));
}

/* All claims of its type, once each; no others exist. */
static bool
jwt_read(struct span claims, struct jwt *t)
{
	struct json j = json_init(claims);
	struct span name;
	unsigned seen = 0, n = 0;

	if (!json_object(&j))
		return false;
	while (json_member(&j, NULL, &name)) {
		if (!jwt_claim(&j, name, t, &seen))
			return false;
		n++;
	}
	if (json_end(&j) != OK)
		return false;
	return t->type == JWT_ACCESS ? seen == 127 && n == 7 :
	    seen == (127 & ~JWT_USERNAME_SEEN) && n == 6;
}

enum err
jwt_decode(const struct jwt_key *key, struct span text, enum jwt_type type,
    uint64_t now_s, struct jwt *out)
{
	uint8_t mac[SHA256_LEN], theirs[JWT_SIG_TEXT], claims[JWT_MAX];
	size_t n;
	struct jwt t;

	memset(out, 0, sizeof(*out));
	if (text.n > JWT_MAX || !span_starts(text, JWT_HEADER) ||
	    text.n < JWT_HEADER.n + JWT_SIG_TEXT + 2)
		return ERR_INVALID_TOKEN;
	struct span signed_part = span_sub(text, 0, text.n - JWT_SIG_TEXT - 1);
	struct span sig = span_sub(text, signed_part.n, text.n);
	if (sig.p[0] != '.' || !base64url_decode(span_sub(sig, 1, sig.n),
	    theirs, &n) || n != SHA256_LEN)
		return ERR_INVALID_TOKEN;
	TRY(host_hmac_sha256(SPAN_OF(key->b), signed_part, mac));
	if (!ct_eq(mac, theirs, sizeof(mac)))
		return ERR_INVALID_TOKEN;
	memset(&t, 0, sizeof(t));
	if (!base64url_decode(span_sub(signed_part, JWT_HEADER.n, text.n),
	    claims, &n) || !jwt_read(span_of(claims, n), &t))
		return ERR_INVALID_TOKEN;
	if (t.type != type)
		return ERR_INVALID_TOKEN;
	if (t.expires_s <= now_s)
		return ERR_TOKEN_EXPIRED;
	*out = t;
	return OK;
}

enum err
jwt_hash(struct span text, uint8_t out[static JWT_HASH_LEN])
{
	return host_sha256(text, out);
}
