#!/usr/bin/env python3
"""An authority of one's own (carnet tls): what it certifies, for how long, and that others take it;
and clients that prove themselves by a certificate (RFC 8705): tls.py CARNET"""
import base64
import hashlib
import http.client
import json
import os
import re
import socket
import ssl
import stat
import subprocess
import sys
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import node as nodes  # noqa: E402


class Authority:
    def __init__(self, score, folder):
        self.carnet, self.check = folder.carnet, score.check
        self.dir = os.path.join(folder.path, 'tls')

    def path(self, name):
        return os.path.join(self.dir, name)

    def run(self, action, *more, status=0, where=None):
        done = subprocess.run([self.carnet, 'tls', action, where or self.dir, *more],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.check(done.returncode == status, f'tls {action} {more}: {done.returncode} '
                   f'{done.stdout}')
        return done.stdout

    def text(self, name):
        """As OpenSSL's command reads it."""
        return subprocess.run(['openssl', 'x509', '-in', self.path(name), '-noout', '-text',
                               '-fingerprint', '-sha256'], stdout=subprocess.PIPE,
                              text=True).stdout


def context(authority, cert=None):
    made = ssl.create_default_context(cafile=authority.path('ca.crt'))
    made.verify_flags |= ssl.VERIFY_X509_STRICT
    if cert:
        made.load_cert_chain(authority.path(cert + '.crt'), authority.path(cert + '.key'))
    return made


def connect(port, how, name):
    with socket.create_connection(('127.0.0.1', port), timeout=20) as plain, \
            how.wrap_socket(plain, server_hostname=name) as s:
        s.sendall(b'GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
        return s.version(), s.recv(200)


def check_made(authority):
    check, run = authority.check, authority.run
    run('ca', '--name', 'Clinic', '--only', 'clinic.lan', '--only', 'localhost', '--only',
        '127.0.0.0/8')
    ca = authority.text('ca.crt')
    for word in ('CN = Clinic', 'CA:TRUE, pathlen:0', 'X509v3 Name Constraints: critical',
                 'DNS:clinic.lan', 'IP:127.0.0.0/255.0.0.0', 'ecdsa-with-SHA256', 'prime256v1'):
        check(word in ca, f'the authority: {word}: {ca}')
    check(stat.S_IMODE(os.stat(authority.path('ca.key')).st_mode) == 0o600, 'its key is its own')
    before = open(authority.path('ca.key')).read()
    run('ca', status=1)
    check(open(authority.path('ca.key')).read() == before, 'an authority is not written over')
    run('node', '--host', 'localhost', '--host', 'n1.clinic.lan', '--host', '127.0.0.1')
    node = authority.text('node.crt')
    for word in ('DNS:localhost, DNS:n1.clinic.lan, IP Address:127.0.0.1', 'CA:FALSE',
                 'TLS Web Server Authentication'):
        check(word in node, f'the node: {word}: {node}')
    for host in 'evil.example', '10.0.0.1', '::1', 'a b', '', 'notclinic.lan':
        run('node', '--host', host, status=1)
    run('node', status=1)
    run('node', '--host', 'localhost', where='/nonexistent', status=1)
    check(authority.text('node.crt') == node, 'what failed changed nothing')
    said = run('show')
    fingerprint = re.search(r'SHA-?256 Fingerprint=(\S+)', ca, re.I).group(1)
    check(fingerprint in said and 'n1.clinic.lan' in said and '127.0.0.1' in said, said)
    run('renew')
    check(authority.text('node.crt') == node, 'nothing is renewed before its time')
    run('renew', '--left', '398')
    again = authority.text('node.crt')
    check(again != node and 'DNS:localhost, DNS:n1.clinic.lan, IP Address:127.0.0.1' in again,
          'renewed, for the same names')
    run('client', 'loader')
    check('TLS Web Client Authentication' in authority.text('loader.crt'), 'a client')
    for name in 'ca', 'node', '../x', '':
        run('client', name, status=1)
    run('client', status=1)
    run('bake', status=1)


def check_taken(authority, folder):
    check = authority.check
    options = ('--tls-cert', authority.path('node.crt'), '--tls-key', authority.path('node.key'))
    with nodes.Node(folder, *options) as node:
        version, reply = connect(node.port, context(authority), 'localhost')
        check(version == 'TLSv1.3' and reply.startswith(b'HTTP/1.1 200'), f'{version} {reply}')
        check(connect(node.port, context(authority), '127.0.0.1')[0], 'by its address')
        for how, name, what in ((context(authority), 'other.clinic.lan', 'another name'),
                                (ssl.create_default_context(), 'localhost', 'nobody trusts it')):
            try:
                connect(node.port, how, name)
                check(False, what)
            except ssl.SSLCertVerificationError:
                check(True, what)


# ---- clients with certificates ----

def ask(authority, port, cert, method, path, fields=None, **headers):
    """Status and JSON, over a connection that shows `cert`."""
    connection = http.client.HTTPSConnection('127.0.0.1', port, timeout=20,
                                             context=context(authority, cert))
    body = urllib.parse.urlencode(fields) if fields else None
    if body:
        headers['Content-Type'] = 'application/x-www-form-urlencoded'
    connection.request(method, path, body, headers)
    reply = connection.getresponse()
    text = reply.read()
    connection.close()
    return reply.status, json.loads(text) if text else None


def self_sign(authority, name, subject):
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt',
                    'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', subject, '-keyout',
                    authority.path(name + '.key'), '-out', authority.path(name + '.crt')],
                   check=True, stderr=subprocess.DEVNULL)


def check_clients(authority, folder):
    check = authority.check
    options = ('--tls-cert', authority.path('node.crt'), '--tls-key', authority.path('node.key'),
               '--tls-client-ca', authority.path('ca.crt'), '--tls-client-optional')
    authority.run('client', 'other')
    self_sign(authority, 'false', '/CN=loader')
    self_sign(authority, 'own', '/CN=own')
    self_sign(authority, 'own2', '/CN=own')
    scope = ('--backend', '--scope', 'system/*.rs')
    with nodes.Node(folder, *options, is_open=False) as node:
        def token(cert, client):
            return ask(authority, node.port, cert, 'POST', '/auth/token',
                       {'grant_type': 'client_credentials', 'scope': 'system/*.rs',
                        'client_id': client})

        folder.run('client', 'add', 'loader', '--name', 'L', '--tls-subject', 'CN=loader', *scope)
        folder.run('client', 'add', 'own', '--name', 'O', '--tls-certificate',
                   authority.path('own.crt'), *scope)
        folder.run('client', 'add', 'server', '--name', 'S', '--tls-subject', 'CN=localhost',
                   *scope)
        status, said = token('node', 'server')
        check(status == 401, f"a server's certificate is no client's: {status} {said}")
        folder.run('client', 'add', 'both', '--name', 'B', '--tls-subject', 'CN=x',
                   '--tls-certificate', authority.path('own.crt'), *scope, status=1)
        folder.run('client', 'add', 'bad', '--name', 'B', '--tls-certificate',
                   authority.path('own.key'), *scope, status=1)
        for client, good, bad in (('loader', 'loader', (None, 'other', 'false', 'own')),
                                  ('own', 'own', (None, 'own2', 'loader'))):
            for cert in bad:
                status, said = token(cert, client)
                check(status == 401 and said['error'] == 'invalid_client',
                      f'{client} with {cert}: {status} {said}')
            status, said = token(good, client)
            check(status == 200, f'{client} with its own: {status} {said}')
            bearer = {'Authorization': 'Bearer ' + said['access_token']}
            status, _ = ask(authority, node.port, good, 'GET', '/fhir/Patient', **bearer)
            check(status == 200, f'a token with its certificate: {status}')
            status, said_of = ask(authority, node.port, good, 'GET', '/auth/userinfo', **bearer)
            check(status == 403 and said_of['error'] == 'insufficient_scope',
                  f'where it is a token too: {status} {said_of}')
            for cert in bad:
                status, _ = ask(authority, node.port, cert, 'GET', '/fhir/Patient', **bearer)
                check(status == 401, f'a token with {cert}: {status}')
            status, told = ask(authority, node.port, good, 'POST', '/auth/introspect',
                               {'token': said['access_token'], 'client_id': client})
            der = ssl.PEM_cert_to_DER_cert(re.search(
                r'-----BEGIN.*?-----END CERTIFICATE-----\n', open(
                    authority.path(good + '.crt')).read(), re.S).group(0))
            want = base64.urlsafe_b64encode(hashlib.sha256(der).digest()).decode().rstrip('=')
            check(told.get('cnf') == {'x5t#S256': want}, f'what it is bound to: {told}')
        _, said = ask(authority, node.port, None, 'GET', '/.well-known/openid-configuration')
        check('tls_client_auth' in said['token_endpoint_auth_methods_supported'] and
              said['tls_client_certificate_bound_access_tokens'], 'and it says so')


def main():
    score = nodes.Score()
    with nodes.Folder(sys.argv[1]) as folder:
        authority = Authority(score, folder)
        check_made(authority)
        check_taken(authority, folder)
        check_clients(authority, folder)
    return score.end()


if __name__ == '__main__':
    sys.exit(main())
