// Why somebody sees a record, or does not: what the policy says of one account and one resource.
import { useState } from 'preact/hooks';
import type { Client } from '../fhir/client';
import type { Parameters } from '../fhir/types';
import { useI18n } from '../i18n';
import { useLoad } from '../load';
import { Icon } from '../parts/icon';
import { Page } from '../parts/page';
import { ProblemNote, Waiting } from '../parts/states';
import { type Asked, readAsked } from './why-asked';

function explain(client: Client, { resource, login }: Asked): Promise<Parameters> {
  return client.get(`${resource}/$explain-access?${new URLSearchParams({ as: login })}`);
}

function Answer({ client, asked }: { client: Client; asked: Asked }) {
  const { t } = useI18n();
  const loaded = useLoad(() => explain(client, asked), `${asked.resource} ${asked.login}`);
  if (loaded.state === 'loading') return <Waiting />;
  if (loaded.state === 'failed')
    return loaded.problem.kind === 'missing' || loaded.problem.status === 400 ? (
      <p class="notice" role="status">
        {t('why.missing')}
      </p>
    ) : (
      <ProblemNote problem={loaded.problem} again={loaded.again} />
    );
  const of = (name: string) => loaded.value.parameter?.find((one) => one.name === name);
  const sees = of('sees')?.valueBoolean === true;
  return (
    <section class="card" role="status">
      <p>
        <span class={sees ? 'mark mark-given' : 'mark mark-late'}>
          <Icon name={sees ? 'eye' : 'shield'} />
          {t(sees ? 'why.sees' : 'why.not')}
        </span>
      </p>
      <p lang="en">{of('reason')?.valueString}</p>
      <details>
        <summary>{t('why.steps')}</summary>
        <pre class="why-steps" lang="en" dir="ltr">
          {of('text')?.valueString}
        </pre>
      </details>
      <p class="muted small">{t('why.policy', { version: of('policy')?.valueString ?? '' })}</p>
    </section>
  );
}

export function Why({ client }: { client: Client }) {
  const { t } = useI18n();
  const [asked, setAsked] = useState<Asked | undefined>();
  const [isWrong, setWrong] = useState(false);
  return (
    <Page title={t('why.title')} lead={t('why.lead')}>
      <form
        class="card visit-form"
        onSubmit={(e) => {
          e.preventDefault();
          const form = new FormData(e.currentTarget);
          const read = readAsked(
            String(form.get('resource') ?? ''),
            String(form.get('login') ?? ''),
          );
          setWrong(!read);
          setAsked(read);
        }}
      >
        <label for="why-login">{t('why.login')}</label>
        <input id="why-login" name="login" autocomplete="off" required dir="ltr" />
        <label for="why-resource">{t('why.record')}</label>
        <input
          id="why-resource"
          name="resource"
          autocomplete="off"
          required
          dir="ltr"
          aria-invalid={isWrong}
          aria-describedby="why-help"
        />
        <p
          id="why-help"
          class={isWrong ? 'field-problem' : 'muted small'}
          role={isWrong ? 'alert' : undefined}
        >
          {t('why.help')}
        </p>
        <button type="submit" class="button">
          <Icon name="search" />
          {t('why.ask')}
        </button>
      </form>
      {asked && <Answer client={client} asked={asked} />}
    </Page>
  );
}
