// The little of FHIR R4 that these pages read and write.

export interface Coding {
  system?: string;
  code?: string;
  display?: string;
}

export interface CodeableConcept {
  coding?: Coding[];
  text?: string;
}

export interface Reference {
  reference?: string;
  display?: string;
}

export interface Quantity {
  value?: number;
  unit?: string;
  code?: string;
}

export interface Period {
  start?: string;
  end?: string;
}

export interface HumanName {
  use?: string;
  text?: string;
  family?: string;
  given?: string[];
}

export interface Identifier {
  use?: string;
  system?: string;
  value?: string;
}

export interface Resource {
  resourceType: string;
  id?: string;
  meta?: { versionId?: string; lastUpdated?: string };
}

export interface Patient extends Resource {
  resourceType: 'Patient';
  identifier?: Identifier[];
  name?: HumanName[];
  gender?: string;
  birthDate?: string;
  deceasedBoolean?: boolean;
  deceasedDateTime?: string;
  address?: { text?: string; line?: string[]; city?: string; district?: string }[];
  telecom?: { system?: string; value?: string }[];
}

export interface Person extends Resource {
  resourceType: 'Person';
  active?: boolean;
  link?: { target: Reference; assurance?: string }[];
}

export interface Named extends Resource {
  name?: string | HumanName[];
}

export interface Encounter extends Resource {
  resourceType: 'Encounter';
  status?: string;
  type?: CodeableConcept[];
  period?: Period;
  participant?: { individual?: Reference }[];
  serviceProvider?: Reference;
  location?: { location?: Reference }[];
}

export interface Condition extends Resource {
  resourceType: 'Condition';
  clinicalStatus?: CodeableConcept;
  code?: CodeableConcept;
  encounter?: Reference;
  onsetDateTime?: string;
  abatementDateTime?: string;
  recordedDate?: string;
}

export interface Observation extends Resource {
  resourceType: 'Observation';
  code?: CodeableConcept;
  encounter?: Reference;
  effectiveDateTime?: string;
  valueQuantity?: Quantity;
  valueCodeableConcept?: CodeableConcept;
  valueDateTime?: string;
  valueString?: string;
  component?: { code?: CodeableConcept; valueQuantity?: Quantity }[];
}

export interface MedicationRequest extends Resource {
  resourceType: 'MedicationRequest';
  status?: string;
  medicationCodeableConcept?: CodeableConcept;
  encounter?: Reference;
  authoredOn?: string;
  dosageInstruction?: { text?: string }[];
}

export interface AllergyIntolerance extends Resource {
  resourceType: 'AllergyIntolerance';
  code?: CodeableConcept;
  clinicalStatus?: CodeableConcept;
}

export interface Immunization extends Resource {
  resourceType: 'Immunization';
  status?: string;
  patient?: Reference;
  vaccineCode?: CodeableConcept;
  encounter?: Reference;
  occurrenceDateTime?: string;
  lotNumber?: string;
  protocolApplied?: { doseNumberPositiveInt?: number }[];
}

export interface Appointment extends Resource {
  resourceType: 'Appointment';
  status?: string;
  description?: string;
  serviceType?: CodeableConcept[];
  start?: string;
  end?: string;
}

export interface Attachment {
  contentType?: string;
  data?: string; // base64
  url?: string;
  title?: string;
  creation?: string;
}

export interface DocumentReference extends Resource {
  resourceType: 'DocumentReference';
  status?: string;
  type?: CodeableConcept;
  description?: string;
  date?: string;
  content?: { attachment?: Attachment }[];
}

export interface DiagnosticReport extends Resource {
  resourceType: 'DiagnosticReport';
  code?: CodeableConcept;
  effectiveDateTime?: string;
  issued?: string;
  presentedForm?: Attachment[];
}

export interface Provision {
  type: 'permit' | 'deny';
  purpose?: Coding[];
  securityLabel?: Coding[];
  provision?: Provision[];
}

export interface Consent extends Resource {
  resourceType: 'Consent';
  status: string;
  scope: CodeableConcept;
  category: CodeableConcept[];
  patient: Reference;
  dateTime?: string;
  performer?: Reference[];
  policyRule?: CodeableConcept;
  policy?: { uri: string }[];
  sourceReference?: Reference;
  provision?: Provision;
}

export interface AuditEvent extends Resource {
  resourceType: 'AuditEvent';
  recorded: string;
  action?: string;
  outcome?: string;
  subtype?: Coding[];
  entity?: { what?: Reference }[];
  agent: {
    requestor: boolean;
    role?: CodeableConcept[];
    who?: { identifier?: { value?: string } };
    name?: string;
    purposeOfUse?: CodeableConcept[];
  }[];
}

export interface Task extends Resource {
  resourceType: 'Task';
  status: string;
  statusReason?: CodeableConcept;
  description?: string;
  focus?: Reference;
  for?: Reference;
  requester?: Reference;
  owner?: Reference;
  reasonCode?: CodeableConcept;
  authoredOn?: string;
  lastModified?: string;
  executionPeriod?: Period;
  note?: { text: string; time?: string }[];
  output?: { type: CodeableConcept; valueCode?: string }[];
}

export interface ValueSet extends Resource {
  resourceType: 'ValueSet';
  expansion?: { total?: number; contains?: Coding[] };
}

export interface Parameter {
  name: string;
  valueString?: string;
  valueCode?: string;
  valueBoolean?: boolean;
  valueDecimal?: number;
  valueInstant?: string;
  valueInteger?: number;
  valueCoding?: Coding;
  valueReference?: Reference;
  resource?: unknown;
  part?: Parameter[];
}

export interface Parameters extends Resource {
  resourceType: 'Parameters';
  parameter?: Parameter[];
}

export interface Bundle<T extends Resource = Resource> extends Resource {
  resourceType: 'Bundle';
  total?: number;
  link?: { relation: string; url: string }[];
  entry?: {
    resource?: T;
    fullUrl?: string;
    search?: { mode?: string; extension?: { url: string; valueCode?: string }[] };
  }[];
}
