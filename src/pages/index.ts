/** The pages people use, as built from `web/`. */
export { dungeonPage, homePage, pageAssets } from './endpoints.js';
