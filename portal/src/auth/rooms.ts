// The portal's rooms: each asks for what its pages need, and no more.

export type Room =
  | 'health'
  | 'family'
  | 'care'
  | 'watch'
  | 'steward'
  | 'privacy'
  | 'country'
  | 'research'
  | 'operate';

const identity = 'openid fhirUser profile';

export const scopes: Readonly<Record<Room, string>> = {
  health: `${identity} launch/patient patient/*.rs patient/Consent.cu`,
  family: `${identity} user/*.rs user/Consent.cu`,
  care: `${identity} user/*.cruds`,
  watch: `${identity} user/*.rs user/Task.u`,
  steward: `${identity} user/*.rs`,
  privacy: `${identity} user/*.rs user/Task.u`,
  country: `${identity} user/*.rs`,
  research: identity,
  operate: `${identity} user/*.rs`,
};

// Where each role of an account begins.
const roomOfRole: Readonly<Record<string, Room>> = {
  patient: 'health',
  guardian: 'family',
  worker: 'care',
  epidemiologist: 'watch',
  steward: 'steward',
  privacy: 'privacy',
  ministry: 'country',
  researcher: 'research',
  operator: 'operate',
};

export function isRoom(name: string | undefined): name is Room {
  return name !== undefined && name in scopes;
}

export function roomFor(role: string | undefined): Room {
  return roomOfRole[role ?? ''] ?? 'health';
}
