"""What is decided. Pure: a view of the state in, a decision out."""

from wstdes.policies.base import NoOptions, Policy
from wstdes.policies.registry import BUILT_IN, check_policies, known_policies, make_policy

__all__ = ["BUILT_IN", "NoOptions", "Policy", "check_policies", "known_policies", "make_policy"]
