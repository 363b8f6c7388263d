#!/usr/bin/env python3
"""carnet migrate, there and back: migrate.py CARNET

A store with history, deletions, an account and an audit log goes from SQLite to PostgreSQL while
the command is killed and the source changes in between, and back again. What is compared is what
nodes and commands say of each store.
"""
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import node as nodes  # noqa: E402
import stores  # noqa: E402
import with_postgres  # noqa: E402

PEOPLE = 100
CHANGED = 30
KILLS = 3
WAIT_SECONDS = 120


class Place(nodes.Folder):
    """A data folder that something else has filled, or will."""

    def __init__(self, folder, name):
        self.carnet, self.path = folder.carnet, folder.path
        self.data = os.path.join(folder.path, name)


def migrate(carnet, source, target, *options):
    done = subprocess.run([carnet, 'migrate', '--from', source, '--to', target, *options],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=WAIT_SECONDS)
    return done.returncode, done.stdout


def position(uri):
    """How far the copy in PostgreSQL is."""
    try:
        return int(stores.sql('SELECT row FROM carnet_feed', uri))
    except RuntimeError:  # nothing is there yet
        return 0


def kill_at(carnet, source, target, data, row):
    """Kills the command once so many versions are there; False if it ended before."""
    process = subprocess.Popen([carnet, 'migrate', '--from', source, '--to', target, '--data',
                                data], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end = time.monotonic() + WAIT_SECONDS
    while process.poll() is None and position(target) < row and time.monotonic() < end:
        pass
    if process.poll() is not None:
        return False
    process.send_signal(signal.SIGKILL)
    process.wait()
    return True


def change(folder, first, *options):
    """A node on the folder: some patients change, some are deleted, some of those come back."""
    with nodes.Node(folder, '--audit', 'on', *options) as node:
        client = node.client()
        found = client.get(f'/fhir/Patient?_count={first + CHANGED}').json()['entry'][first:]
        for i, entry in enumerate(found):
            patient = entry['resource']
            path = f'/fhir/Patient/{patient["id"]}'
            patient.setdefault('name', [{}])[0]['text'] = f'Renamed {first} {i}'
            assert client.send('PUT', path, patient).status == 200
            if i % 3 == 0:
                assert client.send('DELETE', path).status in (200, 204)
            if i % 6 == 0:
                assert client.send('PUT', path, patient).status == 201
        client.close()


def shown(folder, *options):
    """What a node on a store says of its newest versions, without what is the node's own."""
    with nodes.Node(folder, *options) as node:
        client = node.client()
        history = client.get('/fhir/Patient/_history?_count=200').json()['entry']
        found = client.get('/fhir/Patient?name=renamed&_count=200&_sort=_id').json()
        client.close()
    return ([(e.get('resource'), e['request']['method'], e['response']) for e in history],
            [e['resource'] for e in found['entry']], found['total'])


def there(score, folder, server, moved):
    """To PostgreSQL, with accidents."""
    source, carnet = 'sqlite:' + folder.data, folder.carnet
    kills = 0
    for i in range(KILLS):
        killed = kill_at(carnet, source, server.uri, moved, 600 * (i + 1))
        kills += killed
        if killed and i == 0:
            done = subprocess.run([carnet, 'check', '--data', moved, '--store', server.uri],
                                  capture_output=True, text=True)
            score.check(done.returncode == 1 and 'not whole yet' in done.stderr,
                        f'a half store is refused: {done}')
            change(folder, 0)
    score.check(kills > 0, 'the command ended before it was killed')
    code, said = migrate(carnet, source, server.uri, '--data', moved)
    score.check(code == 0 and 'were there already' in said and 'SHA-256' in said, said)
    code, said = migrate(carnet, source, server.uri, '--data', moved)
    score.check(code == 1 and 'holds a store already' in said, said)


def refusals(score, folder, server):
    carnet, source = folder.carnet, 'sqlite:' + folder.data
    for ends, want in (
            (('mysql://x', server.uri), 'must be sqlite:DIR or postgresql://'),
            (('sqlite:' + folder.path + '/none', server.uri), 'does not exist'),
            ((source, server.uri), '--data says in which folder'),
            ((source, source), 'in use')):
        code, said = migrate(carnet, *ends)
        score.check(code == 1 and want in said, f'{ends}: {said}')


def run(score, folder, server):
    carnet, here, back = folder.carnet, Place(folder, 'moved'), Place(folder, 'back')
    moved = here.data
    records = os.path.join(folder.path, 'people.ndjson')
    with open(records, 'wb') as f:
        subprocess.run([carnet, 'synth', '--people', str(PEOPLE)], check=True, stdout=f,
                       stderr=subprocess.DEVNULL)
    folder.run('import', records)
    change(folder, CHANGED)
    with nodes.Node(folder, is_open=False):
        pass  # makes an account
    there(score, folder, server, moved)

    done = subprocess.run([carnet, 'check', '--data', moved, '--store', server.uri],
                          capture_output=True, text=True)
    score.check(done.returncode == 0 and ' 0 problems' in done.stdout, f'check: {done}')
    same = folder.run('export')
    done = subprocess.run([carnet, 'export', '--data', moved, '--store', server.uri],
                          capture_output=True, text=True)
    score.check(done.stdout == same, 'the export of both is the same')
    score.check(shown(folder) == shown(here, '--store', server.uri), 'both nodes say the same')
    done = subprocess.run([carnet, 'audit', 'verify', '--data', moved], capture_output=True,
                          text=True)
    score.check(done.returncode == 0, f'audit verify: {done}')

    code, said = migrate(carnet, server.uri, 'sqlite:' + back.data, '--data', moved)
    score.check(code == 0 and 'SHA-256' in said, said)
    score.check(back.run('export') == same, 'there and back is the same')
    score.check(' 0 problems' in back.run('check'), 'and whole')
    score.check('operator' in back.run('user', 'list'), 'with its account')


def main(carnet):
    if not with_postgres.find_programs():
        print('skipped: PostgreSQL is not installed')
        return nodes.SKIPPED
    score = nodes.Score()
    with nodes.Folder(carnet) as folder, with_postgres.Postgres() as server:
        run(score, folder, server)
        with with_postgres.Postgres() as other:
            refusals(score, folder, other)
    return score.end()


if __name__ == '__main__':
    sys.exit(main(sys.argv[1]))
