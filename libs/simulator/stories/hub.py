"""The hub as simulated people meet it: messages over MLLP, requests over HTTP with an account of their own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from libs.local.client import ClientFailed, FreshToken
from libs.local.send import NotAnswered, send

# Nobody's fault, or nobody knows whether it was done: the same is done again, later.
_LATER = frozenset({429, 500, 502, 503, 504})


class NotNow(Exception):
    """The hub is away, or has not heard yet of what an act is about: it is tried again."""


@dataclass(slots=True, kw_only=True)
class Hub:
    """Where it is, and who has asked it something. Nothing that it refuses is an error: then it is not to be done."""

    env: Mapping[str, str]
    client: httpx.AsyncClient
    _tokens: dict[str, FreshToken] = field(default_factory=dict)

    async def hear(self, *messages: bytes) -> None:
        """Send messages in this order; each has to be accepted."""
        host, port = self.env["INTEROP_MLLP_HOST"], int(self.env["INTEROP_MLLP_PORT"])
        try:
            answers = [answer async for answer in send(host, port, messages)]
        except (OSError, NotAnswered) as error:
            raise NotNow(f"no acknowledgement: {type(error).__name__}") from error
        for answer in answers:
            if not answer.is_accepted:
                raise NotNow(f"a message was answered {answer.code}")

    async def get(self, account: str, path: str, **params: Any) -> Any:
        return await self._ask(account, "GET", path, params=params) or {}

    async def post(self, account: str, path: str, **body: Any) -> Any:
        """What came of it; None if it was refused."""
        return await self._ask(account, "POST", path, json=body)

    async def patch(self, account: str, path: str, **body: Any) -> Any:
        return await self._ask(account, "PATCH", path, json=body)

    async def answered(self, url: str, word: str) -> None:
        """What a partner chooses on the page behind a link, without an account."""
        try:
            shown = await self.client.post(url, params={"lang": "en"}, data={"answer": word})
        except httpx.HTTPError as error:
            raise NotNow(type(error).__name__) from error
        if shown.status_code in _LATER:
            raise NotNow(f"the partner's page answered {shown.status_code}")

    async def _ask(self, account: str, method: str, path: str, **options: Any) -> Any:
        auth = self._tokens.setdefault(account, FreshToken(self.env["GATEWAY_ISSUER"], account))
        try:
            response = await self.client.request(method, path, auth=auth, **options)
            if response.status_code == httpx.codes.UNAUTHORIZED:
                await auth.renew()
                response = await self.client.request(method, path, auth=auth, **options)
        except (httpx.HTTPError, ClientFailed) as error:
            raise NotNow(type(error).__name__) from error
        if response.status_code in _LATER:
            raise NotNow(f"{method} {path} answered {response.status_code}")
        return response.json() if response.is_success else None
