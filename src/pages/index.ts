/** Serves the pages that are built from `web/`. */
export { dungeonPage, homePage, ingestionsPage, pageAssets } from './endpoints.js';
