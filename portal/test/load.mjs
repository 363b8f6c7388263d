// A module of src/, built as the pages are, for node.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'vite';

export async function load(path) {
  const outDir = mkdtempSync(join(tmpdir(), 'carnet-portal-'));
  try {
    await build({
      configFile: false,
      logLevel: 'error',
      build: {
        outDir,
        lib: { entry: new URL(`../src/${path}`, import.meta.url).pathname, formats: ['es'] },
        rollupOptions: { output: { entryFileNames: 'module.mjs' } },
      },
    });
    return await import(pathToFileURL(join(outDir, 'module.mjs')));
  } finally {
    rmSync(outDir, { recursive: true });
  }
}
