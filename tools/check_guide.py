#!/usr/bin/env python3
"""The operator's guide lists every log event, with the words of the table: check_guide.py ROOT"""
import re
import sys


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else "."
    with open(root + "/src/base/log.h", encoding="utf-8") as f:
        events = re.findall(r'X\(LOG_\w+,\s*"([^"]+)",\s*"([^"]+)"\)', f.read())
    with open(root + "/docs/guides/operate.md", encoding="utf-8") as f:
        listed = re.findall(r"^\| `([a-z-]+)` \| (.+) \|$", f.read(), re.M)
    wrong = [e for e in events if e not in listed]
    for name, what in wrong:
        print("docs/guides/operate.md lacks: | `%s` | %s |" % (name, what))
    print("%d events, %d missing" % (len(events), len(wrong)))
    return 1 if wrong or not events else 0


if __name__ == "__main__":
    sys.exit(main())
