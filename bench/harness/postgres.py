"""The rows on PostgreSQL: Carnet beside limit_pg on one server, which is started here."""
import os
import subprocess
import sys
import time

from . import procs
from .report import Row, median

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "tests", "lib"))
import with_postgres  # noqa: E402  (the tests start theirs by it)

ROWS = ("pg-import", "pg-read", "pg-token", "pg-create")
# As on a machine of 4 GB; everything that durability rests on stays as PostgreSQL has it.
SETTINGS = {"shared_buffers": "1GB", "max_wal_size": "4GB"}
TIDY = "VACUUM (FREEZE, ANALYZE)"
CLIENTS = 64


def sql(uri, *statements):
    argv = ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", uri]
    for s in statements:
        argv += ["-c", s]
    subprocess.run(argv, check=True)


class Part:
    """`bench` gives folders, processes and rounds; `n` resources of `data`."""

    def __init__(self, bench, data):
        self.bench, self.data, self.server = bench, data, None

    def run(self):
        if not any(self.bench.wanted(row) for row in ROWS):
            return
        if not with_postgres.find_programs():
            self.bench.say("PostgreSQL is not installed: its rows are left out")
            return
        with with_postgres.Postgres(SETTINGS, self.bench.work) as self.server:
            self.import_rows()
            for name in ("ours", "limit"):
                sql(self.uri(name), TIDY, "CHECKPOINT")
            if self.bench.wanted("pg-read") or self.bench.wanted("pg-token"):
                self.read_rows()
            if self.bench.wanted("pg-create"):
                self.create_row()

    def uri(self, name):
        return self.server.uri.replace("@/postgres?", "@/bench_%s?" % name)

    def anew(self, name):
        sql(self.server.uri, "DROP DATABASE IF EXISTS bench_" + name,
            "CREATE DATABASE bench_" + name)
        return self.uri(name)

    def carnet(self, command, *args):
        argv = [self.bench.args.carnet, command, "--data", self.bench.path("node-pg"), "--store",
                self.uri("ours"), *args]
        done = subprocess.run(argv, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit("bench: %s: %s%s" % (" ".join(argv), done.stdout[-2000:],
                                                  done.stderr[-2000:]))

    def node(self):
        """Our node on the database."""
        b, port = self.bench, procs.free_port()
        with open(self.data.ids) as f:
            probe = "/fhir/" + f.readline().strip()
        return b.start([b.args.carnet, "serve", "--open", "--listen", "127.0.0.1:%d" % port,
                        "--data", b.path("node-pg"), "--store", self.uri("ours")], port, probe)

    def import_rows(self):
        b, ours, limit = self.bench, [], []
        b.say("PostgreSQL: import of %d resources, %d times" % (b.n, b.imports))
        for _ in range(b.imports):
            self.anew("ours")
            b.forget("node-pg")
            self.carnet("init")
            begun = time.perf_counter()
            self.carnet("import", self.data.ndjson)
            ours.append(b.n / (time.perf_counter() - begun))
            limit.append(procs.tool([b.limit("limit_pg"), "import", self.anew("limit"),
                                     self.data.ndjson, str(b.import_group)])["rate"])
        if b.wanted("pg-import"):
            b.add(Row("PostgreSQL: import", "/s", ours, limit, 0.5))

    def read_rows(self):
        b, d = self.bench, self.data
        node = self.node()
        b.check_answers(node, d)
        with open(d.ids) as f:
            first = "/fhir/" + f.readline().strip()
        port = procs.free_port()
        limit = b.start([b.limit("limit_pg_read"), str(port), self.uri("limit")] +
                        b.headers_of(node.get(first)[1]), port, first)
        for row, name, records, target in (
                ("pg-read", "read by id", d.ids, 0.7),
                ("pg-token", "token search, 10 hits", d.ten, 0.6)):
            if b.wanted(row):
                measure = lambda s: lambda: b.load(s, "paths.lua", ["/fhir/", records])
                a, c = b.interleave(measure(node), measure(limit))
                b.compare("PostgreSQL: " + name, a, c, target, "answers of %d and %d bytes" % (
                    a[0]["bytes"], c[0]["bytes"]))
        b.stop(limit)
        b.stop(node)

    def create_row(self):
        b, d = self.bench, self.data
        node = self.node()
        ours, limit = b.interleave(
            lambda: b.load(node, "create.lua", ["/fhir/", d.create], CLIENTS),
            lambda: procs.tool([b.limit("limit_pg"), "create", self.uri("limit"), d.create_ndjson,
                                str(CLIENTS), "%g" % b.seconds]))
        b.add(Row("PostgreSQL: durable create, %d clients" % CLIENTS, "/s",
                  [r["rate"] for r in ours], [r["rate"] for r in limit], 0.6,
                  note="processor time a create %.0f us, the database's own not counted; p99 %d us"
                  % (median([r["cpu_us"] for r in ours]), median([r["p99_us"] for r in ours]))))
        b.stop(node)
