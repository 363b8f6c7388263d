const DAY = /^\d{4}-\d{2}-\d{2}$/;

// Which search a text means.
export function searchOf(text: string): string {
  const typed = text.trim();
  const value = encodeURIComponent(typed);
  if (DAY.test(typed)) return `birthdate=${value}`;
  if (/^[\d\s-]{4,}$/.test(typed))
    return `identifier=${encodeURIComponent(typed.replace(/\s/g, ''))}`;
  return typed
    .split(/\s+/)
    .map((word) => `name=${encodeURIComponent(word)}`)
    .join('&');
}
