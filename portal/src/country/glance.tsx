// A country, or a place in it, at a glance: each programme with how far it reaches.
import type { Client } from '../fhir/client';
import { ask } from '../fhir/own';
import { useI18n } from '../i18n';
import { useLoad } from '../load';
import { Behind } from '../parts/behind';
import { Card } from '../parts/card';
import { Page } from '../parts/page';
import { Empty, Loaded } from '../parts/states';
import type { Coverage, Indicator } from './answers';
import { Counted, PrintButton, ShareBar, Where } from './parts';
import {
  ageName,
  countText,
  glancePath,
  indicatorName,
  partName,
  placeOf,
  programmeName,
  reachPath,
} from './words';

const SEXES = ['female', 'male', 'other'] as const;

interface ProgrammeProps {
  programme: string;
  list: readonly Indicator[];
  place: string | undefined;
}

function Programme({ programme, list, place }: ProgrammeProps) {
  const i18n = useI18n();
  return (
    <Card title={programmeName(i18n, programme)}>
      <ul class="shares">
        {list.map((one) => (
          <li key={one.id}>
            <a href={reachPath(one.id, place)}>{indicatorName(i18n, one)}</a>
            <ShareBar share={one} />
            <Counted share={one} />
          </li>
        ))}
      </ul>
    </Card>
  );
}

function People({ of }: { of: Coverage }) {
  const i18n = useI18n();
  const { t } = i18n;
  const { ages = [], population } = of;
  const sexes = SEXES.filter((sex) => population?.[sex].some((n) => n !== 0));
  return (
    <Card title={t('country.known')} icon="person">
      <p class="country-people">
        <strong>{countText(i18n, of.people ?? 0)}</strong>
      </p>
      <Behind
        caption={t('country.known')}
        columns={[t('country.age'), ...sexes.map((sex) => t(`gender.${sex}`))]}
        length={ages.length}
        row={(i) => ({
          key: ages[i] ?? '',
          cells: [
            ageName(i18n, ages[i] ?? ''),
            ...sexes.map((sex) => countText(i18n, population?.[sex][i] ?? 0)),
          ],
        })}
      />
    </Card>
  );
}

function Places({ parts }: { parts: NonNullable<Coverage['parts']> }) {
  const i18n = useI18n();
  const { t } = i18n;
  if (!parts.length) return null;
  return (
    <Card title={t('country.places')} icon="globe">
      <ul class="rows">
        {parts.map((part) => (
          <li key={part.id}>
            {part.id === null ? (
              partName(i18n, part)
            ) : (
              <a href={glancePath(part.id)}>
                <bdi>{partName(i18n, part)}</bdi>
              </a>
            )}
            <span class="end muted">{countText(i18n, part.people)}</span>
          </li>
        ))}
      </ul>
    </Card>
  );
}

function Shown({ of, place }: { of: Coverage; place: string | undefined }) {
  const { t } = useI18n();
  const programmes = [...new Set(of.indicators.map(({ programme }) => programme))];
  if (!of.until) return <Empty>{t('country.nothing')}</Empty>;
  return (
    <>
      <Where path={of.path} to={glancePath} />
      <div class="country-columns">
        {programmes.map((programme) => (
          <Programme
            key={programme}
            programme={programme}
            list={of.indicators.filter((one) => one.programme === programme)}
            place={place}
          />
        ))}
        <People of={of} />
        <Places parts={of.parts ?? []} />
      </div>
      <PrintButton />
    </>
  );
}

export function Glance({ client, place }: { client: Client; place: string | undefined }) {
  const i18n = useI18n();
  const { t, date } = i18n;
  const loaded = useLoad(
    () => ask<Coverage>(client, '$coverage', { location: place }),
    place ?? '',
  );
  const value = loaded.state === 'ready' ? loaded.value : undefined;
  return (
    <Page
      title={place && value ? placeOf(i18n, value.path) : t('country.title')}
      lead={value?.until ? t('country.lead', { day: date(value.until) }) : undefined}
      isPassing={place !== undefined && loaded.state === 'loading'}
    >
      <Loaded of={loaded}>{(coverage) => <Shown of={coverage} place={place} />}</Loaded>
    </Page>
  );
}
