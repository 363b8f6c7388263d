#!/usr/bin/env python3
"""Every value set that R4 published an expansion of has the same codes here: expansions.py CARNET

The official expansions (valueset-expansions.json) are compared by system and code. Sets that draw
on systems which nobody may ship (SNOMED CT, LOINC …) by a filter cannot be expanded here, and are
counted. A difference that is not ours is listed with its reason in DIFFERENT.
"""
import collections
import gzip
import json
import os
import sys
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'lib'))
import node as nodes  # noqa: E402

# A code system may put a concept below a second parent by its property "child". What is below
# counts for "is-a"; the published lists follow the nesting alone.
CHILD = 'the official list does not follow the property "child"'
DIFFERENT = {
    'http://hl7.org/fhir/ValueSet/c80-doc-typecodes': 'the official list is cut at 1,000 codes',
    'http://hl7.org/fhir/ValueSet/detectedissue-category': CHILD,
    'http://terminology.hl7.org/ValueSet/v3-ActPharmacySupplyType': CHILD,
}


def left_out(files):
    """{(system, code): (abstract, inactive)} of what the official lists leave out: concepts that
    their code system calls abstract, retired or deprecated."""
    out = {}

    def walk(url, concepts):
        for c in concepts:
            has = {(p['code'], p.get('valueCode', p.get('valueBoolean')))
                   for p in c.get('property', [])}
            abstract = bool(has & {('notSelectable', True), ('abstract', True)})
            retired = ('status', 'retired') in has
            if abstract or retired or ('status', 'deprecated') in has:
                out[url, c['code']] = abstract, retired
            walk(url, c.get('concept', []))

    for path in files:
        with gzip.open(path, 'rt', encoding='utf-8') as f:
            for entry in json.load(f)['entry']:
                walk(entry['resource'].get('url'), entry['resource'].get('concept', []))
    return out


def codes_of(contains, into):
    """(system, code) of a tree; groups without a code are passed over."""
    for c in contains or []:
        if 'code' in c:
            into.add((c.get('system'), c['code']))
        codes_of(c.get('contains'), into)
    return into


def flags_of(contains):
    """{(system, code): (abstract, inactive)} of a list."""
    return {(c['system'], c['code']): (c.get('abstract', False), c.get('inactive', False))
            for c in contains or []}


def compare(client, official, unwanted, score, counts):
    url = official['url']
    expansion = official['expansion']
    reply = client.get('/fhir/ValueSet/$expand?excludeNested=true&url=' +
                       urllib.parse.quote(url, safe=''))
    if reply.status == 404 and 'is not known here' in reply.body.decode():
        counts['its system is not here'] += 1
        return
    if reply.status == 422 and 'have no end' in reply.body.decode():
        counts['all codes of a grammar'] += 1
        return
    if reply.status != 200:
        score.check(False, f'{url}: {reply}')
        return
    ours = reply.json()['expansion']
    have, want = codes_of(ours.get('contains'), set()), codes_of(expansion.get('contains'), set())
    if url in DIFFERENT:
        counts[DIFFERENT[url]] += 1
        score.check(want < have, f'{url}: is no longer different, or lacks '
                                 f'{sorted(want - have, key=str)[:3]}')
        return
    counts['compared'] += 1
    wrong = {k: v for k, v in flags_of(ours.get('contains')).items()
             if v != unwanted.get(k, (False, False))}
    score.check(not wrong, f'{url}: flags (abstract, inactive) {sorted(wrong.items())[:3]}')
    if len(have) != ours['total']:
        score.check(False, f'{url}: {len(have)} codes, and total says {ours["total"]}')
    # Some lists have them all the same.
    have -= set(unwanted) - want
    score.check(have == want,
                f'{url}: {len(have)} codes, wanted {len(want)}; too many '
                f'{sorted(have - want, key=str)[:3]}, missing {sorted(want - have, key=str)[:3]}')


def main():
    path, *systems = nodes.shared(*(f'r4-definitions/{name}.json.gz' for name in (
        'valueset-expansions', 'valuesets', 'v2-tables', 'v3-codesystems')))
    unwanted = left_out(systems)
    with gzip.open(path, 'rt', encoding='utf-8') as f:
        bundle = json.load(f)
    score, counts = nodes.Score(), collections.Counter()
    with nodes.Folder(sys.argv[1]) as folder, nodes.Node(folder) as node:
        client = node.client()
        for entry in bundle['entry']:
            if 'expansion' in entry['resource']:
                compare(client, entry['resource'], unwanted, score, counts)
        client.close()
    for reason, n in counts.most_common():
        print(f'{n:5} {reason}')
    return score.end()


if __name__ == '__main__':
    sys.exit(main())
