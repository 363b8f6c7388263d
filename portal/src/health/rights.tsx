// What the law gives a person: to read all of it, to have it corrected, and to go.
import { useI18n } from '../i18n';
import { root } from '../node';
import { Card } from '../parts/card';
import { Page } from '../parts/page';
import { useHealth } from './context';
import { Corrections } from './corrections';

export default function Rights() {
  const { t } = useI18n();
  const { record, base, isOwn } = useHealth();
  return (
    <Page title={t('nav.rights')} back={base}>
      <Card title={t('whole.title')} icon="record">
        <p>{t('whole.what')}</p>
        <a class="button" href={`${base}/whole`}>
          {t('whole.open')}
        </a>
      </Card>
      {isOwn && (
        <Card title={t('corrections.title')} icon="check">
          <p>{t('corrections.how')}</p>
          <p>
            <a href={`${base}/correct/Patient/${record.patient.id}`}>{t('corrections.self')}</a>
          </p>
          <Corrections />
        </Card>
      )}
      <Card title={t('close.title')} icon="leave">
        <p>{t('close.what')}</p>
        <a class="button plain" href={new URL('auth/close', root).href}>
          {t('close.open')}
        </a>
      </Card>
    </Page>
  );
}
