#!/usr/bin/env python3
"""$everything against a naive walk: everything.py CARNET

Synthetic records go in; the export is walked by reading CompartmentDefinition and references on
plain JSON. What $everything gives, page by page with random sizes and filters, is the same set,
each resource once, members before what they refer to.
"""
import collections
import gzip
import json
import os
import random
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, '..', 'lib')]
import naive  # noqa: E402
import node as nodes  # noqa: E402

BUNDLES = 12
LEVELS = 3     # references away from the record that are followed
ROUNDS = 30
SEED = 20200701


def compartments(path, parameters):
    """{compartment: {type: expressions of the parameters that put a resource into it}}"""
    by_code = collections.defaultdict(list)
    for p in parameters:
        for base in p['base']:
            by_code[base, p['code']].append(p)
    out = {}
    with gzip.open(path, 'rt', encoding='utf-8') as f:
        for line in f:
            definition = json.loads(line)
            rules = {r['code']: [p for code in r.get('param', []) for p in by_code[r['code'], code]]
                     for r in definition['resource']}
            out[definition['code']] = {k: v for k, v in rules.items() if v}
    return out


def local(text):
    m = re.fullmatch(r'([A-Z]\w+)/([A-Za-z0-9.-]+)(/_history/.*)?', text or '')
    return f'{m.group(1)}/{m.group(2)}' if m else None


def links(value, name=''):
    """References and local URLs anywhere in a resource, contained ones included."""
    if isinstance(value, dict):
        for k, v in value.items():
            yield from links(v, k)
    elif isinstance(value, list):
        for v in value:
            yield from links(v, name)
    elif isinstance(value, str) and name in ('reference', 'url'):
        if local(value):
            yield local(value)


class Record:
    """All resources of a store, and whose each is."""

    def __init__(self, resources, rules):
        self.all, self.rules, self.owned = resources, rules, {}
        for compartment in ('Patient', 'Encounter'):
            self.owned[compartment] = {k: self.owners(compartment, r) for k, r in self.all.items()}

    def owners(self, compartment, resource):
        kind = resource['resourceType']
        own = {f"{kind}/{resource['id']}"} if kind == compartment else set()
        for p in self.rules[compartment].get(kind, []):
            for item in naive.values(p, resource):
                value = item.value if isinstance(item, naive.Typed) else item
                target = local(value.get('reference')) if isinstance(value, dict) else None
                if target and target.startswith(compartment + '/'):
                    own.add(target)
        return own

    def members(self, owners, compartment):
        return {k for k, own in self.owned[compartment].items() if own & owners}

    def everything(self, owners, compartment):
        members = self.members(owners, compartment)
        patients = set(owners) if compartment == 'Patient' else set()
        if compartment == 'Encounter':
            for owner in owners:
                patients |= self.owned['Patient'][owner]
        return members, self.targets(members, patients)

    def targets(self, members, patients):
        found, level = set(), members
        for _ in range(LEVELS):
            level = {t for k in level for t in links(self.all[k]) if t in self.all}
            level = {t for t in level if t not in members and t not in found and
                     (not self.owned['Patient'][t] or self.owned['Patient'][t] & patients)}
            found |= level
        return found


def export(folder):
    out = os.path.join(folder.path, 'out.ndjson')
    folder.run('export', '--out', out)
    resources = {}
    with open(out, encoding='utf-8') as f:
        for line in f:
            r = json.loads(line)
            if 'StructureDefinition' not in r['resourceType'] and r['resourceType'] not in (
                    'SearchParameter', 'ValueSet', 'CodeSystem', 'CompartmentDefinition'):
                resources[f"{r['resourceType']}/{r['id']}"] = r
    return resources


def pages(score, client, path):
    """Keys with their modes, in order; a page is as long as was asked for, at most."""
    out, count = [], re.search(r'_count=(\d+)', path)
    while path:
        reply = client.get(path)
        if not score.check(reply.status == 200, f'{path}: {reply}'):
            return out
        bundle = reply.json()
        entries = bundle.get('entry', [])
        score.check(not count or len(entries) <= int(count.group(1)), f'{path}: too long')
        out += [(f"{e['resource']['resourceType']}/{e['resource']['id']}", e['search']['mode'])
                for e in entries]
        path = next((x['url'] for x in bundle['link'] if x['relation'] == 'next'), None)
        if path:
            path = '/' + path.split('/', 3)[3]
    return out


def compare(score, what, got, members, targets):
    keys = [k for k, _ in got]
    score.check(len(keys) == len(set(keys)), f'{what}: a resource came twice')
    for mode, want in (('match', members), ('include', targets)):
        differ = {k for k, m in got if m == mode} ^ want
        score.check(not differ, f'{what}: {mode} differs: {sorted(differ)[:4]}')
    modes = [m for _, m in got]
    score.check(modes == sorted(modes, reverse=True), f'{what}: members do not come first')


def one_round(score, client, record, rng):
    compartment = rng.choice(['Patient', 'Patient', 'Encounter'])
    owner = rng.choice(sorted(k for k in record.all if k.startswith(compartment + '/')))
    members, targets = record.everything({owner}, compartment)
    query = []
    if rng.random() < 0.8:
        query.append(f'_count={rng.choice([1, 3, 10, 50, 400])}' if len(members) < 300
                     else f'_count={rng.choice([40, 100, 400])}')
    if rng.random() < 0.5:
        kinds = rng.sample(sorted({k.split('/')[0] for k in members | targets} | {'Goal'}), 2)
        query.append('_type=' + ','.join(kinds))
        members = {k for k in members if k.split('/')[0] in kinds}
        targets = {k for k in targets if k.split('/')[0] in kinds}
    path = f"/fhir/{owner}/$everything?{'&'.join(query)}"
    compare(score, path, pages(score, client, path), members, targets)


def groups(score, client, record, rng):
    patients = rng.sample(sorted(k for k in record.all if k.startswith('Patient/')), 4)
    group = {'resourceType': 'Group', 'id': 'some', 'type': 'person', 'actual': True,
             'member': [{'entity': {'reference': p}} for p in patients[:3]] +
                       [{'entity': {'reference': patients[3]}, 'inactive': True}]}
    client.send('PUT', '/fhir/Group/some', group)
    record.all['Group/some'] = group
    for owned in record.owned.values():
        owned['Group/some'] = set(patients)
    members, targets = record.everything(set(patients[:3]), 'Patient')
    for query in ('', '?_count=300'):
        got = pages(score, client, f'/fhir/Group/some/$everything{query}')
        # The group itself refers to its patients: it is in the compartment of each.
        compare(score, f'Group{query}', got, members, targets)


def all_patients(score, client, record):
    members = {k for k, own in record.owned['Patient'].items() if own}
    targets = record.targets(members, set())
    compare(score, 'Patient/$everything',
            pages(score, client, '/fhir/Patient/$everything?_count=700'), members, targets)


def main():
    definitions, params, hospitals, people = nodes.shared(
        'r4-definitions/compartments.ndjson.gz', 'r4-definitions/search-parameters.json.gz',
        'synthetic/synthea2019-hospitals-practitioners.ndjson.gz',
        'synthetic/synthea2019-a-200.ndjson.gz')
    rules = compartments(definitions, naive.load(params))
    score, rng = nodes.Score(), random.Random(SEED)
    with nodes.Folder(sys.argv[1]) as folder:
        some = os.path.join(folder.path, 'some.ndjson')
        with open(some, 'w', encoding='utf-8') as f:
            f.writelines(sorted(nodes.lines_of(people), key=len)[:BUNDLES])
        folder.run('import', hospitals)
        folder.run('import', some)
        record = Record(export(folder), rules)
        with nodes.Node(folder) as node:
            client = node.client()
            for _ in range(ROUNDS):
                one_round(score, client, record, rng)
            groups(score, client, record, rng)
            all_patients(score, client, record)
            client.close()
    print(f'{len(record.all)} resources')
    return score.end()


if __name__ == '__main__':
    sys.exit(main())
