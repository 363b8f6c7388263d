// Which page is shown: the entrance, or a room that somebody is signed in to.
import { lazy, Suspense } from 'preact/compat';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { isRoom, type Room, roomFor } from './auth/rooms';
import { currentSession, heldSession, type Session, sessionEnded, signIn } from './auth/session';
import { Demo } from './entrance/demo';
import { EmptyRoom } from './entrance/empty-room';
import { Welcome } from './entrance/welcome';
import { Client, Problem } from './fhir/client';
import { type I18n, I18nContext, type Language, loadI18n, rememberLanguage, useI18n } from './i18n';
import type { NodeInfo } from './node';
import { Page } from './parts/page';
import { ProblemNote, Waiting } from './parts/states';
import { type Route, useRoute } from './route';
import { LanguageChoice, Shell } from './shell';

const HealthRoom = lazy(() => import('./health/room'));
const FamilyRoom = lazy(() => import('./family/room'));
const StewardRoom = lazy(() => import('./steward/room'));
const WatchRoom = lazy(() => import('./watch/room'));
const CountryRoom = lazy(() => import('./country/room'));
const CareRoom = lazy(() => import('./care/room'));

function Frame({
  node,
  problem,
  again,
}: {
  node: NodeInfo;
  problem?: Problem;
  again?: () => void;
}) {
  const { t } = useI18n();
  return (
    <Shell node={node}>
      <Page title={t('page.title')} isPassing={!problem}>
        {problem ? <ProblemNote problem={problem} {...(again ? { again } : {})} /> : <Waiting />}
      </Page>
    </Shell>
  );
}

// The rooms of those who look after a node share their pages.
function isKept(room: Room): boolean {
  return room === 'privacy' || room === 'steward' || room === 'operate';
}

function InRoom({ node, session, route }: { node: NodeInfo; session: Session; route: Route }) {
  const client = useMemo(() => new Client(session, () => sessionEnded(session)), [session]);
  if (session.room === 'health') return <HealthRoom client={client} node={node} route={route} />;
  if (session.room === 'family') return <FamilyRoom client={client} node={node} route={route} />;
  if (session.room === 'care') return <CareRoom client={client} node={node} route={route} />;
  if (session.room === 'watch') return <WatchRoom client={client} node={node} route={route} />;
  if (session.room === 'country') return <CountryRoom client={client} node={node} route={route} />;
  if (isKept(session.room)) return <StewardRoom client={client} node={node} route={route} />;
  return <EmptyRoom node={node} />;
}

function SignedIn({ node, room, route }: { node: NodeInfo; room: Room; route: Route }) {
  const { language } = useI18n();
  const [problem, setProblem] = useState<Problem | undefined>();
  const [session] = useState(() => currentSession(room) ?? heldSession(room));
  const begin = () => {
    setProblem(undefined);
    signIn(room, language.tag).catch((e) => setProblem(new Problem('offline', String(e))));
  };
  useEffect(() => {
    if (!session) begin();
  }, [session]);
  if (!session) return <Frame node={node} again={begin} {...(problem ? { problem } : {})} />;
  return (
    <Suspense fallback={<Frame node={node} />}>
      <InRoom node={node} session={session} route={route} />
    </Suspense>
  );
}

// A link into a demo led here: on to where the role begins.
function Enter({ role }: { role: string | undefined }) {
  useEffect(() => location.replace(`#/${roomFor(role)}`), [role]);
  return null;
}

function Current({ node, problem }: { node: NodeInfo; problem: Problem | undefined }) {
  const route = useRoute();
  const [first, second] = route;
  if (problem && !first) return <Frame node={node} problem={problem} />;
  if (first === 'demo' && second) return <Demo node={node} secret={second} />;
  if (first === 'enter') return <Enter role={second} />;
  if (isRoom(first) && !node.open)
    return <SignedIn key={first} node={node} room={first} route={route} />;
  return <Welcome node={node} />;
}

interface AppProps {
  node: NodeInfo;
  first: I18n;
  problem: Problem | undefined; // of signing in
}

export function App({ node, first, problem }: AppProps) {
  const [i18n, setI18n] = useState(first);
  const choose = (language: Language) => {
    rememberLanguage(language);
    loadI18n(language).then(setI18n);
  };
  useEffect(() => {
    document.documentElement.lang = i18n.language.tag;
    document.documentElement.dir = i18n.language.rtl ? 'rtl' : 'ltr';
  }, [i18n]);
  return (
    <I18nContext.Provider value={i18n}>
      <LanguageChoice.Provider value={choose}>
        <Current node={node} problem={problem} />
      </LanguageChoice.Provider>
    </I18nContext.Provider>
  );
}
