/** Identity before action: the client order index that we choose is on everything that the exchange tells of the order (LP §2.2). */
import type { ClientOrderIndex } from '../domain/ids-and-nonces';
import { ORDER_ID_BITS } from '../domain/limits';
import { judge, type Assumption, type Finding } from './assumption';
import type { Lab } from './lab';
import { isOf, restingLife, takingLife } from './lives';
import { fieldsOf, numberOf, rowsOf, textOf, told, type Fields } from './wire';

const NOT_FOUND = 'a fill, or a hedge in doubt, could not be told from a stranger: hedged never, or twice';

const inner = (tx: Fields, key: 'info' | 'event_info'): Fields => fieldsOf(textOf(tx, key));

export const IDENTITY: readonly Assumption[] = [
  {
    id: 'index-in-frames',
    assumption: "Frames of account_all_orders carry our client order index, at the order's beginning and end",
    why: NOT_FOUND,
    needed: true,
    orders: 1,
    try: async (lab: Lab): Promise<Finding> => {
      const { slot, opened, ended } = await restingLife(lab);
      const seen = [opened, ended].map((sighting) =>
        sighting ? textOf(sighting.row, 'client_order_index') : 'nothing',
      );
      return judge(
        seen.every((text) => text === String(slot.clientOrderIndex)),
        `sent ${slot.clientOrderIndex}, shown ${seen.join(', ')}`,
      );
    },
  },
  {
    id: 'index-in-lists',
    assumption: 'Lists of live, ended and looked-up orders carry it',
    why: NOT_FOUND,
    needed: true,
    orders: 1,
    try: async (lab: Lab): Promise<Finding> => {
      const { slot, lists } = await restingLife(lab);
      const paths = ['accountActiveOrders', 'accountOrders', 'accountInactiveOrders'];
      const seen = paths.map(
        (path) => `${path} ${lists[path] ? textOf(lists[path].row, 'client_order_index') : 'nothing'}`,
      );
      return judge(
        seen.every((text) => text.endsWith(` ${slot.clientOrderIndex}`)),
        seen.join(', '),
      );
    },
  },
  {
    id: 'index-in-transactions',
    assumption: 'Transactions carry it, in what was asked and in what came of it',
    why: NOT_FOUND,
    needed: true,
    orders: 1,
    try: async (lab: Lab): Promise<Finding> => {
      const { slot, lists } = await restingLife(lab);
      const row = lists['accountTxs']?.row;
      if (row === undefined) return judge(false, 'accountTxs does not show it');
      const asked = numberOf(inner(row, 'info'), 'ClientOrderIndex');
      const order = inner(row, 'event_info')['to'] as Fields | undefined;
      const came = order && numberOf(order, 'u');
      const isIt = (value: number | undefined): boolean => BigInt(value ?? 0) === slot.clientOrderIndex;
      return judge(isIt(asked) && isIt(came), `asked ${asked ?? 'nothing'}, came ${came ?? 'nothing'}`);
    },
  },
  {
    id: 'index-in-trades',
    assumption: 'Trades carry it, in the stream and in the list',
    why: 'a fill whose order frame is lost would stay naked until the auditor finds it',
    needed: true,
    orders: 1,
    try: async (lab: Lab): Promise<Finding> => {
      const { slot, lists, socket } = await takingLife(lab);
      const index = String(slot.clientOrderIndex);
      const isOurs = (row: Fields): boolean => textOf(row, 'bid_client_id') === index;
      const pushed = await socket.first(
        ({ body, type }) => type.endsWith('all_trades') && rowsOf(body, 'trades').some(isOurs),
        lab.patience.factMs,
      );
      const inList = lists['trades'] !== undefined && isOurs(lists['trades'].row);
      return judge(pushed !== undefined && inList, `stream ${pushed ? 'yes' : 'no'}, list ${inList ? 'yes' : 'no'}`);
    },
  },
  {
    id: 'index-48-bits',
    assumption: 'A client order index of 48 bits is kept whole',
    why: 'ids of ours grow for 27 years: a cut one would be that of another order',
    needed: true,
    orders: 1,
    try: async (lab: Lab): Promise<Finding> => {
      const { a } = lab;
      const slot = a.slot();
      const low = slot.clientOrderIndex & ((1n << 20n) - 1n);
      const large = { ...slot, clientOrderIndex: ((1n << ORDER_ID_BITS) - 1n - low) as ClientOrderIndex };
      const answer = await a.post(await a.sign(lab.resting(large, 'buy', await lab.farTicks())));
      if (answer.code !== 200) return judge(false, told(answer));
      const token = await a.token();
      const query = { account_index: a.index, client_order_indexes: String(large.clientOrderIndex) };
      const found = await lab.poll(async () =>
        rowsOf((await lab.wire.get('accountOrders', query, token)).body, 'orders').find((row) => isOf(row, large)),
      );
      return judge(found !== undefined, `sent ${large.clientOrderIndex}, looked up ${found ? 'the same' : 'nothing'}`);
    },
  },
];
