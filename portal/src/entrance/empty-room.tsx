// A room that has no pages yet says so.
import { useI18n } from '../i18n';
import type { NodeInfo } from '../node';
import { Page } from '../parts/page';
import { Shell } from '../shell';

export function EmptyRoom({ node }: { node: NodeInfo }) {
  const { t } = useI18n();
  return (
    <Shell node={node} isSignedIn>
      <Page title={t('empty.title')} back="#/" lead={t('empty.lead')}>
        <p class="muted">{t('empty.help')}</p>
      </Page>
    </Shell>
  );
}
