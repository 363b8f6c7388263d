#!/usr/bin/env python3
"""What people do with their own account: one-time codes, recovery codes, passkeys, signing out
everywhere: account.py CARNET"""
import os
import re
import sys
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import auth  # noqa: E402
import jose  # noqa: E402
import node as nodes  # noqa: E402
import passkey  # noqa: E402

ROOT = 'http://localhost:9'  # passkeys are for a name; nobody goes there
SCOPE = 'openid fhirUser patient/*.rs offline_access'


def post(browser, **fields):
    return browser.send('POST', '/auth/account', fields)


def signed_in(world, login, code=None):
    reply, verifier, browser = auth.sign_in(world, 'app', SCOPE, login, code=code)
    return auth.redeem(world, reply, verifier, 'app').json(), browser


def check_codes(world):
    check = world.check
    _, browser = signed_in(world, 'ann')
    browser.send('GET', '/auth/account')
    check('value="codes-begin"' in browser.page, f'she may set codes up: {browser.page[-900:]}')
    for language, word in (('ar', 'dir="rtl"'), ('fr', 'Votre compte'), ('zh', '您的账户')):
        reply = world.get('/auth/account', Accept_Language=language, Cookie='; '.join(
            f'{k}={v}' for k, v in browser.cookies.items()))
        check(word in reply.body.decode(), 'her page in ' + language)
    reply = post(browser, do='codes-begin')
    check(reply.status == 200 and "default-src 'none'" in
          reply.headers['Content-Security-Policy'], f'{reply}')
    key = re.search(r'secret=([A-Z2-7]+)', browser.page).group(1)
    check(post(browser, do='codes-prove', code='000000').status == 400 and key in browser.page,
          'a wrong code, and the key is still there')
    check('name="code"' not in auth.sign_in(world, 'app', SCOPE, 'ann')[2].page,
          'nothing is asked for before it was shown to work')
    post(browser, do='codes-prove', code=auth.totp(key))
    recovery = re.findall(r'<code dir="ltr">(\S+)</code>', browser.page)
    check(len(recovery) == 10, f'ten recovery codes: {browser.page[-900:]}')
    post(browser, do='codes-begin')
    check(key not in browser.page and 'secret=' not in browser.page, 'a key is not written over')
    _, _, other = auth.sign_in(world, 'app', SCOPE, 'ann')
    check('name="code"' in other.page, 'from now on a code is asked for')
    tokens, _ = signed_in(world, 'ann', code=lambda: recovery[0])
    check(jose.claims_of(tokens['id_token'])['acr'] == '2', 'two factors')
    # A browser that was left open changes nothing without a code.
    for what in 'recovery', 'codes-end':
        for code in '', '000000', recovery[0]:
            check(post(browser, do=what, code=code).status == 400, f'{what} with {code!r}')
    check(post(browser, do='recovery', code=recovery[1]).status == 429 or
          'try again' in browser.page.lower() or 'too many' in browser.page.lower(),
          f'who guesses waits: {browser.page[-900:]}')
    world.folder.run('user', 'password', 'ann')  # which ends the waiting
    post(browser, do='recovery', code=recovery[2])
    again = re.findall(r'<code dir="ltr">(\S+)</code>', browser.page)
    check(len(again) == 10 and not set(again) & set(recovery), f'others: {browser.page[-600:]}')
    check(post(browser, do='codes-end', code=recovery[3]).status == 400, 'the old ones are gone')
    check(post(browser, do='codes-end', code=again[0]).status == 200 and
          'value="codes-begin"' in browser.page, f'switched off: {browser.page[-900:]}')
    check(signed_in(world, 'ann')[0].get('access_token'), 'and none is asked for')


def check_everywhere(world):
    check = world.check
    first, browser = signed_in(world, 'bob')
    second, other = signed_in(world, 'bob')
    _, pending = auth.request(world, 'app', SCOPE)
    other.send('GET', '/auth/authorize?' + urllib.parse.urlencode(pending))
    check('value="approve"' in other.page, 'a page that waits for his word')
    hers, _ = signed_in(world, 'ann')
    for token in first, second, hers:
        check(world.get('/auth/userinfo', token['access_token']).status == 200, 'before')
    reply = world.post('/auth/account', {'do': 'everywhere'}, Origin='https://evil.example',
                       Cookie='; '.join(f'{k}={v}' for k, v in browser.cookies.items()))
    check(world.get('/auth/userinfo', first['access_token']).status == 200,
          f'not from there: {reply}')
    check(post(browser, do='everywhere').status == 200, 'everywhere')
    for token in first, second:
        check(world.get('/auth/userinfo', token['access_token']).status == 401, 'tokens end')
        world.refused(world.post('/auth/token', {
            'grant_type': 'refresh_token', 'refresh_token': token['refresh_token'],
            'client_id': 'app'}), 400, 'invalid_grant', 'and are not refreshed')
    check(world.get('/auth/userinfo', hers['access_token']).status == 200, 'hers does not')
    for one in browser, other:
        check(one.send('GET', '/auth/account').status == 401, 'and browsers')
    to, back = auth.location(other.submit(do='approve') if 'value="approve"' in other.page
                             else other.send('GET', '/auth/authorize?' +
                                             urllib.parse.urlencode(pending)))
    check('code' not in back, f'what waited is not given: {to} {back}')
    check(signed_in(world, 'bob')[0].get('access_token'), 'he signs in again')


def check_out(world):
    """Browsers and apps, one by one."""
    check = world.check
    first, browser = signed_in(world, 'ann')
    second, other = signed_in(world, 'ann')
    _, his = signed_in(world, 'bob')

    def listed(page, what):
        browser_page = page.send('GET', '/auth/account').body.decode()
        return re.findall(rf'value="{what}"><input type="hidden" name="out" value="([^"]+)"',
                          browser_page)

    apps, sessions = listed(browser, 'app-end'), listed(browser, 'session-end')
    check(apps == ['app'] and len(sessions) >= 1, f'an app, and another browser: {apps} {sessions}')
    mine = set(listed(other, 'session-end')) - set(sessions)
    check(len(mine) == 1, f'each page lists the others: {mine}')
    for page, out in (his, sessions[0]), (browser, 'x'), (browser, 'y' * 5000):
        check(post(page, do='session-end', out=out).status == 200, f'nothing: {out[:9]}')
    check(listed(browser, 'session-end') == sessions, 'nobody ends what is hers')
    for out in sessions:
        check(post(browser, do='session-end', out=out).status == 200, 'a browser is signed out')
    check(listed(browser, 'session-end') == [] and
          other.send('GET', '/auth/account').status == 401 and
          browser.send('GET', '/auth/account').status == 200, 'it alone')
    check(world.get('/auth/userinfo', second['access_token']).status == 200, 'apps go on')
    check(post(his, do='app-end', out='app').status == 200 and
          world.get('/auth/userinfo', first['access_token']).status == 200, 'his is not hers')
    check(post(browser, do='app-end', out='app').status == 200 and
          listed(browser, 'app-end') == [], 'what an app was given is taken back')
    for token in first, second:
        check(world.get('/auth/userinfo', token['access_token']).status == 401, 'all of it')
        world.refused(world.post('/auth/token', {
            'grant_type': 'refresh_token', 'refresh_token': token['refresh_token'],
            'client_id': 'app'}), 400, 'invalid_grant', 'and no more comes of it')


def check_refused(world):
    check = world.check
    nobody = auth.Browser(world)
    check(nobody.send('GET', '/auth/account').status == 401, 'nobody has no account')
    for what in 'codes-begin', 'codes-prove', 'recovery', 'codes-end', 'everywhere', 'connect', \
            'app-end', 'session-end', '':
        check(post(nobody, do=what).status == 401, 'nobody: ' + what)


def main():
    score = nodes.Score()
    with nodes.Folder(sys.argv[1]) as folder, \
            nodes.Node(folder, '--base-url', ROOT + '/fhir', is_open=False) as node:
        world = auth.World(score, folder, node, ROOT)
        auth.add_people(world)
        auth.add_clients(world, [jose.Key(folder.path, 'ES384')])
        check_refused(world)
        passkey.check_all(world)
        check_codes(world)
        check_everywhere(world)
        check_out(world)
    return score.end()


if __name__ == '__main__':
    sys.exit(main())
