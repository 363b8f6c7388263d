#!/usr/bin/env python3
"""live.py CARNET [PEOPLE [PAIRS]]: what a node's surveillance costs, and how fast it is.

cost: processor time of a node that is written a synthetic country's records, with surveillance and
without, in pairs; until the feed is followed. latency: from the reply to the write of a second
case of cholera in a district until its signal is read, a hundred districts one after the other.
"""
import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../tests/lib'))
from node import Folder, Node  # noqa: E402

ICD11 = 'http://id.who.int/icd/release/11/mms'
DISTRICTS = 100


def cpu(node):
    with open(f'/proc/{node.process.pid}/stat') as f:
        fields = f.read().rsplit(')', 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def write_all(folder, options, lines):
    with Node(folder, *options) as node:
        client = node.client()
        before = cpu(node)
        for line in lines:
            r = json.loads(line)
            reply = client.send('PUT', f'/fhir/{r["resourceType"]}/{r["id"]}', line,
                                Prefer='return=minimal')
            if reply.status != 201:
                raise RuntimeError(str(reply))
        time.sleep(.5)  # what follows the feed is done by then
        return cpu(node) - before


def cost(carnet, people, pairs):
    lines = subprocess.run([carnet, 'synth', '--people', str(people), '--seed', '1', '--weeks',
                            '104', '--start', '2022-01-03'], check=True,
                           stdout=subprocess.PIPE).stdout.decode().splitlines()
    for _ in range(pairs):
        seconds = []
        for options in ((), ('--no-surveillance',)):
            with Folder(carnet) as folder:
                seconds.append(write_all(folder, options, lines))
        print(f'{len(lines)} writes: {seconds[0]:.2f} s with, {seconds[1]:.2f} s without: '
              f'{(seconds[0] / seconds[1] - 1) * 100:+.1f} %', flush=True)


def put(client, r):
    reply = client.send('PUT', f'/fhir/{r["resourceType"]}/{r["id"]}', r)
    if reply.status != 201:
        raise RuntimeError(str(reply))


def case(client, d, n):
    key = f'{d}-{n}'
    put(client, {'resourceType': 'Patient', 'id': f'p{key}'})
    put(client, {'resourceType': 'Encounter', 'id': f'e{key}', 'status': 'finished',
                 'class': {'code': 'AMB'}, 'period': {'start': '2024-05-01'},
                 'location': [{'location': {'reference': f'Location/d{d}'}}]})
    put(client, {'resourceType': 'Condition', 'id': f'c{key}', 'recordedDate': '2024-05-01',
                 'subject': {'reference': f'Patient/p{key}'},
                 'encounter': {'reference': f'Encounter/e{key}'},
                 'code': {'coding': [{'system': ICD11, 'code': '1A00'}]}})


def latency(carnet):
    waits = []
    with Folder(carnet) as folder, Node(folder) as node:
        client = node.client()
        for d in range(DISTRICTS):
            put(client, {'resourceType': 'Location', 'id': f'd{d}', 'name': f'District {d}',
                         'type': [{'text': 'District'}]})
            case(client, d, 1)
            case(client, d, 2)
            begin = time.time()
            while True:
                entries = client.get('/carnet/$signals?count=1').json().get('entry', [])
                if entries and entries[0]['resource']['focus']['reference'] == f'Location/d{d}':
                    break
                if time.time() - begin > 30:
                    raise RuntimeError(f'no signal of district {d}')
                time.sleep(.002)
            waits.append(time.time() - begin)
    waits.sort()
    print(f'{DISTRICTS} signals: p50 {waits[len(waits) // 2] * 1000:.0f} ms, '
          f'p99 {waits[len(waits) * 99 // 100 - 1] * 1000:.0f} ms, '
          f'greatest {waits[-1] * 1000:.0f} ms')


latency(sys.argv[1])
cost(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 100,
     int(sys.argv[3]) if len(sys.argv) > 3 else 3)
