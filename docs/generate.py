"""Generate the pages of docs/ that are made from models, schemas, settings and examples.

`make docs`, after any change to them.
"""

import json
from pathlib import Path

from docs.pages.mapping import mapping_page
from docs.pages.settings import settings_page
from docs.pages.variables import variable_pages
from docs.pages.worklist import worklist_page
from flows.show.dictionary import outputs_page
from flows.show.nomogram_chart import draw, save
from models.cards import card
from models.nomogram import nomogram
from models.spec import library
from transforms.mapping.schema import json_schema

DOCS = Path(__file__).parent
CARDS = "model_cards"


def pages() -> dict[str, str]:
    """Return the text of every page that is made, by its path in the manual."""
    cards = {
        f"{CARDS}/{name}.md": card(model)
        + f"\n## Nomogram\n\n![Nomogram: {model.title}]({name}.svg)\n"
        for name, model in library().items()
    }
    return {
        "outputs.md": outputs_page(),
        "reference/mapping.md": mapping_page(),
        "reference/mapping.schema.json": json.dumps(json_schema(), indent=2) + "\n",
        "reference/settings.md": settings_page(),
        "worklist.md": worklist_page(),
        **variable_pages(),
        **cards,
    }


def write_pages() -> None:
    """Write every page that is made, and remove those that are made no more."""
    made = {DOCS / path: text for path, text in pages().items()}
    for path, text in made.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    for stale in set((DOCS / "variables").glob("*.md")) - set(made):
        stale.unlink()


def write_nomograms() -> None:
    """Draw the nomogram of each model."""
    for name, model in library().items():
        _, png = save(draw(nomogram(model), f"doi:{model.doi}"), DOCS / CARDS / name)
        png.unlink()


if __name__ == "__main__":
    write_pages()
    write_nomograms()
