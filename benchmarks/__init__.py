"""Side-by-side measurements; nothing is asserted on how long anything takes."""
