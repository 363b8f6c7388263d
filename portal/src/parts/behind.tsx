// The table behind a chart or map: made when it is opened, some rows at a time, so that a thousand
// places do not hold a page up.
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { useI18n } from '../i18n';

const ROWS = 60;

interface BehindProps {
  caption: string;
  columns: readonly string[];
  length: number;
  row: (i: number) => { key: string; cells: readonly ComponentChildren[] };
}

function Table({ caption, columns, length, row }: BehindProps) {
  const { t } = useI18n();
  const [shown, setShown] = useState(ROWS);
  const rows = Array.from({ length: Math.min(shown, length) }, (_, i) => row(i));
  return (
    <>
      <table class="behind">
        <caption class="unseen">{caption}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column} scope="col">
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ key, cells }) => (
            <tr key={key}>
              {cells.map((cell, i) => (
                <td key={columns[i]}>{cell}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {shown < length && (
        <button type="button" class="button plain" onClick={() => setShown(shown + ROWS)}>
          {t('table.more')}
        </button>
      )}
    </>
  );
}

export function Behind(props: BehindProps) {
  const { t } = useI18n();
  const [isOpen, setOpen] = useState(false);
  return (
    <details onToggle={(e) => setOpen(e.currentTarget.open)}>
      <summary>{t('trend.table')}</summary>
      {isOpen && <Table {...props} />}
    </details>
  );
}
