#!/usr/bin/env python3
"""The audit log of a node: audit.py CARNET

Every way to see a record leaves an AuditEvent for exactly the patients whose records were shown;
each can be proved within a second, to a verifier that shares no line with Carnet, under a head
that a witness cosigned; and whatever was answered is in the log when the node is killed.
"""
import base64
import json
import os
import re
import subprocess
import sys
import threading
import time
import uuid

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'lib'))
sys.path.insert(0, HERE)
import node as nodes  # noqa: E402
import stores  # noqa: E402
import tlog  # noqa: E402

WAIT_SECONDS = 60
PROOF_SECONDS = 1
WRITERS = 8
BALP = 'https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.'


def observation(name, patient):
    return {'resourceType': 'Observation', 'id': name, 'status': 'final',
            'code': {'coding': [{'system': 'http://loinc.org', 'code': '8867-4'}]},
            'valueQuantity': {'value': 60}, 'effectiveDateTime': '2024-01-01',
            'subject': {'reference': f'Patient/{patient}'}}


RECORDS = [{'resourceType': 'Patient', 'id': p, 'name': [{'family': p.upper()}]} for p in 'abc'] + [
    observation('oa', 'a'), observation('ob', 'b'),
    {'resourceType': 'Encounter', 'id': 'ea', 'status': 'finished', 'class': {'code': 'AMB'},
     'subject': {'reference': 'Patient/a'}},
    {'resourceType': 'Appointment', 'id': 'two', 'status': 'booked', 'participant': [
        {'actor': {'reference': 'Patient/a'}, 'status': 'accepted'},
        {'actor': {'reference': 'Patient/b'}, 'status': 'accepted'}]},
    {'resourceType': 'Organization', 'id': 'org', 'name': 'o'},
    {'resourceType': 'Composition', 'id': 'comp', 'status': 'final', 'type': {'text': 't'},
     'date': '2024-01-01', 'author': [{'display': 'x'}], 'title': 't',
     'subject': {'reference': 'Patient/c'},
     'section': [{'entry': [{'reference': 'Observation/oa'}]}]},
]


def bundle(kind, *requests):
    return {'resourceType': 'Bundle', 'type': kind, 'entry': [
        {'request': {'method': m, 'url': u}, **({'resource': r} if r else {})}
        for m, u, r in requests]}


# What is asked, and who must find it: (method, path, body, status, {interaction: patients}).
# '' stands for an event that is about nobody's record.
ASKED = [
    ('GET', 'Patient/a', None, 200, {'read': 'a'}),
    ('HEAD', 'Patient/a', None, 200, {'read': 'a'}),
    ('GET', 'Observation/ob', None, 200, {'read': 'b'}),
    ('GET', 'Observation/ob?_elements=status', None, 200, {'read': 'b'}),
    ('GET', 'Appointment/two', None, 200, {'read': 'ab'}),
    ('GET', 'Organization/org', None, 200, {'read': '-'}),
    ('GET', 'Observation/ob/_history', None, 200, {'history-instance': 'b'}),
    ('GET', 'Observation/_history', None, 200, {'history-type': 'ab'}),
    ('GET', 'Observation', None, 200, {'search-type': 'ab'}),
    ('GET', 'Observation?_format=xml', None, 200, {'search-type': 'ab'}),
    ('GET', 'Observation?code=8867-4&_count=1', None, 200, {'search-type': 'a'}),
    ('GET', 'Observation?patient=c', None, 200, {'search-type': 'c'}),
    ('GET', 'Observation?subject=Patient/b&_summary=count', None, 200, {'search-type': 'b'}),
    ('GET', 'Observation?subject:Patient.family=B', None, 200, {'search-type': 'b'}),
    ('GET', 'Observation?_id=oa&_include=Observation:subject', None, 200, {'search-type': 'a'}),
    ('GET', 'Patient?_id=c&_revinclude=Composition:subject', None, 200, {'search-type': 'c'}),
    ('GET', 'Patient?_has:Observation:patient:code=8867-4', None, 200, {'search-type': 'ab'}),
    ('GET', 'Patient/a/Encounter', None, 200, {'search-type': 'a'}),
    ('GET', 'Organization?name=o', None, 200, {'search-type': '-'}),
    ('GET', '?_type=Observation', None, 200, {'search-system': 'ab'}),
    ('GET', 'Patient/a/$everything', None, 200, {'operation': 'ab'}),     # the shared appointment
    ('GET', 'Composition/comp/$document', None, 200, {'operation': 'ac'}),
    ('GET', 'Patient/a/$graphql?query={id+ObservationList(_reference:patient){status}}', None, 200,
     {'operation': 'a'}),
    ('GET', '$graphql?query={ObservationList{subject{resource{id}}}}', None, 200,
     {'operation': 'ab'}),
    ('GET', 'Observation/$lastn?patient=Patient/b&code=8867-4', None, 200, {'operation': 'b'}),
    ('GET', 'Observation/$stats?subject=Patient/b&system=http://loinc.org&code=8867-4'
     '&statistic=average', None, 200, {'operation': 'b'}),
    ('GET', 'Observation/ob/$validate', None, 200, {'operation': 'b'}),
    ('GET', 'Patient/nobody', None, 404, {'read': '*nobody'}),
    ('GET', 'Observation/none', None, 404, {'read': '-'}),
    ('GET', 'Nothing/1', None, 404, {'': '-'}),
    ('GET', 'Observation?code:bogus=1', None, 400, {'search-type': '-'}),
    ('PUT', 'Observation/oc', observation('oc', 'c'), 201, {'update': 'c'}),
    ('PUT', 'Observation/oc', observation('oc', 'b'), 200, {'update': 'bc'}),   # it moved
    ('DELETE', 'Observation/oc', None, 204, {'delete': 'b'}),
    ('POST', 'Observation', observation(None, 'a'), 201, {'create': 'a'}),
    ('POST', 'Observation', {'resourceType': 'Observation'}, 422, {'create': '-'}),
    ('POST', '', bundle('batch', ('GET', 'Patient/a', None), ('GET', 'Observation/ob', None),
                        ('GET', 'Patient/nobody', None)), 200,
     {'batch': '-', 'read': ['a', 'b', '*nobody']}),
    ('POST', '', bundle('transaction', ('GET', 'Observation/oa', None),
                        ('PUT', 'Observation/od', observation('od', 'c'))), 200,
     {'transaction': '-', 'read': 'a', 'update': 'c'}),
    ('POST', '', bundle('transaction', ('PUT', 'Observation/od', {'resourceType': 'Observation'})),
     400, {'transaction': '-', 'update': '-'}),
]


def events_of(client, request_id):
    """What the log holds of a request."""
    return [e['resource'] for e in client.pages('/fhir/AuditEvent?_count=1000')
            if request_id in json.dumps(e['resource'])]


def subtype(event):
    return event['subtype'][0]['code'] if 'subtype' in event else ''


def patient(event):
    found = [e['what']['reference'] for e in event.get('entity', [])
             if e.get('role', {}).get('code') == '1']
    return found[0].split('/')[1] if found else '-'


def check_asked(score, node):
    client, reader = node.client(), node.client()
    seen = []
    for method, path, body, status, want in ASKED:
        request_id = f'test-{uuid.uuid4()}'
        if body and body.get('id', '') is None:
            body = {k: v for k, v in body.items() if k != 'id'}
        reply = client.send(method, '/fhir/' + path, body, X_Request_Id=request_id)
        what = f'{method} {path}'
        score.check(reply.status == status, f'{what}: {reply}')
        events = events_of(reader, request_id)
        got = sorted((subtype(e), patient(e)) for e in events)
        wanted = []
        for code, patients in want.items():
            several = patients if isinstance(patients, list) else [patients]
            for p in several:
                wanted += [(code, p[1:])] if p[0] == '*' else [(code, x) for x in p]
        score.check(got == sorted(wanted), f'{what}: the log has {got}, not {sorted(wanted)}')
        outcome = '0' if status < 400 else '4'
        if any(code.startswith('search') for code in want):
            queries = {base64.b64decode(x['query']).decode() for e in events for x in e['entity']
                       if 'query' in x}
            score.check(queries == {path}, f'{what}: the log has the query {queries}')
        outer = [e for e in events if subtype(e) not in ('read', 'update') or len(want) == 1]
        score.check(all(e['outcome'] == outcome for e in outer), f'{what}: {events}')
        seen += events
    return seen


def check_later(score, node):
    """An answer that is fetched later is audited when it is made, for those whose records it holds;
    a search by POST like one by GET; what a conditional create found like what is read."""
    client, reader = node.client(), node.client()
    for method, path, body, headers, want in (
            ('GET', 'Observation?_count=50', None, {'Prefer': 'respond-async'}, 'abc'),
            ('POST', 'Observation/_search', 'patient=b',
             {'Content_Type': 'application/x-www-form-urlencoded'}, 'b'),
            ('POST', 'Observation', observation('x', 'c'), {'If_None_Exist': '_id=oa'}, 'a')):
        request_id = f'test-{uuid.uuid4()}'
        reply = client.send(method, '/fhir/' + path, body, X_Request_Id=request_id, **headers)
        score.check(reply.status in (200, 202), f'{path}: {reply}')
        deadline, got = time.monotonic() + WAIT_SECONDS, []
        while got != list(want) and time.monotonic() < deadline:
            got = sorted({patient(e) for e in events_of(reader, request_id)} - {'-'})
        score.check(got == list(want), f'{path}: the log has {got}, not {want}')
        if reply.status == 202:
            where = '/' + reply.headers['Content-Location'].split('/', 3)[3]
            before = len(list(reader.pages('/fhir/AuditEvent?patient=a&_count=1000')))
            score.check(client.get(where).status == 200, 'the answer, fetched')
            after = len(list(reader.pages('/fhir/AuditEvent?patient=a&_count=1000')))
            score.check(after == before + 1, 'fetching leaves no event but the search for them')


def check_shape(score, folder, events):
    """Each is a valid R4 resource, and claims a BALP profile where one is for it."""
    path = os.path.join(folder.path, 'events.json')
    with open(path, 'w') as f:
        json.dump({'resourceType': 'Bundle', 'type': 'collection',
                   'entry': [{'fullUrl': f'urn:uuid:{uuid.uuid4()}', 'resource': e}
                             for e in events]}, f)
    done = subprocess.run([folder.carnet, 'validate', path], capture_output=True, text=True)
    score.check(done.returncode == 0, f'AuditEvents are not valid: {done.stdout[-800:]}')
    for e in events:
        profile = e['meta'].get('profile', [''])[0]
        patterns = {'read': 'Read', 'vread': 'Read', 'search-type': 'Query',
                    'search-system': 'Query', 'create': 'Create', 'update': 'Update',
                    'delete': 'Delete'}
        name = patterns.get(subtype(e)) if e['outcome'] == '0' else None
        who = 'Patient' if patient(e) != '-' else ''
        score.check(profile == (BALP + who + name if name else ''), f'the profile of {e}')
        agents = [a['type']['coding'][0]['code'] for a in e['agent']]
        client = {'R': '110152', 'D': '110150'}.get(e['action'], '110153')
        score.check(agents[0] == client and e['agent'][0]['network']['address'] == '127.0.0.1',
                    f'the client of {e}')


def check_paging(score, node):
    client = node.client()
    every = [e['resource']['id'] for e in client.pages('/fhir/AuditEvent?patient=a&_count=1000')]
    three = client.pages('/fhir/AuditEvent?patient=Patient/a&_count=3')
    paged = [e['resource']['id'] for e in three]
    # the search itself was added, in front
    score.check(paged[-len(every):] == every, 'pages of AuditEvents differ from the whole')
    part = [e['resource']['id'] for e in client.pages('/fhir/Patient/a/AuditEvent?_count=7')]
    score.check(part[-len(every):] == every, 'AuditEvents of the compartment')
    none = list(client.pages('/fhir/AuditEvent?patient=a&date=lt2020-01-01'))
    score.check(not none, 'AuditEvents before their time')
    some = list(client.pages('/fhir/AuditEvent?patient=a&date=ge2020-01-01'))
    score.check(len(some) > len(every), 'AuditEvents since 2020')
    for method, path, body in (('PUT', f'AuditEvent/{every[0]}', {'resourceType': 'AuditEvent'}),
                               ('DELETE', f'AuditEvent/{every[0]}', None),
                               ('POST', 'AuditEvent', {'resourceType': 'AuditEvent'}),
                               ('DELETE', 'AuditEvent?patient=a', None)):
        reply = client.send(method, '/fhir/' + path, body)
        score.check(reply.status == 405, f'{method} {path}: {reply}')
    reply = client.get('/fhir/AuditEvent?patient=a&site=x', Prefer='handling=strict')
    score.check(reply.status == 400, f'a parameter that is not there: {reply}')


def check_parameters(score, node):
    """Searches by more than patient and date, beside a look at all there is."""
    client = node.client()
    every = [e['resource'] for e in client.pages('/fhir/AuditEvent?_count=1000')]

    def names(e, what):
        return any(x.get('what', {}).get('reference', '').split('/_history')[0] == what
                   for x in e.get('entity', []))

    for query, holds in (
            ('action=D', lambda e: e['action'] == 'D'),
            ('outcome=4', lambda e: e['outcome'] == '4'),
            ('subtype=vread', lambda e: subtype(e) == 'vread'),
            ('subtype=http://hl7.org/fhir/restful-interaction|create',
             lambda e: subtype(e) == 'create'),
            ('entity=Appointment/two', lambda e: names(e, 'Appointment/two')),
            ('entity=Patient/nobody', lambda e: names(e, 'Patient/nobody')),
            ('type=110100', lambda e: e['type']['code'] == '110100'),
            ('agent=stranger', lambda e: False), ('address=192.0.2.1', lambda e: False),
            ('patient=b&action=C', lambda e: patient(e) == 'b' and e['action'] == 'C'),
            ('patient=a&outcome=0&action=R&subtype=read&entity=Appointment/two',
             lambda e: patient(e) == 'a' and subtype(e) == 'read' and
             names(e, 'Appointment/two'))):
        want = [e['id'] for e in every if holds(e)]
        for size in 2, 1000:
            found = client.pages(f'/fhir/AuditEvent?{query}&_count={size}')
            got = [e['resource']['id'] for e in found]
            score.check([g for g in got if g in {e['id'] for e in every}] == want,
                        f'{query}, pages of {size}: {got}, not {want}')
        total = client.get(f'/fhir/AuditEvent?{query}&_total=accurate&_count=1').json()['total']
        score.check(total >= len(want), f'{query}: a total of {total}, not {len(want)}')
    exact = client.get('/fhir/AuditEvent?action=D&_total=accurate').json()['total']
    score.check(exact == len([e for e in every if e['action'] == 'D']), f'deletes: {exact}')
    for query in ('outcome=5', 'action=', 'entity=a', 'entity=Nothing/1', '_total=many'):
        reply = client.get(f'/fhir/AuditEvent?{query}')
        score.check(reply.status == 400, f'{query}: {reply}')
    reply = client.get('/fhir/Patient/c/$accesses')
    score.check(reply.status == 200, f'$accesses: {reply}')
    lines = [{p['name']: next(v for k, v in p.items() if k != 'name') for p in x['part']}
             for x in reply.json()['parameter']]
    of_c = [e for e in every if patient(e) == 'c']
    for action in 'REUC':
        times = sum(x['times'] for x in lines if x['action'] == action and not x['refused'])
        want = len([e for e in of_c if e['action'] == action and e['outcome'] == '0'])
        score.check(times >= want, f'$accesses of {action}: {times}, not {want}')
    score.check(len(of_c) > 3, f'there was something to see: {len(of_c)}')
    score.check(client.get('/fhir/Patient/none/$accesses').status == 404, '$accesses of nobody')
    early = client.get('/fhir/Patient/c/$accesses?end=2020-01-01').json()
    score.check('parameter' not in early, f'$accesses before there were any: {early}')


class Witness:
    def __init__(self, folder, key):
        self.process = subprocess.Popen(
            [folder.carnet, 'witness', '--data', os.path.join(folder.path, 'witness'), '--name',
             'witness.example/w1', '--log', key, '--listen', '127.0.0.1:0'],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.port = re.search(r'port (\d+)', self.process.stdout.readline()).group(1)
        self.key = self.process.stdout.readline().strip()
        self.url = f'http://127.0.0.1:{self.port}'

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()


def wait_for_proof(score, client, event, log, witness):
    """A proof under a witnessed head, and how long it took."""
    began = time.monotonic()
    while time.monotonic() - began < WAIT_SECONDS:
        reply = client.get(f'/fhir/AuditEvent/{event}/$proof')
        if reply.status == 200 and witness.name in reply.body.decode():
            break
        time.sleep(0.01)
    took = time.monotonic() - began
    score.check(took <= PROOF_SECONDS, f'a witnessed proof took {took:.2f} s')
    print(f'a witnessed proof was there after {took * 1000:.0f} ms')
    return reply.body.decode()


def check_proofs(score, folder, node, log_text, witness_text):
    log, witness = tlog.Key(log_text), tlog.Key(witness_text)
    client = node.client()
    request_id = f'test-{uuid.uuid4()}'
    client.get('/fhir/Patient/a', X_Request_Id=request_id)
    event = events_of(client, request_id)[0]
    proof = wait_for_proof(score, client, event['id'], log, witness)
    index, entry = tlog.check_proof(proof, log, [witness])
    score.check(event['id'].endswith(f'-{index}'), 'the proof is of another entry')
    score.check(entry[7].decode() == request_id, f'the entry: {entry}')
    path = os.path.join(folder.path, 'proof')
    with open(path, 'w') as f:
        f.write(proof)
    keys = ('--log', log_text, '--witness', witness_text)
    done = subprocess.run([folder.carnet, 'audit', 'verify', path, *keys], capture_output=True,
                          text=True)
    score.check(done.returncode == 0 and request_id in done.stdout, f'audit verify: {done}')
    with open(path, 'w') as f:
        f.write(proof.replace('index ', 'index 1'))
    done = subprocess.run([folder.carnet, 'audit', 'verify', path, *keys], capture_output=True,
                          text=True)
    score.check(done.returncode == 1, f'a proof of another place: {done}')


def check_consistency(score, folder, node, log_text):
    client = node.client()
    kept = os.path.join(folder.path, 'kept')
    with open(kept, 'w') as f:
        f.write(folder.run('audit', 'head'))
    size = tlog.head(open(kept).read())[1]
    for _ in range(50):
        client.get('/fhir/Patient/a')
    deadline = time.monotonic() + WAIT_SECONDS
    while tlog.head(folder.run('audit', 'head'))[1] < size + 50:
        if not score.check(time.monotonic() < deadline, 'no newer head came'):
            return
        time.sleep(0.02)
    reply = client.get(f'/fhir/AuditEvent/$consistency?from={size}')
    path = os.path.join(folder.path, 'consistency')
    with open(path, 'wb') as f:
        f.write(reply.body)
    done = subprocess.run([folder.carnet, 'audit', 'verify', path, '--log', log_text, '--head',
                           kept], capture_output=True, text=True)
    score.check(done.returncode == 0 and 'only appended' in done.stdout, f'consistency: {done}')
    out = folder.run('audit', 'verify', '--head', kept)
    score.check(' 0 problems' in out, out)


def check_killed(score, folder, options):
    """Whatever was answered is in the log, when the node is killed under load."""
    answered, lock = [], threading.Lock()
    node = nodes.Node(folder, *options)
    node.stop = node.process.stdout.close

    def ask():
        client = node.client()
        while True:
            request_id = f'kill-{uuid.uuid4()}'
            try:
                if client.get('/fhir/Observation', X_Request_Id=request_id).status != 200:
                    return
            except (OSError, nodes.http.client.HTTPException):
                return
            with lock:
                answered.append(request_id)

    threads = [threading.Thread(target=ask) for _ in range(WRITERS)]
    for t in threads:
        t.start()
    deadline = time.monotonic() + WAIT_SECONDS
    while len(answered) < 400 and time.monotonic() < deadline:
        time.sleep(0.005)
    node.process.kill()
    node.process.wait()
    for t in threads:
        t.join()
    with nodes.Node(folder, *options) as again:
        client = again.client()
        logged = {}
        for e in client.pages('/fhir/AuditEvent?_count=1000'):
            for x in e['resource'].get('entity', []):
                value = x.get('what', {}).get('identifier', {}).get('value', '')
                if value.startswith('kill-'):
                    logged.setdefault(value, set()).add(patient(e['resource']))
    missing = [x for x in answered if logged.get(x, set()) < {'a', 'b', 'c'}]
    score.check(len(answered) >= 400 and not missing,
                f'{len(missing)} of {len(answered)} answers are not in the log')
    print(f'{len(answered)} answers before the kill, all in the log')


def commands(folder, *options):
    """What operators did, as (name, what was said of it), oldest first."""
    with nodes.Node(folder, *options) as node:
        found = [e['resource'] for e in node.client().pages('/fhir/AuditEvent?_count=1000')]
    return [(e['subtype'][0]['display'], ''.join(
        base64.b64decode(x['query']).decode() for x in e.get('entity', []) if 'query' in x))
        for e in reversed(found) if e['type']['code'] == '110100']


def check_commands(score, folder):
    """Commands on the folder leave an entry, by the node or without one; a backup has a copy of the
    log that verifies, a restored node keeps it beside a log of its own."""
    records = os.path.join(folder.path, 'one.ndjson')
    with open(records, 'w') as f:
        f.write(json.dumps(observation('imported', 'a')) + '\n')
    copy = os.path.join(folder.path, 'copy')
    want = [('import', records), ('backup', copy), ('export', 'Patient'), ('reindex', '')]
    with nodes.Node(folder, '--audit', 'on'):
        folder.run('import', records)
        if stores.SERVER:
            want.remove(('backup', copy))
        else:
            folder.run('backup', copy)
    folder.run('export', '--type', 'Patient')
    folder.run('reindex')
    if not stores.SERVER:
        check_copies(score, folder, copy)
    got = commands(folder, '--audit', 'on')
    score.check(got == want, f'commands in the log: {got}')


def check_copies(score, folder, copy):
    again = os.path.join(folder.path, 'again')
    done = subprocess.run([folder.carnet, 'restore', '--data', again, copy], capture_output=True,
                          text=True)
    score.check(done.returncode == 0, f'restore: {done}')
    before = os.path.join(again, 'audit-before')
    for place in [os.path.join(copy, 'audit-copy')] + [os.path.join(before, n)
                                                       for n in os.listdir(before)]:
        done = subprocess.run([folder.carnet, 'audit', 'verify', '--data', place],
                              capture_output=True, text=True)
        score.check(' 0 problems' in done.stdout, f'the copy in {place}: {done}')
        score.check(not os.path.exists(os.path.join(place, 'audit', 'key.pem')), 'without its key')


def check_erased(score, folder):
    """What is erased is gone, says so, and is named in the log without saying whose it was."""
    with nodes.Node(folder, '--audit', 'on') as node:
        client = node.client()
        every = [e['resource'] for e in client.pages('/fhir/AuditEvent?patient=b&_count=1000')]
        done = subprocess.run([folder.carnet, 'audit', 'erase', '--data', folder.data, '--patient',
                               'b', '--reason', 'a court said so'], capture_output=True, text=True)
        score.check(done.returncode == 1 and 'stop it' in done.stderr, f'beside a node: {done}')
    one = every[0]['id']
    out = folder.run('audit', 'erase', '--entry', one, '--reason', 'a mistake')
    score.check(out.startswith('1 entries erased'), out)
    out = folder.run('audit', 'erase', '--patient', 'b', '--reason', 'a court said so')
    score.check(int(out.split()[0]) >= len(every) - 1, out)
    score.check(' 0 problems' in folder.run('audit', 'verify'), 'the log verifies')
    with nodes.Node(folder, '--audit', 'on') as node:
        client = node.client()
        score.check(client.get(f'/fhir/AuditEvent/{one}').status == 410, 'it is gone')
        left = [e['resource'] for e in client.pages('/fhir/AuditEvent?patient=b&_count=1000')]
        score.check(all(e['id'] not in {x['id'] for x in left} for e in every), 'and so are all')
        rest = list(client.pages('/fhir/AuditEvent?patient=a&_count=1000'))
        score.check(rest, 'those of others are there')
    said = [d for name, d in commands(folder, '--audit', 'on') if name == 'audit-erase']
    score.check(len(said) == 2 and said[0] == f'{one.split("-")[1]}: a mistake' and
                said[1].endswith(': a court said so'), f'the log says so: {said}')


def main():
    score = nodes.Score()
    with nodes.Folder(sys.argv[1]) as folder:
        with nodes.Node(folder) as node:            # no log yet: the records come without events
            client = node.client()
            for r in RECORDS:
                reply = client.send('PUT', f'/fhir/{r["resourceType"]}/{r["id"]}', r)
                score.check(reply.status == 201, str(reply))
        with nodes.Node(folder, '--audit', 'on') as node:
            events = check_asked(score, node)
            check_shape(score, folder, events)
            check_later(score, node)
            check_paging(score, node)
            check_parameters(score, node)
        log_key = folder.run('audit', 'key').strip()
        with Witness(folder, log_key) as witness:
            options = ('--audit', 'on', '--audit-witness', witness.url, '--audit-witness-key',
                       witness.key)
            with nodes.Node(folder, *options) as node:
                check_proofs(score, folder, node, log_key, witness.key)
                check_consistency(score, folder, node, log_key)
            check_killed(score, folder, options)
        out = folder.run('audit', 'verify')
        score.check(' 0 problems' in out, out)
        if not stores.SERVER:
            check_commands(score, folder)
        check_erased(score, folder)
    return score.end()


if __name__ == '__main__':
    sys.exit(main())
