#!/usr/bin/env python3
"""Takes the facts of UCUM's units that conversion needs: tools/gen_ucum.py SOURCE OUT.tsv

SOURCE is ucum-essence.xml or the archive that holds it. Carried over are codes, factors and
dimensions; no names, symbols or definitions. Each unit's definition is worked out here, with exact
fractions, down to base units (format: defs/ucum/README.md). The same input gives the same bytes.
"""
import hashlib
import re
import sys
import tarfile
import xml.etree.ElementTree as ET
from fractions import Fraction

NS = '{http://unitsofmeasure.org/ucum-essence}'
ROUND_DIGITS = 36       # DECIMAL_ROUND_DIGITS of src/fhir/decimal.h
# Functions of special units, by their name in the source: what src/fhir/ucum_special.c calls them.
SPECIAL = {'Cel': 'celsius', 'degF': 'fahrenheit', 'degRe': 'reaumur', 'pH': 'ph',
           'tanTimes100': 'tan100', '100tan': 'tan100', 'hpX': 'hp_x', 'hpC': 'hp_c',
           'hpM': 'hp_m', 'hpQ': 'hp_q', 'ln': 'ln', 'lg': 'lg', 'lgTimes2': 'lg2', 'ld': 'ld',
           'sqrt': 'sqrt'}


def read_source(path):
    if tarfile.is_tarfile(path):
        with tarfile.open(path) as t:
            member = next(m for m in t.getmembers() if m.name.endswith('ucum-essence.xml'))
            return t.extractfile(member).read()
    with open(path, 'rb') as f:
        return f.read()


class Table:
    def __init__(self, root):
        self.root = root
        self.prefixes = {p.get('Code'): Fraction(p.find(NS + 'value').get('value'))
                         for p in root.iter(NS + 'prefix')}
        self.bases = [b.get('Code') for b in root.iter(NS + 'base-unit')]
        self.units = {u.get('Code'): u for u in root.iter(NS + 'unit')}
        self.done = {}

    def resolve(self, code):
        """(factor, {base: exponent}) of a unit without a prefix."""
        if code in self.bases:
            return Fraction(1), {code: 1}
        if code not in self.done:
            self.done[code] = self.work_out(self.units[code])
        return self.done[code]

    def work_out(self, unit):
        value = unit.find(NS + 'value')
        if unit.get('isSpecial') == 'yes':
            f = value.find(NS + 'function')
            # The source has deg for %[slope] in one place and rad in the other; an arc tangent is
            # in radians.
            number, text = f.get('value'), f.get('Unit')
            if SPECIAL[f.get('name')] == 'tan100':
                text = 'rad'
        else:
            number, text = value.get('value'), value.get('Unit')
            if unit.get('isArbitrary') == 'yes' and text == '1':
                return Fraction(1), {unit.get('Code'): 1}
        factor, dims = self.term(text)
        return factor * Fraction(number), dims

    def atom(self, text):
        if text in self.bases or text in self.units:
            return self.resolve(text)
        for n in (1, 2):
            if text[:n] in self.prefixes and (text[n:] in self.bases or text[n:] in self.units):
                factor, dims = self.resolve(text[n:])
                return factor * self.prefixes[text[:n]], dims
        raise ValueError('no such unit: ' + text)

    def term(self, text):
        """A definition: atoms, numbers, '.', '/' and exponents; the source has no parentheses."""
        factor, dims = Fraction(1), {}
        parts = re.findall(r'([./]?)((?:\[[^\]]*\]|[^./()\[])+)', text)
        if ''.join(op + part for op, part in parts) != text:
            raise ValueError('not a plain product: ' + text)
        for op, part in parts:
            sign = -1 if op == '/' else 1
            m = re.fullmatch(r'(10[*^]|\d+|(?:\[[^\]]*\]|[^\[\d+-])+)([+-]?\d+)?', part)
            exponent = sign * int(m.group(2) or 1)
            if m.group(1).isdigit():
                f, d = Fraction(int(m.group(1))), {}
            else:
                f, d = self.atom(m.group(1))
            factor *= f ** exponent
            for base, e in d.items():
                dims[base] = dims.get(base, 0) + e * exponent
        return factor, {b: e for b, e in dims.items() if e}


def decimal_text(f):
    """A fraction whose denominator has only the primes 2 and 5, as digits 'e' exponent."""
    exponent = 0
    while f.denominator != 1:
        f *= 10
        exponent -= 1
    n = f.numerator
    while n and n % 10 == 0:
        n //= 10
        exponent += 1
    if len(str(n)) > ROUND_DIGITS:
        return None
    return '%de%d' % (n, exponent) if exponent else str(n)


def rounded_text(f):
    """The fraction rounded to ROUND_DIGITS digits, half to even."""
    exponent = 0
    while f < 10 ** (ROUND_DIGITS - 1):
        f *= 10
        exponent -= 1
    while f >= 10 ** ROUND_DIGITS:
        f /= 10
        exponent += 1
    n = round(f)
    while n % 10 == 0:
        n //= 10
        exponent += 1
    return '%de%d' % (n, exponent)


def factor_cells(f):
    """Numerator and denominator; the denominator is '' where the factor is one decimal."""
    den = f.denominator
    for p in (2, 5):
        while den % p == 0:
            den //= p
    num = decimal_text(f * den)
    if num is None or len(str(den)) > ROUND_DIGITS:
        return rounded_text(f), ''
    return num, str(den) if den > 1 else ''


def dims_text(dims, order):
    return ','.join('%s:%d' % (b, dims[b]) for b in sorted(dims, key=order.index))


def rows(t):
    arbitrary = [c for c, u in t.units.items() if t.resolve(c)[1] == {c: 1}]
    order = t.bases + sorted(arbitrary)
    for code, factor in sorted(t.prefixes.items()):
        yield ['prefix', code, '', '', ''] + list(factor_cells(factor))
    for code in t.bases:
        yield ['base', code, '1']
    for code in sorted(arbitrary):
        yield ['arbitrary', code, metric(t.units[code])]
    for code in sorted(set(t.units) - set(arbitrary)):
        factor, dims = t.resolve(code)
        f = t.units[code].find(NS + 'value').find(NS + 'function')
        special = SPECIAL[f.get('name')] if t.units[code].get('isSpecial') == 'yes' else ''
        yield ['unit', code, metric(t.units[code]), special, dims_text(dims, order)] + \
            list(factor_cells(factor))


def metric(unit):
    return '1' if unit.get('isMetric') == 'yes' else '0'


def main():
    source, out = sys.argv[1:]
    data = read_source(source)
    root = ET.fromstring(data)
    t = Table(root)
    with open(out, 'w', encoding='utf-8', newline='\n') as f:
        f.write('# UCUM %s, ucum-essence.xml sha256 %s, https://ucum.org; licence: README.md\n' %
                (root.get('version'), hashlib.sha256(data).hexdigest()))
        f.write('#kind\tcode\tmetric\tspecial\tdims\tfactor\tdivisor\n')
        for row in rows(t):
            f.write('\t'.join(row).rstrip('\t') + '\n')


if __name__ == '__main__':
    main()
