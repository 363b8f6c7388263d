// Whose records fall short of the profiles that the node holds them to.
import type { Client } from '../fhir/client';
import { useI18n } from '../i18n';
import { useLoad } from '../load';
import { Card } from '../parts/card';
import { Page } from '../parts/page';
import { Empty, Loaded } from '../parts/states';
import { type Report, readSenders, type Sender } from './conformance';
import { ShareBar } from './parts';

function Row({ sender }: { sender: Sender }) {
  const { t, number } = useI18n();
  return (
    <Card title={sender.name}>
      <p>{t('senders.of', { short: number(sender.short), of: number(sender.received) })}</p>
      <ShareBar
        share={{
          of: sender.received,
          with: sender.short,
          percent: sender.received ? Math.round((sender.short * 100) / sender.received) : null,
        }}
      />
      {sender.rules.length > 0 && (
        <details>
          <summary>{t('senders.rules')}</summary>
          <ul class="rows" lang="en">
            {sender.rules.map(({ rule, count }) => (
              <li key={rule}>
                <code>{rule}</code>
                <span class="end">{number(count)}</span>
              </li>
            ))}
          </ul>
        </details>
      )}
    </Card>
  );
}

export function Senders({ client }: { client: Client }) {
  const { t } = useI18n();
  const loaded = useLoad(async () => readSenders(await client.get<Report>('$conformance')), '');
  return (
    <Page title={t('senders.title')} lead={t('senders.lead')}>
      <Loaded of={loaded}>
        {(list) =>
          list.length ? (
            list.map((sender) => <Row key={sender.name} sender={sender} />)
          ) : (
            <Empty>{t('senders.none')}</Empty>
          )
        }
      </Loaded>
    </Page>
  );
}
