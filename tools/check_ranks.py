#!/usr/bin/env python3
"""Reads the includes of src/ and fails on a breach of the ranks: check_ranks.py [SRC]

A module sees its own headers and those of modules of lower rank (docs/ARCHITECTURE.md); another
module's x_int.h never; http/ only from api/ and server/; a library that one module wraps only
there. A .c file includes its own header first, so that every header stands alone."""
import os
import re
import sys

RANKS = {
    "base": 0,
    "fhir": 1, "http": 1, "synth": 1, "vault": 1,
    "store": 2,
    "notify": 3, "terminology": 3, "identity": 3, "trust": 3,
    "coverage": 4, "exchange": 4, "surveillance": 4, "research": 4, "strategy": 4,
    "api": 5,
    "server": 6,
    "cli": 7,
}
# Faces that fewer modules may see than their rank allows.
ONLY_SEEN_BY = {"http": {"http", "api", "server"}}
# Libraries that one module wraps for all others.
WRAPPED_BY = {
    "microhttpd.h": {"http"},
    "curl/curl.h": {"http"},
    "sqlite3.h": {"store"},
    "libpq-fe.h": {"store"},
    "archive.h": {"terminology"},
    "archive_entry.h": {"terminology"},
    "zstd.h": {"base", "store", "http"},
}
INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')


def sources(src):
    for folder, folders, files in os.walk(src):
        folders.sort()
        for name in sorted(files):
            if name.endswith((".c", ".h")):
                yield os.path.relpath(os.path.join(folder, name), src)


def breach(module, quote, target):
    """Why a file of `module` may not include `target`, or None."""
    if quote == "<":
        wrappers = WRAPPED_BY.get(target)
        if wrappers and module not in wrappers:
            return "only %s/ may include it" % "/, ".join(sorted(wrappers))
        return None
    other = target.split("/")[0]
    if "/" not in target:
        return 'write the module in front: "%s/%s"' % (module, target)
    if other not in RANKS:
        return "no such module"
    if other == module:
        return None
    if target.endswith("_int.h"):
        return "it stays inside %s/" % other
    if RANKS[other] >= RANKS[module]:
        return "%s has rank %d, %s rank %d" % (module, RANKS[module], other, RANKS[other])
    if module not in ONLY_SEEN_BY.get(other, {module}):
        return "only %s/ see it" % "/, ".join(sorted(ONLY_SEEN_BY[other] - {other}))
    return None


def check(src):
    breaches, files = [], 0
    for path in sources(src):
        module = path.split(os.sep)[0]
        if module not in RANKS:
            breaches.append("%s: the folder has no rank" % path)
            continue
        files += 1
        own = path[:-2] + ".h"
        first = None
        with open(os.path.join(src, path), encoding="utf-8") as f:
            for number, line in enumerate(f, 1):
                found = INCLUDE.match(line)
                if not found:
                    continue
                first = first or found.group(2)
                why = breach(module, *found.groups())
                if why:
                    breaches.append("%s:%d: %s: %s" % (path, number, found.group(2), why))
        if path.endswith(".c") and first != own and os.path.exists(os.path.join(src, own)):
            breaches.append("%s: includes its own header %s first" % (path, own))
    return breaches, files


def main():
    src = sys.argv[1] if len(sys.argv) > 1 else "src"
    breaches, files = check(src)
    for text in breaches:
        print(text)
    print("%d files, %d breaches" % (files, len(breaches)))
    return 1 if breaches or not files else 0


if __name__ == "__main__":
    sys.exit(main())
