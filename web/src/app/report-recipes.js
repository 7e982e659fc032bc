// The recipes of the reports: offered a moment after the page is there.
import { named } from './recipes.js';

export const REPORT_RECIPES = named(
  import.meta.glob('../../../recipes/reports/*.json', { eager: true, import: 'default' }),
);
