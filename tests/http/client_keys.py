#!/usr/bin/env python3
"""Clients that publish their keys (jwks_uri): fetched, kept, replaced, and what a server that holds
them can do to the node: client_keys.py CARNET"""
import os
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import auth  # noqa: E402
import jose  # noqa: E402
import node as nodes  # noqa: E402
import provider as providers  # noqa: E402

AGAIN_SECONDS = 5.1  # REMOTE_AGAIN_MS


def add(world, name, uri, *more, **how):
    world.folder.run('client', 'add', name, '--name', name, '--backend', '--jwks-uri', uri,
                     '--scope', 'system/*.rs', *more, **how)


def token(world, key, client):
    return auth.backend(world, auth.assertion(world, key, client), scope='system/*.rs')


def check_kept_and_replaced(world, holder):
    def fetched():
        return holder.asked.count('/jwks')

    first, second = holder.keys[0], jose.Key(world.folder.path, 'ES384')
    reply = token(world, first, 'good')
    world.check(reply.status == 200, f'by a key that is fetched: {reply}')
    for _ in range(3):
        world.check(token(world, first, 'good').status == 200, 'and kept')
    world.check(fetched() == 1, f'fetched once: {fetched()}')
    # Whoever shows keys that nobody knows does not make the node ask each time.
    for _ in range(5):
        world.refused(token(world, second, 'good'), 401, 'invalid_client', 'an unknown key')
    world.check(fetched() == 1, f'and not for unknown keys, at once: {fetched()}')
    holder.keys = [second]
    time.sleep(AGAIN_SECONDS)
    world.check(token(world, second, 'good').status == 200, 'a new key is found')
    world.refused(token(world, first, 'good'), 401, 'invalid_client', 'the old one is gone')
    world.check(fetched() == 2, f'fetched again: {fetched()}')


def check_bad_servers(world, key):
    def make(name, twist, *more):
        one = providers.Provider(world.folder.path, name)
        one.keys, one.twist = [key], twist
        add(world, name, one.issuer + '/jwks', '--jwks-private', *more)
        return one

    for name, twist in (('huge', {'jwks': b'{"keys":[' + b'{},' * 40000 + b'{}]}'}),
                        ('nonsense', {'jwks': b'[]'}), ('down', {'status': {'/jwks': 500}}),
                        ('moved', {'status': {'/jwks': 301}})):
        make(name, twist)
        world.refused(token(world, key, name), 401, 'invalid_client', name)
    # An address of one's own network, which no operator let in: nothing is sent there.
    with socket.create_server(('127.0.0.1', 0)) as inner:
        inner.settimeout(0.3)
        uri = f'127.0.0.1:{inner.getsockname()[1]}/jwks'
        add(world, 'sly', 'https://' + uri)
        world.refused(token(world, key, 'sly'), 401, 'invalid_client', 'a private address')
        try:
            inner.accept()[0].close()
            world.check(False, 'a private address is connected to')
        except socket.timeout:
            world.check(True, 'which nobody connects to')
        add(world, 'x1', 'http://' + uri, status=1)
    add(world, 'x2', 'http://example.org/jwks', '--jwks-private', status=1)
    add(world, 'x3', 'file:///etc/passwd', '--jwks-private', status=1)
    # A slow one holds up whoever needs it, and nobody else.
    make('slow', {'delay': {'/jwks': 2}})
    replies = []
    waiting = [threading.Thread(target=lambda: replies.append(token(world, key, 'slow')))
               for _ in range(8)]
    for one in waiting:
        one.start()
    took = []
    while any(t.is_alive() for t in waiting):
        began = time.monotonic()
        reply = token(world, key, 'huge' if len(took) % 2 else 'good-too')
        took.append(time.monotonic() - began)
    for one in waiting:
        one.join()
    world.check([r.status for r in replies] == [200] * 8, f'{[str(r) for r in replies]}')
    world.check(len(took) > 5 and max(took) < 1, f'others wait {max(took):.2f} s ({len(took)})')
    world.check(reply.status in (200, 401), f'{reply}')


def main():
    score = nodes.Score()
    with nodes.Folder(sys.argv[1]) as folder, nodes.Node(folder, is_open=False) as node:
        world = auth.World(score, folder, node)
        key = jose.Key(folder.path, 'ES384')
        holder, other = (providers.Provider(folder.path, n) for n in ('good', 'good-too'))
        holder.keys = other.keys = [key]
        add(world, 'good', holder.issuer + '/jwks', '--jwks-private')
        add(world, 'good-too', other.issuer + '/jwks', '--jwks-private')
        world.check(token(world, key, 'good-too').status == 200, 'the other is known')
        check_kept_and_replaced(world, holder)
        check_bad_servers(world, key)
    return score.end()


if __name__ == '__main__':
    sys.exit(main())
