/*
 * qr.h: QR codes (ISO/IEC 18004) drawn with characters, for the telephone that
 * reads them off the screen.
 */
#ifndef CLI_QR_H
#define CLI_QR_H

#include "base/bytes.h"

/*
 * qr_put(text, signs, color, out):
 * Adds lines, each with its end, of a code of level M with its quiet zone.
 *   text   in  at most 300 bytes
 *   signs  in  half blocks (UTF-8); else two characters for each module
 *   color  in  black on white by SGR; else light modules are drawn, as suits
 *              a dark terminal, and readers take the inverse as well
 * ERR_TOO_LARGE. ERR_NOMEM.
 */
MUST_USE enum err qr_put(const char *text, bool signs, bool color,
    struct buf *out);

#endif
