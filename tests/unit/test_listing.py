"""The list of experiments: what its cells say, how columns share the width, nothing that a terminal obeys."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from core.records.annotations import Annotations
from core.records.experiment import Experiment
from core.records.findings import Findings
from core.records.overview import Overview
from core.records.statistics import Claim, Decision, Summary
from core.records.status import ExperimentStatus
from core.spec.resolved import spec_of
from core.spec.spec import Spec
from tests.fakes import plugins
from tui_aefit.following.listing import (
    COLUMNS,
    SMALLEST_NAME,
    STATES,
    STOPPING,
    Cells,
    age_of,
    brief_duration,
    cells_of,
    date_of,
    detail,
    fit,
    name_in,
    settings_words,
    share,
    state_words,
    telling_settings,
    unusual,
    widths_of,
)

NOW = 1e9 + 3 * 86400 + 7


def overview(
    spec: Spec | None = None,
    *,
    folder: str = "mnist-fgsm-1f3a9c2e",
    status: ExperimentStatus = ExperimentStatus.COMPLETE,
    label: str = "",
    tags: tuple[str, ...] = (),
    created: float = 1e9,
    reason: str = "",
    findings: Findings | None = None,
    seconds: float = 0.0,
) -> Overview:
    path = Path("/home/experiments") / folder
    return Overview(
        path, status, Experiment(path, spec) if spec else None, done=2, created=created,
        annotations=Annotations(label=label, tags=tags), reason=reason, findings=findings,
        seconds=seconds,
    )  # fmt: skip


PAPER = overview(Spec(dataset="mnist"), label="The Paper", tags=("fig5",))
OTHER = overview(
    Spec(dataset="cifar10", attack="deepfool"),
    folder="cifar10-deepfool-abcdef01",
    status=ExperimentStatus.INTERRUPTED,
)
UNREADABLE = overview(
    folder="rubbish", status=ExperimentStatus.UNREADABLE, reason="it holds no file spec.toml"
)


def found(mean: float | None, estimate: float | None, decision: Decision = "lower") -> Findings:
    accuracy = None if mean is None else Summary(mean=mean, sd=None, ci95=None, n=2)
    rise = None
    if estimate is not None:
        rise = Claim(
            name="crossfit_rise", sets=("adversarial", "misclassified"), estimate=estimate, ci95=None, margin=0.02,
            decision=decision, n=2,
        )  # fmt: skip
    return Findings(2, accuracy, rise)


def test_every_state_has_a_glyph_and_a_word_of_its_own() -> None:
    states = [*STATES.values(), STOPPING]
    assert set(STATES) == set(ExperimentStatus)
    assert len({glyph for glyph, _, _ in states}) == len({word for _, word, _ in states}) == len(states)
    assert all(cell_len(glyph) == 1 for glyph, _, _ in states)


def test_one_that_was_asked_to_stop_is_stopping() -> None:
    running = replace(PAPER, status=ExperimentStatus.RUNNING)
    assert state_words(running)[1] == "running"
    assert state_words(replace(running, stopping=True)) == STOPPING


class TestCells:
    def test_of_one_with_results(self) -> None:
        one = replace(
            overview(Spec(dataset="cifar10", attack="deepfool"), folder="cifar10-deepfool-abcdef01"),
            findings=found(0.5704, -0.0806),
            seconds=500.4,
            status=ExperimentStatus.INTERRUPTED,
        )
        assert cells_of(one, marked=True, now=NOW, telling=frozenset()) == {
            "mark": ("●", "●"),
            "state": ("◐ interrupted", "◐"),
            "runs": ("2/12", "2/12"),
            "name": ("cifar10-deepfool-abcdef01", "cifar10-deepfool-abcdef01"),
            "epsilon": ("0.1", "0.1"),
            "ladder": ("K 7 to 1", "7…1"),
            "settings": ("", ""),
            "accuracy": (".570", ".570"),
            "rise": ("lower -.081", "▼ -.081"),
            "age": ("3d", "3d"),
            "time": ("8m20s", "8m20s"),
        }

    def test_of_one_without_a_spec(self) -> None:
        cells = cells_of(UNREADABLE, marked=False, now=NOW, telling=frozenset())
        assert (cells["name"][0], cells["state"][0]) == ("rubbish", "? unreadable")
        assert set(cells) == set(COLUMNS)
        assert {key for key in COLUMNS if cells[key][0]} == {"name", "state", "age"}

    def test_what_was_not_measured_is_a_dash_and_what_is_not_known_yet_is_nothing(self) -> None:
        older = cells_of(
            overview(Spec(), findings=found(0.5, None)), marked=False, now=NOW, telling=frozenset()
        )
        assert (older["accuracy"][0], older["rise"]) == (".500", ("-", "-"))
        empty = cells_of(
            overview(Spec(), findings=found(None, 0.01, "same")), marked=False, now=NOW, telling=frozenset()
        )
        assert (empty["accuracy"][0], empty["rise"]) == ("-", ("same +.010", "= +.010"))
        new = cells_of(replace(PAPER, done=0), marked=False, now=NOW, telling=frozenset())
        assert [new[key][0] for key in ("accuracy", "rise", "time")] == ["", "", ""]

    def test_nothing_that_a_terminal_obeys_is_shown(self) -> None:
        one = overview(Spec(), folder="a\x1b[31m", label="l\nb", tags=("t\x07",), reason="r\x9b")
        cells = cells_of(one, marked=True, now=NOW, telling=frozenset())
        shown = [text for texts in cells.values() for text in texts] + detail(one).splitlines()
        assert all(text.isprintable() for text in shown)


@pytest.mark.parametrize(
    ("value", "plain", "signed"),
    [(0.5704, ".570", "+.570"), (-0.0806, "-.081", "-.081"), (1.0, "1.000", "+1.000"), (-0.0001, ".000", "+.000"),
     (0.9996, "1.000", "+1.000"), (-1.25, "-1.250", "-1.250"), (0.0, ".000", "+.000")],
)  # fmt: skip
def test_a_share_has_three_digits_and_no_needless_zero(value: float, plain: str, signed: str) -> None:
    assert (share(value), share(value, signed=True)) == (plain, signed)


@pytest.mark.parametrize(
    ("seconds", "age", "duration"),
    [(0, "now", "0s"), (59, "now", "59s"), (60, "1m", "1m00s"), (3599, "59m", "59m59s"), (3600, "1h", "1h00m"),
     (86399, "23h", "23h59m"), (86400, "1d", "1d00h"), (13 * 86400, "13d", "13d00h"), (14 * 86400, "2w", "14d00h"),
     (364 * 86400, "52w", "364d00h"), (365 * 86400, "1y", "365d00h")],
)  # fmt: skip
def test_ages_and_durations_by_their_largest_units(seconds: int, age: str, duration: str) -> None:
    assert age_of(overview(created=NOW - seconds), NOW) == age
    assert brief_duration(seconds) == duration


@pytest.mark.parametrize("created", [NOW + 60, 0.0])
def test_an_age_that_is_not_known_is_a_dash(created: float) -> None:
    assert age_of(overview(created=created), NOW) == "-"


@pytest.mark.parametrize("after", [0.0, 1.0, 59.9])
def test_what_was_created_in_this_minute_is_of_now(after: float) -> None:
    assert age_of(overview(created=NOW + after), NOW) == "now"


@pytest.mark.parametrize("created", [1e300, -1e300, 1e15])
def test_a_date_beyond_all_calendars_is_a_question_mark(created: float) -> None:
    assert date_of(overview(created=created)) == "?"


class TestSettings:
    def test_those_that_differ_from_the_defaults(self) -> None:
        assert unusual(
            Spec(dataset="mnist", options={"z": 9}, splits="folds", epsilon=0.2), ["dataset", "epsilon"]
        ) == {
            "splits": "folds",
            "z": 9,
        }

    def test_the_epochs_of_a_data_set_are_its_default(self, tmp_path: Path) -> None:
        assert unusual(Spec(dataset="digits", epochs=40), ["dataset"]) == {}
        assert unusual(Spec(dataset="digits", epochs=3), ["dataset"]) == {"epochs": 3}

    def test_the_controls_of_a_family_are_those_that_it_can_fill(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        plugins.install(tmp_path / "plugins", monkeypatch)
        spec = spec_of({"dataset": "digits", "family": "kernel"})
        assert unusual(spec, ["dataset"]) == {"family": "kernel"}
        more = (*spec.controls, "shuffled")
        assert unusual(spec.changed(controls=more), ["dataset", "family"]).keys() == {"controls"}

    def test_only_those_tell_that_are_not_the_same_in_all(self) -> None:
        specs = [
            Spec(splits="folds"),
            Spec(splits="folds", options={"z": 9}),
            Spec(splits="folds", seed=3, device="cpu"),
        ]
        telling = telling_settings(map(overview, specs))
        assert telling == {"z", "seed"}  # where it is computed changes no number
        assert [settings_words(spec, telling) for spec in specs] == [[], ["z=9"], ["seed=3"]]

    def test_what_not_all_have_tells_and_one_alone_tells_all(self) -> None:
        bound = Spec(dataset="mnist", attack="deepfool", options={"bound": "clip"})
        assert "bound" in telling_settings([overview(bound), overview(Spec())])
        alone = telling_settings([overview(bound), UNREADABLE])
        assert settings_words(bound, alone) == ["bound=clip"]
        assert telling_settings([]) == frozenset()

    def test_many_names_are_counted(self) -> None:
        spec, other = Spec(controls=("noise", "matched", "fooled")), Spec(controls=("noise",))
        telling = telling_settings(map(overview, (spec, other)))
        assert settings_words(spec, telling) == ["controls=3 sets"]
        assert settings_words(other, telling) == ["controls=noise"]


class TestNames:
    FULL: ClassVar[Cells] = {"name": ("mnist-fgsm-1f3a9c2e  The Paper", "The Paper")}
    PLAIN: ClassVar[Cells] = {"name": ("mnist-fgsm-1f3a9c2e", "mnist-fgsm-1f3a9c2e")}

    @pytest.mark.parametrize(
        ("width", "name"),
        [
            (30, "mnist-fgsm-1f3a9c2e  The Paper"),
            (29, "1f3a9c2e  The Paper"),
            (18, "The Paper"),
            (4, "The Paper"),
        ],
    )
    def test_a_label_stays_longest(self, width: int, name: str) -> None:
        assert name_in(self.FULL, width) == name

    @pytest.mark.parametrize(("width", "name"), [(19, "mnist-fgsm-1f3a9c2e"), (14, "mnist…1f3a9c2e")])
    def test_an_id_keeps_its_digest(self, width: int, name: str) -> None:
        assert name_in(self.PLAIN, width) == name
        assert cell_len(name) == width


def row(one: Overview) -> Cells:
    return cells_of(one, marked=False, now=NOW, telling=frozenset(["z", "bound", "seed"]))


@given(
    available=st.integers(30, 220),
    padding=st.integers(1, 2),
    labels=st.lists(st.text(max_size=60), min_size=1, max_size=4),
    attack=st.sampled_from(["fgsm", "deepfool-untargeted"]),
)
@settings(max_examples=80)
def test_the_columns_take_all_the_width_and_no_more(
    available: int, padding: int, labels: list[str], attack: str
) -> None:
    rows = [
        row(overview(Spec(attack=attack, options={"z": 9}), label=label, findings=found(0.5, 0.1)))
        for label in labels
    ]
    fitted = fit(widths_of(rows), available=available, padding=padding)
    total = sum(one.width + padding for one in fitted.values())
    narrowest = {"mark", "state", "name"}
    assert total == available or (total > available and set(fitted) == narrowest)
    assert list(fitted) == [key for key in COLUMNS if key in fitted]
    assert fitted["name"].width >= min(SMALLEST_NAME, *(cell_len(cells["name"][1]) for cells in rows))
    for key, one in fitted.items():
        if key not in ("name", "settings"):
            assert one.width >= max(cell_len(cells[key][one.brief]) for cells in rows)


def columns_at(width: int, one: Overview, padding: int = 1) -> str:
    """The columns that an experiment alone has, those in short with a hyphen."""
    fitted = fit(widths_of([row(one)]), available=width, padding=padding)
    return " ".join(f"{key}-" if one.brief else key for key, one in fitted.items())


@pytest.mark.parametrize(
    ("width", "columns"),
    [
        (110, "mark state runs name epsilon ladder settings accuracy rise age time"),
        (90, "mark state runs name epsilon ladder settings accuracy rise age"),
        (79, "mark state runs name epsilon settings accuracy rise"),
        (70, "mark state runs name epsilon settings accuracy rise-"),
        (59, "mark state- runs name epsilon settings accuracy rise-"),
        (50, "mark state- runs name epsilon accuracy rise-"),
        (40, "mark state- name accuracy rise-"),
        (30, "mark state- runs name"),
    ],
)
def test_what_does_not_fit_is_given_up_the_results_after_what_the_name_says(width: int, columns: str) -> None:
    one = overview(
        Spec(options={"z": 9}),
        status=ExperimentStatus.INTERRUPTED,
        findings=found(0.5, 0.1, "undecided"),
        seconds=60,
    )
    assert columns_at(width, one) == columns


def test_room_that_a_wide_column_leaves_is_used_again() -> None:
    one = row(overview(Spec(), label="x", findings=found(0.5, 0.1)))
    whole = sum(each.width + 1 for each in fit(widths_of([one]), available=1000, padding=1).values()) - 1000
    assert whole == 0
    for width in range(40, 110):
        fitted = fit(widths_of([one]), available=width, padding=1)
        full, brief = map(cell_len, one["name"])
        name = full if fitted["name"].width >= full else max(brief, cell_len("name"))
        for key in COLUMNS:
            if key not in fitted:
                needed = max(cell_len(COLUMNS[key].title), cell_len(one[key][0])) + 1
                assert fitted["name"].width - name < needed, (width, key)


def test_the_details_are_two_lines() -> None:
    line = f"mnist-fgsm-1f3a9c2e · complete · created {date_of(PAPER)} · seed 0 · 3 epochs"
    assert detail(PAPER) == f"{line}\n#fig5"
    assert detail(UNREADABLE).splitlines()[1] == "it holds no file spec.toml"


def test_one_that_waits_has_its_place_in_the_queue() -> None:
    waits = replace(overview(Spec(), status=ExperimentStatus.RUNNING), queued=3)
    assert state_words(waits)[:2] == ("◔", "queued 3")
    assert state_words(replace(waits, stopping=True)) == STOPPING
    assert state_words(replace(waits, queued=0)) == STATES[ExperimentStatus.RUNNING]
