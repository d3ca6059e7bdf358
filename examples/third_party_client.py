"""A first session on the paper exchange with the official Python SDK, and nothing else of this project.

    npx counterleg paper                      (in one terminal)
    pip install lighter-sdk                   (in another)
    python examples/third_party_client.py [http://127.0.0.1:8790]

It makes its own account and key, looks at the market, rests a bid and cancels it, buys at market, watches the trade
arrive on the stream, and sells again. No real money: this exchange exists only on your machine.
"""

import asyncio
import json
import random
import sys
import urllib.request

import lighter

URL = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8790"
STREAM = URL.replace("http", "ws", 1) + "/stream"
BTC, KEY = 1, 5
TEN_SECONDS = 10


def open_account():
    """An account with play money. Only the paper exchange has this call; a real account comes from a deposit."""
    private_key, public_key, error = lighter.signer_client.create_api_key()
    assert not error, error
    account_index = random.randrange(10_000, 1_000_000)
    body = {"account_index": account_index, "collateral": "10000", "api_keys": {str(KEY): public_key}}
    request = urllib.request.Request(
        f"{URL}/_paper/accounts", json.dumps(body).encode(), {"content-type": "application/json"}
    )
    urllib.request.urlopen(request).close()
    return account_index, private_key


async def main():
    account_index, private_key = open_account()
    client = lighter.SignerClient(url=URL, account_index=account_index, api_private_keys={KEY: private_key})
    assert client.check_client() is None
    print(f"account {account_index}, key {KEY}: accepted")

    trades = asyncio.Queue()
    ready = asyncio.Event()

    def on_account(_account, message):
        ready.set()
        for market in (message.get("trades") or {}).values():
            for trade in market:
                trades.put_nowait(trade)

    stream = lighter.WsClient(ws_url=STREAM, account_ids=[account_index], on_account_update=on_account)
    reading = asyncio.create_task(stream.run_async())
    await asyncio.wait_for(ready.wait(), TEN_SECONDS)

    ask = await client.get_best_price(BTC, is_ask=False)
    print(f"best ask {ask / 10}")

    # Prices and sizes are integers: BTC has one price decimal and five size decimals.
    _, sent, error = await client.create_order(
        market_index=BTC, client_order_index=1, base_amount=100, price=ask * 9 // 10, is_ask=False,
        order_type=client.ORDER_TYPE_LIMIT, time_in_force=client.ORDER_TIME_IN_FORCE_POST_ONLY,
    )
    assert error is None, error
    print(f"resting bid: {sent.tx_hash}")
    _, _, error = await client.cancel_order(market_index=BTC, order_index=1)
    assert error is None, error
    print("cancelled")

    for number, is_ask in ((2, False), (3, True)):
        _, _, error = await client.create_market_order_limited_slippage(
            market_index=BTC, client_order_index=number, base_amount=20, max_slippage=0.01, is_ask=is_ask
        )
        assert error is None, error
        trade = await asyncio.wait_for(trades.get(), TEN_SECONDS)
        print(f"{'sold' if is_ask else 'bought'} {trade['size']} at {trade['price']}")

    token, error = client.create_auth_token_with_expiry(api_key_index=KEY)
    assert error is None, error
    done = await client.order_api.account_inactive_orders(token, account_index, limit=10)
    for order in done.orders:
        print(f"order {order.client_order_index}: {order.status}, filled {order.filled_base_amount}")

    await stream.ws.close()
    await asyncio.gather(reading, return_exceptions=True)
    await client.close()


asyncio.run(main())
