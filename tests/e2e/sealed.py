#!/usr/bin/env python3
"""An encrypted node: sealed.py CARNET

What is written through it is found in no file of its folder and of its backups, while it serves and
afterwards; the key is changed while it serves; a wrong key, none, and one too many are told apart;
a backup is verified by restoring it; a store that is not encrypted becomes one by restoring a
backup.
"""
import os
import subprocess
import sys
import tempfile
import types

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import node as nodes  # noqa: E402

NAME = 'Xiloquenthazar'
ID = 'patient-of-the-secret'
SECRETS = [NAME.encode(), NAME.lower().encode(), ID.encode()]
NOTE_BYTES = 2 << 20


def run(carnet, *args, status=0, env=None):
    done = subprocess.run([carnet, *args], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, env={**os.environ, **(env or {})})
    if done.returncode != status:
        raise AssertionError(f'carnet {" ".join(args)} ended with {done.returncode}: {done.stdout}')
    return done.stdout


def found_in(folder):
    """Files below a folder that hold a secret, deleted ones that a process has open with them."""
    found = []
    for path, _, names in os.walk(folder):
        for name in names:
            full = os.path.join(path, name)
            if os.path.isfile(full):
                with open(full, 'rb') as f:
                    content = f.read()
                found += [full for s in SECRETS if s in content]
    return found


def serve(carnet, top, data, *options):
    return nodes.Node(types.SimpleNamespace(carnet=carnet, data=data, path=top), *options)


def expect(what, condition):
    if not condition:
        raise AssertionError(what)


def expect_nothing_in(folder):
    found = found_in(folder)
    expect(f'in the clear: {found}', not found)


def write(node, patient_id=ID):
    client = node.client()
    patient = {'resourceType': 'Patient', 'id': patient_id, 'name': [{'family': NAME}]}
    status = client.send('PUT', f'/fhir/Patient/{patient_id}', patient).status
    expect(f'put: {status}', status == 201)
    # Larger than what is kept in memory while it arrives.
    note = {'resourceType': 'Basic', 'code': {'text': NAME},
            'subject': {'reference': f'Patient/{patient_id}'},
            'text': {'status': 'generated', 'div': '<div xmlns="http://www.w3.org/1999/xhtml">' +
                     (NAME + ' ') * (NOTE_BYTES // 15) + '</div>'}}
    status = client.send('POST', '/fhir/Basic', note).status
    expect(f'post: {status}', status == 201)


def reads(node):
    found = node.client().get(f'/fhir/Patient?family={NAME}').json()
    return [e['resource']['id'] for e in found.get('entry', [])] == [ID]


def put_back(carnet, top, at):
    """An old database under the folder's own audit log is not served, a restored backup is, and one
    from before the key was changed too."""
    db = os.path.join(at['data'], 'carnet.db')
    with open(db, 'rb') as f:
        old = f.read()
    with serve(carnet, top, at['data'], '--audit', 'on', '--key-file', at['key2']) as node:
        write(node, 'later')
    with open(db, 'wb') as f:
        f.write(old)
    try:
        with serve(carnet, top, at['data'], '--audit', 'on', '--key-file', at['key2']):
            raise AssertionError('a store that was put back is served')
    except RuntimeError as e:
        expect(str(e), 'older than its audit log' in str(e))
    os.remove(db)
    run(carnet, 'key', 'rotate', '--data', at['data'], '--key-file', at['key2'], '--new-key-file',
        at['key3'])
    run(carnet, 'restore', '--data', at['data'], '--key-file', at['key3'], '--backup-key-file',
        at['key2'], '--person-keys', at['persons'], at['backup'])
    with serve(carnet, top, at['data'], '--audit', 'on', '--key-file', at['key3']) as node:
        expect('what was restored over the log is found', reads(node))
    expect_nothing_in(at['data'])


def main():
    carnet = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory(prefix='carnet-sealed-') as top:
        at = {n: os.path.join(top, n) for n in
              ('data', 'key', 'key2', 'backup', 'restored', 'plain', 'plain-backup', 'made',
               'key3', 'persons')}
        said = run(carnet, 'init', '--data', at['data'], '--key-file', at['key'])
        expect('init says what the key is', 'Without it nothing' in said)
        expect('mode of the key', os.stat(at['key']).st_mode & 0o777 == 0o600)
        with serve(carnet, top, at['data'], '--audit', 'on', '--key-file', at['key']) as node:
            write(node)
            expect('it is found', reads(node))
            expect_nothing_in(at['data'])
            run(carnet, 'key', 'rotate', '--data', at['data'], '--key-file', at['key'],
                '--new-key-file', at['key2'])
            said = run(carnet, 'backup', '--data', at['data'], '--key-file', at['key2'],
                       at['backup'], status=1)
            expect(said, 'name a file for those keys' in said)
            run(carnet, 'backup', '--data', at['data'], '--key-file', at['key2'], '--person-keys',
                at['persons'], at['backup'])
            expect('the node goes on', reads(node))
        for folder in ('data', 'backup'):
            expect_nothing_in(at[folder])

        said = run(carnet, 'check', '--data', at['data'], '--key-file', at['key'], status=1)
        expect(said, 'is not the one of the store' in said)
        said = run(carnet, 'check', '--data', at['data'], status=1)
        expect(said, 'is encrypted; name its key' in said)
        with open(at['key2'], encoding='ascii') as f:
            run(carnet, 'check', '--data', at['data'], env={'CARNET_KEY': f.read()})

        said = run(carnet, 'restore', '--data', at['restored'], '--key-file', at['key2'],
                   at['backup'], status=1)
        expect(said, 'has no keys of persons' in said)
        run(carnet, 'check', '--data', at['backup'], '--key-file', at['key2'])
        said = run(carnet, 'export', '--data', at['backup'], '--key-file', at['key2'],
                   status=1)
        expect(said, 'holds the copy of a store' in said)
        run(carnet, 'restore', '--data', at['restored'], '--key-file', at['key2'], '--person-keys',
            at['persons'], at['backup'])
        run(carnet, 'check', '--data', at['restored'], '--key-file', at['key2'])
        expect_nothing_in(at['restored'])
        run(carnet, 'audit', 'verify', '--data', os.path.join(at['backup'], 'audit-copy'),
            '--key-file', at['key2'])
        with serve(carnet, top, at['restored'], '--key-file', at['key2']) as node:
            expect('what was restored is found', reads(node))

        put_back(carnet, top, at)

        run(carnet, 'init', '--data', at['plain'])
        with serve(carnet, top, at['plain'], '--audit', 'on') as node:
            write(node)
        expect('the search for secrets finds them', len(found_in(at['plain'])) > 0)
        said = run(carnet, 'check', '--data', at['plain'], '--key-file', at['key'], status=1)
        expect(said, 'is not encrypted' in said)
        run(carnet, 'backup', '--data', at['plain'], at['plain-backup'])
        run(carnet, 'restore', '--data', at['made'], '--key-file', at['key3'], at['plain-backup'])
        expect_nothing_in(at['made'])
        before = os.path.join(at['made'], 'audit-before')
        for name in os.listdir(before):
            run(carnet, 'audit', 'verify', '--data', os.path.join(before, name), '--key-file',
                at['key3'])
        with serve(carnet, top, at['made'], '--key-file', at['key3']) as node:
            expect('what became encrypted is found', reads(node))
    print('nothing in the clear')


if __name__ == '__main__':
    main()
