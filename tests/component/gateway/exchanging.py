"""In identity's place: it knows a few access tokens."""

import time

from carehub.identity.v1 import identity_service_pb2


class Exchanging:
    """The hub's channels, but for ExchangeToken: `tokens` says whose caller token an access token is worth."""

    def __init__(self, channels, **tokens):
        self._channels = channels
        self._tokens = tokens

    async def call(self, method, request, **options):
        if method.name != "ExchangeToken":
            return await self._channels.call(method, request, **options)
        answer = identity_service_pb2.ExchangeTokenResponse(
            caller_token=self._tokens[request.access_token]
        )
        answer.expire_time.FromSeconds(int(time.time()) + 30)
        return answer
