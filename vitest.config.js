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
          include: ['web/src/**/*.test.js', 'scripts/**/*.test.js', 'tests/library/**/*.test.js'],
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
