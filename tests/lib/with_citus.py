"""Runs commands beside a Citus of one coordinator and two workers: with_citus.py COMMAND [ARG...]

CARNET_TEST_CITUS says which: a connection string names the coordinator of a cluster that is there;
the word `start` makes three servers as with_postgres.py makes one, on ports of this machine, and
stops them. CARNET_TEST_STORE then names the coordinator for the command, CARNET_TEST_SERVERS all of
them (stores.py makes databases on each). Where CARNET_TEST_CITUS is
unset, or `start` finds no Citus installed beside PostgreSQL, this says so and exits 77.
"""
import contextlib
import os
import socket
import subprocess
import sys

import with_postgres

WORKERS = 2
SETTINGS = {
    "listen_addresses": "127.0.0.1", "shared_preload_libraries": "citus", "wal_level": "logical",
    "max_prepared_transactions": "100", "citus.node_conninfo": "sslmode=disable",
    "citus.enable_statistics_collection": "off", "citus.shard_count": "8",
    "citus.recover_2pc_interval": "2s",
}


def is_installed():
    """Whether the newest PostgreSQL here has the extension."""
    programs = with_postgres.find_programs()
    if not programs:
        return False
    folder = subprocess.run([f"{programs}/pg_config", "--sharedir"], stdout=subprocess.PIPE,
                            text=True).stdout.strip()
    return os.path.exists(f"{folder}/extension/citus.control")


def free_port():
    """A port that nobody listens on."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def sql(text, uri, database="postgres"):
    """What psql says."""
    # What PGOPTIONS may hold is for others; and notices are for the log.
    env = {**os.environ, "PGOPTIONS": "-c client_min_messages=error"}
    return subprocess.run(
        ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", text,
         uri.replace("/postgres?", f"/{database}?")],
        check=True, stdout=subprocess.PIPE, text=True, env=env).stdout


def join(uris, database):
    """Makes a database, which each server has, one of the cluster; the coordinator is the first."""
    coordinator, *workers = [uri.rpartition("port=")[2] for uri in uris]
    for uri in uris:
        sql("CREATE EXTENSION IF NOT EXISTS citus", uri, database)
    sql(f"SELECT citus_set_coordinator_host('127.0.0.1', {coordinator})", uris[0], database)
    for port in workers:
        sql(f"SELECT citus_add_node('127.0.0.1', {port})", uris[0], database)


class Server(with_postgres.Postgres):
    """One server of the cluster; the others reach it by its port."""

    def __init__(self, settings):
        self.port = free_port()
        super().__init__({**SETTINGS, **settings, "port": str(self.port)})

    def start(self):
        # Its libpq looks for certificates at home, which is another user's.
        saved = {name: os.environ.get(name) for name in ("HOME", "PGPORT")}
        os.environ.update(HOME=self.dir, PGPORT=str(self.port))
        try:
            super().start()
        finally:
            for name, value in saved.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value

    def __enter__(self):
        super().__enter__()
        self.uri = f"postgresql://carnet@/postgres?host={self.dir}&port={self.port}"
        return self

    def sql(self, text, database="postgres"):
        """What psql says."""
        return sql(text, self.uri, database)


class Cluster:
    """A coordinator and its workers; `uri` names the coordinator. For `with`."""

    def __init__(self, settings=None):
        self.settings = settings or {}

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self.servers = [stack.enter_context(Server(self.settings))
                            for _ in range(1 + WORKERS)]
            self.stack = stack.pop_all()
        self.coordinator, *self.workers = self.servers
        self.uri = self.coordinator.uri
        self.join("postgres")
        return self

    def join(self, database):
        """Makes a database, which every server has, one of the cluster."""
        join([server.uri for server in self.servers], database)

    def text(self):
        """What all have logged."""
        return "".join(server.text() for server in self.servers)

    def __exit__(self, *what):
        return self.stack.__exit__(*what)


def main(command):
    """Runs it; its exit status."""
    which = os.environ.get("CARNET_TEST_CITUS")
    if not which:
        print("skipped: CARNET_TEST_CITUS names no coordinator")
        return 77
    if which != "start":
        return subprocess.run(command, env={**os.environ, "CARNET_TEST_STORE": which}).returncode
    if not is_installed():
        print("skipped: Citus is not installed")
        return 77
    with Cluster() as cluster:
        env = {**os.environ, "CARNET_TEST_STORE": cluster.uri,
               "CARNET_TEST_SERVERS": " ".join(server.uri for server in cluster.servers)}
        code = subprocess.run(command, env=env).returncode
        if code not in (0, 77):
            print(cluster.text(), file=sys.stderr)
        return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
