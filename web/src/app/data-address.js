// Files from an address that a person typed: the only requests that leave the page's own site.

/**
 * @param {string} typed
 * @returns {URL}
 */
export function addressOf(typed) {
  const url = URL.canParse(typed.trim()) ? new URL(typed.trim()) : null;
  const isLocal = url?.protocol === 'http:' && ['localhost', '127.0.0.1'].includes(url.hostname);
  if (!url || (url.protocol !== 'https:' && !isLocal)) {
    throw new Error(`address: "${typed.trim()}" is none; type one that begins with https://`);
  }
  return url;
}

/**
 * @param {URL} url
 * @param {{ signal: AbortSignal, onProgress: (done: number, total: number) => void }} options bytes; total 0: not said
 * @returns {Promise<File>}
 */
export async function fetchAddress(url, { signal, onProgress }) {
  const name = decoded(url.pathname.slice(url.pathname.lastIndexOf('/') + 1)) || url.hostname;
  const response = await fetch(url, { signal, credentials: 'omit', referrerPolicy: 'no-referrer' }).catch(
    (error) => {
      if (signal.aborted) throw error;
      throw new Error(
        `${url.hostname}: it does not let other pages read this file (CORS), or it cannot be reached; ` +
          'download the file there and drop it here',
      );
    },
  );
  if (!response.ok || !response.body) {
    const what = response.status === 404 ? 'there is no such file' : `it answers ${response.status}`;
    throw new Error(`${url.hostname}: ${what}; check the address: ${url.pathname}`);
  }
  return new File(await readAll(response, onProgress), name);
}

/**
 * @param {Response} response
 * @param {(done: number, total: number) => void} onProgress
 */
async function readAll(response, onProgress) {
  const packed = response.headers.has('content-encoding'); // then the length is not that of what arrives
  const total = packed ? 0 : Number(response.headers.get('content-length') ?? 0);
  const reader = /** @type {ReadableStream<Uint8Array<ArrayBuffer>>} */ (response.body).getReader();
  const chunks = [];
  let done = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    chunks.push(part.value);
    done += part.value.length;
    onProgress(done, total);
  }
  return chunks;
}

/** @param {string} part of an address, in which a % need not begin a character */
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
