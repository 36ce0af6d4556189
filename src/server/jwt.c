/*
 * jwt.c: makes and checks tokens. The signature is checked before anything
 * inside is looked at.
 * exports jwt_*
 */
#include "server/jwt.h"

#include "base/text.h"
#include "crypto/host.h"
#include "wire/json.h"

/* base64url of {"alg":"HS256","typ":"JWT"} and the dot. */
#define JWT_HEADER SPAN("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.")
#define JWT_CLAIMS_MAX 384

#define JWT_SIG_TEXT_MAX ((HOST_SIG_MAX * 4 + 2) / 3)

_Static_assert(JWT_HEADER_MAX + (JWT_CLAIMS_MAX * 4 + 2) / 3 + 1 +
    JWT_SIG_TEXT_MAX <= JWT_MAX, "a token fits");

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

/* ---- keys ---- */

bool
jwt_alg_decode(const char *name, enum jwt_alg *out)
{
	static const char *const names[] = { "HS256", "RS256", "EdDSA" };

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(name, names[i]) == 0) {
			*out = (enum jwt_alg)i;
			return true;
		}
	}
	return false;
}

static void
put_b64url(struct wr *w, const char *name, const uint8_t *p, size_t n)
{
	char text[JWT_SIG_TEXT_MAX];

	json_put_name(w, name);
	wr_u8(w, '"');
	wr_bytes(w, text, base64url_encode(span_of(p, n), text));
	wr_u8(w, '"');
}

/*
 * The members of a JWK that its thumbprint is of, in their order and without
 * space (RFC 7638 3.2, RFC 8037 2), without the braces.
 */
static enum err
jwt_put_key(const struct host_signer *key, struct wr *w)
{
	struct host_signer_public pub;

	TRY(host_signer_public(key, &pub));
	if (host_signer_kind(key) == HOST_SIGNER_RS256) {
		put_b64url(w, "e", pub.e, pub.e_n);
		wr_str(w, ",\"kty\":\"RSA\",");
		put_b64url(w, "n", pub.n, pub.n_n);
	} else {
		wr_str(w, "\"crv\":\"Ed25519\",\"kty\":\"OKP\",");
		put_b64url(w, "x", pub.x, sizeof(pub.x));
	}
	return OK;
}

static const char *
jwt_alg_name(const struct host_signer *key)
{
	return host_signer_kind(key) == HOST_SIGNER_RS256 ? "RS256" : "EdDSA";
}

enum err
jwt_public_init(struct jwt_public *p, struct host_signer *key)
{
	uint8_t jwk[JWT_MAX], sum[SHA256_LEN], json[JWT_HEADER_MAX];
	struct wr w = wr_init(jwk, sizeof(jwk));
	struct wr h = wr_init(json, sizeof(json));

	memset(p, 0, sizeof(*p));
	p->key = key;
	wr_u8(&w, '{');
	TRY(jwt_put_key(key, &w));
	wr_u8(&w, '}');
	if (!wr_ok(&w))
		return ERR_SPACE;
	TRY(host_sha256(wr_done(&w), sum));
	(void)base64url_encode(SPAN_OF(sum), p->kid);
	wr_str(&h, "{\"alg\":\"");
	wr_str(&h, jwt_alg_name(key));
	wr_str(&h, "\",\"typ\":\"JWT\",\"kid\":\"");
	wr_str(&h, p->kid);
	wr_str(&h, "\"}");
	if (!wr_ok(&h) || (h.n * 4 + 2) / 3 + 1 > sizeof(p->header))
		return ERR_SPACE;
	p->header_n = base64url_encode(wr_done(&h), p->header);
	p->header[p->header_n++] = '.';
	return OK;
}

void
jwt_keys_fini(struct jwt_keys *keys)
{
	host_signer_close(keys->own.key);
	for (size_t i = 0; i < keys->old_n; i++)
		host_signer_close(keys->old[i].key);
	wipe(keys, sizeof(*keys));
}

static enum err
jwt_set_one(const struct jwt_public *p, struct wr *w, size_t *n)
{
	if (p->key == NULL)
		return OK;
	wr_str(w, (*n)++ > 0 ? ",{" : "{");
	TRY(jwt_put_key(p->key, w));
	wr_str(w, ",\"use\":\"sig\",\"alg\":\"");
	wr_str(w, jwt_alg_name(p->key));
	wr_str(w, "\",\"kid\":\"");
	wr_str(w, p->kid);
	wr_str(w, "\"}");
	return OK;
}

enum err
jwt_set(const struct jwt_keys *keys, struct wr *w)
{
	size_t n = 0;

	wr_str(w, "{\"keys\":[");
	TRY(jwt_set_one(&keys->own, w, &n));
	for (size_t i = 0; i < keys->old_n; i++)
		TRY(jwt_set_one(&keys->old[i], w, &n));
	wr_str(w, "]}");
	return OK;
}

/* ---- making ---- */

static enum err
jwt_sign(const struct jwt_keys *keys, struct span text,
    uint8_t sig[static HOST_SIG_MAX], size_t *n_out)
{
	if (keys->alg != JWT_HS256)
		return host_signer_sign(keys->own.key, text, sig, n_out);
	*n_out = SHA256_LEN;
	return host_hmac_sha256(SPAN_OF(keys->secret.b), text, sig);
}

enum err
jwt_encode(const struct jwt_keys *keys, const struct jwt *t, struct wr *w)
{
	uint8_t claims[JWT_CLAIMS_MAX], sig[HOST_SIG_MAX];
	char text[JWT_MAX], part[JWT_MAX];
	struct wr c = wr_init(claims, sizeof(claims));
	struct wr body = wr_init(text, sizeof(text));
	size_t n;

	jwt_claims(t, &c);
	if (!wr_ok(&c))
		return ERR_SPACE;
	wr_span(&body, keys->alg == JWT_HS256 ? JWT_HEADER :
	    span_of(keys->own.header, keys->own.header_n));
	wr_bytes(&body, part, base64url_encode(wr_done(&c), part));
	TRY(jwt_sign(keys, wr_done(&body), sig, &n));
	wr_u8(&body, '.');
	wr_bytes(&body, part, base64url_encode(span_of(sig, n), part));
	if (!wr_ok(&body))
		return ERR_SPACE;
	wr_span(w, wr_done(&body));
	return OK;
}

/* ---- checking ---- */

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

/*
 * Which key's header stands at the front: its length; 0: none of ours.
 * *key_out NULL: the secret.
 */
static size_t
jwt_header(const struct jwt_keys *keys, struct span text,
    const struct host_signer **key_out)
{
	*key_out = NULL;
	if (keys->alg == JWT_HS256 && span_starts(text, JWT_HEADER))
		return JWT_HEADER.n;
	for (size_t i = 0; i <= keys->old_n; i++) {
		const struct jwt_public *p = i == 0 ? &keys->own :
		    &keys->old[i - 1];

		if (p->key != NULL && span_starts(text,
		    span_of(p->header, p->header_n))) {
			*key_out = p->key;
			return p->header_n;
		}
	}
	return 0;
}

static enum err
jwt_verify(const struct jwt_keys *keys, const struct host_signer *key,
    struct span text, struct span sig)
{
	uint8_t mac[SHA256_LEN];

	if (key != NULL)
		return host_signer_verify(key, text, sig) == OK ? OK :
		    ERR_INVALID_TOKEN;
	TRY(host_hmac_sha256(SPAN_OF(keys->secret.b), text, mac));
	return sig.n == sizeof(mac) && ct_eq(mac, sig.p, sizeof(mac)) ? OK :
	    ERR_INVALID_TOKEN;
}

enum err
jwt_decode(const struct jwt_keys *keys, struct span text, enum jwt_type type,
    uint64_t now_s, struct jwt *out)
{
	uint8_t sig[JWT_MAX], claims[JWT_MAX];
	const struct host_signer *key;
	size_t head, n, dot;
	struct jwt t;

	memset(out, 0, sizeof(*out));
	if (text.n > JWT_MAX)
		return ERR_INVALID_TOKEN;
	head = jwt_header(keys, text, &key);
	struct span rest = span_sub(text, head, text.n);
	dot = span_find(rest, '.');
	if (head == 0 || dot == rest.n ||
	    !base64url_decode(span_sub(rest, dot + 1, rest.n), sig, &n))
		return ERR_INVALID_TOKEN;
	TRY(jwt_verify(keys, key, span_sub(text, 0, head + dot),
	    span_of(sig, n)));
	memset(&t, 0, sizeof(t));
	if (!base64url_decode(span_sub(rest, 0, dot), claims, &n) ||
	    !jwt_read(span_of(claims, n), &t))
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
