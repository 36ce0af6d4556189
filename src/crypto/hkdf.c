/*
 * hkdf.c: RFC 5869 over HMAC-SHA-256.
 */
#include "crypto/hkdf.h"

enum err
hkdf_extract(const struct provider *p, struct span salt,
    const struct span *ikm, size_t n_ikm, uint8_t prk_out[static HKDF_PRK_LEN])
{
	/* RFC 5869 2.2: no salt is HashLen zeros; HMAC pads either alike. */
	enum err e = p->hmac_sha256(p->ctx, salt, ikm, n_ikm, prk_out);

	if (e != OK)
		wipe(prk_out, HKDF_PRK_LEN);
	return e;
}

enum err
hkdf_expand(const struct provider *p, struct span prk,
    const struct span *info, size_t n_info, uint8_t *out, size_t n)
{
	struct span parts[2 + HKDF_INFO_PARTS_MAX];
	uint8_t t[SHA256_LEN], counter = 0;
	enum err e = OK;
	size_t done = 0, i;

	if (n > HKDF_OUT_MAX || n_info > HKDF_INFO_PARTS_MAX) {
		wipe(out, n);
		return ERR_ARG;
	}
	/* RFC 5869 2.3: T(i) = HMAC(PRK, T(i - 1) || info || i). */
	for (i = 0; i < n_info; i++)
		parts[1 + i] = info[i];
	parts[1 + n_info] = span_of(&counter, 1);
	parts[0] = span_of(t, 0);
	while (e == OK && done < n) {
		size_t take = n - done < sizeof(t) ? n - done : sizeof(t);

		counter++;
		e = p->hmac_sha256(p->ctx, prk, parts, n_info + 2, t);
		if (e == OK)
			memcpy(out + done, t, take);
		parts[0] = span_of(t, sizeof(t));
		done += take;
	}
	wipe(t, sizeof(t));
	if (e != OK)
		wipe(out, n);
	return e;
}

enum err
hkdf_derive(const struct provider *p, struct span salt, struct span ikm,
    struct span info, uint8_t *out, size_t n)
{
	return hkdf_derive_parts(p, salt, &ikm, 1, &info, 1, out, n);
}

enum err
hkdf_derive_parts(const struct provider *p, struct span salt,
    const struct span *ikm, size_t n_ikm, const struct span *info,
    size_t n_info, uint8_t *out, size_t n)
{
	uint8_t prk[HKDF_PRK_LEN];
	enum err e = hkdf_extract(p, salt, ikm, n_ikm, prk);

	if (e == OK)
		e = hkdf_expand(p, SPAN_OF(prk), info, n_info, out, n);
	else
		wipe(out, n);
	wipe(prk, sizeof(prk));
	return e;
}
