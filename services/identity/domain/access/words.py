"""What an explanation says, in English; the keys are for whoever translates. Ids only: the screen puts the names in."""

from collections.abc import Mapping
from types import MappingProxyType

WORDS: Mapping[str, str] = MappingProxyType(
    {
        # In one sentence.
        "headline.ALL": "They may see all of it.",
        "headline.SOME": "They may see some of it, and some not.",
        "headline.NONE": "They may see none of it.",
        # What lets somebody see a row.
        "allowed.OWN": "The row was written at their own facility.",
        "allowed.SELF": "It is their own record.",
        "allowed.PROXY": "They act for the patient{until}.",
        "allowed.REGISTERED": "The patient is registered at their facility{until}: enough to know who it is.",
        "allowed.TREATED": "Their facility treats the patient, or did within the last year{until}.",
        "allowed.CARE_TEAM": "They are on the patient's care team{until}.",
        "allowed.REFERRED": "The patient was referred to them{until}: they see what the referral needs.",
        "allowed.CONSENT": "The patient's consent names them{until}.",
        "allowed.BREAK_GLASS": "They have broken the glass{until}.",
        "allowed.PART2_EMERGENCY": "They declared a medical emergency that opens Part 2 records{until}.",
        "by.agreement": "The organizations have an agreement that covers it.",
        "by.consent": "The patient's consent covers it.",
        # What stops it.
        "stopped.DENIED": "The patient has refused{until}.",
        "stopped.PROXY_BARRED": "They are barred from acting for the patient.",
        "stopped.HELD": "It is held back by a documented exception{until}.",
        # Where a grant of theirs does not reach.
        "missed.TIME": "Their access ({reason}) has ended.",
        "missed.PURPOSE": "Their access ({reason}) is for another purpose.",
        "missed.LABEL": "Their access ({reason}) does not extend to what is labeled {labels}.",
        "missed.CLASS": "Their access ({reason}) does not extend to this sort of data.",
        "missed.SOURCE": "Their access ({reason}) does not extend to the facility that wrote it.",
        # What is wrong with a row, or with a fact.
        "unlabeled": "The row has no label, so nobody may see it.",
        "apart": "Counseling notes are kept apart: they need a consent of their own that names the reader.",
        "withheld": "The feed labels what it sends, and this row has no label: it does not leave its facility.",
        "role": "None of their roles is for such data.",
        "ask": "Why it is not shown can be asked of the facility's privacy officer.",
        "nothing": "No fact connects them with the patient.",
        "obstacle.PROXY_BARRED": "They may not act for the patient: abuse or endangerment is on record.",
        "obstacle.PROXY_WITHOUT_EVIDENCE": "Nothing on record shows that they may act for the patient.",
        "obstacle.PROXY_OF_UNKNOWN_AGE": "A parent acts for a minor, and the birth date is unknown.",
        "obstacle.PROXY_ENDED": "They no longer act for the patient.",
        "obstacle.PROXY_NOT_BEGUN": "They do not act for the patient yet.",
        "obstacle.CONSENT_WITHOUT_EVIDENCE": "A consent has no signature, witness or scan.",
        "obstacle.CONSENT_NOT_SEPARATE": "Counseling notes and legal proceedings need a consent of their own that names the recipient.",
        "obstacle.CONSENT_NOT_SIGNED": "A spoken consent does not release Part 2 records or counseling notes.",
        "obstacle.CONSENT_OF_CHILD": "A child gave the consent.",
        "obstacle.CONSENT_OF_MINOR": "The consent of a minor releases only what is theirs alone to release.",
        "obstacle.CONSENT_OUTGROWN": "The consent was given for a minor who is of age now.",
        "obstacle.CONSENT_WITHOUT_AUTHORITY": "Whoever gave the consent could not act for the patient then.",
        "obstacle.CONSENT_BEYOND_AUTHORITY": "Whoever gave the consent acts for the patient for less than it names.",
        "obstacle.CONSENT_FOR_MINOR": "A consent given for a minor does not release what the minor decides alone.",
        "obstacle.CONSENT_WITHDRAWN": "A consent was withdrawn.",
        "obstacle.CONSENT_EXPIRED": "A consent has expired.",
        "obstacle.CONSENT_NOT_BEGUN": "A consent is not in force yet.",
        "obstacle.RELATION_ENDED": "A relationship with the patient has ended.",
        "obstacle.RELATION_NOT_BEGUN": "A relationship with the patient has not begun.",
        "obstacle.FACILITY_UNKNOWN": "A facility is not in the directory of the network.",
        "obstacle.OPT_IN_MISSING": "The agreement covers only patients who have opted in.",
        "obstacle.AGREEMENT_MISSING": "The organizations have no agreement that covers it.",
        "obstacle.NOT_COVERED": "Their organization is not bound by HIPAA: the patient would have to name it in a consent.",
        "obstacle.POLICY_MISSING": "No policy is in effect for this jurisdiction.",
        "obstacle.PATIENT_RETIRED": "The record was merged into another one.",
        "obstacle.PERSON_DEACTIVATED": "They have left the network.",
        "obstacle.PATIENT_IS_CHILD": "A child does not see the record by themselves.",
        "obstacle.GLASS_ENDED": "The glass they broke is closed again.",
        "obstacle.GLASS_NOT_BROKEN_YET": "The glass is not broken yet.",
        "obstacle.GLASS_INCOMPLETE": "Breaking the glass needs a reason and a fresh sign-in.",
        "obstacle.HOLD_UNFOUNDED": "Something was held back without a documented exception or an end; it is shown.",
    }
)
