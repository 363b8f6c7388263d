"""Keys and signed tokens made by OpenSSL's command, for tests: nothing of the node's own code."""
import base64
import json
import os
import subprocess


def b64u(data):
    return base64.urlsafe_b64encode(data).rstrip(b'=').decode()


def unb64u(text):
    return base64.urlsafe_b64decode(text + '=' * (-len(text) % 4))


def openssl(*args, data=None):
    return subprocess.run(('openssl',) + args, input=data, check=True, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL).stdout


def integer(der, at):
    """A DER INTEGER at `at`: its bytes and what comes behind."""
    n = der[at + 1]
    return der[at + 2:at + 2 + n], at + 2 + n


class Key:
    """An EC key on P-256 or P-384 or an RSA key, in a file of `folder`."""
    count = 0

    def __init__(self, folder, alg):
        Key.count += 1
        self.alg, self.kid = alg, f'key-{Key.count}'
        self.path = os.path.join(folder, f'{self.kid}.pem')
        self.half = {'ES256': 32, 'ES384': 48}.get(alg)
        if self.half:
            curve = 'P-256' if alg == 'ES256' else 'P-384'
            openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:' + curve,
                    '-out', self.path)
        else:
            openssl('genpkey', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048', '-out',
                    self.path)

    def public(self):
        if self.half:
            der = openssl('pkey', '-in', self.path, '-pubout', '-outform', 'DER')
            point = der[-2 * self.half:]
            jwk = {'kty': 'EC', 'crv': 'P-256' if self.half == 32 else 'P-384',
                   'x': b64u(point[:self.half]), 'y': b64u(point[self.half:])}
        else:
            text = openssl('rsa', '-in', self.path, '-noout', '-modulus').decode()
            jwk = {'kty': 'RSA', 'n': b64u(bytes.fromhex(text.strip().split('=')[1])),
                   'e': 'AQAB'}
        return jwk

    def jwk(self):
        return dict(self.public(), kid=self.kid, alg=self.alg, use='sig')

    def thumbprint(self):
        text = json.dumps(self.public(), sort_keys=True, separators=(',', ':')).encode()
        return b64u(openssl('dgst', '-sha256', '-binary', data=text))

    def sign_bytes(self, text):
        digest = '-sha384' if self.alg.endswith('384') else '-sha256'
        der = openssl('dgst', digest, '-sign', self.path, data=text)
        if not self.half:
            return der
        at = 3 if der[1] & 0x80 else 2
        r, at = integer(der, at)
        s, _ = integer(der, at)
        return b''.join(x.lstrip(b'\0').rjust(self.half, b'\0') for x in (r, s))

    def sign(self, claims, **header):
        head = {'alg': self.alg, 'kid': self.kid, 'typ': 'JWT', **header}
        head = {k: v for k, v in head.items() if v is not None}
        text = b64u(json.dumps(head).encode()) + '.' + b64u(json.dumps(claims).encode())
        return text + '.' + b64u(self.sign_bytes(text.encode()))


def claims_of(token):
    return json.loads(unb64u(token.split('.')[1]))
