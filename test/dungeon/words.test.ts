import { describe, expect, it } from 'vitest';
import { a, monsterName, roomOf, treasureName, weaponName, type Random } from '../../src/dungeon/words.js';

/** All that a maker can make: every number that it may ask for is given once in every combination. */
function everything<Made>(make: (random: Random) => Made): Made[] {
  const made: Made[] = [];
  const given: number[] = [];
  for (;;) {
    const limits: number[] = [];
    made.push(
      make((below) => {
        limits.push(below);
        return (given[limits.length - 1] ??= 0);
      }),
    );
    let last = limits.length - 1;
    while (last >= 0 && given[last]! + 1 === limits[last]) given[last--] = 0;
    if (last < 0) return made;
    given[last]!++;
  }
}

describe('the words of the dungeon', () => {
  it.each([
    ['weapons', weaponName, 9 * 11],
    ['treasures', treasureName, 8],
    ['monsters', monsterName, 10 * 7 * 11],
    ['rooms', (random: Random) => roomOf(random).description, 16 * 11 * 12],
  ])('make %s of every word there is', (_what, make, count) => {
    expect(new Set(everything<string>(make)).size).toBe(count);
  });

  it('are names that may stand in a list, in a page and on a line', () => {
    const names = [
      ...everything(weaponName),
      ...everything(treasureName),
      ...everything(monsterName),
      ...everything(roomOf).map(({ name }) => name),
    ];
    expect(names.filter((name) => !/^[\w -]+$/.test(name))).toEqual([]);
  });

  it('go with their article', () => {
    expect(['Axe', 'organ', 'mace'].map(a)).toEqual(['an Axe', 'an organ', 'a mace']);
  });
});
