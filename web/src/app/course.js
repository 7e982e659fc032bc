// A run of the page: what it was made from, and what is shown of it.
import { worstMistakes } from './evaluation.js';
import { chosenRecipe } from './recipes.js';

/** @typedef {import('./state.js').State} State */
/** @typedef {import('./state.js').Settings} Settings */
/** @typedef {import('tabgrad').Run} Run */
/**
 * @typedef {object} Course a run with what it was made from
 * @property {Run} run
 * @property {Settings} settings
 * @property {import('./recipes.js').Recipe} chosen the recipe before settings and data were filled in
 * @property {boolean} asWritten it was not fitted to the data
 * @property {import('./data-shelf.js').Sets | null} sets null: it came from a file and was given no data yet
 * @property {Uint8Array | null} bytes of that file, until then
 * @property {string[]} classes
 * @property {[min: number, max: number] | null} range of the values it learned from; null: not known
 * @property {number} epochs to train in all
 * @property {boolean} followed run.train() is being iterated
 * @property {boolean} stopping a person asked for the end
 */

const WORST_MISTAKES = 24;

/**
 * What the page shows of an evaluation.
 * @param {import('tabgrad').Evaluation} result
 * @param {import('tabgrad').Dataset} data
 * @param {string[]} classes
 * @returns {Promise<State['evaluation']>} null where the target is no class
 */
export async function digest(result, data, classes) {
  const { loss, accuracy, count, confusion, perClass, confused, predicted, losses } = result;
  if (accuracy === null || !confusion || !perClass || !confused || !predicted || !losses) return null;
  const mistakes = await worstMistakes({ predicted, losses }, data, WORST_MISTAKES);
  return { loss, accuracy, count, confusion, perClass, confused, classes, mistakes };
}

/** What a page without a run shows. */
export const FRESH = /** @type {const} */ ({
  phase: 'idle',
  activity: '',
  error: '',
  progress: null,
  evaluation: null,
  psnr: null,
  weights: null,
});

/**
 * @param {Run} run
 * @param {State} state whose settings and recipe it has
 * @param {string[]} classes
 * @returns {Course}
 */
export function newCourse(run, state, classes) {
  const { settings, asWritten } = state;
  const { epochs } = settings;
  const chosen = chosenRecipe(state);
  return {
    run,
    settings,
    chosen,
    asWritten,
    sets: null,
    bytes: null,
    classes,
    range: state.data.range,
    epochs,
    followed: false,
    stopping: false,
  };
}

/**
 * What the page shows of a report, or of where a loaded run stands.
 * @param {Run['progress']} report
 * @param {number} epochs
 * @param {{ samplesPerSecond: number, secondsLeft: number | null }} [pace]
 * @returns {State['progress']}
 */
export function shown(
  report,
  epochs,
  { samplesPerSecond, secondsLeft } = { samplesPerSecond: 0, secondsLeft: null },
) {
  const { epoch, step, stepsPerEpoch, loss, accuracy } = report;
  return { epoch, epochs, step, stepsPerEpoch, loss, accuracy, samplesPerSecond, secondsLeft };
}
