/** What Grafana's components import as the default of react-custom-scrollbars-2, which bundlers take for all its exports. */
// @ts-expect-error: it has no types for this file
export { Scrollbars as default } from './node_modules/react-custom-scrollbars-2/lib/index.js';
