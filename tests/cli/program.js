// The command line program as people run it, and a small task for it: which quarter of a picture is bright?
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const project = fileURLToPath(new URL('../..', import.meta.url));
export const native = join(project, 'build/native/tabgrad');

/**
 * @typedef {object} Outcome
 * @property {number | null} status
 * @property {string} stdout
 * @property {string} stderr
 * @property {any[]} lines what stdout says, line by line, where the program was asked for JSON
 */

/**
 * Runs the program in the project's folder. `watch` sees the process and its output while it runs; `stdout` is a file
 * that the output goes to instead.
 * @param {string[]} args
 * @param {{ program?: string, watch?: (child: import('node:child_process').ChildProcess, stdout: string) => void, stdout?: number }} [options]
 * @returns {Promise<Outcome>}
 */
export function tabgrad(args, { program = native, watch, stdout: file } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: project, stdio: ['ignore', file ?? 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout?.on('data', (chunk) => {
      stdout += chunk;
      watch?.(child, stdout);
    });
    child.stderr?.on('data', (chunk) => {
      stderr += chunk;
    });
    child.on('error', reject);
    child.on('close', (status) => {
      const json = args.includes('--json') && status === 0;
      const lines = json
        ? stdout
            .trimEnd()
            .split('\n')
            .map((line) => JSON.parse(line))
        : [];
      resolve({ status, stdout, stderr, lines });
    });
  });
}

/** A folder that is gone after the tests of a file. */
export function makeFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'tabgrad-cli-'));
  return {
    /** @param {string} name */
    path: (name) => join(folder, name),
    /** @param {string} name @param {string | Uint8Array | object} content objects become JSON */
    write(name, content) {
      const plain = typeof content === 'string' || content instanceof Uint8Array;
      writeFileSync(join(folder, name), plain ? content : JSON.stringify(content));
      return join(folder, name);
    },
    remove: () => rmSync(folder, { recursive: true }),
  };
}

/** An IDX file of bytes. @param {number[]} shape @param {ArrayLike<number>} bytes */
export function idx(shape, bytes) {
  const file = Buffer.alloc(4 + 4 * shape.length + bytes.length);
  file.set([0, 0, 8, shape.length]);
  for (const [i, size] of shape.entries()) file.writeUInt32BE(size, 4 + 4 * i);
  file.set(Uint8Array.from(bytes), 4 + 4 * shape.length);
  return file;
}

/** Pictures of 8x8 with one bright quarter, and which. @param {number} count @param {number} seed */
export function quarters(count, seed) {
  const labels = new Uint8Array(count);
  const pixels = new Uint8Array(count * 64);
  let state = seed;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  for (let i = 0; i < count; i++) {
    labels[i] = i % 4;
    for (let y = 0; y < 8; y++) {
      for (let x = 0; x < 8; x++) {
        const bright = 2 * Number(y >= 4) + Number(x >= 4) === labels[i];
        pixels[64 * i + 8 * y + x] = 200 * random() + (bright ? 55 : 0);
      }
    }
  }
  return { images: idx([count, 8, 8], pixels), labels: idx([count], labels) };
}

/** @param {object} [changes] top-level keys instead of these */
export function quartersRecipe(changes) {
  return {
    tabgrad: 1,
    name: 'quarters',
    preprocess: [{ type: 'rescale', divide: 255 }, { type: 'standardize' }],
    model: {
      input: [8, 8, 1],
      layers: [
        { type: 'conv2d', filters: 4, kernel: 3, padding: 'same' },
        { type: 'relu' },
        { type: 'max_pool2d', size: 2 },
        { type: 'flatten' },
        { type: 'dense', units: 4 },
      ],
    },
    loss: 'cross_entropy',
    optimizer: { type: 'adam', learning_rate: 0.01 },
    batch_size: 16,
    epochs: 4,
    seed: 3,
    ...changes,
  };
}
