/** The folder of the emulator's code: `dist`, where the build puts all of it into a few files, or `src`. */
export const OWN_FOLDER = import.meta.dirname;
