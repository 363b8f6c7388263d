// What may be done with the record, as sentences that the person switches. A change holds from the
// next request on.
import { useState } from 'preact/hooks';
import type { Problem } from '../fhir/client';
import type { Consent } from '../fhir/types';
import { useI18n } from '../i18n';
import { asProblem, useLoad } from '../load';
import { Page } from '../parts/page';
import { Loaded, ProblemNote } from '../parts/states';
import { Switch } from '../parts/switch';
import { type Choices, choicesOf, consentOf, unspoken } from './consent';
import { useHealth } from './context';

interface Spoken {
  choices: Choices;
  consent?: Consent; // the one that says them
}

interface FormProps {
  first: Spoken;
  save: (choices: Choices, before: Consent | undefined) => Promise<Consent>;
}

function Form({ first, save }: FormProps) {
  const { t, dateTime } = useI18n();
  const [spoken, setSpoken] = useState(first);
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | undefined>();
  const { choices, consent } = spoken;

  async function choose(change: Partial<Choices>) {
    const wanted = { ...choices, ...change };
    setBusy(true);
    setProblem(undefined);
    try {
      setSpoken({ choices: wanted, consent: await save(wanted, consent) });
    } catch (e) {
      setProblem(asProblem(e));
    }
    setBusy(false);
  }

  return (
    <section class="card">
      <Switch
        id="care"
        label={t('consent.care')}
        help={choices.care ? t('consent.care.on') : t('consent.care.off')}
        isOn={choices.care}
        isBusy={isBusy}
        onChange={(care) => choose({ care })}
      />
      <Switch
        id="sensitive"
        label={t('consent.sensitive')}
        help={choices.sensitive ? t('consent.sensitive.on') : t('consent.sensitive.off')}
        isOn={choices.sensitive && choices.care}
        isBusy={isBusy}
        isOff={!choices.care}
        onChange={(sensitive) => choose({ sensitive })}
      />
      <Switch
        id="emergency"
        label={t('consent.emergency')}
        help={choices.emergency ? t('consent.emergency.on') : t('consent.emergency.off')}
        isOn={choices.emergency}
        isBusy={isBusy}
        onChange={(emergency) => choose({ emergency })}
      />
      {problem && <ProblemNote problem={problem} />}
      <p class="muted" role="status">
        {consent ? t('consent.since', { when: dateTime(consent.dateTime) }) : t('consent.unspoken')}
      </p>
    </section>
  );
}

export function Consents() {
  const { t } = useI18n();
  const { client, record, base } = useHealth();
  const patient = record.patient.id ?? '';
  const path = `Consent?patient=${patient}&status=active&scope=patient-privacy`;
  const loaded = useLoad(async () => (await client.all<Consent>(path)).list, patient);
  const save = (choices: Choices, before: Consent | undefined) => {
    const consent = consentOf(choices, patient, new Date(), before);
    return before ? client.update(consent) : client.create(consent);
  };
  return (
    <Page title={t('consent.title')} back={base} lead={t('consent.lead')}>
      <Loaded of={loaded}>
        {(list) => {
          const [consent] = list;
          const choices = consent ? choicesOf(consent) : unspoken;
          if (list.length > 1 || !choices) return <p class="notice">{t('consent.other')}</p>;
          return <Form first={{ choices, ...(consent ? { consent } : {}) }} save={save} />;
        }}
      </Loaded>
    </Page>
  );
}
