"""An inspection, and the mapping drafted from it, as one page that needs nothing else."""

from importlib.resources import files

import jinja2

from flows.inspection.telling import HIDDEN, facts, kind_words, link_words, table_facts
from transforms.inspection.found import Inspection

_ASSETS = files("flows.inspection").joinpath("assets")
_TOKENS = files("flows.report").joinpath("assets", "tokens.css")


def page(inspection: Inspection, draft: str = "") -> str:
    """Return the page; everything that comes from a file is escaped."""
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    template = environment.from_string(_ASSETS.joinpath("inspection.html.jinja").read_text("utf-8"))
    style = _TOKENS.read_text("utf-8") + _ASSETS.joinpath("inspection.css").read_text("utf-8")
    tables = [
        {
            "label": looked.label,
            "records": f"{looked.records:,}",
            "facts": list(table_facts(looked)),
            "columns": [
                {
                    "name": one.name,
                    "kind": kind_words(one),
                    "filled": f"{1 - one.share_empty:.0%}",
                    "distinct": f"{one.distinct:,}",
                    "facts": list(facts(one, inspection.smallest)),
                }
                for one in looked.columns
            ],
        }
        for looked in inspection.tables
    ]
    return template.render(
        style=style,
        tables=tables,
        links=link_words(inspection),
        unread=inspection.unread,
        hidden=HIDDEN.format(smallest=inspection.smallest),
        draft=draft,
    )
