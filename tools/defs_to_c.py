#!/usr/bin/env python3
"""Turns the tables of defs/ into C: tools/defs_to_c.py DEFS TABLES.c TEXT.c

TABLES.c fills the shapes of src/fhir/defs_int.h. TEXT.c carries those tables as text that only
become resources again (src/fhir/base_resources.c).
"""
import os
import re
import sys

COMPARTMENTS = ['Patient', 'Encounter', 'RelatedPerson', 'Practitioner', 'Device']
KINDS = {'number': 'NUMBER', 'date': 'DATE', 'string': 'STRING', 'token': 'TOKEN',
         'reference': 'REFERENCE', 'composite': 'COMPOSITE', 'quantity': 'QUANTITY', 'uri': 'URI',
         'special': 'SPECIAL'}
ELEMENTS_MAX = 128      # DEF_ELEMENTS_MAX of src/fhir/defs.h
# Tables that base_resources.c reads.
TEXTS = ['types', 'elements', 'constraints', 'profiles', 'searchparams', 'components',
         'compartments', 'codesystems', 'codes', 'valuesets', 'compose']


def read(folder, name, columns):
    with open(os.path.join(folder, name + '.tsv'), encoding='utf-8') as f:
        for line in f:
            if not line.startswith('#'):
                cells = line.rstrip('\n').split('\t')
                yield cells + [''] * (columns - len(cells))


def c_string(data, width=92):
    """Bytes as C string literals, one a line."""
    lines, line = [], ''
    for b in data:
        c = chr(b)
        if c in '\\"?':
            c = '\\' + c
        elif b == 10:
            c = '\\n'
        elif b == 9:
            c = '\\t'
        elif b < 32 or b > 126:
            c = '\\%03o' % b
        line += c
        if len(line) >= width:
            lines.append('    "%s"' % line)
            line = ''
    lines.append('    "%s"' % line)
    return '\n'.join(lines)


def mix(name):
    """str_mix() of base/str.h, of a little-endian machine."""
    b, n, mask = name.encode(), len(name.encode()), 2 ** 64 - 1
    width = 8 if n >= 8 else 4
    if n >= 4:
        head, tail = (int.from_bytes(part, 'little') for part in (b[:width], b[-width:]))
    else:
        head, tail = (b[0] | b[n // 2] << 8 | b[-1] << 16 if n else 0), 0
    h = ((head ^ n) * 0x9e3779b97f4a7c15 ^ tail * 0xc2b2ae3d27d4eb4f) & mask
    h ^= h >> 32
    return (h * 0x9e3779b97f4a7c15 & mask) >> 32


def places(n):
    size = 2
    while size < n * 8 // 5 + 1:
        size *= 2
    return size


def hashed(names):
    """Open addressing: the list of places with the index of the name in each, or None."""
    size = places(len(names))
    table = [None] * size
    for i, name in enumerate(names):
        at = mix(name) & (size - 1)
        while table[at] is not None:
            at = (at + 1) & (size - 1)
        table[at] = i
    return table


class Pool:
    def __init__(self):
        self.at, self.data = {}, bytearray()

    def add(self, text):
        if text not in self.at:
            self.at[text] = len(self.data)
            self.data += text.encode() + b'\0'
        return self.at[text]

    def str(self, text):
        if text is None:
            return '{NULL, 0}'
        return '{defs_pool + %d, %d}' % (self.add(text), len(text.encode()))


class Lists:
    """Lists that end in a terminator, each written once, into one array."""

    def __init__(self, name, declaration, end):
        self.name, self.declaration, self.end = name, declaration, end
        self.at, self.items = {}, []

    def add(self, items):
        key = tuple(items)
        if key not in self.at:
            self.at[key] = len(self.items)
            self.items += list(key) + [self.end]
        return '%s + %d' % (self.name, self.at[key])

    def write(self, out):
        out.append('%s = {' % self.declaration)
        out.extend('    %s,' % i for i in self.items or [self.end])
        out.append('};')


class Element:
    def __init__(self, row):
        self.path, self.min, self.max, self.flags = row[:4]
        types, self.binding, value_set, self.ref = row[4:8]
        self.set = value_set.split('|')[0]
        self.name = self.path.rpartition('.')[2].replace('[x]', '')
        self.is_choice = self.path.endswith('[x]')
        self.types, self.targets = [], []
        for t in re.findall(r'[^,(<]+(?:<[^>]*>)?(?:\([^)]*\))?', types):
            name = re.split(r'[<(]', t)[0]
            self.types.append(name)
            if name == 'Reference' and '(' in t:
                self.targets = t[t.index('(') + 1:-1].split('|')


class Types:
    """types.tsv and elements.tsv with inheritance resolved."""

    def __init__(self, folder):
        self.number, self.kind, self.base, self.abstract, self.own = {}, {}, {}, {}, {}
        for number, name, kind, abstract, base, _ in read(folder, 'types', 6):
            self.add(name, kind, base, abstract == '1', int(number))
        rows = [Element(r) for r in read(folder, 'elements', 9)]
        by_path = {e.path: e for e in rows}
        parents = {e.path.rpartition('.')[0] for e in rows if '.' in e.path}
        for path in sorted(parents - set(self.kind)):
            self.add(path, 'backbone', by_path[path].types[0], False, 0)
        for e in rows:
            owner = e.path.rpartition('.')[0]
            if not owner or (self.kind[owner] == 'primitive' and e.name == 'value'):
                continue
            if e.ref:
                e.types = [e.ref]
            elif e.path in self.kind:
                e.types = [e.path]
            self.own[owner].append(e)
        self.names = list(self.kind)
        self.index = {n: i for i, n in enumerate(self.names)}

    def add(self, name, kind, base, abstract, number):
        self.kind[name], self.base[name], self.abstract[name] = kind, base, abstract
        self.number[name] = number
        self.own[name] = []

    def elements(self, name):
        out = list(self.elements(self.base[name])) if self.base[name] else []
        for e in self.own[name]:
            same = [i for i, b in enumerate(out) if b.name == e.name]
            if same:
                out[same[0]] = e
            else:
                out.append(e)
        return out

    def which(self, name):
        is_data = self.kind[name] in ('primitive', 'complex') and not self.abstract[name]
        return 'TYPE_' + name.upper() if is_data else 'TYPE_NONE'

    def required(self, name):
        words = [0] * (ELEMENTS_MAX // 64)
        for i, e in enumerate(self.elements(name)):
            words[i // 64] |= (e.min != '0') << i % 64
        return ', '.join('0x%xu' % w for w in words)

    def members(self, name):
        """(JSON name, index of the element, type) of all members."""
        for i, e in enumerate(self.elements(name)):
            if not e.is_choice:
                yield e.name, i, e.types[0]
                continue
            for t in e.types:
                yield e.name + t[0].upper() + t[1:], i, t


class Codes:
    """Required bindings' value sets, flattened where the definitions hold every code."""

    def __init__(self, folder):
        self.system_url, self.complete, self.concepts = {}, set(), {}
        for row in read(folder, 'codesystems', 12):
            self.system_url[row[0]] = row[1]
            if row[8] == 'complete':
                self.complete.add(row[1])
        for row in read(folder, 'codes', 4):
            if row[0] == '=':
                current = self.concepts.setdefault(self.system_url[row[1]], [])
            elif row[0].isdigit():
                current.append(row[1])
        self.set_url = {r[0]: r[1] for r in read(folder, 'valuesets', 8)}
        self.parts = {}
        for row in read(folder, 'compose', 4):
            if row[0] == '=':
                parts = self.parts.setdefault(self.set_url[row[1]], [])
            elif row[0] in '+-':
                parts.append({'sign': row[0], 'system': row[1], 'c': [], 'f': [], 'v': []})
            else:
                parts[-1][row[0]].append(row[1])

    def part(self, p):
        codes = None
        if p['c']:
            codes = {(p['system'], c) for c in p['c']}
        elif p['system']:
            if p['f'] or p['system'] not in self.complete:
                return None
            codes = {(p['system'], c) for c in self.concepts.get(p['system'], [])}
        for url in p['v']:
            other = self.flat(url)
            if other is None:
                return None
            codes = other if codes is None else codes & other
        return codes

    def flat(self, url):
        if url not in self.parts:
            return None
        out = set()
        for p in self.parts[url]:
            codes = self.part(p)
            if codes is None:
                return None
            out = out | codes if p['sign'] == '+' else out - codes
        return out


class Writer:
    def __init__(self, folder):
        self.folder, self.types, self.codes = folder, Types(folder), Codes(folder)
        self.pool, self.out = Pool(), []
        self.type_lists = Lists('type_lists', 'static const struct def_type *const type_lists[]',
                                'NULL')
        self.targets = Lists('targets', 'static const int targets[]', '0')
        self.code_lists = {}

    def say(self, *lines):
        self.out.extend(lines)

    def type_list(self, names):
        return self.type_lists.add('&defs_types[%d]' % self.types.index[n] for n in names)

    def target_list(self, names):
        numbers = [self.types.number.get(n, 0) for n in names]
        return self.targets.add(str(n) for n in numbers) if numbers and all(numbers) else 'NULL'

    def code_list(self, e):
        if e.binding != 'required':
            return 'NULL'
        if e.set not in self.code_lists:
            codes = self.codes.flat(e.set)
            if codes is None:
                return 'NULL'
            self.code_lists[e.set] = (len(self.code_lists), codes)
        return '&defs_codes[%d]' % self.code_lists[e.set][0]

    def element(self, e):
        high = 'DEF_MAX_UNBOUNDED' if e.max == '*' else e.max
        flags = [str(int(f)) for f in (e.is_choice, 'S' in e.flags, 'M' in e.flags)]
        return '    {%s, %s, %s, %s, %s, %s, %s, %s},' % (
            self.pool.str(e.name), self.type_list(e.types), self.target_list(e.targets),
            self.code_list(e), e.min, high, 'DEF_' + (e.binding or 'unbound').upper(),
            ', '.join(flags))

    def write_types(self):
        t, rows, elements, first = self.types, [], [], 0
        for name in t.names:
            own = [self.element(e) for e in t.elements(name)]
            if len(own) > ELEMENTS_MAX:
                sys.exit('%s has %d elements' % (name, len(own)))
            elements += own
            base = '&defs_types[%d]' % t.index[t.base[name]] if t.base[name] else 'NULL'
            rows.append('    {%s, DEF_%s, %d, %s, %d, %s, elements + %d, %d, {%s}},' % (
                self.pool.str(name), t.kind[name].upper(), t.number[name], t.which(name),
                t.abstract[name], base, first, len(own), t.required(name)))
            first += len(own)
        self.type_lists.write(self.out)
        self.targets_at = len(self.out)
        self.say('static const struct def_element elements[] = {', *elements, '};')
        self.say('const struct def_type defs_types[] = {', *rows, '};',
                 'const size_t defs_n_types = %d;' % len(rows))
        numbers = sorted((n, t.index[name]) for name, n in t.number.items() if n)
        self.say('const uint16_t defs_resource_index[DEF_RESOURCE_MAX + 1] = {',
                 '    0, %s' % ', '.join(str(i) for _, i in numbers), '};')
        table = hashed(t.names)
        self.say('const uint16_t defs_type_by_name[] = {',
                 *('    %d,' % (0 if i is None else i + 1) for i in table), '};',
                 'const uint16_t defs_type_by_name_mask = %d;' % (len(table) - 1))

    def write_members(self):
        rows, heads = [], []
        for name in self.types.names:
            members = list(self.types.members(name))
            table = hashed([m[0] for m in members])
            heads.append('    {%d, %d},' % (len(rows), len(table) - 1))
            for i in table:
                if i is None:
                    rows.append('    {0, 0, 0, 0},')
                    continue
                json_name, element, of = members[i]
                rows.append('    {%d, %d, %d, %d},' % (self.pool.add(json_name), element,
                                                       self.types.index[of], len(json_name)))
        self.say('const struct defs_member defs_member_table[] = {', *rows, '};',
                 'const struct defs_members defs_members[] = {', *heads, '};')

    def write_codes(self):
        rows, lists, systems = [], [], {}
        for url, (_, codes) in self.code_lists.items():
            lists.append('    {%s, %d, %d},' % (self.pool.str(url), len(rows), len(codes)))
            for system, code in sorted(codes, key=lambda c: (c[1].encode(), c[0])):
                if len(code.encode()) > 255:
                    sys.exit('code too long: %s' % code)
                rows.append('    {%d, %d, %d},' % (
                    self.pool.add(code), systems.setdefault(system, len(systems)),
                    len(code.encode())))
        self.say('const struct defs_code defs_code_table[] = {', *rows, '};',
                 'const struct def_codes defs_codes[] = {', *lists, '};',
                 'const struct str defs_code_systems[] = {',
                 *('    %s,' % self.pool.str(s) for s in systems), '};')

    def write_params(self):
        components, rows, parts = {}, [], []
        published = list(read(self.folder, 'searchparams', 12))
        kind = {r[1]: KINDS[r[6]] for r in published}
        for sp, _, code, definition, expression in read(self.folder, 'components', 5):
            components.setdefault(sp, []).append('    {%s, %s, PARAM_%s},' % (
                self.pool.str(code), self.pool.str(expression), kind[definition]))
        first = {}
        for sp, items in components.items():
            first[sp] = len(parts)
            parts += items
        url = {r[0]: r[1] for r in published}
        params = sorted(read(self.folder, 'params', 7), key=lambda r: (
            self.types.number[r[1]], r[2].encode()))
        for number, of, code, kind, sp, targets, expression in params:
            own = components.get(sp, [])
            rows.append('    {%s, %d, PARAM_%s, %s, %s, %s, %s, %s, %d},' % (
                number, self.types.number[of], KINDS[kind], self.pool.str(code),
                self.pool.str(url[sp]), self.pool.str(expression),
                self.target_list(targets.split(',')) if targets else 'NULL',
                'components + %d' % first[sp] if own else 'NULL', len(own)))
        self.say('static const struct def_component components[] = {', *parts, '};',
                 'const struct def_param defs_params[] = {', *rows, '};',
                 'const size_t defs_n_params = %d;' % len(rows))

    def write_compartments(self):
        codes = Lists('compartment_codes', 'static const struct str compartment_codes[]',
                      '{NULL, 0}')
        rows = []
        for _, compartment, of, params in read(self.folder, 'compartments', 4):
            params = params.split(',') if params else []
            # Patient and Device leave it out: what names a compartment is in it.
            if compartment == of:
                params = ['{def}'] + [p for p in params if p != '{def}']
            if params:
                rows.append('    [%d][%d] = %s,' % (
                    COMPARTMENTS.index(compartment), self.types.number[of],
                    codes.add(self.pool.str(p) for p in params)))
        codes.write(self.out)
        self.say('const struct str *const defs_compartments[COMPARTMENT_COUNT]'
                 '[DEF_RESOURCE_MAX + 1] = {', *rows, '};',
                 'const int defs_compartment_types[COMPARTMENT_COUNT] = {',
                 '    %s' % ', '.join(str(self.types.number[c]) for c in COMPARTMENTS), '};')

    def write_systems(self):
        rows = sorted(read(self.folder, 'systems', 2), key=lambda r: r[1].encode())
        self.say('const struct defs_system defs_systems[] = {',
                 *('    {%d, %s, %d},' % (self.pool.add(uri), number, len(uri))
                   for number, uri in rows), '};',
                 'const size_t defs_n_systems = %d;' % len(rows))

    def tables(self):
        self.write_types()
        self.write_members()
        self.write_codes()
        self.write_params()
        self.write_compartments()
        self.write_systems()
        lists = []
        self.targets.write(lists)
        head = ['/* Generated by tools/defs_to_c.py. */', '#include "fhir/defs_int.h"',
                'const char defs_pool[] =', c_string(self.pool.data) + ';'] + lists
        return '\n'.join(head + self.out) + '\n'


def texts(folder):
    out = ['/* Generated by tools/defs_to_c.py. */', '#include "fhir/base_text.h"']
    for name in TEXTS:
        with open(os.path.join(folder, name + '.tsv'), 'rb') as f:
            data = f.read()
        data = data[data.index(b'\n') + 1:]     # without the columns' names
        out += ['static const char %s[] =' % name, c_string(data) + ';',
                'const struct str base_text_%s = {%s, sizeof %s - 1};' % (name, name, name)]
    return '\n'.join(out) + '\n'


def main(argv):
    if len(argv) != 4:
        sys.exit(__doc__)
    with open(argv[2], 'w', encoding='ascii') as f:
        f.write(Writer(argv[1]).tables())
    with open(argv[3], 'w', encoding='ascii') as f:
        f.write(texts(argv[1]))


if __name__ == '__main__':
    main(sys.argv)
