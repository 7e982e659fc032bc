// What the Understand panel is made of.
import './class-scores.js';
import './confusion-matrix.js';
import './mistakes-grid.js';
import './weights-view.js';
