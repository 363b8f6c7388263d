#!/usr/bin/env python3
"""Holds the files against the parts of docs/STYLE.md that a line shows: check_style.py [ROOT]"""
import os
import re
import subprocess
import sys

COLUMNS_MAX = 100
FILE_LINES_MAX = 800

CODE = (".c", ".h", ".sh", ".py", ".ts", ".js", ".mjs")
SKIPPED_FOLDERS = ("defs/", "tests/fuzz/corpus/", "build/")
BINARY = (".png", ".gz", ".bin", ".zst", ".ico", ".woff2", ".pdf")

# (what, files, pattern). A bracket in a pattern keeps it from matching itself here.
RULES = (
    ("banned function", ("src/", "tests/", "bench/"),
     r"(?<![\w.>])(strcpy|strcat|stpcpy|sprintf|vsprintf|gets|strtok|atoi|atol|alloca)\s*\("),
    ("struct typedef", ("src/",), r"\btypedef\s+(struct|union|enum)\b"),
    ("unfinished mark", ("",), r"\b(TO[D]O|FIX[M]E|XX[X]|HAC[K]|TB[D])\b"),
    ("machine path", ("",), r"(?<![\w.:/-])/(wor[k]|tmp/w[t]|roo[t]|hom[e])/"),
    ("package registry", ("",),
     r"(deb\.debia[n]|pypi\.or[g]|crates\.i[o]|registry\.npm|proxy\.golan[g]|repo1?\.mave[n])"),
    ("trailing blank", ("src/", "tests/", "tools/", "bench/"), r"[ \t]+$"),
)
COMPILED = tuple((what, where, re.compile(pattern)) for what, where, pattern in RULES)


SCOPED = re.compile(r"\s*_cleanup_\(\w+\) struct \w+ (\w+);")


def check_scoped(lines, say):
    """What a scope releases is initialised before the first way out of it."""
    for at, line in enumerate(lines):
        found = SCOPED.match(line)
        for later in lines[at + 1:] if found else ():
            if re.search(r"\b%s\b" % found.group(1), later):
                break
            if re.search(r"\breturn\b", later) or later.startswith("}"):
                say("%d: %s is released before it is initialised" % (at + 1, found.group(1)))
                break


def files(root):
    try:
        out = subprocess.run(["git", "-C", root, "ls-files", "-co", "--exclude-standard"],
                             check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        return sorted(out.stdout.decode().splitlines())
    except (OSError, subprocess.CalledProcessError):
        pass
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = [f for f in folders if f not in (".git", "build", "node_modules")]
        found += [os.path.relpath(os.path.join(folder, n), root) for n in names]
    return sorted(found)


def check_file(root, path, say):
    full = os.path.join(root, path)
    if path.endswith(BINARY) or path.startswith(SKIPPED_FOLDERS) or os.path.islink(full):
        return
    try:
        with open(full, encoding="utf-8") as f:
            lines = f.read().split("\n")
    except (UnicodeDecodeError, FileNotFoundError):
        return
    is_code = path.endswith(CODE) or path == "dev" or os.path.basename(path) == "meson.build"
    rules = [(what, p) for what, where, p in COMPILED if path.startswith(where)]
    for number, line in enumerate(lines, 1):
        for what, pattern in rules:
            if pattern.search(line):
                say("%s:%d: %s: %s" % (path, number, what, line.strip()[:80]))
        if is_code and len(line) > COLUMNS_MAX:
            say("%s:%d: %d columns" % (path, number, len(line)))
        if is_code and "\t" in line:
            say("%s:%d: tab" % (path, number))
    if path.endswith(".c"):
        check_scoped(lines, lambda text: say("%s:%s" % (path, text)))
    if path.startswith("src/") and len(lines) > FILE_LINES_MAX + 1:
        say("%s: %d lines: a file past %d asks to be two" % (path, len(lines) - 1, FILE_LINES_MAX))


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else "."
    found, listed = [], files(root)
    for path in listed:
        check_file(root, path, found.append)
    for text in found:
        print(text)
    print("%d files, %d findings" % (len(listed), len(found)))
    return 1 if found or not listed else 0


if __name__ == "__main__":
    sys.exit(main())
