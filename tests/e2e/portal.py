#!/usr/bin/env python3
"""The portal in Debian's Chromium, on a demo country: portal.py CARNET CACHE-FOLDER

Skips, saying so, where there is no Chromium, no Node.js, or no portal in the program. Pictures of
all pages are left in CACHE-FOLDER/portal-shots.
"""
import datetime
import os
import re
import shutil
import subprocess
import sys

import run

sys.path.append(os.path.join(run.HERE, '..', '..', 'tools'))
import demo_people  # noqa: E402
import node as nodes  # noqa: E402

PEOPLE = 1000
DAYS = 728  # 104 weeks
TESTS = ('portal.test.mjs',)
TEST_SECONDS = 280


def need_chromium():
    path = shutil.which('chromium')
    if not path:
        run.skip('there is no chromium')
    return path


def make_country(folder):
    """Two years that end today, and the demo's people; by login, their names."""
    path = os.path.join(folder.path, 'country.ndjson')
    start = datetime.date.today() - datetime.timedelta(days=DAYS)
    subprocess.run([folder.carnet, 'synth', '--people', str(PEOPLE), '--seed', '1', '--start',
                    start.isoformat(), '--out', path], check=True)
    folder.run('import', path)
    people = demo_people.choose(path)
    for login, role, resource, name in people:
        person = [] if resource == '-' else ['--fhir-user', resource]
        folder.run('user', 'add', login, '--role', role, '--name', name, *person)
    return {login: name for login, _, _, name in people}


def main():
    cache = os.path.join(os.path.abspath(sys.argv[2]), 'e2e-client')
    chromium = need_chromium()
    run.need_node()
    run.prepare(cache, TESTS + ('browser.mjs',))
    with nodes.Folder(sys.argv[1]) as folder:
        names = make_country(folder)
        with nodes.Node(folder, '--demo', is_open=False) as node:
            if b'without the portal' in node.client().get('/').body:
                run.skip('this program was built without the portal')
            passed, failed = run.run_tests(node, cache, TESTS, {
                'CARNET_ROOT': f'http://127.0.0.1:{node.port}',
                'CARNET_DEMO_KEY': re.search(r'#/demo/(\S+)', node.said).group(1),
                'CARNET_CHROMIUM': chromium,
                'CARNET_MOTHER': names['mother'], 'CARNET_NURSE': names['nurse'],
                'CARNET_SHOTS': os.path.join(os.path.abspath(sys.argv[2]), 'portal-shots'),
                'CARNET_SHORT': '1' if node.is_sanitized() else '0'}, TEST_SECONDS)
    print(f'{passed} passed, {failed} failed')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
