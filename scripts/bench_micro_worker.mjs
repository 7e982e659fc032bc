// Runs one program to its end and posts its status and what it printed.
/** @param {MessageEvent<{ glueUrl: string, threads: number }>} message */
globalThis.onmessage = async ({ data: { glueUrl, threads } }) => {
  const { default: createModule } = await import(glueUrl);
  /** @type {string[]} */
  const lines = [];
  createModule({
    arguments: [`${threads}`],
    poolSize: threads - 1,
    print: (/** @type {string} */ line) => lines.push(line),
    onExit: (/** @type {number} */ status) => postMessage({ status, lines }),
  });
};
