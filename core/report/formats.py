"""The names of what can be published of an experiment; light, so that the command's grammar can list them."""

from __future__ import annotations

from typing import Literal, get_args

TableName = Literal["accuracy", "tests", "summary", "claims", "deciding", "attacks"]
FigureName = Literal["accuracy", "p-values", "gallery", "crossfit"]
FigureFormat = Literal["pdf", "svg", "png"]

OwnTable = Literal["cells", "changes"]
StudyTable = OwnTable | TableName
StudyFigure = Literal["curve", "heatmap"]

TABLES: tuple[TableName, ...] = get_args(TableName)
FIGURES: tuple[FigureName, ...] = get_args(FigureName)
OWN_TABLES: tuple[OwnTable, ...] = get_args(OwnTable)
STUDY_TABLES: tuple[StudyTable, ...] = (*OWN_TABLES, *TABLES)
"""Those of a study itself, and those of its experiments one below the other."""
STUDY_FIGURES: tuple[StudyFigure, ...] = get_args(StudyFigure)
STUDY_QUANTITY = "crossfit_rise"
"""What a study's figures draw unless a person says otherwise."""
FIGURE_FORMATS: tuple[FigureFormat, ...] = get_args(FigureFormat)
COMPARISON_TABLES = ("settings", "differences", *TABLES)
"""Those of a comparison itself, and those of its experiments one below the other."""
TEXTS = ("json", "csv", "latex")
"""The formats that need no heavy library and that a terminal can show."""
TABLE_FORMATS = ("csv", "parquet", "latex")
"""The formats of tables; csv and parquet hold one, latex one or all but the summary."""
SET_FORMATS = ("latex", *FIGURE_FORMATS)
"""The formats of which a person can choose the sets."""
WIDTH = 100
"""Characters of a line of running text, at most; and of a table's, where nobody says how much room there is."""
NARROWEST = 40
"""The fewest characters of a line for which tables are laid out."""
