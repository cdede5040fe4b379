"""What stands where the services stand: real messages, no wire, no mocks."""

import base64
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import orjson
from carehub.identity.v1 import identity_service_pb2
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2

from libs.chassis.wire import CallFailed

IMAGE = Path("libs/contracts/contracts.binpb").read_bytes()
PUBLIC_URL = "http://127.0.0.1:8080"
ISSUER = f"{PUBLIC_URL}/realms/carehub"
NURSE = "0190a5a0-0000-7000-8000-000000000001"


def failed(code: str, reason: str, message: str, **metadata: str) -> CallFailed:
    """What a guard answers with."""
    detail = AnyMessage()
    detail.Pack(error_details_pb2.ErrorInfo(reason=reason, domain="carehub", metadata=metadata))
    return CallFailed(
        status_pb2.Status(code=code_pb2.Code.Value(code), message=message, details=[detail])
    )


def caller_token(subject: str = NURSE) -> str:
    payload = base64.urlsafe_b64encode(orjson.dumps({"sub": subject})).rstrip(b"=").decode()
    return f"header.{payload}.signature"


@dataclass
class Call:
    method: str
    request: Message
    caller_token: str | None
    timeout: float
    metadata: Mapping[str, str]


Answer = Callable[[Message], Message | Awaitable[Message]]


@dataclass
class Neighbors:
    """Stands where Channels stand: answers by RPC, and remembers what it was asked."""

    answers: dict[str, Answer] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    lives: float = 30.0
    people: dict[str, str] = field(default_factory=lambda: {"good": NURSE})

    async def call(
        self,
        method: MethodDescriptor,
        request: Message,
        *,
        caller_token: str | None = None,
        timeout: float = 3.0,
        metadata: Mapping[str, str] | None = None,
    ) -> Message:
        self.calls.append(Call(method.name, request, caller_token, timeout, metadata or {}))
        answers = {"ExchangeToken": self.exchange, "GetCallerKeys": self.keys} | self.answers
        answer = answers[method.name](request)
        return await answer if isinstance(answer, Awaitable) else answer

    def exchange(self, request: Message) -> Message:
        assert isinstance(request, identity_service_pb2.ExchangeTokenRequest)
        subject = self.people.get(request.access_token)
        if subject is None:
            raise failed("UNAUTHENTICATED", "TOKEN_INVALID", "This is no token of ours.")
        answer = identity_service_pb2.ExchangeTokenResponse(caller_token=caller_token(subject))
        answer.expire_time.FromMilliseconds(int((time.time() + self.lives) * 1000))
        return answer

    def keys(self, _: Message) -> Message:
        return identity_service_pb2.GetCallerKeysResponse(jwks="{}")

    def last(self, name: str) -> Call:
        return next(call for call in reversed(self.calls) if call.method == name)

    def count(self, name: str) -> int:
        return sum(call.method == name for call in self.calls)
