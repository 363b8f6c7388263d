#!/usr/bin/env python3
"""Makes C of the built portal, compressed once: portal_pack.py FOLDER FILE.c

Each file becomes a row of portal_files (src/server/portal.h). The output is only written when it is
another than before, so that nothing is compiled anew without need.
"""
import gzip
import hashlib
import os
import sys

TYPES = {
    '.html': 'text/html; charset=utf-8',
    '.js': 'text/javascript; charset=utf-8',
    '.css': 'text/css; charset=utf-8',
    '.json': 'application/json',
    '.svg': 'image/svg+xml',
    '.png': 'image/png',
    '.webmanifest': 'application/manifest+json',
}
BYTES_A_LINE = 24


def files(folder):
    """(path below the node's root, bytes, whether its name changes with its bytes)"""
    for where, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = os.path.relpath(os.path.join(where, name), folder)
            with open(os.path.join(where, name), 'rb') as f:
                data = f.read()
            url = '/' if path == 'index.html' else '/' + path.replace(os.sep, '/')
            yield url, os.path.splitext(name)[1], data, path.startswith('assets' + os.sep)


def array(i, data):
    lines = [','.join(str(b) for b in data[at:at + BYTES_A_LINE])
             for at in range(0, len(data), BYTES_A_LINE)]
    return f'static const unsigned char file_{i}[] = {{\n' + ',\n'.join(lines) + '};\n'


def main():
    folder, to = sys.argv[1:3]
    arrays, rows = [], []
    for i, (url, ending, data, is_lasting) in enumerate(files(folder)):
        if ending not in TYPES:
            raise SystemExit(f'{url}: what kind of file is this?')
        packed = gzip.compress(data, 9, mtime=0)
        etag = hashlib.sha256(data).hexdigest()[:32]
        arrays.append(array(i, packed))
        rows.append(f'    {{STR("{url}"), "{TYPES[ending]}", STR("\\"{etag}\\""), file_{i}, '
                    f'{len(packed)}, {len(data)}, {str(is_lasting).lower()}}},\n')
    if not any('STR("/")' in row for row in rows):
        raise SystemExit(f'{folder} holds no index.html')
    head = '/* Made by tools/portal_pack.py. */\n#include "server/portal.h"\n\n'
    table = 'const struct portal_file portal_files[] = {\n' + ''.join(rows) + '};\n'
    count = 'const size_t portal_n_files = ARRAY_LEN(portal_files);\n'
    text = head + ''.join(arrays) + table + count
    if os.path.exists(to) and open(to, encoding='utf-8').read() == text:
        return
    with open(to + '.new', 'w', encoding='utf-8') as f:
        f.write(text)
    os.replace(to + '.new', to)


if __name__ == '__main__':
    main()
