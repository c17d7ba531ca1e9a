"""Generate the pages of docs/ that are made from the models: `make docs`."""

from pathlib import Path

from models.cards import card
from models.spec import library

HERE = Path(__file__).parent

(HERE / "models").mkdir(exist_ok=True)
for name, model in library().items():
    (HERE / "models" / f"{name}.md").write_text(card(model), "utf-8")
