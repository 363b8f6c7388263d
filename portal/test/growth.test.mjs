import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { load } from './load.mjs';

const { bandOf, byAge, chartEnd, curves, hasGrowth, LAST_DAY, valueAt, zOf } =
  await load('health/lms.ts');
const standards = JSON.parse(
  readFileSync(new URL('../src/data/growth.json', import.meta.url), 'utf8'),
);
const near = (a, b, within) => assert.ok(Math.abs(a - b) <= within, `${a} is not ${b}`);

// WHO's published tables: weight for age (kg), length or height for age (cm), by sex and day of
// age: -2, 0 and +2 standard deviations, each rounded to one decimal.
const published = [
  ['weight', 'male', 0, 2.5, 3.3, 4.4],
  ['weight', 'male', 365, 7.7, 9.6, 12.0],
  ['weight', 'female', 183, 5.7, 7.3, 9.3],
  ['weight', 'female', 1826, 13.7, 18.2, 24.9],
  ['height', 'male', 365, 71.0, 75.7, 80.5],
  ['height', 'female', 0, 45.4, 49.1, 52.9],
  ['height', 'male', 1826, 100.7, 110.0, 119.2],
];

test("the thinned table gives WHO's published values", () => {
  for (const [of, sex, day, low, middle, high] of published)
    [low, middle, high].forEach((value, i) => {
      near(valueAt(standards[of][sex], day, 2 * i - 2), value, 0.05 + 0.002 * middle);
    });
});

test('a value and its z belong together at every age', () => {
  for (const of of ['weight', 'height'])
    for (const sex of ['male', 'female'])
      for (let day = 0; day <= LAST_DAY; day += 13)
        for (const z of [-3, -1.5, 0, 2.2]) {
          const rows = standards[of][sex];
          near(zOf(rows, day, valueAt(rows, day, z)), z, 1e-9);
        }
});

test('standing height at two years is less than lying length the day before', () => {
  const rows = standards.height.male;
  assert.ok(valueAt(rows, 731, 0) < valueAt(rows, 730, 0) - 0.5);
});

test('there is no z without an age of the table, or of nothing', () => {
  const rows = standards.weight.female;
  assert.equal(zOf(rows, -1, 3), undefined);
  assert.equal(zOf(rows, LAST_DAY + 1, 18), undefined);
  assert.equal(zOf(rows, 10, 0), undefined);
});

test('bands begin at two and three standard deviations', () => {
  const bands = [-3.01, -3, -2.01, -2, 0, 2, 2.01, 3, 3.01].map(bandOf);
  assert.deepEqual(bands, [
    'far-below',
    'below',
    'below',
    'within',
    'within',
    'within',
    'above',
    'above',
    'far-above',
  ]);
});

test('curves go to the end of the chart, and measurements before birth are left out', () => {
  for (const { points } of curves(standards.weight.male, 730)) {
    assert.equal(points[0][0], 0);
    assert.equal(points.at(-1)[0], 730);
  }
  const list = byAge('2026-01-10', [
    { when: '2026-01-09', value: 1 },
    { when: '2026-01-12T08:00:00+02:00', value: 3 },
  ]);
  assert.deepEqual(
    list.map(({ day, value }) => [day, value]),
    [[2, 3]],
  );
});

test('the curves are for children up to five, and the chart for two years or for five', () => {
  assert.equal(hasGrowth('2021-11-27', '2026-11-27'), true);
  assert.equal(hasGrowth('2021-11-20', '2026-11-27'), false);
  assert.equal(hasGrowth('2021', '2021-11-27'), false);
  assert.equal(chartEnd('2026-01-01', '2026-11-27'), 730);
  assert.equal(chartEnd('2024-01-01', '2026-11-27'), LAST_DAY);
});
