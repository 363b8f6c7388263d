// A share month by month, as a line that breaks where too few people are counted to say.
import { useI18n } from '../i18n';
import { Behind } from '../parts/behind';
import { type Place, Plot } from '../parts/plot';
import { Empty } from '../parts/states';
import { useWidth, WIDE } from '../parts/width';
import type { Share } from './answers';
import { countText, shareText } from './words';

type Month = Share & { month: string };

function line(place: Place, months: readonly Month[]): string {
  let text = '';
  let isDrawing = false;
  months.forEach(({ percent }, i) => {
    if (percent !== null)
      text += `${isDrawing ? 'L' : 'M'}${place.x(i).toFixed(1)} ${place.y(percent).toFixed(1)}`;
    isDrawing = percent !== null;
  });
  return text;
}

export function Months({ label, months }: { label: string; months: readonly Month[] }) {
  const i18n = useI18n();
  const { t, month } = i18n;
  const width = useWidth();
  const last = months.length - 1;
  const ticks = [0, Math.floor(last / 2), last].map((i) => ({
    at: i,
    text: month(months[i]?.month),
  }));
  if (months.every(({ percent }) => percent === null)) return <Empty>{t('country.unsaid')}</Empty>;
  return (
    <figure class="months">
      <Plot
        label={label}
        across={[0, last]}
        up={[0, 100]}
        ticks={ticks}
        width={width}
        height={width === WIDE ? 200 : 150}
      >
        {(place) => (
          <>
            <path class="months-line" d={line(place, months)} />
            {months.map(
              ({ percent, month: key }, i) =>
                percent !== null && (
                  <circle key={key} cx={place.x(i)} cy={place.y(percent)} r="3" />
                ),
            )}
          </>
        )}
      </Plot>
      <Behind
        caption={label}
        columns={[t('country.month'), t('country.share'), t('country.had'), t('country.people')]}
        length={months.length}
        row={(i) => {
          const one = months[last - i] as Month;
          return {
            key: one.month,
            cells: [
              month(one.month),
              shareText(i18n, one),
              countText(i18n, one.with),
              countText(i18n, one.of),
            ],
          };
        }}
      />
    </figure>
  );
}
