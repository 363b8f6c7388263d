#!/usr/bin/env python3
"""The portal in Debian's Chromium, on a demo country: portal.py CARNET CACHE-FOLDER

Skips, saying so, where there is no Chromium, no Node.js, or no portal in the program. Pictures of
all pages are left in CACHE-FOLDER/portal-shots.
"""
import base64
import datetime
import json
import os
import re
import shutil
import subprocess
import sys

import run

sys.path.append(os.path.join(run.HERE, '..', '..', 'tools'))
import demo_forms  # noqa: E402
import demo_outbreak  # noqa: E402
import demo_people  # noqa: E402
import node as nodes  # noqa: E402

PEOPLE = 1000
DAYS = 728  # 104 weeks
TESTS = ('portal.test.mjs',)
TEST_SECONDS = 480  # beside other tests on two cores


def need_chromium():
    path = shutil.which('chromium')
    if not path:
        run.skip('there is no chromium')
    return path


LETTER = 'The heart is sound.'


def stranger_of(path, nurse):
    """The number of somebody of another facility than the nurse's."""
    people, own = [], None
    with open(path, encoding='utf-8') as f:
        for r in map(json.loads, f):
            if r['resourceType'] == 'Patient':
                people.append(r)
            elif (r['resourceType'] == 'PractitionerRole' and
                  r['practitioner']['reference'] == nurse):
                own = r['organization']
    return next(one['value'] for p in people if p['managingOrganization'] != own and
                'deceasedDateTime' not in p
                for one in p['identifier'] if one['use'] == 'official')


def more_of(path, related, mother):
    """What the country lacks: of the guardian's child a letter, a report that is kept elsewhere
    and an appointment; and a Person, mother of that child and of another, and a patient herself."""
    with open(path, encoding='utf-8') as f:
        known = [r for r in map(json.loads, f) if r['resourceType'] == 'RelatedPerson']
    own = next(r for r in known if r['id'] == related.split('/')[1])
    other = next(r for r in known if r['patient'] != own['patient'])
    child = own['patient']
    soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=5)
    letter = {'contentType': 'text/plain', 'title': 'Heart clinic',
              'data': base64.b64encode(LETTER.encode()).decode()}
    return [
        {'resourceType': 'DocumentReference', 'id': 'letter', 'status': 'current',
         'subject': child, 'date': '2026-01-05T10:00:00Z', 'content': [{'attachment': letter}]},
        {'resourceType': 'DiagnosticReport', 'id': 'film', 'status': 'final', 'subject': child,
         'code': {'text': 'Chest film'}, 'issued': '2026-01-04T10:00:00Z',
         'presentedForm': [{'contentType': 'image/png', 'url': 'https://films.example/1'}]},
        {'resourceType': 'Appointment', 'id': 'soon', 'status': 'booked',
         'description': 'Ear check', 'start': soon.isoformat(timespec='seconds'),
         'end': (soon + datetime.timedelta(minutes=20)).isoformat(timespec='seconds'),
         'participant': [{'actor': child, 'status': 'accepted'}]},
        {'resourceType': 'Person', 'id': 'parent', 'link': [
            *({'target': {'reference': 'RelatedPerson/' + r['id']}} for r in (own, other)),
            {'target': {'reference': mother}, 'assurance': 'level3'}]}]


def outbreak_of(path):
    today = datetime.datetime.now(datetime.timezone.utc).date()
    with open(path, encoding='utf-8') as f:
        return list(demo_outbreak.outbreak(demo_outbreak.Country(f, today), today))


def make_country(folder):
    """Two years that end today, and the demo's people; by login, their names; and a number."""
    path = os.path.join(folder.path, 'country.ndjson')
    start = datetime.date.today() - datetime.timedelta(days=DAYS)
    subprocess.run([folder.carnet, 'synth', '--people', str(PEOPLE), '--seed', '1', '--start',
                    start.isoformat(), '--out', path], check=True)
    folder.run('import', path)
    people = demo_people.choose(path)
    os.rename(path, path + '.all')
    of = {login: resource for login, _, resource, _ in people}
    with open(path, 'w', encoding='utf-8') as f:
        for resource in (more_of(path + '.all', of['guardian'], of['mother']) +
                         outbreak_of(path + '.all') + list(demo_forms.forms())):
            f.write(json.dumps(resource) + '\n')
    folder.run('import', path)
    people += (('parent', 'guardian', 'Person/parent', 'Parent of two'),)
    for login, role, resource, name in people:
        person = [] if resource == '-' else ['--fhir-user', resource]
        folder.run('user', 'add', login, '--role', role, '--name', name, *person)
    return {login: name for login, _, _, name in people}, stranger_of(path + '.all', of['nurse'])


def check_own_form():
    """The portal's own form is what demo_forms.py writes."""
    path = os.path.join(run.HERE, '..', '..', 'portal', 'src', 'data', 'visit.json')
    with open(path, encoding='utf-8') as f:
        if json.load(f) != demo_forms.visit():
            raise SystemExit('portal/src/data/visit.json is not what tools/demo_forms.py writes')


def main():
    check_own_form()
    cache = os.path.join(os.path.abspath(sys.argv[2]), 'e2e-client')
    chromium = need_chromium()
    run.need_node()
    run.prepare(cache, TESTS + ('browser.mjs',))
    with nodes.Folder(sys.argv[1]) as folder:
        names, stranger = make_country(folder)
        with nodes.Node(folder, '--demo', is_open=False) as node:
            if b'without the portal' in node.client().get('/').body:
                run.skip('this program was built without the portal')
            passed, failed = run.run_tests(node, cache, TESTS, {
                'CARNET_ROOT': f'http://127.0.0.1:{node.port}',
                'CARNET_DEMO_KEY': re.search(r'#/demo/(\S+)', node.said).group(1),
                'CARNET_CHROMIUM': chromium,
                'CARNET_LETTER': LETTER, 'CARNET_STRANGER': stranger,
                'CARNET_MOTHER': names['mother'], 'CARNET_NURSE': names['nurse'],
                'CARNET_SHOTS': os.path.join(os.path.abspath(sys.argv[2]), 'portal-shots'),
                'CARNET_SHORT': '1' if node.is_sanitized() else '0'}, TEST_SECONDS)
    print(f'{passed} passed, {failed} failed')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
