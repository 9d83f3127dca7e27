import { stripTypeScriptTypes } from 'node:module';

/** Jest transformer that strips types as Node does, so that lines and columns do not change. */
export default {
  process: (source) => ({ code: stripTypeScriptTypes(source) }),
};
