// What $coverage and $use answer: counts of people, to the nearest five; null is too few to say.

export interface Part {
  id: string | null; // null: in none of the places
  name?: string;
  level?: string;
}

export interface Share {
  of: number | null;
  with: number | null;
  percent: number | null;
  step?: number;
}

export interface Indicator extends Share {
  id: string;
  programme: string;
  title: string;
  source: string;
  trend: (Share & { month: string })[];
}

interface About {
  until: string | null;
  path: Part[]; // from the outermost place to the one that was asked for
}

export interface Coverage extends About {
  people?: number | null; // absent where there is nothing to count
  ages?: string[];
  population?: Record<'female' | 'male' | 'other', (number | null)[]>;
  parts?: (Part & { people: number | null })[];
  indicators: Indicator[];
}

export interface IndicatorParts extends Indicator {
  bySex: (Share & { sex: string })[];
  byAge: (Share & { age: string })[];
  parts: (Part & Share)[];
}

export interface UseOf {
  facilities: number;
  visits: (number | null)[]; // by week, the oldest first
  reporting: number[]; // facilities, by week
  delays: (number | null)[]; // within each of delayDays, later, not said
}

export interface Use extends About, UseOf {
  delayDays: number[];
  weeks: string[];
  parts: (Part & UseOf)[];
}
