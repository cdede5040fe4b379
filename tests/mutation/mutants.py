"""The named mutants: which line of which file becomes what."""

from typing import NamedTuple


class Mutant(NamedTuple):
    name: str
    file: str
    old: str
    new: str


B, C, D, P, L, R = (
    f"{name}.py" for name in ("boxes", "consents", "decide", "proxies", "policy", "relations")
)
MUTANTS = [
    # What is asked.
    Mutant("rows without labels shown", B, "if not question.labels:", "if False:"),
    Mutant("own rows not denied", B, "is_about_own_row and not access.stopping_own(question)", "is_about_own_row"),
    Mutant("own counseling notes shown", B, "and Label.COUNSELING_NOTES not in self.labels", "and True"),
    Mutant("own rows shown to family", B, "and self.purpose not in OWN_PURPOSES", "and True"),
    Mutant("denials ignored", B, "and not access.stopping(grant, question)", "and True"),
    Mutant("labels ignored", B, "if not question.labels <= self.labels:", "if False:"),
    Mutant("one label enough", B, "if not question.labels <= self.labels:", "if question.labels.isdisjoint(self.labels):"),
    Mutant("classes ignored", B, "if question.data_class not in self.classes:", "if False:"),
    Mutant("purposes ignored", B, "if self.purposes.isdisjoint(question.purposes):", "if False:"),
    Mutant("sources ignored", B, "if self.sources is not None and question.source_id not in self.sources:", "if False:"),
    Mutant("denials need every label", B, "not self.labels.isdisjoint(question.labels)", "question.labels <= self.labels"),
    Mutant("denials win ties", B, "self.weight > standing", "self.weight >= standing"),
    Mutant("denial of a place ignored", B, "or self.grantee_id in names", "or False"),
    Mutant("denial in person ignored", B, "or self.grantee_id in question.in_person", "or False"),
    Mutant("denial of all ignored", B, "self.grantee_id is None\n", "False\n"),
    # The patient, emergencies, holds.
    Mutant("retired patients granted", D, "if policy is None or facts.patient.is_retired:", "if policy is None:"),
    Mutant("those who left keep access", D, "elif outcome.grantee_id in facts.network.deactivated:", "elif False:"),
    Mutant("a child sees itself", D, "if age_at(patient.born_on, policy, at) is Age.CHILD:", "if False:"),
    Mutant("glass never closes", D, "if not window.holds(at):\n        key = Obstacle.GLASS", "if False:\n        key = Obstacle.GLASS"),
    Mutant("glass without a reason", D, "if not emergency.reason.strip() or not is_fresh:", "if not is_fresh:"),
    Mutant("glass with a stale login", D, "timedelta() <= since <= policy.reauthentication", "timedelta() <= since"),
    Mutant("glass with a later login", D, "timedelta() <= since <= policy.reauthentication", "since <= policy.reauthentication"),
    Mutant("Part 2 to the not medical", D, "emergency.is_part2_emergency and emergency.is_medical", "emergency.is_part2_emergency"),
    Mutant("holds for ever", D, "if hold.until_at is None or hold.exception", "if hold.exception"),
    Mutant("holds without an exception", D, "if hold.until_at is None or hold.exception not in EXCEPTIONS:", "if hold.until_at is None:"),
    Mutant("holds spare proxies", D, "persons = {proxy.person_id for proxy in facts.proxies}", "persons = set()"),
    # Proxies.
    Mutant("parents for ever", P, "return window.cut(grown)", "return window"),
    Mutant("proxy without evidence", P, "if proxy.evidence_id is None:", "if False:"),
    Mutant("barred proxy not denied", P, "if proxy.is_barred:\n            yield", "if False:\n            yield"),
    Mutant("merged and refused in person", D, "denials=tuple(denial for denial in forbidden if not denial.is_empty),", "denials=(),"),
    Mutant("parent of unknown age", P, "if proxy.kind is ProxyKind.PARENT and patient.born_on is None:", "if False:"),
    Mutant("a teenager's labels", P, "labels - policy.hidden_from_parents if is_guarded", "labels if is_guarded"),
    Mutant("a teenager's messages", P, "proxy.classes - {DataClass.MESSAGES} if is_guarded", "proxy.classes if is_guarded"),
    Mutant("caregivers see all", P, "if proxy.kind is ProxyKind.CAREGIVER else", "if False else"),
    # Consents.
    Mutant("consent without evidence", C, "if consent.evidence_id is None:", "if False:"),
    Mutant("consent not in force", C, "if consent.window.holds(at):", "if True:"),
    Mutant("denial not in force", C, "if consent.is_permit or not consent.window.holds(at):", "if consent.is_permit:"),
    Mutant("notes with others", C, "return is_alone and bool(consent.recipients)", "return bool(consent.recipients)"),
    Mutant("notes to nobody by name", C, "return is_alone and bool(consent.recipients)", "return is_alone"),
    Mutant("verbal Part 2", C, "if consent.form is ConsentForm.VERBAL else _NOTHING", "if False else _NOTHING"),
    Mutant("withheld released", C, "- {Label.WITHHELD} - unsigned", "- unsigned"),
    Mutant("a child consents", C, "if age is Age.CHILD:", "if False:"),
    Mutant("a teenager consents to all", C, "if age is Age.ADOLESCENT:", "if False:"),
    Mutant("outgrown consent lasts", C, "if not may_act or outgrown:", "if not may_act:"),
    Mutant("anybody consents", C, "if not may_act or outgrown:", "if outgrown:"),
    Mutant("caregivers consent", C, "if proxy.kind in _MAY_CONSENT and", "if"),
    Mutant("persons denied lightly", C, "Weight.NAMED if is_shared else Weight.PERSONAL", "Weight.NAMED"),
    Mutant("teams denied like persons", C, "facts.network.teams.union(places.keys(), places.values())", "{*places.keys(), *places.values()}"),
    Mutant("barred persons consent", C, "may_act = bool(acting) and not is_barred", "may_act = bool(acting)"),
    Mutant("proxies release all classes", C, "classes=consent.classes & authority.classes", "classes=consent.classes"),
    # Relations and how far they reach.
    Mutant("relation ended or not begun", "reach.py", "if not relation.window.holds(at):", "if False:"),
    Mutant("opt-in not asked", "reach.py", "if not basis.needs_consent:", "if True:"),
    Mutant("not covered", "reach.py", "(facts.agreements if is_covered else ())", "facts.agreements"),
    Mutant("agreement not in force", "reach.py", "and agreement.window.holds(at)", "and True"),
    Mutant("agreement about others", "reach.py", "and agreement.includes(facts.patient.id)", "and True"),
    Mutant("not a party", "reach.py", "if organization_id in agreement.parties\n", "if True\n"),
    Mutant("source not a party", "reach.py", "if organization in agreement.parties\n", "\n"),
    Mutant("agreement's purposes", "reach.py", "RELATION_PURPOSES & agreement.purposes", "RELATION_PURPOSES"),
    Mutant("agreement's classes", "reach.py", "classes=agreement.classes", "classes=ALL_CLASSES"),
    Mutant("consent's sources", "reach.py", "if disclosing else basis.sources", "if False else basis.sources"),
    Mutant("consent's purposes", "reach.py", "basis.purposes & release.purposes if release", "basis.purposes if release"),
    Mutant("consent's classes", "reach.py", "classes & release.classes if release", "classes if release"),
    Mutant("most labels", "reach.py", "labels=relation.most & frozenset(labels)", "labels=frozenset(labels)"),
    Mutant("registered like treated", R, "classes=ALL_CLASSES if is_treated else _WHO_IS_IT", "classes=ALL_CLASSES"),
    Mutant("referred without minimum", R, "classes=MINIMUM & referral.classes", "classes=referral.classes"),
    Mutant("no lead of a treatment", R, "treatment.began_at - policy.treatment_lead", "treatment.began_at"),
    Mutant("treatments never end", R, "ended_at + policy.treatment_tail if ended_at else None", "None"),
    # Policy.
    Mutant("Part 2 free", L, "ALL_LABELS - KEPT_APART - {Label.PART2}", "ALL_LABELS - KEPT_APART"),
    Mutant("strict policy dropped", L, '_policy("US-STRICT", _FREE_STRICT)', '_policy("US-STRICT", _FREE_FEDERAL)'),
    Mutant("policy before its day", L, "and policy.effective_on <= at.date()", "and True"),
    Mutant("violence shown to parents", L, "        Label.VIOLENCE,", "        # Label.VIOLENCE,"),
    Mutant("adult a year later", L, "adult_age=18", "adult_age=19"),
]  # fmt: skip
