/** A number as people write it, such as 12,345. */
export const count = (value: number): string => value.toLocaleString('en');

/** Minor units as major ones, such as 123.45. */
export const money = (minor: number): string =>
  (minor / 100).toLocaleString('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 });
