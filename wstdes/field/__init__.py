"""One field, from a catalogue to an allocation in files that people use."""

from __future__ import annotations
