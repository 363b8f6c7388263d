#!/usr/bin/env python3
"""Official resources are held against R4 and profiles without a false error: profiles.py CARNET

The 607 examples against R4 itself and the profiles that they claim; those of the IPS package
against IPS. Errors that are true are listed in profiles_refused.tsv: a line names one rule on one
element of one file, with the reason, and has to be met. A package that is a bomb, cut, or none
is refused by name.
"""
import gzip
import io
import json
import lzma
import os
import re
import subprocess
import sys
import tarfile
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'lib'))
import node as nodes  # noqa: E402


def expected():
    with open(os.path.join(HERE, 'profiles_refused.tsv'), encoding='utf-8') as f:
        rows = [line.rstrip('\n').split('\t') for line in f if line.strip() and line[0] != '#']
    return {(row[0], row[1], row[2]): row[3] for row in rows}


def validate(carnet, files, *options):
    """The OperationOutcome of each file."""
    run = subprocess.run([carnet, 'validate', '--format', 'json', *options, *files],
                         capture_output=True, text=True, check=False)
    if run.returncode not in (0, 3):
        raise SystemExit(f'carnet validate: {run.returncode} {run.stderr}')
    return [json.loads(line) for line in run.stdout.splitlines()]


def check(score, names, outcomes, known, seen):
    for name, outcome in zip(names, outcomes):
        for issue in outcome['issue']:
            if issue['severity'] not in ('error', 'fatal'):
                continue
            element = re.sub(r'\[\d+\]', '', issue.get('expression', [''])[0])
            text = issue['details']['text']
            keys = [k for k in known if k[0] == name and k[1] == element and k[2] in text]
            if score.check(len(keys) == 1, f'{name}: {text}'):
                seen.add(keys[0])
    score.check(len(names) == len(outcomes), f'{len(outcomes)} outcomes of {len(names)} files')


def write(folder, name, data):
    path = os.path.join(folder, name.replace('/', '_'))
    with open(path, 'w' if isinstance(data, str) else 'wb') as f:
        f.write(data)
    return path


def examples(score, carnet, folder, known, seen):
    path, = nodes.shared('r4-examples/r4-examples.ndjson.gz')
    names, files = [], []
    for i, line in enumerate(nodes.lines_of(path)):
        resource = json.loads(line)
        names.append(f"{resource['resourceType']}/{resource.get('id', '?')}")
        files.append(write(folder, f'{i}.json', line))
    check(score, names, validate(carnet, files), known, seen)
    return len(names)


def tgz(files):
    """A package with these files: {name: bytes}."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w:gz') as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def ips(score, carnet, folder, known, seen):
    path, = nodes.shared('suites/ips-2.0.0.tar.xz')
    with lzma.open(path) as f:
        tar = tarfile.open(fileobj=io.BytesIO(f.read()))
    files = {m.name: tar.extractfile(m).read() for m in tar.getmembers() if m.isfile()}
    package = write(folder, 'ips.tgz', tgz(files))
    names = sorted(n for n in files if n.startswith('package/example/') and n.endswith('.json'))
    paths = [write(folder, os.path.basename(n), files[n]) for n in names]
    names = [os.path.basename(n) for n in names]
    check(score, names, validate(carnet, paths, '--package', package), known, seen)
    bundles = [p for p in paths if os.path.basename(p).startswith('Bundle-')]
    check(score, [os.path.basename(p) for p in bundles],
          validate(carnet, bundles, '--package', package, '--profile',
                   'http://hl7.org/fhir/uv/ips/StructureDefinition/Bundle-uv-ips'), known, seen)
    return len(names), package, files


def broken(score, carnet, folder, resource, bad, says):
    """An IPS example with one thing wrong is found to be wrong."""
    for name, change, text in bad:
        changed = json.loads(json.dumps(resource))
        change(changed)
        outcome, = validate(carnet, [write(folder, f'broken-{name}.json', json.dumps(changed))],
                            *says)
        texts = [i['details']['text'] for i in outcome['issue'] if i['severity'] == 'error']
        score.check(any(text in t for t in texts), f'{name}: wanted {text}, got {texts}')


def hostile(score, carnet, folder):
    bomb = gzip.compress(b'\0' * (64 << 20))
    big = io.BytesIO()
    with tarfile.open(fileobj=big, mode='w:gz') as tar:
        info = tarfile.TarInfo('package/big.json')
        info.size = 256 << 20
        tar.addfile(info, io.BytesIO(b' ' * info.size))
    cut = tgz({'package/package.json': b'{"name":"a","version":"1"}' + b' ' * 10000})[:-30]
    cases = [('bomb.tgz', big.getvalue(), 'more than 250 times its size'),
             ('zeros.tgz', bomb, 'no FHIR package'),
             ('cut.tgz', cut, 'cannot be unpacked'),
             ('text.tgz', b'no archive at all', 'no FHIR package'),
             ('bad.tgz', tgz({'package/x.json': b'{"url":'}), 'x.json')]
    patient = write(folder, 'p.json', '{"resourceType":"Patient"}')
    for name, data, says in cases:
        run = subprocess.run([carnet, 'validate', '--package', write(folder, name, data), patient],
                             capture_output=True, text=True, check=False)
        score.check(run.returncode == 1 and says in run.stderr and run.stderr.count('\n') == 1,
                    f'{name}: {run.returncode} {run.stderr}')


def install(score, carnet, folder, package):
    data = os.path.join(folder, 'data')

    def run(*words):
        return subprocess.run([carnet, *words, '--data', data], capture_output=True, text=True,
                              check=False)

    run('init')
    first = run('package', 'install', package)
    score.check(first.returncode == 1 and 'hl7.terminology.r4' in first.stderr,
                f'missing dependencies: {first}')
    score.check(run('package', 'list').stdout == '', 'something is installed')
    second = run('package', 'install', '--incomplete', package)
    score.check(second.returncode == 0 and 'resources installed' in second.stdout, f'{second}')
    again = run('package', 'install', '--incomplete', package)
    score.check('installed already' in again.stdout, f'{again}')
    listed = run('package', 'list').stdout
    score.check(listed.startswith('hl7.fhir.uv.ips#2.0.0 '), listed)
    gone = run('package', 'remove', 'hl7.fhir.uv.ips')
    score.check(gone.returncode == 0 and run('package', 'list').stdout == '', f'{gone}')
    return run


def value_set(name):
    return json.dumps({'resourceType': 'ValueSet', 'id': name, 'status': 'active',
                       'url': f'http://a.org/{name}'}).encode()


def many(score, run, folder):
    """More resources than one transaction takes go in and out again."""
    n = 20010
    files = {'package/package.json': json.dumps(
        {'name': 'org.many', 'version': '1.0.0', 'fhirVersions': ['4.0.1']}).encode()}
    for i in range(n):
        files[f'package/ValueSet-{i}.json'] = value_set(f'many-{i}')
    put = run('package', 'install', write(folder, 'many.tgz', tgz(files)))
    score.check(put.returncode == 0 and f'{n} resources installed' in put.stdout, f'{put}')
    gone = run('package', 'remove', 'org.many')
    score.check(gone.returncode == 0 and f'{n} resources removed' in gone.stdout, f'{gone}')
    score.check(run('package', 'list').stdout == '', 'org.many is still there')


def refused(score, run, folder):
    """Packages for another version of FHIR, and those that need one another."""
    def package(name, versions, **needs):
        return write(folder, f'{name}.tgz', tgz({'package/package.json': json.dumps(
            {'name': name, 'version': '1.0.0', 'fhirVersions': versions,
             'dependencies': {k.replace('_', '.'): '1.0.0' for k in needs}}).encode(),
            'package/ValueSet-x.json': value_set(name.replace('.', '-'))}))

    later = run('package', 'install', package('org.later', ['5.0.0']))
    score.check(later.returncode == 1 and 'R4' in later.stderr, f'{later}')
    circle = run('package', 'install', package('org.a', ['4.0.1'], org_b=1),
                 package('org.b', ['4.0.1'], org_a=1))
    score.check(circle.returncode == 1 and 'depend on one another' in circle.stderr, f'{circle}')
    score.check(run('package', 'list').stdout == '', 'a part of the circle is installed')


def main():
    carnet, known, seen, score = sys.argv[1], expected(), set(), nodes.Score()
    with tempfile.TemporaryDirectory() as folder:
        n = examples(score, carnet, folder, known, seen)
        n_ips, package, files = ips(score, carnet, folder, known, seen)
        says = ['--package', package, '--profile',
                'http://hl7.org/fhir/uv/ips/StructureDefinition/Patient-uv-ips']
        patient = json.loads(files['package/example/Patient-66033.json'])
        broken(score, carnet, folder, patient, [
            ('birth', lambda r: r.pop('birthDate'), 'Patient.birthDate'),
            ('name', lambda r: r.pop('name'), 'Patient.name'),
            ('gender', lambda r: r.update(gender='x'), 'Patient.gender'),
            ('name-empty', lambda r: r.update(name=[{'use': 'official'}]), 'ips-pat-1'),
        ], says)
        bundle = json.loads(files['package/example/Bundle-bundle-minimal.json'])
        broken(score, carnet, folder, bundle, [
            ('type', lambda r: r.update(type='collection'), 'Bundle.type'),
            ('section', lambda r: r['entry'][0]['resource'].pop('section'), 'slice composition'),
            ('subject',
             lambda r: r['entry'][0]['resource']['subject'].update(reference='Patient/no'),
             'not in the document'),
        ], ['--package', package, '--profile',
            'http://hl7.org/fhir/uv/ips/StructureDefinition/Bundle-uv-ips'])
        hostile(score, carnet, folder)
        run = install(score, carnet, folder, package)
        many(score, run, folder)
        refused(score, run, folder)
    score.check(seen == set(known), f'listed, but not found: {set(known) - seen}')
    print(f'{n} examples and {n_ips} of IPS, {len(seen)} errors that are listed')
    return score.end()


if __name__ == '__main__':
    sys.exit(main())
