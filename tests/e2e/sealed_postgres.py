#!/usr/bin/env python3
"""An encrypted store in PostgreSQL, on two nodes: sealed_postgres.py CARNET [plain]

What a body, an account or a secret says is in no byte of the server's folder, while what the index
sorts by is; a wrong key and none are refused; the key is changed while nodes serve; somebody is
erased, and then no byte of them is left there, not in the write-ahead log either; a database from
before that is put back is told by the folders of both nodes. It moves to a folder and back.
With `plain` the store has no key, and only the erasing is tried.
"""
import base64
import json
import os
import re
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import erased  # noqa: E402
import stores  # noqa: E402
import with_postgres  # noqa: E402
from erased import NAME, NUMBER, expect, run, send, serve  # noqa: E402

SAID = 'Grelbuxonic'      # in a body, and in no index
CALLED = 'Plumtifary Q.'  # by their account
LOGIN = erased.LOGIN
# Segments that are not needed are removed, not written over: so every byte may be looked at.
SETTINGS = {'wal_recycle': 'off', 'autovacuum': 'off'}


def found_in(folder, *texts):
    """Which of the texts stand in a file below the folder."""
    found = set()
    for path, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(path, name), 'rb') as f:
                content = f.read()
            found |= {t for t in texts if (t if isinstance(t, bytes) else t.encode()) in content}
    return found


def settle(server):
    """All that is decided is in the tables' files, and no older log is kept."""
    for text in ('SELECT pg_switch_wal()', 'CHECKPOINT', 'SELECT pg_switch_wal()', 'CHECKPOINT'):
        stores.sql(text, server.uri)
    return os.path.join(server.dir, 'data')


def totp_of(said):
    """The secret of `carnet user totp`, as it is shown and as bytes."""
    text = re.search(r'\b[A-Z2-7]{32}\b', said.replace(' ', '')).group(0)
    return text, base64.b32decode(text)


class Test:
    def __init__(self, carnet, top, server, is_sealed):
        self.carnet, self.top, self.server, self.is_sealed = carnet, top, server, is_sealed
        self.a, self.b = os.path.join(top, 'a'), os.path.join(top, 'b')
        self.keys = [os.path.join(top, f'key{i}') for i in range(2)]
        stores.sql('CREATE DATABASE records', server.uri)
        self.uri = server.uri.replace('/postgres?', '/records?')
        self.old = server.uri.replace('/postgres?', '/old?')

    def options(self, key, uri=None):
        keys = ['--key-file', self.keys[key]] if self.is_sealed else []
        return ['--store', uri or self.uri, *keys]

    def command(self, name, *args, data=None, key=0, uri=None, status=0):
        return run(self.carnet, name, '--data', data or self.a, *self.options(key, uri), *args,
                   status=status)

    def node(self, data=None, key=0, uri=None):
        return serve(self.carnet, self.top, data or self.a, '--audit', 'on',
                     *self.options(key, uri))

    def refused(self, what, data, uri, key=0):
        try:
            with self.node(data, key, uri):
                raise AssertionError(f'it is served: {what}')
        except RuntimeError as e:
            expect(f'{what}: {e}', what in str(e))

    def write(self):
        said = self.command('init')
        expect('init says what the key is', ('Without it no record' in said) == self.is_sealed)
        with self.node() as node, self.node(self.b) as other:
            client = node.client()
            erased.write(client)
            send(client, 'PUT', '/fhir/Patient/theirs', {
                'resourceType': 'Patient', 'id': 'theirs', 'name': [{'family': NAME}],
                'identifier': [{'system': 'urn:national', 'value': NUMBER}],
                'contact': [{'name': {'text': SAID}}]}, 200)
            said = other.client().get('/fhir/Patient/theirs').json()
            expect('the other node reads it', said['contact'][0]['name']['text'] == SAID)
            expect('and finds it', erased.names(other.client(), NAME) == ['theirs'])
            self.command('user', 'add', LOGIN, '--role', 'patient', '--name', CALLED, '--fhir-user',
                         'Patient/theirs')
            self.secrets = totp_of(self.command('user', 'totp', LOGIN))

    def nothing_is_clear_but_the_index(self):
        found = found_in(settle(self.server), SAID, CALLED, NAME.lower(), *self.secrets)
        expect(f'in the clear: {found}', found == {NAME.lower()})
        for data in (self.a, self.b):
            expect('and in no folder', not found_in(data, SAID, CALLED, NAME, LOGIN))

    def keys_are_asked_for(self):
        said = run(self.carnet, 'check', '--data', self.a, '--store', self.uri, status=1)
        expect(said, 'the store in the database is encrypted; name its key' in said)
        run(self.carnet, 'key', 'new', self.keys[1])
        said = self.command('check', key=1, status=1)
        expect(said, 'is not the one of the store in the database' in said)
        os.remove(self.keys[1])
        expect('whole', ' 0 problems' in self.command('check'))

    def the_key_is_changed(self):
        with self.node() as node:
            for data in (self.a, self.b):
                self.command('key', 'rotate', '--new-key-file', self.keys[1], data=data)
            expect('who serves goes on', erased.names(node.client(), NAME) == ['theirs'])
        said = self.command('check', status=1)
        expect(said, 'is not the one of the store in the database' in said)
        with self.node(self.b, key=1) as node:
            expect('the new key opens', erased.names(node.client(), NAME) == ['theirs'])

    def somebody_is_erased(self):
        stores.sql('CREATE DATABASE old TEMPLATE records', self.server.uri)
        asked = ['--basis', 'on request', '--shared', 'remove', f'urn:national|{NUMBER}']
        with self.node(self.b, key=1):
            said = self.command('erase', *asked, key=1, status=1)
            expect(said, 'other processes use the store' in said)
        said = self.command('erase', *asked, key=1)
        expect(said, '1 accounts' in said and '1 shared ones' in said)
        for data in (self.a, self.b):
            with self.node(data, key=1) as node:
                client = node.client()
                expect('not read', client.get('/fhir/Patient/theirs').status == 404)
                expect('others are found', erased.names(client, 'Bello') == ['other'])
        expect('whole', ' 0 problems' in self.command('check', key=1))
        said = self.command('erase', '--basis', 'on request', 'theirs', data=self.b, key=1)
        expect(f'of the other node the log: {said}', re.search(r' [1-9]\d* entries', said))
        said = self.command('erase', '--basis', 'on request', 'nobody', key=1, status=1)
        expect(said, 'does not exist' in said)

    def an_old_database_is_told(self):
        for data in (self.a, self.b):
            self.refused('who were erased', data, self.old, key=1)
        said = self.command('erase', '--again', key=1, uri=self.old)
        expect(said, '1 people were still here' in said)
        with self.node(self.b, key=1, uri=self.old) as node:
            expect('gone', node.client().get('/fhir/Patient/theirs').status == 404)

    def no_byte_is_left(self):
        # Where the audit logs are, too: entries keep no name of the person's.
        texts = (SAID, CALLED, NAME, NAME.lower(), NUMBER, LOGIN, *self.secrets)
        for folder in (settle(self.server), self.a, self.b):
            found = found_in(folder, *texts)
            expect(f'{folder} has {found}', not found)

    def it_moves(self):
        key, back = ['--key-file', self.keys[1]], os.path.join(self.top, 'folder')
        ends = ['--from', self.uri, '--to', 'sqlite:' + back]
        said = run(self.carnet, 'migrate', *ends, '--data', self.a, *key)
        expect(said, 'SHA-256' in said)
        expect('sealed', not found_in(back, 'Bello', 'bello'))
        expect('whole', ' 0 problems' in run(self.carnet, 'check', '--data', back, *key))
        run(self.carnet, 'audit', 'verify', '--data', back, *key)
        with open(os.path.join(back, 'carnet.erased'), encoding='ascii') as f:
            expect('the ledger goes along', len(f.readlines()) == 1)
        stores.sql('CREATE DATABASE again', self.server.uri)
        again, data = self.uri.replace('/records?', '/again?'), os.path.join(self.top, 'c')
        run(self.carnet, 'migrate', '--from', 'sqlite:' + back, '--to', again, '--data', data, *key)
        same = self.command('export', key=1)
        expect('there and back is the same', self.command('export', data=data, key=1,
                                                          uri=again) == same)
        expect('records', any(json.loads(line)['id'] == 'other' for line in same.splitlines()))
        with self.node(data, key=1, uri=again) as node:
            expect('it is served', erased.names(node.client(), 'Bello') == ['other'])

    def run(self):
        self.write()
        if self.is_sealed:
            self.nothing_is_clear_but_the_index()
            self.keys_are_asked_for()
            self.the_key_is_changed()
        else:
            found = found_in(settle(self.server), CALLED, NAME.lower())
            expect(f'the search for bytes finds {found}', found == {CALLED, NAME.lower()})
        self.somebody_is_erased()
        self.an_old_database_is_told()
        stores.sql('DROP DATABASE old', self.server.uri)
        self.no_byte_is_left()
        if self.is_sealed:
            self.it_moves()


def main():
    if not with_postgres.find_programs():
        print('skipped: PostgreSQL is not installed')
        return 77
    top = tempfile.mkdtemp(prefix='carnet-sealed-')
    try:
        with with_postgres.Postgres(SETTINGS) as server:
            Test(os.path.abspath(sys.argv[1]), top, server, sys.argv[2:] != ['plain']).run()
    finally:
        shutil.rmtree(top, ignore_errors=True)
    print('what is encrypted is unreadable, and who is erased stays erased')
    return 0


if __name__ == '__main__':
    sys.exit(main())
