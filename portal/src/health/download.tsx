// The whole record as one FHIR Bundle, for the person to keep or to take elsewhere.
import { useI18n } from '../i18n';
import { Icon } from '../parts/icon';
import { Page } from '../parts/page';
import { saveFile } from '../parts/save';
import { useHealth } from './context';

export function Download() {
  const { t, number } = useI18n();
  const { record, base } = useHealth();

  function save() {
    const bundle = {
      resourceType: 'Bundle',
      type: 'collection',
      timestamp: new Date().toISOString(),
      entry: record.all.map((resource) => ({ resource })),
    };
    const text = JSON.stringify(bundle, null, 1);
    saveFile(`carnet-${record.patient.id}.json`, 'application/fhir+json', [text]);
  }

  return (
    <Page title={t('download.title')} back={base} lead={t('download.lead')}>
      <section class="card">
        <p>{t('download.what', { n: number(record.all.length) })}</p>
        {record.more && <p class="notice">{t('summary.more')}</p>}
        <button type="button" class="button" onClick={save}>
          <Icon name="download" />
          {t('download.button')}
        </button>
        <p class="muted">{t('download.care')}</p>
      </section>
    </Page>
  );
}
