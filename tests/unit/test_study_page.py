"""The page on a study begins with what changes, holds every number in full, and nothing of the machine."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from core.records.study import Study
from core.report.headline import LEADING
from core.report.page.study import study_html
from core.report.study.changes import changes
from core.report.study.measures import reading
from core.report.study.result import StudyResult, study_result
from core.report.study.words import along, decided
from tests.fakes.study_numbers import make_varied_study

VOID = {"meta", "br"}


class Reader(HTMLParser):
    """Tags in their order, numbers, text; raises AssertionError where tags do not match."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.values: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.tags.add(tag)
        if "id" in found:
            self.ids.append(found["id"])
        self.links += [found[name] for name in ("href", "src") if name in found]
        if tag == "data":
            self.values.append(found["value"])
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    home = tmp_path_factory.mktemp("home")
    return make_varied_study(
        home, {"attack": ["fgsm", "pgd"], "epsilon": [0.05, 0.1, 0.2]}, states={1: "failed"}
    )


@pytest.fixture(scope="module")
def result(study: Study) -> StudyResult:
    return study_result(study)


@pytest.fixture(scope="module")
def page(study: Study, result: StudyResult) -> str:
    return study_html(study, result)


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    return reader


def text_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", page).split()).replace("&#x27;", "'")


@pytest.mark.slow
def test_it_is_well_formed_and_needs_no_network(page: str) -> None:
    reader = read(page)
    assert len(set(reader.ids)) == len(reader.ids)
    assert "script" not in reader.tags
    assert all(link.startswith("#") and link[1:] in reader.ids for link in reader.links)
    assert not re.search(r"https?://(?!www\.w3\.org)", page)


def test_it_begins_with_what_changes(page: str, result: StudyResult) -> None:
    reader = read(page)
    sections = [name for name in reader.ids if f'<section id="{name}"' in page]
    assert sections == [
        "what-changes", "experiments", "curves", "heat-maps", "differences", "quantities", "settings", "reports"
    ]  # fmt: skip
    text = text_of(page)
    for sentence in decided(result):
        assert " ".join(sentence.split()) in text
    for axis in result.axes:
        for one in along(changes(result, axis)):
            assert one.title in text
            for _, phrases in one.parts:
                assert all(phrase in text for phrase in phrases)


def test_numbers_keep_all_their_digits(page: str, result: StudyResult) -> None:
    values = set(read(page).values)
    for cell in result.cells:
        for key in LEADING:
            found = reading(cell, key)
            if found is not None:
                assert repr(found.value) in values
                assert {repr(end) for end in found.ci95 or ()} <= values
    for axis in result.axes:
        for change in changes(result, axis):
            assert repr(change.difference.estimate) in values


def test_it_says_what_to_type_and_nothing_of_the_machine(
    study: Study, page: str, result: StudyResult
) -> None:
    text = text_of(page)
    for cell in result.cells:
        assert f"aefit-tui report {cell.id}" in text
        assert f"aefit-tui command {cell.id}" in text
    assert str(study.home) not in page
    assert "/" + Path.home().name + "/" not in page
    assert "Not complete:" in text


def test_a_data_set_of_ones_own_is_named_without_its_path(tmp_path: Path) -> None:
    folder = tmp_path / "of mine"
    folder.mkdir()
    paths = [folder / f"{name}.npz" for name in ("first-one", "other-one")]
    for path in paths:
        path.touch()
    study = make_varied_study(
        tmp_path, {"dataset": list(map(str, paths))}, states={0: None, 1: None}, epochs=1
    )
    page = study_html(study, study_result(study))
    assert "of mine" not in page
    assert all(path.stem in text_of(page) for path in paths)


def test_the_same_results_give_the_same_page(study: Study, page: str) -> None:
    assert study_html(study, study_result(study)) == page


def test_a_study_without_runs_has_a_page(tmp_path: Path) -> None:
    study = make_varied_study(tmp_path, {"epsilon": [0.05, 0.1]}, states={0: None, 1: "created"})
    page = study_html(study, study_result(study))
    read(page)
    assert "No run is complete yet." in page
