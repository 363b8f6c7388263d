#!/usr/bin/env python3
"""The official FHIRPath cases for R4: fhirpath.py PATH_LINES

Every case gives what the suite says, or stands in fhirpath_wrong.tsv with the reason why the case
is wrong. A line there for a case that passes is a failure too.
"""
import json
import os
import re
import subprocess
import sys
import tarfile
import xml.etree.ElementTree as ET
from decimal import Decimal

HERE = os.path.dirname(os.path.abspath(__file__))
SKIPPED = 77


def known_wrong():
    with open(os.path.join(HERE, 'fhirpath_wrong.tsv'), encoding='utf-8') as f:
        rows = [line.rstrip('\n').split('\t') for line in f if line.strip() and line[0] != '#']
    return {row[0]: row[1] for row in rows}


def load():
    """The cases, as (name, dict) pairs, and the resources by file name."""
    path = os.path.join(os.environ.get('CARNET_SHARED', ''), 'suites', 'fhirpath-r4.tar.xz')
    if not os.path.isfile(path):
        print('skipped: no fhirpath-r4.tar.xz in CARNET_SHARED')
        sys.exit(SKIPPED)
    inputs, suite = {}, None
    with tarfile.open(path) as tar:
        for member in tar.getmembers():
            name = os.path.basename(member.name)
            if '/input-json/' in member.name:
                inputs[name] = json.loads(tar.extractfile(member).read(), parse_float=Literal,
                                          parse_int=Literal)
            elif name == 'tests-fhir-r4.xml':
                suite = ET.fromstring(tar.extractfile(member).read())
    return list(cases_of(suite)), inputs


class Literal(float):
    """A number that json writes as it was read."""

    def __new__(cls, text):
        self = super().__new__(cls, text)
        self.text = text
        return self

    def __repr__(self):
        return self.text


def cases_of(suite):
    for group in suite.findall('group'):
        seen = {}
        for test in group.findall('test'):
            expression = test.find('expression')
            name = test.get('name')
            # A few names stand twice in a group.
            seen[name] = seen.get(name, 0) + 1
            if seen[name] > 1:
                name = f'{name}#{seen[name]}'
            yield name, {
                'expression': ''.join(expression.itertext()),
                'invalid': expression.get('invalid'),
                'file': (test.get('inputfile') or '').replace('.xml', '.json'),
                'predicate': test.get('predicate') == 'true',
                'ordered': test.get('ordered') != 'false',
                'outputs': [(o.get('type'), (o.text or '')) for o in test.findall('output')],
            }


def same(kind, want, got):
    """An item of the result against an <output>."""
    if want.startswith('@'):
        want = re.sub('^@T?', '', want)
    if isinstance(got, bool):
        return want == ('true' if got else 'false')
    if isinstance(got, Literal):
        try:
            return Decimal(want) == Decimal(got.text)
        except ArithmeticError:
            return False
    return want == got


TYPES = {'boolean': ('System.Boolean', 'FHIR.boolean'), 'integer': ('System.Integer',),
         'decimal': ('System.Decimal', 'FHIR.decimal'), 'Quantity': ('System.Quantity',)}


def judge(case, reply):
    """None where the case holds, or what does not."""
    if case['invalid']:
        return None if 'error' in reply else f"no error but {reply['result']}"
    if 'error' in reply:
        return reply['error']
    got, types = reply['result'], reply['types']
    if case['predicate']:
        got, types = [bool(got)], ['System.Boolean']
    want = case['outputs']
    if not case['ordered']:
        got, want = sorted(got), sorted(want, key=lambda o: o[1])
    if len(got) != len(want) or not all(same(k, w, g) for (k, w), g in zip(want, got)):
        return f'wanted {[w for _, w in want]}, got {got}'
    for (kind, _), typed in zip(want, types):
        if kind in TYPES and typed not in TYPES[kind]:
            return f'wanted the type {kind}, got {typed}'
        if kind in ('code', 'id', 'date', 'dateTime', 'string') and \
                typed.split('.')[1].lower() != kind.lower():
            return f'wanted the type {kind}, got {typed}'
    return None


def main():
    cases, inputs = load()
    wrong, failures, excused = known_wrong(), [], 0
    lines = []
    for _, case in cases:
        line = {'expression': case['expression']}
        if case['file']:
            line['resource'] = inputs[case['file']]
        lines.append(json.dumps(line))
    run = subprocess.run([sys.argv[1]], input='\n'.join(lines) + '\n', text=True, check=True,
                         stdout=subprocess.PIPE, encoding='utf-8')
    replies = [json.loads(line, parse_float=Literal, parse_int=Literal)
               for line in run.stdout.splitlines()]
    assert len(replies) == len(cases)
    for (name, case), reply in zip(cases, replies):
        problem = judge(case, reply)
        if name in wrong:
            excused += 1
            if problem is None:
                failures.append(f'{name}: passes, but fhirpath_wrong.tsv has it')
        elif problem is not None:
            failures.append(f"{name}: {case['expression'].strip()}\n    {problem}")
    for name in wrong.keys() - {name for name, _ in cases}:
        failures.append(f'{name}: in fhirpath_wrong.tsv, but there is no such case')
    for line in failures:
        print(line)
    print(f'{len(cases)} cases: {len(cases) - excused - len(failures)} hold, {excused} are wrong '
          f'with a reason, {len(failures)} failed')
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main())
