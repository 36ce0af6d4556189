/*
 * jwt.h: the tokens that we give out: JWT (RFC 7515, 7519) by HS256, or by
 * RS256 or EdDSA where others check them. We alone make them, so exactly one
 * header is accepted for each key, the bytes of our own: "none", any other
 * algorithm and any other key are refused before a claim is read (RFC 8725
 * 3.1). A key names its algorithm; a token cannot.
 */
#ifndef SERVER_JWT_H
#define SERVER_JWT_H

#include "server/call.h"

struct host_signer;

#define JWT_KEY_LEN 32
#define JWT_MAX 1408		/* bytes of a token */
#define JWT_HASH_LEN 32
#define JWT_KID_LEN 43		/* base64url of a thumbprint, RFC 7638 */
#define JWT_HEADER_MAX 160
#define JWT_OLD_MAX 8

struct jwt_key { uint8_t b[JWT_KEY_LEN]; };

enum jwt_alg { JWT_HS256, JWT_RS256, JWT_EDDSA };

/* A key pair, or a public key of former tokens. */
struct jwt_public {
	struct host_signer *key;
	char kid[JWT_KID_LEN + 1];
	char header[JWT_HEADER_MAX];	/* of its tokens, with the dot */
	size_t header_n;
};

/*
 * All keys. With HS256 tokens are signed and checked by `secret`, else by
 * `own`; what `old` has signed is taken, too, until it expires. All zero but
 * the secret: HS256 alone.
 */
struct jwt_keys {
	struct jwt_key secret;		/* also of CSRF tokens */
	enum jwt_alg alg;
	struct jwt_public own, old[JWT_OLD_MAX];
	size_t old_n;
};

enum jwt_type { JWT_ACCESS, JWT_REFRESH };

struct jwt {
	struct user_id user;		/* userId */
	struct session_id session;	/* sid */
	struct any_id id;		/* jti */
	uint64_t issued_s, expires_s;	/* iat, exp */
	enum jwt_type type;
	uint8_t username_n;		/* 0 in a refresh token: not in it */
	char username[USERNAME_MAX];
};

/* "HS256", "RS256", "EdDSA"; false: none of them. */
bool jwt_alg_decode(const char *name, enum jwt_alg *out);
/*
 * Takes over a key, which is closed by jwt_keys_fini: its id (RFC 7638) and
 * the header of its tokens. ERR_PROVIDER.
 */
MUST_USE enum err jwt_public_init(struct jwt_public *p,
    struct host_signer *key);
/* Closes and wipes all of it; a zeroed one is fine. */
void jwt_keys_fini(struct jwt_keys *keys);

/* Writes the token; w turns bad when it has no room. ERR_PROVIDER. */
MUST_USE enum err jwt_encode(const struct jwt_keys *keys, const struct jwt *t,
    struct wr *w);
/*
 * Checks and reads a token of that type. *out is zeroed unless OK.
 * ERR_INVALID_TOKEN: not of our making, or of the other type.
 * ERR_TOKEN_EXPIRED: ours, but its time is over.
 */
MUST_USE enum err jwt_decode(const struct jwt_keys *keys, struct span text,
    enum jwt_type type, uint64_t now_s, struct jwt *out);
/* SHA-256 of a token's text: what a session row keeps of it. */
MUST_USE enum err jwt_hash(struct span text, uint8_t out[static JWT_HASH_LEN]);

/*
 * The public keys as a JWK Set (RFC 7517 5, RFC 8037 2): those that tokens of
 * today are checked by; none with HS256 and nothing old. At most
 * JWT_SET_MAX bytes. ERR_PROVIDER.
 */
#define JWT_SET_MAX 8192
MUST_USE enum err jwt_set(const struct jwt_keys *keys, struct wr *w);

#endif
