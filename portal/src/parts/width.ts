// How wide a chart is drawn: letters keep their size on a phone and on a desk.
import { useEffect, useState } from 'preact/hooks';

export const NARROW = 320;
export const WIDE = 760;
const IS_WIDE = '(min-width: 56rem)';

export function useWidth(): number {
  const [isWide, setWide] = useState(() => matchMedia(IS_WIDE).matches);
  useEffect(() => {
    const list = matchMedia(IS_WIDE);
    const changed = () => setWide(list.matches);
    list.addEventListener('change', changed);
    return () => list.removeEventListener('change', changed);
  }, []);
  return isWide ? WIDE : NARROW;
}
