"""A started node for the tests that speak to one over HTTP, and the official data."""
import gzip
import http.client
import json
import os
import re
import shutil
import subprocess
import tempfile
import threading
import time

import stores

JSON = 'application/fhir+json'
SKIPPED = 77
START_SECONDS = 60
STOP_SECONDS = 60


def shared(*names):
    """Paths below CARNET_SHARED, or the exit that says that the test skips."""
    root = os.environ.get('CARNET_SHARED')
    paths = [os.path.join(root or '', n) for n in names]
    if not root or not all(os.path.exists(p) for p in paths):
        print('skipped: CARNET_SHARED does not hold ' + ', '.join(names))
        raise SystemExit(SKIPPED)
    return paths


def literal(text):
    """A JSON value whose numbers are their text, marked so that they equal no string."""
    return json.loads(text, parse_float=lambda s: ('number', s), parse_int=lambda s: ('number', s))


def lines_of(path):
    with gzip.open(path, 'rt', encoding='utf-8') as f:
        return [line for line in f if line.strip()]


class Folder:
    """A folder of the test's own with a fresh store in data/."""

    def __init__(self, carnet):
        self.carnet = os.path.abspath(carnet)
        self.path = tempfile.mkdtemp(prefix='carnet-test-')
        self.data = os.path.join(self.path, 'data')
        try:
            stores.make(self.data)
            self.run('init')
        except RuntimeError:
            self.remove()
            raise

    def run(self, command, *args, status=0, text=None):
        """Runs a subcommand on the data, `text` its input; its output."""
        place = [] if command == 'audit' else stores.options(self.data)  # its log is no store
        done = subprocess.run([self.carnet, command, '--data', self.data, *place, *args],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, input=text,
                              text=True)
        if done.returncode != status:
            raise RuntimeError(f'carnet {command} ended with {done.returncode}: {done.stdout}')
        return done.stdout

    def remove(self):
        stores.remove(self.data)
        shutil.rmtree(self.path, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.remove()


class Second:
    """The same store with a data folder of another node's own."""

    def __init__(self, folder):
        self.carnet = folder.carnet
        self.path = os.path.join(folder.path, 'second')
        self.data = os.path.join(self.path, 'data')
        os.mkdir(self.path)
        stores.same(folder.data, self.data)


class Node:
    """`carnet serve` on a folder, until the end of the with statement."""

    def __init__(self, folder, *options, is_open=True, port=0):
        self.folder = folder
        self.log_path = os.path.join(folder.path, 'log')
        with open(self.log_path, 'ab') as log:
            self.process = subprocess.Popen(
                [folder.carnet, 'serve', '--data', folder.data, *stores.options(folder.data),
                 '--listen', f'127.0.0.1:{port}', *(['--open'] if is_open else []), *options],
                stdout=subprocess.PIPE, stderr=log)
        timer = threading.Timer(START_SECONDS, self.process.kill)
        timer.start()
        self.said, found = '', None
        while not found:
            line = self.process.stdout.readline().decode()
            if not line:
                break
            self.said += line
            found = re.search(r'port (\d+)', line)
        timer.cancel()
        if not found:
            self.process.kill()
            self.process.wait()
            raise RuntimeError('carnet serve does not start: ' + self.log())
        self.port = int(found.group(1))

    def log(self):
        with open(self.log_path, errors='replace') as f:
            return f.read()[-3000:]

    def is_sanitized(self):
        with open(f'/proc/{self.process.pid}/maps') as f:
            if 'asan' in f.read():
                return True
        with open(self.folder.carnet, 'rb') as f:
            return b'__asan_init' in f.read()

    def memory_mb(self, field):
        """VmRSS or VmHWM, in MiB."""
        with open(f'/proc/{self.process.pid}/status') as f:
            return int(re.search(field + r':\s+(\d+) kB', f.read()).group(1)) / 1024

    def client(self, timeout=60):
        return Client(self.port, timeout)

    def stop(self):
        """Ends the node; raises when it did not end well."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            status = self.process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            status = f'killed, {STOP_SECONDS} s after SIGTERM'
        self.process.stdout.close()
        if status != 0:
            raise RuntimeError(f'carnet serve ended with {status}: {self.log()}')

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        try:
            self.stop()
        except RuntimeError:
            if kind is None:
                raise
            print(self.log())


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    def outcome(self):
        """Its OperationOutcome's issues, or [] when it is none."""
        try:
            value = self.json()
        except ValueError:
            return []
        return value.get('issue', []) if value.get('resourceType') == 'OperationOutcome' else []

    def __str__(self):
        return f'{self.status} {self.body[:400]!r}'


class Client:
    """One keep-alive connection; opened anew only when the node closed it."""

    def __init__(self, port, timeout):
        self.port, self.timeout, self.connections = port, timeout, 0
        self.connection = None

    def send(self, method, path, body=None, **headers):
        """Header names are written with _ for -."""
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
        if isinstance(body, str):
            body = body.encode()
        head = {k.replace('_', '-'): v for k, v in headers.items()}
        if body is not None:
            head.setdefault('Content-Type', JSON)
        if self.connection is None:
            self.connection = http.client.HTTPConnection('127.0.0.1', self.port,
                                                         timeout=self.timeout)
            self.connections += 1
        try:
            self.connection.request(method, path, body, head)
            response = self.connection.getresponse()
            reply = Reply(response.status, response.headers, response.read())
        except (OSError, http.client.HTTPException):
            self.close()
            raise
        if response.will_close:
            self.close()
        return reply

    def get(self, path, **headers):
        return self.send('GET', path, **headers)

    def pages(self, path):
        """The entries of a search, page by page."""
        while path:
            reply = self.get(path)
            if reply.status != 200:
                raise RuntimeError(f'{path}: {reply}')
            bundle = reply.json()
            yield from bundle.get('entry', [])
            path = next((x['url'] for x in bundle.get('link', []) if x['relation'] == 'next'), None)
            if path and path.startswith('http'):
                path = '/' + path.split('/', 3)[3]

    def close(self):
        if self.connection is not None:
            self.connection.close()
        self.connection = None


class Score:
    """Counts what held; thread-safe. end() prints the last line and gives the exit status."""

    def __init__(self):
        self.passed, self.failures, self.lock = 0, [], threading.Lock()
        self.started = time.time()

    def check(self, holds, what):
        with self.lock:
            if holds:
                self.passed += 1
            else:
                self.failures.append(what)
                if len(self.failures) <= 40:
                    print('FAILED', what, flush=True)
        return bool(holds)

    def end(self):
        if len(self.failures) > 40:
            print(f'and {len(self.failures) - 40} more')
        print(f'{time.time() - self.started:.1f} s')
        print(f'{self.passed} passed, {len(self.failures)} failed')
        return 1 if self.failures or not self.passed else 0


def in_threads(n, work):
    """Runs work(0) … work(n - 1) at once; the first exception is raised here."""
    errors = []

    def run(i):
        try:
            work(i)
        except Exception as e:  # handed to the caller
            errors.append(e)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(n)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if errors:
        raise errors[0]
