// One programme's reach: over time, by the places below, by sex and by age.
import type { ComponentChildren } from 'preact';
import type { Client } from '../fhir/client';
import { Problem } from '../fhir/client';
import { ask } from '../fhir/own';
import { useI18n } from '../i18n';
import { useLoad } from '../load';
import { Card } from '../parts/card';
import { Page } from '../parts/page';
import { Loaded } from '../parts/states';
import type { Coverage, IndicatorParts, Part, Share } from './answers';
import { Months } from './months';
import { Counted, PrintButton, ShareBar, Where } from './parts';
import { ageName, glancePath, indicatorName, partName, placeOf, reachPath } from './words';

interface Answer {
  about: Coverage;
  one: IndicatorParts;
}

async function load(client: Client, indicator: string, place?: string): Promise<Answer> {
  const about = await ask<Coverage & { indicators: IndicatorParts[] }>(client, '$coverage', {
    indicator,
    location: place,
  });
  const one = about.indicators[0];
  if (!one) throw new Problem('missing', indicator);
  return { about, one };
}

interface Row {
  key: string;
  name: ComponentChildren;
  share: Share;
}

function Shares({ title, rows }: { title: string; rows: readonly Row[] }) {
  if (!rows.length) return null;
  return (
    <Card title={title}>
      <ul class="shares">
        {rows.map(({ key, name, share }) => (
          <li key={key}>
            <span>{name}</span>
            <ShareBar share={share} />
            <Counted share={share} />
          </li>
        ))}
      </ul>
    </Card>
  );
}

// Those with the smallest share first; of too few to say, last.
function bySmallest(a: Share, b: Share): number {
  return (a.percent ?? 101) - (b.percent ?? 101);
}

function Shown({ about, one }: Answer) {
  const i18n = useI18n();
  const { t } = i18n;
  const name = (part: Part) => <bdi>{partName(i18n, part)}</bdi>;
  return (
    <>
      <Where path={about.path} to={(place) => reachPath(one.id, place)} />
      <p class="country-share">
        <ShareBar share={one} />
        <Counted share={one} />
      </p>
      <Card title={t('country.bymonth')} icon="chart">
        <Months label={indicatorName(i18n, one)} months={one.trend} />
      </Card>
      <div class="country-columns">
        <Shares
          title={t('country.places')}
          rows={[...one.parts].sort(bySmallest).map((part) => ({
            key: part.id ?? '',
            name:
              part.id === null ? name(part) : <a href={reachPath(one.id, part.id)}>{name(part)}</a>,
            share: part,
          }))}
        />
        <Shares
          title={t('country.sex')}
          rows={one.bySex.map((share) => ({
            key: share.sex,
            name: i18n.find(`gender.${share.sex}`) ?? share.sex,
            share,
          }))}
        />
        <Shares
          title={t('country.age')}
          rows={(one.byAge.length > 1 ? one.byAge : []).map((share) => ({
            key: share.age,
            name: ageName(i18n, share.age),
            share,
          }))}
        />
      </div>
      <p class="muted small">
        {t('country.source')} <span lang="en">{one.source}</span>
      </p>
      <PrintButton />
    </>
  );
}

interface ReachProps {
  client: Client;
  indicator: string;
  place: string | undefined;
}

export function Reach({ client, indicator, place }: ReachProps) {
  const i18n = useI18n();
  const { t, date } = i18n;
  const loaded = useLoad(() => load(client, indicator, place), `${indicator} ${place}`);
  const value = loaded.state === 'ready' ? loaded.value : undefined;
  return (
    <Page
      title={value ? indicatorName(i18n, value.one) : t('country.title')}
      lead={
        value &&
        t('country.at', {
          place: placeOf(i18n, value.about.path),
          day: date(value.about.until ?? undefined),
        })
      }
      back={glancePath(place)}
      isPassing={loaded.state === 'loading'}
    >
      <Loaded of={loaded}>{(answer) => <Shown {...answer} />}</Loaded>
    </Page>
  );
}
