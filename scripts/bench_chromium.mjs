// Chromium for the benchmark: a page of the project's folder, served with the isolation headers.
import { fileURLToPath } from 'node:url';
import puppeteer from 'puppeteer-core';
import { serve } from './serve.mjs';
import { Failure } from './steps.mjs';
import { findChromium } from './tools.mjs';

const PROJECT = fileURLToPath(new URL('..', import.meta.url)).replace(/[\\/]$/, '');

/** Calls what a module of the project exports, in a page.
 * @typedef {(module: string, name: string, argument: unknown) => Promise<any>} Call
 */

/**
 * @typedef {object} Chromium
 * @property {string} version
 * @property {string} url  of the project's folder
 * @property {import('puppeteer-core').Browser} browser
 * @property {() => Promise<{ call: Call, close: () => Promise<void> }>} open  a page of the project's folder
 * @property {Call} call  the same in a page of its own
 * @property {() => Promise<void>} close
 */

/** @returns {Promise<Chromium>} */
export async function openChromium() {
  const executablePath = process.env.CHROMIUM ?? findChromium();
  if (!executablePath) throw new Failure('Chromium is not installed; set CHROMIUM to its program.');
  const site = await serve({ root: PROJECT });
  const browser = await puppeteer.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-background-networking'],
    protocolTimeout: 0, // a measurement takes as long as it takes
  });
  const open = async () => {
    const page = await browser.newPage();
    await page.goto(`${site.url}dist/THIRD-PARTY-NOTICES.txt`);
    /** @type {Call} */
    const call = (module, name, argument) =>
      page.evaluate(
        `import('${site.url}${module}').then((module) => module.${name}(${JSON.stringify(argument)}))`,
      );
    return { call, close: () => page.close() };
  };
  return {
    version: await browser.version(),
    url: site.url,
    browser,
    open,
    call: async (module, name, argument) => {
      const page = await open();
      try {
        return await page.call(module, name, argument);
      } finally {
        await page.close();
      }
    },
    close: async () => {
      await browser.close();
      await site.close();
    },
  };
}
