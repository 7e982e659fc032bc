import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

export default defineConfig({
  root: fileURLToPath(new URL('web', import.meta.url)),
  base: './', // the page works under any path
  build: {
    outDir: '../dist',
    emptyOutDir: false, // the library, WebAssembly and data beside it come from scripts/site.mjs
    target: 'es2022',
    modulePreload: false, // what is loaded later comes in one file each
    rolldownOptions: {
      external: ['tabgrad'], // the library is built apart: its worker and the WebAssembly glue stay as they are
      output: { paths: { tabgrad: '../tabgrad.js' } }, // as seen from assets/
    },
  },
});
