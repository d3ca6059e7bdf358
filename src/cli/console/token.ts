/** The address that a person opens: it holds the token, and belongs on his terminal alone. */
import type { Config } from '../../config';
import { tokenIn } from '../../console/access';
import { CommandError } from '../context';

export function addressWith(url: string, token: string): string {
  return `${url}?token=${token}`;
}

/** Throws a CommandError when others could read it. */
export function consoleToken({ console: { tokenFile } }: Config): string {
  try {
    return tokenIn(tokenFile);
  } catch (error) {
    throw new CommandError(error instanceof Error ? error.message : String(error));
  }
}
