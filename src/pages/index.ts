/** Serves the pages that are built from `web/`. */
// oxlint-disable-next-line import/no-unassigned-import -- it registers the functions
import './endpoints.js';
