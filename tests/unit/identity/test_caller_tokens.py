"""What a caller token says, how long it lives, and that the chassis reads what identity writes."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, OKPKey, RSAKey

from libs.chassis.errors import Unauthenticated
from libs.chassis.tokens import LONGEST, CallerVerifier, to_caller
from services.identity.convert.token import CallerSigner, new_keys, read_keys
from services.identity.domain.role import PERMISSIONS, Role
from services.identity.domain.staff import RoleAssignment, StaffMember
from services.identity.domain.token import Membership, SignedIn, vouch

NOW = datetime(2026, 11, 21, 12, 0, 0, 250_000, tzinfo=UTC)
ANN, TOKEN = UUID(int=11), UUID(int=99)
HERE, THERE, YONDER = UUID(int=1), UUID(int=2), UUID(int=3)
NETWORK = [YONDER, HERE, THERE]
ORGANIZATION, TEAM, FORMER = UUID(int=21), UUID(int=31), UUID(int=32)


def member(*roles):
    held = tuple(RoleAssignment(role=role, facility_id=facility) for role, facility in roles)
    return StaffMember(id=ANN, account="ann", display_name="Ann Lee", roles=held)


def vouched(who, *, lives=timedelta(hours=1), facilities=NETWORK, at=NOW):
    signed_in = SignedIn(subject=ANN, expires_at=at + lives)
    membership = Membership(
        organization_of=dict.fromkeys(facilities, ORGANIZATION), teams={TEAM: HERE, FORMER: YONDER}
    )
    return vouch(who, signed_in=signed_in, membership=membership, id=TOKEN, at=at)


def test_the_claims_are_these():
    who = member((Role.SCHEDULER, THERE), (Role.SCHEDULER, YONDER), (Role.ANALYST, HERE))
    scheduler, analyst = PERMISSIONS[Role.SCHEDULER], PERMISSIONS[Role.ANALYST]
    both = scheduler & analyst
    assert vouched(who).claims() == {
        "iss": "carehub-identity",
        "aud": "carehub-internal",
        "sub": str(ANN),
        "kind": "PERSON",
        "name": "Ann Lee",
        "purpose": "TREATMENT",
        "purposes": ["TREATMENT"],
        "teams": [str(TEAM), str(FORMER)],
        "jti": str(TOKEN),
        "iat": int(NOW.timestamp()),
        "exp": int(NOW.timestamp()) + 30,
        "facilities": [str(HERE), str(THERE), str(YONDER)],
        "organizations": [str(ORGANIZATION)] * 3,
        "roles": {"analyst": [0], "scheduler": [1, 2]},
        # By the numbers of the facilities; what is held at all of them, once.
        "permissions": {
            permission: "*" if permission in both else [1, 2] if permission in scheduler else [0]
            for permission in scheduler | analyst
        },
        "everywhere": [],
    }


def test_a_role_of_the_network_lists_every_facility():
    claims = vouched(member((Role.PRIVACY_OFFICER, None), (Role.NURSE, HERE))).claims()
    assert claims["roles"] == {"nurse": [0], "privacy_officer": "*"}
    assert claims["permissions"]["patients.read"] == "*"
    assert claims["permissions"]["patients.write"] == [0]
    assert set(claims["everywhere"]) == PERMISSIONS[Role.PRIVACY_OFFICER]


@pytest.mark.parametrize(
    ("places", "teams"),
    [([HERE], [TEAM]), ([THERE, YONDER], [FORMER]), ([THERE], []), ([None], [TEAM, FORMER])],
)
def test_somebody_is_in_the_teams_of_where_they_hold_a_role_alone(places, teams):
    who = member(*((Role.NURSE, place) for place in places))
    assert vouched(who).claims()["teams"] == [str(team) for team in teams]


def test_an_empty_network_has_an_administrator_all_the_same():
    claims = vouched(member((Role.NETWORK_ADMIN, None)), facilities=[]).claims()
    assert claims["facilities"] == []
    assert claims["permissions"] == {p: [] for p in sorted(PERMISSIONS[Role.NETWORK_ADMIN])}


def test_it_lives_thirty_seconds_and_never_past_the_original():
    who = member((Role.NURSE, HERE))
    assert vouched(who).expires_at == NOW.replace(microsecond=0) + timedelta(seconds=30)
    short = vouched(who, lives=timedelta(seconds=9.9))
    assert short.expires_at <= NOW + timedelta(seconds=9.9)
    for over in (timedelta(0), timedelta(seconds=-20)):
        with pytest.raises(Unauthenticated, check=lambda error: error.reason == "TOKEN_EXPIRED"):
            vouched(who, lives=over)


def test_who_is_unknown_or_has_left_gets_none():
    with pytest.raises(Unauthenticated, check=lambda error: error.reason == "STAFF_UNKNOWN"):
        vouched(None)
    gone = member((Role.NURSE, HERE)).deactivate(because="", at=NOW)
    with pytest.raises(Unauthenticated, check=lambda error: error.reason == "STAFF_DEACTIVATED"):
        vouched(gone)


def test_it_is_signed_with_the_first_key_and_verified_with_the_published_ones():
    first, second = (json.loads(new_keys())["keys"][0] for _ in range(2))
    signer = CallerSigner(read_keys(json.dumps({"keys": [first, second]})))
    token = vouched(member((Role.NURSE, HERE)))
    public = json.loads(signer.public_keys)
    assert [key["kid"] for key in public["keys"]] == [first["kid"], second["kid"]]
    assert all("d" not in key for key in public["keys"])
    decoded = jwt.decode(signer.sign(token), KeySet.import_key_set(public), algorithms=["Ed25519"])
    assert decoded.header == {"alg": "Ed25519", "kid": first["kid"], "typ": "caller+jwt"}
    assert decoded.claims == token.claims()


async def test_the_chassis_believes_it_and_reads_the_same():
    signer = CallerSigner(read_keys(new_keys()))

    async def keys():
        return signer.public_keys

    token = vouched(member((Role.NURSE, HERE)), at=datetime.now(UTC))
    caller = await CallerVerifier(keys).verify(signer.sign(token))
    assert caller == to_caller(token.claims())
    assert (caller.subject, caller.name) == (ANN, "Ann Lee")
    assert (caller.roles, caller.permissions) == (token.roles, token.permissions)

    stranger = CallerSigner(read_keys(new_keys()))
    with pytest.raises(Unauthenticated):
        await CallerVerifier(keys).verify(stranger.sign(replace(token, id=UUID(int=7))))


@pytest.mark.parametrize(
    "keys",
    [
        [],
        [OKPKey.generate_key("X25519").as_dict(private=True)],
        [OKPKey.generate_key("Ed25519").as_dict(private=False)],
        [RSAKey.generate_key(2048).as_dict(private=True)],
    ],
)
def test_other_keys_do_not_sign(keys):
    with pytest.raises(ValueError, match="sign"):
        CallerSigner(read_keys(json.dumps({"keys": keys})))


def test_who_holds_everything_in_a_network_of_hundreds_has_a_token_that_a_header_can_carry():
    organization_of = {UUID(int=1000 + n): UUID(int=9000 + n) for n in range(500)}
    who = member((Role.PRIVACY_OFFICER, None), (Role.PHYSICIAN, None), (Role.NETWORK_ADMIN, None))
    token = vouch(
        who,
        signed_in=SignedIn(subject=ANN, expires_at=NOW + timedelta(hours=1)),
        membership=Membership(organization_of=organization_of),
        id=TOKEN,
        at=NOW,
    )
    caller = to_caller(token.claims())
    assert (caller.roles, caller.permissions) == (token.roles, token.permissions)
    assert len(CallerSigner(read_keys(new_keys())).sign(token)) < LONGEST
