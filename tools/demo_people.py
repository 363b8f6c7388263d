#!/usr/bin/env python3
"""Who the demo's people are: demo_people.py COUNTRY.ndjson

Chooses from a synthetic country a mother, herself and for her child, and a nurse where both are
known, and writes the accounts of a demo, a line each: login, role, fhirUser (- for none), name.
"""
import collections
import json
import sys

# What makes a record worth looking at.
CHILD_DOSES_MIN = 6
CHILD_DOSES_MAX = 14
OTHERS = (('epidemiologist', 'epidemiologist', '-', 'Epidemiologist'),
          ('steward', 'steward', '-', 'Data steward'),
          ('privacy', 'privacy', '-', 'Privacy officer'),
          ('ministry', 'ministry', '-', 'Ministry of Health'),
          ('researcher', 'researcher', '-', 'Researcher'),
          ('operator', 'operator', '-', 'Operator'))


class Country:
    def __init__(self, lines):
        self.patients, self.mother_of = {}, {}
        self.entries = collections.defaultdict(collections.Counter)
        self.nurses, self.names = {}, {}
        for line in lines:
            self.read(json.loads(line))

    def read(self, r):
        kind = r['resourceType']
        if kind == 'Patient':
            self.patients[r['id']] = r
        elif kind == 'RelatedPerson':
            if r['relationship'][0]['coding'][0]['code'] == 'MTH':
                self.mother_of['RelatedPerson/' + r['id']] = r['patient']['reference'][8:]
        elif kind == 'Practitioner':
            self.names[r['id']] = r['name'][0]['text']
        elif kind == 'PractitionerRole':
            if r['code'][0]['coding'][0]['code'] == 'nurse':
                self.nurses.setdefault(r['organization']['reference'],
                                       r['practitioner']['reference'][13:])
        else:
            of = r.get('subject') or r.get('patient')
            if of:
                self.entries[of['reference'][8:]][kind] += 1

    def pairs(self):
        """(how much there is to see, the child's birthday, mother, as whom she acts, nurse)"""
        for mother in self.patients.values():
            for link in mother.get('link', ()):
                related = link['other']['reference']
                child = self.patients.get(self.mother_of.get(related))
                if not child or 'deceasedDateTime' in child or 'deceasedDateTime' in mother:
                    continue
                doses = self.entries[child['id']]['Immunization']
                nurse = self.nurses.get(child['managingOrganization']['reference'])
                if nurse and CHILD_DOSES_MIN <= doses <= CHILD_DOSES_MAX:
                    seen = self.entries[mother['id']]
                    yield (len(seen) * 10 + min(sum(seen.values()), 40),
                           child['birthDate'], mother, related, nurse)


def name(patient):
    names = patient['name']
    return names[-1].get('text') or names[0]['text']


def choose(path):
    """(login, role, fhirUser or -, name) of each."""
    with open(path, encoding='utf-8') as f:
        country = Country(f)
    found = sorted(country.pairs(), key=lambda p: p[:2])
    if not found:
        raise SystemExit('the country has no mother whose child is being vaccinated')
    _, _, mother, related, nurse = found[-1]
    return (('mother', 'patient', 'Patient/' + mother['id'], name(mother)),
            ('guardian', 'guardian', related, name(mother)),
            ('nurse', 'worker', 'Practitioner/' + nurse, country.names[nurse])) + OTHERS


def main():
    for person in choose(sys.argv[1]):
        print('\t'.join(person))


if __name__ == '__main__':
    main()
