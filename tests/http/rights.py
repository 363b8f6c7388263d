#!/usr/bin/env python3
"""Policies that change while a node runs, labels, and a person's rights. rights.py CARNET"""
import base64
import contextlib
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'lib'))
sys.path.insert(0, HERE)
import auth  # noqa: E402
import jose  # noqa: E402
import node as nodes  # noqa: E402
import sinks  # noqa: E402
import stores  # noqa: E402
import trust  # noqa: E402


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
    return score.end()


if __name__ == '__main__':
    sys.exit(main())
