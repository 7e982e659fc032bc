// What crosses the boundary between the library and its worker: plain data only, typed, no DOM, no WebAssembly.
//
// Every request carries an id and gets one reply with that id; until then events with that id may come (reports of a
// training, progress of an evaluation). Whatever bears an id that nobody waits for any more is dropped.
// Runs and datasets have numbers that the library's side gives out, so that a restarted worker knows them again.

/** @typedef {import('./attributes.js').AttributeCall} AttributeCall */
/** @typedef {import('./class-scores.js').ClassScore} ClassScore */
/** @typedef {import('./class-scores.js').Confused} Confused */
/** @typedef {import('./errors.js').ErrorFacts} ErrorFacts */
/** @typedef {import('./file-bytes.js').NamedBytes} NamedBytes */
/** @typedef {import('./file-bytes.js').ReadBytes} ReadBytes */
/** @typedef {import('./variant.js').Variant} Variant */
/** @typedef {Record<string, never>} Nothing */

/** @typedef {'idle' | 'training' | 'paused' | 'stopped' | 'done' | 'error'} RunState */

/**
 * @typedef {object} EngineFacts
 * @property {number} threads
 * @property {string} kernels  "wasm128"
 */

/**
 * @typedef {object} DatasetFacts
 * @property {number} count
 * @property {[height: number, width: number, channels: number]} shape
 * @property {string[]} classes
 * @property {'u8' | 'f32'} type  of the pixels
 * @property {string} sha256  over type, shape, pixels and labels; '': it was not asked for
 */

/** @typedef {{ classCounts: number[], range: [min: number, max: number] }} SampleFacts */
/** @typedef {SampleFacts & { count: number, shape: [height: number, width: number, channels: number] }} SetReport */

/**
 * @typedef {object} ImportReport  what was understood
 * @property {{ name: string, format: string, part: string, count: number, shape: number[], note?: string }[]} sources
 *   note: one sentence: 'looks like EMNIST, whose pictures are transposed'
 * @property {{ name: string, reason: string }[]} skipped  the first of them
 * @property {number} skippedCount
 * @property {SetReport | null} train
 * @property {SetReport | null} test
 * @property {Duplicates} duplicates  samples of the test set that are in the training set, too
 */

/** @typedef {{ count: number, examples: [train: number, test: number][] }} Duplicates */

/**
 * @typedef {object} ImportFields
 * @property {NamedBytes[]} files
 * @property {AttributeCall[]} options  of tg_import_create
 * @property {{ label_column?: string, labels?: 'fine' | 'coarse' }} parquet  those of them that Parquet needs
 */

/** @typedef {{ stage: 'reading' | 'finishing', done: number, total: number, name: string }} ReadingProgress  in bytes as
 *  they were dropped; name: what is being read */

/**
 * @typedef {object} Thumbnails  one picture with a cell for each sample, row by row
 * @property {Uint8ClampedArray<ArrayBuffer>} pixels  RGBA, as ImageData wants it; what no sample covers is clear
 * @property {number} width
 * @property {number} height
 * @property {number} columns
 */

/**
 * @typedef {object} ReadingPreview  first pictures, long before everything is checked
 * @property {'preview'} stage
 * @property {Omit<DatasetFacts, 'sha256'>} train
 * @property {Omit<DatasetFacts, 'sha256'> | null} test
 * @property {number[]} indices  of up to 60 samples of the training set, by class
 * @property {Int32Array} labels
 * @property {Thumbnails} thumbnails
 */

/** @typedef {{ pixels: Float32Array, shape: [height: number, width: number, channels: number], count: number }} Outcomes
 *  pixels in the unit of the data set's own */

/**
 * @typedef {object} KeptSets
 * @property {string} key
 * @property {string} name
 * @property {number} bytes
 * @property {number} train  samples
 * @property {number} test
 * @property {[height: number, width: number, channels: number]} shape
 * @property {string[]} classes
 * @property {number} keptAt  milliseconds since 1970
 */

/** @typedef {import('./set-makers.js').WantedIds} WantedIds */
/** @typedef {import('./set-makers.js').MadeSets} MadeSets */

/**
 * @typedef {object} Samples
 * @property {Uint8Array | Float32Array} pixels  one sample after the other
 * @property {Int32Array} labels  of soft labels the most probable class
 */

/** @typedef {{ name: string, type: string, shape: number[], parameters: number, trainable: boolean }} LayerFacts */

/**
 * @typedef {object} Memory  in bytes; planned before the first step, never more
 * @property {number} parametersBytes  weights and their gradients
 * @property {number} optimizerBytes
 * @property {number} activationsBytes
 * @property {number} inferenceBytes
 * @property {number} totalBytes
 */

/** @typedef {{ layer: string, offset: number, size: number }} OutputFacts  its values in a prediction */

/** @typedef {{ layers: LayerFacts[], outputs: OutputFacts[], parameters: number, memory: Memory }} Summary */

/** @typedef {{ loss: number, accuracy: number | null, count: number }} Score  accuracy 0..1; null: the target is no class */

/**
 * @typedef {object} Progress
 * @property {number} epoch  finished epochs
 * @property {number} step  finished optimizer steps since the start
 * @property {number} epochStep  of them in the current epoch
 * @property {number} stepsPerEpoch
 * @property {number} samples  trained on since the start
 * @property {number} loss  over the current epoch so far (at its end, the whole one); NaN before the first step
 * @property {number | null} accuracy  the same; 0..1
 * @property {number} learningRate
 * @property {boolean} epochFinished  this report is the one at the end of an epoch
 * @property {Score | null} heldOut  at the end of the last epoch: the validation part, else the test set
 * @property {boolean} finished  all epochs of the recipe are done
 */

/**
 * @typedef {object} Pace
 * @property {number} firstStep  number of the step whose loss is stepLosses[0], counted from 0
 * @property {Float32Array} stepLosses  of every step since the report before
 * @property {number} samplesPerSecond  of late
 * @property {number} secondsLeft  until this train() ends, at the pace so far
 */

/** @typedef {Progress & Pace} Report */

/**
 * @typedef {object} RunFacts
 * @property {Record<string, any>} recipe  with every default filled in
 * @property {Summary} summary
 * @property {string[]} classes
 * @property {[height: number, width: number, channels: number]} shape
 * @property {number} outputs  values of one prediction
 * @property {RunState} state
 * @property {Progress} progress
 */

/**
 * @typedef {object} Evaluation
 * @property {number} loss
 * @property {number | null} accuracy
 * @property {number} count
 * @property {number | null} psnr  where the input is to be repeated: mean of 10 log10(1 / mean squared error) over the
 *   samples, for pixels 0..1; else null
 * @property {number[][] | null} confusion  row: true class, column: predicted; null where the target is no class
 * @property {ClassScore[] | null} perClass
 * @property {Confused[] | null} confused  pairs of classes, the most frequent first
 * @property {Int32Array} [predicted]  with details: class of every sample
 * @property {Float32Array} [losses]  with details: loss of every sample
 */

/** @typedef {{ done: number, count: number }} EvaluationProgress */

/** @typedef {{ step: number, learning_rate: number } | { step: number, epochs: number }} HistoryEvent  a change on the way */
/**
 * @typedef {{ epoch: number, step: number, loss: number, accuracy: number | null, held_out_loss: number | null,
 *   held_out_accuracy: number | null, learning_rate: number }} HistoryEpoch
 */
/** @typedef {{ events: HistoryEvent[], epochs: HistoryEpoch[], stepLosses: Float32Array }} History  losses of all steps */

/**
 * @typedef {object} Tensor
 * @property {number[]} shape
 * @property {Float32Array | Float64Array} data  Float64Array with precision 'double'
 * @property {number} min
 * @property {number} max
 * @property {number} mean
 * @property {number} zeros  how many values are 0
 */
/** @typedef {Record<string, Tensor>} Parameters */

/** @typedef {{ name: string, units: number, dead: number }} DeadUnits  of a layer that rectifies */

/**
 * @typedef {object} Gradcheck
 * @property {number} worst  largest |a - n| / max(|a|, |n|, 0.01) of backpropagation and central differences
 * @property {string} parameter  where it is: the tensor, '' where everything is exact
 * @property {number} index  and the element
 * @property {number} checked  elements
 * @property {number} skipped  of them, because the step crossed a kink
 */

/** @typedef {{ heapBytes: number, usedBytes: number }} HeapFacts */

/**
 * What may be asked of the worker: the fields of each request and the value of its reply.
 * @typedef {object} Requests
 * @property {{ fields: { glueUrl: string, threads: number, sent?: Int32Array }, value: EngineFacts }} start  sent: how
 *   many requests were sent, in memory that both sides see; where there is none, the worker looks for them
 * @property {{ fields: Nothing, value: null }} ping
 * @property {{ fields: Nothing, value: HeapFacts }} memory
 * @property {{ fields: { dataset: number, name: string, shape: number[], pixels: Uint8Array | Float32Array,
 *   labels: Int32Array | Float32Array, classes: string[] }, value: DatasetFacts }} createDataset
 * @property {{ fields: WantedIds & ImportFields & { reading: number, wantsPreview: boolean, wantsDigest: boolean },
 *   value: MadeSets & { report: ImportReport } }} readFiles
 * @property {{ fields: { reading: number }, value: null }} cancelReading
 * @property {{ fields: { dataset: number, indices: number[] }, value: Samples }} samples
 * @property {{ fields: { dataset: number }, value: SampleFacts }} facts
 * @property {{ fields: { dataset: number, indices: number[], size: number, columns: number }, value: Thumbnails }} thumbnails
 * @property {{ fields: { dataset: number, perClass: number, seed: number }, value: number[] }} samplesByClass
 * @property {{ fields: { dataset: number, classes: string[] }, value: null }} renameClasses
 * @property {{ fields: WantedIds & { dataset: number, fraction: number, seed: number, stratified: boolean },
 *   value: MadeSets }} split
 * @property {{ fields: { dataset: number, other: number, most: number }, value: Duplicates }} duplicates
 * @property {{ fields: { dataset: number, recipe: AttributeCall[], seed: number, index: number,
 *   count: number }, value: Outcomes }} augmentations
 * @property {{ fields: { train: number, test: number | null, name: string, report: unknown }, value: KeptSets }} keep
 * @property {{ fields: Nothing, value: KeptSets[] }} stored
 * @property {{ fields: WantedIds & { key: string }, value: MadeSets & { report: any } }} openStored
 * @property {{ fields: { key: string, classes: string[] }, value: null }} renameStored
 * @property {{ fields: { key: string }, value: null }} deleteStored
 * @property {{ fields: { dataset: number }, value: null }} closeDataset
 * @property {{ fields: { run: number, recipe: AttributeCall[], checkpoints: ReadBytes[], train: number | null,
 *   test: number | null },
 *   value: RunFacts }} createRun
 * @property {{ fields: { run: number, name: string, bytes: Uint8Array, train: number | null, test: number | null },
 *   value: RunFacts }} loadRun
 * @property {{ fields: { run: number, epochs: number | null }, value: null }} train  replied to when it has ended
 * @property {{ fields: { run: number }, value: null }} pause
 * @property {{ fields: { run: number }, value: null }} resume
 * @property {{ fields: { run: number }, value: null }} stop
 * @property {{ fields: { run: number, steps: number }, value: Report }} step
 * @property {{ fields: { run: number, value: number }, value: null }} setLearningRate
 * @property {{ fields: { run: number, epochs: number }, value: null }} setEpochs
 * @property {{ fields: { run: number, dataset: number, details: boolean }, value: Evaluation }} evaluate
 * @property {{ fields: { run: number, pixels: Uint8Array | Float32Array }, value: Float32Array }} predict
 * @property {{ fields: { run: number, weightsOnly: boolean }, value: Uint8Array<ArrayBuffer> }} checkpoint
 * @property {{ fields: { run: number }, value: Parameters }} parameters
 * @property {{ fields: { run: number, dataset: number, samples: number }, value: DeadUnits[] }} deadUnits
 * @property {{ fields: { run: number, perTensor: number }, value: Gradcheck }} gradcheck
 * @property {{ fields: { run: number }, value: string }} hash
 * @property {{ fields: { run: number }, value: History }} history
 * @property {{ fields: { run: number }, value: null }} closeRun
 */

/** @typedef {keyof Requests} RequestType */

/**
 * @template {RequestType} T
 * @typedef {{ type: T, id: number } & Requests[T]['fields']} Request
 */

/** @typedef {{ [T in RequestType]: Request<T> }[RequestType]} AnyRequest */

/** @typedef {Report[] | EvaluationProgress | ReadingProgress | ReadingPreview} RequestEvent */

/**
 * What the worker says: that it is there, replies and events of requests, a run's new state, what else has changed about
 * it, its checkpoint to go on from should the worker die, and that the worker has died.
 * @typedef {{ type: 'loaded' }
 *   | { type: 'reply', id: number, ok: true, value: unknown }
 *   | { type: 'reply', id: number, ok: false, error: ErrorFacts }
 *   | { type: 'event', id: number, event: RequestEvent }
 *   | { type: 'state', run: number, state: RunState }
 *   | { type: 'facts', run: number, facts: RunFacts }
 *   | { type: 'saved', run: number, step: number, bytes: Uint8Array<ArrayBuffer> }
 *   | { type: 'fatal', reason: string }} Message
 */

export {};
