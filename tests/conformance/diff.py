#!/usr/bin/env python3
"""$diff is the inverse of FHIRPath Patch: diff.py CARNET

Of each type, pairs of official examples: what $diff says, sent as a patch to the first, makes it
equal to the second in all but id and meta; and a resource does not differ from itself.
"""
import collections
import json
import random
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import node as nodes  # noqa: E402

PAIRS = 4           # of each type
BYTES_MAX = 100000  # of an example
SEED = 7


def plain(text):
    resource = nodes.literal(text)
    resource.pop('id', None)
    resource.pop('meta', None)
    return resource


def put(client, kind, name, text):
    resource = json.loads(text)
    body = text.strip()
    if 'id' in resource:
        body = body.replace(f'"id":"{resource["id"]}"', f'"id":"{name}"', 1)
    else:
        body = body.replace('{', f'{{"id":"{name}",', 1)
    if json.loads(body).get('id') != name:
        return None
    return client.send('PUT', f'/fhir/{kind}/{name}', body)


def one_pair(score, client, kind, n, a, b):
    names = f'a{n}', f'b{n}'
    replies = [put(client, kind, name, text) for name, text in zip(names, (a, b))]
    if any(r is None or r.status != 201 for r in replies):
        return False
    diff = client.get(f'/fhir/$diff?from={kind}/{names[0]}&to={kind}/{names[1]}')
    if not score.check(diff.status == 200, f'{kind}: {diff}'):
        return True
    patch = diff.json()
    if 'parameter' in patch:
        reply = client.send('PATCH', f'/fhir/{kind}/{names[0]}', diff.body.decode())
        if not score.check(reply.status == 200, f'{kind}: {reply}\n{diff.body[:600]}'):
            return True
    got = client.get(f'/fhir/{kind}/{names[0]}')
    want = client.get(f'/fhir/{kind}/{names[1]}')
    if not score.check(plain(got.body) == plain(want.body), f'{kind} {n}: differs after the patch'):
        print(diff.body[:2000])
    none = client.get(f'/fhir/{kind}/$diff?from={kind}/{names[0]}&to={kind}/{names[1]}')
    score.check(none.json() == {'resourceType': 'Parameters'}, f'{kind} {n}: still {none}')
    return True


def main():
    path, = nodes.shared('r4-examples/r4-examples.ndjson.gz')
    kinds = collections.defaultdict(list)
    for line in nodes.lines_of(path):
        if len(line) <= BYTES_MAX:
            kinds[json.loads(line)['resourceType']].append(line)
    score, rng, n, skipped = nodes.Score(), random.Random(SEED), 0, 0
    with nodes.Folder(sys.argv[1]) as folder, nodes.Node(folder) as node:
        client = node.client()
        for kind, lines in sorted(kinds.items()):
            for _ in range(PAIRS if len(lines) > 1 else 0):
                a, b = rng.sample(lines, 2)
                n += 1
                skipped += not one_pair(score, client, kind, n, a, b)
        client.close()
    print(f'{n} pairs, {skipped} of examples that a node refuses')
    return score.end()


if __name__ == '__main__':
    sys.exit(main())
