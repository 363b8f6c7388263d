#!/usr/bin/env python3
"""Formats C files with clang-format, tables left alone: format.py [--check] FILE...

clang-format 14 has no option that leaves macro bodies as they are, and would squeeze the columns
of an X-macro table. So it is told the lines to format: all but macros of several lines and the
places that expand a table (the braces around `#define X(…)`)."""
import re
import subprocess
import sys


def kept_lines(lines):
    """Numbers (from 1) of the lines that stay as their author laid them out."""
    kept, in_macro = set(), False
    for number, line in enumerate(lines, 1):
        if in_macro or (re.match(r"\s*#\s*define\b", line) and line.endswith("\\")):
            kept.add(number)
            in_macro = line.endswith("\\")
        if re.match(r"\s*#\s*define X\(", line):
            kept.update(table_block(lines, number))
    return kept


def table_block(lines, number):
    """The lines of the braces around the `#define X(` at `number`, or only up to its #undef."""
    first = last = number
    while first > 1 and lines[first - 2].strip() and not lines[first - 1].endswith("{"):
        first -= 1
    while last < len(lines) and not re.match(r"\s*(}|#\s*undef X\b)", lines[last - 1]):
        last += 1
    while lines[first - 1].endswith("{") and last < len(lines) and lines[last - 1][:1] != "}":
        last += 1
    return range(first, last + 1)


def ranges(lines):
    """--lines options of the rest."""
    kept, options, start = kept_lines(lines), [], None
    for number in range(1, len(lines) + 2):
        inside = number <= len(lines) and number not in kept
        if inside and start is None:
            start = number
        elif not inside and start is not None:
            options.append("--lines=%d:%d" % (start, number - 1))
            start = None
    return options


def formatted(path, text):
    options = ranges(text.split("\n"))
    run = subprocess.run(["clang-format", "--style=file", "--assume-filename=" + path] + options,
                         input=text.encode(), stdout=subprocess.PIPE, check=True)
    return run.stdout.decode()


def main():
    args = sys.argv[1:]
    check = args[:1] == ["--check"]
    differ = 0
    for path in args[1:] if check else args:
        with open(path, encoding="utf-8") as f:
            text = f.read()
        new = formatted(path, text)
        if new == text:
            continue
        differ += 1
        if check:
            first = next((i for i, (a, b) in enumerate(zip(text.split("\n"), new.split("\n")), 1)
                          if a != b), 1)
            print("%s:%d: ./dev fmt lays this out differently" % (path, first))
        else:
            with open(path, "w", encoding="utf-8") as f:
                f.write(new)
    return 1 if check and differ else 0


if __name__ == "__main__":
    sys.exit(main())
