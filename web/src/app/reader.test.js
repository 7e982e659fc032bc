import { describe, expect, it } from 'vitest';
import { Reader } from './reader.js';

/** A network whose answers the test gives by hand; it answers with the picture itself. */
function heldNetwork() {
  const asked = [];
  return {
    asked,
    predict(image) {
      return new Promise((resolve, reject) => {
        asked.push({ image, answer: () => resolve(Float32Array.from(image)), fail: reject });
      });
    },
  };
}

function watch() {
  const answers = [];
  const failures = [];
  const reader = new Reader(
    (answer) => answers.push(answer && Array.from(answer.probabilities)),
    (error) => failures.push(error.message),
  );
  return { reader, answers, failures };
}

const settle = () => new Promise((resolve) => setTimeout(resolve));

describe('a reader', () => {
  it('skips pictures that were overtaken while the network was busy', async () => {
    const { reader, answers } = watch();
    const network = heldNetwork();
    reader.use(network);
    for (const value of [1, 2, 3, 4]) reader.read(Uint8Array.of(0, value));
    expect(network.asked).toHaveLength(1);
    network.asked[0].answer();
    await settle();
    network.asked[1].answer();
    await settle();
    expect(network.asked).toHaveLength(2);
    expect(answers).toEqual([
      [0, 1],
      [0, 4],
    ]);
  });

  it('drops the answer to a picture that was wiped away', async () => {
    const { reader, answers } = watch();
    const network = heldNetwork();
    reader.use(network);
    reader.read(Uint8Array.of(1));
    reader.read(null);
    network.asked[0].answer();
    await settle();
    expect(answers).toEqual([null]);
  });

  it('asks the new network when the old one was replaced, and drops the old answer', async () => {
    const { reader, answers } = watch();
    const before = heldNetwork();
    const after = heldNetwork();
    reader.use(before);
    reader.read(Uint8Array.of(7));
    reader.use(after);
    before.asked[0].answer();
    await settle();
    expect(answers).toEqual([]);
    after.asked[0].answer();
    await settle();
    expect(answers).toEqual([[7]]);
    expect(after.asked).toHaveLength(1);
  });

  it('reads what was drawn before there was a network', async () => {
    const { reader, answers } = watch();
    const network = heldNetwork();
    reader.read(Uint8Array.of(5));
    reader.use(network);
    network.asked[0].answer();
    await settle();
    expect(answers).toEqual([[5]]);
  });

  it('tells a failure once and goes on reading', async () => {
    const { reader, answers, failures } = watch();
    const network = heldNetwork();
    reader.use(network);
    reader.read(Uint8Array.of(1));
    network.asked[0].fail(new Error('worker gone'));
    await settle();
    reader.reread();
    network.asked[1].answer();
    await settle();
    expect(failures).toEqual(['worker gone']);
    expect(answers).toEqual([[1]]);
  });
});
