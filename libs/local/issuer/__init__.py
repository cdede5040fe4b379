"""The sign-in of one machine: an OpenID Connect issuer with the paths of Keycloak.

For development and demonstrations only. It lets a visitor in at the click of a name, so it serves
nobody but this machine; production signs in at Keycloak.
"""

from libs.local.issuer.app import issuer_app
from libs.local.issuer.keys import KeyRing
from libs.local.issuer.settings import CLI, WEB, Account, IssuerSettings

__all__ = ["CLI", "WEB", "Account", "IssuerSettings", "KeyRing", "issuer_app"]
