#!/usr/bin/env python3
"""What a PostgreSQL can refuse, each in one clear sentence: refusals.py CARNET

Wrong credentials, no database, no store in it or somebody else's tables, one of a newer version, a
role that may not, a server that does not wait for its disk, a read-only one, one that is gone.
"""
import json
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import node as nodes  # noqa: E402  (found beside the other helpers)
import stores  # noqa: E402
import with_postgres  # noqa: E402


def refused(folder, command, says, *options, uri=None):
    """The command ends with status 1 and one line that says so."""
    done = subprocess.run([folder.carnet, command, '--data', folder.data, '--store',
                           uri or stores.uri_of(folder.data), *options],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    lines = [line for line in done.stdout.splitlines() if not line.startswith('{')]
    if done.returncode != 1 or len(lines) != 1 or says not in lines[0]:
        raise AssertionError(f'{command} {options}: {done.returncode} {done.stdout}')


def on_opening(folder):
    uri = stores.uri_of(folder.data)
    refused(folder, 'init', 'already holds a store')
    refused(folder, 'check', 'role "nobody-knows" does not exist',
            uri=uri.replace('carnet@', 'nobody-knows@'))
    refused(folder, 'check', 'database "nowhere" does not exist',
            uri=uri.replace(stores.name_of(folder.data), 'nowhere'))
    refused(folder, 'check', 'holds no store', uri=stores.SERVER)
    refused(folder, 'check', 'cannot be opened', uri='postgresql://carnet@/x?host=/nonexistent')
    refused(folder, 'check', 'cannot be opened', uri='no connection string')
    refused(folder, 'backup', 'pg_basebackup or pg_dump', os.path.join(folder.path, 'copy'))
    for setting in ('synchronous_commit',):
        stores.sql(f'ALTER ROLE carnet SET {setting} = off')
        refused(folder, 'check', setting + ' = off')
        if ' 0 problems' not in folder.run('check', '--store-unsafe'):
            raise AssertionError('--store-unsafe does not allow it')
        stores.sql(f'ALTER ROLE carnet RESET {setting}')
    stores.sql("UPDATE carnet_meta SET value = '99' WHERE name = 'schema'", uri)
    refused(folder, 'check', 'of a newer version of carnet')
    stores.sql("UPDATE carnet_meta SET value = 'x' WHERE name = 'schema'", uri)
    refused(folder, 'check', 'which never was')
    stores.sql("UPDATE carnet_meta SET value = '1' WHERE name = 'schema'", uri)
    stores.sql('ALTER TABLE carnet_idx RENAME k TO key', uri)
    refused(folder, 'check', 'not those of a store: it lacks carnet_idx.k')
    refused(folder, 'serve', 'not those of a store: it lacks carnet_idx.k', '--open')
    stores.sql('ALTER TABLE carnet_idx RENAME key TO k', uri)


def in_anothers_database(folder):
    """Tables of others are told from a store, and left alone; a role without rights is told so."""
    data = os.path.join(folder.path, 'other')
    stores.make(data)
    uri = stores.uri_of(data)
    stores.sql('CREATE TABLE carnet_meta (thing int)', uri)
    refused(folder, 'check', 'not those of a store: it lacks carnet_meta.name', uri=uri)
    refused(folder, 'init', 'already holds a store', uri=uri)
    stores.sql('DROP TABLE carnet_meta; CREATE ROLE poor LOGIN', uri)
    refused(folder, 'init', 'allows this role too little', uri=uri.replace('carnet@', 'poor@'))
    stores.sql(f'ALTER DATABASE {stores.name_of(data)} SET default_transaction_read_only = on')
    refused(folder, 'init', 'read-only', uri=uri)
    if stores.sql("SELECT count(*) FROM pg_tables WHERE tablename LIKE 'carnet%'", uri) != '0\n':
        raise AssertionError('half a store is left where it was refused')


def with_passwords(folder, server):
    """A server that asks for passwords: a wrong one is told, once, and not what it was."""
    stores.sql("ALTER ROLE carnet PASSWORD 'right'")
    path = f'{server.dir}/data/pg_hba.conf'
    with open(path, encoding='utf-8') as f:
        trusting = f.read()
    try:
        with open(path, 'w', encoding='utf-8') as f:
            f.write('local all all scram-sha-256\n')
        server.process.send_signal(signal.SIGHUP)
        uri = stores.uri_of(folder.data)
        end = time.time() + 10
        ask = ['psql', '-X', '-w', '-c', '', uri]
        while subprocess.run(ask, capture_output=True).returncode == 0:
            if time.time() > end:
                raise AssertionError('the server goes on to trust everybody')
            time.sleep(0.05)
        refused(folder, 'check', 'password authentication failed', uri=uri + '&password=wrong')
        os.environ['PGPASSWORD'] = 'right'
        if ' 0 problems' not in folder.run('check'):
            raise AssertionError('the right password does not open it')
    finally:
        os.environ.pop('PGPASSWORD', None)
        with open(path, 'w', encoding='utf-8') as f:
            f.write(trusting)
        server.process.send_signal(signal.SIGHUP)


def without_its_disk(folder):
    """fsync = off is refused before anything is made, unless asked for."""
    uri = stores.SERVER
    with with_postgres.Postgres({'fsync': 'off'}) as server:
        try:
            stores.SERVER = server.uri
            data = os.path.join(folder.path, 'unsafe')
            stores.make(data)
            for _ in range(2):
                refused(folder, 'init', 'fsync = off', uri=stores.uri_of(data))
            done = subprocess.run([folder.carnet, 'init', '--data', data, '--store',
                                   stores.uri_of(data), '--store-unsafe'], capture_output=True)
            if done.returncode:
                raise AssertionError(f'--store-unsafe: {done}')
        finally:
            stores.SERVER = uri


def says(reply, status, text):
    issues = reply.outcome()
    if reply.status != status or not issues or text not in json.dumps(issues[0]):
        raise AssertionError(f'{reply}: not {status} "{text}"')


def at_work(folder, server):
    patient = {'resourceType': 'Patient'}
    with nodes.Node(folder) as node:
        client = node.client()
        made = client.send('POST', '/fhir/Patient', patient).json()['id']
        server.kill()
        for _ in range(3):
            says(client.get('/fhir/Patient/' + made), 503, 'database')
            says(client.send('POST', '/fhir/Patient', patient), 503, 'database')
        if client.get('/readyz').status != 503 or client.get('/livez').status != 200:
            raise AssertionError('/readyz or /livez is wrong without a database')
        server.start()
        for _ in range(3):
            if client.send('POST', '/fhir/Patient', patient).status != 201:
                raise AssertionError('the node does not come back')
        if client.get('/fhir/Patient/' + made).status != 200:
            raise AssertionError('an acknowledged write is lost')


def on_a_standby(folder, server):
    """It reads, and refuses to write until it is the primary."""
    standby = server.standby()
    try:
        stores.SERVER = standby.uri
        with nodes.Node(folder) as node:
            client = node.client()
            if client.get('/fhir/StructureDefinition/Patient').status != 200:
                raise AssertionError('a standby does not read')
            says(client.send('POST', '/fhir/Patient', {'resourceType': 'Patient'}), 503,
                 'read-only standby')
            stores.sql('SELECT pg_promote()')
            if client.send('POST', '/fhir/Patient', {'resourceType': 'Patient'}).status != 201:
                raise AssertionError('a standby that became the primary does not write')
    finally:
        stores.SERVER = server.uri
        standby.__exit__()


def main():
    if not with_postgres.find_programs():
        print('skipped: PostgreSQL is not installed')
        return nodes.SKIPPED
    with with_postgres.Postgres() as server:
        stores.SERVER = server.uri
        with nodes.Folder(sys.argv[1]) as folder:
            on_opening(folder)
            in_anothers_database(folder)
            with_passwords(folder, server)
            without_its_disk(folder)
            at_work(folder, server)
            on_a_standby(folder, server)
            print(folder.run('check').strip())
    return 0


if __name__ == '__main__':
    sys.exit(main())
