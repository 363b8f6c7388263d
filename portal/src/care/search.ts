const DAY = /^\d{4}-\d{2}-\d{2}$/;
const RECORD = /^Patient\/([A-Za-z0-9.-]{1,64})$/; // as a card's code names one without a number

// Which search a text means: a day, a card's code (system|value), a number, or words of a name.
export function searchOf(text: string): string {
  const typed = text.trim();
  const value = encodeURIComponent(typed);
  const record = RECORD.exec(typed)?.[1];
  if (DAY.test(typed)) return `birthdate=${value}`;
  if (record) return `_id=${record}`;
  if (/^\S+\|\S+$/.test(typed)) return `identifier=${value}`;
  if (/^[\d\s-]{4,}$/.test(typed))
    return `identifier=${encodeURIComponent(typed.replace(/\s/g, ''))}`;
  return typed
    .split(/\s+/)
    .map((word) => `name=${encodeURIComponent(word)}`)
    .join('&');
}

// The number that $match takes, of what was typed or read from a card.
export function identifierOf(text: string): { system?: string; value: string } {
  const typed = text.trim();
  const cut = typed.lastIndexOf('|');
  if (cut > 0) return { system: typed.slice(0, cut), value: typed.slice(cut + 1) };
  return { value: typed.replace(/\s/g, '') };
}

// Whether it is a number or a card's code, not a name or a day.
export function isNumber(text: string): boolean {
  return searchOf(text).startsWith('identifier=');
}
