import { describe, expect, it } from 'vitest';
import { History } from './history.js';

/** A report as the library gives it. */
function report(firstStep, losses, more = {}) {
  return {
    epoch: 0,
    step: firstStep + losses.length,
    loss: losses.at(-1) ?? 0,
    accuracy: 0.5,
    firstStep,
    stepLosses: Float32Array.from(losses),
    epochFinished: false,
    heldOut: null,
    ...more,
  };
}

describe('the history of a run', () => {
  it('holds every step once, counted from 1, and each epoch once', () => {
    const history = new History();
    history.append(report(0, [3, 2]));
    const end = report(2, [1], {
      epochFinished: true,
      epoch: 1,
      heldOut: { loss: 0.9, accuracy: 0.8, count: 10 },
    });
    history.append(end);
    history.append(end);
    expect(history.loss.steps).toEqual([1, 2, 3]);
    expect(history.loss.values).toEqual([3, 2, 1]);
    expect(history.epochs).toEqual([
      { epoch: 1, step: 3, loss: 1, accuracy: 0.5, heldOutLoss: 0.9, heldOutAccuracy: expect.closeTo(0.8) },
    ]);
  });

  it('goes on where a saved run ended', () => {
    const saved = {
      epoch: 1,
      step: 5,
      loss: 0.4,
      accuracy: 0.9,
      held_out_loss: 0.5,
      held_out_accuracy: 0.85,
      learning_rate: 0.1,
    };
    const history = History.of([saved]);
    history.append(report(5, [0.3]));
    expect(history.epochs[0]).toMatchObject({ epoch: 1, step: 5, heldOutAccuracy: 0.85 });
    expect(history.loss.steps).toEqual([6]);
  });

  it('has the loss per picture where a recipe sums it over the batch, also over a shorter last one', () => {
    const history = new History({ losses: [{ type: 'cross_entropy', reduction: 'sum' }], batch_size: 10 });
    const place = { stepsPerEpoch: 3 }; // 24 pictures: 10, 10 and 4
    history.append(report(0, [20, 10], { ...place, epoch: 0, epochStep: 2, samples: 20 }));
    history.append(report(2, [4], { ...place, epoch: 0, epochStep: 3, samples: 24 }));
    history.append(report(3, [5, 5, 2, 5], { ...place, epoch: 2, epochStep: 1, samples: 58 }));
    expect(history.loss.values).toEqual([2, 1, 1, 0.5, 0.5, 0.5, 0.5]);
  });

  it('has no accuracy where the target is no class', () => {
    const history = new History();
    history.append(report(0, [2], { accuracy: null }));
    expect(history.accuracy.values).toEqual([]);
    expect(history.loss.values).toEqual([2]);
  });
});
