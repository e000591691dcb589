/** How requests are read, and how answers and errors are written. */
export { BODY_LIMIT, check, queryOf, readJson } from './body.js';
export { callerOf } from './caller.js';
export { duration } from './duration.js';
export { accepted, endpoint, withProblems, type Handler } from './endpoint.js';
export { fingerprint, idempotencyKey, keyReused } from './idempotency.js';
export {
  conflict,
  forbidden,
  invalid,
  notFound,
  Problem,
  type FieldError,
  type ProblemDetails,
} from './problem.js';
export { routes, type Route } from './routes.js';
export { line, personName, text } from './text.js';
