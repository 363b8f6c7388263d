"""The benchmark's data: N resources with searches whose answers are known.

The lines come from `carnet synth`; where that is absent, from the small generator below. Every
Observation gets two identifiers and a status, by its number k among the Observations:

    urn:bench:ten|tK     K = k // 10    10 hits each
    urn:bench:some|sK    K = k // 33    33 hits each, of which 10 have status=amended
    status               amended for 10 of 33 (30 % of the Observations), final for the rest
"""
import json
import os
import random
import subprocess

WIDTH = 96
CREATE_LINES = 20000
FORMAT = 4  # of this folder's files: a change makes the data anew


def _generated(n, seed):
    rng = random.Random(seed)
    uuid = lambda: "%08x-%04x-4%03x-8%03x-%012x" % (
        rng.getrandbits(32), rng.getrandbits(16), rng.getrandbits(12), rng.getrandbits(12),
        rng.getrandbits(48))
    codes = [("%d-%d" % (rng.randrange(1000, 99999), rng.randrange(10)), "Measurement %d" % i,
              rng.choice(["kg", "mm[Hg]", "g/dL", "Cel", "/min"])) for i in range(150)]
    names = ["Amina", "Kofi", "Nguyễn", "Мария", "José", "Fatima", "Wei", "Ousmane", "Lakshmi"]
    people = [uuid() for _ in range(max(1, n // 50))]
    for i in range(n):
        if i < len(people):
            yield ('{"resourceType":"Patient","id":"%s","active":true,"identifier":[{"system":'
                   '"urn:bench:national","value":"%09d"}],"name":[{"use":"official","family":"%s%d"'
                   ',"given":["%s"]}],"gender":"%s","birthDate":"%04d-%02d-%02d","address":[{'
                   '"district":"District %d","city":"Village %d","country":"XX"}]}' % (
                       people[i], i, rng.choice(names), rng.randrange(5000), rng.choice(names),
                       rng.choice(["male", "female"]), rng.randrange(1930, 2025),
                       rng.randrange(1, 13), rng.randrange(1, 29), rng.randrange(90),
                       rng.randrange(2000)))
            continue
        who = people[rng.randrange(len(people))]
        when = "%04d-%02d-%02dT%02d:%02d:00+02:00" % (
            rng.randrange(2015, 2026), rng.randrange(1, 13), rng.randrange(1, 29),
            rng.randrange(7, 19), rng.randrange(60))
        kind = rng.random()
        if kind < 0.65:
            code, text, unit = codes[rng.randrange(150)]
            yield ('{"resourceType":"Observation","id":"%s","status":"final","category":[{"coding":'
                   '[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":'
                   '"vital-signs","display":"vital-signs"}]}],"code":{"coding":[{"system":'
                   '"http://loinc.org","code":"%s","display":"%s"}],"text":"%s"},"subject":{'
                   '"reference":"Patient/%s"},"effectiveDateTime":"%s","issued":"%s",'
                   '"valueQuantity":{"value":%d.%d,"unit":"%s","code":"%s",'
                   '"system":"http://unitsofmeasure.org"}}' % (
                       uuid(), code, text, text, who, when, when, rng.randrange(1, 200),
                       rng.randrange(10), unit, unit))
        elif kind < 0.85:
            yield ('{"resourceType":"Encounter","id":"%s","status":"finished","class":{"system":'
                   '"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"AMB"},"type":[{'
                   '"coding":[{"system":"http://snomed.info/sct","code":"%d"}],"text":"Visit"}],'
                   '"subject":{"reference":"Patient/%s"},"period":{"start":"%s","end":"%s"}}' % (
                       uuid(), rng.randrange(10 ** 6, 10 ** 7), who, when, when))
        else:
            yield ('{"resourceType":"Condition","id":"%s","clinicalStatus":{"coding":[{"system":'
                   '"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"active"}]},'
                   '"code":{"coding":[{"system":"http://id.who.int/icd/release/11/mms","code":'
                   '"%dA%02d"}],"text":"Condition"},"subject":{"reference":"Patient/%s"},'
                   '"onsetDateTime":"%s"}' % (uuid(), rng.randrange(1, 6), rng.randrange(60), who,
                                              when))


def _marked(line, k):
    """The Observation's text with the two identifiers and the status of number k."""
    o = json.loads(line)
    o["identifier"] = [{"system": "urn:bench:ten", "value": "t%d" % (k // 10)},
                       {"system": "urn:bench:some", "value": "s%d" % (k // 33)}]
    o["status"] = "amended" if k % 33 < 10 else "final"
    return json.dumps(o, ensure_ascii=False, separators=(",", ":"))


class Data:
    """Paths of one data set and what is known of it."""

    def __init__(self, folder):
        self.dir = folder
        self.ndjson = os.path.join(folder, "data.ndjson")
        self.ids = os.path.join(folder, "ids.txt")
        self.ten = os.path.join(folder, "ten.txt")
        self.some = os.path.join(folder, "some.txt")
        self.create = os.path.join(folder, "create.tsv")
        self.create_ndjson = os.path.join(folder, "create.ndjson")
        with open(os.path.join(folder, "facts.json")) as f:
            self.__dict__.update(json.load(f))


def _source(carnet, n, seed):
    """Lines of NDJSON, at least n if the source can, and its name."""
    if carnet:
        help_text = subprocess.run([carnet, "synth", "--help"], capture_output=True, text=True)
        if help_text.returncode == 0 and "--people" in help_text.stdout + help_text.stderr:
            return _synth(carnet, n, seed), "carnet synth"
    return _generated(n, seed), "bench"


def _synth(carnet, n, seed):
    people = max(100, n // 20)
    p = subprocess.Popen([carnet, "synth", "--people", str(people), "--seed", str(seed)],
                         stdout=subprocess.PIPE, text=True, encoding="utf-8")
    try:
        for line in p.stdout:
            yield line.rstrip("\n")
    finally:
        p.stdout.close()
        p.terminate()
        p.wait()


def make(folder, n, seed, carnet):
    """Makes (or finds) a data set of n resources."""
    facts_path = os.path.join(folder, "facts.json")
    lines, source = _source(carnet, n, seed)
    want = {"format": FORMAT, "n": n, "seed": seed, "source": source}
    if os.path.exists(facts_path):
        with open(facts_path) as f:
            facts = json.load(f)
        if all(facts.get(key) == value for key, value in want.items()):
            return Data(folder)
    os.makedirs(folder, exist_ok=True)
    facts = dict(want, **_write(folder, lines, n))
    with open(facts_path, "w") as f:
        json.dump(facts, f)
    return Data(folder)


def _record(text):
    assert len(text) < WIDTH, "record too long: " + text
    return text.ljust(WIDTH) + "\n"


def _write(folder, lines, n):
    path = lambda name: os.path.join(folder, name)
    observations, final, written, size, newest = 0, 0, 0, 0, ""
    creates = []
    with open(path("data.ndjson"), "w", encoding="utf-8") as out, open(path("ids.txt"), "w") as ids:
        for line in lines:
            if written == n:
                break
            kind = line[17:line.index('"', 17)]
            if kind == "Observation":
                line = _marked(line, observations)
                if observations % 33 >= 10:
                    final += 1
                observations += 1
            at = line.index('"id":"') + 6
            name = line[at:line.index('"', at)]
            out.write(line + "\n")
            ids.write(_record(kind + "/" + name))
            size += len(line.encode())
            written += 1
            if written % max(1, n // CREATE_LINES) == 0:
                creates.append((kind, line))
    if written < n:
        raise SystemExit("bench: the source gave %d of %d resources" % (written, n))
    with open(path("ten.txt"), "w") as out:
        for k in range(observations // 10):
            out.write(_record("Observation?identifier=urn:bench:ten%%7Ct%d" % k))
    with open(path("some.txt"), "w") as out:
        for k in range(observations // 33):
            out.write(_record("Observation?identifier=urn:bench:some%%7Cs%d&status=amended" % k))
    _write_creates(path, creates)
    return {"observations": observations, "final": final, "mean_bytes": size / n}


def _write_creates(path, creates):
    """Bodies for POST: without id, and found by none of the searches with known answers."""
    with open(path("create.tsv"), "w", encoding="utf-8") as tsv, \
            open(path("create.ndjson"), "w", encoding="utf-8") as nd:
        for i, (kind, line) in enumerate(creates):
            r = json.loads(line)
            if kind == "Observation":
                r["identifier"] = [{"system": "urn:bench:new", "value": "n%d" % i},
                                   {"system": "urn:bench:newer", "value": "m%d" % (i // 33)}]
            nd.write(json.dumps(r, ensure_ascii=False, separators=(",", ":")) + "\n")
            del r["id"]
            tsv.write(kind + "\t" + json.dumps(r, ensure_ascii=False, separators=(",", ":")) + "\n")
