#!/usr/bin/env python3
"""$coverage and $use on a synthetic country, and what changes make of them. recount.py CARNET

The recount is written from docs/formats/coverage.md, and shares nothing with the product but the
indicators.
"""
import collections
import datetime
import json
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'lib'))
import node as nodes  # noqa: E402

PEOPLE = 500
WEEKS = 115
AGES = (1, 5, 15, 25, 50)
DELAYS = (1, 7, 30)
WAIT_SECONDS = 60
SUBJECT = {'EpisodeOfCare': 'patient', 'Immunization': 'patient'}
CONCEPT = {'Encounter': 'type', 'EpisodeOfCare': 'type', 'Immunization': 'vaccineCode',
           'MedicationRequest': 'medicationCodeableConcept', 'Observation': 'code'}
WHEN = {'Encounter': lambda r: (r['period']['start'], r['period'].get('end')),
        'EpisodeOfCare': lambda r: (r['period']['start'], r['period'].get('end', 'open')),
        'Immunization': lambda r: (r['occurrenceDateTime'], None),
        'MedicationRequest': lambda r: (r['authoredOn'], None),
        'Observation': lambda r: (r['effectiveDateTime'], None)}
RECORDED = {'Immunization': 'recorded', 'Observation': 'issued', 'Condition': 'recordedDate'}


def day(text):
    return datetime.date.fromisoformat(text[:10])


def months(born, on):
    return (on.year - born.year) * 12 + on.month - born.month - (on.day < born.day)


def number(n):
    """As it may leave."""
    return None if 0 < n < 5 else (n + 2) // 5 * 5


def share(of, have):
    if of < 10 or 0 < have < 5:
        return None
    step = 1 if of >= 100 else 5 if of >= 20 else 10
    return int(have * 100 / of / step + .5) * step


Service = collections.namedtuple('Service', 'start end dose low late')


class Recount:
    def __init__(self, path):
        with open(os.path.join(HERE, '../../defs/coverage/indicators.json'), encoding='utf-8') as f:
            self.set = json.load(f)
        with open(path, encoding='utf-8') as f:
            self.all = [json.loads(line) for line in f]
        of_type = collections.defaultdict(list)
        for r in self.all:
            of_type[r['resourceType']].append(r)
        self.places = {r['id']: r for r in of_type['Location']}
        self.by_org = {r['managingOrganization']['reference'][13:]: r['id']
                       for r in of_type['Location'] if 'managingOrganization' in r}
        self.people = {r['id']: r for r in of_type['Patient']}
        self.services = collections.defaultdict(list)
        for r in self.all:
            self.read(r)
        self.visits = [(day(r['period']['start']), r['location'][0]['location']['reference'][9:])
                       for r in of_type['Encounter']]
        self.today = max([d for d, _ in self.visits] +
                         [s.start for own in self.services.values() for s in own])

    def read(self, r):
        kind = r['resourceType']
        if kind not in CONCEPT:
            return
        concepts = r[CONCEPT[kind]]
        codes = {c['system'] + '|' + c['code']
                 for one in (concepts if isinstance(concepts, list) else [concepts])
                 for c in one['coding']}
        start, end = WHEN[kind](r)
        recorded = r.get(RECORDED.get(kind))
        for name, service in self.set['services'].items():
            if service['of'] != kind or not codes & set(service['codes']):
                continue
            dose = max([p['doseNumberPositiveInt'] for p in r.get('protocolApplied', [])] or [0])
            low = 'lowBelow' in service and r['valueQuantity']['value'] < service['lowBelow']
            late = (day(recorded) - day(start)).days if recorded else None
            end_day = datetime.date.max if end == 'open' else day(end or start)
            self.services[r[SUBJECT.get(kind, 'subject')]['reference'][8:], name].append(
                Service(day(start), end_day, dose, low, late))

    def within(self, place, outer):
        while place and place != outer:
            place = self.places[place].get('partOf', {}).get('reference', '/')[9:]
        return place == outer

    def home(self, patient):
        return self.by_org[patient['managingOrganization']['reference'][13:]]

    def had(self, patient, have, on, base):
        start, end = datetime.date.min, on
        if have.get('during'):
            start, end = base.start, min(base.end, on)
        if 'within' in have:
            start = base.start
            end = min(on, start + datetime.timedelta(have['within'] - 1))
        if 'last' in have:
            start = on - datetime.timedelta(have['last'] - 1)
        got = sorted(s for s in self.services[patient, have['service']] if start <= s.start <= end)
        if not got or (have.get('low') and not got[-1].low):
            return False
        times = max(s.dose for s in got) or len({s.start for s in got})
        return times >= have['times']

    def bases(self, patient, people, age, on):
        if 'months' in people:
            return [None] if people['months'][0] <= age < people['months'][1] else []
        found = []
        for s in sorted(self.services[patient, people['service']]):
            ago = (on - (s.end if 'ended' in people else s.start)).days
            span = people.get('begun') or people.get('ended') or [0, people.get('last', 0)]
            if s.start <= on < s.end if 'now' in people else span[0] <= ago < span[1]:
                found.append(s)
        return found[:1] if 'now' in people or 'last' in people else found

    def cells(self, indicator, on):
        """(place, sex, age in years) of each who is counted, and whether they had it."""
        people = indicator['people']
        for id, patient in self.people.items():
            born = day(patient['birthDate'])
            died = patient.get('deceasedDateTime')
            if born > on or (died and day(died) <= on) or \
                    people.get('sex', patient['gender']) != patient['gender']:
                continue
            age = months(born, on)
            for base in self.bases(id, people, age, on):
                yield (self.home(patient), patient['gender'], age // 12,
                       self.had(id, indicator['have'], on, base))

    def month_ends(self):
        ends = [self.today]
        while len(ends) < 13:
            ends.append(ends[-1].replace(day=1) - datetime.timedelta(1))
        return ends[::-1]


def said(cells):
    cells = list(cells)
    of, have = len(cells), sum(c[3] for c in cells)
    return number(of), number(have), share(of, have)


def got(cell):
    return cell['of'], cell['with'], cell['percent']


def group_of(age):
    edges = [0, *AGES]
    i = sum(age >= e for e in AGES)
    if i == len(AGES):
        return '%d+' % AGES[-1]
    return str(edges[i]) if edges[i + 1] == edges[i] + 1 else f'{edges[i]}-{edges[i + 1] - 1}'


def check_indicators(checks, client, r):
    answer = client.get('/carnet/$coverage').json()
    checks.check(answer['until'] == str(r.today) and
                 [i['id'] for i in answer['indicators']] == [i['id'] for i in r.set['indicators']],
                 'what it is of')
    homes = [r.home(p) for p in r.people.values() if day(p['birthDate']) <= r.today and
             not ('deceasedDateTime' in p and day(p['deceasedDateTime']) <= r.today)]
    checks.check(answer['people'] == number(len(homes)), f'{answer["people"]} of {len(homes)}')
    for part in answer['parts']:
        want = number(sum(r.within(h, part['id']) for h in homes))
        checks.check(part['people'] == want, f'people of {part}: {want}')
    any_said = 0
    for indicator, said_of in zip(r.set['indicators'], answer['indicators']):
        name = indicator['id']
        trend = [said(r.cells(indicator, on)) for on in r.month_ends()]
        checks.check([got(m) for m in said_of['trend']] == trend,
                     f'{name} by month: {[got(m) for m in said_of["trend"]]}, not {trend}')
        checks.check(got(said_of) == trend[-1], name)
        any_said += trend[-1][2] is not None
        one = client.get('/carnet/$coverage?indicator=' + name).json()['indicators'][0]
        now = list(r.cells(indicator, r.today))
        for key, by, of in (('bySex', 'sex', lambda c: c[1]),
                            ('byAge', 'age', lambda c: group_of(c[2]))):
            want = {k: said(c for c in now if of(c) == k) for k in {of(c) for c in now}}
            checks.check({x[by]: got(x) for x in one[key]} == want, f'{name} {key}: {one[key]}')
        for part in one['parts']:
            want = said(c for c in now if r.within(c[0], part['id']))
            checks.check(got(part) == want, f'{name} of {part}: {want}')
    checks.check(any_said > 5, 'there is something to say')


def check_places(checks, client, r):
    """Down to a facility, with the path up again."""
    indicator = r.set['indicators'][1]
    now = list(r.cells(indicator, r.today))
    place, depth = None, 0
    while True:
        query = f'&location={place}' if place else ''
        one = client.get(f'/carnet/$coverage?indicator=dtp1{query}').json()
        if place:
            checks.check(one['path'][-1]['id'] == place, f'the path: {one["path"]}')
            want = said(c for c in now if r.within(c[0], place))
            checks.check(got(one['indicators'][0]) == want, f'of {place}: {want}')
        parts = [p['id'] for p in one['indicators'][0]['parts'] if p['id']]
        if not parts:
            break
        place, depth = parts[0], depth + 1
    checks.check(depth == 3 and len(one['path']) == 4, f'province, district, facility: {depth}')


def check_use(checks, client, r):
    use = client.get('/carnet/$use').json()
    monday = r.today - datetime.timedelta(r.today.weekday() + 25 * 7)
    weeks = [monday + datetime.timedelta(7 * i) for i in range(26)]
    iso = [w.isocalendar() for w in weeks]
    checks.check(use['weeks'] == ['%04d-W%02d' % (i[0], i[1]) for i in iso], use['weeks'])
    facilities = set(r.by_org.values())
    checks.check(use['facilities'] == len(facilities), f'{use["facilities"]} facilities')
    in_week = [[p for d, p in r.visits if w <= d < w + datetime.timedelta(7)] for w in weeks]
    checks.check(use['visits'] == [number(len(v)) for v in in_week], use['visits'])
    checks.check(use['reporting'] == [len(set(v)) for v in in_week], use['reporting'])
    delays = [0] * 5
    since = r.today - datetime.timedelta(365)
    for (id, name), own in r.services.items():
        patient = r.people[id]
        died = patient.get('deceasedDateTime')
        for s in own:
            if RECORDED.get(r.set['services'][name]['of']) and since < s.start <= r.today:
                at = 4 if s.late is None else sum(s.late > d for d in DELAYS)
                delays[at] += 1
    checks.check(use['delays'] == [number(n) for n in delays], f'{use["delays"]} of {delays}')
    for part in use['parts']:
        want = [number(sum(r.within(p, part['id']) for p in v)) for v in in_week]
        checks.check(part['visits'] == want, f'{part}: {want}')


def wait(what, ask):
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end:
        if ask():
            return
        time.sleep(.1)
    raise RuntimeError(f'{what} does not come')


def dtp1(client):
    answer = client.get('/carnet/$coverage?indicator=dtp1').json()
    return got(answer['indicators'][0]), answer['position']


def check_changes(checks, client, r):
    """Children come, are vaccinated, and go; and so do their doses."""
    org = next(iter(r.by_org))
    born = r.today - datetime.timedelta(500)
    cells = list(r.cells(r.set['indicators'][1], r.today))
    of, have = len(cells), sum(c[3] for c in cells)
    entries = []
    for i in range(20):
        entries.append({'resourceType': 'Patient', 'id': f'new{i}', 'birthDate': str(born),
                        'managingOrganization': {'reference': 'Organization/' + org}})
        entries.append({'resourceType': 'Immunization', 'id': f'dose{i}', 'status': 'completed',
                        'vaccineCode': {'coding': [{'system': 'http://hl7.org/fhir/sid/cvx',
                                                    'code': '198'}]},
                        'patient': {'reference': f'Patient/new{i}'},
                        'occurrenceDateTime': str(born + datetime.timedelta(50))})

    def write(list, method='PUT'):
        bundle = {'resourceType': 'Bundle', 'type': 'batch', 'entry': [
            {'request': {'method': method, 'url': f'{r["resourceType"]}/{r["id"]}'},
             **({'resource': r} if method == 'PUT' else {})} for r in list]}
        reply = client.send('POST', '/fhir', bundle)
        states = {e['response']['status'][:3] for e in reply.json()['entry']}
        checks.check(states <= {'200', '201', '204'}, f'written: {states}')

    def now(of, have):
        return lambda: dtp1(client)[0] == (number(of), number(have), share(of, have))

    write(entries)
    wait('children with doses', now(of + 20, have + 20))
    for r in entries[1::2]:
        r['status'] = 'not-done'
    write(entries[1::2])
    wait('doses that were not given', now(of + 20, have))
    for r in entries[1::2]:
        r['status'] = 'completed'
    write(entries[1::2])
    wait('and were', now(of + 20, have + 20))
    write(entries[1::2], 'DELETE')
    wait('doses that are gone', now(of + 20, have))
    for r in entries[0:20:2]:
        r['link'] = [{'type': 'replaced-by', 'other': {'reference': 'Patient/new19'}}]
    write(entries[0:20:2])
    wait('records that are one', now(of + 10, have))
    write(entries[0::2], 'DELETE')
    wait('children that are gone', now(of, have))


def check_refused(checks, client):
    for path, status in (('$coverage?location=nowhere', 400), ('$coverage?indicator=luck', 400),
                         ('$coverage?month=2024-01', 400), ('$use?indicator=dtp1', 400)):
        reply = client.get('/carnet/' + path)
        checks.check(reply.status == status and reply.outcome(), f'{path}: {reply}')


def main():
    checks = nodes.Score()
    with nodes.Folder(sys.argv[1]) as folder:
        path = os.path.join(folder.path, 'country.ndjson')
        start = datetime.date.today() - datetime.timedelta(WEEKS * 7)
        nodes.subprocess.run([folder.carnet, 'synth', '--people', str(PEOPLE), '--weeks',
                              str(WEEKS), '--start', str(start), '--out', path], check=True)
        folder.run('import', path)
        recount = Recount(path)
        with nodes.Node(folder) as node:
            client = node.client()
            wait('a first count', lambda: client.get('/carnet/$coverage').status == 200)
            check_indicators(checks, client, recount)
            check_places(checks, client, recount)
            check_use(checks, client, recount)
            check_changes(checks, client, recount)
            check_refused(checks, client)
    return checks.end()


if __name__ == '__main__':
    sys.exit(main())
