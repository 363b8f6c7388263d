#!/usr/bin/env python3
"""Kills one worker of a Citus after the other below a program that writes: worker_outage.py PROGRAM

Skips unless CARNET_TEST_CITUS=start: the cluster must be the test's own.
"""
import os
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import with_citus  # noqa: E402  (found beside the other helpers)

OUTAGES = 4
BETWEEN_SECONDS = 4.0


def listen(child, begun, written):
    """What the program says of where it is; the rest is passed on."""
    for line in child.stderr:
        if line == 'writing\n':
            begun.set()
        elif line == 'written\n':
            written.set()
        else:
            sys.stderr.write(line)
    begun.set()
    written.set()


def main(program):
    if os.environ.get('CARNET_TEST_CITUS') != 'start' or not with_citus.is_installed():
        print('skipped: CARNET_TEST_CITUS=start and Citus are needed')
        return 77
    with with_citus.Cluster() as cluster:
        env = {**os.environ, 'CARNET_TEST_STORE': cluster.uri}
        child = subprocess.Popen([program], env=env, stderr=subprocess.PIPE, text=True)
        begun, written = threading.Event(), threading.Event()
        thread = threading.Thread(target=listen, args=(child, begun, written))
        thread.start()
        begun.wait()
        outages = 0
        while outages < OUTAGES and not written.wait(BETWEEN_SECONDS):
            worker = cluster.workers[outages % len(cluster.workers)]
            worker.kill()
            time.sleep(0.3)  # an outage lasts
            worker.start()
            outages += 1
        code = child.wait()
        thread.join()
        left = [w.sql('SELECT count(*) FROM pg_prepared_xacts').strip() for w in cluster.workers]
        print(f'{outages} outages; transactions left prepared: {", ".join(left)}')
        if outages == 0:
            print('the program ended before the first outage')
            return 1
        return code


if __name__ == '__main__':
    sys.exit(main(sys.argv[1]))
