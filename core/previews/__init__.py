"""What the form shows before anything is computed, images and an attack at work, made in a process of its own."""
