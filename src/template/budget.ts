// What one expansion may do. Templates are written by users and run in the main thread:
// none may keep it busy or fill its memory. All that a template does is paid for here.

/** Thrown where a template wants too much. */
export class BudgetFault extends Error {
  override readonly name = 'BudgetFault';
}

/** Nodes evaluated and pieces of text made: some 100 ms of work. */
const WORK_MAX = 1_000_000;
/** What one step may copy. */
const BYTES_A_UNIT = 64;
/** Console pages have tables of thousands of rows. */
export const OUTPUT_CHARACTERS_MAX = 8 << 20;
/** Any text on the way there. */
export const TEXT_CHARACTERS_MAX = 1 << 20;

export class Budget {
  #work = 0;

  /** Throws BudgetFault. */
  spend(units: number): void {
    this.#work += units;
    if (this.#work > WORK_MAX) throw new BudgetFault('the template takes too long');
  }

  /** Of a text that was made or read; the text itself. Throws BudgetFault. */
  text(text: string): string {
    if (text.length > TEXT_CHARACTERS_MAX) throw new BudgetFault('a text of the template is too long');
    this.spend(text.length / BYTES_A_UNIT);
    return text;
  }
}
