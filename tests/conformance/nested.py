#!/usr/bin/env python3
"""Random records, random searches inside searches: nested.py CARNET [SEED [SEARCHES]]

Chains, _has (with ranges inside), dates, _filter, _include, _revinclude, compartments, _list,
_text, near, composites, hierarchies (:above, :below, :in of tokens, references and URIs) and
contained resources, each answer held against a naive look at every record: all pages, each record
once, and nothing else, in the order that was asked for and with the number that is. The naive
evaluator reads the query (a _filter: the tree that it was written from) and plain JSON, and shares
no code with the node.
"""
import datetime
import json
import math
import os
import random
import re
import sys
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'lib'))
import node as nodes  # noqa: E402

SEARCHES = 1500
NAMES = ['Ada', 'Adeola', 'Bola', 'Bo', 'Cho', 'Dara', 'Esi', 'Fen']
WORDS = ['fever', 'cough', 'pain', 'bone', 'feverish', 'old', 'liver']
CODES = ['a', 'b', 'c', 'd']
CLINICAL = 'http://terminology.hl7.org/CodeSystem/condition-clinical'
STATUS = ['final', 'amended', 'preliminary']
# What the codes of urn:s stand below.
PARENTS = {'b': 'a', 'c': 'b'}
SETS = {'urn:set-ab': ['a', 'b'], 'urn:set-d': ['d']}
URLS = ['urn:x:1', 'http://x.org', 'http://x.org/a', 'http://x.org/a/b', 'http://x.org/ab',
        'http://x.org/a/b/c', 'http://y.org/a']

# ---- records ----


def ref(rng, kind, n):
    return {'reference': f'{kind}/{kind[0].lower()}{rng.randrange(n)}'}


def narrative(rng):
    words = ' '.join(rng.choice(WORDS) for _ in range(rng.randrange(1, 6)))
    return {'status': 'generated',
            'div': f'<div xmlns="http://www.w3.org/1999/xhtml"><p>{words}</p></div>'}


def day(rng, first, last):
    """A date as precise as it happens to be known; so few of them that ends meet."""
    text = f"{rng.randrange(first, last)}-{rng.choice(['01', '02', '06', '12'])}-" + \
        rng.choice(['01', '15', '28'])
    return text[:rng.choice([10, 10, 10, 7, 4])]


def span_of(rng):
    """An onset: a time, or a period that may be open."""
    if rng.random() < 0.6:
        return {'onsetDateTime': day(rng, 2015, 2020)}
    first, last = sorted([day(rng, 2015, 2020), day(rng, 2015, 2020)], key=span)
    return {'onsetPeriod': dict([('start', first), ('end', last)][rng.choice([0, 0, 0, 1]):
                                                                  rng.choice([1, 2, 2, 2])])
            or {'start': first}}


def make(rng):
    yield {'resourceType': 'CodeSystem', 'id': 's', 'url': 'urn:s', 'status': 'active',
           'content': 'complete', 'hierarchyMeaning': 'is-a', 'caseSensitive': True,
           'concept': [{'code': 'a', 'concept': [{'code': 'b', 'concept': [{'code': 'c'}]}]},
                       {'code': 'd'}]}
    for url, listed in SETS.items():
        yield {'resourceType': 'ValueSet', 'id': url[4:], 'url': url, 'status': 'active',
               'compose': {'include': [{'system': 'urn:s',
                                        'concept': [{'code': c} for c in listed]}]}}
    for i, url in enumerate(URLS * 2):
        yield {'resourceType': 'Library', 'id': f'l{i}', 'status': 'active', 'url': url,
               'type': {'coding': [{'system': 'urn:s', 'code': rng.choice(CODES)}]}}
    for i in range(8):
        o = {'resourceType': 'Organization', 'id': f'o{i}', 'name': rng.choice(NAMES)}
        if i and rng.random() < 0.7:
            o['partOf'] = ref(rng, 'Organization', i)
        yield o
    for i in range(12):
        yield {'resourceType': 'Location', 'id': f'l{i}', 'name': rng.choice(NAMES),
               'position': {'latitude': round(rng.uniform(-3, 3), 4),
                            'longitude': round(rng.uniform(30, 36), 4)}}
    for i in range(50):
        p = {'resourceType': 'Patient', 'id': f'p{i}',
             'name': [{'family': rng.choice(NAMES), 'given': [rng.choice(NAMES)]}],
             'gender': rng.choice(['male', 'female'])}
        if rng.random() < 0.7:
            p['birthDate'] = day(rng, 1950, 1956)
        if rng.random() < 0.8:
            p['managingOrganization'] = ref(rng, 'Organization', 9)
        yield p
    for i in range(40):
        e = {'resourceType': 'Encounter', 'id': f'e{i}', 'class': {'code': 'AMB'},
             'status': rng.choice(['finished', 'planned']), 'subject': ref(rng, 'Patient', 55)}
        if rng.random() < 0.6:
            e['serviceProvider'] = ref(rng, 'Organization', 8)
        yield e
    for i in range(120):
        c = {'resourceType': 'Condition', 'id': f'c{i}', 'subject': ref(rng, 'Patient', 55),
             'code': {'coding': [{'system': rng.choice(['urn:s', 'urn:s', 'urn:t']),
                                  'code': rng.choice(CODES)}]},
             'clinicalStatus': {'coding': [{'code': rng.choice(['active', 'resolved']),
                                            'system': CLINICAL}]}}
        if rng.random() < 0.8:
            c.update(span_of(rng))
        yield c
    for i in range(220):
        o = {'resourceType': 'Observation', 'id': f'o{i}', 'status': rng.choice(STATUS),
             'code': {'coding': [{'system': 'urn:s', 'code': rng.choice(CODES)}]}}
        if rng.random() < 0.9:
            o['subject'] = ref(rng, 'Patient', 55)
        if rng.random() < 0.5:
            o['encounter'] = ref(rng, 'Encounter', 42)
        dice = rng.random()
        if dice < 0.6:
            o['valueQuantity'] = {'value': rng.randrange(20)}
        elif dice < 0.75:
            o['valueCodeableConcept'] = {'coding': [{'system': 'urn:s', 'code': rng.choice(CODES)}]}
        elif dice < 0.9:
            o['valueString'] = rng.choice(NAMES)
        if rng.random() < 0.3:
            o['hasMember'] = [ref(rng, 'Observation', 220) for _ in range(rng.randrange(1, 3))]
        if rng.random() < 0.5:
            o['text'] = narrative(rng)
        if rng.random() < 0.3:
            o['component'] = [{'code': {'coding': [{'system': 'urn:s', 'code': rng.choice(CODES)}]},
                               'valueQuantity': {'value': rng.randrange(20)}}
                              for _ in range(rng.randrange(1, 4))]
        if rng.random() < 0.2:
            o['contained'] = [{'resourceType': 'Patient', 'id': 'c',
                               'name': [{'family': rng.choice(NAMES)}],
                               'gender': rng.choice(['male', 'female'])}]
            o['performer'] = [{'reference': '#c'}]
        yield o
    for i in range(4):
        yield {'resourceType': 'List', 'id': f'l{i}', 'status': 'current', 'mode': 'working',
               'entry': [{'item': ref(rng, rng.choice(['Patient', 'Observation']), 60)}
                         for _ in range(rng.randrange(1, 30))]}


# ---- times ----


def span(text):
    """From when to when a date may be, as days of the calendar."""
    parts = [int(x) for x in text.split('-')]
    first = datetime.date(*(parts + [1, 1])[:3])
    if len(parts) == 1:
        return first, datetime.date(parts[0] + 1, 1, 1)
    if len(parts) == 2:
        return first, datetime.date(parts[0] + parts[1] // 12, parts[1] % 12 + 1, 1)
    return first, first + datetime.timedelta(1)


def period(p):
    return (span(p['start'])[0] if 'start' in p else datetime.date.min,
            span(p['end'])[1] if 'end' in p else datetime.date.max)


def onset(r):
    if 'onsetDateTime' in r:
        return [span(r['onsetDateTime'])]
    return [period(r['onsetPeriod'])] if 'onsetPeriod' in r else []


def time_matches(v, prefix, asked):
    (f, t), (sf, st) = v, asked
    equal = sf <= f and t <= st
    return {'': equal, 'eq': equal, 'ne': not equal, 'gt': t > st, 'ge': t > st or equal,
            'lt': f < sf, 'le': f < sf or equal, 'sa': f >= st, 'eb': t <= sf}[prefix]


# ---- what the parameters see: kind, values ----


def codes(concept):
    return [(c.get('system', ''), c['code']) for c in concept.get('coding', [])]


def refs(*found):
    return [f['reference'] for f in found if f and not f['reference'].startswith('#')]


def names(r):
    return [x for n in r.get('name', []) for x in [n.get('family')] + n.get('given', []) if x]


def quantity(r):
    return [r['valueQuantity']['value']] if 'valueQuantity' in r else []


PARAMETERS = {
    'Organization': {'name': ('string', lambda r: [r['name']]),
                     'partof': ('reference', lambda r: refs(r.get('partOf')))},
    'Location': {'name': ('string', lambda r: [r['name']])},
    'Patient': {'family': ('string', lambda r: [n['family'] for n in r.get('name', [])]),
                'name': ('string', names),
                'gender': ('token', lambda r: [('', r['gender'])] if 'gender' in r else []),
                'birthdate': ('date', lambda r: [span(r['birthDate'])] if 'birthDate' in r else []),
                'organization': ('reference', lambda r: refs(r.get('managingOrganization')))},
    'Encounter': {'status': ('token', lambda r: [('', r['status'])]),
                  'subject': ('reference', lambda r: refs(r.get('subject'))),
                  'patient': ('reference', lambda r: refs(r.get('subject'))),
                  'service-provider': ('reference', lambda r: refs(r.get('serviceProvider')))},
    'Observation': {'status': ('token', lambda r: [('', r['status'])]),
                    'code': ('token', lambda r: codes(r['code'])),
                    'subject': ('reference', lambda r: refs(r.get('subject'))),
                    'patient': ('reference', lambda r: refs(r.get('subject'))),
                    'encounter': ('reference', lambda r: refs(r.get('encounter'))),
                    'has-member': ('reference', lambda r: refs(*r.get('hasMember', []))),
                    'value-quantity': ('quantity', quantity)},
    'Condition': {'clinical-status': ('token', lambda r: codes(r['clinicalStatus'])),
                  'code': ('token', lambda r: codes(r['code'])),
                  'onset-date': ('date', onset),
                  'subject': ('reference', lambda r: refs(r.get('subject'))),
                  'patient': ('reference', lambda r: refs(r.get('subject')))},
    'Library': {'url': ('uri', lambda r: [r['url']]),
                'type': ('token', lambda r: codes(r['type']))},
    'List': {'status': ('token', lambda r: [('', r['status'])]),
             'item': ('reference', lambda r: refs(*[e['item'] for e in r['entry']]))},
}
TARGETS = {('Organization', 'partof'): ['Organization'],
           ('Patient', 'organization'): ['Organization'],
           ('Encounter', 'subject'): ['Patient'], ('Encounter', 'patient'): ['Patient'],
           ('Encounter', 'service-provider'): ['Organization'],
           ('Condition', 'subject'): ['Patient'], ('Condition', 'patient'): ['Patient'],
           ('Observation', 'subject'): ['Patient', 'Location'],
           ('Observation', 'patient'): ['Patient'], ('Observation', 'encounter'): ['Encounter'],
           ('Observation', 'has-member'): ['Observation'],
           ('List', 'item'): list(PARAMETERS)}


class World:
    """All records, and whether one matches: by looking."""

    def __init__(self, records):
        self.all = {r['resourceType'] + '/' + r['id']: r for r in records}
        self.known = {}

    def of(self, kind):
        return [r for r in self.all.values() if r['resourceType'] == kind]

    def found(self, kind, name, value):
        """Keys of the records of a kind that match one argument; kept."""
        key = kind, name, value
        if key not in self.known:
            self.known[key] = {kind + '/' + r['id'] for r in self.of(kind)
                               if self.matches(r, name, value)}
        return self.known[key]

    def references(self, r, code):
        return PARAMETERS[r['resourceType']][code][1](r)

    def matches(self, r, name, value):
        kind, me = r['resourceType'], r['resourceType'] + '/' + r['id']
        if name.startswith('_has:'):
            _, other, code, rest = name.split(':', 3)
            return any(me in self.references(self.all[k], code)
                       for k in self.found(other, rest, value))
        if '.' in name:
            head, rest = name.split('.', 1)
            code, _, narrowed = head.partition(':')
            for target in [narrowed] if narrowed else TARGETS[kind, code]:
                if rest.split('.')[0].split(':')[0] not in PARAMETERS[target] and \
                        not rest.startswith('_'):
                    continue
                if set(self.references(r, code)) & self.found(target, rest, value):
                    return True
            return False
        code, _, modifier = name.partition(':')
        if code == '_id':
            return r['id'] in value.split(',')
        if code == '_list':
            return any(me in self.references(x, 'item') for x in self.of('List')
                       if x['id'] in value.split(','))
        if code == '_text':
            return text(r, value)
        if code == 'near':
            return near(r, value)
        if 'code-value-' in code:
            return composite(r, code, value)
        what, values = PARAMETERS[kind][code]
        values = values(r)
        if modifier == 'missing':
            return (not values) == (value == 'true')
        if modifier in ('above', 'below', 'in', 'not-in'):
            hit = any(self.lies(what, modifier, v, want) for v in values
                      for want in value.split(','))
            return hit != (modifier == 'not-in')
        hit = any(one(what, v, want) for v in values for want in value.split(','))
        return hit != (modifier == 'not')

    def lies(self, what, modifier, v, want):
        if what == 'uri':
            upper, lower = (want, v) if modifier == 'below' else (v, want)
            return lower == upper or lower.startswith(upper.rstrip('/') + '/')
        if what == 'token':
            system, code = v
            if system != 'urn:s':
                return False
            if modifier in ('in', 'not-in'):
                return code in SETS[want]
            asked = want.split('|')[1]
            upper, lower = (asked, code) if modifier == 'below' else (code, asked)
            while lower and lower != upper:
                lower = PARENTS.get(lower)
            return lower == upper
        upper, lower = (want, v) if modifier == 'below' else (v, want)
        while lower and lower != upper:
            lower = (refs(self.all.get(lower, {}).get('partOf')) or [None])[0]
        return lower == upper and (v == want or v in self.all)


def one(what, v, want):
    if what == 'string':
        return v.lower().startswith(want.lower())
    if what == 'token':
        system, bar, code = want.rpartition('|')
        return (v[1] == code or (bar and not code)) and (not bar or v[0] == system)
    if what == 'uri':
        return v == want
    if what == 'reference':
        return v == want or v.split('/')[1] == want
    prefix = re.match('[a-z]*', want).group()
    x = want[len(prefix):]
    if what == 'date':
        return time_matches(v, prefix, span(x))
    a, b = float(v), float(x)
    if prefix in ('', 'ne'):
        return (b - 0.5 <= a < b + 0.5) == (prefix == '')
    return {'gt': a > b, 'lt': a < b, 'ge': a >= b, 'le': a <= b}[prefix]


def text(r, value):
    words = re.sub('<[^>]*>', ' ', r.get('text', {}).get('div', '')).split()
    return all(any(w.startswith(want[:-1]) if want.endswith('*') else w == want for w in words)
               for want in value.split())


def near(r, value):
    lat, lon, km = (float(x) for x in value.split('|')[:3])
    a, b = math.radians(lat), math.radians(r['position']['latitude'])
    d = math.radians(r['position']['longitude'] - lon)
    cosine = math.sin(a) * math.sin(b) + math.cos(a) * math.cos(b) * math.cos(d)
    return 6371.0088 * math.acos(min(1, cosine)) <= km


def composite(r, code, value):
    want_code, want = value.split('$')
    what, values = {
        'quantity': ('quantity', quantity), 'string': ('string', lambda i: [
            i['valueString']] if 'valueString' in i else []),
        'concept': ('token', lambda i: codes(i.get('valueCodeableConcept', {}))),
    }[code.split('-')[-1]]
    items = {'code': [r], 'component': r.get('component', []),
             'combo': r.get('component', []) + [r]}[code.split('-')[0]]
    return any(any(one('token', c, want_code) for c in codes(i['code'])) and
               any(one(what, v, want) for v in values(i)) for i in items)


# ---- random searches ----


def value_of(rng, what):
    if what == 'string':
        return rng.choice(NAMES)[:rng.randrange(1, 4)]
    if what == 'date':
        return rng.choice(['ge', 'lt', 'gt', 'le', 'ne', 'sa', 'eb', '']) + \
            (day(rng, 1950, 1956) if rng.random() < 0.5 else day(rng, 2015, 2020))
    if what == 'uri':
        return rng.choice(URLS + ['http://x.org/', 'http://x.org/a/b/c/d'])
    if what == 'quantity':
        return rng.choice(['gt', 'lt', 'ge', 'le', '', 'ne']) + str(rng.randrange(20))
    return None


def some_code(rng):
    return 'urn:s|' + rng.choice(CODES)


def some_organization(rng):
    return f'Organization/o{rng.randrange(8)}'


HIERARCHIES = {('Condition', 'code'): some_code, ('Observation', 'code'): some_code,
               ('Library', 'type'): some_code, ('Library', 'url'): lambda rng: value_of(rng, 'uri'),
               ('Organization', 'partof'): some_organization,
               ('Patient', 'organization'): some_organization,
               ('Encounter', 'service-provider'): some_organization}


def plain(rng, kind):
    code = rng.choice(sorted(PARAMETERS[kind]))
    if rng.random() < 0.4:
        code = {'Condition': 'onset-date', 'Patient': 'birthdate'}.get(kind, code)
    what = PARAMETERS[kind][code][0]
    if rng.random() < 0.1:
        return code + ':missing', rng.choice(['true', 'false'])
    if rng.random() < 0.25 and (kind, code) in HIERARCHIES:
        return code + rng.choice([':above', ':below']), HIERARCHIES[kind, code](rng)
    if rng.random() < 0.15 and what == 'token' and kind in ('Condition', 'Observation') and \
            code == 'code':
        return code + rng.choice([':in', ':not-in']), rng.choice(sorted(SETS))
    if what == 'reference':
        target = rng.choice(TARGETS[kind, code])
        return code, f'{target}/{target[0].lower()}{rng.randrange(12)}'
    if what == 'token':
        value = rng.choice({'gender': ['male', 'female'], 'type': CODES,
                            'code': CODES + ['urn:s|a', 'urn:t|a', 'urn:t|'],
                            'clinical-status': ['active', CLINICAL + '|resolved'],
                            'status': STATUS + ['finished', 'current']}[code])
        return code + (':not' if rng.random() < 0.15 else ''), value
    return code, ','.join(value_of(rng, what) for _ in range(rng.choice([1, 1, 1, 2])))


def argument(rng, kind, depth=0):
    links = [c for (k, c) in TARGETS if k == kind]
    dice = rng.random()
    if depth < 3 and links and dice < 0.45:
        code = rng.choice(links)
        target = rng.choice(TARGETS[kind, code])
        name, value = argument(rng, target, depth + 1)
        head = code + ':' + target if len(TARGETS[kind, code]) > 1 or dice < 0.2 else code
        return head + '.' + name, value
    if depth < 3 and dice < 0.7:
        back = [(k, c) for (k, c), t in TARGETS.items() if kind in t]
        if back:
            other, code = rng.choice(back)
            name, value = argument(rng, other, depth + 1)
            return f'_has:{other}:{code}:{name}', value
    if dice < 0.8:
        return '_id', ','.join(f'{kind[0].lower()}{rng.randrange(50)}' for _ in range(4))
    return plain(rng, kind)


def extra(rng, kind):
    choices = [('_list', f'l{rng.randrange(5)}')]
    if kind == 'Observation':
        choices += [('_text', ' '.join(rng.choice(WORDS + ['fev*', 'ol*'])
                                       for _ in range(rng.randrange(1, 3)))),
                    (rng.choice(['code-value-quantity', 'component-code-value-quantity',
                                 'combo-code-value-quantity']),
                     rng.choice(CODES + ['urn:s|', 'urn:t|', 'urn:s|b']) + '$' +
                     value_of(rng, 'quantity')),
                    (rng.choice(['code-value-concept', 'combo-code-value-concept']),
                     rng.choice(CODES + ['urn:s|']) + '$' +
                     rng.choice(CODES + ['urn:s|a', 'urn:t|a', 'urn:s|'])),
                    ('code-value-string', rng.choice(CODES + ['urn:s|']) + '$' +
                     value_of(rng, 'string'))]
    if kind == 'Location':
        choices = [('near', f'{rng.uniform(-3, 3):.3f}|{rng.uniform(30, 36):.3f}|'
                            f'{rng.randrange(400)}|km')]
    return rng.choice(choices)


# A _filter as a tree: ('and' | 'or', left, right), ('not', x), (name, value) of eq and its like.

def tree(rng, kind, depth=0):
    if depth < 3 and rng.random() < 0.5:
        return rng.choice(['and', 'or']), tree(rng, kind, depth + 1), tree(rng, kind, depth + 1)
    if depth < 3 and rng.random() < 0.2:
        return 'not', tree(rng, kind, depth + 1)
    while True:
        name, value = argument(rng, kind, 1)
        last = re.split('[.:]', name)[-1]
        if last in ('not', '_id', 'above', 'below', 'in', 'not-in') or ',' in value or \
                value.endswith('|') or '_has' in name[1:]:
            continue
        return name, value


def filter_text(t):
    if t[0] in ('and', 'or') and len(t) == 3:
        return f'({filter_text(t[1])}) {t[0]} ({filter_text(t[2])})'
    if t[0] == 'not':
        return f'not ({filter_text(t[1])})'
    name, value = t
    if name.endswith(':missing'):
        return f"{name[:-8]} pr {'false' if value == 'true' else 'true'}"
    last = re.split('[.:]', name)[-1]
    if last in ('name', 'family'):
        return f'{name} sw "{value}"'
    has_prefix = last in ('birthdate', 'onset-date', 'value-quantity')
    prefix = re.match('[a-z]*', value).group() if has_prefix else ''
    return f'{name} {prefix or "eq"} {value[len(prefix):]}'


def filter_matches(world, r, t):
    if t[0] == 'and' and len(t) == 3:
        return filter_matches(world, r, t[1]) and filter_matches(world, r, t[2])
    if t[0] == 'or' and len(t) == 3:
        return filter_matches(world, r, t[1]) or filter_matches(world, r, t[2])
    if t[0] == 'not':
        return not filter_matches(world, r, t[1])
    return r['resourceType'] + '/' + r['id'] in world.found(r['resourceType'], *t)


# ---- holding answers against the world ----


def ask(client, path):
    """Matches page by page, what each page includes, and the total of the first."""
    matches, pages, total = [], [], None
    while path:
        reply = client.get(path)
        if reply.status != 200:
            raise RuntimeError(f'{path}: {reply}')
        bundle = reply.json()
        got, with_them = [], []
        for e in bundle.get('entry', []):
            key = e['resource']['resourceType'] + '/' + e['resource'].get('id', '')
            mode = e['search']['mode']
            if mode == 'outcome':
                raise RuntimeError(f"{path}: {e['resource']}")
            (got if mode == 'match' else with_them).append(key)
        total = bundle.get('total') if not pages else total
        pages.append((got, with_them))
        matches += got
        path = next((x['url'] for x in bundle['link'] if x['relation'] == 'next'), None)
        path = path and '/' + path.split('/', 3)[3]
    return matches, pages, total


def included(world, page, includes):
    """What the includes add to a page of matches."""
    met, queue = set(page), [(k, True) for k in page]
    out = set()
    while queue:
        key, is_match = queue.pop()
        r = world.all[key]
        for what, iterate, kind, code in includes:
            if not is_match and not iterate:
                continue
            if what == '_include':
                found = world.references(r, code) if r['resourceType'] == kind else []
            else:
                found = [kind + '/' + x['id'] for x in world.of(kind)
                         if key in world.references(x, code)]
            for k in found:
                if k in world.all and k not in met:
                    met.add(k)
                    out.add(k)
                    queue.append((k, False))
    return out


def in_order(world, matches, by):
    """Whether matches come by birthday or onset, and those that have none last."""
    descending = by.startswith('-')
    code = by.lstrip('-')
    keys = []
    for k in matches:
        values = PARAMETERS[k.split('/')[0]][code][1](world.all[k])
        keys.append(values[0][0] if values else None)
    known = [k for k in keys if k is not None]
    return keys[:len(known)] == known and known == sorted(known, reverse=descending)


def check(score, world, client, path, wanted, includes=(), by=None, has_total=False):
    try:
        matches, pages, total = ask(client, path)
    except RuntimeError as e:
        score.check(False, str(e)[:600])
        return
    score.check(len(matches) == len(set(matches)), f'{path} finds something twice')
    missing, more = wanted - set(matches), set(matches) - wanted
    score.check(not missing and not more,
                f'{path}: missing {sorted(missing)[:3]}, not wanted {sorted(more)[:3]}')
    if has_total:
        score.check(total == len(wanted), f'{path}: a total of {total}, not of {len(wanted)}')
    if by:
        score.check(in_order(world, matches, by), f'{path} is out of order')
    for got, with_them in pages if includes else ():
        want = included(world, got, includes)
        score.check(len(with_them) == len(set(with_them)) and set(with_them) == want,
                    f'{path}: includes {sorted(set(with_them) ^ want)[:4]} wrongly or not')


def search(rng, score, world, client):
    kind = rng.choice(['Observation'] * 4 + ['Patient'] * 4 + ['Condition'] * 2 + [
        'Encounter', 'Organization', 'List', 'Location', 'Library'])
    args = [argument(rng, kind) for _ in range(rng.choice([1, 1, 2]))]
    if rng.random() < 0.3:
        args.append(extra(rng, kind))
    wanted = set.intersection(*[world.found(kind, *a) for a in args])
    base, includes = kind, []
    if rng.random() < 0.25:
        t = tree(rng, kind)
        args.append(('_filter', filter_text(t)))
        wanted = {k for k in wanted if filter_matches(world, world.all[k], t)}
    if rng.random() < 0.2 and kind in ('Observation', 'Encounter', 'Condition'):
        owner = f'Patient/p{rng.randrange(50)}'
        base = owner + '/' + kind
        wanted = {k for k in wanted if owner in world.references(world.all[k], 'subject')}
    while rng.random() < 0.3:
        what = rng.choice(['_include', '_revinclude'])
        k, code = rng.choice(sorted(TARGETS))
        iterate = rng.random() < 0.5
        includes.append((what, iterate, k, code))
        args.append((what + (':iterate' if iterate else ''), f'{k}:{code}'))
    args.append(('_count', str(rng.choice([3, 20, 500]))))
    by, has_total = None, rng.random() < 0.3
    if rng.random() < 0.4 and kind in ('Patient', 'Condition'):
        by = rng.choice(['', '-']) + ('birthdate' if kind == 'Patient' else 'onset-date')
        args.append(('_sort', by))
    if has_total:
        args.append(('_total', 'accurate'))
    check(score, world, client, f'/fhir/{base}?' + urllib.parse.urlencode(args), wanted, includes,
          by, has_total)


def contained(score, world, client):
    for gender in ('male', 'female'):
        for name in NAMES:
            inside = {k for k, r in world.all.items()
                      if any(c['gender'] == gender and c['name'][0]['family'].startswith(name)
                             for c in r.get('contained', []))}
            own = world.found('Patient', 'gender', gender) & world.found('Patient', 'family', name)
            query = f'/fhir/Patient?gender={gender}&family={name}&_contained='
            check(score, world, client, query + 'true', inside)
            check(score, world, client, query + 'both', inside | own)
            # A chain leads into what a resource contains.
            chain = f'/fhir/Observation?performer:Patient.gender={gender}'
            check(score, world, client, chain + f'&performer.family={name}', inside)


def main():
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    searches = int(sys.argv[3]) if len(sys.argv) > 3 else SEARCHES
    rng, score = random.Random(seed), nodes.Score()
    records = list(make(rng))
    world = World(records)
    with nodes.Folder(sys.argv[1]) as folder, nodes.Node(folder) as node:
        client = node.client()
        bundle = {'resourceType': 'Bundle', 'type': 'transaction',
                  'entry': [{'resource': r, 'request': {
                      'method': 'PUT', 'url': f"{r['resourceType']}/{r['id']}"}} for r in records]}
        reply = client.send('POST', '/fhir', bundle)
        if reply.status != 200:
            raise SystemExit(f'the records are not taken: {reply}')
        # Ids of the definitions in the store are not the world's.
        world.known = {}
        for _ in range(searches):
            search(rng, score, world, client)
        contained(score, world, client)
        client.close()
    print(f'{len(records)} records, {searches} searches, seed {seed}')
    return score.end()


if __name__ == '__main__':
    sys.exit(main())
