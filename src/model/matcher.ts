// A matcher: one condition on one label. A selector is a set of them.

export type MatchOp = '=' | '!=' | '=~' | '!~';

export interface Matcher {
  readonly name: string;
  readonly op: MatchOp;
  /** The text to compare with or, for `=~` and `!~`, an RE2 pattern matched against the whole value. */
  readonly value: string;
}
