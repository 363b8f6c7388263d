// How long the npm package fhirpath takes, measured as path_bench.c does: peer.mjs SECONDS < CASES
import { createInterface } from 'node:readline';
import fhirpath from 'fhirpath';
import r4 from 'fhirpath/fhir-context/r4/index.js';

const LOOK_US = 2000; // between two looks at the clock, which costs a system call
const limit = Number(process.argv[2]) * 1e6;

// Microseconds of the processor.
function now() {
  const { user, system } = process.cpuUsage();
  return user + system;
}

for await (const line of createInterface({ input: process.stdin })) {
  const { expression, resource } = JSON.parse(line);
  const evaluate = fhirpath.compile(expression, r4);
  // Until the just-in-time compiler has done what it will.
  const warm = now();
  let result;
  while (now() - warm < limit) result = evaluate(resource, { resource });
  const began = now();
  let runs = 0, took = 0, atOnce = 1;
  while (took < limit) {
    const before = took;
    for (let i = 0; i < atOnce; i++) evaluate(resource, { resource });
    runs += atOnce;
    took = now() - began;
    if (took - before < LOOK_US) atOnce *= 2;
  }
  console.log(`${((took * 1000) / runs).toFixed(1)}\t${result.length}`);
}
