// Round numbers for an axis: steps of 1, 2 or 5 times a power of ten. Pure.

export function ticks(low: number, high: number, most: number): number[] {
  const span = high > low ? high - low : Math.max(Math.abs(high), 1);
  const power = 10 ** Math.floor(Math.log10(span / most));
  const step = [1, 2, 5, 10].map((n) => n * power).find((n) => span / n <= most) ?? 10 * power;
  const list: number[] = [];
  // Counted in steps, so that no error of a sum grows along the way.
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++)
    list.push(Number((i * step).toPrecision(12)));
  return list;
}
