// A card to print and carry: who somebody is, and a code by which a health worker finds the record.
import { encodeQR } from 'qr';
import { namesOf } from '../fhir/read';
import { useI18n } from '../i18n';
import { Icon } from '../parts/icon';
import { Page } from '../parts/page';
import { codeText, numberOf } from './code';
import { useHealth } from './context';

const QUIET = 4; // modules around it, as ISO/IEC 18004 asks

function Code({ text }: { text: string }) {
  const { t } = useI18n();
  const rows = encodeQR(text, 'raw', { ecc: 'medium', border: QUIET });
  const size = rows.length;
  const dark = rows
    .flatMap((row, y) => row.map((isDark, x) => (isDark ? `M${x} ${y}h1v1h-1z` : '')))
    .join('');
  return (
    <svg class="qr" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={t('card.code')}>
      <rect width={size} height={size} />
      <path d={dark} />
    </svg>
  );
}

export default function HealthCard() {
  const { t, date } = useI18n();
  const { record, base } = useHealth();
  const { patient } = record;
  const { name, other } = namesOf(patient.name);
  return (
    <Page title={t('card.title')} back={base} lead={t('card.lead')}>
      <div class="health-card">
        <div>
          <p class="health-card-brand">
            <Icon name="heart" />
            Carnet
          </p>
          <p class="health-card-name">
            <bdi>{name}</bdi>
            {other && (
              <>
                <br />
                <bdi class="muted">{other}</bdi>
              </>
            )}
          </p>
          <p>{t('person.born', { day: date(patient.birthDate) })}</p>
          <p class="health-card-number">
            <bdi>{numberOf(patient)?.value}</bdi>
          </p>
        </div>
        <Code text={codeText(patient)} />
      </div>
      <p>{t('card.what')}</p>
      <button type="button" class="button print" onClick={() => print()}>
        {t('card.print')}
      </button>
    </Page>
  );
}
