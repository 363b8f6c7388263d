#!/usr/bin/env python3
"""FHIRPath by section of its specification: fhirpath_sections.py PATH_LINES

The cases are rows of fhirpath_sections.tsv, made from what each section says; every one holds.
"""
import json
import os
import subprocess
import sys
from decimal import Decimal

HERE = os.path.dirname(os.path.abspath(__file__))


def cases():
    """(number of the line, section, input, expression, result or None for an error)"""
    with open(os.path.join(HERE, 'fhirpath_sections.tsv'), encoding='utf-8') as f:
        for number, line in enumerate(f, 1):
            if line[0] == '#':
                continue
            section, source, rest = line.rstrip('\n').split('\t', 2)
            expression, result = rest.rsplit('\t', 1)  # a blank in an expression may be a tab
            yield (number, section, source, expression.replace('␤', '\n'),
                   None if result == 'error' else json.loads(result, parse_float=Decimal))


def main():
    with open(os.path.join(HERE, 'fhirpath_inputs.json'), encoding='utf-8') as f:
        inputs = json.load(f)
    rows, lines, failed = list(cases()), [], 0
    for _, _, source, expression, _ in rows:
        line = {'expression': expression}
        if source != '-':
            line['resource'] = inputs[source]
        lines.append(json.dumps(line))
    run = subprocess.run([sys.argv[1]], input='\n'.join(lines) + '\n', text=True, check=True,
                         stdout=subprocess.PIPE, encoding='utf-8')
    replies = [json.loads(line, parse_float=Decimal) for line in run.stdout.splitlines()]
    assert len(replies) == len(rows)
    for (number, section, _, expression, wanted), reply in zip(rows, replies):
        got = reply.get('result')
        # True is 1 to Python.
        if got != wanted or [type(v) is bool for v in got or []] != [type(v) is bool
                                                                    for v in wanted or []]:
            failed += 1
            print(f'line {number}, {section}: {expression}\n    wanted '
                  f'{"an error" if wanted is None else wanted}, got '
                  f'{got if "error" not in reply else reply["error"]}')
    print(f'{len(rows)} cases of {len({row[1] for row in rows})} sections, {failed} failed')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
