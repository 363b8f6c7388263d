#!/usr/bin/env python3
"""The official examples through XML: formats.py CARNET

Each example goes to XML ($convert); that XML, read by the official StructureDefinitions in Python
(xml_model.py), says what the example's JSON says, numbers by their literals. Stored from XML, it
comes back equal as JSON and as XML; as one Bundle in XML, all of them import.
"""
import os
import sys
import xml.etree.ElementTree as ET

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'lib'))
import examples  # noqa: E402
import node as nodes  # noqa: E402
from xml_model import Model, Wrong, with_canonical_narrative  # noqa: E402

XML = 'application/fhir+xml'
CLIENTS = 2


def read(model, score, name, text):
    try:
        return model.resource(ET.fromstring(text))
    except (Wrong, ET.ParseError, KeyError, ValueError) as e:
        score.check(False, f'{name}: its XML cannot be read: {e!r}')
        return None


def check_stored(model, score, client, name, sent, path):
    back = client.get(path)
    if not score.check(back.status == 200, f'{name}: read back: {back}'):
        return
    got, has_id = nodes.literal(back.body), 'id' in sent
    score.check(examples.without_servers_own(sent, has_id) ==
                examples.without_servers_own(got, has_id), f'{name} comes back different')
    again = client.get(path, Accept=XML)
    score.check(again.headers['Content-Type'] == XML + ';charset=utf-8',
                f"{name}: {again.headers['Content-Type']}")
    score.check(read(model, score, name, again.body) == with_canonical_narrative(got),
                f'{name}: what comes back as XML differs from what comes as JSON')


def check_one(model, score, client, line, refusals):
    """The example's XML, or None if it is refused."""
    sent = nodes.literal(line)
    kind, has_id = sent['resourceType'], 'id' in sent
    name = f"{kind}/{sent.get('id', '?')}"
    made = client.send('POST', '/fhir/$convert', line.strip(), Accept=XML)
    if not score.check(made.status == 200, f'{name}: to XML: {made}'):
        return None
    score.check(read(model, score, name, made.body) == with_canonical_narrative(sent),
                f'{name}: its XML says something else')
    if has_id:
        reply = client.send('PUT', f'/fhir/{name}', made.body, Content_Type=XML)
    else:
        reply = client.send('POST', f'/fhir/{kind}', made.body, Content_Type=XML)
    if name in refusals:
        examples.check_refused(score, name, reply, refusals[name])
        return None
    if not score.check(reply.status in (200, 201), f'{name}: {reply}'):
        return None
    path = name if has_id else '/'.join(reply.headers['Location'].split('/')[4:6])
    check_stored(model, score, client, name, sent, f'/fhir/{path}')
    return made.body


def check_import(score, carnet, texts):
    with nodes.Folder(carnet) as folder:
        path = os.path.join(folder.path, 'all.xml')
        with open(path, 'wb') as f:
            f.write(b'<?xml version="1.0"?>\n<Bundle xmlns="http://hl7.org/fhir">'
                    b'<type value="collection"/>\n')
            for text in texts:
                f.write(b'<entry><resource>' + text.split(b'?>', 1)[1] + b'</resource></entry>\n')
            f.write(b'</Bundle>\n')
        said = folder.run('import', path)
        score.check(f'{len(texts)} resources stored' in said, f'import of one XML Bundle: {said}')
        with open(path, 'wb') as f:
            f.write(b'<Patient xmlns="http://hl7.org/fhir">\n<foo value="x"/>\n</Patient>\n')
        said = folder.run('import', path, status=3)
        score.check('Patient.foo is not an element of R4 (line 2)' in said, f'bad XML: {said}')


def main():
    path, types, resources = nodes.shared('r4-examples/r4-examples.ndjson.gz',
                                          'r4-definitions/profiles-types.json.gz',
                                          'r4-definitions/profiles-resources.json.gz')
    lines, refusals = nodes.lines_of(path), examples.expected_refusals()
    model, score, texts = Model(types, resources), nodes.Score(), []
    with nodes.Folder(sys.argv[1]) as folder, nodes.Node(folder) as node:

        def work(i):
            client = node.client()
            for line in lines[i::CLIENTS]:
                text = check_one(model, score, client, line, refusals)
                if text is not None:
                    texts.append(text)
            client.close()

        nodes.in_threads(CLIENTS, work)
    check_import(score, sys.argv[1], texts)
    print(f'{len(lines)} examples, {len(texts)} stored from XML')
    return score.end()


if __name__ == '__main__':
    sys.exit(main())
