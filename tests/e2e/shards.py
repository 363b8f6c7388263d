#!/usr/bin/env python3
"""Which shards a request touches in a store that Citus has distributed: shards.py CARNET FOLDER

The coordinator explains every statement that the node sends it (auto_explain, with all tasks of
Citus: the shards stand in the plans), and logs each statement that it sends to a worker itself, for
the writes that go out as COPY. A patient's requests touch the shard of the patient's home and the
directory; a search of everybody touches all. The plans are kept in FOLDER/shards-explain.txt. Skips
unless CARNET_TEST_CITUS=start.
"""
import os
import re
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'lib'))
import node as nodes  # noqa: E402
import plans  # noqa: E402
import stores  # noqa: E402
import with_citus  # noqa: E402

PEOPLE = 12
TABLES = ('carnet_version', 'carnet_idx', 'carnet_home', 'carnet_guest')
SETTINGS = {'shared_preload_libraries': 'citus,' + plans.MODULE, 'log_min_messages': 'notice',
            'citus.explain_all_tasks': 'on'}
WATCHED = ('auto_explain.log_min_duration = 0', 'citus.log_remote_commands = on')
# What Citus asks of itself: the explaining, and its transactions on workers.
INNER = re.compile(r'EXPLAIN |BEGIN TRANSACTION|\n')
SHARD = re.compile(r'carnet_(?:version|idx|home|guest)_(\d+)')


class Watch:
    """What the coordinator has planned and sent to the workers since the last look."""

    def __init__(self, cluster):
        self.log, self.idle = plans.Log(cluster.coordinator), plans.Idle(cluster.uri)
        self.shards = {}
        for line in cluster.coordinator.sql(
                "SELECT shardid, logicalrelid FROM pg_dist_shard").split():
            shard, table = line.split('|')
            self.shards[int(shard)] = table

    def all(self, table):
        """The shards of a table."""
        return {s for s, of in self.shards.items() if of == table}

    def by_table(self, entries):
        found = {table: set() for table in TABLES}
        for shard in SHARD.findall('\n'.join(entries)):
            found[self.shards[int(shard)]].add(int(shard))
        return found

    def look(self):
        """The plans, and the shards of each table: in them, and in all that was sent."""
        self.idle.wait()
        entries = self.log.entries()
        found = [p.removeprefix('Query Text: ') for p in plans.texts(entries)]
        found = [p for p in found if not INNER.match(p)]
        sent = [e for e in entries if 'NOTICE:  issuing ' in e and 'issuing EXPLAIN' not in e]
        return found, self.by_table(found), self.by_table(sent)


def home_of(cluster, patient):
    """The shards of the patient's home, one of each table."""
    shards = cluster.coordinator.sql(
        "SELECT get_shard_id_for_distribution_column('carnet_version', v.home),"
        " get_shard_id_for_distribution_column('carnet_idx', v.home) FROM carnet_version v"
        f" WHERE v.row = {patient['row']}").strip().split('|')
    return {'carnet_version': {int(shards[0])}, 'carnet_idx': {int(shards[1])}}


def make(folder, cluster):
    """A store with a few people; the id and the row of one with observations and no guests."""
    folder.run('init')
    records = os.path.join(folder.path, 'people.ndjson')
    with open(records, 'wb') as f:
        subprocess.run([folder.carnet, 'synth', '--people', str(PEOPLE)], check=True, stdout=f,
                       stderr=subprocess.DEVNULL)
    folder.run('import', records)
    with nodes.Node(folder) as node:
        client = node.client()
        entries = client.get('/fhir/Observation?_count=200').json()['entry']
        client.close()
    patients = [e['resource'].get('subject', {}).get('reference', '') for e in entries]
    patient = max(set(patients), key=patients.count).removeprefix('Patient/')
    # A UUID's key is 01 and its bytes; another id its text and 00.
    plain = patient.replace('-', '')
    key = ('01' + plain if re.fullmatch('[0-9a-f]{32}', plain) and '-' in patient
           else patient.encode().hex() + '00')
    row = cluster.coordinator.sql(
        f"SELECT row FROM carnet_version WHERE id = '\\x{key}' ORDER BY row LIMIT 1").strip()
    return {'id': patient, 'row': row}


def requests(patient, record):
    """Of one patient: name, method, address, body; shards of the directory; whether EXPLAIN names
    all that is touched (what is inserted goes out as COPY)."""
    path = f'/fhir/Patient/{patient["id"]}'
    observation = {'resourceType': 'Observation', 'status': 'final', 'code': {'text': 'x'},
                   'subject': {'reference': f'Patient/{patient["id"]}'}}
    entry = {'resource': observation, 'request': {'method': 'POST', 'url': 'Observation'}}
    bundle = {'resourceType': 'Bundle', 'type': 'transaction', 'entry': [entry, entry]}
    return (('read', 'GET', path, None, 0, True),
            ('history', 'GET', path + '/_history', None, 0, True),
            ('search', 'GET', f'/fhir/Observation?patient={path[6:]}&_count=5', None, 1, True),
            ('search in the compartment', 'GET', path + '/Observation?_count=5', None, 1, True),
            ('everything', 'GET', path + '/$everything?_type=Observation,Condition', None, None,
             True),
            ('update', 'PUT', path, record, 0, False),
            ('create', 'POST', '/fhir/Observation', observation, 1, False),
            ('transaction', 'POST', '/fhir', bundle, 2, False))


def describe(found):
    return ', '.join(f'{t} {sorted(s)}' for t, s in found.items() if s)


def of_patient(score, watch, client, home, request, out):
    """One request of a patient: only the home, and so much of the directory."""
    name, method, url, body, directory, is_explained = request
    watch.look()
    reply = client.send(method, url, body)
    found, explained, sent = watch.look()
    score.check(reply.status in (200, 201), f'{name}: {reply}')
    print(f'{name}: explained {describe(explained)}; sent {describe(sent)}')
    out.write(f'== {name}: {method} {url}\nshards in plans: {describe(explained)}\n'
              f'shards of all that was sent to workers: {describe(sent)}\n\n')
    out.writelines(plan + '\n\n' for plan in found)
    # Who is referred to (practitioners, places) lives elsewhere, and is in $everything.
    tables = ['carnet_idx'] if name == 'everything' else ['carnet_version', 'carnet_idx']
    for table in tables:
        touched = explained[table] | sent[table]
        score.check(touched <= home[table], f'{name} leaves the home {home}: {touched}')
    score.check(not is_explained or explained == sent, f'{name}: {explained} is not {sent}')
    score.check(sent['carnet_version'] | sent['carnet_idx'], f'{name} touches nothing')
    n = len(sent['carnet_home']) + len(sent['carnet_guest'])
    score.check(directory is None or n <= directory, f'{name}: {n} shards of the directory')


def of_all(score, watch, client, out):
    watch.look()
    url = '/fhir/Patient?name=a&_count=50'
    client.get(url)
    found, explained, sent = watch.look()
    print(f'search of all: {describe(explained)}')
    out.write(f'== search of all: GET {url}\nshards in plans: {describe(explained)}\n\n')
    out.writelines(plan + '\n\n' for plan in found)
    for what in (explained, sent):
        score.check(what['carnet_idx'] == watch.all('carnet_idx'), f'not all are asked: {what}')


def check(score, cluster, folder, patient, out):
    home = home_of(cluster, patient)
    for setting in WATCHED:
        cluster.coordinator.sql(f'ALTER SYSTEM SET {setting}')
    cluster.coordinator.sql('SELECT pg_reload_conf()')
    watch = Watch(cluster)
    out.write(f'patient {patient["id"]}, home {describe(home)}\n\n')
    with nodes.Node(folder) as node:
        client = node.client()
        record = client.get(f'/fhir/Patient/{patient["id"]}').json()
        for request in requests(patient, record):
            of_patient(score, watch, client, home, request, out)
        of_all(score, watch, client, out)
        shows_by_itself(score, cluster, client)
        client.close()
    watch.idle.close()


def shows_by_itself(score, cluster, client):
    """As if the process that wrote the last group had died behind its commit: nobody writes any
    more, and yet the readers of another come to see it."""
    made = client.send('POST', '/fhir/Basic', {'resourceType': 'Basic', 'code': {'text': 'x'}})
    path = '/fhir/Basic/' + made.json()['id']
    cluster.coordinator.sql('UPDATE carnet_feed SET seen = row - 1')
    hidden = client.get(path).status
    end = time.time() + 20
    while client.get(path).status != 200 and time.time() < end:
        time.sleep(0.1)
    shown = client.get(path).status
    score.check((hidden, shown) == (404, 200), f'an unshown group is shown: {hidden}, {shown}')


class Stored(nodes.Folder):
    """A data folder whose store is the cluster's."""

    def __init__(self, carnet, uri):
        stores.SERVER = uri
        self.carnet = os.path.abspath(carnet)
        self.path = nodes.tempfile.mkdtemp(prefix='carnet-test-')
        self.data = os.path.join(self.path, 'data')
        stores.name_of = lambda data: 'postgres'

    def remove(self):
        nodes.shutil.rmtree(self.path, ignore_errors=True)


def main(carnet, folder_of_plans):
    if os.environ.get('CARNET_TEST_CITUS') != 'start' or not with_citus.is_installed():
        print('skipped: CARNET_TEST_CITUS=start and Citus are needed')
        return nodes.SKIPPED
    score = nodes.Score()
    path = os.path.join(folder_of_plans, 'shards-explain.txt')
    with with_citus.Cluster(SETTINGS) as cluster, Stored(carnet, cluster.uri) as folder, \
            open(path, 'w', encoding='utf-8') as out:
        check(score, cluster, folder, make(folder, cluster), out)
    print('plans: ' + path)
    return score.end()


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
