"""The headless command from the outside: results, interruptions, refusals."""

import json
import shlex
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from core.records.events import CoordinatorStarted, EpochFinished, RunFailed, RunStarted, WorkerStarted
from core.records.journal import read_all
from core.records.state import read_state
from core.tensors.device import choose_device
from tests.end_to_end.conftest import alive, kill_hard, numbers, wait_for, wait_for_event
from tests.fakes.terminal import PATIENCE

SHORT = ("--epochs", "3")
"""Epochs that are enough for the made-up images; where a run is to be met at work, workers are held."""


def test_json_is_one_object_as_specified(shell):
    done = shell.batch("--runs", "3", "--epochs", "6", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["status"] == "complete"
    assert result["id"].startswith("made-up-fgsm-")
    assert [run["index"] for run in result["runs"]] == [0, 1, 2]
    for run in result["runs"]:
        assert run["status"] == "complete"
        counts = run["counts"]
        assert (counts["train"], counts["test"]) == (360, 60)
        assert counts["correct"] + counts["misclassified"] == counts["test"]
        assert counts["candidates"] == 3 * counts["correct"]
        assert counts["adversarial"] > 0
        for name in ("misclassified", "adversarial"):
            assert run["accuracy"][name]["5"] == 0
            assert run["slopes"][name]["3"] is None
            assert run["slope_reasons"][name]["3"] == "by_construction"
        assert set(run["attack"]) == {"surrogate_fooled", "target_hit", "linf_max", "l2_mean"}
        assert set(run["sets"]["noise"]) == set(run["attack"])
        assert {"split", "classifier", "surrogate", "attack", "filter"} <= set(run["seconds"])
    assert result["ladder"] == {"knob": "K", "levels": ["5", "3", "1"], "values": [5, 3, 1]}
    assert {"versions", "device", "cpu"} <= set(result["environment"])
    assert result["environment"]["device"] == choose_device("auto")
    test_accuracy = [run["accuracy"]["test"]["1"] for run in result["runs"]]
    summary = result["summary"]["accuracy"]["test"]["1"]
    assert summary["mean"] == pytest.approx(np.mean(test_accuracy))
    assert summary["sd"] == pytest.approx(np.std(test_accuracy, ddof=1))
    assert summary["n"] == 3
    fields = {"quantity", "j", "sets", "test", "n", "statistic", "df", "p", "p_holm", "mean_difference"}
    fields |= {"ci95", "effect_size", "direction", "reason"}
    assert all(set(test) == fields for test in result["tests"])
    assert {test["quantity"] for test in result["tests"]} == {"ratio", "difference", "log_ratio"}
    assert all((test["p"] is None) == (test["reason"] is not None) for test in result["tests"])


@pytest.mark.quick
def test_results_go_to_standard_output_and_narration_to_standard_error(shell):
    done = shell.batch("--runs", "1", "--epochs", "2")
    assert done.returncode == 0
    assert "accuracy" in done.stdout
    assert "run 1 complete" in done.stderr
    assert "run 1 complete" not in done.stdout
    again = shell.batch("--runs", "1", "--epochs", "2", "--quiet")
    assert (again.returncode, again.stdout, again.stderr) == (0, done.stdout, "")


def test_numbers_do_not_depend_on_the_number_of_parallel_runs(shell, tmp_path):
    results = []
    for jobs in ("1", "2", "3"):
        done = shell.batch(
            "--runs", "3", "--epochs", "3", "--json", "--jobs", jobs, "--home", str(tmp_path / jobs)
        )
        assert done.returncode == 0, done.stderr
        results.append(numbers(json.loads(done.stdout)))
    assert results[0] == results[1] == results[2]


def test_numbers_do_not_depend_on_the_threads_of_a_run(shell, tmp_path):
    results = []
    for threads in ("1", "2", "4"):
        done = shell.batch(
            "--runs", "1", *SHORT, "--json", "--threads", threads, "--home", str(tmp_path / threads)
        )
        assert done.returncode == 0, done.stderr
        results.append(numbers(json.loads(done.stdout)))
    assert results[0] == results[1] == results[2]


def test_a_killed_coordinator_is_resumed_to_the_same_numbers(shell, tmp_path):
    settings = (*SHORT, "--jobs", "2")
    whole = shell.batch("--runs", "3", *settings, "--json", "--home", str(tmp_path / "whole"))
    assert whole.returncode == 0, whole.stderr

    first = shell.batch("--runs", "1", *settings)
    assert first.returncode == 0, first.stderr
    experiment = shell.only_experiment()
    result = experiment.run_folder(0) / "result"
    before = result.stat().st_mtime_ns
    with shell.workers_held():
        process = shell.start_batch("--runs", "3", *settings)
        wait_for_event(shell, EpochFinished, 4)  # three of the first run
        kill_hard(wait_for_event(shell, CoordinatorStarted, 2).pid)
        _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert "aefit-tui resume" in err
    wait_for(lambda: not any(alive(event.pid) for event in _workers(experiment)))
    experiment = shell.only_experiment()
    assert read_state(experiment).status == "interrupted"
    assert list(experiment.results()) == [0]

    resumed = shell.run("resume", "latest", "--json")
    assert resumed.returncode == 0, resumed.stderr
    assert numbers(json.loads(resumed.stdout)) == numbers(json.loads(whole.stdout))
    assert result.stat().st_mtime_ns == before, "computed twice"


def test_more_runs_of_an_experiment_are_added_to_those_there_are(shell, tmp_path):
    whole = shell.batch("--runs", "3", *SHORT, "--json", "--home", str(tmp_path / "whole"))
    assert whole.returncode == 0, whole.stderr
    assert shell.batch("--runs", "1", *SHORT).returncode == 0
    by_batch = shell.batch("--runs", "2", *SHORT, "--json")
    assert by_batch.returncode == 0, by_batch.stderr
    assert "1 run to compute" in by_batch.stderr
    assert len(json.loads(by_batch.stdout)["runs"]) == 2
    extended = shell.run("extend", "latest", "--runs", "3", "--json")
    assert extended.returncode == 0, extended.stderr
    result = json.loads(extended.stdout)
    assert numbers(result) == numbers(json.loads(whole.stdout))
    assert (result.pop("done"), result.pop("computed")) == ("computed", [2])
    fewer = shell.batch("--runs", "2", *SHORT, "--json")
    assert fewer.returncode == 0, fewer.stderr
    assert "has 3 runs already" in fewer.stderr
    assert json.loads(fewer.stdout) == result


def test_an_experiment_that_is_being_computed_goes_on_with_further_runs(shell, tmp_path):
    whole = shell.batch("--runs", "2", *SHORT, "--json", "--home", str(tmp_path / "whole"))
    with shell.workers_held():
        process = shell.start_batch("--runs", "1", *SHORT, "--json")
        wait_for_event(shell, EpochFinished)
        started = shell.run("extend", "latest", "--runs", "2", "--detach", "--json")
        assert started.returncode == 0, started.stderr
        answer = json.loads(started.stdout)
        assert (answer["status"], answer["done"], answer["computed"]) == ("running", "joined", [])
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    assert numbers(json.loads(out)) == numbers(json.loads(whole.stdout))
    assert len(list(shell.only_experiment().journal.glob("*-coordinator.jsonl"))) == 1


def test_a_killed_worker_costs_one_retry_and_nothing_else(shell, tmp_path):
    settings = ("--runs", "2", *SHORT, "--jobs", "1")
    whole = shell.batch(*settings, "--json", "--home", str(tmp_path / "whole"))
    with shell.workers_held():
        process = shell.start_batch(*settings, "--json")
        wait_for_event(shell, EpochFinished)
        kill_hard(wait_for_event(shell, WorkerStarted).pid)
        wait_for_event(shell, WorkerStarted, 2)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    (failure,) = [e for e in read_all(shell.only_experiment().journal) if isinstance(e, RunFailed)]
    assert failure.retry
    assert numbers(json.loads(out)) == numbers(json.loads(whole.stdout))


def test_a_run_whose_workers_keep_dying_fails_and_says_so(shell):
    with shell.workers_held():
        process = shell.start_batch("--runs", "1", *SHORT)
        for attempt in (1, 2):
            pid = wait_for_event(shell, WorkerStarted, attempt).pid
            wait_for_event(shell, RunStarted, attempt)
            kill_hard(pid)
        out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert "twice" in err
    assert "0 of 1 runs" in out
    resumed = shell.run("resume", "latest", "--quiet")
    assert resumed.returncode == 0, resumed.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_batch_says_how_to_go_on_and_leaves_nobody_behind(shell, number):
    with shell.workers_held():
        process = shell.start_batch("--runs", "2", *SHORT)
        wait_for_event(shell, EpochFinished)
        process.send_signal(number)
        out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert out == ""
    experiment = shell.only_experiment()
    assert f"aefit-tui resume {experiment.id}" in err
    assert read_state(experiment).status == "interrupted"
    assert not experiment.running
    assert not any(alive(event.pid) for event in _workers(experiment))


def test_a_batch_that_is_killed_takes_its_coordinator_with_it(shell):
    with shell.workers_held():
        process = shell.start_batch("--runs", "2", *SHORT)
        wait_for_event(shell, EpochFinished)
        process.kill()
        process.communicate(timeout=PATIENCE)
        experiment = shell.only_experiment()
        wait_for(lambda: not experiment.running)
    assert read_state(experiment).status == "interrupted"
    wait_for(lambda: not any(alive(event.pid) for event in _workers(experiment)))


def test_nohup_is_respected(shell):
    with shell.workers_held():
        process = shell.start_batch("--runs", "1", *SHORT, ignored=signal.SIGHUP)
        wait_for_event(shell, EpochFinished)
        process.send_signal(signal.SIGHUP)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err


def test_two_commands_at_once_share_one_computation(shell):
    both = [shell.start_batch("--runs", "2", "--epochs", "10", "--json") for _ in range(2)]
    told = [process.communicate(timeout=PATIENCE) for process in both]
    assert [process.returncode for process in both] == [0, 0], told
    first, second = (numbers(json.loads(out)) for out, _ in told)
    assert first == second
    assert len(list(shell.only_experiment().journal.glob("*-coordinator.jsonl"))) == 1


def test_a_coordinator_that_finds_the_lock_taken_leaves_the_folder_alone(shell):
    with shell.workers_held():
        shell.batch("--runs", "2", *SHORT, "--detach")
        experiment = shell.only_experiment()
        # What a command does that saw the folder just before the other one took the lock.
        settings = ("--jobs", "1", "--threads", "1", "--data-dir", "data", "--cache-dir", "cache")
        command = [sys.executable, "-m", "core.engine.coordinator", str(experiment.folder), *settings]
        assert subprocess.run(command, cwd=shell.home.parent).returncode == 75
        assert experiment.running
        assert shell.run("cancel", "latest").returncode == 0


def test_a_result_that_never_reached_the_statistics_gets_there_on_resume(shell):
    whole = shell.batch("--runs", "3", "--epochs", "3", "--json")
    experiment = shell.only_experiment()
    (journal,) = experiment.journal.glob("*-coordinator.jsonl")
    lines = journal.read_bytes().splitlines(keepends=True)
    # As if it had been killed between the last publication and what follows from it.
    journal.write_bytes(b"".join(line for line in lines if b'"event":"statistics"' not in line)[:-1])
    resumed = shell.run("resume", "latest", "--json")
    assert resumed.returncode == 0, resumed.stderr
    assert numbers(json.loads(resumed.stdout)) == numbers(json.loads(whole.stdout))


def test_a_damaged_result_is_computed_again_on_resume(shell):
    whole = shell.batch("--runs", "2", "--epochs", "3", "--json")
    experiment = shell.only_experiment()
    arrays = experiment.run_folder(1) / "result" / "arrays.npz"
    good = arrays.read_bytes()
    arrays.write_bytes(good[:500] + bytes([good[500] ^ 1]) + good[501:])
    resumed = shell.run("resume", "latest", "--json")
    assert resumed.returncode == 0, resumed.stderr
    assert arrays.read_bytes() == good
    assert json.loads(resumed.stdout)["computed"] == [1]
    assert numbers(json.loads(resumed.stdout)) == numbers(json.loads(whole.stdout))


def test_workers_that_cannot_start_leave_the_log_and_say_where(shell, tmp_path):
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "torch.py").write_text("raise ImportError('no such processor')")
    process = shell.start_batch("--runs", "1", PYTHONPATH=str(tmp_path / "broken"))
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    experiment = shell.only_experiment()
    assert str(experiment.log) in err
    assert "no such processor" in experiment.log.read_text()


def test_a_detached_experiment_outlives_the_command_and_can_be_followed(shell):
    with shell.workers_held():
        started = shell.batch("--runs", "2", *SHORT, "--detach")
        assert started.returncode == 0, started.stderr
        experiment = shell.only_experiment()
        assert started.stdout.strip() == experiment.id
        assert experiment.running
        refused = shell.run("delete", "latest", "--yes")
        assert refused.returncode == 2
        assert "being computed" in refused.stderr
    followed = shell.run("attach", "latest", "--json")
    assert followed.returncode == 0, followed.stderr
    assert json.loads(followed.stdout)["status"] == "complete"


def test_what_is_told_of_another_home_can_be_typed_as_it_stands(shell, tmp_path):
    started = shell.batch("--runs", "1", "--epochs", "1", "--detach", "--home", str(tmp_path / "my lab"))
    assert started.returncode == 0, started.stderr
    _, *words = shlex.split(started.stderr.partition("follow it with: ")[2])
    assert words == ["attach", started.stdout.strip(), "--home", str(tmp_path / "my lab")]
    followed = shell.run(*words, "--json")
    assert followed.returncode == 0, followed.stderr
    assert json.loads(followed.stdout)["status"] == "complete"


def test_cancel_stops_the_work_and_keeps_complete_runs(shell):
    assert shell.batch("--runs", "2", *SHORT).returncode == 0
    experiment = shell.only_experiment()
    with shell.workers_held():
        assert shell.run("extend", "latest", "--runs", "4", "--detach").returncode == 0
        wait_for_event(shell, CoordinatorStarted, 2)
        cancelled = shell.run("cancel", "latest", "--json")
    assert cancelled.returncode == 0, cancelled.stderr
    assert json.loads(cancelled.stdout) == {
        "id": experiment.id, "status": "cancelled", "done": "stopped", "complete": 2, "runs": 4,
    }  # fmt: skip
    assert cancelled.stderr.endswith(f"go on with: aefit-tui resume {experiment.id}\n")
    shown = json.loads(shell.run("show", "latest", "--json").stdout)
    assert shown["status"] == "cancelled"
    assert [run["status"] for run in shown["runs"]] == ["complete"] * 2 + ["pending"] * 2
    assert shown["statistics_runs"] == [0, 1]
    assert shell.run("cancel", "latest").returncode == 2


def test_a_broken_data_set_is_refused_without_a_trace_and_leaves_nothing_behind(shell):
    shell.data.write_bytes(shell.data.read_bytes()[:1000])
    refused = shell.batch("--runs", "1")
    assert refused.returncode == 2
    assert str(shell.data) in refused.stderr
    assert "results go to" not in refused.stderr
    assert list((shell.home / "experiments").iterdir()) == []


def test_a_test_part_that_is_not_possible_is_all_that_is_told(shell):
    refused = shell.batch("--test-size", "3")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith("aefit-tui: made-up.npz: a test part of 3 images is not possible")


def test_more_threads_than_processors_are_warned_of(shell):
    refused = shell.batch("--threads", "1000", "--test-size", "3")
    assert refused.stderr.startswith(
        "aefit-tui: runs at a time x threads of a run = 1 x 1000, more than the "
    )
    assert "processors" not in shell.batch("--test-size", "3", "--jobs", "1").stderr


@pytest.mark.parametrize("name", ["digits", "made-up"])
def test_an_exported_data_set_holds_what_the_indices_of_a_run_mean(shell, tmp_path, name):
    source = str(shell.data) if name == "made-up" else name
    pool = tmp_path / "pool.npz"
    exported = shell.run("data", "export", source, "--output", str(pool))
    assert (exported.returncode, exported.stdout) == (0, "")
    assert f"to {pool}" in exported.stderr
    assert ("1,797 images of 8x8 pixels resized to 28x28" in exported.stderr) == (name == "digits")
    small = ("--z", "3", "--runs", "1", "--epochs", "1", "--epsilon", "0.25", "--controls", "none")
    done = shell.run("--batch", "--dataset", source, *small, "--json")
    assert ("resized to 28x28" in done.stderr) == (name == "digits")
    assert json.loads(done.stdout)["runs"][0]["counts"]["adversarial"] > 0
    with (
        np.load(shell.only_experiment().run_folder(0) / "result" / "arrays.npz") as run,
        np.load(pool) as data,
    ):
        labels = data["labels"]
        assert np.array_equal(run["test_label"], labels[run["test_index"]])
        images = data["images"].reshape(len(labels), -1)
        for k, prediction in zip(run["k"], run["test_prediction"], strict=True):
            knn = KNeighborsClassifier(k, algorithm="brute").fit(
                images[run["train_index"]].astype(np.float64), labels[run["train_index"]]
            )
            found = knn.predict(images[run["test_index"]].astype(np.float64))
            assert np.array_equal(found, prediction)
        originals = images[run["adversarial_source"]] / np.float32(255)
        changes = run["adversarial_image"].reshape(len(originals), -1) - originals
        assert np.abs(changes).max() <= 0.25 + 1e-6


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("data", "fetch", "nosuch"), "aefit-tui: there is no data set called 'nosuch'"),
        (
            ("data", "export", "nosuch", "--output", "x.npz"),
            "aefit-tui: there is no data set, file or folder",
        ),
        (("data", "export", "digits", "--output", "absent/x.npz"), "aefit-tui: cannot write 'absent/x.npz'"),
        (("data", "export", "digits"), "aefit-tui: where to?\n  aefit-tui data export NAME|PATH --output"),
    ],
)
def test_a_data_set_that_cannot_be_had_is_refused_as_everything_is(shell, words, said):
    refused = shell.run(*words)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith(said)


def test_a_stored_result_is_not_printed_for_a_data_set_that_has_changed_since(shell):
    settings = ("--runs", "1", "--epochs", "1", "--controls", "none")
    first = shell.batch(*settings)
    shell.data.touch()
    again = shell.batch(*settings)
    assert (again.returncode, again.stdout) == (0, first.stdout), "written, but the same images"
    with np.load(shell.data) as former:
        np.savez(shell.data, images=former["images"][:, ::-1], labels=former["labels"])
    refused = shell.batch(*settings, "--json")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert f"{shell.data} has changed since" in refused.stderr
    assert shell.run("show", "latest").stdout == first.stdout
    assert shell.run("delete", "latest", "--yes").returncode == 0
    anew = shell.batch(*settings)
    assert anew.returncode == 0
    assert anew.stdout != first.stdout


def test_more_neighbours_than_training_images_is_a_wrong_request(shell):
    refused = shell.batch("--runs", "1", "--z", "399")
    assert refused.returncode == 2
    assert "360 training images" in refused.stderr
    assert list((shell.home / "experiments").iterdir()) == []


@pytest.mark.parametrize("verb", ["resume", "extend"])
def test_other_images_than_those_of_the_runs_there_are_refused(shell, verb):
    assert shell.batch("--runs", "2", *SHORT).returncode == 0
    with np.load(shell.data) as former:
        np.savez(shell.data, images=former["images"][:, ::-1], labels=former["labels"])
    if verb == "resume":
        shutil.rmtree(shell.only_experiment().run_folder(1))
    refused = shell.run(verb, "latest", *(["--runs", "3"] if verb == "extend" else []))
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "is not what it was" in refused.stderr
    experiment = shell.only_experiment()
    assert len(experiment.results()) == (1 if verb == "resume" else 2)
    assert experiment.spec.runs == 2, "the extension is taken back"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--batch", "--z", "4"), "z = 4"),
        (("--batch", "--epsilon", "0"), "epsilon"),
        (("--batch", "--attack", "fsgm"), "did you mean fgsm"),
        (("--batch", "--dataset", "minst"), "did you mean mnist"),
        (("--batch", "--dataset", "mnist", "--data-dir", "nowhere"), "aefit-tui data fetch mnist"),
        (("--batch", "--runs", "many"), "a whole number"),
        (("--batch", "--norm", "linf"), "deepfool"),
        (("--batch", "--wrong"), "--wrong"),
        (("lst",), "did you mean `aefit-tui list`"),
        (("show", "latest"), "aefit-tui --batch"),
        (("data", "fetch"), "data list"),
        (("--config", "absent.toml", "--batch"), "absent.toml"),
    ],
)
def test_a_wrong_request_says_what_would_be_right(shell, words, said):
    refused = shell.run(*words)
    assert refused.returncode == 2
    assert said in refused.stderr
    assert refused.stdout == ""
    assert not (shell.home / "experiments").exists()


def test_the_default_data_set_needs_no_network(shell):
    done = shell.run("--batch", "--runs", "1", "--epochs", "2", "--controls", "none", "--json")
    assert done.returncode == 0, done.stderr
    (run,) = json.loads(done.stdout)["runs"]
    assert run["counts"]["train"] == 5000 - 714
    assert run["counts"]["adversarial"] > 0
    assert run["accuracy"]["adversarial"]["7"] == run["accuracy"]["misclassified"]["7"] == 0


def test_doctor_tells_of_devices_and_folders(shell):
    told = shell.run("doctor", "--json")
    assert told.returncode == 0
    examined = json.loads(told.stdout)
    assert examined["works"] is True
    assert examined["devices"]["cpu"]
    assert examined["data_sets"]["mnist-5k"] is True
    assert examined["folders"]["experiments home"]["writable"] is True
    assert "torch" in examined["versions"]


def _workers(experiment):
    return [event for event in read_state(experiment).events if isinstance(event, WorkerStarted)]
