// Documents in a record: what was attached to DocumentReferences and DiagnosticReports. Pure.
import { conceptText } from '../fhir/read';
import type { Attachment, DiagnosticReport, DocumentReference, Resource } from '../fhir/types';

export interface Doc {
  id: string;
  title: string;
  when: string | undefined;
  attachments: readonly Attachment[];
}

const isDocument = (one: Resource): one is DocumentReference =>
  one.resourceType === 'DocumentReference';
const isReport = (one: Resource): one is DiagnosticReport =>
  one.resourceType === 'DiagnosticReport';

// Whether these pages list it.
export function isAttached(one: Resource): boolean {
  return (
    (isDocument(one) && one.status === 'current') ||
    (isReport(one) && Boolean(one.presentedForm?.length))
  );
}

function ofDocument(one: DocumentReference): Doc {
  const attachments = (one.content ?? []).flatMap(({ attachment }) => attachment ?? []);
  return {
    id: `${one.resourceType}/${one.id}`,
    title: one.description ?? attachments[0]?.title ?? conceptText(one.type),
    when: one.date ?? attachments[0]?.creation,
    attachments,
  };
}

function ofReport(one: DiagnosticReport): Doc {
  return {
    id: `${one.resourceType}/${one.id}`,
    title: conceptText(one.code),
    when: one.effectiveDateTime ?? one.issued,
    attachments: one.presentedForm ?? [],
  };
}

// Those that hold, the latest first.
export function documentsOf(list: readonly Resource[]): Doc[] {
  const shown = list.filter(isAttached);
  const found = [
    ...shown.filter(isDocument).map(ofDocument),
    ...shown.filter(isReport).map(ofReport),
  ];
  return found.sort((a, b) => (b.when ?? '').localeCompare(a.when ?? ''));
}

const endings: Readonly<Record<string, string>> = {
  'application/pdf': 'pdf',
  'image/jpeg': 'jpg',
  'image/png': 'png',
  'text/plain': 'txt',
};

// A name for its file, of letters and digits of any script.
export function fileName(title: string, type: string | undefined): string {
  const name = title
    .replace(/[^\p{L}\p{M}\p{N}]+/gu, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 60);
  return `${name || 'carnet'}.${endings[type?.split(';')[0] ?? ''] ?? 'bin'}`;
}
