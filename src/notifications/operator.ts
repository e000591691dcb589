/** The person who gets messages about what the app cannot do by itself: the setting `OPERATOR`, a name or an address. */
export function operator(): string {
  return process.env['OPERATOR'] || 'operator';
}
