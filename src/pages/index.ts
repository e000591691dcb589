/** Serves the pages that are built from `web/`, and makes pages without a script. */
// oxlint-disable-next-line import/no-unassigned-import -- it registers the functions
import './endpoints.js';

export { markup, type Html } from './markup.js';
export { madePage } from './made.js';
