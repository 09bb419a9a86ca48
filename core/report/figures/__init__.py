"""Figures for papers; loads matplotlib or Pillow."""
