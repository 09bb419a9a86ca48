"""Tables and exports of a finished, or half finished, experiment. Nothing here computes a number anew."""
