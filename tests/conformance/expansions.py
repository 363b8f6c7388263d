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

# The official list leaves out what its code system calls abstract or retired; the code systems that
# a node is seeded with have no properties yet, so that these codes are there as well.
PROPERTIES = 'the seeded code system does not say what is abstract or retired'
DIFFERENT = {
    'http://hl7.org/fhir/ValueSet/c80-doc-typecodes': 'the official list is cut at 1,000 codes',
    'http://hl7.org/fhir/ValueSet/account-type': PROPERTIES,
    'http://hl7.org/fhir/ValueSet/consent-category': PROPERTIES,
    'http://hl7.org/fhir/ValueSet/coverage-type': PROPERTIES,
    'http://hl7.org/fhir/ValueSet/detectedissue-category': PROPERTIES,
    'http://hl7.org/fhir/ValueSet/detectedissue-mitigation-action': PROPERTIES,
    'http://hl7.org/fhir/ValueSet/diagnostic-service-sections': PROPERTIES,
    'http://hl7.org/fhir/ValueSet/item-type': PROPERTIES,
    'http://hl7.org/fhir/ValueSet/observation-interpretation': PROPERTIES,
    'http://hl7.org/fhir/ValueSet/patient-contactrelationship': PROPERTIES,
    'http://hl7.org/fhir/ValueSet/provenance-activity-type': PROPERTIES,
    'http://hl7.org/fhir/ValueSet/relatedperson-relationshiptype': PROPERTIES,
    'http://hl7.org/fhir/ValueSet/security-labels': PROPERTIES,
    'http://terminology.hl7.org/ValueSet/v2-0487': PROPERTIES,
    'http://terminology.hl7.org/ValueSet/v2-0916': PROPERTIES,
    'http://terminology.hl7.org/ValueSet/v3-ActCode': PROPERTIES,
    'http://terminology.hl7.org/ValueSet/v3-ActConsentDirective': PROPERTIES,
    'http://terminology.hl7.org/ValueSet/v3-ActReason': PROPERTIES,
    'http://terminology.hl7.org/ValueSet/v3-ServiceDeliveryLocationRoleType': PROPERTIES,
}


def codes_of(contains, into):
    """(system, code) of a tree; groups without a code are passed over."""
    for c in contains or []:
        if 'code' in c:
            into.add((c.get('system'), c['code']))
        codes_of(c.get('contains'), into)
    return into


def compare(client, official, score, counts):
    url = official['url']
    expansion = official['expansion']
    reply = client.get('/fhir/ValueSet/$expand?excludeNested=true&url=' +
                       urllib.parse.quote(url, safe=''))
    if reply.status == 404 and 'could not be found' in reply.body.decode():
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
    score.check(have == want and ours['total'] == len(have),
                f'{url}: {len(have)} codes, wanted {len(want)}; too many '
                f'{sorted(have - want, key=str)[:3]}, missing {sorted(want - have, key=str)[:3]}')


def main():
    path, = nodes.shared('r4-definitions/valueset-expansions.json.gz')
    with gzip.open(path, 'rt', encoding='utf-8') as f:
        bundle = json.load(f)
    score, counts = nodes.Score(), collections.Counter()
    with nodes.Folder(sys.argv[1]) as folder, nodes.Node(folder) as node:
        client = node.client()
        for entry in bundle['entry']:
            if 'expansion' in entry['resource']:
                compare(client, entry['resource'], score, counts)
        client.close()
    for reason, n in counts.most_common():
        print(f'{n:5} {reason}')
    return score.end()


if __name__ == '__main__':
    sys.exit(main())
