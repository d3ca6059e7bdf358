"""What every scenario needs: the paper exchange's control face, and an account with keys known to the official SDK.

Uses the SDK unmodified. Nothing here knows a private key that matters: keys are made on the spot.
"""

import asyncio
import json
import time
import urllib.request

import lighter
from lighter.signer_client import create_api_key

BTC = 1
TIMEOUT_S = 60


class Session:
    """One account on the paper exchange, and the SDK's clients for it."""

    def __init__(self, url, account_index, api_keys):
        self.url = url
        self.account_index = account_index
        self.client = lighter.SignerClient(url=url, account_index=account_index, api_private_keys=dict(api_keys))
        self.orders = self.client.order_api
        self.transactions = self.client.tx_api
        self.accounts = lighter.AccountApi(self.client.api_client)

    def token(self):
        token, error = self.client.create_auth_token_with_expiry(api_key_index=5)
        assert error is None, error
        return token

    async def active_orders(self):
        return (await self.orders.account_active_orders(self.token(), self.account_index, BTC)).orders

    async def inactive_orders(self):
        return (await self.orders.account_inactive_orders(self.token(), self.account_index, limit=100)).orders

    async def trades(self):
        found = await self.orders.trades(
            sort_by="timestamp", limit=100, authorization=self.token(), account_index=self.account_index
        )
        return found.trades

    async def position(self):
        """Signed size of the BTC position, as the account reports it."""
        account = (await self.accounts.account(by="index", value=str(self.account_index))).accounts[0]
        for position in account.positions:
            if position.market_id == BTC:
                return position.sign * float(position.position)
        return 0.0


def control(url, path, body):
    """POST to the paper exchange's control face."""
    request = urllib.request.Request(
        url + path, data=json.dumps(body).encode(), headers={"content-type": "application/json"}
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def new_session(url, account_index, key_indexes=(5,)):
    """Adds an account with fresh keys, the way a stranger would."""
    private_keys, public_keys = {}, {}
    for index in key_indexes:
        private_keys[index], public_keys[str(index)], error = create_api_key()
        assert not error, error
    control(
        url,
        "/_paper/accounts",
        {"account_index": account_index, "collateral": "100000", "api_keys": public_keys},
    )
    return Session(url, account_index, private_keys)


async def until(read, wanted):
    """Reads again until the answer satisfies `wanted`; the answer. The exchange executes after it has accepted."""
    end = time.monotonic() + TIMEOUT_S
    while True:
        answer = await read()
        if wanted(answer):
            return answer
        assert time.monotonic() < end, f"not within {TIMEOUT_S} s; the last answer was {answer}"
        await asyncio.sleep(0.02)
