/*
 * merkle.c: roots and paths, computed level by level in an array on the stack
 * (at most 128 hashes, 4 KiB).
 */
#include "crypto/merkle.h"

size_t
merkle_depth(size_t n_leaves)
{
	size_t depth;

	for (depth = 2; depth <= MERKLE_DEPTH_MAX; depth++)
		if (n_leaves == (size_t)1 << depth)
			return depth;
	return 0;
}

enum err
merkle_leaf(const struct provider *p, struct span leaf, struct merkle_hash *out)
{
	static const uint8_t tag = 0x00;
	struct span parts[2] = { { &tag, 1 }, leaf };

	return p->sha256(p->ctx, parts, 2, out->b);
}

enum err
merkle_node(const struct provider *p, const struct merkle_hash *left,
    const struct merkle_hash *right, struct merkle_hash *out)
{
	static const uint8_t tag = 0x01;
	struct span parts[3] = {
		{ &tag, 1 }, SPAN_OF(left->b), SPAN_OF(right->b)
	};

	return p->sha256(p->ctx, parts, 3, out->b);
}

/* The level above: n hashes become n / 2, in place. */
static enum err
fold(const struct provider *p, struct merkle_hash *level, size_t n)
{
	struct merkle_hash h;
	size_t i;

	for (i = 0; i < n / 2; i++) {
		TRY(merkle_node(p, &level[2 * i], &level[2 * i + 1], &h));
		level[i] = h;
	}
	return OK;
}

enum err
merkle_root(const struct provider *p, const struct merkle_hash *leaves,
    size_t n, struct merkle_hash *root_out)
{
	struct merkle_hash level[MERKLE_LEAVES_MAX];

	if (merkle_depth(n) == 0)
		return ERR_ARG;
	memcpy(level, leaves, n * sizeof(*level));
	for (; n > 1; n /= 2)
		TRY(fold(p, level, n));
	*root_out = level[0];
	return OK;
}

enum err
merkle_path(const struct provider *p, const struct merkle_hash *leaves,
    size_t n, size_t index, struct merkle_hash path_out[static MERKLE_DEPTH_MAX])
{
	struct merkle_hash level[MERKLE_LEAVES_MAX];
	size_t i = 0;

	if (merkle_depth(n) == 0 || index >= n)
		return ERR_ARG;
	memcpy(level, leaves, n * sizeof(*level));
	for (; n > 1; n /= 2, index /= 2) {
		path_out[i++] = level[index ^ 1];
		TRY(fold(p, level, n));
	}
	return OK;
}

enum err
merkle_verify(const struct provider *p, struct span leaf, size_t index,
    size_t n, struct span path, const uint8_t root[static SHA256_LEN])
{
	size_t depth = merkle_depth(n);
	struct merkle_hash at, sibling, up;
	struct rd r = rd_init(path);

	if (depth == 0 || index >= n || path.n != depth * SHA256_LEN)
		return ERR_FORMAT;
	TRY(merkle_leaf(p, leaf, &at));
	for (; depth > 0; depth--, index /= 2) {
		rd_bytes(&r, sibling.b, sizeof(sibling.b));
		if (index & 1)
			TRY(merkle_node(p, &sibling, &at, &up));
		else
			TRY(merkle_node(p, &at, &sibling, &up));
		at = up;
	}
	return ct_eq(at.b, root, SHA256_LEN) ? OK : ERR_AUTH;
}
