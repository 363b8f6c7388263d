"""A mail server and a web server that keep what they are given."""
import email
import email.policy
import http.server
import socketserver
import threading
import time


class Mail(socketserver.StreamRequestHandler):
    """SMTP (RFC 5321), as much of it as one message needs."""

    def say(self, line):
        self.wfile.write((line + '\r\n').encode())

    def handle(self):
        sink, rcpt = self.server.sink, []
        self.say('220 sink')
        while True:
            line = self.rfile.readline().decode(errors='replace').strip()
            verb = line[:4].upper()
            if not line or verb == 'QUIT':
                self.say('221 bye')
                return
            if verb == 'RCPT':
                rcpt.append(line.split(':', 1)[1].strip(' <>'))
            if verb == 'RCPT' and sink.refuse:
                self.say(f'{sink.refuse} no')
            elif verb == 'DATA':
                self.say('354 go on')
                data = b''
                while not data.endswith(b'\r\n.\r\n'):
                    data += self.rfile.readline()
                sink.got.append((rcpt, email.message_from_bytes(data[:-3],
                                                                policy=email.policy.default)))
                self.say(f'250 queued as {len(sink.got)}')
            else:
                self.say('250 sink')


class Web(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        sink = self.server.sink
        body = self.rfile.read(int(self.headers['Content-Length']))
        if not sink.refuse:
            sink.got.append((self.path, dict(self.headers), body))
        self.send_response(sink.refuse or 202)
        self.end_headers()
        self.wfile.write(b'taken')

    def log_message(self, *_):
        pass


class Threads(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


class Sink:
    """With `refuse`, a status, it takes nothing."""

    def __init__(self, handler):
        self.got, self.refuse = [], None
        self.server = Threads(('127.0.0.1', 0), handler)
        self.server.sink = self
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def wait(self, fits, seconds=20):
        """The first that fits, or None when none came in time."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for one in list(self.got):
                if fits(one):
                    return one
            time.sleep(0.05)
        return None

    def close(self):
        self.server.shutdown()
        self.server.server_close()
