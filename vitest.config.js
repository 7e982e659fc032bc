import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** @param {string} path */
const here = (path) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  // Tests use the library as built, with its real worker and WebAssembly.
  resolve: { alias: { tabgrad: here('dist/tabgrad.js') } },
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['{scripts,tests,web/src}/**/*.test.js'],
          exclude: ['tests/e2e/**'],
          testTimeout: 60_000, // some train
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['tests/e2e/**/*.test.js'],
          fileParallelism: false, // browsers that train compete for the same cores
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
