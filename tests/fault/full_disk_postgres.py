#!/usr/bin/env python3
"""A full disk below PostgreSQL's tables: full_disk_postgres.py CARNET

The database lies in a tablespace on a small file system of its own (full_disk.py makes it; needs
root, skips without). When it is full, writes get 507 with a time to come again, and nothing of them
is there; reads go on. Once there is room again so do writes, without a restart.
"""
import os
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import full_disk  # noqa: E402  (found beside this file)
import node as nodes  # noqa: E402
import stores  # noqa: E402
import with_postgres  # noqa: E402

WRITES = 3000


def refused(score, reply, what):
    score.check(reply.status == 507 and reply.outcome() and reply.headers.get('Retry-After'),
                f'{what}: {reply}')
    score.check('disk of the database is full' in str(reply.outcome()), f'{what}: {reply}')


def at_work(score, folder, disk):
    """Ids that were acknowledged, and those that were refused."""
    kept = []
    with nodes.Node(folder) as node:
        client = node.client()
        filler = full_disk.fill(disk)
        for i in range(WRITES):
            body = full_disk.basic(i, os.urandom(4000).hex())
            reply = client.send('PUT', f'/fhir/Basic/b{i}', body)
            if reply.status != 201:
                break
            kept.append(i)
        refused(score, reply, 'a write on a full disk')
        score.check(kept, 'no write before the disk was full')
        score.check(client.get(f'/fhir/Basic/b{len(kept)}').status == 404, 'half a write is there')
        entry = {'resource': {'resourceType': 'Patient'}, 'request': {'method': 'POST',
                                                                     'url': 'Patient'}}
        reply = client.send('POST', '/fhir', {'resourceType': 'Bundle', 'type': 'transaction',
                                              'entry': [entry] * 400})
        refused(score, reply, 'a transaction')
        found = client.get('/fhir/Patient?_summary=count')
        score.check(found.status == 200 and found.json()['total'] == 0, f'half of it: {found}')
        score.check(client.get(f'/fhir/Basic/b{kept[0]}').status == 200, 'reads do not go on')
        os.unlink(filler)
        reply = client.send('PUT', '/fhir/Basic/after', dict(full_disk.basic(0), id='after'))
        score.check(reply.status == 201, f'a write once there is room: {reply}')
        for i in kept:
            score.check(client.get(f'/fhir/Basic/b{i}').status == 200, f'b{i} is lost')
        client.close()
    return len(kept)


def main():
    if not with_postgres.find_programs():
        print('skipped: PostgreSQL is not installed')
        return nodes.SKIPPED
    disk = os.environ.get(full_disk.INSIDE)
    if not disk:
        return full_disk.enter()
    os.environ['TMPDIR'] = tempfile.tempdir = '/tmp'  # only the tables are on the small disk
    score = nodes.Score()
    os.chmod(disk, 0o755)
    space = os.path.join(disk, 'space')
    os.mkdir(space)
    with with_postgres.Postgres(folder='/tmp') as server:
        stores.SERVER = server.uri
        shutil.chown(space, server.user, server.group)
        stores.sql(f"CREATE TABLESPACE small LOCATION '{space}'")
        stores.make = lambda data: stores.sql(
            f'CREATE DATABASE {stores.name_of(data)} TABLESPACE small')
        with nodes.Folder(sys.argv[1]) as folder:
            n = at_work(score, folder, disk)
            out = folder.run('check')
            score.check(' 0 problems' in out, out)
        stores.sql('DROP TABLESPACE small')
        print(f'{n} writes before the disk was full')
    return score.end()


if __name__ == '__main__':
    sys.exit(main())
