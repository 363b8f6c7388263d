#!/usr/bin/env python3
"""From a signal to its end, as the people do it whose work it is. signals.py CARNET

Real tokens: who may take which step; that two who take the same do not both have it; who is told
of a signal, and how often; and what is left of all of it in records and audit log.
"""
import contextlib
import json
import os
import re
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'lib'))
sys.path.insert(0, HERE)
import auth  # noqa: E402
import jose  # noqa: E402
import node as nodes  # noqa: E402
import sinks  # noqa: E402
import trust  # noqa: E402

ICD11 = 'http://id.who.int/icd/release/11/mms'
DAY = '2024-05-01'
WAIT_SECONDS = 60
PEOPLE = (('epi', 'epidemiologist', 'Practitioner/epi'),
          ('eve', 'epidemiologist', 'Practitioner/eve'), ('doc', 'worker', 'Practitioner/doc'),
          ('officer', 'privacy', 'Practitioner/officer'), ('ann', 'patient', 'Patient/ann'))
RISK = {'likelihood': 'likely', 'impact': 'major', 'confidence': 'low', 'risk': 'high'}
ACTIONS = ('investigation', 'analysis', 'laboratory', 'case-management', 'countermeasures',
           'communication', 'coordination')


class Centre(trust.Country):
    def own(self, login, method, path, body=None, **headers):
        """Below /carnet, as somebody or with a token that was got otherwise."""
        token = self.token(login) if len(login) < 40 else login
        return self.node.client().send(method, '/carnet/' + path, body,
                                       Authorization='Bearer ' + token, **headers)

    def step(self, login, signal, step, tag=None, **answers):
        body = {'resourceType': 'Parameters', 'parameter': [
            {'name': k, 'valueBoolean' if isinstance(v, bool) else 'valueString': v}
            for k, v in dict(answers, signal=signal, step=step).items()]}
        return self.own(login, 'POST', '$signal-step', body, **({'If_Match': tag} if tag else {}))

    def tasks(self, login='epi'):
        reply = self.own(login, 'GET', '$signals')
        return [e['resource'] for e in reply.json().get('entry', [])] \
            if reply.status == 200 else []


def wait(what, ask):
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end:
        got = ask()
        if got:
            return got
        time.sleep(.05)
    raise RuntimeError(f'{what} does not come')


def case(world, n, place, code='1A00'):
    for r in (
            {'resourceType': 'Patient', 'id': f'p{n}'},
            {'resourceType': 'Encounter', 'id': f'e{n}', 'status': 'finished',
             'class': {'code': 'AMB'}, 'period': {'start': DAY},
             'subject': {'reference': f'Patient/p{n}'},
             'location': [{'location': {'reference': f'Location/{place}'}}]},
            {'resourceType': 'Condition', 'id': f'c{n}', 'subject': {'reference': f'Patient/p{n}'},
             'encounter': {'reference': f'Encounter/e{n}'}, 'recordedDate': DAY,
             'code': {'coding': [{'system': ICD11, 'code': code}]}}):
        reply = world.put(world.loader, r)
        world.check(reply.status == 201, f'a case is written: {reply}')


def make_places(world):
    for name in 'north', 'south':
        world.put(world.loader, {'resourceType': 'Location', 'id': name, 'name': name,
                                 'type': [{'text': 'District'}]})
    world.put(world.loader, {'resourceType': 'Practitioner', 'id': 'epi', 'telecom': [
        {'system': 'email', 'value': 'epi@mail.example'}]})


def check_told(world):
    """One notice for an event, however it grows."""
    case(world, 1, 'north')
    case(world, 2, 'north')
    task = wait('a signal', world.tasks)[0]
    world.check(world.mail.wait(trust.to('epi@mail.example')), 'who is to know is told')
    for n in range(3, 7):
        case(world, n, 'north')
    # 5 at the latest: one more than what was said is not said again.
    wait('the larger count',
         lambda: int(re.search(r'(\d+) in 2024-W18', world.tasks()[0]['description'])[1]) >= 5)
    world.check(len(world.mail.got) == 1 and len(world.tasks()) == 1,
                f'and not again: {len(world.mail.got)} mails')
    text = world.mail.got[0][1].get_content()
    world.check('holera' not in text and 'north' not in text, f'nothing of the case in it: {text}')
    return task['id']


def check_rights(world, signal):
    check = world.check
    reply, verifier, _ = auth.sign_in(world, 'app', 'user/*.rs', 'eve')
    reads = auth.redeem(world, reply, verifier, 'app').json()['access_token']
    for who in 'doc', 'officer', 'ann', world.loader, reads:
        reply = world.step(who, signal, 'take')
        check(reply.status == 403, f'whose work it is not: {reply}')
    for who in 'doc', 'ann', world.loader:
        reply = world.own(who, 'GET', f'$signal?signal={signal}')
        check(reply.status == 403, f'nor do they see it: {reply}')
    reply = world.node.client().send('POST', '/carnet/$signal-step', {'resourceType': 'Parameters'})
    check(reply.status == 401, f'nobody: {reply}')
    reply = world.own(reads, 'GET', f'$signal?signal={signal}')
    check(reply.status == 200 and reply.json()['state'] == 'triage' and
          'take' in reply.json()['steps'], f'who may read does: {reply}')
    check(world.ask('epi', 'GET', f'Task/{signal}').status in (403, 404) and
          world.ask('epi', 'PUT', f'Task/{signal}', {
              'resourceType': 'Task', 'id': signal, 'status': 'completed',
              'intent': 'order'}).status in (403, 404), 'and no step goes round the steps')


def check_way(world, signal):
    check, step = world.check, world.step
    tag = world.own('eve', 'GET', f'$signal?signal={signal}').headers['ETag']
    reply = step('epi', 'Task/' + signal, 'take', tag)
    check(reply.status == 200 and reply.json()['state'] == 'verify' and
          reply.json()['owner'] == 'Practitioner/epi' and reply.headers['ETag'] != tag,
          f'it is taken: {reply}')
    for what, got, status in (
            ('the same again', step('eve', signal, 'take'), 409),
            ('with what they saw before', step('eve', signal, 'verify', tag), 412),
            ('no tag', step('eve', signal, 'verify', 'x'), 412),
            ('too early', step('epi', signal, 'close', note='over'), 409),
            ('none', step('epi', signal, 'guess'), 400),
            ('an answer that is none', step('epi', signal, 'verify', colour='red'), 400),
            ('no signal', step('epi', 'nothing', 'verify'), 404),
            ('by GET', world.own('epi', 'GET', f'$signal-step?signal={signal}&step=verify'), 405)):
        check(got.status == status and got.outcome(), f'a step, {what}: {got}')
    for name, answers in (
            ('verify', {'emergence': '2024-04-27', 'note': 'stool cultures'}), ('assess', RISK),
            ('annex2', {'serious': True, 'unusual': True, 'spread': False,
                        'restrictions': False})):
        reply = step('eve', signal, name, **answers)
        check(reply.status == 200, f'{name}: {reply}')
    check(reply.json()['notifiable'] is True and reply.json()['risk'] == 'high', reply)
    for name in ACTIONS:
        reply = step('epi', signal, 'action', action=name, applies=name != 'countermeasures')
        check(reply.status == 200, f'{name}: {reply}')
    check(step('epi', signal, 'close', note='over').status == 409, 'WHO is owed a notice')
    check(step('epi', signal, 'notify-who').status == 200, 'which it gets')
    reply = step('epi', signal, 'close', note='two incubation periods without a case')
    late = {c['clock']: c['late'] for c in reply.json()['clocks']}
    # The records are of 2024 and came today: detection is late, what was done in seconds is not.
    check(reply.json()['state'] == 'closed' and late == {
        'detect': True, 'notify': False, 'respond': False, 'assess': False, 'notify-who': False},
          f'it is closed: {reply}')
    task = next(t for t in world.tasks() if t['id'] == signal)
    check(task['status'] == 'completed' and
          [(n['authorReference']['reference'][13:], n['text'].split(':')[0]) for n in task['note']]
          == [('epi', 'take'), ('eve', 'verify'), ('eve', 'assess'), ('eve', 'annex2')] +
          [('epi', 'action ' + a) for a in ACTIONS] + [('epi', 'notify-who'), ('epi', 'close')],
          f'who did what stands in it: {task["note"]}')
    check(step('epi', signal, 'note', note='late').status == 409, 'what is ended is ended')
    case(world, 7, 'north')
    check(len(world.tasks()) == 1, 'and is not raised again by another case')


def check_no_other_word(world, cases):
    """What the node says of outbreaks and signals no system says in its place that writes Tasks."""
    for code in 'outbreak', 'signal':
        plain = {'resourceType': 'Task', 'id': 'plain', 'status': 'in-progress', 'intent': 'order',
                 'executionPeriod': {'start': '2024-01-01'},
                 'reasonCode': {'coding': [{'system': 'urn:carnet:disease', 'code': 'cholera'}]}}
        said = dict(plain, code={'coding': [{'system': 'urn:carnet:surveillance', 'code': code}]})
        reply = world.ask(world.loader, 'PUT', 'Task/plain', plain)
        world.check(reply.status in (200, 201), f'a system writes Tasks: {reply}')
        for task in dict(said, id='forged'), said:
            reply = world.ask(world.loader, 'PUT', 'Task/' + task['id'], task)
            world.check(reply.status == 403, f'but none that says there is {code}: {reply}')
    world.check(cases() == 1, 'and nothing is declared')


def check_outbreak(world):
    """Where an outbreak is declared a diarrhoea is a suspicion, and only there and then."""
    check = world.check

    def declare(who, **said):
        return world.own(who, 'POST', '$outbreak', {'resourceType': 'Parameters', 'parameter': [
            {'name': k, 'valueString': v} for k, v in said.items()]})

    def cases():
        return world.own('epi', 'GET', f'$series?disease=cholera&location=south&from={DAY}&to={DAY}'
                         '&period=day').json()['cases']

    case(world, 10, 'south', '1A40.Z')
    case(world, 13, 'south', '1A00')
    wait('the other case', lambda: cases() == 1)
    check_no_other_word(world, cases)
    what = {'disease': 'cholera', 'location': 'south', 'start': '2024-04-29'}
    for who, said, status in (
            ('doc', what, 403), ('officer', what, 403), ('epi', dict(what, disease='gout'), 400),
            ('epi', dict(what, location='west'), 400), ('epi', dict(what, start='2024-05'), 400),
            ('epi', dict(what, start='2999-01-01'), 400),
            ('epi', dict(what, end='2024-04-28'), 400), ('epi', dict(what, color='red'), 400),
            ('epi', {'disease': 'cholera'}, 400), ('epi', {'outbreak': 'none', 'end': DAY}, 404),
            ('epi', dict(what, outbreak='none'), 400)):
        reply = declare(who, **said)
        check(reply.status == status and reply.outcome(), f'{who} declares {said}: {reply}')
    reply = declare('epi', note='culture of 28 April', **what)
    check(reply.status == 200 and reply.json()['state'] == 'declared', f'it is declared: {reply}')
    wait('the wider definition', lambda: cases() == 2)
    key = reply.json()['outbreak']
    reply = declare('eve', outbreak=key, end='2024-04-30')
    check(reply.status == 200 and reply.json()['state'] == 'over', f'it is over: {reply}')
    wait('the narrower definition', lambda: cases() == 1)
    declare('eve', outbreak=key, end=DAY)
    wait('the last day', lambda: cases() == 2)
    check(declare('epi', outbreak=key, mistake='true').json()['state'] == 'mistake', 'none at all')
    wait('that there was none', lambda: cases() == 1)
    task = world.own('epi', 'GET', '$outbreaks').json()['entry'][0]['resource']
    check(task['requester'] == {'reference': 'Practitioner/epi'} and
          [n['authorReference']['reference'][13:] for n in task['note']] ==
          ['epi', 'eve', 'eve', 'epi'],
          f'who declared what: {task}')
    check(world.own('doc', 'GET', '$outbreaks').status == 403, 'not for everybody')
    for n in 10, 13:
        world.ask(world.loader, 'DELETE', f'Condition/c{n}')
    wait('no case', lambda: cases() == 0)


def check_race(world):
    """Two take it at the same moment: one has it."""
    case(world, 11, 'south')
    case(world, 12, 'south')
    signal = wait('another', lambda: [t for t in world.tasks() if t['status'] == 'requested']
                  )[0]['id']
    world.token('eve')
    got = []
    nodes.in_threads(2, lambda i: got.append(world.step(('epi', 'eve')[i], signal, 'take').status))
    world.check(sorted(got) == [200, 409], f'two at once: {got}')
    for n in 11, 12:
        world.ask(world.loader, 'DELETE', f'Condition/c{n}')
    standing = wait('the withdrawal', lambda: next(
        (s for s in [world.own('epi', 'GET', f'$signal?signal={signal}').json()] if s['withdrawn']),
        None))
    world.check(standing['steps'] == ['discard'] and standing['state'] == 'verify', standing)
    reply = world.step('eve', signal, 'verify')
    world.check(reply.status == 409 and 'withdrawn' in str(reply.outcome()), reply)
    world.check(world.step('eve', signal, 'discard', note='typing').status == 200, 'discarded')


def check_audit(world):
    steps = [e for e in auth.events(world, world.loader)
             if {'display': 'signal-step'} in e['subtype']]
    who = {(a.get('name'), e['outcomeDesc'][-3:]) for e in steps for a in e['agent']
           if a.get('requestor')}
    world.check({('epi', '200'), ('eve', '200'), ('eve', '409'), ('doc', '403')} <= who,
                f'who did and who tried is in the audit log: {who}')


def main():
    score = nodes.Score()
    with contextlib.ExitStack() as stack:
        mail = stack.enter_context(contextlib.closing(sinks.Sink(sinks.Mail)))
        web = stack.enter_context(contextlib.closing(sinks.Sink(sinks.Web)))
        folder = stack.enter_context(nodes.Folder(sys.argv[1]))
        rules = os.path.join(folder.path, 'rules.json')
        with open(os.path.join(HERE, '../../defs/surveillance/signal-rules.json')) as f:
            said = dict(json.load(f), tell=['Practitioner/epi'])
        with open(rules, 'w') as f:
            json.dump(said, f)
        node = stack.enter_context(nodes.Node(
            folder, '--notify', trust.add_notices(folder, mail, web), '--signal-rules', rules,
            is_open=False))
        world = Centre(score, folder, node)
        world.mail = mail
        world.keys = [jose.Key(folder.path, 'ES384')]
        trust.add_people(world, PEOPLE)
        trust.add_clients(world)
        world.loader = auth.backend(world, auth.assertion(world, world.keys[0], 'loader')) \
            .json()['access_token']
        make_places(world)
        signal = check_told(world)
        check_rights(world, signal)
        check_way(world, signal)
        check_outbreak(world)
        check_race(world)
        check_audit(world)
    return score.end()


if __name__ == '__main__':
    sys.exit(main())
