"""An authenticator in software (Web Authentication Level 2): keys and signatures by OpenSSL's
command, the rest by hand, so that each part of what it says can be made wrong."""
import hashlib
import json
import os
import struct

import jose

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def cbor_bytes(data):
    return (b'\x58' + bytes([len(data)]) if len(data) < 256 else
            b'\x59' + struct.pack('>H', len(data))) + data


class Authenticator:
    """One passkey, for `alg` ES256, EdDSA or RS256; `rp` and `origin` as the browser knows them."""
    count_of_all = 0

    def __init__(self, folder, origin, rp, alg='ES256'):
        Authenticator.count_of_all += 1
        self.origin, self.rp, self.alg = origin, rp, alg
        self.id, self.count, self.user = os.urandom(24), 0, b''
        self.path = os.path.join(folder, f'passkey-{Authenticator.count_of_all}.pem')
        kind = {'ES256': ('EC', '-pkeyopt', 'ec_paramgen_curve:P-256'), 'EdDSA': ('ED25519',),
                'RS256': ('RSA', '-pkeyopt', 'rsa_keygen_bits:2048')}[alg]
        jose.openssl('genpkey', '-algorithm', *kind, '-out', self.path)

    def cose(self):
        if self.alg == 'RS256':
            text = jose.openssl('rsa', '-in', self.path, '-noout', '-modulus').decode()
            return b'\xa4\x01\x03\x03\x39\x01\x00\x20' + cbor_bytes(
                bytes.fromhex(text.strip().split('=')[1])) + b'\x21\x43\x01\x00\x01'
        der = jose.openssl('pkey', '-in', self.path, '-pubout', '-outform', 'DER')
        if self.alg == 'EdDSA':
            return b'\xa4\x01\x01\x03\x27\x20\x06\x21' + cbor_bytes(der[-32:])
        return (b'\xa5\x01\x02\x03\x26\x20\x01\x21' + cbor_bytes(der[-64:-32]) + b'\x22' +
                cbor_bytes(der[-32:]))

    def client_data(self, kind, asked, **wrong):
        return json.dumps({'type': 'webauthn.' + kind, 'challenge': asked,
                           'origin': self.origin, 'crossOrigin': False, **wrong}).encode()

    def data(self, flags, rp=None):
        return (hashlib.sha256((rp or self.rp).encode()).digest() + bytes([flags]) +
                struct.pack('>I', self.count))

    def sign(self, message):
        if self.alg != 'EdDSA':
            return jose.openssl('dgst', '-sha256', '-sign', self.path, data=message)
        with open(self.path + '.message', 'wb') as f:
            f.write(message)
        return jose.openssl('pkeyutl', '-sign', '-rawin', '-inkey', self.path, '-in',
                            self.path + '.message')

    def make(self, asked, flags=PRESENT | VERIFIED, rp=None, user='', **wrong):
        """The fields of a form that registers it."""
        self.user = user.encode()
        data = self.data(flags | ATTESTED, rp) + bytes(16) + struct.pack('>H', len(self.id)) + \
            self.id + self.cose()
        return {'client': jose.b64u(self.client_data('create', asked, **wrong)),
                'data': jose.b64u(data)}

    def use(self, asked, flags=PRESENT | VERIFIED, rp=None, **wrong):
        """… that signs in with it."""
        self.count += 1
        data, client = self.data(flags, rp), self.client_data('get', asked, **wrong)
        signature = self.sign(data + hashlib.sha256(client).digest())
        return {'id': jose.b64u(self.id), 'client': jose.b64u(client), 'data': jose.b64u(data),
                'signature': jose.b64u(signature), 'user': jose.b64u(self.user)}
