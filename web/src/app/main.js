// The page's first line of script: one store, one session, one element.
import { createEngine } from 'tabgrad';
import '../ui/tabgrad-app.js';
import { RECIPES, settingsOf } from './recipes.js';
import { Session } from './session.js';
import { initialState } from './state.js';
import { Store } from './store.js';

const FIRST_RECIPE = 'mnist-cnn';

const store = new Store(initialState(RECIPES, settingsOf(FIRST_RECIPE, RECIPES[FIRST_RECIPE])));
const session = new Session(store, createEngine({ threads: 'auto' }));
const app = /** @type {import('../ui/tabgrad-app.js').TabgradApp} */ (document.querySelector('tabgrad-app'));
app.session = session;
app.state = store.state;
store.subscribe((state) => {
  app.state = state;
});
session.start();
