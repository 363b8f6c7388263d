// All of a record on one page, as the node writes it ($record), to read, print or keep.
//
// The page comes with the token, so no link leads to it. It is not shown in a frame nor as a blob:
// the portal's policy has neither frames nor styles within a page, a blob: would inherit that policy
// and be bare, and it would be of this origin, with the session in its reach. So it is read into a
// document without a window, and built anew from the elements that are listed here, without any of
// their attributes: whatever a record holds comes out as text. What is kept as a file is the node's
// page itself, which opens outside of this origin.
import { type ComponentChildren, h } from 'preact';
import { useRef } from 'preact/hooks';
import { useI18n } from '../i18n';
import { useLoad } from '../load';
import { Page } from '../parts/page';
import { saveFile } from '../parts/save';
import { Loaded } from '../parts/states';
import { useHealth } from './context';

const TAKEN: ReadonlySet<string> = new Set([
  ...['section', 'article', 'details', 'summary', 'div', 'p'],
  ...['h2', 'h3', 'dl', 'dt', 'dd', 'bdi', 'time'],
]);

function taken(node: Node): ComponentChildren {
  if (node.nodeType === Node.TEXT_NODE) return node.textContent;
  if (!(node instanceof Element)) return null;
  const children = Array.from(node.childNodes, taken);
  return TAKEN.has(node.localName) ? h(node.localName, null, children) : children;
}

function Whole({ page }: { page: Document }) {
  const { t } = useI18n();
  const { record } = useHealth();
  const shown = useRef<HTMLDivElement>(null);

  function printAll() {
    for (const one of shown.current?.querySelectorAll('details') ?? []) one.open = true;
    print();
  }

  function save() {
    const text = `<!DOCTYPE html>\n${page.documentElement.outerHTML}\n`;
    saveFile(`carnet-${record.patient.id}.html`, 'text/html;charset=utf-8', [text]);
  }

  // The heading is this page's own.
  const parts = [...page.querySelectorAll('main > :not(h1)')];
  return (
    <>
      <p class="buttons print">
        <button type="button" class="button" onClick={printAll}>
          {t('whole.print')}
        </button>
        <button type="button" class="button plain" onClick={save}>
          {t('documents.open')}
        </button>
      </p>
      <p class="muted print">{t('download.care')}</p>
      <div class="whole" ref={shown}>
        {parts.map(taken)}
      </div>
    </>
  );
}

export default function WholeRecord() {
  const { t, language } = useI18n();
  const { client, record, base } = useHealth();
  const path = `Patient/${record.patient.id}/$record?language=${language.tag}`;
  const page = useLoad(() => client.page(path), path);
  return (
    <Page title={t('whole.title')} back={`${base}/rights`}>
      <Loaded of={page}>{(one) => <Whole page={one} />}</Loaded>
    </Page>
  );
}
