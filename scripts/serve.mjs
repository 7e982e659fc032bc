// A static file server for dist/, with the two headers that give a page threads (cross-origin isolation).
//
//   node scripts/serve.mjs [FOLDER]     dist/ when no folder is given; PORT chooses the port
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Failure, runMain } from './steps.mjs';

const DIST = fileURLToPath(new URL('../dist', import.meta.url));

/** @type {Record<string, string | undefined>} */
const TYPES = {
  '.css': 'text/css; charset=utf-8',
  '.gz': 'application/gzip', // data that the page unpacks itself: no Content-Encoding
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.mjs': 'text/javascript; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.ts': 'text/plain; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json',
  '.webp': 'image/webp',
  '.woff2': 'font/woff2',
};

const ISOLATION = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

/**
 * @typedef {object} ServeOptions
 * @property {string} [root]  folder whose files are served
 * @property {string} [base]  path under which they appear, '/' or '/somewhere/'
 * @property {boolean} [isolated]  false leaves the isolation headers out, as plain static hosts do
 */

/**
 * A server that does not listen yet.
 * @param {ServeOptions} [options]
 */
export function createStaticServer({ root = DIST, base = '/', isolated = true } = {}) {
  return createServer(async (request, response) => {
    const headers = isolated ? ISOLATION : {};
    /** @param {number} status @param {Record<string, string>} [more] */
    const answer = (status, more) => {
      response.writeHead(status, { ...headers, 'Content-Type': 'text/plain; charset=utf-8', ...more });
      response.end(request.method === 'HEAD' ? undefined : `${status}\n`);
    };
    if (request.method !== 'GET' && request.method !== 'HEAD') return answer(405, { Allow: 'GET, HEAD' });
    const [path, query] = (request.url ?? '/').split(/(?=\?)/);
    if (`${path}/` === base) return answer(302, { Location: `${base}${query ?? ''}` });
    const file = path.startsWith(base) ? fileBelow(root, path.slice(base.length)) : null;
    const info = file && (await stat(file).catch(() => null));
    if (!file || !info) return answer(404);
    if (info.isDirectory()) return answer(302, { Location: `${path}/${query ?? ''}` });

    const tag = `"${info.size.toString(36)}-${Math.trunc(info.mtimeMs).toString(36)}"`;
    const fileHeaders = {
      ...headers,
      'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream',
      'Cache-Control': 'no-cache', // keep it, but ask: the answer is a 304 while nothing changed
      'Last-Modified': info.mtime.toUTCString(),
      ETag: tag,
    };
    if (request.headers['if-none-match'] === tag) return response.writeHead(304, fileHeaders).end();
    response.writeHead(200, { ...fileHeaders, 'Content-Length': info.size });
    if (request.method === 'HEAD') return response.end();
    createReadStream(file)
      .on('error', () => response.destroy())
      .pipe(response);
  });
}

/**
 * The file that a request path names, or null where it would leave the folder or is no path at all.
 * @param {string} root
 * @param {string} path
 */
function fileBelow(root, path) {
  try {
    const decoded = decodeURIComponent(path);
    const file = join(root, decoded === '' || decoded.endsWith('/') ? `${decoded}index.html` : decoded);
    return file.startsWith(root + sep) && !file.includes('\0') ? file : null;
  } catch {
    return null; // a malformed % sequence
  }
}

/**
 * Serves on this computer only, and resolves with the address once the server listens.
 * @param {ServeOptions & { port?: number }} [options]  port 0 lets the system choose
 * @returns {Promise<{ url: string, close: () => Promise<void> }>}
 */
export async function serve({ port = 0, ...options } = {}) {
  const server = createStaticServer(options);
  await new Promise((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', () => resolve(null));
  }).catch((error) => {
    if (error.code !== 'EADDRINUSE') throw error;
    throw new Failure(`Port ${port} is in use: choose another, as in PORT=${port + 1} npm start.`);
  });
  const { port: actual } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    url: `http://localhost:${actual}${options.base ?? '/'}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The port that PORT asks for, or 5173. */
export function portFromEnvironment() {
  const text = process.env.PORT ?? '5173';
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65535) return port;
  throw new Failure(`PORT is "${text}", but must be a number from 0 to 65535.`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await runMain(async () => {
    const root = process.argv[2] ? join(process.cwd(), process.argv[2]) : DIST;
    const { url } = await serve({ root, port: portFromEnvironment() });
    console.log(`serving ${root} at ${url}`);
  });
}
