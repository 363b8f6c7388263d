#!/usr/bin/env python3
"""The synthetic records import whole: synthetic.py CARNET

Every bundle of the two Synthea sets, providers first, goes in without a reject; `carnet check`
finds no problem; the export holds as many resources of each type as the bundles had entries
(less those that a conditional create found already there).
"""
import collections
import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import node as nodes  # noqa: E402

# Each set has a node of its own: both know the same hospitals, and the first makes several of one
# identifier, which the conditional references of the second would find ambiguous.
SETS = [
    ['synthetic/synthea2019-hospitals-practitioners.ndjson.gz',
     'synthetic/synthea2019-a-200.ndjson.gz'],
    ['synthetic/synthea2021-hiv-providers-batch.ndjson.gz',
     'synthetic/synthea2021-hiv-a-20.ndjson.gz'],
]


def expected(path, found_before):
    """Entries by type; a conditional create counts once for its condition."""
    counts = collections.Counter()
    for line in nodes.lines_of(path):
        for entry in json.loads(line)['entry']:
            condition = entry['request'].get('ifNoneExist')
            kind = entry['resource']['resourceType']
            if condition is not None:
                if (kind, condition) in found_before:
                    continue
                found_before.add((kind, condition))
            counts[kind] += 1
    return counts


def exported(folder):
    out = os.path.join(folder.path, 'out.ndjson')
    folder.run('export', '--out', out)
    counts = collections.Counter()
    with open(out, encoding='utf-8') as f:
        for line in f:
            counts[re.search(r'"resourceType" *: *"(\w+)"', line).group(1)] += 1
    return counts


def import_one(folder, score, path):
    name, rejects = os.path.basename(path), os.path.join(folder.path, 'rejects')
    try:
        said = folder.run('import', '--rejects', rejects, path)
        n = os.path.getsize(rejects) if os.path.exists(rejects) else 0
        score.check(n == 0, f'{name}: rejects: {said[-600:]}')
    except RuntimeError as e:
        score.check(False, f'{name}: {str(e)[-900:]}')


def import_set(carnet, score, paths):
    want, found_before = collections.Counter(), set()
    with nodes.Folder(carnet) as folder:
        before = exported(folder)
        for path in paths:
            want += expected(path, found_before)
            import_one(folder, score, path)
        try:
            said = folder.run('check').strip()
            score.check(said.endswith(' 0 problems'), said[-900:])
        except RuntimeError as e:
            said = 'check fails'
            score.check(False, str(e)[-900:])
        got = exported(folder) - before
    for kind in sorted(set(want) | set(got)):
        score.check(want[kind] == got[kind],
                    f'{kind}: {got[kind]} exported, {want[kind]} entries')
    print(f'{sum(want.values())} entries, {sum(got.values())} resources exported; {said}')


def main():
    score = nodes.Score()
    for files in [nodes.shared(*names) for names in SETS]:
        import_set(sys.argv[1], score, files)
    return score.end()


if __name__ == '__main__':
    sys.exit(main())
