#!/usr/bin/env python3
"""live.py CARNET: what a node that serves keeps of cases is what a recount of its records finds.

Random histories of writes: updates, deletions, persons merged and parted, findings before their
encounters, days that change. In between the node is stopped, and killed. At each stop `carnet
series` counts the folder anew, and must find what $series said of the same moment.
"""
import os
import random
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../lib'))
from node import Folder, Node, Score  # noqa: E402

ICD11 = 'http://id.who.int/icd/release/11/mms'
SPAN = ('2024-01-01', '2024-03-31')
QUESTIONS = (
    {'place': 'District'},
    {'place': 'Clinic', 'ages': '5,15', 'sex': 'true', 'disease': 'measles'},
    {'date': 'report', 'period': 'day', 'class': 'confirmed'},
    {'deaths': 'true', 'period': 'month'},
)
WAIT_SECONDS = 30


def day(rng):
    return f'2024-{rng.randint(1, 3):02}-{rng.randint(1, 28):02}'


def make(rng, kind, n):
    r = {'resourceType': kind, 'id': f'{kind[0].lower()}{n}'}
    if kind == 'Location':
        r.update(name=f'Place {rng.randint(0, 99)}',
                 type=[{'text': 'District' if n < 3 else 'Clinic'}])
        if n >= 3:
            r['partOf'] = {'reference': f'Location/l{rng.randint(0, 2)}'}
    elif kind == 'Patient':
        r.update(gender=rng.choice(('female', 'male')), birthDate=f'20{rng.randint(10, 23)}-05-01')
        if rng.random() < .4:
            r['link'] = [{'type': 'replaced-by',
                          'other': {'reference': f'Patient/p{rng.randint(0, 9)}'}}]
        if rng.random() < .2:
            r['deceasedDateTime'] = day(rng)
    elif kind == 'Encounter':
        r.update(status='finished', **{'class': {'code': 'AMB'}}, period={'start': day(rng)},
                 location=[{'location': {'reference': f'Location/l{rng.randint(3, 7)}'}}])
    else:
        r['subject'] = {'reference': f'Patient/p{rng.randint(0, 9)}'}
        if rng.random() < .8:
            r['encounter'] = {'reference': f'Encounter/e{rng.randint(0, 11)}'}
        if kind == 'Condition':
            r['code'] = {'coding': [{'system': ICD11,
                                     'code': rng.choice(('1F03.0', '1A00', '1D20', 'CA40'))}]}
            if rng.random() < .6:
                r['onsetDateTime'] = day(rng)
            if rng.random() < .6:
                r['recordedDate'] = day(rng)
        else:
            r.update(status=rng.choice(('final', 'final', 'preliminary')),
                     code={'coding': [{'system': 'http://loinc.org', 'code': '75377-2'}]},
                     interpretation=[{'coding': [{'code': rng.choice(('POS', 'NEG'))}]}])
            if rng.random() < .5:
                r['effectiveDateTime'] = day(rng)
    return r


HOW_MANY = {'Location': 8, 'Patient': 10, 'Encounter': 12, 'Condition': 14, 'Observation': 6}


def write(rng, client, there, score):
    """One write; how many versions it made."""
    kind = rng.choice(('Location', 'Patient', 'Encounter', 'Encounter', 'Condition', 'Condition',
                       'Observation'))
    r = make(rng, kind, rng.randrange(HOW_MANY[kind]))
    path = f'/fhir/{kind}/{r["id"]}'
    if path in there and rng.random() < .2:
        there.discard(path)
        reply = client.send('DELETE', path)
        score.check(reply.status in (200, 204), f'DELETE {path}: {reply}')
        return 1
    there.add(path)
    reply = client.send('PUT', path, r)
    score.check(reply.status in (200, 201), f'PUT {path}: {reply}')
    return 1


def query(question):
    return '&'.join(f'{k}={v}' for k, v in question.items())


def until(client, position):
    """Until the centre has followed to this version."""
    end = time.time() + WAIT_SECONDS
    while time.time() < end:
        reply = client.get('/carnet/$series?disease=measles&from=2024-01-01&to=2024-01-07')
        if reply.status == 200 and reply.json()['position'] >= position:
            return reply.json()['position']
        time.sleep(.01)
    raise RuntimeError(f'not followed to {position}: {reply}')


def ask(client):
    return [client.get('/carnet/$series?format=csv&from=%s&to=%s&%s' % (*SPAN, query(q)))
            for q in QUESTIONS]


def recount(folder, question):
    words = []
    for k, v in question.items():
        words += [f'--{k}'] if v == 'true' else [f'--{k}', v]
    out = folder.run('series', '--from', SPAN[0], '--to', SPAN[1], '--out',
                     os.path.join(folder.path, 'out.csv'), *words)
    with open(os.path.join(folder.path, 'out.csv'), encoding='utf-8') as f:
        return f.read(), out


def history(folder, seed, score):
    rng, there, said = random.Random(seed), set(), None
    position = 0
    for stop in range(4):
        with Node(folder) as node:
            client = node.client()
            position = until(client, position)
            if said:
                score.check([r.body for r in ask(client)] == said, f'{seed}.{stop}: taken up again')
            if stop == 0:
                for kind in ('Location', 'Patient'):
                    for n in range(HOW_MANY[kind]):
                        client.send('PUT', f'/fhir/{kind}/{kind[0].lower()}{n}',
                                    make(rng, kind, n))
                        there.add(f'/fhir/{kind}/{kind[0].lower()}{n}')
                        position += 1
            for _ in range(80):
                position += write(rng, client, there, score)
            position = until(client, position)
            replies = ask(client)
            said = [r.body for r in replies]
            score.check(all(r.status == 200 for r in replies), [str(r) for r in replies])
            if stop == 1:
                node.process.kill()
                node.process.wait()
                node.process = type('Gone', (), {'poll': lambda _: 0, 'stdout': node.process.stdout,
                                                 'wait': lambda _, timeout: 0})()
        for q, reply in zip(QUESTIONS, replies):
            want, _ = recount(folder, q)
            score.check(reply.body.decode() == want,
                        f'{seed}.{stop} {q}:\n{reply.body.decode()}\nis not\n{want}')
    score.check(any(b',1,' in text for text in said), f'{seed}: somebody is counted')


def main():
    score = Score()
    for seed in range(3):
        with Folder(sys.argv[1]) as folder:
            history(folder, seed, score)
    return score.end()


sys.exit(main())
