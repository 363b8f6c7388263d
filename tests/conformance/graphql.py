#!/usr/bin/env python3
"""The official GraphQL cases of R4, over HTTP: graphql.py CARNET

Every case of the manifest and of server-tests.json gives its output or, where it wants an error,
one. The few that cannot hold are in graphql_known.tsv with the reason; they must then differ.
"""
import json
import os
import sys
import tarfile
import urllib.parse
import xml.etree.ElementTree as ET

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'lib'))
import node as nodes  # noqa: E402

FHIR = '{http://hl7.org/fhir}'
# What the cases look at, by where it is; those of the search cases come first, and those cases run
# before there are more patients.
BEFORE_SEARCH = ['Patient/example', 'Patient/xds']
AFTER_SEARCH = ['Patient/glossy', 'Observation/example', 'Condition/example', 'List/long',
                'MedicationDispense/meddisp008']
# The suite's own bench finds this one by its file's name.
CONTEXTS = {'List/example-long/$graphql': 'List/long/$graphql'}


def apgar(text):
    """The one example that is in the suite alone, as XML: what its case looks at."""
    root = ET.fromstring(text)
    patient = root.find(f'{FHIR}contained/{FHIR}Patient')
    birth = patient.find(f'{FHIR}birthDate')
    ext = birth.find(f'{FHIR}extension')
    return {
        'resourceType': 'Observation', 'id': root.find(f'{FHIR}id').get('value'),
        'contained': [{'resourceType': 'Patient', 'id': patient.find(f'{FHIR}id').get('value'),
                       'birthDate': birth.get('value'),
                       '_birthDate': {'extension': [{
                           'url': ext.get('url'),
                           'valueDateTime': ext.find(f'{FHIR}valueDateTime').get('value')}]}}],
        'status': root.find(f'{FHIR}status').get('value'), 'code': {'text': 'apgar'},
        'subject': {'reference': root.find(f'{FHIR}subject/{FHIR}reference').get('value')}}


def known():
    with open(os.path.join(HERE, 'graphql_known.tsv'), encoding='utf-8') as f:
        rows = [line.rstrip('\n').split('\t') for line in f if line.strip() and line[0] != '#']
    return {row[0]: row[1] for row in rows}


def ask(client, context, body):
    context = CONTEXTS.get(context, context) or '$graphql'
    return client.send('POST', f'/fhir/{context}', body, Content_Type='application/json')


def run_case(score, client, case, files, reasons):
    name, body = case['name'], {'query': files[case['source']]}
    if case.get('operation'):
        body.update(operationName=case['operation'], variables={'var': True})
    reply = ask(client, case['context'], body)
    if case['output'] == '$error':
        score.check(reply.status >= 400 and reply.json().get('errors'), f'{name}: {reply}')
        return
    want = json.loads(files[case['output']])
    got = reply.json().get('data') if reply.status == 200 else None
    if name in reasons:
        score.check(got is not None and got != want, f'{name} is listed as known: {reply}')
    else:
        score.check(got == want, f'{name}: got {reply}, wanted {want}')


def run_server_case(score, client, name, case):
    path, query = case['url'].split('?query=')
    reply = client.get(f"/fhir{path}?query={urllib.parse.quote(query)}")
    score.check(reply.status == 200 and reply.json() == case['output'], f'{name}: {reply}')


def main():
    suite, examples = nodes.shared('suites/r4-graphql.tar.xz',
                                   'r4-examples/r4-examples.ndjson.gz')
    with tarfile.open(suite) as tar:
        members = {m.name.split('r4-graphql/')[-1]: tar.extractfile(m).read().decode()
                   for m in tar.getmembers() if m.isfile() and '/graphql/' in m.name}
        xml = tar.extractfile(next(m for m in tar.getmembers() if m.name.endswith(
            'examples/observation-example-20minute-apgar-score.xml'))).read()
    files = {name.split('/')[-1]: text for name, text in members.items()}
    cases = [t.attrib for t in ET.fromstring(files['manifest.xml'].strip())]
    resources = {}
    for line in nodes.lines_of(examples):
        r = json.loads(line)
        resources[f"{r['resourceType']}/{r.get('id')}"] = line
    score, reasons = nodes.Score(), known()
    with nodes.Folder(sys.argv[1]) as folder, nodes.Node(folder) as node:
        client = node.client()

        def put(path):
            reply = client.send('PUT', f'/fhir/{path}', resources[path].strip())
            score.check(reply.status in (200, 201), f'{path}: {reply}')

        for path in BEFORE_SEARCH:
            put(path)
        for case in cases:
            if case['name'].startswith('search-'):
                run_case(score, client, case, files, reasons)
        for path in AFTER_SEARCH:
            put(path)
        observation = apgar(xml)
        reply = client.send('PUT', f"/fhir/Observation/{observation['id']}", observation)
        score.check(reply.status == 201, f'apgar: {reply}')
        for case in cases:
            if not case['name'].startswith('search-'):
                run_case(score, client, case, files, reasons)
        server = json.loads(files['server-tests.json'])
        for group in ('instance-tests', 'root-tests'):
            for name, case in server[group].items():
                run_server_case(score, client, f'{group} {name}', case)
        client.close()
    score.check(set(reasons) <= {c['name'] for c in cases}, 'the list of known cases is stale')
    print(f'{len(cases)} cases, {len(reasons)} known to differ')
    return score.end()


if __name__ == '__main__':
    sys.exit(main())
