#!/usr/bin/env python3
"""People are erased: erased.py CARNET

In a plain and in an encrypted folder: a person is written, found, backed up and erased. Afterwards
no byte of the folder holds their name or number, no search finds them, their account is gone, the
log still proves itself; and a backup from before, restored with the newest ledger and the newest
keys, does not bring them back, while it brings back everybody else.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import types

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import node as nodes  # noqa: E402

NAME = 'Xiloquenthazar'
NUMBER = '918273645546'
LOGIN = 'xilo.login'
SECRETS = [NAME.encode(), NAME.lower().encode(), NUMBER.encode(), LOGIN.encode()]


def run(carnet, *args, status=0):
    done = subprocess.run([carnet, *args], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True)
    if done.returncode != status:
        raise AssertionError(f'carnet {" ".join(args)} ended with {done.returncode}: {done.stdout}')
    return done.stdout


def expect(what, condition):
    if not condition:
        raise AssertionError(what)


def found_in(folder):
    found = []
    for path, _, names in os.walk(folder):
        for name in names:
            full = os.path.join(path, name)
            if os.path.isfile(full):
                with open(full, 'rb') as f:
                    content = f.read()
                found += [f'{full}: {s}' for s in SECRETS if s in content]
    return found


def serve(carnet, top, data, *options):
    return nodes.Node(types.SimpleNamespace(carnet=carnet, data=data, path=top), *options)


def send(client, method, path, body, want):
    got = client.send(method, path, body)
    expect(f'{method} {path}: {got.status}', got.status == want)
    return got


def person(client, patient_id, name, number):
    send(client, 'PUT', f'/fhir/Patient/{patient_id}', {
        'resourceType': 'Patient', 'id': patient_id, 'name': [{'family': name}],
        'identifier': [{'system': 'urn:national', 'value': number}]}, 201)
    for i in range(3):
        send(client, 'POST', '/fhir/Observation', {
            'resourceType': 'Observation', 'status': 'final',
            'subject': {'reference': f'Patient/{patient_id}'},
            'code': {'text': f'said of {name} {i}'}}, 201)


def write(client):
    person(client, 'theirs', NAME, NUMBER)
    person(client, 'other', 'Bello', '123456789')
    # An earlier version, and one of a resource that was deleted.
    send(client, 'PUT', '/fhir/Patient/theirs', {
        'resourceType': 'Patient', 'id': 'theirs', 'name': [{'family': NAME + 'a'}],
        'identifier': [{'system': 'urn:national', 'value': NUMBER}]}, 200)
    send(client, 'PUT', '/fhir/Condition/gone', {
        'resourceType': 'Condition', 'id': 'gone', 'subject': {'reference': 'Patient/theirs'},
        'code': {'text': NAME}}, 201)
    expect('deleted', client.send('DELETE', '/fhir/Condition/gone').status in (200, 204))
    send(client, 'PUT', '/fhir/Appointment/both', {
        'resourceType': 'Appointment', 'id': 'both', 'status': 'booked', 'description': NAME,
        'participant': [{'actor': {'reference': f'Patient/{p}'}, 'status': 'accepted'}
                        for p in ('theirs', 'other')]}, 201)


def names(client, name):
    found = client.get(f'/fhir/Patient?family={name}').json()
    return [e['resource']['id'] for e in found.get('entry', [])]


def they_are_gone(carnet, top, data, *key):
    found = found_in(data)
    expect(f'still there: {found}', not found)
    with serve(carnet, top, data, '--audit', 'on', *key) as node:
        client = node.client()
        expect('the person is not read',
               client.get('/fhir/Patient/theirs').status == 404)
        expect('nor their history', client.get('/fhir/Patient/theirs/_history').status == 404)
        expect('the deleted resource has no history',
               client.get('/fhir/Condition/gone/_history').status == 404)
        expect('others are found', names(client, 'Bello') == ['other'])
        seen = client.get('/fhir/Observation?patient=Patient/other').json()
        expect('with what is theirs', seen['total'] == 3)
    run(carnet, 'check', '--data', data, *key)


def ledger_of(folder):
    return os.path.join(folder, 'carnet.erased')


def erase(carnet, top, data, key):
    said = run(carnet, 'erase', '--data', data, *key, '--basis', 'on request', 'urn:none|1',
               status=1)
    expect(said, 'no patient has this identifier' in said)
    said = run(carnet, 'erase', '--data', data, *key, f'urn:national|{NUMBER}', status=1)
    expect(said, '--basis' in said)
    said = run(carnet, 'erase', '--data', data, *key, '--basis', 'on request',
               f'urn:national|{NUMBER}', status=1)
    expect(said, 'Appointment/both' in said and 'not this person\'s alone' in said)
    expect('nothing was done', not os.path.exists(ledger_of(data)))
    with serve(carnet, top, data, '--audit', 'on', *key):
        said = run(carnet, 'erase', '--data', data, *key, '--basis', 'x', 'theirs', status=1)
        expect(said, 'a node serves this folder' in said)
    said = run(carnet, 'erase', '--data', data, *key, '--basis', 'on request', '--shared', 'remove',
               f'urn:national|{NUMBER}')
    expect(said, '1 accounts' in said and '1 shared ones' in said)
    run(carnet, 'audit', 'verify', '--data', data, *key)


def an_old_store_is_not_served(carnet, top, data, old, key):
    """An old file put under the ledger is told, and --again erases who is in it."""
    now = os.path.join(data, 'carnet.db')
    shutil.copy(now, now + '.kept')
    shutil.copy(old, now)
    try:
        with serve(carnet, top, data, *key):
            raise AssertionError('an old store is served under its ledger')
    except RuntimeError as e:
        expect(str(e), 'who were erased' in str(e))
    said = run(carnet, 'erase', '--data', data, *key, '--basis', 'x', '--shared', 'keep', 'other',
               status=1)
    expect(said, 'carnet erase --again' in said)
    said = run(carnet, 'erase', '--data', data, *key, '--again')
    expect(said, '1 people were still here' in said)
    os.remove(now + '.kept')


def whole(carnet, top, is_sealed):
    at = {n: os.path.join(top, n) for n in ('data', 'old', 'new', 'restored', 'keys', 'kept.db',
                                            'again')}
    key = ['--key-file', os.path.join(top, 'key')] if is_sealed else []
    keys = ['--person-keys', at['keys']] if is_sealed else []
    run(carnet, 'init', '--data', at['data'], *key)
    with serve(carnet, top, at['data'], '--audit', 'on', *key) as node:
        write(node.client())
        expect('found', names(node.client(), NAME) == ['theirs'])
        run(carnet, 'user', 'add', LOGIN, '--data', at['data'], *key, '--role', 'patient', '--name',
            NAME, '--fhir-user', 'Patient/theirs')
        run(carnet, 'backup', '--data', at['data'], *key, *keys, at['old'])
    shutil.copy(os.path.join(at['data'], 'carnet.db'), at['kept.db'])
    expect('the search for bytes finds them', is_sealed or found_in(at['data']))
    erase(carnet, top, at['data'], key)
    they_are_gone(carnet, top, at['data'], *key)
    with open(ledger_of(at['data']), encoding='ascii') as f:
        lines = f.read().splitlines()
    expect('one entry', len(lines) == 1)
    expect('it does not say whose',
           is_sealed or ('theirs' not in lines[0] and
                         json.loads(lines[0])['basis'] == 'on request'))

    # A new backup writes the ledger and the keys; the older backup is restored with those.
    run(carnet, 'backup', '--data', at['data'], *key, *keys, at['new'])
    os.mkdir(at['restored'])
    shutil.copy(ledger_of(at['new']), at['restored'])
    if is_sealed:
        shutil.copy(os.path.join(at['new'], 'carnet.keys'), at['restored'])
    said = run(carnet, 'restore', '--data', at['restored'], *key, *keys, at['old'])
    if not is_sealed:
        expect(said, '1 people of the backup were erased since' in said)
    shutil.rmtree(os.path.join(at['restored'], 'audit-before'))  # not reached by an erasing
    they_are_gone(carnet, top, at['restored'], *key)
    if not is_sealed:
        an_old_store_is_not_served(carnet, top, at['data'], at['kept.db'], key)
        they_are_gone(carnet, top, at['data'], *key)


def main():
    carnet = os.path.abspath(sys.argv[1])
    for is_sealed in (False, True):
        with tempfile.TemporaryDirectory(prefix='carnet-erased-') as top:
            whole(carnet, top, is_sealed)
    print('who is erased stays erased')


if __name__ == '__main__':
    main()
