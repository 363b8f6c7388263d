// An epidemic curve: cases by week as bars, the threshold over them. Bars above it have a mark of
// their own, and the week that is not over is drawn open: no colour says anything alone.
import { useI18n } from '../i18n';
import { Behind } from '../parts/behind';
import { type Place, Plot } from '../parts/plot';
import { useWidth, WIDE } from '../parts/width';
import { mondayOf, type Point } from './series';
import { weekShort } from './words';

const LABELS = { wide: 5, narrow: 3 };
const GAP = 0.15; // of a bar's width
const MARK = 4; // half a mark's width

function bars(place: Place, points: readonly Point[], is: (point: Point) => boolean): string {
  let text = '';
  points.forEach((point, i) => {
    if (!point.count || !is(point)) return;
    const [a, b] = [place.x(i + GAP), place.x(i + 1 - GAP)];
    text += `M${a.toFixed(1)} ${place.y(0).toFixed(1)}V${place.y(point.count).toFixed(1)}`;
    text += `H${b.toFixed(1)}V${place.y(0).toFixed(1)}z`;
  });
  return text;
}

// Steps, broken where a week could not be judged.
function threshold(place: Place, points: readonly Point[]): string {
  let text = '';
  let isDrawing = false;
  points.forEach((point, i) => {
    const value = point.threshold;
    if (value === null) {
      isDrawing = false;
      return;
    }
    const y = place.y(value).toFixed(1);
    text += `${isDrawing ? 'L' : 'M'}${place.x(i).toFixed(1)} ${y}H${place.x(i + 1).toFixed(1)}`;
    isDrawing = true;
  });
  return text;
}

function marks(place: Place, points: readonly Point[]): string {
  let text = '';
  points.forEach((point, i) => {
    if (!point.alarm) return;
    const [x, y] = [place.x(i + 0.5), place.y(point.count) - 3];
    text += `M${x.toFixed(1)} ${y.toFixed(1)}l${-MARK} ${-MARK * 1.6}h${2 * MARK}z`;
  });
  return text;
}

function Legend() {
  const { t } = useI18n();
  const items = ['cases', 'alarm', 'threshold', 'open'] as const;
  return (
    <ul class="legend" aria-hidden="true">
      {items.map((item) => (
        <li key={item}>
          <span class={`legend-${item}`} />
          {t(`curve.${item}`)}
        </li>
      ))}
    </ul>
  );
}

export function CurveChart({ label, points }: { label: string; points: readonly Point[] }) {
  const { t, number, month } = useI18n();
  const width = useWidth();
  const most = Math.max(4, ...points.map(({ count, threshold: y }) => Math.max(count, y ?? 0)));
  const every = Math.max(1, Math.ceil(points.length / LABELS[width === WIDE ? 'wide' : 'narrow']));
  const ticks = points
    .map(({ period }, i) => ({
      at: i + 0.5,
      text: month(new Date(mondayOf(period)).toISOString()),
    }))
    .filter((_, i) => i % every === Math.floor(every / 2));
  return (
    <figure class="curve">
      <Plot
        label={label}
        across={[0, points.length]}
        up={[0, most]}
        ticks={ticks}
        width={width}
        height={width === WIDE ? 240 : 190}
      >
        {(place) => (
          <>
            <path class="curve-cases" d={bars(place, points, (p) => !p.alarm && !p.open)} />
            <path class="curve-alarm" d={bars(place, points, (p) => p.alarm === true && !p.open)} />
            <path class="curve-open" d={bars(place, points, (p) => p.open)} />
            <path class="curve-threshold" d={threshold(place, points)} />
            <path class="curve-mark" d={marks(place, points)} />
          </>
        )}
      </Plot>
      <Legend />
      <Behind
        caption={label}
        columns={[t('curve.week'), t('curve.cases'), t('curve.threshold'), t('curve.above')]}
        length={points.length}
        row={(i) => {
          const point = points[points.length - 1 - i] as Point;
          return {
            key: point.period,
            cells: [
              <bdi key="week">{weekShort(point.period)}</bdi>,
              number(point.count) + (point.open ? ` (${t('curve.open')})` : ''),
              point.threshold === null ? '–' : number(Math.round(point.threshold * 10) / 10),
              point.alarm === null ? '–' : t(point.alarm ? 'word.yes' : 'word.no'),
            ],
          };
        }}
      />
    </figure>
  );
}
