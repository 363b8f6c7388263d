// A line through measurements over time. What it shows stands in a table behind it, so that nobody
// depends on seeing the line.
import { useI18n } from '../i18n';

export interface Point {
  when: string;
  value: number;
}

const WIDTH = 320;
const HEIGHT = 96;
const MARGIN = 10;
const POINTS_MAX = 200; // drawn; the table has all

interface TrendProps {
  name: string;
  unit: string;
  points: readonly Point[]; // the oldest first
}

function place(points: readonly Point[]): { x: number; y: number }[] {
  const times = points.map((point) => Date.parse(point.when));
  const values = points.map((point) => point.value);
  const [first, last] = [Math.min(...times), Math.max(...times)];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const across = (time: number) => (last > first ? (time - first) / (last - first) : 0.5);
  const up = (value: number) => (high > low ? (value - low) / (high - low) : 0.5);
  return points.map((point, i) => ({
    x: MARGIN + across(times[i] ?? first) * (WIDTH - 2 * MARGIN),
    y: HEIGHT - MARGIN - up(point.value) * (HEIGHT - 2 * MARGIN),
  }));
}

export function Trend({ name, unit, points }: TrendProps) {
  const { t, date, number } = useI18n();
  const shown = points.slice(-POINTS_MAX);
  const at = place(shown);
  const last = at.at(-1);
  return (
    <figure class="trend">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={t('trend.of', { name })}>
        <polyline points={at.map(({ x, y }) => `${x.toFixed(1)},${y.toFixed(1)}`).join(' ')} />
        {shown.length <= 30 && at.map(({ x, y }, i) => <circle key={i} cx={x} cy={y} r="2.5" />)}
        {last && <circle class="trend-last" cx={last.x} cy={last.y} r="5" />}
      </svg>
      <details>
        <summary>{t('trend.table')}</summary>
        <table>
          <caption class="unseen">{name}</caption>
          <thead>
            <tr>
              <th scope="col">{t('trend.date')}</th>
              <th scope="col">{unit ? t('trend.value', { unit }) : t('trend.plain')}</th>
            </tr>
          </thead>
          <tbody>
            {[...points].reverse().map((point) => (
              <tr key={point.when}>
                <td>{date(point.when)}</td>
                <td>{number(point.value)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </figure>
  );
}
