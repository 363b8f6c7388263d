// Borders as lines of an SVG: GeoJSON polygons (RFC 7946), laid flat. Pure.
export type Ring = readonly (readonly [number, number])[]; // longitude, latitude

export const ACROSS = 2000; // units of the map's width; whole ones are fine enough

interface Shape {
  type: string;
  coordinates: unknown;
}

// Of a boundary's base64; nothing where it is no polygon.
export function ringsOf(base64: string): Ring[] {
  let shape: Shape;
  try {
    shape = JSON.parse(atob(base64));
  } catch {
    return [];
  }
  if (shape.type === 'Polygon') return shape.coordinates as Ring[];
  if (shape.type === 'MultiPolygon') return (shape.coordinates as Ring[][]).flat();
  return [];
}

export interface Frame {
  height: number; // of ACROSS
  x: (longitude: number) => number;
  y: (latitude: number) => number;
}

// Around all rings; degrees of longitude are as wide as they are at the middle latitude.
export function frameOf(rings: readonly Ring[]): Frame {
  let [west, east, south, north] = [180, -180, 90, -90];
  for (const ring of rings)
    for (const [longitude, latitude] of ring) {
      west = Math.min(west, longitude);
      east = Math.max(east, longitude);
      south = Math.min(south, latitude);
      north = Math.max(north, latitude);
    }
  const narrow = Math.cos((((south + north) / 2) * Math.PI) / 180);
  const scale = ACROSS / Math.max((east - west) * narrow, 1e-6);
  return {
    height: Math.max(1, Math.ceil((north - south) * scale)),
    x: (longitude) => Math.round((longitude - west) * narrow * scale),
    y: (latitude) => Math.round((north - latitude) * scale),
  };
}

// In whole units, each point told from the one before: short, and neighbours still meet.
export function outline(rings: readonly Ring[], frame: Frame): string {
  let text = '';
  for (const ring of rings) {
    let [px, py] = [0, 0];
    ring.forEach(([longitude, latitude], i) => {
      const [x, y] = [frame.x(longitude), frame.y(latitude)];
      if (i && x === px && y === py) return;
      text += i ? `l${x - px} ${y - py}` : `M${x} ${y}`;
      [px, py] = [x, y];
    });
    text += 'z';
  }
  return text;
}

// Whether a point is inside: of an odd number of borders on its way out.
export function contains(rings: readonly Ring[], longitude: number, latitude: number): boolean {
  let isInside = false;
  for (const ring of rings)
    for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
      const [ax, ay] = ring[i] ?? [0, 0];
      const [bx, by] = ring[j] ?? [0, 0];
      if (
        ay > latitude !== by > latitude &&
        longitude < ((bx - ax) * (latitude - ay)) / (by - ay) + ax
      )
        isInside = !isInside;
    }
  return isInside;
}

// Where a number stands: the middle of the outer border's extent.
export function middle(rings: readonly Ring[], frame: Frame): readonly [number, number] {
  const ring = rings[0] ?? [];
  const xs = ring.map(([longitude]) => frame.x(longitude));
  const ys = ring.map(([, latitude]) => frame.y(latitude));
  return [(Math.min(...xs) + Math.max(...xs)) / 2, (Math.min(...ys) + Math.max(...ys)) / 2];
}

export const STEPS = 5; // shades, past "none"

// Where each shade begins: 1 first, then as far apart as the largest count needs.
export function shades(most: number): number[] {
  const list = [1];
  for (let i = 1; i < STEPS; i++) {
    const next = Math.ceil(most ** (i / STEPS)) || 1;
    if (next > (list.at(-1) ?? 0)) list.push(next);
  }
  return list;
}

export function shadeOf(count: number, begins: readonly number[]): number {
  return begins.filter((least) => count >= least).length;
}
