import assert from 'node:assert/strict';
import test from 'node:test';
import { load } from './load.mjs';

const outline = await load('watch/outline.ts');
const { readSignal, byUrgency, isOverdue } = await load('watch/signal.ts');

const square = (west, south) => [
  [west, south],
  [west + 1, south],
  [west + 1, south + 1],
  [west, south + 1],
  [west, south],
];
const encode = (shape) => Buffer.from(JSON.stringify(shape)).toString('base64');

test('borders are read of polygons and of many, and nothing else', () => {
  const rings = outline.ringsOf(encode({ type: 'Polygon', coordinates: [square(0, 0)] }));
  assert.equal(rings.length, 1);
  const many = { type: 'MultiPolygon', coordinates: [[square(0, 0)], [square(3, 0)]] };
  assert.equal(outline.ringsOf(encode(many)).length, 2);
  assert.deepEqual(outline.ringsOf(encode({ type: 'Point', coordinates: [0, 0] })), []);
  assert.deepEqual(outline.ringsOf('no base64, no JSON'), []);
});

test('the map is as wide as it may be, north is up, and neighbours meet', () => {
  const [a, b] = [[square(10, 0)], [square(11, 0)]];
  const frame = outline.frameOf([...a, ...b]);
  assert.equal(frame.x(10), 0);
  assert.equal(frame.x(12), outline.ACROSS);
  assert.equal(frame.y(1), 0);
  assert.ok(frame.y(0) > frame.y(1));
  assert.ok(Math.abs(frame.height - outline.ACROSS / 2) < 2, 'at the equator a degree is a degree');
  const end = outline.outline(a, frame);
  assert.equal(end, `M0 1000l1000 0l0 -1000l-1000 0l0 1000z`);
});

test('a point is inside of its own place alone, and not in a hole', () => {
  assert.ok(outline.contains([square(0, 0)], 0.5, 0.5));
  assert.ok(!outline.contains([square(0, 0)], 1.5, 0.5));
  const hole = [square(0, 0), square(0, 0).map(([x, y]) => [x / 2 + 0.25, y / 2 + 0.25])];
  assert.ok(!outline.contains(hole, 0.5, 0.5));
  assert.ok(outline.contains(hole, 0.1, 0.1));
});

test('shades begin with one case, rise, and have all counts', () => {
  for (const most of [0, 1, 2, 7, 90, 12_345]) {
    const begins = outline.shades(most);
    assert.equal(begins[0], 1);
    assert.ok(begins.every((n, i) => i === 0 || n > begins[i - 1]));
    assert.ok(outline.shadeOf(most, begins) <= outline.STEPS);
    assert.equal(outline.shadeOf(0, begins), 0);
  }
  assert.equal(outline.shadeOf(90, outline.shades(90)), outline.STEPS);
});

const input = (code, value) => ({ type: { coding: [{ code }] }, ...value });
const task = (id, priority, authoredOn, more = {}) => ({
  resourceType: 'Task',
  id,
  status: 'requested',
  priority,
  authoredOn,
  input: [],
  ...more,
});

test('a signal is what its Task says', () => {
  const signal = readSignal(
    task('s', 'urgent', '2026-01-01T00:00:00Z', {
      reasonCode: { coding: [{ code: 'cholera', display: 'Cholera' }] },
      focus: { reference: 'Location/north' },
      input: [
        input('week', { valueString: '2026-W01' }),
        input('count', { valueInteger: 3 }),
        input('rule-source', { valueString: 'a book' }),
        input('rule-cases', { valueInteger: 2 }),
      ],
    }),
  );
  assert.equal(signal.disease, 'cholera');
  assert.equal(signal.place, 'north');
  assert.equal(signal.count, 3);
  assert.equal(signal.rule.cases, 2);
  assert.equal(signal.expected, undefined, 'no detector spoke');
  assert.ok(signal.isOpen);
  assert.ok(!readSignal({ ...task('t'), status: 'cancelled' }).isOpen);
});

test('urgent ones come first, then who waits longest; after a day they are late', () => {
  const list = [
    task('late', 'asap', '2026-01-01T00:00:00Z'),
    task('new', 'urgent', '2026-01-03T00:00:00Z'),
    task('old', 'urgent', '2026-01-02T00:00:00Z'),
  ].map(readSignal);
  assert.deepEqual(
    list.sort(byUrgency).map(({ id }) => id),
    ['old', 'new', 'late'],
  );
  const now = Date.parse('2026-01-02T12:00:00Z');
  assert.deepEqual(
    list.map((one) => isOverdue(one, now)),
    [false, false, true],
  );
});
