"""Attacks on the surrogate, a file each; `registry` names them. All import torch when it is first used."""
