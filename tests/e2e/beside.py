#!/usr/bin/env python3
"""Commands beside a running node: beside.py CARNET

import, reindex, backup, packages and terminologies go through the node's local socket while clients
use the node; each does what it does alone: the same records, rejects and status, and a position to
go on from.
"""
import contextlib
import io
import json
import os
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import tarfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import node as nodes  # noqa: E402

PEOPLE = 300
CLIENT_SECONDS = 5      # the longest that a client's request may take beside an import
WAIT_SECONDS = 120


def start(folder, command, *args, stdin=None):
    return subprocess.Popen([folder.carnet, command, '--data', folder.data, *args], text=True,
                            stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def end(process):
    out, _ = process.communicate(timeout=WAIT_SECONDS)
    return process.returncode, out


def run(folder, command, *args):
    return end(start(folder, command, *args))


def count(client, kind, query=''):
    return client.get(f'/fhir/{kind}?_summary=count{query}').json()['total']


class Load(threading.Thread):
    """Clients' reads and writes, which must all succeed, and soon."""

    def __init__(self, node):
        super().__init__()
        self.node, self.ending, self.failures, self.times = node, False, [], []

    def run(self):
        client = self.node.client(timeout=WAIT_SECONDS)
        while not self.ending:
            for method, path, body, want in (
                    ('PUT', '/fhir/Basic/load', '{"resourceType":"Basic","id":"load","code":'
                     f'{{"text":"{len(self.times)}"}}}}', (200, 201)),
                    ('GET', '/fhir/Basic/load', None, (200,))):
                began = time.monotonic()
                try:
                    reply = client.send(method, path, body)
                    if reply.status not in want:
                        self.failures.append(str(reply))
                except Exception as e:
                    self.failures.append(repr(e))
                self.times.append(time.monotonic() - began)
        client.close()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ending = True
        self.join()


def make_country(folder):
    """A file of records, and how many of each type are in it."""
    path = os.path.join(folder.path, 'country.ndjson')
    with open(path, 'wb') as f:
        subprocess.run([folder.carnet, 'synth', '--people', str(PEOPLE), '--weeks', '52'],
                       stdout=f, check=True)
    kinds = {}
    with open(path, encoding='utf-8') as f:
        for line in f:
            kind = json.loads(line)['resourceType']
            kinds[kind] = kinds.get(kind, 0) + 1
    return path, kinds


def check_counts(score, client, kinds, what):
    for kind, n in kinds.items():
        found = count(client, kind)
        score.check(found == n, f'{what}: {found} of {n} {kind}')


def ask(folder, method, target, body):
    """One request on the socket; the whole answer."""
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(os.path.join(folder.data, 'carnet.sock'))
        s.sendall(f'{method} {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n'
                  f'Content-Length: {len(body)}\r\n\r\n{body}'.encode())
        data = b''
        while part := s.recv(65536):
            data += part
    return data


def check_socket(score, folder, node):
    path = os.path.join(folder.data, 'carnet.sock')
    mode = stat.S_IMODE(os.stat(path).st_mode)
    score.check(mode == 0o600, f'the socket has mode {mode:o}')
    reply = node.client().get('/operator/reindex')
    score.check(reply.status == 404, f'an operator path on the address: {reply}')
    for method, target, body, says in (
            ('POST', '/operator/import?chunk=0&alone=0&position=base-url', '1 {}\n', b'none of an'),
            ('POST', '/operator/resources', '', b'none of a command'),
            ('POST', '/operator/resources', '{"worker":9,"note":0,"n":0}\n', b'none of a command'),
            ('POST', '/operator/resources', 'x\n', b'JSON'),
            ('POST', '/operator/blob?part=0', 'base-url\nx', b'no part of a terminology'),
            ('POST', '/operator/blob?part=5000000000', 'terminology/x\nx', b'no part of a')):
        data = ask(folder, method, target, body)
        score.check(data.startswith(b'HTTP/1.1 400') and says in data, f'{target}: {data!r}')


def check_import(score, folder, node, country, kinds):
    rejects = os.path.join(folder.path, 'rejects')
    bad = os.path.join(folder.path, 'bad.ndjson')
    with open(bad, 'w') as f:
        f.write('{"resourceType":"Patient","id":"ok1"}\n\n{"resourceType":"Patient","nothing":1}\n'
                'no json\n{"resourceType":"Patient","id":"ok2"}\n'
                '{"resourceType":"Bundle","type":"transaction","entry":[{"resource":'
                '{"resourceType":"Basic","id":"in-bundle","code":{"text":"x"}},'
                '"request":{"method":"PUT","url":"Basic/in-bundle"}}]}\n')
    client = node.client()
    with Load(node) as load:
        status, out = run(folder, 'import', country)
        score.check(status == 0, f'import beside the node: {status} {out}')
        status, again = run(folder, 'import', country)
        score.check(status == 0 and ' 0 resources stored' in ' ' + again.splitlines()[-1],
                    f'the same file again: {status} {again}')
        status, out = run(folder, 'import', '--rejects', rejects, bad)
        score.check(status == 3, f'an import with rejects: {status} {out}')
        status, out = end(start(folder, 'import', '--rejects', rejects, '-',
                                stdin=open(bad)))
        score.check(status == 3, f'the same from standard input: {status} {out}')
    score.check(not load.failures, f'clients beside the import: {load.failures[:3]}')
    longest = max(load.times)
    score.check(longest < CLIENT_SECONDS, f'a client waited {longest:.1f} s')
    median = sorted(load.times)[len(load.times) // 2]
    print(f'{len(load.times)} requests of a client beside the imports, the longest took '
          f'{longest * 1000:.0f} ms, the median {median * 1000:.1f} ms')
    with open(rejects) as f:
        lines = [json.loads(line) for line in f]
    wanted = sorted([(3, bad), (4, bad), (3, '-'), (4, '-')])
    score.check(sorted((x['line'], x['file']) for x in lines) == wanted, f'rejects: {lines}')
    score.check(all(x['reason'] and x['text'] for x in lines), f'rejects say why: {lines}')
    score.check(lines[0]['text'] == '{"resourceType":"Patient","nothing":1}', str(lines[0]))
    check_counts(score, client, {k: n for k, n in kinds.items() if k != 'Patient'}, 'imported')
    found = count(client, 'Patient')
    score.check(found == kinds['Patient'] + 2, f'{found} patients of {kinds["Patient"]} and 2')
    score.check(client.get('/fhir/Basic/in-bundle').status == 200, 'the transaction was not run')


def check_two_at_once(score, folder, node):
    """Lines without an id, by two imports of one file at once: each is stored once."""
    path = os.path.join(folder.path, 'twice.ndjson')
    n = 20000
    with open(path, 'w') as f:
        f.write('{"resourceType":"Basic","code":{"coding":[{"system":"urn:x","code":"twice"}]}}\n'
                * n)
    both = [start(folder, 'import', path) for _ in range(2)]
    for p in both:
        status, out = end(p)
        score.check(status == 0, f'one of two imports: {status} {out}')
    found = count(node.client(), 'Basic', '&code=twice')
    score.check(found == n, f'two imports of {n} lines made {found}')


def make_package(folder, version):
    def definition(i, **more):
        return {'resourceType': 'ValueSet', 'id': f'vs{i}', 'status': 'active',
                'url': f'http://example.org/vs{i}', 'version': version, **more}
    files = {'package.json': {'name': 'example.test', 'version': version,
                              'fhirVersions': ['4.0.1']},
             'wrong.json': {**definition('wrong'), 'nothing': 1},
             **{f'vs{i}.json': definition(i, text={'status': 'generated', 'div': 'x'})
                for i in range(1200)}}
    path = os.path.join(folder.path, f'example.test-{version}.tgz')
    with tarfile.open(path, 'w:gz') as tar:
        for name, content in files.items():
            data = json.dumps(content).encode()
            info = tarfile.TarInfo('package/' + name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def check_packages(score, folder, node):
    """Packages are read by the command, and stored by the node beside its clients."""
    one, two = make_package(folder, '1.0.0'), make_package(folder, '2.0.0')
    client = node.client()
    with Load(node) as load:
        status, out = run(folder, 'package', 'install', one)
        score.check(status == 0 and '1200 resources installed, 1 left out' in out and
                    'ValueSet/vswrong' in out, f'a package beside the node: {status} {out}')
        status, out = run(folder, 'package', 'install', one)
        score.check(status == 0 and 'installed already' in out, f'once more: {status} {out}')
        status, out = run(folder, 'package', 'install', two)
        score.check(status == 1 and 'remove it before' in out, f'another version: {status} {out}')
    score.check(not load.failures, f'clients beside packages: {load.failures[:3]}')
    score.check(count(client, 'ValueSet', '&version=1.0.0') == 1200, 'not all value sets are there')
    status, out = run(folder, 'package', 'list')
    score.check((status, out) == (0, 'example.test#1.0.0 1200\n'), f'the list: {status} {out}')
    status, out = run(folder, 'package', 'remove', 'example.test')
    score.check(status == 0 and '1200 resources removed' in out, f'away: {status} {out}')
    score.check(count(client, 'ValueSet', '&version=1.0.0') == 0, 'value sets stay')
    both = [start(folder, 'package', 'install', one) for _ in range(2)]
    ends = sorted(end(p) for p in both)
    score.check(ends[0][0] == 0, f'two installs at once: {ends}')
    listed = run(folder, 'package', 'list')[1]
    score.check(listed == 'example.test#1.0.0 1200\n', f'after two at once: {listed}')
    status, out = run(folder, 'package', 'remove', 'nothing.there')
    score.check(status == 1 and 'is not installed' in out, f'what is not there: {status} {out}')


def check_terminology(score, folder, node):
    path = os.path.join(folder.path, '3166.json')
    with open(path, 'w', encoding='utf-8') as f:
        f.write('{"3166-1":[{"alpha_2":"KE","alpha_3":"KEN","numeric":"404","name":"Kenya"}]}')
    client = node.client()
    look = '/fhir/CodeSystem/$lookup?system=urn:iso:std:iso:3166&code=KEN'
    score.check(client.get(look).status == 404, 'a code before its system')
    status, out = run(folder, 'terminology', 'load', path)
    score.check(status == 0 and '3 concepts' in out, f'a terminology beside: {status} {out}')
    reply = client.get(look)
    score.check(reply.status == 200 and b'Kenya' in reply.body, f'the loaded code: {reply}')
    status, out = run(folder, 'terminology', 'list')
    score.check(status == 0 and 'urn:iso:std:iso:3166|' in out, f'the list: {status} {out}')
    with open(path, 'a', encoding='utf-8') as f:
        f.write('}')
    status, out = run(folder, 'terminology', 'load', path)
    score.check(status == 1 and '3166.json' in out, f'a wrong file: {status} {out}')
    status, out = run(folder, 'terminology', 'remove', 'urn:iso:std:iso:3166')
    score.check(status == 0 and client.get(look).status == 404, f'away: {status} {out}')
    status, out = run(folder, 'terminology', 'remove', 'urn:iso:std:iso:3166')
    score.check(status == 1 and 'is not loaded' in out, f'away twice: {status} {out}')
    data = ask(folder, 'POST', '/operator/blob?part=0', 'terminology/CodeSystem/x|1/abc\nhalf')
    score.check(data.startswith(b'HTTP/1.1 200'), f'a part: {data!r}')


def blobs(folder):
    """Names of what terminologies keep; what the node keeps for itself stands beside them."""
    with contextlib.closing(sqlite3.connect(os.path.join(folder.data, 'carnet.db'))) as db:
        return [name for name, in db.execute('SELECT DISTINCT name FROM blob')
                if not name.startswith('trust/')]


def check_reindex(score, folder, node):
    client = node.client()
    reply = client.send('POST', '/fhir/SearchParameter', {
        'resourceType': 'SearchParameter', 'url': 'urn:x:sp', 'name': 'x', 'status': 'active',
        'description': 'x', 'code': 'codetext', 'base': ['Basic'], 'type': 'string',
        'expression': 'Basic.code.text'})
    score.check(reply.status == 201, str(reply))
    status, out = run(folder, 'reindex')
    score.check(status == 0, f'reindex beside the node: {status} {out}')
    text = client.get('/fhir/Basic/load').json()['code']['text']
    found = count(client, 'Basic', '&codetext=' + text)
    score.check(found >= 1, f'{found} found by the new parameter')


def check_backup(score, folder, node):
    to = os.path.join(folder.path, 'copy')
    with Load(node) as load:
        status, out = run(folder, 'backup', to)
    score.check(status == 0, f'backup beside the node: {status} {out}')
    score.check(not load.failures, f'clients beside the backup: {load.failures[:3]}')
    status, out = run(folder, 'backup', to)
    score.check(status == 1 and 'already holds a store' in out, f'over a backup: {status} {out}')
    done = subprocess.run([folder.carnet, 'check', '--data', to], capture_output=True, text=True)
    score.check(done.returncode == 0 and ' 0 problems' in done.stdout, f'the copy: {done}')
    # Stopped by hand: what it was told, and nothing left. A backup that was quicker is fine too.
    to = os.path.join(folder.path, 'stopped')
    p = start(folder, 'backup', to)
    p.send_signal(signal.SIGINT)
    status, out = end(p)
    if status != 0:
        deadline = time.monotonic() + WAIT_SECONDS
        while os.path.exists(os.path.join(to, 'carnet.db.new')) and time.monotonic() < deadline:
            time.sleep(0.05)
        left = os.listdir(to) if os.path.exists(to) else []
        score.check(not left, f'left over: {left}')


def wait_for(score, what, holds):
    deadline = time.monotonic() + WAIT_SECONDS
    while not holds():
        if not score.check(time.monotonic() < deadline, what):
            return
        time.sleep(0.02)


def check_node_stops(score, folder, country):
    """The node is stopped, and killed, while an import runs: the import says so, and goes on."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        with nodes.Folder(folder.carnet) as own:
            with nodes.Node(own) as node:
                client = node.client()
                p = start(own, 'import', '--threads', '1', country)
                wait_for(score, 'the import begins', lambda: count(client, 'Patient') > 0)
                client.close()
                node.process.send_signal(how)
                status, out = end(p)
                score.check(status == 1 and 'node' in out.splitlines()[-1],
                            f'an import whose node ended by {how}: {status} {out}')
                if how == signal.SIGKILL:
                    node.process.wait()
                    node.stop = node.process.stdout.close
            with nodes.Node(own) as node:
                status, out = run(own, 'import', country)
                score.check(status == 0, f'the import, gone on: {status} {out}')
                lines_there = int(out.splitlines()[-1].split()[-4])
                score.check(lines_there > 0, f'nothing was there before: {out}')
                yield node


def main():
    score = nodes.Score()
    with nodes.Folder(sys.argv[1]) as folder:
        country, kinds = make_country(folder)
        with nodes.Node(folder) as node:
            check_socket(score, folder, node)
            check_import(score, folder, node, country, kinds)
            check_two_at_once(score, folder, node)
            check_reindex(score, folder, node)
            check_backup(score, folder, node)
            check_packages(score, folder, node)
            check_terminology(score, folder, node)
        score.check(blobs(folder) == ['terminology/CodeSystem/x|1/abc'], f'{blobs(folder)}')
        with nodes.Node(folder):
            pass
        score.check(blobs(folder) == [], f'half a terminology stays: {blobs(folder)}')
        score.check(not os.path.exists(os.path.join(folder.data, 'carnet.sock')),
                    'the socket stays behind')
        for node in check_node_stops(score, folder, country):
            check_counts(score, node.client(), kinds, 'gone on')
    return score.end()


if __name__ == '__main__':
    sys.exit(main())
