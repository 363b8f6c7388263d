// The states that are not the page itself: waiting, empty, and what went wrong, in plain words.
import type { ComponentChildren } from 'preact';
import type { Problem, ProblemKind } from '../fhir/client';
import { type Key, useI18n } from '../i18n';
import type { Load } from '../load';
import { Icon } from './icon';

export function Waiting() {
  const { t } = useI18n();
  return (
    <div class="waiting" role="status">
      <span class="waiting-bar" />
      <span class="waiting-bar" />
      <span class="waiting-bar" />
      <span class="unseen">{t('state.waiting')}</span>
    </div>
  );
}

export function Empty({ children }: { children: ComponentChildren }) {
  return <p class="empty">{children}</p>;
}

const words: Readonly<Record<ProblemKind, Key>> = {
  offline: 'problem.offline',
  ended: 'problem.ended',
  forbidden: 'problem.forbidden',
  missing: 'problem.missing',
  conflict: 'problem.conflict',
  busy: 'problem.busy',
  unready: 'problem.unready',
  failed: 'problem.failed',
};

export function ProblemNote({ problem, again }: { problem: Problem; again?: () => void }) {
  const { t } = useI18n();
  return (
    <div class="problem" role="alert">
      <Icon name="alert" />
      <p>{t(words[problem.kind])}</p>
      {again && (
        <button type="button" class="button plain" onClick={again}>
          {t('problem.again')}
        </button>
      )}
    </div>
  );
}

interface LoadedProps<T> {
  of: Load<T> & { again: () => void };
  children: (value: T) => ComponentChildren;
}

export function Loaded<T>({ of, children }: LoadedProps<T>) {
  if (of.state === 'loading') return <Waiting />;
  if (of.state === 'failed') return <ProblemNote problem={of.problem} again={of.again} />;
  return <>{children(of.value)}</>;
}
