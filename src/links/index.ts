/** Signed links: what a person may do without a key, once, until a time. */
export { allowed, canSign, pathOf, urlOf, verify, type Allowed } from './links.js';
export { linkPage, refused, utc, type LinkHandlers, type LinkPage } from './page.js';
export { secretSetting } from './secret.js';
