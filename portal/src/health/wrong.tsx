// The way to a correction from where an entry stands: the entries of a page, of which one is chosen.
// Closed until it is wanted, so that a page stays what it is for.
import { useState } from 'preact/hooks';
import type { Resource } from '../fhir/types';
import { useI18n } from '../i18n';
import { useHealth } from './context';
import { entryDay, entryName } from './entry';

const STEP = 40;

function Entries({ among }: { among: readonly Resource[] }) {
  const i18n = useI18n();
  const { base } = useHealth();
  const [shown, setShown] = useState(STEP);
  return (
    <>
      <p class="muted">{i18n.t('correct.choose')}</p>
      <ul class="rows">
        {among.slice(0, shown).map((one) => (
          <li key={`${one.resourceType}/${one.id}`}>
            <a href={`${base}/correct/${one.resourceType}/${one.id}`}>
              <bdi>{entryName(i18n, one)}</bdi>
            </a>
            <span class="end muted">{i18n.date(entryDay(one))}</span>
          </li>
        ))}
      </ul>
      {among.length > shown && (
        <button type="button" class="button plain" onClick={() => setShown(shown + STEP)}>
          {i18n.t('table.more')}
        </button>
      )}
    </>
  );
}

// Who acts for somebody asks for no corrections: the node takes them from the person alone.
export function Wrong({ among }: { among: readonly Resource[] }) {
  const { t } = useI18n();
  const { isOwn } = useHealth();
  const [isOpen, setOpen] = useState(false);
  if (!isOwn || !among.length) return null;
  return (
    <details class="card wrong" onToggle={(e) => setOpen(e.currentTarget.open)}>
      <summary>{t('correct.some')}</summary>
      {isOpen && <Entries among={among} />}
    </details>
  );
}
