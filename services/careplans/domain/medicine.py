"""A medicine as somebody wrote it, and what of that two lists can be compared by.

Only ways of writing are made alike here, never medicines: what is not known to mean the same is different, and somebody
looks at it. That a medicine is on a list says that it was written there, and nothing about whether it is taken.
"""

import re
from dataclasses import dataclass
from fractions import Fraction

from libs.chassis.errors import InvalidArgument

MOST_LINES, MOST_TEXT = 200, 20_000
LONGEST_NAME, LONGEST_PART = 200, 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Medicine:
    """One line of a list: name, strength and dose, how often, all as written; and RxNorm, where known."""

    name: str
    dose: str = ""
    frequency: str = ""
    rxnorm: str = ""

    def checked(self) -> "Medicine":
        """Without blanks around its parts. INVALID_ARGUMENT for one without a name, or too long."""
        parts = {
            name: " ".join(getattr(self, name).split())
            for name in ("name", "dose", "frequency", "rxnorm")
        }
        if not parts["name"]:
            raise InvalidArgument("MEDICINE_NAMELESS", "Name each medicine.", field="medicines")
        if len(parts["name"]) > LONGEST_NAME or any(
            len(parts[name]) > LONGEST_PART for name in ("dose", "frequency")
        ):
            raise InvalidArgument(
                "MEDICINE_TOO_LONG", "Shorten the name, dose or frequency.", field="medicines"
            )
        if parts["rxnorm"] and not re.fullmatch(r"\d{1,10}", parts["rxnorm"]):
            raise InvalidArgument("RXNORM_INVALID", "RxNorm is a number.", field="medicines")
        return Medicine(**parts)

    @property
    def ingredients(self) -> frozenset[str]:
        """What it is made of, without salts, forms and ways of release: two with the same are shown side by side."""
        words = _RELEASED.sub(_one_release, _plain(self.name))
        parts = re.split(r"\s*(?:/|\+|&|\band\b|\bwith\b|,|(?<=[a-z]{4})-(?=[a-z]{4}))\s*", words)
        found = (_without(part, _FORMS | _RELEASES | _SALTS) for part in parts)
        return frozenset(part for part in found if part) or frozenset({words})

    @property
    def exact_name(self) -> frozenset[str]:
        """Every word of the name that says which medicine it is: salts, forms and ways of release, too."""
        words = _plain(self.name)
        return frozenset(
            word
            for word in re.findall(r"[a-z0-9.%]+", _RELEASED.sub(_one_release, words))
            if word not in _UNSAID
        )

    @property
    def exact_dose(self) -> tuple[object, ...]:
        """The dose as amounts in one unit each: 1 g is 1000 mg. Empty if nobody wrote it."""
        return _amounts(_plain(self.dose))

    @property
    def exact_frequency(self) -> frozenset[str] | tuple[str, ...]:
        """How often, without the ways of writing it: bid is twice a day. Empty if nobody wrote it.

        In its order once anything is written besides: which number belongs to which time of the day is a matter of order.
        """
        return _times(_plain(self.frequency))


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# A salt is no other ingredient but may be another medicine: metoprolol tartrate and succinate stand side by side, and differ.
# The elements that are medicines themselves (potassium chloride) keep their names, since a name is never left empty.
_SALTS = _words(
    "acetate besylate bisulfate bitartrate bromide calcium citrate chloride dihydrate disoproxil fumarate gluconate hcl hbr "
    "hydrobromide hydrochloride maleate medoxomil mesylate mofetil nitrate phosphate potassium sodium succinate sulfate "
    "tartrate tosylate trihydrate"
)
# Sustained is not extended: bupropion SR is taken twice a day, XL once. So they are no ways of writing one thing.
_RELEASES = _words("cr dr ec er la odt sr xl xr")
_RELEASED = re.compile(
    r"\b(extended|sustained|delayed)[- ]release\b|\benteric[- ]coated\b|\borally disintegrating\b"
)
_LONG_RELEASES = {"extended": "er", "sustained": "sr", "delayed": "dr", "enteric": "ec", "orally": "odt"}  # fmt: skip
# Said or not, it is the same; what is injected or drunk is not.
_UNSAID = _words("tablet tablets tab tabs pill pills oral po and with")
_FORMS = _UNSAID | _words(
    "capsule capsules cap caps solution suspension injection injectable syrup cream ointment inhaler patch"
)


def _one_release(found: re.Match[str]) -> str:
    return _LONG_RELEASES[re.split(r"[- ]", found[0])[0]]


def _plain(text: str) -> str:
    """Lower case, one blank between words, one character for the micro sign, no trailing period."""
    text = text.casefold().replace("μ", "u").replace("µ", "u")
    return " ".join(text.split()).rstrip(".;,")


def _without(part: str, words: frozenset[str]) -> str:
    """Without these words; but never without any: then as it is."""
    kept = [word for word in part.split() if word.strip("()") not in words]
    if kept:
        return " ".join(kept)
    elements = [word for word in part.split() if word not in _FORMS | _RELEASES]
    return " ".join(elements) or part


_NUMBER = r"\d+(?:,\d{3})+(?:\.\d+)?|\d*\.\d+|\d+/\d+(?=\s*(?:tab|cap|pill))|\d+(?:\.\d+)?"
# Milligrams, milliliters and milliequivalents are one each; what is not here is a unit of its own.
_UNITS: dict[str, tuple[str, Fraction]] = {
    "mg": ("mg", Fraction(1)),
    "milligram": ("mg", Fraction(1)),
    "milligrams": ("mg", Fraction(1)),
    "g": ("mg", Fraction(1000)),
    "gram": ("mg", Fraction(1000)),
    "grams": ("mg", Fraction(1000)),
    "gm": ("mg", Fraction(1000)),
    "mcg": ("mg", Fraction(1, 1000)),
    "ug": ("mg", Fraction(1, 1000)),
    "microgram": ("mg", Fraction(1, 1000)),
    "micrograms": ("mg", Fraction(1, 1000)),
    "ml": ("ml", Fraction(1)),
    "cc": ("ml", Fraction(1)),
    "l": ("ml", Fraction(1000)),
    "unit": ("unit", Fraction(1)),
    "units": ("unit", Fraction(1)),
    "iu": ("iu", Fraction(1)),
    "meq": ("meq", Fraction(1)),
    "tablet": ("tablet", Fraction(1)),
    "tablets": ("tablet", Fraction(1)),
    "tab": ("tablet", Fraction(1)),
    "tabs": ("tablet", Fraction(1)),
    "capsule": ("capsule", Fraction(1)),
    "capsules": ("capsule", Fraction(1)),
    "cap": ("capsule", Fraction(1)),
    "caps": ("capsule", Fraction(1)),
    "puff": ("puff", Fraction(1)),
    "puffs": ("puff", Fraction(1)),
    "drop": ("drop", Fraction(1)),
    "drops": ("drop", Fraction(1)),
}
_TOKEN = re.compile(rf"({_NUMBER})|([a-z%]+)|(\S)")


def _amounts(text: str) -> tuple[object, ...]:
    """Numbers and words in their order, with each number that has a unit in the smallest one."""
    found: list[object] = []
    for number, word, sign in _TOKEN.findall(text):
        if number:
            found.append(_amount(number.replace(",", "")))
        elif word in _UNITS:
            unit, factor = _UNITS[word]
            _scale(found, factor)
            found.append(unit)
        elif word or sign not in "()":
            found.append(word or sign)
    return tuple(found)


def _amount(number: str) -> object:
    """The number; a word where it is none, as 1/0 tab."""
    _, _, below = number.partition("/")
    return Fraction(number) if not below or int(below) else number


def _scale(found: list[object], factor: Fraction) -> None:
    """Into the smallest unit: the number before it, and those that share the unit with it, as in 24/26 mg."""
    for place in range(len(found) - 1, -1, -1):
        each = found[place]
        if isinstance(each, Fraction):
            found[place] = each * factor
        elif each not in ("/", "-"):
            return


# Ways of writing one thing. What differs at the bedside stays different: every 12 hours is not twice a day.
_FREQUENCIES = (
    ("as needed", r"as needed|as required|when needed|if needed|p\.?r\.?n\b\.?"),
    ("every other day", r"every other day|every 2 days|every second day|q\.?o\.?d\b\.?|q2d\b|alternate days"),
    ("4 times a day", r"(?:4|four) ?(?:times|x) (?:a|per|each) day|(?:4|four) times daily|q\.?i\.?d\b\.?|4x ?(?:/ ?day|daily)"),
    ("3 times a day", r"(?:3|three) ?(?:times|x) (?:a|per|each) day|(?:3|three) times daily|t\.?i\.?d\b\.?|3x ?(?:/ ?day|daily)"),
    ("twice a day", r"(?:twice|two times|2 times|2 ?x) (?:a|per|each) day|(?:twice|two times|2 times) daily|b\.?i\.?d\b\.?|2x ?(?:/ ?day|daily)"),
    ("every n hours", r"(?:every|q) ?(\d+(?:-\d+)?) ?(?:hours?|hrs?|h)\b"),
    ("at bedtime", r"(?:daily |every day |once a day |once daily )?(?:at (?:bed ?time|night)|nightly|every night|q\.?h\.?s\b\.?|\bhs\b)"),
    ("in the morning", r"(?:daily |every day |once a day |once daily )?(?:in the morning|every morning|q\.?a\.?m\b\.?|each morning)"),
    ("in the evening", r"(?:daily |every day |once a day |once daily )?(?:in the evening|every evening|q\.?p\.?m\b\.?|each evening)"),
    ("once a week", r"once (?:a|per|each) week|once weekly|every week|weekly"),
    ("once a month", r"once (?:a|per|each) month|once monthly|every month|monthly"),
    ("once a day", r"once (?:a|per|each) day|once daily|(?:1|one) ?(?:times?|x) (?:a|per|each) day|1x ?(?:/ ?day|daily)|every day|each day|daily|q\.?d\b\.?"),
)  # fmt: skip
_FREQUENCY = tuple(
    (name, re.compile(rf"(?<![a-z])(?:{way})(?![a-z])")) for name, way in _FREQUENCIES
)
_BY_MOUTH = re.compile(r"\b(?:by mouth|orally|po|p\.o\.|take)(?![a-z])")


# Of these one is as good before the other; how many times stands once, or its place says what it belongs to.
_WHEN = frozenset({"as needed", "at bedtime", "in the morning", "in the evening"})
_LEFT = re.compile(r"\.?\d+(?:[.,/-]\d+)*|[a-z]+|[^\s,;:.()/&+-]")


def _times(text: str) -> frozenset[str] | tuple[str, ...]:
    """The ways known, by one name each; and all that is left, in its order, so that nothing is passed over."""
    text = _BY_MOUTH.sub(" ", text)
    known = list[tuple[int, str]]()
    for name, way in _FREQUENCY:
        for match in way.finditer(text):
            is_hours = name == "every n hours"
            known.append((match.start(), f"every {match[1]} hours" if is_hours else name))
        text = way.sub(lambda match: " " * len(match[0]), text)
    left = [
        (match.start(), match[0])
        for match in _LEFT.finditer(text)
        if match[0] not in ("and", "a", "the")
    ]
    names = frozenset(name for _, name in known)
    if left or len(names - _WHEN) > 1:
        return tuple(name for _, name in sorted(known + left))
    return names


_BULLET = re.compile(r"^\s*(?:[-*•·]|\d{1,2}[.)])\s+")
_DOSE = re.compile(
    rf"(?<![\w.])((?:{_NUMBER})(?:\s*[/x-]\s*(?:{_NUMBER}))*\s*(?:{'|'.join([*sorted(_UNITS, key=len, reverse=True), '[µμ]g'])})\b"
    rf"(?:\s*/\s*(?:{_NUMBER})?\s*(?:ml|l|puff|hr|h|day)\b)?)",
    re.IGNORECASE,
)
_CELL = re.compile(r"\t|;|\|| {3,}")


def parse_medicines(text: str) -> tuple[Medicine, ...]:
    """A pasted list, one medicine a line; what cannot be told apart stays in the name, so that nothing is lost."""
    if len(text) > MOST_TEXT:
        raise InvalidArgument(
            "MEDICINES_TOO_MANY", f"At most {MOST_TEXT} characters at once.", field="text"
        )
    lines = (_BULLET.sub("", line).strip() for line in text.splitlines())
    return check_medicines([_parse(line) for line in lines if line])


def check_medicines(told: list[Medicine]) -> tuple[Medicine, ...]:
    """The medicines without blanks around their parts, if they are no more than a list may have."""
    if len(told) > MOST_LINES:
        raise InvalidArgument(
            "MEDICINES_TOO_MANY", f"At most {MOST_LINES} medicines.", field="medicines"
        )
    return tuple(each.checked() for each in told)


def _parse(line: str) -> Medicine:
    cells = [cell.strip() for cell in _CELL.split(line)]
    if len(cells) > 1:
        name, dose, frequency, *_ = (*cells, "", "")
        return Medicine(name=name, dose=dose, frequency=frequency)
    if found := _DOSE.search(line):
        name, rest = line[: found.start()].strip(" ,:-"), line[found.end() :].strip(" ,:-")
        if name:
            return Medicine(name=name, dose=found[1], frequency=rest)
    return _by_frequency(line)


def _by_frequency(line: str) -> Medicine:
    """A line without a dose: what is known to say how often begins the frequency."""
    lower = line.casefold()
    if len(lower) == len(line):
        starts = [match.start() for _, way in _FREQUENCY if (match := way.search(lower))]
        if starts and (name := line[: min(starts)].strip(" ,:-")):
            return Medicine(name=name, frequency=line[min(starts) :])
    return Medicine(name=line)
