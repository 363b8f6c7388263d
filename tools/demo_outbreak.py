#!/usr/bin/env python3
"""What an epidemiologist of the demo has before them today: demo_outbreak.py COUNTRY.ndjson

Writes, as FHIR resources, one a line, what the synthetic country's records lack of the last days:
measles among children of one district, and somebody with what looks like yellow fever in another.
Ids are made of the people's, so that the same country gives the same outbreak.
"""
import collections
import datetime
import json
import sys
import uuid

ICD11 = 'http://id.who.int/icd/release/11/mms'
MEASLES, YELLOW_FEVER = ('1F03', 'Measles'), ('1D47', 'Yellow fever')
CHILDREN = 9
CHILD_YEARS = 10


class Country:
    def __init__(self, lines, today):
        self.patients = {}
        self.district = {}  # of a Location
        self.visited = collections.OrderedDict()  # patient: Location
        self.born_since = f'{today.year - CHILD_YEARS:04d}'
        for line in lines:
            r = json.loads(line)
            if r['resourceType'] == 'Patient' and 'deceasedDateTime' not in r:
                self.patients[r['id']] = r
            elif r['resourceType'] == 'Location' and 'partOf' in r:
                self.district[r['id']] = r['partOf']['reference']
            elif r['resourceType'] == 'Encounter' and r.get('location'):
                at = r['location'][0]['location']['reference'][9:]
                self.visited[r['subject']['reference'][8:]] = at

    def by_district(self):
        """(district, [(patient, Location)]) of living people, the largest district first."""
        found = collections.defaultdict(list)
        for patient, at in self.visited.items():
            if patient in self.patients and at in self.district:
                found[self.district[at]].append((patient, at))
        return sorted(found.values(), key=len, reverse=True)

    def is_child(self, patient):
        return self.patients[patient]['birthDate'] >= self.born_since


def case(patient, at, day, disease):
    code, display = disease
    ids = [str(uuid.uuid5(uuid.UUID(patient), f'{code} {kind}')) for kind in ('visit', 'case')]
    seen = f'{day}T09:00:00Z'
    yield {'resourceType': 'Encounter', 'id': ids[0], 'status': 'finished',
           'class': {'system': 'http://terminology.hl7.org/CodeSystem/v3-ActCode', 'code': 'AMB'},
           'subject': {'reference': f'Patient/{patient}'},
           'period': {'start': seen, 'end': f'{day}T09:20:00Z'},
           'location': [{'location': {'reference': f'Location/{at}'}}]}
    yield {'resourceType': 'Condition', 'id': ids[1],
           'clinicalStatus': {'coding': [{
               'system': 'http://terminology.hl7.org/CodeSystem/condition-clinical',
               'code': 'active'}]},
           'code': {'coding': [{'system': ICD11, 'code': code, 'display': display}]},
           'subject': {'reference': f'Patient/{patient}'},
           'encounter': {'reference': f'Encounter/{ids[0]}'},
           'onsetDateTime': str(day - datetime.timedelta(days=2)), 'recordedDate': seen}


def outbreak(country, today):
    first, second = country.by_district()[:2]
    children = [one for one in first if country.is_child(one[0])][:CHILDREN]
    for n, (patient, at) in enumerate(children):
        yield from case(patient, at, today - datetime.timedelta(days=n % 5), MEASLES)
    patient, at = next(one for one in second if not country.is_child(one[0]))
    yield from case(patient, at, today, YELLOW_FEVER)


def main():
    today = datetime.datetime.now(datetime.timezone.utc).date()
    with open(sys.argv[1], encoding='utf-8') as f:
        country = Country(f, today)
    for resource in outbreak(country, today):
        print(json.dumps(resource))


if __name__ == '__main__':
    main()
