#!/usr/bin/env python3
"""Client libraries of others sign in at a node: signin.py CARNET CACHE-FOLDER.

Skips as run.py does.
"""
import json
import os
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'http'))
import auth  # noqa: E402
import jose  # noqa: E402
import node as nodes  # noqa: E402
import run  # noqa: E402


def private(key):
    """The key as a private JWK."""
    text = jose.openssl('pkey', '-in', key.path, '-noout', '-text').decode()
    lines = text.split('priv:')[1].split('pub:')[0]
    number = bytes.fromhex(''.join(lines.split()).replace(':', ''))
    return dict(key.public(), kid=key.kid, d=jose.b64u(number.lstrip(b'\0').rjust(48, b'\0')))


def main():
    cache = os.path.join(os.path.abspath(sys.argv[2]), 'e2e-client')
    run.need_node()
    run.prepare(cache, ('signin.test.mjs',))
    score = nodes.Score()
    with nodes.Folder(sys.argv[1]) as folder, nodes.Node(folder, is_open=False) as node:
        world = auth.World(score, folder, node)
        keys = [jose.Key(folder.path, 'ES384')]
        auth.add_people(world)
        auth.add_clients(world, keys)
        token = auth.backend(world, auth.assertion(world, keys[0], 'loader')).json()
        auth.make_records(world, token['access_token'])
        passed, failed = run.run_tests(node, cache, ('signin.test.mjs',), {
            'CARNET_ROOT': world.root, 'CARNET_PASSWORD': auth.PASSWORD,
            'CARNET_SECRET': world.secret, 'CARNET_KEY': json.dumps(private(keys[0]))})
    print(f'{passed} passed, {failed + len(score.failures)} failed')
    return 1 if failed or score.failures else 0


if __name__ == '__main__':
    sys.exit(main())
