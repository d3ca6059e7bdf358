"""Scenarios of the official Python SDK against a paper exchange. Run as: scenarios.py NAME URL WS_URL

Each prints one JSON object of what it observed; the TypeScript test that starts it says what must be in it. BTC has five
size decimals and one price decimal.
"""

import asyncio
import json
import sys
import time
from decimal import Decimal

import lighter
from lighter.ws_client import WsClient
from session import BTC, new_session, until


async def connect(url, _ws_url):
    session = new_session(url, 1001)
    books = await session.orders.order_books()
    status = await lighter.RootApi(session.client.api_client).status()
    limits = await session.accounts.account_limits(account_index=1001, authorization=session.token())
    result = {
        "own_key": session.client.check_client(),
        "status": status.status,
        "markets": {book.symbol: book.market_id for book in books.order_books},
        "tier": limits.user_tier,
        "next_nonce": (await session.transactions.next_nonce(1001, 5)).nonce,
    }
    # Last, because the library keeps one client per account and key index: this one replaces ours.
    stranger = lighter.SignerClient(url=url, account_index=1001, api_private_keys={5: lighter.create_api_key()[0]})
    result["other_key"] = stranger.check_client()
    await stranger.close()
    await session.client.close()
    return result


async def quote_and_cancel(url, _ws_url):
    session = new_session(url, 1002)
    client = session.client
    created, sent, error = await client.create_order(
        market_index=BTC,
        client_order_index=777,
        base_amount=100,
        price=1_000_000,
        is_ask=False,
        order_type=client.ORDER_TYPE_LIMIT,
        time_in_force=client.ORDER_TIME_IN_FORCE_POST_ONLY,
    )
    resting = await until(session.active_orders, lambda orders: len(orders) == 1)
    modified, _, modify_error = await client.modify_order(
        market_index=BTC, order_index=777, base_amount=200, price=1_000_100
    )
    changed = await until(session.active_orders, lambda orders: orders and orders[0].price == "100010.0")
    _, _, cancel_error = await client.cancel_order(market_index=BTC, order_index=777)
    await until(session.active_orders, lambda orders: len(orders) == 0)
    ended = await session.inactive_orders()
    found = await until(lambda: session.transactions.tx(by="hash", value=sent.tx_hash), lambda tx: tx.status >= 2)
    await client.close()
    return {
        "errors": [error, modify_error, cancel_error],
        "code": sent.code,
        "nonce": created.nonce,
        "resting": [[o.client_order_index, o.initial_base_amount, o.price, o.status] for o in resting],
        "changed": [[o.client_order_index, o.remaining_base_amount, o.price] for o in changed],
        "ended": [[o.client_order_index, o.status, o.filled_base_amount] for o in ended],
        "hash_found": [found.hash == sent.tx_hash, found.type, found.account_index],
    }


async def market_order(url, _ws_url):
    session = new_session(url, 1003)
    client = session.client
    best = await client.get_best_price(BTC, is_ask=False)
    _, sent, error = await client.create_market_order(
        market_index=BTC, client_order_index=31, base_amount=200, avg_execution_price=best + 1000, is_ask=False
    )
    bought_position = await until(session.position, lambda size: size == 0.002)
    bought = await session.trades()
    _, _, slippage_error = await client.create_market_order_limited_slippage(
        market_index=BTC, client_order_index=32, base_amount=200, max_slippage=0.01, is_ask=True, reduce_only=True
    )
    flat_position = await until(session.position, lambda size: size == 0)
    every = await session.trades()
    ended = await session.inactive_orders()
    _, _, too_dear = await client.create_market_order_if_slippage(
        market_index=BTC, client_order_index=33, base_amount=10_000_000, max_slippage=0.00001, is_ask=False
    )
    await client.close()
    return {
        "errors": [error, slippage_error, too_dear],
        "code": sent.code,
        "positions": [bought_position, flat_position],
        "bought": sum_sizes(bought),
        "first_at_best_ask": min(ticks(trade.price) for trade in bought) == best,
        "buyer": sorted({(trade.bid_account_id, trade.bid_client_id, trade.is_maker_ask) for trade in bought}),
        "every": sum_sizes(every),
        "seller_orders": sorted({trade.ask_client_id for trade in every if trade.ask_account_id == 1003}),
        "orders": sorted([o.client_order_index, o.status, o.filled_base_amount] for o in ended),
    }


def ticks(price):
    return int(price.replace(".", ""))


def sum_sizes(trades):
    return str(sum(Decimal(trade.size) for trade in trades))


async def nonces(url, _ws_url):
    session = new_session(url, 1004, key_indexes=(5, 6))
    client = session.client

    async def quote(client_order_index, **how):
        created, _sent, error = await client.create_order(
            market_index=BTC,
            client_order_index=client_order_index,
            base_amount=100,
            price=900_000,
            is_ask=False,
            order_type=client.ORDER_TYPE_LIMIT,
            time_in_force=client.ORDER_TIME_IN_FORCE_POST_ONLY,
            **how,
        )
        return [None if created is None else created.nonce, error]

    async def next_nonce():
        return (await session.transactions.next_nonce(1004, 5)).nonce

    first = await quote(1, nonce=1, api_key_index=5)
    repeated = await quote(2, nonce=1, api_key_index=5)
    gap = await quote(3, nonce=5, api_key_index=5)
    after_refusals = await next_nonce()
    millis = int(time.time() * 1000)
    skipped = await quote(4, nonce=millis, skip_nonce=client.SKIP_NONCE_ON, api_key_index=5)
    after_skip = await next_nonce()
    # The SDK's own manager, out of step because we used its key behind its back: one refusal, then it recovers.
    managed = lighter.SignerClient(url=url, account_index=1004, api_private_keys={6: client.api_key_dict[6]})
    client, own = managed, client
    managed_first = await quote(5)
    client = own
    behind_its_back = await quote(6, nonce=2, api_key_index=6)
    client = managed
    refused = await quote(7)
    recovered = await quote(8)
    active = await until(session.active_orders, lambda orders: len(orders) == 5)
    wrong_chain = lighter.SignerClient(
        url=url, account_index=1004, api_private_keys={5: own.api_key_dict[5]}, chain_id=300
    )
    client = wrong_chain
    wrong = await quote(9, nonce=millis + 1, api_key_index=5)
    for one in (own, managed, wrong_chain):
        await one.close()
    return {
        "first": first,
        "repeated": repeated,
        "gap": gap,
        "after_refusals": after_refusals,
        "skip": [skipped[0] == millis, skipped[1], after_skip == millis + 1],
        "managed": [managed_first, behind_its_back, refused, recovered],
        "active": sorted(order.client_order_index for order in active),
        "wrong_chain": wrong,
    }


async def batch(url, _ws_url):
    session = new_session(url, 1005)
    client = session.client
    types, infos, hashes = [], [], []
    for offset in range(3):
        tx_type, tx_info, tx_hash, error = client.sign_create_order(
            BTC, 50 + offset, 100, 900_000 + offset * 10, 0, client.ORDER_TYPE_LIMIT,
            client.ORDER_TIME_IN_FORCE_GOOD_TILL_TIME, nonce=1 + offset, api_key_index=5,
        )
        assert error is None, error
        types.append(tx_type)
        infos.append(tx_info)
        hashes.append(tx_hash)
    sent = await client.send_tx_batch(types, infos)
    await until(session.active_orders, lambda orders: len(orders) == 3)
    _, _, error = await client.cancel_all_orders(client.CANCEL_ALL_TIF_IMMEDIATE, 0)
    await until(session.active_orders, lambda orders: len(orders) == 0)
    _, leverage, leverage_error = await client.update_leverage(BTC, client.CROSS_MARGIN_MODE, 10)
    await client.close()
    return {
        "same_hashes": sent.tx_hash == hashes,
        "errors": [error, leverage_error],
        "leverage": leverage.code,
    }


async def streams(url, ws_url):
    session = new_session(url, 1006)
    seen = {"books": 0, "accounts": [], "unhandled": []}
    traded = asyncio.Event()
    subscribed = asyncio.Event()

    def on_book(_market_id, book):
        seen["books"] += 1
        seen["asks"] = len(book["asks"])

    def on_account(_account_id, message):
        trades = message.get("trades") or {}
        rows = [row for market in trades.values() for row in market] if isinstance(trades, dict) else trades
        seen["accounts"].append([message["type"], len(rows)])
        subscribed.set()
        if message["type"] == "update/account_all" and rows:
            traded.set()

    stream = WsClient(
        ws_url=ws_url,
        order_book_ids=[BTC],
        account_ids=[1006],
        on_order_book_update=on_book,
        on_account_update=on_account,
        on_unhandled_message=lambda message: seen["unhandled"].append(message.get("type")),
    )
    reading = asyncio.create_task(stream.run_async())
    await asyncio.wait_for(subscribed.wait(), 10)
    best = await session.client.get_best_price(BTC, is_ask=False)
    _, _, error = await session.client.create_market_order(
        market_index=BTC, client_order_index=61, base_amount=20, avg_execution_price=best + 1000, is_ask=False
    )
    await asyncio.wait_for(traded.wait(), 10)
    await until(lambda: asyncio.sleep(0, seen["books"]), lambda books: books > 1)
    await stream.ws.close()
    await asyncio.gather(reading, return_exceptions=True)
    await session.client.close()
    return {
        "error": error,
        "first_account_frame": seen["accounts"][0],
        "traded": traded.is_set(),
        "asks_kept": seen["asks"] > 0,
        "unhandled": seen["unhandled"],
    }


async def reads_need_a_token(url, _ws_url):
    session = new_session(url, 1007)
    answers = {}

    async def read(name, token):
        try:
            await session.orders.account_active_orders(token, 1007, BTC)
            answers[name] = "accepted"
        except lighter.ApiException as error:
            answers[name] = [error.status, json.loads(error.body)["code"]]

    other = new_session(url, 1008)
    late, _ = session.client.create_auth_token_with_expiry(9 * 3600, api_key_index=5)
    past, _ = session.client.create_auth_token_with_expiry(60, timestamp=int(time.time()) - 3600, api_key_index=5)
    good = session.token()
    await read("own", good)
    await read("garbage", "garbage")
    await read("altered", good[:-1] + ("1" if good[-1] == "0" else "0"))
    await read("too far ahead", late)
    await read("past", past)
    await read("another account's", other.token())
    await session.client.close()
    await other.client.close()
    return answers


SCENARIOS = {
    scenario.__name__: scenario
    for scenario in (connect, quote_and_cancel, market_order, nonces, batch, streams, reads_need_a_token)
}


if __name__ == "__main__":
    name, base_url, stream_url = sys.argv[1:]
    print(json.dumps(asyncio.run(SCENARIOS[name](base_url, stream_url))))
