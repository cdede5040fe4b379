"""`carehub keycloak provision` against a real Keycloak: twice changes nothing, and what drifted comes back."""

import asyncio
import os
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from tests.issuer.browsing import claims_of
from tests.issuer.issuers import only_keycloak, tokens_of

pytestmark = only_keycloak
HEAD = "id,account,display_name,email,roles,state\n"


@pytest.fixture
def provision(keycloak, public_url, tmp_path):
    """Runs the command as an operator does; returns its exit code and what it said."""

    async def run(*arguments: str, realm: str = "carehub", **env: str) -> tuple[int, str]:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "services", "keycloak", "provision", "--url", keycloak.url,
            "--public-url", public_url, "--realm", realm, *arguments,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            env=os.environ | {
                "KEYCLOAK_ADMIN_USERNAME": keycloak.username, "KEYCLOAK_ADMIN_PASSWORD": keycloak.password
            } | env,
        )  # fmt: skip
        told, _ = await asyncio.wait_for(process.communicate(), 200)
        return process.returncode or 0, told.decode()

    return run


async def test_a_second_run_changes_nothing(issuer, provision):
    assert await provision() == (0, "0 changes.\n")


async def test_what_somebody_changed_by_hand_comes_back(issuer, house, person, provision):
    admin = issuer.admin

    def drift() -> None:
        admin.update_realm("carehub", {"accessTokenLifespan": 3600, "bruteForceProtected": False})
        admin.delete_realm_role("scheduler")
        id = admin.get_client_id("carehub-web")
        client = admin.get_client(id)
        client["redirectUris"].append("https://elsewhere.example/*")
        client["attributes"]["pkce.code.challenge.method"] = ""
        client["directAccessGrantsEnabled"] = True
        admin.update_client(id, client)
        admin.remove_client_mapper(id, client["protocolMappers"][0]["id"])
        steps = admin.get_authentication_flow_executions("carehub-browser")
        code = next(step for step in steps if step.get("providerId") == "auth-otp-form")
        admin.update_authentication_flow_executions(code | {"requirement": "DISABLED"}, "carehub-browser")  # fmt: skip

    await asyncio.to_thread(drift)
    code, named = await provision("--dry-run")
    assert code == 0
    for word in ("accessTokenLifespan", "scheduler", "carehub-browser", "redirectUris", "mapper"):
        assert word in named
    assert (await provision("--dry-run"))[1] == named, "a dry run changed something"
    assert (await provision())[0] == 0
    assert (await provision())[1] == "0 changes.\n"
    # The flow that was built by requests works like the one that was imported whole.
    stepped = await tokens_of(issuer, house.callback, person, acr_values="2")
    claims = claims_of(stepped.access)
    assert (claims["acr"], claims["exp"] - claims["iat"]) == ("2", 60)


async def test_people_come_change_and_leave(issuer, provision, tmp_path):
    ann, ben = uuid4(), uuid4()
    file, passwords = tmp_path / "staff.csv", tmp_path / "passwords.csv"
    file.write_text(
        f"{HEAD}{ann},ann-{ann.hex[:6]},Ann Ruiz,ann@example.org,nurse coordinator,\n"
        f"{ben},ben-{ben.hex[:6]},Ben,,privacy_officer,active\n"
    )
    arguments = ("--staff", str(file), "--passwords-file", str(passwords))
    assert (await provision(*arguments))[1].splitlines()[-1] == "2 changes."
    assert "0 changes." in (await provision(*arguments))[1]
    user = await asyncio.to_thread(issuer.admin.get_user, str(ann))
    assert (user["firstName"], user["email"]) == ("Ann Ruiz", "ann@example.org")
    assert set(user["requiredActions"]) == {"UPDATE_PASSWORD", "CONFIGURE_TOTP"}
    assert (passwords.stat().st_mode & 0o777, len(passwords.read_text().splitlines())) == (0o600, 2)

    file.write_text(
        f"{HEAD}{ann},ann-{ann.hex[:6]},Ann Ruiz Vega,ann@example.org,physician,\n"
        f"{ben},ben-{ben.hex[:6]},Ben,,privacy_officer,deactivated\n"
    )
    told = (await provision("--staff", str(file)))[1]
    assert told.splitlines()[:4] == [
        f"set ann-{ann.hex[:6]}",
        f"give ann-{ann.hex[:6]} physician",
        f"take coordinator, nurse from ann-{ann.hex[:6]}",
        f"deactivate ben-{ben.hex[:6]}",
    ]
    assert not (await asyncio.to_thread(issuer.admin.get_user, str(ben)))["enabled"]
    roles = await asyncio.to_thread(issuer.admin.get_realm_roles_of_user, str(ann))
    assert "physician" in {role["name"] for role in roles}


async def test_people_come_from_identity_itself(issuer, house, person, provision):
    """The ids are the same on both sides, so whoever identity knows can sign in."""
    given = await tokens_of(issuer, house.callback, person)
    code, told = await provision("--staff-of", house.url, "--dry-run", CAREHUB_TOKEN=given.access)
    assert code == 0, told
    assert "to make." in told
    code, told = await provision("--staff-of", house.url, CAREHUB_TOKEN="worthless")
    assert (code, "the hub does not list its staff: 401" in told) == (1, True)


async def test_an_account_with_another_subject_is_not_overwritten(
    issuer, person, provision, tmp_path
):
    file = tmp_path / "staff.csv"
    file.write_text(f"{HEAD}{uuid4()},{person.account},Somebody Else,,nurse,\n")
    code, told = await provision("--staff", str(file))
    assert code == 1
    assert f"is there with the id {person.id}" in told


async def test_a_new_realm_named_first_then_made(issuer, provision, tmp_path: Path):
    secret = tmp_path / "secret"
    arguments = ("--client-secret-file", str(secret))
    code, told = await provision(*arguments, "--dry-run", realm="second")
    assert (code, told) == (0, "create the realm second\n1 changes to make.\n")
    assert not secret.exists()
    assert (await provision(*arguments, realm="second"))[0] == 0
    assert (secret.stat().st_mode & 0o777, len(secret.read_text().strip()) >= 32) == (0o600, True)
    assert await provision(*arguments, realm="second") == (0, "0 changes.\n")


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"KEYCLOAK_ADMIN_PASSWORD": "wrong"}, "password or secret is wrong"),
        ({"KEYCLOAK_ADMIN_PASSWORD": ""}, "set KEYCLOAK_ADMIN_USERNAME"),
    ],
)
async def test_what_goes_wrong_is_one_sentence(provision, env, said):
    code, told = await provision(**env)
    assert code == 1
    assert said in told
    assert "Traceback" not in told
    assert len(told.splitlines()) == 1
