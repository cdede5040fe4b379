"""Mail: the one way in which services hand letters to a mail server."""
