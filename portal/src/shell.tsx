// The frame around every page: banner, name, language, the room's ways, and the way out.
import type { ComponentChildren } from 'preact';
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import { signOut } from './auth/session';
import { type Language, languages, useI18n } from './i18n';
import { type NodeInfo, root } from './node';
import { visitsWaiting } from './offline/sealed';
import { Icon, type IconName } from './parts/icon';
import { useRoute } from './route';

export interface NavItem {
  to: string;
  icon: IconName;
  label: string;
}

export const LanguageChoice = createContext<(language: Language) => void>(() => undefined);

function LanguageMenu() {
  const { language, t } = useI18n();
  const choose = useContext(LanguageChoice);
  return (
    <label class="language">
      <Icon name="globe" />
      <span class="unseen">{t('shell.language')}</span>
      <select
        value={language.tag}
        onChange={(e) => {
          const found = languages.find((one) => one.tag === e.currentTarget.value);
          if (found) choose(found);
        }}
      >
        {languages.map((one) => (
          <option key={one.tag} value={one.tag} lang={one.tag}>
            {one.name}
          </option>
        ))}
      </select>
    </label>
  );
}

// A way is also that to what lies behind it; the room's own ("#/care") leads to one page alone.
function isAt(here: string, way: string): boolean {
  return here === way || (way.split('/').length > 2 && here.startsWith(`${way}/`));
}

function Ways({ nav }: { nav: readonly NavItem[] }) {
  const { t } = useI18n();
  const here = `#/${useRoute().join('/')}`;
  return (
    <nav class="ways" aria-label={t('shell.ways')}>
      <ul>
        {nav.map((item) => (
          <li key={item.to}>
            <a href={item.to} aria-current={isAt(here, item.to) ? 'page' : undefined}>
              <Icon name={item.icon} />
              <span>{item.label}</span>
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}

interface ShellProps {
  node: NodeInfo | undefined;
  room?: string;
  nav?: readonly NavItem[];
  isSignedIn?: boolean;
  note?: ComponentChildren; // on every page of the room
  children: ComponentChildren;
}

export function Shell({ node, room, nav, isSignedIn, note, children }: ShellProps) {
  const { t, number } = useI18n();
  const leave = async () => {
    const n = await visitsWaiting().catch(() => 0);
    if (n === 0 || confirm(t('shell.leave.waiting', { n: number(n) }))) await signOut();
  };
  return (
    <div class={nav ? 'shell with-ways' : 'shell'}>
      <button
        type="button"
        class="skip"
        onClick={() => document.querySelector<HTMLElement>('h1')?.focus()}
      >
        {t('shell.skip')}
      </button>
      <header class="top">
        {node?.demo && <p class="demo-banner">{t('shell.demo')}</p>}
        <a class="brand" href="#/">
          <Icon name="heart" />
          <span>Carnet</span>
        </a>
        {room && <span class="room">{room}</span>}
        <span class="top-end">
          <LanguageMenu />
          {isSignedIn && (
            <a class="leave" href={new URL('auth/account', root).href}>
              <Icon name="person" />
              <span>{t('shell.account')}</span>
            </a>
          )}
          {isSignedIn && (
            <button type="button" class="leave" onClick={leave}>
              <Icon name="leave" />
              <span>{t('shell.leave')}</span>
            </button>
          )}
        </span>
        {note}
      </header>
      {nav && <Ways nav={nav} />}
      {children}
    </div>
  );
}
