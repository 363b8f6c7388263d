// What a form is made of: the part of FHIR's Questionnaire and QuestionnaireResponse that is shown.
import type { Coding, Quantity, Reference, Resource } from '../fhir/types';

export interface Extension {
  url: string;
  extension?: Extension[];
  valueCode?: string;
  valueString?: string;
  valueBoolean?: boolean;
  valueInteger?: number;
  valueDecimal?: number;
  valueDate?: string;
  valueCoding?: Coding;
}

export interface Worded {
  extension?: Extension[];
}

// An answer's value: one member, named by its type ("valueCoding").
export interface Value {
  valueBoolean?: boolean;
  valueDecimal?: number;
  valueInteger?: number;
  valueDate?: string;
  valueDateTime?: string;
  valueTime?: string;
  valueString?: string;
  valueUri?: string;
  valueCoding?: Coding & { _display?: Worded };
  valueQuantity?: Quantity & { system?: string };
  valueReference?: Reference;
}

export interface Condition {
  question: string;
  operator: 'exists' | '=' | '!=' | '>' | '<' | '>=' | '<=';
  answerBoolean?: boolean;
  answerDecimal?: number;
  answerInteger?: number;
  answerDate?: string;
  answerDateTime?: string;
  answerTime?: string;
  answerString?: string;
  answerCoding?: Coding;
  answerQuantity?: Quantity;
}

export interface Question {
  linkId: string;
  type: string;
  text?: string;
  _text?: Worded;
  prefix?: string;
  required?: boolean;
  repeats?: boolean;
  readOnly?: boolean;
  maxLength?: number;
  enableWhen?: Condition[];
  enableBehavior?: 'all' | 'any';
  answerOption?: Value[];
  answerValueSet?: string;
  initial?: Value[];
  extension?: Extension[];
  item?: Question[];
}

export interface Form extends Resource {
  resourceType: 'Questionnaire';
  url?: string;
  version?: string;
  title?: string;
  _title?: Worded;
  name?: string;
  subjectType?: string[];
  contained?: Resource[];
  item?: Question[];
}

export interface ResponseItem {
  linkId: string;
  text?: string;
  answer?: (Value & { item?: ResponseItem[] })[];
  item?: ResponseItem[];
}

export interface FormResponse extends Resource {
  resourceType: 'QuestionnaireResponse';
  questionnaire: string;
  status: 'in-progress' | 'completed';
  subject?: Reference;
  encounter?: Reference;
  author?: Reference;
  authored?: string;
  item?: ResponseItem[];
}
