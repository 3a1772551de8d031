"""What this room refuses."""

from cloud_api.kernel.errors import Conflict, Invalid, NotFound, Unavailable


class SettingRefused(Invalid):
    """A setting that does not exist, or a value that it cannot have."""

    code = "SETTING_REFUSED"


class ChangedMeanwhile(Conflict):
    """Somebody else has set it since it was read."""

    code = "CHANGED_MEANWHILE"


class UnknownSetting(NotFound):
    """There is no setting of this name."""

    def __init__(self, key: str) -> None:
        super().__init__(f"no setting {key!r}: GET /api/v1/admin/settings lists them", field="key")


class EndsBeforeNow(Invalid):
    """Maintenance that would be over already."""

    code = "ENDS_BEFORE_NOW"

    def __init__(self) -> None:
        super().__init__("that is past already: say when it is to be over, or leave it empty", field="until")


class UnderMaintenance(Unavailable):
    """Nobody may write at present; reading goes on."""

    code = "MAINTENANCE"
