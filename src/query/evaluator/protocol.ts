// What crosses between main and an evaluator: plain data; all buffers move.
//
//   main                          evaluator
//    │ evaluate: plan, shares ──────► join, run operators, sort
//    │ ◄── first rows as text, the    (info() asks main for more by its port)
//    │     rest in blocks
//    │ render: one block ───────────► any evaluator, when the client has taken
//    │ ◄── its text                   what came before
//
// An evaluator keeps nothing between two tasks, so it can be ended at any time.

import type { MessagePort } from '../../base/thread.js';
import type { QueryErrorType } from '../../promql/errors.js';
import type { Reading } from '../../promql/exec/readings.js';
import type { Steps } from '../../promql/exec/source.js';
import type { Plan } from '../../promql/plan/plan.js';
import type { Gathered } from '../../shard/gathered.js';
import type { Share } from '../../shard/shares.js';
import type { SharedMemoryShare } from '../budget.js';
import type { QueryData } from '../result.js';
import type { Block } from './blocks.js';

/** A plan, and how it is to be evaluated. */
export interface EvaluationInput {
  readonly plan: Plan;
  readonly steps: Steps;
  readonly ranged: boolean;
  readonly lookbackMs: number;
  readonly delayedNames: boolean;
  readonly typeLabels: boolean;
  /** The query's text. */
  readonly query: string;
  /** Whether rows are wanted as text. */
  readonly rendered: boolean;
}

export interface EvaluateTask extends EvaluationInput {
  readonly kind: 'evaluate';
  readonly gathered: Gathered;
  readonly memory: SharedMemoryShare;
  readonly samplesMax: number;
  /** Samples of the query held so far. */
  readonly samplesHeld: number;
  /** Takes Ask messages, and gives an Asked for each. */
  readonly port: MessagePort;
}

export interface RenderTask {
  readonly kind: 'render';
  readonly block: Block;
}

export type EvaluatorTask = EvaluateTask | RenderTask;

/** The answer to a render task: JSON objects with commas between them. */
export interface BlockText {
  readonly kind: 'text';
  readonly text: ArrayBuffer;
}

export interface Evaluated {
  readonly kind: 'evaluated';
  readonly result: WireResult;
  readonly warnings: string[];
  readonly infos: string[];
  readonly sortSeconds: number;
  readonly samplesTotal: number;
  readonly samplesPeak: number;
}

export type WireResult =
  /** No rows: small, and cloned. */
  | { readonly kind: 'value'; readonly data: Extract<QueryData, { kind: 'scalar' | 'string' }> }
  | {
      readonly kind: 'rows';
      readonly form: 'vector' | 'matrix';
      readonly rowCount: number;
      readonly blocks: Block[];
      /** Of the first block, where the task asked for text. */
      readonly firstText?: ArrayBuffer;
    };

/** The query's fault, or a limit's. */
export interface Failed {
  readonly kind: 'failed';
  readonly type: QueryErrorType;
  readonly message: string;
}

export type EvaluatorReply = Evaluated | BlockText | Failed;

/** An evaluation wants what could not be known before. */
export interface Ask {
  readonly reading: Reading;
}

export type Asked = { readonly shares: readonly Share[] } | { readonly error: Omit<Failed, 'kind'> };
