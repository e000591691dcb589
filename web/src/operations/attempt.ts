/** Runs a request; the page shows what goes wrong. @returns whether it succeeded */
export type Attempt = (request: () => Promise<void>) => Promise<boolean>;
