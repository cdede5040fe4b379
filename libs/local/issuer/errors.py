"""How the issuer refuses: the errors of RFC 6749 and OpenID Connect."""


class OAuthError(Exception):
    """What a client did wrong, in the words of the standard."""

    def __init__(self, error: str, description: str, *, status: int = 400) -> None:
        super().__init__(description)
        self.error = error
        self.description = description
        self.status = status


class PageError(Exception):
    """A request that must not be redirected: nobody knows whether its target is honest."""
