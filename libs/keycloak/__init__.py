"""Keycloak as CareHub wants it: the realm (realm.json, which holds no secret) and the command that brings it about.

Only this package speaks to Keycloak's administration; no request of anybody does.
"""
