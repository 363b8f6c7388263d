#!/usr/bin/env python3
"""Kills the PostgreSQL below a program that writes, again and again: outage.py PROGRAM"""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import with_postgres  # noqa: E402  (found beside the other helpers)
import writing  # noqa: E402

OUTAGES = 4
BETWEEN_SECONDS = 1.0


def main(program):
    if not with_postgres.find_programs():
        print('skipped: PostgreSQL is not installed')
        return 77
    with with_postgres.Postgres() as server:
        child = writing.Writing(program, server.uri)
        child.begun.wait()
        outages = 0
        while outages < OUTAGES and not child.written.wait(BETWEEN_SECONDS):
            server.kill()
            time.sleep(0.2)  # an outage lasts
            server.start()
            outages += 1
        code = child.end()
        print(f'{outages} outages')
        if outages == 0:
            print('the program ended before the first outage')
            return 1
        return code


if __name__ == '__main__':
    sys.exit(main(sys.argv[1]))
