#!/usr/bin/env python3
"""Runs a real client library against a node: run.py CARNET CACHE-FOLDER

Skips, saying so, where there is no Node.js of at least NODE_MIN, or where npm cannot fetch the
library. What npm fetches stays in the cache folder, never in the source tree.
"""
import fcntl
import filecmp
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'lib'))
import node as nodes  # noqa: E402

NODE_MIN = 18
FETCH_SECONDS = 90
TEST_SECONDS = 120
TESTS = ('client.test.mjs', 'graphql.test.mjs')
FILES = ('package.json', 'package-lock.json', *TESTS)


def skip(why):
    print('skipped: ' + why)
    raise SystemExit(nodes.SKIPPED)


def need_node():
    if not shutil.which('node') or not shutil.which('npm'):
        skip('there is no node or no npm')
    said = subprocess.run(['node', '--version'], stdout=subprocess.PIPE, text=True).stdout
    if int(re.match(r'v(\d+)', said).group(1)) < NODE_MIN:
        skip(f'node is {said.strip()}, older than v{NODE_MIN}')


def install(cache):
    """npm ci, unless what is there was made from the same lock."""
    with open(os.path.join(HERE, 'package-lock.json'), 'rb') as f:
        lock = f.read()
    mark = os.path.join(cache, 'installed')
    if os.path.exists(mark) and open(mark, 'rb').read() == lock:
        return
    try:
        done = subprocess.run(
            ['npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--fetch-retries=1'],
            cwd=cache, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, timeout=FETCH_SECONDS)
    except subprocess.TimeoutExpired:
        skip(f'npm did not fetch the library in {FETCH_SECONDS} s')
    if done.returncode != 0:
        print(done.stdout[-1500:])
        if re.search(r'EUSAGE|EINTEGRITY|EJSONPARSE', done.stdout):
            print('0 passed, 1 failed')
            raise SystemExit(1)
        skip('npm could not fetch the library')
    with open(mark, 'wb') as f:
        f.write(lock)


def prepare(cache, tests=()):
    """The test files and the library in the cache folder, which several tests share at a time."""
    os.makedirs(cache, exist_ok=True)
    with open(os.path.join(cache, 'lock'), 'w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for name in (*FILES, *tests):
            here, there = os.path.join(HERE, name), os.path.join(cache, name)
            if not os.path.exists(there) or not filecmp.cmp(here, there, shallow=False):
                shutil.copy(here, there)
        install(cache)


def run_tests(node, cache, tests=TESTS, more=None, seconds=TEST_SECONDS):
    env = dict(os.environ, CARNET_URL=f'http://127.0.0.1:{node.port}/fhir', **(more or {}))
    for name in ('http_proxy', 'https_proxy', 'HTTP_PROXY', 'HTTPS_PROXY'):
        env.pop(name, None)
    done = subprocess.run(['node', '--test', *tests], cwd=cache, env=env,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=seconds)
    passed, failed = (int(m.group(1)) if m else 0 for m in (
        re.search(rf'^\S+ {word} (\d+)', done.stdout, re.M) for word in ('pass', 'fail')))
    if failed or done.returncode or not passed:
        print(done.stdout[-8000:])
        failed = max(failed, 1)
    return passed, failed


def main():
    cache = os.path.join(os.path.abspath(sys.argv[2]), 'e2e-client')
    need_node()
    prepare(cache)
    with nodes.Folder(sys.argv[1]) as folder, nodes.Node(folder) as node:
        passed, failed = run_tests(node, cache)
    print(f'{passed} passed, {failed} failed')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
