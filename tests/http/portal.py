#!/usr/bin/env python3
"""The portal's files as they are served, and a demo's ways in: portal.py CARNET"""
import gzip
import hashlib
import os
import re
import subprocess
import sys
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import auth  # noqa: E402
import jose  # noqa: E402
import node as nodes  # noqa: E402
import stores  # noqa: E402

PORTAL = 'portal'  # OWN_CLIENT
TEST_DATA = {'tag': [{'system': 'http://terminology.hl7.org/CodeSystem/v3-ActReason',
                      'code': 'HTEST'}]}
REAL = {'resourceType': 'Patient', 'id': 'real', 'name': [{'family': 'Real'}]}
INVENTED = dict(REAL, id='ann', meta=TEST_DATA)
PEOPLE = (('ann', 'patient', 'Patient/ann'), ('nurse', 'worker', 'Practitioner/n'))
REFUSED_SECONDS = 60


# ---- the files ----

def check_page(score, node):
    page = node.client().get('/')
    policy = page.headers.get('Content-Security-Policy') or ''
    score.check(page.status == 200 and b'<div id="app">' in page.body, f'the page: {page}')
    score.check("default-src 'none'" in policy and "frame-ancestors 'none'" in policy,
                f'the policy: {policy}')
    score.check('unsafe' not in policy and 'http' not in policy and 'data:' not in policy,
                f'nothing from elsewhere, nothing inline: {policy}')
    score.check(page.headers.get('X-Content-Type-Options') == 'nosniff', 'nosniff')
    score.check(page.headers.get('Cache-Control') == 'no-cache', 'the page is asked for again')
    names = re.findall(r'(?:src|href)="([^"]+)"', page.body.decode())
    score.check(names and all(n.startswith('./') for n in names),
                f'all addresses are relative, so that any prefix will do: {names}')
    return [n[1:] for n in names]


def check_file(score, node, path):
    client = node.client()
    plain = client.get(path)
    packed = client.get(path, Accept_Encoding='gzip')
    refused = client.get(path, Accept_Encoding='gzip;q=0')
    etag = plain.headers.get('ETag')
    score.check(plain.status == 200 and not plain.headers.get('Content-Encoding'), path)
    score.check(packed.headers.get('Content-Encoding') == 'gzip' and
                gzip.decompress(packed.body) == plain.body, f'{path}: compressed, the same bytes')
    score.check(packed.headers.get('Vary') == 'Accept-Encoding', f'{path}: Vary')
    score.check(refused.body == plain.body, f'{path}: gzip;q=0')
    score.check(etag and packed.headers.get('ETag') == etag, f'{path}: one tag')
    for tags in (etag, 'W/' + etag, '"other", ' + etag, '*'):
        same = client.get(path, If_None_Match=tags)
        score.check(same.status == 304 and not same.body, f'{path}: If-None-Match: {tags}: {same}')
    score.check(client.get(path, If_None_Match='"other"').status == 200, f'{path}: another tag')
    head = client.send('HEAD', path)
    score.check(head.status == 200 and not head.body and
                int(head.headers.get('Content-Length')) == len(plain.body), f'{path}: HEAD')
    if path.startswith('/assets/'):
        score.check('immutable' in plain.headers.get('Cache-Control'), f'{path}: kept for good')


def check_rest(score, node):
    client = node.client()
    score.check(client.get('/assets/none.js').status == 404, 'a file that is not there')
    score.check(client.get('/assets/../portal.json').status == 404, 'no way up')
    score.check(client.send('POST', '/', b'x').status == 405, 'nothing is posted to the page')
    said = client.get('/portal.json').json()
    score.check(said['open'] is False and said['demo'] is False, f'portal.json: {said}')
    key = said['auditKey'].split('+')
    score.check(len(key) >= 3 and key[0].startswith('carnet/'), f'the log\'s key: {said}')


def check_files(score, carnet):
    with nodes.Folder(carnet) as folder, nodes.Node(folder, is_open=False) as node:
        page = node.client().get('/')
        if b'without the portal' in page.body:
            print('skipped: this program was built without the portal')
            raise SystemExit(nodes.SKIPPED)
        for path in ['/'] + check_page(score, node):
            check_file(score, node, path)
        check_rest(score, node)
        world = auth.World(score, folder, node)
        world.refused(world.post('/auth/demo', {'key': 'x'}), 404, 'invalid_request', 'no demo')
        score.check(world.get('/auth/enter?link=' + 'A' * 43).status == 400, 'no demo, no link')
    with nodes.Folder(carnet) as folder, nodes.Node(folder) as node:
        said = node.client().get('/portal.json').json()
        score.check(said['open'] is True and 'auditKey' not in said, f'an open node: {said}')


# ---- a demo ----

def put(folder, resource):
    """Into a folder that nobody serves."""
    path = os.path.join(folder.path, 'one.ndjson')
    with open(path, 'w', encoding='utf-8') as f:
        f.write(auth.json.dumps(resource) + '\n')
    folder.run('import', path)


def refuses(score, folder, why, *options):
    done = subprocess.run([folder.carnet, 'serve', '--data', folder.data,
                           *stores.options(folder.data), '--demo', *options],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=REFUSED_SECONDS)
    score.check(done.returncode != 0 and why in done.stdout,
                f'--demo {" ".join(options)}: {done.returncode} {done.stdout[:300]}')


def authorize(world, browser, client, redirect, **more):
    verifier = jose.b64u(os.urandom(32))
    fields = {'response_type': 'code', 'client_id': client, 'redirect_uri': redirect,
              'scope': 'openid fhirUser launch/patient patient/*.rs', 'state': 'st',
              'aud': world.fhir, 'code_challenge_method': 'S256',
              'code_challenge': jose.b64u(hashlib.sha256(verifier.encode()).digest()), **more}
    return verifier, browser.send('GET', '/auth/authorize?' + urllib.parse.urlencode(fields))


def check_link(world, link):
    """A link opens a session once; the browser that has it."""
    browser = auth.Browser(world)
    path = link[len(world.root):]
    first = browser.send('GET', path)
    world.check(first.status == 303 and
                first.headers.get('Location') == world.root + '/#/enter/patient',
                f'a link leads in: {first.status} {first.headers.get("Location")}')
    cookie = first.headers.get('Set-Cookie') or ''
    world.check('HttpOnly' in cookie and 'SameSite=Lax' in cookie, f'its cookie: {cookie}')
    second = auth.Browser(world)
    world.check(second.send('GET', path).status == 400 and not second.cookies, 'it works once')
    forged = path[:-4] + 'AAAA'
    world.check(auth.Browser(world).send('GET', forged).status == 400, 'a link of nobody')
    return browser


def check_own_client(world, browser):
    """Who is signed in gets into the portal without a question, and into nothing else."""
    root = world.root + '/'
    verifier, reply = authorize(world, browser, PORTAL, root)
    to, back = auth.location(reply)
    world.check(reply.status == 303 and to == root and back.get('code'), f'no question: {reply}')
    tokens = world.post('/auth/token', {
        'grant_type': 'authorization_code', 'code': back.get('code'), 'redirect_uri': root,
        'client_id': PORTAL, 'code_verifier': verifier}).json()
    world.check(tokens.get('patient') == 'ann' and 'refresh_token' not in tokens,
                f'a token, and none that lasts: {list(tokens)}')
    read = world.get('/fhir/Patient/ann', tokens['access_token'])
    world.check(read.status == 200, f'it reads: {read}')
    _, reply = authorize(world, browser, 'app', auth.REDIRECT)
    world.check(reply.status == 200 and 'value="approve"' in browser.page, 'others are asked about')
    _, reply = authorize(world, browser, PORTAL, 'https://elsewhere.example/')
    world.check(reply.status == 400, 'no code leaves for elsewhere')
    _, reply = authorize(world, auth.Browser(world), PORTAL, root)
    world.check(reply.status == 200, 'who is not signed in has to')


def check_leave(world, browser):
    foreign = world.post('/auth/leave', Origin='https://elsewhere.example',
                         Cookie='; '.join(f'{k}={v}' for k, v in browser.cookies.items()))
    world.refused(foreign, 403, 'invalid_request', 'another page signs nobody out')
    _, reply = authorize(world, browser, PORTAL, world.root + '/')
    world.check(reply.status == 303, f'the session is still there: {reply}')
    held = dict(browser.cookies)
    reply = browser.send('POST', '/auth/leave', {})
    world.check(reply.status == 200 and 'Max-Age=0' in (reply.headers.get('Set-Cookie') or ''),
                f'leaving: {reply}')
    browser.cookies = held
    _, reply = authorize(world, browser, PORTAL, world.root + '/')
    world.check(reply.status == 200, f'the cookie that was kept opens nothing: {reply}')
    again = auth.Browser(world).send('POST', '/auth/leave', {})
    world.check(again.status == 200, 'leaving without a session')


def check_demo(score, carnet):
    with nodes.Folder(carnet) as folder:
        put(folder, INVENTED)
        for login, role, resource in PEOPLE:
            folder.run('user', 'add', login, '--role', role, '--fhir-user', resource)
        folder.run('client', 'add', 'app', '--name', 'App', '--redirect', auth.REDIRECT, '--scope',
                   'openid fhirUser launch/patient patient/*.rs')
        refuses(score, folder, 'without --open', '--open')
        refuses(score, folder, 'without --open', '--trusted-proxy')
        refuses(score, folder, 'without --open', '--base-url', 'https://node.example/fhir')
        refuses(score, folder, 'loopback', '--listen', '0.0.0.0:0')
        with nodes.Node(folder, '--demo', is_open=False) as node:
            world = auth.World(score, folder, node)
            printed = dict(re.findall(r'^  (\w+) +\w+ +(http\S+)$', node.said, re.M))
            key = re.search(r'#/demo/(\S+)', node.said).group(1)
            score.check(set(printed) == {'ann', 'nurse'}, f'a link each: {node.said}')
            score.check(node.client().get('/portal.json').json()['demo'], 'it says that it is one')
            browser = check_link(world, printed['ann'])
            check_own_client(world, browser)
            check_leave(world, browser)
            world.refused(world.post('/auth/demo', {'key': key + 'x'}), 404, 'invalid_request',
                          'another key')
            world.refused(world.post('/auth/demo', {'key': key}, Origin='https://else.example'),
                          404, 'invalid_request', 'another page')
            people = world.post('/auth/demo', {'key': key}).json()['people']
            fresh = {p['login']: p['link'] for p in people}
            score.check(set(fresh) == set(printed) and fresh['ann'] != printed['ann'],
                        f'fresh links: {people}')
            check_link(world, fresh['ann'])
            other = node.client().get('/', Host='elsewhere.example')
            score.check(other.status == 403, f'a name that is not this machine\'s: {other}')
            folder.run('client', 'disable', PORTAL)
            _, reply = authorize(world, check_link(world, world.post('/auth/demo', {
                'key': key}).json()['people'][0]['link']), PORTAL, world.root + '/')
            score.check(reply.status == 400, f'an operator may close the portal: {reply}')
        with nodes.Node(folder, '--demo', is_open=False) as node:
            world = auth.World(score, folder, node)
            _, reply = authorize(world, auth.Browser(world), PORTAL, world.root + '/')
            score.check(reply.status == 400, f'and it stays closed: {reply}')
            score.check(world.get(printed['nurse'][len(printed['nurse'].split('/auth')[0]):])
                        .status == 303, 'a printed link holds for a day')
        put(folder, REAL)
        refuses(score, folder, 'HTEST', '--listen', '127.0.0.1:0')


def main():
    score = nodes.Score()
    check_files(score, sys.argv[1])
    check_demo(score, sys.argv[1])
    return score.end()


if __name__ == '__main__':
    sys.exit(main())
