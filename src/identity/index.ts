/** How the app signs in to Azure, and how it knows the people that the platform has signed in. */
export { credential } from './credential.js';
export { folded, identifies, isSignInOn, principalOf, samePerson, type Principal } from './principal.js';
export { isLocalRun } from './local.js';
