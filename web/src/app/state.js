// Everything the page shows, in one object. The session changes it, the elements read it.

/**
 * @typedef {Awaited<ReturnType<import('tabgrad').createEngine>>} Engine
 * @typedef {import('tabgrad').Summary} Summary
 *
 * @typedef {'idle' | 'loading' | 'training' | 'paused' | 'stopped' | 'done' | 'error'} Phase
 *
 * @typedef {object} Settings what a person may change in a recipe
 * @property {string} recipe file name without .json
 * @property {number} epochs
 * @property {number} batchSize
 * @property {number} learningRate
 * @property {number} seed
 *
 * @typedef {object} Loaded a data set as the Data panel shows it
 * @property {string} title
 * @property {string} name as in a recipe's data.dataset
 * @property {string} opened what a person would call the files it came in, or ''
 * @property {number} train number of training samples, 0 before they are fetched
 * @property {number} test number of test samples
 * @property {number[]} shape
 * @property {string[]} classes
 * @property {[min: number, max: number] | null} range of the values; null: not looked at yet
 *
 * @typedef {object} Opening what is being read, and how far it has come
 * @property {string} stage in a word or two
 * @property {string} name of the file
 * @property {number} done
 * @property {number} total 0: not known
 * @property {'bytes'} [unit] of both; without it they only say which part is done
 *
 * @typedef {object} Draft the recipe that Train would train, as the Model panel shows it
 * @property {import('./recipes.js').Recipe} recipe
 * @property {import('./recipes.js').Recipe | null} filled with every default, of the last recipe that was sound
 * @property {string | null} typed text in the place of the recipe while a person types
 * @property {boolean} unreadable that text is no JSON
 * @property {{ layer: number | null, message: string } | null} problem of the recipe, and the layer it names
 *
 * @typedef {object} Progress the newest report of a run
 * @property {number} epoch finished epochs
 * @property {number} epochs wanted in all
 * @property {number} step
 * @property {number} stepsPerEpoch
 * @property {number} loss
 * @property {number | null} accuracy null: the target is no class
 * @property {number} samplesPerSecond
 * @property {number | null} secondsLeft
 *
 * @typedef {object} Picture
 * @property {Uint8Array | Float32Array} pixels height x width x channels, 0..255
 * @property {number[]} shape
 *
 * @typedef {object} Augmented
 * @property {Picture} before
 * @property {Picture[]} after
 *
 * @typedef {Picture & { index: number, truth: number, read: number, loss: number }} Mistake
 *
 * @typedef {object} Evaluation
 * @property {number} loss
 * @property {number} accuracy
 * @property {number} count
 * @property {number[][]} confusion row true, column read
 * @property {NonNullable<import('tabgrad').Evaluation['perClass']>} perClass
 * @property {NonNullable<import('tabgrad').Evaluation['confused']>} confused pairs, the most frequent first
 * @property {string[]} classes
 * @property {Mistake[]} mistakes the worst first
 *
 * @typedef {object} Reading what the network makes of the pad
 * @property {Uint8Array | Float32Array | null} image what the network sees
 * @property {import('./reader.js').Answer | null} answer
 *
 * @typedef {object} State
 * @property {Phase} phase
 * @property {string} activity what the phase is busy with, in a few words
 * @property {string} error one sentence, or ''
 * @property {{ variant: string, threads: number } | null} engine
 * @property {string} network who reads the pad, in a few words
 * @property {string[]} classes of the network that reads the pad
 * @property {number[]} shape of the pictures it reads
 * @property {import('./repeater.js').Repeater | null} repeater null: it reads classes, it repeats no pictures
 * @property {boolean} canSave
 * @property {boolean} continues Train would go on with the run there is
 * @property {Settings} settings
 * @property {Record<string, import('./recipes.js').Recipe>} recipes to choose from
 * @property {Record<string, import('./recipes.js').Recipe[]>} versions what a person made of each, the newest last
 * @property {Draft} draft
 * @property {boolean} asWritten the recipe is not to be fitted to the data
 * @property {Loaded} data
 * @property {Opening | null} opening null: nothing is being read
 * @property {import('./data-overview.js').Preview | null} preview of what is being read, as soon as there is something
 * @property {import('./data-overview.js').Overview | null} overview of the data, once they were read
 * @property {import('./data-overview.js').Atlas | null} atlas samples of them
 * @property {import('./data-shelf.js').Corrections} corrections that a person made to them
 * @property {boolean} isKept the data at hand were opened from what the browser keeps
 * @property {import('tabgrad').KeptSets[]} kept data that the browser keeps for the next visit
 * @property {string} keptProblem why it does not keep the last that were opened, or ''
 * @property {Augmented | null} augmented a sample as training sees it
 * @property {(Picture & { index: number, count: number, label: string }) | null} testPicture on the pad
 * @property {Summary | null} summary
 * @property {import('./layers.js').Pace | null} pace of the last training
 * @property {Progress | null} progress
 * @property {import('./history.js').History} history
 * @property {Evaluation | null} evaluation
 * @property {number | null} psnr of test pictures that were repeated, in dB
 * @property {import('./weights.js').Weights | null} weights of the network when it had learned
 * @property {Reading} reading
 */

import { History } from './history.js';

export const DIGITS = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'];

/** @type {Loaded} what there is to train on until files are opened */
export const MNIST = {
  name: 'mnist',
  title: 'MNIST handwritten digits',
  opened: '',
  classes: DIGITS,
  shape: [28, 28, 1],
  train: 0,
  test: 0,
  range: null,
};

/** @type {import('./data-shelf.js').Corrections} nothing corrected */
export const AS_FOUND = { options: {}, classes: null, split: null };

/**
 * @param {Record<string, import('./recipes.js').Recipe>} recipes
 * @param {Settings} settings
 * @returns {State}
 */
export function initialState(recipes, settings) {
  return {
    phase: 'idle',
    activity: '',
    error: '',
    engine: null,
    network: '',
    classes: DIGITS,
    shape: [28, 28, 1],
    repeater: null,
    canSave: false,
    continues: false,
    recipes,
    settings,
    versions: {},
    draft: { recipe: recipes[settings.recipe], filled: null, typed: null, unreadable: false, problem: null },
    asWritten: false,
    data: MNIST,
    opening: null,
    preview: null,
    overview: null,
    atlas: null,
    corrections: AS_FOUND,
    isKept: false,
    kept: [],
    keptProblem: '',
    augmented: null,
    testPicture: null,
    summary: null,
    pace: null,
    progress: null,
    history: new History(),
    evaluation: null,
    psnr: null,
    weights: null,
    reading: { image: null, answer: null },
  };
}
