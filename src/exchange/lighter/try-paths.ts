/** Does the exchange itself answer on every path that the product asks? One request each. */
import type { TriedPath } from '../port';
import { PATHS, withoutPath } from './blocked-paths';
import type { Query, Rest } from './rest';
import type { Tokens } from './tokens';

export async function tryPaths(
  rest: Rest,
  account: { readonly accountIndex: number; readonly lane: number | undefined; readonly tokens: Tokens },
): Promise<readonly TriedPath[]> {
  const { accountIndex, lane, tokens } = account;
  // What each of them needs, together: the exchange reads of it what it knows (LP §1.2).
  const query: Query = {
    ...{ account_index: accountIndex, api_key_index: lane, by: 'index', value: accountIndex },
    ...{ market_id: 255, limit: 1, sort_by: 'trade_id', client_order_indexes: '1' },
  };
  const tried: TriedPath[] = [];
  for (const path of PATHS) {
    const answers = await rest.answers(path, query, tokens);
    tried.push({ path, answers, without: withoutPath(path) });
  }
  return tried;
}
