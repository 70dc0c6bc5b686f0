"""Agents: who acts. Thin SimPy processes, one noun a file."""
