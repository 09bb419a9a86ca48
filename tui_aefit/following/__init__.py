"""Turns events and records of experiments into what a screen or a shell shows; knows no screen."""
