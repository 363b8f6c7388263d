#!/usr/bin/env python3
"""Watch with a thousand districts on a slow phone: slow_watch.py CARNET CACHE-FOLDER [RUNS]

No test: it prints figures, for the page of what was measured. The country is made here: a grid of
districts with borders of 16 points, cases in all of them, 200 open signals.
"""
import base64
import datetime
import json
import os
import random
import re
import subprocess
import sys

import portal
import run

import node as nodes

RUNS = 5
SCRIPTS = ('browser.mjs', 'slow_watch.mjs')
ROWS, COLUMNS, PROVINCES = 25, 40, 10
CASES, SIGNALS = 6000, 200
BOUNDARY = 'http://hl7.org/fhir/StructureDefinition/location-boundary-geojson'
TEST_TAG = 'http://terminology.hl7.org/CodeSystem/v3-ActReason'
ICD11 = 'http://id.who.int/icd/release/11/mms'


def boundary(row, column, rows=1, columns=1):
    west, south = column * .3, row * .3
    corners = ((0, 0), (columns, 0), (columns, rows), (0, rows), (0, 0))
    ring = [[round(west + .3 * (a[0] + (b[0] - a[0]) * k / 4), 4),
             round(south + .3 * (a[1] + (b[1] - a[1]) * k / 4) + .02 * (k % 2), 4)]
            for a, b in zip(corners, corners[1:]) for k in range(4)]
    shape = json.dumps({'type': 'Polygon', 'coordinates': [ring + ring[:1]]})
    return [{'url': BOUNDARY, 'valueAttachment': {
        'contentType': 'application/geo+json', 'data': base64.b64encode(shape.encode()).decode()}}]


def place(name, kind, part_of=None, extension=()):
    return {'resourceType': 'Location', 'id': name, 'name': name.title(), 'type': [{'text': kind}],
            **({'extension': extension} if extension else {}),
            **({'partOf': {'reference': f'Location/{part_of}'}} if part_of else {})}


def places():
    width = COLUMNS // PROVINCES
    yield place('country', 'Country', None, boundary(0, 0, ROWS, COLUMNS))
    for p in range(PROVINCES):
        yield place(f'province-{p}', 'Province', 'country', boundary(0, p * width, ROWS, width))
    for row in range(ROWS):
        for column in range(COLUMNS):
            name = f'district-{row}-{column}'
            yield place(name, 'District', f'province-{column // width}', boundary(row, column))
            yield place('clinic-' + name[9:], 'Clinic', name)


def cases(rng, today):
    for n in range(CASES):
        day = str(today - datetime.timedelta(days=rng.randint(0, 700)))
        at = f'clinic-{rng.randrange(ROWS)}-{rng.randrange(COLUMNS)}'
        yield {'resourceType': 'Patient', 'id': f'p{n}', 'birthDate': '2000-01-01',
               'meta': {'tag': [{'system': TEST_TAG, 'code': 'HTEST'}]}}
        yield {'resourceType': 'Encounter', 'id': f'e{n}', 'status': 'finished',
               'class': {'code': 'AMB'}, 'subject': {'reference': f'Patient/p{n}'},
               'period': {'start': day, 'end': day},
               'location': [{'location': {'reference': f'Location/{at}'}}]}
        yield {'resourceType': 'Condition', 'id': f'c{n}', 'recordedDate': day,
               'subject': {'reference': f'Patient/p{n}'},
               'encounter': {'reference': f'Encounter/e{n}'},
               'code': {'coding': [{'system': ICD11, 'code': rng.choice(('1F03', '1F40'))}]}}


def signals(rng, today):
    def code(system, value):
        return {'coding': [{'system': system, 'code': value}]}
    own = 'urn:carnet:surveillance'
    for n in range(SIGNALS):
        at = f'Location/district-{rng.randrange(ROWS)}-{rng.randrange(COLUMNS)}'
        yield {'resourceType': 'Task', 'id': f'signal-{n:032x}', 'status': 'requested',
               'intent': 'proposal', 'priority': rng.choice(('urgent', 'asap')),
               'code': code(own, 'signal'), 'reasonCode': code('urn:carnet:disease', 'measles'),
               'businessStatus': code('urn:carnet:signal-state', 'triage'),
               'focus': {'reference': at}, 'authoredOn': f'{today}T00:00:00Z', 'input': [
                   {'type': code(own, 'week'), 'valueString': '2026-W01'},
                   {'type': code(own, 'count'), 'valueInteger': n}]}


def make_country(folder):
    rng = random.Random(1)
    today = datetime.datetime.now(datetime.timezone.utc).date()
    path = os.path.join(folder.path, 'wide.ndjson')
    with open(path, 'w', encoding='utf-8') as f:
        for part in (places(), cases(rng, today), signals(rng, today)):
            for resource in part:
                f.write(json.dumps(resource) + '\n')
    folder.run('import', path)
    folder.run('user', 'add', 'epidemiologist', '--role', 'epidemiologist', '--name', 'E')


def say(found):
    load = os.getloadavg()[0]
    print(f"Watch with {ROWS * COLUMNS} districts and {SIGNALS} signals on a processor 4 x slowed "
          f"down, {found['runs']} visits, load {load:.0f}: board {found['board'] / 1000:.1f} s, "
          f"map {found['map'] / 1000:.1f} s (medians); tasks of more than 50 ms: {found['tasks']}")


def main():
    cache = os.path.join(os.path.abspath(sys.argv[2]), 'e2e-client')
    runs = int(sys.argv[3]) if len(sys.argv) > 3 else RUNS
    chromium = portal.need_chromium()
    run.need_node()
    run.prepare(cache, SCRIPTS)
    with nodes.Folder(sys.argv[1]) as folder:
        make_country(folder)
        with nodes.Node(folder, '--demo', is_open=False) as node:
            env = dict(os.environ, CARNET_ROOT=f'http://127.0.0.1:{node.port}',
                       CARNET_DEMO_KEY=re.search(r'#/demo/(\S+)', node.said).group(1),
                       CARNET_CHROMIUM=chromium, CARNET_RUNS=str(runs))
            done = subprocess.run(['node', 'slow_watch.mjs'], cwd=cache, env=env, check=True,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    say(json.loads(done.stdout.splitlines()[-1]))


if __name__ == '__main__':
    sys.exit(main())
