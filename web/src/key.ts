/**
 * The function key, which a deployed app asks for. It is kept for as long as the tab is open: a page on a
 * shared machine must not keep it longer.
 */
const KEY = 'functions-key';

export const keepKey = (key: string): void => sessionStorage.setItem(KEY, key);

/** The header with the key, if this tab has one. */
export function keyHeader(): Record<string, string> {
  const key = sessionStorage.getItem(KEY);
  return key ? { 'x-functions-key': key } : {};
}
