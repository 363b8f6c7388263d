#!/usr/bin/env python3
"""asked.py CARNET: the operations below /carnet: what they answer, whom, and what the audit log has
of it; from a case to its signal and back.
"""
import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '../lib'))
from node import Folder, Node, Score  # noqa: E402

ICD11 = 'http://id.who.int/icd/release/11/mms'
DAY = '2024-05-01'
WAIT_SECONDS = 30


def until(what, ask, holds):
    end = time.time() + WAIT_SECONDS
    while time.time() < end:
        reply = ask()
        if reply.status == 200 and holds(reply):
            return reply
        time.sleep(.01)
    raise RuntimeError(f'{what} does not come: {reply}')


def case(n, code='1A00'):
    return [
        {'resourceType': 'Patient', 'id': f'p{n}', 'name': [{'family': f'Family{n}'}]},
        {'resourceType': 'Encounter', 'id': f'e{n}', 'status': 'finished',
         'class': {'code': 'AMB'}, 'period': {'start': DAY},
         'location': [{'location': {'reference': 'Location/d'}}]},
        {'resourceType': 'Condition', 'id': f'c{n}', 'subject': {'reference': f'Patient/p{n}'},
         'encounter': {'reference': f'Encounter/e{n}'}, 'recordedDate': DAY,
         'code': {'coding': [{'system': ICD11, 'code': code}]}}]


def put(client, r):
    return client.send('PUT', f'/fhir/{r["resourceType"]}/{r["id"]}', r)


def tasks(reply):
    return [e['resource'] for e in reply.json().get('entry', [])]


def open_node(folder, score):
    with Node(folder, '--audit', 'on') as node:
        c = node.client()
        put(c, {'resourceType': 'Location', 'id': 'd', 'name': 'North',
                'type': [{'text': 'District'}]})
        for n in range(3):
            for r in case(n):
                put(c, r)
        reply = until('a signal', lambda: c.get('/carnet/$signals'),
                      lambda r: tasks(r) and '3 in 2024-W18' in tasks(r)[0]['description'])
        task = tasks(reply)[0]
        score.check(len(tasks(reply)) == 1 and task['status'] == 'requested' and
                    task['focus']['reference'] == 'Location/d', task)
        reply = c.send('POST', '/fhir/Task/$validate', task)
        score.check(not [i for i in reply.outcome() if i['severity'] in ('error', 'fatal')], reply)
        # What people write stays.
        task.update(status='in-progress', owner={'reference': 'Practitioner/x'})
        score.check(put(c, task).status == 200, 'a Task is taken up')
        for r in case(3) + case(4):
            put(c, r)
        reply = until('the next count', lambda: c.get('/carnet/$signals'),
                      lambda r: '5 in 2024-W18' in tasks(r)[0]['description'])
        score.check(tasks(reply)[0]['status'] == 'in-progress' and 'owner' in tasks(reply)[0],
                    tasks(reply))
        answers(c, score)
        for n in range(5):
            c.send('DELETE', f'/fhir/Condition/c{n}')
        until('the withdrawal', lambda: c.get('/carnet/$signals'),
              lambda r: tasks(r)[0]['status'] == 'cancelled')


def answers(c, score):
    reply = c.get('/carnet/$series?disease=cholera&place=District&from=2024-04-29&to=2024-05-12')
    body = reply.json()
    score.check(body['periods'] == ['2024-W18', '2024-W19'] and
                body['series'][0]['counts'] == [5, 0] and body['until'] == DAY, body)
    body = c.send('POST', '/carnet/$detect', {'resourceType': 'Parameters', 'parameter': [
        {'name': 'disease', 'valueString': 'cholera'}, {'name': 'method', 'valueString': 'ears-c1'},
        {'name': 'from', 'valueString': '2024-01-01'}, {'name': 'alpha', 'valueString': '0.05'},
        {'name': 'last', 'valueInteger': 1}]}).json()
    point = body['series'][0]['points'][0]
    score.check(point['count'] == 5 and point['alarm'] is True and point['open'] is True, body)
    # The same in retrospect: an alarm in the outbreak's week, found on its Sunday.
    asked = [{'name': k, 'valueString': v} for k, v in (
        ('disease', 'cholera'), ('method', 'ears-c1'), ('from', '2024-01-01'),
        ('place', 'District'),
        ('outbreak', f'cholera|d|{DAY}|{DAY}'), ('outbreak', 'cholera|d|2024-02-01|2024-02-09'))]
    body = c.send('POST', '/carnet/$backtest', {'resourceType': 'Parameters',
                                               'parameter': asked}).json()
    score.check([(s['place'], s['from'], s['outbreak']) for s in body['signals']] ==
                [('d', '2024-W18', True)] and body['falseSignals'] == 0 and
                [o['delayDays'] for o in body['outbreaks']] == [4, None] and
                body['shareFound'] == .5 and body['medianDelayDays'] == 4, body)
    for word in ('rate=.05', 'rate=2', 'quiet=x', 'outbreak=cholera', 'outbreak=cholera||2024|2025',
                 'outbreak=cholera||2024-02-02|2024-02-01'):
        reply = c.get(f'/carnet/$backtest?method=ears-c1&disease=cholera&from=2024-01-01&{word}')
        score.check(reply.status == 400 and reply.outcome(), (word, reply))
    body = c.get('/carnet/$backtest?method=ensemble&disease=cholera&rate=.05&last=8').json()
    score.check('signals' in body and body['outbreaks'] == [] and body['shareFound'] is None, body)
    # Until a day before all records, there was nothing: no error.
    body = c.get('/carnet/$detect?disease=cholera&method=rki1&to=1999-01-01').json()
    score.check([p['count'] for p in body['series'][0]['points']] == [0], body)
    reply = c.get('/carnet/$detect?method=rki1&period=day&from=2010-01-01&last=9999&sex=true')
    score.check(reply.status == 413 and 'judged' in str(reply.outcome()), reply)
    reply = c.get('/carnet/$linelist?disease=cholera&location=d&count=2&offset=1')
    body = reply.json()
    score.check(body['total'] == 5 and len(body['cases']) == 2 and
                body['cases'][0]['name'][0]['family'].startswith('Family'), body)
    # Each person who was shown finds it in the log, and nobody else.
    shown = {x['patient'] for x in body['cases']}
    for n in range(5):
        entries = c.get(f'/fhir/AuditEvent?patient=Patient/p{n}&_count=100').json()
        has = any('$linelist' in str(e) or 'linelist' in str(e) for e in entries.get('entry', []))
        score.check(has == (f'p{n}' in shown), (n, shown, has))
    for path, status in (('/carnet/$linelist', 400), ('/carnet/$series?disease=gout', 400),
                         ('/carnet/$detect?method=guess', 400), ('/carnet/$detect', 400),
                         ('/carnet/$series?colour=red', 400), ('/carnet/Patient', 404),
                         ('/carnet/$everything', 400), ('/fhir/$series', 400)):
        reply = c.get(path)
        score.check(reply.status == status and reply.outcome(), (path, reply))


def main():
    score = Score()
    with Folder(sys.argv[1]) as folder:
        open_node(folder, score)
    with Folder(sys.argv[1]) as folder, Node(folder, is_open=False) as node:
        for path in ('$series', '$signals', '$linelist?disease=cholera', '$detect?method=rki1'):
            reply = node.client().get(f'/carnet/{path}')
            score.check(reply.status == 401, (path, reply))
    with Folder(sys.argv[1]) as folder, Node(folder, '--no-surveillance') as node:
        reply = node.client().get('/carnet/$series')
        score.check(reply.outcome() and 'keeps no cases' in str(reply), reply)
    return score.end()


sys.exit(main())
