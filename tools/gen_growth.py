#!/usr/bin/env python3
"""WHO's growth standards as the portal's data: gen_growth.py FOLDER > portal/src/data/growth.json

FOLDER has WHO's daily tables (sex, age in days, L, M, S): weianthro.txt (weight for age) and
lenanthro.txt (length or height for age). Of the 1,827 days of each table those are kept between
which straight lines give every curve from -3 to +3 standard deviations to within WITHIN of the
median.
"""
import json
import os
import sys

TABLES = (('weight', 'weianthro.txt'), ('height', 'lenanthro.txt'))
SEXES = {'1': 'male', '2': 'female'}
WITHIN = 0.002
CURVES = (-3, -2, 0, 2, 3)
DAYS = 1827


def read(path):
    """By sex, (L, M, S) of each day."""
    found = {sex: {} for sex in SEXES}
    with open(path, encoding='ascii') as f:
        next(f)
        for line in f:
            sex, day, *rest = line.split()
            found[sex][int(day)] = tuple(map(float, rest[:3]))
    for days in found.values():
        if sorted(days) != list(range(DAYS)):
            raise SystemExit(f'{path}: not the days from 0 to {DAYS - 1}')
    return found


def value(lms, z):
    power, median, spread = lms
    return median * (1 + power * spread * z) ** (1 / power)


def is_straight(days, first, last):
    for day in range(first + 1, last):
        part = (day - first) / (last - first)
        between = tuple(a + (b - a) * part for a, b in zip(days[first], days[last]))
        for z in CURVES:
            if abs(value(between, z) - value(days[day], z)) > WITHIN * days[day][1]:
                return False
    return True


def thin(days):
    """[day, L, M, S] of the days that have to be kept, each as far from the last as it can be."""
    kept, at = [0], 0
    while at < DAYS - 1:
        to = at + 1
        while to < DAYS - 1 and is_straight(days, at, to + 1):
            to += 1
        kept.append(to)
        at = to
    return [[day, *days[day]] for day in kept]


def main():
    out = {'source': "WHO Child Growth Standards (2006): L, M and S by day of age, thinned; the "
                     "numbers are WHO's, as its R package anthro (GPL-3) has them"}
    for name, file in TABLES:
        tables = read(os.path.join(sys.argv[1], file))
        out[name] = {SEXES[sex]: thin(days) for sex, days in tables.items()}
    text = json.dumps(out, separators=(',', ':'))
    print(text.replace('],[', '],\n[').replace(',"', ',\n"'))


if __name__ == '__main__':
    main()
