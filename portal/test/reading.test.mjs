// Texts are plain: each language's sentences are held to its own formula of reading ease. All four
// are made of the words of a sentence (w) and the syllables of a word (s), on Flesch's scale, where
// 60 and more is plain language and 90 a child of eleven reads with ease:
//
//   en  206.835 - 1.015 w - 84.6 s      Flesch (1948)
//   fr  207 - 1.015 w - 73.6 s          Kandel and Moles (1958)
//   es  206.835 - w - 62.3 s            Szigriszt Pazos (1992)
//   ru  206.835 - 1.3 w - 60.1 s        Oborneva (2005)
//
// Syllables are counted by vowels, which is near enough for an average. No formula says whether a
// text is understood; only people who read it can.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';

const EASE_MIN = 70;
const WORDS_MAX = 25; // of one sentence
const WORDS_MIN = 4; // fewer are a label, not a sentence

const formulas = {
  en: (w, s) => 206.835 - 1.015 * w - 84.6 * s,
  fr: (w, s) => 207 - 1.015 * w - 73.6 * s,
  es: (w, s) => 206.835 - w - 62.3 * s,
  ru: (w, s) => 206.835 - 1.3 * w - 60.1 * s,
};

const count = (text, pattern) => (text.match(pattern) ?? []).length;

const syllables = {
  // A final e is silent, but not that of "table".
  en: (word) => count(word.replace(/(?<=[aeiouy].*[^aeiouyl])e$/, ''), /[aeiouy]+/g),
  fr: (word) =>
    count(word.replace(/(?<=[aeiouyàâéèêëîïôùûœæ].*)e(s|nt)?$/, ''), /[aeiouyàâéèêëîïôùûœæ]+/g),
  // Two strong vowels are two syllables, as is a weak one with an accent.
  es: (word) => count(word, /[iuü]?[aeoáéó][iuüy]?(?![aeiouáéíóú]*$)|[iuü]?[aeoáéó]|[íú]|[iuü]+/g),
  ru: (word) => count(word, /[аеёиоуыэюя]/g),
};

function sentencesOf(text) {
  return text
    .replace(/\{\w+\}/g, '7')
    .split(/[.!?…:;]+(?:\s|$)/)
    .map((one) => one.match(/[\p{L}’'-]+/gu) ?? [])
    .filter((words) => words.length >= WORDS_MIN);
}

function ease(language, sentences) {
  const words = sentences.flat().map((word) => word.toLowerCase());
  const spoken = words.reduce((sum, word) => sum + Math.max(1, syllables[language](word)), 0);
  return formulas[language](words.length / sentences.length, spoken / words.length);
}

const textsOf = (language) =>
  JSON.parse(readFileSync(new URL(`../src/i18n/${language}.json`, import.meta.url), 'utf8')).texts;

for (const language of Object.keys(formulas)) {
  test(`${language}: texts are plain`, () => {
    const sentences = Object.values(textsOf(language)).flatMap(sentencesOf);
    assert.ok(sentences.length > 50);
    const score = ease(language, sentences);
    console.log(`# ${language}: ${score.toFixed(0)} of ${sentences.length} sentences`);
    assert.ok(score >= EASE_MIN, `${language}: ${score.toFixed(1)}`);
  });

  test(`${language}: no sentence is long`, () => {
    for (const [key, text] of Object.entries(textsOf(language)))
      for (const words of sentencesOf(text))
        assert.ok(words.length <= WORDS_MAX, `${key}: ${words.length} words`);
  });
}

test('what officials write would not pass', () => {
  const hard = {
    en: 'Unauthenticated retrieval of confidential documentation constitutes an infringement.',
    fr: 'La consultation non authentifiée de documentation confidentielle est une infraction.',
    es: 'La recuperación no autenticada de documentación confidencial constituye una infracción.',
    ru: 'Несанкционированное предоставление документации представляет собой правонарушение.',
  };
  for (const [language, text] of Object.entries(hard))
    assert.ok(ease(language, sentencesOf(text)) < 30, language);
});

test('syllables are counted as they are spoken', () => {
  const known = {
    en: { record: 2, table: 2, code: 1, vaccine: 2, health: 1, emergency: 4 },
    fr: { carte: 1, santé: 2, personne: 2, dossier: 2, vaccination: 4 },
    es: { vacuna: 3, salud: 2, niño: 2, registro: 3, urgencia: 3, día: 2 },
    ru: { запись: 2, здоровье: 3, врач: 1 },
  };
  for (const [language, words] of Object.entries(known))
    for (const [word, n] of Object.entries(words))
      assert.equal(syllables[language](word), n, `${language}: ${word}`);
});
