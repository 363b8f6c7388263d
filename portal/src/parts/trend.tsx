// A line through measurements over time.
import { useI18n } from '../i18n';
import { Plot, points } from './plot';

export interface Point {
  when: string;
  value: number;
}

const POINTS_MAX = 200; // drawn; the table has all
const DOTS_MAX = 30;

interface TrendProps {
  name: string;
  unit: string;
  points: readonly Point[]; // the oldest first
}

export function Trend({ name, unit, points: all }: TrendProps) {
  const { t, date, month, number } = useI18n();
  const shown = all.slice(-POINTS_MAX);
  const at = shown.map((point) => [Date.parse(point.when), point.value] as const);
  const values = shown.map((point) => point.value);
  const times = at.map(([time]) => time);
  const [first, last] = [Math.min(...times), Math.max(...times)];
  const ends = [
    { at: first, text: month(shown[0]?.when) },
    { at: last, text: month(shown.at(-1)?.when) },
  ].filter(({ text }, i, list) => i === 0 || text !== list[0]?.text);
  return (
    <figure class="trend">
      <Plot
        label={t('trend.of', { name })}
        across={[first, last]}
        up={[Math.min(...values), Math.max(...values)]}
        ticks={ends}
      >
        {(place) => (
          <>
            <polyline points={points(place, at)} />
            {at.length <= DOTS_MAX &&
              at.map(([x, y], i) => <circle key={i} cx={place.x(x)} cy={place.y(y)} r="2.5" />)}
            {at.slice(-1).map(([x, y]) => (
              <circle key="last" class="trend-last" cx={place.x(x)} cy={place.y(y)} r="5" />
            ))}
          </>
        )}
      </Plot>
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
            {[...all].reverse().map((point) => (
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
