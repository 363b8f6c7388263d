// What is to come, and a file of it for one's own calendar.
import { useI18n } from '../i18n';
import { Icon } from '../parts/icon';
import { Page } from '../parts/page';
import { saveFile } from '../parts/save';
import { Empty } from '../parts/states';
import { useHealth } from './context';
import { DoseMark, vaccineName } from './doses';
import { today, usePlan } from './plan';
import { calendarOf, type Reminder, remindersOf } from './to-come';

function Row({ reminder }: { reminder: Reminder }) {
  const i18n = useI18n();
  const { t, date, dateTime } = i18n;
  const [dose] = reminder.doses;
  return (
    <li>
      <span>
        <strong>{dose ? t('nav.vaccines') : t('reminders.appointment')}</strong>
        <br />
        <bdi class="muted">
          {dose
            ? reminder.doses.map(({ cvx }) => vaccineName(i18n, cvx, cvx)).join(', ')
            : reminder.what}
        </bdi>
      </span>
      <span class="end">
        {dose ? (
          <DoseMark dose={dose} />
        ) : (
          <span class="mark mark-coming">
            <Icon name="visits" />
            {reminder.start ? dateTime(reminder.start) : date(reminder.day)}
          </span>
        )}
      </span>
    </li>
  );
}

export function Reminders() {
  const { t } = useI18n();
  const { record, base } = useHealth();
  const list = remindersOf(record.appointments, usePlan(), today());

  function save() {
    const text = calendarOf(list, t('reminders.event'), new Date().toISOString(), today());
    saveFile('carnet.ics', 'text/calendar', [text]);
  }

  return (
    <Page title={t('reminders.title')} back={base} lead={t('reminders.lead')}>
      {list.length === 0 && <Empty>{t('reminders.none')}</Empty>}
      {list.length > 0 && (
        <>
          <ul class="card rows">
            {list.map((reminder) => (
              <Row key={reminder.id} reminder={reminder} />
            ))}
          </ul>
          <button type="button" class="button" onClick={save}>
            <Icon name="visits" />
            {t('reminders.save')}
          </button>
          <p class="muted small">{t('reminders.care')}</p>
        </>
      )}
    </Page>
  );
}
