#!/usr/bin/env python3
"""Holds the table of bounds in docs/LIMITS.md against the sources. Usage: check_limits.py ROOT"""
import os
import re
import sys


def constants(root):
    found = {}
    for folder, _, files in os.walk(os.path.join(root, 'src')):
        for name in files:
            if name.endswith(('.c', '.h')):
                text = open(os.path.join(folder, name), encoding='utf-8').read()
                for m in re.finditer(r'^#define (\w+) +(.+?)\s*(?:/\*.*)?$', text, re.M):
                    found.setdefault(m.group(1), m.group(2).strip())
    return found


def main():
    root = sys.argv[1]
    page = open(os.path.join(root, 'docs', 'LIMITS.md'), encoding='utf-8').read()
    rows = re.findall(r'`(\w+)` = `([^`]+)`', page)
    have = constants(root)
    wrong = [f'{name} is {have.get(name, "nowhere")}, the page says {value}'
             for name, value in rows if have.get(name) != value]
    print('\n'.join(wrong + [f'{len(rows)} bounds, {len(wrong)} differences']))
    return 1 if wrong or not rows else 0


if __name__ == '__main__':
    sys.exit(main())
