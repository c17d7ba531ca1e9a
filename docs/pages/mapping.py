"""The reference of the mapping file: every key with its type, meaning and an example."""

from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from docs.pages.markdown import code, table
from transforms.mapping.rules import Cell, From, Join, Latest, Unpivot
from transforms.mapping.sources import Pattern, Source
from transforms.reading.coverage import Coverage, Statement
from transforms.reading.mapping import Mapping, TableMapping

_FROM = "tables.<table>.from"

_FILES = """[sources.visits]
files = ["visits-*.txt"]
format = "csv"                       # text with any delimiter
header = 1                           # the line of the names
skip = [2, 3]                        # further header lines
null = ["NA", "[Not Available]"]     # an empty cell
encoding = "latin-1"
delimiter = ";"
decimal = ","
dates = "dmy"
time_zone = "Europe/Berlin"
optional = true                      # no file is fine
options = { quotes = false }         # of csv: a quote is a character"""

_OTHER_FILES = """[sources.samples]
files = "hospital.sqlite"
format = "sqlite"
part = "samples"                     # the table
[sources.deaths]
files = "deaths.dat"
format = "fixed"
fields = { id = [1, 8], day = [9, 16] }
[sources.list]
files = "list.csv"
header = 0
names = ["id", "day"]"""

_PATTERN = """[patterns.dose]                      # 100 MCI (3730 MBQ), 150mi, 5550 MBq
match = ['{number}[ -]*{unit}', '{number} *{unit} *\\(.*\\)']
units = { MCI = "mCi", mi = "mCi", MBq = "MBq" }
decimal = ".,"                       # either is a decimal mark
ignore_case = true"""

_RULE = """[sources]
forms = { files = "form-*.csv", null = ["NA"] }
patients = "patients.csv"

[[tables.metastases.from]]
name = "follow-up forms"
source = "forms"
join.p = { source = "patients", on = { PAT = "ID" }, latest = ["FORM_DAY"], missing = "reject" }
where = { "form is complete" = "STATUS = '2'" }
leave_out = { "another tumour" = "p.TOPOGRAPHY <> 'C73'" }
latest = { per = ["PAT"], by = ["FORM_DAY"] }
unpivot = { columns = ["LUNG", "BONE"], keep_empty = false }
[tables.metastases.from.columns]
metastasis_id = { template = "{PAT}-{_name}" }
patient_id = "PAT"
detected_date = { anchor = "p.DIAGNOSIS", days = "FORM_DAY" }
site = { column = "_name", codes = { LUNG = "lung", BONE = "bone" } }
found = { column = "_value", codes = { X = "yes", "-" = "no" }, ignore_case = true }"""

_UNPIVOT = """[sources]
forms = "form.csv"

[[tables.metastases.from]]           # DAY_1, SITE_1, DAY_2, SITE_2
source = "forms"
unpivot = { groups = { day = "DAY_{n}", place = "SITE_{n}" }, n = ["1", "2"] }
[tables.metastases.from.columns]
metastasis_id = { template = "{PAT}-{_name}" }
patient_id = "PAT"
detected_date = "day"
site = "place"

[[tables.metastases.from]]           # SITES has "lung|bone"
source = "forms"
unpivot = { split = "SITES", separator = "|" }
[tables.metastases.from.columns]
metastasis_id = { template = "{PAT}-s{_row}" }
patient_id = "PAT"
detected_date = "DAY"
site = "_value"
"""

_CELLS = """[sources]
forms = "form.csv"

[patterns.tg]
match = ['{comparator}? *{number} *{unit}']
units = { "ug/l" = "ug/L", "ng/ml" = "ng/mL" }

[[tables.labs.from]]
source = "forms"
[tables.labs.from.columns]
lab_id = { template = "{PAT}-{_record}" }
patient_id = "PAT"
sample_date = { first = [{ column = "DT", date = "dmy" }, { year = "Y", month = "M", day = "D" }] }
analyte = { constant = "Tg" }
comparator = { column = "TG", pattern = "tg", take = "comparator", codes = { "" = "=" } }
value = { column = "TG", pattern = "tg", decimal = "," }
unit = { column = "TG", pattern = "tg", take = "unit" }
[tables.labs.from.columns.stimulated]
sql = "CASE WHEN try_cast(TSH AS DOUBLE) > 30 THEN 'yes' ELSE 'unknown' END"
assumption = "a TSH above 30 mIU/L is stimulation"

[[tables.metastases.from]]
source = "forms"
[tables.metastases.from.columns]
metastasis_id = { template = "{PAT}-m" }
patient_id = "PAT"
detected_date = { column = "YEAR", complete = "07-01", assumption = "1 July stands for the year" }
site = { constant = "unspecified" }"""

_SELECT = """[sources]
forms = "form.csv"

[[tables.metastases.from]]
source = "forms"
sql = '''
SELECT id || '-lung' AS metastasis_id, id AS patient_id, day AS detected_date, 'lung' AS site,
    _file, _record
FROM forms WHERE lung = '1'
'''"""


def _under(level: str, names: str) -> list[str]:
    return [f"{level}.{name}" for name in names.split()]


_CELL = f"{_FROM}.columns.<column>"
_NEW: dict[str, list[str]] = {
    _FILES: [
        "sources",
        *_under("sources.<source>", "files format header skip null encoding delimiter decimal"),
        *_under("sources.<source>", "dates time_zone optional options"),
    ],
    _OTHER_FILES: _under("sources.<source>", "part fields names"),
    _PATTERN: ["patterns", *_under("patterns.<pattern>", "match units decimal ignore_case")],
    _RULE: [
        _FROM,
        *_under(_FROM, "source name join where leave_out latest unpivot columns"),
        *_under(f"{_FROM}.join.<alias>", "source on latest missing"),
        *_under(f"{_FROM}.latest", "per by"),
        *_under(f"{_FROM}.unpivot", "columns keep_empty"),
        *_under(_CELL, "column template anchor days codes ignore_case"),
    ],
    _UNPIVOT: _under(f"{_FROM}.unpivot", "groups n split separator"),
    _CELLS: [
        *_under(_CELL, "first constant sql year month day pattern take date complete decimal"),
        *_under(_CELL, "assumption"),
    ],
    _SELECT: [f"{_FROM}.sql"],
}

EXAMPLES = {key: text for text, named in _NEW.items() for key in named} | {
    "decimal_comma": "decimal_comma = true",
    "tables": '[tables.labs]\ncolumns = { value = "ERGEBNIS" }',
    "tables.<table>.columns": '[tables.labs]\ncolumns = { value = "ERGEBNIS", unit = "EINHEIT" }',
    "tables.<table>.units": '[tables.imaging]\nunits = { largest_lung_nodule_unit = "mm" }',
    "tables.<table>.codes": (
        '[tables.labs.codes]\nstimulated = { J = "yes", N = "no" }\ncomparator = { "" = "=" }'
    ),
    "coverage": (
        '[coverage]\nlabs = "not_collected"                    # a table\n'
        '"imaging.recist" = "not_collected"        # a column\n'
        '"events.type.progression" = "partial"     # a code'
    ),
    "coverage.<what>.status": '[coverage]\nsurgeries = { status = "collected" }',
    "coverage.<what>.until": (
        '[coverage]\nmetastases = { status = "partial", until = "diagnosis" }'
    ),
}
"""An example of each key; each is a mapping file of its own."""

_LEVELS: tuple[tuple[str, type[BaseModel]], ...] = (
    ("", Mapping),
    ("sources.<source>.", Source),
    ("patterns.<pattern>.", Pattern),
    ("tables.<table>.", TableMapping),
    (f"{_FROM}.", From),
    (f"{_FROM}.join.<alias>.", Join),
    (f"{_FROM}.latest.", Latest),
    (f"{_FROM}.unpivot.", Unpivot),
    (f"{_FROM}.columns.<column>.", Cell),
    ("coverage.<what>.", Statement),
)
_HEAD = """# The mapping file

This page is made from the mapping's own model (`make docs`); every example is read by a test.

One TOML file says how a hospital's export reads: `thyrisk nightly --mapping hospital.toml`. Every
key may be left out. A key, table, column or code that does not exist is refused, with its place.
A cell is trimmed, then its code is replaced, then its unit is filled in, then it is read.

Where a hospital's files are not shaped like the tables, `sources` says which files there are and
how they read, and `[[tables.<table>.from]]` how their records become rows: [from your files to a
mapping](../mapping.md) goes through it. `thyrisk map schema`, also [here](mapping.schema.json), is
the same as a JSON Schema.

"""
_COVERAGE = """
What is not said of coverage is `collected`, except for a table with a header alone and a column
that is empty in every row: the night says so and treats their absence as unknown. An export need
not have a file or a column that is said to be `not_collected`. Of a table, its column and its
code, the least that is said holds. More: [Unknown](../unknowns.md#coverage).
"""


def keys() -> dict[str, tuple[str, str]]:
    """Return every key of a mapping file with its type and its meaning."""
    found = {
        f"{level}{name.removesuffix('_')}": (
            _type(field.annotation),
            " ".join((field.description or "").split()),
        )
        for level, model in _LEVELS
        for name, field in model.model_fields.items()
    }
    first = list(Mapping.model_fields)
    return dict(sorted(found.items(), key=lambda one: first.index(one[0].partition(".")[0])))


def mapping_page() -> str:
    """Return the page: a table of all keys, then an example of each."""
    rows = ((code(key), kind, meaning) for key, (kind, meaning) in keys().items())
    parts = [_HEAD, table(("key", "type", "meaning"), rows), _COVERAGE, "\n## Examples\n"]
    of_example: dict[str, list[str]] = {}
    for key in keys():
        of_example.setdefault(EXAMPLES[key], []).append(key)
    for example, named in of_example.items():
        shown = ", ".join(code(key.removeprefix(f"{_FROM}.")) for key in named)
        parts.append(f"\n{shown}\n\n```toml\n{example}\n```\n")
    return "".join(parts)


def _type(annotation: Any) -> str:
    if annotation is Coverage:
        return _type(Coverage.model_fields["root"].annotation)
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " or ".join(code(value) for value in inner)
    if origin in (Union, UnionType):
        return " or ".join(dict.fromkeys(_type(one) for one in inner if one is not type(None)))
    if origin in (list, tuple):
        return f"list of {_type(inner[0])}"
    if origin is dict:
        return f"table of {_type(inner[1])}"
    return {bool: "`true` or `false`", str: "text", int: "number"}.get(annotation, "the keys below")
