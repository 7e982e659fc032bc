// In a page: runs a micro-benchmark that was built as WebAssembly, in a worker, where it may wait for its threads.

/**
 * @param {{ glue: string, threads: number }} job  glue: the program's path in the project
 * @returns {Promise<{ status: number, lines: string[] }>} lines: what it printed
 */
export function runProgram({ glue, threads }) {
  const worker = new Worker(new URL('bench_micro_worker.mjs', import.meta.url), { type: 'module' });
  return new Promise((resolve, reject) => {
    worker.onerror = ({ message }) => reject(new Error(message));
    worker.onmessage = ({ data }) => {
      worker.terminate();
      resolve(data);
    };
    worker.postMessage({ glueUrl: new URL(`../${glue}`, import.meta.url).href, threads });
  });
}
