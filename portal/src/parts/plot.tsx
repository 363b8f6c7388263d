// The frame that all charts share: round numbers on two axes, time running as the language is read.
// What a chart shows stands in a table behind it, so that nobody depends on seeing it.
import type { ComponentChildren } from 'preact';
import { useI18n } from '../i18n';
import { ticks } from './ticks';

export interface Place {
  x: (value: number) => number;
  y: (value: number) => number;
  end: number; // where the newest is
  isRtl: boolean;
}

export interface Tick {
  at: number;
  text: string;
}

export const WIDTH = 320;
const ABOVE = 14; // room for a number on the highest line
const BELOW = 20;
const BESIDE = 34; // for the numbers
const AFTER = 12;
const LINES_MAX = 4;

interface PlotProps {
  label: string;
  across: readonly [number, number];
  up: readonly [number, number];
  ticks: readonly Tick[]; // across
  height?: number;
  width?: number; // of the drawing; letters grow the smaller it is
  children: (place: Place) => ComponentChildren;
}

export function Plot({
  label,
  across,
  up,
  ticks: marks,
  height = 130,
  width = WIDTH,
  children,
}: PlotProps) {
  const { language, number } = useI18n();
  const [from, to] = across;
  const [low, high] = up;
  const part = (value: number) => (to > from ? (value - from) / (to - from) : 0.5);
  const inside = width - BESIDE - AFTER;
  const along = (value: number) => BESIDE + part(value) * inside;
  const x = (value: number) => (language.rtl ? width - along(value) : along(value));
  const y = (value: number) =>
    height - BELOW - (high > low ? (value - low) / (high - low) : 0.5) * (height - ABOVE - BELOW);
  const place = { x, y, end: x(to), isRtl: language.rtl };
  const lines = high > low ? ticks(low, high, LINES_MAX) : [low];
  const beside = language.rtl ? width - BESIDE + 5 : BESIDE - 5;
  return (
    <svg class="plot" viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label}>
      {lines.map((value) => (
        <g key={value}>
          <line class="plot-line" x1={x(from)} x2={x(to)} y1={y(value)} y2={y(value)} />
          {/* 'end' is where a line of text ends: at the right in every svg that reads so */}
          <text
            x={beside}
            y={y(value) + 4}
            direction="ltr"
            text-anchor={language.rtl ? 'start' : 'end'}
          >
            {number(value)}
          </text>
        </g>
      ))}
      {marks.map(({ at, text }, i) => (
        <text key={at} x={x(at)} y={height - 5} text-anchor={anchor(i, marks.length)}>
          {text}
        </text>
      ))}
      {children(place)}
    </svg>
  );
}

// The first and the last text stay within the frame. Anchors follow the direction of the text.
function anchor(i: number, n: number): 'start' | 'middle' | 'end' {
  if (n > 1 && i === 0) return 'start';
  return n > 1 && i === n - 1 ? 'end' : 'middle';
}

export function points(place: Place, list: readonly (readonly [number, number])[]): string {
  return list.map(([x, y]) => `${place.x(x).toFixed(1)},${place.y(y).toFixed(1)}`).join(' ');
}
