"""Data only: YAML files found through :mod:`wstdes.library`."""
