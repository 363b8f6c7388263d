#!/usr/bin/env python3
"""country.py CARNET [PEOPLE [SEED ...]]: are the outbreaks of a synthetic country found while its
records stream in?

For each seed a country of four years is made, with its truth file. A node serves; what happened
before the first outbreak is written first, the rest day by day, as it would have come. After each
day the signals are read. Said are the share of outbreaks for which a signal came between their
start and end (in their district, or what that is within), the delay in days from the first case
of the outbreak's district to the signal, and the signals that belong to no outbreak.

Only what counting needs is written: places, people, encounters, conditions, and those
observations that a case definition names.
"""
import collections
import datetime
import json
import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '../lib'))
from node import Folder, Node  # noqa: E402

WEEKS = 208
START = datetime.date(2021, 1, 4)
BEFORE = datetime.timedelta(weeks=4)  # streamed ahead of the first outbreak
WAIT_SECONDS = 60
DISEASES = {'1F03.0': 'measles', '1A00': 'cholera', '1C1C.0': 'meningitis', '1D20': 'dengue',
            '1A07.Z': 'typhoid', '1D47': 'yellow-fever'}


def observed_codes():
    with open(os.path.join(HERE, '../../defs/surveillance/case-definitions.json')) as f:
        return {code.split('|')[1] for d in json.load(f)['definitions'] for rule in d['rules']
                if rule['of'] == 'Observation' for code in rule['codes']}


def make(carnet, people, seed, folder):
    """(resources without a day, those of each day, outbreaks)"""
    country, truth = (os.path.join(folder, n) for n in ('country', 'truth'))
    subprocess.run([carnet, 'synth', '--people', str(people), '--seed', str(seed), '--weeks',
                    str(WEEKS), '--start', START.isoformat(), '--truth', truth, '--out', country],
                   check=True)
    wanted, first, days, visits = observed_codes(), [], collections.defaultdict(list), {}
    with open(country, encoding='utf-8') as f:
        for line in f:
            r = json.loads(line)
            kind = r['resourceType']
            if kind == 'Encounter':
                day = r['period']['start'][:10]
            elif kind == 'Condition':
                day = r.get('recordedDate', r.get('onsetDateTime', ''))[:10]
            elif kind == 'Observation' and r['code']['coding'][0]['code'] in wanted:
                day = r.get('issued', r.get('effectiveDateTime', ''))[:10]
            elif kind in ('Location', 'Organization', 'Practitioner', 'Patient'):
                first.append(line)
                continue
            else:
                continue
            days[day].append(line)
    with open(truth, encoding='utf-8') as f:
        return first, days, [json.loads(line) for line in f]


def write(client, lines):
    """As one batch; how many versions."""
    for i in range(0, len(lines), 2000):
        body = {'resourceType': 'Bundle', 'type': 'batch', 'entry': [
            {'resource': r, 'request': {'method': 'PUT', 'url': f'{r["resourceType"]}/{r["id"]}'}}
            for r in map(json.loads, lines[i:i + 2000])]}
        reply = client.send('POST', '/fhir', body, Prefer='return=minimal')
        bad = [e for e in reply.json()['entry'] if not e['response']['status'].startswith('201')]
        if bad:
            raise RuntimeError(bad[0])
    return len(lines)


def followed(client, position):
    end = time.time() + WAIT_SECONDS
    while time.time() < end:
        reply = client.get('/carnet/$series?disease=rabies&from=2021-01-01&to=2021-01-07')
        if reply.status == 200 and reply.json()['position'] >= position:
            return reply.json()['position']
        time.sleep(.005)
    raise RuntimeError(f'not followed to {position}')


def part_of(lines):
    return {r['id']: r.get('partOf', {}).get('reference', '/').split('/')[1]
            for r in map(json.loads, lines) if r['resourceType'] == 'Location'}


def within(up, place):
    while place:
        yield place
        place = up.get(place)
    yield ''


def stream(client, first, days, outbreaks):
    """{id of a signal: (disease, place, day on which it was first seen)}; days streamed."""
    begin = min(datetime.date.fromisoformat(o['start']) for o in outbreaks) - BEFORE
    history = [line for day in sorted(days) if day < begin.isoformat() for line in days[day]]
    position = followed(client, 0) + write(client, first)
    position = followed(client, position + write(client, history))
    seen = {}
    signals(client, begin, seen)
    for t in seen.values():
        t['day'] = None  # of before
    end = START + datetime.timedelta(weeks=WEEKS)
    while begin < end:
        lines = days.get(begin.isoformat(), [])
        if lines:
            # Signals are Tasks, and have places in the feed too: the position is asked for anew.
            position = followed(client, 0)
            followed(client, position + write(client, lines))
            signals(client, begin, seen)
        begin += datetime.timedelta(days=1)
    return seen


def signals(client, day, seen):
    """What is signalled by the end of a day. The centre writes Tasks right behind the counts: until
    nothing more comes."""
    last = None
    while True:
        reply = client.get('/carnet/$signals?count=1000')
        entries = reply.json().get('entry', [])
        if last == reply.body:
            break
        last = reply.body
        time.sleep(.07)
    for e in entries:
        t = e['resource']
        seen.setdefault(t['id'], {
            'day': day, 'disease': t['reasonCode']['coding'][0]['code'],
            'place': t.get('focus', {}).get('reference', '/').split('/')[1],
            'text': t['description']})['status'] = t['status']


def one(carnet, people, seed):
    with Folder(carnet) as folder:
        first, days, outbreaks = make(folder.carnet, people, seed, folder.path)
        up = part_of(first)
        with Node(folder) as node:
            seen = stream(node.client(), first, days, outbreaks)
    found, delays, mine = 0, [], set()
    for o in outbreaks:
        start = datetime.date.fromisoformat(o['start'])
        end = start + datetime.timedelta(weeks=o['weeks'])
        places = set(within(up, o['district'].split('/')[1]))
        hits = [(t['day'], key) for key, t in seen.items() if t['day'] and t['place'] in places and
                t['disease'] == DISEASES[o['code']] and start <= t['day'] <= end]
        mine |= {key for _, key in hits}
        found += bool(hits)
        delay = (min(hits)[0] - start).days if hits else None
        if hits:
            delays.append(delay)
        print(f'  seed {seed}: {o["name"]}: {o["cases"]} cases in {o["weeks"]} weeks: ' +
              (f'{delay} days' if hits else 'not found'))
    others = [t for key, t in seen.items() if t['day'] and key not in mine]
    begin = min(datetime.date.fromisoformat(o['start']) for o in outbreaks) - BEFORE
    weeks = (START + datetime.timedelta(weeks=WEEKS) - begin).days / 7
    for t in others[:20]:
        print(f'  seed {seed}: no outbreak: {t["day"]} {t["text"]} ({t["status"]})')
    return found, len(outbreaks), delays, len(others), weeks


def main():
    people = int(sys.argv[2]) if len(sys.argv) > 2 else 2000
    seeds = [int(s) for s in sys.argv[3:]] or [1]
    found = n = others = weeks = 0
    delays = []
    for seed in seeds:
        f, m, d, o, w = one(sys.argv[1], people, seed)
        found, n, others, weeks = found + f, n + m, others + o, weeks + w
        delays += d
    delays.sort()
    median = delays[len(delays) // 2] if delays else None
    print(f'{found} of {n} outbreaks found; median delay {median} days; '
          f'{others} other signals in {weeks:.0f} weeks ({others / weeks:.2f} a week)')
    if found < .75 * n or others > 5 * weeks:
        print('too few found, or too many other signals')
        return 1
    return 0


sys.exit(main())
