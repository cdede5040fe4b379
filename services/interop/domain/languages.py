"""Languages as senders write them ("SPA", "Spanish", "es-MX"), as BCP 47 tags."""

import re
from functools import lru_cache

# Tag, three-letter codes (ISO 639-2 with the bibliographic ones, ISO 639-3), names; from iso-codes.
_TABLE = """
aa aar afar; ab abk abkhazian; ace ace achinese; ady ady adyghe,adygei; ae ave avestan;
af afr afrikaans; aii aii assyrian; ak aka akan; ale ale aleut; am amh amharic; an arg aragonese;
ar ara arabic; arc arc official aramaic,imperial aramaic; as asm assamese;
ase ase american sign language,asl; av ava avaric; awa awa awadhi; ay aym aymara;
az aze azerbaijani; ba bak bashkir; bal bal baluchi; ban ban balinese; be bel belarusian;
bej bej beja,bedawiyet; bem bem bemba; bg bul bulgarian; bho bho bhojpuri; bi bis bislama;
bm bam bambara; bn ben bengali; bo bod,tib tibetan; br bre breton; bs bos bosnian;
bug bug buginese; ca cat catalan,valencian; ce che chechen; ceb ceb cebuano; ch cha chamorro;
chk chk chuukese; cho cho choctaw; chr chr cherokee; cjk cjk chokwe;
ckb ckb sorani,central kurdish; cmn cmn mandarin,mandarin chinese; co cos corsican; cr cre cree;
crh crh crimean tatar,crimean turkish; cs ces,cze czech;
cu chu church slavic,old slavonic,church slavonic,old bulgarian,old church slavonic;
cv chv chuvash; cy cym,wel welsh; da dan danish; dak dak dakota; de deu,ger german,deutsch;
din din dinka; dv div divehi,dhivehi,maldivian; dyu dyu dyula; dz dzo dzongkha; ee ewe ewe;
efi efi efik; el ell,gre greek; en eng english; eo epo esperanto;
es spa spanish,castilian,español,espanol; et est estonian; eu eus,baq basque; fa fas,per persian;
ff ful fulah,fulani,pulaar; fi fin finnish; fil fil filipino,pilipino; fj fij fijian;
fo fao faroese; fon fon fon; fr fra,fre french,français,francais; fy fry western frisian;
ga gle irish; gaa gaa ga; gd gla gaelic,scottish gaelic; gl glg galician; gn grn guarani;
gsw gsw swiss german,alemannic,alsatian; gu guj gujarati; gv glv manx; ha hau hausa;
hak hak hakka; haw haw hawaiian; he heb hebrew; hi hin hindi; hil hil hiligaynon; hmn hmn hmong;
ho hmo hiri motu; hr hrv croatian; hsb hsb upper sorbian;
ht hat haitian,haitian creole,creole,kreyol; hu hun hungarian; hy hye,arm armenian; hz her herero;
ia ina interlingua; id ind indonesian; ie ile interlingue,occidental; ig ibo igbo;
ii iii sichuan yi,nuosu; ik ipk inupiaq; ilo ilo iloko; inh inh ingush; io ido ido;
is isl,ice icelandic; it ita italian; iu iku inuktitut; ja jpn japanese;
jam jam jamaican creole,patois; jv jav javanese; ka kat,geo georgian; kab kab kabyle;
kam kam kamba; kbd kbd kabardian; kea kea cape verdean,kabuverdianu,cape verdean creole;
kek kek q'eqchi',kekchi; kg kon kongo; kha kha khasi; ki kik kikuyu,gikuyu;
kj kua kuanyama,kwanyama; kjb kjb q'anjob'al,kanjobal,qanjobal; kk kaz kazakh;
kl kal kalaallisut,greenlandic; km khm central khmer,khmer,cambodian; kmb kmb kimbundu;
kmr kmr kurmanji; kn kan kannada; ko kor korean; kok kok konkani; kr kau kanuri; ks kas kashmiri;
ku kur kurdish; kv kom komi; kw cor cornish; ky kir kirghiz,kyrgyz; la lat latin; lad lad ladino;
lb ltz luxembourgish,letzeburgesch; lg lug ganda; li lim limburgan,limburger,limburgish;
ln lin lingala; lo lao lao,laotian; lt lit lithuanian; lu lub luba-katanga; lua lua luba-lulua;
luo luo luo; lus lus lushai; lv lav latvian; mad mad madurese; mai mai maithili; mam mam mam;
men men mende; mg mlg malagasy; mh mah marshallese; mi mri,mao maori; min min minangkabau;
mk mkd,mac macedonian; ml mal malayalam; mn mon mongolian; mnc mnc manchu; mni mni manipuri;
mos mos mossi; mr mar marathi; ms msa,may malay; mt mlt maltese; mus mus creek;
my mya,bur burmese,myanmar; na nau nauru; nah nah nahuatl languages;
nan nan hokkien,taiwanese,min nan; nap nap neapolitan; nb nob bokmål,bokmal;
nd nde north ndebele,north ndebele; ne nep nepali; new new nepal bhasa,newari; ng ndo ndonga;
nl nld,dut dutch,flemish; nn nno norwegian nynorsk; no nor norwegian;
nr nbl south ndebele,south ndebele; nv nav navajo,navaho; ny nya chichewa,chewa,nyanja;
nyn nyn nyankole; oc oci occitan,provençal; oj oji ojibwa; om orm oromo; or ori oriya,odia;
os oss ossetian,ossetic; pa pan panjabi,punjabi; pap pap papiamento;
pdc pdc pennsylvania dutch,pennsylvania german; pes pes farsi,iranian persian; pi pli pali;
pl pol polish; pon pon pohnpeian; prs prs dari; ps pus pushto,pashto; pt por portuguese;
qu que quechua; quc quc k'iche',kiche,quiche; raj raj rajasthani; rhg rhg rohingya;
rm roh romansh; rn run rundi,kirundi; ro ron,rum romanian,moldavian,moldovan; rom rom romany;
ru rus russian; rw kin kinyarwanda; sa san sanskrit; sat sat santali; sc srd sardinian;
scn scn sicilian; sco sco scots; sd snd sindhi; se sme northern sami; sg sag sango; shn shn shan;
si sin sinhala,sinhalese; sk slk,slo slovak; sl slv slovenian; sm smo samoan;
sma sma southern sami; sn sna shona; so som somali; son son songhai languages;
sq sqi,alb albanian; sr srp serbian; srn srn sranan tongo; ss ssw swati; st sot southern sotho;
su sun sundanese; sus sus susu; sv swe swedish; sw swa swahili; swc swc congo swahili;
syr syr syriac; ta tam tamil; te tel telugu; tem tem timne; tet tet tetum; tg tgk tajik;
th tha thai; ti tir tigrinya; tiv tiv tiv; tk tuk turkmen; tl tgl tagalog; tn tsn tswana;
to ton tonga,tongan; tr tur turkish; ts tso tsonga; tt tat tatar; tum tum tumbuka; tw twi twi;
ty tah tahitian; ug uig uighur,uyghur; uk ukr ukrainian; umb umb umbundu; ur urd urdu;
uz uzb uzbek; ve ven venda; vi vie vietnamese; vo vol volapük; wa wln walloon; war war waray;
wo wol wolof; xh xho xhosa; yap yap yapese; yi yid yiddish; yo yor yoruba;
yua yua yucatec maya,maya; yue yue cantonese,yue chinese,cantonese chinese; za zha zhuang,chuang;
zap zap zapotec; zh zho,chi chinese; zu zul zulu;
"""


def _read_table() -> dict[str, str]:
    tags: dict[str, str] = {}
    for entry in _TABLE.replace("\n", " ").split(";"):
        if entry.strip():
            tag, codes, names = entry.split(maxsplit=2)
            for spelling in (tag, *codes.split(","), *names.split(",")):
                tags.setdefault(spelling, tag)
    return tags


_TAGS = _read_table()
_TAG = re.compile(r"([a-z]{2,3})(?:[-_]([a-z]{4}))?(?:[-_]([a-z]{2}|[0-9]{3}))?")


@lru_cache(maxsize=1024)
def to_tag(said: str) -> str:
    """The BCP 47 tag of a code or a name in English; "" where it is not known."""
    plain = said.strip().lower()
    if plain in _TAGS:
        return _TAGS[plain]
    found = _TAG.fullmatch(plain)
    if found is None or found[1] not in _TAGS:
        return ""
    script = f"-{found[2].title()}" if found[2] else ""
    region = f"-{found[3].upper()}" if found[3] else ""
    return f"{_TAGS[found[1]]}{script}{region}"
