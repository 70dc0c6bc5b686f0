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
        text = f"{self.seed}/{len(agent)}:{agent}/{len(purpose)}:{purpose}/{index}"
        key = hashlib.blake2b(text.encode(), digest_size=16).digest()
        return np.random.Generator(np.random.Philox(key=np.frombuffer(key, dtype="<u8")))
