"""One contract for issuers: the development issuer in `make test`, a real Keycloak in `make test-keycloak`."""
