#!/usr/bin/env python3
"""carnet nowcast and carnet rt, held against R's numbers (nowcast.R), and as programs.
nowcast.py CARNET [FOLDER]

FOLDER has reports.csv and nowcast.tsv, as nowcast.R writes them."""
import datetime
import os
import subprocess
import sys

FOLDER = sys.argv[2] if len(sys.argv) > 2 else os.path.dirname(os.path.abspath(__file__))
TOLERANCE = 1e-9
TOLERANCE_MIXED = 1e-4  # fewer points than R's

failures = []


def check(what, holds, got=""):
    if not holds:
        failures.append(f"{what}: {got}")


def run(command, *words, text=""):
    return subprocess.run([sys.argv[1], command, *words, "-"], input=text.encode(),
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def rows(result):
    return [line.split(",") for line in result.stdout.decode().splitlines()]


def fails(what, message, *words, text=""):
    r = run(*words, text=text)
    check(what, r.returncode == 1 and message in r.stderr.decode() and not r.stdout
          and r.stderr.count(b"\n") == 1, (r.returncode, r.stderr))


def near(a, b, tolerance):
    return abs(a - b) <= tolerance * max(1, abs(b))


def daily(counts):
    first = datetime.date(2024, 1, 1)
    return "date,count\n" + "".join(f"{first + datetime.timedelta(i)},{n}\n"
                                    for i, n in enumerate(counts))


def expected():
    with open(os.path.join(FOLDER, "reports.csv"), encoding="utf-8") as f:
        reports = f.read()
    cases, series = 0, ""
    with open(os.path.join(FOLDER, "nowcast.tsv"), encoding="utf-8") as f:
        lines = [line.rstrip("\n").split("\t") for line in f if not line.startswith("#")]
    for what, words, numbers, call in lines:
        numbers = [float(v) for v in numbers.split()]
        if what == "counts":
            series = daily(int(v) for v in numbers)
            continue
        if what == "lawless":
            r = run("nowcast", "--method", "lawless", "--quantiles", "0.025,0.5,0.975",
                    *words.split(), text=reports)
            got = [float(v) for row in rows(r)[1:] for v in row[3:]]
            tolerance = 0
        else:
            r = run("rt", *words.split(), text=series)
            got = [float(v) for row in rows(r)[1:] for v in row[2:7] if v]
            tolerance = TOLERANCE if what == "rt" else TOLERANCE_MIXED
        same = len(got) == len(numbers) and all(
            near(a, b, tolerance) for a, b in zip(got, numbers, strict=True))
        check(call, same, (r.stderr, got, numbers))
        cases += 1
    check("cases", cases == 9, cases)


REPORTS = "week,count,reported,district\n" + "".join(
    f'{2020 + i // 52}-W{i % 52 + 1:02d},{n},{2020 + j // 52}-W{j % 52 + 1:02d},"South, lower"\n'
    for i in range(104) for n, j in ((6, i), (3, i + 1), (1, i + 2)))


def bayes():
    """Ten a week, of which 6, 3 and 1 are known after 0, 1 and 2 weeks."""
    r = run("nowcast", "--as-of", "2021-W52", "--longest", "2", "--ahead", "2", text=REPORTS)
    out = rows(r)
    check("rows", out[0] == ["week", "count", "district", "expected", "q0.05", "q0.25", "q0.5",
                             "q0.75", "q0.95"] and
          [row[:4] for row in out[1:]] ==
          [["2021-W51", "9", '"South', ' lower"'], ["2021-W52", "6", '"South', ' lower"'],
           ["2022-W01", "", '"South', ' lower"'], ["2022-W02", "", '"South', ' lower"']],
          (r.stderr, out))
    for row, spread in zip(out[1:], (3, 8, 14, 14), strict=True):
        mean, quantiles = float(row[4]), [float(v) for v in row[5:]]
        check("expected", abs(mean - 10) < 1, row)
        check("quantiles", quantiles == sorted(quantiles) and quantiles[0] <= 10 <= quantiles[4] and
              quantiles[4] - quantiles[0] <= spread and quantiles[0] >= float(row[1] or 0), row)
    # What is all known stays as it is, and what comes after the day asked for is not known.
    row = rows(run("nowcast", "--as-of", "2021-W52", "--longest", "2", "--last", "3",
                   text=REPORTS))[1]
    check("all known", row[0] == "2021-W50" and set(row[4:]) == {"10"}, row)
    again = run("nowcast", "--as-of", "2021-W52", "--longest", "2", "--ahead", "2",
                text=REPORTS + '2021-W52,500,2022-W01,"South, lower"\n')
    check("later reports", again.stdout == r.stdout, again.stdout)
    # No report at all, and one only.
    for text in ("week,count,reported\n1,0,1\n", "week,count,reported\n1,1,1\n"):
        out = rows(run("nowcast", "--ahead", "1", text=text))
        check("one report", len(out) == 3 and 0 <= float(out[1][2]) < 30, out)
    # Rows of the same periods add up, whatever their order.
    lines = REPORTS.splitlines()
    twice = [lines[0]] + lines[:0:-1] + ['2021-W50,0,2021-W50,"South, lower"']
    check("order", run("nowcast", "--as-of", "2021-W52", "--longest", "2", "--ahead", "2",
                       text="\n".join(twice)).stdout == r.stdout)


def lawless_says_when_it_cannot():
    out = rows(run("nowcast", "--method", "lawless", "--longest", "2",
                   text="week,count,reported\n1,5,3\n2,5,4\n3,1,3\n"))
    check("no estimate", out[-2][:3] == ["3", "1", ""] and out[-1][0:2] == ["4", "0"], out)


def late_reports_are_told():
    r = run("nowcast", "--longest", "1", text="week,count,reported\n1,4,3\n")
    check("late", b"4 cases were reported later than --longest 1" in r.stderr, r.stderr)


def wrong_is_refused():
    head = "date,count,reported\n"
    fails("columns", "line 1 must name the columns", "nowcast", text="date,count\n2024-01-01,1\n")
    fails("order of time", "line 2: it was reported before it was", "nowcast",
          text=head + "2024-01-02,1,2024-01-01\n")
    fails("no count", "line 2: a report has no count", "nowcast",
          text=head + "2024-01-02,,2024-01-03\n")
    fails("report", 'line 2: "soon" is not a date', "nowcast", text=head + "2024-01-02,1,soon\n")
    fails("long", "periods until now are too many", "nowcast",
          text=head + "1990-01-02,1,1990-01-03\n1990-01-04,1,2020-01-01\n")
    one = head + "2024-01-02,1,2024-01-03\n"
    fails("method", "--method must be bayes or lawless", "nowcast", "--method", "chain", text=one)
    fails("ahead", "lawless has no --ahead", "nowcast", "--method", "lawless", "--ahead", "1",
          text=one)
    fails("as of", '"today" is not a date', "nowcast", "--as-of", "today", text=one)
    for bad in ("0.5,0.1", "1", "x", "", "0.5,"):
        fails(f"quantiles {bad}", "--quantiles", "nowcast", "--quantiles", bad, text=one)
    days = daily([1, 2, 3])
    si = ("--si-mean", "3", "--si-sd", "1")
    fails("weeks", "R needs daily counts", "rt", *si, text="week,count\n2024-W01,3\n")
    fails("interval", "mean must be above 1 day", "rt", "--si-mean", "1", "--si-sd", "1", text=days)
    fails("deviation", "must be above 0", "rt", "--si-mean", "3", "--si-sd", "0", text=days)
    fails("bounds", "within their bounds", "rt", "--si-mean", "3,1,4,5", "--si-sd", "1", text=days)
    fails("numbers", "--si-mean takes 1 or 4", "rt", "--si-mean", "3,1", "--si-sd", "1", text=days)
    fails("prior", "--prior takes", "rt", *si, "--prior", "5", text=days)


def days_without_r():
    out = rows(run("rt", "--si-mean", "3", "--si-sd", "1", "--window", "2",
                   text=daily([5, 4, "", 6, 7, 8]).replace("2024-01-06,8", "2024-01-07,8")))
    check("notes", [row[-1] for row in out[1:]] ==
          ["too few days before"] * 2 + ["a count that R rests on is not known"] * 4, out)


def main():
    for test in (expected, bayes, lawless_says_when_it_cannot, late_reports_are_told,
                 wrong_is_refused, days_without_r):
        test()
    for text in failures:
        print(text)
    print(f"{len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
