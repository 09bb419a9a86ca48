"""Attacks on the surrogate; `catalogue` names them without torch, `registry` builds them with it."""
