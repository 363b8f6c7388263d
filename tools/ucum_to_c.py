#!/usr/bin/env python3
"""Turns defs/ucum/units.tsv into C: tools/ucum_to_c.py UNITS.tsv OUT.c

OUT.c fills the shapes of src/fhir/ucum_int.h.
"""
import sys

DIMS_MAX = 5    # UCUM_ROW_DIMS_MAX of src/fhir/ucum_int.h


def read(path):
    with open(path, encoding='utf-8') as f:
        for line in f:
            if not line.startswith('#'):
                cells = line.rstrip('\n').split('\t')
                yield cells + [''] * (7 - len(cells))


def c_str(s):
    """A struct str; every code is printable ASCII."""
    return '{"%s", %d}' % (s.replace('\\', '\\\\').replace('"', '\\"'), len(s))


def c_decimal(text):
    digits, _, exponent = (text or '1').partition('e')
    return '{.n = %d, .exponent = %s, .digit = {%s}}' % (len(digits), exponent or '0',
                                                         ', '.join(digits))


def c_row(code, metric, special, dims, factor, divisor):
    if len(dims) > DIMS_MAX:
        raise SystemExit('%s has more than %d dimensions' % (code, DIMS_MAX))
    return '    {%s, %s, UCUM_%s, %d, {%s},\n     %s, %s},' % (
        c_str(code), metric, (special or 'linear').upper(), len(dims),
        ', '.join('{%d, %s}' % d for d in dims) or '{0, 0}', c_decimal(factor),
        c_decimal(divisor))


def main():
    source, out = sys.argv[1:]
    table = list(read(source))
    bases = [r[1] for r in table if r[0] in ('base', 'arbitrary')]
    number = {code: i for i, code in enumerate(bases)}
    units = []
    for kind, code, metric, special, dims, factor, divisor in table:
        if kind == 'unit':
            pairs = [d.rsplit(':', 1) for d in dims.split(',') if d]
            dims = [(number[base], exponent) for base, exponent in pairs]
            units.append((code, metric, special, dims, factor, divisor))
        elif kind in ('base', 'arbitrary'):
            units.append((code, metric, '', [(number[code], '1')], '', ''))
    units.sort(key=lambda u: u[0].encode())
    with open(out, 'w', encoding='utf-8', newline='\n') as f:
        f.write('#include "fhir/ucum_int.h"\n\nconst struct ucum_prefix ucum_prefixes[] = {\n')
        for r in table:
            if r[0] == 'prefix':
                f.write('    {%s, %s},\n' % (c_str(r[1]), c_decimal(r[5])))
        f.write('};\nconst size_t ucum_n_prefixes = ARRAY_LEN(ucum_prefixes);\n\n')
        f.write('const struct str ucum_bases[] = {\n')
        f.write(''.join('    %s,\n' % c_str(b) for b in bases))
        f.write('};\nconst size_t ucum_n_bases = ARRAY_LEN(ucum_bases);\n\n')
        f.write('const struct ucum_row ucum_rows[] = {\n')
        f.write(''.join(c_row(*u) + '\n' for u in units))
        f.write('};\nconst size_t ucum_n_rows = ARRAY_LEN(ucum_rows);\n')


if __name__ == '__main__':
    main()
