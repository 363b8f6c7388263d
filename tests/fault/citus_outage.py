#!/usr/bin/env python3
"""Kills servers of a Citus below a program that writes: citus_outage.py WHICH PROGRAM

WHICH is `workers`, one after the other, `coordinator`, each time, or `all`, everything at once.
Then nothing may be left prepared that nobody ends. Skips unless CARNET_TEST_CITUS=start: the
cluster must be the test's own.
"""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import with_citus  # noqa: E402  (found beside the other helpers)
import writing  # noqa: E402

OUTAGES = 4
BETWEEN_SECONDS = 4.0
SETTLE_SECONDS = 30  # many times citus.recover_2pc_interval


def victims(cluster, which, n):
    """Who is killed in the n-th outage."""
    return {'workers': [cluster.workers[n % len(cluster.workers)]],
            'coordinator': [cluster.coordinator],
            'all': cluster.servers}[which]


def outage(servers):
    for server in servers:
        server.kill()
    time.sleep(0.3)  # an outage lasts
    for server in reversed(servers):
        server.start()


def prepared(cluster):
    """Transactions that are prepared on the workers and have no end, after a time for one."""
    end = time.monotonic() + SETTLE_SECONDS
    while True:
        left = [int(w.sql('SELECT count(*) FROM pg_prepared_xacts')) for w in cluster.workers]
        if not any(left) or time.monotonic() > end:
            return left
        time.sleep(0.2)


def main(which, program):
    if os.environ.get('CARNET_TEST_CITUS') != 'start' or not with_citus.is_installed():
        print('skipped: CARNET_TEST_CITUS=start and Citus are needed')
        return 77
    with with_citus.Cluster() as cluster:
        child = writing.Writing(program, cluster.uri)
        child.begun.wait()
        outages = 0
        while outages < OUTAGES and not child.written.wait(BETWEEN_SECONDS):
            outage(victims(cluster, which, outages))
            outages += 1
        code = child.end()
        left = prepared(cluster)
        print(f'{outages} outages; transactions left prepared: {left}')
        if outages == 0:
            print('the program ended before the first outage')
        return code or outages == 0 or any(left)


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
