"""A naive reading of the R4 SearchParameters: which values a resource has for each.

It evaluates the few shapes of FHIRPath that their expressions have, on plain JSON, and knows types
only from names (value[x]) and shapes. What it cannot tell raises Skip with the reason.
"""
import gzip
import json
import re


class Skip(Exception):
    pass


class Number(str):
    """A JSON number's literal."""


class Typed:
    """A value with the type that its element's name told, or ''."""

    def __init__(self, value, kind=''):
        self.value, self.kind = value, kind


def load(path):
    with gzip.open(path, 'rt', encoding='utf-8') as f:
        return [e['resource'] for e in json.load(f)['entry']]


def parameters_of(parameters, kind):
    """Those of a type, of DomainResource and of Resource; with the expressions that apply."""
    bases = {kind, 'Resource'}
    if kind not in ('Bundle', 'Binary', 'Parameters'):
        bases.add('DomainResource')
    return [p for p in parameters if bases & set(p['base'])]


# ---- expressions ----

TOKEN = re.compile(r"\s*('[^']*'|!=|[A-Za-z]\w*|[().|=\[\]]|\d+)")


def tokens(text):
    out, at = [], 0
    text = text.strip()
    while at < len(text):
        m = TOKEN.match(text, at)
        if not m:
            raise Skip(f'expression: {text}')
        out.append(m.group(1))
        at = m.end()
    return out


def alternatives(text):
    """Splits at the top level's '|'."""
    depth, start, out = 0, 0, []
    for i, c in enumerate(text):
        depth += (c == '(') - (c == ')')
        if c == '|' and not depth:
            out.append(text[start:i])
            start = i + 1
    return out + [text[start:]]


# Elements written [x] in the definitions that expressions go through.
CHOICES = {'value', 'onset', 'abatement', 'effective', 'occurrence', 'performed', 'medication',
           'deceased', 'serviced', 'occurred', 'collected', 'born', 'item', 'identified',
           'probability', 'timing', 'definition', 'subject', 'source', 'target', 'product',
           'location', 'entity', 'scheduled', 'start', 'due', 'created'}


def children(item, name):
    value = item.value
    if not isinstance(value, dict):
        return
    found, kind = value.get(name), ''
    if found is None:
        for key, v in value.items():
            rest = key[len(name):]
            if name in CHOICES and key.startswith(name) and rest[:1].isupper():
                found, kind = v, rest
    if found is None:
        return
    for v in found if isinstance(found, list) else [found]:
        if v is not None:
            yield Typed(v, kind)


def is_of(item, kind):
    if item.kind:
        return item.kind.lower() == kind.lower()
    if isinstance(item.value, dict) and 'resourceType' in item.value:
        return item.value['resourceType'] == kind
    if kind in ('DateTime', 'dateTime', 'uri', 'string', 'date'):
        return isinstance(item.value, str)
    return isinstance(item.value, dict) and kind in shape(item.value)


def shape(value):
    """The types that a JSON object may be, from its members."""
    names = set(value) - {'id', 'extension'}
    for kind, members in (('Period', {'start', 'end'}), ('Reference', {'reference', 'identifier',
                                                                       'display', 'type'}),
                          ('Quantity', {'value', 'comparator', 'unit', 'system', 'code'}),
                          ('Range', {'low', 'high'}), ('CodeableConcept', {'coding', 'text'})):
        if names <= members:
            return [kind, 'Age', 'Duration', 'Money'] if kind == 'Quantity' else [kind]
    return []


def resolves_to(item, kind):
    value = item.value
    text = value if isinstance(value, str) else value.get('reference', '')
    if isinstance(value, dict) and value.get('type') == kind:
        return True
    return re.search(rf'(^|/){kind}/[A-Za-z0-9.-]+(/_history/[A-Za-z0-9.-]+)?(\|.*)?$',
                     text) is not None


def evaluate(text, resource):
    text = text.strip()
    if re.search(r'\.exists\(\)|!=|extension\(', text):
        raise Skip('an expression with exists() or extension()')
    m = re.fullmatch(r'\((.*)\)((?:\.\w+)*)', text)
    if m:
        body, tail = m.group(1), [t for t in m.group(2).split('.') if t]
    else:
        body, tail = text, []
    kind = None
    m = re.fullmatch(r'(.*) as (\w+)', body.strip())
    if m:
        body, kind = m.groups()
    items = steps(tokens(body), resource)
    if kind:
        items = [i for i in items if is_of(i, kind)]
    for name in tail:
        items = [c for i in items for c in children(i, name)]
    return items


def steps(words, resource):
    first = words.pop(0)
    if first not in (resource['resourceType'], 'Resource', 'DomainResource'):
        return []
    items = [Typed(resource)]
    while words:
        word = words.pop(0)
        if word == '.':
            items = step(words.pop(0), words, items)
        elif word == '[':
            index = int(words.pop(0))
            words.pop(0)
            items = items[index:index + 1]
        else:
            raise Skip('expression with ' + word)
    return items


def step(name, words, items):
    if name == 'as' and words[:1] == ['(']:
        kind = words[1]
        del words[:3]
        return [i for i in items if is_of(i, kind)]
    if name == 'where':
        if words[:5] == ['(', 'resolve', '(', ')', 'is']:
            kind = words[5]
            del words[:7]
            return [i for i in items if resolves_to(i, kind)]
        member, value = words[1], words[3].strip("'")
        del words[:5]
        return [i for i in items if isinstance(i.value, dict) and i.value.get(member) == value]
    return [c for i in items for c in children(i, name)]


def values(p, resource):
    if p['type'] in ('composite', 'special') or 'expression' not in p:
        raise Skip(f"{p['type']} parameter" if 'expression' in p else 'no expression')
    if p['code'] == '_lastUpdated':
        raise Skip('_lastUpdated is the server\'s own')
    out = []
    for text in alternatives(p['expression']):
        out += evaluate(text, resource)
    return out


# ---- what to search for ----

def escaped(text):
    return re.sub(r'([\\,|$])', r'\\\1', text)


def searches(p, item):
    """(modifier, text) of each search that must find a resource with this value."""
    return {'token': token, 'string': string, 'reference': reference, 'date': date, 'uri': uri,
            'number': number, 'quantity': quantity}[p['type']](item, p)


def coded(system, code):
    if code is None:
        return []
    found = [('', escaped(code)), ('', escaped(system or '') + '|' + escaped(code))]
    return found


CONTACTS = ('phone', 'fax', 'email', 'pager', 'url', 'sms', 'other')


def token(item, _):
    v = item.value
    if isinstance(v, bool):
        return [('', 'true' if v else 'false')]
    if isinstance(v, str):
        return [('', escaped(v))]
    if 'coding' in v:
        return [s for c in v['coding'] for s in coded(c.get('system'), c.get('code'))]
    if 'value' in v and v.get('system') in CONTACTS:
        return [('', escaped(v['value']))]
    if 'value' in v:
        return coded(v.get('system'), v['value'])
    if 'code' in v:
        return coded(v.get('system'), v['code'])
    raise Skip('a coded value without a code')


def string(item, _):
    v = item.value
    if isinstance(v, dict):
        parts = []
        for name in ('text', 'family', 'given', 'prefix', 'suffix', 'line', 'city', 'district',
                     'state', 'postalCode', 'country'):
            found = v.get(name, [])
            parts += found if isinstance(found, list) else [found]
        if not parts:
            raise Skip('a name or address without parts')
        return [('', escaped(x)) for x in parts if x]
    if not v.strip():
        raise Skip('a blank string')
    return [('', escaped(v))]


def local(text):
    if text.startswith('#'):
        raise Skip('a reference to a contained resource')


def reference(item, _):
    v = item.value
    if isinstance(v, str):
        local(v)
        return [('', escaped(v))]
    text = v.get('reference')
    if text is None:
        if 'value' in v.get('identifier', {}):
            i = v['identifier']
            return [(':identifier', escaped(i.get('system', '')) + '|' + escaped(i['value']))]
        raise Skip('a reference with nothing but a display')
    local(text)
    found = [('', escaped(text))]
    m = re.fullmatch(r'([A-Z]\w+)/([A-Za-z0-9.-]+)(/_history/[A-Za-z0-9.-]+)?', text)
    if m:
        found += [('', m.group(2)), (':' + m.group(1), m.group(2))]
    return found


def date(item, _):
    v = item.value
    if isinstance(v, str):
        if not re.match(r'\d{4}', v):
            raise Skip('a date in words')
        return [('', v)]
    if 'event' in v:
        return [('', 'ge' + x) for x in v['event'][:1]]
    v = v.get('repeat', {}).get('boundsPeriod', v)
    found = [('', 'ge' + v['start'])] if 'start' in v else []
    found += [('', 'le' + v['end'])] if 'end' in v else []
    if not found:
        raise Skip('a timing without dates')
    return found


def uri(item, _):
    return [('', escaped(item.value))]


def number(item, _):
    if not isinstance(item.value, Number):
        raise Skip('a range where a number is searched')
    return [('', item.value)]


def quantity(item, _):
    v = item.value
    if 'currency' in v:
        return [('', v['value'])]
    if 'value' not in v:
        raise Skip('a range or sampled data where a quantity is searched')
    if 'comparator' in v:
        raise Skip('a quantity with a comparator')
    found = [('', v['value'])]
    if 'code' in v:
        found += [('', f"{v['value']}|{escaped(v.get('system', ''))}|{escaped(v['code'])}")]
        found += [('', f"{v['value']}||{escaped(v['code'])}")]
    return found
