// How the node is: what its metrics say, in words, and all of them behind.
import type { Client } from '../fhir/client';
import { type Key, useI18n } from '../i18n';
import { useLoad } from '../load';
import { root } from '../node';
import { Page } from '../parts/page';
import { Loaded } from '../parts/states';
import { type Metric, readMetrics } from './metrics';

type Kind = 'number' | 'bytes' | 'time';

const shown: readonly { name: string; label: Key; kind: Kind }[] = [
  { name: 'carnet_start_time_seconds', label: 'node.since', kind: 'time' },
  { name: 'carnet_store_versions', label: 'node.versions', kind: 'number' },
  { name: 'carnet_store_bytes', label: 'node.bytes', kind: 'bytes' },
  { name: 'carnet_store_queued', label: 'node.queued', kind: 'number' },
  { name: 'carnet_audit_entries', label: 'node.audit', kind: 'number' },
  { name: 'carnet_http_requests_total', label: 'node.requests', kind: 'number' },
  { name: 'carnet_http_refused_total', label: 'node.refused', kind: 'number' },
  { name: 'carnet_http_connections', label: 'node.connections', kind: 'number' },
  { name: 'carnet_resident_bytes', label: 'node.memory', kind: 'bytes' },
];

const MIB = 1024 * 1024;

function State({ list }: { list: readonly Metric[] }) {
  const { t, number, dateTime } = useI18n();
  const say: Record<Kind, (value: number) => string> = {
    number,
    bytes: (value) => t('node.mib', { n: number(Math.round(value / MIB)) }),
    time: (value) => dateTime(new Date(value * 1000).toISOString()),
  };
  return (
    <>
      <dl class="facts card">
        {shown.map(({ name, label, kind }) => {
          const metric = list.find((one) => one.name === name);
          return (
            metric && (
              <div key={name}>
                <dt>{t(label)}</dt>
                <dd>{say[kind](metric.value)}</dd>
              </div>
            )
          );
        })}
      </dl>
      <details>
        <summary>{t('node.all')}</summary>
        <table class="metrics" dir="ltr">
          <caption class="unseen">{t('node.all')}</caption>
          <tbody>
            {list.map(({ name, labels, value, help }) => (
              <tr key={name + labels}>
                <th scope="row">
                  <code>
                    {name}
                    {labels}
                  </code>
                  <br />
                  <span class="muted small" lang="en">
                    {help}
                  </span>
                </th>
                <td>{number(value)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </>
  );
}

export function NodeState({ client }: { client: Client }) {
  const { t } = useI18n();
  const metrics = useLoad(
    async () => readMetrics(await client.text(new URL('metrics', root).href)),
    '',
  );
  return (
    <Page title={t('node.title')} lead={t('node.lead')}>
      <Loaded of={metrics}>{(list) => <State list={list} />}</Loaded>
      <button type="button" class="button plain" onClick={metrics.again}>
        {t('node.again')}
      </button>
    </Page>
  );
}
