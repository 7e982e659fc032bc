// How much slower the machine is at the moment than at its best: other programs take their share of it, too, and no time
// can be judged without that.
import { setTimeout as sleep } from 'node:timers/promises';

const PAUSE = 50; // milliseconds
const ADDITIONS = 4e6; // some milliseconds

/**
 * Does `work`, and says how long the same few milliseconds of arithmetic took beside it, as a multiple of the shortest:
 * 1 on an idle machine.
 * @template T
 * @param {() => Promise<T>} work
 * @param {number} quantile  0.95: the time that 95 % of the samples stay below
 * @returns {Promise<{ result: T, slowness: number }>}
 */
export async function besides(work, quantile) {
  const times = [];
  let done = false;
  const working = work().finally(() => (done = true));
  while (!done) {
    times.push(addUp());
    await sleep(PAUSE);
  }
  times.sort((a, b) => a - b);
  return { result: await working, slowness: times[Math.floor(times.length * quantile)] / times[0] };
}

function addUp() {
  const begin = performance.now();
  let sum = 0;
  for (let i = 0; i < ADDITIONS; i++) sum += i;
  return sum > 0 ? performance.now() - begin : 0;
}
