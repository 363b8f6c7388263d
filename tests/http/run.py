#!/usr/bin/env python3
"""Runs the HTTP scenarios: each file against a fresh node of its own.

Usage: run.py CARNET [FILE...]      (default: every scenarios/*.scn)

A scenario file is plain text:

    # serve --check-references          options of `carnet serve` for this file
    # serve --profiles ${here}/x        ${here} is the folder of this program
    # init --timezone +03:00            options of `carnet init`: the file gets a folder of its own
    ## a title                          starts a scenario; variables live as long as the file
    POST /fhir/Patient                  the request line, then headers, a blank line, a body
    Content-Type: application/fhir+json

    {"resourceType": "Patient"}
    => 201                              what must hold of the reply, a line each:
    => header ETag ~ W/".+"             regular expression over the whole value (= for equality)
    => no header Location
    => json id ~ .+                     a path of names and [n]; = JSON value, ~ regex
    => json entry count 3
    => json total absent
    => save id json id                  keeps a value as ${id}
    => save url header Location
    => save text body
    => body ~ .*text.*                  the body as text
    => empty                            no body

A request line that starts with RETRY is sent again until its checks hold, for 10 seconds.
A line that ends in "@file N BYTE" as body makes a body of N times BYTE.
"""
import glob
import http.client
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'lib'))
import stores  # noqa: E402  (found beside the other helpers)

METHODS = ('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS')


class Failure(Exception):
    pass


def parse(path):
    """A file's options of serve and init, and its scenarios: (title, [steps])."""
    options, scenarios, step, in_body = {'serve': [], 'init': []}, [], None, False
    for number, line in enumerate(open(path, encoding='utf-8'), 1):
        line = line.rstrip('\n')
        given = re.match(r'# (serve|init) (--.*)', line)
        if given:
            options[given.group(1)] += given.group(2).replace('${here}', HERE).split()
        elif line.startswith('## '):
            scenarios.append((line[3:], []))
            step = None
        elif line.startswith('=> '):
            step['checks'].append((number, line[3:]))
            in_body = False
        elif line.removeprefix('RETRY ').split(' ')[0] in METHODS and not in_body:
            step = {'retry': line.startswith('RETRY '), 'request': line.removeprefix('RETRY '),
                    'headers': {}, 'body': [], 'checks': []}
            scenarios[-1][1].append(step)
        elif step is not None and not step['checks']:
            if in_body:
                step['body'].append(line)
            elif line == '':
                in_body = bool(step['headers'])
            else:
                name, value = line.split(':', 1)
                step['headers'][name] = value.strip()
        elif line.strip() and not line.startswith('#'):
            raise Failure(f'{path}:{number}: cannot read this line')
    return options, scenarios


def walk(value, path):
    """The value at a path such as entry[0].resource.id, or KeyError."""
    for name, index in re.findall(r'([^.\[\]]+)|\[(\d+)\]', path):
        if name:
            if not isinstance(value, dict):
                raise KeyError(path)
            value = value[name]
        else:
            if not isinstance(value, list) or int(index) >= len(value):
                raise KeyError(path)
            value = value[int(index)]
    return value


class Reply:
    def __init__(self, response, body):
        self.status, self.headers, self.body = response.status, response.headers, body

    def json(self, path):
        try:
            return walk(json.loads(self.body), path)
        except ValueError:
            raise Failure(f'the body is not JSON: {self.body[:200]!r}')


def text_of(value):
    return value if isinstance(value, str) else json.dumps(value)


def check_value(what, got, op, want):
    if op == '=':
        if got != want:
            raise Failure(f'{what} is {got!r}, wanted {want!r}')
    elif not re.fullmatch(want, text_of(got), re.S):
        raise Failure(f'{what} is {got!r}, wanted to match {want!r}')


def check_json(reply, rest):
    path, op, *want = rest.split(' ', 2)
    try:
        got = reply.json(path)
    except KeyError:
        if op == 'absent':
            return
        raise Failure(f'there is no {path} in {reply.body[:400]!r}')
    if op == 'absent':
        raise Failure(f'{path} is {got!r}, wanted none')
    if op == 'count':
        check_value(f'number of {path}', len(got), '=', int(want[0]))
    elif op == '=':
        check_value(path, got, op, json.loads(want[0]))
    elif op != 'exists':
        check_value(path, got, op, want[0])


def check(reply, rule, variables):
    word, _, rest = rule.partition(' ')
    if word.isdigit():
        if reply.status != int(word):
            raise Failure(f'status {reply.status}, wanted {word}; body {reply.body[:600]!r}')
    elif word == 'header':
        name, op, want = rest.split(' ', 2)
        check_value(name, reply.headers.get(name), op, want)
    elif word == 'no':
        name = rest.split(' ', 1)[1]
        if reply.headers.get(name) is not None:
            raise Failure(f'{name} is {reply.headers[name]!r}, wanted none')
    elif word == 'json':
        check_json(reply, rest)
    elif word == 'body':
        op, want = rest.split(' ', 1)
        check_value('body', reply.body.decode('utf-8', 'replace'), op, want)
    elif word == 'empty':
        check_value('body', reply.body, '=', b'')
    elif word == 'save':
        name, kind, *where = rest.split(' ', 2)
        if kind == 'body':
            variables[name] = reply.body.decode()
        else:
            variables[name] = (text_of(reply.json(where[0])) if kind == 'json'
                               else reply.headers[where[0]])
    else:
        raise Failure(f'unknown rule: {rule}')


def fill(text, variables):
    return re.sub(r'\$\{(\w+)\}', lambda m: variables[m.group(1)], text)


def send(port, step, variables):
    method, path = fill(step['request'], variables).split(' ', 1)
    if path.startswith('http'):
        path = '/' + path.split('/', 3)[3]
    headers = {k: fill(v, variables) for k, v in step['headers'].items()}
    body = fill('\n'.join(step['body']).strip(), variables).encode()
    made = re.fullmatch(rb'@file (\d+) (.)', body)
    if made:
        body = made.group(2) * int(made.group(1))
    connection = http.client.HTTPConnection('127.0.0.1', port, timeout=30)
    try:
        connection.request(method, path, body or None, headers)
        response = connection.getresponse()
        return Reply(response, response.read())
    finally:
        connection.close()


class Node:
    """A node on a copy of a fresh data folder."""

    def __init__(self, carnet, fresh, options):
        self.dir = tempfile.mkdtemp(prefix='carnet-http-')
        data = os.path.join(self.dir, 'data')
        self.data = data
        if options['init'] or stores.SERVERS:  # a Citus copies no database
            stores.make(data)
            subprocess.run([carnet, 'init', '--data', data, *stores.options(data),
                            *options['init']], check=True)
        else:
            stores.copy(fresh, data)
        self.log = open(os.path.join(self.dir, 'log'), 'wb')
        self.process = subprocess.Popen(
            [carnet, 'serve', '--data', data, *stores.options(data), '--open', '--listen',
             '127.0.0.1:0', *options['serve']],
            stdout=subprocess.PIPE, stderr=self.log)
        line = self.process.stdout.readline().decode()
        found = re.search(r'port (\d+)', line)
        if not found:
            raise Failure(f'carnet serve does not start: {open(self.log.name).read()}')
        self.port = int(found.group(1))

    def stop(self):
        self.process.terminate()
        try:
            status = self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = 'killed after 30 s'
        log = open(self.log.name, errors='replace').read()
        shutil.rmtree(self.dir)
        stores.remove(self.data)
        if status != 0:
            raise Failure(f'carnet serve ended with {status}: {log[-3000:]}')


def run_step(port, step, variables, path):
    until = time.time() + (10 if step['retry'] else 0)
    while True:
        reply = send(port, step, variables)
        try:
            for number, rule in step['checks']:
                check(reply, fill(rule, variables), variables)
            return
        except Failure as e:
            if time.time() > until:
                raise Failure(f'{path}:{number}: {e}')
            time.sleep(0.05)


def run_file(carnet, fresh, path):
    options, scenarios = parse(path)
    node = Node(carnet, fresh, options)
    variables = {'port': str(node.port)}
    failures = []
    for title, steps in scenarios:
        try:
            for step in steps:
                run_step(node.port, step, variables, path)
        except (Failure, OSError, KeyError, http.client.HTTPException) as e:
            failures.append(f'{os.path.basename(path)}: {title}: {e!r}')
    try:
        node.stop()
    except Failure as e:
        failures.append(f'{os.path.basename(path)}: {e}')
    return len(scenarios), failures


def main():
    carnet = os.path.abspath(sys.argv[1])
    files = sys.argv[2:] or sorted(glob.glob(os.path.join(HERE, 'scenarios', '*.scn')))
    root = tempfile.mkdtemp(prefix='carnet-http-')
    fresh = os.path.join(root, 'fresh')
    total, failures, started = 0, [], time.time()
    try:
        stores.make(fresh)
        subprocess.run([carnet, 'init', '--data', fresh, *stores.options(fresh)], check=True)
        for path in files:
            n, failed = run_file(carnet, fresh, path)
            total += n
            failures += failed
    finally:
        stores.remove(fresh)
        shutil.rmtree(root, ignore_errors=True)
    for f in failures:
        print('FAILED', f)
    print(f'{total} scenarios in {time.time() - started:.1f} s')
    print(f'{total - len(failures)} passed, {len(failures)} failed')
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main())
