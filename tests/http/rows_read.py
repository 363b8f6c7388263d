#!/usr/bin/env python3
"""How many rows a search makes the database read: rows_read.py CARNET [citus]

Plans do not flip: on skewed records (one code on nine of ten, one patient with most of them), with
tables that were analysed before they were filled, never, and just now, each statement reads at most
three times the rows that it answers, and each request of one parameter three times the entries of
its page, and a constant. PostgreSQL counts itself (auto_explain); with `citus`, its workers do.
"""
import contextlib
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import node as nodes  # noqa: E402  (found beside the other helpers)
import plans  # noqa: E402
import stores  # noqa: E402
import with_citus  # noqa: E402
import with_postgres  # noqa: E402

RECORDS = 4000
PATIENTS = 40
OF_STATEMENT = 48  # the feed is bisected by time
# However many there are: a page of a list; a list that is first measured in steps; all of them.
PAGE, STEPS, ALL = 160, 1500, None
SETTINGS = {'autovacuum': 'off', 'auto_explain.log_timing': 'off',
            'auto_explain.log_format': 'json'}
WATCHED = ('auto_explain.log_analyze = on', 'auto_explain.log_min_duration = 0')
SYSTEM = 'urn:test:codes'

SEARCHES = {
    'Observation?code=urn:test:codes|common': PAGE,
    'Observation?code=common&_count=50': PAGE,
    'Observation?code=urn:test:codes|rare': PAGE,
    'Observation?code=urn:test:codes|absent': PAGE,
    'Observation?status=final&_count=10': PAGE,
    'Observation?patient=Patient/p0': PAGE,
    'Observation?subject=Patient/p7': PAGE,
    'Observation?date=ge2020&_count=10': STEPS,
    'Observation?date=2021-03-05': PAGE,
    'Observation?date=lt1999': PAGE,
    'Observation?value-quantity=gt100&_count=10': ALL,  # by value, and a page is in another order
    'Observation?value-quantity=77': PAGE,
    'Observation?identifier=urn:test:ids|o77': PAGE,
    'Observation?identifier=o77': PAGE,
    'Observation?_id=o77': PAGE,
    'Observation?_lastUpdated=gt2020&_count=10': PAGE,
    'Observation?_sort=-date&_count=10': PAGE,
    'Observation?code:missing=true': ALL,
    'Patient?name=ann&_count=10': PAGE,
    'Patient?family:exact=Rarely': PAGE,
    'Patient?birthdate=1990-01-03': PAGE,
    'Patient?_id=p7': PAGE,
    'Patient/p7/Observation?_count=10': PAGE,
    'Observation/o77': PAGE,
    'Observation/o77/_history': PAGE,
    'Observation/_history?_count=10': PAGE,
    '_history?_count=10': PAGE,
}


def records():
    for i in range(PATIENTS):
        yield {'resourceType': 'Patient', 'id': f'p{i}', 'birthDate': f'1990-01-{i % 28 + 1:02}',
               'name': [{'family': 'Rarely' if i == 7 else 'Often', 'given': ['Ann']}]}
    for i in range(RECORDS):
        code = 'rare' if i % 800 == 5 else 'common' if i % 10 else f'code-{i % 70}'
        yield {'resourceType': 'Observation', 'id': f'o{i}', 'status': 'final',
               'identifier': [{'system': 'urn:test:ids', 'value': f'o{i}'}],
               'code': {'coding': [{'system': SYSTEM, 'code': code}]},
               'subject': {'reference': f'Patient/p{0 if i % 5 else i % PATIENTS}'},
               'effectiveDateTime': f'202{i % 3}-{i % 12 + 1:02}-{i % 28 + 1:02}',
               'valueQuantity': {'value': i, 'unit': 'm', 'code': 'm',
                                 'system': 'http://unitsofmeasure.org'}}


class Watch:
    """The plans of all that read records, wherever that is."""

    def __init__(self, uri, servers, n_shards):
        self.uri, self.servers = uri, servers
        self.n_shards = n_shards  # each of which is asked for a whole page
        self.idle = plans.Idle(uri)
        self.logs = [plans.Log(server) for server in servers]

    def set(self, on):
        for server in self.servers:
            for setting in WATCHED:
                name = setting.partition(' ')[0]
                stores.sql('ALTER SYSTEM ' + (f'SET {setting}' if on else f'RESET {name}'),
                           server.uri)
            stores.sql('SELECT pg_reload_conf()', server.uri)

    def look(self):
        self.idle.wait()
        found = [p for log in self.logs for p in plans.analysed(log.entries())]
        return [p for p in found if 'carnet_' in p['Query Text']]


def entries_of(reply):
    body = reply.json()
    return len(body.get('entry', [])) if body['resourceType'] == 'Bundle' else 1


def look_at(score, watch, client, what, search):
    """One request: what each of its statements read, and what all of them did. The first of its
    kind is not counted: how long lists are is learnt once."""
    for _ in range(2):
        watch.look()
        reply = client.get('/fhir/' + search + ('&_total=none' if '?' in search else ''))
    if not score.check(reply.status in (200, 404), f'{what}: {reply}'):
        return
    n, of_all, most = (entries_of(reply) if reply.status == 200 else 0), 0, SEARCHES[search]
    for p in watch.look():
        read, given = plans.rows_read(p['Plan']), plans.rows_given(p['Plan'])
        of_all += read
        score.check(read <= 3 * given + OF_STATEMENT,
                    f'{what}: {read} rows read for {given}: {json.dumps(p)}')
    print(f'{what}: {n} entries, {of_all} rows read')
    score.check(most is None or of_all <= 3 * n + most * watch.n_shards,
                f'{what}: {of_all} rows read for {n} entries')


def search_all(score, folder, watch, state):
    with nodes.Node(folder) as node:
        client = node.client()
        for search in SEARCHES:
            look_at(score, watch, client, f'{state}: {search}', search)
        client.close()


def sql_everywhere(watch, text):
    for server in {watch.uri, *(s.uri for s in watch.servers)}:
        stores.sql(text, server)


NEVER = ("DELETE FROM pg_statistic; UPDATE pg_class SET reltuples = -1, relpages = 0"
         " WHERE relname LIKE 'carnet%'")


def check(score, folder, watch):
    sql_everywhere(watch, 'ANALYZE')
    watch.set(True)
    search_all(score, folder, watch, 'empty')
    watch.set(False)
    path = os.path.join(folder.path, 'records.ndjson')
    with open(path, 'w', encoding='utf-8') as f:
        f.writelines(json.dumps(r) + '\n' for r in records())
    folder.run('import', path)
    watch.set(True)
    search_all(score, folder, watch, 'analysed before it was filled')
    sql_everywhere(watch, NEVER)
    search_all(score, folder, watch, 'never analysed')
    sql_everywhere(watch, 'ANALYZE')
    search_all(score, folder, watch, 'analysed')


class Stored(nodes.Folder):
    """A data folder whose store is the server's own database."""

    def __init__(self, carnet, uri):
        stores.SERVER, stores.name_of, stores.make = uri, lambda _: 'postgres', lambda _: None
        stores.remove = lambda _: None
        super().__init__(carnet)


def main(carnet, which=None):
    is_citus = which == 'citus'
    if is_citus and (os.environ.get('CARNET_TEST_CITUS') != 'start'
                     or not with_citus.is_installed()):
        print('skipped: CARNET_TEST_CITUS=start and Citus are needed')
        return nodes.SKIPPED
    if not with_postgres.find_programs():
        print('skipped: PostgreSQL is not installed')
        return nodes.SKIPPED
    score = nodes.Score()
    with contextlib.ExitStack() as stack:
        if is_citus:
            settings = dict(SETTINGS, shared_preload_libraries='citus,' + plans.MODULE)
            server = stack.enter_context(with_citus.Cluster(settings))
            servers, n_shards = server.workers, int(with_citus.SETTINGS['citus.shard_count'])
        else:
            settings = dict(SETTINGS, shared_preload_libraries=plans.MODULE)
            server = stack.enter_context(with_postgres.Postgres(settings))
            servers, n_shards = [server], 1
        folder = stack.enter_context(Stored(carnet, server.uri))
        watch = Watch(server.uri, servers, n_shards)
        stack.callback(watch.idle.close)
        check(score, folder, watch)
    return score.end()


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
