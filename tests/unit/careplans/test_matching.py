"""Two lists of medicines, line by line: what stands side by side, and what differs.

Each case is written as people write lists. `=` the same, `~` different with what differs, `+` only after, `-` only before.
"""

import pytest

from services.careplans.domain.matching import Difference, compare, differing
from services.careplans.domain.medicine import Medicine, parse_medicines

# before / after -> lines. Semicolons part medicines.
CORPUS = """
# The same.
Lisinopril 10 mg once a day / Lisinopril 10 mg once a day -> = Lisinopril
lisinopril 10mg daily / LISINOPRIL 10 MG ONCE DAILY -> = lisinopril
Lisinopril 10 mg qd / Lisinopril 10 mg every day -> = Lisinopril
Lisinopril 10 mg 1x daily / Lisinopril 10 mg one time a day -> = Lisinopril
Furosemide 40 mg BID / Furosemide 40 mg twice a day -> = Furosemide
Furosemide 40 mg b.i.d. / Furosemide 40 mg two times daily -> = Furosemide
Furosemide 40 mg 2x/day / Furosemide 40 mg 2 times a day -> = Furosemide
Gabapentin 300 mg TID / Gabapentin 300 mg three times a day -> = Gabapentin
Gabapentin 300 mg t.i.d. / Gabapentin 300 mg 3 times daily -> = Gabapentin
Carbidopa-levodopa 25-100 mg QID / Carbidopa/levodopa 25-100 mg four times a day -> = Carbidopa-levodopa
Atorvastatin 40 mg at bedtime / Atorvastatin 40 mg qhs -> = Atorvastatin
Atorvastatin 40 mg nightly / Atorvastatin 40 mg every night -> = Atorvastatin
Atorvastatin 40 mg daily at bedtime / Atorvastatin 40 mg HS -> = Atorvastatin
Levothyroxine 75 mcg every morning / Levothyroxine 75 ug qAM -> = Levothyroxine
Levothyroxine 75 mcg in the morning / Levothyroxine 0.075 mg each morning -> = Levothyroxine
Levothyroxine 75 µg qam / Levothyroxine 75 micrograms in the morning -> = Levothyroxine
Metformin 1000 mg twice daily / Metformin 1 g BID -> = Metformin
Metformin 1,000 mg twice daily / Metformin 1000 mg twice daily -> = Metformin
Digoxin 0.125 mg daily / Digoxin 125 mcg daily -> = Digoxin
Digoxin .125 mg daily / Digoxin 0.125 mg daily -> = Digoxin
Oxycodone 5 mg every 6 hours as needed / Oxycodone 5 mg q6h prn -> = Oxycodone
Oxycodone 5 mg every 4-6 hours as needed / Oxycodone 5 mg q4-6h PRN -> = Oxycodone
Alendronate 70 mg once a week / Alendronate 70 mg weekly -> = Alendronate
Vitamin D3 50000 units monthly / Vitamin D3 50,000 units once a month -> = Vitamin D3
Prednisone 5 mg every other day / Prednisone 5 mg QOD -> = Prednisone
Warfarin 5 mg PO daily / Warfarin 5 mg by mouth daily -> = Warfarin
Aspirin 81 mg tablet daily / Aspirin tablets 81 mg daily -> ~ Aspirin frequency
Aspirin tablet 81 mg daily / Aspirin 81 mg daily -> = Aspirin tablet
Metoprolol succinate ER 50 mg daily / Metoprolol succinate extended-release 50 mg daily -> = Metoprolol succinate ER
Sacubitril/valsartan 24/26 mg BID / Valsartan-sacubitril 24/26 mg BID -> = Sacubitril/valsartan
Hydrocodone and acetaminophen 5/325 mg q6h / Acetaminophen + hydrocodone 5/325 mg q6h -> = Hydrocodone and acetaminophen
Potassium chloride 20 mEq daily / Potassium Chloride 20 meq daily -> = Potassium chloride
Insulin glargine 20 units at bedtime / Insulin glargine 20 unit nightly -> = Insulin glargine
Albuterol 2 puffs q4h prn / Albuterol 2 puff every 4 hours as needed -> = Albuterol
Levothyroxine 1/2 tablet daily / Levothyroxine 0.5 tab daily -> = Levothyroxine
- Lisinopril 10 mg daily / 1. Lisinopril 10 mg daily -> = Lisinopril
# Another dose.
Furosemide 20 mg daily / Furosemide 40 mg daily -> ~ Furosemide dose
Furosemide 20 mg once a day / Furosemide 40 mg twice a day -> ~ Furosemide dose frequency
Metformin 1000 mg twice a day / Metformin 500 mg twice a day -> ~ Metformin dose
Metformin 1 g daily / Metformin 1 mg daily -> ~ Metformin dose
Levothyroxine 75 mcg daily / Levothyroxine 75 mg daily -> ~ Levothyroxine dose
Insulin glargine 20 units nightly / Insulin glargine 24 units nightly -> ~ Insulin glargine dose
Sacubitril/valsartan 24/26 mg BID / Sacubitril/valsartan 49/51 mg BID -> ~ Sacubitril/valsartan dose
Sacubitril/valsartan 24/26 mg BID / Sacubitril/valsartan 24 mg BID -> ~ Sacubitril/valsartan dose
Warfarin 5 mg daily / Warfarin 5.5 mg daily -> ~ Warfarin dose
Warfarin 5 mg daily / Warfarin 50 mg daily -> ~ Warfarin dose
Lisinopril 1 tablet daily / Lisinopril 10 mg daily -> ~ Lisinopril dose
Lisinopril 1 tablet daily / Lisinopril 2 tablets daily -> ~ Lisinopril dose
Amoxicillin 5 ml TID / Amoxicillin 5 mg TID -> ~ Amoxicillin dose
Heparin 5000 units q8h / Heparin 5000 IU q8h -> ~ Heparin dose
# Another frequency.
Furosemide 40 mg daily / Furosemide 40 mg BID -> ~ Furosemide frequency
Methotrexate 15 mg weekly / Methotrexate 15 mg daily -> ~ Methotrexate frequency
Alendronate 70 mg weekly / Alendronate 70 mg twice weekly -> ~ Alendronate frequency
Oxycodone 5 mg q6h / Oxycodone 5 mg q6h prn -> ~ Oxycodone frequency
Oxycodone 5 mg q6h prn / Oxycodone 5 mg q4h prn -> ~ Oxycodone frequency
Amoxicillin 500 mg BID / Amoxicillin 500 mg every 12 hours -> ~ Amoxicillin frequency
Atorvastatin 40 mg daily / Atorvastatin 40 mg at bedtime -> ~ Atorvastatin frequency
Levothyroxine 75 mcg in the morning / Levothyroxine 75 mcg in the evening -> ~ Levothyroxine frequency
Prednisone 5 mg daily / Prednisone 5 mg every other day -> ~ Prednisone frequency
Ibuprofen 400 mg when in pain / Ibuprofen 400 mg with food -> ~ Ibuprofen frequency
Metformin 500 mg twice a day / Metformin 500 mg twice a day with meals -> ~ Metformin frequency
Insulin lispro 5 units before meals / Insulin lispro 5 units before breakfast -> ~ Insulin lispro frequency
Gabapentin 300 mg 1 cap in the morning, 2 caps at bedtime / Gabapentin 300 mg 2 caps in the morning, 1 cap at bedtime -> ~ Gabapentin frequency
Gabapentin 300 mg 1 cap in the morning, 2 caps at bedtime / Gabapentin 300 mg 1 cap qAM and 2 caps qhs -> = Gabapentin
Gabapentin 300 mg one in the morning, two at bedtime / Gabapentin 300 mg two in the morning, one at bedtime -> ~ Gabapentin frequency
Warfarin 5 mg monday, 2.5 mg tuesday / Warfarin 5 mg tuesday, 2.5 mg monday -> ~ Warfarin frequency
Warfarin 5 mg monday, 2.5 mg tuesday / Warfarin 5 mg Monday 2.5 mg Tuesday -> = Warfarin
Insulin lispro 5 units with 1-2 snacks / Insulin lispro 5 units with 1/2 snacks -> ~ Insulin lispro frequency
Prednisone 5 mg ½ in the morning / Prednisone 5 mg in the morning -> ~ Prednisone frequency
Oxycodone 5 mg q4h in the morning, q6h in the evening / Oxycodone 5 mg q6h in the morning, q4h in the evening -> ~ Oxycodone frequency
Oxycodone 5 mg as needed every 6 hours / Oxycodone 5 mg q6h prn -> = Oxycodone
Prednisone 5 mg in the evening and in the morning / Prednisone 5 mg qam and qpm -> = Prednisone
# A number that is none is a word.
Lisinopril 1/0 tab daily / Lisinopril 1/0 tab daily -> = Lisinopril
Lisinopril 1/0 tab daily / Lisinopril 1/2 tab daily -> ~ Lisinopril dose
# What nobody wrote is not the same as what nobody wrote.
Warfarin daily / Warfarin daily -> ~ Warfarin dose
Warfarin 5 mg / Warfarin 5 mg -> ~ Warfarin frequency
Warfarin / Warfarin -> ~ Warfarin dose frequency
Warfarin 5 mg daily / Warfarin daily -> ~ Warfarin dose
Warfarin 5 mg daily / Warfarin 5 mg -> ~ Warfarin frequency
# One name, another medicine: salts, ways of release, forms.
Metoprolol succinate 50 mg daily / Metoprolol tartrate 50 mg daily -> ~ Metoprolol succinate name
Metoprolol 50 mg daily / Metoprolol succinate 50 mg daily -> ~ Metoprolol name
Metoprolol tartrate 25 mg BID / Metoprolol succinate ER 50 mg daily -> ~ Metoprolol tartrate name dose frequency
Bupropion SR 150 mg BID / Bupropion XL 150 mg BID -> ~ Bupropion SR name
Bupropion XL 300 mg daily / Bupropion 300 mg daily -> ~ Bupropion XL name
Diltiazem ER 120 mg daily / Diltiazem CR 120 mg daily -> ~ Diltiazem ER name
Nifedipine sustained-release 30 mg daily / Nifedipine extended-release 30 mg daily -> ~ Nifedipine sustained-release name
Aspirin EC 81 mg daily / Aspirin 81 mg daily -> ~ Aspirin EC name
Methotrexate injection 15 mg weekly / Methotrexate tablet 15 mg weekly -> ~ Methotrexate injection name
Morphine oral solution 10 mg q4h / Morphine tablet 10 mg q4h -> ~ Morphine oral solution name
Doxycycline capsule 100 mg BID / Doxycycline tablet 100 mg BID -> ~ Doxycycline capsule name
Diclofenac cream 1 g QID / Diclofenac 1 g QID -> ~ Diclofenac cream name
# Another medicine.
Lisinopril 10 mg daily / Losartan 50 mg daily -> + Losartan; - Lisinopril
Lisinopril 10 mg daily / Sacubitril/valsartan 24/26 mg BID -> + Sacubitril/valsartan; - Lisinopril
Valsartan 80 mg BID / Sacubitril/valsartan 24/26 mg BID -> + Sacubitril/valsartan; - Valsartan
Lisinopril/hydrochlorothiazide 10/12.5 mg daily / Lisinopril 10 mg daily; Hydrochlorothiazide 12.5 mg daily -> + Lisinopril; + Hydrochlorothiazide; - Lisinopril/hydrochlorothiazide
Insulin glargine 20 units nightly / Insulin lispro 20 units nightly -> + Insulin lispro; - Insulin glargine
Hydroxyzine 25 mg HS / Hydralazine 25 mg HS -> + Hydralazine; - Hydroxyzine
Potassium chloride 20 mEq daily / Sodium chloride 20 mEq daily -> + Sodium chloride; - Potassium chloride
Lasix 20 mg daily / Furosemide 20 mg daily -> + Furosemide; - Lasix
Vitamin D3 1000 units daily / Vitamin B12 1000 mcg daily -> + Vitamin B12; - Vitamin D3
Ferrous sulfate 325 mg daily / Magnesium sulfate 325 mg daily -> + Magnesium sulfate; - Ferrous sulfate
Calcium carbonate 500 mg daily / Lithium carbonate 500 mg daily -> + Lithium carbonate; - Calcium carbonate
# Only on one list.
/ Potassium chloride 20 mEq daily -> + Potassium chloride
Ibuprofen 400 mg when in pain / -> - Ibuprofen
Furosemide 20 mg daily; Ibuprofen 400 mg prn / Furosemide 20 mg daily -> - Ibuprofen; = Furosemide
# One medicine twice.
Metformin 500 mg in the morning; Metformin 1000 mg in the evening / Metformin 1000 mg in the evening -> - Metformin; = Metformin
Metformin 500 mg in the morning; Metformin 1000 mg in the evening / Metformin 1000 mg in the evening; Metformin 500 mg in the morning -> = Metformin; = Metformin
Metformin 500 mg BID; Metformin 500 mg BID / Metformin 500 mg BID -> - Metformin; = Metformin
Metformin 500 mg BID / Metformin 500 mg BID; Metformin 500 mg BID -> + Metformin; = Metformin
Warfarin 5 mg Mon Wed Fri; Warfarin 2.5 mg Tue Thu / Warfarin 2.5 mg Tue Thu; Warfarin 4 mg Mon Wed Fri -> ~ Warfarin dose; = Warfarin
Insulin glargine 10 units qam; Insulin glargine 20 units qhs / Insulin glargine 24 units qhs; Insulin glargine 10 units qam -> ~ Insulin glargine dose; = Insulin glargine
Metoprolol tartrate 25 mg BID; Metoprolol succinate 50 mg daily / Metoprolol succinate 50 mg daily -> - Metoprolol tartrate; = Metoprolol succinate
# Differences first, then only after, only before, the same.
Atorvastatin 40 mg qhs; Lisinopril 10 mg daily; Furosemide 20 mg daily / Furosemide 40 mg daily; Spironolactone 25 mg daily; Atorvastatin 40 mg qhs -> ~ Furosemide dose; + Spironolactone; - Lisinopril; = Atorvastatin
"""
SIGNS = {
    Difference.SAME: "=",
    Difference.DIFFERENT: "~",
    Difference.ONLY_AFTER: "+",
    Difference.ONLY_BEFORE: "-",
}
CASES = [line for line in CORPUS.splitlines() if line and not line.startswith("#")]


def medicines(text):
    return parse_medicines("\n".join(each.strip() for each in text.split(";")))


def shown(pair):
    name = (pair.before or pair.after).name
    return " ".join([SIGNS[pair.difference], name, *pair.differing])


@pytest.mark.parametrize("case", CASES)
def test_two_lists_are_compared_as_a_pharmacist_would(case):
    lists, _, expected = case.partition(" -> ")
    before, _, after = f" {lists} ".partition(" / ")
    pairs = compare(medicines(before), medicines(after))
    assert "; ".join(map(shown, pairs)) == expected


def test_there_are_a_hundred_pairs_of_lists():
    assert len(CASES) >= 100


@pytest.mark.parametrize("case", CASES)
def test_every_medicine_of_both_lists_is_in_one_line(case):
    lists, _, _ = case.partition(" -> ")
    before, _, after = f" {lists} ".partition(" / ")
    before, after = medicines(before), medicines(after)
    pairs = compare(before, after)
    assert sorted(str(p.before) for p in pairs if p.before) == sorted(map(str, before))
    assert sorted(str(p.after) for p in pairs if p.after) == sorted(map(str, after))


@pytest.mark.parametrize("case", CASES)
def test_from_the_other_side_the_same_differs(case):
    lists, _, _ = case.partition(" -> ")
    before, _, after = f" {lists} ".partition(" / ")
    there = compare(medicines(before), medicines(after))
    back = compare(medicines(after), medicines(before))
    turned = {"+": "-", "-": "+"}

    def signs(pairs):
        return sorted((SIGNS[p.difference], p.differing) for p in pairs)

    assert signs(there) == sorted((turned.get(s, s), d) for s, d in signs(back))


# RxNorm.


def coded(name, dose, frequency, rxnorm):
    return Medicine(name=name, dose=dose, frequency=frequency, rxnorm=rxnorm)


def test_the_same_code_is_the_same_medicine_whatever_it_is_called():
    (pair,) = compare(
        [coded("Lasix", "20 mg", "daily", "310429")],
        [coded("Furosemide", "20 mg", "daily", "310429")],
    )
    assert pair.difference is Difference.SAME


def test_the_same_code_with_another_dose_is_side_by_side_and_different():
    (pair,) = compare(
        [coded("Lasix", "20 mg", "daily", "4603")], [coded("Furosemide", "40 mg", "daily", "4603")]
    )
    assert pair.differing == ("dose",)


def test_another_code_of_the_same_name_is_side_by_side():
    (pair,) = compare(
        [coded("Furosemide", "20 mg", "daily", "310429")],
        [coded("Furosemide", "40 mg", "daily", "313988")],
    )
    assert pair.differing == ("dose",)


def test_a_code_finds_its_own_among_those_of_one_name():
    before = [coded("Metformin", "500 mg", "BID", ""), coded("Glucophage", "500 mg", "BID", "6809")]
    after = [coded("Metformin", "500 mg", "BID", "6809")]
    pairs = compare(before, after)
    assert [(p.difference, p.before.name) for p in pairs] == [
        (Difference.ONLY_BEFORE, "Metformin"),
        (Difference.SAME, "Glucophage"),
    ]


def test_no_code_is_no_code_in_common():
    assert differing(coded("A", "1 mg", "daily", ""), coded("B", "1 mg", "daily", "")) == ("name",)
