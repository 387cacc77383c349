"""Random tests that can be repeated, and made as long as one likes.

RACEWAY_SEED repeats a run: the seed of a failed test stands in what it printed. RACEWAY_STRESS=20 makes the random
tests do twenty times as much, or go on twenty times as long.
"""

import os
import random

SEED = os.environ.get("RACEWAY_SEED") or str(random.SystemRandom().randrange(10**9))
STRESS = float(os.environ.get("RACEWAY_STRESS", "1"))


def chance_of(name):
    """A generator of its own for each name: what one test draws does not depend on which others run."""
    print(f"to repeat: RACEWAY_SEED={SEED}")
    return random.Random(f"{SEED}/{name}")


def times(count):
    """`count`, or more of them under stress; a whole number, at least 1, where `count` is one."""
    return max(1, round(count * STRESS)) if isinstance(count, int) else count * STRESS
