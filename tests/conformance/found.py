#!/usr/bin/env python3
"""Every official example is found by each search parameter it has a value for: found.py CARNET

The values come from a naive evaluator of the SearchParameter expressions (naive.py), which shares
no code with the node. A search is made once and must hold every example that has its value. A
search by token, reference or URI must hold no example without it.
"""
import collections
import json
import os
import queue
import re
import sys
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, '..', 'lib'))
import naive  # noqa: E402
import node as nodes  # noqa: E402

CLIENTS = 4
# Parameters whose searches say exactly which examples they hold.
EXACT = ('token', 'reference', 'uri')


def put_all(node, lines):
    """The examples that the node takes: {(type, id): resource}."""
    stored = {}

    def work(i):
        client = node.client()
        for line in lines[i::CLIENTS]:
            resource = json.loads(line, parse_float=naive.Number, parse_int=naive.Number)
            name = resource['resourceType'], resource['id']
            if client.send('PUT', '/fhir/' + '/'.join(name), line).status in (200, 201):
                stored[name] = resource
        client.close()

    nodes.in_threads(CLIENTS, work)
    return stored


def local(value):
    """Type and id of a local reference without a version, or None."""
    text = value.value.get('reference') if isinstance(value.value, dict) else None
    m = re.fullmatch(r'([A-Z]\w+)/([A-Za-z0-9.-]{1,64})', text or '')
    return m and m.groups()


def nested(p, kind, id_, value, stored):
    """The searches along one reference, forwards and backwards: (type, query, id to be found)."""
    target = local(value) if p['type'] == 'reference' else None
    if target not in stored or target[0] not in p.get('target', [target[0]]):
        return
    yield kind, f"{p['code']}:{target[0]}._id={target[1]}", id_
    yield target[0], f"_has:{kind}:{p['code']}:_id={id_}", target[1]


def plan(parameters, stored, skipped):
    """{(type, query): (kind of parameter, ids of the examples that must be found)}"""
    searches = {}
    for (kind, id_), resource in stored.items():
        for p in naive.parameters_of(parameters, kind):
            try:
                values = naive.values(p, resource)
            except naive.Skip as e:
                skipped[str(e)] += 1
                continue
            for value in values:
                for type_, query, found in nested(p, kind, id_, value, stored):
                    searches.setdefault((type_, query), ('reference', set()))[1].add(found)
                try:
                    for suffix, text in naive.searches(p, value):
                        query = p['code'] + suffix + '=' + urllib.parse.quote(text, safe='')
                        searches.setdefault((kind, query), (p['type'], set()))[1].add(id_)
                except naive.Skip as e:
                    skipped[str(e)] += 1
    return searches


def run(node, searches, stored, score):
    work = queue.Queue()
    for item in searches.items():
        work.put(item)
    made = collections.Counter()

    def one(_):
        client = node.client()
        while True:
            try:
                (kind, query), (type_, wanted) = work.get_nowait()
            except queue.Empty:
                break
            path = f'/fhir/{kind}?{query}&_count=1000&_elements=id'
            try:
                got = {e['resource']['id'] for e in client.pages(path)
                       if e.get('search', {}).get('mode') == 'match'}
            except RuntimeError as e:
                score.check(False, str(e)[:300])
                continue
            missing = wanted - got
            score.check(not missing, f'{kind}?{query} does not find {sorted(missing)[:3]}')
            made['searches'] += 1
            made['found'] += len(wanted & got)
            if type_ in EXACT:
                extra = {i for i in got - wanted if (kind, i) in stored}
                score.check(not extra, f'{kind}?{query} also finds {sorted(extra)[:3]}')
        client.close()

    nodes.in_threads(CLIENTS, one)
    return made


def main():
    examples, definitions = nodes.shared('r4-examples/r4-examples.ndjson.gz',
                                         'r4-definitions/search-parameters.json.gz')
    score, skipped = nodes.Score(), collections.Counter()
    with nodes.Folder(sys.argv[1]) as folder, nodes.Node(folder) as node:
        stored = put_all(node, nodes.lines_of(examples))
        searches = plan(naive.load(definitions), stored, skipped)
        made = run(node, searches, stored, score)
        memory = node.memory_mb('VmHWM')
    for reason, n in skipped.most_common():
        print(f'skipped {n:5}: {reason}')
    print(f"{len(stored)} examples, {made['searches']} searches, {made['found']} found, "
          f'{sum(skipped.values())} skipped, {memory:.0f} MB at most')
    return score.end()


if __name__ == '__main__':
    sys.exit(main())
