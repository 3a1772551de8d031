"""Collections of garbage stay out of requests. It is a matter of the whole process: each story has one of its own."""

import subprocess
import sys

_SETTLED = """
import gc
from cloud_api.kernel import garbage

made_before = [[] for _ in range(100_000)]
garbage.settle()
"""


def _tells(story: str) -> str:
    ran = subprocess.run([sys.executable, "-c", _SETTLED + story], capture_output=True, text=True, check=True)
    return ran.stdout.strip()


def test_what_a_process_is_made_of_is_not_looked_through_again() -> None:
    assert _tells("print(gc.get_freeze_count() > 100_000, len(gc.get_objects()) < 10_000)") == "True True"


def test_what_its_first_work_adds_is_put_aside_too_but_not_for_ever() -> None:
    story = """
for turn in range(8):
    kept = [[] for _ in range(1_000)]
    before = gc.get_freeze_count()
    gc.collect()
    made_before.append(kept)
    print(int(gc.get_freeze_count() - before > 900), end="")
print(len(gc.callbacks))
"""
    assert _tells(story) == "111110000"


def test_garbage_is_still_given_back() -> None:
    story = """
import weakref
class Ring:
    pass
for _ in range(6):
    gc.collect()
ring = Ring()
ring.itself, seen = ring, weakref.ref(ring)
del ring
gc.collect()
print(seen() is None)
"""
    assert _tells(story) == "True"
