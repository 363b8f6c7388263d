#!/usr/bin/env python3
"""The manual page and the program's own help name the same things: check_man.py CARNET PAGE"""
import re
import subprocess
import sys


def help_text(*words):
    return subprocess.run(words + ("--help",), check=True, stdout=subprocess.PIPE).stdout.decode()


def help_options(text):
    return set(re.findall(r"^  --([a-z-]+)", text, re.M)) - {"help"}


def help_commands(text):
    listed = text.split("Commands:\n", 1)[1].split("\n\n", 1)[0]
    return re.findall(r"^  ([a-z]+)", listed, re.M)


def page_sections(text):
    """{command: options} of the page's COMMANDS."""
    commands = re.split(r"^\.Sh ", text, flags=re.M)
    body = next(part for part in commands if part.startswith("COMMANDS\n"))
    sections = {}
    for part in re.split(r"^\.Ss ", body, flags=re.M)[1:]:
        sections[part.split()[0]] = set(
            re.findall(r"^\.It Fl Fl ([a-z-]+)", part, re.M))
    return sections


def main():
    carnet, page = sys.argv[1:3]
    with open(page, encoding="utf-8") as f:
        sections = page_sections(f.read())
    commands = help_commands(help_text(carnet))
    wrong = ["%s is not in the page" % c for c in commands if c not in sections]
    wrong += ["there is no command %s" % c for c in sections if c not in commands]
    for command in commands:
        options = help_options(help_text(carnet, command))
        paged = sections.get(command, set())
        wrong += ["%s --%s is not in the page" % (command, o) for o in sorted(options - paged)]
        wrong += ["%s has no option --%s" % (command, o) for o in sorted(paged - options)]
    for text in wrong:
        print(text)
    print("%d commands, %d differences" % (len(commands), len(wrong)))
    return 1 if wrong or not commands else 0


if __name__ == "__main__":
    sys.exit(main())
