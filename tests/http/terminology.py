#!/usr/bin/env python3
"""Terminology operations by parameter and by rule of their definitions: terminology.py CARNET

Each row of EXPAND, VALIDATE, LOOKUP, TRANSLATE and SUBSUMES is a call and what must come of it,
made from the pages of R4 (valueset.html, codesystem.html, the operations' own) and, where those are
silent, from what the terminology servers of HL7's ecosystem agreed upon.
"""
import datetime
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
from node import Folder, Node, Score  # noqa: E402

CS = 'http://example.org/cs'
PATIENT = 'http://hl7.org/fhir/StructureDefinition/Patient'
TO = 'http://example.org/other'


def concept(code, display, *children, **more):
    own = {'code': code, 'display': display, **more}
    if children:
        own['concept'] = list(children)
    return own


def prop(code, **value):
    return {'code': code, **value}


SYSTEM = {
    'resourceType': 'CodeSystem', 'id': 'cs', 'url': CS, 'version': '1.0', 'name': 'Letters',
    'language': 'en', 'status': 'active', 'content': 'complete', 'caseSensitive': True,
    'hierarchyMeaning': 'is-a', 'valueSet': 'http://example.org/all',
    'property': [
        {'code': 'status', 'uri': 'http://hl7.org/fhir/concept-properties#status', 'type': 'code'},
        {'code': 'notSelectable', 'type': 'boolean',
         'uri': 'http://hl7.org/fhir/concept-properties#notSelectable'},
        {'code': 'kind', 'type': 'code'}, {'code': 'rank', 'type': 'integer'},
        {'code': 'loud', 'type': 'boolean'}, {'code': 'since', 'type': 'dateTime'},
        {'code': 'like', 'type': 'Coding'}, {'code': 'note', 'type': 'string'},
    ],
    'concept': [
        concept('root', 'All',
                concept('a', 'Alpha',
                        concept('a1', 'Alpha one', property=[
                            prop('kind', valueCode='old'), prop('rank', valueInteger=2),
                            prop('loud', valueBoolean=True)]),
                        concept('a2', 'Alpha two', property=[prop('status', valueCode='retired')]),
                        property=[prop('kind', valueCode='new'), prop('rank', valueInteger=1)],
                        definition='The first letter',
                        designation=[{'language': 'de', 'value': 'Alfa'},
                                     {'language': 'en', 'value': 'First', 'use': {
                                         'system': TO, 'code': 'x'}}]),
                concept('b', 'Beta', concept('b1', 'Beta one'), property=[
                    prop('kind', valueCode='new'), prop('status', valueCode='inactive')]),
                property=[prop('notSelectable', valueBoolean=True)]),
        concept('c', 'Gamma ray', property=[
            prop('rank', valueInteger=3), prop('note', valueString='late'),
            prop('since', valueDateTime='2020-01-01'),
            prop('like', valueCoding={'system': TO, 'code': 'x'})]),
    ],
}
OTHER = {'resourceType': 'CodeSystem', 'id': 'other', 'url': TO, 'version': '2',
         'status': 'active', 'content': 'complete',
         'concept': [concept('x', 'Ex'), concept('a', 'Another a')]}
OLD = {'resourceType': 'CodeSystem', 'id': 'old', 'url': CS, 'version': '0.5', 'status': 'active',
       'content': 'complete', 'caseSensitive': True,
       'concept': [concept('a', 'Alef'), concept('z', 'Zed')]}


MORE = {'resourceType': 'CodeSystem', 'id': 'more', 'url': 'http://example.org/more',
        'status': 'active', 'content': 'supplement', 'supplements': CS,
        'property': [{'code': 'origin', 'type': 'string'}],
        'concept': [{'code': 'a', 'property': [prop('origin', valueString='Phoenician')]}]}
PATIENT_BROUGHT = {'resourceType': 'Patient'}
TODAY = datetime.date.today()


def value_set(name, *include, exclude=(), **more):
    compose = {'include': list(include)}
    if exclude:
        compose['exclude'] = list(exclude)
    compose.update(more)
    return {'resourceType': 'ValueSet', 'id': name, 'url': f'http://example.org/{name}',
            'version': '1', 'status': 'active', 'compose': compose}


def of(*codes, system=CS, **more):
    own = {'system': system, **more}
    if codes:
        own['concept'] = [{'code': code} for code in codes]
    return own


def where(*filters, **more):
    return {'system': CS, 'filter': [dict(zip(('property', 'op', 'value'), f)) for f in filters],
            **more}


def sets(*names):
    return {'valueSet': [f'http://example.org/{name}' for name in names]}


PLAIN = {'resourceType': 'CodeSystem', 'id': 'plain', 'url': 'http://example.org/plain',
         'status': 'active', 'content': 'complete',
         'concept': [concept('d', 'Dog', designation=[{'language': 'de', 'value': 'Hund'}])]}
SETS = [
    value_set('plain-set', of(system=PLAIN['url'])),
    value_set('all', of()),
    value_set('as', where(('concept', 'is-a', 'a'))),
    value_set('ab', of('a', 'b', 'c')),
    value_set('mixed', of('a', 'c'), of(system=TO)),
    value_set('old-all', of(version='0.5')),
    value_set('both', of('a', version='1.0'), of('a', version='0.5')),
    value_set('active', of(), inactive=False),
]

# what, includes or a whole set, parameters: codes, with those below in brackets, or an error's
# status
EXPAND = [
    # valueset.html#compositions: what an include and an exclude select
    ('a whole system', [of()], {'excludeNested': True}, 'root a a1 a2 b b1 c'),
    ('a whole system is a tree', [of()], {}, 'root(a(a1 a2) b(b1)) c'),
    ('codes in their order', [of('c', 'a')], {}, 'c a'),
    ('a code that is none is in no set', [of('c', 'nonesuch')], {}, 'c'),
    ('two includes are a union', [of('a'), of('c')], {}, 'a c'),
    ('a code that two includes have stands once', [of('a', 'c'), of('c', 'b1')], {}, 'a c b1'),
    ('a value set', [sets('ab')], {}, 'a b c'),
    ('value sets of one include are an intersection', [sets('ab', 'as')], {}, 'a'),
    ('a system and a value set are an intersection', [{**of('a1', 'c'), **sets('ab')}], {}, 'c'),
    ('a filter and a value set', [{**where(('concept', 'is-a', 'root')), **sets('ab')}],
     {'excludeNested': True}, 'a b'),
    ('two value sets in two includes', [sets('as'), sets('ab')], {'excludeNested': True},
     'a a1 a2 b c'),
    ('a version of a value set', [{'valueSet': ['http://example.org/ab|1']}], {}, 'a b c'),
    ('a version of a value set that is not here', [{'valueSet': ['http://example.org/ab|9']}], {},
     404),
    ('codes are taken away', value_set('', of(), exclude=[of('b', 'c')]), {'excludeNested': True},
     'root a a1 a2 b1'),
    ('a filter is taken away', value_set('', of(), exclude=[where(('concept', 'is-a', 'a'))]),
     {'excludeNested': True}, 'root b b1 c'),
    ('a value set is taken away', value_set('', sets('ab'), exclude=[sets('as')]), {}, 'b c'),
    ('a system is taken away', value_set('', of('a'), of(system=TO),
                                         exclude=[of(system=TO)]), {}, 'a'),
    ('nothing is left', value_set('', of('a'), exclude=[of('a')]), {}, ''),
    ('an exclude of another system takes nothing',
     value_set('', of('a'), exclude=[of('a', system=TO)]), {}, 'a'),
    ('a pinned version', [of(version='0.5')], {}, 'a z'),
    ('a version that is not here', [of(version='7')], {}, 404),
    ('a system that is not here', [of(system='http://example.org/nowhere')], {}, 404),
    # valueset-filter-operator.html
    ('is-a', [where(('concept', 'is-a', 'a'))], {'excludeNested': True}, 'a a1 a2'),
    ('descendent-of', [where(('concept', 'descendent-of', 'a'))], {}, 'a1 a2'),
    ('is-not-a', [where(('concept', 'is-not-a', 'a'))], {'excludeNested': True}, 'root b b1 c'),
    ('generalizes', [where(('concept', 'generalizes', 'a1'))], {'excludeNested': True},
     'root a a1'),
    ('child-of', [where(('concept', 'child-of', 'root'))], {}, 'a b'),
    ('descendent-leaf', [where(('concept', 'descendent-leaf', 'root'))], {}, 'a1 a2 b1'),
    ('=', [where(('kind', '=', 'new'))], {}, 'a b'),
    ('= of an integer', [where(('rank', '=', '3'))], {}, 'c'),
    ('= of a boolean', [where(('loud', '=', 'true'))], {}, 'a1'),
    ('= of the code', [where(('code', '=', 'c'))], {}, 'c'),
    ('= of the display', [where(('display', '=', 'Beta'))], {}, 'b'),
    ('= of the parent', [where(('parent', '=', 'a'))], {}, 'a1 a2'),
    ('= of a child', [where(('child', '=', 'b1'))], {}, 'b'),
    ('in', [where(('kind', 'in', 'new,old'))], {'excludeNested': True}, 'a a1 b'),
    ('in, of codes', [where(('concept', 'in', 'a,c'))], {}, 'a c'),
    ('not-in', [where(('concept', 'not-in', 'a,a1,a2,root'))], {'excludeNested': True}, 'b b1 c'),
    ('exists', [where(('rank', 'exists', 'true'))], {'excludeNested': True}, 'a a1 c'),
    ('does not exist', [where(('rank', 'exists', 'false'))], {'excludeNested': True},
     'root a2 b b1'),
    ('regex takes the whole value', [where(('code', 'regex', 'a'))], {}, 'a'),
    ('regex', [where(('code', 'regex', '[ab]1'))], {}, 'a1 b1'),
    ('regex of a property', [where(('kind', 'regex', 'n.w'))], {}, 'a b'),
    ('two filters both hold', [where(('concept', 'is-a', 'root'), ('kind', '=', 'old'))], {}, 'a1'),
    ('a filter on inactive', [where(('inactive', '=', 'true'))], {'excludeNested': True}, 'a2 b'),
    ('a property that the system does not have', [where(('nonesuch', '=', 'x'))], {}, 422),
    ('an operator that is none', [where(('kind', 'near', 'x'))], {}, 422),
    ('is-a of a code that is none', [where(('concept', 'is-a', 'nonesuch'))], {}, 422),
    ('a regular expression that is none', [where(('code', 'regex', '['))], {}, 400),
    # valueset.html#invs
    ('neither system nor value set (vsd-1)', [of('a'), {}], {}, 422),
    ('neither of them in an exclude', value_set('', of(), exclude=[{}]), {}, 422),
    ('codes of no system (vsd-2)', [{'concept': [{'code': 'a'}], **sets('ab')}], {}, 422),
    ('codes and filters (vsd-3)', [{**of('a'), **where(('kind', '=', 'new'))}], {}, 422),
    ('what is no value set', PATIENT_BROUGHT, {}, 400),
    # parameters of $expand
    ('activeOnly', [of()], {'activeOnly': True, 'excludeNested': True}, 'root a a1 b1 c'),
    ('activeOnly=false', [of()], {'activeOnly': False, 'excludeNested': True},
     'root a a1 a2 b b1 c'),
    ('compose.inactive=false', value_set('', of(), inactive=False), {'excludeNested': True},
     'root a a1 b1 c'),
    ('filter by the start of a word', [of()], {'filter': 'ray'}, 'c'),
    ('filter in any case', [of()], {'filter': 'GAM'}, 'c'),
    ('filter by two words', [of()], {'filter': 'one alp'}, 'a1'),
    ('filter that nothing has', [of()], {'filter': 'nothing'}, ''),
    ('count', [of()], {'count': 2, 'excludeNested': True}, 'root a'),
    ('count and offset', [of()], {'count': 2, 'offset': 5, 'excludeNested': True}, 'b1 c'),
    ('offset alone', [of()], {'offset': 5, 'excludeNested': True}, 'b1 c'),
    ('offset past the end', [of()], {'offset': 50, 'count': 5}, ''),
    ('count=0', [of()], {'count': 0}, ''),
    ('count below zero', [of()], {'count': -1}, 400),
    ('offset below zero', [of()], {'offset': -1}, 400),
    ('excludeNotForUI', [of()], {'excludeNotForUI': True, 'excludeNested': True}, 'a a1 a2 b b1 c'),
    ('exclude-system', [sets('mixed')], {'exclude-system': TO}, 'a c'),
    ('exclude-system of a version', [sets('mixed')], {'exclude-system': TO + '|2'},
     'a c'),
    ('exclude-system of another version', [sets('mixed')],
     {'exclude-system': TO + '|1'}, 'a c x a'),
    ('exclude-system of all', [of()], {'exclude-system': CS}, ''),
    ('system-version', [of()], {'system-version': CS + '|0.5'}, 'a z'),
    ('system-version does not change a pin', [of(version='1.0')],
     {'system-version': CS + '|0.5', 'excludeNested': True}, 'root a a1 a2 b b1 c'),
    ('check-system-version takes the version where none is named', [of()],
     {'check-system-version': CS + '|0.5'}, 'a z'),
    ('check-system-version refuses another', [of(version='1.0')],
     {'check-system-version': CS + '|0.5'}, 422),
    ('force-system-version changes a pin', [of(version='1.0')],
     {'force-system-version': CS + '|0.5'}, 'a z'),
    ('force-system-version that is not here', [of()], {'force-system-version': CS + '|7'}, 404),
    ('the newest version without a pin', [of('z')], {}, ''),
    ('today', [of('c')], {'date': TODAY.isoformat()}, 'c'),
    ('this year', [of('c')], {'date': str(TODAY.year)}, 'c'),
    ('a day that has gone', [of('c')], {'date': str(TODAY.year - 1)}, 400),
    ('a day that is none', [of('c')], {'date': 'soon'}, 400),
]

# what, value set or None, parameters: result, details of issues as a set
VALIDATE = [
    ('a code of the set', 'ab', {'system': CS, 'code': 'a'}, True, set()),
    ('a code outside of it', 'ab', {'system': CS, 'code': 'a1'}, False, {'not-in-vs'}),
    ('no code of the system', 'ab', {'system': CS, 'code': 'q'}, False,
     {'not-in-vs', 'invalid-code'}),
    ('another system', 'ab', {'system': TO, 'code': 'a'}, False,
     {'not-in-vs'}),
    ('a system that is not here', 'ab', {'system': 'urn:nowhere', 'code': 'a'}, False,
     {'not-in-vs', 'not-found'}),
    ('letters of another case', 'ab', {'system': CS, 'code': 'A'}, False,
     {'not-in-vs', 'invalid-code'}),
    ('the right display', 'ab', {'system': CS, 'code': 'a', 'display': 'Alpha'}, True, set()),
    ('a display in another case', 'ab', {'system': CS, 'code': 'a', 'display': 'alpha'}, True,
     set()),
    ('a designation', 'ab', {'system': CS, 'code': 'a', 'display': 'Alfa'}, True, set()),
    ('a wrong display', 'ab', {'system': CS, 'code': 'a', 'display': 'Omega'}, False,
     {'invalid-display'}),
    ('inactive', 'ab', {'system': CS, 'code': 'b'}, True, {'code-comment'}),
    ('inactive, where only active ones count', 'active', {'system': CS, 'code': 'b'}, False,
     {'not-in-vs', 'code-rule', 'code-comment'}),
    ('a version that the system has', 'all', {'system': CS, 'systemVersion': '1.0', 'code': 'a1'},
     True, set()),
    ('a version that is not here', 'all', {'system': CS, 'systemVersion': '9', 'code': 'a1'}, False,
     {'vs-invalid', 'not-found'}),
    ('a code of another version', 'old-all', {'system': CS, 'code': 'z'}, True, set()),
    ('a set of two versions', 'both', {'system': CS, 'code': 'a', 'display': 'Alpha'}, True, set()),
    ('one of several codings', 'ab', {'codeableConcept': {'coding': [
        {'system': CS, 'code': 'a1'}, {'system': CS, 'code': 'c'}]}}, True,
     {'this-code-not-in-vs'}),
    ('none of several codings', 'ab', {'codeableConcept': {'coding': [
        {'system': CS, 'code': 'a1'}, {'system': CS, 'code': 'a2'}]}}, False,
     {'this-code-not-in-vs', 'not-in-vs', 'code-comment'}),
    ('a code of the system alone', None, {'url': CS, 'code': 'a1'}, True, set()),
    ('no code of the system alone', None, {'url': CS, 'code': 'q'}, False, {'invalid-code'}),
    ('a coding of the system', None, {'url': CS, 'coding': {'system': CS, 'code': 'c'}}, True,
     set()),
    ('a coding of another system', None, {'url': CS, 'coding': {'system': TO, 'code': 'x'}}, False,
     {'invalid-code'}),
    ('a concept with a coding of the system', None, {'url': CS, 'codeableConcept': {'coding': [
        {'system': TO, 'code': 'x'}, {'system': CS, 'code': 'c'}]}}, True, set()),
    ('a concept without one', None, {'url': CS, 'codeableConcept': {'coding': [
        {'system': TO, 'code': 'x'}]}}, False, {'invalid-code'}),
    ('a code that only the version of the coding has', 'all', {'coding': {
        'system': CS, 'version': '0.5', 'code': 'z'}}, True, set()),
    ('a context', '', {'context': PATIENT + '#Patient.gender', 'coding': {
        'system': 'http://hl7.org/fhir/administrative-gender', 'code': 'male'}}, True, set()),
    ('a code in a context', '', {'context': PATIENT + '#Patient.gender', 'code': 'male'}, True,
     set()),
    ('a code in a context that does not have it', '',
     {'context': PATIENT + '#Patient.gender', 'code': 'm'}, False, {'not-in-vs', 'cannot-infer'}),
    ('abstract, allowed', 'all', {'system': CS, 'code': 'root'}, True, set()),
    ('abstract, not allowed', 'all', {'system': CS, 'code': 'root', 'abstract': False}, False,
     {'not-in-vs', 'code-rule'}),
]

# what, parameters: values of the answer's own parameters and properties, or an error's status
LOOKUP = [
    ('a code', {'system': CS, 'code': 'a1'},
     {'name': 'Letters', 'version': '1.0', 'display': 'Alpha one', 'kind': 'old', 'rank': 2,
      'loud': True, 'parent': 'a', 'inactive': False}),
    ('a definition', {'system': CS, 'code': 'a'},
     {'definition': 'The first letter', 'child': 'a2'}),
    ('a coding', {'coding': {'system': CS, 'code': 'c'}},
     {'display': 'Gamma ray', 'note': 'late', 'since': '2020-01-01',
      'like': {'system': TO, 'code': 'x'}}),
    ('a version', {'system': CS, 'version': '0.5', 'code': 'a'},
     {'display': 'Alef', 'version': '0.5'}),
    ('a language', {'system': CS, 'code': 'a', 'displayLanguage': 'de'}, {'display': 'Alfa'}),
    ('inactive by its status', {'system': CS, 'code': 'a2'}, {'inactive': True}),
    ('one property', {'system': CS, 'code': 'a1', 'property': 'rank'},
     {'rank': 2, 'kind': None, 'parent': None}),
    ('what R4 has no parameter for', {'system': CS, 'code': 'a', 'property': 'url'},
     {'url': CS, 'rank': None, 'definition': None}),
    ('designations of a language', {'system': CS, 'code': 'a', 'property': 'lang.de'},
     {'designation': {'language': 'de', 'value': 'Alfa'}, 'rank': None}),
    ('no designation of a language', {'system': CS, 'code': 'a', 'property': 'lang.sw'},
     {'designation': None}),
    ('what is for headings alone', {'system': CS, 'code': 'root'}, {'notSelectable': True}),
    ('what is not', {'system': CS, 'code': 'a', 'property': 'notSelectable'},
     {'notSelectable': False}),
    ('properties of a supplement', {'system': CS, 'code': 'a', 'useSupplement': MORE['url']},
     {'rank': 1, 'origin': 'Phoenician'}),
    ('a supplement of another system', {'system': TO, 'code': 'a', 'useSupplement': MORE['url']},
     {'display': 'Another a', 'origin': None}),
    ('a supplement that is not here', {'system': CS, 'code': 'a', 'useSupplement': 'urn:none'},
     404),
    ('a day that has gone', {'system': CS, 'code': 'a', 'date': '2001-01-01'}, 400),
    ('no code of it', {'system': CS, 'code': 'q'}, 404),
    ('no such system', {'system': 'urn:nowhere', 'code': 'q'}, 404),
    ('no such version', {'system': CS, 'version': '9', 'code': 'a'}, 404),
    ('no system', {'code': 'a'}, 400),
    ('no code', {'system': CS}, 400),
]

MAP = {
    'resourceType': 'ConceptMap', 'id': 'map', 'url': 'http://example.org/map', 'version': '1',
    'status': 'active', 'sourceUri': 'http://example.org/all', 'targetUri': 'http://example.org/to',
    'group': [{
        'source': CS, 'target': TO, 'element': [
            {'code': 'a', 'target': [{'code': 'a', 'equivalence': 'equivalent'}]},
            {'code': 'a1', 'target': [{'code': 'a', 'equivalence': 'wider'},
                                      {'code': 'x', 'equivalence': 'inexact'}]},
            {'code': 'b', 'target': [{'equivalence': 'unmatched'}]},
            {'code': 'a2', 'target': [{'code': 'x', 'equivalence': 'disjoint'}]},
        ], 'unmapped': {'mode': 'fixed', 'code': 'x', 'display': 'Ex'}}]}

# what, parameters: result, matches as "equivalence code", or an error's status
TRANSLATE = [
    ('one', {'url': MAP['url'], 'system': CS, 'code': 'a'}, True, ['equivalent a']),
    ('two', {'url': MAP['url'], 'system': CS, 'code': 'a1'}, True, ['wider a', 'inexact x']),
    ('unmatched', {'url': MAP['url'], 'system': CS, 'code': 'b'}, False, None),
    ('disjoint', {'url': MAP['url'], 'system': CS, 'code': 'a2'}, False, None),
    ('what is not in the map', {'url': MAP['url'], 'system': CS, 'code': 'c'}, True,
     ['relatedto x']),
    ('reverse', {'url': MAP['url'], 'system': TO, 'code': 'a',
                 'reverse': True}, True, ['equivalent a', 'narrower a1']),
    ('a target system', {'url': MAP['url'], 'system': CS, 'code': 'a',
                         'targetsystem': TO}, True, ['equivalent a']),
    ('another target system', {'url': MAP['url'], 'system': CS, 'code': 'a',
                               'targetsystem': 'urn:nowhere'}, False, []),
    ('a coding', {'url': MAP['url'], 'coding': {'system': CS, 'code': 'a'}}, True,
     ['equivalent a']),
    ('a concept', {'url': MAP['url'], 'codeableConcept': {'coding': [
        {'system': CS, 'code': 'b'}, {'system': CS, 'code': 'a'}]}}, True, None),
    ('by the sets', {'source': 'http://example.org/all', 'target': 'http://example.org/to',
                     'system': CS, 'code': 'a'}, True, ['equivalent a']),
    ('another system than that of the map',
     {'url': MAP['url'], 'system': 'urn:nowhere', 'code': 'a'}, False, []),
    ('a version of the map', {'url': MAP['url'], 'conceptMapVersion': '1', 'system': CS,
                              'code': 'a'}, True, ['equivalent a']),
    ('no such version', {'url': MAP['url'], 'conceptMapVersion': '2', 'system': CS, 'code': 'a'},
     404, None),
    ('no code', {'url': MAP['url'], 'system': CS}, 400, None),
]

SUBSUMES = [
    ('itself', {'system': CS, 'codeA': 'a', 'codeB': 'a'}, 'equivalent'),
    ('above', {'system': CS, 'codeA': 'root', 'codeB': 'a1'}, 'subsumes'),
    ('below', {'system': CS, 'codeA': 'a1', 'codeB': 'a'}, 'subsumed-by'),
    ('beside', {'system': CS, 'codeA': 'a1', 'codeB': 'b1'}, 'not-subsumed'),
    ('codings', {'codingA': {'system': CS, 'code': 'a'}, 'codingB': {'system': CS, 'code': 'a1'}},
     'subsumes'),
    ('a version', {'system': CS, 'version': '0.5', 'codeA': 'a', 'codeB': 'z'}, 'not-subsumed'),
    ('no code of it', {'system': CS, 'codeA': 'a', 'codeB': 'q'}, 404),
    ('two systems', {'codingA': {'system': CS, 'code': 'a'},
                     'codingB': {'system': TO, 'code': 'x'}}, 400),
    ('no system', {'codeA': 'a', 'codeB': 'a1'}, 400),
]

# RF2: id, effectiveTime, active, moduleId and what a kind of file has besides.
SNOMED = 'http://snomed.info/sct'
ROLE_GROUP, SITE, FORM, NOSE, BODY, SWELLING = (
    '609096000', '363698007', '116676008', '444444004', '123037004', '777777007')
RELEASE = {
    'Concept': ['definitionStatusId', *(f'{code}\t900000000000074008' for code in (
        '138875005', SITE, FORM, NOSE, BODY, SWELLING, '111111001', '222222002'))],
    # Both have a nose, a body and a swelling; what swells is another place in each.
    'Relationship': [
        'sourceId\tdestinationId\trelationshipGroup\ttypeId\tcharacteristicTypeId\tmodifierId',
        *(f'7{n}\t{source}\t{to}\t{group}\t{kind}\t900000000000011006\t900000000000451002'
          for n, (source, to, group, kind) in enumerate((
              ('111111001', NOSE, 1, SITE), ('111111001', SWELLING, 1, FORM),
              ('111111001', BODY, 2, SITE), ('222222002', NOSE, 1, SITE),
              ('222222002', BODY, 2, SITE), ('222222002', SWELLING, 2, FORM),
              ('222222002', BODY, 0, SITE))))]}

# what, properties (of a role group: with a list of subproperties), exact: codes, or an error's
# status
MATCHES = [
    ('a property', CS, [('kind', 'new')], True, ['a', 'b']),
    ('two properties', CS, [('kind', 'new'), ('rank', '1')], True, ['a']),
    ('for a human, the best first', CS, [('kind', 'new'), ('rank', '2')], False, ['a', 'a1', 'b']),
    ('for a human where nothing is said', CS, [('kind', 'new'), ('rank', '2')], None,
     ['a', 'a1', 'b']),
    ('nothing has it', CS, [('kind', 'newest')], True, []),
    ('a code', CS, [('code', 'c')], True, ['c']),
    ('relationships wherever they stand', SNOMED, [(SITE, NOSE), (FORM, SWELLING)], True,
     ['111111001', '222222002']),
    ('in one role group', SNOMED, [(ROLE_GROUP, [(SITE, NOSE), (FORM, SWELLING)])], True,
     ['111111001']),
    ('outside of any', SNOMED, [(ROLE_GROUP, [(SITE, NOSE), (SITE, BODY)])], True, []),
    ('subproperties of what is no role group', SNOMED, [(SITE, [(SITE, NOSE)])], True, 400),
    ('a property without a value', CS, [('kind', None)], True, 400),
    ('no property', CS, [], True, 400),
    ('too many', CS, [('kind', 'new')] * 51, True, 422),
]

TYPES = {'system': 'Uri', 'url': 'Uri', 'code': 'Code', 'codeA': 'Code', 'codeB': 'Code',
         'displayLanguage': 'Code', 'property': 'Code', 'coding': 'Coding', 'codingA': 'Coding',
         'codingB': 'Coding', 'codeableConcept': 'CodeableConcept', 'source': 'Uri',
         'target': 'Uri', 'targetsystem': 'Uri', 'exclude-system': 'Canonical',
         'system-version': 'Canonical', 'check-system-version': 'Canonical',
         'force-system-version': 'Canonical'}


def parameters(values):
    """{name: value} as a Parameters resource."""
    def one(name, v):
        if isinstance(v, dict) and 'resourceType' in v:
            return {'name': name, 'resource': v}
        kind = TYPES.get(name)
        kind = kind or {bool: 'Boolean', int: 'Integer', str: 'String'}[type(v)]
        return {'name': name, 'value' + kind: v}
    return {'resourceType': 'Parameters', 'parameter': [one(*v) for v in values.items()]}


def tree(contains):
    return ' '.join(c['code'] + (f'({tree(c["contains"])})' if 'contains' in c else '')
                    for c in contains)


def values_of(reply):
    """The parameters of an answer by name, and its properties by theirs."""
    found = {}
    for p in reply['parameter']:
        parts = {v['name']: next((x for k, x in v.items() if k.startswith('value')), None)
                 for v in p.get('part', [])}
        if p['name'] == 'property':
            found[parts['code']] = parts.get('value')
        else:
            found[p['name']] = next((x for k, x in p.items() if k.startswith('value')), parts)
    return found


def issues_of(reply):
    outcome = next((p['resource'] for p in reply['parameter'] if p['name'] == 'issues'),
                   {'issue': []})
    return {i['details']['coding'][0]['code'] for i in outcome['issue']}


class Tester:
    def __init__(self, client, score):
        self.client, self.score = client, score

    def ask(self, path, values):
        return self.client.send('POST', '/fhir/' + path, json.dumps(parameters(values)),
                                **{'Content-Type': 'application/fhir+json'})

    def put(self, resource):
        reply = self.client.send('PUT', f'/fhir/{resource["resourceType"]}/{resource["id"]}',
                                 json.dumps(resource), **{'Content-Type': 'application/fhir+json'})
        self.score.check(reply.status in (200, 201), f'{resource["url"]} is stored: {reply}')

    def refused(self, what, reply, status):
        self.score.check(reply.status == status, f'{what}: {status}, not {reply}')

    def expand(self, what, made_of, values, want):
        given = made_of if isinstance(made_of, dict) else value_set('', *made_of)
        given = {**given, 'id': 'x', 'url': 'urn:x'}
        reply = self.ask('ValueSet/$expand', {'valueSet': given, **values})
        if isinstance(want, int):
            return self.refused(what, reply, want)
        got = tree(reply.json()['expansion'].get('contains', [])) if reply.status == 200 else reply
        return self.score.check(got == want, f'$expand, {what}: {want}, not {got}')

    def validate(self, what, name, values, result, details):
        path = 'CodeSystem' if name is None else 'ValueSet'
        given = {'url': f'http://example.org/{name}', **values} if name else values
        reply = self.ask(path + '/$validate-code', given)
        if reply.status != 200:
            return self.refused(what, reply, 200)
        body = reply.json()
        got = values_of(body)['result'], issues_of(body)
        self.score.check(got == (result, details),
                         f'$validate-code, {what}: {result} {details}, not {got}: {reply}')
        return self.score.check(result or 'message' in values_of(body), f'{what}: it says why')

    def lookup(self, what, values, want):
        reply = self.ask('CodeSystem/$lookup', values)
        if isinstance(want, int):
            return self.refused(what, reply, want)
        found = values_of(reply.json())
        got = {name: found.get(name) for name in want}
        return self.score.check(got == want, f'$lookup, {what}: {want}, not {got}')

    def translate(self, what, values, result, matches):
        reply = self.ask('ConceptMap/$translate', values)
        if not isinstance(result, bool):
            return self.refused(what, reply, result)
        body = reply.json()
        got = []
        for p in body.get('parameter', []):
            parts = {v['name']: v for v in p.get('part', [])}
            if p['name'] == 'match':
                got.append(parts['equivalence']['valueCode'] + ' ' +
                           parts.get('concept', {}).get('valueCoding', {}).get('code', ''))
        return self.score.check(
            values_of(body)['result'] == result and (matches is None or got == matches),
            f'$translate, {what}: {result} {matches}, not {reply}')

    def subsumes(self, what, values, want):
        reply = self.ask('CodeSystem/$subsumes', values)
        if isinstance(want, int):
            return self.refused(what, reply, want)
        return self.score.check(values_of(reply.json()).get('outcome') == want,
                                f'$subsumes, {what}: {want}, not {reply}')


def expansions_say(t):
    """What an expansion says of itself, and of its codes."""
    reply = t.ask('ValueSet/$expand', {
        'url': 'http://example.org/as', 'includeDesignations': True, 'property': 'rank',
        'displayLanguage': 'de', 'excludeNested': True, 'count': 1, 'offset': 0}).json()
    expansion = reply['expansion']
    said = {p['name']: next(v for k, v in p.items() if k.startswith('value'))
            for p in expansion['parameter']}
    first = expansion['contains'][0]
    t.score.check(expansion['total'] == 3 and expansion['offset'] == 0, 'total and offset')
    t.score.check('identifier' in expansion and 'timestamp' in expansion,
                  'an expansion has an identifier and a time')
    for name, value in (('displayLanguage', 'de'), ('count', 1), ('includeDesignations', True),
                        ('excludeNested', True)):
        t.score.check(said.get(name) == value, f'the expansion says {name}: {said}')
    t.score.check(said.get('used-codesystem') == CS + '|1.0', f'and the system it used: {said}')
    t.score.check(first['display'] == 'Alfa', f'the display is in the language: {first}')
    t.score.check({'Alpha', 'First'} <= {d['value'] for d in first['designation']},
                  f'and the others are designations: {first}')
    t.score.check('"valueInteger": 1' in json.dumps(first['extension']), f'the property: {first}')
    reply = t.ask('ValueSet/$expand', {'url': 'http://example.org/as', 'property': 'definition'})
    t.score.check('The first letter' in reply.body.decode(), f'the definition: {reply}')
    gender = t.ask('ValueSet/$expand', {'context': PATIENT + '#Patient.gender'})
    t.score.check(gender.status == 200 and gender.json()['expansion']['total'] == 4,
                  f'the set that an element is bound to: {gender}')
    reply = t.ask('ValueSet/$expand', {
        'url': 'http://example.org/plain-set', 'displayLanguage': 'de',
        'includeDesignations': True}).json()
    first = reply['expansion']['contains'][0]
    others = {d['value'] for d in first['designation']}
    t.score.check(first['display'] == 'Hund' and 'Dog' in others,
                  f'the text that another has taken the place of, in no language: {first}')
    for path, name in (('CodeSystem/$validate-code', 'codeSystem'),
                       ('ValueSet/$validate-code', 'valueSet'),
                       ('ConceptMap/$translate', 'conceptMap')):
        t.refused(f'{name} that is none',
                  t.ask(path, {name: PATIENT_BROUGHT, 'system': CS, 'code': 'a'}), 400)
    t.refused('a context without a binding',
              t.ask('ValueSet/$expand', {'context': PATIENT + '#Patient.birthDate'}), 404)
    t.refused('a context that is nowhere', t.ask('ValueSet/$expand', {'context': 'urn:x#y'}), 404)


def instances(t):
    """An operation on an instance is about it, whatever else has its url."""
    system = {'resourceType': 'CodeSystem', 'url': 'http://example.org/grown', 'status': 'active',
              'content': 'complete'}
    shown = {'valueSet': ['http://example.org/ab']}
    for name, version, code in (('g0', None, 'z'), ('g1', '1', 'x'), ('g2', '2', 'y')):
        own = {'id': name, **({'version': version} if version else {})}
        t.put({**system, **own, 'concept': [concept(code, code)]})
        given = value_set(name, {**of({'z': 'a', 'x': 'b', 'y': 'c'}[code]), **shown})
        given.pop('version')
        t.put({**given, **own, 'url': 'http://example.org/grown-set'})
    for name, code, member in (('g0', 'z', 'a'), ('g1', 'x', 'b'), ('g2', 'y', 'c')):
        reply = t.client.get(f'/fhir/ValueSet/{name}/$expand')
        got = [c['code'] for c in reply.json()['expansion']['contains']]
        t.score.check(got == [member], f'ValueSet/{name}/$expand: {member}, not {reply}')
        for path, asked, want in (
                (f'ValueSet/{name}/$validate-code?system={CS}&code=', member, True),
                (f'ValueSet/{name}/$validate-code?system={CS}&code=', 'root', False),
                (f'CodeSystem/{name}/$validate-code?code=', code, True),
                (f'CodeSystem/{name}/$validate-code?code=', 'w', False)):
            reply = t.client.get('/fhir/' + path + asked)
            t.score.check(values_of(reply.json())['result'] == want,
                          f'{path}{asked}: {want}, not {reply}')


def parts_of(code, value):
    parts = [{'name': 'code', 'valueCode': code}]
    if isinstance(value, list):
        return parts + [{'name': 'subproperty', 'part': parts_of(*v)} for v in value]
    return parts + ([{'name': 'value', 'valueString': value}] if value else [])


def finds_matches(t):
    for what, system, wanted, exact, want in MATCHES:
        asked = parameters({'system': system} if exact is None else
                           {'system': system, 'exact': exact})
        asked['parameter'] += [{'name': 'property', 'part': parts_of(*w)} for w in wanted]
        reply = t.client.send('POST', '/fhir/CodeSystem/$find-matches', asked)
        if isinstance(want, int):
            t.refused(what, reply, want)
            continue
        got = [p['part'][0]['valueCoding']['code'] for p in reply.json().get('parameter', [])]
        t.score.check(got == want, f'$find-matches, {what}: {want}, not {reply}')


def role_groups(t):
    """$lookup tells a concept's relationships as they stand together."""
    def groups(**values):
        reply = t.ask('CodeSystem/$lookup', {'system': SNOMED, 'code': '222222002', **values})
        found = []
        for p in reply.json()['parameter']:
            if p['name'] == 'property' and p['part'][0]['valueCode'] in (ROLE_GROUP, SITE, FORM):
                inside = [v['part'] for v in p['part'] if v['name'] == 'subproperty']
                found.append([tuple(v[key] for v in part[:2] for key in v if key != 'name')
                              for part in inside or [p['part']]])
        return found

    whole = [[(SITE, NOSE)], [(SITE, BODY), (FORM, SWELLING)], [(SITE, BODY)]]
    for what, values, want in (
            ('all', {}, whole), ('the groups', {'property': ROLE_GROUP}, whole[:2]),
            ('one attribute', {'property': FORM}, [[(FORM, SWELLING)]])):
        t.score.check(groups(**values) == want, f'role groups, {what}: {want}, not '
                                                f'{groups(**values)}')


def load_release(folder):
    paths = []
    for kind, (head, *rows) in RELEASE.items():
        paths.append(os.path.join(folder.path, f'sct2_{kind}_Snapshot_INT_20240101.txt'))
        with open(paths[-1], 'w', encoding='utf-8') as f:
            print('id', 'effectiveTime', 'active', 'moduleId', head, sep='\t', file=f)
            for row in rows:
                code, rest = row.split('\t', 1)
                print(code, '20240101', '1', '900000000000207008', rest, sep='\t', file=f)
    folder.run('terminology', 'load', *paths)


def many_at_once(t):
    """$batch-validate-code: each question is answered for itself."""
    def question(**values):
        return {'name': 'validation', 'resource': parameters(values)}

    def ask(*questions, **all_of):
        body = parameters(all_of)
        body['parameter'] += questions
        return t.client.send('POST', '/fhir/ValueSet/$batch-validate-code', body)

    url = 'http://example.org/ab'
    reply = ask(question(coding={'system': CS, 'code': 'a'}),
                question(coding={'system': CS, 'code': 'a1'}),
                question(coding={'system': CS, 'code': 'a1'}, url='http://example.org/as'),
                question(coding={'system': CS, 'code': 'a'}, url='http://example.org/none'),
                {'name': 'validation', 'valueString': 'x'}, question(), url=url)
    got = [p['resource'] for p in reply.json()['parameter']]
    t.score.check([values_of(v).get('result') for v in got[:3]] == [True, False, True],
                  f'each is answered: {reply}')
    t.score.check([v['resourceType'] for v in got[3:]] == ['OperationOutcome'] * 3 and
                  [v['issue'][0]['code'] for v in got[3:]] == ['not-found', 'value', 'required'],
                  f'what is wrong with one is said of it: {reply}')
    t.refused('no questions', ask(url=url), 400)
    t.refused('too many questions', ask(*[question()] * 1001, url=url), 422)


def main():
    score = Score()
    with Folder(sys.argv[1]) as folder:
        load_release(folder)
        with Node(folder) as node:
            t = Tester(node.client(), score)
            for resource in (OTHER, OLD, SYSTEM, MORE, PLAIN, *SETS, MAP):
                t.put(resource)
            for rows, check in ((EXPAND, t.expand), (VALIDATE, t.validate), (LOOKUP, t.lookup),
                                (TRANSLATE, t.translate), (SUBSUMES, t.subsumes)):
                for row in rows:
                    check(*row)
            expansions_say(t)
            many_at_once(t)
            finds_matches(t)
            instances(t)
            role_groups(t)
    return score.end()


if __name__ == '__main__':
    sys.exit(main())
