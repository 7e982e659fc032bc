// Numbers as people read them. One place, so that the same figure looks the same everywhere on the page.

const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** @param {number} value */
export const count = (value) => whole.format(value);

/**
 * 0.98412 -> "98.4 %". Shares so close to 1 that they would round up to 100 % are not: a network that fails once has
 * not read everything right.
 * @param {number} share
 * @param {number} [digits]
 */
export function percent(share, digits = 1) {
  const unit = 10 ** digits;
  const rounded = Math.round(share * 100 * unit) / unit;
  const shown = share < 1 ? Math.min(rounded, 100 - 1 / unit) : rounded;
  return `${shown.toFixed(digits)} %`;
}

/** @param {number} value */
export function loss(value) {
  if (!Number.isFinite(value)) return '–';
  if (value === 0) return '0';
  return value >= 0.01 && value < 1000 ? value.toFixed(3) : value.toExponential(1);
}

/** @param {number} bytes */
export function bytes(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(bytes < 1e4 ? 1 : 0)} kB`;
  if (bytes < 1e9) return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
  return `${(bytes / 1e9).toFixed(1)} GB`;
}

/**
 * 75 -> "1:15", 3725 -> "1:02:05".
 * @param {number | null | undefined} seconds
 */
export function duration(seconds) {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return '–';
  const total = Math.ceil(seconds);
  const two = (/** @type {number} */ value) => String(value).padStart(2, '0');
  const hours = Math.floor(total / 3600);
  const minutes = Math.floor(total / 60) % 60;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(total % 60)}` : `${minutes}:${two(total % 60)}`;
}

/** @param {number[]} shape */
export const shape = (shape) => shape.join(' × ');

/**
 * 0.0123 -> "0.0123", 1.23e-7 -> "1.2e-7".
 * @param {number} value
 */
export function weight(value) {
  if (value === 0) return '0';
  const size = Math.abs(value);
  return size >= 0.001 && size < 1000 ? value.toPrecision(3) : value.toExponential(1);
}
