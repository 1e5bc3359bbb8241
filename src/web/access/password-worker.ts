// The thread that compares passwords with bcrypt hashes: one comparison is 60 ms and more of nothing else.

import { compareSync } from 'bcryptjs';

export interface Comparison {
  readonly password: string;
  readonly hash: string;
}

/** False for what is no hash at all, too. */
export function comparePassword({ password, hash }: Comparison): boolean {
  try {
    return compareSync(password, hash);
  } catch {
    return false;
  }
}
