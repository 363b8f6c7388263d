#!/usr/bin/env python3
"""No language of the portal lacks a text, and docs/LIMITS.md says what is reviewed.
Usage: check_languages.py ROOT"""
import json
import os
import re
import sys



def placeholders(text):
    return sorted(re.findall(r'\{\w+\}', text))


def differences(name, texts, model):
    yield from (f'{name}: {key} is missing' for key in model if not texts.get(key, '').strip())
    yield from (f'{name}: {key} is no text of the portal' for key in texts if key not in model)
    for key, text in texts.items():
        if placeholders(text) != placeholders(model.get(key, text)):
            yield f'{name}: {key} has other placeholders: {text}'


def wrong_marks(name, file):
    """A review says who read it and when; one of a text that is gone is none."""
    for key, mark in file['reviewed'].items():
        if key not in file['texts']:
            yield f'{name}: {key} is reviewed and does not exist'
        if not re.fullmatch(r'.+, \d{4}-\d{2}-\d{2}', mark):
            yield f'{name}: the review of {key} says "who, YYYY-MM-DD", not "{mark}"'


def main():
    root = sys.argv[1]
    folder = os.path.join(root, 'portal', 'src', 'i18n')
    files = {}
    for name in sorted(os.listdir(folder)):
        if name.endswith('.json'):
            with open(os.path.join(folder, name), encoding='utf-8') as f:
                files[name[:-5]] = json.load(f)
    with open(os.path.join(folder, 'index.ts'), encoding='utf-8') as f:
        named = re.findall(r"tag: '(\w+)'", f.read())
    with open(os.path.join(root, 'docs', 'LIMITS.md'), encoding='utf-8') as f:
        page = f.read()
    model = files['en']['texts']
    wrong = [] if sorted(named) == sorted(files) else [f'index.ts names {named}']
    for name, file in files.items():
        wrong += differences(name, file['texts'], model)
        wrong += wrong_marks(name, file)
        row = f'| `{name}` | {len(file["texts"])} | {len(file["reviewed"])} |'
        if row not in page:
            wrong.append(f'docs/LIMITS.md lacks {row}')
    print('\n'.join(wrong + [f'{len(files)} languages, {len(model)} texts, {len(wrong)} wrong']))
    return 1 if wrong or len(files) < 2 else 0


if __name__ == '__main__':
    sys.exit(main())
