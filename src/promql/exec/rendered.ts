// Queries whose plan is one fragment: a source that can writes its rows as the text of the answer,
// so no label set and no sample becomes a value of JavaScript.
//
// Rows must stand as the source has them: with distinct label sets, and without remarks that need a look at their names.
// Groups have the first from their making; whether they are whole the source knows.

import type { FragmentPlan, Plan } from '../plan/plan.js';
import { exactName } from '../plan/pushdown.js';
import { Annotations } from './annotations.js';
import { fragmentOf, noteArguments, noteName } from './fragment.js';
import type { QueryContext, RenderedRows, RenderForm, Source } from './source.js';
import { needsCounterName } from './window/evaluate.js';

export interface Rendered {
  readonly rows: RenderedRows;
  readonly annotations: Annotations;
}

/** What features say of the labels that describe metrics. */
interface Naming {
  readonly delayedNames: boolean;
  readonly typeLabels: boolean;
}

/** Whether rows stay as they are, and distinct. */
function keepsRows({ keepsName, selection }: FragmentPlan, delayedNames: boolean): boolean {
  return keepsName || (!delayedNames && exactName(selection.matchers) !== undefined);
}

/** Runs a plan to text; undefined where that cannot be: it is to be executed then. */
export async function render(
  plan: Plan,
  form: RenderForm,
  source: Source,
  context: QueryContext,
  { delayedNames, typeLabels }: Naming,
): Promise<Rendered | undefined> {
  if (plan.kind !== 'fragment' || source.render === undefined) return undefined;
  const isGrouped = plan.aggregate !== undefined || plan.quantile !== undefined;
  if (isGrouped ? delayedNames : !keepsRows(plan, delayedNames)) return undefined;
  if (typeLabels && needsCounterName(plan.fn)) return undefined;
  const rows = await source.render(fragmentOf(plan, form.steps, false), form, context);
  if (rows === undefined) return undefined;
  const annotations = new Annotations();
  if (rows.rowCount > 0) {
    noteName(annotations, plan);
    noteArguments(annotations, plan);
  }
  return { rows, annotations };
}
