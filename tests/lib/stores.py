"""Where the stores of the Python tests are: in their data folders, or, where CARNET_TEST_STORE
names a PostgreSQL (with_postgres.py), in databases there, one for each data folder."""
import hashlib
import os
import re
import shutil
import subprocess

import with_citus

SERVER = os.environ.get('CARNET_TEST_STORE')
SERVERS = os.environ.get('CARNET_TEST_SERVERS', '').split()  # of a Citus (with_citus.py)
SAME = {}  # data folders that share another's database


def name_of(data):
    """The database of a data folder."""
    data = SAME.get(data, data)
    return 'carnet_' + hashlib.sha256(os.path.abspath(data).encode()).hexdigest()[:16]


def uri_of(data):
    """Its connection string."""
    return re.sub(r'/postgres\?', f'/{name_of(data)}?', SERVER)


def options(data):
    """What every command that names the folder is told besides."""
    pooled = ['--store-pooled'] if os.environ.get('CARNET_TEST_POOLED') else []
    return ['--store', uri_of(data), *pooled] if SERVER else []


def sql(text, uri=None):
    """What psql says."""
    done = subprocess.run(['psql', '-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-c', text,
                           uri or SERVER], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True)
    if done.returncode:
        raise RuntimeError(f'{text}: {done.stdout}')
    return done.stdout


def same(data, other):
    """Another data folder on the same store."""
    SAME[other] = data


def make(data):
    """Before `carnet init`."""
    for server in SERVERS or ([SERVER] if SERVER else []):
        sql(f'CREATE DATABASE {name_of(data)}', server)
    if SERVERS:
        with_citus.join(SERVERS, name_of(data))


def copy(from_data, data):
    """A second store like the first, which nobody uses."""
    if SERVER:
        sql(f'CREATE DATABASE {name_of(data)} TEMPLATE {name_of(from_data)}')
        os.mkdir(data)
    else:
        shutil.copytree(from_data, data)


def remove(data):
    """At the end; the folder itself is the test's."""
    for server in SERVERS or ([SERVER] if SERVER else []):
        sql(f'DROP DATABASE IF EXISTS {name_of(data)} WITH (FORCE)', server)
