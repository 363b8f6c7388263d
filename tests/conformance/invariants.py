#!/usr/bin/env python3
"""R4's own invariants on R4's own examples: invariants.py PATH_LINES DEFS

Each of defs/constraints.tsv compiles and evaluates without an error wherever it applies, and holds;
where the examples do not satisfy one, invariants_broken.tsv says which and why.
"""
import gzip
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
SKIPPED = 77


def rows(path):
    with open(path, encoding='utf-8') as f:
        return [line.rstrip('\n').split('\t') for line in f if line.strip() and line[0] != '#']


def places(defs):
    """Where each invariant applies: [(path of the element, key, severity, expression)]."""
    texts = {(r[0], r[1]): (r[2], r[3]) for r in rows(os.path.join(defs, 'constraints.tsv'))}
    found = []
    for row in rows(os.path.join(defs, 'elements.tsv')):
        for key in (row[8] if len(row) > 8 else '').split(','):
            kind = row[0].split('.')[0]
            if (kind, key) in texts:
                found.append((row[0], key, *texts[kind, key]))
    missing = set(texts) - {(p.split('.')[0], k) for p, k, _, _ in found}
    assert not missing, f'no element has {missing}'
    return found


def resource_types(defs):
    return {r[0] for r in rows(os.path.join(defs, 'types.tsv')) if 'resource' in r[1:]}


def context(path, kind, resources):
    """An expression that leads from a resource to an element; None where there is no way."""
    head, _, rest = path.partition('.')
    if head in ('Resource', 'DomainResource') or head == kind:
        start = '$this'
    elif head in resources:
        return None
    elif head == 'Element':
        start = 'descendants().where($this is Element)'
    else:
        start = f'descendants().where($this is {head})'
    return start + (f'.{rest}' if rest else '')


def main():
    lines, defs = sys.argv[1:]
    path = os.path.join(os.environ.get('CARNET_SHARED', ''), 'r4-examples',
                        'r4-examples.ndjson.gz')
    if not os.path.isfile(path):
        print('skipped: no r4-examples.ndjson.gz in CARNET_SHARED')
        return SKIPPED
    todo, resources = places(defs), resource_types(defs)
    excused = {(r[0], r[1]) for r in rows(os.path.join(HERE, 'invariants_broken.tsv'))}
    broken, failures, n = set(), [], 0
    run = subprocess.Popen([lines], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                           encoding='utf-8')
    with gzip.open(path, 'rt', encoding='utf-8') as examples:
        for line in examples:
            resource = json.loads(line)
            kind, name = resource['resourceType'], resource.get('id', '?')
            asked = [(c, *p) for p in todo for c in [context(p[0], kind, resources)] if c]
            checks = json.dumps([[c, text] for c, _, _, _, text in asked])
            run.stdin.write(f'{{"checks":{checks},"resource":{line.strip()}}}\n')
            run.stdin.flush()
            for (_, at, key, severity, _), answer in zip(asked, json.loads(run.stdout.readline())):
                if isinstance(answer, str):
                    failures.append(f'{kind}/{name}: {key} on {at}: {answer}')
                    continue
                n += len(answer)
                if 0 in answer and severity == 'error':
                    broken.add((f'{kind}/{name}', key))
    run.stdin.close()
    run.wait()
    failures += [f'{a}: {b} does not hold' for a, b in sorted(broken - excused)]
    failures += [f'{a}: {b} holds, but invariants_broken.tsv has it' for a, b in
                 sorted(excused - broken)]
    for line in failures[:200]:
        print(line)
    print(f'{len(todo)} invariants, {n} evaluations, {len(excused)} broken by the examples, '
          f'{len(failures)} failures')
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main())
