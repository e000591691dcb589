/** A number from 0 up to, but not including, `below`. */
export type Random = (below: number) => number;

const weaponKinds = [
  'sword',
  'axe',
  'mace',
  'pike',
  'halberd',
  'dagger',
  'flail',
  'crossbow',
  'war hammer',
  'sling',
  'quarterstaff',
];
const weaponLooks = [
  'Magic',
  'Bloodied',
  'Worn',
  'Gleaming',
  'Rusty',
  'Humming',
  'Notched',
  'Heavy',
  'Cursed',
];
const treasureKinds = [
  '300 baud modem',
  'punched card of gold',
  'drum memory',
  'core memory plane',
  'paper tape reader',
  'slide rule of ivory',
  'acoustic coupler',
  'mercury delay line',
];
const monsterMoods = [
  'Grumpy',
  'Slimy',
  'Hungry',
  'Sleepless',
  'Three-eyed',
  'Fuming',
  'Sly',
  'Giant',
  'Whispering',
  'Vile',
];
const monsterColors = ['red', 'green', 'blue', 'black', 'white', 'purple', 'grey'];
const monsterKinds = [
  'dragon',
  'goblin',
  'troll',
  'orc',
  'basilisk',
  'ghoul',
  'minotaur',
  'wyvern',
  'spider',
  'hydra',
  'golem',
];
const roomKinds = [
  'Crypt',
  'Cellar',
  'Library',
  'Armoury',
  'Chapel',
  'Kitchen',
  'Vault',
  'Cavern',
  'Gallery',
  'Throne room',
  'Laboratory',
  'Well room',
  'Guard room',
  'Dungeon cell',
  'Treasury',
  'Winding hall',
];
const roomWalls = [
  'mossy stone',
  'bare rock',
  'black marble',
  'crumbling brick',
  'damp clay',
  'carved oak',
  'cracked plaster',
  'glittering quartz',
  'rusted iron',
  'old bones',
  'cold basalt',
];
const roomContents = [
  'a broken chandelier',
  'a heap of straw',
  'a dry fountain',
  'rows of empty shelves',
  'a throne without a seat',
  'a cauldron, still warm',
  'a torn banner',
  'an organ that plays by itself',
  'a table set for two',
  'a mirror that shows nobody',
  'a pit covered by planks',
  'candles that never burn down',
];

/** A weapon's name. */
export function weaponName(random: Random): string {
  return `${pick(weaponLooks, random)} ${pick(weaponKinds, random)}`;
}

/** A treasure's name. */
export function treasureName(random: Random): string {
  return pick(treasureKinds, random);
}

/** A monster's name. */
export function monsterName(random: Random): string {
  return `${pick(monsterMoods, random)} ${pick(monsterColors, random)} ${pick(monsterKinds, random)}`;
}

/** A room, and how it looks. */
export function roomOf(random: Random): { name: string; description: string } {
  const name = pick(roomKinds, random);
  return {
    name,
    description: `You are in ${a(name.toLowerCase())} with walls of ${pick(roomWalls, random)}. You make out ${pick(roomContents, random)}.`,
  };
}

/** The name with its indefinite article. */
export function a(name: string): string {
  return `${/^[aeiou]/i.test(name) ? 'an' : 'a'} ${name}`;
}

function pick(words: readonly string[], random: Random): string {
  return words[random(words.length)]!;
}
