"""The realm in a Keycloak, made what the definition says: created whole, or changed where it differs."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from keycloak import KeycloakAdmin

from libs.keycloak.definition import Definition, Json, Step, covers

# What Keycloak falls back to while our flow is rebuilt: a password, and a code of whoever has one.
BUILT_IN_FLOW = "browser"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that differs, and what makes it right."""

    what: str
    make: Callable[[], object]


class Realm:
    """Compares one realm with its definition. Nothing is changed before a Change is made."""

    def __init__(self, admin: KeycloakAdmin, definition: Definition) -> None:
        self._admin = admin
        self._wanted = definition

    def changes(self) -> Iterator[Change]:
        """Each is to be made before the next is asked for: later ones build on it."""
        name = self._wanted.name
        if all(realm["realm"] != name for realm in self._admin.get_realms()):
            yield Change(f"create the realm {name}", self._create)
            return
        yield from self._settings()
        yield from self._profile()
        yield from self._roles()
        yield from self._flow()
        for client in self._wanted.clients:
            yield from self._client(client)

    def _create(self) -> None:
        self._admin.create_realm(self._wanted.realm)

    def _settings(self) -> Iterator[Change]:
        found = self._admin.get_realm(self._wanted.name)
        differing = {
            key: value
            for key, value in self._wanted.settings.items()
            if not covers(found.get(key), value)
        }
        if not differing:
            return
        # An object replaces the one that is there: what others have set in it stays.
        payload = {
            key: {**found.get(key, {}), **value} if isinstance(value, dict) else value
            for key, value in differing.items()
        }
        name = self._wanted.name
        yield Change(
            f"set {', '.join(sorted(differing))}", lambda: self._admin.update_realm(name, payload)
        )

    def _profile(self) -> Iterator[Change]:
        found, wanted = self._admin.get_realm_users_profile(), self._wanted.profile
        if not covers(found, wanted):
            yield Change(
                "set what is known of people",
                lambda: self._admin.update_realm_users_profile(wanted),
            )

    def _roles(self) -> Iterator[Change]:
        found = {role["name"]: role for role in self._admin.get_realm_roles()}
        for role in self._wanted.roles:
            name = role["name"]
            if name not in found:
                yield Change(f"add the role {name}", partial(self._admin.create_realm_role, role))
            elif not covers(found[name], role):
                yield Change(
                    f"set the role {name}",
                    partial(self._admin.update_realm_role, name, role),
                )

    def _flow(self) -> Iterator[Change]:
        alias = self._wanted.flow
        flows = {flow["alias"]: flow["id"] for flow in self._admin.get_authentication_flows()}
        if alias not in flows:
            yield Change(f"make the sign-in flow {alias}", self._build_flow)
        elif list(self._steps_found(alias)) != list(self._wanted.steps()):
            yield Change(
                f"make the sign-in flow {alias} anew", lambda: self._rebuild_flow(flows[alias])
            )
        elif self._admin.get_realm(self._wanted.name)["browserFlow"] != alias:
            yield Change(f"sign in with the flow {alias}", lambda: self._bind(alias))

    def _steps_found(self, alias: str) -> Iterator[Step]:
        for found in self._admin.get_authentication_flow_executions(alias):
            is_flow = bool(found.get("authenticationFlow"))
            id = found.get("authenticationConfig")
            config = self._admin.get_authenticator_config(id)["config"] if id else {}
            yield Step(
                level=found["level"],
                name=found["displayName"] if is_flow else found["providerId"],
                requirement=found["requirement"],
                is_flow=is_flow,
                config=tuple(sorted(config.items())),
            )

    def _rebuild_flow(self, id: str) -> None:
        self._bind(BUILT_IN_FLOW)
        self._admin.delete_authentication_flow(id)
        self._build_flow()

    def _build_flow(self) -> None:
        alias = self._wanted.flow
        top = self._wanted.flow_named(alias)
        own = {
            key: top[key] for key in ("alias", "description", "providerId", "topLevel", "builtIn")
        }
        self._admin.create_authentication_flow(own)
        self._fill(alias, alias)
        self._bind(alias)

    def _fill(self, alias: str, top: str) -> None:
        for execution in self._wanted.flow_named(alias)["authenticationExecutions"]:
            if execution["authenticatorFlow"]:
                inner = self._wanted.flow_named(execution["flowAlias"])
                self._admin.create_authentication_flow_subflow(
                    {
                        "alias": inner["alias"],
                        "description": inner["description"],
                        "provider": "registration-page-form",
                        "type": inner["providerId"],
                    },
                    alias,
                )
                self._require(top, execution, inner["alias"])
                self._fill(inner["alias"], top)
            else:
                step = {"provider": execution["authenticator"]}
                self._admin.create_authentication_flow_execution(step, alias)
                made = self._require(top, execution, execution["authenticator"])
                if config := execution.get("authenticatorConfig"):
                    self._admin.create_execution_config(
                        made["id"], self._wanted.config_named(config)
                    )

    def _require(self, top: str, execution: Json, name: str) -> Json:
        """What was added last is required as it should be; Keycloak adds it disabled."""
        listed = self._admin.get_authentication_flow_executions(top)
        made: Json = [
            one
            for one in listed
            if name == (one["displayName"] if one.get("authenticationFlow") else one["providerId"])
        ][-1]
        made |= {"requirement": execution["requirement"], "priority": execution["priority"]}
        self._admin.update_authentication_flow_executions(made, top)
        return made

    def _bind(self, alias: str) -> None:
        self._admin.update_realm(self._wanted.name, {"browserFlow": alias})

    def _client(self, wanted: Json) -> Iterator[Change]:
        client_id = wanted["clientId"]
        id = self._admin.get_client_id(client_id)
        if id is None:
            yield Change(f"add the client {client_id}", lambda: self._admin.create_client(wanted))
            return
        found = self._admin.get_client(id)
        apart = {"protocolMappers", "defaultClientScopes", "optionalClientScopes"}
        plain = {key: value for key, value in wanted.items() if key not in apart}
        differing = [key for key, value in plain.items() if not covers(found.get(key), value)]
        if differing:
            merged = {**found, **plain}
            merged["attributes"] = {**found.get("attributes", {}), **plain["attributes"]}
            yield Change(
                f"set {', '.join(sorted(differing))} of {client_id}",
                lambda: self._admin.update_client(id, merged),
            )
        yield from self._mappers(id, found, wanted)
        yield from self._scopes(id, found, wanted)

    def _mappers(self, id: str, found: Json, wanted: Json) -> Iterator[Change]:
        there = {mapper["name"]: mapper for mapper in found.get("protocolMappers", ())}
        for mapper in wanted["protocolMappers"]:
            name = mapper["name"]
            if name not in there:
                yield Change(
                    f"add the mapper {name!r}",
                    partial(self._admin.add_mapper_to_client, id, mapper),
                )
            elif not covers(there[name], mapper):
                merged = {**there[name], **mapper}
                yield Change(
                    f"set the mapper {name!r}",
                    partial(self._admin.update_client_mapper, id, merged["id"], merged),
                )
        for name in sorted(there.keys() - {mapper["name"] for mapper in wanted["protocolMappers"]}):
            # A mapper of somebody else's could give the audience, or a subject, to whom we would not.
            yield Change(
                f"remove the mapper {name!r}",
                partial(self._admin.remove_client_mapper, id, there[name]["id"]),
            )

    def _scopes(self, id: str, found: Json, wanted: Json) -> Iterator[Change]:
        ids = {scope["name"]: scope["id"] for scope in self._admin.get_client_scopes()}
        there, default = set(found["defaultClientScopes"]), set(wanted["defaultClientScopes"])
        for name in sorted(default - there):
            yield Change(
                f"add the scope {name}",
                partial(self._admin.add_client_default_client_scope, id, ids[name], {}),
            )
        for name in sorted(there - default):
            yield Change(
                f"remove the scope {name}",
                partial(self._admin.delete_client_default_client_scope, id, ids[name]),
            )
