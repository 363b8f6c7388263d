#!/usr/bin/env python3
"""The official examples go in over HTTP and come out equal: examples.py CARNET

Equal: the same JSON values, numbers by their literals, apart from what the server owns
(meta.versionId, meta.lastUpdated, and the id of a create). The few invalid ones, listed in
examples_refused.tsv, are refused with the element named.
"""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'lib'))
import node as nodes  # noqa: E402

CLIENTS = 4


def expected_refusals():
    with open(os.path.join(HERE, 'examples_refused.tsv'), encoding='utf-8') as f:
        rows = [line.rstrip('\n').split('\t') for line in f if line.strip() and line[0] != '#']
    return {row[0]: row[1] for row in rows}


def without_servers_own(resource, with_id):
    resource = dict(resource)
    meta = {k: v for k, v in resource.pop('meta', {}).items()
            if k not in ('versionId', 'lastUpdated')}
    if meta:
        resource['meta'] = meta
    if not with_id:
        resource.pop('id', None)
    return resource


def check_refused(score, name, reply, element):
    named = [x for issue in reply.outcome() for x in issue.get('expression', [])]
    score.check(reply.status in (400, 422) and element in named,
                f'{name}: wanted a refusal that names {element}, got {reply}')


def check_one(score, client, line, refusals, seen):
    sent = nodes.literal(line)
    kind, has_id = sent['resourceType'], 'id' in sent
    name = f"{kind}/{sent.get('id', '?')}"
    if has_id:
        reply = client.send('PUT', f"/fhir/{name}", line.strip())
    else:
        reply = client.send('POST', f'/fhir/{kind}', line.strip())
    if name in refusals:
        seen.add(name)
        check_refused(score, name, reply, refusals[name])
        return
    if not score.check(reply.status in (200, 201), f'{name}: {reply}'):
        return
    path = name if has_id else '/'.join(reply.headers['Location'].split('/')[4:6])
    back = client.get(f'/fhir/{path}')
    if not score.check(back.status == 200, f'{name}: read back: {back}'):
        return
    got = nodes.literal(back.body)
    score.check(without_servers_own(sent, has_id) == without_servers_own(got, has_id),
                f'{name} comes back different')
    score.check(back.headers['ETag'] == f"W/\"{got['meta']['versionId']}\"",
                f"{name}: ETag {back.headers['ETag']}, version {got['meta']['versionId']}")


def main():
    path, = nodes.shared('r4-examples/r4-examples.ndjson.gz')
    lines, refusals = nodes.lines_of(path), expected_refusals()
    score, seen, connections = nodes.Score(), set(), []
    with nodes.Folder(sys.argv[1]) as folder, nodes.Node(folder) as node:

        def work(i):
            client = node.client()
            for line in lines[i::CLIENTS]:
                check_one(score, client, line, refusals, seen)
            client.close()
            connections.append(client.connections)

        nodes.in_threads(CLIENTS, work)
        memory = node.memory_mb('VmHWM')
    score.check(seen == set(refusals), f'not in the examples: {set(refusals) - seen}')
    score.check(sum(connections) == CLIENTS, f'{connections} connections for {CLIENTS} clients')
    print(f'{len(lines)} examples, {len(seen)} refused as expected, {memory:.0f} MB at most')
    return score.end()


if __name__ == '__main__':
    sys.exit(main())
