/*
 * clean.c: see clean.h. The lists are of what must not reach a terminal
 * (Unicode 15: Bidi_Control, Default_Ignorable_Code_Point but for the joiners
 * and variation selectors that emoji and scripts need, noncharacters).
 */
#include "cli/clean.h"

#include <wchar.h>

#include "base/text.h"

#define REPLACEMENT 0xfffdu
#define NEWLINE_SIGN 0x2424u

struct range {
	uint32_t from, to;
};

/* Sorted. Shown as U+FFFD. */
static const struct range bad[] = {
	{ 0x00ad, 0x00ad },	/* soft hyphen */
	{ 0x034f, 0x034f },	/* combining grapheme joiner */
	{ 0x061c, 0x061c },	/* Arabic letter mark (bidi) */
	{ 0x115f, 0x1160 },	/* Hangul fillers */
	{ 0x17b4, 0x17b5 },
	{ 0x180b, 0x180f },
	{ 0x200b, 0x200b },	/* zero width space */
	{ 0x200e, 0x200f },	/* left-to-right mark, right-to-left mark */
	{ 0x2028, 0x202e },	/* line, paragraph separator; bidi controls */
	{ 0x2060, 0x206f },	/* invisible operators, bidi isolates */
	{ 0x3164, 0x3164 },	/* Hangul filler */
	{ 0xd800, 0xf8ff },	/* surrogates, private use */
	{ 0xfdd0, 0xfdef },	/* noncharacters */
	{ 0xfeff, 0xfeff },	/* byte order mark */
	{ 0xffa0, 0xffa0 },
	{ 0xfff0, 0xfffb },	/* interlinear annotation */
	{ 0x1bca0, 0x1bca3 },	/* shorthand format controls */
	{ 0x1d173, 0x1d17a },	/* musical format controls */
	{ 0xe0000, 0xe00ff },	/* tags */
	{ 0xe01f0, 0x10ffff },	/* more ignorables, private use */
};

static bool
is_bad(uint32_t code)
{
	if ((code & 0xfffe) == 0xfffe)	/* the last two of every plane */
		return true;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (code >= bad[i].from && code <= bad[i].to)
			return true;
	return false;
}

uint32_t
clean_code(uint32_t code)
{
	if (code == '\t')
		return ' ';
	if (code < 0x20)
		return 0x2400 + code;	/* control pictures */
	if (code == 0x7f)
		return 0x2421;
	if (code >= 0x80 && code <= 0x9f)	/* C1: CSI is one of them */
		return REPLACEMENT;
	return is_bad(code) ? REPLACEMENT : code;
}

unsigned
clean_width(uint32_t code)
{
	int w = wcwidth((wchar_t)code);
	/* Not known to this libc: terminals give it one column. */
	return w < 0 ? 1 : w > 2 ? 2 : (unsigned)w;
}

size_t
clean_columns(struct span s)
{
	size_t cols = 0;
	while (s.n > 0) {
		uint32_t code;
		size_t n = utf8_next(s, &code);
		cols += clean_width(code);
		s = span_sub(s, n, s.n - n);
	}
	return cols;
}

static enum err
put_code(struct buf *out, uint32_t code)
{
	uint8_t b[4];
	size_t n = utf8_put(code, b);
	return buf_add(out, b, n);
}

static enum err
put_break(struct buf *out, size_t indent)
{
	TRY(buf_add(out, "\n", 1));
	for (size_t i = 0; i < indent; i++)
		TRY(buf_add(out, " ", 1));
	return OK;
}

enum err
clean_text(struct span in, size_t indent, size_t col, size_t cols,
    struct buf *out)
{
	size_t at = col, marks = 0;
	if (cols != 0 && indent + 2 > cols)
		indent = 0;	/* a very narrow terminal */
	while (in.n > 0) {
		uint32_t code;
		size_t n = utf8_next(in, &code);
		in = span_sub(in, n, in.n - n);
		if (code == '\r' && in.n > 0 && in.p[0] == '\n')
			continue;
		if (code == '\n') {
			TRY(put_break(out, indent));
			at = indent;
			marks = 0;
			continue;
		}
		code = clean_code(code);
		unsigned w = clean_width(code);
		/* Piled up marks would run over other people's lines. */
		marks = w == 0 ? marks + 1 : 0;
		if (marks > CLEAN_MARKS_MAX)
			continue;
		if (cols != 0 && at + w > cols) {
			TRY(put_break(out, indent));
			at = indent;
		}
		TRY(put_code(out, code));
		at += w;
	}
	return OK;
}

enum err
clean_line(struct span in, struct buf *out)
{
	size_t marks = 0;
	while (in.n > 0) {
		uint32_t code;
		size_t n = utf8_next(in, &code);
		in = span_sub(in, n, in.n - n);
		code = code == '\n' ? NEWLINE_SIGN : clean_code(code);
		marks = clean_width(code) == 0 ? marks + 1 : 0;
		if (marks <= CLEAN_MARKS_MAX)
			TRY(put_code(out, code));
	}
	return OK;
}
