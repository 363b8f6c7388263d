#!/usr/bin/env python3
"""Counts what one `meson test` run did: test_counts.py BUILD-DIR OUT-FILE

A cmocka program holds many tests, so its own summary counts; any other program counts as one. Names
every failure and says why a test was skipped. Writes "passed failed skipped" to OUT-FILE. Exits 1
when something failed or when nothing ran."""
import json
import re
import sys

# cmocka 1.1.7 (Debian 13) puts a blank or "tests: " in.
SUMMARY = re.compile(r"^ ?\[  (PASSED|FAILED|SKIPPED) *\] (?:tests: )?(\d+) test", re.M)
FAILED_TEST = re.compile(r"^\[  FAILED  \] (\S+)$", re.M)
SKIPPED_TEST = re.compile(r"^\[  SKIPPED \] (\S+)$", re.M)
MESON_SKIPPED = "SKIP"
MESON_PASSED = ("OK", "EXPECTEDFAIL")
TAIL_LINES = 40


def read_log(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as f:
            return [json.loads(line) for line in f if line.strip()]
    except FileNotFoundError:
        return []


def count(test):
    """(passed, failed, skipped) of one program."""
    text = test.get("stdout", "") + "\n" + test.get("stderr", "")
    n = {"PASSED": 0, "FAILED": 0, "SKIPPED": 0}
    for kind, number in SUMMARY.findall(text):
        n[kind] += int(number)
    if test["result"] == MESON_SKIPPED:
        return 0, 0, 1
    if test["result"] not in MESON_PASSED:
        return n["PASSED"], max(n["FAILED"], 1), n["SKIPPED"]
    if n["PASSED"] + n["SKIPPED"] == 0:
        return 1, 0, 0
    return n["PASSED"], 0, n["SKIPPED"]


def main():
    build, out = sys.argv[1:3]
    total = [0, 0, 0]
    for test in read_log(build + "/meson-logs/testlog.json"):
        counted = count(test)
        total = [a + b for a, b in zip(total, counted)]
        text = test.get("stdout", "") + "\n" + test.get("stderr", "")
        if counted[2]:
            print("  skipped in %s: %s" % (test["name"],
                  " ".join(sorted(set(SKIPPED_TEST.findall(text)))) or "all of it"))
        if counted[1]:
            names = " ".join(sorted(set(FAILED_TEST.findall(text))))
            print("  FAILED %s (%s): %s" % (test["name"], test["result"], names))
            print("\n".join("    | " + line for line in text.strip().split("\n")[-TAIL_LINES:]))
    with open(out, "w", encoding="ascii") as f:
        f.write("%d %d %d\n" % tuple(total))
    return 1 if total[1] or sum(total) == 0 else 0


sys.exit(main())
