/** Serves the pages that are built from `web/`. */
export { dungeonPage, homePage, pageAssets } from './endpoints.js';
