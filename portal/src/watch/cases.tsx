// Who the cases of a disease are. The list is asked for by a button: each person in it can see that
// somebody looked.
import { useState } from 'preact/hooks';
import type { Client, Problem } from '../fhir/client';
import { ask } from '../fhir/own';
import { namesOf } from '../fhir/read';
import type { HumanName } from '../fhir/types';
import { type I18n, useI18n } from '../i18n';
import { asProblem, useLoad } from '../load';
import { Icon } from '../parts/icon';
import { Page } from '../parts/page';
import { Empty, Loaded, ProblemNote, Waiting } from '../parts/states';
import { go, type Route } from '../route';
import { DiseaseChoice, PlaceChoice } from './asked';
import { loadPlaces } from './places';
import type { Counts } from './series';
import { casesPath, diseaseName, placeName } from './words';

const PAGE = 50;

interface Case {
  class: string;
  onset: string | null;
  report: string | null;
  died: boolean;
  placeName?: string;
  patient?: string;
  name?: HumanName[];
  gender?: string;
  birthDate?: string;
  telecom?: { system?: string; value?: string }[];
  address?: { line?: string[]; city?: string }[];
}

interface Found {
  total: number;
  cases: Case[];
}

function Phone({ of }: { of: Case }) {
  const phone = of.telecom?.find(({ system }) => system === 'phone')?.value;
  if (!phone) return null;
  return (
    <a href={`tel:${phone.replace(/\s/g, '')}`}>
      <bdi dir="ltr">{phone}</bdi>
    </a>
  );
}

function Row({ of, i18n }: { of: Case; i18n: I18n }) {
  const { t, date, find } = i18n;
  const { name, other } = namesOf(of.name);
  const home = of.address?.[0];
  return (
    <li>
      <span>
        <strong>
          <bdi>{name || t('cases.unnamed')}</bdi>
        </strong>{' '}
        {other && <bdi class="muted">{other}</bdi>}
        <br />
        <span class="muted">
          {find(`gender.${of.gender}`)}
          {of.birthDate && ` · ${t('person.born', { day: date(of.birthDate) })}`}
        </span>
        <br />
        <span class="muted">
          <bdi>{[...(home?.line ?? []), home?.city].filter(Boolean).join(', ')}</bdi>{' '}
        </span>
        <Phone of={of} />
      </span>
      <span class="end">
        <span class={`mark mark-${of.class === 'confirmed' ? 'late' : 'due'}`}>
          <Icon name={of.class === 'confirmed' ? 'flask' : 'eye'} />
          {find(`case.${of.class}`) ?? of.class}
        </span>
        {of.died && (
          <span class="mark mark-late">
            <Icon name="alert" />
            {t('case.died')}
          </span>
        )}
        <br />
        <span class="muted">
          {of.onset && t('case.onset', { day: date(of.onset) })}
          <br />
          <bdi>{of.placeName}</bdi>
        </span>
      </span>
    </li>
  );
}

function List({ client, disease, place }: ListProps) {
  const i18n = useI18n();
  const { t, number } = i18n;
  const [found, setFound] = useState<Found | undefined>();
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | undefined>();

  async function more() {
    setBusy(true);
    setProblem(undefined);
    try {
      const before = found?.cases ?? [];
      const next = await ask<Found>(client, '$linelist', {
        disease,
        location: place,
        count: PAGE,
        offset: before.length,
      });
      setFound({ total: next.total, cases: [...before, ...next.cases] });
    } catch (e) {
      setProblem(asProblem(e));
    }
    setBusy(false);
  }

  const hasMore = !found || found.cases.length < found.total;
  return (
    <section>
      {found && (
        <p role="status">
          {t('cases.shown', { n: number(found.cases.length), of: number(found.total) })}
        </p>
      )}
      {found && found.total === 0 && <Empty>{t('cases.none')}</Empty>}
      {found && found.cases.length > 0 && (
        <ul class="rows card">
          {found.cases.map((one, i) => (
            <Row key={i} of={one} i18n={i18n} />
          ))}
        </ul>
      )}
      {isBusy && <Waiting />}
      {problem && <ProblemNote problem={problem} />}
      {!isBusy && hasMore && (
        <button type="button" class="button" onClick={more}>
          <Icon name="eye" />
          {t(found ? 'table.more' : 'cases.show')}
        </button>
      )}
    </section>
  );
}

interface ListProps {
  client: Client;
  disease: string;
  place: string | undefined;
}

export function CasesPage({ client, rest }: { client: Client; rest: Route }) {
  const i18n = useI18n();
  const { t } = i18n;
  const known = useLoad(
    () => Promise.all([loadPlaces(client), ask<Counts>(client, '$series', {})]),
    '',
  );
  return (
    <Page title={t('cases.title')} lead={t('cases.lead')}>
      <Loaded of={known}>
        {([places, counts]) => {
          const disease = rest[0] ?? counts.series[0]?.disease ?? '';
          const place = rest[1];
          return (
            <>
              <form class="card fields" onSubmit={(e) => e.preventDefault()}>
                <DiseaseChoice
                  diseases={counts.series.map((one) => one.disease)}
                  value={disease}
                  choose={(one) => go(casesPath(one, place))}
                />
                <PlaceChoice
                  key={place}
                  places={places}
                  value={place}
                  choose={(id) => go(casesPath(disease, id))}
                />
              </form>
              <h2>
                {diseaseName(i18n, disease)}, <bdi>{placeName(i18n, places, place)}</bdi>
              </h2>
              <List key={`${disease} ${place}`} client={client} disease={disease} place={place} />
            </>
          );
        }}
      </Loaded>
    </Page>
  );
}
