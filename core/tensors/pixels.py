"""Images between the data set's layout and torch's: (n, H, W, C) grey levels, (n, C, H, W) in [0, 1]."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def to_torch(images: NDArray[np.uint8], device: str = "cpu") -> Tensor:
    """(n, H, W, C) uint8 as (n, C, H, W) float32 in [0, 1]: each grey level k is float32(k / 255)."""
    grey_levels = torch.from_numpy(np.ascontiguousarray(images)).to(device)
    return grey_levels.permute(0, 3, 1, 2).contiguous().float().div_(255)


def from_torch(images: Tensor) -> NDArray[np.float32]:
    """(n, C, H, W) float32 of torch as the contiguous (n, H, W, C) of the data set, in [0, 1] as it was."""
    pixels: NDArray[np.float32] = images.permute(0, 2, 3, 1).contiguous().cpu().numpy()
    return pixels
