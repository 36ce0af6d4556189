/*
 * known.c: HMAC-SHA-256 under account.key over "NJ1 known device", the user's
 * id and a random one.
 */
#include "server/known.h"

#include "base/sys.h"
#include "base/text.h"
#include "crypto/host.h"

#define MAC_LEN 32
#define RAW_LEN (ID_LEN + KNOWN_ID_LEN + MAC_LEN)

static enum err
mac_of(const uint8_t account_key[static 32], const uint8_t *ids,
    uint8_t out[static MAC_LEN])
{
	uint8_t text[64];
	struct wr w = wr_init(text, sizeof(text));

	wr_str(&w, "NJ1 known device");
	wr_span(&w, span_of(ids, ID_LEN + KNOWN_ID_LEN));
	return host_hmac_sha256(span_of(account_key, 32), wr_done(&w), out);
}

enum err
known_make(const uint8_t account_key[static 32], const struct user_id *user,
    char out[static KNOWN_LEN + 1])
{
	uint8_t raw[RAW_LEN];

	memcpy(raw, user->b, ID_LEN);
	sys_random(raw + ID_LEN, KNOWN_ID_LEN);
	TRY(mac_of(account_key, raw, raw + ID_LEN + KNOWN_ID_LEN));
	out[base64url_encode(SPAN_OF(raw), out)] = '\0';
	return OK;
}

bool
known_read(const uint8_t account_key[static 32], struct span text,
    struct user_id *user_out, uint8_t id_out[static KNOWN_ID_LEN])
{
	uint8_t raw[RAW_LEN + 2], mac[MAC_LEN];
	size_t n = 0;

	if (text.n != KNOWN_LEN || !base64url_decode(text, raw, &n) ||
	    n != RAW_LEN || mac_of(account_key, raw, mac) != OK ||
	    !ct_eq(raw + ID_LEN + KNOWN_ID_LEN, mac, MAC_LEN))
		return false;
	memcpy(user_out->b, raw, ID_LEN);
	memcpy(id_out, raw + ID_LEN, KNOWN_ID_LEN);
	return true;
}
