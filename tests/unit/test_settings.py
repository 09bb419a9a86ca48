"""Every setting is taken from the nearest source, and what is wrong is told with where it stands."""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.data.catalogue import CATALOGUE, OWN_DEFAULT_EPOCHS
from core.declarations.setting import Choice, Folder, Setting, Whole
from core.errors import AefitError, DataError, PluginError, SpecError
from core.sets.registry import own_controls
from core.spec.call import CALL
from core.spec.settings import COMMON
from core.spec.spec import DEFAULTS, Spec
from tests.fakes import plugins
from tui_aefit.shell.declarations import SETTINGS, explain, read_word, variable_of
from tui_aefit.shell.parallelism import default_threads, processors
from tui_aefit.shell.settings import PROJECT_FILE, Found, Settings

SOURCES = ("option", "environment", "project", "user")
"""The nearest first."""


@pytest.fixture(autouse=True)
def user_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's own settings file, which is not there yet; no test sees that of whoever runs it."""
    path = tmp_path / "user" / "config.toml"
    path.parent.mkdir()
    monkeypatch.setattr("tui_aefit.shell.settings.user_config", lambda: path)
    return path


@pytest.fixture(autouse=True)
def sixteen_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui_aefit.shell.parallelism.processors", lambda: 16)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the command is typed."""
    path = tmp_path / "project"
    path.mkdir()
    return path


def settings(
    folder: Path,
    *,
    environment: Mapping[str, str] | None = None,
    config: Path | None = None,
    **options: object,
) -> Settings:
    return Settings(options, environment=environment or {}, folder=folder, config=config)


# Order of precedence


@pytest.mark.parametrize(
    "given",
    [c for n in range(5) for c in itertools.combinations(SOURCES, n)],
    ids=lambda given: "+".join(given),
)
@pytest.mark.parametrize("with_config", [False, True], ids=["aefit.toml", "--config"])
def test_the_nearest_source_wins(
    folder: Path, user_file: Path, given: tuple[str, ...], with_config: bool
) -> None:
    project = folder / ("mine.toml" if with_config else PROJECT_FILE)
    project.write_text("epsilon = 0.3\n" if "project" in given else "")
    if with_config:
        (folder / PROJECT_FILE).write_text("epsilon = 0.9\n")  # replaced, so never seen
    if "user" in given:
        user_file.write_text("epsilon = 0.4\n")
    found = settings(
        folder,
        environment={"AEFIT_EPSILON": "0.2"} if "environment" in given else {},
        config=project if with_config else None,
        **({"epsilon": 0.1234} if "option" in given else {}),
    )
    values = {"option": 0.1234, "environment": 0.2, "project": 0.3, "user": 0.4}
    sources = {
        "option": "option",
        "environment": "AEFIT_EPSILON",
        "project": str(project),
        "user": str(user_file),
    }
    nearest = given[0] if given else ""
    expected = values.get(nearest, DEFAULTS["epsilon"])
    assert found["epsilon"] == expected
    assert found.spec().epsilon == expected
    assert found.shown()["epsilon"] == Found(expected, sources.get(nearest, "default"))


def test_each_setting_is_taken_from_its_own_source(folder: Path, user_file: Path) -> None:
    user_file.write_text('runs = 3\nattack = "pgd"\n')
    (folder / PROJECT_FILE).write_text('steps = 7\ndataset = "digits"\n')
    spec = settings(folder, environment={"AEFIT_Z": "5", "AEFIT_RUNS": ""}, seed=11).spec()
    assert spec == Spec(
        dataset="digits", attack="pgd", runs=3, seed=11, epochs=40, options={"steps": 7, "z": 5}
    )


def test_without_any_source_the_spec_is_the_default_for_its_data_set(folder: Path) -> None:
    assert settings(folder).spec() == Spec(epochs=CATALOGUE["mnist-5k"].default_epochs)


def test_every_setting_of_a_spec_can_be_set_by_word_in_the_environment(folder: Path) -> None:
    words = {
        "dataset": "digits", "attack": "deepfool", "epsilon": "0.25", "family": "knn", "runs": "4", "seed": "17",
        "surrogate": "lenet5", "epochs": "6", "controls": "noise, sources", "test_size": "99", "splits": "folds",
        "keep": "candidates", "device": "cpu", "z": "9", "tie_rule": "nearest", "search": "kd-tree", "norm": "linf",
        "bound": "reject",
    }  # fmt: skip
    assert {*words, "steps"} == set(DEFAULTS)
    found = settings(folder, environment={variable_of(name): word for name, word in words.items()})
    assert found.spec() == Spec(
        dataset="digits", attack="deepfool", epsilon=0.25, runs=4, seed=17, epochs=6,
        controls=("noise", "sources"), test_size=99, splits="folds", keep="candidates", device="cpu",
        options={"z": 9, "tie_rule": "nearest", "norm": "linf", "bound": "reject", "search": "kd-tree"},
    )  # fmt: skip


def test_the_environment_of_the_process_is_read_where_none_is_given(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AEFIT_SEED", "42")
    assert Settings({}, folder=folder)["seed"] == 42


@pytest.mark.parametrize("word", ["none", " none "])
def test_no_controls_are_asked_for_by_the_word_none(folder: Path, word: str) -> None:
    assert settings(folder, environment={"AEFIT_CONTROLS": word}).spec().controls == ()


def test_every_setting_that_applies_has_a_value_and_a_source_to_show(folder: Path) -> None:
    shown = settings(folder, home=str(folder), controls=()).shown()
    assert list(shown) == [*COMMON, "z", "tie_rule", "search", *CALL]
    values = {name: found.value for name, found in shown.items()}
    assert values["controls"] == ()
    assert (values["epsilon"], values["z"], values["test_size"]) == (0.1, 7, None)
    assert (values["jobs"], values["threads"]) == (12, 1)
    assert values["data_dir"] == str(folder / "data")
    assert {name for name, found in shown.items() if found.source == "option"} == {"home", "controls"}
    attacked = settings(folder, attack="deepfool", norm="linf").shown()
    assert list(attacked) == [*COMMON, "norm", "bound", "z", "tie_rule", "search", *CALL]
    assert attacked["norm"] == Found("linf", "option")


# Defaults that depend on other settings


@pytest.mark.parametrize("dataset", CATALOGUE)
def test_epochs_follow_the_data_set_unless_they_are_given(folder: Path, dataset: str) -> None:
    assert settings(folder, dataset=dataset).spec().epochs == CATALOGUE[dataset].default_epochs
    assert settings(folder, dataset=dataset, epochs=2).spec().epochs == 2


def test_epochs_of_an_own_set_have_a_default_of_their_own(folder: Path) -> None:
    assert settings(folder, dataset=str(folder)).spec().epochs == OWN_DEFAULT_EPOCHS


@pytest.mark.parametrize(("runs", "threads"), [(1, 8), (2, 8), (3, 5), (8, 2), (12, 1), (100, 1)])
def test_sixteen_processors_are_shared_among_the_runs(folder: Path, runs: int, threads: int) -> None:
    found = settings(folder, runs=runs)
    spec = found.spec()
    assert found.threads(spec.runs) == threads
    jobs = found.jobs(spec.runs)
    assert jobs == min(runs, 16 // threads)
    assert jobs * threads <= 16
    assert settings(folder, runs=runs, threads=7).threads(spec.runs) == 7


@pytest.mark.parametrize("available", [1, 2, 7, 64, 512])
def test_threads_and_jobs_are_at_least_one_and_threads_at_most_eight(
    folder: Path, monkeypatch: pytest.MonkeyPatch, available: int
) -> None:
    monkeypatch.setattr("tui_aefit.shell.parallelism.processors", lambda: available)
    for runs in (1, 5, 12, 1000):
        assert default_threads(runs) == min(8, max(1, available // runs))
    crowded = settings(folder, threads=1024)
    assert crowded.jobs(crowded.spec().runs) == 1


@pytest.mark.parametrize(("asked", "jobs"), [(1, 1), (3, 3), (4, 4), (99, 4)])
def test_no_more_jobs_than_runs(folder: Path, asked: int, jobs: int) -> None:
    found = settings(folder, runs=4, jobs=asked)
    assert found.jobs(found.spec().runs) == jobs


def test_this_machine_has_a_processor() -> None:
    assert processors() >= 1


# Paths


def test_the_data_folder_and_the_cache_lie_in_the_home_unless_told_otherwise(folder: Path) -> None:
    found = settings(folder, home=str(folder / "lab"))
    assert (found.home, found.data_dir, found.cache_dir) == (
        folder / "lab", folder / "lab" / "data", folder / "lab" / "cache",
    )  # fmt: skip
    elsewhere = settings(folder, home=str(folder / "lab"), environment={"AEFIT_DATA_DIR": str(folder)})
    assert (elsewhere.home, elsewhere.data_dir) == (folder / "lab", folder)


def test_paths_become_absolute_and_a_tilde_is_the_users_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("USERPROFILE", str(folder))
    (folder / "moths").mkdir()
    assert settings(folder, home="lab").home == folder / "lab"
    assert settings(folder, home="~/lab").home == folder / "lab"
    for path in ("./moths", "~/moths", f"{folder}/../{folder.name}/moths"):
        assert settings(folder, dataset=path).spec().dataset == str(folder / "moths")


@pytest.mark.parametrize("value", ["", 5, True, ["a"], "~nobody-by-that-name/lab", "a\0b"])
@pytest.mark.parametrize("name", ["home", "data_dir"])
def test_what_is_no_path_is_refused(folder: Path, name: str, value: object) -> None:
    with pytest.raises(SpecError, match=f"{name} = .*expected the path of a folder"):
        getattr(Settings({name: value}, environment={}, folder=folder), name)


# What is wrong, and where it stands


@pytest.mark.parametrize(
    ("name", "toml", "word", "expected"),
    [
        ("epsilon", "2", "2", "at most 1"),
        ("z", "4", "4", "Z must be odd"),
        ("runs", "0", "0", "whole number from 1"),
        ("attack", "'fgms'", "fgms", "expected one of fgsm"),
        ("controls", "['nose']", "nose", "expected one of noise"),
        ("norm", "'linf'", "linf", "the attack fgsm has no such option"),
        ("dataset", "'digit'", "digit", "no data set, file or folder called 'digit'"),
        ("device", "'gpu'", "gpu", "expected one of auto"),
    ],
)
def test_a_wrong_value_is_told_with_the_file_or_variable_it_stands_in(
    folder: Path, user_file: Path, name: str, toml: str, word: str, expected: str
) -> None:
    def told(found: Settings) -> str:
        with pytest.raises((SpecError, DataError)) as caught:
            found.spec()
        assert expected in str(caught.value)
        return str(caught.value)

    variable = f"AEFIT_{name.upper()}"
    assert told(settings(folder, environment={variable: word})).endswith(f"(it is set in {variable})")
    value = SETTINGS[name].kind.read(word)
    typed = Settings({name: value}, environment={}, folder=folder)
    assert "it is set in" not in told(typed), "the shell's line shows it"
    user_file.write_text(f"{name} = {toml}\n")
    assert told(settings(folder)).endswith(f"(it is set in {user_file})")
    (folder / PROJECT_FILE).write_text(f"{name} = {toml}\n")
    assert told(settings(folder)).endswith(f"(it is set in {folder / PROJECT_FILE})")
    config = folder / "other.toml"
    config.write_text(f"{name} = {toml}\n")
    assert told(settings(folder, config=config)).endswith(f"(it is set in {config})")


@pytest.mark.parametrize("value", [0, -1, 1.5, "2", True])
@pytest.mark.parametrize("name", ["jobs", "threads"])
def test_wrong_jobs_and_threads_are_told_with_their_source(folder: Path, name: str, value: object) -> None:
    toml = str(value).lower() if isinstance(value, bool) else repr(value)
    (folder / PROJECT_FILE).write_text(f"{name} = {toml}\n")
    found = settings(folder)
    with pytest.raises(SpecError, match=rf"{name} = .*a whole number from 1") as caught:
        found.jobs(found.spec().runs)
    assert str(folder / PROJECT_FILE) in str(caught.value)


def test_one_setting_at_most_takes_the_work_elsewhere(folder: Path) -> None:
    assert settings(folder).elsewhere() == ()
    assert settings(folder, launcher="srun -n1").elsewhere() == ("--launcher", "srun -n1")
    assert settings(folder, dask="slurm").elsewhere() == ("--dask", "slurm")
    (folder / PROJECT_FILE).write_text('dask = "scheduler.json"\n')
    assert settings(folder).elsewhere() == ("--dask", str(folder / "scheduler.json"))
    with pytest.raises(SpecError, match="--dask is set too: expected one of the two"):
        settings(folder, launcher="srun -n1").elsewhere()
    with pytest.raises(SpecError, match=r"\{host\} stands for nothing"):
        settings(folder, environment={"AEFIT_LAUNCHER": "ssh {host}"}).elsewhere()


@pytest.mark.parametrize(
    ("name", "kind"), [("z", "a whole number"), ("runs", "a whole number"), ("epsilon", "a number")]
)
@pytest.mark.parametrize("word", ["seven", "7x", "1;5", "--"])
def test_a_word_that_is_no_number_is_told_with_its_variable(
    folder: Path, name: str, kind: str, word: str
) -> None:
    with pytest.raises(AefitError) as caught:
        settings(folder, environment={f"AEFIT_{name.upper()}": word})
    assert str(caught.value) == f"AEFIT_{name.upper()} = {word!r} is not possible: expected {kind}"
    assert caught.value.hint == explain(SETTINGS[name])


def test_a_word_is_told_with_the_option_it_follows() -> None:
    with pytest.raises(AefitError, match=r"^--epsilon = 'much' is not possible: expected a number$"):
        read_word(SETTINGS["epsilon"], "much", "--epsilon")


@pytest.mark.parametrize(
    ("line", "hint"),
    [("epsilom = 0.1", "did you mean epsilon?"), ("data-dir = '/x'", "did you mean data_dir?"),
     ("lr = 1", "`aefit-tui config show` lists the settings")],
)  # fmt: skip
def test_an_unknown_name_in_a_file_is_answered_with_the_nearest(folder: Path, line: str, hint: str) -> None:
    (folder / PROJECT_FILE).write_text(line)
    with pytest.raises(AefitError) as caught:
        settings(folder)
    assert str(caught.value) == f"{folder / PROJECT_FILE}: there is no setting {line.partition(' ')[0]!r}"
    assert caught.value.hint == hint


@pytest.mark.parametrize(
    "content", [b"epsilon = ", b"\xff\xfe", b"seed = " + b"9" * 5000], ids=["no TOML", "no UTF-8", "huge"]
)
def test_a_file_that_cannot_be_read_is_named(folder: Path, content: bytes) -> None:
    (folder / PROJECT_FILE).write_bytes(content)
    with pytest.raises(AefitError, match="cannot be read") as caught:
        settings(folder)
    assert str(folder / PROJECT_FILE) in str(caught.value)


def test_whoever_only_looks_is_warned_of_what_is_wrong_with_a_file(folder: Path, user_file: Path) -> None:
    user_file.write_text("epsilom = 0.3\nz = 9\n")
    (folder / PROJECT_FILE).write_text("epsilon = ")
    found = Settings({}, environment={}, folder=folder, forgiving=True)
    assert (found["epsilon"], found["z"]) == (0.1, 9)
    second, first = found.warnings
    assert first == f"{user_file}: there is no setting 'epsilom'; did you mean epsilon?"
    assert second.startswith(f"the settings file {folder / PROJECT_FILE} cannot be read")


def test_the_home_is_not_certain_while_a_file_that_may_name_it_cannot_be_read(folder: Path) -> None:
    assert settings(folder).certain_home() == settings(folder).home
    (folder / PROJECT_FILE).write_text("home = ")
    with pytest.raises(AefitError, match="cannot be read") as caught:
        Settings({}, environment={}, folder=folder, forgiving=True).certain_home()
    assert "--home DIR" in caught.value.hint
    typed = Settings({"home": str(folder)}, environment={}, folder=folder, forgiving=True)
    variable = Settings({}, environment={"AEFIT_HOME": str(folder)}, folder=folder, forgiving=True)
    assert typed.certain_home() == variable.certain_home() == folder


def test_only_a_home_that_was_typed_must_be_typed_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / PROJECT_FILE).write_text(f'home = "{folder}"')
    assert settings(folder).home == folder
    assert settings(folder).typed_home == ""
    assert Settings({}, environment={"AEFIT_HOME": "/lab"}, folder=folder).typed_home == ""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HOME", "/me")
    for word, typed in {"lab": f"{folder}/lab", "../lab": f"{folder.parent}/lab", "~/lab": "/me/lab"}.items():
        assert Settings({"home": word}, environment={}, folder=folder).typed_home == typed
    # It is refused where it is needed.
    assert Settings({"home": ""}, environment={}, folder=folder).typed_home == ""


def test_an_option_that_is_no_setting_is_told_apart_from_a_slip(folder: Path) -> None:
    slipped = ("QUIET", "NO_CACHE", "EPSILOM", "STUDY", "NAME")
    environment = {f"AEFIT_{name}": "1" for name in slipped}
    said = "the environment's {} is no setting and has no effect{}"
    assert settings(folder, environment=environment).warnings == [
        said.format("AEFIT_EPSILOM", "; did you mean AEFIT_EPSILON?"),
        said.format("AEFIT_NAME", "; --name can only be typed"),
        said.format("AEFIT_NO_CACHE", "; --no-cache can only be typed"),
        said.format("AEFIT_QUIET", "; --quiet can only be typed"),
        said.format("AEFIT_STUDY", "; --study can only be typed"),
    ]


@pytest.mark.parametrize("name", ["absent.toml", ".", "a" * 300])
def test_a_config_that_is_not_there_is_refused_while_other_files_may_be_absent(
    folder: Path, name: str
) -> None:
    settings(folder)
    with pytest.raises(AefitError, match="there is no settings file") as caught:
        settings(folder, config=folder / name)
    assert str(folder / name) in str(caught.value)


def test_a_name_that_no_file_can_have_is_no_path(folder: Path) -> None:
    (folder / "aefit.toml").write_text(f'dataset = "{"9" * 300}"')
    with pytest.raises(AefitError, match="there is no data set"):
        settings(folder).spec()


def test_options_and_variables_are_spelt_after_the_setting() -> None:
    assert (SETTINGS["tie_rule"].option, variable_of("tie_rule")) == ("--tie-rule", "AEFIT_TIE_RULE")
    assert (SETTINGS["z"].option, variable_of("z")) == ("--z", "AEFIT_Z")
    assert list(SETTINGS)[: len(COMMON)] == list(COMMON), "those of every spec first"


def test_relative_paths_of_a_settings_file_are_meant_from_its_folder(tmp_path: Path) -> None:
    project, elsewhere = tmp_path / "project", tmp_path / "elsewhere"
    for folder in (project / "images", elsewhere):
        folder.mkdir(parents=True)
    file = project / "aefit.toml"
    file.write_text('home = "results"\ndataset = "images"\ndata_dir = "/fixed"\n')
    settings = Settings({}, environment={}, folder=elsewhere, config=file)
    assert settings.home == project / "results"
    assert settings.data_dir == Path("/fixed")
    assert settings.spec().dataset == str(project / "images")


def test_a_setting_of_a_call_needs_its_declaration_only(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, kind in (("nodes", Whole(1, 9)), ("scratch", Folder())):
        declared = Setting(name=name, title=name, help=name, metavar="N", kind=kind, identifies=False)
        for declarations in (CALL, SETTINGS):
            monkeypatch.setitem(declarations, name, declared)
    (folder / PROJECT_FILE).write_text('nodes = 3\nscratch = "fast"\n')
    shown = settings(folder).shown()
    assert shown["nodes"] == Found(3, str(folder / PROJECT_FILE))
    assert shown["scratch"].value == str(folder / "fast")
    assert settings(folder, nodes="4").shown()["nodes"] == Found(4, "option")
    with pytest.raises(SpecError, match="nodes = 10"):
        settings(folder, nodes="10").shown()


# Options of parts that are not chosen


def test_an_option_of_ours_at_its_default_asks_for_nothing(folder: Path, user_file: Path) -> None:
    user_file.write_text('norm = "l2"\n')
    (folder / PROJECT_FILE).write_text("steps = 10\n")
    # The first default too, which reports and settings of before it changed may hold.
    for bound in ("project", "clip"):
        found = settings(folder, environment={"AEFIT_BOUND": bound}, attack="fgsm", search="pruned")
        assert found.spec() == Spec(epochs=CATALOGUE["mnist-5k"].default_epochs)
        assert found.warnings == []
    assert not {"norm", "steps", "bound"} & found.shown().keys()
    assert settings(folder, attack="fgsm", steps="10").spec().attack == "fgsm"
    with pytest.raises(SpecError, match="the attack fgsm has no such option"):
        settings(folder, attack="fgsm", steps="11").spec()


def test_an_option_that_was_set_for_a_replaced_attack_has_no_effect(folder: Path, user_file: Path) -> None:
    user_file.write_text('attack = "pgd"\nsteps = 7\n')
    assert settings(folder).spec().options["steps"] == 7
    assert settings(folder, attack="pgd-untargeted").spec().options["steps"] == 7
    found = settings(folder, attack="fgsm")
    assert found.spec().attack == "fgsm"
    assert found.warnings == [
        f"steps = 7 has no effect (it is set in {user_file}): the attack fgsm has no such option"
    ]
    by_variable = settings(folder, environment={"AEFIT_STEPS": "many"}, attack="fgsm")
    assert by_variable.warnings == [
        "steps = many has no effect (it is set in AEFIT_STEPS): the attack fgsm has no such option"
    ]
    with pytest.raises(SpecError, match="has no such option"):
        settings(folder, attack="fgsm", steps="7").spec()
    (folder / PROJECT_FILE).write_text('attack = "fgsm"\nsteps = 8\n')
    with pytest.raises(SpecError, match="has no such option"):
        settings(folder).spec()


# Plug-ins


@pytest.mark.parametrize("chosen_in", ["option", "environment", "project", "user"])
def test_an_option_is_read_as_the_chosen_part_declares_it(
    folder: Path, user_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chosen_in: str
) -> None:
    plugins.install(tmp_path / "site", monkeypatch)
    steps = replace(plugins.STRENGTH, name="steps", kind=Choice({"few": "", "many": ""}), default="few")
    monkeypatch.setattr(plugins.Shift, "options", (steps,))
    {"project": folder / PROJECT_FILE, "user": user_file}.get(chosen_in, tmp_path / "none").write_text(
        'attack = "shift"\n'
    )
    environment = {"AEFIT_ATTACK": "shift"} if chosen_in == "environment" else {}
    typed: dict[str, Any] = {"attack": "shift"} if chosen_in == "option" else {}
    found = settings(folder, environment=environment, steps="many", **typed)
    assert found.spec().options["steps"] == "many"
    named = settings(folder, environment={**environment, "AEFIT_STEPS": "many"}, **typed)
    assert named.spec().options["steps"] == "many"
    with pytest.raises(SpecError, match="steps = '7' is not possible: expected one of few, many"):
        settings(folder, environment=environment, steps="7", **typed).spec()


@pytest.fixture
def plugged_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plugins.install(tmp_path / "site", monkeypatch)


@pytest.mark.usefixtures("plugged_in")
def test_an_option_of_a_plug_in_is_set_as_every_other(folder: Path, user_file: Path) -> None:
    user_file.write_text("strength = 0.25\n")
    (folder / PROJECT_FILE).write_text('attack = "shift"\n')
    found = settings(folder, environment={"AEFIT_FAMILY": "kernel", "AEFIT_BANDWIDTHS": "2"})
    assert found.spec().options == {"strength": 0.25, "bandwidths": 2}
    assert list(found.shown()) == [*COMMON, "strength", "bandwidths", *CALL]
    assert found.shown()["strength"] == Found(0.25, str(user_file))


@pytest.mark.usefixtures("plugged_in")
def test_the_sets_that_a_family_cannot_fill_are_measured_only_where_they_are_asked_for(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert settings(folder).spec().controls == own_controls()
    mine = settings(folder, family="kernel")
    filled = tuple(name for name in own_controls() if name not in ("shuffled", "misclassified-shuffled"))
    assert mine.spec().controls == filled
    assert mine.shown()["controls"] == Found(filled, "default")
    assert settings(folder, family="kernel", controls="shuffled").spec().controls == ("shuffled",)
    # One that says what a random order gives, or says itself what it cannot fill.
    monkeypatch.setattr(plugins.Kernel, "shuffled", lambda *_: None, raising=False)
    assert mine.spec().controls == own_controls()
    monkeypatch.setattr(plugins.Kernel, "unfilled", classmethod(lambda _: ("matched",)))
    assert mine.spec().controls == tuple(name for name in own_controls() if name != "matched")


@pytest.mark.usefixtures("plugged_in")
def test_a_family_that_fails_to_say_what_it_cannot_fill_is_refused_by_name(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = Spec(family="kernel").to_toml()
    monkeypatch.setattr(plugins.Kernel, "unfilled", property(lambda _: ()))  # a slip: called, it is no method
    with pytest.raises(PluginError, match=r"the family kernel of the plug-in .* does not say which sets"):
        settings(folder, family="kernel").spec()
    with pytest.raises(PluginError, match="does not say which sets"):
        Spec.from_toml(
            stored
        )  # so that its experiments alone are unreadable, and not the list that they are in


@pytest.mark.usefixtures("plugged_in")
def test_an_option_of_a_plug_in_that_is_not_chosen_says_whose_it_is(folder: Path) -> None:
    (folder / PROJECT_FILE).write_text("strength = 0.25\n")
    with pytest.raises(SpecError, match=r"belongs to shift .it is set in ") as caught:
        settings(folder).spec()
    assert "attack" in caught.value.hint


def test_an_option_of_a_plug_in_that_is_not_there_is_no_setting(folder: Path) -> None:
    (folder / PROJECT_FILE).write_text("strength = 0.25\n")
    with pytest.raises(AefitError, match="there is no setting 'strength'"):
        settings(folder)


def test_a_plug_in_that_cannot_be_loaded_stops_only_what_would_compute(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugins.install(
        tmp_path / "site", monkeypatch, {"aefit.attacks": {"broken": "tests.fakes.nowhere:Broken"}}
    )
    (folder / PROJECT_FILE).write_text('attack = "broken"\nepsilon = 0.2\n')
    with pytest.raises(PluginError, match="cannot be loaded"):
        settings(folder)
    found = Settings({}, environment={}, folder=folder, forgiving=True)
    assert found["epsilon"] == 0.2
    (warning,) = found.warnings
    assert "cannot be loaded" in warning
    assert found.as_set()["attack"] == Found("broken", str(folder / PROJECT_FILE))


# Several values


def test_several_values_make_a_study(folder: Path) -> None:
    found = settings(folder, epsilon="0.05, 0.1", attack="fgsm,pgd", dataset="digits", runs="2")
    assert found.several == {"epsilon": (0.05, 0.1), "attack": ("fgsm", "pgd")}
    assert found.asks_for_study
    assert {(spec.attack, spec.epsilon, spec.runs) for spec in found.specs()} == {
        (attack, epsilon, 2) for attack in ("fgsm", "pgd") for epsilon in (0.05, 0.1)
    }
    assert [(spec.attack, spec.epsilon) for spec in found.specs(paired=True)] == [
        ("fgsm", 0.05),
        ("pgd", 0.1),
    ]
    with pytest.raises(AefitError, match="are 2 values, which make a study"):
        found.spec()


def test_a_setting_that_is_a_list_already_and_those_of_no_identity_have_one_value(folder: Path) -> None:
    found = settings(folder, controls="noise,sources", dataset="digits")
    assert not found.asks_for_study
    assert found.spec().controls == ("noise", "sources")
    with pytest.raises(AefitError, match="--runs = '2,3' is not possible"):
        settings(folder, runs="2,3")


def test_a_path_with_a_comma_in_it_is_one(folder: Path) -> None:
    path = folder / "a,b.npz"
    path.touch()
    assert settings(folder, dataset=str(path)).several == {}
    assert settings(folder, dataset="digits,mnist-5k").several == {"dataset": ("digits", "mnist-5k")}


def test_files_and_the_environment_may_give_several_too(folder: Path) -> None:
    (folder / PROJECT_FILE).write_text("epsilon = [0.1, 0.2]\nseed = [1]\n")
    assert settings(folder).several == {"epsilon": (0.1, 0.2)}
    assert settings(folder, environment={"AEFIT_EPSILON": "0.3"}).several == {}
    assert settings(folder, environment={"AEFIT_SEED": "1,2"}).several["seed"] == (1, 2)
    (folder / PROJECT_FILE).write_text("epsilon = []\n")
    with pytest.raises(AefitError, match="holds no value"):
        settings(folder)


STUDY = """
name = "mine"
[base]
dataset = "digits"
[grid]
seed = [0, 1]
[[case]]
attack = "fgsm"
[[case]]
attack = "pgd"
steps = 5
"""


def study(folder: Path, text: str, **options: object) -> Settings:
    path = folder / "study.toml"
    path.write_text(text)
    return Settings(options, environment={}, folder=folder, study=path)


def test_a_study_is_read_from_its_file_and_what_is_typed_is_nearer(folder: Path) -> None:
    found = study(folder, STUDY, runs="2")
    assert (found.study_name, found.asks_for_study) == ("mine", True)
    assert {(s.dataset, s.attack, s.seed, s.runs, s.options.get("steps")) for s in found.specs()} == {
        ("digits", "fgsm", 0, 2, None), ("digits", "fgsm", 1, 2, None),
        ("digits", "pgd", 0, 2, 5), ("digits", "pgd", 1, 2, 5),
    }  # fmt: skip
    assert {spec.seed for spec in study(folder, STUDY, seed="7").specs()} == {7}
    assert len(study(folder, "pair = true\n[grid]\nseed = [1, 2]\nepsilon = [0.1, 0.2]").specs()) == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("epsilon = [0.1]", "there is no 'epsilon' in a study's file"),
        ("bse = 1", "there is no 'bse'"),
        ("name = 3", r"expected a text for name.* at `\$\.name`"),
        ("pair = 1", r"true or false for pair.* at `\$\.pair`"),
        ("base = 3", r"tables \[base\] and \[grid\].* at `\$\.base`"),
        ("grid = 3", r"tables \[base\] and \[grid\].* at `\$\.grid`"),
        ("case = 3", r"\[\[case\]\] tables.* at `\$\.case`"),
        ("case = [1]", r"\[\[case\]\] tables.* at `\$\.case\["),
        ("[base]\nseed = 1\n[grid]\nseed = [1, 2]", "stands in"),
        ("[grid]\nepsilon = [[1], 2]", "not possible as one of several"),
        ("[[case]]\nepsilo = 1", "there is no setting 'epsilo'"),
        ("a = [[[", "cannot be read"),
    ],
)
def test_what_is_no_studys_file_is_refused_in_words(folder: Path, text: str, words: str) -> None:
    with pytest.raises(AefitError, match=words):
        study(folder, text).specs()


class TestWhoseFileItIs:
    """A settings file may name the home and the data: one that somebody else may have written is not read."""

    @pytest.mark.parametrize("how", ["another user's", "anybody may write to it"])
    def test_a_file_of_others_is_refused_and_can_be_named(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
    ) -> None:
        path = tmp_path / "aefit.toml"
        path.write_text("seed = 7\n")
        if how.startswith("another"):
            monkeypatch.setattr("tui_aefit.shell.settings.os.geteuid", lambda: os.getuid() + 1)
            monkeypatch.setattr("tui_aefit.shell.settings._OWNERS", ())
        else:
            path.chmod(0o666)
        with pytest.raises(AefitError, match="it is not read") as refused:
            Settings({}, environment={}, folder=tmp_path)
        assert refused.value.hint.endswith(f"--config {path}")
        forgiven = Settings({}, environment={}, folder=tmp_path, forgiving=True)
        assert "seed" not in forgiven.found
        assert "it is not read" in forgiven.warnings[0]
        assert Settings({}, environment={}, folder=tmp_path, config=path)["seed"] == 7

    def test_one_s_own_is_read_whatever_a_group_may_do(self, tmp_path: Path) -> None:
        (tmp_path / "aefit.toml").write_text("seed = 7\n")
        (tmp_path / "aefit.toml").chmod(0o664)
        assert Settings({}, environment={}, folder=tmp_path)["seed"] == 7


def test_what_was_given_and_stands_in_a_case_too_is_refused(folder: Path) -> None:
    with pytest.raises(AefitError, match="attack = pgd was given, and stands in a case"):
        study(folder, STUDY, attack="pgd").specs()


def test_a_typed_option_that_no_experiment_of_a_study_has_is_refused(folder: Path) -> None:
    with pytest.raises(SpecError, match="no attack, classifier or surrogate of this study has that option"):
        settings(folder, dataset="digits", attack="fgsm,noise", steps="20").specs()
    found = settings(folder, dataset="digits", attack="fgsm,pgd", steps="20").specs()
    assert {spec.options.get("steps") for spec in found} == {None, 20}
