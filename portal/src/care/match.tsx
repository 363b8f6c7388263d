// Finding somebody who is not in one's care, by what identifies them; and, from there, access in an
// emergency.
import { useState } from 'preact/hooks';
import type { Client, Problem } from '../fhir/client';
import { namesOf } from '../fhir/read';
import type { Bundle, Patient } from '../fhir/types';
import { useI18n } from '../i18n';
import { asProblem } from '../load';
import { Icon } from '../parts/icon';
import { Page } from '../parts/page';
import { Empty, ProblemNote, Waiting } from '../parts/states';
import { BreakGlass } from './break-glass';
import { identifierOf, isNumber } from './search';

const GRADE = 'http://hl7.org/fhir/StructureDefinition/match-grade';

interface Match {
  person: Patient;
  grade: string;
}

function askedFor(form: FormData): Record<string, unknown> {
  const text = (name: string) => String(form.get(name) ?? '').trim();
  const number = text('number');
  const given = text('given');
  return {
    resourceType: 'Patient',
    ...(number ? { identifier: [identifierOf(number)] } : {}),
    ...(text('family')
      ? { name: [{ family: text('family'), ...(given ? { given: [given] } : {}) }] }
      : {}),
    ...(text('born') ? { birthDate: text('born') } : {}),
  };
}

async function match(client: Client, form: FormData): Promise<Match[]> {
  const bundle = await client.operation<Bundle<Patient>>('Patient/$match', [
    { name: 'resource', resource: askedFor(form) },
  ]);
  return (bundle.entry ?? []).flatMap(({ resource, search }) =>
    resource
      ? [
          {
            person: resource,
            grade: search?.extension?.find(({ url }) => url === GRADE)?.valueCode ?? '',
          },
        ]
      : [],
  );
}

function Matches({ list, choose }: { list: readonly Match[]; choose: (person: Patient) => void }) {
  const i18n = useI18n();
  const { t, date } = i18n;
  if (!list.length) return <Empty>{t('match.none')}</Empty>;
  return (
    <ul class="rows card">
      {list.map(({ person, grade }) => {
        const { name, other } = namesOf(person.name);
        return (
          <li key={person.id}>
            <span>
              <strong>
                <bdi>{name}</bdi>
              </strong>{' '}
              {other && <bdi class="muted">{other}</bdi>}
              <br />
              <span class="muted">
                {t('person.born', { day: date(person.birthDate) })} ·{' '}
                {i18n.find(`gender.${person.gender}`)}
                {' · '}
                {i18n.find(`match.${grade}`)}
              </span>
            </span>
            <span class="end">
              <button type="button" class="button plain" onClick={() => choose(person)}>
                <Icon name="alert" />
                <span>
                  {t('glass.button')} <bdi class="unseen">{name}</bdi>
                </span>
              </button>
            </span>
          </li>
        );
      })}
    </ul>
  );
}

interface MatchPageProps {
  client: Client;
  text: string; // what was looked for in one's own care
}

export function MatchPage({ client, text }: MatchPageProps) {
  const { t } = useI18n();
  const [list, setList] = useState<readonly Match[] | undefined>();
  const [problem, setProblem] = useState<Problem | undefined>();
  const [isBusy, setBusy] = useState(false);
  const [chosen, setChosen] = useState<Patient | undefined>();

  async function look(form: FormData) {
    setBusy(true);
    setProblem(undefined);
    setList(undefined);
    try {
      setList(await match(client, form));
    } catch (e) {
      setProblem(asProblem(e));
    }
    setBusy(false);
  }

  if (chosen)
    return <BreakGlass client={client} person={chosen} leave={() => setChosen(undefined)} />;
  return (
    <Page title={t('match.title')} back="#/care" lead={t('match.lead')}>
      <form
        class="card visit-form"
        onSubmit={(e) => {
          e.preventDefault();
          look(new FormData(e.currentTarget));
        }}
      >
        <label for="match-number">{t('match.number')}</label>
        <input
          id="match-number"
          name="number"
          autocomplete="off"
          defaultValue={isNumber(text) ? text : ''}
        />
        <p class="or">{t('match.or')}</p>
        <div class="fields">
          <div>
            <label for="match-family">{t('match.family')}</label>
            <input id="match-family" name="family" autocomplete="off" />
          </div>
          <div>
            <label for="match-given">{t('match.given')}</label>
            <input id="match-given" name="given" autocomplete="off" />
          </div>
          <div>
            <label for="match-born">{t('match.born')}</label>
            <input id="match-born" name="born" type="date" />
          </div>
        </div>
        <button type="submit" class="button" disabled={isBusy}>
          <Icon name="search" />
          {t('find.button')}
        </button>
        <p class="muted small">{t('match.help')}</p>
      </form>
      {isBusy && <Waiting />}
      {problem && <ProblemNote problem={problem} />}
      {list && (
        <section aria-live="polite">
          <h2>{t('find.found')}</h2>
          <Matches list={list} choose={setChosen} />
        </section>
      )}
    </Page>
  );
}
