#!/usr/bin/env python3
"""Turns the official FHIR R4 definitions into the tables of defs/ (formats: defs/README.md).

    tools/gen_defs.py SOURCE DEFS [OUT]

SOURCE holds the official files, gzipped; DEFS holds the tables whose numbers are frozen; OUT is
where the new tables go (default: DEFS). Only names, codes, displays, URLs and expressions are
taken: no prose. The same input gives the same bytes.
"""
import gzip
import hashlib
import json
import os
import re
import sys

FHIR_VERSION = '4.0.1'
SD = 'http://hl7.org/fhir/StructureDefinition/'
SYSTEM_TYPE = 'http://hl7.org/fhirpath/System.'
FHIR_TYPE = SD + 'structuredefinition-fhir-type'
SOURCES = ['profiles-types.json.gz', 'profiles-resources.json.gz', 'search-parameters.json.gz',
           'compartments.ndjson.gz', 'valuesets.json.gz', 'v2-tables.json.gz',
           'v3-codesystems.json.gz', 'profiles-others.json.gz', 'extension-definitions.json.gz']
# What of a profile is fact, and not prose.
PROFILE_MEMBERS = ['id', 'url', 'version', 'name', 'status', 'fhirVersion', 'kind', 'abstract',
                   'context', 'contextInvariant', 'type', 'baseDefinition', 'derivation']
ELEMENT_MEMBERS = ['id', 'path', 'sliceName', 'slicing', 'min', 'max', 'contentReference', 'type',
                   'maxLength', 'mustSupport', 'isModifier', 'isModifierReason']
ELEMENT_CHOICES = ('fixed', 'pattern', 'minValue', 'maxValue', 'defaultValue')
# Parameters that search itself answers: they have no list in the index.
SEARCH_OWN = {'_id', '_lastUpdated', '_text', '_content', '_query'}
# Expressions of components that the official file has the wrong way round: a reference was looked
# for in the code of DocumentReference.relatesTo, a token in its target.
CORRECTED = {('DocumentReference-relationship', 0): 'target',
             ('DocumentReference-relationship', 1): 'code'}
# Code systems that the definitions name but do not hold, and identifier systems worth a number.
WELL_KNOWN = '''
http://loinc.org
http://snomed.info/sct
http://unitsofmeasure.org
http://id.who.int/icd/release/11/mms
http://id.who.int/icd/release/11/icf
http://id.who.int/icd/entity
http://hl7.org/fhir/sid/icd-10
http://hl7.org/fhir/sid/icd-10-cm
http://hl7.org/fhir/sid/icd-10-vn
http://hl7.org/fhir/sid/icd-9
http://hl7.org/fhir/sid/icd-9-cm
http://www.cms.gov/Medicare/Coding/ICD10
http://hl7.org/fhir/sid/icf
http://hl7.org/fhir/sid/icf-nl
http://hl7.org/fhir/sid/icpc-1
http://hl7.org/fhir/sid/icpc-2
http://terminology.hl7.org/CodeSystem/icd-o-3
http://hl7.org/fhir/sid/atc
http://www.whocc.no/atc
http://www.nlm.nih.gov/research/umls/rxnorm
http://hl7.org/fhir/sid/cvx
http://hl7.org/fhir/sid/mvx
http://hl7.org/fhir/sid/ndc
http://hl7.org/fhir/ndfrt
http://fdasis.nlm.nih.gov
http://www.ama-assn.org/go/cpt
http://dicom.nema.org/resources/ontology/DCM
http://www.genenames.org
http://www.ensembl.org
http://www.ncbi.nlm.nih.gov/nuccore
http://www.ebi.ac.uk/ipd/imgt/hla
http://varnomen.hgvs.org
http://human-phenotype-ontology.org
http://www.orpha.net
http://brainmeasures.org/
http://ncimeta.nci.nih.gov
http://hl7.org/fhir/sid/us-ssn
http://hl7.org/fhir/sid/us-npi
http://hl7.org/fhir/sid/us-medicare
http://hl7.org/fhir/sid/passport-num
https://www.gs1.org/gtin
http://unstats.un.org/unsd/methods/m49/m49.htm
urn:iso:std:iso:3166
urn:iso:std:iso:3166:-2
urn:iso:std:iso:4217
urn:iso:std:iso:11073:10101
urn:ietf:bcp:13
urn:ietf:bcp:47
urn:ietf:rfc:3986
urn:ietf:rfc:3066
urn:oid:2.16.840.1.113883.6.238
urn:oid:2.16.840.1.113883.3.26.1.1
http://www.iana.org/time-zones
https://www.iana.org/time-zones
http://www.isco.ilo.org
'''.split()


def bare(url):
    """A StructureDefinition's URL as the type's name; any other URL as it is."""
    return url[len(SD):] if url.startswith(SD) else url


def cell(value):
    text = '' if value is None else str(value)
    if isinstance(value, bool):
        text = '1' if value else '0'
    return re.sub(r'[ \t\r\n]+', ' ', text).strip(' ')


class Tables:
    def __init__(self, source, defs, out):
        self.source, self.defs, self.out = source, defs, out

    def bundle(self, name):
        with gzip.open(os.path.join(self.source, name)) as f:
            return [e['resource'] for e in json.load(f)['entry']]

    def lines(self, name):
        with gzip.open(os.path.join(self.source, name)) as f:
            return [json.loads(line) for line in f if line.strip()]

    def write(self, name, columns, rows):
        with open(os.path.join(self.out, name), 'w', encoding='utf-8', newline='\n') as f:
            f.write('#' + '\t'.join(columns) + '\n')
            for row in rows:
                f.write('\t'.join(cell(c) for c in row).rstrip('\t') + '\n')

    def frozen(self, name, key_columns):
        """Numbers that exist already: {key: number}."""
        path = os.path.join(self.defs, name)
        if not os.path.exists(path):
            return {}
        with open(path, encoding='utf-8') as f:
            rows = [line.rstrip('\n').split('\t') for line in f if not line.startswith('#')]
        return {tuple(r[1:1 + key_columns]): int(r[0]) for r in rows}

    def number(self, name, key_columns, rows):
        """Puts its number in front of each row: the frozen one, or the next."""
        known = self.frozen(name, key_columns)
        last = max(known.values(), default=0)
        numbered = []
        for row in rows:
            key = tuple(cell(c) for c in row[:key_columns])
            if key not in known:
                last += 1
                known[key] = last
            numbered.append((known[key],) + tuple(row))
        gone = set(known) - {tuple(cell(c) for c in r[1:1 + key_columns]) for r in numbered}
        if gone:
            sys.exit('%s: frozen numbers without a row: %s' % (name, sorted(gone)[:5]))
        return sorted(numbered, key=lambda r: r[0])


def element_types(path, element, is_resource):
    """'Reference(Patient|Group),string'; a type of the FHIRPath system as the FHIR type it is."""
    out, is_system = [], False
    for t in element.get('type', []):
        code = t['code']
        if code.startswith(SYSTEM_TYPE):
            is_system = True
            named = [e['valueUrl'] for e in t.get('extension', []) if e['url'] == FHIR_TYPE]
            code = named[0] if named else 'string'
            # The definitions say string; the specification's text and all others say id.
            if is_resource and re.fullmatch(r'\w+\.id', path):
                code = 'id'
        if t.get('profile'):
            code += '<' + '|'.join(bare(p) for p in t['profile']) + '>'
        if t.get('targetProfile'):
            code += '(' + '|'.join(bare(p) for p in t['targetProfile']) + ')'
        out.append(code)
    return ','.join(out), is_system


def regex_of(sd):
    for e in sd['snapshot']['element']:
        for t in e.get('type', []):
            for x in t.get('extension', []):
                if x['url'] == SD + 'regex':
                    return x['valueString']
    return ''


class Structures:
    """types.tsv, elements.tsv, constraints.tsv"""

    def __init__(self, resources):
        sds = [r for r in resources if r['resourceType'] == 'StructureDefinition'
               and r.get('derivation') != 'constraint' and r['kind'] != 'logical']
        self.by_name = {sd['name']: sd for sd in sds}
        self.rows = {}          # type name -> {path behind the type: row}
        self.constraints = {}   # (type name, key): severity, expression
        self.used = set()

    def base(self, name):
        return bare(self.by_name[name].get('baseDefinition', ''))

    def type_rows(self):
        concrete = sorted(n for n, sd in self.by_name.items()
                          if sd['kind'] == 'resource' and not sd['abstract'])
        number = {n: i + 1 for i, n in enumerate(concrete)}
        order = {'primitive-type': 0, 'complex-type': 1, 'resource': 2}
        names = sorted(self.by_name, key=lambda n: (order[self.by_name[n]['kind']],
                                                    not self.by_name[n]['abstract'], n))
        for n in names:
            sd = self.by_name[n]
            kind = sd['kind'].replace('-type', '')
            regex = regex_of(sd) if kind == 'primitive' else ''
            yield number.get(n, 0), n, kind, sd['abstract'], self.base(n), regex

    def constraint_keys(self, element):
        keys = []
        for c in element.get('constraint', []):
            name = (element['path'].split('.')[0], c['key'])
            value = (c['severity'], c.get('expression', ''))
            if self.constraints.setdefault(name, value) != value:
                sys.exit('constraint %s %s stands for two expressions' % name)
            keys.append(c['key'])
        return keys

    def element_row(self, element, is_resource):
        types, is_system = element_types(element['path'], element, is_resource)
        binding = element.get('binding', {})
        flags = ''.join(c for c, on in (('S', element.get('isSummary')),
                                        ('M', element.get('isModifier')),
                                        ('P', is_system)) if on)
        return [element['min'], element['max'], flags, types, binding.get('strength', ''),
                binding.get('valueSet', ''),
                element.get('contentReference', '').lstrip('#'), self.constraint_keys(element)]

    def all_rows(self, name):
        if name not in self.rows:
            sd = self.by_name[name]
            self.rows[name] = {e['path'][len(name):]: self.element_row(e, sd['kind'] == 'resource')
                               for e in sd['snapshot']['element']}
        return self.rows[name]

    def of_type(self, row):
        """Constraint keys that an element has from its types: they hold with the type."""
        keys = {'ele-1'}
        for t in row[3].split(','):
            t = re.split(r'[<(]', t)[0]
            if t in self.by_name:
                keys.update(self.all_rows(t)[''][7])
        return keys

    def of_backbone(self, name, path):
        """The row that an element of a backbone element has from BackboneElement or Element."""
        parent, _, last = path.rpartition('.')
        parent = self.all_rows(name).get(parent) if parent else None
        if parent and parent[3] in ('BackboneElement', 'Element'):
            return self.all_rows(parent[3]).get('.' + last)
        return None

    def element_rows(self):
        for name in (r[1] for r in self.type_rows()):
            base = self.all_rows(self.base(name)) if self.base(name) else {}
            for path, row in self.all_rows(name).items():
                if path and row == (base.get(path) or self.of_backbone(name, path)):
                    continue
                keys = row[7]
                if path:
                    keys = [k for k in keys if k not in self.of_type(row)]
                elif base:
                    keys = [k for k in keys if k not in base[''][7]]
                self.used.update((name, k) for k in keys)
                yield [name + path] + row[:7] + [','.join(keys)]

    def constraint_rows(self):
        for name in sorted(self.used):
            yield name + self.constraints[name]


def alternatives(expression):
    """Splits at '|' outside parentheses and quotes."""
    out, depth, quoted, at = [], 0, False, 0
    for i, c in enumerate(expression):
        if c == "'":
            quoted = not quoted
        elif quoted:
            continue
        elif c in '([':
            depth += 1
        elif c in ')]':
            depth -= 1
        elif c == '|' and depth == 0:
            out.append(expression[at:i].strip())
            at = i + 1
    return out + [expression[at:].strip()]


def narrowed(param, type_name):
    """The alternatives of a parameter's expression that apply to one type, naming that type."""
    keep = []
    for part in alternatives(param.get('expression', '')):
        head = re.match(r'\(*([A-Za-z]+)', part)
        if head is None:
            continue
        name = head.group(1)
        if name in ('Resource', 'DomainResource'):
            part = part[:head.start(1)] + type_name + part[head.end(1):]
        elif not name[0].isupper():
            part = type_name + '.' + part
        elif name != type_name:
            continue
        if part not in keep:
            keep.append(part)
    return ' | '.join(keep)


class Params:
    """params.tsv, searchparams.tsv, components.tsv"""

    def __init__(self, params, types):
        self.params = sorted(params, key=lambda p: p['id'])
        self.concrete = [r[1] for r in types if r[0]]
        self.domain = {r[1] for r in types if r[0] and r[4] == 'DomainResource'}

    def bases(self, p):
        for base in p['base']:
            if base == 'Resource':
                yield from self.concrete
            elif base == 'DomainResource':
                yield from sorted(self.domain)
            else:
                yield base

    def rows(self):
        rows = []
        for p in self.params:
            if p['code'] in SEARCH_OWN:
                continue
            targets = p.get('target', [])
            for t in self.bases(p):
                rows.append((t, p['code'], p['type'], p['id'], ','.join(targets),
                             narrowed(p, t)))
        rows.sort()
        for a, b in zip(rows, rows[1:]):
            if a[:2] == b[:2]:
                sys.exit('two search parameters for %s?%s' % a[:2])
        return rows

    def searchparam_rows(self):
        for p in self.params:
            yield (p['id'], p['url'], p['name'], p['status'], p['code'], ','.join(p['base']),
                   p['type'], ','.join(p.get('target', [])), ','.join(p.get('comparator', [])),
                   p.get('multipleOr', ''), p.get('xpathUsage', ''), p.get('expression', ''))

    def component_rows(self):
        code = {p['url']: p['code'] for p in self.params}
        for p in self.params:
            for i, c in enumerate(p.get('component', [])):
                yield (p['id'], i, code[c['definition']], c['definition'],
                       CORRECTED.get((p['id'], i), c['expression']))


def concepts(items, depth=0):
    for c in items:
        yield depth, c
        yield from concepts(c.get('concept', []), depth + 1)


def property_value(prop):
    """(value, what stands behind "value" in the name of its element)"""
    name, value = [(k[len('value'):], v) for k, v in prop.items() if k.startswith('value')][0]
    if name not in ('Code', 'Boolean', 'DateTime'):
        sys.exit('a concept has a property that is a %s' % name)
    return (str(value).lower() if name == 'Boolean' else value), name


class Terms:
    """codesystems.tsv, codes.tsv, valuesets.tsv, compose.tsv, systems.tsv"""

    def __init__(self, resources):
        self.systems = sorted((r for r in resources if r['resourceType'] == 'CodeSystem'),
                              key=lambda r: r['id'])
        self.sets = sorted((r for r in resources if r['resourceType'] == 'ValueSet'),
                           key=lambda r: r['id'])

    def system_rows(self):
        for s in self.systems:
            yield (s['id'], s['url'], s.get('version'), s['name'], s.get('title'), s['status'],
                   s.get('experimental', ''), s.get('caseSensitive', ''), s['content'],
                   s.get('hierarchyMeaning'), s.get('valueSet'), s.get('supplements'))

    def code_rows(self):
        """A line "=" with the system's id, "d" for each property it defines, then its codes, each
        with its depth, and "p" for each property of the code above."""
        for s in self.systems:
            if not s.get('concept'):
                continue
            yield '=', s['id']
            for d in s.get('property', []):
                yield 'd', d['code'], d.get('uri'), d['type']
            for depth, c in concepts(s['concept']):
                yield depth, c['code'], c.get('display')
                for p in c.get('property', []):
                    yield ('p', p['code']) + property_value(p)

    def set_rows(self):
        for v in self.sets:
            yield (v['id'], v['url'], v.get('version'), v['name'], v.get('title'), v['status'],
                   v.get('experimental', ''), v.get('immutable', ''))

    def compose_rows(self):
        """A line "=" with the set's id, then + or - for each include and exclude, with a line
        "c" for each code, "f" for each filter, "v" for each value set."""
        for v in self.sets:
            yield '=', v['id']
            compose = v['compose']
            for sign, name in (('+', 'include'), ('-', 'exclude')):
                for part in compose.get(name, []):
                    yield sign, part.get('system'), part.get('version')
                    for c in part.get('concept', []):
                        yield 'c', c['code'], c.get('display')
                    for f in part.get('filter', []):
                        yield 'f', f['property'], f['op'], f['value']
                    for u in part.get('valueSet', []):
                        yield 'v', u

    def uris(self):
        named = set(s['url'] for s in self.systems)
        for v in self.sets:
            for name in ('include', 'exclude'):
                named.update(p['system'] for p in v['compose'].get(name, []) if 'system' in p)
        return [(u,) for u in WELL_KNOWN + sorted(named - set(WELL_KNOWN))]


def profile_element(element):
    """An element of a differential, without its prose."""
    out = {k: element[k] for k in ELEMENT_MEMBERS if k in element}
    if 'isModifierReason' in out:
        out['isModifierReason'] = 'It changes what the rest means'
    if 'slicing' in out:
        out['slicing'] = {k: v for k, v in out['slicing'].items() if k != 'description'}
    out.update((k, v) for k, v in element.items() if k.startswith(ELEMENT_CHOICES))
    if 'binding' in element:
        out['binding'] = {k: element['binding'][k] for k in ('strength', 'valueSet')
                          if k in element['binding']}
    rules = [{'key': c['key'], 'severity': c['severity'], 'human': c['key'],
              'expression': c['expression']}
             for c in element.get('constraint', []) if 'expression' in c]
    if rules:
        out['constraint'] = rules
    return out


def profile_rows(definitions):
    """Constraints on R4's types (extensions among them), as compact JSON."""
    for d in sorted(definitions, key=lambda d: d['id']):
        if d['resourceType'] != 'StructureDefinition' or d.get('derivation') != 'constraint':
            continue
        out = {'resourceType': 'StructureDefinition'}
        out.update((k, d[k]) for k in PROFILE_MEMBERS if k in d)
        out['differential'] = {'element': [profile_element(e)
                                           for e in d['differential']['element']]}
        yield d['id'], json.dumps(out, separators=(',', ':'), ensure_ascii=False)


def compartment_rows(compartments):
    for c in sorted(compartments, key=lambda c: c['id']):
        if c['id'] == 'example':
            continue
        for r in sorted(c['resource'], key=lambda r: r['code']):
            yield c['id'], c['code'], r['code'], ','.join(r.get('param', []))


def provenance_rows(source):
    for name in SOURCES:
        with open(os.path.join(source, name), 'rb') as f:
            packed = f.read()
        yield (name, FHIR_VERSION, 'http://hl7.org/fhir/R4/downloads.html', 'CC0-1.0',
               hashlib.sha256(packed).hexdigest(),
               hashlib.sha256(gzip.decompress(packed)).hexdigest())


def main(argv):
    if len(argv) not in (3, 4):
        sys.exit(__doc__)
    source, defs = argv[1], argv[2]
    t = Tables(source, defs, argv[3] if len(argv) == 4 else defs)

    s = Structures(t.bundle('profiles-types.json.gz') + t.bundle('profiles-resources.json.gz'))
    types = list(s.type_rows())
    t.write('types.tsv', ['number', 'name', 'kind', 'abstract', 'base', 'regex'], types)
    t.write('elements.tsv', ['path', 'min', 'max', 'flags', 'types', 'binding', 'valueset',
                             'reference', 'constraints'], s.element_rows())
    t.write('constraints.tsv', ['type', 'key', 'severity', 'expression'], s.constraint_rows())

    t.write('profiles.tsv', ['id', 'definition'], profile_rows(
        t.bundle('profiles-types.json.gz') + t.bundle('profiles-others.json.gz') +
        t.bundle('extension-definitions.json.gz')))

    p = Params(t.bundle('search-parameters.json.gz'), types)
    t.write('params.tsv', ['number', 'type', 'code', 'kind', 'searchparam', 'targets',
                           'expression'], t.number('params.tsv', 2, p.rows()))
    t.write('searchparams.tsv', ['id', 'url', 'name', 'status', 'code', 'base', 'type', 'target',
                                 'comparator', 'multiple-or', 'xpath-usage', 'expression'],
            p.searchparam_rows())
    t.write('components.tsv', ['searchparam', 'index', 'code', 'definition', 'expression'],
            p.component_rows())
    t.write('compartments.tsv', ['id', 'compartment', 'type', 'params'],
            compartment_rows(t.lines('compartments.ndjson.gz')))

    terms = Terms(t.bundle('valuesets.json.gz') + t.bundle('v2-tables.json.gz') +
                  t.bundle('v3-codesystems.json.gz'))
    t.write('codesystems.tsv', ['id', 'url', 'version', 'name', 'title', 'status', 'experimental',
                                'case-sensitive', 'content', 'hierarchy', 'valueset',
                                'supplements'], terms.system_rows())
    t.write('codes.tsv', ['depth or = d p', 'code, system id or property',
                          'display, uri or value', 'type'], terms.code_rows())
    t.write('valuesets.tsv', ['id', 'url', 'version', 'name', 'title', 'status', 'experimental',
                              'immutable'], terms.set_rows())
    t.write('compose.tsv', ['= + - c f v', 'id, system, code, property or value set',
                            'version, display or operator', 'value'], terms.compose_rows())
    t.write('systems.tsv', ['number', 'uri'], t.number('systems.tsv', 1, terms.uris()))
    t.write('PROVENANCE.tsv', ['file', 'fhir-version', 'origin', 'licence', 'sha256-gz', 'sha256'],
            provenance_rows(source))


if __name__ == '__main__':
    main(sys.argv)
