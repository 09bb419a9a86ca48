"""The preview of an attack on one image of a packaged set: what it changes, and what the network then answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.attacks.registry import ATTACKS
from core.data import packaged
from core.data.catalogue import find
from core.files.cache import Cache
from core.previews.cached import cached_or_made
from core.previews.records import AttackPreview
from core.records.gallery import amplified, grey_levels

DATASET, SURROGATE, EPOCHS = "mnist-5k", "lenet5", 3
"""What the attacked network is trained on, which network it is, and for how long: for an example, not a result."""
SOURCE = 1500
"""The place of the image in the data set."""


def preview_attack(
    name: str, epsilon: float, options: Mapping[str, Any], cache: Cache | None
) -> AttackPreview:
    """The image before and after the attack; a targeted one aims at the most likely class but the image's own.

    A preview that was made before is taken from the cache, without loading torch. Raises DataError where the
    packaged set is missing, PluginError for an attack that cannot be loaded, SpecError or ValueError for settings
    that it cannot take.
    """
    origin = str(ATTACKS.origin(name) or "")
    depends_on = (name, origin, epsilon, sorted(options.items()), DATASET, SURROGATE, EPOCHS, SOURCE)
    return cached_or_made(
        cache, depends_on, AttackPreview, lambda: _preview(_attack(name, epsilon, options, cache))
    )


def _attack(
    name: str, epsilon: float, options: Mapping[str, Any], cache: Cache | None
) -> dict[str, NDArray[Any]]:
    """original (H, W, C) uint8, image (H, W, C) float32, label, target (-1: none), logits (2, classes), kept.

    logits: before and after the attack.
    """
    # Loads torch: seconds that a kept preview does not take.
    import torch  # noqa: PLC0415

    from core.protocol.streams import Streams  # noqa: PLC0415
    from core.surrogates.cached import train_or_load  # noqa: PLC0415
    from core.surrogates.registry import SURROGATES  # noqa: PLC0415
    from core.tensors.pixels import from_torch, to_torch  # noqa: PLC0415

    attack = ATTACKS[name](epsilon=epsilon, **options)
    pool = packaged.read(find(DATASET))
    streams = Streams(seed=0, run=0)
    network, _ = train_or_load(
        cache, SURROGATES[SURROGATE](), pool.images, pool.labels, classes=pool.classes, epochs=EPOCHS,
        weights=streams.torch("weights"), batches=streams.numpy("batches"), device="cpu",
        on_images=lambda done: None, on_epoch=lambda epoch, epochs, loss: None,
    )  # fmt: skip
    original, label = pool.images[SOURCE : SOURCE + 1], pool.labels[SOURCE : SOURCE + 1]
    with torch.no_grad():
        before = network(to_torch(original))
    others = before.clone()
    others[0, int(label[0])] = -torch.inf
    target = others.argmax(1)
    made = attack(network, to_torch(original), torch.from_numpy(label), target, streams.torch("attack"))
    with torch.no_grad():
        after = network(made.images)
    return {
        "original": original[0],
        "image": from_torch(made.images)[0],
        "label": label[0],
        "target": np.int64(target[0]) if attack.targeted else np.int64(-1),
        "logits": torch.cat([before, after]).double().numpy(),
        "kept": made.kept[0].numpy(),
    }


def _preview(arrays: Mapping[str, NDArray[Any]]) -> AttackPreview:
    names = find(DATASET).class_names
    original, image = arrays["original"], arrays["image"]
    change, gain = amplified(original, image)
    said, says = arrays["logits"].argmax(axis=1).tolist()
    powers = np.exp(arrays["logits"][1] - arrays["logits"][1].max())
    height, width, channels = original.shape
    target = int(arrays["target"])
    return AttackPreview(
        shape=(height, width, channels),
        original=original.tobytes(),
        change=change.tobytes(),
        changed=grey_levels(image).tobytes(),
        gain=gain,
        label=names[int(arrays["label"])],
        target=names[target] if target >= 0 else "",
        said=names[said],
        says=names[says],
        sure=float(powers[says] / powers.sum()),
        kept=bool(arrays["kept"]),
        largest=float(np.abs(image.astype(np.float64) - original / np.float64(255)).max()),
    )
