"""Passkeys, with an authenticator in software: part of account.py."""
import re
import urllib.parse

import auth
import jose
import passkeys

SCOPE = 'openid fhirUser patient/*.rs'


class Person:
    """Somebody at a browser, and the page they are on."""

    def __init__(self, world, login):
        self.world, self.login = world, login
        self.verifier, fields = auth.request(world, 'app', SCOPE)
        self.browser = auth.Browser(world)
        self.reply = self.browser.send('GET', '/auth/authorize?' + urllib.parse.urlencode(fields))

    def data(self, name):
        return re.search(f'data-{name}="([^"]*)"', self.browser.page).group(1)

    def at(self):
        return re.search(r'name="at" value="([^"]+)"', self.browser.page).group(1)

    def with_password(self):
        self.reply = self.browser.submit(login=self.login, password=auth.PASSWORD)
        return self

    def begin(self):
        self.reply = self.browser.send('POST', '/auth/account', {'do': 'passkey-begin'})
        return self.data('challenge')

    def make(self, key, asked, **how):
        self.reply = self.browser.send('POST', '/auth/account', {
            'do': 'passkey-make', **key.make(asked, **how)})
        return self.reply.status

    def use(self, fields):
        self.reply = self.browser.send('POST', '/auth/passkey', {'at': self.at(), **fields})
        return self.reply.status

    def tokens(self):
        reply = self.browser.submit(do='approve')
        return auth.redeem(self.world, reply, self.verifier, 'app').json()


def key_of(world, alg='ES256'):
    return passkeys.Authenticator(world.folder.path, world.root, 'localhost', alg)


def check_make(world):
    check = world.check
    ann = Person(world, 'ann')
    check('data-passkey="use"' in ann.browser.page and
          "script-src 'self'" in ann.reply.headers['Content-Security-Policy'] and
          '<form hidden' in ann.browser.page, f'there where a script can: {ann.reply}')
    script = world.get('/auth/passkey.js')
    check(script.status == 200 and script.headers['Content-Type'].startswith('text/javascript') and
          b'navigator.credentials' in script.body, f'the script: {script}')
    ann.with_password()
    key, user = key_of(world), None
    for what, how in (('another page', {'origin': 'https://evil.example'}),
                      ('a page of others', {'crossOrigin': True}),
                      ('another answer', {'type': 'webauthn.get'}),
                      ('another question', {'challenge': jose.b64u(bytes(32))}),
                      ('another site', {'rp': 'evil.example'}),
                      ('nobody verified', {'flags': passkeys.PRESENT}),
                      ('nobody there', {'flags': passkeys.VERIFIED})):
        challenge = ann.begin()
        user = ann.data('user')
        check(ann.make(key, challenge, **how) == 400 and 'role="alert"' in ann.browser.page and
              'passkey-end' not in ann.browser.page, f'{what}: {ann.reply}')
        check(ann.make(key, challenge) == 400, f'{what}: each question is asked once')
    challenge = ann.begin()
    reply = ann.browser.send('POST', '/auth/account', {
        'do': 'passkey-make', 'client': 'e30', 'data': '!!'})
    check(reply.status == 400, f'what is nothing: {reply}')
    check(ann.make(key, ann.begin(), user=user) == 200 and
          ann.browser.page.count('value="passkey-end"') == 1, f'made: {ann.reply}')
    check(ann.make(key, ann.begin(), user=user) == 400, 'not twice')
    check(jose.b64u(key.id) in (ann.begin(), ann.data('has'))[1].split(),
          'authenticators are told which there are')
    check('passkeys' in world.folder.run('user', 'show', 'ann'), 'the operator sees that')
    return key


def check_use(world, key):
    check = world.check
    for what, how in (('another page', {'origin': 'https://evil.example'}),
                      ('another answer', {'type': 'webauthn.create'}),
                      ('another question', {'challenge': jose.b64u(bytes(32))}),
                      ('another site', {'rp': 'evil.example'}),
                      ('nobody verified', {'flags': passkeys.PRESENT})):
        ann = Person(world, 'ann')
        check(ann.use(key.use(ann.data('challenge'), **how)) == 401 and
              'role="alert"' in ann.browser.page, f'{what}: {ann.reply}')
    ann = Person(world, 'ann')
    first = ann.data('challenge')
    for name, value in (('signature', jose.b64u(bytes(70))), ('id', jose.b64u(b'nobody')),
                        ('user', jose.b64u(b'somebody else')), ('data', ''), ('client', 'x')):
        fields = dict(key.use(ann.data('challenge')), **{name: value})
        check(ann.use(fields) == 401, f'a wrong {name}: {ann.reply}')
    check(ann.use(key.use(first)) == 401, 'each question is asked once')
    good = key.use(ann.data('challenge'))
    check(ann.use(good) == 200, f'she is in, without a password: {ann.reply}')
    claims = jose.claims_of(ann.tokens()['id_token'])
    check(claims['acr'] == '2' and claims['fhirUser'].endswith('Patient/ann'),
          f'by two factors in one: {claims}')
    other = Person(world, 'ann')
    check(other.use(good) == 401, 'what was shown once is no good again')
    key.count -= 2
    check(other.use(key.use(other.data('challenge'))) == 401, 'nor is a copy that lags behind')
    key.count += 5
    check(other.use(key.use(other.data('challenge'))) == 200, 'the one that counts on is')


def check_kinds(world):
    """Other kinds of keys, of authenticators that do not count."""
    for alg in 'EdDSA', 'RS256':
        bob, key = Person(world, 'bob').with_password(), key_of(world, alg)
        challenge = bob.begin()
        world.check(bob.make(key, challenge, user=bob.data('user')) == 200, f'{alg}: {bob.reply}')
        for _ in range(2):
            key.count, bob = -1, Person(world, 'bob')
            world.check(bob.use(key.use(bob.data('challenge'))) == 200, f'{alg}: {bob.reply}')
    return key


def check_end(world, key, last):
    check = world.check
    ann = Person(world, 'ann').with_password()
    ann.browser.send('GET', '/auth/account')
    name = re.search(r'name="passkey" value="(\w+)"', ann.browser.page).group(1)
    bob = Person(world, 'bob').with_password()
    bob.browser.send('POST', '/auth/account', {'do': 'passkey-end', 'passkey': name})
    ann.browser.send('GET', '/auth/account')
    check(name in ann.browser.page, 'nobody takes away what is hers')
    reply = ann.browser.send('POST', '/auth/account', {'do': 'passkey-end', 'passkey': name})
    check(reply.status == 200 and 'passkey-end' not in ann.browser.page, f'she does: {reply}')
    other = Person(world, 'ann')
    check(other.use(key.use(other.data('challenge'))) == 401, 'and it signs nobody in any more')
    world.folder.run('user', 'disable', 'bob')
    other = Person(world, 'bob')
    last.count = -1
    check(other.use(last.use(other.data('challenge'))) == 401, 'a disabled account has none')
    world.folder.run('user', 'enable', 'bob')
    world.folder.run('user', 'passkeys-off', 'bob')
    other = Person(world, 'bob')
    last.count = -1
    check('passkeys' not in world.folder.run('user', 'show', 'bob') and
          other.use(last.use(other.data('challenge'))) == 401, 'the operator takes them away')


def check_all(world):
    key = check_make(world)
    check_use(world, key)
    check_end(world, key, check_kinds(world))
    nobody = auth.Browser(world)
    for what in 'passkey-begin', 'passkey-make', 'passkey-end':
        reply = nobody.send('POST', '/auth/account', {'do': what})
        world.check(reply.status == 401, f'nobody: {what}: {reply}')
    reply = nobody.send('POST', '/auth/passkey', {'at': 'x'})
    world.check(reply.status == 400, f'no page that it belongs to: {reply}')
