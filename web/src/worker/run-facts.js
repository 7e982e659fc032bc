// What the C core tells of a run, as the objects that go to the library. The order in each row of numbers is that of
// wasm/wasm_exports.c.

/** @typedef {import('./core.js').Core} Core */
/** @typedef {import('../shared/protocol.js').DeadUnits} DeadUnits */
/** @typedef {import('../shared/protocol.js').Gradcheck} Gradcheck */
/** @typedef {import('../shared/protocol.js').History} History */
/** @typedef {import('../shared/protocol.js').LayerFacts} LayerFacts */
/** @typedef {import('../shared/protocol.js').Parameters} Parameters */
/** @typedef {import('../shared/protocol.js').Progress} Progress */
/** @typedef {import('../shared/protocol.js').RunFacts} RunFacts */
/** @typedef {import('../shared/protocol.js').Score} Score */
/** @typedef {import('../shared/protocol.js').Summary} Summary */

/** @param {Core} core @param {number} run @returns {RunFacts} */
export function describeRun(core, run) {
  const progress = currentProgress(core, run);
  return {
    recipe: JSON.parse(core.text(core.make('run_recipe_json', run))),
    summary: summarize(core, run),
    classes: list(core.get('run_classes', run), (i) => core.text(core.get('run_class_name', run, i))),
    shape: inputShape(core, run),
    outputs: core.get('run_outputs', run),
    state: progress.finished ? 'done' : 'idle',
    progress,
  };
}

/** @param {Core} core @param {number} run */
export function currentProgress(core, run) {
  return readProgress(core.row('get', 'wasm_run_progress', run));
}

/** @param {Float64Array} row @returns {Progress} */
export function readProgress(row) {
  return {
    epoch: row[0],
    step: row[1],
    epochStep: row[2],
    stepsPerEpoch: row[3],
    samples: row[4],
    learningRate: row[5],
    loss: row[6],
    accuracy: numberOrNull(row[7]),
    heldOut: row[11] > 0 ? score(row[9], row[10], row[11]) : null,
    epochFinished: Boolean(row[13]),
    finished: Boolean(row[14]),
  };
}

/** @param {Float64Array} row */
export function readEvaluation(row) {
  const [loss, accuracy, count, classes, confusion, predicted, losses, finished, psnr] = row;
  return {
    score: score(loss, accuracy, count),
    classes,
    confusion,
    predicted,
    losses,
    finished: Boolean(finished),
    psnr: numberOrNull(psnr),
  };
}

/** @param {Core} core @param {number} run @returns {Parameters} */
export function readParameters(core, run) {
  const tensors = list(core.get('run_parameters', run), (i) => {
    const [name, rank, ...rest] = core.row('call', 'wasm_run_parameter', run, i);
    const [size, data] = rest.slice(4);
    const [min, max, mean, zeros] = core.row('call', 'wasm_run_parameter_range', run, i);
    const tensor = { shape: rest.slice(0, rank), data: core.real(data, size), min, max, mean, zeros };
    return [core.text(name), tensor];
  });
  return Object.fromEntries(tensors);
}

/** @param {Core} core @param {number} run @returns {History} */
export function readHistory(core, run) {
  const history = JSON.parse(core.text(core.make('run_history_json', run)));
  const losses = core.get('run_step_losses', run, core.out);
  return { ...history, stepLosses: core.f32(losses, core.u32(core.out, 1)[0]) };
}

/** One slice of looking for dead units; of every layer that rectifies, or null while it goes on.
 * @param {Core} core @param {number} run @param {number} sliceMs
 * @returns {DeadUnits[] | null} */
export function findDeadUnits(core, run, sliceMs) {
  const layers = core.get('run_layers', run);
  const [finished, units, dead] = core.withScratch(({ alloc }) => {
    const [unitsAt, deadAt] = [alloc(4 * layers), alloc(4 * layers)];
    const [isFinished] = core.row('call', 'wasm_run_dead_units', run, sliceMs, unitsAt, deadAt);
    return [isFinished, core.u32(unitsAt, layers), core.u32(deadAt, layers)];
  });
  if (!finished) return null;
  const all = list(layers, (i) => ({ name: readLayer(core, run, i).name, units: units[i], dead: dead[i] }));
  return all.filter((layer) => layer.units > 0);
}

/** One slice of a gradient check; null while it goes on.
 * @param {Core} core @param {number} run @param {number} sliceMs @returns {Gradcheck | null} */
export function checkGradients(core, run, sliceMs) {
  return core.withScratch(({ alloc }) => {
    const name = alloc(80);
    const row = core.row('call', 'wasm_run_gradcheck', run, sliceMs, name);
    const [worst, index, checked, skipped, finished] = row;
    return finished ? { worst, parameter: core.text(name), index, checked, skipped } : null;
  });
}

/** The run as the bytes of a .safetensors file.
 * @param {Core} core @param {number} run @param {boolean} weightsOnly */
export function takeSaved(core, run, weightsOnly) {
  core.call('run_save', run, Number(weightsOnly), core.out, core.out + 4);
  const [bytes, size] = core.u32(core.out, 2);
  try {
    return core.u8(bytes, size);
  } finally {
    core.get('free', bytes);
  }
}

/** @param {Core} core @param {number} run @returns {Summary} */
function summarize(core, run) {
  const layers = list(core.get('run_layers', run), (i) => readLayer(core, run, i));
  const outputs = list(core.get('run_output_count', run), (i) => {
    const [layer, offset, size] = core.row('call', 'wasm_run_output', run, i);
    return { layer: core.text(layer), offset, size };
  });
  const memory = core.row('get', 'wasm_run_memory', run);
  const [parametersBytes, optimizerBytes, activationsBytes, inferenceBytes, totalBytes] = memory;
  return {
    layers,
    outputs,
    parameters: layers.reduce((sum, { parameters }) => sum + parameters, 0),
    memory: { parametersBytes, optimizerBytes, activationsBytes, inferenceBytes, totalBytes },
  };
}

/** @param {Core} core @param {number} run @param {number} index @returns {LayerFacts} */
function readLayer(core, run, index) {
  const [name, type, rank, ...rest] = core.row('call', 'wasm_run_layer', run, index);
  const [parameters, trainable] = rest.slice(4);
  return {
    name: core.text(name),
    type: core.text(type),
    shape: rest.slice(0, rank),
    parameters,
    trainable: Boolean(trainable),
  };
}

/** @param {Core} core @param {number} run @returns {[number, number, number]} */
function inputShape(core, run) {
  return core.withScratch(({ alloc }) => {
    const out = alloc(12);
    core.get('run_input_shape', run, out);
    return /** @type {[number, number, number]} */ ([...core.u32(out, 3)]);
  });
}

/** @param {number} loss @param {number} accuracy @param {number} count @returns {Score} */
function score(loss, accuracy, count) {
  return { loss, accuracy: numberOrNull(accuracy), count };
}

/** @param {number} value */
function numberOrNull(value) {
  return Number.isNaN(value) ? null : value;
}

/**
 * @template T
 * @param {number} length
 * @param {(index: number) => T} make
 */
function list(length, make) {
  return Array.from({ length }, (_, index) => make(index));
}
