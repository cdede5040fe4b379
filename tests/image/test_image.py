"""Every pod of the charts, run as its manifest says: it starts, answers its probes, keeps to its rights and ends in time."""

import asyncio
import re
import ssl

import grpc
import httpx
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from services.__main__ import GATEWAY, SERVICES
from tests.contract.rendering import container, role_of

WITHIN = 90.0
MESSAGE = (
    b"MSH|^~\\&|EHR|NOBODY|CAREHUB|HUB|20260105120000||ADT^A01|1|P|2.5\rPID|1||1^^^X\rPV1|1|I\r"
)


async def answers(pod, probe):
    """As a kubelet asks: by address, without a certificate."""
    if "grpc" in probe:
        async with grpc.aio.insecure_channel(f"{pod.address}:{probe['grpc']['port']}") as channel:
            stub = health_pb2_grpc.HealthStub(channel)
            try:
                found = await stub.Check(health_pb2.HealthCheckRequest(), timeout=3)
            except grpc.aio.AioRpcError:
                return False
            return found.status == health_pb2.HealthCheckResponse.SERVING
    port = {"metrics": 9090, "http": 8080}[probe["httpGet"]["port"]]
    async with httpx.AsyncClient(timeout=3) as client:
        try:
            found = await client.get(f"http://{pod.address}:{port}{probe['httpGet']['path']}")
        except httpx.HTTPError:
            return False
    return found.status_code == 200


async def until(holds, what, within=WITHIN):
    ends = asyncio.get_running_loop().time() + within
    while not await holds():
        assert asyncio.get_running_loop().time() < ends, what()
        await asyncio.sleep(0.2)


def lines_of(pod):
    return f"{pod.name}: " + "\n".join(pod.log.read_text().splitlines()[-15:])


async def test_pods_wait_for_their_schema_and_jobs_bring_it(hub):
    jobs = {n: t for n, t in hub.templates.items() if role_of(t) in {"migrate", "setup"}}
    lasting = {n: t for n, t in hub.templates.items() if n not in jobs}
    for service in SERVICES:  # Services have names before their pods answer
        hub.machine.name_service(service, f"{service}-serve")
    started = [await hub.machine.start(name, template) for name, template in lasting.items()]
    waiting = [pod for pod in started if not pod.name.startswith(GATEWAY)]

    async def all_wait():
        return all("waiting for the schema" in pod.log.read_text() for pod in waiting)

    await until(all_wait, lambda: "\n".join(map(lines_of, waiting)))
    for pod in waiting:
        assert not await answers(pod, pod.probes["startupProbe"]), lines_of(pod)
    for name, template in jobs.items():
        pod = await hub.machine.start(name, template)
        assert await pod.ended(WITHIN) == 0, lines_of(pod)
    assert len(jobs) == len(SERVICES) + 1


async def test_every_probe_is_answered(hub):
    for pod in lasting_pods(hub):
        for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
            await until(
                lambda pod=pod, kind=kind: answers(pod, pod.probes[kind]),
                lambda pod=pod, kind=kind: f"{kind} of {lines_of(pod)}",
            )


def lasting_pods(hub):
    pods = hub.machine.pods.values()
    found = [pod for pod in pods if pod.probes and pod.process.returncode is None]
    assert len(found) == 2 * len(SERVICES) + 1
    return found


async def test_processes_have_no_rights(hub):
    for pod in lasting_pods(hub):
        told = pod.status()
        assert set(told["Uid"].split()) == {"10001"}, pod.name
        assert told["NoNewPrivs"] == "1", pod.name
        assert {told[kind] for kind in ("CapEff", "CapPrm", "CapBnd")} == {"0" * 16}, pod.name


async def test_a_sender_gets_an_answer_if_it_shows_a_certificate(hub):
    address = hub.machine.address_of("interop-serve")
    context = ssl.create_default_context()
    secret = hub.secrets["sender-tls"]
    folder = hub.machine.folder / "sender"
    folder.mkdir()
    for name, content in secret.items():
        (folder / name).write_bytes(content)
    context.load_verify_locations(folder / "ca.crt")

    async def send():
        reader, writer = await asyncio.open_connection(
            address, 2575, ssl=context, server_hostname="interop-mllp"
        )
        writer.write(b"\x0b" + MESSAGE + b"\x1c\r")
        answer = await asyncio.wait_for(reader.read(4096), 10)
        writer.close()
        return answer

    with pytest.raises((ssl.SSLError, ConnectionError, AssertionError)):
        assert await send()  # a connection that is closed has no answer
    context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    assert b"MSA|AE|1" in await send()  # no feed knows it


async def test_the_broker_refuses_nobody_what_they_need(hub):
    """The relays publish heads of ledgers and protocols, and consumers ask for messages."""

    async def heard():
        async with httpx.AsyncClient() as client:
            found = (await client.get("http://127.0.0.1:8222/jsz?accounts=1&streams=1")).json()
        streams = found["account_details"][0]["stream_detail"]
        return {s["name"] for s in streams if s["state"]["messages"]} >= {"identity", "tasking"}

    await until(heard, lambda: hub.nats_log.read_text()[-2000:])
    refused = [line for line in hub.nats_log.read_text().splitlines() if "Violation" in line]
    assert refused == []
    assert not re.search(r"authentication error", hub.nats_log.read_text())


async def test_limits_leave_room(hub):
    """Printed for whoever sets them: MiB that a pod holds, the most that it had, and its limit."""
    for pod in lasting_pods(hub):
        template = hub.templates[pod.name]
        resources = container(template)["resources"]
        limit = int(resources["limits"]["memory"].removesuffix("Mi"))
        print(f"{pod.name:16} {pod.held:6.0f} {pod.peak:6.0f} of {limit}")
        assert pod.held < 0.75 * limit, pod.name
        assert pod.held < int(resources["requests"]["memory"].removesuffix("Mi")), pod.name


async def test_a_pod_is_replaced_and_no_request_fails(hub):
    """As a rolling update does it: the new one is ready, the name leads to it, the old one ends after its pause."""
    template = hub.templates["identity-serve"]
    answered, rolled = [], asyncio.Event()

    async def ask():
        """What is no token: identity says so, and the gateway passes it on."""
        address = hub.machine.address_of("gateway-serve")
        async with httpx.AsyncClient(base_url=f"http://{address}:8080", timeout=10) as client:
            while not rolled.is_set():
                bearer = {"Authorization": f"Bearer none-{len(answered)}"}
                answered.append((await client.get("/v1/me", headers=bearer)).status_code)
                await asyncio.sleep(0.1)

    asking = asyncio.create_task(ask())
    old, new = (
        hub.machine.pods["identity-serve"],
        await hub.machine.start("identity-two", template),
    )
    await until(lambda: answers(new, new.probes["readinessProbe"]), lambda: lines_of(new))
    hub.machine.name_service("identity", "identity-two")
    pause = container(template)["lifecycle"]["preStop"]["sleep"]["seconds"]
    await asyncio.sleep(pause)
    old.process.terminate()
    assert await old.ended(old.grace - pause) == 0, lines_of(old)
    await asyncio.sleep(3)
    rolled.set()
    await asking
    print(f"{len(answered)} requests while identity was replaced")
    assert len(answered) > 5 * pause
    assert set(answered) == {401}


async def test_every_pod_ends_by_itself_when_it_is_told_to(hub):
    ending = lasting_pods(hub)
    for pod in ending:
        pod.process.terminate()
    for pod in ending:
        assert await pod.ended(pod.grace - 10) == 0, lines_of(pod)
