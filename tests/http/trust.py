#!/usr/bin/env python3
"""Who may see what, as people meet it: emergency access and its review. trust.py CARNET"""
import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import auth  # noqa: E402
import jose  # noqa: E402
import node as nodes  # noqa: E402

CODES = 'http://terminology.hl7.org/CodeSystem/'
REASON = 'unconscious in the emergency room'
PEOPLE = (('ann', 'patient', 'Patient/ann'), ('bob', 'patient', 'Patient/bob'),
          ('doc', 'worker', 'Practitioner/doc'), ('nurse', 'worker', 'Practitioner/nurse'),
          ('officer', 'privacy', 'Practitioner/officer'), ('keeper', 'steward', ''))


class Country(auth.World):
    """A node with people, whose tokens are got when they are first used."""

    def __init__(self, *args):
        super().__init__(*args)
        self.tokens = {}

    def token(self, login):
        if login not in self.tokens:
            scope = 'patient/*.rs patient/Consent.cu launch/patient' \
                if login in ('ann', 'bob') else 'user/*.cruds'
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


# ---- the country ----

def add_people(world):
    for login, role, user in PEOPLE:
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


def main():
    score = nodes.Score()
    with nodes.Folder(sys.argv[1]) as folder, nodes.Node(folder, is_open=False) as node:
        world = Country(score, folder, node)
        world.keys = [jose.Key(folder.path, 'ES384')]
        add_people(world)
        add_clients(world)
        world.loader = auth.backend(world, auth.assertion(world, world.keys[0], 'loader')) \
            .json()['access_token']
        auth.make_records(world, world.loader)
        for name in 'nurse', 'officer':
            world.put(world.loader, {'resourceType': 'Practitioner', 'id': name})
        check_glass(world)
    return score.end()


if __name__ == '__main__':
    sys.exit(main())
