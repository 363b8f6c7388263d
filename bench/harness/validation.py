"""What holding a resource costs: the IPS package's examples against R4 and against IPS."""
import io
import json
import lzma
import os
import subprocess
import tarfile

DEFINITIONS = ("StructureDefinition", "ValueSet", "CodeSystem")


def ips(package, work):
    """Files of lines: the single example resources, the example documents, the definitions."""
    with lzma.open(package) as f:
        tar = tarfile.open(fileobj=io.BytesIO(f.read()))
    out = {name: open(os.path.join(work, "ips-%s.ndjson" % name), "w", encoding="utf-8")
           for name in ("single", "documents", "definitions")}
    for m in sorted(tar.getmembers(), key=lambda m: m.name):
        if not m.isfile() or not m.name.endswith(".json"):
            continue
        resource = json.load(tar.extractfile(m))
        kind = resource.get("resourceType")
        if m.name.startswith("package/example/"):
            to = "documents" if kind == "Bundle" else "single"
        elif kind in DEFINITIONS:
            to = "definitions"
        else:
            continue
        json.dump(resource, out[to], ensure_ascii=False, separators=(",", ":"))
        out[to].write("\n")
    for f in out.values():
        f.close()
    return [out[name].name for name in ("single", "documents", "definitions")]


def measure(program, profiles, lines):
    """Microseconds for the mean resource: {kind: a figure a round}."""
    with open(lines, "rb") as f:
        run = subprocess.run([program, profiles], stdin=f, stdout=subprocess.PIPE, check=True,
                             text=True)
    rows = [row.split("\t") for row in run.stdout.splitlines()]
    return {row[0]: [float(x) for x in row[1:]] for row in rows}


def count(lines):
    with open(lines, "rb") as f:
        return sum(1 for _ in f)
