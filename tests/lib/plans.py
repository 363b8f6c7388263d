"""How a PostgreSQL did the statements of a node: what auto_explain writes into its log."""
import json
import re
import subprocess
import time

MODULE = 'auto_explain'
IDLE_SECONDS = 20
END = 'end-of-answer'
BUSY = ("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'carnet'"
        " AND state <> 'idle'")
# An entry of a log: its first line has the time, those that go on begin with a tab.
ENTRY = re.compile(r'^\d{4}-\d\d-\d\d .*(?:\n\t.*)*', re.MULTILINE)
PLAN = re.compile(r'LOG:  duration: .* plan:\n')
REMOVED = ('Rows Removed by Filter', 'Rows Removed by Index Recheck',
           'Rows Removed by Join Filter')


class Idle:
    """Waits for the ends of the nodes' transactions: by then their plans are in the log. Asks by
    one psql, which stays until close(): to start one takes longer than a request."""

    def __init__(self, uri):
        self.psql = subprocess.Popen(['psql', '-X', '-q', '-A', '-t', uri], text=True,
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.psql.stdin.write(f"LOAD '{MODULE}'; SET auto_explain.log_min_duration = -1;\n")

    def ask(self):
        self.psql.stdin.write(f'{BUSY};\n\\echo {END}\n')
        self.psql.stdin.flush()
        lines = []
        while not lines or lines[-1] != END:
            line = self.psql.stdout.readline()
            if not line:
                raise RuntimeError('psql has ended')
            lines.append(line.strip())
        return lines[0]

    def wait(self):
        end = time.monotonic() + IDLE_SECONDS
        while self.ask() != '0':
            if time.monotonic() > end:
                raise RuntimeError('the connections of the node do not become idle')
            time.sleep(0.002)

    def close(self):
        self.psql.stdin.close()
        self.psql.wait()
        self.psql.stdout.close()


class Log:
    """The entries of one server's log since the last look."""

    def __init__(self, server):
        self.server, self.seen = server, 0

    def entries(self):
        text = self.server.text()
        new, self.seen = text[self.seen:], len(text)
        return ENTRY.findall(new)


def texts(entries):
    """The plans among them, as they stand there."""
    found = [(PLAN.search(e), e) for e in entries]
    return [e[m.end():].replace('\n\t', '\n').lstrip('\t') for m, e in found if m]


def analysed(entries):
    """The plans among them, as log_format = json makes them."""
    return [json.loads(text) for text in texts(entries)]


def rows_read(plan):
    """Rows that a plan took from tables and indexes, with those that it threw away."""
    own = 0
    if 'Relation Name' in plan and 'Scan' in plan['Node Type']:
        kept = plan['Actual Rows'] + sum(plan.get(name, 0) for name in REMOVED)
        own = kept * plan['Actual Loops']
    return own + sum(rows_read(inner) for inner in plan.get('Plans', []))


def rows_given(plan):
    """Rows that it answered; what is counted has been given to the count."""
    if plan['Node Type'] == 'Aggregate':
        return sum(rows_given(inner) for inner in plan.get('Plans', []))
    return plan['Actual Rows'] * plan['Actual Loops']
