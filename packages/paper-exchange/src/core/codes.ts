/**
 * The refusals of the exchange with its own texts (LP §3.9). Some are never raised by the rules here and only known so that an
 * injected fault carries the right text; docs/paper-exchange.md says which. A refusal is a value. Nothing here throws.
 */
export const refusalTexts = {
  20001: 'invalid param ',
  20013: 'invalid auth: invalid auth string',
  21100: 'account not found',
  21101: 'account nonce not found',
  21102: 'invalid account index',
  21104: 'invalid nonce',
  21105: 'batch transaction nonce is not increasing',
  21108: 'invalid PublicKey,please run changePubKey',
  21109: 'api key not found',
  21110: 'invalid api key index',
  21111: 'account is in pre-liquidation',
  21112: 'account is in liquidation',
  21113: 'invalid initial margin fraction',
  21120: 'invalid signature',
  21121: 'all transactions in the batch must have use same account and apikey',
  21122: "dead man's switch should be triggered",
  21126: 'change pub key with zero collateral',
  21132: 'margin mode change on a market with position or open order is not allowed',
  21133: 'invalid risk change',
  21136: 'invalid PublicKey, update the sdk to the latest version',
  21146: 'system account cannot be an integrator',
  21149: 'integrator not approved',
  21301: 'not enough collateral',
  21304: 'not enough asset balance',
  21500: 'transaction not found',
  21501: 'invalid tx info',
  21502: 'marshal tx failed',
  21504: 'fail to l1 signature',
  21505: 'unsupported tx type',
  21506: 'too many pending txs. Please try again later',
  21507: "account is below maintenance margin, can't execute transaction",
  21508: "account is below initial margin, can't execute transaction",
  21511: 'invalid tx type for account',
  21513: 'TxInfos and TxTypes should have the same length',
  21514: 'maximum 50 transactions allowed per batch',
  21600: 'given order is not an active limit order',
  21601: 'order book is full',
  21602: 'invalid market index',
  21605: 'invalid market status',
  21613: 'invalid margin mode',
  21614: 'no position found',
  21615: 'invalid update margin direction',
  21618: 'invalid order type for market',
  21700: 'invalid order index',
  21701: 'invalid base amount',
  21702: 'invalid price',
  21703: 'invalid isAsk',
  21704: 'invalid OrderType',
  21705: 'invalid OrderTimeInForce',
  21706: 'invalid order base or quote amount',
  21707: 'account is not owner of the order',
  21708: 'order is empty',
  21709: 'order is inactive',
  21710: 'unsupported order type',
  21711: 'invalid expiry',
  21712: 'account has a queued cancel all orders request',
  21713: 'invalid cancel all time in force',
  21714: 'invalid cancel all time',
  21715: 'given order is not an active order',
  21716: 'order is not expired',
  21717: 'maximum active limit order count reached',
  21718: 'maximum active limit order count per market reached',
  21719: 'maximum pending order count reached',
  21720: 'maximum pending order count per market reached',
  21721: 'maximum twap order count reached',
  21722: 'maximum conditional order count reached',
  21727: 'invalid client order index',
  21728: 'client order index already exists',
  21729: 'invalid order trigger price',
  21730: 'order status is not pending',
  21731: 'order can not be triggered',
  21732: 'reduce only increases position',
  21733: 'order price flagged as an accidental price',
  21734: 'limit order price is too far from the mark price',
  21735: 'SL/TP order price is too far from the trigger price',
  21738: 'invalid reduce only direction',
  21739: 'not enough margin to create the order',
  21740: 'invalid reduce only mode',
  21741: 'invalid grouping type',
  21742: 'invalid order group size',
  21743: 'invalid order info',
  22401: 'invalid resolution',
  23000: 'Too Many Requests!',
  23001: 'Too Many Subscriptions!',
  23002: 'Too Many Different Accounts!',
  23003: 'Too Many Connections!',
  23004: 'Too Many L2 Withdrawal Requests!',
  23201: 'account portfolio value is too high for the faucet',
  29404: 'not found',
  29500: 'internal server error',
  29501: 'process timeout',
  30000: 'Invalid Json',
  30001: 'Invalid Type',
  30002: 'Not Subscribed to',
  30003: 'Already Subscribed to',
  30004: 'Failed to fetch',
  30005: 'Invalid Channel',
  30006: "Operation isn't supported",
  30007: 'Invalid Data',
  30008: 'Invalid account type',
  30009: 'Too Many Websocket Messages!',
  30010: 'Too Many Inflight Messages!',
  30011: 'Failed to connect',
  30012: 'Failed to subscribe',
  62002: 'invalid account tier',
  62003: 'account is already in this tier',
  62004: 'account has open positions',
  62005: 'account has open orders',
  62006: 'account tier changed too recently',
  62007: 'api key is maker only',
} as const;

export type RefusalCode = keyof typeof refusalTexts;

export interface Refusal {
  /** A known code; a fault may inject any other integer. */
  readonly code: number;
  readonly message: string;
}

export function refuse(code: RefusalCode, message: string = refusalTexts[code]): Refusal {
  return { code, message };
}

/** For injected faults, whose code may be any number. */
export function textOfCode(code: number): string {
  const texts: Readonly<Record<number, string>> = refusalTexts;
  return texts[code] ?? 'injected refusal';
}

export function assertNever(value: never): never {
  throw new Error(`no such case: ${JSON.stringify(value)}`);
}
