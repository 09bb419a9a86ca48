"""Faults by seed: what a disk, a kill, another process, anybody's files can do, and what must be so afterwards."""
