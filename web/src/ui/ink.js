// Strokes of a pen, kept as points so that they can be undone, and as ink on a hidden canvas of fixed size, so that
// the same drawing gives the same picture on any screen.
import { inkColour } from './pixels.js';

/** Side of the canvas that holds the ink, in pixels: ten for each of MNIST's 28. */
export const INK_SIZE = 280;

/** @typedef {{ x: number, y: number, pressure: number }} Point x and y as shares of the pad's side */
/** @typedef {{ width: number, points: Point[] }} Stroke width as a share of the pad's side */

export class Ink {
  /** @type {Stroke[]} */
  #strokes = [];
  #canvas = document.createElement('canvas');
  #context;

  constructor() {
    this.#canvas.width = INK_SIZE;
    this.#canvas.height = INK_SIZE;
    const context = this.#canvas.getContext('2d', { willReadFrequently: true });
    this.#context = /** @type {CanvasRenderingContext2D} */ (context);
  }

  get isEmpty() {
    return this.#strokes.length === 0;
  }

  /**
   * Puts the pen down.
   * @param {Point} point
   * @param {number} width of the brush, as a share of the pad's side
   */
  begin(point, width) {
    const stroke = { width, points: [point] };
    this.#strokes.push(stroke);
    drawSegment(this.#context, stroke, 0);
  }

  /** Leads the pen on. @param {Point} point */
  lead(point) {
    const stroke = this.#strokes.at(-1);
    if (!stroke) return; // taken away while the pen was down
    stroke.points.push(point);
    drawSegment(this.#context, stroke, stroke.points.length - 1);
  }

  undo() {
    this.#strokes.pop();
    this.#redraw();
  }

  clear() {
    this.#strokes = [];
    this.#redraw();
  }

  #redraw() {
    this.#context.clearRect(0, 0, INK_SIZE, INK_SIZE);
    for (const stroke of this.#strokes) drawStroke(this.#context, stroke);
  }

  /** @returns {Uint8Array} INK_SIZE x INK_SIZE values, 0 is blank paper */
  values() {
    const { data } = this.#context.getImageData(0, 0, INK_SIZE, INK_SIZE);
    const values = new Uint8Array(INK_SIZE * INK_SIZE);
    for (let i = 0; i < values.length; i++) values[i] = data[4 * i + 3];
    return values;
  }

  /**
   * Shows the ink on a canvas, in that canvas's text colour and at its resolution.
   * @param {HTMLCanvasElement} canvas
   */
  paint(canvas) {
    const side = Math.round(canvas.clientWidth * devicePixelRatio) || INK_SIZE;
    canvas.width = side;
    canvas.height = side;
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
    context.strokeStyle = `rgb(${inkColour(canvas).join(' ')})`;
    for (const stroke of this.#strokes) drawStroke(context, stroke);
  }
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Stroke} stroke
 */
function drawStroke(context, stroke) {
  for (let end = 0; end < stroke.points.length; end++) drawSegment(context, stroke, end);
}

/**
 * From the point before `end` to `end`; a stroke's first point is a dot.
 * @param {CanvasRenderingContext2D} context
 * @param {Stroke} stroke
 * @param {number} end
 */
function drawSegment(context, { width, points }, end) {
  const side = context.canvas.width;
  const to = points[end];
  const thickness = width * side * (0.6 + 0.8 * to.pressure); // a mouse's pressure is 0.5
  context.beginPath();
  if (end === 0) {
    // A disc: Chromium draws nothing for a line without length.
    context.arc(to.x * side, to.y * side, thickness / 2, 0, 2 * Math.PI);
    context.fillStyle = context.strokeStyle;
    context.fill();
    return;
  }
  const from = points[end - 1];
  context.lineCap = 'round';
  context.lineWidth = thickness;
  context.moveTo(from.x * side, from.y * side);
  context.lineTo(to.x * side, to.y * side);
  context.stroke();
}
