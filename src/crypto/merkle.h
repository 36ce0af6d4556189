/*
 * merkle.h: the tree over the leaves of a prekey batch (docs/protocol.md,
 * "Prekey batches"): one signature over the root vouches for each leaf.
 *	leaf = SHA-256(0x00 || leaf bytes)   node = SHA-256(0x01 || left || right)
 * The number of leaves is a power of two from 4 to 128. Freestanding.
 */
#ifndef CRYPTO_MERKLE_H
#define CRYPTO_MERKLE_H

#include "crypto/provider.h"

#define MERKLE_LEAVES_MIN 4
#define MERKLE_LEAVES_MAX 128
#define MERKLE_DEPTH_MAX 7		/* log2 of MERKLE_LEAVES_MAX */

struct merkle_hash { uint8_t b[SHA256_LEN]; };

/* Hashes of a path for n leaves: 2..7; 0 when n is no allowed number. */
size_t merkle_depth(size_t n_leaves);

MUST_USE enum err merkle_leaf(const struct provider *p, struct span leaf,
    struct merkle_hash *out);
MUST_USE enum err merkle_node(const struct provider *p,
    const struct merkle_hash *left, const struct merkle_hash *right,
    struct merkle_hash *out);

/* The root over n leaf hashes. ERR_ARG: n is not allowed. */
MUST_USE enum err merkle_root(const struct provider *p,
    const struct merkle_hash *leaves, size_t n, struct merkle_hash *root_out);

/*
 * merkle_path(p, leaves, n, index, path_out):
 * The siblings on the way from leaf `index` to the root, lowest first.
 *   path_out  out  merkle_depth(n) hashes
 * ERR_ARG: n is not allowed, or index >= n.
 */
MUST_USE enum err merkle_path(const struct provider *p,
    const struct merkle_hash *leaves, size_t n, size_t index,
    struct merkle_hash path_out[static MERKLE_DEPTH_MAX]);

/*
 * merkle_verify(p, leaf, index, n, path, root):
 *   leaf  in  the leaf's bytes (not its hash)
 *   path  in  merkle_depth(n) * 32 bytes, lowest sibling first
 * ERR_FORMAT: n, index or the path's length is not allowed.
 * ERR_AUTH: the path does not lead to the root.
 */
MUST_USE enum err merkle_verify(const struct provider *p, struct span leaf,
    size_t index, size_t n, struct span path,
    const uint8_t root[static SHA256_LEN]);

#endif
