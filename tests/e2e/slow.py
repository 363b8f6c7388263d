#!/usr/bin/env python3
"""My health on a slow phone and network: slow.py CARNET CACHE-FOLDER [RUNS]

No test: it prints figures, for the page of what was measured. Beside a busy machine they tell the
machine's hour.
"""
import json
import os
import re
import subprocess
import sys

import portal
import run

sys.path.append(os.path.join(run.HERE, '..', '..', 'tools'))
import node as nodes  # noqa: E402

RUNS = 20
SCRIPTS = ('browser.mjs', 'slow.mjs')


def say(found):
    load = os.getloadavg()[0]
    print(f"My health on a processor 4 x slowed down, at 1.6 Mbit/s and 150 ms, nothing cached, "
          f"{found['runs']} visits, load {load:.0f}: from tap to interactive "
          f"{found['first_p50'] / 1000:.1f} s, p95 {found['first_p95'] / 1000:.1f} s; "
          f"{found['tasks']} tasks of more than 50 ms, the longest {found['task_max']:.0f} ms; "
          f"{found['interactions']} interactions, p98 {found['interaction_p98']:.0f} ms")


def main():
    cache = os.path.join(os.path.abspath(sys.argv[2]), 'e2e-client')
    runs = int(sys.argv[3]) if len(sys.argv) > 3 else RUNS
    chromium = portal.need_chromium()
    run.need_node()
    run.prepare(cache, SCRIPTS)
    with nodes.Folder(sys.argv[1]) as folder:
        portal.make_country(folder)
        with nodes.Node(folder, '--demo', is_open=False) as node:
            env = dict(os.environ, CARNET_ROOT=f'http://127.0.0.1:{node.port}',
                       CARNET_DEMO_KEY=re.search(r'#/demo/(\S+)', node.said).group(1),
                       CARNET_CHROMIUM=chromium, CARNET_RUNS=str(runs))
            done = subprocess.run(['node', 'slow.mjs'], cwd=cache, env=env, check=True,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    say(json.loads(done.stdout.splitlines()[-1]))


if __name__ == '__main__':
    sys.exit(main())
