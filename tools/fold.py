#!/usr/bin/env python3
"""Writes src/client/fold.def: what search makes of letters (see fold.h).

For each character of the scripts below that does not stand for itself: case
folded, compatibility forms taken apart (NFKD), marks dropped, and letters with
a stroke or a ligature that Unicode does not take apart replaced by the plain
ones. Run by hand when the tables of Unicode change:

    python3 tools/fold.py > src/client/fold.def
"""
import unicodedata as u

SCRIPTS = ('LATIN', 'GREEK', 'CYRILLIC', 'ARMENIAN', 'COMBINING', 'FULLWIDTH',
           'MODIFIER LETTER', 'HEBREW POINT', 'HEBREW ACCENT', 'ARABIC FATHA',
           'ARABIC DAMMA', 'ARABIC KASRA', 'ARABIC SHADDA', 'ARABIC SUKUN',
           'ARABIC LETTER', 'DEVANAGARI SIGN NUKTA', 'KELVIN', 'ANGSTROM',
           'OHM', 'SUPERSCRIPT', 'SUBSCRIPT', 'ROMAN NUMERAL',
           'SMALL ROMAN NUMERAL', 'VARIATION SELECTOR', 'SOFT HYPHEN',
           'ZERO WIDTH', 'WORD JOINER')
PLAIN = {'ø': 'o', 'đ': 'd', 'ħ': 'h', 'ı': 'i', 'ł': 'l', 'ŧ': 't',
         'æ': 'ae', 'œ': 'oe', 'ð': 'd', 'þ': 'th', 'ŋ': 'n', 'ɨ': 'i',
         'ƀ': 'b', 'ɓ': 'b', 'ɖ': 'd', 'ɗ': 'd', 'ǥ': 'g', 'ɠ': 'g',
         'ƙ': 'k', 'ƚ': 'l', 'ɲ': 'n', 'ƥ': 'p', 'ƭ': 't', 'ʋ': 'v',
         'ƴ': 'y', 'ƶ': 'z', 'ə': 'e', 'ĸ': 'k', 'ґ': 'г'}


def fold(c):
    text = c
    for _ in range(4):
        new = u.normalize('NFKD', text).casefold()
        new = ''.join(PLAIN.get(x, x) for x in new
                      if u.category(x) not in ('Mn', 'Me', 'Cf'))
        if new == text:
            break
        text = new
    return text


def main():
    print('/*')
    print(' * fold.def: written by tools/fold.py from Unicode %s.' %
          u.unidata_version)
    print(' *   FOLD(character, how many, and which: at most three)')
    print(' */')
    for code in range(0x41, 0x10000):
        c = chr(code)
        name = u.name(c, '')
        if code < 0xa0:
            if 'A' <= c <= 'Z':
                print('FOLD(0x%04x, 1, 0x%04x, 0, 0)' % (code, code + 32))
            continue
        if not name.startswith(SCRIPTS):
            continue
        to = fold(c)
        if to == c or len(to) > 3 or any(ord(x) > 0xffff for x in to):
            continue
        codes = [ord(x) for x in to] + [0] * (3 - len(to))
        print('FOLD(0x%04x, %d, %s)' %
              (code, len(to), ', '.join('0x%04x' % x if x else '0'
                                        for x in codes)))


main()
