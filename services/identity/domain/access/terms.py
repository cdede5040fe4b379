"""The words of access: purposes, classes of data, labels, and how strong a permission and a denial are."""

from enum import IntEnum, StrEnum


class Purpose(StrEnum):
    """Why somebody looks. HL7 v3 ActReason: TREAT, ETREAT, CAREMGT/COC, HPAYMT, HOPERAT, PUBHLTH, HRESCH, PATRQT, FAMRQT."""

    TREATMENT = "TREATMENT"
    EMERGENCY = "EMERGENCY"
    CARE_COORDINATION = "CARE_COORDINATION"
    PAYMENT = "PAYMENT"
    OPERATIONS = "OPERATIONS"
    PUBLIC_HEALTH = "PUBLIC_HEALTH"
    RESEARCH = "RESEARCH"
    LEGAL = "LEGAL"
    PATIENT_REQUEST = "PATIENT_REQUEST"
    FAMILY_REQUEST = "FAMILY_REQUEST"


class DataClass(StrEnum):
    """What sort of data a row is: one for each table."""

    DEMOGRAPHICS = "DEMOGRAPHICS"
    VISITS = "VISITS"
    CLINICAL = "CLINICAL"
    RESULTS = "RESULTS"
    COORDINATION = "COORDINATION"
    REFERRALS = "REFERRALS"
    APPOINTMENTS = "APPOINTMENTS"
    MESSAGES = "MESSAGES"
    BILLING = "BILLING"


class Label(StrEnum):
    """How sensitive a row is. Every row has one or more; NORMAL stands alone and says that somebody looked.

    WITHHELD is a clinical row that a feed which labels sent without a label: it never leaves its facility.
    """

    NORMAL = "NORMAL"
    SUD = "SUD"
    PART2 = "PART2"
    MENTAL_HEALTH = "MENTAL_HEALTH"
    HIV = "HIV"
    STD = "STD"
    REPRODUCTIVE = "REPRODUCTIVE"
    VIOLENCE = "VIOLENCE"
    GENETIC = "GENETIC"
    MINOR_CONFIDENTIAL = "MINOR_CONFIDENTIAL"
    COUNSELING_NOTES = "COUNSELING_NOTES"
    WITHHELD = "WITHHELD"


class Standing(IntEnum):
    """What a permission rests on. It yields to the denials that weigh more."""

    RELATION = 0  # being treated, registered, on the care team, referred
    NAMED = 1  # the patient named the recipient
    FIRM = 2  # one's own facility's rows, an emergency, a proxy
    SELF = 3  # the patient


class Weight(IntEnum):
    """How much a denial stops: every permission whose standing is less."""

    GENERAL = 1  # nobody named: an opt-out
    NAMED = 2  # a facility, an organization or a team
    PERSONAL = 3  # this very person, also at home and in an emergency
    HOLD = 4  # a documented exception to the patient's own right


class Reason(StrEnum):
    """Why a grant or a denial is there."""

    SELF = "SELF"
    PROXY = "PROXY"
    REGISTERED = "REGISTERED"
    TREATED = "TREATED"
    CARE_TEAM = "CARE_TEAM"
    REFERRED = "REFERRED"
    CONSENT = "CONSENT"
    BREAK_GLASS = "BREAK_GLASS"
    PART2_EMERGENCY = "PART2_EMERGENCY"
    DENIED = "DENIED"
    PROXY_BARRED = "PROXY_BARRED"
    HELD = "HELD"


class Obstacle(StrEnum):
    """Why a fact gives nothing, or less than one would think."""

    PROXY_BARRED = "PROXY_BARRED"
    PROXY_WITHOUT_EVIDENCE = "PROXY_WITHOUT_EVIDENCE"
    PROXY_OF_UNKNOWN_AGE = "PROXY_OF_UNKNOWN_AGE"
    PROXY_ENDED = "PROXY_ENDED"
    PROXY_NOT_BEGUN = "PROXY_NOT_BEGUN"
    CONSENT_WITHOUT_EVIDENCE = "CONSENT_WITHOUT_EVIDENCE"
    CONSENT_NOT_SEPARATE = "CONSENT_NOT_SEPARATE"
    CONSENT_NOT_SIGNED = "CONSENT_NOT_SIGNED"
    CONSENT_OF_CHILD = "CONSENT_OF_CHILD"
    CONSENT_OF_MINOR = "CONSENT_OF_MINOR"
    CONSENT_OUTGROWN = "CONSENT_OUTGROWN"
    CONSENT_WITHOUT_AUTHORITY = "CONSENT_WITHOUT_AUTHORITY"
    CONSENT_BEYOND_AUTHORITY = "CONSENT_BEYOND_AUTHORITY"
    CONSENT_FOR_MINOR = "CONSENT_FOR_MINOR"
    CONSENT_WITHDRAWN = "CONSENT_WITHDRAWN"
    CONSENT_EXPIRED = "CONSENT_EXPIRED"
    CONSENT_NOT_BEGUN = "CONSENT_NOT_BEGUN"
    RELATION_ENDED = "RELATION_ENDED"
    RELATION_NOT_BEGUN = "RELATION_NOT_BEGUN"
    FACILITY_UNKNOWN = "FACILITY_UNKNOWN"
    OPT_IN_MISSING = "OPT_IN_MISSING"
    AGREEMENT_MISSING = "AGREEMENT_MISSING"
    NOT_COVERED = "NOT_COVERED"
    POLICY_MISSING = "POLICY_MISSING"
    PATIENT_RETIRED = "PATIENT_RETIRED"
    PERSON_DEACTIVATED = "PERSON_DEACTIVATED"
    PATIENT_IS_CHILD = "PATIENT_IS_CHILD"
    GLASS_ENDED = "GLASS_ENDED"
    GLASS_NOT_BROKEN_YET = "GLASS_NOT_BROKEN_YET"
    GLASS_INCOMPLETE = "GLASS_INCOMPLETE"
    HOLD_UNFOUNDED = "HOLD_UNFOUNDED"


class Axis(StrEnum):
    """Where a row can lie outside of a grant."""

    TIME = "TIME"
    PURPOSE = "PURPOSE"
    LABEL = "LABEL"
    CLASS = "CLASS"
    SOURCE = "SOURCE"


ALL_PURPOSES = frozenset(Purpose)
ALL_CLASSES = frozenset(DataClass)
ALL_LABELS = frozenset(Label)

# What a treatment relationship is for.
RELATION_PURPOSES = frozenset({Purpose.TREATMENT, Purpose.CARE_COORDINATION})
# Asked by the patient and those who act for them, never by staff.
OWN_PURPOSES = frozenset({Purpose.PATIENT_REQUEST, Purpose.FAMILY_REQUEST})
# What a partner needs to answer a referral, and no more.
MINIMUM = frozenset({DataClass.DEMOGRAPHICS, DataClass.REFERRALS})
# Nobody's life hangs on messages and bills.
EMERGENCY_CLASSES = ALL_CLASSES - {DataClass.MESSAGES, DataClass.BILLING}
# Kept apart from the record, and what nobody has labelled: in no grant but an authorization for just that.
KEPT_APART = frozenset({Label.COUNSELING_NOTES, Label.WITHHELD})
# What needs a signature to be released.
NEEDS_SIGNATURE = frozenset({Label.PART2, Label.COUNSELING_NOTES})
