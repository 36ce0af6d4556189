/*
 * jwt.h: the tokens that we give out: JWT by HS256 (RFC 7515, 7519). We alone
 * make them, so exactly one header is accepted, the bytes of our own: "none"
 * and any other algorithm are refused before a claim is read (RFC 8725 3.1).
 */
#ifndef SERVER_JWT_H
#define SERVER_JWT_H

#include "server/call.h"

#define JWT_KEY_LEN 32
#define JWT_MAX 640		/* bytes of a token */
#define JWT_HASH_LEN 32

struct jwt_key { uint8_t b[JWT_KEY_LEN]; };

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

/* Writes the token; w turns bad when it has no room. ERR_PROVIDER. */
MUST_USE enum err jwt_encode(const struct jwt_key *key, const struct jwt *t,
    struct wr *w);
/*
 * Checks and reads a token of that type. *out is zeroed unless OK.
 * ERR_INVALID_TOKEN: not of our making, or of the other type.
 * ERR_TOKEN_EXPIRED: ours, but its time is over.
 */
MUST_USE enum err jwt_decode(const struct jwt_key *key, struct span text,
    enum jwt_type type, uint64_t now_s, struct jwt *out);
/* SHA-256 of a token's text: what a session row keeps of it. */
MUST_USE enum err jwt_hash(struct span text, uint8_t out[static JWT_HASH_LEN]);

#endif
