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
		if (s.p[i] < 0x20 || s.p[i] == 0x7f || s.p[i] == '/' ||
		    s.p[i] == '\\')
			return false;
	return true;
}

bool
edge_files_path(struct span raw, char out[static FILES_PATH_MAX + 1],
    size_t *n_out)
{
	struct wr w = wr_init(out, FILES_PATH_MAX);

	for (;;) {
		size_t slash = span_find(raw, '/'), n;
		struct span part = span_sub(raw, 0, slash);
		uint8_t name[3 * NAME_BYTES];

		/* Decoding is of one name, so that a coded slash divides
		 * nothing; it is done once and refuses a NUL and what is not
		 * UTF-8, overlong forms among it. */
		if (part.n > sizeof name ||
		    !http_decode_path(part, name, &n) ||
		    !is_name(span_of(name, n)))
			return false;
		wr_bytes(&w, name, n);
		if (slash == raw.n)
			break;
		wr_u8(&w, '/');
		raw = span_sub(raw, slash + 1, raw.n);
	}
	if (!wr_ok(&w))
		return false;
	out[w.n] = '\0';
	*n_out = w.n;
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
