"""Generate the pages of docs/ that are made from the models and schemas: `make docs`."""

from pathlib import Path

from flows.show.dictionary import outputs_page
from flows.show.nomogram_chart import draw, save
from models.cards import card
from models.nomogram import nomogram
from models.spec import library

PAGES = Path(__file__).parent / "model_cards"

PAGES.mkdir(exist_ok=True)
for name, model in library().items():
    page = card(model) + f"\n## Nomogram\n\n![Nomogram: {model.title}]({name}.svg)\n"
    (PAGES / f"{name}.md").write_text(page, "utf-8")
    _, png = save(draw(nomogram(model), f"doi:{model.doi}"), PAGES / name)
    png.unlink()

(Path(__file__).parent / "outputs.md").write_text(outputs_page(), "utf-8")
