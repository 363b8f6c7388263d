// The audit log, searched: who did what with which record, the latest first.
import { useEffect, useState } from 'preact/hooks';
import type { Client, Problem } from '../fhir/client';
import type { AuditEvent, Bundle } from '../fhir/types';
import { type I18n, useI18n } from '../i18n';
import { asProblem } from '../load';
import { Icon } from '../parts/icon';
import { Page } from '../parts/page';
import { Empty, ProblemNote, Waiting } from '../parts/states';
import type { Route } from '../route';
import { auditQuery } from './audit-query';

const ROLES = ['patient', 'guardian', 'worker', 'steward', 'privacy', 'operator'] as const;
const ACTIONS = ['E', 'R', 'C', 'U', 'D'] as const;
const BREAK_GLASS = 'BTG';

function Entry({ event, base }: { event: AuditEvent; base: string }) {
  const i18n = useI18n();
  const { t, dateTime, find } = i18n;
  const who = event.agent.find((agent) => agent.requestor);
  const role = who?.role?.[0]?.text ?? '';
  const record = event.entity
    ?.map(({ what }) => what?.reference ?? '')
    .find((reference) => reference.startsWith('Patient/'));
  const isEmergency = who?.purposeOfUse?.some(({ coding }) => coding?.[0]?.code === BREAK_GLASS);
  const isRefused = event.outcome !== undefined && event.outcome !== '0';
  return (
    <li>
      <span>
        <strong>
          <bdi>{who?.name || who?.who?.identifier?.value || t('role.program')}</bdi>
        </strong>{' '}
        <span class="muted">{find(`role.${role}`)}</span>
        <br />
        {find(`audit.${event.action}`) ?? event.action}
        {record && (
          <>
            {' · '}
            <a href={`${base}/audit/${record.slice(8)}`}>{t('audit.record')}</a>
          </>
        )}
      </span>
      <span class="end">
        <span class="muted">{dateTime(event.recorded)}</span>
        {isEmergency && (
          <span class="mark mark-due">
            <Icon name="alert" />
            {t('glass.button')}
          </span>
        )}
        {isRefused && (
          <span class="mark mark-late">
            <Icon name="alert" />
            {t('access.refused')}
          </span>
        )}
      </span>
    </li>
  );
}

function Choice({ name, label, list, i18n }: ChoiceProps) {
  return (
    <div>
      <label for={`audit-${name}`}>{label}</label>
      <select id={`audit-${name}`} name={name}>
        <option value="">{i18n.t('audit.any')}</option>
        {list.map((one) => (
          <option key={one.value} value={one.value}>
            {one.text}
          </option>
        ))}
      </select>
    </div>
  );
}

interface ChoiceProps {
  name: string;
  label: string;
  list: readonly { value: string; text: string }[];
  i18n: I18n;
}

interface Found {
  list: readonly AuditEvent[];
  next: string | undefined;
}

export function AuditSearch({ client, base, rest }: { client: Client; base: string; rest: Route }) {
  const i18n = useI18n();
  const { t } = i18n;
  const [record = ''] = rest;
  const [found, setFound] = useState<Found | undefined>();
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | undefined>();

  async function get(path: string, before: readonly AuditEvent[]) {
    setBusy(true);
    setProblem(undefined);
    try {
      const bundle = await client.get<Bundle<AuditEvent>>(path);
      setFound({
        list: [...before, ...(bundle.entry ?? []).flatMap(({ resource }) => resource ?? [])],
        next: bundle.link?.find(({ relation }) => relation === 'next')?.url,
      });
    } catch (e) {
      setProblem(asProblem(e));
    }
    setBusy(false);
  }

  // A link to one record's entries shows them at once.
  useEffect(() => {
    if (record) get(auditQuery(new Map([['record', record]])), []);
  }, [record]);

  const text = (list: readonly string[], of: string) =>
    list.map((value) => ({ value, text: i18n.find(`${of}.${value}`) ?? value }));
  return (
    <Page title={t('audit.title')} lead={t('audit.lead')}>
      <search>
        <form
          class="card visit-form"
          onSubmit={(e) => {
            e.preventDefault();
            setFound(undefined);
            get(auditQuery(new FormData(e.currentTarget)), []);
          }}
        >
          <div class="fields">
            <div>
              <label for="audit-record">{t('audit.id')}</label>
              <input id="audit-record" name="record" defaultValue={record} autocomplete="off" />
            </div>
            <div>
              <label for="audit-from">{t('audit.from')}</label>
              <input id="audit-from" name="from" type="date" />
            </div>
            <div>
              <label for="audit-to">{t('audit.to')}</label>
              <input id="audit-to" name="to" type="date" />
            </div>
            <Choice name="role" label={t('audit.role')} list={text(ROLES, 'role')} i18n={i18n} />
            <Choice
              name="action"
              label={t('audit.action')}
              list={text(ACTIONS, 'audit')}
              i18n={i18n}
            />
          </div>
          <button type="submit" class="button" disabled={isBusy}>
            <Icon name="search" />
            {t('find.button')}
          </button>
        </form>
      </search>
      {found && found.list.length === 0 && !isBusy && <Empty>{t('audit.none')}</Empty>}
      {found && found.list.length > 0 && (
        <ul class="rows card" aria-live="polite">
          {found.list.map((event) => (
            <Entry key={event.id} event={event} base={base} />
          ))}
        </ul>
      )}
      {isBusy && <Waiting />}
      {problem && <ProblemNote problem={problem} />}
      {found?.next && !isBusy && (
        <button
          type="button"
          class="button plain"
          onClick={() => get(found.next ?? '', found.list)}
        >
          {t('audit.more')}
        </button>
      )}
    </Page>
  );
}
