"""Runs commands beside a PostgreSQL of their own, and stops it: with_postgres.py COMMAND [ARG...]

The server lives in a temporary folder, listens on a Unix socket there and nowhere else, and belongs
to an unprivileged user (PostgreSQL refuses root). CARNET_TEST_STORE names it for the command. Where
PostgreSQL is not installed this says so and exits 77.
"""
import glob
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time

SETTINGS = {
    "listen_addresses": "''", "unix_socket_permissions": "0777", "max_connections": "100",
    "shared_buffers": "64MB", "max_wal_size": "512MB", "log_min_messages": "warning",
}


def find_programs():
    """The folder of initdb and postgres: the newest of Debian's, or what the path has."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"),
                   key=lambda p: int(p.split("/")[4]))
    if not found and shutil.which("initdb"):
        found = [os.path.realpath(shutil.which("initdb"))]
    return os.path.dirname(found[-1]) if found else None


def children_of(pid):
    """The processes whose parent it is."""
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
        return [int(child) for child in f.read().split()]


def kill_quietly(pid):
    """Kills it, where it is still there."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def runs(pid):
    """Whether it is there, other than as a zombie that nobody has waited for."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
            return f.read().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


class Postgres:
    """A server of its own, in a folder below `folder` (TMPDIR); `uri` names it. For `with`."""

    def __init__(self, settings=None, folder=None):
        self.bin = find_programs()
        self.settings = {**SETTINGS, **(settings or {})}
        self.process, self.folder = None, folder

    def as_user(self, *command):
        """The command as somebody who is not root."""
        if os.getuid() != 0:
            return list(command)
        return ["setpriv", f"--reuid={self.user}", f"--regid={self.group}", "--clear-groups",
                *command]

    def __enter__(self):
        self.dir = tempfile.mkdtemp(prefix="carnet-pg-", dir=self.folder)
        self.user = self.group = os.getuid()
        if os.getuid() == 0:
            try:
                who = pwd.getpwnam("postgres")
            except KeyError:
                who = pwd.getpwnam("nobody")
            self.user, self.group = who.pw_uid, who.pw_gid
            os.chown(self.dir, self.user, self.group)
        os.chmod(self.dir, 0o755)
        try:
            subprocess.run(self.as_user(f"{self.bin}/initdb", "-D", f"{self.dir}/data", "-U",
                                        "carnet", "-A", "trust", "-E", "UTF8", "--locale=C",
                                        "--no-sync"),
                           check=True, stdout=subprocess.DEVNULL, cwd=self.dir)
            self.start()
        except BaseException:
            shutil.rmtree(self.dir, ignore_errors=True)
            raise
        self.uri = f"postgresql://carnet@/postgres?host={self.dir}"
        return self

    def start(self):
        """Starts the server and waits until it answers."""
        options = []
        for name, value in self.settings.items():
            options += ["-c", f"{name}={value}".replace("''", "")]
        self.log = open(f"{self.dir}/log", "ab")
        self.process = subprocess.Popen(
            self.as_user(f"{self.bin}/postgres", "-D", f"{self.dir}/data", "-k", self.dir,
                         *options),
            stdout=self.log, stderr=self.log, cwd=self.dir)
        for _ in range(600):
            ready = subprocess.run([f"{self.bin}/pg_isready", "-q", "-h", self.dir, "-t", "1"])
            if ready.returncode == 0:
                return
            if self.process.poll() is not None:
                break
            try:
                self.process.wait(0.05)
            except subprocess.TimeoutExpired:
                pass
        raise RuntimeError("PostgreSQL does not start: " + self.text())

    def text(self):
        """What it has logged."""
        with open(f"{self.dir}/log", encoding="utf-8", errors="replace") as f:
            return f.read()

    def kill(self):
        """As if the power failed: postgres and all its processes, at once.

        Its children outlive it for a moment, each until it looks at the pipe to its parent; a new
        server refuses to start as long as one of them holds the shared memory. So they are killed
        too, and gone when this returns. The parent is stopped first, so that it starts no others.
        """
        self.process.send_signal(signal.SIGSTOP)
        children = children_of(self.process.pid)
        self.process.kill()
        for pid in children:
            kill_quietly(pid)
        self.process.wait()
        while any(runs(pid) for pid in children):
            time.sleep(0.01)

    def standby(self):
        """A server that follows this one, in a folder of its own; stopped by the caller's with."""
        other = Postgres(self.settings)
        other.dir = tempfile.mkdtemp(prefix="carnet-pg-")
        other.user, other.group = self.user, self.group
        if os.getuid() == 0:
            os.chown(other.dir, other.user, other.group)
        os.chmod(other.dir, 0o755)
        subprocess.run(self.as_user(f"{self.bin}/pg_basebackup", "-h", self.dir, "-U", "carnet",
                                    "-D", f"{other.dir}/data", "-R", "-c", "fast", "--no-sync"),
                       check=True, cwd=self.dir)
        other.start()
        other.uri = f"postgresql://carnet@/postgres?host={other.dir}"
        return other

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            self.process.send_signal(2)  # a fast shutdown
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()
        shutil.rmtree(self.dir, ignore_errors=True)


def main(command):
    """Runs it; its exit status."""
    if not find_programs():
        print("skipped: PostgreSQL is not installed")
        return 77
    with Postgres() as server:
        env = {**os.environ, "CARNET_TEST_STORE": server.uri}
        code = subprocess.run(command, env=env).returncode
        if code not in (0, 77):
            print(server.text(), file=sys.stderr)
        return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
