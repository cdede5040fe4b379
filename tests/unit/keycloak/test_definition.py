"""The realm that is committed: what identity and the gateway need of it, and no secret."""

import json
import re

import pytest

from gateway.api.sessions import ABSOLUTE, IDLE
from libs.keycloak.definition import FILE, DefinitionError, covers, read_definition
from libs.local.issuer.settings import CLI
from services.identity.clients.provider import ALGORITHMS, AUDIENCE
from services.identity.domain.role import Role

DEFINITION = read_definition(public_url="https://carehub.example")
REALM = DEFINITION.realm


def client():
    return next(one for one in DEFINITION.clients if one["clientId"] == "carehub-web")


def test_it_holds_no_secret():
    found = re.findall(r'"[^"]*(?:secret|password|credential|private)[^"]*"\s*:\s*"([^"]*)"', FILE.read_text(), re.I)  # fmt: skip
    assert [value for value in found if not value.startswith(("length(", "false", "true"))] == []
    assert "users" not in REALM
    assert all("secret" not in one for one in DEFINITION.clients)


def test_its_roles_are_those_of_identity():
    assert {role["name"] for role in DEFINITION.roles} == {str(role) for role in Role}


def test_the_only_client_is_the_gateway_and_it_signs_in_with_code_and_pkce_only():
    assert [one["clientId"] for one in DEFINITION.clients] == ["carehub-web"]
    assert CLI not in FILE.read_text()
    assert not client()["publicClient"]
    assert client()["standardFlowEnabled"]
    for other in ("implicitFlowEnabled", "directAccessGrantsEnabled", "serviceAccountsEnabled", "fullScopeAllowed"):  # fmt: skip
        assert not client()[other]
    attributes = client()["attributes"]
    assert attributes["pkce.code.challenge.method"] == "S256"
    assert client()["redirectUris"] == ["https://carehub.example/signin/callback"]
    assert attributes["post.logout.redirect.uris"] == "https://carehub.example/"


def test_its_access_tokens_are_what_identity_takes():
    (audience,) = client()["protocolMappers"]
    assert audience["config"]["included.custom.audience"] == AUDIENCE
    assert audience["config"]["access.token.claim"] == "true"
    assert audience["config"]["id.token.claim"] == "false"
    assert client()["attributes"]["access.token.signed.response.alg"] in ALGORITHMS
    assert {"basic", "acr"} <= set(client()["defaultClientScopes"])


def test_nobody_who_was_disabled_is_let_in_for_longer_than_a_minute():
    assert REALM["accessTokenLifespan"] <= 60


def test_its_sessions_outlast_the_gateways_own():
    """Else the gateway would lose somebody at work."""
    assert REALM["ssoSessionIdleTimeout"] > IDLE
    assert REALM["ssoSessionMaxLifespan"] >= ABSOLUTE
    assert REALM["revokeRefreshToken"]
    assert REALM["refreshTokenMaxReuse"] == 0


def test_guessing_is_slowed_and_codes_work_once():
    assert REALM["bruteForceProtected"]
    assert not REALM["permanentLockout"], "anybody could lock anybody out for good"
    assert REALM["failureFactor"] <= 5
    assert not REALM["otpPolicyCodeReusable"]
    assert (REALM["otpPolicyType"], REALM["otpPolicyDigits"]) == ("totp", 6)


def test_the_second_level_is_a_second_factor_and_is_asked_for_again():
    steps = [(step.name, step.requirement, dict(step.config)) for step in DEFINITION.steps()]
    assert steps == [
        ("auth-cookie", "ALTERNATIVE", {}),
        ("carehub-sign-in", "ALTERNATIVE", {}),
        ("carehub-password", "CONDITIONAL", {}),
        ("conditional-level-of-authentication", "REQUIRED", {"loa-condition-level": "1", "loa-max-age": "43200"}),
        ("auth-username-password-form", "REQUIRED", {}),
        ("carehub-one-time-code", "CONDITIONAL", {}),
        ("conditional-level-of-authentication", "REQUIRED", {"loa-condition-level": "2", "loa-max-age": "300"}),
        ("auth-otp-form", "REQUIRED", {}),
    ]  # fmt: skip
    assert json.loads(REALM["attributes"]["acr.loa.map"]) == {"1": "1", "2": "2"}


def test_no_placeholder_is_left():
    assert "${CAREHUB" not in json.dumps(REALM)
    assert read_definition(realm="north", public_url="https://x.example").name == "north"


@pytest.mark.parametrize(
    ("realm", "url"),
    [
        ("carehub", "http://carehub.example"),
        ("carehub", "https://carehub.example/app"),
        ("carehub", 'https://x.example", "enabled": "'),
        ("carehub", "carehub.example"),
        ("carehub", ""),
        ("../master", "https://carehub.example"),
        ("Care Hub", "https://carehub.example"),
        ("", "https://carehub.example"),
    ],
)
def test_what_is_not_a_realm_or_a_safe_url_is_refused(realm, url):
    with pytest.raises(DefinitionError):
        read_definition(realm=realm, public_url=url)


@pytest.mark.parametrize(
    ("found", "wanted", "is_covered"),
    [
        ({"a": 1, "b": 2}, {"a": 1}, True),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        (["b", "a"], ["a", "b"], True),
        (["a", "b", "c"], ["a", "b"], False),
        ([{"a": 1, "id": 7}], [{"a": 1}], True),
        ([{"a": 1}, {"b": 1}], [{"a": 1}], False),
        (None, {"a": 1}, False),
        (None, ["a"], False),
        (False, False, True),
    ],
)
def test_what_is_there_covers_what_is_wanted(found, wanted, is_covered):
    assert covers(found, wanted) is is_covered
