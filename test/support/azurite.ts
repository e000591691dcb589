export { account, startAzurite, type Azurite } from '../../emulator/test/support/azurite.js';
