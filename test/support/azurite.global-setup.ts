export { setup } from '../../emulator/test/support/azurite.global-setup.js';
