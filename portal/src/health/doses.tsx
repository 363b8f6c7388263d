// Doses as people say them, and how their state is shown: by a word and an icon, never by colour
// alone.
import { type I18n, useI18n } from '../i18n';
import { Icon, type IconName } from '../parts/icon';
import type { Dose, DoseState } from './schedule';

export function vaccineName(i18n: I18n, cvx: string | undefined, recorded: string): string {
  return (cvx && i18n.find(`vaccine.${cvx}`)) || recorded;
}

export function vaccineAgainst(i18n: I18n, cvx: string): string {
  return i18n.find(`against.${cvx}`) ?? '';
}

const icons: Readonly<Record<DoseState, IconName>> = {
  given: 'check',
  late: 'alert',
  due: 'syringe',
  coming: 'clock',
};

export function DoseMark({ dose }: { dose: Dose }) {
  const { t, date } = useI18n();
  const day = date(dose.day);
  const words: Record<DoseState, string> = {
    given: t('dose.given', { day }),
    late: t('dose.late', { day }),
    due: t('dose.due', { day }),
    coming: t('dose.coming', { day }),
  };
  return (
    <span class={`mark mark-${dose.state}`}>
      <Icon name={icons[dose.state]} />
      {words[dose.state]}
    </span>
  );
}

export function DoseName({ dose }: { dose: Dose }) {
  const i18n = useI18n();
  const { t, number } = i18n;
  return (
    <>{dose.number === 0 ? t('dose.birth') : t('dose.number', { number: number(dose.number) })}</>
  );
}
