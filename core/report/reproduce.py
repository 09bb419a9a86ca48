"""The shell commands that compute an experiment again, and write what was published of it."""

from __future__ import annotations

from core.data.catalogue import CATALOGUE
from core.declarations.printable import shell_word
from core.report.deciding import has_crossfit
from core.report.formats import FIGURES
from core.report.result import Result
from core.spec.command import batch_command


def commands(result: Result) -> list[str]:
    """The lines of a shell, in their order, that make a result and its publications anew."""
    dataset, name = result.spec.dataset, shell_word(result.id)

    def file(ending: str) -> str:
        return shell_word(f"{result.id}{ending}")

    figures = [figure for figure in FIGURES if figure != "crossfit" or has_crossfit(result)]
    tables = [*(["claims"] if result.claims else []), "accuracy", "tests"]
    fetched = dataset in CATALOGUE and CATALOGUE[dataset].origin == "torchvision"
    return [
        *([f"aefit-tui data fetch {dataset}"] if fetched else []),
        batch_command(result.spec),
        f"aefit-tui report {name}",
        *(
            f"aefit-tui export {name} --format csv --table {table} --output {file(f'-{table}.csv')}"
            for table in tables
        ),
        f"aefit-tui export {name} --format latex --output {file('.tex')}",
        *(
            f"aefit-tui export {name} --format pdf --figure {figure} --output {file(f'-{figure}.pdf')}"
            for figure in figures
        ),
    ]
