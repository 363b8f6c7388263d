// The whole record as one FHIR Bundle, for the person to keep or to take elsewhere.
import { useI18n } from '../i18n';
import { Icon } from '../parts/icon';
import { Page } from '../parts/page';
import { useHealth } from './context';

export function Download() {
  const { t, number } = useI18n();
  const { record } = useHealth();

  function save() {
    const bundle = {
      resourceType: 'Bundle',
      type: 'collection',
      timestamp: new Date().toISOString(),
      entry: record.all.map((resource) => ({ resource })),
    };
    const blob = new Blob([JSON.stringify(bundle, null, 1)], { type: 'application/fhir+json' });
    const link = document.createElement('a');
    link.href = URL.createObjectURL(blob);
    link.download = `carnet-${record.patient.id}.json`;
    link.click();
    URL.revokeObjectURL(link.href);
  }

  return (
    <Page title={t('download.title')} back="#/health" lead={t('download.lead')}>
      <section class="card">
        <p>{t('download.what', { n: number(record.all.length) })}</p>
        <button type="button" class="button" onClick={save}>
          <Icon name="download" />
          {t('download.button')}
        </button>
        <p class="muted">{t('download.care')}</p>
      </section>
    </Page>
  );
}
