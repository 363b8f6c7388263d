#!/usr/bin/env python3
"""carnet series on a synthetic country: the outbreaks that were put into it, and a recount.

series.py CARNET: the recount is written from docs/formats/case-definitions.md, and shares nothing
with the product but the definitions.
"""
import collections
import csv
import datetime
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
DEFINITIONS = os.path.join(HERE, "../../defs/surveillance/case-definitions.json")
SYSTEMS = {"icd10": "http://hl7.org/fhir/sid/icd-10", "loinc": "http://loinc.org",
           "icd11": "http://id.who.int/icd/release/11/mms"}
RANK = ["suspected", "probable", "discarded", "confirmed"]
POSITIVE = {"POS", "DET", "LA6576-8", "LA11882-0", "10828004", "260373001"}
NEGATIVE = {"NEG", "ND", "LA6577-6", "LA11883-8", "260385009", "260415000"}
failures = []


def check(what, holds, got=""):
    if not holds:
        failures.append("%s: %s" % (what, got))


def run(*words, status=0):
    r = subprocess.run([sys.argv[1], *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if r.returncode != status:
        sys.exit("carnet %s: %d %s" % (" ".join(words), r.returncode, r.stderr.decode()))
    return r


def day(text):
    try:
        return datetime.date.fromisoformat((text or "")[:10])
    except ValueError:
        return None


def codes(concept):
    return [(c.get("system"), c.get("code", "")) for c in (concept or {}).get("coding", [])]


def says(rule, r):
    if rule["of"] != r["resourceType"]:
        return False
    words = {c for i in r.get("interpretation", []) for _, c in codes(i)}
    words |= {c for _, c in codes(r.get("valueCodeableConcept"))}
    wanted = [(SYSTEMS[c.split("|")[0]], c.split("|")[1]) for c in rule["codes"]]
    if not any(s == ws and (c == wc or c[:len(wc)] == wc and c[len(wc)] in ".&/")
               for s, c in codes(r["code"]) for ws, wc in wanted):
        return False
    if "text" in rule:
        return r.get("valueString", "").startswith(rule["text"])
    return "result" not in rule or bool(
        words & (POSITIVE if rule["result"] == "positive" else NEGATIVE))


class Country:
    def __init__(self, paths, facts):
        self.by = collections.defaultdict(dict)
        for path in paths:
            with open(path, encoding="utf-8") as f:
                for r in map(json.loads, f):
                    self.by[r["resourceType"]][r["id"]] = r
        self.findings = [*self.by["Condition"].values(), *self.by["Observation"].values()]
        self.rules = {f["fact"]: f["rules"] for f in facts}
        self.facts = {}

    def ref(self, r, *names):
        for name in names:
            r = (r or {}).get(name)
            if isinstance(r, list):
                r = r[0] if r else None
        kind, _, key = ((r or {}).get("reference") or "/").partition("/")
        return self.by[kind].get(key)

    def district(self, place):
        while place and place.get("type", [{}])[0].get("text") != "District":
            place = self.ref(place, "partOf")
        return place["id"] if place else ""

    def day_of(self, r):
        return (day(r.get("onsetDateTime") or r.get("effectiveDateTime")) or
                day((self.ref(r, "encounter") or {}).get("period", {}).get("start")) or
                day(r.get("recordedDate") or r.get("issued")))

    def fact_days(self, fact):
        """Of each person, the days of which it is said: of these definitions, by yes alone."""
        if fact not in self.facts:
            self.facts[fact] = collections.defaultdict(list)
            for r in self.findings:
                if any(says(rule, r) for rule in self.rules[fact]):
                    self.facts[fact][r["subject"]["reference"]].append(self.day_of(r))
        return self.facts[fact]

    def holds(self, rule, r):
        """What a rule asks besides; there are no outbreaks in the country."""
        at, who = self.day_of(r), r["subject"]["reference"]
        born = day(self.by["Patient"][who.split("/")[1]]["birthDate"])
        age = rule.get("age", {})
        return (not rule.get("outbreak") and "hasNot" not in rule and
                ("from" not in age or (age["unit"] == "a" and years(born, at) >= age["from"])) and
                all(any(a["leastDays"] <= (at - d).days <= a["mostDays"]
                        for d in self.fact_days(a["fact"])[who]) for a in rule.get("has", [])))

    def evidence(self, definition):
        people = collections.defaultdict(list)
        for r in self.findings:
            ranks = [RANK.index(rule["says"]) for rule in definition["rules"]
                     if says(rule, r) and self.holds(rule, r)]
            if not ranks:
                continue
            visit = self.ref(r, "encounter")
            onset, seen = day(r.get("onsetDateTime")), day(r.get("effectiveDateTime"))
            seen = seen or day((visit or {}).get("period", {}).get("start"))
            people[r["subject"]["reference"].split("/")[1]].append(
                (self.day_of(r), max(ranks), onset, seen, visit))
        return people

    def cases(self, definition):
        for person, all_of_it in self.evidence(definition).items():
            all_of_it.sort(key=lambda e: e[:2])
            while all_of_it:
                last = all_of_it[0][0] + datetime.timedelta(days=definition["episodeDays"])
                one = [e for e in all_of_it if e[0] <= last]
                all_of_it = all_of_it[len(one):]
                if all(RANK[e[1]] == "discarded" for e in one):
                    continue
                onset = min((e[2] for e in one if e[2]), default=None)
                seen = min((e[3] for e in one if e[3]), default=None)
                at = next((self.ref(e[4], "location", "location") for e in one
                           if self.ref(e[4], "location", "location")), None)
                yield (self.by["Patient"][person], RANK[max(e[1] for e in one)], onset or seen,
                       self.district(at), one[0][0])


def years(born, at):
    return at.year - born.year - ((at.month, at.day) < (born.month, born.day))


def recount(country, definitions, fatal):
    """{(week, disease, district, age, sex): cases}"""
    counts = collections.Counter()
    for d in definitions:
        for patient, kind, at, district, first in country.cases(d):
            died = day(patient.get("deceasedDateTime"))
            if kind == "discarded" or (fatal and not (
                    died and first <= died <= first + datetime.timedelta(days=30))):
                continue
            y, w, _ = at.isocalendar()
            age = years(day(patient["birthDate"]), at)
            group = "0-4" if age < 5 else "5-14" if age < 15 else "15+"
            counts["%04d-W%02d" % (y, w), d["disease"], district, group, patient["gender"]] += 1
    return counts


def counted(data, *words):
    counts = collections.Counter()
    out = run("series", "--data", data, "--place", "district", "--ages", "5,15", "--sex",
              *words).stdout
    for row in csv.DictReader(out.decode().splitlines()):
        key = row["week"], row["disease"], row["place"], row["age"], row["sex"]
        check("a row stands once", key not in counts, key)
        counts[key] = int(row["count"])
    return counts


def truth_is_found(data, path):
    rows = list(csv.DictReader(run("series", "--data", data, "--place", "District").stdout
                               .decode().splitlines()))
    diseases = {"1F03.0": "measles", "1A00": "cholera", "1C1C.0": "meningitis", "1D20": "dengue",
                "1A07.Z": "typhoid", "1D47": "yellow-fever"}
    with open(path, encoding="utf-8") as f:
        outbreaks = [json.loads(line) for line in f]
    check("outbreaks", len(outbreaks) >= 4, len(outbreaks))
    for o in outbreaks:
        monday = datetime.date.fromisoformat(o["start"])
        monday -= datetime.timedelta(days=monday.weekday())
        weeks = {"%04d-W%02d" % (monday + datetime.timedelta(weeks=i)).isocalendar()[:2]
                 for i in range(o["weeks"])}
        n = sum(int(r["count"]) for r in rows if r["disease"] == diseases[o["code"]] and
                r["place"] == o["district"].split("/")[1] and r["week"] in weeks)
        check(o["name"], n == o["cases"] + o["background"], (n, o["cases"], o["background"]))


def dry_out(people, path):
    """Makes every third who is seen with gastroenteritis dehydrated, two days or three later."""
    with open(people, encoding="utf-8") as f:
        found = [r for r in map(json.loads, f) if r["resourceType"] == "Condition" and
                 any(code.startswith("1A40") for _, code in codes(r["code"]))][::3]
    check("gastroenteritis", len(found) > 10, len(found))
    with open(path, "w", encoding="utf-8") as f:
        for i, r in enumerate(found):
            onset = day(r.get("onsetDateTime") or r.get("recordedDate"))
            r.update(id="dry-%d" % i, code={"coding": [{"system": SYSTEMS["icd11"],
                                                       "code": "5C70.0"}]})
            r["onsetDateTime"] = str(onset + datetime.timedelta(days=2 + i % 2))
            f.write(json.dumps(r) + "\n")


def main():
    with tempfile.TemporaryDirectory() as folder:
        people, truth, dry, data = (os.path.join(folder, n)
                                    for n in ("people", "truth", "dry", "data"))
        with open(people, "wb") as f:
            f.write(run("synth", "--people", "1500", "--seed", "11", "--truth", truth).stdout)
        run("init", "--data", data)
        run("import", "--data", data, people)
        truth_is_found(data, truth)
        with open(DEFINITIONS, encoding="utf-8") as f:
            definitions = json.load(f)
        dry_out(people, dry)
        run("import", "--data", data, dry)
        country = Country((people, dry), definitions["facts"])
        for words in [[], ["--deaths"]]:
            want = recount(country, definitions["definitions"], bool(words))
            got = counted(data, *words)
            check("cases", sum(want.values()) > 0)
            check("recount", want == +got, [(k, want[k], got[k]) for k in want | got
                                            if want[k] != got[k]][:5])
        out = run("series", "--data", data, "--disease", "measles", "--period", "month").stdout
        judged = subprocess.run([sys.argv[1], "detect", "--method", "rki1", "-"], input=out,
                                stdout=subprocess.PIPE, check=True).stdout
        check("detect reads it", judged.count(b"\n") == out.count(b"\n"), judged[:200])
        r = run("series", "--data", data, "--disease", "gout", status=1)
        check("one line", r.stderr.count(b"\n") == 1 and b"gout" in r.stderr, r.stderr)
    for text in failures:
        print(text)
    print("series: %d failures" % len(failures))
    return 1 if failures else 0


sys.exit(main())
