#!/usr/bin/env python3
"""Policies that change while a node runs, labels, and a person's rights. rights.py CARNET"""
import base64
import contextlib
import json
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'lib'))
sys.path.insert(0, HERE)
import auth  # noqa: E402
import jose  # noqa: E402
import node as nodes  # noqa: E402
import sinks  # noqa: E402
import stores  # noqa: E402
import trust  # noqa: E402


WAIT_SECONDS = 20


class Policy:
    """What is built in, as a file that is changed and set."""

    def __init__(self, folder):
        self.folder = folder
        self.path = os.path.join(folder.path, 'policy.json')
        with open(os.path.join(HERE, '..', '..', 'defs', 'policy', 'default.json')) as f:
            self.policy = json.load(f)

    def write(self, version):
        self.policy['version'] = version
        with open(self.path, 'w') as f:
            json.dump(self.policy, f)
        return self.path

    def set(self, version, status=0):
        return self.folder.run('policy', 'set', self.write(version), status=status)


def holds(question):
    """Whether it comes true."""
    end = time.monotonic() + WAIT_SECONDS
    while not question():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


# ---- a policy is changed ----

def check_policy(world, policy):
    check, run = world.check, world.folder.run
    worker = policy.policy['roles']['worker']

    def finds(node=None):
        return (node or world.node).client().send(
            'POST', '/fhir/Patient/$match', MATCH, Authorization='Bearer ' + world.token('doc'))

    check('built in' in run('policy', 'history'), 'none was set')
    check(finds().status == 200, f'a worker finds people: {finds()}')
    worker['finds'] = False
    policy.policy['tests'] = [t for t in policy.policy['tests'] if 'finds' not in t['who']]
    check('number 1' in policy.set('strict'), 'it is set')
    check(finds().status == 403, 'and obeyed by the next request')
    check(json.loads(run('policy', 'show'))['version'] == 'strict', 'it is shown')
    worker['purposes'].append('HRESCH')
    worker['records'] = 'everything'
    said = policy.set('broken', status=1)
    check('records' in said, f'a bad one is refused, and why: {said}')
    worker['records'] = 'none'
    said = policy.set('failing', status=1)
    check('test' in said, f'so is one whose tests do not hold: {said}')
    check(finds().status == 403 and json.loads(run('policy', 'show'))['version'] == 'strict',
          'and the one before stays')
    worker['records'], worker['finds'] = 'related', True
    worker['purposes'].remove('HRESCH')
    check_everywhere(world, policy, finds)
    check(finds().status == 200, 'it is as before')
    said = run('policy', 'history')
    check([line.split()[0] for line in said.splitlines()] == ['1', '2'] and 'strict' in said,
          f'all are kept: {said}')
    check(json.loads(run('policy', 'show', '--number', '1'))['version'] == 'strict', 'as they were')
    run('policy', 'show', '--number', '7', status=1)
    entries = [e for e in auth.events(world, world.loader) if e['type']['code'] == '110100' and
               'policy-set' in [x.get('display') for x in e.get('subtype', [])]]
    versions = {base64.b64decode(x['query']).decode() for e in entries for x in e['entity']}
    check({'strict', 'open'} <= versions, f'it is in the log: {versions}')


def check_everywhere(world, policy, finds):
    if not stores.SERVER:
        policy.set('open')
        return
    second = nodes.Second(world.folder)
    with nodes.Node(second, is_open=False) as other:
        world.check(finds(other).status == 403, 'the other node of the store knows it')
        policy.set('open')
        world.check(finds(other).status == 200, 'and obeys the next one at its next request')


# ---- labels by codes ----

ICD = trust.ICD
LABEL = 'http://terminology.hl7.org/CodeSystem/v3-ActCode'
HIDDEN = 'urn:carnet:security'


def labels(reply):
    return sorted(x['code'] for x in reply.json().get('meta', {}).get('security', []))


def check_labels(world, policy):
    check, ask = world.check, world.ask
    for patient, born in ('young', '2012-01-01'), ('grown', '1980-01-01'):
        world.put(world.loader, {'resourceType': 'Patient', 'id': patient, 'birthDate': born})

    def write(name, code, patient='bob', **more):
        reply = world.put(world.loader, trust.condition(name, patient, code, **more))
        check(reply.status in (200, 201), f'{name}: {reply}')
        return labels(ask('bob' if patient == 'bob' else world.loader, 'GET', 'Condition/' + name))

    world.put(world.loader, auth.care_team('bob'))
    check(write('before', 'B20') == [] and world.status('doc', 'Condition/before') == 200,
          'no labels without rules')
    policy.policy['labelling'] = {
        'hiv': {'label': LABEL + '|HIV', 'codes': [ICD + '|B20', ICD + '|Z21']},
        'teens': {'label': HIDDEN + '|hidden-from-proxies', 'codes': [ICD + '|Z30'],
                  'ages': {'from': 12, 'below': 18}}}
    policy.set('labelled')
    check(write('after', 'B20') == ['HIV'] and write('other', 'J00') == [], 'by its code')
    check(world.status('doc', 'Condition/after') == 404 and
          world.status('doc', 'Condition/other') == 200, 'it is kept from whom nobody let see it')
    check(holds(lambda: labels(ask('bob', 'GET', 'Condition/before')) == ['HIV']),
          'what was there is labelled, too')
    check(world.status('doc', 'Condition/before') == 404 and
          world.status('doc', 'Condition/before/_history/1') == 404, 'so is what it was')
    history = ask('doc', 'GET', 'Condition/before/_history').json()
    check(not history.get('entry'), f'and its history: {history}')
    check(world.total('bob', 'Condition?_security=' + LABEL + '|HIV') == 2 and
          world.total('doc', 'Condition?_security=' + LABEL + '|HIV') == 0, 'found by label')
    at = {'recordedDate': '2026-05-01'}
    check(write('t1', 'Z30', 'young', **at) == ['hidden-from-proxies'] and
          write('t2', 'Z30', 'grown', **at) == [] and
          write('t3', 'Z30', 'young', recordedDate='2020-01-01') == [], 'by age')
    check_kept_labels(world, write)
    check_imported(world)
    check_unlabelled(world, policy, write)


def check_kept_labels(world, write):
    """No clinical scope takes one away."""
    check, ask = world.check, world.ask
    world.put(world.token('bob'), auth.consent('bob', type='permit'))
    opened = auth.consent('bob', type='permit', securityLabel=[{'system': LABEL, 'code': 'HIV'}])
    world.put(world.token('bob'), opened)
    check(world.status('doc', 'Condition/after') == 200, 'the person lets a worker see it')
    bare = trust.condition('after', 'bob', 'B20', note=[{'text': 'x'}])
    check(ask('doc', 'PUT', 'Condition/after', bare).status == 200 and
          labels(ask('bob', 'GET', 'Condition/after')) == ['HIV'], 'left out it comes back')
    other = ask('doc', 'PUT', 'Condition/after', trust.condition('after', 'bob', 'J00'))
    check(other.status == 403, f'it does not go with the code: {other}')
    patch = [{'op': 'remove', 'path': '/meta/security'}]
    reply = ask('doc', 'PATCH', 'Condition/after', patch,
                **{'Content-Type': 'application/json-patch+json'})
    check(labels(ask('bob', 'GET', 'Condition/after')) == ['HIV'], f'nor by a patch: {reply}')
    brought = trust.condition('brought', 'bob', 'B20')
    brought['meta'] = {'security': [{'system': LABEL, 'code': 'HIV'}]}
    check(ask('doc', 'PUT', 'Condition/brought', brought).status == 201, 'one that came along')
    brought['meta']['security'][0]['extension'] = [{'url': 'urn:carnet:label-rule',
                                                    'valueCode': 'hiv'}]
    reply = ask('doc', 'PUT', 'Condition/brought', brought)
    check(reply.status == 403, f'does not become one that the node takes away: {reply}')


def check_imported(world):
    world.put(world.token('bob'), auth.consent('bob', 'inactive'))
    path = os.path.join(world.folder.path, 'import.ndjson')
    with open(path, 'w') as f:
        f.write(json.dumps(trust.condition('imported', 'bob', 'Z21')) + '\n')
    world.folder.run('import', path)
    reply = world.ask('bob', 'GET', 'Condition/imported')
    world.check(labels(reply) == ['HIV'], f'an import is labelled: {reply}')
    bundle = {'resourceType': 'Bundle', 'type': 'transaction', 'entry': [
        {'fullUrl': 'urn:uuid:7f3f0f6c-7a7b-4bf1-9ae0-7d8c8e1d8a01',
         'resource': {'resourceType': 'Patient', 'birthDate': '2013-02-01'},
         'request': {'method': 'POST', 'url': 'Patient'}},
        {'resource': dict(trust.condition('bundled', 'x', 'Z30'), subject={
            'reference': 'urn:uuid:7f3f0f6c-7a7b-4bf1-9ae0-7d8c8e1d8a01'}),
         'request': {'method': 'PUT', 'url': 'Condition/bundled'}}]}
    reply = world.ask(world.loader, 'POST', '', bundle)
    world.check(reply.status == 200, f'a transaction: {reply}')
    reply = world.ask(world.loader, 'GET', 'Condition/bundled')
    world.check(labels(reply) == ['hidden-from-proxies'], f'is labelled by who is in it: {reply}')


def check_unlabelled(world, policy, write):
    ask = world.ask
    del policy.policy['labelling']['hiv']
    policy.set('narrower')
    world.check(holds(lambda: labels(ask('bob', 'GET', 'Condition/before')) == []),
                'what the node set goes with its rule')
    world.check(labels(ask('bob', 'GET', 'Condition/brought')) == ['HIV'] and
                labels(ask(world.loader, 'GET', 'Condition/t1')) == ['hidden-from-proxies'],
                'and nothing else does')
    world.check(write('later', 'B20') == [], 'nor is any set')
    del policy.policy['labelling']
    policy.set('bare')


# ---- what was deleted ----

def check_deleted(world):
    check, ask = world.check, world.ask
    for name, patient in ('gone', 'bob'), ('away', 'ann'):
        world.put(world.loader, trust.condition(name, patient, 'J00'))
        ask(world.loader, 'DELETE', 'Condition/' + name)
    check(world.status('doc', 'Condition/gone') == 410 and
          world.status('bob', 'Condition/gone') == 410, 'those who saw it hear that it was deleted')
    there = ask('doc', 'GET', 'Condition/gone/_history').json().get('entry', [])
    check([e['request']['method'] for e in there] == ['DELETE', 'PUT'], f'in its history: {there}')
    never = ask('doc', 'GET', 'Condition/awry')
    for path in 'Condition/away', 'Condition/away/_history/1':
        reply = ask('doc', 'GET', path)
        check(reply.status == 404, f'nobody else does: {path}: {reply}')
    reply = ask('doc', 'GET', 'Condition/away')
    check(reply.body.replace(b'away', b'awry') == never.body and
          set(reply.headers.keys()) == set(never.headers.keys()), f'nothing tells more: {reply}')
    check(not ask('doc', 'GET', 'Condition/away/_history').json().get('entry') and
          world.total('doc', 'Condition?_id=gone,away') == 0, 'nor do lists')
    world.put(world.token('bob'), auth.consent('bob'))
    check(world.status('doc', 'Condition/gone') == 404, 'a no is obeyed for what is gone, too')
    world.put(world.token('bob'), auth.consent('bob', 'inactive'))


# ---- a record to read ----

def check_record(world):
    check, ask = world.check, world.ask
    nasty = trust.condition('nasty', 'bob', 'J00', note=[{'text': '<script>alert(1)</script>&"'}])
    nasty['code']['text'] = '<b>Grippe</b>'
    world.put(world.loader, nasty)
    reply = ask('bob', 'GET', 'Patient/bob/$record')
    page = reply.body.decode()
    check(reply.status == 200 and reply.headers['Content-Type'].startswith('text/html') and
          'sandbox' in reply.headers['Content-Security-Policy'] and
          reply.headers['Cache-Control'] == 'no-store', f'a page that no cache keeps: {reply}')
    check('lang="fr"' in page and 'Dossier de santé' in page, 'in the language of the person')
    check('&lt;b&gt;Grippe&lt;/b&gt;' in page and '<script' not in page and '<b>' not in page and
          '&lt;script&gt;alert(1)&lt;/script&gt;&amp;' in page, 'every text is escaped')
    check(not any(x in page for x in ('src=', 'href=', 'url(')), 'nothing from elsewhere')
    for accept, status in (('text/html', 200), ('image/png, text/HTML;q=0.5', 200),
                           ('text/html;q=0', 406), ('text/plain', 406)):
        reply = ask('bob', 'GET', 'Patient/bob/$record', Accept=accept)
        check(reply.status == status, f'asked for as {accept}: {reply.status}')
    whole = ask('bob', 'GET', 'Patient/bob/$everything').json()['entry']
    check(page.count('<article>') == len(whole), f'all of it: {page.count("<article>")}')
    check('dir="rtl"' in ask('bob', 'GET', 'Patient/bob/$record?language=ar').body.decode() and
          ask('bob', 'GET', 'Patient/bob/$record?language=tlh').status == 400, 'or in another')
    check(ask('doc', 'GET', 'Patient/grown/$record').status == 404, 'of nobody else')
    reply = ask('bob', 'POST', '', {'resourceType': 'Bundle', 'type': 'batch', 'entry': [
        {'request': {'method': 'GET', 'url': 'Patient/bob/$record'}}]})
    entry = reply.json()['entry'][0]
    check(reply.status == 200 and entry['response']['status'].startswith('4') and
          'resource' not in entry, f'it stands in no Bundle: {reply}')
    seen = [e for e in auth.events(world, world.loader, '&patient=bob')
            if 'record' in [x.get('display') for x in e.get('subtype', [])]]
    check(seen, 'and it is in the log')


# ---- the account ----

def check_places(world):
    """A new place is told of, a known one is not."""
    check = world.check

    def mails(words):
        return len([m for m in world.mail.got if words in m[1]['Subject']])

    browser = auth.Browser(world)
    auth.sign_in(world, 'app', 'patient/*.rs', 'bob', browser=browser)
    check(world.mail.wait(lambda m: 'nouvel endroit' in m[1]['Subject']), 'a new place is told of')
    before = mails('nouvel endroit')
    auth.sign_in(world, 'app', 'patient/*.rs', 'bob', browser=browser, prompt='login')
    world.folder.run('user', 'password', 'bob', '--password-stdin', text=auth.PASSWORD + '\n')
    check(world.mail.wait(lambda m: 'mot de passe' in m[1]['Subject'] and
                          m[0] == ['bob@mail.example']), 'so is a password that an operator sets')
    check(mails('nouvel endroit') == before, 'a known one is not')
    check(world.status('bob', 'Patient/bob') == 401 and
          browser.send('GET', '/auth/account').status == 401, 'who was signed in is so no more')
    del world.tokens['bob']
    check(world.status('bob', 'Patient/bob') == 200, 'with the new one he is')


def check_close(world):
    check = world.check
    reply, verifier, _ = auth.sign_in(world, 'app', 'patient/*.rs offline_access', 'ann')
    got = auth.redeem(world, reply, verifier, 'app').json()
    browser = auth.Browser(world)
    browser.send('GET', '/auth/close')
    check('name="password"' in browser.page, 'a page of its own')
    wrong = browser.send('POST', '/auth/close', {'login': 'ann', 'password': 'nonsense'})
    check(wrong.status == 401 and world.status('ann', 'Patient/ann') == 200, 'with the password')
    foreign = world.post('/auth/close', {'login': 'ann', 'password': auth.PASSWORD},
                         Origin='http://evil.example')
    check(foreign.status == 401 and world.status('ann', 'Patient/ann') == 200, 'from this page')
    reply = browser.send('POST', '/auth/close', {'login': 'ann', 'password': auth.PASSWORD})
    check(reply.status == 200, f'it is closed: {reply}')
    check(world.status('ann', 'Patient/ann') == 401, 'its tokens end')
    reply = world.post('/auth/token', {'grant_type': 'refresh_token', 'client_id': 'app',
                                       'refresh_token': got['refresh_token']})
    check(reply.status == 400, f'and buy no others: {reply}')
    check(world.ask(world.loader, 'GET', 'Patient/ann').status == 200, 'the record stays')
    check(world.mail.wait(lambda m: 'تم إغلاق حسابك' in m[1]['Subject']), 'the person is told')
    again = browser.send('POST', '/auth/close', {'login': 'ann', 'password': auth.PASSWORD})
    check(again.status == 401, f'there is nothing left to close: {again}')
    for action in 'enable', 'password':
        world.folder.run('user', action, 'ann', status=1)
    check('closed' in world.folder.run('user', 'show', 'ann'), 'and no operator opens it')


# ---- corrections ----

def check_corrections(world):
    check, ask = world.check, world.ask
    wrong = trust.condition('wrong', 'bob', 'J00')
    check(ask('doc', 'PUT', 'Condition/wrong', wrong).status == 201, 'a worker writes it')
    world.put(world.loader, trust.condition('hers', 'grown', 'J00'))

    def request(login, about, patient='bob', what='It was the left knee', why='I know my knees'):
        return ask(login, 'POST', f'Patient/{patient}/$request-correction', trust.parameters(
            about=('Reference', {'reference': about}), what=('String', what), why=('String', why)))

    for what, reply, status in (
            ('of another', request('bob', 'Condition/hers'), 404),
            ('of nothing', request('bob', 'Condition/never'), 404),
            ('for another', request('doc', 'Condition/wrong'), 403),
            ('without a word', request('bob', 'Condition/wrong', what='-'), 400),
            ('by a program', request(world.loader, 'Condition/wrong'), 403)):
        check(reply.status == status, f'a request {what}: {reply}')
    reply = request('bob', 'Condition/wrong')
    check(reply.status == 201, f'the person asks: {reply}')
    task = 'Task/' + reply.json()['id']
    second = 'Task/' + request('bob', 'Condition/wrong', what='And the date').json()['id']
    forged = dict(reply.json(), status='completed')
    check(ask('keeper', 'PUT', task, forged).status == 403 and
          ask('keeper', 'DELETE', task).status == 403, 'nobody decides it by hand')

    def decide(login, which, decision, reason='as the letter says'):
        return ask(login, 'POST', 'Patient/bob/$decide-correction', trust.parameters(
            request=('Reference', {'reference': which}), decision=('Code', decision),
            reason=('String', reason)))

    for what, reply, status in (
            ('by the person', decide('bob', task, 'accepted'), 404),
            ('by another worker', decide('nurse', task, 'accepted'), 404),
            ('before anything has changed', decide('doc', task, 'accepted'), 422),
            ('otherwise', decide('doc', task, 'perhaps'), 400),
            ('without a reason', decide('doc', task, 'refused', ''), 400),
            ('of another Task', decide('keeper', 'Task/never', 'refused'), 404)):
        check(reply.status == status, f'a decision {what}: {reply}')
    wrong['note'] = [{'text': 'the left knee'}]
    check(ask('doc', 'PUT', 'Condition/wrong', wrong).status == 200, 'the author corrects it')
    reply = decide('doc', task, 'accepted')
    check(reply.status == 200 and reply.json()['status'] == 'completed', f'and accepts: {reply}')
    check(decide('keeper', task, 'refused').status == 409, 'it is decided once')
    reply = decide('keeper', second, 'refused', 'the date is that of the visit')
    check(reply.json()['status'] == 'rejected', f'a steward refuses the other: {reply}')
    check(world.mail.wait(lambda m: 'demande de correction' in m[1]['Subject']), 'the person hears')
    trail = [e['resource'] for e in
             ask('bob', 'GET', 'Patient/bob/$corrections').json()['entry']]
    reasons = {r['id']: r.get('statusReason', {}).get('text') for r in trail
               if r['resourceType'] == 'Task'}
    check(reasons == {task[5:]: 'as the letter says', second[5:]: 'the date is that of the visit'},
          f'and reads what was asked and why it was so decided: {reasons}')
    proof = [r for r in trail if r['resourceType'] == 'Provenance']
    check(len(proof) == 1 and proof[0]['entity'][0]['what']['reference'] == task and
          proof[0]['target'][0]['reference'].startswith('Condition/wrong/_history/') and
          proof[0]['agent'][0]['who']['reference'] == 'Practitioner/doc',
          f'the change points to the request: {proof}')
    found = ask('bob', 'GET', 'Provenance/' + proof[0]['id'])
    check(found.status == 200, f'it is of the record: {found}')
    check(not ask('doc', 'GET', 'Patient/young/$corrections').json().get('entry'), 'nobody else')
    seen = [e['resource']['id'] for e in ask('doc', 'GET', 'Patient/bob/$corrections').json()
            .get('entry', []) if e['resource']['resourceType'] == 'Task']
    check(set(seen) == {task[5:], second[5:]}, f'the author sees them: {seen}')


MATCH = {'resourceType': 'Parameters', 'parameter': [{'name': 'resource', 'resource': {
    'resourceType': 'Patient', 'name': [{'family': 'Muster'}], 'birthDate': '1990-01-01'}}]}


def main():
    score = nodes.Score()
    with contextlib.ExitStack() as stack:
        mail = stack.enter_context(contextlib.closing(sinks.Sink(sinks.Mail)))
        web = stack.enter_context(contextlib.closing(sinks.Sink(sinks.Web)))
        folder = stack.enter_context(nodes.Folder(sys.argv[1]))
        node = stack.enter_context(nodes.Node(folder, '--notify',
                                              trust.add_notices(folder, mail, web), is_open=False))
        world = trust.Country(score, folder, node)
        world.mail, world.web = mail, web
        world.keys = [jose.Key(folder.path, 'ES384')]
        trust.add_people(world)
        trust.add_clients(world)
        world.loader = auth.backend(world, auth.assertion(world, world.keys[0], 'loader')) \
            .json()['access_token']
        auth.make_records(world, world.loader)
        trust.add_addresses(world)
        policy = Policy(folder)
        check_policy(world, policy)
        check_labels(world, policy)
        check_deleted(world)
        check_corrections(world)
        check_record(world)
        check_places(world)
        check_close(world)
    return score.end()


if __name__ == '__main__':
    sys.exit(main())
