"""What is computed: pure functions. No SimPy, no files, no clock."""
