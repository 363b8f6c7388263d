#!/usr/bin/env python3
"""Imports are held to profiles as writes over HTTP are: held.py CARNET

Alone, an import holds records to what the node was last served with, or to --profiles; through a
running node, to that node's. What is refused says its line, profile and rule. A profile that is not
installed is told at start, by the node and by the import, and on the node's page.
"""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import node as nodes  # noqa: E402
import stores  # noqa: E402

PATIENT = 'http://health.example/StructureDefinition/patient'
ORGANIZATION = 'http://health.example/StructureDefinition/organization'


def profile(url, kind, element):
    return {'resourceType': 'StructureDefinition', 'id': kind.lower(), 'url': url, 'name': kind,
            'status': 'active', 'kind': 'resource', 'abstract': False, 'type': kind,
            'baseDefinition': f'http://hl7.org/fhir/StructureDefinition/{kind}',
            'derivation': 'constraint', 'differential': {'element': [
                {'id': f'{kind}.{element}', 'path': f'{kind}.{element}', 'min': 1}]}}


def write(folder, name, text):
    path = os.path.join(folder.path, name)
    with open(path, 'w', encoding='utf-8') as f:
        f.write(text)
    return path


def lines(*resources):
    return ''.join(json.dumps(r) + '\n' for r in resources)


def rejects(folder):
    path = os.path.join(folder.data, 'rejects.ndjson')
    if not os.path.exists(path):
        return []
    with open(path, encoding='utf-8') as f:
        found = [json.loads(line) for line in f]
    os.remove(path)
    return found


def patient(name, **more):
    return {'resourceType': 'Patient', 'id': name, **more}


def check_rejects(score, folder, what, line):
    found = rejects(folder)
    score.check([(r['line'], r['profile'], r['rule'], r['expression']) for r in found] ==
                [(line, PATIENT, 'Patient.birthDate', 'Patient.birthDate')], f'{what}: {found}')


def bundle(kind, *resources):
    return json.dumps({'resourceType': 'Bundle', 'type': kind, 'entry': [
        {'request': {'method': 'PUT', 'url': f'{r["resourceType"]}/{r["id"]}'}, 'resource': r}
        for r in resources]})


def check_alone(score, folder, policy):
    """No node has served yet: only --profiles says what records are held to."""
    path = write(folder, 'free.ndjson', lines(patient('free')))
    out = folder.run('import', path)
    score.check('profiles' not in out, f'an import without a policy: {out}')
    path = write(folder, 'early.ndjson', lines(patient('early', birthDate='2000')))
    out = folder.run('import', '--profiles', policy, path, status=3)
    score.check(f'line 2 of the profiles: {PATIENT} is not installed' in out, f'not told: {out}')
    found = rejects(folder)
    score.check(len(found) == 1 and 'not known here' in found[0]['reason'], f'{found}')


def check_node(score, folder, policy):
    """The node says what it lacks, until it is there."""
    with nodes.Node(folder, '--profiles', policy) as node:
        client = node.client()
        told = [json.loads(x) for x in node.log().splitlines() if '"profiles"' in x]
        score.check([t['level'] for t in told] == ['warn', 'warn'] and
                    f'line 2 of the profiles: {PATIENT} is not installed' in told[0]['text'] and
                    f'line 4 of the profiles: {ORGANIZATION} is not installed' in told[1]['text'],
                    f'told at start: {told}')
        score.check(PATIENT in client.get('/conformance').body.decode(), 'not on the page')
        for p in (profile(PATIENT, 'Patient', 'birthDate'),
                  profile(ORGANIZATION, 'Organization', 'type')):
            reply = client.send('PUT', f'/fhir/StructureDefinition/{p["id"]}', p)
            score.check(reply.status == 201, f'a profile: {reply}')
        score.check('cannot be held to' not in client.get('/conformance').body.decode(),
                    'still on the page')
        path = write(folder, 'beside.ndjson', lines(
            patient('b1', birthDate='2000'), patient('b2'),
            {'resourceType': 'Organization', 'id': 'b3', 'name': 'short, and told only'}))
        folder.run('import', path, status=3)
        check_rejects(score, folder, 'beside the node', 2)
        score.check(client.get('/fhir/Patient/b2').status == 404, 'what was refused is there')
        score.check(client.get('/fhir/Organization/b3').status == 200, 'a warning refuses')
        page = client.get('/conformance').body.decode()
        score.check('Organization.type' in page and 'import' in page, 'not in the tally')
        french = client.get('/conformance', **{'Accept-Language': 'fr-CI, en;q=0.5'})
        score.check(b'<html lang="fr">' in french.body and 'lang="en"' in page,
                    'not in the language that is accepted')
        # On a store that is shared the command opens it itself, and may have other profiles.
        if not stores.SERVER:
            out = folder.run('import', '--profiles', policy, path, status=1)
            score.check('its own --profiles' in out, f'--profiles beside a node: {out}')
        return page.count('<tr>')


def check_remembered(score, folder):
    """Alone again: what the node was served with holds, for each kind of file."""
    path = write(folder, 'alone.ndjson', lines(
        patient('a1'), patient('a2', birthDate='2000'),
        {'resourceType': 'Organization', 'id': 'a3', 'name': 'O'}))
    out = folder.run('import', path, status=3)
    score.check('2 resources stored' in out, f'alone: {out}')
    check_rejects(score, folder, 'alone', 1)
    for kind in ('transaction', 'batch', 'collection'):
        path = write(folder, f'{kind}.json', bundle(kind, patient(f'{kind}1'),
                                                    patient(f'{kind}2', birthDate='2000')))
        out = folder.run('import', path, status=3)
        found = rejects(folder)
        score.check(len(found) == 1 and found[0]['rule'] == 'Patient.birthDate' and
                    found[0]['profile'] == PATIENT, f'{kind}: {found}')
        stored = 0 if kind == 'transaction' else 1
        score.check(f'{stored} resources stored' in out, f'{kind}: {out}')


def check_forgotten(score, folder):
    """A node that serves without a policy takes it back."""
    with nodes.Node(folder) as node:
        score.check(node.client().get('/fhir/Patient/a1').status == 404, 'a1 is there')
    path = write(folder, 'again.ndjson', lines(patient('c1')))
    out = folder.run('import', path)
    score.check('1 resources stored' in out, f'held to what is forgotten: {out}')


def main():
    score = nodes.Score()
    with nodes.Folder(sys.argv[1]) as folder:
        policy = write(folder, 'profiles.txt',
                       f'# held\nPatient reject {PATIENT}\n\nOrganization warn {ORGANIZATION}\n')
        check_alone(score, folder, policy)
        check_node(score, folder, policy)
        check_remembered(score, folder)
        check_forgotten(score, folder)
    return score.end()


if __name__ == '__main__':
    sys.exit(main())
