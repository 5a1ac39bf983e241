"""How many examples a property test tries: few and always the same, or many by chance.

POSTERN_DEEPER=20 tries twenty times as many, other ones each time.
"""

import os

from hypothesis import HealthCheck, settings

FACTOR = int(os.environ.get("POSTERN_DEEPER", "1"))


def examples(count: int, *, steps: int = 50) -> settings:
    """Settings for `count` examples, of up to `steps` steps where a test has steps."""
    return settings(
        max_examples=count * FACTOR,
        stateful_step_count=steps,
        derandomize=FACTOR == 1,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        print_blob=FACTOR > 1,
    )
