// What the pages of Country share: where one is, a share as a bar, a page on paper.
import { useI18n } from '../i18n';
import type { Part, Share } from './answers';
import { countText, partName, shareText } from './words';

interface WhereProps {
  path: readonly Part[];
  to: (place?: string) => string;
}

// The way up: from the whole country to the place that is shown.
export function Where({ path, to }: WhereProps) {
  const i18n = useI18n();
  const { t } = i18n;
  if (!path.length) return null;
  return (
    <nav class="where" aria-label={t('country.where')}>
      <ol>
        <li>
          <a href={to()}>{t('country.whole')}</a>
        </li>
        {path.map((part, i) => (
          <li key={part.id}>
            {i + 1 < path.length ? (
              <a href={to(part.id ?? undefined)}>
                <bdi>{partName(i18n, part)}</bdi>
              </a>
            ) : (
              <span aria-current="location">
                <bdi>{partName(i18n, part)}</bdi>
              </span>
            )}
          </li>
        ))}
      </ol>
    </nav>
  );
}

// The number stands beside it: the bar says nothing alone.
export function ShareBar({ share }: { share: Share }) {
  const i18n = useI18n();
  return (
    <span class="share">
      <svg class="share-bar" viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">
        <rect class="share-all" width="100" height="1" />
        {share.percent !== null && <rect class="share-part" width={share.percent} height="1" />}
      </svg>
      <span class={share.percent === null ? 'share-unsaid' : 'share-text'}>
        {shareText(i18n, share)}
      </span>
    </span>
  );
}

export function Counted({ share }: { share: Share }) {
  const i18n = useI18n();
  return (
    <span class="muted small">
      {share.of === null
        ? countText(i18n, null)
        : i18n.t('country.counted', {
            with: countText(i18n, share.with),
            of: countText(i18n, share.of),
          })}
    </span>
  );
}

export function PrintButton() {
  const { t } = useI18n();
  return (
    <p>
      <button type="button" class="button plain print" onClick={() => print()}>
        {t('whole.print')}
      </button>
    </p>
  );
}
