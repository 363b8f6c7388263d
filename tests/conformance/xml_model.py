"""FHIR XML as JSON values, straight from the official StructureDefinitions.

Shares nothing with the program: element order, attributes, repetition and types are read from the
snapshots of profiles-types and profiles-resources, XML by Python's own parser.
"""
import gzip
import json
import xml.etree.ElementTree as ET

FHIR = '{http://hl7.org/fhir}'
XHTML = '{http://www.w3.org/1999/xhtml}'
NUMBERS = {'decimal', 'integer', 'positiveInt', 'unsignedInt'}


class Wrong(Exception):
    pass


class Element:
    def __init__(self, definition):
        self.path = definition['path']
        self.name = self.path.rsplit('.', 1)[1]
        self.is_choice = self.name.endswith('[x]')
        self.name = self.name.removesuffix('[x]')
        # A resource's id has one of FHIRPath's own types.
        self.types = ['string' if t['code'].startswith('http') else t['code']
                      for t in definition.get('type', [])]
        self.same_as = definition.get('contentReference', '').lstrip('#')
        self.is_attribute = 'xmlAttr' in definition.get('representation', [])
        base_max = definition.get('base', {}).get('max', definition['max'])
        self.repeats = base_max not in ('0', '1')

    def type_named(self, name):
        """The type if an element of this name is one of ours, or None."""
        if not self.is_choice:
            return (self.types + [''])[0] if name == self.name else None
        for code in self.types:
            if name == self.name + code[0].upper() + code[1:]:
                return code
        return None


class Model:
    def __init__(self, types_path, resources_path):
        self.children, self.primitives, self.resources = {}, set(), set()
        for path in (types_path, resources_path):
            with gzip.open(path, 'rt', encoding='utf-8') as f:
                for entry in json.load(f)['entry']:
                    self.take(entry['resource'])

    def take(self, definition):
        if definition['resourceType'] != 'StructureDefinition' or \
                definition.get('derivation') == 'constraint':
            return
        name = definition['type']
        if definition['kind'] == 'primitive-type':
            self.primitives.add(name)
        if definition['kind'] == 'resource' and not definition['abstract']:
            self.resources.add(name)
        for element in definition['snapshot']['element'][1:]:
            parent = element['path'].rsplit('.', 1)[0]
            self.children.setdefault(parent, []).append(Element(element))

    def resource(self, node):
        name = node.tag.removeprefix(FHIR)
        if name not in self.resources:
            raise Wrong(f'{node.tag} is no resource')
        return {'resourceType': name, **self.object(node, name)}

    def object(self, node, path):
        elements, out, at = self.children[path], {}, 0
        for name, value in node.attrib.items():
            if name == 'value':
                continue
            if not any(e.is_attribute and e.name == name for e in elements):
                raise Wrong(f'{path} has an attribute {name}')
            out[name] = value
        for child in node:
            name = child.tag.removeprefix(FHIR).removeprefix(XHTML)
            while at < len(elements) and (elements[at].is_attribute or
                                          elements[at].type_named(name) is None):
                at += 1
            if at == len(elements):
                raise Wrong(f'{path}.{name} is unknown or out of order')
            self.member(out, elements[at], name, child)
        return out

    def member(self, out, element, name, child):
        value, extra = self.value(element, element.type_named(name), child)
        if not element.repeats:
            if name in out or '_' + name in out:
                raise Wrong(f'{element.path} stands twice')
            out.update({k: v for k, v in ((name, value), ('_' + name, extra)) if v is not None})
            return
        values, extras = out.pop(name, None), out.pop('_' + name, None)
        n = len(values or extras or [])
        values, extras = (values or [None] * n) + [value], (extras or [None] * n) + [extra]
        if any(v is not None for v in values):
            out[name] = values
        if any(v is not None for v in extras):
            out['_' + name] = extras

    def value(self, element, code, child):
        """(value, what the "_" member is)."""
        if code == 'xhtml':
            return canonical(child), None
        if code == 'Resource':
            inner, = child
            return self.resource(inner), None
        if code in self.primitives:
            text = child.get('value')
            if code == 'boolean' and text is not None:
                text = {'true': True, 'false': False}[text]
            elif code in NUMBERS and text is not None:
                text = ('number', text)
            return text, self.object(child, code) or None
        if element.same_as:
            return self.object(child, element.same_as), None
        path = element.path if element.path in self.children else code
        return self.object(child, path), None


def canonical(node):
    node.tail = None
    return ET.canonicalize(ET.tostring(node, encoding='unicode'))


def with_canonical_narrative(value):
    """The same of JSON: every div in the form that `canonical` gives."""
    if isinstance(value, list):
        return [with_canonical_narrative(v) for v in value]
    if isinstance(value, dict):
        return {k: canonical(ET.fromstring(v)) if k == 'div' and isinstance(v, str) and
                v.lstrip().startswith('<div') else with_canonical_narrative(v)
                for k, v in value.items()}
    return value
