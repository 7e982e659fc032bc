// The browsers of this machine, driven through puppeteer-core: Chromium over its own protocol, Firefox over WebDriver
// BiDi. CHROMIUM and FIREFOX name other programs.
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import puppeteer from 'puppeteer-core';

/** @typedef {'chromium' | 'firefox'} BrowserName */

/** @type {BrowserName[]} */
export const BROWSERS = ['chromium', 'firefox'];

const PROGRAMS = {
  chromium: ['chromium', 'chromium-browser', 'google-chrome'],
  firefox: ['firefox-esr', 'firefox'],
};

/**
 * @param {BrowserName} name
 * @param {string} downloads folder for files that the page saves
 * @returns {Promise<import('puppeteer-core').Browser>}
 */
export async function launch(name, downloads) {
  const executablePath = programOf(name);
  if (name === 'chromium') {
    const args = ['--no-sandbox', '--disable-background-networking'];
    const downloadBehavior = /** @type {const} */ ({ policy: 'allow', downloadPath: downloads });
    return puppeteer.launch({ executablePath, args, downloadBehavior });
  }
  return puppeteer.launch({
    browser: 'firefox',
    executablePath,
    extraPrefsFirefox: {
      'browser.download.folderList': 2,
      'browser.download.dir': downloads,
      'browser.download.alwaysOpenPanel': false,
      'browser.helperApps.neverAsk.saveToDisk': 'application/octet-stream',
    },
  });
}

/** @param {BrowserName} name */
function programOf(name) {
  const given = process.env[name.toUpperCase()];
  if (given) return given;
  const folders = (process.env.PATH ?? '').split(delimiter);
  const paths = PROGRAMS[name].flatMap((program) => folders.map((folder) => join(folder, program)));
  const found = paths.find((path) => existsSync(path));
  if (!found) throw new Error(`${name} is not installed; set ${name.toUpperCase()} to its program.`);
  return found;
}
