#!/usr/bin/env python3
"""A node that asks who is there, by plain HTTP: accounts, SMART launches, backend services, and
what an attacker would try (RFC 6749, 7636, 9449, 9700): auth.py CARNET"""
import base64
import hashlib
import hmac
import html
import json
import os
import re
import struct
import sys
import time
import urllib.parse
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import jose  # noqa: E402
import node as nodes  # noqa: E402
import stores  # noqa: E402

FORM = 'application/x-www-form-urlencoded'
ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
REDIRECT = 'http://127.0.0.1:9/back'
PASSWORD = 'correct horse battery'
SHARED_SECONDS = 5  # TRUST_SHARED_MS
WAIT_SECONDS = 20


class World:
    """The node, its people and clients, and what most checks need."""

    def __init__(self, score, folder, node, root=None):
        self.score, self.folder, self.node = score, folder, node
        self.root = root or f'http://127.0.0.1:{node.port}'
        self.fhir = self.root + '/fhir'
        self.check = score.check

    def post(self, path, fields=None, **headers):
        client = self.node.client()
        headers.setdefault('Content_Type', FORM)
        return client.send('POST', path, urllib.parse.urlencode(fields or {}), **headers)

    def get(self, path, token=None, **headers):
        if token:
            headers['Authorization'] = 'Bearer ' + token
        return self.node.client().get(path, **headers)

    def put(self, token, resource):
        path = f"/fhir/{resource['resourceType']}/{resource['id']}"
        return self.node.client().send('PUT', path, resource, Authorization='Bearer ' + token)

    def refused(self, reply, status, error, what):
        try:
            got = reply.json().get('error')
        except ValueError:
            got = None
        self.check(reply.status == status and got == error, f'{what}: {reply}')
        self.check('no-store' in (reply.headers.get('Cache-Control') or ''), what + ': no-store')


class Browser:
    """Cookies and forms: what a person does, without JavaScript."""

    def __init__(self, world):
        self.world, self.cookies, self.page = world, {}, ''

    def send(self, method, path, fields=None):
        headers = {'Cookie': '; '.join(f'{k}={v}' for k, v in self.cookies.items())}
        body = urllib.parse.urlencode(fields) if fields is not None else None
        if body is not None:
            headers.update(Content_Type=FORM, Origin=self.world.root)
        reply = self.world.node.client().send(method, path, body, **headers)
        for value in reply.headers.get_all('Set-Cookie') or []:
            name, rest = value.split('=', 1)
            self.cookies[name] = rest.split(';')[0]
        self.page = reply.body.decode(errors='replace')
        return reply

    def submit(self, **typed):
        """The page's first form whose fields match, with what was typed."""
        for form in re.findall(r'<form.*?</form>', self.page, re.S):
            fields = {html.unescape(n): html.unescape(v) for n, v in re.findall(
                r'<input type="hidden" name="([^"]*)" value="([^"]*)"', form)}
            fields.update(typed)
            return self.send('POST', '/auth/step', fields)
        raise RuntimeError('there is no form: ' + self.page[:500])


def pkce():
    verifier = jose.b64u(os.urandom(32))
    return verifier, jose.b64u(hashlib.sha256(verifier.encode()).digest())


def request(world, client, scope, **more):
    verifier, challenge = pkce()
    fields = {'response_type': 'code', 'client_id': client, 'redirect_uri': REDIRECT,
              'scope': scope, 'state': 'st', 'aud': world.fhir, 'code_challenge': challenge,
              'code_challenge_method': 'S256'}
    fields.update(more)
    return verifier, {k: v for k, v in fields.items() if v is not None}


def location(reply):
    url = urllib.parse.urlsplit(reply.headers.get('Location') or '')
    return url._replace(query='').geturl(), dict(urllib.parse.parse_qsl(url.query))


def sign_in(world, client, scope, login, pick=None, browser=None, code=None, **more):
    """A person lets a client in; the reply that leads back, and the verifier."""
    browser = browser or Browser(world)
    verifier, fields = request(world, client, scope, **more)
    reply = browser.send('GET', '/auth/authorize?' + urllib.parse.urlencode(fields))
    if 'name="password"' in browser.page:
        reply = browser.submit(login=login, password=PASSWORD)
    if 'name="code"' in browser.page and code:
        reply = browser.submit(code=code())
    if 'name="find"' in browser.page:
        browser.submit(find=pick)
        form = re.search(r'name="patient" value="([^"]+)"', browser.page)
        fields = dict(re.findall(r'type="hidden" name="(at)" value="([^"]+)"', browser.page))
        reply = browser.send('POST', '/auth/step', {'do': 'pick', 'patient': form.group(1),
                                                    **fields})
    if 'value="approve"' in browser.page:
        reply = browser.submit(do='approve')
    return reply, verifier, browser


def redeem(world, reply, verifier, client, **more):
    _, back = location(reply)
    return world.post('/auth/token', {'grant_type': 'authorization_code', 'code': back.get('code'),
                                      'redirect_uri': REDIRECT, 'client_id': client,
                                      'code_verifier': verifier, **more})


# ---- backend services ----

def assertion(world, key, client, head=None, **more):
    now = int(time.time())
    claims = {'iss': client, 'sub': client, 'aud': world.root + '/auth/token', 'exp': now + 240,
              'jti': str(uuid.uuid4())}
    claims.update(more)
    return key.sign({k: v for k, v in claims.items() if v is not None}, **(head or {}))


def backend(world, token, scope='system/*.cruds', **headers):
    return world.post('/auth/token', {'grant_type': 'client_credentials', 'scope': scope,
                                      'client_assertion_type': ASSERTION,
                                      'client_assertion': token}, **headers)


def check_backend(world, key, rsa, other):
    good = assertion(world, key, 'loader')
    reply = backend(world, good)
    body = reply.json()
    world.check(reply.status == 200 and body.get('token_type') == 'Bearer' and
                body.get('scope') == 'system/*.cruds' and 0 < body.get('expires_in') <= 300,
                f'a backend service gets a token: {reply}')
    world.refused(backend(world, good), 401, 'invalid_client', 'an assertion is good once')
    reply = backend(world, assertion(world, rsa, 'loader'))
    world.check(reply.status == 200, f'RS384: {reply}')
    now = int(time.time())
    wrong = {
        'wrong audience': assertion(world, key, 'loader', aud='https://other.example/token'),
        'no audience': assertion(world, key, 'loader', aud=None),
        'expired': assertion(world, key, 'loader', exp=now - 120),
        'no expiry': assertion(world, key, 'loader', exp=None),
        'far expiry': assertion(world, key, 'loader', exp=now + 3600),
        'not yet': assertion(world, key, 'loader', nbf=now + 600),
        'no jti': assertion(world, key, 'loader', jti=None),
        'iss is another': assertion(world, key, 'loader', iss='app'),
        'a key of another': assertion(world, other, 'loader'),
        'kid of the right, key of another': assertion(world, other, 'loader',
                                                      head={'kid': key.kid}),
        'kid injection': assertion(world, other, 'loader', head={'kid': "../../../dev/null"}),
        'own key in the header': assertion(world, other, 'loader',
                                           head={'kid': None, 'jwk': other.public()}),
        'jku': assertion(world, other, 'loader', head={'jku': world.root + '/auth/jwks'}),
        'crit': assertion(world, key, 'loader', head={'crit': ['exp']}),
        'unknown client': assertion(world, key, 'nobody'),
    }
    parts = assertion(world, key, 'loader').split('.')
    none = jose.b64u(json.dumps({'alg': 'none', 'typ': 'JWT'}).encode())
    wrong['alg none'] = f'{none}.{parts[1]}.'
    wrong['alg none with a signature'] = f'{none}.{parts[1]}.{parts[2]}'
    # Key confusion: the public key as the secret of an HMAC.
    for alg, digest in (('HS256', hashlib.sha256), ('HS384', hashlib.sha384)):
        head = jose.b64u(json.dumps({'alg': alg, 'kid': rsa.kid}).encode()) + '.' + parts[1]
        pem = jose.openssl('pkey', '-in', rsa.path, '-pubout')
        wrong['key confusion ' + alg] = head + '.' + jose.b64u(
            hmac.new(pem, head.encode(), digest).digest())
    raw = jose.unb64u(parts[2])
    wrong['zero signature'] = f'{parts[0]}.{parts[1]}.{jose.b64u(bytes(len(raw)))}'
    wrong['short signature'] = f'{parts[0]}.{parts[1]}.{jose.b64u(raw[:-1])}'
    wrong['padded'] = '.'.join(parts) + '='
    wrong['four parts'] = '.'.join(parts) + '.' + parts[2]
    for what, token in wrong.items():
        world.refused(backend(world, token), 401, 'invalid_client', what)
    world.refused(backend(world, assertion(world, key, 'loader'), scope='user/*.rs'), 400,
                  'invalid_scope', 'a backend service gets no user scopes')
    world.refused(world.post('/auth/token', {'grant_type': 'password'}), 401, 'invalid_client',
                  'no client')
    world.refused(world.post('/auth/token', {}), 400, 'invalid_request', 'no grant_type')
    return body['access_token']


# ---- resources ----

def make_records(world, token):
    for name in 'ann', 'bob':
        reply = world.put(token, {'resourceType': 'Patient', 'id': name, 'birthDate': '1990-01-01',
                                  'name': [{'family': 'Muster', 'given': [name]}]})
        world.check(reply.status == 201, f'the loader stores: {reply}')
        for category in 'vital-signs', 'laboratory':
            reply = world.put(token, {
                'resourceType': 'Observation', 'id': f'{name}-{category}', 'status': 'final',
                'category': [{'coding': [{'system': 'http://terminology.hl7.org/CodeSystem/'
                                          'observation-category', 'code': category}]}],
                'code': {'text': category}, 'subject': {'reference': 'Patient/' + name}})
            world.check(reply.status == 201, f'the loader stores: {reply}')
    world.put(token, {'resourceType': 'Practitioner', 'id': 'doc', 'name': [{'family': 'Doc'}]})


def ids(reply):
    return sorted(e['resource']['id'] for e in reply.json().get('entry', [])
                  if e.get('search', {}).get('mode') != 'outcome')


def check_patient_scopes(world, token):
    """What a token for ann's whole record opens."""
    get = world.get
    world.check(get('/fhir/Patient/ann', token).status == 200, 'her own record')
    for path in ('/fhir/Patient/bob', '/fhir/Observation/bob-laboratory',
                 '/fhir/Patient/bob/_history', '/fhir/Patient/nobody'):
        reply = get(path, token)
        world.check(reply.status == 404, f'{path} does not exist for her: {reply}')
    hidden, absent = get('/fhir/Patient/bob', token), get('/fhir/Patient/bod', token)
    world.check(hidden.body.replace(b'bob', b'bod') == absent.body, 'hidden and absent look alike')
    reply = get('/fhir/Observation?_total=accurate', token)
    world.check(ids(reply) == ['ann-laboratory', 'ann-vital-signs'] and
                reply.json()['total'] == 2, f'searches find hers: {reply}')
    reply = get('/fhir/Observation?subject=Patient/bob&_total=accurate', token)
    world.check(reply.json()['total'] == 0, 'nothing of his')
    reply = get('/fhir/Observation?subject:Patient.name=bob&_total=accurate', token)
    world.check(reply.json()['total'] == 0, 'nothing through a chain')
    reply = get('/fhir/Patient?_has:Observation:subject:code-value-string=x', token)
    world.check(reply.status in (200, 400), 'a _has is answered')
    reply = get('/fhir/Patient?_has:Observation:subject:status=final&_total=accurate', token)
    world.check(ids(reply) == ['ann'] and reply.json()['total'] == 1, f'_has: {reply}')
    reply = get('/fhir/Patient?_id=ann,bob&_revinclude=Observation:subject', token)
    world.check(ids(reply) == ['ann', 'ann-laboratory', 'ann-vital-signs'], f'revinclude: {reply}')
    reply = get('/fhir/Patient/ann/$everything', token)
    world.check('ann' in ids(reply) and 'bob' not in ids(reply), f'$everything: {reply}')
    world.check(get('/fhir/Patient/bob/$everything', token).status == 404, '$everything of his')
    reply = get('/fhir/_history?_count=50', token)
    seen = {e['resource']['id'] for e in reply.json().get('entry', [])}
    world.check('bob' not in seen and 'bob-laboratory' not in seen, 'the history of all')
    world.check(get('/fhir/Practitioner/doc', token).status == 200, 'who works is nobody\'s record')
    reply = world.put(token, {'resourceType': 'Patient', 'id': 'ann', 'active': True})
    world.check(reply.status == 403 and 'insufficient_scope' in reply.headers['WWW-Authenticate'],
                f'reading is not writing: {reply}')
    bundle = {'resourceType': 'Bundle', 'type': 'batch', 'entry': [
        {'request': {'method': 'GET', 'url': 'Patient/ann'}},
        {'request': {'method': 'GET', 'url': 'Patient/bob'}},
        {'request': {'method': 'DELETE', 'url': 'Patient/ann'}}]}
    reply = world.node.client().send('POST', '/fhir', bundle, Authorization='Bearer ' + token)
    states = [e['response']['status'][:3] for e in reply.json()['entry']]
    world.check(states == ['200', '404', '403'], f'a batch: {states}')
    reply = world.node.client().send(
        'POST', '/fhir/$graphql', {'query': '{PatientList(name:"Muster"){id}}'},
        Authorization='Bearer ' + token, Content_Type='application/json')
    world.check('bob' not in reply.body.decode(), f'GraphQL: {reply}')
    for path in '/metrics', '/conformance', '/fhir/$conformance':
        world.check(get(path, token).status == 403, path + ' is for operators')


def check_shared_answers(world, token):
    """What the store remembers of one asker's searches must not answer another's: neither what a
    _has refused to one who sees less, nor what was counted for one who sees all."""
    path = '/fhir/Patient?_has:Observation:subject:status=final&_total=accurate'
    reply = backend(world, assertion(world, world.keys[0], 'loader'), scope='system/Patient.rs')
    blind = reply.json().get('access_token')
    everything, hers, nothing = (world.loader, ['ann', 'bob']), (token, ['ann']), (blind, [])
    for who, want in (nothing, hers, everything, nothing, hers, everything, everything):
        reply = world.get(path, who)
        world.check(ids(reply) == want and reply.json()['total'] == len(want), f'{want}: {reply}')
    for who, want in (world.loader, 4), (token, 2), (blind, None):
        reply = world.get('/fhir/Observation?_summary=count', who)
        world.check(reply.status == 403 if want is None else reply.json()['total'] == want,
                    f'counted: {want}: {reply}')
    reply = world.get('/fhir/Patient?_summary=count', token)
    world.check(reply.json()['total'] == 1, f'counted by keys: {reply}')


def events(world, token, query=''):
    reply = world.get('/fhir/AuditEvent?_count=1000' + query, token)
    world.check(reply.status == 200, f'AuditEvents: {reply}')
    return [e['resource'] for e in reply.json().get('entry', [])]


def about(event):
    """Whose entry it is: the entity in a patient's role."""
    return [e['what']['reference'] for e in event.get('entity', [])
            if e.get('role', {}).get('code') == '1']


def check_audit(world, token, account):
    """The log says who asked, and shows a patient what is about her alone."""
    all_events, get = events(world, world.loader), world.get
    of_bob = [e for e in all_events if about(e) == ['Patient/bob']]
    users = {json.dumps(a) for e in all_events for a in e['agent'] if a['requestor']}
    user = [a for e in all_events for a in e['agent'] if e['type']['code'] == 'rest'
            and a['requestor'] and a['who']['identifier']['value'] == account]
    world.check(of_bob and len(users) > 1, f'the log knows several: {users}')
    world.check(user and all(a['role'] == [{'text': 'patient'}] and a['policy'] for a in user),
                f'a person, the role and the token: {user[:1]}')
    clients = {e['agent'][0]['who']['identifier']['value'] for e in all_events}
    world.check({'app', 'loader'} <= clients, f'and the clients: {clients}')
    hers = events(world, token)
    world.check(hers and all(about(e) == ['Patient/ann'] for e in hers),
                'she sees who looked at her record')
    world.check(events(world, token, '&patient=ann'), 'asking for herself')
    world.check(events(world, token, '&patient=bob') == [], 'and nothing of his')
    world.check(ids(get('/fhir/Patient/bob/AuditEvent', token)) == [], 'in his compartment')
    world.check(get('/fhir/AuditEvent/' + hers[0]['id'], token).status == 200, 'one of hers')
    his = '/fhir/AuditEvent/' + of_bob[0]['id']
    world.check(get(his, world.loader).status == 200, 'his is there')
    for more in '', '/$proof':
        reply = get(his + more, token)
        world.check(reply.status == 404, f'one of his{more}: {reply}')


def check_staff(world):
    """On a node that is set so, a patient sees the roles of staff, and operators see who it was."""
    def staff(found):
        return [a for e in found for a in e['agent'] if a.get('role') == [{'text': 'worker'}]]

    reply, verifier, _ = sign_in(world, 'app', 'launch/patient patient/*.rs', 'ann')
    token = redeem(world, reply, verifier, 'app').json()['access_token']
    hers, every = events(world, token), events(world, world.loader)
    world.check(staff(every) and all('who' in a for a in staff(every)), 'everybody, by name')
    world.check(staff(hers) and not any('who' in a or 'policy' in a for a in staff(hers)),
                f'staff by their role alone: {staff(hers)[:1]}')
    one = next(e['id'] for e in hers if staff([e]))
    reply = world.get(f'/fhir/AuditEvent/{one}/$proof', token)
    world.check(reply.status == 403, f'a proof names the person: {reply}')
    lines = [{p['name']: p for p in x['part']}
             for x in world.get('/fhir/Patient/ann/$accesses', token).json()['parameter']]
    of_staff = [x for x in lines if x.get('role', {}).get('valueString') == 'worker']
    world.check(of_staff and not any('user' in x for x in of_staff), f'$accesses: {lines[:2]}')
    world.check(any(x['client']['valueString'] == 'loader' and 'user' in x for x in lines),
                'services are named')
    reply = world.get('/fhir/Patient/bob/$accesses', token)
    world.check(reply.status == 404, f'who read the record of another: {reply}')


def check_audit_of_trust(world):
    """Signing in, tokens given and refused, and what operators did, are in the log."""
    def said(code, operation):
        return [e for e in events(world, world.loader) if e['type']['code'] == code and
                operation in [x.get('display') for x in e.get('subtype', [])]]

    def users(found):
        return {a['who']['identifier']['value'] for e in found for a in e['agent']
                if a['requestor']}

    logins = said('110114', 'password')
    failed = [e for e in logins if e['outcome'] == '4']
    well = [e for e in logins if e['outcome'] == '0']
    world.check('doc' in users(failed), f'failed sign-ins, by the name typed: {users(failed)}')
    world.check(well and not users(well) & {'doc', ''}, f'sign-ins, by account: {users(well)}')
    tokens = said('110114', 'token')
    clients = {(e['agent'][0]['who']['identifier']['value'], e['outcome']) for e in tokens}
    world.check({('loader', '0'), ('loader', '4'), ('app', '0'), ('app', '4')} <= clients,
                f'tokens given and refused: {clients}')
    refused = said('110113', 'refused')
    world.check({'HTTP 401', 'HTTP 403'} >= {e['outcomeDesc'] for e in refused} >= {'HTTP 401'},
                f'requests without a good token: {refused[:1]}')
    world.check(said('110100', 'user-add') and said('110100', 'client-add'), 'operators')
    text = json.dumps(events(world, world.loader))
    world.check(PASSWORD not in text and world.secret not in text, 'and no secret')


def check_narrow_scope(world, token):
    get = world.get
    world.check(get('/fhir/Observation/ann-laboratory', token).status == 200, 'of the category')
    world.check(get('/fhir/Observation/ann-vital-signs', token).status == 404, 'of another')
    reply = get('/fhir/Observation?_total=accurate', token)
    world.check(ids(reply) == ['ann-laboratory'] and reply.json()['total'] == 1,
                f'searches are narrowed: {reply}')
    reply = get('/fhir/Observation?category=vital-signs&_total=accurate', token)
    world.check(reply.json()['total'] == 0, 'asking for the other finds nothing')
    world.check(get('/fhir/Patient/ann', token).status == 403, 'no scope for patients')
    world.check(get('/fhir/AuditEvent', token).status == 403, 'no scope for the audit log')


# ---- people ----

def totp(secret):
    key = base64.b32decode(secret)
    mac = hmac.new(key, struct.pack('>Q', int(time.time()) // 30), hashlib.sha1).digest()
    at = mac[19] & 15
    return '%06d' % ((struct.unpack('>I', mac[at:at + 4])[0] & 0x7fffffff) % 1000000)


def check_refused_requests(world):
    """What is wrong with a request is told the client, or a page where nobody knows who that is."""
    browser = Browser(world)
    for what, change in {
            'unknown client': {'client_id': 'nobody'},
            'no client': {'client_id': None},
            'another redirect URI': {'redirect_uri': 'https://evil.example/back'},
            'redirect URI with more path': {'redirect_uri': REDIRECT + '/more'},
            'redirect URI with a query': {'redirect_uri': REDIRECT + '?x=1'},
            'redirect URI with dots': {'redirect_uri': REDIRECT + '/../x'},
            'redirect URI with a user': {'redirect_uri': 'http://127.0.0.1:9@evil.example/back'},
            'redirect URI of another host': {'redirect_uri': 'http://127.0.0.1.evil.example/back'},
            'no redirect URI': {'redirect_uri': None},
    }.items():
        _, fields = request(world, 'app', 'patient/*.rs', **change)
        reply = browser.send('GET', '/auth/authorize?' + urllib.parse.urlencode(fields))
        world.check(reply.status == 400 and not reply.headers.get('Location'), f'{what}: {reply}')
    for what, (change, error) in {
            'no PKCE': ({'code_challenge': None}, 'invalid_request'),
            'plain PKCE': ({'code_challenge_method': 'plain'}, 'invalid_request'),
            'PKCE without method': ({'code_challenge_method': None}, 'invalid_request'),
            'implicit': ({'response_type': 'token'}, 'unsupported_response_type'),
            'no audience': ({'aud': None}, 'invalid_request'),
            'another audience': ({'aud': 'https://evil.example/fhir'}, 'invalid_request'),
            'no scope': ({'scope': None}, 'invalid_scope'),
            'a scope not registered': ({'scope': 'system/*.rs'}, 'invalid_scope'),
            'a scope with a chain': ({'scope': 'patient/Observation.rs?subject.name=x'},
                                     'invalid_scope'),
            'a request object': ({'request': 'x.y.z'}, 'request_not_supported'),
            'nobody there': ({'prompt': 'none'}, 'login_required'),
            'a made-up launch': ({'launch': 'x' * 43}, 'invalid_request'),
    }.items():
        _, fields = request(world, 'app', change.pop('scope', 'patient/*.rs') if 'scope' in change
                            else 'patient/*.rs', **change)
        reply = browser.send('GET', '/auth/authorize?' + urllib.parse.urlencode(fields))
        to, back = location(reply)
        world.check(reply.status == 303 and to == REDIRECT and back.get('error') == error and
                    back.get('state') == 'st' and back.get('iss') == world.root,
                    f'{what}: {reply} {back}')
    twice = urllib.parse.urlencode(request(world, 'app', 'patient/*.rs')[1]) + '&client_id=app'
    world.check(browser.send('GET', '/auth/authorize?' + twice).status == 400, 'a parameter twice')


def check_pages(world):
    """Readable by everybody, framed by nobody, forged by nobody."""
    for language, word, direction in (('ar', 'كلمة المرور', 'rtl'), ('zh', '密码', 'ltr'),
                                      ('fr', 'Mot de passe', 'ltr'), ('ru', 'Пароль', 'ltr'),
                                      ('es', 'Contraseña', 'ltr'), ('en', 'Password', 'ltr')):
        browser = Browser(world)
        _, fields = request(world, 'app', 'patient/*.rs', ui_locales=language)
        reply = browser.send('GET', '/auth/authorize?' + urllib.parse.urlencode(fields))
        world.check(word in browser.page and f'dir="{direction}"' in browser.page and
                    f'lang="{language}"' in browser.page, 'the page in ' + language)
        labels = set(re.findall(r'<label for="(\w+)"', browser.page))
        inputs = set(re.findall(r'<input id="(\w+)"', browser.page))
        world.check(labels == inputs == {'login', 'password'}, 'every field has its label')
        world.check('/auth/forgot' not in browser.page, 'no message is promised that none carries')
    policy = reply.headers['Content-Security-Policy']
    world.check("default-src 'none'" in policy and "frame-ancestors 'none'" in policy and
                'unsafe' not in policy, policy)
    style = re.search(r'<style>(.*?)</style>', browser.page, re.S).group(1)
    hashed = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    world.check(hashed in policy, 'the policy knows the style')
    cookie = reply.headers.get_all('Set-Cookie')[0]
    world.check('HttpOnly' in cookie and 'SameSite=Lax' in cookie, cookie)
    # Another browser, another site, no cookie: the form is of no use.
    form = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]+)"', browser.page))
    form.update(login='ann', password=PASSWORD)
    world.check(Browser(world).send('POST', '/auth/step', form).status == 400, 'another browser')
    thief = Browser(world)
    thief.send('GET', '/auth/authorize?' + urllib.parse.urlencode(fields))
    world.check(thief.send('POST', '/auth/step', form).status == 400, 'the page of another browser')
    reply = world.post('/auth/step', form, Origin='https://evil.example',
                       Cookie='; '.join(f'{k}={v}' for k, v in browser.cookies.items()))
    world.check(reply.status == 400, 'another site')
    _, fields = request(world, 'app', 'patient/*.rs', state='"><script>alert(1)</script>')
    browser.send('GET', '/auth/authorize?' + urllib.parse.urlencode(fields))
    world.check('<script' not in browser.page, 'what was sent is not run')


def check_app(world):
    reply, verifier, browser = sign_in(world, 'app', 'openid fhirUser launch/patient patient/*.rs '
                                       'offline_access', 'ann', nonce='n-1')
    to, back = location(reply)
    world.check(reply.status == 303 and to == REDIRECT and back.get('code') and
                back.get('state') == 'st' and back.get('iss') == world.root, f'back: {reply}')
    world.refused(redeem(world, reply, 'x' * 43, 'app'), 400, 'invalid_grant', 'another verifier')
    world.refused(redeem(world, reply, verifier, 'app', redirect_uri='https://evil.example/'), 400,
                  'invalid_grant', 'another redirect URI')
    world.refused(redeem(world, reply, verifier, 'secretive', client_secret=world.secret), 400,
                  'invalid_grant', 'a code of another client')
    first = redeem(world, reply, verifier, 'app')
    body = first.json()
    world.check(first.status == 200 and body.get('patient') == 'ann' and
                'patient/*.rs' in body.get('scope', '') and body.get('refresh_token'),
                f'tokens: {first}')
    claims = jose.claims_of(body['id_token'])
    world.check(claims['iss'] == world.root and claims['aud'] == 'app' and
                claims['nonce'] == 'n-1' and claims['fhirUser'] == world.fhir + '/Patient/ann',
                f'the ID token: {claims}')
    check_patient_scopes(world, body['access_token'])
    check_shared_answers(world, body['access_token'])
    check_audit(world, body['access_token'], claims['sub'])
    user = world.get('/auth/userinfo', body['access_token'])
    world.check(user.json().get('sub') == claims['sub'], f'userinfo: {user}')

    # A refresh token is good once; whoever comes second ends it for both.
    fields = {'grant_type': 'refresh_token', 'refresh_token': body['refresh_token'],
              'client_id': 'app'}
    second = world.post('/auth/token', dict(fields, scope='patient/Observation.rs')).json()
    world.check(second.get('scope') == 'patient/Observation.rs', f'asking for less: {second}')
    world.check(world.get('/fhir/Patient/ann', second['access_token']).status == 403, 'less it is')
    world.refused(world.post('/auth/token', dict(fields, client_id='secretive',
                                                 client_secret=world.secret,
                                                 refresh_token=second['refresh_token'])),
                  400, 'invalid_grant', 'a refresh token of another client')
    third = world.post('/auth/token', dict(fields, refresh_token=second['refresh_token'])).json()
    world.check('patient/*.rs' in third.get('scope', ''), f'less once, not for good: {third}')
    world.refused(world.post('/auth/token', fields), 400, 'invalid_grant', 'a refresh token twice')
    for what, token in ('new', third['access_token']), ('old', body['access_token']):
        reply401 = world.get('/fhir/Patient/ann', token)
        world.check(reply401.status == 401 and
                    'invalid_token' in reply401.headers['WWW-Authenticate'],
                    f'the {what} access token went with it: {reply401}')
    world.refused(world.post('/auth/token', dict(fields, refresh_token=third['refresh_token'])),
                  400, 'invalid_grant', 'and the newest refresh token')

    # The session: no password again. And a code that comes twice takes back what it gave.
    reply, verifier, _ = sign_in(world, 'app', 'patient/Observation.rs?category=laboratory', 'ann',
                                 browser=browser)
    token = redeem(world, reply, verifier, 'app').json()['access_token']
    check_narrow_scope(world, token)
    world.refused(redeem(world, reply, verifier, 'app'), 400, 'invalid_grant', 'a code twice')
    world.check(world.get('/fhir/Observation/ann-laboratory', token).status == 401,
                'what it gave is taken back')

    # The person says no.
    _, fields = request(world, 'app', 'patient/*.rs')
    browser.send('GET', '/auth/authorize?' + urllib.parse.urlencode(fields))
    _, back = location(browser.submit(do='deny'))
    world.check(back.get('error') == 'access_denied', f'denied: {back}')
    browser.send('GET', '/auth/authorize?' + urllib.parse.urlencode(dict(fields, prompt='login')))
    world.check('name="password"' in browser.page, 'prompt=login asks again')


def care_team(patient, **more):
    return dict({'resourceType': 'CareTeam', 'id': 'team-' + patient, 'status': 'active',
                 'subject': {'reference': 'Patient/' + patient},
                 'participant': [{'member': {'reference': 'Practitioner/doc'}}]}, **more)


def consent(patient, status='active', **provision):
    return {'resourceType': 'Consent', 'id': 'word-' + patient, 'status': status,
            'scope': {'coding': [{'system': 'http://terminology.hl7.org/CodeSystem/consentscope',
                                  'code': 'patient-privacy'}]},
            'category': [{'text': 'privacy'}], 'patient': {'reference': 'Patient/' + patient},
            'dateTime': '2026-11-26', 'policy': [{'uri': 'urn:policy'}],
            'provision': dict({'type': 'deny'}, **provision)}


def check_care(world, loader):
    """Who is in whose care, what a person says about it, and that the next request obeys."""
    reply, verifier, _ = sign_in(world, 'app', 'user/*.cruds', 'doc',
                                 code=lambda: world.recovery[9])
    doc = redeem(world, reply, verifier, 'app').json()['access_token']
    reply, verifier, _ = sign_in(world, 'app', 'patient/*.rs patient/Consent.cu launch/patient',
                                 'ann')
    ann = redeem(world, reply, verifier, 'app').json()['access_token']

    def found(query, token=doc):
        reply = world.get(f'/fhir/{query}&_total=accurate', token)
        return reply.json().get('total') if reply.status == 200 else reply.status

    def sees(what):
        paths = ['/fhir/Patient/ann', '/fhir/Observation/ann-laboratory',
                 '/fhir/Observation/ann-laboratory/_history', '/fhir/Patient/ann/$everything']
        want = 200 if what else 404
        got = [world.get(path, doc).status for path in paths]
        query = urllib.parse.quote('{Patient(id:"ann"){id}}')
        drawn = b'"ann"' in world.get('/fhir/$graphql?query=' + query, doc).body
        return got == [want] * 4 and drawn == what and found('Patient?family=Muster') == what * 1 \
            and found('Observation?subject=Patient/ann') == what * 2 \
            and found('Observation?subject:Patient.family=Muster') == what * 2 \
            and found('Patient?_has:Observation:subject:status=final') == what * 1

    world.check(sees(False), 'a worker sees nobody who is not in their care')
    world.check(world.put(doc, care_team('ann')).status == 403, 'nor makes it so')
    world.check(world.get('/fhir/Practitioner/doc', doc).status == 200, 'people who work are seen')
    world.check(world.put(loader, care_team('ann')).status == 201, 'another says who cares')
    world.check(sees(True), 'whoever is in their care is seen')
    world.check(world.put(doc, consent('ann', 'inactive')).status == 403,
                'what a person says is not written by a worker')
    world.check(world.put(ann, consent('bob')).status == 403, 'nor by another person')
    reply = world.put(ann, consent('ann'))
    world.check(reply.status == 201, f'a person says no: {reply}')
    world.check(sees(False), 'and is obeyed by the next request')
    world.check(found('Observation?status=final', ann) == 2, 'and sees all of their own')
    reply = world.node.client().send(
        'POST', '/fhir/Patient', {'resourceType': 'Patient', 'name': [{'family': 'Muster'}]},
        Authorization='Bearer ' + doc, If_None_Exist='name=ann')
    world.check(reply.status == 412 and b'ann' not in reply.body,
                f'a condition that matches what is hidden is refused without an id: {reply}')
    world.put(ann, consent('ann', purpose=[{'code': 'HOPERAT'}]))
    world.check(sees(True), 'a no to one purpose is none to another')
    world.put(ann, consent('ann', type='permit',
                           actor=[{'role': {'text': 'r'},
                                   'reference': {'reference': 'Practitioner/other'}}]))
    world.check(sees(False), 'a yes to somebody else is a no')
    world.put(ann, consent('ann', 'inactive'))
    world.check(sees(True), 'what was withdrawn says nothing')

    def explained(resource, *more):
        return world.folder.run('explain', 'access', '--as', 'doc', '--to', resource, *more)
    world.check('doc, as worker, sees Observation/ann-laboratory: the patient has said nothing'
                in explained('Observation/ann-laboratory'), 'why one is seen')
    world.check('does not see Patient/bob: the patient is not in the care' in
                explained('Patient/bob'), 'why one is not')
    world.check('sees Patient/bob' in explained('Patient/bob', '--purpose', 'BTG'),
                'but with the glass broken')
    world.folder.run('explain', 'access', '--as', 'nobody', '--to', 'Patient/bob', status=1)
    world.folder.run('explain', 'access', '--as', 'doc', '--to', 'Patient/nobody', status=1)
    world.folder.run('explain', 'access', '--as', 'doc', '--to', 'bob', status=1)
    world.put(loader, care_team('ann', status='inactive'))
    world.check(sees(False), 'care that has ended opens nothing')
    world.put(loader, care_team('ann'))


def check_worker(world):
    code = [0]

    def once():
        code[0] += 1
        return totp(world.totp)

    browser = Browser(world)
    _, fields = request(world, 'secretive', 'launch/patient patient/*.rs user/Patient.rs')
    browser.send('GET', '/auth/authorize?' + urllib.parse.urlencode(fields))
    browser.submit(login='doc', password='not the right one')
    world.check('role="alert"' in browser.page, 'a wrong password')
    browser.submit(login='Doc', password=PASSWORD)
    world.check('name="code"' in browser.page, 'a one-time code is asked for')
    browser.submit(code='000000')
    world.check('role="alert"' in browser.page and 'name="code"' in browser.page, 'a wrong code')
    reply, verifier, browser = sign_in(world, 'secretive', 'launch/patient patient/*.rs', 'doc',
                                       pick='ann', code=once)
    world.refused(redeem(world, reply, verifier, 'secretive'), 401, 'invalid_client', 'no secret')
    world.refused(redeem(world, reply, verifier, 'secretive', client_secret='guess'), 401,
                  'invalid_client', 'a wrong secret')
    basic = base64.b64encode(f'secretive:{world.secret}'.encode()).decode()
    _, back = location(reply)
    got = world.post('/auth/token', {'grant_type': 'authorization_code', 'code': back['code'],
                                     'redirect_uri': REDIRECT, 'code_verifier': verifier},
                     Authorization='Basic ' + basic)
    body = got.json()
    world.check(got.status == 200 and body.get('patient') == 'ann', f'a worker picks: {got}')
    token = body['access_token']
    world.check(world.get('/fhir/Patient/ann', token).status == 200 and
                world.get('/fhir/Patient/bob', token).status == 404, 'and gets this patient')

    # Introspection and revocation.
    ask = {'token': token, 'client_id': 'secretive', 'client_secret': world.secret}
    said = world.post('/auth/introspect', ask).json()
    world.check(said.get('active') is True and said.get('patient') == 'ann' and
                said.get('client_id') == 'secretive', f'introspection: {said}')
    world.check(world.post('/auth/introspect', dict(ask, token='x' * 43)).json() ==
                {'active': False}, 'an unknown token is not active')
    world.refused(world.post('/auth/introspect', {'token': token, 'client_id': 'app'}), 401,
                  'invalid_client', 'a public client may not ask')
    proof = assertion(world, world.keys[0], 'loader')
    ask_by_key = {'token': token, 'client_assertion_type': ASSERTION, 'client_assertion': proof}
    world.check(world.post('/auth/introspect', ask_by_key).json().get('active') is True,
                'a service hears of all')
    world.refused(world.post('/auth/introspect', ask_by_key), 401, 'invalid_client',
                  'its assertion is good once')
    world.refused(backend(world, proof), 401, 'invalid_client', 'and for nothing else')
    world.check(world.post('/auth/revoke', ask).status == 200, 'revoked')
    world.check(world.get('/fhir/Patient/ann', token).status == 401, 'at once')

    # The same code again, in another browser.
    browser = Browser(world)
    _, fields = request(world, 'secretive', 'launch/patient patient/*.rs')
    browser.send('GET', '/auth/authorize?' + urllib.parse.urlencode(fields))
    browser.submit(login='doc', password=PASSWORD)
    browser.submit(code=totp(world.totp))
    world.check('role="alert"' in browser.page, 'a one-time code is good once')
    browser.submit(code=world.recovery[0].lower())
    world.check('name="find"' in browser.page, 'a recovery code')


def check_dpop(world, key, other):
    """RFC 9449."""
    url = world.root + '/auth/token'

    def proof(by, method='POST', to=url, head=None, token=None, **more):
        claims = {'jti': str(uuid.uuid4()), 'htm': method, 'htu': to, 'iat': int(time.time())}
        if token:
            claims['ath'] = jose.b64u(hashlib.sha256(token.encode()).digest())
        claims.update(more)
        return by.sign(claims, **{'kid': None, 'typ': 'dpop+jwt', 'jwk': by.public(),
                                  **(head or {})})

    client_key = world.keys[0]
    world.refused(backend(world, assertion(world, client_key, 'bound'), 'system/Patient.rs'), 400,
                  'invalid_dpop_proof', 'this client has to bind its tokens')
    for what, wrong in {
            'another method': proof(key, method='GET'),
            'another URL': proof(key, to=world.root + '/auth/par'),
            'old': proof(key, iat=int(time.time()) - 3600),
            'no jti': proof(key, jti=''),
            'another typ': proof(key, head={'typ': 'JWT'}),
            'a key that did not sign': proof(key, head={'jwk': other.public()}),
            'no token': 'x',
    }.items():
        world.refused(backend(world, assertion(world, client_key, 'bound'), 'system/Patient.rs',
                              DPoP=wrong), 400, 'invalid_dpop_proof', 'DPoP, ' + what)
    once = proof(key)
    got = backend(world, assertion(world, client_key, 'bound'), 'system/Patient.rs', DPoP=once)
    body = got.json()
    world.check(got.status == 200 and body.get('token_type') == 'DPoP', f'DPoP: {got}')
    world.refused(backend(world, assertion(world, client_key, 'bound'), 'system/Patient.rs',
                          DPoP=once), 400, 'invalid_dpop_proof', 'a proof twice')
    token, path = body['access_token'], '/fhir/Patient/ann'

    def read(by_proof, scheme='DPoP'):
        headers = {'Authorization': f'{scheme} {token}'}
        if by_proof:
            headers['DPoP'] = by_proof
        return world.node.client().get(path, **headers)

    good = proof(key, 'GET', world.root + path, token=token)
    world.check(read(good).status == 200, 'with its key')
    world.check(read(good).status == 401, 'the proof once')
    world.check(read(None, 'Bearer').status == 401, 'not as a bearer token')
    world.check(read(None).status == 401, 'not without a proof')
    world.check(read(proof(other, 'GET', world.root + path, token=token)).status == 401,
                'not with another key')
    world.check(read(proof(key, 'GET', world.root + path)).status == 401, 'not without ath')
    world.check(read(proof(key, 'GET', world.root + path, token='x' * 43)).status == 401,
                'not with the ath of another')


def check_pushed(world):
    _, fields = request(world, 'secretive', 'patient/*.rs')
    pushed = world.post('/auth/par', dict(fields, client_secret=world.secret))
    uri = pushed.json().get('request_uri', '')
    world.check(pushed.status == 201 and uri.startswith('urn:'), f'pushed: {pushed}')
    browser = Browser(world)
    query = urllib.parse.urlencode({'client_id': 'secretive', 'request_uri': uri})
    browser.send('GET', '/auth/authorize?' + query)
    world.check('name="password"' in browser.page, 'a pushed request')
    world.check(Browser(world).send('GET', '/auth/authorize?' + query).status == 400, 'used up')
    query = urllib.parse.urlencode({'client_id': 'app', 'request_uri': uri})
    world.check(browser.send('GET', '/auth/authorize?' + query).status == 400, 'of another client')
    world.refused(world.post('/auth/par', dict(fields, redirect_uri='https://evil.example/',
                                               client_secret=world.secret)), 400,
                  'invalid_request', 'a pushed redirect URI is checked')


def check_registration(world):
    meta = {'client_name': 'Self-made', 'redirect_uris': ['https://app.example/back'],
            'scope': 'patient/*.rs launch/patient', 'token_endpoint_auth_method': 'none'}
    send = world.node.client().send
    got = send('POST', '/auth/register', meta, Content_Type='application/json')
    made = got.json().get('client_id', '')
    world.check(got.status == 201 and made, f'registered: {got}')
    _, fields = request(world, made, 'patient/*.rs', redirect_uri='https://app.example/back')
    path = '/auth/authorize?' + urllib.parse.urlencode(fields)
    world.check(Browser(world).send('GET', path).status == 400, 'of no use before its approval')
    world.folder.run('client', 'approve', made)
    world.check(Browser(world).send('GET', path).status == 200, 'approved')
    for what, change, error in (
            ('http', {'redirect_uris': ['http://app.example/']}, 'invalid_redirect_uri'),
            ('script', {'redirect_uris': ['javascript:alert(1)']}, 'invalid_redirect_uri'),
            ('fragment', {'redirect_uris': ['https://a.example/#x']}, 'invalid_redirect_uri'),
            ('no name', {'client_name': ''}, 'invalid_client_metadata'),
            ('none', {'redirect_uris': []}, 'invalid_client_metadata'),
            ('system', {'scope': 'system/*.rs'}, 'invalid_client_metadata'),
            ('keys by http', {'jwks_uri': 'http://10.0.0.1/'}, 'invalid_client_metadata'),
            ('keys of this machine', {'jwks_uri': 'http://127.0.0.1/'}, 'invalid_client_metadata'),
            ('keys twice', {'jwks_uri': 'https://app.example/keys', 'jwks': {
                'keys': [world.keys[0].jwk()]}, 'token_endpoint_auth_method': 'private_key_jwt'},
             'invalid_client_metadata')):
        got = send('POST', '/auth/register', dict(meta, **change), Content_Type='application/json')
        world.check(got.status == 400 and got.json().get('error') == error, f'{what}: {got}')


def check_unknown(world):
    """Without a token, or with one that is none."""
    reply = world.get('/fhir/Patient/ann')
    world.check(reply.status == 401 and reply.headers['WWW-Authenticate'].startswith('Bearer') and
                reply.json()['resourceType'] == 'OperationOutcome', f'no token: {reply}')
    for token in 'x', 'x' * 43, 'A' * 43, 'a.b.c', 'x' * 4000:
        reply = world.get('/fhir/Patient/ann', token)
        world.check(reply.status == 401, f'{token[:10]}: {reply}')
    for method, path in ('POST', '/fhir'), ('PUT', '/fhir/Group/x'), ('DELETE', '/fhir/Group/x'):
        reply = world.node.client().send(method, path, {'resourceType': 'Patient', 'id': 'x'})
        world.check(reply.status == 401, f'{method} {path}: {reply}')
    for path in '/metrics', '/conformance', '/search-parameters':
        world.check(world.get(path).status == 401, path)
    reply = world.get('/fhir/metadata')
    uris = json.dumps(reply.json()['rest'][0].get('security', {}))
    world.check(reply.status == 200 and world.root + '/auth/token' in uris, 'metadata is public')
    for path in '/.well-known/smart-configuration', '/fhir/.well-known/smart-configuration':
        known = world.get(path).json()
        world.check(known['issuer'] == world.root and
                    known['code_challenge_methods_supported'] == ['S256'], path)


def check_setup(world, secret):
    reply = world.post('/auth/setup', {'secret': secret, 'password': 'short'})
    world.check(reply.status == 400, 'a short password')
    reply = world.post('/auth/setup', {'secret': 'x' * 43, 'password': PASSWORD})
    world.check(reply.status == 400, 'a made-up secret')
    reply = world.post('/auth/setup', {'secret': secret, 'password': PASSWORD})
    world.check(reply.status == 200, f'the first password: {reply}')
    reply = world.post('/auth/setup', {'secret': secret, 'password': PASSWORD})
    world.check(reply.status == 400, 'a secret is good once')
    world.check(world.get('/auth/forgot').status == 404, 'nor is one asked for by mail')


def check_lockout(world):
    browser = Browser(world)
    _, fields = request(world, 'app', 'patient/*.rs')
    browser.send('GET', '/auth/authorize?' + urllib.parse.urlencode(fields))
    for _ in range(5):
        browser.submit(login='bob', password='guess guess guess')
    wrong = browser.page
    browser.submit(login='bob', password=PASSWORD)
    world.check('Too many attempts' in browser.page, 'an account waits after too many attempts')
    world.check('Too many attempts' not in wrong, 'and says so only then')


def check_disabled(world, loader):
    world.check(world.get('/fhir/Patient/ann', loader).status == 200, 'the loader reads')
    world.folder.run('client', 'disable', 'loader')
    world.check(world.get('/fhir/Patient/ann', loader).status == 401,
                'a disabled client reads no more, at once')


def check_second_node(world, loader):
    """On a node that shares the store, a token that was taken back ends a little later; what one
    who may see little is the first to meet there counts for all."""
    with nodes.Node(nodes.Second(world.folder), is_open=False) as second:
        def read(path='Patient/ann', token=loader):
            return second.client().get('/fhir/' + path, Authorization='Bearer ' + token,
                                       Prefer='handling=strict').status

        world.check(read() == 200, 'one token on both nodes')
        reply = backend(world, assertion(world, world.keys[0], 'loader'), scope='system/Patient.rs')
        blind = reply.json().get('access_token')
        reply = world.put(loader, {
            'resourceType': 'SearchParameter', 'id': 'shade', 'url': 'urn:x:shade', 'name': 'shade',
            'status': 'active', 'description': 'x', 'code': 'shade', 'base': ['Patient'],
            'type': 'token', 'expression': "Patient.extension.where(url = 'urn:x:s').value"})
        world.check(reply.status == 201, f'a search parameter: {reply}')
        end = time.monotonic() + WAIT_SECONDS
        while read('Patient?shade=red') != 200 and time.monotonic() < end:
            time.sleep(0.1)
        for code in 'abcde':
            world.put(loader, {'resourceType': 'CodeSystem', 'id': 'c', 'url': 'urn:x:c',
                               'status': 'active', 'content': 'complete',
                               'concept': [{'code': code}]})
            world.check(read('Patient', blind) == 200, 'the first to meet the change')
            world.check(read('Patient?shade=red') == 200, 'the parameter is known still')
        check_disabled(world, loader)
        end = time.monotonic() + SHARED_SECONDS + 5
        while read() == 200 and time.monotonic() < end:
            time.sleep(0.2)
        world.check(read() == 401, 'it ends on the other node, too')


def add_people(world):
    run = world.folder.run
    said = run('user', 'add', 'ann', '--role', 'patient', '--fhir-user', 'Patient/ann')
    secret = re.search(r'one-time secret (\S+)', said).group(1)
    check_setup(world, secret)
    for login, role, user in ('bob', 'patient', 'Patient/bob'), ('doc', 'worker',
                                                                  'Practitioner/doc'):
        said = run('user', 'add', login, '--role', role, '--fhir-user', user)
        world.post('/auth/setup', {'secret': re.search(r'one-time secret (\S+)', said).group(1),
                                   'password': PASSWORD})
    said = run('user', 'totp', 'doc')
    world.totp = re.search(r'secret=([A-Z2-7]+)', said).group(1)
    world.recovery = re.findall(r'^  (\S+)$', said, re.M)
    world.check(len(world.recovery) == 10, 'ten recovery codes')
    run('user', 'add', 'ann', '--role', 'patient', status=1)
    run('user', 'add', 'eve', '--role', 'king', status=1)
    world.check('ann' in run('user', 'list'), 'people are listed')


def add_clients(world, keys):
    run = world.folder.run
    path = os.path.join(world.folder.path, 'jwks.json')
    with open(path, 'w') as f:
        json.dump({'keys': [k.jwk() for k in keys]}, f)
    scopes = 'openid fhirUser launch/patient launch offline_access patient/*.cruds user/*.cruds'
    run('client', 'add', 'loader', '--name', 'Loader', '--backend', '--jwks', path, '--scope',
        'system/*.cruds')
    run('client', 'add', 'bound', '--name', 'Bound', '--backend', '--jwks', path, '--scope',
        'system/*.rs', '--dpop')
    run('client', 'add', 'app', '--name', 'App', '--redirect', REDIRECT, '--scope', scopes)
    said = run('client', 'add', 'secretive', '--name', 'Secretive', '--redirect', REDIRECT,
               '--secret', '--scope', scopes)
    world.secret = re.search(r'client secret (\S+)', said).group(1)
    run('client', 'add', 'x y', '--name', 'X', '--redirect', REDIRECT, status=1)
    run('client', 'add', 'evil', '--name', 'X', '--redirect', 'http://evil.example/', status=1)


def main():
    score = nodes.Score()
    with nodes.Folder(sys.argv[1]) as folder, \
            nodes.Node(folder, '--staff-by-role', is_open=False) as node:
        world = World(score, folder, node)
        score.check(re.search(r'one-time secret.*: \S{43}$', node.said, re.M), 'the first secret')
        world.keys = keys = [jose.Key(folder.path, 'ES384'), jose.Key(folder.path, 'RS384')]
        other = jose.Key(folder.path, 'ES384')
        add_people(world)
        add_clients(world, keys)
        check_unknown(world)
        world.loader = loader = check_backend(world, keys[0], keys[1], other)
        make_records(world, loader)
        check_refused_requests(world)
        check_pages(world)
        check_app(world)
        check_care(world, loader)
        check_worker(world)
        check_staff(world)
        check_dpop(world, jose.Key(folder.path, 'ES256'), jose.Key(folder.path, 'ES256'))
        check_pushed(world)
        check_registration(world)
        check_lockout(world)
        check_audit_of_trust(world)
        if stores.SERVER:
            check_second_node(world, loader)
        else:
            check_disabled(world, loader)
    return score.end()


if __name__ == '__main__':
    sys.exit(main())
