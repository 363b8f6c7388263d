#!/usr/bin/env python3
"""A full disk: full_disk.py CARNET

The data folder lies on a small file system of its own (in a mount namespace: needs root, skips
without). When it is full, writes and large bodies get 507, imports and backups say so, reads go on;
once there is room again, so do writes, without a restart. Nothing acknowledged is lost.
"""
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import node as nodes  # noqa: E402

DISK_MB = 64
INSIDE = 'CARNET_FULL_DISK'
WRITES = 200
ROOM = 512 << 10


def enter():
    """Runs this again in a mount namespace with a small file system; its status."""
    with tempfile.TemporaryDirectory(prefix='carnet-full-') as disk:
        script = f'mount -t tmpfs -o size={DISK_MB}m carnet "$1" && shift && exec "$@"'
        words = ['unshare', '--mount', 'sh', '-c', script, 'sh', disk, sys.executable,
                 *sys.argv]
        probe = subprocess.run(words[:7] + ['true'], capture_output=True, text=True)
        if probe.returncode != 0:
            print('skipped: no small file system can be mounted: ' + probe.stderr.strip())
            return nodes.SKIPPED
        return subprocess.run(words, env={**os.environ, INSIDE: disk, 'TMPDIR': disk}).returncode


def fill(disk):
    """Takes all but ROOM of what is left; the file that holds it."""
    path = os.path.join(disk, 'filler')
    with open(path, 'ab', buffering=0) as f:
        for size in (1 << 20, 4096, 1):
            try:
                while f.write(b'x' * size):
                    pass
            except OSError:
                pass
    os.truncate(path, os.path.getsize(path) - ROOM)
    return path


def basic(i, text='x'):
    return {'resourceType': 'Basic', 'id': f'b{i}', 'code': {'text': text}}


def write_until_full(score, client):
    """Ids that were acknowledged before the disk was full."""
    kept = []
    for i in range(WRITES):
        reply = client.send('PUT', f'/fhir/Basic/b{i}', basic(i, os.urandom(4000).hex()))
        if reply.status == 201:
            kept.append(i)
            continue
        score.check(reply.status == 507 and reply.outcome(), f'a write on a full disk: {reply}')
        break
    return kept


def check_full(score, folder, client, disk):
    reply = client.send('PUT', '/fhir/Basic/more', dict(basic('more'), id='more'))
    score.check(reply.status == 507 and reply.outcome(), f'a second write: {reply}')
    reply = client.send('PUT', '/fhir/Binary/large', b'\1' * (4 << 20),
                        Content_Type='application/pdf')
    score.check(reply.status == 507 and reply.outcome(), f'a large body: {reply}')
    score.check(client.get('/livez').status == 200, 'the node does not live')
    score.check(client.get('/readyz').status == 200, 'reads are not ready')
    bundle = client.get('/fhir/Basic?_count=1')
    score.check(bundle.status == 200, f'a search: {bundle}')
    lines = os.path.join('/dev/shm' if os.path.isdir('/dev/shm') else '/var/tmp',
                         f'carnet-full-{os.getpid()}')
    with open(lines, 'w') as f:
        f.write('{"resourceType":"Basic","id":"i1","code":{"text":"%s"}}\n' % ('y' * 200000))
    try:
        out = folder.run('import', '--rejects', '/dev/null', lines, status=1)
        score.check('full' in out, f'an import on a full disk: {out}')
        out = folder.run('backup', os.path.join(disk, 'copy'), status=1)
        score.check(out.strip() and not os.path.exists(os.path.join(disk, 'copy', 'carnet.db')),
                    f'a backup on a full disk: {out}')
    finally:
        os.unlink(lines)


def main():
    disk = os.environ.get(INSIDE)
    if not disk:
        return enter()
    score = nodes.Score()
    with nodes.Folder(sys.argv[1]) as folder:
        with nodes.Node(folder) as node:
            client = node.client()
            before = client.send('PUT', '/fhir/Basic/first', dict(basic(0), id='first'))
            score.check(before.status == 201, str(before))
            filler = fill(disk)
            kept = write_until_full(score, client)
            score.check(kept, 'no write before the disk was full')
            check_full(score, folder, client, disk)
            os.unlink(filler)
            reply = client.send('PUT', '/fhir/Basic/after', dict(basic(0), id='after'))
            score.check(reply.status == 201, f'a write once there is room: {reply}')
            reply = client.send('PUT', '/fhir/Binary/large', b'\1' * (4 << 20),
                                Content_Type='application/pdf')
            score.check(reply.status == 201, f'a large body once there is room: {reply}')
            client.close()
        out = folder.run('check')
        score.check(' 0 problems' in out, out)
        with nodes.Node(folder) as node:
            client = node.client()
            for name in ['first', 'after'] + [f'b{i}' for i in kept]:
                score.check(client.get('/fhir/Basic/' + name).status == 200, f'{name} is lost')
            client.close()
        print(f'{len(kept)} writes before the disk was full')
    return score.end()


if __name__ == '__main__':
    sys.exit(main())
