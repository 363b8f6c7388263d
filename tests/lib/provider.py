"""A provider of identities (OpenID Connect) that can lie: what an honest one would never say."""
import base64
import hashlib
import http.server
import json
import threading
import time
import urllib.parse
import uuid

import jose


class Provider:
    """Serves on a port of its own. `twist` changes what it says:

    claims    members of the ID token, in place of the honest ones (None takes one away)
    head      members of its header
    key       signs in place of the provider's own
    token     a function that makes another token of the honest one
    info      members of userinfo
    metadata  members of what it says of itself
    jwks      text in place of its keys
    delay     seconds before it answers at an endpoint: {'/token': 3}
    status    of an endpoint: {'/token': 500}
    """

    def __init__(self, folder, client, secret=None, sub='sub-1', **claims):
        self.client, self.secret, self.sub, self.claims = client, secret, sub, claims
        self.keys = [jose.Key(folder, 'ES256')]
        self.twist, self.codes, self.asked, self.wrong = {}, {}, [], []
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def answer(self, body):
                path = urllib.parse.urlsplit(self.path).path
                provider.asked.append(path)
                time.sleep(provider.twist.get('delay', {}).get(path, 0))
                status, text = provider.answer(path, self.headers, body)
                status = provider.twist.get('status', {}).get(path, status)
                try:
                    self.send_response(status)
                    self.send_header('Content-Type', 'application/json')
                    self.send_header('Content-Length', str(len(text)))
                    self.end_headers()
                    self.wfile.write(text)
                except OSError:
                    pass  # who asked is gone

            def do_GET(self):
                self.answer(b'')

            def do_POST(self):
                self.answer(self.rfile.read(int(self.headers['Content-Length'])))

        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.server.daemon_threads = True
        self.issuer = f'http://127.0.0.1:{self.server.server_port}'
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    # ---- what the person's browser does there ----

    def authorize(self, url, **changed):
        """The person signs in: the query that leads back, for the redirect URI of the request."""
        asked = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))
        if asked.get('code_challenge_method') != 'S256' or asked.get('response_type') != 'code':
            self.wrong.append(f'asks for {asked}')
        code = str(uuid.uuid4())
        self.codes[code] = asked
        back = {'code': code, 'state': asked['state'], 'iss': self.issuer, **changed}
        return asked['redirect_uri'], {k: v for k, v in back.items() if v is not None}

    # ---- what the node asks ----

    def answer(self, path, headers, body):
        if path == '/.well-known/openid-configuration':
            said = {'issuer': self.issuer, 'authorization_endpoint': self.issuer + '/authorize',
                    'token_endpoint': self.issuer + '/token', 'jwks_uri': self.issuer + '/jwks',
                    'userinfo_endpoint': self.issuer + '/userinfo',
                    'authorization_response_iss_parameter_supported': True,
                    **self.twist.get('metadata', {})}
        elif path == '/jwks' and 'jwks' in self.twist:
            return 200, self.twist['jwks']
        elif path == '/jwks':
            said = {'keys': [k.jwk() for k in self.keys]}
        elif path == '/token':
            return self.token(headers, dict(urllib.parse.parse_qsl(body.decode())))
        elif path == '/userinfo' and headers['Authorization'] == 'Bearer opens-userinfo':
            said = {'sub': self.sub, **self.twist.get('info', {})}
        else:
            return 404, b'{}'
        return 200, json.dumps(said).encode()

    def token(self, headers, fields):
        asked = self.codes.pop(fields.get('code'), None)
        want = base64.b64encode(f'{self.client}:{self.secret}'.encode()).decode()
        if headers['Authorization'] != 'Basic ' + want:
            self.wrong.append(f"the client shows {headers['Authorization']}")
        challenge = jose.b64u(hashlib.sha256(fields.get('code_verifier', '').encode()).digest())
        if not asked or asked['redirect_uri'] != fields['redirect_uri'] or \
                asked['code_challenge'] != challenge:
            return 400, b'{"error":"invalid_grant"}'
        now = int(time.time())
        claims = {'iss': self.issuer, 'sub': self.sub, 'aud': self.client, 'iat': now,
                  'exp': now + 300, 'nonce': asked['nonce'], **self.claims,
                  **self.twist.get('claims', {})}
        claims = {k: v for k, v in claims.items() if v is not None}
        key = self.twist.get('key', self.keys[0])
        token = key.sign(claims, **self.twist.get('head', {}))
        token = self.twist.get('token', lambda x: x)(token)
        return 200, json.dumps({'access_token': 'opens-userinfo', 'token_type': 'Bearer',
                                'id_token': token}).encode()
