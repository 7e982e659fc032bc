// The rows of the table of reproduced figures: one for each recipe of the reports, and those that vary one of them.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PROJECT = fileURLToPath(new URL('..', import.meta.url));
const FOLDER = 'recipes/reports';

/**
 * @typedef {object} Reported
 * @property {'test_accuracy' | 'validation_accuracy' | 'train_accuracy' | 'train_loss_sum' | 'psnr'} metric
 * @property {number} [value]  the figure; none where nothing was printed
 * @property {boolean} [at_most]  the smaller the better
 * @property {number} [epoch]  after which it was measured; else at the end
 * @property {string} [note]
 */

/**
 * @typedef {object} Row
 * @property {string} name
 * @property {string} title
 * @property {string} file  the recipe's path; of a varied recipe, where it is to be written
 * @property {Record<string, any>} recipe
 * @property {boolean} varied  whether it is a ready recipe with other numbers
 * @property {boolean} sweep  one of the settings of the sweep, which run once each
 */

/** @typedef {{ of: string, name: string, title: string, change: (recipe: Record<string, any>) => void, sweep?: boolean }} Variant */

/** @param {number} factor @returns {(recipe: Record<string, any>) => void} */
const rateTimes = (factor) => (recipe) => {
  recipe.optimizer.learning_rate *= factor;
  recipe['x-reported'] =
    factor > 1 ? [{ metric: 'test_accuracy', value: 0.718, note: 'on NIST36, 36 classes' }] : [];
};

/** What the report's sweep reached on the validation part, where it says so. @type {Record<string, number>} */
const SWEPT = {
  '80-46-0.0015-0.29': 0.53,
  '80-20-0.0025-0.25': 0.497,
  '80-46-0.0025-0.25': 0.495,
  '70-20-0.0025-0.25': 0.487,
};

/**
 * 24 settings. 20 and 46 epochs are the report's 2,000 and 4,500 steps; its L2 stands before half the sum of squares.
 * @returns {Variant[]}
 */
function sweep() {
  const variants = [];
  for (const hidden of [70, 80])
    for (const epochs of [20, 46])
      for (const rate of [0.0015, 0.0025])
        for (const l2 of [0.2, 0.25, 0.29]) {
          const name = `${hidden}-${epochs}-${rate}-${l2}`;
          const value = SWEPT[name];
          variants.push({
            of: 'cifar10-mlp80',
            name: `sweep-${name}`,
            title: `${hidden} hidden units, ${epochs} epochs, rate ${rate}, L2 ${l2}`,
            sweep: true,
            change: (/** @type {Record<string, any>} */ recipe) => {
              const dense = recipe.model.layers.filter((/** @type {any} */ { type }) => type === 'dense');
              for (const layer of dense.slice(0, -1)) layer.units = hidden;
              recipe.epochs = epochs;
              Object.assign(recipe.optimizer, { learning_rate: rate, l2: l2 / 2 });
              recipe['x-reported'] = value ? [{ metric: 'validation_accuracy', value }] : [];
            },
          });
        }
  return variants;
}

/** @type {Variant[]} */
const VARIANTS = [
  ...['taskar', 'notmnist'].flatMap((set) => {
    const of = `letters-mlp-${set}`;
    return [
      {
        of,
        name: `${of}-rate-x10`,
        title: 'Letters: 64 sigmoid units, rate times 10',
        change: rateTimes(10),
      },
      { of, name: `${of}-rate-x0.1`, title: 'Letters: 64 sigmoid units, rate by 10', change: rateTimes(0.1) },
    ];
  }),
  {
    of: 'features-64-64',
    name: 'features-64-64-doubled',
    title: 'The same on the doubled set',
    change: (recipe) => {
      recipe.data.dataset = 'features-doubled';
      recipe['x-reported'] = [{ metric: 'test_accuracy', value: 0.774, note: 'on features of ResNet-18' }];
    },
  },
  ...sweep(),
];

/** All rows, in the order of the table. @returns {Promise<Row[]>} */
export async function readRows() {
  const files = (await readdir(join(PROJECT, FOLDER))).filter((file) => file.endsWith('.json'));
  const recipes = await Promise.all(
    files.map(async (file) => JSON.parse(await readFile(join(PROJECT, FOLDER, file), 'utf8'))),
  );
  recipes.sort((a, b) => a['x-order'] - b['x-order']);
  return recipes.flatMap((recipe) => [
    {
      name: recipe.name,
      title: recipe['x-title'],
      file: `${FOLDER}/${recipe.name}.json`,
      recipe,
      varied: false,
      sweep: false,
    },
    ...VARIANTS.filter(({ of }) => of === recipe.name).map((variant) => vary(recipe, variant)),
  ]);
}

/** @param {Record<string, any>} original @param {Variant} variant @returns {Row} */
function vary(original, { name, title, change, sweep: swept = false }) {
  const recipe = { ...structuredClone(original), name, 'x-title': title };
  change(recipe);
  return { name, title, file: `build/reproduction/${name}.json`, recipe, varied: true, sweep: swept };
}
