#!/usr/bin/env python3
"""People sign in at a provider of identities that others made (npm's oidc-provider): eid.py CARNET
CACHE-FOLDER. Skips as run.py does."""
import html
import http.client
import json
import os
import re
import subprocess
import sys
import urllib.parse

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'http'))
import auth  # noqa: E402
import jose  # noqa: E402
import node as nodes  # noqa: E402
import run  # noqa: E402

SYSTEM = 'urn:oid:2.999.1'
SCOPE = 'openid fhirUser patient/*.rs'


class Browser:
    """Cookies of several servers, and redirects that are followed one by one."""

    def __init__(self):
        self.cookies, self.page = {}, ''

    def send(self, method, url, fields=None):
        parts = urllib.parse.urlsplit(url)
        jar = self.cookies.setdefault(parts.netloc, {})
        headers = {'Cookie': '; '.join(f'{k}={v}' for k, v in jar.items()), 'Accept': 'text/html'}
        body = urllib.parse.urlencode(fields) if fields is not None else None
        if body is not None:
            headers.update({'Content-Type': auth.FORM,
                            'Origin': f'{parts.scheme}://{parts.netloc}'})
        connection = http.client.HTTPConnection(parts.netloc, timeout=30)
        connection.request(method, parts.path + ('?' + parts.query if parts.query else ''), body,
                           headers)
        reply = connection.getresponse()
        self.page = reply.read().decode(errors='replace')
        for value in reply.headers.get_all('Set-Cookie') or []:
            name, rest = value.split('=', 1)
            jar[name] = rest.split(';')[0]
        connection.close()
        return reply

    def follow(self, url, until):
        """GETs, and goes where it is led, until a page or an address that `until` knows."""
        for _ in range(12):
            if until(url):
                return url
            reply = self.send('GET', url)
            if reply.status not in (301, 302, 303, 307):
                return url
            url = urllib.parse.urljoin(url, reply.headers['Location'])
        raise RuntimeError('led around in a circle')

    def fields(self):
        return {n: html.unescape(v) for n, v in re.findall(
            r'<input type="hidden" name="([^"]*)" value="([^"]*)"', self.page)}


class Provider:
    def __init__(self, cache):
        self.process = subprocess.Popen(['node', 'provider.mjs'], cwd=cache, text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.issuer = self.process.stdout.readline().strip()

    def begin(self, root):
        self.process.stdin.write(root + '\n')
        self.process.stdin.flush()
        return self.process.stdout.readline().strip() == 'ready'

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(timeout=10)
        self.process.stdout.close()


def begin(world, browser, which, **more):
    """To the provider's page, by the button."""
    verifier, fields = auth.request(world, 'app', SCOPE, **more)
    browser.send('GET', world.root + '/auth/authorize?' + urllib.parse.urlencode(fields))
    href = re.search(rf'href="([^"]*provider={which}&amp;[^"]*)"', browser.page).group(1)
    return verifier, browser.follow(html.unescape(href), lambda url: False)


def approve(world, browser, verifier):
    reply = browser.send('POST', world.root + '/auth/step',
                         dict(browser.fields(), do='approve'))
    body = auth.redeem(world, reply, verifier, 'app').json()
    return jose.claims_of(body['id_token'])


def check(world, which):
    browser = Browser()
    verifier, at = begin(world, browser, which)
    world.check('/as/' in at and browser.page == 'who?', f'{which}: the provider asks: {at}')
    browser.follow(at + '?person=anna&acr=high', lambda url: False)
    world.check('value="approve"' in browser.page, f'{which}: {browser.page[-600:]}')
    said = approve(world, browser, verifier)
    world.check(said['fhirUser'] == world.fhir + '/Patient/ann' and said['acr'] == '2',
                f'{which}: {said}')
    # There she is still signed in; here the session ends, and the page says where to end it there.
    browser.send('POST', world.root + '/auth/leave', {})
    leave = json.loads(browser.page)['next']
    browser.send('GET', leave)
    world.check('client_id=' + which in leave and 'post_logout_redirect_uri' in leave and
                'xsrf' in browser.page, f'{which}: leaving there as well: {leave}')
    verifier, at = begin(world, browser, which)
    world.check('value="approve"' in browser.page, f'{which}: signed in there still: {at}')
    for query, says in (('person=nobody&acr=high', 'No account here'),
                        ('person=anna&acr=low', 'not secure enough'),
                        ('cancel=1', 'did not sign in at the other')):
        browser = Browser()
        _, at = begin(world, browser, which)
        browser.follow(at + '?' + query, lambda url: False)
        world.check(says in browser.page, f'{which}: {query}: {browser.page[-600:]}')
        world.check('name="password"' in browser.page, f'{which}: {query}: another way is there')
    # Who has to prove themselves anew has to do so there.
    browser = Browser()
    verifier, at = begin(world, browser, which)
    browser.follow(at + '?person=anna&acr=high', lambda url: False)
    approve(world, browser, verifier)
    verifier, at = begin(world, browser, which, prompt='login', max_age='60')
    world.check('/as/' in at, f'{which}: asked again: {at}')
    browser.follow(at + '?person=anna&acr=high', lambda url: False)
    world.check('value="approve"' in browser.page, f'{which}: and let in: {browser.page[-600:]}')


def write_config(folder, issuer):
    path, secret = (os.path.join(folder.path, n) for n in ('eid.json', 'eid.secret'))
    with open(secret, 'w') as f:
        f.write('s3cret')
    more = {'scope': 'openid national', 'issuer': issuer, 'private': True, 'logout': True,
            'acrValues': 'high', 'acr': {'high': 'two-factors'},
            'identifier': {'claim': 'national_id', 'system': SYSTEM}}
    with open(path, 'w') as f:
        json.dump({'providers': [
            {'id': 'shared', 'name': 'Shared', 'clientId': 'shared', 'secretFile': secret, **more},
            {'id': 'keyed', 'name': 'Keyed', 'clientId': 'keyed', 'algorithms': ['PS256'], **more},
        ]}, f)
    return path


def main():
    cache = os.path.join(os.path.abspath(sys.argv[2]), 'e2e-client')
    run.need_node()
    run.prepare(cache, ('provider.mjs',))
    score = nodes.Score()
    with nodes.Folder(sys.argv[1]) as folder, Provider(cache) as provider, \
            nodes.Node(folder, '--eid', write_config(folder, provider.issuer),
                       is_open=False) as node:
        world = auth.World(score, folder, node)
        world.check(provider.begin(world.root), 'the provider is there')
        auth.add_people(world)
        auth.add_clients(world, [jose.Key(folder.path, 'ES384')])
        folder.run('user', 'identify', 'ann', '--identifier', SYSTEM + '|1234')
        for which in 'shared', 'keyed':
            check(world, which)
    return score.end()


if __name__ == '__main__':
    sys.exit(main())
