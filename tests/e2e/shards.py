#!/usr/bin/env python3
"""Which shards a request touches in a store that Citus has distributed: shards.py CARNET

Citus logs each statement that the coordinator sends to a worker; the shards' numbers stand in it. A
patient's requests touch the shard of the patient's home, and the directory; a search of everything
touches all. Skips unless CARNET_TEST_CITUS=start.
"""
import os
import re
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'lib'))
import node as nodes  # noqa: E402
import stores  # noqa: E402
import with_citus  # noqa: E402

PEOPLE = 12
TABLES = ('carnet_version', 'carnet_idx', 'carnet_home', 'carnet_guest')


class Watch:
    """What the coordinator has sent to the workers since the last look."""

    def __init__(self, cluster):
        self.coordinator, self.seen = cluster.coordinator, 0
        self.shards = {}
        for line in self.coordinator.sql(
                "SELECT shardid, logicalrelid FROM pg_dist_shard").split():
            shard, table = line.split('|')
            self.shards[int(shard)] = table

    def touched(self):
        """The shards of each table."""
        text = self.coordinator.text()
        new, self.seen = text[self.seen:], len(text)
        found = {table: set() for table in TABLES}
        for shard in re.findall(r'carnet_(?:version|idx|home|guest)_(\d+)', new):
            found[self.shards[int(shard)]].add(int(shard))
        return found


def home_of(cluster, patient):
    """The shards of the patient's home, one of each table."""
    shards = cluster.coordinator.sql(
        "SELECT get_shard_id_for_distribution_column('carnet_version', v.home),"
        " get_shard_id_for_distribution_column('carnet_idx', v.home) FROM carnet_version v"
        f" WHERE v.row = {patient['row']}").strip().split('|')
    return {int(shards[0])}, {int(shards[1])}


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
    guests = int(cluster.coordinator.sql('SELECT count(*) FROM carnet_guest'))
    patients = [e['resource'].get('subject', {}).get('reference', '') for e in entries]
    patient = max(set(patients), key=patients.count).removeprefix('Patient/')
    # A UUID's key is 01 and its bytes; another id its text and 00.
    plain = patient.replace('-', '')
    key = ('01' + plain if re.fullmatch('[0-9a-f]{32}', plain) and '-' in patient
           else patient.encode().hex() + '00')
    row = cluster.coordinator.sql(
        f"SELECT row FROM carnet_version WHERE id = '\\x{key}' ORDER BY row LIMIT 1").strip()
    return {'id': patient, 'row': row, 'guests': guests}


def check(score, cluster, folder, patient):
    version, idx = home_of(cluster, patient)
    cluster.coordinator.sql("ALTER SYSTEM SET citus.log_remote_commands = on")
    cluster.coordinator.sql("SELECT pg_reload_conf()")
    watch = Watch(cluster)
    path = f'/fhir/Patient/{patient["id"]}'
    observation = {'resourceType': 'Observation', 'status': 'final', 'code': {'text': 'x'},
                   'subject': {'reference': f'Patient/{patient["id"]}'}}
    with nodes.Node(folder) as node:
        client = node.client()
        record = client.get(path).json()
        for name, method, url, body in (
                ('read', 'GET', path, None),
                ('history', 'GET', path + '/_history', None),
                ('search', 'GET', f'/fhir/Observation?patient={path[6:]}&_count=5', None),
                ('search in the compartment', 'GET', path + '/Observation?_count=5', None),
                ('everything', 'GET', path + '/$everything?_type=Observation,Condition', None),
                ('update', 'PUT', path, record),
                ('create', 'POST', '/fhir/Observation', observation),
                ('transaction', 'POST', '/fhir',
                 {'resourceType': 'Bundle', 'type': 'transaction', 'entry': [
                     {'resource': observation, 'request': {'method': 'POST', 'url': 'Observation'}},
                     {'resource': observation,
                      'request': {'method': 'POST', 'url': 'Observation'}}]})):
            watch.touched()
            reply = client.send(method, url, body)
            found = watch.touched()
            score.check(reply.status in (200, 201), f'{name}: {reply}')
            print(f'{name}: ' + ', '.join(f'{t} {len(s)}' for t, s in found.items()))
            # Who is referred to (practitioners, places) lives elsewhere, and is in $everything.
            inside = name == 'everything' or found['carnet_version'] <= version
            score.check(inside and found['carnet_idx'] <= idx,
                        f'{name} leaves the home {version} {idx}: {found}')
            score.check(found['carnet_version'] | found['carnet_idx'], f'{name} touches nothing')
        watch.touched()
        client.get('/fhir/Patient?name=a&_count=50')
        found = watch.touched()
        everywhere = {s for s, table in watch.shards.items() if table == 'carnet_idx'}
        print(f'search of all: carnet_idx {len(found["carnet_idx"])} of {len(everywhere)}')
        score.check(found['carnet_idx'] == everywhere, f'a search of all asks all: {found}')
        shows_by_itself(score, cluster, client, observation)
        client.close()


def shows_by_itself(score, cluster, client, observation):
    """As if the process that wrote the last group had died behind its commit: nobody writes any
    more, and yet the readers of another come to see it."""
    made = client.send('POST', '/fhir/Observation', observation).json()['id']
    cluster.coordinator.sql('UPDATE carnet_feed SET seen = row - 1')
    hidden = client.get('/fhir/Observation/' + made).status
    end = time.time() + 20
    while client.get('/fhir/Observation/' + made).status != 200 and time.time() < end:
        time.sleep(0.1)
    shown = client.get('/fhir/Observation/' + made).status
    score.check((hidden, shown) == (404, 200), f'an unshown group is shown: {hidden}, {shown}')


def main(carnet):
    if os.environ.get('CARNET_TEST_CITUS') != 'start' or not with_citus.is_installed():
        print('skipped: CARNET_TEST_CITUS=start and Citus are needed')
        return nodes.SKIPPED
    score = nodes.Score()
    with with_citus.Cluster({'log_min_messages': 'notice'}) as cluster:
        with Stored(carnet, cluster.uri) as folder:
            check(score, cluster, folder, make(folder, cluster))
    return score.end()


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


if __name__ == '__main__':
    sys.exit(main(sys.argv[1]))
