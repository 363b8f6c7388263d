// Who looked at or changed this record, from the node's audit log; and the proof, checked here.
import { useState } from 'preact/hooks';
import { type I18n, useI18n } from '../i18n';
import { useLoad } from '../load';
import { Icon } from '../parts/icon';
import { Page } from '../parts/page';
import { Empty, Loaded } from '../parts/states';
import { NoProof } from '../verify/bytes';
import { readKey } from '../verify/note';
import { checkProof } from '../verify/proof';
import { useHealth } from './context';
import { type Group, grouped, loadSeen, type Seen } from './seen';

const SHOWN = 30;

function roleName(i18n: I18n, role: string): string {
  return i18n.find(`role.${role}`) ?? i18n.t('role.program');
}

function actionName(i18n: I18n, action: string): string {
  return i18n.find(`action.${action}`) ?? i18n.t('action.E');
}

// 'unknown': nothing was found out, because the proof did not come or the browser cannot check.
type Verdict = 'checking' | 'held' | 'broken' | 'unknown';

function VerdictMark({ verdict }: { verdict: Verdict | undefined }) {
  const { t } = useI18n();
  if (verdict === 'held')
    return (
      <span class="mark mark-given">
        <Icon name="check" />
        {t('verify.held')}
      </span>
    );
  if (verdict === 'broken')
    return (
      <span class="mark mark-late">
        <Icon name="alert" />
        {t('verify.broken')}
      </span>
    );
  if (verdict === 'unknown') return <span class="muted">{t('verify.unknown')}</span>;
  return verdict ? <span class="muted">{t('verify.checking')}</span> : null;
}

function verdictOf(group: Group, verdicts: Readonly<Record<string, Verdict>>): Verdict | undefined {
  const own = group.all.map(({ id }) => verdicts[id]);
  const worst = (['broken', 'unknown', 'checking'] as const).find((one) => own.includes(one));
  return worst ?? (own.every((one) => one === 'held') ? 'held' : undefined);
}

interface LookProps {
  group: Group;
  verdicts: Readonly<Record<string, Verdict>>;
}

function Look({ group, verdicts }: LookProps) {
  const i18n = useI18n();
  const { last, all } = group;
  const when = i18n.dateTime(last.when);
  return (
    <li>
      <span>
        <strong>
          <bdi>{last.name || roleName(i18n, last.role)}</bdi>
        </strong>
        {last.name && <span class="muted"> · {roleName(i18n, last.role)}</span>}
        <br />
        {actionName(i18n, last.action)}
        {last.refused && ` (${i18n.t('access.refused')})`}
      </span>
      <span class="end">
        <span class="muted">
          {all.length > 1 ? i18n.t('access.times', { n: i18n.number(all.length), when }) : when}
        </span>
        <br />
        <VerdictMark verdict={verdictOf(group, verdicts)} />
      </span>
    </li>
  );
}

function Entries({ list }: { list: Seen[] }) {
  const i18n = useI18n();
  const { t } = i18n;
  const { client, node } = useHealth();
  const [verdicts, setVerdicts] = useState<Readonly<Record<string, Verdict>>>({});
  const [isBusy, setBusy] = useState(false);
  const note = (id: string, verdict: Verdict) => setVerdicts((all) => ({ ...all, [id]: verdict }));

  async function verify() {
    setBusy(true);
    for (const { id } of list) {
      note(id, 'checking');
      try {
        const key = await readKey(node.auditKey ?? '');
        await checkProof(await client.text(`AuditEvent/${id}/$proof`), key);
        note(id, 'held');
      } catch (e) {
        note(id, e instanceof NoProof ? 'broken' : 'unknown');
      }
    }
    setBusy(false);
  }

  const states = list.map(({ id }) => verdicts[id]);
  const count = (verdict: Verdict) => states.filter((state) => state === verdict).length;
  const [held, broken, unknown] = [count('held'), count('broken'), count('unknown')];
  const proved = t('verify.all', { n: i18n.number(held), of: i18n.number(list.length) });
  return (
    <>
      {node.auditKey && list.length > 0 && (
        <div class="verify">
          <button type="button" class="button" disabled={isBusy} onClick={verify}>
            <Icon name="shield" />
            {t('verify.button')}
          </button>
          <p class="muted">{t('verify.help')}</p>
          <p role="status" class={broken ? 'verdict broken' : 'verdict'}>
            {broken > 0 && t('verify.some', { n: i18n.number(broken) })}
            {!broken && unknown > 0 && t('verify.unable')}
            {!broken && !unknown && held > 0 && proved}
          </p>
        </div>
      )}
      <ul class="rows">
        {grouped(list).map((group) => (
          <Look key={group.last.id} group={group} verdicts={verdicts} />
        ))}
      </ul>
    </>
  );
}

export function Access() {
  const { t } = useI18n();
  const { client, record, base } = useHealth();
  const patient = record.patient.id ?? '';
  const seen = useLoad(() => loadSeen(client, patient), patient);
  return (
    <Page title={t('access.title')} back={base} lead={t('access.lead')}>
      <Loaded of={seen}>
        {(list) => {
          const others = list.filter((one) => !one.isOwn).slice(0, SHOWN);
          const own = list.filter((one) => one.isOwn).slice(0, SHOWN);
          return (
            <>
              <section class="card">
                <h2>{t('access.others')}</h2>
                {others.length ? <Entries list={others} /> : <Empty>{t('access.none')}</Empty>}
              </section>
              {own.length > 0 && (
                <details class="card">
                  <summary>{t('access.own')}</summary>
                  <Entries list={own} />
                </details>
              )}
            </>
          );
        }}
      </Loaded>
    </Page>
  );
}
