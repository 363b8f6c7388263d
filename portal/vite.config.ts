import { defineConfig } from 'vite';

// Relative addresses: the node may stand behind any path. CARNET_PORTAL_OUT: where what is built
// goes, outside of the source tree.
export default defineConfig({
  base: './',
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact' },
  build: {
    outDir: process.env.CARNET_PORTAL_OUT ?? '../build/portal/dist',
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rollupOptions: {
      input: { index: 'index.html', worker: 'src/offline/worker.ts' },
      output: {
        // A service worker answers for what lies beside and below it, under one name for ever.
        entryFileNames: ({ name }) => (name === 'worker' ? 'worker.js' : 'assets/[name]-[hash].js'),
      },
    },
  },
});
