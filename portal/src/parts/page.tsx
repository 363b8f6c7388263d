// What every page has: a heading that takes the focus when the page comes, and its contents.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { useI18n } from '../i18n';
import { Icon } from './icon';

interface PageProps {
  title: string;
  tab?: string; // what the browser's tab and history say, where the title is somebody's name
  lead?: ComponentChildren;
  back?: string; // the address of the page above
  isPassing?: boolean; // another page comes in its place by itself
  children: ComponentChildren;
}

let isFirst = true; // a page that was opened, not gone to, leaves the focus to the browser

export function Page({ title, tab, lead, back, isPassing, children }: PageProps) {
  const { t } = useI18n();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${tab ?? title} - Carnet`;
    if (isPassing) return;
    if (!isFirst) {
      scrollTo(0, 0);
      heading.current?.focus({ preventScroll: true });
    }
    isFirst = false;
  }, [title, tab, isPassing]);
  return (
    <main id="main" class="page">
      {back && (
        <a class="back" href={back}>
          <Icon name="back" />
          {t('page.back')}
        </a>
      )}
      <h1 ref={heading} tabIndex={-1}>
        {title}
      </h1>
      {lead && <p class="lead">{lead}</p>}
      {children}
    </main>
  );
}
