import { createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addressOf, fetchAddress } from './data-address.js';

describe('an address', () => {
  let server;
  let origin;
  const options = { signal: new AbortController().signal, onProgress: () => {} };

  beforeAll(async () => {
    server = createServer((request, response) => {
      if (!['/data/some%20digits.csv', '/100%.csv'].includes(request.url))
        response.writeHead(request.url === '/busy' ? 503 : 404);
      response.end('1,2,3\n');
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    origin = `http://127.0.0.1:${server.address().port}`;
  });

  afterAll(() => server.close());

  it('begins with https, or is on this computer', () => {
    expect(addressOf(' https://example.org/a.zip ').href).toBe('https://example.org/a.zip');
    expect(addressOf('http://localhost:8000/a.zip').port).toBe('8000');
    for (const typed of [
      '',
      'a.zip',
      'http://example.org/a.zip',
      'file:///etc/hosts',
      'javascript:alert(1)',
    ]) {
      expect(() => addressOf(typed), typed).toThrow(/type one that begins with https:/);
    }
  });

  it('gives a file with the name it has there', async () => {
    const seen = [];
    const file = await fetchAddress(new URL('/data/some%20digits.csv', origin), {
      ...options,
      onProgress: (...progress) => seen.push(progress),
    });
    expect([file.name, await file.text()]).toEqual(['some digits.csv', '1,2,3\n']);
    expect(seen.at(-1)[0]).toBe(6);
  });

  it('may have a % in it', async () => {
    expect((await fetchAddress(new URL('/100%.csv', origin), options)).name).toBe('100%.csv');
  });

  it('that leads nowhere says so', async () => {
    await expect(fetchAddress(new URL('/gone.zip', origin), options)).rejects.toThrow(
      '127.0.0.1: there is no such file; check the address: /gone.zip',
    );
    await expect(fetchAddress(new URL('/busy', origin), options)).rejects.toThrow(/it answers 503/);
    await expect(fetchAddress(new URL('http://127.0.0.1:9/a.zip'), options)).rejects.toThrow(
      /does not let other pages read this file \(CORS\), or it cannot be reached/,
    );
  });

  it('can be given up', async () => {
    const controller = new AbortController();
    controller.abort();
    const url = new URL('/data/some%20digits.csv', origin);
    await expect(fetchAddress(url, { ...options, signal: controller.signal })).rejects.toMatchObject({
      name: 'AbortError',
    });
  });
});
