// What a visit's form asks for, as data: LOINC, UCUM, and what a value can be at all.
export interface Measure {
  code: string;
  display: string;
  unit: string;
  ucum: string;
  least: number;
  most: number;
  step: string;
}

export const measures: readonly Measure[] = [
  {
    code: '8310-5',
    display: 'Body temperature',
    unit: '°C',
    ucum: 'Cel',
    least: 30,
    most: 45,
    step: '0.1',
  },
  {
    code: '29463-7',
    display: 'Body weight',
    unit: 'kg',
    ucum: 'kg',
    least: 0.3,
    most: 400,
    step: '0.01',
  },
  {
    code: '8302-2',
    display: 'Body height',
    unit: 'cm',
    ucum: 'cm',
    least: 20,
    most: 260,
    step: '0.1',
  },
  {
    code: '9279-1',
    display: 'Respiratory rate',
    unit: '/min',
    ucum: '/min',
    least: 4,
    most: 120,
    step: '1',
  },
];
