import type { Product } from './model.js';

/** What is sold. Prices are in minor units: cents of {@link CURRENCY}. */
export const catalogue: readonly Product[] = [
  product('anvil', 'Anvil, 50 kg', 18_900),
  product('bellows', 'Bellows', 4_250),
  product('bookshelf', 'Bookshelf, oak', 21_500),
  product('chair', 'Chair, beech', 8_900),
  product('chisel', 'Chisel, 20 mm', 1_495),
  product('clamp', 'Clamp, 60 cm', 2_350),
  product('desk', 'Desk, oak', 64_900),
  product('desk-lamp', 'Desk lamp', 5_990),
  product('drawknife', 'Drawknife', 3_475),
  product('forge', 'Forge, gas', 129_000),
  product('glue', 'Wood glue, 1 l', 799),
  product('hammer', 'Hammer, 500 g', 1_850),
  product('lathe', 'Lathe', 245_000),
  product('mallet', 'Mallet, beech', 1_290),
  product('nails', 'Nails, 1 kg', 649),
  product('plane', 'Plane, no. 4', 6_750),
  product('saw', 'Panel saw', 2_795),
  product('stool', 'Stool, ash', 4_400),
  product('vise', 'Vise, 150 mm', 9_350),
  product('workbench', 'Workbench', 48_000),
];

/** The currency of all prices, by ISO 4217. */
export const CURRENCY = 'EUR';

/** The product of that SKU, if there is one. */
export function productOf(sku: string): Product | undefined {
  return catalogue.find((each) => each.sku === sku);
}

function product(sku: string, name: string, amount: number): Product {
  return { sku, name, price: { amount, currency: 'EUR' } };
}
