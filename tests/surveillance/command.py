#!/usr/bin/env python3
"""carnet detect as a program: rows, notes, errors and formats. command.py CARNET"""
import json
import subprocess
import sys
import tempfile

failures = []


def run(*words, text=""):
    return subprocess.run([sys.argv[1], "detect", *words], input=text.encode(),
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def check(what, holds, got=""):
    if not holds:
        failures.append("%s: %s" % (what, got))


def lines(result):
    return result.stdout.decode().splitlines()


def fails(what, status, message, *words, text=""):
    r = run(*words, text=text)
    check(what, r.returncode == status and message in r.stderr.decode() and not r.stdout
          and r.stderr.count(b"\n") == 1, (r.returncode, r.stderr))


WEEKS = "week,count,district\n" + "".join(
    "2024-W%02d,%d,%s\n" % (w, 3 + w % 3 if w < 20 else 40, d)
    for d in ("North", '"South, lower"') for w in range(1, 21))


def rows_come_back():
    r = run("--method", "ears-c1", "-", text=WEEKS)
    out = lines(r)
    check("status", r.returncode == 0 and not r.stderr, r.stderr)
    check("header", out[0] == "week,count,district,threshold,alarm,note", out[0])
    check("rows", [line.startswith(w) for line, w in zip(out, WEEKS.splitlines(), strict=True)],
          out)
    check("history", out[7] == '2024-W07,4,North,,,"needs 7 weeks of history, has 6"', out[7])
    # Mean 4, standard deviation sqrt(2/3), 3.0902 of them.
    check("no alarm", out[8].startswith("2024-W08,5,North,6.5231641122") and
          out[8].endswith(",0,"), out[8])
    check("alarm", out[20].endswith(",1,"), out[20])
    check("second series", out[27].endswith('has 6"') and out[40].endswith(",1,"), out[27])


def order_does_not_matter():
    header, *rows = WEEKS.splitlines()
    a = lines(run("--method", "bayes1", "-", text=WEEKS))
    b = lines(run("--method", "bayes1", "-", text="\n".join([header] + rows[::-1])))
    check("order", a[1:] == b[:0:-1], b[:3])


def ranges():
    out = lines(run("--method", "ears-c1", "--last", "2", "-", text=WEEKS))
    check("last", out[18].endswith(",outside the range") and out[19].endswith(",0,"), out[18:20])
    out = lines(run("--method", "ears-c1", "--range", "9:9", "-", text=WEEKS))
    check("range", [i for i, line in enumerate(out) if "outside" not in line] == [0, 9, 29], out)


def gaps_are_told():
    r = run("--method", "ears-c1", "-", text=WEEKS.replace("2024-W12,3,North\n", ""))
    check("gap", r.stderr.decode() == "carnet detect: 1 point has no row: taken as not known\n",
          r.stderr)
    check("gap's note", ",,,a count that the threshold rests on is not known" in
          r.stdout.decode(), r.stdout)


def json_is_json():
    r = run("--method", "farrington", "--set", "b=1", "--format", "json", "-", text=WEEKS)
    out = json.loads(r.stdout)
    check("json", out["method"] == "farrington" and len(out["rows"]) == 40, out)
    check("json row", out["rows"][39] == {
        "week": "2024-W20", "count": 40, "district": "South, lower", "threshold": None,
        "expected": None, "p": None, "alarm": None,
        "note": "needs 55 weeks of history, has 19"}, out["rows"][39])


def wrong_is_refused():
    one = "week,count\n2024-W01,1\n"
    fails("no method", 1, "--method NAME is missing", "-", text=one)
    fails("unknown method", 1, 'there is no method "ears"', "--method", "ears", "-", text=one)
    fails("no file", 1, "FILE is missing", "--method", "ears-c1")
    fails("file", 1, "/nowhere/x.csv cannot be read", "--method", "ears-c1", "/nowhere/x.csv")
    fails("line", 1, "line 3: the count is negative: -4", "--method", "ears-c1", "-",
          text=one + "2024-W02,-4\n")
    fails("parameter", 1, "alpha must be a number", "--method", "ears-c1", "--alpha", "2", "-",
          text=one)
    fails("no such parameter", 1, 'rki1 has no parameter "alpha"', "--method", "rki1", "--alpha",
          "0.05", "-", text=one)
    fails("set", 1, "--set takes NAME=VALUE", "--method", "rki1", "--set", "b", "-", text=one)
    fails("format", 1, "--format must be csv or json", "--method", "rki1", "--format", "xml", "-",
          text=one)
    fails("both", 1, "--last and --range exclude each other", "--method", "rki1", "--last", "3",
          "--range", "1:2", "-", text=one)
    fails("empty", 1, "the file is empty", "--method", "rki1", "-", text="")


def help_tells_all():
    out = run("--methods").stdout.decode()
    for name in ("ears-c1", "rki3", "cdc", "bayes2", "cusum", "farrington-flexible", "glr-nb",
                 "outbreakp"):
        check("method " + name, "\n  %s " % name in "\n" + out, out)
    check("default", "pastWeeksNotIncluded=0..500" in out and "(default: 26)" in out, out)


def files_work():
    with tempfile.TemporaryDirectory() as folder:
        with open(folder + "/in.csv", "w", encoding="utf-8") as f:
            f.write(WEEKS)
        r = run("--method", "cusum", "--out", folder + "/out.csv", folder + "/in.csv")
        check("files", r.returncode == 0 and not r.stdout, r.stderr)
        with open(folder + "/out.csv", encoding="utf-8") as f:
            check("out", len(f.read().splitlines()) == 41)


def main():
    for test in (rows_come_back, order_does_not_matter, ranges, gaps_are_told, json_is_json,
                 wrong_is_refused, help_tells_all, files_work):
        test()
    for text in failures:
        print(text)
    print("%d failures" % len(failures))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
