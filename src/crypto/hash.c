/*
 * hash.c: the tuple hash. Lengths are hashed from a small array on the stack;
 * the parts themselves are not copied.
 */
#include "crypto/hash.h"

#define LABEL_MAX 255

enum err
hash_tuple(const struct provider *p, const char *label,
    const struct span *parts, size_t n_parts, uint8_t out[static SHA256_LEN])
{
	struct span all[2 + 2 * HASH_PARTS_MAX];
	uint8_t lengths[HASH_PARTS_MAX][4];
	struct span name = span_str(label);
	uint8_t name_n = (uint8_t)name.n;
	enum err e = ERR_ARG;
	size_t i, n = 0;

	if (name.n > LABEL_MAX || n_parts > HASH_PARTS_MAX)
		goto out;
	all[n++] = span_of(&name_n, 1);
	all[n++] = name;
	for (i = 0; i < n_parts; i++) {
		struct wr w = wr_init(lengths[i], sizeof(lengths[i]));

		if (parts[i].n > UINT32_MAX)
			goto out;
		wr_u32(&w, (uint32_t)parts[i].n);
		all[n++] = wr_done(&w);
		all[n++] = parts[i];
	}
	e = p->sha256(p->ctx, all, n, out);
out:
	if (e != OK)
		memset(out, 0, SHA256_LEN);
	return e;
}

enum err
hash_tuple1(const struct provider *p, const char *label, struct span part,
    uint8_t out[static SHA256_LEN])
{
	return hash_tuple(p, label, &part, 1, out);
}

enum err
hash_tuple2(const struct provider *p, const char *label, struct span a,
    struct span b, uint8_t out[static SHA256_LEN])
{
	struct span parts[2] = { a, b };

	return hash_tuple(p, label, parts, 2, out);
}

enum err
hash_sha256(const struct provider *p, struct span in,
    uint8_t out[static SHA256_LEN])
{
	return p->sha256(p->ctx, &in, 1, out);
}

enum err
hash_sha512(const struct provider *p, struct span in,
    uint8_t out[static SHA512_LEN])
{
	return p->sha512(p->ctx, &in, 1, out);
}
