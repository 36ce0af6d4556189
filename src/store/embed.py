#!/usr/bin/env python3
"""embed.py OUT.c FILE.sql...: the schema files as a table of C strings."""
import os
import sys


def array(text):
    """Bytes, not a literal: C17 promises only 4095 characters of one."""
    lines = [x.split('--')[0].rstrip() for x in text.splitlines()]
    data = ('\n'.join(x for x in lines if x) + '\n\0').encode('utf-8')
    rows = [data[i:i + 18] for i in range(0, len(data), 18)]
    return ',\n'.join('\t' + ','.join(str(b) for b in r) for r in rows)


def main():
    texts, rows = [], []
    # By name, and what is for all engines before what one alone has.
    for i, path in enumerate(sorted(sys.argv[2:], key=lambda x: (
            os.path.basename(x).split('.')[0], os.path.basename(x).count('.'),
            x))):
        name = os.path.basename(path)[:-len('.sql')]
        stem, _, driver = name.partition('.')
        with open(path, encoding='utf-8') as f:
            texts.append('static const char sql_%d[] = {\n%s\n};\n'
                         % (i, array(f.read())))
        rows.append('\t{ "%s", "%s", sql_%d },' % (stem, driver, i))
    with open(sys.argv[1], 'w', encoding='utf-8') as f:
        f.write('/* Made by embed.py from schema/; not to be edited. */\n'
                '#include "store/migrate.h"\n\n%s\n'
                'const struct migrate_file migrate_files[] = {\n%s\n'
                '\t{ NULL, NULL, NULL },\n};\n'
                % ('\n'.join(texts), '\n'.join(rows)))


main()
