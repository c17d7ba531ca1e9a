"""Code lists of the registry export, spelt as the export spells them."""

SEX = ("female", "male", "unknown")
DEATH_CAUSE = ("thyroid_cancer", "other", "unknown")
HISTOLOGY = ("PTC", "FTC", "OCA", "PDTC", "mixed", "ATC", "MTC", "other")
PROCEDURE = (
    "total",
    "near_total",
    "subtotal",
    "lobectomy",
    "completion",
    "neck_dissection",
    "other",
)
LESION_UPTAKE = ("all", "some", "none", "not_assessed")
ANALYTE = ("Tg", "TgAb", "TSH")
COMPARATOR = ("=", "<", "<=", ">", ">=")
STIMULATED = ("yes", "no", "unknown")
MODALITY = ("FDG_PETCT", "CT", "US", "MRI", "WBS", "SPECT")
RECIST = ("CR", "PR", "SD", "PD", "NE")
SITE = (
    "lymph_node",
    "lung",
    "bone",
    "larynx_trachea",
    "liver",
    "pleura",
    "kidney",
    "adrenal",
    "bone_marrow",
    "brain",
    "other",
    "unspecified",
)
"""Sites of metastases. `unspecified`: metastatic, at a site that nobody recorded (M1 alone)."""
NEED = ("examination", "entry", "nothing")
CRITERION_STATE = ("met", "not_met", "unknown")
EVENT = ("recurrence", "progression")
REVIEW_DECISION = ("confirmed", "dismissed", "deferred", "reopened")
DISMISSAL = (
    "no_disease",
    "remnant_only",
    "dead_or_moved",
    "on_systemic_therapy",
    "data_error",
    "other",
)
"""Why a reviewer dismisses a patient from the list."""
FATE = ("emitted", "merged", "left_out", "rejected")
"""What becomes of a record of a source."""
REVIEW_SOURCE = ("export", "file", "page")
"""How a review came: a table of the export, a file that was imported, the served page."""

ACTIVITY_UNIT = ("GBq", "MBq", "mCi")
LENGTH_UNIT = ("mm", "cm")
LAB_UNITS = {
    "Tg": ("ng/mL", "ug/L", "µg/L", "pmol/L"),
    "TgAb": ("IU/mL", "kIU/L"),
    "TSH": ("mIU/L", "uIU/mL", "µIU/mL"),
}
LAB_UNIT = tuple(unit for units in LAB_UNITS.values() for unit in units)

DIFFERENTIATED = ("PTC", "FTC", "OCA", "PDTC", "mixed")
"""Histologies that count as DTC: follicular-derived, without an undifferentiated component."""

THYROIDECTOMY = ("total", "near_total", "subtotal", "lobectomy", "completion")
"""Procedures that remove thyroid tissue."""

# What a published model's predictors and the outputs are spelt with.
UPTAKE_CATEGORY = ("primary_nonuptake", "secondary_nonuptake", "uptake")
HISTOLOGY_GROUP = ("PTC", "FTC", "PDTC")
EXTENT = ("lung", "lung_and_other")
SITE_COUNT = ("single", "multi")
LUNG_TIMING = ("in_time", "late", "none")
RESPONSE = ("CR", "PR", "SD", "PD")
MODEL_STATUS = ("scored", "bounded", "ineligible", "insufficient")
PERIOD = ("month", "quarter", "year", "recent")
TIMELINE = (
    "diagnosis",
    "surgery",
    "131I",
    "Tg",
    "PET/CT",
    "metastasis",
    "event",
    "review",
    "death",
    "tsh",
    "tgab",
    "ct",
    "recist",
)
LIST = ("new", "changed", "due", "backlog")
URGENCY = ("closing_window", "progression", "criterion", "tg_rise", "points", "waiting")
"""The rules that order the worklist, the most urgent first."""
REASON = ("criterion", "progression", "flag", "result", "undecided", "deferral")
TODO = ("examination", "entry", "nothing", "complete")
REVIEW_STATUS = ("nothing", "waiting", "reviewed", "deferred")
VERDICT = ("fine", "warned", "refused")
"""What comes of a comparison with the nights before."""
RISK = ("high", "low", "indeterminate", "not_applicable")

LIU_SITE_GROUP = (
    "lymph node",
    "lung",
    "bone",
    "larynx or trachea",
    "liver",
    "lymph node and lung",
    "lymph node and trachea",
    "lymph node and pleura",
    "lymph node and bone",
    "lung and bone",
    "three or more",
)
"""Liu 2022, Fig. 2: the eleven groups of metastatic sites, in the paper's order."""
