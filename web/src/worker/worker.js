// The worker: a Server between two message ports, in a browser or in Node.
import { nodeModule } from '../shared/environment.js';
import { Server } from './server.js';

/** @typedef {{ postMessage: (message: unknown, transfer?: Transferable[]) => void }} Port */

const parent = nodeModule('node:worker_threads')?.parentPort;
const port = /** @type {Port} */ (parent ?? globalThis);
const server = new Server((message, transfer = []) => port.postMessage(message, transfer));

if (parent) parent.on('message', (/** @type {any} */ request) => server.receive(request));
else globalThis.onmessage = ({ data }) => server.receive(data);
port.postMessage({ type: 'loaded' });
