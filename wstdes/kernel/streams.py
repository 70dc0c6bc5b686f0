"""Named random numbers: a stream for each agent, purpose and index.

A stream's seed is a hash of the run's seed and its path, so adding an agent or changing a policy
never shifts another's draws, and no generator's state has to be kept.
"""

from __future__ import annotations

import hashlib

import numpy as np

__all__ = ["Streams"]


class Streams:
    """Random generators by name.

    Parameters
    ----------
    seed : int
        The run's seed.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def __call__(self, agent: str, purpose: str, index: int = 0) -> np.random.Generator:
        """Return the generator of a path, from its beginning.

        Parameters
        ----------
        agent : str
            Who draws.
        purpose : str
            What for.
        index : int, optional
            Night or event number.

        Returns
        -------
        numpy.random.Generator
            A fresh Philox generator; the same path gives the same numbers.
        """
        key = self._hash(agent, purpose, index)
        return np.random.Generator(np.random.Philox(key=np.frombuffer(key, dtype="<u8")))

    def uniform(self, agent: str, purpose: str, index: int = 0) -> float:
        """Return one number, even in [0, 1), of a path: where no generator is worth its making."""
        key = self._hash(agent, purpose + "/uniform", index)
        return (int.from_bytes(key[:8], "little") >> 11) * 2.0**-53

    def _hash(self, agent: str, purpose: str, index: int) -> bytes:
        text = f"{self.seed}/{len(agent)}:{agent}/{len(purpose)}:{purpose}/{index}"
        return hashlib.blake2b(text.encode(), digest_size=16).digest()
