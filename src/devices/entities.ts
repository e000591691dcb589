import { entity } from '../durable/index.js';
import { noReadings } from './model.js';
import { forget, observe, report } from './stream-rules.js';

/** What a device reports, by `keyOf` the device: its readings are taken one report after the other. */
export const deviceEntity = entity('Device', noReadings, { report, observe, forget });
