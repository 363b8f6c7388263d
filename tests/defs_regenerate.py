#!/usr/bin/env python3
"""Generates the tables of defs/ again from the official definitions and compares the bytes.

Skips (exit 77) where the environment variable CARNET_SHARED does not name the official files.
"""
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def read(path):
    with open(path, 'rb') as f:
        return f.read()


def main():
    source = os.path.join(os.environ.get('CARNET_SHARED', ''), 'r4-definitions')
    if not os.environ.get('CARNET_SHARED') or not os.path.isdir(source):
        print('skipped: CARNET_SHARED does not hold the official definitions')
        return 77
    defs = os.path.join(ROOT, 'defs')
    with tempfile.TemporaryDirectory() as out:
        subprocess.run([sys.executable, os.path.join(ROOT, 'tools', 'gen_defs.py'), source, defs,
                        out], check=True)
        made = sorted(os.listdir(out))
        kept = sorted(n for n in os.listdir(defs) if n.endswith('.tsv'))
        differ = [n for n in made if n not in kept or read(os.path.join(out, n)) !=
                  read(os.path.join(defs, n))]
        differ += [n for n in kept if n not in made]
    print('differ: ' + ', '.join(differ) if differ else '%d tables are the same' % len(made))
    return 1 if differ else 0


if __name__ == '__main__':
    sys.exit(main())
