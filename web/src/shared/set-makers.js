// Train and test set come into being together: from the same files, the same split, the same kept file. Each must be
// there again after the worker died, without doing the work twice, and even when the other was closed meanwhile.
/** @typedef {import('./connection.js').Connection} Connection */
/** @typedef {import('./dataset-client.js').DatasetMaker} DatasetMaker */
/** @typedef {import('./protocol.js').DatasetFacts} DatasetFacts */
/** @typedef {import('./supervisor.js').Supervisor} Supervisor */
/** @typedef {Pick<Connection, 'request'>} Worker */
/** @typedef {{ train: number, test: number }} SetIds */
/** @typedef {{ train: number | null, test: number | null }} WantedIds  null: nobody wants that one any more */
/** @typedef {{ train: DatasetFacts, test: DatasetFacts | null }} MadeSets */

/**
 * @param {Supervisor} supervisor
 * @param {SetIds} ids
 * @param {(worker: Worker, wanted: WantedIds) => Promise<MadeSets>} make
 * @returns {{ train: DatasetMaker, test: DatasetMaker }}
 */
export function makersOfTwo(supervisor, ids, make) {
  /** @type {WeakMap<Worker, Promise<MadeSets>>} */
  const made = new WeakMap();
  /** @param {Worker} worker */
  function makeOnce(worker) {
    const wanted = (/** @type {number} */ id) => (supervisor.holds(id) ? id : null);
    const sets = made.get(worker) ?? make(worker, { train: wanted(ids.train), test: wanted(ids.test) });
    made.set(worker, sets);
    return sets;
  }
  return {
    train: async (worker, isLent) =>
      (await (isLent ? make(worker, { train: ids.train, test: null }) : makeOnce(worker))).train,
    test: async (worker, isLent) => {
      const { test } = await (isLent ? make(worker, { train: null, test: ids.test }) : makeOnce(worker));
      return /** @type {DatasetFacts} */ (test);
    },
  };
}
