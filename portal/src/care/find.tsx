// Finding a person: by a name as it sounds or is written, a number, or a day of birth.
import { useState } from 'preact/hooks';
import type { Client } from '../fhir/client';
import { namesOf } from '../fhir/read';
import type { Bundle, Patient } from '../fhir/types';
import { useI18n } from '../i18n';
import { useLoad } from '../load';
import { Icon } from '../parts/icon';
import { Page } from '../parts/page';
import { Empty, Loaded } from '../parts/states';
import { searchOf } from './search';

const SHOWN = 20;
const LETTERS_MIN = 2;

async function find(client: Client, text: string): Promise<Bundle<Patient>> {
  const what = text.trim().length >= LETTERS_MIN ? `${searchOf(text)}&` : '';
  return client.get(`Patient?${what}_count=${SHOWN}&_total=accurate&_sort=family`);
}

// Somebody who is not among one's patients may be somebody else's.
function Beyond({ text }: { text: string }) {
  const { t } = useI18n();
  return (
    <p>
      <a href={`#/care/match/${encodeURIComponent(text)}`}>{t('find.beyond')}</a>
    </p>
  );
}

function Found({ bundle, text }: { bundle: Bundle<Patient>; text: string }) {
  const { t, date, number } = useI18n();
  const people = (bundle.entry ?? []).flatMap((entry) => entry.resource ?? []);
  if (!people.length)
    return (
      <>
        <Empty>{t('find.none')}</Empty>
        <Beyond text={text} />
      </>
    );
  return (
    <>
      <p class="muted" role="status">
        {t('find.total', { n: number(bundle.total ?? people.length) })}
      </p>
      <ul class="people">
        {people.map((person) => {
          const { name, other } = namesOf(person.name);
          return (
            <li key={person.id}>
              <a href={`#/care/record/${person.id}`}>
                <Icon name="person" />
                <span>
                  <strong>
                    <bdi>{name}</bdi>
                  </strong>
                  {other && (
                    <>
                      {' '}
                      <bdi class="muted">{other}</bdi>
                    </>
                  )}
                  <br />
                  <span class="muted">
                    {t('person.born', { day: date(person.birthDate) })}
                    {' · '}
                    {person.identifier?.[0]?.value}
                  </span>
                </span>
              </a>
            </li>
          );
        })}
      </ul>
      {text.trim().length >= LETTERS_MIN && <Beyond text={text} />}
    </>
  );
}

// `first`: what to look for at once, as a card's code says it.
export function Find({ client, first }: { client: Client; first: string }) {
  const { t } = useI18n();
  const [asked, setAsked] = useState(first);
  const found = useLoad(() => find(client, asked), asked);
  return (
    <Page title={t('find.title')}>
      <search>
        <form
          class="find"
          onSubmit={(e) => {
            e.preventDefault();
            setAsked(String(new FormData(e.currentTarget).get('text') ?? ''));
          }}
        >
          <label for="find-text">{t('find.label')}</label>
          <div class="find-line">
            <input
              id="find-text"
              name="text"
              type="search"
              autocomplete="off"
              defaultValue={first}
              aria-describedby="find-help"
            />
            <button type="submit" class="button">
              <Icon name="search" />
              {t('find.button')}
            </button>
          </div>
          <p id="find-help" class="muted">
            {t('find.help')}
          </p>
        </form>
      </search>
      <h2 class="list-title">
        {asked.trim().length < LETTERS_MIN ? t('find.mine') : t('find.found')}
      </h2>
      <Loaded of={found}>{(bundle) => <Found bundle={bundle} text={asked} />}</Loaded>
    </Page>
  );
}
