#!/usr/bin/env python3
"""Each rule that validation holds beyond structure, on resources that keep it and that break it:
rules.py CARNET

What is expected follows from http://hl7.org/fhir/R4/: datatypes.html, references.html,
narrative.html, bundle.html, documents.html, messaging.html, profiling.html, elementdefinition.html,
structuredefinition.html, valueset.html, codesystem.html, questionnaire.html, measurereport.html. A
case is a resource and what an error (or, behind "warning:", a warning) has to say of it, at which
element; None: it has no errors.
"""
import concurrent.futures
import json
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import node as nodes  # noqa: E402

TEXT = {'status': 'generated', 'div': '<div xmlns="http://www.w3.org/1999/xhtml">x</div>'}
P, X, Q = 'http://example.org/p', 'http://example.org/x', 'http://example.org/q'
BASE = 'http://hl7.org/fhir/StructureDefinition/'
CATEGORY = 'http://terminology.hl7.org/CodeSystem/observation-category'
UCUM = 'http://unitsofmeasure.org'
RENDERED = {'extension': [{'url': BASE + 'rendered-value', 'valueString': 'x'}]}
CASES = []


def case(resource, says=None, *definitions, profile=None):
    CASES.append((resource, says, definitions, profile))


def resource(kind, /, **members):
    return {'resourceType': kind, 'text': TEXT, **members}


def patient(**members):
    return resource('Patient', **members)


def observation(**members):
    return resource('Observation', **{'status': 'final', 'code': {'text': 'x'}, **members})


def element(name, **members):
    """By its id; path and sliceName follow from that."""
    made = {'id': name, 'path': re.sub(r':[^.]*', '', name), **members}
    last = name.split('.')[-1]
    if ':' in last:
        made['sliceName'] = last.split(':')[1]
    return made


def definition(kind, /, *elements, **members):
    return resource('StructureDefinition', **{
        'url': P, 'name': 'P', 'status': 'draft', 'kind': 'resource', 'abstract': False,
        'type': kind, 'baseDefinition': BASE + kind, 'derivation': 'constraint',
        'differential': {'element': list(elements)}, **members})


def sliced(name, by, path, rules='open', **members):
    return element(name, slicing={'discriminator': [{'type': by, 'path': path}], 'rules': rules,
                                  **members})


def entries(*resources, base='http://a.org/fhir'):
    return [{'fullUrl': f'{base}/{r["resourceType"]}/{i}', 'resource': {**r, 'id': str(i)}}
            for i, r in enumerate(resources)]


def held(profile, *pairs, others=()):
    """Resources against a profile: (resource, says)."""
    for made, says in pairs:
        case(made, says, profile, *others, profile=P)


def data_types():
    def media(**content):
        return resource('Media', status='completed', content={'contentType': 'text/plain',
                                                              'data': 'aGVsbG8=', **content})

    def quantity(code):
        return observation(valueQuantity={'value': 1, 'system': UCUM, 'code': code})

    def identifier(system, value):
        return patient(identifier=[{'system': system, 'value': value}])

    def coding(**members):
        return observation(category=[{'coding': [members]}])

    def narrative(inner):
        return {'resourceType': 'Patient', 'text': {
            'status': 'generated',
            'div': f'<div xmlns="http://www.w3.org/1999/xhtml">{inner}</div>'}}

    case(media(size=5))
    case(media(size=100), 'Media.content.size is not the number of bytes')
    case(media(data='%%%'), 'Media.content.data is not base64')
    case(media(contentType='text'), 'Media.content.contentType is no media type')
    case(media(hash='qvTGHdzF6KLavt4PO0gs2a6pQ00='))
    case(media(hash='AAAAAAAAAAAAAAAAAAAAAAAAAAA='), 'Media.content.hash is not the SHA-1')
    case(media(hash='qvTGHdzF'), 'Media.content.hash is not the SHA-1')
    case(patient(birthDate='1799'), 'warning:Patient.birthDate is a date before')
    case(patient(birthDate='1800-01-01'))
    case(patient(birthDate='2201'), 'warning:Patient.birthDate is a date before')
    case(patient(name=[{'family': '  '}]), 'warning:Patient.name[0].family has nothing but blanks')
    case(patient(name=[{'family': 'x '}]), 'warning:Patient.name[0].family begins or ends')

    def samples(data):
        return observation(valueSampledData={'origin': {'value': 0}, 'period': 10,
                                             'dimensions': 1, 'data': data})

    case(samples('2 -4.5 E L U 1e3'))
    case(samples('2  4'), 'Observation.value.data is no series of decimals')
    case(samples('2 x'), 'Observation.value.data is no series of decimals')
    case(quantity('mg/dL'))
    case(quantity('blurb'), 'Observation.value.code is no unit of UCUM')
    case(quantity('{tablets}'))
    case(patient(language='de-CH'))
    case(patient(language='x-mine'))
    case(patient(language='english'), 'Patient.language is no language tag')
    case(patient(language='e1'), 'Patient.language is no language tag')
    case(patient(communication=[{'language': {'coding': [
        {'system': 'urn:ietf:bcp:47', 'code': 'qqqq-zz'}]}}]), 'is no language tag')
    case(identifier('urn:ietf:rfc:3986', 'urn:uuid:53fefa32-fcbb-4ff8-8a92-55ee120877b7'))
    case(identifier('urn:ietf:rfc:3986', 'urn:oid:1.2.840'))
    case(identifier('urn:ietf:rfc:3986', 'urn:uuid:nope'), 'Patient.identifier[0].value is no UUID')
    case(identifier('urn:ietf:rfc:3986', 'urn:oid:1.02'), 'Patient.identifier[0].value is no OID')
    case(identifier('urn:ietf:rfc:3986', '12345'), 'is no absolute URI')
    case(identifier('urn:oid:1.2.x', '1'), 'Patient.identifier[0].system is no OID')
    case(identifier('mine', '1'), 'Patient.identifier[0].system is not absolute')
    case(coding(system=CATEGORY, code='laboratory'))
    case(coding(system=CATEGORY, code='none'), 'has the code "none", which is not in')
    case(coding(system=CATEGORY, code='laboratory', display='LABORATORY'))
    case(coding(system=CATEGORY, code='laboratory', display='Kitchen'),
         'warning:Observation.category[0].coding[0].display is not')
    case(coding(system='mine', code='a'), 'coding[0].system is not absolute')
    case(coding(code='a'), 'warning:coding[0] has a code without a system')
    case(coding(system='http://loinc.org', code='8310-5'))
    case(coding(system='http://loinc.org', code='8310-6'), 'code has a wrong check digit')
    case(coding(system='http://loinc.org', code='abc'), 'code is not of the form of a LOINC code')
    case(coding(system='http://snomed.info/sct', code='22298006'))
    case(coding(system='http://snomed.info/sct', code='22298007'), 'code has a wrong check digit')
    case(coding(system='http://snomed.info/sct', code='763158003:732943007=421323000'))
    for system in ('https://loinc.org', 'http://www.loinc.org', 'http://LOINC.org',
                   'http://loinc.org/'):
        case(coding(system=system, code='8310-5'), 'is not the URI of the system, which is http')
    case(coding(system='urn:oid:2.16.840.1.113883.6.1', code='8310-5'),
         'warning:coding[0].system is the OID of a system')
    case(coding(system='http://hl7.org/fhir/none', code='a'), 'warning:coding[0] was not looked up')
    case(coding(system='http://hl7.org/fhir/ValueSet/observation-category', code='laboratory'),
         'coding[0].system is a value set')
    case(patient(name=[{'id': 'a', 'family': 'x'}, {'id': 'b', 'family': 'y'}]))
    case(patient(name=[{'id': 'a', 'family': 'x'}, {'id': 'a', 'family': 'y'}]),
         'Patient.name[1].id stands twice')
    case(narrative('x'))
    case(narrative('<img src="#a" alt="b"/>'))
    case(narrative(' <p> </p>\n'), 'txt-2')
    for inner, says in (
            ('<a href="#x">y</a><p id="x">z</p>', None),
            ('<a href="#x">y</a><a name="x">z</a>', None),
            ('<a href="#own">y</a>', None),
            ('<img src="#pic" alt="b"/>', None),
            ('<a href="#">top</a><a href="http://a.org/#x">y</a>', None),
            ('<a href="#n">x</a>' * 3, 'warning:Patient.text.div has a link to "#n", which'),
            ('<img src="#n" alt="b"/>', 'warning:Patient.text.div has a link to "#n", which'),
            ('<p id="a">x</p><p id="a">y</p>', 'warning:several elements with the id "a"')):
        case({**narrative(inner), 'name': [{'id': 'own', 'family': 'x'}],
              'photo': [{'url': '#pic'}], 'contained': [{
                  'resourceType': 'Binary', 'id': 'pic', 'contentType': 'image/png'}]}, says)
    case(narrative('<script>x</script>'), 'Patient.text.div has an element')
    case(narrative('<p onclick="x">x</p>'), 'Patient.text.div has an attribute')
    case(patient(managingOrganization={'reference': 'Organization?identifier=1'}),
         'managingOrganization.reference is a search')
    case(patient(managingOrganization={'reference': 'Organization/1'}))
    case(patient(managingOrganization={'reference': 'urn:uuid:x'}),
         'managingOrganization.reference is no UUID')
    inner = resource('Organization', id='a', name='x')
    case(patient(contained=[inner, {**inner, 'id': 'b', 'partOf': {'reference': '#a'}}],
                 managingOrganization={'reference': '#b'}))
    case(patient(contained=[inner, inner], managingOrganization={'reference': '#a'}),
         'Patient.contained[1].id is the id of another contained')
    case({'resourceType': 'Bundle', 'type': 'transaction', 'entry': [
        {'request': {'method': 'POST', 'url': 'Patient'}, 'resource': patient(
            managingOrganization={'reference': 'Organization?identifier=1'})}]})


def slicing():
    value = sliced('Observation.value[x]', 'type', '$this')
    quantity = element('Observation.value[x]:valueQuantity', min=0, type=[{'code': 'Quantity'}])
    held(definition('Observation', element('Observation.valueQuantity', min=1)),
         (observation(valueQuantity={'value': 1}), None),
         (observation(valueString='x'), 'of the slice valueQuantity'),
         (observation(), 'of the slice valueQuantity'))
    held(definition('Observation', value, quantity,
                    element('Observation.value[x]:valueQuantity.unit', min=1)),
         (observation(valueString='x'), None),
         (observation(valueQuantity={'value': 1}), 'Observation.value.unit is required'),
         (observation(valueQuantity={'value': 1, 'unit': 'a'}), None))
    held(definition('Observation', sliced('Observation.value[x]', 'type', '$this', 'closed'),
                    quantity), (observation(valueString='x'), 'is of none of the slices'))

    def names(rules, ordered):
        return definition(
            'Patient', sliced('Patient.name', 'value', 'use', rules, ordered=ordered),
            element('Patient.name:a', min=0),
            element('Patient.name:a.use', min=1, fixedCode='official'),
            element('Patient.name:b', min=0),
            element('Patient.name:b.use', min=1, fixedCode='nickname'))

    def named(*uses):
        return patient(name=[{'use': use, 'family': 'f'} for use in uses])

    held(names('open', True), (named('official', 'nickname'), None),
         (named('nickname', 'official'), 'has to stand earlier'))
    held(names('openAtEnd', False), (named('official', 'old'), None),
         (named('old', 'official'), 'behind what is of none'))
    held(names('closed', False), (named('official'), None), (named('old'), 'is of none'))
    held(definition(
        'Patient', sliced('Patient.identifier', 'value', 'system'),
        {**sliced('Patient.identifier:a', 'value', 'use'), 'min': 1, 'max': '3'},
        element('Patient.identifier:a.system', min=1, fixedUri='http://a.org'),
        element('Patient.identifier:a/x', min=1, max='1'),
        element('Patient.identifier:a/x.use', min=1, fixedCode='official')),
         (patient(identifier=[{'system': 'http://a.org', 'use': 'official'}]), None),
         (patient(identifier=[{'system': 'http://a.org', 'use': 'usual'}]), 'of the slice a/x'))
    held(definition(
        'Patient', sliced('Patient.contact', 'exists', 'gender', 'closed'),
        element('Patient.contact:g', max='1'), element('Patient.contact:g.gender', min=1),
        element('Patient.contact:n', max='1'), element('Patient.contact:n.gender', max='0')),
         (patient(contact=[{'name': {'text': 'x'}, 'gender': 'male'}, {'name': {'text': 'x'}}]),
          None),
         (patient(contact=[{'name': {'text': 'x'}, 'gender': 'male'}] * 2), '2 of the slice g'))
    laboratory = {'coding': [{'system': CATEGORY, 'code': 'laboratory'}]}
    held(definition(
        'Observation', {**sliced('Observation.category', 'pattern', '$this'), 'min': 1},
        element('Observation.category:lab', min=1, max='1', patternCodeableConcept=laboratory)),
         (observation(category=[{**laboratory, 'text': 'x'}]), None),
         (observation(category=[{'text': 'x'}]), '0 of the slice lab'))
    held(definition(
        'Observation', sliced('Observation.category', 'value', '$this', 'closed'),
        element('Observation.category:k', min=1, binding={
            'strength': 'required',
            'valueSet': 'http://hl7.org/fhir/ValueSet/observation-category'})),
         (observation(category=[laboratory]), None),
         (observation(category=[{'text': 'x'}]), 'is of none of the slices'))
    held(definition(
        'Patient', sliced('Patient.name', 'value', 'period.start'),
        element('Patient.name:a', max='1'), element('Patient.name:a.period', min=1),
        element('Patient.name:a.period.start', min=1, fixedDateTime='2000')),
         (patient(name=[{'period': {'start': y}} for y in ('2000', '2001', '2001')]), None),
         (patient(name=[{'period': {'start': '2000'}}] * 2), '2 of the slice a'))
    held(definition(
        'Observation', sliced('Observation.performer', 'type', 'resolve()', 'closed'),
        element('Observation.performer:p', max='1', type=[
            {'code': 'Reference', 'targetProfile': [BASE + 'Patient']}]),
        element('Observation.performer:o', max='1', type=[
            {'code': 'Reference', 'targetProfile': [BASE + 'Organization']}])),
         (observation(performer=[{'reference': 'Patient/1'}, {'reference': 'Organization/1'}]),
          None),
         (observation(performer=[{'type': 'Patient', 'display': 'x'}]), None),
         (observation(performer=[{'reference': 'Patient/1'}, {'reference': 'Patient/2'}]),
          '2 of the slice p'),
         (observation(performer=[{'reference': 'Practitioner/1'}]), 'is of none of the slices'))


def slicing_bundles():
    subject = definition('Observation', element('Observation.subject', min=1), url=Q)
    by_type = definition(
        'Bundle', sliced('Bundle.entry', 'type', 'resource', 'closed'),
        element('Bundle.entry:p', min=1, max='1'),
        element('Bundle.entry:p.resource', min=1, type=[{'code': 'Patient'}]),
        element('Bundle.entry:o', min=0, max='*'),
        element('Bundle.entry:o.resource', min=1, type=[{'code': 'Observation', 'profile': [Q]}]))
    by_profile = definition(
        'Bundle', sliced('Bundle.entry', 'profile', 'resource'),
        element('Bundle.entry:o', min=1, max='1'),
        element('Bundle.entry:o.resource', min=1, type=[{'code': 'Observation', 'profile': [Q]}]))
    good = observation(subject={'display': 'x'})

    def bundle(*resources):
        return {'resourceType': 'Bundle', 'type': 'collection', 'entry': entries(*resources)}

    held(by_type, (bundle(patient(), good), None),
         (bundle(patient(), observation()), 'Bundle.entry[1].resource.subject is required'),
         (bundle(good), '0 of the slice p'), (bundle(patient(), patient()), '2 of the slice p'),
         (bundle(patient(), resource('Device')), 'is of none of the slices'), others=[subject])
    held(by_profile, (bundle(good), None), (bundle(observation()), '0 of the slice o'),
         others=[subject])


def extensions():
    defined = resource(
        'StructureDefinition', url=X, name='X', status='draft', kind='complex-type',
        abstract=False, type='Extension', baseDefinition=BASE + 'Extension',
        derivation='constraint', context=[{'type': 'element', 'expression': 'Patient'},
                                          {'type': 'element', 'expression': 'HumanName'}],
        differential={'element': [element('Extension'), element('Extension.url', fixedUri=X),
                                  element('Extension.value[x]', min=1, type=[{'code': 'code'}])]})
    one = {'url': X, 'valueCode': 'a'}
    needed = definition('Patient', sliced('Patient.extension', 'value', 'url'), element(
        'Patient.extension:x', min=1, max='1', type=[{'code': 'Extension', 'profile': [X]}]))
    held(needed, (patient(extension=[one]), None), (patient(), '0 of the slice x'),
         (patient(extension=[one, one]), '2 of the slice x'),
         (patient(extension=[{'url': X, 'valueString': 'a'}]), 'has the type string'),
         (patient(extension=[one], contact=[{'extension': [one], 'name': {'text': 'x'}}]),
          'may not stand here'), others=[defined])
    held(definition(
        'Patient', sliced('Patient.name', 'value', f"extension('{X}').value"),
        element('Patient.name:a', max='1'),
        sliced('Patient.name:a.extension', 'value', 'url'),
        element('Patient.name:a.extension:x', min=1, type=[
            {'code': 'Extension', 'profile': [X]}]),
        element('Patient.name:a.extension:x.value[x]', fixedCode='q')),
         *((patient(name=[{'family': 'f', 'extension': [{'url': X, 'valueCode': c}]}
                          for c in codes]), says)
           for codes, says in (('qrr', None), ('qq', '2 of the slice a'))), others=[defined])


def values():
    held(definition('Patient', element('Patient.gender', fixedCode='male')),
         (patient(gender='male'), None), (patient(gender='female'), 'is not the fixed value'),
         (patient(gender='male', _gender=RENDERED), 'is not the fixed value'))
    held(definition('Patient', element('Patient.gender', patternCode='male')),
         (patient(gender='male', _gender=RENDERED), None))
    coded = {'coding': [{'system': 'http://loinc.org', 'code': '1-8'}]}
    shown = observation(code={'coding': [{**coded['coding'][0], 'display': 'x'}]})
    held(definition('Observation', element('Observation.code', fixedCodeableConcept=coded)),
         (observation(code=coded), None), (shown, 'is not the fixed value'))
    held(definition('Observation', element('Observation.code', patternCodeableConcept=coded)),
         (shown, None))

    def grams(value, unit='g'):
        return {'value': value, 'system': UCUM, 'code': unit, 'unit': unit}

    held(definition('Observation', element(
        'Observation.valueQuantity', mustSupport=True, minValueQuantity=grams(1),
        maxValueQuantity=grams(5))),
         (observation(), None), (observation(valueQuantity=grams(2)), None),
         (observation(valueQuantity=grams(0.5)), 'less than the minimum'),
         (observation(valueQuantity=grams(6)), 'more than the maximum'),
         (observation(valueQuantity=grams(2000, 'mg')), None),
         (observation(valueQuantity=grams(6000, 'mg')), 'more than the maximum'))
    held(definition('Patient', element('Patient.name.family', maxLength=3)),
         (patient(name=[{'family': 'äöü'}]), None), (patient(name=[{'family': 'abcd'}]), 'longer'))
    held(definition('Patient', element('Patient.birthDate', minValueDate='2000-01-01')),
         (patient(birthDate='2001'), None), (patient(birthDate='1999-12-31'), 'less than'))


def references():
    born = definition('Patient', element('Patient.birthDate', min=1), url=Q)
    subject = definition('Observation', element('Observation.subject', type=[
        {'code': 'Reference', 'targetProfile': [Q], 'aggregation': ['contained']}]))

    def about(**who):
        return observation(contained=[{'id': 'a', **who}], subject={'reference': '#a'})

    held(subject, (about(resourceType='Patient', birthDate='2000'), None),
         (about(resourceType='Patient'), 'conforms to none of the profiles'),
         (about(resourceType='Group', type='person', actual=True), 'not among what is allowed'),
         (observation(subject={'reference': 'Patient/1'}), 'outside of this'), others=[born])
    case({**patient(), 'meta': {'profile': [Q + '|1.0']}}, 'Patient.birthDate is required',
         {**born, 'version': '1.0'})
    case({**patient(), 'meta': {'profile': [Q + '|2.0']}}, 'warning:not known here',
         {**born, 'version': '1.0'})
    case(patient(meta={'profile': [BASE + 'Patient', BASE + 'DomainResource|4.0.1']}))
    case(patient(meta={'profile': [BASE + 'Observation']}),
         'Patient is not a Observation, which it claims to be')
    case(patient(meta={'profile': ['mine']}), 'warning:meta.profile[0] is no canonical')
    named = resource(
        'StructureDefinition', url=X, name='H', status='draft', kind='complex-type',
        abstract=False, type='HumanName', baseDefinition=BASE + 'HumanName',
        derivation='constraint', differential={'element': [element('HumanName.family', min=1)]})
    held(definition('Patient', element('Patient.name', type=[
        {'code': 'HumanName', 'profile': [X]}])),
         (patient(name=[{'family': 'x'}]), None),
         (patient(name=[{'text': 'x'}]), 'Patient.name[0].family is required'),
         (observation(), 'is not a Patient'), others=[named])
    held(definition('Patient', element('Patient.gender', min=1), baseDefinition=Q),
         (patient(gender='male', birthDate='2000'), None),
         (patient(gender='male'), 'Patient.birthDate is required'), others=[born])

    def nested(**inner):
        return resource('Questionnaire', status='active', item=[
            {'linkId': 'a', 'type': 'group', 'item': [{'linkId': 'b', 'type': 'string', **inner}]}])

    held(definition('Questionnaire', element('Questionnaire.item.item.prefix', min=1)),
         (nested(prefix='x'), None), (nested(), 'Questionnaire.item[0].item[0].prefix is required'))


def bundles():
    uuid = 'urn:uuid:00000000-0000-4000-8000-00000000000'
    composition = resource('Composition', status='final', type={'text': 'x'}, date='2020-01-01',
                           author=[{'reference': uuid + '2'}], title='x')
    practitioner = resource('Practitioner')

    def document(*resources, **changes):
        made = {'resourceType': 'Bundle', 'type': 'document', 'timestamp': '2020-01-01T00:00:00Z',
                'identifier': {'system': 'http://a.org', 'value': '1'},
                'entry': [{'fullUrl': uuid + str(i + 1), 'resource': r}
                          for i, r in enumerate(resources)], **changes}
        return {k: v for k, v in made.items() if v is not None}

    def with_entry(**changes):
        made = document(composition, practitioner)
        made['entry'][1] = {k: v for k, v in {**made['entry'][1], **changes}.items()
                            if v is not None}
        return made

    case(document(composition, practitioner))
    case(document(practitioner, composition), 'bdl-11')
    case(document(composition), 'Bundle.entry[0].resource.author[0] refers to what is not in')
    case(document(composition, practitioner, identifier=None), 'bdl-9')
    case(document(composition, practitioner, timestamp=None), 'bdl-10')
    case(with_entry(fullUrl=uuid + '1'), 'bdl-7')
    case(with_entry(fullUrl=None), 'Bundle.entry[1] has a resource, but no fullUrl')
    case(with_entry(fullUrl='Practitioner/1'), 'Bundle.entry[1].fullUrl is not absolute')
    case(with_entry(fullUrl='urn:uuid:zzz'), 'Bundle.entry[1].fullUrl is no UUID')
    case(with_entry(request={'method': 'GET', 'url': 'x'}), 'bdl-3')

    case(document(composition, practitioner, patient()),
         'warning:Bundle.entry[2] belongs to nothing that the Composition leads to')
    case(document(composition, practitioner, observation(performer=[{'reference': uuid + '2'}])),
         'warning:Bundle.entry[2] refers to the document, but')
    case(document({**composition, 'section': [{'title': 'x', 'entry': [
        {'reference': uuid + '3'}]}]}, practitioner, observation(subject={'reference': uuid + '4'}),
                  patient()))
    case(document(composition, practitioner, resource(
        'Provenance', target=[{'reference': uuid + '1'}], recorded='2020-01-01T00:00:00Z',
        agent=[{'who': {'reference': uuid + '2'}}])))
    case(document({**composition, 'attester': [{'mode': 'legal', 'party': {
        'reference': 'Practitioner/9'}}]}, practitioner), 'attester[0].party refers to what is not')
    case(document({**composition, 'event': [{'detail': [{'reference': 'Procedure/9'}]}]},
                  practitioner), 'event[0].detail[0] refers to what is not')

    def versioned(wanted, has):
        made = document({**composition, 'author': [{'reference': 'Practitioner/1' + wanted}]},
                        {**practitioner, 'id': '1', **has})
        made['entry'][0].update(fullUrl='http://a.org/fhir/Composition/c',
                                resource={**made['entry'][0]['resource'], 'id': 'c'})
        made['entry'][1]['fullUrl'] = 'http://a.org/fhir/Practitioner/1'
        return made

    case(versioned('', {'meta': {'versionId': '2'}}))
    case(versioned('/_history/2', {'meta': {'versionId': '2'}}))
    case(versioned('/_history/2', {}))
    case(versioned('/_history/3', {'meta': {'versionId': '2'}}), 'refers to what is not in the doc')
    header = resource('MessageHeader', eventUri='http://x.org/e',
                      source={'endpoint': 'http://x.org/s'}, focus=[{'reference': uuid + '2'}])
    message = document(header, patient(), type='message', identifier=None)
    case(message)
    case({**message, 'entry': message['entry'][:1]}, 'refers to what is not in the message')
    case({**message, 'entry': message['entry'][1:]}, 'bdl-12')


def bundled_references():
    uuid = 'urn:uuid:00000000-0000-4000-8000-00000000000'

    def collection(*resources, kind='collection'):
        return {'resourceType': 'Bundle', 'type': kind, 'entry': [
            {'fullUrl': uuid + str(i), 'resource': r} for i, r in enumerate(resources)]}

    one = {'reference': uuid + '1'}
    case(collection(observation(subject=one), patient()))
    case(collection(observation(subject={**one, 'type': 'Patient'}), patient()))
    case(collection(observation(subject={**one, 'type': 'Group'}), patient()),
         'subject.type is not the type of what the reference leads to, a Patient')
    case(collection(observation(encounter=one), patient()),
         'encounter.reference leads to a Patient, which is not among')
    case(collection(observation(subject=one)), 'subject.reference names no entry of the Bundle')
    batch = collection(observation(subject=one), patient(), kind='batch')
    for entry in batch['entry']:
        entry['request'] = {'method': 'POST', 'url': entry['resource']['resourceType']}
    case(batch, 'warning:subject.reference leads to another entry of a batch')
    case({**batch, 'type': 'transaction'})


def requests():
    def bundle(*requests, kind='transaction'):
        return {'resourceType': 'Bundle', 'type': kind, 'entry': [
            {'request': {'method': method, 'url': url}, **(
                {'resource': patient(id='1')} if method in ('POST', 'PUT') else {})}
            for method, url in requests]}

    for method, url, says in (
            ('POST', 'Patient', None), ('POST', 'Patient/$validate', None),
            ('POST', 'Observation', 'request.url names another type'),
            ('POST', 'Patient/1', 'request.url names an id, which a create'),
            ('PUT', 'Patient/1', None), ('PUT', 'Patient?identifier=1', None),
            ('PUT', 'Observation/1', 'request.url names another type'),
            ('PUT', 'Patient/2', 'request.url names another id'),
            ('PUT', 'Patient', 'request.url names no id, which an update'),
            ('GET', 'Patient/1', None), ('DELETE', 'Patient/1', None)):
        case(bundle((method, url)), says)
    twice = ('DELETE', 'Patient/1'), ('PUT', 'Patient/1')
    case(bundle(*twice), 'entry[1].request.url is changed by another entry')
    case(bundle(*twice, kind='batch'))
    only = bundle(('PUT', 'Patient/1'))
    only['entry'][0]['request']['ifNoneExist'] = 'identifier=1'
    case(only, 'warning:ifNoneExist means something for a create only')
    for status, says in (('201 Created', None), ('412', None), ('done', 'begin with a status'),
                         ('2000', 'begin with a status')):
        case({'resourceType': 'Bundle', 'type': 'transaction-response',
              'entry': [{'response': {'status': status}}]}, says)
    found = {'resourceType': 'Bundle', 'type': 'searchset'}
    case({**found, 'link': [{'relation': 'self', 'url': 'http://a.org/Patient'}]})
    case(found, 'warning:Bundle does not say what was searched for')


def definitions():
    name = element('Patient.name', min=1)
    case(definition('Patient', name))
    for bad, says in (
            (element('Patient.nname', min=1), 'is not an element of Patient'),
            (element('Patient.gender', max='2'), 'has a higher max than its base'),
            (element('Patient.gender', binding={
                'strength': 'example',
                'valueSet': 'http://hl7.org/fhir/ValueSet/administrative-gender'}),
             'a weaker binding'),
            (element('Patient.birthDate', fixedString='x'), 'fixedString is of a type'),
            (element('Patient.name', min=3, max='2'), 'has a min above its max'),
            (element('Patient.name', constraint=[{'key': 'a-1', 'severity': 'error', 'human': 'x',
                                                  'expression': 'none( ++'}]),
             'constraint[0].expression is no FHIRPath'),
            (element('Patient.name:a', min=1), 'sliceName is a slice of an element'),
            (element('Patient.name', slicing={'rules': 'open'}), 'eld-1'),
            (element('Observation.code', min=1), 'begins with another type')):
        case(definition('Patient', bad), says)
    case(definition('Observation', element('Observation.value[x]', type=[{'code': 'Address'}])),
         'has a type that its base does not have')
    case(definition('Patient', name, baseDefinition='http://nowhere.org/x'),
         'warning:baseDefinition is not known here')
    case(definition('Patient', name, baseDefinition=BASE + 'Observation'),
         'baseDefinition is a definition of another type')
    def types(*, path='Observation.subject', code='Reference', **links):
        return definition('Observation', element(path, type=[{'code': code, **links}]))

    for path, says in (('use', None), ('period.start', None), ('$this', None),
                       ('usee', 'path leads nowhere'), ('resolve()', 'path leads nowhere')):
        case(definition('Patient', sliced('Patient.name', 'value', path)), says)
    for path, expression, says in (
            ('Patient.name', 'given.exists() or family.exists()', None),
            ('Patient.name', 'givenn.exists()', 'HumanName has no element "givenn"'),
            ('Patient', 'name.where(usee = 1).exists()', 'HumanName has no element "usee"'),
            ('Patient.contact', 'name.exists()', None),
            ('Patient', 'contained.where(foo.exists()).empty()', None)):
        case(definition('Patient', element(path, constraint=[{
            'key': 'a-1', 'severity': 'error', 'human': 'x', 'expression': expression}])), says)
    case(types(targetProfile=[BASE + 'Patient']))
    case(types(targetProfile=[BASE + 'Organization']), 'is of a type that the base does not allow')
    case(types(targetProfile=['http://nowhere.org/x']), 'warning:targetProfile[0] is not known')
    case(types(path='Observation.code', code='CodeableConcept', profile=[BASE + 'bp']),
         'is a profile of another type')
    bound = {'strength': 'required', 'valueSet': 'http://hl7.org/fhir/ValueSet/observation-status'}
    case(definition('Patient', element('Patient.birthDate', binding=bound)), 'has no codes')
    case(definition('Patient', element('Patient.name.family', binding=bound)))
    case(definition('Patient', name, kind='complex-type'), 'kind is not the kind of the type')

    def extension(**context):
        return definition('Extension', element('Extension.url', fixedUri=P), kind='complex-type',
                          context=[context])

    case(extension(type='element', expression='Patient.contact.name'))
    case(extension(type='element', expression='Patient.nname'), 'is no element of R4')
    case(extension(type='fhirpath', expression='Patient.name.where(use = 1)'))
    case(extension(type='fhirpath', expression='Patient.(('), 'expression is no FHIRPath')
    case(definition('Extension', element('Extension.url', fixedUri=X), kind='complex-type',
                    context=[{'type': 'element', 'expression': 'Patient'}]), 'is not the url of')


def terminology():
    def value_set(*includes):
        return resource('ValueSet', url=X, status='draft', compose={'include': list(includes)})

    def codes(*concepts, **members):
        return resource('CodeSystem', **{'url': X, 'status': 'draft', 'content': 'complete',
                                         'concept': list(concepts), **members})

    case(value_set({'system': CATEGORY, 'concept': [{'code': 'laboratory'}]}))
    case(value_set({'system': CATEGORY, 'concept': [{'code': 'none'}]}),
         'compose.include[0].concept[0].code is not a code of')
    case(value_set({'system': CATEGORY, 'concept': [
        {'code': 'laboratory', 'display': 'Kitchen'}]}), 'warning:display is not the display')
    for up, says in (({'parent': 'b'}, None), ({'parent': 'zz'}, 'is not a code of the system'),
                     ({'child': 'b'}, None), ({'parent': 'b', 'child': 'b'}, 'has a circle')):
        case(codes({'code': 'a', 'property': [{'code': k, 'valueCode': v} for k, v in up.items()]},
                   {'code': 'b'}), says)
    case(value_set({'system': 'http://hl7.org/fhir/ValueSet/observation-category'}),
         'include[0].system is a value set')
    case(value_set({'system': X, 'concept': [{'code': 'a'}, {'code': 'a'}]}),
         'warning:concept[1] is listed twice')
    case(value_set({'concept': [{'code': 'a'}]}), 'vsd-1')
    case(value_set({'system': X, 'concept': [{'code': 'a'}],
                    'filter': [{'property': 'a', 'op': '=', 'value': 'b'}]}), 'vsd-3')
    case(codes({'code': 'a', 'concept': [{'code': 'a'}]}), 'csd-1')
    case(value_set({'system': 'mine'}), 'include[0].system is not absolute')
    case(value_set({'system': X + '|1'}), 'include[0].system has a version behind it')
    case(value_set({'valueSet': [X]}), 'valueSet[0] is the value set itself')
    for op, value, says in (('is-a', 'laboratory', None),
                            ('is-a', 'none', 'filter[0].value is not a code of'),
                            ('=', 'none', None)):
        case(value_set({'system': CATEGORY, 'filter': [
            {'property': 'concept', 'op': op, 'value': value}]}), says)
    expanded = value_set({'system': CATEGORY})
    for code, says in (('laboratory', None), ('none', 'contains[0].code is not a code of')):
        case({**expanded, 'expansion': {'timestamp': '2020-01-01T00:00:00Z', 'contains': [
            {'system': CATEGORY, 'code': code}]}}, says)
    case(codes({'code': 'a'}, content='not-present'), 'content says that no concepts are here')
    twice = [{'code': 'p', 'type': 'code'}, {'code': 'p', 'type': 'string'}]
    case(codes({'code': 'a'}, property=twice), 'property[1] is defined twice')
    case(codes({'code': 'a'}, property=twice[:1]))
    foo = {'code': 'a', 'property': [{'code': 'foo', 'valueString': 'x'}]}
    case(codes(foo), 'property[0] is a property that the code system does not define')
    case(codes(foo, property=[{'code': 'foo', 'type': 'string'}]))
    case(codes(foo, property=[{'code': 'foo', 'type': 'code'}]), 'a value of another type')
    case(codes({'code': 'a', 'property': [{'code': 'inactive', 'valueBoolean': True}]}))
    case(codes({'code': 'a'}, content='supplement'), 'CodeSystem.supplements is required')
    case(codes({'code': 'a'}, content='supplement', supplements='http://x.org/d'))
    case(codes({'code': 'a'}, supplements='http://x.org/d'), 'the content is no supplement')
    case(codes({'code': 'a'}, count=5), 'warning:CodeSystem.count is not the number')
    case(resource('ConceptMap', url=X, status='draft', group=[
        {'source': CATEGORY, 'target': X, 'element': [{'code': 'none'}]}]),
         'warning:element[0].code is not a code of')


def operations():
    def parameter(**members):
        return resource('SearchParameter', **{
            'url': X, 'name': 'X', 'status': 'draft', 'description': 'x', 'code': 'x',
            'base': ['Patient'], 'type': 'string', 'expression': 'Patient.name', **members})

    case(parameter())
    case(parameter(expression='Patient.(('), 'SearchParameter.expression is no FHIRPath')
    for expression, base, says in (
            ('Patient.nonesuch', ['Patient'], 'expression asks for what its base does not have'),
            ('Person.name', ['Patient'], 'expression asks for what its base does not have'),
            ('Patient.name | Person.name', ['Patient', 'Person'], None),
            ('Patient.deceased.as(dateTime)', ['Patient'], None),
            ("extension('urn:x').value", ['Patient'], None), ('Resource.id', ['Resource'], None)):
        case(parameter(expression=expression, base=base), says)
    case(parameter(type='composite'), 'component is required of a composite')
    case(parameter(type='composite', component=[
        {'definition': X, 'expression': 'name'}]))
    case(parameter(type='composite', component=[
        {'definition': X, 'expression': '(('}]), 'component[0].expression is no FHIRPath')

    def operation(*parameters, **members):
        return resource('OperationDefinition', **{
            'url': X, 'name': 'X', 'status': 'draft', 'kind': 'operation', 'code': 'x',
            'system': True, 'type': False, 'instance': False, 'parameter': [
                {'use': 'in', 'min': 0, 'max': '1', 'type': 'string', **p} for p in parameters],
            **members})

    case(operation({'name': 'a'}, {'name': 'a', 'use': 'out'}, {'name': 'b', 'max': '*'}))
    case(operation({'name': 'a'}, {'name': 'a'}), 'parameter[1] has the name of another')
    case(operation({'name': 'a', 'min': 2}), 'parameter[0].max is less than min')
    case(operation({'name': 'a', 'max': 'x'}), 'parameter[0].max is neither a number nor *')
    case(operation({'name': 'a'}, code='$x'), 'code begins with $')
    case(operation({'name': 'a'}, type=True), 'warning:resource is missing')

    def capability(name, kind):
        return resource('CapabilityStatement', url=X, status='draft', date='2020',
                        kind='requirements', fhirVersion='4.0.1', format=['json'], description='x',
                        rest=[{'mode': 'server', 'resource': [{'type': 'Patient', 'searchParam': [{
                            'name': 'x', 'type': kind, 'definition':
                                f'http://hl7.org/fhir/SearchParameter/{name}'}]}]}])

    case(capability('Patient-identifier', 'token'))
    case(capability('Resource-id', 'token'))
    case(capability('Patient-identifier', 'string'), 'warning:searchParam[0].type is not the type')
    case(capability('clinical-code', 'token'), 'searchParam[0].definition is no parameter of')
    for expression, says in (('true', None), ('((', 'criteria.expression is no FHIRPath')):
        case(resource('Measure', url=X, status='draft', group=[{'population': [
            {'criteria': {'language': 'text/fhirpath', 'expression': expression}}]}]), says)


def responses():
    def asks(link, kind, *more, **members):
        return {'linkId': link, 'type': kind, 'extension': [
            {'url': BASE + url, name: value} for url, name, value in more], **members}

    def unit(code, display):
        return {'system': UCUM, 'code': code, 'display': display}

    asked = resource('Questionnaire', url=Q, status='active', item=[
        {'linkId': '1', 'type': 'group', 'required': True, 'item': [
            asks('1.1', 'integer', ('minValue', 'valueInteger', 3), ('maxValue', 'valueInteger', 7),
                 required=True),
            asks('1.2', 'string', ('regex', 'valueString', '[a-c]+'),
                 ('minLength', 'valueInteger', 2), maxLength=3),
            asks('1.3', 'decimal', ('maxDecimalPlaces', 'valueInteger', 1)),
            asks('1.4', 'string', ('questionnaire-minOccurs', 'valueInteger', 2),
                 ('questionnaire-maxOccurs', 'valueInteger', 2), repeats=True),
            asks('1.5', 'attachment', ('maxSize', 'valueDecimal', 0.000004),
                 ('mimeType', 'valueCode', 'text/plain')),
            asks('1.6', 'reference',
                 ('questionnaire-referenceResource', 'valueCode', 'Patient')),
            asks('1.7', 'quantity', ('questionnaire-unitOption', 'valueCoding', unit('kg', 'kilo')),
                 ('questionnaire-unitOption', 'valueCoding', unit('g', 'gram'))),
            asks('1.8', 'choice', repeats=True, answerOption=[
                {'valueString': 'a'}, {'valueString': 'b'},
                {'valueString': 'none', 'extension': [
                    {'url': BASE + 'questionnaire-optionExclusive', 'valueBoolean': True}]}]),
            asks('1.9', 'quantity', ('questionnaire-unitValueSet', 'valueCanonical',
                                     'http://hl7.org/fhir/ValueSet/age-units'))]}])
    for question in asked['item'][0]['item']:
        if not question['extension']:
            del question['extension']

    def given(*answers, first=5, status='completed'):
        items = [{'linkId': '1.1', 'answer': [{'valueInteger': first}]}]
        items += [{'linkId': link, 'answer': [{name: v} for v in values]}
                  for link, name, *values in answers]
        return resource('QuestionnaireResponse', questionnaire=Q, status=status,
                        item=[{'linkId': '1', 'item': items}])

    for answers, says in (
            ((), None), ((('1.2', 'valueString', 'abc'),), None),
            ((('1.2', 'valueString', 'xyz'),), 'does not have the pattern'),
            ((('1.2', 'valueString', 'a'),), 'is shorter than'),
            ((('1.2', 'valueString', 'aaaa'),), 'is longer than'),
            ((('1.3', 'valueDecimal', 1.2),), None),
            ((('1.3', 'valueDecimal', 1.25),), 'more places behind the point'),
            ((('1.4', 'valueString', 'a', 'b'),), None),
            ((('1.4', 'valueString', 'a'),), 'fewer answers than'),
            ((('1.4', 'valueString', 'a', 'b', 'c'),), 'more answers than'),
            ((('1.5', 'valueAttachment', {'contentType': 'text/plain', 'size': 3}),), None),
            ((('1.5', 'valueAttachment', {'contentType': 'text/plain', 'size': 5}),), 'is larger'),
            ((('1.5', 'valueAttachment', {'contentType': 'image/png'}),), 'of a media type that'),
            ((('1.6', 'valueReference', {'reference': 'Patient/1'}),), None),
            ((('1.6', 'valueReference', {'reference': 'Group/1'}),), 'of a type that the quest'),
            ((('1.7', 'valueQuantity', {'value': 1, 'system': UCUM, 'code': 'kg'}),), None),
            ((('1.7', 'valueQuantity', {'value': 1, 'unit': 'gram'}),), None),
            ((('1.7', 'valueQuantity', {'value': 1, 'system': UCUM, 'code': 'mg'}),),
             'has a unit that the questionnaire does not offer'),
            ((('1.7', 'valueQuantity', {'value': 1}),), 'has a unit that the questionnaire does'),
            ((('1.8', 'valueString', 'a', 'b'),), None), ((('1.8', 'valueString', 'none'),), None),
            ((('1.8', 'valueString', 'a', 'none'),), 'answer[1] is an answer that excludes all'),
            ((('1.9', 'valueQuantity', {'value': 1, 'system': UCUM, 'code': 'mo'}),), None),
            ((('1.9', 'valueQuantity', {'value': 1, 'system': UCUM, 'code': 'kg'}),),
             'has no code of the required value set'),
            ((('9', 'valueString', 'x'),), 'is not asked here')):
        case(given(*answers), says, asked)
    case(given(first=2), 'is less than the questionnaire allows', asked)
    case(given(first=8), 'is more than the questionnaire allows', asked)
    empty = resource('QuestionnaireResponse', questionnaire=Q, status='completed')
    case(empty, 'has no answer to a required question', asked)
    case({**empty, 'status': 'in-progress'}, None, asked)


def constraints():
    """What a questionnaire asks of its responses in FHIRPath."""
    def rule(expression, severity='error'):
        return {'url': BASE + 'questionnaire-constraint', 'extension': [
            {'url': 'key', 'valueId': 'k-1'}, {'url': 'severity', 'valueCode': severity},
            {'url': 'expression', 'valueString': expression}, {'url': 'human', 'valueString': 'H'}]}

    def asked(own, of_item):
        return resource('Questionnaire', url=Q, status='active', extension=own, item=[
            {'linkId': '1', 'type': 'integer', 'text': 'x', 'extension': of_item}])

    def given(number, status='completed'):
        return resource('QuestionnaireResponse', questionnaire=Q, status=status, item=[
            {'linkId': '1', 'answer': [{'valueInteger': number}]}])

    for expression, says in (
            ('answer.value > 3', None), ('answer.value > 7', 'does not hold to k-1 of the'),
            ('%resource.item.answer.value = 5', None), ('%context.linkId = %qitem.linkId', None),
            ("%qitem.text = 'x'", None), ("%questionnaire.url = '" + Q + "'", None),
            ("%questionnaire.url = 'y'", 'does not hold to k-1'), ('{}', 'does not hold to k-1'),
            ('((', 'warning:could not be held to k-1'), ('%what', 'warning:could not be held to')):
        case(given(5), says, asked([rule('true')], [rule(expression)]))
    case(asked([rule('true')], [rule('answer.value > 3')]))
    case(asked([rule('((')], []), 'Questionnaire.extension[0] is no FHIRPath')
    case(asked([], [rule('1 +')]), 'item[0].extension[0] is no FHIRPath')
    case(given(5), 'warning:does not hold to k-1', asked([], [rule('false', 'warning')]))
    case(given(5), None, asked([rule('item.count() = 1')], [rule('true')]))
    case(given(5), 'does not hold to k-1', asked([rule('item.count() = 2')], [rule('true')]))
    case(given(5, 'in-progress'), None, asked([rule('item.count() = 2')], [rule('true')]))
    nine = '(1|2|3|4|5|6|7|8|9)'
    costly = rule((nine + '.all(') * 8 + '%qitem.exists()' + ')' * 8)
    case(given(5), 'warning:could not be held to k-1', asked([], [costly]))
    case(given(5), 'warning:the check takes too many steps', asked([], [costly] * 20))


def questionnaires():
    def asks(*items, **members):
        return resource('Questionnaire', url=Q, status='active', item=list(items), **members)

    def question(link, kind='string', **members):
        return {'linkId': link, 'type': kind, **members}

    def when(link, name, value, operator='='):
        return {'question': link, 'operator': operator, name: value}

    for conditions, says in (
            ([when('1', 'answerBoolean', True)], None),
            ([when('9', 'answerBoolean', True)], 'enableWhen[0].question is not asked here'),
            ([when('2', 'answerString', 'x')], 'enableWhen[0].question is the question itself'),
            ([when('2.1', 'answerString', 'x')], 'enableWhen[0].question is the question itself'),
            ([when('1', 'answerString', 'x')], 'warning:enableWhen[0].answer is of a type that'),
            ([when('1', 'answerBoolean', False, 'exists')], None),
            ([when('1', 'answerString', 'x', 'exists')], 'que-7')):
        case(asks(question('1', 'boolean'), question('2', 'group', enableWhen=conditions, item=[
            question('2.1')])), says)
    one, other = {'valueString': 'x'}, {'valueString': 'y'}
    case(asks(question('1', 'choice', answerOption=[one, other])))
    case(asks(question('1', 'choice', answerOption=[one, one])), 'warning:[1] is listed twice')
    case(asks(question('1', 'integer', answerOption=[one])), 'answerOption[0].value is of a type')
    case(asks(question('1', 'integer', initial=[one])), 'initial[0].value is of a type')
    case(asks(question('1', initial=[one, other])), 'que-13')
    case(asks(question('1', initial=[one, other], repeats=True)))
    case(asks(question('1', 'choice', answerValueSet='#v')), 'answerValueSet is contained nowhere')
    many = 20000
    case(asks(*(question(str(i), enableWhen=[when(str(many - 1 - i), 'answerString', 'x')])
                for i in range(many))), 'warning:the check takes too many steps')


def conditions():
    """Which questions are asked after what else was answered."""
    def asked(conditions, behavior='any', kind='integer'):
        return resource('Questionnaire', url=Q, status='active', item=[
            {'linkId': 'g', 'type': 'group', 'repeats': True, 'item': [
                {'linkId': '1', 'type': kind},
                {'linkId': '2', 'type': 'string', 'required': True, 'enableWhen': conditions,
                 'enableBehavior': behavior}]}])

    def given(*groups):
        return resource('QuestionnaireResponse', questionnaire=Q, status='completed', item=[
            {'linkId': 'g', 'item': [{'linkId': link, 'answer': [answer]}
                                     for link, answer in group]} for group in groups])

    def when(operator, value, name='answerInteger'):
        return {'question': '1', 'operator': operator, name: value}

    text, unasked = ('2', {'valueString': 'x'}), 'is answered, but is not asked'
    missing = 'has no answer to a required question (linkId 2'

    def number(n):
        return ('1', {'valueInteger': n})

    for operator, value, yes, no in (('=', 3, 3, 4), ('!=', 3, 4, 3), ('>', 3, 4, 3),
                                     ('<', 3, 2, 3), ('>=', 3, 3, 2), ('<=', 3, 3, 4)):
        condition = asked([when(operator, value)])
        case(given([number(yes), text]), None, condition)
        case(given([number(yes)]), missing, condition)
        case(given([number(no), text]), unasked, condition)
        case(given([number(no)]), None, condition)
        # The nearest: of its own group, whatever another says.
        case(given([number(yes), text], [number(no)]), None, condition)
        case(given([number(no)], [number(yes), text]), None, condition)
        case(given([number(no), text], [number(yes), text]), 'item[0].item[1] ' + unasked,
             condition)
    exists = asked([when('exists', True, 'answerBoolean')])
    case(given([number(1), text]), None, exists)
    case(given([text]), unasked, exists)
    range_ = [when('>', 3), when('<', 10)]
    case(given([number(5)]), missing, asked(range_, 'all'))
    case(given([number(15)]), None, asked(range_, 'all'))
    case(given([number(15)]), missing, asked(range_, 'any'))

    hidden = resource('Questionnaire', url=Q, status='active', item=[
        {'linkId': '1', 'type': 'boolean'},
        {'linkId': 'g', 'type': 'group', 'required': True, 'enableWhen': [
            when('=', True, 'answerBoolean')],
         'item': [{'linkId': '2', 'type': 'string', 'required': True}]}])

    def told(yes, *more):
        return resource('QuestionnaireResponse', questionnaire=Q, status='completed', item=[
            {'linkId': '1', 'answer': [{'valueBoolean': yes}]}, *more])

    group = {'linkId': 'g', 'item': [{'linkId': '2', 'answer': [{'valueString': 'x'}]}]}
    case(told(False), None, hidden)
    case(told(False, group), 'item[1] ' + unasked, hidden)
    case(told(True), 'has no answer to a required question (linkId g', hidden)
    case(told(True, group), None, hidden)


def options():
    male = {'system': 'http://hl7.org/fhir/administrative-gender', 'code': 'male'}
    female = {**male, 'code': 'female'}
    own = resource('ValueSet', id='v', status='active', compose={'include': [
        {'system': male['system'], 'concept': [{'code': 'male'}]}]})

    def asked(kind, **members):
        contained = {'contained': [own]} if members.get('answerValueSet') == '#v' else {}
        return resource('Questionnaire', url=Q, status='active', **contained, item=[
            {'linkId': '1', 'type': kind, 'text': 'Sex', **members}])

    def given(answer, **members):
        return resource('QuestionnaireResponse', questionnaire=Q, status='completed', item=[
            {'linkId': '1', 'answer': [answer], **members}])

    offered = asked('choice', answerOption=[{'valueCoding': male}])
    case(given({'valueCoding': male}), None, offered)
    case(given({'valueCoding': {**male, 'display': 'Male'}}), None, offered)
    case(given({'valueCoding': female}), 'is none of the answers offered', offered)
    case(given({'valueCoding': male}, text='Sex'), None, offered)
    case(given({'valueCoding': male}, text='Age'), 'warning:item[0].text is not the text', offered)
    everyone = asked('choice', answerValueSet='http://hl7.org/fhir/ValueSet/administrative-gender')
    case(given({'valueCoding': female}), None, everyone)
    case(given({'valueCoding': {'code': 'female'}}), 'has no code of the required', everyone)
    case(given({'valueCoding': male}), None, asked('choice', answerValueSet='#v'))
    case(given({'valueCoding': female}), 'is none of the answers offered',
         asked('choice', answerValueSet='#v'))
    case(given({'valueString': 'other'}), None,
         asked('open-choice', answerOption=[{'valueCoding': male}]))
    case(given({'valueString': 'x'}), 'warning:was not held against the questionnaire')
    case(given({'valueInteger': 1}), 'an answer of another type', asked('string'))


def reports():
    populations = 'http://terminology.hl7.org/CodeSystem/measure-population'

    def coded(code, system=populations):
        return {'coding': [{'system': system, 'code': code}]}

    def counts(*codes):
        return [{'code': coded(code), 'count': 1} for code in codes]

    def measure(scoring, *groups):
        return resource('Measure', url=Q, status='active', group=list(groups), scoring=coded(
            scoring, 'http://terminology.hl7.org/CodeSystem/measure-scoring'))

    def group(*codes):
        return {'population': [{'code': coded(code), 'criteria': {
            'language': 'text/fhirpath', 'expression': 'true'}} for code in codes]}

    def report(*groups, **members):
        return resource('MeasureReport', **{
            'status': 'complete', 'type': 'summary', 'measure': Q,
            'period': {'start': '2020', 'end': '2020'}, 'group': list(groups), **members})

    proportion = measure('proportion', {**group('numerator', 'denominator'),
                                        'stratifier': [{'code': {'text': 'sex'}}]})
    score = {'measureScore': {'value': 1}}
    both = {'population': counts('numerator', 'denominator')}
    case(report({**both, **score}), None, proportion)
    case(report({**both, **score, 'stratifier': [{'code': [{'text': 'sex'}]}]}), None, proportion)
    case(report({**both, **score, 'stratifier': [{'code': [{'text': 'age'}]}]}),
         'group[0].stratifier[0] is none that the measure defines', proportion)
    case(report(both), 'warning:measureScore is missing', proportion)
    case(report({'population': counts('numerator'), **score}),
         'group[0].population lacks one that the measure defines', proportion)
    case(report({'population': counts('numerator'), **score}, status='pending'), None, proportion)
    case(report({'population': counts('numerator', 'denominator', 'initial-population'), **score}),
         'group[0].population[2] is none that the measure defines', proportion)
    case(report({'population': counts('numerator', 'denominator', 'numerator'), **score}),
         'population is there twice', proportion)
    cohort = measure('cohort', group('initial-population'))
    case(report({'population': counts('initial-population')}), None, cohort)
    case(report({'population': counts('initial-population'), **score}),
         'a cohort measure has no score', cohort)
    two = measure('cohort', {**group('initial-population'), 'code': {'text': 'a'}},
                  {**group('initial-population'), 'code': {'text': 'b'}})
    one = {'population': counts('initial-population')}
    case(report({**one, 'code': {'text': 'a'}}, {**one, 'code': {'text': 'b'}}), None, two)
    case(report({**one, 'code': {'text': 'a'}}), 'MeasureReport.group lacks one', two)
    case(report({**one, 'code': {'text': 'a'}}, {**one, 'code': {'text': 'c'}}),
         'group[1] is none that the measure defines', two)
    case(report({**one, 'code': {'text': 'a'}}, one), 'has no code to tell which one', two)


def validate(carnet, files, options):
    done = subprocess.run([carnet, 'validate', '--format', 'json', *options, *files],
                          capture_output=True, text=True, check=False)
    if done.returncode not in (0, 3):
        return [[('failed', done.stderr)]] * len(files)
    return [[(i['severity'], i['details']['text']) for i in json.loads(line)['issue']]
            for line in done.stdout.splitlines()]


def write(folder, name, made):
    path = os.path.join(folder, f'{name}.json')
    with open(path, 'w', encoding='utf-8') as f:
        json.dump(made, f)
    return path


def run_together(carnet, folder, numbers):
    """Cases that bring the same definitions take one run."""
    _, _, known, profile = CASES[numbers[0]]
    options = ['--profile', profile] if profile else []
    for i, one in enumerate(known):
        options += ['--package', write(folder, f'{numbers[0]}-{i}', one)]
    files = [write(folder, n, CASES[n][0]) for n in numbers]
    return dict(zip(numbers, validate(carnet, files, options)))


def run_all(carnet, folder):
    """The issues of each case."""
    groups = {}
    for n, (_, _, known, profile) in enumerate(CASES):
        groups.setdefault(json.dumps([known, profile]), []).append(n)
    found = {}
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for part in pool.map(lambda ns: run_together(carnet, folder, ns), groups.values()):
            found.update(part)
    return [found[n] for n in range(len(CASES))]


def holds(says, issues):
    errors = [text for severity, text in issues if severity in ('error', 'fatal', 'failed')]
    if says is None:
        return not errors
    if not says.startswith('warning:'):
        return any(says in text for text in errors)
    warnings = [text for severity, text in issues if severity == 'warning']
    return not errors and any(says[8:] in text for text in warnings)


def main():
    score = nodes.Score()
    for family in (data_types, slicing, slicing_bundles, extensions, values, references, bundles,
                   bundled_references, requests, definitions, terminology, operations,
                   responses, constraints, questionnaires, conditions, options,
                   reports):
        family()
    with tempfile.TemporaryDirectory() as folder:
        found = run_all(sys.argv[1], folder)
    for (made, says, _, _), issues in zip(CASES, found):
        score.check(holds(says, issues), f'wanted {says}, got {issues} for {json.dumps(made)}')
    print(f'{len(CASES)} cases')
    return score.end()


if __name__ == '__main__':
    sys.exit(main())
