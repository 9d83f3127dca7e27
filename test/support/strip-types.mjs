import { stripTypeScriptTypes } from 'node:module';

/** Jest transformer: what Node itself does with our sources, so that lines and columns stay as written. */
export default {
  process: (source) => ({ code: stripTypeScriptTypes(source) }),
};
