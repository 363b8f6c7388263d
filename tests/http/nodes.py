#!/usr/bin/env python3
"""Several `carnet serve` on one PostgreSQL: nodes.py CARNET (below with_postgres.py)

What one node answers another finds at once; a search parameter and a code system that come through
one hold in the other; a node that dies while it writes costs nobody else anything.
"""
import os
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import node as nodes  # noqa: E402  (found beside the other helpers)
import stores  # noqa: E402

WAIT_SECONDS = 20


def expect(reply, status):
    if reply.status != status:
        raise AssertionError(f'{reply.status} instead of {status}: {reply.body[:500]}')
    return reply.json() if reply.body else None


def until(question, what):
    """Asks until it is so."""
    end = time.time() + WAIT_SECONDS
    while not question():
        if time.time() > end:
            raise AssertionError('never: ' + what)
        time.sleep(0.05)


def total(client, query):
    """-1 where a parameter is not known."""
    reply = client.get('/fhir/' + query, Prefer='handling=strict')
    return -1 if reply.status == 400 else expect(reply, 200)['total']


def records(a, b):
    for one, other in ((a, b), (b, a)) * 20:
        made = expect(one.send('POST', '/fhir/Patient', {'resourceType': 'Patient'}), 201)
        expect(other.get('/fhir/Patient/' + made['id']), 200)
        if total(other, 'Patient?_id=' + made['id']) != 1:
            raise AssertionError('a write that was answered is not found by another node')


def parameters(a, b):
    def patient(colour):
        return {'resourceType': 'Patient', 'extension': [{'url': 'urn:x:colour',
                                                          'valueCode': colour}]}

    expect(a.send('POST', '/fhir/Patient', patient('red')), 201)
    expect(a.send('PUT', '/fhir/SearchParameter/colour', {
        'resourceType': 'SearchParameter', 'id': 'colour', 'url': 'urn:x:colour-parameter',
        'name': 'colour', 'status': 'active', 'description': 'x', 'code': 'colour',
        'base': ['Patient'], 'type': 'token',
        'expression': "Patient.extension.where(url = 'urn:x:colour').value"}), 201)
    for client in (a, b):
        until(lambda: total(client, 'Patient?colour=red') == 1, 'the parameter is in force')
    # Whoever writes from here on gives it keys, and whoever updates takes them out again.
    made = expect(b.send('POST', '/fhir/Patient', patient('red')), 201)
    if total(a, 'Patient?colour=red') != 2:
        raise AssertionError('the second node writes without the parameter')
    made['extension'][0]['valueCode'] = 'blue'
    expect(a.send('PUT', '/fhir/Patient/' + made['id'], made), 200)
    if (total(b, 'Patient?colour=red'), total(b, 'Patient?colour=blue')) != (1, 1):
        raise AssertionError('an update leaves keys behind')


def terminology(a, b):
    def system(display):
        return {'resourceType': 'CodeSystem', 'id': 'metals', 'url': 'urn:x:metals',
                'status': 'active', 'content': 'complete',
                'concept': [{'code': 'fe', 'display': display}]}

    def display(client):
        reply = client.get('/fhir/CodeSystem/$lookup?system=urn:x:metals&code=fe')
        if reply.status != 200:
            return None
        return [p['valueString'] for p in reply.json()['parameter'] if p['name'] == 'display'][0]

    expect(a.send('PUT', '/fhir/CodeSystem/metals', system('Iron')), 201)
    for client in (a, b):
        until(lambda: display(client) == 'Iron', 'the code system is there')
    expect(b.send('PUT', '/fhir/CodeSystem/metals', system('Eisen')), 200)
    for client in (b, a):
        until(lambda: display(client) == 'Eisen', 'the code system has changed')


def death(folder, second):
    """One of two nodes is killed while both write."""
    with nodes.Node(second) as survivor:
        victim = nodes.Node(folder)
        acknowledged, failed, stop = [], [], threading.Event()

        def write(node, kept):
            client = node.client()
            while not stop.is_set():
                try:
                    reply = client.send('POST', '/fhir/Patient', {'resourceType': 'Patient'})
                except OSError:
                    return
                except nodes.http.client.HTTPException:
                    return
                if reply.status == 201:
                    acknowledged.append(reply.json()['id'])
                elif kept:
                    failed.append(reply.status)

        threads = [threading.Thread(target=write, args=(n, n is survivor))
                   for n in (victim, survivor) * 4]
        for t in threads:
            t.start()
        time.sleep(1)
        victim.process.send_signal(signal.SIGKILL)
        victim.process.wait()
        before = len(acknowledged)
        time.sleep(1)
        stop.set()
        for t in threads:
            t.join()
        victim.process.stdout.close()
        if failed or len(acknowledged) <= before:
            raise AssertionError(f'the survivor does not go on: {failed[:10]}')
        client = survivor.client()
        for i in acknowledged:
            expect(client.get('/fhir/Patient/' + i), 200)
    print(folder.run('check').strip())
    return len(acknowledged)


def counted(client):
    """Resources received, of all senders and types."""
    report = expect(client.get('/fhir/$conformance'), 200)
    return sum(p['count'] for g in report.get('group', []) for p in g['population']
               if p['code']['coding'][0]['code'] == 'denominator')


def tally(folder, second):
    """What each node counts adds up, and is kept."""
    policy = os.path.join(folder.path, 'policy.txt')
    with open(policy, 'w', encoding='utf-8') as f:
        f.write('* warn\n')
    with nodes.Node(folder, '--profiles', policy) as one:
        with nodes.Node(second, '--profiles', policy) as other:
            clients = one.client(), other.client()
            for client, n in zip(clients, (7, 5)):
                for _ in range(n):
                    expect(client.send('POST', '/fhir/Patient', {'resourceType': 'Patient'}), 201)
            for client in clients:
                until(lambda: counted(client) == 12, 'both count what either was sent')
    with nodes.Node(folder, '--profiles', policy) as one:
        if counted(one.client()) != 12:
            raise AssertionError('the tally of two nodes is not kept')


def shares_no_folder(folder):
    """Two nodes on one store need a folder each."""
    done = subprocess.run([folder.carnet, 'serve', '--open', '--listen', '127.0.0.1:0', '--data',
                           folder.data, *stores.options(folder.data)], timeout=60,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 1 or 'in use by another process' not in done.stdout:
        raise AssertionError(f'a second node in the folder: {done}')


def indexed(folder, second, words, status):
    """`carnet reindex --content-index` in the second node's folder."""
    done = subprocess.run([folder.carnet, 'reindex', '--data', second.data, '--content-index',
                           *stores.options(folder.data)], timeout=WAIT_SECONDS,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != status or words not in done.stdout:
        raise AssertionError(f'{words!r} and {status}: {done}')


def all_keys(folder, second):
    """Keys that every process must write are made by one that is alone."""
    if os.environ.get('CARNET_TEST_POOLED'):
        indexed(folder, second, 'behind a pooler nobody can tell', 1)
        return
    with nodes.Node(folder):
        indexed(folder, second, 'other processes use the store', 1)
    other = subprocess.Popen(['psql', '-X', '-q', stores.uri_of(folder.data), '-c',
                              'SELECT pg_advisory_lock(1667330670)', '-c', 'SELECT pg_sleep(60)'],
                             stdout=subprocess.DEVNULL)
    until(lambda: stores.sql("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND "
                             'objid = 1667330670 AND granted', stores.uri_of(folder.data)).strip(),
          'another process holds the store')
    indexed(folder, second, 'another process has the store for itself', 1)
    other.kill()
    other.wait()
    stores.sql('SELECT pg_terminate_backend(pid) FROM pg_locks WHERE objid = 1667330670',
               stores.uri_of(folder.data))
    indexed(folder, second, '', 0)
    with nodes.Node(folder) as one:
        client = one.client()
        expect(client.send('POST', '/fhir/Patient', {'resourceType': 'Patient', 'name': [
            {'family': 'Wanjiru'}]}), 201)
        if total(client, 'Patient?_content=wanjiru') != 1:
            raise AssertionError('a word written after indexing anew is not found')


def main():
    if not stores.SERVER:
        print('skipped: one process holds a folder (CARNET_TEST_STORE names no PostgreSQL)')
        return nodes.SKIPPED
    with nodes.Folder(sys.argv[1]) as folder:
        second = nodes.Second(folder)
        with nodes.Node(folder) as one, nodes.Node(second) as other:
            a, b = one.client(), other.client()
            shares_no_folder(folder)
            records(a, b)
            parameters(a, b)
            terminology(a, b)
        tally(folder, second)
        all_keys(folder, second)
        n = death(folder, second)
    print(f'{n} writes acknowledged around a death, none lost')
    return 0


if __name__ == '__main__':
    sys.exit(main())
