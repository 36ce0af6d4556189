/*
 * qr.c: QR codes by libqrencode, see qr.h.
 */
#include "cli/qr.h"

#include <qrencode.h>
#include <string.h>

#define QR_TEXT_MAX 300u
#define QUIET 4			/* modules around it (ISO/IEC 18004 6.3.8) */

static bool
is_dark(const QRcode *q, int x, int y)
{
	return x >= 0 && y >= 0 && x < q->width && y < q->width &&
	    (q->data[y * q->width + x] & 1) != 0;
}

/* Two rows in one line; what is drawn is light, or dark with colours. */
static enum err
put_half(const QRcode *q, int y, bool color, struct buf *out)
{
	static const char *const block[] = { " ", "\u2584", "\u2580",
	    "\u2588" };

	for (int x = -QUIET; x < q->width + QUIET; x++) {
		bool top = is_dark(q, x, y) == color;
		bool low = is_dark(q, x, y + 1) == color;

		TRY(buf_add_str(out, block[top * 2 + low]));
	}
	return OK;
}

static enum err
put_plain(const QRcode *q, int y, bool color, struct buf *out)
{
	for (int x = -QUIET; x < q->width + QUIET; x++)
		TRY(buf_add_str(out, is_dark(q, x, y) == color ? "##" :
		    "  "));
	return OK;
}

static enum err
put_code(const QRcode *q, bool signs, bool color, struct buf *out)
{
	for (int y = -QUIET; y < q->width + QUIET; y += signs ? 2 : 1) {
		if (color)		/* ECMA-48 8.3.117: black on white */
			TRY(buf_add_str(out, "\033[0;30;107m"));
		TRY(signs ? put_half(q, y, color, out) :
		    put_plain(q, y, color, out));
		TRY(buf_add_str(out, color ? "\033[0m\n" : "\n"));
	}
	return OK;
}

enum err
qr_put(const char *text, bool signs, bool color, struct buf *out)
{
	if (strlen(text) > QR_TEXT_MAX)
		return ERR_TOO_LARGE;
	QRcode *q = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M);
	if (q == NULL)
		return ERR_NOMEM;
	enum err e = put_code(q, signs, color, out);
	QRcode_free(q);
	return e;
}
