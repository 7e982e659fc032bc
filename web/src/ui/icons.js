import { html } from 'lit';

// Drawn on a 24 x 24 grid with a line of 1.75, in the colour of the text beside them.
const PATHS = {
  play: 'M7 4.5v15l12-7.5z',
  reset: 'M4 12a8 8 0 1 0 2.5-5.8M4 4v5h5',
  save: 'M12 4v11M7 11l5 5 5-5M4 20h16',
  open: 'M12 16V5M7 9l5-5 5 5M4 20h16',
  folder: 'M4 6h5l2 2h9v11H4z',
  dice: 'M5 5h14v14H5zM9 9h.01M15 15h.01M12 12h.01M15 9h.01M9 15h.01',
  previous: 'M15 5l-7 7 7 7',
  next: 'M9 5l7 7-7 7',
  up: 'M5 15l7-7 7 7',
  down: 'M5 9l7 7 7-7',
  undo: 'M9 14 4 9l5-5M4 9h10a6 6 0 0 1 0 12h-3',
  add: 'M12 5v14M5 12h14',
  close: 'M6 6l12 12M18 6 6 18',
};

/** @param {keyof typeof PATHS} name */
export function icon(name) {
  return html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d=${PATHS[name]} /></svg>`;
}
