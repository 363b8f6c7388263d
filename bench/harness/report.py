"""The table, RESULTS.md and results.json."""
import json
import os
import platform
import statistics
import subprocess
import time


def median(values):
    return statistics.median(values)


class Row:
    """One figure: runs of ours beside runs of the limit, or of ours alone against a fixed bound.

    With a limit the ratio is ours/limit of each pair (or limit/ours where less is better), and the
    row is met when the median ratio is at least (most=False) or at most (most=True) the target.
    """

    def __init__(self, name, unit, ours, limit=None, target=None, most=False, ratios=None, note=""):
        self.name, self.unit, self.ours, self.limit = name, unit, list(ours), limit
        self.target, self.most, self.note = target, most, note
        self.ratios = ratios
        if ratios is None and limit:
            self.ratios = [a / b for a, b in zip(self.ours, limit)]

    @property
    def value(self):
        return median(self.ratios) if self.ratios else median(self.ours)

    @property
    def met(self):
        if self.target is None:
            return None
        return self.value <= self.target if self.most else self.value >= self.target

    def cells(self):
        limit = number(median(self.limit)) if self.limit else "-"
        ratio = "-"
        if self.ratios:
            ratio = "%.2f (%.2f-%.2f)" % (self.value, min(self.ratios), max(self.ratios))
        sign = "<=" if self.most else ">="
        target = "-" if self.target is None else "%s %s%s" % (
            sign, number(self.target), "" if self.ratios else " " + self.unit)
        met = {None: "", True: "yes", False: "NO"}[self.met]
        return [self.name, "%s %s" % (number(median(self.ours)), self.unit), limit, ratio, target,
                met]

    def data(self):
        return {"name": self.name, "unit": self.unit, "ours": self.ours, "limit": self.limit,
                "ratios": self.ratios, "median": self.value, "target": self.target,
                "at_most": self.most, "met": self.met, "note": self.note}


def number(x):
    if x >= 100:
        return "{:,.0f}".format(x)
    return "%.1f" % x if x >= 10 else "%.2f" % x


HEAD = ["row", "ours", "limit", "ratio (min-max)", "target", "met"]


def table(rows):
    cells = [HEAD] + [r.cells() for r in rows]
    width = [max(len(c[i]) for c in cells) for i in range(len(HEAD))]
    lines = ["  ".join(c.ljust(w) for c, w in zip(row, width)).rstrip() for row in cells]
    notes = ["%s: %s" % (r.name, r.note) for r in rows if r.note]
    return "\n".join([lines[0], "-" * len(lines[0])] + lines[1:] + [""] + notes)


def machine():
    model = ""
    with open("/proc/cpuinfo") as f:
        for line in f:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True,
                            cwd=os.path.dirname(os.path.abspath(__file__))).stdout.strip()
    return {"date": time.strftime("%Y-%m-%d"), "cores": os.cpu_count(), "cpu": model,
            "kernel": platform.release(), "commit": commit,
            "load_before": round(os.getloadavg()[0], 2)}


def write(folder, mode, facts, rows, context):
    with open(os.path.join(folder, "results.json"), "w") as f:
        json.dump({"mode": mode, "machine": facts, "rows": [r.data() for r in rows],
                   "context": context}, f, indent=1, ensure_ascii=False)
        f.write("\n")
    with open(os.path.join(folder, "RESULTS.md"), "w") as f:
        f.write("# Results of ./dev bench %s\n\n" % mode)
        f.write("%s, commit %s, %d cores (%s), %s resources. Medians; ratios with their least and "
                "greatest run. How each figure is made: README.md. The ratios travel, the absolute "
                "numbers are this machine's.\n\n" % (
                    facts["date"], facts["commit"], facts["cores"], facts["cpu"],
                    "{:,}".format(context["resources"])))
        f.write("| row | ratio (min-max) | target | met | ours | limit |\n")
        f.write("|---|---|---|---|---|---|\n")
        for r in rows:
            name, ours, limit, ratio, target, met = r.cells()
            f.write("| %s |\n" % " | ".join([name, ratio, target, met, ours, limit]))
        f.write("\n")
        for r in rows:
            if r.note:
                f.write("- %s: %s\n" % (r.name, r.note))
        f.write("\n## Context\n\n")
        for key, value in context.items():
            f.write("- %s: %s\n" % (key, value))
