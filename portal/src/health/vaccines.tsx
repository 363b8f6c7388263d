// The vaccination card: one row a vaccine, one cell a dose, and what was given beside the schedule.
import { codeIn, conceptText, dayOf, systems } from '../fhir/read';
import type { Immunization } from '../fhir/types';
import { useI18n } from '../i18n';
import { Card } from '../parts/card';
import { Page } from '../parts/page';
import { Empty } from '../parts/states';
import { useHealth } from './context';
import { DoseMark, DoseName, vaccineAgainst, vaccineName } from './doses';
import { usePlan } from './plan';
import { type Dose, nextDoses } from './schedule';
import { Wrong } from './wrong';

function byVaccine(doses: readonly Dose[]): [string, Dose[]][] {
  const found = new Map<string, Dose[]>();
  for (const dose of doses) found.set(dose.cvx, [...(found.get(dose.cvx) ?? []), dose]);
  return [...found];
}

function Others({ doses }: { doses: readonly Dose[] }) {
  const i18n = useI18n();
  const { t, date } = i18n;
  const { record } = useHealth();
  const planned = new Set(doses.map((dose) => dose.cvx));
  const cvx = (one: Immunization) => codeIn(one.vaccineCode, systems.cvx);
  const others = record.immunizations.filter((one) => !planned.has(cvx(one) ?? ''));
  if (!others.length) return null;
  return (
    <Card title={doses.length ? t('vaccines.others') : t('vaccines.given')} icon="syringe">
      <ul class="rows">
        {others.map((one) => (
          <li key={one.id}>
            <strong>{vaccineName(i18n, cvx(one), conceptText(one.vaccineCode))}</strong>
            <span class="muted">{vaccineAgainst(i18n, cvx(one) ?? '')}</span>
            <span class="end">{date(dayOf(one.occurrenceDateTime))}</span>
          </li>
        ))}
      </ul>
    </Card>
  );
}

export function Vaccines() {
  const i18n = useI18n();
  const { t } = i18n;
  const { record, base } = useHealth();
  const doses = usePlan();
  const [next] = nextDoses(doses);
  return (
    <Page title={t('vaccines.title')} back={base} lead={t('vaccines.lead')}>
      {next && (
        <p class={`notice ${next.state}`}>
          <span>{t('vaccines.next')}</span> <DoseMark dose={next} />
        </p>
      )}
      {!doses.length && !record.immunizations.length && <Empty>{t('vaccines.none')}</Empty>}
      {doses.length > 0 && (
        <ul class="vaccines">
          {byVaccine(doses).map(([cvx, own]) => (
            <li key={cvx} class="card">
              <h2>{vaccineName(i18n, cvx, cvx)}</h2>
              <p class="muted">{vaccineAgainst(i18n, cvx)}</p>
              <ol class="doses">
                {own.map((dose) => (
                  <li key={dose.number} class={`dose ${dose.state}`}>
                    <span class="dose-name">
                      <DoseName dose={dose} />
                    </span>
                    <DoseMark dose={dose} />
                  </li>
                ))}
              </ol>
            </li>
          ))}
        </ul>
      )}
      <Others doses={doses} />
      <Wrong among={record.immunizations} />
      <button type="button" class="button plain print" onClick={() => print()}>
        {t('vaccines.print')}
      </button>
    </Page>
  );
}
