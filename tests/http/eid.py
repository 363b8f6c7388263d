#!/usr/bin/env python3
"""Signing in with an identity from elsewhere, at providers that lie, are slow, or are not whom they
say (OpenID Connect Core 3.1.3.7, RFC 9207, RFC 9700): eid.py CARNET"""
import hashlib
import hmac
import html
import json
import os
import re
import sys
import time
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import auth  # noqa: E402
import jose  # noqa: E402
import node as nodes  # noqa: E402
import provider as providers  # noqa: E402

SYSTEM = 'urn:oid:2.999.1'
SCOPE = 'openid fhirUser patient/*.rs'
SAYS = {'wrong': 'could not be confirmed', 'away': 'does not answer', 'weak': 'not secure enough',
        'nobody': 'No account here', 'refused': 'did not sign in at the other',
        'other': 'belongs to another account'}


class Flow:
    """A person on the way through a provider."""

    def __init__(self, world, name, browser=None):
        self.world, self.name = world, name
        self.browser = browser or auth.Browser(world)
        self.verifier, fields = auth.request(world, 'app', SCOPE)
        self.browser.send('GET', '/auth/authorize?' + urllib.parse.urlencode(fields))

    def start(self):
        """Where the button leads, with its own page's `at`."""
        href = re.search(rf'href="([^"]*/auth/eid\?provider={self.name}&amp;[^"]*)"',
                         self.browser.page).group(1)
        reply = self.browser.send('GET', html.unescape(href)[len(self.world.root):])
        self.url = reply.headers.get('Location')
        return reply

    def back(self, redirect, query):
        path = redirect[len(self.world.root):]
        return self.browser.send('GET', path + '?' + urllib.parse.urlencode(query))

    def through(self, provider, **changed):
        self.start()
        return self.back(*provider.authorize(self.url, **changed))

    def refused(self, reply, what, says):
        location = reply.headers.get('Location') or ''
        self.world.check(reply.status >= 400 and SAYS[says] in self.browser.page and
                         'code=' not in location, f'{what}: {reply} {self.browser.page[-300:]}')
        session = [v for v in reply.headers.get_all('Set-Cookie') or [] if 'session=' in v]
        self.world.check(not session, what + ': no session')

    def approved(self, what):
        """The app is let in: claims of its ID token."""
        if 'value="approve"' not in self.browser.page:
            self.world.check(False, f'{what}: {self.browser.page[-500:]}')
            return {}
        reply = self.browser.submit(do='approve')
        body = auth.redeem(self.world, reply, self.verifier, 'app').json()
        return dict(jose.claims_of(body['id_token']), token=body['access_token'])


def check_well(world, provider):
    flow = Flow(world, 'good')
    flow.through(provider)
    said = flow.approved('by a confirmed identifier')
    world.check(said.get('fhirUser') == world.fhir + '/Patient/ann', f'it is ann: {said}')
    world.check(said.get('acr') == '2', f'what she proved there counts here: {said}')
    # From now on the link counts, whatever the identifier says.
    provider.claims['national_id'] = 'another'
    flow = Flow(world, 'good')
    flow.through(provider)
    world.check(flow.approved('by the link').get('sub') == said['sub'], 'the same account')
    provider.claims['national_id'] = '1234'
    # A key that is new there is fetched; the old one is then good no more.
    old, provider.keys = provider.keys[0], [jose.Key(world.folder.path, 'ES256')]
    time.sleep(5.1)  # REMOTE_AGAIN_MS
    flow = Flow(world, 'good')
    flow.through(provider)
    world.check(flow.approved('with a new key').get('sub') == said['sub'], 'keys are rotated')
    provider.twist = {'key': old}
    flow = Flow(world, 'good')
    flow.refused(flow.through(provider), 'a key that was taken back', 'wrong')
    world.check(not provider.wrong, f'the node asks as it should: {provider.wrong}')
    return said


def none_of(token):
    head = jose.b64u(json.dumps({'alg': 'none', 'typ': 'JWT'}).encode())
    return head + '.' + token.split('.')[1] + '.'


def hmac_of(provider):
    """Key confusion: the public key as the secret of an HMAC."""
    def twist(token):
        head = jose.b64u(json.dumps({'alg': 'HS256', 'kid': provider.keys[0].kid}).encode())
        text = head + '.' + token.split('.')[1]
        pem = jose.openssl('pkey', '-in', provider.keys[0].path, '-pubout')
        return text + '.' + jose.b64u(hmac.new(pem, text.encode(), hashlib.sha256).digest())
    return twist


def check_lies(world, provider):
    now, other = int(time.time()), jose.Key(world.folder.path, 'ES256')
    lies = {
        'another nonce': {'claims': {'nonce': 'n'}}, 'no nonce': {'claims': {'nonce': None}},
        'another issuer': {'claims': {'iss': 'https://evil.example'}},
        'no issuer': {'claims': {'iss': None}},
        'an issuer with a slash': {'claims': {'iss': provider.issuer + '/'}},
        'another audience': {'claims': {'aud': 'another'}},
        'no audience': {'claims': {'aud': None}},
        'several audiences without azp': {'claims': {'aud': [provider.client, 'another']}},
        'azp of another': {'claims': {'aud': [provider.client, 'another'], 'azp': 'another'}},
        'expired': {'claims': {'exp': now - 120}}, 'no expiry': {'claims': {'exp': None}},
        'an old token': {'claims': {'iat': now - 3600}}, 'no iat': {'claims': {'iat': None}},
        'of tomorrow': {'claims': {'iat': now + 86400}},
        'not yet': {'claims': {'nbf': now + 600}},
        'no subject': {'claims': {'sub': None}}, 'a long subject': {'claims': {'sub': 'x' * 256}},
        'a subject that is no text': {'claims': {'sub': 7}},
        'a key of another': {'key': other},
        'the right kid, a key of another': {'key': other, 'head': {'kid': provider.keys[0].kid}},
        'its key in the header': {'key': other, 'head': {'kid': None, 'jwk': other.public()}},
        'crit': {'head': {'crit': ['x'], 'x': 1}},
        'alg none': {'token': none_of}, 'alg none, signed':
            {'token': lambda t: none_of(t) + t.split('.')[2]},
        'HS256 with the public key': {'token': hmac_of(provider)},
        'no token': {'token': lambda t: ''}, 'no signed token': {'token': lambda t: 'a.b.c'},
        'a token too long': {'claims': {'more': 'x' * 20000}},
        'a refusal': {'status': {'/token': 400}},
    }
    for what, twist in lies.items():
        provider.twist = twist
        flow = Flow(world, 'good')
        flow.refused(flow.through(provider), what, 'wrong')
    for what, acr in (('no acr', None), ('a weak acr', 'low')):
        provider.twist = {'claims': {'acr': acr}}
        flow = Flow(world, 'good')
        flow.refused(flow.through(provider), what, 'weak')
    provider.twist = {'status': {'/token': 500}}
    flow = Flow(world, 'good')
    flow.refused(flow.through(provider), 'it is down', 'away')
    provider.twist = {}


def check_answers(world, provider, second):
    """Who answers, for whom, and how often."""
    for what, changed, says in (
            ('iss of another', {'iss': second.issuer}, 'wrong'), ('no iss', {'iss': None}, 'wrong'),
            ('no code', {'code': None}, 'wrong'), ('a made-up code', {'code': 'x'}, 'wrong'),
            ('it was cancelled', {'code': None, 'error': 'access_denied'}, 'refused')):
        flow = Flow(world, 'good')
        flow.refused(flow.through(provider, **changed), what, says)
    # A code of another sign-in: of the attacker's, in the victim's browser (injection).
    thief, victim = Flow(world, 'good'), Flow(world, 'good')
    thief.start()
    victim.start()
    _, stolen = provider.authorize(thief.url)
    redirect, query = provider.authorize(victim.url)
    victim.refused(victim.back(redirect, dict(query, code=stolen['code'])), 'code injection',
                   'wrong')
    # A state that was used, of another browser, of another provider, none.
    flow = Flow(world, 'good')
    flow.start()
    answer = provider.authorize(flow.url)
    flow.back(*answer)
    flow.approved('once')
    for what, browser, change in (
            ('a state twice', flow.browser, {}), ('a made-up state', flow.browser, {'state': 'x'}),
            ('no state', flow.browser, {'state': ''})):
        browser.send('GET', answer[0][len(world.root):] + '?' +
                     urllib.parse.urlencode(dict(answer[1], **change)))
        world.check(SAYS['wrong'] in browser.page, f'{what}: {browser.page[-300:]}')
    flow = Flow(world, 'good')
    flow.start()
    redirect, query = provider.authorize(flow.url)
    flow.browser = auth.Browser(world)
    flow.refused(flow.back(redirect, query), 'another browser', 'wrong')
    # Mix-up: the second provider has the person's code of the first brought to itself, and back.
    flow = Flow(world, 'second')
    flow.start()
    asked = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(flow.url).query))
    first = Flow(world, 'good', flow.browser)
    first.start()
    _, query = provider.authorize(first.url)
    n_asked = len(second.asked)
    flow.refused(flow.back(asked['redirect_uri'], dict(query, state=asked['state'])),
                 'a code of the first at the second', 'wrong')
    world.check('/token' not in second.asked[n_asked:], 'and the code did not go there')
    flow = Flow(world, 'second')
    flow.start()
    redirect, query = second.authorize(flow.url)
    flow.refused(flow.back(redirect.replace('/second', '/good'), query),
                 'an answer of the second at the first', 'wrong')
    reply = auth.Browser(world).send('GET', '/auth/eid?provider=good&at=' + 'x' * 43)
    world.check(reply.status == 400, f'a sign-in that is none: {reply}')
    reply = auth.Browser(world).send('GET', '/auth/eid?provider=none')
    world.check(reply.status == 400, f'a provider that is none: {reply}')


def check_unfit(world, flaky):
    """What it says of itself; each on a provider that is asked for the first time."""
    for twist, says in (
            ({'metadata': {'issuer': 'https://evil.example'}}, 'wrong'),
            ({'metadata': {'token_endpoint': 'http://192.0.2.1/token'}}, 'wrong'),
            ({'metadata': {'token_endpoint': 'file:///etc/passwd'}}, 'wrong'),
            ({'metadata': {'authorization_endpoint': 'javascript:alert(1)'}}, 'wrong'),
            ({'metadata': {'jwks_uri': None}}, 'wrong'),
            ({'metadata': {'more': 'x' * 70000}}, 'away'),
            ({'status': {'/.well-known/openid-configuration': 302}}, 'away')):
        one = flaky.pop()
        one[1].twist = twist
        flow = Flow(world, one[0])
        flow.refused(flow.start(), f'{twist}'[:100], says)
    for twist, says in (({'jwks': b'{"keys":[' + b'{},' * 30000 + b'{}]}'}, 'away'),
                        ({'jwks': b'no JSON'}, 'wrong'), ({'jwks': b'{"keys":[]}'}, 'wrong')):
        one = flaky.pop()
        one[1].twist = twist
        flow = Flow(world, one[0])
        flow.refused(flow.through(one[1]), f'{twist}'[:60], says)
    one = flaky.pop()
    one[1].twist = {'delay': {'/token': 8}}
    flow = Flow(world, one[0])
    flow.start()
    began = time.monotonic()
    reply = flow.back(*one[1].authorize(flow.url))
    took = time.monotonic() - began
    flow.refused(reply, 'a slow one', 'away')
    world.check(took < 7, f'a slow one is given up: {took:.1f} s')


def check_links(world, second, plain):
    """First links: nobody without an identifier that was confirmed; and one who is signed in."""
    for what, info in (('of nobody', {'national_id': '999'}), ('none', {}),
                       ('not verified', {'national_id': '5678', 'national_id_verified': False}),
                       ('no text', {'national_id': {'value': '5678'},
                                    'national_id_verified': True})):
        second.twist = {'info': info}
        flow = Flow(world, 'second')
        flow.refused(flow.through(second), 'an identifier ' + what, 'nobody')
    second.twist = {'info': {'sub': 'another', 'national_id': '5678'}}
    flow = Flow(world, 'second')
    flow.refused(flow.through(second), 'userinfo of another', 'wrong')
    second.twist = {'info': {'national_id': '5678', 'national_id_verified': True}}
    flow = Flow(world, 'second')
    flow.through(second)
    said = flow.approved('by what userinfo says')
    world.check(said.get('fhirUser', '').endswith('Patient/bob') and said.get('acr') == '1',
                f'it is bob: {said}')
    # `plain` names no identifier: it is connected by one who is signed in.
    flow = Flow(world, 'plain')
    flow.refused(flow.through(plain), 'nobody is connected', 'nobody')
    _, _, browser = auth.sign_in(world, 'app', SCOPE, 'bob')
    browser.send('GET', '/auth/account')
    world.check('Plain' in browser.page and 'do" value="connect"' in browser.page,
                f'the account page: {browser.page[-800:]}')
    reply = world.post('/auth/account', {'do': 'connect', 'provider': 'plain'},
                       Origin='https://evil.example',
                       Cookie='; '.join(f'{k}={v}' for k, v in browser.cookies.items()))
    world.check('code_challenge' not in reply.body.decode(), 'another site connects nothing')
    browser.send('POST', '/auth/account', {'do': 'connect', 'provider': 'plain'})
    url = html.unescape(re.search(r'href="([^"]*code_challenge=[^"]*)"', browser.page).group(1))
    redirect, query = plain.authorize(url)
    thief = auth.Browser(world)
    thief.send('GET', redirect[len(world.root):] + '?' + urllib.parse.urlencode(query))
    browser.send('POST', '/auth/account', {'do': 'connect', 'provider': 'plain'})
    url = html.unescape(re.search(r'href="([^"]*code_challenge=[^"]*)"', browser.page).group(1))
    redirect, query = plain.authorize(url)
    browser.send('GET', redirect[len(world.root):] + '?' + urllib.parse.urlencode(query))
    world.check('value="disconnect"' in browser.page, f'connected: {browser.page[-600:]}')
    flow = Flow(world, 'plain')
    flow.through(plain)
    world.check(flow.approved('connected').get('fhirUser', '').endswith('Patient/bob'), 'bob again')
    # The same identity is not ann's as well.
    _, _, hers = auth.sign_in(world, 'app', SCOPE, 'ann')
    hers.send('POST', '/auth/account', {'do': 'connect', 'provider': 'plain'})
    url = html.unescape(re.search(r'href="([^"]*code_challenge=[^"]*)"', hers.page).group(1))
    redirect, query = plain.authorize(url)
    hers.send('GET', redirect[len(world.root):] + '?' + urllib.parse.urlencode(query))
    world.check(SAYS['other'] in hers.page, f'of another: {hers.page[-600:]}')
    # Nor anybody's whose account was disabled on the way.
    hers.send('POST', '/auth/account', {'do': 'connect', 'provider': 'plain'})
    url = html.unescape(re.search(r'href="([^"]*code_challenge=[^"]*)"', hers.page).group(1))
    world.folder.run('user', 'disable', 'ann')
    plain.sub, bobs = 'a-thief', plain.sub
    redirect, query = plain.authorize(url)
    hers.send('GET', redirect[len(world.root):] + '?' + urllib.parse.urlencode(query))
    world.folder.run('user', 'enable', 'ann')
    flow = Flow(world, 'plain')
    flow.refused(flow.through(plain), 'what a disabled account connected', 'nobody')
    plain.sub = bobs
    link = html.unescape(re.search(r'name="link" value="(plain [^"]*)"', browser.page).group(1))
    hers.send('POST', '/auth/account', {'do': 'disconnect', 'link': link})
    flow = Flow(world, 'plain')
    flow.through(plain)
    flow.approved('a link of another is not hers to take away')
    browser.send('POST', '/auth/account', {'do': 'disconnect', 'link': link})
    flow = Flow(world, 'plain')
    flow.refused(flow.through(plain), 'disconnected', 'nobody')


def check_enrolled(world, enroller):
    """Whoever the records know by an identifier in use gets an account; of two people, neither."""
    for name, number, more in (('carl', '1', {}), ('dora', '2', {}), ('dorb', '2', {}),
                               ('erik', '3', {'use': 'old'})):
        world.put(world.loader, {'resourceType': 'Patient', 'id': name, 'identifier': [
            {'system': SYSTEM, 'value': number, **more}]})
    # Those whose number it was hide nobody whose number it is, in whatever order they are found.
    for number, order in ('5', 'oogg'), ('6', 'ggoo'):
        for i, letter in enumerate(order):
            world.put(world.loader, {'resourceType': 'Patient', 'id': f'many-{number}-{i}',
                                     'identifier': [dict(
                                         {'system': SYSTEM, 'value': number},
                                         **({'use': 'old'} if letter == 'o' else {}))]})
    for number in '2', '3', '4', '5', '6', '1,2', '|':
        enroller.sub, enroller.claims['national_id'] = 'e' + number, number
        flow = Flow(world, 'enroller')
        flow.refused(flow.through(enroller), f'enrolling {number}', 'nobody')
    subs = set()
    for _ in range(2):
        enroller.sub, enroller.claims['national_id'] = 'e1', '1'
        flow = Flow(world, 'enroller')
        flow.through(enroller)
        said = flow.approved('enrolling')
        browser = flow.browser
        world.check(said.get('fhirUser', '').endswith('Patient/carl'), f'carl: {said}')
        subs.add(said.get('sub'))
    world.check(len(subs) == 1, f'one account: {subs}')
    reply = world.get('/fhir/Patient/carl', said['token'])
    world.check(reply.status == 200, f'his own record: {reply}')
    world.check(world.get('/fhir/Patient/ann', said['token']).status == 404, 'and no other')
    # Who has no password closes the account having signed in just now, and nobody else does.
    stranger = auth.Browser(world)
    stranger.send('GET', '/auth/close')
    world.check('name="password"' in stranger.page and
                stranger.send('POST', '/auth/close', {}).status == 401, 'not a stranger')
    foreign = world.post('/auth/close', {}, Origin='https://evil.example', Cookie='; '.join(
        f'{k}={v}' for k, v in browser.cookies.items()))
    world.check(foreign.status == 401 and world.get('/fhir/Patient/carl', said['token'])
                .status == 200, f'not from there: {foreign}')
    browser.send('GET', '/auth/close')
    world.check('name="password"' not in browser.page, 'no password is asked for')
    reply = browser.send('POST', '/auth/close', {})
    world.check(reply.status == 200 and
                world.get('/fhir/Patient/carl', said['token']).status == 401 and
                browser.send('GET', '/auth/account').status == 401, f'it is closed: {reply}')


def check_two_factors(world, second):
    """One factor there is not two here: the account's code is asked for."""
    world.folder.run('user', 'identify', 'doc', '--identifier', SYSTEM + '|77')
    second.sub = 'doc-there'
    second.twist = {'info': {'national_id': '77', 'national_id_verified': True}}
    flow = Flow(world, 'second')
    flow.through(second)
    world.check('name="code"' in flow.browser.page, f'a code is asked for: {flow.browser.page}')
    flow.browser.submit(code=auth.totp(world.totp))
    world.check('name="find"' in flow.browser.page or 'value="approve"' in flow.browser.page,
                f'and signs in: {flow.browser.page[-400:]}')
    world.folder.run('user', 'disable', 'doc')
    flow = Flow(world, 'second')
    flow.refused(flow.through(second), 'a disabled account', 'nobody')
    world.folder.run('user', 'enable', 'doc')


def check_pages(world):
    for language, word in (('en', 'Sign in with'), ('ar', 'تسجيل الدخول باستخدام'),
                           ('fr', 'Se connecter avec'), ('es', 'Iniciar sesión con'),
                           ('ru', 'Войти через'), ('zh', '登录方式')):
        browser = auth.Browser(world)
        _, fields = auth.request(world, 'app', SCOPE, ui_locales=language)
        browser.send('GET', '/auth/authorize?' + urllib.parse.urlencode(fields))
        name = 'Carte nationale' if language == 'fr' else 'National card'
        world.check(word in browser.page and name in browser.page and '<script' not in browser.page,
                    'the button in ' + language)


def check_audit(world):
    found = [e for e in auth.events(world, world.loader, '&_count=1000')
             if any((x.get('display') or '').startswith('eid ') for x in e.get('subtype', []))]
    said = ' '.join(x.get('display', '') for e in found for x in e['subtype'])
    world.check({'0', '4', '8'} >= {e['outcome'] for e in found} >= {'0', '4'}, 'both ways')
    for word in '(nonce)', '(iss)', '(state)', '(alg)', 'acr', 'in time', 'nobody here':
        world.check(word in said, f'the audit says {word}')


def write_config(folder, found):
    path = os.path.join(folder.path, 'eid.json')
    secret = os.path.join(folder.path, 'eid.secret')
    with open(secret, 'w') as f:
        f.write('s3cret\n')
    good = {'name': {'en': 'National card', 'fr': 'Carte nationale'}, 'acrValues': 'high',
            'acr': {'high': 'two-factors'}, 'identifier': {'claim': 'national_id',
                                                           'system': SYSTEM}}
    more = {'good': good, 'second': {'identifier': {
        'claim': 'national_id', 'system': SYSTEM, 'verifiedBy': 'national_id_verified'}},
        'enroller': {'enrol': True, 'identifier': good['identifier']}}
    with open(path, 'w') as f:
        json.dump({'providers': [
            {'id': name, 'name': name.capitalize(), 'issuer': p.issuer, 'clientId': p.client,
             'secretFile': secret, 'private': True, **more.get(name, {})}
            for name, p in found.items()]}, f)
    return path


def main():
    score = nodes.Score()
    with nodes.Folder(sys.argv[1]) as folder:
        def make(its, **claims):
            return providers.Provider(folder.path, 'carnet-' + its, 's3cret', **claims)
        found = {'good': make('good', national_id='1234', acr='high'), 'second': make('second'),
                 'plain': make('plain', name='Bob', email='bob@example.org', email_verified=True),
                 'enroller': make('enroller')}
        found.update({f'flaky-{i}': make('flaky') for i in range(11)})
        with nodes.Node(folder, '--eid', write_config(folder, found), is_open=False) as node:
            world = auth.World(score, folder, node)
            world.keys = [jose.Key(folder.path, 'ES384')]
            auth.add_people(world)
            auth.add_clients(world, world.keys)
            for login, number in ('ann', '1234'), ('bob', '5678'):
                folder.run('user', 'identify', login, '--identifier', f'{SYSTEM}|{number}')
            folder.run('user', 'identify', 'bob', '--identifier', f'{SYSTEM}|1234', status=1)
            folder.run('user', 'identify', 'bob', '--identifier', 'no bar', status=1)
            world.loader = auth.backend(world, auth.assertion(world, world.keys[0], 'loader')
                                        ).json()['access_token']
            auth.make_records(world, world.loader)
            check_pages(world)
            check_well(world, found['good'])
            check_lies(world, found['good'])
            check_answers(world, found['good'], found['second'])
            check_unfit(world, [p for p in found.items() if p[0].startswith('flaky')])
            check_links(world, found['second'], found['plain'])
            check_enrolled(world, found['enroller'])
            check_two_factors(world, found['second'])
            check_audit(world)
            world.check('s3cret' not in node.log(), 'no secret in the log')
    return score.end()


if __name__ == '__main__':
    sys.exit(main())
