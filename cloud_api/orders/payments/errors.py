"""What can go wrong with payments."""

from cloud_api.kernel.errors import Conflict, Forbidden, Invalid, Unavailable


class NothingDue(Conflict):
    """Nothing is left to be paid for this order."""

    code = "NOTHING_DUE"


class TooMuch(Conflict):
    """More than is due: somebody gave no change, or mistyped."""

    code = "TOO_MUCH"


class PaymentDiffers(Conflict):
    """The same reference came before with another amount or by another way."""

    code = "PAYMENT_DIFFERS"


class PaymentFailed(Conflict):
    """The customer's bank or the provider refused it."""

    code = "PAYMENT_FAILED"


class PaymentMismatch(Conflict):
    """What the provider says was paid is not what we asked for. Reported, and kept."""

    code = "PAYMENT_MISMATCH"
    keeps_work = True


class SignatureRefused(Invalid):
    """Nobody who knows the provider's secret signed this."""

    code = "SIGNATURE_REFUSED"


class WebhookRefused(Forbidden):
    """Whoever sent this does not know the provider's secret."""

    code = "SIGNATURE_REFUSED"


class NoProvider(Conflict):
    """Nobody has set up online payments here."""

    code = "ONLINE_PAYMENTS_OFF"


class ProviderUnavailable(Unavailable):
    """The payment provider does not answer for now."""

    code = "PAYMENT_PROVIDER_AWAY"


class CashDiffers(Conflict):
    """The driver holds another sum by now, or what was counted is not what we expect and nobody says why."""

    code = "CASH_DIFFERS"
