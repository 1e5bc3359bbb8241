// A batch of samples as shards exchange them: see assembly/exposition/batch.ts.

export { ROW_BYTES } from '../../assembly/layout.js';
