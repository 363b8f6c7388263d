// Letters, reports and pictures that stand in the record.
import { useState } from 'preact/hooks';
import { type Client, Problem } from '../fhir/client';
import type { Attachment } from '../fhir/types';
import { useI18n } from '../i18n';
import { asProblem } from '../load';
import { fhirBase } from '../node';
import { Icon } from '../parts/icon';
import { Page } from '../parts/page';
import { saveFile } from '../parts/save';
import { Empty, ProblemNote } from '../parts/states';
import { type Doc, documentsOf, fileName, isAttached } from './attached';
import { useHealth } from './context';
import { Wrong } from './wrong';

const UNKNOWN = 'application/octet-stream';

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  const bytes = atob(text.replace(/\s/g, ''));
  return Uint8Array.from(bytes, (byte) => byte.charCodeAt(0));
}

// Where this node has it; undefined where it is kept elsewhere.
function pathOf(url: string | undefined): string | undefined {
  if (!url) return undefined;
  if (url.startsWith(`${fhirBase}/`)) return url.slice(fhirBase.length + 1);
  return url.startsWith('Binary/') ? url : undefined;
}

async function contents(client: Client, of: Attachment): Promise<BlobPart> {
  if (of.data) return fromBase64(of.data);
  const path = pathOf(of.url);
  if (!path) throw new Problem('missing', `not of this node: ${of.url}`);
  return client.blob(path, of.contentType ?? UNKNOWN);
}

function Open({ of, title }: { of: Attachment; title: string }) {
  const { t } = useI18n();
  const { client } = useHealth();
  const [problem, setProblem] = useState<Problem | undefined>();
  const isHere = of.data !== undefined || pathOf(of.url) !== undefined;
  const name = of.title ?? title;

  async function open() {
    setProblem(undefined);
    try {
      const type = of.contentType ?? UNKNOWN;
      saveFile(fileName(name, type), type, [await contents(client, of)]);
    } catch (e) {
      setProblem(asProblem(e));
    }
  }

  if (!isHere) return <p class="muted">{t('documents.elsewhere')}</p>;
  return (
    <>
      <button type="button" class="button plain" onClick={open}>
        <Icon name="download" />
        <span>
          {t('documents.open')} <bdi class="unseen">{name}</bdi>
        </span>
      </button>
      {problem && <ProblemNote problem={problem} />}
    </>
  );
}

function Row({ doc }: { doc: Doc }) {
  const { t, date } = useI18n();
  const title = doc.title || t('documents.unnamed');
  return (
    <li>
      <span>
        <strong>
          <bdi>{title}</bdi>
        </strong>
        <br />
        <span class="muted">{date(doc.when)}</span>
      </span>
      <span class="end">
        {doc.attachments.map((one, i) => (
          <Open key={i} of={one} title={title} />
        ))}
      </span>
    </li>
  );
}

export function Documents() {
  const { t } = useI18n();
  const { record, base } = useHealth();
  const list = documentsOf(record.all);
  return (
    <Page title={t('documents.title')} back={base} lead={t('documents.lead')}>
      {list.length === 0 && <Empty>{t('documents.none')}</Empty>}
      {list.length > 0 && (
        <ul class="card rows">
          {list.map((doc) => (
            <Row key={doc.id} doc={doc} />
          ))}
        </ul>
      )}
      <Wrong among={record.all.filter(isAttached)} />
    </Page>
  );
}
