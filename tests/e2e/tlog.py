"""The audit log's proofs, checked without a line of Carnet: hashlib for the tree (RFC 9162), the
openssl command for Ed25519, the text formats of C2SP as they are published."""
import base64
import hashlib
import os
import struct
import subprocess
import tempfile

DER_ED25519 = bytes.fromhex('302a300506032b6570032100')     # of a public key, in front of its 32


def sha(*parts):
    return hashlib.sha256(b''.join(parts)).digest()


class Key:
    """A vkey: name+id+base64(type, public key)."""

    def __init__(self, text):
        self.name, key_id, material = text.strip().split('+', 2)
        raw = base64.b64decode(material)
        self.kind, self.public = raw[0], raw[1:]
        self.id = sha(self.name.encode(), b'\n', raw)[:4]
        assert self.id.hex() == key_id, 'the id of a key'

    def verifies(self, message, signature):
        with tempfile.TemporaryDirectory() as d:
            paths = [os.path.join(d, n) for n in ('key', 'message', 'signature')]
            for path, data in zip(paths, (DER_ED25519 + self.public, message, signature)):
                with open(path, 'wb') as f:
                    f.write(data)
            done = subprocess.run(
                ['openssl', 'pkeyutl', '-verify', '-pubin', '-keyform', 'DER', '-inkey', paths[0],
                 '-rawin', '-in', paths[1], '-sigfile', paths[2]], capture_output=True)
        return done.returncode == 0


def signed_by(note, key):
    """Whether the note has a signature of the key, which must hold."""
    text, signatures = note.rsplit('\n\n', 1)
    text += '\n'
    for line in signatures.splitlines():
        _, name, encoded = line.split(' ')
        raw = base64.b64decode(encoded)
        if name != key.name or raw[:4] != key.id:
            continue
        message, signature = text.encode(), raw[4:]
        if key.kind == 4:
            when, signature = struct.unpack('>Q', raw[4:12])[0], raw[12:]
            message = f'cosignature/v1\ntime {when}\n'.encode() + message
        assert key.verifies(message, signature), f'a signature of {name}'
        return True
    return False


def head(note):
    origin, size, root = note.split('\n')[:3]
    return origin, int(size), base64.b64decode(root)


def root_of_path(leaf, index, size, path):
    """RFC 9162, 2.1.3.2."""
    fn, sn, r = index, size - 1, leaf
    for p in path:
        assert sn, 'a path that is too long'
        if fn & 1 or fn == sn:
            r = sha(b'\1', p, r)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = sha(b'\1', r, p)
        fn, sn = fn >> 1, sn >> 1
    assert sn == 0, 'a path that is too short'
    return r


def members(entry):
    assert entry[0] == 1, 'the version of an entry'
    at, found = 1, {}
    while at < len(entry):
        tag, n, shift = entry[at], 0, 0
        while True:
            at += 1
            n |= (entry[at] & 127) << shift
            shift += 7
            if entry[at] < 128:
                break
        found[tag] = entry[at + 1:at + 1 + n]
        at += 1 + n
    return found


def check_proof(text, log, witnesses):
    """(number, members) of the entry that the proof is about."""
    top, note = text.split('\n\n', 1)
    lines = top.split('\n')
    assert lines[0] == 'c2sp.org/tlog-proof@v1'
    assert lines[1].startswith('extra ') and lines[2].startswith('index ')
    extra, index = base64.b64decode(lines[1][6:]), int(lines[2][6:])
    origin, size, root = head(note)
    assert origin == log.name and signed_by(note, log), 'the log did not sign'
    for w in witnesses:
        assert signed_by(note, w), f'{w.name} did not cosign'
    leaf = sha(b'\0', sha(extra))
    assert root_of_path(leaf, index, size, [base64.b64decode(x) for x in lines[3:]]) == root
    return index, members(extra[16:])
