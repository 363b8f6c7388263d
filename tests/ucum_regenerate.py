#!/usr/bin/env python3
"""Makes defs/ucum/units.tsv again from UCUM's own table and compares the bytes.

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
    source = os.path.join(os.environ.get('CARNET_SHARED', ''), 'suites', 'ucum.tar.xz')
    if not os.environ.get('CARNET_SHARED') or not os.path.exists(source):
        print('skipped: CARNET_SHARED does not hold suites/ucum.tar.xz')
        return 77
    with tempfile.TemporaryDirectory() as out:
        made = os.path.join(out, 'units.tsv')
        subprocess.run([sys.executable, os.path.join(ROOT, 'tools', 'gen_ucum.py'), source, made],
                       check=True)
        same = read(made) == read(os.path.join(ROOT, 'defs', 'ucum', 'units.tsv'))
    print('the table is the same' if same else 'defs/ucum/units.tsv is not what its source gives')
    return 0 if same else 1


if __name__ == '__main__':
    sys.exit(main())
