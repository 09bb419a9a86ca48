"""What a form shows before anything is computed: images, an attack at work; by a process of its own."""
