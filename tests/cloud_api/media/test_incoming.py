"""What is arriving lies beside what is kept, and never for long."""

import os
from datetime import timedelta
from pathlib import Path

from cloud_api.kernel import clock
from cloud_api.media.landing import INCOMING
from cloud_api.media.sweeper import UploadSweeper
from cloud_api.media.uploads import KEPT_FOR


def test_what_a_killed_process_was_taking_in_goes_after_a_day(tmp_path: Path) -> None:
    incoming = tmp_path / INCOMING
    incoming.mkdir()
    (incoming / "half").write_bytes(b"x")
    sweeper = UploadSweeper(None, tmp_path)  # type: ignore[arg-type]  # asks no database
    sweeper.clear_incoming()
    assert (incoming / "half").exists()
    then = (clock.machine_now() - KEPT_FOR - timedelta(minutes=1)).timestamp()
    os.utime(incoming / "half", (then, then))
    sweeper.clear_incoming()
    assert not (incoming / "half").exists()
