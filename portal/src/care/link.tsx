// What Care says about the connection: that there is none, what waits to be sent, what was not taken.
import { createContext } from 'preact';
import { useContext, useEffect, useState } from 'preact/hooks';
import type { Client } from '../fhir/client';
import { Problem, type ProblemKind } from '../fhir/client';
import { useI18n } from '../i18n';
import { Icon } from '../parts/icon';
import { Page } from '../parts/page';
import { Empty, ProblemNote } from '../parts/states';
import { type LinkState, Outbox, type Waiting } from './outbox';

export const OutboxContext = createContext<Outbox | undefined>(undefined);

// Undefined while it is opened; null where this browser keeps nothing, or nobody has a name.
export function useOutbox(client: Client): Outbox | null | undefined {
  const [box, setBox] = useState<Outbox | null>();
  useEffect(() => {
    let stop = () => {};
    let isCurrent = true;
    const opened = client.session.user ? Outbox.of(client) : Promise.resolve(null);
    opened.then(
      (found) => {
        if (!isCurrent) return;
        setBox(found);
        if (found) stop = found.run();
      },
      () => isCurrent && setBox(null),
    );
    return () => {
      isCurrent = false;
      stop();
    };
  }, [client]);
  return box;
}

export function useLinkState(box: Outbox | null | undefined): LinkState {
  const [state, setState] = useState<LinkState>({ isOffline: false, waiting: [] });
  useEffect(() => box?.listen(setState), [box]);
  return state;
}

export function LinkNote({ box }: { box: Outbox | null | undefined }) {
  const { t, number } = useI18n();
  const { isOffline, waiting } = useLinkState(box);
  const refused = waiting.filter((one) => one.refused).length;
  const n = waiting.length - refused;
  return (
    <div class="link-note" role="status">
      {isOffline && (
        <p>
          <Icon name="globe" />
          {t('link.offline')}
        </p>
      )}
      {n > 0 && (
        <p>
          <Icon name="clock" />
          <a href="#/care/waiting">{t('link.waiting', { n: number(n) })}</a>
        </p>
      )}
      {refused > 0 && (
        <p class="late">
          <Icon name="alert" />
          <a href="#/care/waiting">{t('link.refused', { n: number(refused) })}</a>
        </p>
      )}
    </div>
  );
}

function Row({ one, box }: { one: Waiting; box: Outbox }) {
  const { t, dateTime } = useI18n();
  const [isBusy, setBusy] = useState(false);
  const { visit, name, refused } = one;
  const again = async () => {
    setBusy(true);
    await box.flush(visit.response);
    setBusy(false);
  };
  return (
    <li class="waiting-visit">
      <p>
        <a href={`#/care/record/${visit.patient}`}>
          <strong>
            <bdi>{name}</bdi>
          </strong>
        </a>
        <br />
        <span class="muted">{dateTime(visit.end)}</span>
      </p>
      {refused && <ProblemNote problem={new Problem(refused as ProblemKind, '')} />}
      <p class="buttons">
        <button type="button" class="button plain" disabled={isBusy} onClick={again}>
          {t('waiting.again')}
        </button>
        {refused && (
          <button
            type="button"
            class="button plain"
            onClick={() => confirm(t('waiting.sure')) && box.drop(visit.response)}
          >
            {t('waiting.drop')}
          </button>
        )}
      </p>
    </li>
  );
}

export function WaitingVisits() {
  const { t } = useI18n();
  const box = useContext(OutboxContext);
  const { waiting } = useLinkState(box);
  return (
    <Page title={t('waiting.title')} back="#/care" lead={t('waiting.lead')}>
      {waiting.length === 0 && <Empty>{t('waiting.none')}</Empty>}
      <ul class="rows card" hidden={waiting.length === 0}>
        {box && waiting.map((one) => <Row key={one.visit.response} one={one} box={box} />)}
      </ul>
    </Page>
  );
}
