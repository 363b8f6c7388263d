"""Processes that are measured: Carnet's node, the limits, the load generator."""
import http.client
import json
import os
import signal
import socket
import subprocess
import time

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TICKS = os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def proc_status(pid, name):
    """A size of /proc/PID/status in bytes, such as VmRSS or VmHWM."""
    with open("/proc/%d/status" % pid) as f:
        for line in f:
            if line.startswith(name + ":"):
                return int(line.split()[1]) * 1024
    return 0


def proc_written(pid):
    with open("/proc/%d/io" % pid) as f:
        for line in f:
            if line.startswith("write_bytes:"):
                return int(line.split()[1])
    return 0


def proc_cpu(pid):
    """Seconds of processor time, user and system."""
    with open("/proc/%d/stat" % pid) as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


class Server:
    """A process that answers HTTP on a loopback port."""

    def __init__(self, argv, port, log, probe="/"):
        self.port, self.log, self.probe = port, log, probe
        self.out = open(log, "ab")
        self.started = time.perf_counter()
        self.p = subprocess.Popen(argv, stdout=self.out, stderr=self.out, close_fds=False)
        self.pid = self.p.pid

    def wait(self, limit_s=60, status=200):
        """Seconds from the start of the process to its first whole answer."""
        end = time.perf_counter() + limit_s
        ask = ("GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n" %
               self.probe).encode()
        while time.perf_counter() < end:
            if self.p.poll() is not None:
                raise SystemExit("bench: a server ended at its start, see %s:\n%s" %
                                 (self.log, tail(self.log)))
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=limit_s) as s:
                    s.sendall(ask)
                    reply = b""
                    while chunk := s.recv(65536):
                        reply += chunk
                if reply:
                    took = time.perf_counter() - self.started
                    got = int(reply.split(b" ", 2)[1])
                    if got == status:
                        return took
                    if got != 503:
                        raise SystemExit("bench: %s answered %d:\n%s" % (
                            self.probe, got, reply.decode("utf-8", "replace")[:2000]))
            except (ConnectionError, socket.timeout):
                pass
            time.sleep(0.0005)
        raise SystemExit("bench: no answer from port %d, see %s" % (self.port, self.log))

    def get(self, path, headers=None):
        """(status, headers, body) of one GET."""
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        c.request("GET", path, headers=headers or {})
        r = c.getresponse()
        body = r.read()
        c.close()
        return r.status, r.getheaders(), body

    def json(self, path):
        status, _, body = self.get(path)
        if status != 200:
            raise SystemExit("bench: GET %s answered %d:\n%s" % (
                path, status, body.decode("utf-8", "replace")[:2000]))
        return json.loads(body)

    def stop(self, sig=signal.SIGTERM):
        if self.p.poll() is None:
            self.p.send_signal(sig)
        try:
            self.p.wait(120)
        except subprocess.TimeoutExpired:
            self.p.kill()
            self.p.wait()
            raise SystemExit("bench: a server did not stop within 120 s, see %s" % self.log)
        finally:
            self.out.close()
        return self.p.returncode


def tail(path, n=2000):
    with open(path, "rb") as f:
        return f.read()[-n:].decode("utf-8", "replace")


def wrk(script, port, args, seconds, connections, threads=2):
    """One run of wrk. Any answer that is no success, and any broken connection, ends the bench."""
    argv = ["wrk", "-t%d" % min(threads, connections), "-c%d" % connections, "-d%ds" % seconds,
            "--timeout", "30s", "-s", os.path.join(HERE, "wrk", script),
            "http://127.0.0.1:%d" % port, "--"] + args
    p = subprocess.run(argv, capture_output=True, text=True)
    line = [x for x in p.stdout.splitlines() if x.startswith("BENCH ")]
    if p.returncode or not line:
        raise SystemExit("bench: wrk failed: %s\n%s%s" % (" ".join(argv), p.stdout, p.stderr))
    n, us, size, bad, broken, late, p50, p99 = map(int, line[0].split()[1:])
    if bad or broken or late or not n:
        raise SystemExit("bench: %s: of %d answers %d were no success, %d connections broke, %d "
                         "were late" % (script + " " + " ".join(args), n, bad, broken, late))
    return {"requests": n, "rate": n / (us / 1e6), "bytes": size / n, "p50_us": p50, "p99_us": p99}


def tool(argv):
    """Runs a limit that prints one JSON object."""
    p = subprocess.run(argv, capture_output=True, text=True)
    if p.returncode:
        raise SystemExit("bench: %s failed: %s%s" % (" ".join(argv), p.stdout, p.stderr))
    return json.loads(p.stdout)
