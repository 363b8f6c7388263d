// The places that have borders, from the country down, and their outlines as a map draws them.
import type { Client } from '../fhir/client';
import type { Bundle, CodeableConcept, Reference, Resource } from '../fhir/types';
import { type Ring, ringsOf } from './outline';

const PAGE = 100; // of places: reading more at once would hold a slow phone up
const DEPTH_MAX = 6;
const PLACES_MAX = 5000;
const BOUNDARY = 'http://hl7.org/fhir/StructureDefinition/location-boundary-geojson';

interface LocationResource extends Resource {
  resourceType: 'Location';
  name?: string;
  type?: CodeableConcept[];
  partOf?: Reference;
  extension?: { url: string; valueAttachment?: { data?: string } }[];
}

export interface Place {
  id: string;
  name: string;
  level: string; // as $series asks for it: "District"
  within?: string; // id
  rings: readonly Ring[];
}

export interface Places {
  list: readonly Place[]; // the outer ones first
  byId: ReadonlyMap<string, Place>;
  levels: readonly string[]; // the outer ones first
  isCut: boolean; // there are more than PLACES_MAX
}

function read(resource: LocationResource): Place {
  const type = resource.type?.[0];
  const data = resource.extension?.find(({ url }) => url === BOUNDARY)?.valueAttachment?.data;
  const within = resource.partOf?.reference?.split('/').at(-1);
  return {
    id: resource.id ?? '',
    name: resource.name ?? '',
    level: type?.text ?? type?.coding?.[0]?.display ?? '',
    ...(within ? { within } : {}),
    rings: data ? ringsOf(data) : [],
  };
}

// Places so many steps below those that are part of nothing. False where those have no borders:
// they are facilities, and what follows them has none either.
async function level(client: Client, depth: number, list: Place[]): Promise<boolean> {
  const chain = 'partof.'.repeat(depth);
  let next: string | undefined =
    `Location?${chain}partof:missing=true&_elements=name,type,partOf,extension&_count=${PAGE}`;
  for (let page = 0; next && list.length < PLACES_MAX; page++) {
    const bundle: Bundle<LocationResource> = await client.get(next);
    const places = (bundle.entry ?? []).flatMap(({ resource }) => (resource ? read(resource) : []));
    const bordered = places.filter(({ rings }) => rings.length > 0);
    if (page === 0 && depth > 0 && bordered.length === 0) return false;
    list.push(...bordered);
    next = bundle.link?.find(({ relation }) => relation === 'next')?.url;
  }
  return true;
}

async function load(client: Client): Promise<Places> {
  const list: Place[] = [];
  for (let depth = 0; depth < DEPTH_MAX && list.length < PLACES_MAX; depth++)
    if (!(await level(client, depth, list))) break;
  return {
    list,
    byId: new Map(list.map((place) => [place.id, place])),
    levels: [...new Set(list.map((place) => place.level))],
    isCut: list.length >= PLACES_MAX,
  };
}

let kept: { client: Client; places: Promise<Places> } | undefined;

// Read once as long as somebody is signed in: borders hardly move.
export function loadPlaces(client: Client): Promise<Places> {
  if (kept?.client !== client) {
    const places = load(client);
    kept = { client, places };
    places.catch(() => {
      kept = undefined; // the next one tries again
    });
  }
  return kept.places;
}
