// The trainer with the real library: what a person clicks, in every order.
import { createEngine } from 'tabgrad';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DataShelf } from './data-shelf.js';
import { RECIPES } from './recipes.js';
import { initialState } from './state.js';
import { Store } from './store.js';
import { Trainer } from './trainer.js';

const CLASSES = 10;
const SAMPLES = 200;

/** An IDX file of bytes. */
function idx(name, dimensions, bytes) {
  const header = new DataView(new ArrayBuffer(4 + 4 * dimensions.length));
  header.setUint32(0, 0x0800 + dimensions.length);
  for (const [i, size] of dimensions.entries()) header.setUint32(4 + 4 * i, size);
  return new File([header.buffer, bytes], name);
}

/** Pictures that are easy to tell apart: class n has a bright row n. */
function files() {
  const labels = Uint8Array.from({ length: SAMPLES }, (_, i) => i % CLASSES);
  const images = new Uint8Array(SAMPLES * 28 * 28);
  for (const [i, label] of labels.entries())
    images.fill(255, i * 784 + label * 28, i * 784 + (label + 1) * 28);
  return ['train', 't10k'].flatMap((part) => [
    idx(`${part}-images`, [SAMPLES, 28, 28], images),
    idx(`${part}-labels`, [SAMPLES], labels),
  ]);
}

const SETTINGS = { recipe: 'mnist-linear', epochs: 2, batchSize: 10, learningRate: 0.001, seed: 1 };

describe('the trainer', () => {
  let engine;
  let store;
  let trainer;

  beforeAll(async () => {
    engine = await createEngine({ threads: 1 });
  });

  afterAll(() => engine?.close());

  beforeEach(async () => {
    store = new Store(initialState(RECIPES, SETTINGS));
    const shelf = new DataShelf(store, Promise.resolve(engine));
    await shelf.open(async () => ({ files: files().map((bytes) => ({ name: bytes.name, bytes })) }));
    trainer = new Trainer(store, shelf, Promise.resolve(engine), () => {});
  });

  const phase = () => store.state.phase;
  const until = async (condition) => {
    while (!condition(store.state)) await new Promise((resolve) => setTimeout(resolve, 1));
  };

  it('trains the epochs of the settings, then tests', async () => {
    await trainer.train();
    expect(store.state).toMatchObject({ phase: 'done', error: '', progress: { epoch: 2, step: 40 } });
    expect(store.state.evaluation).toMatchObject({ accuracy: 1, count: SAMPLES, mistakes: [] });
    expect(store.state.history.loss.steps).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
    expect(store.state.history.epochs.map(({ epoch }) => epoch)).toEqual([1, 2]);
  });

  it('goes on after it is done, and begins anew when the seed is another one', async () => {
    await trainer.train();
    expect(trainer.continues).toBe(true);
    await trainer.train();
    expect(store.state.progress).toMatchObject({ epoch: 4, epochs: 4, step: 80 });
    store.update({ settings: { ...SETTINGS, seed: 2 } });
    expect(trainer.continues).toBe(false);
    await trainer.train();
    expect(store.state.progress).toMatchObject({ epoch: 2, step: 40 });
  });

  it('trains that many more epochs where there were as many already', async () => {
    await trainer.train();
    store.update({ settings: { ...SETTINGS, epochs: 1 } });
    await trainer.train();
    expect(store.state).toMatchObject({ phase: 'done', error: '', progress: { epoch: 3, epochs: 3 } });
    await trainer.train();
    expect(store.state).toMatchObject({ phase: 'done', error: '', progress: { epoch: 4, epochs: 4 } });
    store.update({ settings: { ...SETTINGS, epochs: 5 } });
    await trainer.train();
    expect(store.state).toMatchObject({ phase: 'done', error: '', progress: { epoch: 9, epochs: 9 } });
  });

  it('takes single steps before, between and after, and resumes from there', async () => {
    await trainer.step();
    await trainer.step();
    expect(store.state).toMatchObject({ phase: 'paused', progress: { step: 2 } });
    await trainer.pause(); // resumes to the end
    expect(store.state).toMatchObject({ phase: 'done', progress: { step: 40 } });
    expect(store.state.history.loss.steps).toHaveLength(40);
  });

  it('pauses and stops a training that is under way', async () => {
    store.update({ settings: { ...SETTINGS, epochs: 100_000 } });
    const trained = trainer.train();
    await until(({ progress }) => progress !== null);
    await trainer.pause();
    expect(phase()).toBe('paused');
    await trainer.step();
    expect(phase()).toBe('paused');
    await trainer.pause();
    expect(phase()).toBe('training');
    await trainer.stop();
    await trained;
    expect(phase()).toBe('stopped');
    expect(store.state.evaluation).not.toBeNull();
  });

  it('changes the learning rate on the way, and keeps the old one when the new one is refused', async () => {
    store.update({ settings: { ...SETTINGS, epochs: 100_000 } });
    const trained = trainer.train();
    await until(({ progress }) => progress !== null);
    store.update({ settings: { ...store.state.settings, learningRate: 0.5 } });
    await trainer.steer();
    store.update({ settings: { ...store.state.settings, learningRate: -1 } });
    await expect(trainer.steer()).rejects.toThrow(/learning_rate/);
    expect(phase()).toBe('training');
    const { events } = await trainer.course.run.history();
    expect(events.map(({ learning_rate }) => learning_rate)).toEqual([0.5]);
    await trainer.reset();
    await trained;
  });

  it('is idle after a reset, whatever it was doing', async () => {
    for (const wait of [0, 1, 2, 5, 20, 50]) {
      store.update({ settings: { ...SETTINGS, epochs: 100_000 } });
      const trained = trainer.train();
      await new Promise((resolve) => setTimeout(resolve, wait));
      await trainer.reset();
      await trained;
      expect(store.state).toMatchObject({ phase: 'idle', progress: null, error: '' });
      expect(trainer.course).toBeNull();
    }
  });

  it('leaves nothing behind in a hundred cycles of train, stop and reset', async () => {
    const cycle = async (wait) => {
      const trained = trainer.train();
      if (wait) await new Promise((resolve) => setTimeout(resolve, wait));
      await trainer.stop();
      await trained;
      await trainer.reset();
    };
    for (let i = 0; i < 5; i++) await cycle(i);
    const before = await engine.memory();
    for (let i = 0; i < 100; i++) await cycle(i % 5);
    expect(await engine.memory()).toEqual(before);
  });

  it('says what is wrong with the settings, and trains when they are right', async () => {
    store.update({ settings: { ...SETTINGS, batchSize: 0 } });
    await trainer.train();
    expect(store.state).toMatchObject({ phase: 'error', error: expect.stringMatching(/batch_size/) });
    store.update({ settings: { ...SETTINGS, epochs: Number.NaN } });
    await trainer.train();
    expect(store.state).toMatchObject({ phase: 'error', error: 'epochs: type a number' });
    store.update({ settings: SETTINGS });
    await trainer.train();
    expect(store.state).toMatchObject({ phase: 'done', error: '' });
  });

  it('trains a run from a file on, from where it was saved', async () => {
    await trainer.train();
    const bytes = await trainer.course.run.checkpoint();
    const answer = await trainer.course.run.predict(new Uint8Array(784).fill(255, 0, 28));
    await trainer.reset();
    const run = await engine.load(bytes);
    await trainer.adopt(run, bytes, SETTINGS);
    expect(store.state).toMatchObject({ phase: 'idle', progress: { epoch: 2, step: 40 } });
    expect(store.state.history.epochs).toHaveLength(2);
    expect(await run.predict(new Uint8Array(784).fill(255, 0, 28))).toEqual(answer);
    await trainer.train();
    expect(store.state).toMatchObject({ phase: 'done', progress: { epoch: 4, step: 80 } });
  });
});
