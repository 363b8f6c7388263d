// Code systems of the node: a search by words, and what a code means.
import { useState } from 'preact/hooks';
import type { Client, Problem } from '../fhir/client';
import type { Parameter, Parameters, ValueSet } from '../fhir/types';
import { useI18n } from '../i18n';
import { useLoad } from '../load';
import { Icon } from '../parts/icon';
import { Page } from '../parts/page';
import { Empty, ProblemNote, Waiting } from '../parts/states';
import { go, type Route } from '../route';

const SHOWN = 30;

// The systems that health records use most, by the names that people know them by.
const systems: readonly { url: string; name: string }[] = [
  { url: 'http://id.who.int/icd/release/11/mms', name: 'ICD-11' },
  { url: 'http://loinc.org', name: 'LOINC' },
  { url: 'http://snomed.info/sct', name: 'SNOMED CT' },
  { url: 'http://www.whocc.no/atc', name: 'ATC' },
  { url: 'http://hl7.org/fhir/sid/cvx', name: 'CVX' },
  { url: 'http://terminology.hl7.org/CodeSystem/v3-ActReason', name: 'ActReason' },
];

const whole = (system: string) => ({
  resourceType: 'ValueSet',
  status: 'active',
  compose: { include: [{ system }] },
});

async function expand(client: Client, system: string, filter: string): Promise<ValueSet> {
  return client.operation<ValueSet>('ValueSet/$expand', [
    { name: 'valueSet', resource: whole(system) },
    ...(filter ? [{ name: 'filter', valueString: filter }] : []),
    { name: 'count', valueInteger: SHOWN },
  ]);
}

function Unknown({ problem, again }: { problem: Problem; again: () => void }) {
  const { t } = useI18n();
  if (['offline', 'ended', 'forbidden', 'busy'].includes(problem.kind))
    return <ProblemNote problem={problem} again={again} />;
  return <p class="notice">{t('terms.unknown')}</p>;
}

interface ResultsProps {
  client: Client;
  base: string;
  system: string;
  filter: string;
}

function Results({ client, base, system, filter }: ResultsProps) {
  const { t, number } = useI18n();
  const loaded = useLoad(() => expand(client, system, filter), `${system} ${filter}`);
  if (loaded.state === 'loading') return <Waiting />;
  if (loaded.state === 'failed') return <Unknown problem={loaded.problem} again={loaded.again} />;
  const { contains = [], total } = loaded.value.expansion ?? {};
  if (!contains.length) return <Empty>{t('terms.none')}</Empty>;
  return (
    <>
      <p class="muted" role="status">
        {t('terms.total', { n: number(contains.length), of: number(total ?? contains.length) })}
      </p>
      <ul class="rows card">
        {contains.map(({ code = '', display }) => (
          <li key={code}>
            <a href={`${base}/terms/${encodeURIComponent(system)}/${encodeURIComponent(code)}`}>
              <bdi>{display ?? code}</bdi>
            </a>
            <span class="end">
              <code>{code}</code>
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}

function textOf(part: Parameter | undefined): string {
  const { valueString, valueCode, valueBoolean, valueDecimal, valueInteger, valueCoding } =
    part ?? { name: '' };
  const value = valueString ?? valueCode ?? valueBoolean ?? valueDecimal ?? valueInteger;
  return String(value ?? valueCoding?.display ?? valueCoding?.code ?? '');
}

// That a code is in use goes without saying.
function isWorthSaying({ part = [] }: Parameter): boolean {
  const of = (name: string) => part.find((one) => one.name === name);
  return textOf(of('code')) !== 'inactive' || of('value')?.valueBoolean === true;
}

const LINKS = ['parent', 'child'];

interface CodePageProps {
  client: Client;
  base: string;
  system: string;
  code: string;
}

function Properties({ list, base, system }: { list: Parameter[]; base: string; system: string }) {
  const i18n = useI18n();
  return (
    <table class="card">
      <caption class="unseen">{i18n.t('terms.properties')}</caption>
      <tbody>
        {list.filter(isWorthSaying).map(({ part = [] }, i) => {
          const of = (name: string) => part.find((one) => one.name === name);
          const name = textOf(of('code'));
          const value = textOf(of('value'));
          const words = textOf(of('description'));
          return (
            <tr key={i}>
              <th scope="row">{i18n.find(`terms.${name}`) ?? name}</th>
              <td>
                {LINKS.includes(name) ? (
                  <a
                    href={`${base}/terms/${encodeURIComponent(system)}/${encodeURIComponent(value)}`}
                  >
                    <bdi>{words || value}</bdi>
                  </a>
                ) : (
                  <bdi>{words || value}</bdi>
                )}
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function CodePage({ client, base, system, code }: CodePageProps) {
  const { t } = useI18n();
  const query = new URLSearchParams({ system, code });
  const path = `CodeSystem/$lookup?${query}`;
  const loaded = useLoad(() => client.get<Parameters>(path), path);
  const back = `${base}/terms/${encodeURIComponent(system)}`;
  if (loaded.state !== 'ready')
    return (
      <Page title={code} back={back} isPassing={loaded.state === 'loading'}>
        {loaded.state === 'loading' && <Waiting />}
        {loaded.state === 'failed' && <Unknown problem={loaded.problem} again={loaded.again} />}
      </Page>
    );
  const all = loaded.value.parameter ?? [];
  const one = (name: string) => textOf(all.find((parameter) => parameter.name === name));
  return (
    <Page title={one('display') || code} back={back} lead={<code>{code}</code>}>
      {one('definition') && <p>{one('definition')}</p>}
      <Properties
        list={all.filter(({ name }) => name === 'property')}
        base={base}
        system={system}
      />
      <p class="muted small">
        {one('name')} {t('terms.version', { version: one('version') })}
      </p>
    </Page>
  );
}

export function Terms({ client, base, rest }: { client: Client; base: string; rest: Route }) {
  const { t } = useI18n();
  const [system = systems[0]?.url ?? '', code] = rest;
  const [filter, setFilter] = useState('');
  if (code) return <CodePage client={client} base={base} system={system} code={code} />;
  return (
    <Page title={t('terms.title')} lead={t('terms.lead')}>
      <search>
        <form
          class="card visit-form"
          onSubmit={(e) => {
            e.preventDefault();
            setFilter(String(new FormData(e.currentTarget).get('words') ?? '').trim());
          }}
        >
          <label for="terms-system">{t('terms.system')}</label>
          <select
            id="terms-system"
            value={system}
            onChange={(e) =>
              go(`${base.slice(1)}/terms/${encodeURIComponent(e.currentTarget.value)}`)
            }
          >
            {systems.map(({ url, name }) => (
              <option key={url} value={url}>
                {name}
              </option>
            ))}
          </select>
          <label for="terms-words">{t('terms.words')}</label>
          <input id="terms-words" name="words" type="search" autocomplete="off" />
          <button type="submit" class="button">
            <Icon name="search" />
            {t('find.button')}
          </button>
        </form>
      </search>
      <Results client={client} base={base} system={system} filter={filter} />
    </Page>
  );
}
