// Visits, the latest first, with what was found and given at each.

import { useState } from 'preact/hooks';
import { codeIn, conceptText, systems } from '../fhir/read';
import type { Encounter } from '../fhir/types';
import { useI18n } from '../i18n';
import { Page } from '../parts/page';
import { Empty } from '../parts/states';
import { useHealth } from './context';
import { vaccineName } from './doses';
import { visitName } from './entry';
import type { HealthRecord } from './record';
import { Wrong } from './wrong';

const STEP = 20;

// What a visit left behind, as short lines.
function useLines(record: HealthRecord, visit: Encounter): string[] {
  const i18n = useI18n();
  const isHere = (one: { encounter?: { reference?: string } }) =>
    one.encounter?.reference === `Encounter/${visit.id}`;
  return [
    ...record.conditions.filter(isHere).map((one) => conceptText(one.code)),
    ...record.immunizations
      .filter(isHere)
      .map((one) =>
        vaccineName(i18n, codeIn(one.vaccineCode, systems.cvx), conceptText(one.vaccineCode)),
      ),
    ...record.medicines.filter(isHere).map((one) => conceptText(one.medicationCodeableConcept)),
  ];
}

function Visit({ visit }: { visit: Encounter }) {
  const i18n = useI18n();
  const { record } = useHealth();
  const kind = visitName(i18n, visit);
  const where = record.nameOf(visit.serviceProvider);
  const who = record.nameOf(visit.participant?.[0]?.individual);
  return (
    <li class="visit">
      <p class="visit-when">{i18n.date(visit.period?.start)}</p>
      <div>
        <h2>
          <bdi>{kind}</bdi>
        </h2>
        <p class="muted">
          <bdi>{where}</bdi>
          {who && (
            <>
              {' · '}
              <bdi>{who}</bdi>
            </>
          )}
        </p>
        <ul>
          {useLines(record, visit).map((line, i) => (
            <li key={i}>
              <bdi>{line}</bdi>
            </li>
          ))}
        </ul>
      </div>
    </li>
  );
}

export function Timeline() {
  const { t } = useI18n();
  const { record, base } = useHealth();
  const [shown, setShown] = useState(STEP);
  return (
    <Page title={t('timeline.title')} back={base}>
      {record.encounters.length === 0 && <Empty>{t('timeline.none')}</Empty>}
      <ol class="timeline">
        {record.encounters.slice(0, shown).map((visit) => (
          <Visit key={visit.id} visit={visit} />
        ))}
      </ol>
      {record.encounters.length > shown && (
        <button type="button" class="button plain" onClick={() => setShown(shown + STEP)}>
          {t('timeline.more')}
        </button>
      )}
      <Wrong among={record.encounters} />
    </Page>
  );
}
