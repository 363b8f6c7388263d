// A map of counts by place: one path a shade, however many places there are, so that a thousand
// districts cost a phone as little as ten. Shades differ in lightness alone, which no kind of colour
// blindness hides; where there is room, the number stands on its place.
import { useMemo } from 'preact/hooks';
import { useI18n } from '../i18n';
import {
  ACROSS,
  contains,
  type Frame,
  frameOf,
  middle,
  outline,
  STEPS,
  shadeOf,
  shades,
} from './outline';
import type { Place } from './places';

const NUMBERS_MAX = 40; // places, past which numbers would lie on one another

const AT_A_TIME = 100; // places between two looks at what the person does

export interface Drawing {
  frame: Frame;
  outlines: ReadonlyMap<string, string>; // by place
}

// Lays places flat, some at a time, so that a slow phone answers in between.
export async function drawPlaces(places: readonly Place[]): Promise<Drawing> {
  const frame = frameOf(places.flatMap(({ rings }) => rings));
  const outlines = new Map<string, string>();
  for (const [i, { id, rings }] of places.entries()) {
    if (i && i % AT_A_TIME === 0) await rest();
    outlines.set(id, outline(rings, frame));
  }
  return { frame, outlines };
}

function rest(): Promise<void> {
  return new Promise((done) => setTimeout(done, 0));
}

interface MapDrawingProps {
  label: string;
  drawing: Drawing;
  places: readonly Place[];
  counts: ReadonlyMap<string, number>;
  chosen: string | undefined;
  choose: (id: string | undefined) => void;
}

function Legend({ begins }: { begins: readonly number[] }) {
  const { t, number } = useI18n();
  return (
    <ul class="legend" aria-label={t('map.legend')}>
      {[0, ...begins].map((least, i) => {
        const next = begins[i];
        const most = next === undefined ? undefined : next - 1;
        const text =
          most === undefined
            ? t('map.least', { n: number(least) })
            : most === least
              ? number(least)
              : `${number(least)}–${number(most)}`;
        return (
          <li key={least}>
            <span class={`shade shade-${i}`} />
            {text}
          </li>
        );
      })}
    </ul>
  );
}

export function MapDrawing({ label, drawing, places, counts, chosen, choose }: MapDrawingProps) {
  const { number } = useI18n();
  const { frame, outlines } = drawing;
  const begins = shades(Math.max(0, ...counts.values()));
  const paths = useMemo(() => {
    const list = Array.from({ length: STEPS + 1 }, () => '');
    for (const { id } of places)
      list[shadeOf(counts.get(id) ?? 0, begins)] += outlines.get(id) ?? '';
    return list;
  }, [places, counts]);

  function tapped(e: MouseEvent & { currentTarget: SVGSVGElement }) {
    const matrix = e.currentTarget.getScreenCTM()?.inverse();
    if (!matrix) return;
    const { x, y } = new DOMPoint(e.clientX, e.clientY).matrixTransform(matrix);
    // Back to degrees: x and y are linear.
    const west = (x - frame.x(0)) / (frame.x(1000) - frame.x(0));
    const south = (y - frame.y(0)) / (frame.y(1000) - frame.y(0));
    choose(places.find(({ rings }) => contains(rings, west * 1000, south * 1000))?.id);
  }

  return (
    <figure class="map">
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: the table behind has the same, by keyboard */}
      <svg
        viewBox={`-8 -8 ${ACROSS + 16} ${frame.height + 16}`}
        role="img"
        aria-label={label}
        onClick={tapped}
      >
        {paths.map((d, i) => d && <path key={i} class={`shade-${i}`} d={d} />)}
        {chosen && <path class="map-chosen" d={outlines.get(chosen) ?? ''} />}
        {places.length <= NUMBERS_MAX &&
          places.map((place) => {
            const count = counts.get(place.id) ?? 0;
            const [x, y] = middle(place.rings, frame);
            return (
              count > 0 && (
                <text
                  key={place.id}
                  x={x}
                  y={y}
                  class={shadeOf(count, begins) > 3 ? 'on-dark' : ''}
                >
                  {number(count)}
                </text>
              )
            );
          })}
      </svg>
      <Legend begins={begins} />
    </figure>
  );
}
