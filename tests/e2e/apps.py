#!/usr/bin/env python3
"""People and their apps in Debian's Chromium: passkeys: apps.py CARNET CACHE-FOLDER

Skips as portal.py does. The node goes by a name, localhost: browsers make no passkeys for numbers.
"""
import contextlib
import os
import socket
import sys

import run
import portal

sys.path.append(os.path.join(run.HERE, '..', 'http'))
import auth  # noqa: E402
import jose  # noqa: E402
import node as nodes  # noqa: E402

TESTS = ('apps.test.mjs',)


def free_port():
    with contextlib.closing(socket.socket()) as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def main():
    cache = os.path.join(os.path.abspath(sys.argv[2]), 'e2e-client')
    chromium = portal.need_chromium()
    run.need_node()
    run.prepare(cache, (*TESTS, 'browser.mjs'))
    score, port = nodes.Score(), free_port()
    root = f'http://localhost:{port}'
    with nodes.Folder(sys.argv[1]) as folder, \
            nodes.Node(folder, '--base-url', root + '/fhir', is_open=False, port=port) as node:
        world = auth.World(score, folder, node, root)
        keys = [jose.Key(folder.path, 'ES384')]
        auth.add_people(world)
        auth.add_clients(world, keys)
        app = f'http://127.0.0.1:{free_port()}/'
        folder.run('client', 'add', 'browser', '--name', 'App', '--redirect', app + 'back',
                   '--scope', 'openid fhirUser launch launch/patient offline_access '
                   'patient/*.rs user/*.rs')
        token = auth.backend(world, auth.assertion(world, keys[0], 'loader')).json()
        auth.make_records(world, token['access_token'])
        passed, failed = run.run_tests(node, cache, TESTS, {
            'CARNET_ROOT': root, 'CARNET_APP': app, 'CARNET_PASSWORD': auth.PASSWORD,
            'CARNET_CHROMIUM': chromium, 'CARNET_SHORT': '1' if node.is_sanitized() else '0'})
    print(f'{passed} passed, {failed + len(score.failures)} failed')
    return 1 if failed or score.failures else 0


if __name__ == '__main__':
    sys.exit(main())
