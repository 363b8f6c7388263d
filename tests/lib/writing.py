"""A program that writes to a store while servers below it are killed (store_outage_test)."""
import os
import subprocess
import sys
import threading


class Writing:
    """The program, begun on the store at `uri`; `begun` and `written` are set as it says so."""

    def __init__(self, program, uri):
        env = {**os.environ, 'CARNET_TEST_STORE': uri}
        self.child = subprocess.Popen([program], env=env, stderr=subprocess.PIPE, text=True)
        self.begun, self.written = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self.listen)
        self.thread.start()

    def listen(self):
        """What the program says of where it is; the rest is passed on."""
        for line in self.child.stderr:
            if line == 'writing\n':
                self.begun.set()
            elif line == 'written\n':
                self.written.set()
            else:
                sys.stderr.write(line)
        self.begun.set()
        self.written.set()

    def end(self):
        """Its exit status, once it has ended by itself."""
        code = self.child.wait()
        self.thread.join()
        return code
