#!/usr/bin/env python3
"""Holds carnet detect against what R computes: expected.py CARNET [FOLDER]

FOLDER has series.tsv and expected.tsv, as expected.R writes them; by default the folder of this
script. Thresholds agree to 1e-9 (relative above 1, else absolute), those that are counts exactly;
alarms agree wherever R judges."""
import datetime
import math
import os
import subprocess
import sys

TOLERANCE = 1e-9
TOLERANCE_ITERATED = 1e-6  # glr-nb: where R's search for the best rise ends
METHODS_OF_COUNTS = ("bayes1", "bayes2", "bayes3")


def read(path):
    with open(path, encoding="utf-8") as f:
        return [line.rstrip("\n").split("\t") for line in f if not line.startswith("#")]


def csv_of(first, counts):
    """The series as a file: dates a week apart where it has a first day, else bare numbers."""
    if first == "-":
        return "week,count\n" + "".join("%d,%s\n" % (i + 1, c) for i, c in enumerate(counts))
    day = datetime.date.fromisoformat(first)
    return "date,count\n" + "".join(
        "%s,%s\n" % (day + datetime.timedelta(7 * i), c) for i, c in enumerate(counts))


def detect(carnet, text, method, settings, range_):
    words = [carnet, "detect", "--method", method, "--range", range_]
    if settings != "-":
        words += ["--set", settings]
    run = subprocess.run(words + ["-"], input=text.encode(), stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE)
    if run.returncode:
        return None, run.stderr.decode().strip()
    first, last = (int(v) for v in range_.split(":"))
    return [line.split(",", 4) for line in run.stdout.decode().splitlines()[first:last + 1]], ""


def is_count(method, settings):
    return method in METHODS_OF_COUNTS or (
        method == "farrington-flexible" and "thresholdMethod=delta" not in settings) or (
        method == "outbreakp" and "ret=value" not in settings)


def difference(row, upper, alarm, exact, in_log, tolerance):
    """What is wrong with one point, or None. Likelihood ratios are compared by their logarithms."""
    ours, our_alarm = row[2], row[3]
    if upper in ("NA", "NaN"):
        return None if ours == "" else "threshold %s, R has none" % ours
    if upper in ("Inf", "1e+99"):
        return None if ours == "" else "threshold %s, R says %s" % (ours, upper)
    if ours == "":
        return "no threshold (%s), R says %s" % (row[4], upper)
    a, b = float(ours), float(upper)
    if exact and a != b:
        return "threshold %s, R says %s" % (ours, upper)
    bound = tolerance * max(1, abs(b))
    if in_log and b == 0:
        return None  # R's product has underflowed; ours is a sum of logarithms
    if in_log:
        a, b, bound = math.log(a), math.log(b), tolerance * max(1, abs(math.log(b)))
    if abs(a - b) > bound:
        return "threshold %s, R says %s" % (ours, upper)
    # Where nothing at all is expected R takes no count for an alarm; we take any.
    if alarm in ("0", "1") and our_alarm != alarm and b > 0:
        return "alarm %s, R says %s (count %s, threshold %s)" % (our_alarm, alarm, row[1], ours)
    return None


def main():
    carnet = sys.argv[1]
    folder = sys.argv[2] if len(sys.argv) > 2 else os.path.dirname(os.path.abspath(__file__))
    texts = {name: csv_of(first, counts.split())
             for name, first, counts in read(os.path.join(folder, "series.tsv"))}
    points = wrong = 0
    cases = read(os.path.join(folder, "expected.tsv"))
    for name, range_, method, settings, upper, alarm, call in cases:
        rows, error = detect(carnet, texts[name], method, settings, range_)
        if rows is None:
            print("%s %s %s: %s" % (name, method, settings, error))
            wrong += 1
            continue
        exact = is_count(method, settings)
        found = []
        for i, (row, u, a) in enumerate(zip(rows, upper.split(), alarm.split(), strict=True)):
            what = difference(row, u, a, exact, method == "outbreakp" and "ret=value" in settings,
                              TOLERANCE_ITERATED if method == "glr-nb" else TOLERANCE)
            points += 1
            if what:
                found.append("%d: %s" % (int(range_.split(":")[0]) + i, what))
        if found:
            wrong += 1
            print("%s %s %s: %d points differ, the first %s" % (name, method, settings, len(found),
                                                                found[0]))
    print("%d cases, %d points, %d cases differ" % (len(cases), points, wrong))
    return 1 if wrong or not points else 0


if __name__ == "__main__":
    sys.exit(main())
