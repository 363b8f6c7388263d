"""Runs commands beside a PostgreSQL behind a pooler: with_pooler.py COMMAND [ARG...]

The pooler is PgBouncer and pools transactions. CARNET_TEST_STORE names it for the command, and
CARNET_TEST_POOLED says that it is one (stores.py passes that on). Where PostgreSQL or PgBouncer is
not installed this says so and exits 77.
"""
import os
import shutil
import subprocess
import sys
import time

import with_postgres

PORT = 6432
# Fewer connections than the nodes would hold: so each transaction gets whichever is free.
SETTINGS = """[databases]
* = host={dir} user=carnet
[pgbouncer]
listen_addr =
listen_port = {port}
unix_socket_dir = {dir}
auth_type = any
pool_mode = transaction
default_pool_size = 6
logfile = {dir}/pooler.log
pidfile = {dir}/pooler.pid
"""


def find_pooler():
    """The program, which Debian keeps from users' paths."""
    return shutil.which('pgbouncer', path=os.environ.get('PATH', '') + ':/usr/sbin')


class Pooler:
    """In front of a server; `uri` names it. For `with`."""

    def __init__(self, server):
        self.server = server

    def __enter__(self):
        settings = f'{self.server.dir}/pooler.ini'
        with open(settings, 'w', encoding='utf-8') as f:
            f.write(SETTINGS.format(dir=self.server.dir, port=PORT))
        self.process = subprocess.Popen(self.server.as_user(find_pooler(), '-q', settings),
                                        cwd=self.server.dir)
        self.uri = f'{self.server.uri}&port={PORT}'
        end = time.time() + 30
        while subprocess.run(['psql', '-X', '-q', '-c', '', self.uri],
                             capture_output=True).returncode:
            if time.time() > end or self.process.poll() is not None:
                raise RuntimeError('PgBouncer does not start')
            time.sleep(0.05)
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def main(command):
    """Runs it; its exit status."""
    if not with_postgres.find_programs() or not find_pooler():
        print('skipped: PostgreSQL or PgBouncer is not installed')
        return 77
    with with_postgres.Postgres() as server, Pooler(server) as pooler:
        env = {**os.environ, 'CARNET_TEST_STORE': pooler.uri, 'CARNET_TEST_POOLED': '1'}
        code = subprocess.run(command, env=env).returncode
        if code not in (0, 77):
            print(server.text(), file=sys.stderr)
        return code


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
