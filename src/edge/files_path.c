/*
 * files_path.c: from a URL's path to a name below the root. Pure.
 * exports edge_files_*
 */
#include "edge/files_private.h"

#define NAME_BYTES 255		/* of one name, as the kernel has it */

static bool
is_name(struct span s)
{
	if (s.n == 0 || s.n > NAME_BYTES || s.p[0] == '.')
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < 0x20 || s.p[i] == 0x7f || s.p[i] == '\\')
			return false;
	return true;
}

bool
edge_files_path(struct span raw, char out[static FILES_PATH_MAX + 1],
    size_t *n_out)
{
	uint8_t path[3 * FILES_PATH_MAX];
	struct span left;
	size_t n, slash;

	/* Decoded once, and only then divided, so that no coding of a slash
	 * or a dot hides a name from is_name; a NUL and what is not UTF-8,
	 * overlong forms among it, are refused. */
	if (raw.n > sizeof path || !http_decode_path(raw, path, &n) ||
	    n > FILES_PATH_MAX)
		return false;
	left = span_of(path, n);
	do {
		slash = span_find(left, '/');
		if (!is_name(span_sub(left, 0, slash)))
			return false;
		/* A slash at the end: an empty name behind it. */
		if (slash + 1 == left.n)
			return false;
		left = span_sub(left, slash + 1, left.n);
	} while (left.n > 0);
	memcpy(out, path, n);
	out[n] = '\0';
	*n_out = n;
	return true;
}

bool
edge_files_has_suffix(struct span path)
{
	while (path.n > 0 && path.p[path.n - 1] != '/') {
		if (path.p[path.n - 1] == '.')
			return true;
		path.n--;
	}
	return false;
}
