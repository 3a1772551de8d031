"""How properties are tried here: few examples, always the same ones, and what failed is printed to be tried again."""

from hypothesis import HealthCheck, settings

#: the database outlives an example: each makes itself something new in it
FEW = settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    print_blob=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
