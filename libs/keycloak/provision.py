"""`carehub keycloak provision`: the realm, the client's secret and the people, as they should be. Twice changes nothing."""

import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from keycloak import KeycloakAdmin
from keycloak.exceptions import KeycloakConnectionError, KeycloakError, KeycloakGetError

from libs.keycloak.definition import Definition, Json
from libs.keycloak.people import Person
from libs.keycloak.realm import Change, Realm

CLIENT = "carehub-web"
# A new person chooses a password and sets up the second factor before anything else.
FIRST_STEPS = ["UPDATE_PASSWORD", "CONFIGURE_TOTP"]
SHORTEST_SECRET = 32
NOT_FOUND = 404


class ProvisionFailed(RuntimeError):
    """Keycloak cannot be reached, says no, or holds what we must not overwrite."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Administrator:
    """As whom Keycloak is changed: an account of the realm `master`, or a client there with its secret."""

    url: str
    username: str = ""
    password: str = field(default="", repr=False)
    client_id: str = "admin-cli"
    client_secret: str = field(default="", repr=False)
    ca_file: str = ""

    def connect(self, realm: str) -> KeycloakAdmin:
        is_client = bool(self.client_secret)
        if not is_client and not (self.username and self.password):
            raise ProvisionFailed(
                "set KEYCLOAK_ADMIN_USERNAME and KEYCLOAK_ADMIN_PASSWORD, "
                "or KEYCLOAK_ADMIN_CLIENT_ID and KEYCLOAK_ADMIN_CLIENT_SECRET"
            )
        return KeycloakAdmin(
            server_url=self.url.rstrip("/"),
            username=None if is_client else self.username,
            password=None if is_client else self.password,
            client_id=self.client_id,
            client_secret_key=self.client_secret or None,
            grant_type="client_credentials" if is_client else None,
            realm_name=realm,
            user_realm_name="master",
            verify=self.ca_file or True,
            timeout=30,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is wanted, and whether only to look."""

    definition: Definition
    people: Sequence[Person] = ()
    secret_file: Path | None = None
    passwords_file: Path | None = None
    invite: bool = False
    dry_run: bool = False


def provision(administrator: Administrator, order: Order, say: Callable[[str], None]) -> int:
    """Make the changes, or only name them; return how many there are."""
    try:
        admin = administrator.connect(order.definition.name)
        return _Provisioner(admin, order, say).run()
    except KeycloakConnectionError as error:
        raise ProvisionFailed(f"Keycloak does not answer at {administrator.url}") from error
    except KeycloakError as error:
        raise ProvisionFailed(_told(error)) from error


class _Provisioner:
    def __init__(self, admin: KeycloakAdmin, order: Order, say: Callable[[str], None]) -> None:
        self._admin = admin
        self._order = order
        self._say = say
        self._passwords: list[tuple[str, str]] = []

    def run(self) -> int:
        realm = Realm(self._admin, self._order.definition)
        count = self._make(realm.changes())
        if self._order.dry_run and count and not self._is_there():
            # Of a realm that is not there nothing more can be asked.
            for person in self._order.people:
                count += self._make([Change(f"add {person.account}", lambda: None)])
            return count
        count += self._make(self._secret())
        for person in self._order.people:
            count += self._make(self._person(person))
        self._write_passwords()
        self._tell_strangers()
        return count

    def _make(self, changes: Iterable[Change]) -> int:
        count = 0
        for change in changes:
            self._say(change.what)
            count += 1
            if not self._order.dry_run:
                change.make()
        return count

    def _is_there(self) -> bool:
        name = self._order.definition.name
        return any(realm["realm"] == name for realm in self._admin.get_realms())

    # The secret of the gateway: in a file of ours, so that both sides have the same.

    def _secret(self) -> Iterator[Change]:
        path = self._order.secret_file
        if path is None:
            return
        if not path.exists():
            yield Change(f"write a new secret of {CLIENT} to {path}", lambda: _write_new(path))
            if self._order.dry_run:
                return
        secret = path.read_text().strip()
        if len(secret) < SHORTEST_SECRET:
            raise ProvisionFailed(f"the secret in {path} is shorter than {SHORTEST_SECRET}")
        id = self._admin.get_client_id(CLIENT) or ""
        if self._admin.get_client_secrets(id).get("value") != secret:
            yield Change(
                f"set the secret of {CLIENT}",
                lambda: self._admin.update_client(
                    id, self._admin.get_client(id) | {"secret": secret}
                ),
            )

    # People.

    def _person(self, person: Person) -> Iterator[Change]:
        found = self._find(person)
        if found is None:
            if person.is_active:
                yield Change(f"add {person.account}", lambda: self._add(person))
            return
        wanted: Json = {
            "username": person.account.lower(),
            "firstName": person.name,
            "lastName": "",
            "email": person.email,
            "enabled": person.is_active,
        }
        differing = [
            key for key, value in wanted.items() if (found.get(key) or "") != (value or "")
        ]
        if differing:
            told = "deactivate" if "enabled" in differing and not person.is_active else "set"
            yield Change(f"{told} {person.account}", lambda: self._set(person, found | wanted))
        yield from self._roles(person)

    def _find(self, person: Person) -> Json | None:
        """The account of this person. One of the same name and another subject is somebody else's to solve."""
        try:
            found: Json = self._admin.get_user(str(person.id))
        except KeycloakGetError as error:
            if error.response_code != NOT_FOUND:
                raise
        else:
            return found
        for other in self._admin.get_users({"username": person.account, "exact": "true", "max": 2}):
            raise ProvisionFailed(
                f"the account {person.account} is there with the id {other['id']}, not {person.id}: "
                "identity would not know its tokens. Delete it in Keycloak, or correct the id"
            )
        return None

    def _add(self, person: Person) -> None:
        # Only an import keeps the id, and the id is the subject of the tokens.
        user: Json = {
            "id": str(person.id),
            "username": person.account,
            "firstName": person.name,
            "email": person.email or None,
            "emailVerified": True,
            "enabled": True,
            "requiredActions": FIRST_STEPS,
            "realmRoles": sorted(self._known(person.roles)),
        }
        if self._order.passwords_file:
            password = secrets.token_urlsafe(16)
            user["credentials"] = [{"type": "password", "value": password, "temporary": True}]
            self._passwords.append((person.account, password))
        realm = self._order.definition.name
        self._admin.partial_import_realm(realm, {"ifResourceExists": "FAIL", "users": [user]})
        if self._order.invite and person.email:
            self._admin.send_update_account(str(person.id), FIRST_STEPS)

    def _set(self, person: Person, user: Json) -> None:
        self._admin.update_user(str(person.id), user)
        if not person.is_active:
            self._admin.user_logout(str(person.id))

    def _roles(self, person: Person) -> Iterator[Change]:
        ours = {role["name"] for role in self._order.definition.roles}
        id = str(person.id)
        there = {role["name"] for role in self._admin.get_realm_roles_of_user(id)} & ours
        wanted = self._known(person.roles)
        if added := sorted(wanted - there):
            yield Change(
                f"give {person.account} {', '.join(added)}",
                lambda: self._admin.assign_realm_roles(id, self._named(added)),
            )
        if removed := sorted(there - wanted):
            yield Change(
                f"take {', '.join(removed)} from {person.account}",
                lambda: self._admin.delete_realm_roles_of_user(id, self._named(removed)),
            )

    def _known(self, roles: Iterable[str]) -> set[str]:
        ours = {role["name"] for role in self._order.definition.roles}
        if unknown := sorted(set(roles) - ours):
            raise ProvisionFailed(f"there is no role {', '.join(unknown)}")
        return set(roles)

    def _named(self, names: Iterable[str]) -> list[Json]:
        return [self._admin.get_realm_role(name) for name in names]

    def _write_passwords(self) -> None:
        path = self._order.passwords_file
        if path is None or not self._passwords:
            return
        _write_private(
            path, "".join(f"{account},{password}\n" for account, password in self._passwords)
        )
        self._say(f"wrote {len(self._passwords)} first passwords to {path}; each works once")

    def _tell_strangers(self) -> None:
        """Accounts that nobody of the list has can sign in at Keycloak, and nowhere in CareHub."""
        if not self._order.people:
            return
        known = {str(person.id) for person in self._order.people}
        strangers = [u for u in self._admin.get_users({}) if u["id"] not in known and u["enabled"]]
        if strangers:
            self._say(f"note: {len(strangers)} enabled accounts belong to nobody in the list")


def _write_new(path: Path) -> None:
    _write_private(path, secrets.token_urlsafe(48) + "\n")


def _write_private(path: Path, content: str) -> None:
    path.touch(mode=0o600, exist_ok=True)
    path.chmod(0o600)
    path.write_text(content)


def _told(error: KeycloakError) -> str:
    """Return what Keycloak said, in one sentence."""
    if error.response_code in {401, 403}:
        return (
            "Keycloak refuses: the administrator's password or secret is wrong, or may not do this"
        )
    body = error.response_body or b""
    return f"Keycloak refuses ({error.response_code}): {body.decode(errors='replace')[:300]}"
