#!/usr/bin/env python3
"""Memory of all requests together: budget.py CARNET

Many large bodies, and many long replies that nobody reads, at once: the node's memory stays within
its budget, large requests wait their turn or get 503 with Retry-After, and small ones notice
nothing.
"""
import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import hostile  # noqa: E402
import node as nodes  # noqa: E402

BUDGET_MB = 256
BESIDES_MB = 160          # the program, its page caches, and the large body that is being stored
LARGE_CLIENTS = 24
SLOW_READERS = 200
REPLY_MB = 4
GIVE_BACK_SECONDS = 20
SMALL_SECONDS = 20        # the longest that a small request may take beside them


def large(i):
    """A valid resource of 8 MB with half a million values."""
    inner = [{'url': 'urn:y', 'valueString': f'{k:08}{i:08}'} for k in range(42500)]
    return json.dumps({'resourceType': 'Basic', 'id': f'large{i}', 'code': {'text': 'x'},
                       'extension': [{'url': 'urn:x', 'extension': inner}] * 4})


def check_large_bodies(score, node):
    bodies = [large(i).encode() for i in range(4)]
    statuses = []

    def send(i):
        client = node.client(timeout=300)
        reply = client.send('PUT', f'/fhir/Basic/large{i % 4}', bodies[i % 4])
        fine = reply.status in (200, 201) or (
            reply.status == 503 and reply.headers.get('Retry-After') and reply.outcome())
        score.check(fine, f'a large body: {reply}')
        statuses.append(reply.status)
        client.close()

    nodes.in_threads(LARGE_CLIENTS, send)
    score.check(any(s != 503 for s in statuses), 'no large body was stored')
    print(f'{LARGE_CLIENTS} bodies of {len(bodies[0]) >> 20} MB: {statuses.count(503)} got 503; '
          f"{node.memory_mb('VmHWM'):.0f} MB at most")


def check_slow_readers(score, node):
    text = 'x' * 1000
    client = node.client()
    reply = client.send('PUT', '/fhir/Basic/long', {
        'resourceType': 'Basic', 'id': 'long', 'code': {'text': 'x'},
        'extension': [{'url': 'urn:x', 'valueString': text} for _ in range(REPLY_MB << 10)]})
    score.check(reply.status in (200, 201), f'a resource of {REPLY_MB} MB: {reply.status}')
    socks = []
    for _ in range(SLOW_READERS):
        sock = hostile.connect(node.port)
        sock.sendall(hostile.request('GET', '/fhir/Basic/long'))
        socks.append(sock)
    # All have been asked; the head of each reply has arrived.
    starts = [sock.recv(12) for sock in socks]
    busy = [s for s in starts if s.endswith(b'503')]
    score.check(all(s.endswith((b'200', b'503')) for s in starts), f'{set(starts)}')
    score.check(busy, f'{SLOW_READERS} replies of {REPLY_MB} MB were all let through')
    used = metric(client, 'request_memory_bytes')
    most = metric(client, 'request_memory_max_bytes')
    score.check(0 < used <= most == BUDGET_MB << 20, f'{used} of {most} bytes in use')
    print(f"{SLOW_READERS} replies that nobody reads: {len(busy)} got 503; "
          f"{node.memory_mb('VmHWM'):.0f} MB at most")
    for sock in socks:
        sock.close()
    client.close()


def metric(client, name):
    for line in client.get('/metrics').body.decode().splitlines():
        if line.startswith(f'carnet_{name} '):
            return int(line.split()[1])
    return -1


def main():
    score = nodes.Score()
    with nodes.Folder(sys.argv[1]) as folder, \
            nodes.Node(folder, '--memory-max', str(BUDGET_MB << 20)) as node:
        client = node.client()
        client.send('PUT', '/fhir/Patient/good',
                    '{"resourceType":"Patient","id":"good","active":true}')
        bystander = hostile.Bystander(node)
        bystander.start()
        try:
            check_large_bodies(score, node)
            check_slow_readers(score, node)
        finally:
            bystander.ending = True
            bystander.join()
        for failure in bystander.failures[:5]:
            score.check(False, 'a small request: ' + failure)
        score.check(bystander.longest < SMALL_SECONDS,
                    f'a small request took {bystander.longest:.1f} s')
        print(f'{bystander.n} small requests beside, the longest took '
              f'{bystander.longest * 1000:.0f} ms')
        client, deadline = node.client(), time.monotonic() + GIVE_BACK_SECONDS
        while metric(client, 'request_memory_bytes') > 8 << 20 and time.monotonic() < deadline:
            time.sleep(0.1)
        score.check(metric(client, 'request_memory_bytes') <= 8 << 20,
                    f"{metric(client, 'request_memory_bytes')} bytes are not given back")
        most = node.memory_mb('VmHWM')
        if not node.is_sanitized():
            score.check(most < BUDGET_MB + BESIDES_MB,
                        f'{most:.0f} MB at most, wanted < {BUDGET_MB + BESIDES_MB}')
    return score.end()


if __name__ == '__main__':
    sys.exit(main())
