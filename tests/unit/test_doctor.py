"""The doctor says what works here, and what installed plug-ins bring."""

from __future__ import annotations

import json
from importlib.metadata import EntryPoint

import pytest
import torch

from core.declarations.registry import Origin, Registry
from core.engine.doctor import examine, installed_plugins


def test_what_works_here_is_plain_json() -> None:
    found = json.loads(json.dumps(examine()))
    assert found["versions"]["torch"] == torch.__version__
    assert found["devices"]["cpu"] == found["cpu"]
    assert found["threads"] == torch.get_num_threads()
    assert {"device", "plugins"} <= set(found)


def test_plug_ins_are_named_with_their_origin_and_what_is_wrong_with_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    registry: Registry[dict[str, int]] = Registry("attack", "aefit.attacks", dict, {"ours": "builtins:dict"})
    entries = {
        "good": EntryPoint("good", "collections:OrderedDict", registry.group),
        "odd": EntryPoint("odd", "builtins:list", registry.group),
        "lost": EntryPoint("lost", "no_such_module:Attack", registry.group),
    }
    monkeypatch.setattr(registry, "_plugins", entries)
    monkeypatch.setattr(registry, "origin", lambda name: Origin("swirl", "1.0") if name in entries else None)
    found = installed_plugins({"attack": registry})
    assert found["attack good"] == "swirl 1.0"
    assert "attack ours" not in found
    assert found["attack odd"].startswith("swirl 1.0 (cannot be used: ")
    assert "no_such_module" in found["attack lost"]
