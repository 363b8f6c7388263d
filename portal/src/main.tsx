import { render } from 'preact';
import { App } from './app';
import { finishSignIn } from './auth/session';
import { Problem } from './fhir/client';
import { loadI18n, preferredLanguage } from './i18n';
import { fetchNode } from './node';
import { keepPages } from './offline/register';
import './style/tokens.css';
import './style/base.css';
import './style/shell.css';
import './style/parts.css';
import './style/health.css';

async function start(into: HTMLElement): Promise<void> {
  const [node, i18n] = await Promise.all([fetchNode(), loadI18n(preferredLanguage())]);
  let problem: Problem | undefined;
  try {
    await finishSignIn();
  } catch (e) {
    problem = new Problem('ended', String(e));
  }
  keepPages();
  render(<App node={node} first={i18n} problem={problem} />, into);
}

const into = document.getElementById('app');
if (into)
  start(into).catch(() => {
    into.textContent = 'Carnet does not answer. Please try again.';
  });
