"""What a name, an account, an address or a number may look like."""

import re

from libs.chassis.errors import InvalidArgument

LONGEST_NAME = 200
LONGEST_EMAIL = 254
LONGEST_REASON = 500

_JOINERS = {0x200C: None, 0x200D: None}
_ACCOUNT = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,99}")
_EMAIL = re.compile(r"[^@\s\x00-\x1f]+@[^@\s\x00-\x1f]+")
_PHONE = re.compile(r"\+[1-9][0-9]{1,14}")


def check_name(field: str, value: str) -> None:
    if not value.strip():
        raise InvalidArgument("NAME_MISSING", "A name is needed.", field=field)
    if len(value) > LONGEST_NAME:
        raise InvalidArgument(
            "NAME_TOO_LONG", f"A name has at most {LONGEST_NAME} characters.", field=field
        )
    check_printable(field, value)


def check_printable(field: str, value: str) -> None:
    """Letters of every script, also those that Persian, Sinhala or Malayalam names join and part with."""
    if not value.translate(_JOINERS).isprintable():
        raise InvalidArgument("TEXT_NOT_PRINTABLE", "Control characters are refused.", field=field)


def check_account(field: str, value: str) -> None:
    """Lower case only, so that two accounts never differ by case alone."""
    if not _ACCOUNT.fullmatch(value):
        raise InvalidArgument(
            "ACCOUNT_INVALID",
            "An account is 1 to 100 lower-case letters, digits or . _ @ + -",
            field=field,
        )


def check_email(field: str, value: str) -> None:
    """Empty is allowed: such a person is not reached off-screen."""
    if value and (len(value) > LONGEST_EMAIL or not _EMAIL.fullmatch(value)):
        raise InvalidArgument("EMAIL_INVALID", "This is not an e-mail address.", field=field)


def check_phone(field: str, value: str) -> None:
    if value and not _PHONE.fullmatch(value):
        raise InvalidArgument("PHONE_INVALID", "A number in E.164: +13125550100.", field=field)


def check_reason(field: str, value: str) -> None:
    if len(value) > LONGEST_REASON:
        raise InvalidArgument(
            "REASON_TOO_LONG", f"A reason has at most {LONGEST_REASON} characters.", field=field
        )
    check_printable(field, value)
