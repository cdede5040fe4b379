"""Runs pods as their manifests say, without a cluster: a network of their own, a number for a user, a root that is read-only.

To be run in network and mount namespaces of one's own (`unshare --net --mount`), so that nothing of it stays.
"""

import asyncio
import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.contract.rendering import Object, container, environment

NETWORK = "10.89.0"
HERE = f"{NETWORK}.1"  # the machine, where the engines are
CGROUP = Path("/sys/fs/cgroup/memory")


def shell(*argv: str) -> None:
    subprocess.run(argv, check=True, capture_output=True)


def make_network() -> None:
    """A bridge, which each pod gets a cable to. What networks are called is forgotten with our mounts."""
    Path("/run/netns").mkdir(exist_ok=True)
    shell("mount", "-t", "tmpfs", "tmpfs", "/run/netns")
    shell("ip", "link", "set", "lo", "up")
    shell("ip", "link", "add", "pods", "type", "bridge")
    shell("ip", "addr", "add", f"{HERE}/24", "dev", "pods")
    shell("ip", "link", "set", "pods", "up")


async def forward(port: int, to: int) -> asyncio.Server:
    """An engine of loopback, at the address that pods know."""

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_connection("127.0.0.1", to)
        await asyncio.gather(copy(reader, there[1]), copy(there[0], writer))

    return await asyncio.start_server(connected, HERE, port)


@dataclass
class Pod:
    """One pod of a template: its container, with its files, its variables and a place in the network."""

    name: str
    address: str
    process: asyncio.subprocess.Process
    log: Path
    probes: Object = field(default_factory=dict)
    grace: int = 0

    @property
    def peak(self) -> float:
        """The most memory that it held, in MiB, with what the kernel kept of files for it."""
        return int((self._cgroup / "memory.max_usage_in_bytes").read_text()) / 2**20

    @property
    def held(self) -> float:
        """What it holds now and could not give back, in MiB."""
        lines = (self._cgroup / "memory.stat").read_text().splitlines()
        return int(dict(line.split() for line in lines)["total_rss"]) / 2**20

    @property
    def _cgroup(self) -> Path:
        return CGROUP / "carehub-test" / self.name

    def status(self) -> dict[str, str]:
        """What the kernel says of its first process."""
        (pid, *_) = (self._cgroup / "cgroup.procs").read_text().split()
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}

    async def ended(self, within: float) -> int:
        return await asyncio.wait_for(self.process.wait(), within)


class Machine:
    """Starts pods of one image. `secrets` and `config_maps` are files by name and key."""

    def __init__(
        self,
        image: Path,
        folder: Path,
        objects: list[Object],
        secrets: Mapping[str, Mapping[str, bytes]],
        config_maps: Mapping[str, Mapping[str, bytes]],
    ) -> None:
        self.image = image
        self.folder = folder
        self._objects = objects
        self._secrets = secrets
        self._config_maps = config_maps
        self._hosts: dict[str, str] = {}
        self._services: dict[str, str] = {}
        self._next = 10
        self.pods: dict[str, Pod] = {}

    def address_of(self, name: str) -> str:
        """A place in the network, kept for this pod."""
        if name not in self._hosts:
            self._hosts[name] = f"{NETWORK}.{self._next}"
            self._next += 1
        return self._hosts[name]

    async def start(self, name: str, template: Object) -> Pod:
        bundle = self.folder / name
        bundle.mkdir()
        self._plug(name)
        (bundle / "config.json").write_text(json.dumps(self._bundle(name, template, bundle)))
        log = bundle / "log"
        with log.open("wb") as file:
            process = await asyncio.create_subprocess_exec(
                "runc", "--root", str(self.folder / "runc"), "run", "--bundle", str(bundle), f"carehub-{name}",
                stdout=file, stderr=file, stdin=asyncio.subprocess.DEVNULL,
            )  # fmt: skip
        only = container(template)
        probes = {kind: only[kind] for kind in only if kind.endswith("Probe")}
        grace = template["spec"].get("terminationGracePeriodSeconds", 30)
        pod = Pod(name, self.address_of(name), process, log, probes, grace)
        self.pods[name] = pod
        return pod

    async def stop(self) -> None:
        """End what still runs, and take its place in the network away."""
        for pod in self.pods.values():
            if pod.process.returncode is None:
                pod.process.terminate()
            await pod.ended(pod.grace)
            shell("ip", "netns", "del", pod.name)  # and its end of the cable, and so the other one

    def _plug(self, name: str) -> None:
        cable = f"v{self.address_of(name).rpartition('.')[2]}"
        shell("ip", "netns", "add", name)
        shell("ip", "link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", name)
        shell("ip", "link", "set", cable, "master", "pods", "up")
        shell("ip", "-n", name, "addr", "add", f"{self.address_of(name)}/24", "dev", "eth0")
        shell("ip", "-n", name, "link", "set", "eth0", "up")
        shell("ip", "-n", name, "link", "set", "lo", "up")

    def _bundle(self, name: str, template: Object, bundle: Path) -> Object:
        spec, only = template["spec"], container(template)
        user, context = spec["securityContext"], only["securityContext"]
        variables = {"PATH": "/opt/venv/bin:/usr/local/bin:/usr/bin:/bin"}
        for variable, value in environment(self._objects, template).items():
            variables[variable] = (
                self._secrets[value[0]][value[1]].decode() if isinstance(value, tuple) else value
            )
        limit = int(only["resources"]["limits"]["memory"].removesuffix("Mi")) * 2**20
        return {
            "ociVersion": "1.0.2",
            "hostname": name,
            "process": {
                "user": {"uid": user["runAsUser"], "gid": user["runAsGroup"], "additionalGids": [user["fsGroup"]]},
                "args": ["carehub", *only["args"]],
                "env": [f"{k}={v}" for k, v in variables.items()],
                "cwd": "/app",
                "capabilities": {kind: [] for kind in ("bounding", "effective", "inheritable", "permitted", "ambient")},
                "noNewPrivileges": not context["allowPrivilegeEscalation"],
            },
            "root": {"path": str(self.image), "readonly": context["readOnlyRootFilesystem"]},
            "mounts": [
                {"destination": "/proc", "type": "proc", "source": "proc"},
                {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"]},
                bound(self._hosts_file(bundle), "/etc/hosts"),
                *(self._mount(spec, one, bundle) for one in only["volumeMounts"]),
            ],
            "linux": {
                "namespaces": [
                    *({"type": kind} for kind in ("pid", "mount", "ipc", "uts")),
                    {"type": "network", "path": f"/run/netns/{name}"},
                ],
                "cgroupsPath": f"/carehub-test/{name}",
                "resources": {"memory": {"limit": limit, "swap": limit}, "devices": [{"allow": False, "access": "rwm"}]},
            },
        }  # fmt: skip

    def name_service(self, service: str, pod: str) -> None:
        """Whoever asks for a service is told this pod's address from now on, as by a cluster's DNS."""
        self._services[service] = self.address_of(pod)
        for bundle in {self.folder / name for name in self.pods}:
            self._hosts_file(bundle)

    def _hosts_file(self, bundle: Path) -> Path:
        lines = [f"{address} {service}" for service, address in self._services.items()]
        path = bundle / "hosts"
        path.write_text("\n".join(["127.0.0.1 localhost", f"{HERE} nats postgresql", *lines, ""]))
        return path

    def _mount(self, spec: Object, mount: Object, bundle: Path) -> Object:
        (volume,) = [v for v in spec["volumes"] if v["name"] == mount["name"]]
        if "emptyDir" in volume:
            options = ["nosuid", "nodev", "mode=1777", "size=64m"]
            return {
                "destination": mount["mountPath"],
                "type": "tmpfs",
                "source": "tmpfs",
                "options": options,
            }
        folder = bundle / "volumes" / volume["name"]
        folder.mkdir(parents=True)
        if "secret" in volume:
            held, mode = (
                self._secrets[volume["secret"]["secretName"]],
                volume["secret"]["defaultMode"],
            )
            files = {item["path"]: held[item["key"]] for item in volume["secret"]["items"]}
        else:
            files, mode = dict(self._config_maps[volume["configMap"]["name"]]), 0o644
        for file, content in files.items():
            (folder / file).write_bytes(content)
            (folder / file).chmod(mode)
            os.chown(folder / file, 0, spec["securityContext"]["fsGroup"])
        return bound(folder, mount["mountPath"])


def bound(path: Path, destination: str) -> dict[str, Any]:
    return {
        "destination": destination,
        "type": "bind",
        "source": str(path),
        "options": ["bind", "ro"],
    }
