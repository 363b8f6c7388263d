#!/usr/bin/env python3
"""Many clients at once: parallel.py CARNET

Conditional creates with one identifier make one resource; updates with If-Match lose none; a search
paged through while others write shows each untouched row once and no row twice; what was answered
is seen by every read after it, whichever connection of the store it gets: also $expunge.
"""
import json
import os
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import node as nodes  # noqa: E402

THREADS = 32
CREATES = 1000
INCREMENTS = 20     # of each thread
ROWS = 600
PAGE = 20
PAGE_ROUNDS = 6
EXPUNGES = 40       # of each of 8 threads


def patient(**more):
    return {'resourceType': 'Patient', **more}


def creates(node, score):
    """One identifier, one resource; everyone hears of the same one."""
    statuses, places, lock = {}, set(), threading.Lock()
    body = json.dumps(patient(identifier=[{'system': 'urn:test', 'value': 'only'}]))

    def work(i):
        client = node.client()
        for _ in range(i, CREATES, THREADS):
            reply = client.send('POST', '/fhir/Patient', body,
                                If_None_Exist='identifier=urn:test|only')
            with lock:
                statuses[reply.status] = statuses.get(reply.status, 0) + 1
                places.add(reply.headers.get('Location') or reply.headers.get('Content-Location'))
        client.close()

    nodes.in_threads(THREADS, work)
    score.check(statuses == {201: 1, 200: CREATES - 1}, f'conditional creates: {statuses}')
    score.check(len(places) == 1 and None not in places, f'{len(places)} places: {places}')
    client = node.client()
    found = list(client.pages('/fhir/Patient?identifier=urn:test|only'))
    score.check(len(found) == 1, f'{len(found)} resources of one identifier')
    client.close()


def updates(node, score):
    """A counter in one resource, incremented by read, If-Match and retry."""
    client = node.client()
    client.send('PUT', '/fhir/Patient/counter', patient(id='counter', multipleBirthInteger=0))
    refused, lock = [0], threading.Lock()

    def increment(own):
        while True:
            got = own.get('/fhir/Patient/counter')
            resource = got.json()
            resource['multipleBirthInteger'] += 1
            reply = own.send('PUT', '/fhir/Patient/counter', resource,
                             If_Match=got.headers['ETag'])
            if reply.status == 200:
                return
            if reply.status != 412:
                raise RuntimeError(f'update: {reply}')
            with lock:
                refused[0] += 1

    def work(_):
        own = node.client()
        for _ in range(INCREMENTS):
            increment(own)
        own.close()

    nodes.in_threads(THREADS, work)
    last = client.get('/fhir/Patient/counter').json()
    done = THREADS * INCREMENTS
    score.check(last['multipleBirthInteger'] == done,
                f"the counter says {last['multipleBirthInteger']} after {done} updates")
    versions = [e['resource']['multipleBirthInteger']
                for e in client.pages('/fhir/Patient/counter/_history?_count=100')]
    score.check(versions == list(range(done, -1, -1)), 'the history has not each value once')
    print(f'{done} updates, {refused[0]} refused with 412 and tried again')
    client.close()


def paging(node, score):
    """Odd rows are rewritten (and stay matches), even ones rest, others come and go."""
    client = node.client()
    for start in range(0, ROWS, 100):
        client.send('POST', '/fhir', {'resourceType': 'Bundle', 'type': 'batch', 'entry': [
            {'resource': patient(id=f'row{i}', active=True, gender='female',
                                 birthDate=f'19{i % 100:02}-01-01'),
             'request': {'method': 'PUT', 'url': f'Patient/row{i}'}}
            for i in range(start, start + 100)]})
    ending, writes = threading.Event(), [0] * 4

    def write(n):
        own, k = node.client(), 0
        while not ending.is_set():
            i = (2 * (n + 4 * k) + 1) % ROWS
            reply = own.send('PUT', f'/fhir/Patient/row{i}', patient(
                id=f'row{i}', active=True, gender='female', birthDate=f'20{k % 100:02}-01-01'))
            other = f'/fhir/Patient/other{n}-{k % 50}'
            if k % 2:
                own.send('PUT', other, patient(id=other.split('/')[-1], gender='female'))
            else:
                own.send('DELETE', other)
            score.check(reply.status == 200, f'a write beside the paging: {reply}')
            k += 1
            writes[n] += 2
        own.close()

    writers = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for w in writers:
        w.start()
    try:
        for order in ('', '&_sort=birthdate', '&_sort=-_lastUpdated', '&_sort=_id'):
            for _ in range(PAGE_ROUNDS):
                ids = [e['resource']['id'] for e in client.pages(
                    f'/fhir/Patient?gender=female&_count={PAGE}{order}')]
                check_pages(score, ids, order)
    finally:
        ending.set()
        for w in writers:
            w.join()
    print(f'{PAGE_ROUNDS * 4} rounds of paging beside {sum(writes)} writes')
    client.close()


def expunged(node, score):
    """Beside readers and writers, a resource comes and goes for good, seen from other threads."""
    ending = threading.Event()

    def load(n):
        own, k = node.client(), 0
        while not ending.is_set():
            own.send('PUT', f'/fhir/Patient/load{n}', patient(id=f'load{n}', gender='male'))
            own.get('/fhir/Patient?gender=male&_count=50')
            own.get(f'/fhir/Patient?identifier=gone{(n + k) % THREADS}')
            k += 1
        own.close()

    def work(i):
        writer, reader = node.client(), node.client()
        path, seen = f'/fhir/Patient/gone{i}', f'/fhir/Patient?identifier=gone{i}'
        body = patient(id=f'gone{i}', identifier=[{'value': f'gone{i}'}])
        for _ in range(EXPUNGES):
            writer.send('PUT', path, body)
            writer.send('PUT', path, dict(body, active=True))
            there = reader.get(seen).json().get('total')
            score.check(there == 1, f'{seen}: {there} where one is there')
            reply = writer.send('POST', f'{path}/$expunge', '')
            score.check(reply.status == 200, f'$expunge: {reply}')
            totals = [reader.get(q).json().get('total')
                      for q in (seen, f'/fhir/Patient?_id=gone{i}')]
            score.check(totals == [0, 0], f'{seen}: {totals} after $expunge')
        writer.close()
        reader.close()

    loads = [threading.Thread(target=load, args=(n,)) for n in range(4)]
    for t in loads:
        t.start()
    try:
        nodes.in_threads(8, work)
    finally:
        ending.set()
        for t in loads:
            t.join()


def check_pages(score, ids, order):
    counts = {}
    for i in ids:
        counts[i] = counts.get(i, 0) + 1
    still = [counts.get(f'row{i}', 0) for i in range(0, ROWS, 2)]
    score.check(all(n == 1 for n in still),
                f'{order or "no order"}: of {len(still)} rows at rest, {still.count(0)} are '
                f'missing and {sum(n > 1 for n in still)} came twice')
    twice = [i for i, n in counts.items() if n > 1]
    score.check(not twice, f'{order or "no order"}: {len(twice)} rows came twice: {twice[:3]}')


def main():
    score = nodes.Score()
    with nodes.Folder(sys.argv[1]) as folder:
        with nodes.Node(folder, '--allow-expunge') as node:
            for test in (creates, updates, paging, expunged):
                test(node, score)
            print(f"{node.memory_mb('VmHWM'):.0f} MB at most")
        said = folder.run('check')
        score.check(said.strip().endswith(' 0 problems'), f'afterwards: {said[-600:]}')
    return score.end()


if __name__ == '__main__':
    sys.exit(main())
