#!/usr/bin/env python3
"""FHIRPath beside the npm package fhirpath: fhirpath.py PATH_BENCH SHARED [SECONDS [ROUNDS]]

Both engines get the same expressions (../fhirpath/cases.tsv) and resources (the official R4
examples), compiled and parsed before their clocks start, in turn. npm fetches the package into
build/fhirpath-peer. Prints a line a case; bench/run makes its row of compare().
"""
import gzip
import json
import math
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
CASES = os.path.join(os.path.dirname(HERE), 'fhirpath')
PEER = os.path.join(ROOT, 'build', 'fhirpath-peer')
EXAMPLES = os.path.join('r4-examples', 'r4-examples.ndjson.gz')


class Case:
    def __init__(self, name, text, resource):
        self.name, self.text = name, text
        self.line = f'{{"expression":{json.dumps(text)},"resource":{resource}}}'
        self.ours, self.peer = [], []           # nanoseconds, a figure a round
        self.items = self.peer_items = None


def is_possible(shared):
    return bool(shutil.which('node') and shutil.which('npm') and
                os.path.exists(os.path.join(shared, EXAMPLES)))


def cases(shared):
    with open(os.path.join(CASES, 'cases.tsv'), encoding='utf-8') as f:
        rows = [line.rstrip('\n').split('\t') for line in f if line.strip() and line[0] != '#']
    wanted = {name for name, _ in rows}
    found = {}
    with gzip.open(os.path.join(shared, EXAMPLES), 'rt', encoding='utf-8') as f:
        for line in f:
            resource = json.loads(line)
            name = f"{resource['resourceType']}/{resource.get('id')}"
            if name in wanted:
                found[name] = line.strip()
    missing = wanted - found.keys()
    if missing:
        raise SystemExit(f'the examples lack {sorted(missing)}')
    return [Case(name, text, found[name]) for name, text in rows]


def install():
    os.makedirs(PEER, exist_ok=True)
    for name in ('package.json', 'package-lock.json', 'peer.mjs'):
        shutil.copy(os.path.join(CASES, name), PEER)
    if not os.path.isdir(os.path.join(PEER, 'node_modules', 'fhirpath')):
        subprocess.run(['npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund'], cwd=PEER,
                       check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def measure(command, line, cwd=None):
    run = subprocess.run(command, input=line + '\n', text=True, check=True, cwd=cwd,
                         stdout=subprocess.PIPE, encoding='utf-8')
    ns, items = run.stdout.split()
    return float(ns), int(items)


def compare(path_bench, shared, seconds, rounds):
    """The cases with what each took, by processor time."""
    found = cases(shared)
    install()
    for _ in range(rounds):
        for c in found:
            ns, c.items = measure([path_bench, str(seconds)], c.line)
            c.ours.append(ns)
            ns, c.peer_items = measure(['node', 'peer.mjs', str(seconds)], c.line, PEER)
            c.peer.append(ns)
    return found


def geometric(values):
    values = list(values)
    return math.exp(sum(map(math.log, values)) / len(values))


def means(found):
    """Geometric means over the cases of each round: ours, the peer's, of the ratios."""
    ours = [geometric(r) for r in zip(*(c.ours for c in found))]
    peer = [geometric(r) for r in zip(*(c.peer for c in found))]
    return ours, peer, [b / a for a, b in zip(ours, peer)]


def ratio(case):
    """By the least time of each: other processes only add to it."""
    return min(case.peer) / min(case.ours)


def main():
    path_bench, shared = sys.argv[1:3]
    seconds, rounds = (sys.argv[3:] + ['0.5', '3'][len(sys.argv) - 3:])[:2]
    found = compare(path_bench, shared, seconds, int(rounds))
    print('   ours ns    peer ns    ratio  items  expression')
    for c in found:
        note = '' if c.items == c.peer_items else f'  (the peer gives {c.peer_items})'
        print(f'{min(c.ours):10.0f} {min(c.peer):10.0f} {ratio(c):8.0f}  {c.items:5}  '
              f'{c.name}: {c.text}{note}')
    print(f'geometric mean {geometric(map(ratio, found)):.0f}, least {min(map(ratio, found)):.0f}, '
          f'{len(found)} expressions, load {os.getloadavg()[0]:.1f}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
