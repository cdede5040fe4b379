"""The conditions of protocols: CEL, typed, so that a misspelt word is found before anything is
published.

Besides the standard library and CareHub's errors the domain imports two libraries, both pure
computation: this module imports CEL, `protocol_text` and `billing` import YAML.

What is not known makes no condition true: a condition that needs the moment of a discharge does not
hold while there is none, and neither does its negation. `&&` and `||` need only the side that
decides.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from difflib import get_close_matches

from cel_expr_python import cel

from libs.chassis.errors import FailedPrecondition, InvalidArgument

Facts = Mapping[str, object]

BOOL, INT, TEXT, INSTANT = cel.Type.BOOL, cel.Type.INT, cel.Type.STRING, cel.Type.TIMESTAMP
TEXTS = cel.Type.List(TEXT)

# Together they bound what one evaluation can cost, whoever wrote the condition: a macro walks one
# list.
LONGEST = 1000
MOST_MACROS = 2
MACRO = re.compile(r"\.\s*(?:all|exists|exists_one|filter|map)\s*\(")
NO_VALUE = "No value with name"
GUIDE = "docs/protocols.md lists what conditions can say."
# One value of each kind, to find what fails only when it runs, such as a pattern that is none.
SAMPLES: Mapping[str, object] = {
    BOOL.name(): True,
    INT.name(): 1,
    TEXT.name(): "A00",
    TEXTS.name(): ["A00"],
    INSTANT.name(): datetime(2026, 9, 4, 22, 40, tzinfo=UTC),
}
WORDS = {
    "string": "a text",
    "int": "a number",
    "bool": "a yes or no",
    "list(string)": "a list of texts",
    "google.protobuf.Timestamp": "a moment",
    "google.protobuf.Duration": "a duration",
}


class ConditionInvalid(InvalidArgument):
    """A text that is no condition: what is wrong, and how to mend it."""

    def __init__(self, problem: str, help_: str) -> None:
        super().__init__("CONDITION_INVALID", problem)
        self.problem = problem
        self.help = help_


@dataclass(frozen=True, slots=True)
class Condition:
    """A compiled condition. Two with the same text are the same."""

    text: str
    expression: cel.Expression = field(compare=False, repr=False)
    names: tuple[str, ...] = field(compare=False, repr=False)  # of facts that it can look at

    def holds(self, facts: Facts) -> bool:
        """Whether it is so. What is None or missing in the facts is not known. Never says what the
        facts were.
        """
        known = {name: fact for name in self.names if (fact := facts.get(name)) is not None}
        value = self.expression.eval(data=known)
        if value.type() == BOOL:
            return bool(value.plain_value())
        if NO_VALUE in str(value.plain_value()):
            return False
        raise FailedPrecondition(
            "CONDITION_FAILED", "A condition cannot be computed.", condition=self.text
        )


class Vocabulary:
    """The names that a condition may use, and what kind each is."""

    def __init__(self, names: Mapping[str, cel.Type]) -> None:
        self._names = names
        self._env = cel.NewEnv(variables=names)
        self._sample = {name: SAMPLES[kind.name()] for name, kind in names.items()}

    def compile(self, text: str) -> Condition:
        """The condition that a text states. Raises ConditionInvalid."""
        if len(text) > LONGEST or len(MACRO.findall(text)) > MOST_MACROS:
            raise ConditionInvalid(
                f"It is longer than {LONGEST} characters or walks through lists more than {MOST_MACROS} times",
                "Split it: give its parts names under `conditions`.",
            )
        try:
            expression = self._env.compile(text)
        except RuntimeError as error:  # what the library raises for any text that it refuses
            raise self._explained(str(error)) from None
        if expression.return_type() != BOOL:
            raise ConditionInvalid("It is not a yes or a no", 'Compare it with something: == "A".')
        tried = expression.eval(data=self._sample)
        if tried.type() != BOOL:
            raise ConditionInvalid(f"It fails when it runs: {tried.plain_value()}", GUIDE)
        return Condition(text, expression, tuple(name for name in self._names if name in text))

    def _explained(self, error: str) -> ConditionInvalid:
        """The library's first complaint in a clinician's words."""
        if unknown := re.search(r"undeclared reference to '([^']*)'", error):
            name = unknown[1]
            near = get_close_matches(name, self._names, n=1)
            help_ = f"Did you mean {near[0]}? {GUIDE}" if near else GUIDE
            return ConditionInvalid(f"{name} is not known here", help_)
        if mismatch := re.search(r"overload for '[_@]?(.*?)_?' applied to '\((.*)\)'", error):
            kinds = " and ".join(WORDS.get(kind, kind) for kind in mismatch[2].split(", "))
            return ConditionInvalid(
                f"{mismatch[1]} cannot be used with {kinds}",
                'Texts stand in quotes ("I50"), numbers do not; a list has exists, and "A" in it.',
            )
        if syntax := re.search(r"<input>:(\d+):(\d+): Syntax error: (.*)", error):
            place = (
                "its end" if "<EOF>" in syntax[3] else f"character {syntax[2]} of line {syntax[1]}"
            )
            return ConditionInvalid(
                f"It cannot be read at {place}", f"Look for a missing quote, bracket or &&. {GUIDE}"
            )
        return ConditionInvalid("It cannot be understood", GUIDE)
