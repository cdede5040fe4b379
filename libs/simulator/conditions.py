"""What people have and what brings them in: ICD-10-CM codes, how common they are, and where a stay leads."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A long-term condition. `shares`: how many of a hundred people have it below 40, below 65, below 80, and above."""

    code: str
    text: str
    shares: tuple[float, float, float, float]
    # How many times more often somebody with it comes to a hospital.
    burden: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """What somebody comes with: the words at the desk, and the diagnosis that is made of them."""

    reason: str
    code: str
    text: str
    weight: float = 1.0


CONDITIONS = (
    Condition(code="I10", text="Essential (primary) hypertension", shares=(5, 33, 60, 68), burden=1.1),
    Condition(code="E11.9", text="Type 2 diabetes mellitus without complications", shares=(2, 13, 24, 22), burden=1.4),
    Condition(code="I50.9", text="Heart failure, unspecified", shares=(0.2, 2, 8, 17), burden=3.4),
    Condition(code="J44.9", text="Chronic obstructive pulmonary disease, unspecified", shares=(0.4, 5, 12, 13), burden=2.6),
    Condition(code="N18.30", text="Chronic kidney disease, stage 3 unspecified", shares=(0.3, 4, 15, 28), burden=1.7),
    Condition(code="I25.10", text="Atherosclerotic heart disease of native coronary artery", shares=(0.2, 5, 16, 22), burden=1.8),
    Condition(code="I48.91", text="Unspecified atrial fibrillation", shares=(0.1, 2, 8, 16), burden=1.6),
    Condition(code="J45.909", text="Unspecified asthma, uncomplicated", shares=(9, 8, 7, 6), burden=1.3),
    Condition(code="F32.A", text="Depression, unspecified", shares=(9, 11, 9, 8), burden=1.3),
    Condition(code="F03.90", text="Unspecified dementia without behavioral disturbance", shares=(0, 0.3, 4, 19), burden=1.5),
    Condition(code="M19.90", text="Unspecified osteoarthritis, unspecified site", shares=(1, 12, 32, 44), burden=1.0),
    Condition(code="Z59.00", text="Homelessness unspecified", shares=(0.6, 0.7, 0.2, 0.1), burden=2.2),
)  # fmt: skip

# What hospitals admit for, beside the conditions above.
ACUTE = (
    Complaint(reason="Shortness of breath", code="J18.9", text="Pneumonia, unspecified organism", weight=9),
    Complaint(reason="Fever & confusion", code="A41.9", text="Sepsis, unspecified organism", weight=8),
    Complaint(reason="Fall at home", code="S72.001A", text="Fracture of unspecified part of neck of right femur", weight=6),
    Complaint(reason="Chest pain", code="I21.4", text="Non-ST elevation (NSTEMI) myocardial infarction", weight=6),
    Complaint(reason="Sudden weakness, left side", code="I63.9", text="Cerebral infarction, unspecified", weight=5),
    Complaint(reason="Abdominal pain", code="K35.80", text="Unspecified acute appendicitis", weight=4),
    Complaint(reason="Upper abdominal pain", code="K80.00", text="Calculus of gallbladder with acute cholecystitis", weight=4),
    Complaint(reason="Flank pain | fever", code="N10", text="Acute pyelonephritis", weight=4),
    Complaint(reason="Black stools", code="K92.2", text="Gastrointestinal hemorrhage, unspecified", weight=4),
    Complaint(reason="Swollen, red leg", code="L03.115", text="Cellulitis of right lower limb", weight=4),
    Complaint(reason="Vomiting, dizzy", code="E86.0", text="Dehydration", weight=3),
    Complaint(reason="Leg swelling after travel", code="I82.401", text="Acute embolism and thrombosis of unspecified deep veins of right lower extremity", weight=2),
)  # fmt: skip
ELECTIVE = (
    Complaint(reason="Total knee replacement", code="M17.11", text="Unilateral primary osteoarthritis, right knee", weight=4),
    Complaint(reason="Total hip replacement", code="M16.12", text="Unilateral primary osteoarthritis, left hip", weight=3),
    Complaint(reason="Hernia repair", code="K40.90", text="Unilateral inguinal hernia, without obstruction or gangrene", weight=2),
    Complaint(reason="Hysterectomy", code="D25.9", text="Leiomyoma of uterus, unspecified", weight=1),
    Complaint(reason="Bowel resection", code="C18.9", text="Malignant neoplasm of colon, unspecified", weight=1),
)  # fmt: skip
MINOR = (
    Complaint(reason="Ankle injury", code="S93.401A", text="Sprain of unspecified ligament of right ankle", weight=4),
    Complaint(reason="Cut on hand", code="S61.411A", text="Laceration without foreign body of right hand", weight=3),
    Complaint(reason="Headache", code="R51.9", text="Headache, unspecified", weight=4),
    Complaint(reason="Cough & fever", code="J06.9", text="Acute upper respiratory infection, unspecified", weight=5),
    Complaint(reason="Burning on urination", code="N39.0", text="Urinary tract infection, site not specified", weight=4),
    Complaint(reason="Back pain", code="M54.50", text="Low back pain, unspecified", weight=4),
    Complaint(reason="Palpitations", code="R00.2", text="Palpitations", weight=2),
    Complaint(reason="Rash", code="R21", text="Rash and other nonspecific skin eruption", weight=2),
)  # fmt: skip
ROUTINE = (
    Complaint(reason="Annual examination", code="Z00.00", text="General adult medical examination without abnormal findings", weight=4),
    Complaint(reason="Blood pressure check", code="I10", text="Essential (primary) hypertension", weight=4),
    Complaint(reason="Diabetes follow-up", code="E11.9", text="Type 2 diabetes mellitus without complications", weight=3),
    Complaint(reason="Immunization", code="Z23", text="Encounter for immunization", weight=2),
    Complaint(reason="Medication review", code="Z79.899", text="Other long term (current) drug therapy", weight=2),
)  # fmt: skip
FOLLOW_UP = Complaint(
    reason="Follow-up after hospital stay",
    code="Z09",
    text="Encounter for follow-up examination after completed treatment",
)
# A flare of a long-term condition, which is what most of these stays are.
FLARES = {
    "I50.9": Complaint(
        reason="Leg swelling, short of breath", code="I50.9", text="Heart failure, unspecified"
    ),
    "J44.9": Complaint(
        reason="Worse cough, short of breath",
        code="J44.1",
        text="Chronic obstructive pulmonary disease with (acute) exacerbation",
    ),
    "E11.9": Complaint(
        reason="High blood sugar", code="E11.65", text="Type 2 diabetes mellitus with hyperglycemia"
    ),
    "I48.91": Complaint(
        reason="Racing heart", code="I48.91", text="Unspecified atrial fibrillation"
    ),
}

# HL7 table 0112, as UB-04 patient status counts: how many of a hundred stays end so.
DISPOSITIONS = (
    ("01", 58.0),  # home
    ("06", 18.0),  # home, with home health care
    ("03", 12.0),  # skilled nursing facility
    ("62", 3.5),  # rehabilitation facility
    ("02", 2.0),  # another hospital
    ("07", 1.5),  # against medical advice
    ("51", 0.8),  # hospice, in a facility
    ("50", 1.0),  # hospice at home
    ("63", 0.7),  # long-term care hospital
    ("20", 2.5),  # died
)
HOME = frozenset({"01", "06"})
DIED = "20"
