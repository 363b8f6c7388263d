#!/usr/bin/env python3
"""Who may see what, as people meet it: emergency access and its review. trust.py CARNET"""
import contextlib
import hashlib
import hmac
import json
import os
import re
import sys
import time
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'lib'))
sys.path.insert(0, HERE)
import auth  # noqa: E402
import jose  # noqa: E402
import node as nodes  # noqa: E402
import sinks  # noqa: E402

CODES = 'http://terminology.hl7.org/CodeSystem/'
REASON = 'unconscious in the emergency room'
PEOPLE = (('ann', 'patient', 'Patient/ann'), ('bob', 'patient', 'Patient/bob'),
          ('doc', 'worker', 'Practitioner/doc'), ('nurse', 'worker', 'Practitioner/nurse'),
          ('dad', 'guardian', 'Person/dad'), ('mum', 'guardian', 'Person/mum'),
          ('granny', 'patient', 'Patient/old'),
          ('officer', 'privacy', 'Practitioner/officer'),
          ('epi', 'epidemiologist', 'Practitioner/epi'), ('keeper', 'steward', ''),
          ('minister', 'ministry', ''))


class Country(auth.World):
    """A node with people, whose tokens are got when they are first used."""

    def __init__(self, *args):
        super().__init__(*args)
        self.tokens = {}

    def token(self, login):
        if login not in self.tokens:
            scope = 'patient/*.rs patient/Consent.cu launch/patient' \
                if login in ('ann', 'bob', 'granny') else 'user/*.cruds'
            reply, verifier, _ = auth.sign_in(self, 'app', scope, login)
            got = auth.redeem(self, reply, verifier, 'app').json()
            self.tokens[login] = got['access_token']
        return self.tokens[login]

    def ask(self, login, method, path, body=None, **headers):
        """As somebody, or with a token that was got otherwise."""
        token = self.token(login) if len(login) < 40 else login
        return self.node.client().send(method, '/fhir/' + path, body,
                                       Authorization='Bearer ' + token, **headers)

    def status(self, login, path):
        return self.ask(login, 'GET', path).status

    def total(self, login, query):
        reply = self.ask(login, 'GET', query + '&_total=accurate')
        return reply.json().get('total') if reply.status == 200 else reply.status


def parameters(**values):
    return {'resourceType': 'Parameters',
            'parameter': [dict({'name': k}, **{'value' + t: v}) for k, (t, v) in values.items()]}


def part(reply, name):
    for p in reply.json().get('parameter', []):
        if p['name'] == name:
            return next(v for k, v in p.items() if k.startswith('value'))
    return None


def break_glass(world, login, patient, reason=REASON, **more):
    return world.ask(login, 'POST', f'Patient/{patient}/$break-glass',
                     parameters(reason=('String', reason), **more))


# ---- emergency access ----

def check_glass(world):
    check = world.check
    before = world.ask('doc', 'GET', 'Patient/bob')
    check(before.status == 404, 'a worker does not see who is not in their care')
    for what, reply, status in (
            ('no reason', world.ask('doc', 'POST', 'Patient/bob/$break-glass', parameters()), 400),
            ('a short one', break_glass(world, 'doc', 'bob', 'help'), 400),
            ('no time', break_glass(world, 'doc', 'bob', minutes=('Integer', 0)), 400),
            ('too much time', break_glass(world, 'doc', 'bob', minutes=('Integer', 61)), 400),
            ('another parameter', break_glass(world, 'doc', 'bob', x=('Integer', 1)), 400),
            ('GET', world.ask('doc', 'GET', 'Patient/bob/$break-glass?reason=' + 'x' * 20), 405),
            ('a patient', break_glass(world, 'ann', 'ann'), 403),
            ('a steward', break_glass(world, 'keeper', 'bob'), 403),
            ('a program', break_glass(world, world.loader, 'bob'), 403),
            ('nobody', break_glass(world, 'doc', 'nobody'), 404)):
        check(reply.status == status, f'breaking the glass, {what}: {reply}')
    missing = break_glass(world, 'doc', 'bod')
    world.put(world.token('bob'), auth.consent('bob'))
    refused = break_glass(world, 'doc', 'bob')
    check(refused.status == 404 and refused.body.replace(b'bob', b'bod') == missing.body,
          f'one who does not permit it looks as if they were not there: {refused}')
    world.put(world.token('bob'), auth.consent('bob', 'inactive'))
    reply = break_glass(world, 'doc', 'bob', minutes=('Integer', 5))
    token = part(reply, 'access_token') or ''
    check(reply.status == 200 and len(token) == 43 and part(reply, 'scope') == 'patient/*.cruds' and
          reply.headers['Cache-Control'] == 'no-store', f'the glass is broken: {reply}')
    check(world.status(token, 'Patient/bob') == 200 and
          world.total(token, 'Observation?status=final') == 2, 'the one record is open')
    check(world.status(token, 'Patient/ann') == 404, 'and no other')
    check(world.status('doc', 'Patient/bob') == 404, 'nor is it for the token of the sign-in')
    check(break_glass(world, token, 'bob').status == 403, 'what is broken breaks nothing else')
    world.put(world.token('bob'), auth.consent('bob', purpose=[{'code': 'BTG'}]))
    check(world.status(token, 'Patient/bob') == 404, 'a no is obeyed at the next request')
    world.put(world.token('bob'), auth.consent('bob', 'inactive'))
    check(world.status(token, 'Patient/bob') == 200, 'and its end as well')
    check_glass_audit(world)
    check_review(world, part(reply, 'review')['reference'], token)
    check_glass_ends(world)


def check_glass_ends(world):
    """What was given ends with what was allowed to ask for it."""
    reply, verifier, _ = auth.sign_in(world, 'app', 'user/*.rs offline_access', 'nurse')
    got = auth.redeem(world, reply, verifier, 'app').json()
    token = part(break_glass(world, got['access_token'], 'bob'), 'access_token')
    world.check(world.status(token, 'Patient/bob') == 200, 'somebody else breaks it')
    world.post('/auth/revoke', {'token': got['refresh_token'], 'client_id': 'app'})
    world.check(world.status(token, 'Patient/bob') == 401, 'and it ends with the sign-in')


def check_glass_audit(world):
    alerts = [e for e in auth.events(world, world.loader, '&patient=bob')
              if {'110127'} & {s.get('code') for s in e.get('subtype', [])}]
    user = [a for e in alerts for a in e['agent'] if a['requestor']]
    world.check(len(alerts) == 1 and alerts[0]['type']['code'] == '110113' and
                user[0]['purposeOfUse'][0]['coding'][0]['code'] == 'BTG' and
                auth.about(alerts[0]) == ['Patient/bob'], f'an alert of its own: {alerts}')
    lines = [{p['name']: p for p in x['part']} for x in
             world.ask('bob', 'GET', 'Patient/bob/$accesses').json()['parameter']]
    world.check(any(x.get('purpose', {}).get('valueCode') == 'BTG' for x in lines),
                'the person sees that it was an emergency')


def check_review(world, task, token):
    """The queue, and who closes what is in it."""
    check = world.check
    queue = world.ask('officer', 'GET', 'Task?code=urn:carnet:task|break-glass&status=requested')
    check([e['resource']['id'] for e in queue.json().get('entry', [])] == [task[5:]],
          f'the queue: {queue}')
    review = world.ask('officer', 'GET', task).json()
    check(review['for'] == {'reference': 'Patient/bob'} and
          review['reasonCode'] == {'text': REASON} and
          review['requester']['reference'] == 'Practitioner/doc', f'what is asked: {review}')
    check(world.status('doc', task) == 404 and world.status(token, task) == 404,
          'who broke the glass does not see it')
    done = dict(review, status='completed', output=[
        {'type': {'coding': [{'system': 'urn:carnet:task', 'code': 'outcome'}]},
         'valueCode': 'justified'}], note=[{'text': 'seen with the head of the ward'}])

    def put(login, body):
        return world.ask(login, 'PUT', task, body)

    for what, login, body in (
            ('a steward', 'keeper', done), ('a program', world.loader, done),
            ('without an outcome', 'officer', dict(review, status='completed')),
            ('with an outcome of their own', 'officer', dict(done, output=[dict(
                done['output'][0], valueCode='fine')])),
            ('cancelled', 'officer', dict(done, status='cancelled')),
            ('with another reason', 'officer', dict(done, reasonCode={'text': 'x'})),
            ('of another patient', 'officer', dict(done, **{'for': {'reference': 'Patient/ann'}})),
            ('less who asked', 'officer', {k: v for k, v in done.items() if k != 'requester'}),
            ('as another thing', 'officer', dict(done, code={'text': 'x'}))):
        reply = put(login, body)
        check(reply.status == 403, f'a review closed by or {what}: {reply}')
    check(world.ask('officer', 'DELETE', task).status == 403, 'a review is not deleted')
    check(world.ask('keeper', 'DELETE', task).status == 403, 'by nobody')
    forged = dict(review, id='forged')
    check(world.ask('keeper', 'PUT', 'Task/forged', forged).status == 403, 'nor made by hand')
    check(world.ask('keeper', 'PUT', 'Task/chore', {
        'resourceType': 'Task', 'id': 'chore', 'status': 'ready', 'intent': 'order'}).status == 201,
          'other tasks are')
    reply = put('officer', dict(review, status='in-progress'))
    check(reply.status == 200, f'a review is taken up: {reply}')
    reply = put('officer', done)
    check(reply.status == 200 and reply.json()['status'] == 'completed', f'and closed: {reply}')
    check(put('officer', review).status == 403, 'and stays so')
    check(world.ask('officer', 'GET', 'Task?status=requested').json().get('total') == 0,
          'the queue is empty')


# ---- finding somebody without opening their record ----

def match(world, login, patient, **more):
    params = parameters(**more)
    params['parameter'].append({'name': 'resource',
                                'resource': dict(patient, resourceType='Patient')})
    return world.ask(login, 'POST', 'Patient/$match', params)


def check_find(world):
    check = world.check
    card = {'system': 'urn:card', 'value': '4711-0815'}
    for n, born in ('mia', '1990-05-01'), ('max', '1990-05-01'), ('moe', '1991-05-01'):
        world.put(world.loader, {
            'resourceType': 'Patient', 'id': n, 'gender': 'other', 'birthDate': born,
            'name': [{'family': 'Bôdo', 'given': [n]}], 'address': [{'text': 'secret street'}],
            'telecom': [{'system': 'phone', 'value': '+221770000'}],
            'identifier': [dict(card, value=card['value'] + n), {'system': 'urn:other',
                                                                'value': 'hidden-' + n}]})
    by_name = {'name': [{'family': 'bodo', 'given': ['mia']}], 'birthDate': '1990-05-01'}
    reply = match(world, 'nurse', by_name)
    entries = reply.json().get('entry', [])
    grades = [(e['resource']['id'], e['search']['extension'][0]['valueCode'],
               e['search']['score']) for e in entries]
    check(grades == [('mia', 'probable', 0.9), ('max', 'possible', 0.6)] and
          reply.json()['total'] == 2, f'found by name and date of birth: {reply}')
    check(set(entries[0]['resource']) == {'resourceType', 'id', 'meta', 'name', 'gender',
                                          'birthDate'}, f'with the least: {entries[0]}')
    reply = match(world, 'nurse', {'identifier': [dict(card, value=card['value'] + 'max')]})
    check([(e['resource']['id'], e['resource']['identifier']) for e in reply.json()['entry']] ==
          [('max', [dict(card, value=card['value'] + 'max')])] and
          b'hidden' not in reply.body and b'secret' not in reply.body,
          f'by the identifier, and no other is told: {reply}')
    reply = match(world, 'nurse', by_name, onlyCertainMatches=('Boolean', True))
    check(reply.status == 400, f'a name is never certain: {reply}')
    reply = match(world, 'nurse', {'name': [{'family': 'Bodo'}], 'birthDate': '1990-05-01'},
                  count=('Integer', 1))
    check(len(reply.json()['entry']) == 1, 'not more than asked for')
    for what, given in (('a name', {'name': [{'family': 'Bodo'}]}), ('nothing', {}),
                        ('a year', dict(by_name, birthDate='1990')),
                        ('a short number', {'identifier': [{'value': '47'}]}),
                        ('a date', {'birthDate': '1990-05-01'})):
        reply = match(world, 'nurse', given)
        check(reply.status == 400, f'{what} identifies nobody: {reply}')
    for given in ({'identifier': [{'value': 'x,hidden-mia'}]},
                  {'identifier': [{'system': 'urn:none|', 'value': 'hidden-mia'}]},
                  {'name': [{'family': 'x,Bodo'}], 'birthDate': '1990-05-01'}):
        reply = match(world, 'nurse', given)
        check(reply.json().get('total') == 0, f'what was typed is no search: {reply}')
    check(match(world, 'ann', by_name).status == 403, 'patients find nobody')
    check(world.status('nurse', 'Patient/mia') == 404, 'found is not opened')
    found = [e for e in auth.events(world, world.loader, '&patient=max')
             if 'match' in [x.get('display') for x in e.get('subtype', [])]]
    check(len(found) == 2, f'whoever was found is told by the log: {len(found)}')
    world.put(world.token('bob'), auth.consent('bob'))
    bob = {'name': [{'family': 'Muster', 'given': ['bob']}], 'birthDate': '1990-01-01'}
    reply = match(world, 'nurse', bob)
    check([e['resource']['id'] for e in reply.json().get('entry', [])] == ['ann'],
          f'one who says no is not found: {reply}')
    check(pick(world, 'bob') == [], 'nor by the page that picks a patient')
    world.put(world.token('bob'), auth.consent('bob', 'inactive'))
    check(pick(world, 'bob') == ['bob'], 'one who does not is')
    replies = [match(world, 'keeper', bob).status for _ in range(62)]
    check(replies[0] == 200 and replies[-1] == 429, f'and not without end: {replies}')


def pick(world, name):
    """Whom the nurse can choose on the page of an app that is started for one patient."""
    browser = auth.Browser(world)
    _, fields = auth.request(world, 'app', 'launch/patient patient/*.rs')
    browser.send('GET', '/auth/authorize?' + urllib.parse.urlencode(fields))
    browser.submit(login='nurse', password=auth.PASSWORD)
    browser.submit(find=name)
    return re.findall(r'name="patient" value="([^"]+)"', browser.page)


# ---- people who are there ----

def encounter(name, patient, **more):
    return dict({'resourceType': 'Encounter', 'id': name, 'status': 'in-progress',
                 'class': {'code': 'AMB'}, 'subject': {'reference': 'Patient/' + patient},
                 'participant': [{'individual': {'reference': 'Practitioner/doc'}}]}, **more)


def check_in(world, login, patient, **more):
    return world.ask(login, 'POST', f'Patient/{patient}/$check-in', parameters(**more))


def code_of(world, login, patient, **more):
    reply = world.ask(login, 'POST', f'Patient/{patient}/$presence-code', parameters(**more))
    return part(reply, 'code') if reply.status == 200 else reply.status


def check_presence(world):
    check = world.check
    world.put(world.loader, {'resourceType': 'Patient', 'id': 'eve'})
    reply = world.ask('doc', 'PUT', 'Encounter/mine', encounter('mine', 'eve'))
    check(reply.status == 403, f'care that one takes oneself is refused: {reply}')
    for what, got in (('not a code', check_in(world, 'doc', 'ann', code=('String', 'ABCD'))),
                      ('of nobody', check_in(world, 'doc', 'nobody', code=('String', 'ABCD')))):
        check(got.status == 403 and b'not good for this person' in got.body, f'{what}: {got}')
    check(code_of(world, 'doc', 'ann') == code_of(world, 'bob', 'ann') == 403,
          'a code is given by the person')
    code = code_of(world, 'ann', 'ann')
    check(check_in(world, 'doc', 'bob', code=('String', code)).status == 403, 'for themselves')
    check(check_in(world, 'ann', 'ann', code=('String', code)).status == 403, 'to workers')
    check(world.status('doc', 'Patient/ann') == 404, 'nobody sees her yet')
    reply = check_in(world, 'doc', 'ann', code=('String', code.lower().replace('-', ' ')))
    came = (part(reply, 'encounter') or {}).get('reference', '')
    check(reply.status == 200 and world.status('doc', 'Patient/ann') == 200 and
          world.status('nurse', 'Patient/ann') == 404, f'she shows it, and is in care: {reply}')
    check(check_in(world, 'nurse', 'ann', code=('String', code)).status == 403, 'it is good once')
    own = encounter('own', 'ann')
    check(world.ask('doc', 'PUT', 'Encounter/own', own).status == 201, 'one writes of them')
    visit = world.ask('doc', 'GET', came).json()
    del visit['period']['end']
    check(world.ask('doc', 'PUT', came, dict(visit, status='in-progress')).status == 200 and
          world.status('doc', 'Patient/ann') == 200, 'the visit goes on')
    world.ask(world.loader, 'DELETE', came)
    check(world.status('doc', 'Patient/ann') == 404, "what one wrote oneself is no care")
    world.put(world.loader, dict(own, status='onleave'))
    check(world.status('doc', 'Patient/ann') == 200, 'what another confirms is')
    world.ask(world.loader, 'DELETE', 'Encounter/own')
    check_card(world)
    check_colleague(world)


def check_card(world):
    check = world.check
    card = code_of(world, 'keeper', 'ann', card=('Boolean', True))
    check(card == 403, 'a card is given out by who checks people in')
    card = code_of(world, 'ann', 'ann', card=('Boolean', True))
    check(len(card) == 14 and check_in(world, 'doc', 'ann', code=('String', card)).status == 200 and
          check_in(world, 'nurse', 'ann', code=('String', card)).status == 200,
          'a card is good more than once')
    mine = code_of(world, 'nurse', 'ann', card=('Boolean', True))
    check(len(mine) == 14 and
          check_in(world, 'nurse', 'ann', code=('String', mine)).status == 403 and
          check_in(world, 'doc', 'ann', code=('String', mine)).status == 200,
          'though not for who gave it out')
    check(check_in(world, 'doc', 'ann', code=('String', card)).status == 403, 'the old one ended')


def check_colleague(world):
    """Another says that somebody is there."""
    check = world.check
    at = {'practitioner': ('String', 'Practitioner/doc')}
    check(check_in(world, 'nurse', 'eve', **at).status == 403, 'of no organisation with them')
    world.put(world.loader, {'resourceType': 'Organization', 'id': 'clinic', 'name': 'Clinic'})
    for who in 'doc', 'nurse':
        world.put(world.loader, {
            'resourceType': 'PractitionerRole', 'id': 'of-' + who,
            'practitioner': {'reference': 'Practitioner/' + who},
            'organization': {'reference': 'Organization/clinic'}})
    check(check_in(world, 'doc', 'eve', **at).status == 403, 'nobody says it for themselves')
    check(check_in(world, 'nurse', 'nobody', **at).status == 404, 'of nobody')
    check(check_in(world, 'nurse', 'eve', organization=('String', 'Organization/x'),
                   **at).status == 403, 'for a place where they do not work')
    reply = check_in(world, 'nurse', 'eve', **at)
    check(reply.status == 200 and world.status('doc', 'Patient/eve') == 200 and
          world.status('nurse', 'Patient/eve') == 404, f'a colleague says so: {reply}')
    check(check_in(world, 'nurse', 'eve', organization=('String', 'Organization/clinic'),
                   **at).status == 200 and world.status('nurse', 'Patient/eve') == 200,
          'and for all who work there')
    told = [{p['name']: p for p in x['part']} for x in
            world.ask('officer', 'GET', 'Patient/eve/$notices').json()['parameter']]
    check({x['kind']['valueCode'] for x in told} == {'check-in'}, f'which she is told: {told}')
    role = world.ask('keeper', 'PUT', 'PractitionerRole/of-keeper', {
        'resourceType': 'PractitionerRole', 'id': 'of-keeper',
        'practitioner': {'reference': 'Practitioner/keeper'}})
    check(role.status == 201, f'a steward says who works where: {role}')


# ---- those who act for others ----

def related(name, patient, **more):
    return dict({'resourceType': 'RelatedPerson', 'id': name, 'active': True,
                 'patient': {'reference': 'Patient/' + patient}}, **more)


def birthday(years, days=0):
    """Of one who is so many years old, and the days."""
    now = time.gmtime(time.time() - days * 86400)
    return f'{now.tm_year - years}-{now.tm_mon:02}-{now.tm_mday:02}'


def check_proxies(world):
    check, put = world.check, lambda r: world.put(world.loader, r)
    for name, born in ('kid', birthday(6)), ('teen', birthday(17)), ('old', birthday(80)):
        put({'resourceType': 'Patient', 'id': name, 'birthDate': born})
        put({'resourceType': 'Observation', 'id': name + '-o', 'status': 'final',
             'code': {'text': 'x'}, 'subject': {'reference': 'Patient/' + name}})
    hidden = {'security': [{'system': 'urn:carnet:security', 'code': 'hidden-from-proxies'}]}
    put({'resourceType': 'Observation', 'id': 'teen-hidden', 'status': 'final', 'meta': hidden,
         'code': {'text': 'x'}, 'subject': {'reference': 'Patient/teen'}})
    put({'resourceType': 'Observation', 'id': 'kid-mother', 'status': 'final',
         'code': {'text': 'x'}, 'subject': {'reference': 'Patient/kid'},
         'performer': [{'reference': 'Patient/ann'}]})
    for r in related('of-kid', 'kid'), related('of-teen', 'teen'), related('of-old', 'old'):
        check(put(r).status == 201, f'the registry says who acts for whom: {r}')
    put({'resourceType': 'Person', 'id': 'dad', 'link': [
        {'target': {'reference': 'RelatedPerson/' + n}} for n in ('of-kid', 'of-teen', 'of-old')]})

    def sees(*paths):
        return [world.status('dad', p) == 200 for p in paths]

    check(sees('Patient/kid', 'Observation/kid-o', 'Patient/teen', 'Observation/teen-o') ==
          [True] * 4 and world.total('dad', 'Observation?status=final') == 2,
          'a guardian sees the records of children')
    check(sees('Observation/teen-hidden') == [False], 'but what is kept from guardians')
    check(sees('Observation/kid-mother') == [False], 'nor what is of another as well')
    check(sees('Patient/old', 'Observation/old-o') == [False] * 2,
          'who is of age says so themselves')
    check(sees('RelatedPerson/of-kid', 'Person/dad') == [False] * 2 and
          world.status('dad', 'AuditEvent?patient=kid') == 403 and
          world.status('dad', 'Patient/kid/$accesses') == 403 and
          world.status('dad', 'Patient/kid/$notices') == 403, 'and what is between others')
    for resource in (related('of-kid', 'bob'), {'resourceType': 'Person', 'id': 'dad'},
                     {'resourceType': 'Patient', 'id': 'kid', 'birthDate': '2025-01-01'}):
        check(world.ask('dad', 'PUT', f"{resource['resourceType']}/{resource['id']}",
                        resource).status == 403, 'a proxy makes nobody theirs')
    check(world.ask('nurse', 'PUT', 'RelatedPerson/of-kid', related('of-kid', 'kid')).status == 403,
          'nor does a worker')
    # One who is of age lets them, and sends them away again, and they cannot see by what.
    word = auth.consent('old', type='permit', actor=[
        {'role': {'text': 'r'}, 'reference': {'reference': 'RelatedPerson/of-old'}}])
    check(world.ask('granny', 'PUT', 'Consent/word-old', word).status == 201, 'their own word')
    check(sees('Patient/old', 'Observation/old-o', 'Consent/word-old') == [True, True, False],
          'opens their record, but what they said')
    check(world.ask('granny', 'PUT', 'Consent/word-old', dict(word, status='inactive')).status ==
          200 and sees('Patient/old') == [False], 'taken back, it is obeyed at once')
    never = world.ask('dad', 'GET', 'Patient/odd').body.replace(b'odd', b'old')
    check(world.ask('dad', 'GET', 'Patient/old').body == never, 'as if they had never been there')
    check_mother(world)
    # Coming of age, and the end of it.
    put({'resourceType': 'Patient', 'id': 'teen', 'birthDate': birthday(18, 1)})
    check(sees('Patient/teen', 'Patient/kid') == [False, True], 'a child that is of age')
    put(related('of-kid', 'kid', active=False))
    check(sees('Patient/kid') == [False], 'a guardian no more')


def check_mother(world):
    """One account for her own record and her child's, each as it holds for itself."""
    check, put = world.check, lambda r: world.put(world.loader, r)

    def person(assurance, **more):
        return put(dict({'resourceType': 'Person', 'id': 'mum', 'link': [
            {'target': {'reference': 'RelatedPerson/of-kid-mum'}},
            {'target': {'reference': 'RelatedPerson/of-old-mum'}},
            {'target': {'reference': 'Patient/mum'}, **assurance}]}, **more))

    def sees(*paths):
        return [world.status('mum', p) == 200 for p in paths]

    put({'resourceType': 'Patient', 'id': 'mum', 'birthDate': birthday(30),
         'name': [{'family': 'Mum'}]})
    put({'resourceType': 'Observation', 'id': 'mum-hidden', 'status': 'final',
         'code': {'text': 'x'}, 'subject': {'reference': 'Patient/mum'},
         'meta': {'security': [{'system': 'urn:carnet:security', 'code': 'hidden-from-proxies'}]}})
    put({'resourceType': 'Observation', 'id': 'both', 'status': 'final', 'code': {'text': 'x'},
         'subject': {'reference': 'Patient/kid'}, 'performer': [{'reference': 'Patient/mum'}]})
    put(related('of-kid-mum', 'kid'))
    put(related('of-old-mum', 'old'))
    own = ('Patient/mum', 'Observation/mum-hidden', 'Observation/both', 'Person/mum')
    for assurance in {}, {'assurance': 'level2'}:
        person(assurance)
        check(sees('Patient/kid', *own) == [True] + [False] * 4,
              f'a link that nobody made sure of opens nothing: {assurance}')
    person({'assurance': 'level3'})
    check(sees('Patient/kid', 'Observation/kid-o', *own) == [True] * 6,
          'a mother sees her own record and her child\'s, and what is of both')
    check(sees('Observation/kid-mother', 'RelatedPerson/of-kid-mum', 'Patient/old') == [False] * 3,
          'of her child what any proxy sees, and of the grown what they let her')
    check(world.total('mum', 'Patient?') == 2 and world.status('dad', 'Observation/both') == 404,
          'who is both is found, and what is hers is not the father\'s')
    for patient, status in ('mum', 201), ('kid', 403):
        no = dict(auth.consent(patient), id='said-by-mum-' + patient)
        reply = world.ask('mum', 'PUT', 'Consent/' + no['id'], no)
        check(reply.status == status, f'she consents for herself alone, {patient}: {reply}')
    check(sees(*own) == [True] * 4, 'a no of hers is not to herself')
    for path in ('AuditEvent?patient={}', 'Patient/{}/$accesses', 'Patient/{}/$notices',
                 'Patient/{}/$by-law'):
        check(world.status('mum', path.format('mum')) == 200, f'her own: {path}')
    for path in 'Patient/{}/$notices', 'Patient/{}/$by-law':
        check(world.status('mum', path.format('kid')) == 403, f'not her child\'s: {path}')
    for path in 'AuditEvent?patient=kid', 'Patient/kid/$accesses':
        check(world.ask('mum', 'GET', path).json().get('entry', []) == [] and
              b'access"' not in world.ask('mum', 'GET', path).body, f'nor who looked: {path}')
    reply = world.ask('mum', 'POST', 'Patient/mum/$presence-code', parameters())
    check(reply.status == 200 and
          world.ask('mum', 'POST', 'Patient/kid/$presence-code', parameters()).status == 403,
          f'she shows that she is there: {reply}')
    reply = world.ask('mum', 'PUT', 'Person/mum', {'resourceType': 'Person', 'id': 'mum', 'link': [
        {'target': {'reference': 'Patient/bob'}, 'assurance': 'level4'}]})
    check(reply.status == 403, f'nobody says who they are themselves: {reply}')
    check_picks(world)
    # Whoever does not see her record does not write who she is, the registry included.
    check(person({'assurance': 'level3'}).status == 403, 'her no is one to the registry')
    world.ask('mum', 'PUT', 'Consent/said-by-mum-mum',
              dict(auth.consent('mum', 'inactive'), id='said-by-mum-mum'))
    reply = person({'assurance': 'level3'}, active=False)
    check(sees('Patient/kid', *own) == [False] * 5,
          f'a Person that is no more in use opens nothing: {reply}')


def check_picks(world):
    """An app that is started for one patient: she says for whom."""
    browser = auth.Browser(world)
    verifier, fields = auth.request(world, 'app', 'launch/patient patient/*.rs')
    browser.send('GET', '/auth/authorize?' + urllib.parse.urlencode(fields))
    browser.submit(login='mum', password=auth.PASSWORD)
    offered = re.findall(r'name="patient" value="([^"]+)"', browser.page)
    world.check(offered == ['mum', 'kid'] and 'name="find"' not in browser.page,
                f'she is asked for whom: {offered}')
    at = re.search(r'name="at" value="([^"]+)"', browser.page).group(1)
    browser.send('POST', '/auth/step', {'do': 'pick', 'patient': 'old', 'at': at})
    world.check('name="patient"' in browser.page, 'for nobody else')
    browser.send('POST', '/auth/step', {'do': 'pick', 'patient': 'kid', 'at': at})
    reply = browser.submit(do='approve')
    got = auth.redeem(world, reply, verifier, 'app').json()
    token = got['access_token']
    world.check(got.get('patient') == 'kid' and world.status(token, 'Patient/kid') == 200 and
                world.status(token, 'Patient/mum') == 404 and
                world.status(token, 'AuditEvent?patient=mum') == 403, 'and that is who it is')


# ---- public health by law ----

ICD = 'http://hl7.org/fhir/sid/icd-10'


def write_policy(folder):
    """What is built in, with a disease that has to be reported."""
    with open(os.path.join(HERE, '..', '..', 'defs', 'policy', 'default.json')) as f:
        policy = json.load(f)
    policy['version'] = 'test'
    policy['notifiable'] = {'cholera': {'codes': [ICD + '|A00'],
                                        'types': ['Patient', 'Condition']}}
    policy['roles']['epidemiologist']['records'] = 'cases'
    path = os.path.join(folder.path, 'policy.json')
    with open(path, 'w') as f:
        json.dump(policy, f)
    return path


def condition(name, patient, code, **more):
    return dict({'resourceType': 'Condition', 'id': name, 'code': {'coding': [
        {'system': ICD, 'code': code}]}, 'subject': {'reference': 'Patient/' + patient}}, **more)


def check_law(world):
    check = world.check
    world.put(world.loader, condition('ann-c', 'ann', 'A00'))
    world.put(world.loader, condition('ann-d', 'ann', 'J00'))
    world.put(world.loader, condition('bob-c', 'bob', 'J00'))
    world.put(world.token('ann'), auth.consent('ann'))

    def sees():
        return [world.total('epi', q) for q in ('Patient?_id=ann,bob', 'Condition?_id=ann-c,bob-c',
                                                'Observation?status=final',
                                                'Consent?status=active')]

    check(sees() == [1, 1, 0, 0] and world.status('epi', 'Condition/ann-d') == 200 and
          world.status('epi', 'Observation/ann-laboratory') == 404,
          f'of a case, whatever they consent to, what the law names: {sees()}')
    check(world.status('doc', 'Patient/ann') == 404, 'a no holds for all others')
    reply = world.ask('ann', 'GET', 'Patient/ann/$by-law')
    check(b'cholera' in reply.body and b'Condition/ann-c' in reply.body and
          b'(epidemiologist)' in reply.body, f'which they are told: {reply}')
    check(world.ask('bob', 'GET', 'Patient/bob/$by-law').json() == {'resourceType': 'Parameters'},
          'who is no case is told nothing')
    check([world.ask(x, 'GET', 'Patient/ann/$by-law').status for x in ('bob', 'doc', 'keeper')] ==
          [403, 403, 404], 'and nobody else')
    lines = [{p['name']: p for p in x['part']} for x in
             world.ask('ann', 'GET', 'Patient/ann/$accesses').json()['parameter']]
    check(any(x.get('purpose', {}).get('valueCode') == 'PUBHLTH' for x in lines),
          'who looked is in their log, with the purpose')
    world.put(world.token('ann'), auth.consent('ann', 'inactive'))
    world.put(world.loader, condition('ann-c', 'ann', 'A00', verificationStatus={'coding': [
        {'system': CODES + 'condition-ver-status', 'code': 'refuted'}]}))
    check(sees() == [0] * 4, 'a case that was none is closed at the next request')
    world.put(world.loader, condition('ann-c', 'ann', 'A00'))
    check(sees()[0] == 1, 'and opened')
    world.ask(world.loader, 'DELETE', 'Condition/ann-c')
    check(sees() == [0] * 4, 'as is one that was deleted')


def check_explained(world):
    """Why somebody sees something, as an operation."""
    check = world.check

    def ask(login, path, **more):
        reply = world.ask(login, 'GET', path + '/$explain-access?' + urllib.parse.urlencode(more))
        return (part(reply, 'sees'), part(reply, 'text')) if reply.status == 200 else reply.status

    said = world.folder.run('explain', 'access', '--as', 'doc', '--to', 'Patient/bob').strip()
    check(ask('keeper', 'Patient/bob', **{'as': 'doc'}) == (False, said),
          f'as the command says it: {said}')
    check(ask('keeper', 'Patient/bob', purpose='BTG', **{'as': 'doc'})[0] is True, 'by purpose')
    check(ask('keeper', 'Patient/nobody', **{'as': 'doc'}) == 404, 'of what there is')
    check(ask('keeper', 'Patient/bob', **{'as': 'nobody'}) == 404, 'and who there is')
    check(ask('keeper', 'Patient/bob') == ask('keeper', 'Patient/bob', role='worker',
                                              **{'as': 'doc'}) == 400, 'somebody must be named')
    check(ask('doc', 'Patient/bob', **{'as': 'doc'}) == 403, 'workers may not ask')
    check(ask('bob', 'Patient/bob', **{'as': 'doc'}) == 403, 'nor a person about accounts')
    check(ask('bob', 'Observation/bob-laboratory', role='worker',
              user='Practitioner/doc')[0] is False, 'but about what is theirs')
    check(ask('bob', 'Patient/ann', role='worker') == 404 and
          ask('bob', 'Patient/no', role='worker') == 404, 'and nothing else')

# ---- what a validation tells ----

def profile(name, kind, path, **says):
    return {'resourceType': 'StructureDefinition', 'id': name, 'url': 'urn:test:' + name,
            'name': name.title(), 'status': 'active', 'kind': 'resource', 'abstract': False,
            'type': kind, 'derivation': 'constraint',
            'baseDefinition': 'http://hl7.org/fhir/StructureDefinition/' + kind,
            'differential': {'element': [dict({'id': path, 'path': path}, **says)]}}


def check_validate(world):
    """A profile of what is referred to asks about its content, which is not everybody's."""
    check, put = world.check, lambda r: world.put(world.loader, r)
    subject = {'code': 'Reference', 'targetProfile': ['urn:test:named']}
    for r in (profile('named', 'Patient', 'Patient.name', min=1),
              profile('about', 'Observation', 'Observation.subject', type=[subject]),
              {'resourceType': 'Patient', 'id': 'vic'}):
        check(put(r).status == 201, f'a definition is there: {r}')

    def refused(login, patient):
        reply = world.ask(login, 'POST', 'Observation/$validate?profile=urn:test:about', {
            'resourceType': 'Observation', 'status': 'final', 'code': {'text': 'x'},
            'subject': {'reference': 'Patient/' + patient}})
        check(reply.status == 200, f'$validate answers: {reply}')
        return [i['details']['text'] for i in reply.json()['issue'] if i['severity'] == 'error']

    told = refused(world.loader, 'vic')
    check(len(told) == 1 and 'conforms to none' in told[0], f'one who sees them is told: {told}')
    check(refused('doc', 'vic') == refused('doc', 'nobody') == [],
          'of a person whom one may not see it is not told what their record has')


# ---- notices ----

HOOK_SECRET, SMS_TOKEN = 'hook secret', 'Bearer sms-token'


def add_notices(folder, mail, web):
    """What carries notices, in files of the node's folder."""
    def write(name, text):
        path = os.path.join(folder.path, name)
        with open(path, 'w') as f:
            f.write(text)
        return path

    return write('notify.json', json.dumps({
        'from': 'node@node.example', 'retrySeconds': 1,
        'smtp': {'url': f'smtp://127.0.0.1:{mail.port}', 'tls': False},
        'sms': {'url': f'http://127.0.0.1:{web.port}/sms',
                'secretFile': write('sms-token', SMS_TOKEN + '\n')},
        'webhook': {'url': f'http://127.0.0.1:{web.port}/hook',
                    'secretFile': write('hook-secret', HOOK_SECRET)}}))


def add_addresses(world):
    for name, language in ('ann', 'ar'), ('bob', 'fr'):
        world.put(world.loader, {
            'resourceType': 'Patient', 'id': name, 'birthDate': '1990-01-01',
            'name': [{'family': 'Muster', 'given': [name]}],
            'telecom': [{'system': 'email', 'value': name + '@mail.example'},
                        {'system': 'phone', 'value': '+221 77 000 00 00'}],
            'communication': [{'language': {'coding': [{'code': language}]}}]})


def to(address):
    return lambda mail: mail[0] == [address]


def check_notices(world):
    """Whose glass was broken is told, every way that there is, and nothing clinical with it."""
    check = world.check
    rcpt, mail = world.mail.wait(to('bob@mail.example')) or (None, {})
    check(rcpt == ['bob@mail.example'] and mail['Subject'] ==
          'Votre dossier de santé a été ouvert en urgence', f'a mail in their language: {mail}')
    text = mail.get_content()
    check(world.root in text and 'UTC' in text and 'unconscious' not in text and
          'Doc' not in text, f'which says where to look, and no more: {text}')
    check(mail['Auto-Submitted'] == 'auto-generated' and mail['Date'].endswith('+0000') and
          mail['Message-ID'].endswith('@node.example>'), f'as a program sends it: {mail.items()}')
    sms = world.web.wait(lambda got: got[0] == '/sms')
    check(sms and json.loads(sms[2])['to'] == '+221770000000' and
          sms[1].get('Authorization') == SMS_TOKEN, f'a text message: {sms}')
    hook = world.web.wait(lambda got: got[0] == '/hook' and b'Patient/bob' in got[2])
    mac = hmac.new(HOOK_SECRET.encode(), hook[2], hashlib.sha256).hexdigest()
    check(json.loads(hook[2])['owner'] == 'Patient/bob' and
          hook[1].get('Carnet-Signature') == 'sha256=' + mac and
          hook[1].get('Idempotency-Key') == json.loads(hook[2])['id'], f'a webhook: {hook}')

    def told(login='bob'):
        reply = world.ask(login, 'GET', 'Patient/bob/$notices')
        return [{p['name']: next(v for k, v in p.items() if k != 'name') for p in x['part']}
                for x in reply.json().get('parameter', [])] if reply.status == 200 else reply.status

    end = time.monotonic() + 20
    while any(n['state'] == 'waiting' for n in told()) and time.monotonic() < end:
        time.sleep(0.1)
    mine = told()
    check({n['channel'] for n in mine} == {'email', 'sms', 'webhook'} and
          all(n['state'] == 'sent' and n['kind'] == 'break-glass' for n in mine),
          f'the person sees what they were told: {mine}')
    check(any('queued as' in n['proof'] for n in mine), f'and that it arrived: {mine}')
    check(told('officer') == mine, 'a reviewer sees it')
    check([told(x) for x in ('ann', 'keeper', world.loader)] == [403] * 3, 'and nobody else')


def check_ways(world):
    """Whoever has another way to sign in is told."""
    browser = auth.sign_in(world, 'app', 'openid', 'bob')[2]
    browser.send('POST', '/auth/account', {'do': 'codes-begin'})
    key = re.search(r'secret=([A-Z2-7]+)', browser.page).group(1)
    subject = 'Votre façon de vous connecter a changé'
    world.check(not [m for m in world.mail.got if m[1]['Subject'] == subject], 'nothing yet')
    browser.send('POST', '/auth/account', {'do': 'codes-prove', 'code': auth.totp(key)})
    got = world.mail.wait(lambda m: m[1]['Subject'] == subject)
    world.check(got and got[0] == ['bob@mail.example'] and key not in got[1].get_content(),
                f'one-time codes: {got}')
    before = len(world.mail.got)
    world.folder.run('user', 'totp-off', 'bob')
    world.check(world.mail.wait(lambda m: m[1]['Subject'] == subject and
                                m in world.mail.got[before:]), 'by the operator, too')


def check_forgotten(world):
    """A new password by mail; whether there is such an account is not told."""
    check = world.check

    def forget(login):
        browser = auth.Browser(world)
        browser.send('GET', '/auth/forgot')
        return browser.send('POST', '/auth/forgot', {'login': login})

    world.mail.refuse = 451
    known, unknown = forget('ann'), forget('nobody-at-all')
    check(known.status == unknown.status == 200 and known.body == unknown.body,
          'the answer does not tell who is there')
    check(not [m for m in world.mail.got if m[0] == ['ann@mail.example']], 'the server is busy')
    world.mail.refuse = None
    got = world.mail.wait(lambda m: m[0] == ['ann@mail.example'] and
                          '/auth/setup' in m[1].get_content())
    check(got and got[1]['Content-Language'] == 'ar', f'it is tried again: {got}')
    link = re.search(r'(/auth/setup\?secret=\S+)', got[1].get_content()).group(1)
    check(not [w for w in world.web.got if b'/auth/setup' in w[2] and w[0] == '/hook'],
          'the secret goes to nobody else')
    before = len(world.mail.got)
    forget('ann')
    browser = auth.Browser(world)
    browser.send('GET', link)
    secret = urllib.parse.unquote(link.split('=', 1)[1])
    check(f'name="secret" value="{secret}"' in browser.page, 'the link fills it in')
    check(world.status('ann', 'Patient/ann') == 200, 'she is signed in elsewhere')
    reply = browser.send('POST', '/auth/setup', {'secret': secret, 'password': 'a new password'})
    check(reply.status == 200, f'the password is set: {reply}')
    check(world.status('ann', 'Patient/ann') == 401, 'and whoever was signed in is so no more')
    set_by = [a for e in auth.events(world, world.loader)[:20] for a in e['agent']
              if a['requestor'] and 'setup' in [s.get('display') for s in e.get('subtype', [])]]
    check(set_by and all(a.get('who') for a in set_by), f'the log says whose it is: {set_by}')
    check(world.mail.wait(lambda m: 'كلمة مرورك' in m[1]['Subject']), 'which is told')
    check(len([m for m in world.mail.got[before:] if '/auth/setup' in m[1].get_content()]) == 0,
          'asking again sends no second one')
    reply = browser.send('POST', '/auth/setup', {'secret': secret, 'password': 'another password'})
    check(reply.status == 400, 'the secret is good once')
    # Where it is sent to is not for a colleague to say.
    reach = {'resourceType': 'Practitioner', 'id': 'officer',
             'telecom': [{'system': 'email', 'value': 'thief@mail.example'}]}
    check(world.ask('doc', 'PUT', 'Practitioner/officer', reach).status == 403 and
          world.ask('doc', 'DELETE', 'Practitioner/officer').status == 403 and
          world.ask('doc', 'PUT', 'Practitioner/new', dict(reach, id='new')).status == 403,
          'nobody says where another is reached')
    check(world.ask('doc', 'PUT', 'Practitioner/doc', dict(reach, id='doc')).status == 200 and
          world.ask('keeper', 'PUT', 'Practitioner/officer', reach).status == 200,
          'but themselves, and who keeps the register')


# ---- the country ----

def add_people(world, people=PEOPLE):
    for login, role, user in people:
        said = world.folder.run('user', 'add', login, '--role', role,
                                *(['--fhir-user', user] if user else []))
        world.post('/auth/setup', {'secret': re.search(r'one-time secret (\S+)', said).group(1),
                                   'password': auth.PASSWORD})


def add_clients(world):
    path = os.path.join(world.folder.path, 'jwks.json')
    with open(path, 'w') as f:
        json.dump({'keys': [k.jwk() for k in world.keys]}, f)
    world.folder.run('client', 'add', 'loader', '--name', 'Loader', '--backend', '--jwks', path,
                     '--scope', 'system/*.cruds')
    world.folder.run('client', 'add', 'app', '--name', 'App', '--redirect', auth.REDIRECT,
                     '--scope', 'openid offline_access launch/patient patient/*.cruds user/*.cruds')


# ---- how programmes go ----

def check_programmes(world):
    """Counts are for those whose work they are, and records are not for a ministry."""
    def own(login, path):
        token = world.token(login) if len(login) < 40 else login
        return world.node.client().get(path, Authorization='Bearer ' + token)

    reply, verifier, _ = auth.sign_in(world, 'app', 'user/Location.rs', 'minister')
    narrow = auth.redeem(world, reply, verifier, 'app').json()['access_token']
    end = time.monotonic() + 30   # the first question begins the counting
    while own('minister', '/carnet/$coverage').status == 503 and time.monotonic() < end:
        time.sleep(0.1)
    for path in '/carnet/$coverage', '/carnet/$use', '/fhir/$conformance':
        for login in 'minister', 'keeper':
            reply = own(login, path)
            world.check(reply.status == 200, f'{login}, {path}: {reply}')
        for login in 'doc', 'ann', 'epi', 'officer', world.loader, narrow:
            reply = own(login, path)
            world.check(reply.status == 403, f'{login[:8]}, {path}: {reply}')
        world.check(world.node.client().get(path).status == 401, f'nobody, {path}')
    for path in 'Patient/ann', 'Patient?name=a', 'Observation?status=final':
        reply = world.ask('minister', 'GET', path)
        world.check(reply.status in (403, 404) or reply.json().get('total', 0) == 0 and
                    not reply.json().get('entry'), f'a ministry sees no records: {reply}')
    asked = auth.events(world, world.token('officer'), '&subtype=coverage')
    world.check(asked, 'who asked is in the audit log')


def main():
    score = nodes.Score()
    with contextlib.ExitStack() as stack:
        mail = stack.enter_context(contextlib.closing(sinks.Sink(sinks.Mail)))
        web = stack.enter_context(contextlib.closing(sinks.Sink(sinks.Web)))
        folder = stack.enter_context(nodes.Folder(sys.argv[1]))
        node = stack.enter_context(nodes.Node(folder, '--notify', add_notices(folder, mail, web),
                                              '--policy', write_policy(folder), is_open=False))
        world = Country(score, folder, node)
        world.mail, world.web = mail, web
        world.keys = [jose.Key(folder.path, 'ES384')]
        add_people(world)
        add_clients(world)
        world.loader = auth.backend(world, auth.assertion(world, world.keys[0], 'loader')) \
            .json()['access_token']
        auth.make_records(world, world.loader)
        for name in 'nurse', 'officer':
            world.put(world.loader, {'resourceType': 'Practitioner', 'id': name})
        add_addresses(world)
        check_glass(world)
        check_notices(world)
        check_find(world)
        check_proxies(world)
        check_law(world)
        check_explained(world)
        check_programmes(world)
        check_presence(world)
        check_validate(world)
        check_ways(world)
        check_forgotten(world)
    return score.end()


if __name__ == '__main__':
    sys.exit(main())
