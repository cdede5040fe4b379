"""The command line as a client of the hub: a token, and the API."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from libs.local.issuer import CLI


class ClientFailed(RuntimeError):
    """The hub or its issuer cannot be reached, or says no."""


async def password_token(issuer: str, account: str, level: str = "1") -> str:
    """An access token of a development account, whose password is its name; of level 2 as after a second factor."""
    form = {
        "grant_type": "password",
        "client_id": CLI,
        "username": account,
        "password": account,
        "scope": "openid",
        "acr_values": level,
    }
    url = f"{issuer}/protocol/openid-connect/token"
    async with httpx.AsyncClient(timeout=10.0) as client:
        try:
            response = await client.post(url, data=form)
        except httpx.HTTPError as error:
            raise ClientFailed(
                "No hub answers here. Start one with `make run` or `carehub up`."
            ) from error
    if response.status_code != httpx.codes.OK:
        raise ClientFailed(
            f"There is no account {account!r}. The sign-in page lists those that exist."
        )
    return str(response.json()["access_token"])


class FreshToken(httpx.Auth):
    """A bearer token that can be renewed between requests."""

    def __init__(self, issuer: str, account: str) -> None:
        self._issuer = issuer
        self._account = account
        self._token = ""

    async def renew(self) -> None:
        self._token = await password_token(self._issuer, self._account)

    async def async_auth_flow(self, request: httpx.Request) -> "AsyncIterator[httpx.Request]":  # type: ignore[override]
        if not self._token:
            await self.renew()
        request.headers["authorization"] = f"Bearer {self._token}"
        yield request


@asynccontextmanager
async def api(base_url: str, auth: httpx.Auth) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=base_url, auth=auth, timeout=30.0) as client:
        yield client


async def wait_until_ready(base_url: str, seconds: float) -> None:
    """Return once the gateway says it is ready; raise if it does not in time."""
    async with httpx.AsyncClient(base_url=base_url, timeout=2.0) as client:
        async with asyncio.timeout(seconds):
            while True:
                try:
                    if (await client.get("/readyz")).status_code == httpx.codes.OK:
                        return
                except httpx.HTTPError:
                    pass
                await asyncio.sleep(0.05)
