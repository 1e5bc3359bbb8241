// A batch of samples as shards exchange them: see assembly/exposition/batch.ts.

import { SID_START } from '../../assembly/layout.js';

export { ROW_BYTES } from '../../assembly/layout.js';

/** The bits of a row's first word that are the number of a series. */
export const SERIES_OF_ROW = ~SID_START;
