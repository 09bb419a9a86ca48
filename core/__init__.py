"""The experiment: data, surrogate, attacks, neighbours, statistics, records. No terminal, no printing."""

__version__ = "0.1.0"
