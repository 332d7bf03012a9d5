"""What reports call findings and devices: classes and the patterns of their names.

A pattern is a regular expression with two signs of its own: a space stands for any run of blanks and hyphens, and ``…``
for up to five words between, none of which opens another statement. The longest name wins, whatever its class. Class
names are those of the phantom and, beside them, what reports of chest X-rays really hold; docs/language.md says what
belongs where.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

HEART = (
    "(heart|cardiac|cardio ?mediastinal|cardio ?pericardial|cardiovascular)"
    "( size| silhouettes?| shadow| contours?| and mediastinal (silhouettes?|contours?)| and mediastinum)*"
)
BIG = "(enlarged|enlargement|increased in size|prominent|large|borderline( in size| enlarged| in overall size)?)"
DIAPHRAGM = "(hemi ?)?diaphragm(s|atic)?"
AORTIC = (
    "(tortuo(us|sity)|ectatic|ectasia|unfold(ed|ing)|uncoil(ed|ing)|torturous|elongat(ed|ion)|dilat(ed|ion|ation)"
    "|calcific|calcified|calcifications?|athero(sclero|mato)\\w+|arteriosclero\\w+|aneurysm(al)?|sclero(sis|tic))"
)
WORN = "(narrow(ed|ing)?|loss( of height)?|height loss|degeneration|disease|degenerated|bulg(e|ing))"
LOW = "(low|decreased|reduced|diminished|small|smaller|poor|shallow|suboptimal|limited|inadequate|hypoventilatory)"
SHADOW = "(opacit(y|ies)|opacifications?|densit(y|ies))"
SPINE = "(spine|vertebra\\w*|thora\\w+|lumbar|t spine)"
BONE = "(ribs?|clavic(le|les|ular)|vertebra|vertebrae|vertebral|endplates?|humer(us|al)|sternum|sternal|T\\d+|L\\d+)"

LEXICON: Mapping[str, tuple[str, ...]] = {
    "Atelectasis": (
        "atelecta(sis|ses)", f"atelectatic( (changes?|bands?|disease|lung|{SHADOW}))?", "volume loss",
        "loss of volume", "(lung|lobar|lobe) collapse", "collapse(d)? … (lung|lobe)",
    ),
    "Cardiomegaly": (
        "cardiomegaly", "cardiac enlargement", f"{HEART}… {BIG}", f"{HEART} (enlargement|prominence)",
        f"(enlarge(d|ment)|prominen(t|ce)|borderline|increased)( of)?( the)? {HEART}", "enlarge(d|ment)( of)? … heart",
        "borderline … heart size", f"(increase|enlargement) in… {HEART}",
        "((atrial|ventric(le|ular)|atrium)…|chamber) enlargement",
        "(left|right) ventric(le|ular) (prominence|hypertrophy)", "enlarged (left|right) (atrium|ventricle)",
    ),
    "Consolidation": (
        "((air ?space|alveolar|lobar) )?consolidations?",
        "consolidat(ive|ing)( (process|changes?|disease|opacit(y|ies)))?",
        "(air ?space|alveolar) (disease|process|filling|infiltrates?)", "air bronchograms?",
    ),
    "Edema": (
        "((pulmonary|interstitial|alveolar|lung) )*o?edema",
        "((pulmonary|central|vascular|venous) )*congesti(on|ve changes?)",
        "((pulmonary|central|vascular|venous) )*(engorge(d|ment)|redistribution|plethora|cephalization)",
        "vascular( markings)? (prominence|fullness)",
        "prominen(t|ce)( of)?… (vasculature|vascularity|vascular markings)",
        "(vasculature|vascularity|vessels)… (engorged|accentuated|congested|prominent|increased|indistinct)",
        "((congestive )?(heart|cardiac) )?failure", "congestive (failure|heart disease)", "chf",
        "(fluid|volume) overload", "kerley( b)?( lines)?", "b lines", "pulmonary venous hypertension",
    ),
    "Lung Opacity": (
        f"((pulmonary|lung|air ?space|ground ?glass|alveolar) )*{SHADOW}", "opacified", "infiltrates?",
        "infiltrat(ion|ive)( (process|changes?|disease))?", "haz(e|iness)", "ground ?glass", "streakiness",
    ),
    "Pleural Effusion": (
        "((pleural|subpulmonic|parapneumonic) )*effusions?", "pleural( spaces?)? fluid( collections?)?",
        "fissural fluid", "fluid (in|within|along)… (fissures?|pleural spaces?)", "hydrothorax", "ha?emothorax",
        "empyema",
    ),
    "Pneumonia": (
        "(broncho ?)?pneumonias?", "pneumoni(tis|c)( (process|infiltrates?))?",
        "(pulmonary )?tuberculosis( (pneumonia|infection))?", "tb", "tuberculous( (disease|infection|changes?))?",
        "infections?", "infectious( (process|etiolog(y|ies)|diseases?|infiltrates?))?",
        "aspiration( (pneumonia|pneumonitis))?", "bronchiolitis", "abscess(es)?",
    ),
    "Pneumothorax": ("(hydro ?)?pneumothora(x|ces|xes)", "ptx", "pleural air"),
    "Support Devices": (
        ("((endo ?tracheal|tracheostomy|naso ?gastric|oro ?gastric|gastric|ng|og|et|feeding|enteric|chest"
        "|thoracostomy|drainage"
        "|nephrostomy|gastrostomy|biliary|pleural) )*(tubes?|tubing|drains?)"), "tracheostomy( (tube|cannula))?",
        ("((central|venous|arterial|vascular|dialysis|internal|jugular|ij|subclavian|picc?|swan ganz|pleural"
        "|hemodialysis) )*catheters?"),
        "(central|venous|arterial|dialysis|ij|jugular|subclavian|picc?|infusion)( (central|venous))* lines?", "picc",
        "port ?a ?(cath|xxxx)", "(medi|chemo|infusion )?ports?( catheters?)?",
        "(central|subclavian|chest)( venous)? port( a cath)?", "pace ?(maker|r)s?( (leads?|wires?|device|generator))*",
        "(cardiac )?pac(er|ing) (device|leads?|wires?)s?", "a?icd( (leads?|device|generator))*",
        "defibrillators?( (leads?|device|generator))*", "leads?", "electrodes?",
        "((pulse|battery) )?generators?( pack)?", "((neuro|nerve|vagal|spinal) )*stimulators?( (leads?|device))*",
        "((surgical|vascular|mediastinal|cholecystectomy|metallic|hemostatic|sternotomy|cabg) )*clips?",
        "((sternal|sternotomy|median|cerclage|epicardial|pacing|surgical) )*wires?",
        "(surgical )?(sutures?|staples?)( (lines?|anchors?|material))?",
        "((biliary|coronary|vascular|aortic|stent) )*(stents?|endografts?)( grafts?)?",
        ("((prosthetic|mechanical|artificial|bioprosthetic|cardiac|heart|aortic|mitral"
        "|tricuspid) )*valves? (replacements?|prosthes[ie]s|repair|ring)"),
        "(prosthetic|mechanical|artificial|bioprosthetic)( (cardiac|heart|aortic|mitral))* valves?", "prosthes[ie]s",
        "arthroplasty", "((orthop(a?)edic|surgical|spinal|fixation|fusion|metallic) )*hardware",
        "(spinal|internal|surgical|plate|screw) fixation", "screws?",
        "(fixation|metal(lic)?|spinal|surgical|cervical) (plates?|rods?)", "(bone |suture )?anchors?",
        "(breast )?(implants?|prosthes[ie]s)", "((vp|ventriculo ?peritoneal) )?shunt( (tubing|catheter))*",
        "ett|ngt|ogt|iabp|impella", "dob ?hoff( (tube|catheter))?", "(ivc|caval) filters?",
        "(balloon|infusion) pumps?", "(occluder |closure |assist |monitoring |implantable )devices?", "loop recorder",
        "embolization coils?", "bypass grafts? markers?",
    ),
    "Nodule or Mass": (
        f"((pulmonary|lung|hilar|mediastinal) )*nodul(es?|arity|ar)( ({SHADOW}|lesions?|foc(us|i)|changes?))?",
        "((pulmonary|lung|hilar|mediastinal) )*mass(es)?", f"mass ?like( ({SHADOW}|lesions?|areas?|consolidation))?",
        "((pulmonary|lung|parenchymal) )*lesions?", "metasta(sis|ses|tic( (disease|lesions?|nodules?|process))?)",
        "neoplas(m|ms|tic( process| disease)?)", f"non ?calcified( \\w+)? (nodul\\w+|mass(es)?|lesions?|{SHADOW})",
        "tumors?", "malignan(cy|cies|t (process|disease|lesions?))", "cancer", "carcinoma", "lymphoma",
        "cavit(y|ies|ations?|ary)( (lesions?|mass|nodules?))?",
    ),
    "Granuloma or Calcification": (
        "granulom(as?|ata)",
        "granulomatous( (diseases?|process|changes?|infections?|calcifications?|exposure|sequelae?))?",
        "calcifications?", "calcifi(c|ed)", "calcifi(c|ed)… and… (nod(es?|ules?)|granulom(as?|ata)|lymph)",
        f"calcifi(c|ed)… (nod(es?|ules?)|granulom(as?|ata)|{SHADOW}|foc(us|i)|lesions?|lymph|adenopathy|hila)",
        "histoplasm(osis|oma)( (infection|disease))?", "sarcoid(osis)?", "calcium deposits?",
    ),
    "Scarring": (
        "((pleural|parenchymal|pulmonary) )*(scar|scars|scarring|fibrosis)", "scarred",
        "fibro(tic|nodular)( (changes?|disease|scarring|opacit(y|ies)|densit(y|ies)))?",
    ),
    "Interstitial or Airway Change": (
        (f"interstitial… ({SHADOW}|markings?|prominence|thickening|changes?|diseases?|patterns?|infiltrates?|process"
        f"|fibrosis|abnormalit(y|ies))"),
        "(prominent|prominence|thickened|coarse(ned)?)( of)?( the)?( \\w+)? interstitium",
        "interstitium… (prominent|thickened|coarse(ned)?)",
        f"reticul(ar|o ?nodular|ation)s?( interstitial)?( ({SHADOW}|markings?|patterns?|changes?|infiltrates?))?",
        "(bronchovascular|interstitial|bronchial|lung|pulmonary|peribronchial|interstitial lung) markings",
        "bronchiecta(sis|tic)( changes?)?", "bronchi(tis|tic)( changes?)?",
        "(peri ?bronchial|bronchial wall|bronchial|septal) (cuffing|thickening)", "cuffing",
        "cystic (fibrosis|changes?|lung disease)", "(reactive|small) airways?( disease)?", "honeycomb(ing)?", "ild",
    ),
    "Emphysema or Hyperinflation": (
        "((bullous|centrilobular|pulmonary) )*emphysema(tous)?( ((lung|pulmonary) )?(changes?|disease|appearance))?",
        "copd", "(chronic )?obstructive( (pulmonary|lung|airways?))*( (disease|changes?|process))?",
        "hyper ?(inflat(ed|ion)|expan(ded|sion)|aerat(ed|ion)|lucen(t|cy))( lungs?)?",
        "over ?(inflat(ed|ion)|expan(ded|sion))", "air trapping", f"flatten(ed|ing)( of)?… {DIAPHRAGM}",
        f"{DIAPHRAGM}… flatten(ed|ing)", f"{DIAPHRAGM} flattening", "bulla(e|s)?", "bullous( (disease|changes?))?",
        "blebs?",
        "increased (ap|anterior posterior|anteroposterior|retrosternal)… (diameter|air ?space|space|lucency)",
        "lung volumes? (is|are) (large|increased)", "(large|increased) lung volumes?",
    ),
    "Low Lung Volumes": (
        f"{LOW}( lung)? volumes?", f"(lung )?volumes?… {LOW}",
        "hypo ?(inflat(ed|ion)|ventilat(ed|ion|ory)( changes?)?|aerat(ed|ion)|expan(ded|sion))",
        "under ?(inflat(ed|ion)|aerat(ed|ion))",
        f"{LOW}( level of| depth of)? inspirat(ion|ory)( (effort|volumes?|result))?",
        "(bronchovascular|bronchial|vascular|interstitial) crowding",
        ("crowd(ing|ed)( of)?( (the|bronchovascular|pulmonary|vascular|central|interstitial|lung))*( (markings"
        "|structures|vasculature|vessels))?"),
    ),
    "Pleural Change": (
        "pleural… (thickening|plaques?|capping|reaction|irregularit(y|ies)|diseases?|abnormalit(y|ies))",
        "pleural (based )?calcifications?", "apical cap(ping)?", "apical thickening",
        ("blunt(ed|ing)( of)?( (the|a|an|left|right|both|bilateral|lateral|posterior|costophrenic|cardiophrenic|cp"
        "|pleural|minimal))*( (angles?|sulc(us|i)|recess(es)?|spaces?))?"),
        "(costophrenic|angles?|sulc(us|i))… (blunted|blunting|obscured)", "thicken(ed|ing)( of)?… (fissures?|pleura)",
        "(obliterat(ed|ion)|obscuration)( of)?… (costophrenic( angles?)?|sulc(us|i)|sinus(es)?)",
    ),
    "Mediastinal or Hilar Change": (
        "((hilar|mediastinal|paratracheal) )*(lymph)?adenopathy", "enlarged( \\w+)? (lymph )?nodes?",
        "(lymph )?nod(e|es|al) enlargement",
        ("((bi)?hil(ar|a|um|i)|mediastin(al|um)|paratracheal|suprahilar|infrahilar|perihilar)( \\w+)? (fullness"
        "|enlargement|prominence|widening|shift|retraction|elevation)"),
        ("(mediastin(al|um)|hil(a|um|ar)|trachea|paratracheal stripe)… (widened|widening|wide|enlarged|prominent"
        "|shift(ed)?|deviat(ed|ion)|full|retracted)"),
        ("(widen(ed|ing)|enlarge(d|ment)|prominen(t|ce)|full(ness)?|shift|retraction"
        "|elevation)( of)?… (mediastin(al|um)|hil(a|um|ar)|trachea)"), "((left|right)ward|mediastinal) shift",
        "trach(ea|eal)… (deviat(ed|ion)|shift(ed)?)",
    ),
    "Diaphragm Change": (
        f"eventrat(ion|ed)(… {DIAPHRAGM})?", f"{DIAPHRAGM} eventrat(ion|ed)", f"elevat(ed|ion)( of)?… {DIAPHRAGM}",
        f"{DIAPHRAGM}… (elevated|elevation|raised)", f"{DIAPHRAGM} elevation", f"tenting( of)?… {DIAPHRAGM}",
        "asymmetric elevation",
    ),
    "Hernia": ("((hiatal|hiatus|diaphragmatic|paraesophageal|bochdalek|morgagni) )?hernias?",),
    "Aortic or Vascular Change": (
        (f"{AORTIC}(( and|,| of)? {AORTIC})?( of)?… (aort(a|ic)|arch|vessels)( (knob|arch|root|wall|disease|changes?"
        f"|vasculature|contour|calcifications?|atherosclerosis))*"),
        (f"aort(a|ic)( (knob|arch|root|valve|wall))?… {AORTIC}(( and|,) {AORTIC})?( (changes?|disease"
        f"|calcifications?|plaques?))*"),
        ("(athero|arterio)sclero(sis|tic)( (vascular|arterial|aortic|coronary|calcific))*( (disease|changes?"
        "|calcifications?|plaques?))?"),
        ("(vascular|arterial|coronary|carotid|splenic|coronary artery|splenic artery) (calcifications?"
        "|atherosclerosis)"), "calcified (vessels|vasculature|arteries|coronary arter(y|ies)|splenic artery)",
        "aneurysm(s|al)?( dilat(ion|ation))?",
        ("(enlarged|prominent|dilated|enlargement of|prominence of)( (the|main|central|left"
        "|right))* pulmonary arter(y|ies|ial)"), "pulmonary( arterial| artery)? hypertension",
        "pulmonary arter(y|ies)… (prominent|enlarged|dilated)",
        "pulmonary arter(y|ies|ial) (hypertension|enlargement|prominence)", "aortic dissection",
        "prominen(t|ce)( of)?… (aorta|aortic (knob|arch))",
    ),
    "Fracture or Dislocation": (
        f"({BONE} )*fractur(es?|ed)( deformit(y|ies)( (of|in)… {BONE})?)?",
        "(compression|burst|stress|insufficiency|pathologic) fractur(es?|ed)", "dislocat(ions?|ed)",
        "sublux(ations?|ed)", f"(compression|wedge|wedging|{BONE}|anterior|posttraumatic)… (deformit(y|ies)|wedging)",
        f"deformit(y|ies) (of|in|involving)… {BONE}( bod(y|ies))?", "wedg(ing|ed)( of)?… vertebra\\w*",
        "compression( of)?… vertebra\\w*( bod(y|ies))?",
        "(vertebral|vertebral body|vertebral bodies) (compression|collapse)",
        "(loss of|decreased)… vertebral( body)? height", "vertebral( body)? height loss", "nonunion", "separation",
    ),
    "Degenerative Change": (
        ("degenerat(ive|ion|ed)( (joint|dis[ck]|spinal|spine|bony|bone|endplate|facet|osseous|spondylitic|arthritic"
        "|thoracic|skeletal|hypertrophic))*( (changes?|diseases?|spurring|osteophytes?|spurs|findings|spondylosis))?"),
        "osteophyt(es?|osis|ic)( (formations?|spurring|changes?|disease|spurs))?",
        "spondylo(sis|tic|arthropathy)( (changes?|disease))?", "spondylitic( (changes?|spurring))?",
        "(bony |endplate |marginal )*spur(s|ring)",
        "(osteo ?)?arthr(itis|itic|osis|opathy)( (changes?|disease|spurring))?", "dish",
        "diffuse idiopathic skeletal hyperostosis", "hyperostosis", "senescent changes?",
        f"(dis[ck]|joint|intervertebral|interspace)s?( spaces?)?… {WORN}",
        "narrow(ing|ed)( of)?… (dis[ck]|joint|interspace)s?( spaces?)?", "loss of… dis[ck]( \\w+)?",
        "dis[ck] (disease|degeneration|narrowing)", "(retro|antero|spondylo)listhesis",
        "endplate (sclerosis|changes?|irregularit(y|ies))", "syndesmophytes?", "djd",
    ),
    "Spinal Curvature": (
        "(levo|dextro|kypho)? ?(roto ?)?scolio(sis|tic)( (curvature|deformity|convexity))?",
        "(levo|dextro) ?(curvature|convex(ity)?|position\\w*)( scoliosis)?",
        ("((accentuated|exaggerated|increased|thoracic|exaggeration of|accentuation of)… )?kypho(sis"
        "|tic)( (curvature|deformity))?"),
        ("(right|left|convex|convexity|s shaped|thoracic|lumbar|thoracolumbar|spinal|lateral|rightward|leftward"
        "|apex)( \\w+)? curvature"), f"curvature( of)?… {SPINE}( spine)?",
    ),
    "Osteopenia": (
        "osteopeni(a|c)", "osteoporo(sis|tic)", "((bone|bony|osseous) )?demineraliz(ation|ed)",
        "(decreased|low|diminished) bone( mineral)? (density|mineralization)",
        "bone( mineral)? density… (decreased|low|diminished)",
    ),
    "Bone Lesion": (
        ("(lytic|lucent|sclerotic|blastic|osteoblastic|destructive|bone|bony|osseous|expansile)( (lytic|lucent"
        "|sclerotic|blastic|osseous|bony|bone|or|destructive))*( \\w+)? (lesions?|foc(us|i)|islands?)"),
        "(bone|bony|osseous|cortical|rib) (destruction|erosions?)", "sclero(sis|tic)", "bone island",
        "paget\\w*( disease)?", "osteodystrophy",
    ),
    "Postoperative Change": (
        "post ?(operative|surgical|op|radiation|thoracotomy)( (changes?|appearance|findings|sequelae?))?",
        "(median )?sternotom(y|ies)", "cabg", "coronary( artery)? bypass( graft(s|ing)?)?( (surgery|changes?))?",
        "bypass grafts?", "thoracotom(y|ies)",
        ("((partial|total|bilateral|left|right) )?(lob|pneumon|mast|cholecyst|thyroid|segment|esophag|lumpect|nephr"
        "|splen)(ect)?omy"), "resections?",
        "((cervical|spinal|anterior|posterior|thoracic|lumbar) )*(spinal )?fusion( changes?)?",
        "(vertebro|kypho|verterbro)plasty( (changes?|cement))?", "surgical changes?", "amputation",
    ),
    "Other": (
        "gynecomastia", "pectus( (excavatum|carinatum))?( deformit(y|ies))?", "(accessory )?azygos (fissure|lobe)",
        "cervical ribs?", "(subcutaneous|soft tissue|chest wall)( \\w+)? (emphysema|air|gas)",
        "pneumo ?(peritoneum|mediastinum|pericardium)",
        "free( (intraperitoneal|intra ?abdominal|subdiaphragmatic|peritoneal|abdominal))*( (air|gas))",
        "(intraperitoneal|subdiaphragmatic|extraluminal) (free )?(air|gas)", "air under… diaphragms?",
        "air fluid levels?", "(air|gas|fluid) collections?", "(pericardial|joint) effusions?", "foreign bod(y|ies)",
        "((bullet|metallic|metal|shrapnel|missile|projectile) )*(fragments?|bullets?|shrapnel)",
        "(metallic|radiopaque|radiodense)… (densit(y|ies)|opacit(y|ies)|objects?|material|foreign bod(y|ies))",
        ("(dilated|distended|distention of|dilation of|gas filled|air filled|fluid filled)… (bowel|colon|stomach"
        "|loops)"), "(loops|bowel|colon|stomach)… (dilated|distended|distention)( (colon|bowel))?",
        "(bowel|small bowel|colonic) obstruction", "nipple (shadows?|jewelry|rings?|piercings?|markers?)", "goiter",
        "(peri|epi|epiperi)?cardi(al|ac)? fat( pads?)?", "fat pads?", "thyroid (enlargement|mass|nodule)",
        "dextrocardia", "situs inversus", "soft tissue swelling", "gallstones?", "cholelithiasis",
        "(oral|retained|residual|enteric|excreted|iv) contrast", "contrast (material|medium|is seen|within|in the)",
        "pulmonary embol(ism|us|i)", "infarcts?", "infarction", "contusions?", "ha?ematomas?",
        "(spleno|hepato|hepatospleno)megaly", "ascites", "lucenc(y|ies)",
    ),
}  # fmt: skip
# These look like a finding's name and are none.
IGNORED = (
    "bone( mineral)? densit(y|ies)", "mass effect", "contrast enhanced", "(apical )?lordotic", "lung cancer screening",
    "(heart|cardiac) and lungs?", "with(out)?( (iv|intravenous|oral))? contrast", "density of",
    "pulmonary vascular markings", "normal( \\w+)? (markings|densit(y|ies)|kyphosis|curvature)", "in line",
    "on the lateral", "(dual|single|triple) (lead|chamber|lumen)",
)  # fmt: skip

BLANK = r"[\s-]+"
# Words that open another statement; a name does not reach over them.
OPENING = "and|or|versus|vs|with|without|but|which|normal|normally|clear|no|unremarkable|there"
GAP = rf"(?:{BLANK}(?!(?:{OPENING})\b)[\w'/]+){{0,5}}?"


@cache
def patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Class and pattern of every name; the class of what is no finding is ""."""
    rows = [(category, name) for category, names in LEXICON.items() for name in names]
    return tuple((category, compiled(name)) for category, name in [*rows, *(("", name) for name in IGNORED)])


def compiled(name: str) -> re.Pattern[str]:
    """A pattern of the table as a regular expression over whole words, upper and lower case alike."""
    # " ?" is an optional blank inside a word, so that "air ?space" also finds "airspace" and "air-space".
    written = name.replace(" …", "…").replace(" ?", r"[\s-]*").replace(" ", BLANK).replace("…", GAP)
    return re.compile(rf"(?<!\w)(?:{written})(?!\w)", re.IGNORECASE)
