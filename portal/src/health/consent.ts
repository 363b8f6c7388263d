// A person's consent as three sentences that hold or do not, and the one Consent that says them
// (docs/formats/policy.md: a rule, and exceptions to it). Pure.
import type { Coding, Consent, Provision } from '../fhir/types';

export interface Choices {
  care: boolean; // people who care for me see my record
  emergency: boolean; // in an emergency others may, too
  sensitive: boolean; // those who care for me also see what is sensitive
}

// What the built-in policy takes a person who said nothing to have said.
export const unspoken: Choices = { care: true, emergency: true, sensitive: false };

const ACT_REASON = 'http://terminology.hl7.org/CodeSystem/v3-ActReason';
const ACT_CODE = 'http://terminology.hl7.org/CodeSystem/v3-ActCode';
const CONFIDENTIALITY = 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality';

const emergency: Coding[] = [{ system: ACT_REASON, code: 'BTG' }];
const sensitive: Coding[] = [
  { system: CONFIDENTIALITY, code: 'R' },
  { system: CONFIDENTIALITY, code: 'V' },
  ...['ETH', 'ETHUD', 'OPIOIDUD', 'PSY', 'SDV', 'HIV'].map((code) => ({ system: ACT_CODE, code })),
];

export function provisionOf(choices: Choices): Provision {
  const exceptions: Provision[] = [];
  if (choices.care !== choices.emergency)
    exceptions.push({ type: choices.emergency ? 'permit' : 'deny', purpose: emergency });
  if (choices.care && choices.sensitive)
    exceptions.push({ type: 'permit', securityLabel: sensitive });
  return {
    type: choices.care ? 'permit' : 'deny',
    ...(exceptions.length ? { provision: exceptions } : {}),
  };
}

// The choices that a Consent stands for; undefined where it says something that these sentences
// cannot.
export function choicesOf(consent: Consent): Choices | undefined {
  const candidates: Choices[] = [];
  for (const care of [true, false])
    for (const emergency of [true, false])
      for (const sensitive of [true, false]) candidates.push({ care, emergency, sensitive });
  const said = JSON.stringify(normal(consent.provision));
  return candidates.find((one) => JSON.stringify(normal(provisionOf(one))) === said);
}

function normal(provision: Provision | undefined): unknown {
  if (!provision) return undefined;
  const { provision: exceptions, ...rest } = provision;
  const codes = (list: Coding[] | undefined) => list?.map((coding) => coding.code).sort();
  return {
    ...rest,
    purpose: codes(rest.purpose),
    securityLabel: codes(rest.securityLabel),
    exceptions: exceptions?.map(normal),
  };
}

export function consentOf(choices: Choices, patient: string, now: Date, before?: Consent): Consent {
  return {
    ...before,
    resourceType: 'Consent',
    status: 'active',
    scope: {
      coding: [
        { system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'patient-privacy' },
      ],
    },
    category: [{ coding: [{ system: 'http://loinc.org', code: '59284-0' }] }],
    patient: { reference: `Patient/${patient}` },
    performer: [{ reference: `Patient/${patient}` }],
    dateTime: now.toISOString(),
    policyRule: { coding: [{ system: ACT_CODE, code: 'OPTIN' }] },
    provision: provisionOf(choices),
  };
}
