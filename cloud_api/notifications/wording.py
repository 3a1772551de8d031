"""What is told of an order on its way, and of the fleet: a table by kind, channel and language.

Each text is a template of `templates`; what may stand in it, its kind says. A customer's are an SMS and a mail; those
of colleagues are one for all channels on which they are told, the subject being its title.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Audience = Literal["customer", "staff"]
TemplateChannel = Literal["sms", "mail", "push"]

_CHANNELS: Mapping[Audience, tuple[TemplateChannel, ...]] = {"customer": ("sms", "mail"), "staff": ("push",)}


@dataclass(frozen=True)
class Words:
    """One text of a kind, in one language on one channel."""

    body: str
    #: empty on an SMS
    subject: str = ""


@dataclass(frozen=True)
class Kind:
    """One kind of message."""

    audience: Audience
    #: what may stand in it, each with a sample of a usual length
    values: Mapping[str, str]
    #: (channel, language) -> the built-in words
    words: Mapping[tuple[TemplateChannel, str], Words]
    #: those that must stand in it, or it says nothing
    needed: frozenset[str] = field(default_factory=frozenset)

    @property
    def channels(self) -> tuple[TemplateChannel, ...]:
        """On which it goes out."""
        return _CHANNELS[self.audience]


#: every customer's message knows these by itself
COMMON = {"company": "The farm that delivers", "name": "The customer"}
_LINK = {"link": "https://coldfleet.example/t/Zk3vWb9QxT5mJr2LpYc8NA"}
_ORDER = {"order": "ORD-2026-00042"}
_BAND = {"eta_from": "10:15", "eta_until": "10:40"}
_STAFF_ROUTE = {"route": "RT-2026-00007", "vehicle": "KA-01-AB-1234"}


def _customer(
    values: Mapping[str, str], *, en: tuple[str, str, str], hi: tuple[str, str, str], needed: str = ""
) -> Kind:
    """With, in each language, the SMS, the mail's subject and the mail's text."""
    words: dict[tuple[TemplateChannel, str], Words] = {}
    for language, (sms, subject, body) in {"en": en, "hi": hi}.items():
        words["sms", language] = Words(sms)
        words["mail", language] = Words(body, subject)
    return Kind("customer", {**COMMON, **values}, words, frozenset(needed.split()))


def _staff(values: Mapping[str, str], *, en: tuple[str, str], hi: tuple[str, str]) -> Kind:
    """With, in each language, the title and the text."""
    words: dict[tuple[TemplateChannel, str], Words] = {
        ("push", language): Words(body, title) for language, (title, body) in {"en": en, "hi": hi}.items()
    }
    return Kind("staff", values, words)


KINDS: Mapping[str, Kind] = {
    "order.packed": _customer(
        {**_ORDER, "day": "2026-11-22", "window_from": "10:00", "window_until": "12:00"},
        en=(
            "{{ company }}: your order {{ order }} is packed. We bring it on {{ day }} between {{ window_from }} and "
            "{{ window_until }}.",
            "Your order {{ order }} is packed",
            "Your order {{ order }} is packed. We bring it on {{ day }} between {{ window_from }} and "
            "{{ window_until }}.",
        ),
        hi=(
            "{{ company }}: ऑर्डर {{ order }} पैक हो गया। {{ day }} को {{ window_from }}-{{ window_until }} बजे पहुँचेगा।",
            "आपका ऑर्डर {{ order }} पैक हो गया है",
            "आपका ऑर्डर {{ order }} पैक हो गया है। हम इसे {{ day }} को {{ window_from }} और {{ window_until }} बजे के बीच "
            "पहुँचाएँगे।",
        ),
    ),
    "stop.next": _customer(
        {**_ORDER, **_BAND, **_LINK},
        en=(
            "{{ company }}: you are next. Order {{ order }} arrives {% if eta_from %}between {{ eta_from }} and "
            "{{ eta_until }}{% else %}soon{% endif %}.{% if link %} {{ link }}{% endif %}",
            "You are next: order {{ order }}",
            "The van with your order {{ order }} is on its way to you"
            "{% if eta_from %} and should arrive between {{ eta_from }} and {{ eta_until }}{% endif %}."
            "{% if link %}\n\nFollow it here: {{ link }}{% endif %}",
        ),
        hi=(
            "अगला पड़ाव आप हैं। {{ order }} {% if eta_from %}{{ eta_from }}-{{ eta_until }} बजे{% else %}जल्द{% endif %}।"
            "{% if link %} {{ link }}{% endif %}",
            "अगला पड़ाव आप हैं: ऑर्डर {{ order }}",
            "आपके ऑर्डर {{ order }} की गाड़ी आपकी ओर आ रही है"
            "{% if eta_from %}, {{ eta_from }} और {{ eta_until }} बजे के बीच पहुँचेगी{% endif %}।"
            "{% if link %}\n\nयहाँ देखें: {{ link }}{% endif %}",
        ),
    ),
    "stop.arrived": _customer(
        {**_ORDER, **_LINK},
        en=(
            "{{ company }}: your order {{ order }} is at your door.",
            "Your order {{ order }} is at your door",
            "The van with your order {{ order }} stands at your door.",
        ),
        hi=(
            "{{ company }}: आपका ऑर्डर {{ order }} आपके दरवाज़े पर है।",
            "आपका ऑर्डर {{ order }} आपके दरवाज़े पर है",
            "आपके ऑर्डर {{ order }} की गाड़ी आपके दरवाज़े पर खड़ी है।",
        ),
    ),
    "stop.failed": _customer(
        {**_ORDER, "reason": "nobody was there", **_LINK},
        en=(
            "{{ company }}: we could not hand over order {{ order }}: {{ reason }}. We will be in touch."
            "{% if link %} {{ link }}{% endif %}",
            "We could not hand over your order {{ order }}",
            "We could not hand over your order {{ order }}: {{ reason }}. We will be in touch about what comes next."
            "{% if link %}\n\n{{ link }}{% endif %}",
        ),
        hi=(
            "ऑर्डर {{ order }} नहीं दिया जा सका: {{ reason }}।{% if link %} {{ link }}{% endif %}",
            "आपका ऑर्डर {{ order }} नहीं दिया जा सका",
            "आपका ऑर्डर {{ order }} नहीं दिया जा सका: {{ reason }}। आगे क्या होगा, हम आपको बताएँगे।"
            "{% if link %}\n\n{{ link }}{% endif %}",
        ),
    ),
    "stop.delivered": _customer(
        {**_ORDER, "at": "10:32", **_LINK},
        en=(
            "{{ company }}: your order {{ order }} was handed over at {{ at }}.{% if link %} {{ link }}{% endif %}",
            "Your order {{ order }} was handed over",
            "Your order {{ order }} was handed over at {{ at }}. Thank you."
            "{% if link %}\n\nThe proof is kept here: {{ link }}{% endif %}",
        ),
        hi=(
            "ऑर्डर {{ order }} {{ at }} बजे दे दिया गया।{% if link %} {{ link }}{% endif %}",
            "आपका ऑर्डर {{ order }} दे दिया गया",
            "आपका ऑर्डर {{ order }} {{ at }} बजे दे दिया गया। धन्यवाद।{% if link %}\n\n{{ link }}{% endif %}",
        ),
    ),
    "eta.moved": _customer(
        {**_ORDER, **_BAND, **_LINK},
        en=(
            "{{ company }}: new time for order {{ order }}: between {{ eta_from }} and {{ eta_until }}."
            "{% if link %} {{ link }}{% endif %}",
            "A new time for your order {{ order }}",
            "Your order {{ order }} should now arrive between {{ eta_from }} and {{ eta_until }}."
            "{% if link %}\n\nFollow it here: {{ link }}{% endif %}",
        ),
        hi=(
            "{{ order }}: नया समय {{ eta_from }}-{{ eta_until }} बजे।{% if link %} {{ link }}{% endif %}",
            "आपके ऑर्डर {{ order }} का नया समय",
            "आपका ऑर्डर {{ order }} अब {{ eta_from }} और {{ eta_until }} बजे के बीच पहुँचेगा।"
            "{% if link %}\n\nयहाँ देखें: {{ link }}{% endif %}",
        ),
    ),
    "delivery.otp": _customer(
        {**_ORDER, "code": "493817", "minutes": "240"},
        en=(
            "{{ code }} is the code for your order {{ order }} from {{ company }}. Say it to the driver only when you "
            "have the goods.",
            "The code for your order {{ order }}",
            "{{ code }} is the code for your order {{ order }}.\n\nSay it to the driver only when you have the goods.",
        ),
        hi=(
            "{{ code }} आपके ऑर्डर {{ order }} का कोड है। सामान मिलने पर ही ड्राइवर को बताएँ।",
            "आपके ऑर्डर {{ order }} का कोड",
            "{{ code }} आपके ऑर्डर {{ order }} का कोड है।\n\nसामान मिलने पर ही इसे ड्राइवर को बताएँ।",
        ),
        needed="code",
    ),
    "delivery.message": _customer(
        {**_ORDER, "text": "I am at the back gate"},
        en=(
            "{{ company }}, order {{ order }}, your driver: {{ text }}",
            "From your driver: order {{ order }}",
            "Your driver writes about order {{ order }}:\n\n{{ text }}",
        ),
        hi=(
            "{{ company }}, ऑर्डर {{ order }}, ड्राइवर: {{ text }}",
            "आपके ड्राइवर से: ऑर्डर {{ order }}",
            "ऑर्डर {{ order }} के बारे में आपके ड्राइवर ने लिखा है:\n\n{{ text }}",
        ),
        needed="text",
    ),
    "payment.refunded": _customer(
        {**_ORDER, "amount": "INR 1,425.50"},
        en=(
            "{{ company }}: {{ amount }} of your order {{ order }} are on their way back to you.",
            "{{ amount }} of your order {{ order }} are refunded",
            "{{ amount }} of your order {{ order }} are on their way back to you, the way they came.",
        ),
        hi=(
            "{{ company }}: ऑर्डर {{ order }} के {{ amount }} वापस किए जा रहे हैं।",
            "आपके ऑर्डर {{ order }} के {{ amount }} वापस किए जा रहे हैं",
            "आपके ऑर्डर {{ order }} के {{ amount }} उसी तरीके से वापस किए जा रहे हैं जिससे भुगतान हुआ था।",
        ),
        needed="amount",
    ),
    "route.published": _staff(
        {**_STAFF_ROUTE, "day": "2026-11-22", "departs_at": "08:00", "stops": "18"},
        en=("Route {{ route }} is yours", "{{ day }} at {{ departs_at }}, {{ stops }} stops, van {{ vehicle }}"),
        hi=("रूट {{ route }} आपका है", "{{ day }}, {{ departs_at }} बजे, {{ stops }} पड़ाव, गाड़ी {{ vehicle }}"),
    ),
    "route.changed": _staff(
        {**_STAFF_ROUTE, "why": "an order was cancelled"},
        en=("Route {{ route }} has changed", "Look at your stops again{% if why %}: {{ why }}{% endif %}"),
        hi=("रूट {{ route }} बदल गया है", "अपने पड़ाव फिर से देखें{% if why %}: {{ why }}{% endif %}"),
    ),
    "delivery.failed": _staff(
        {**_ORDER, **_STAFF_ROUTE, "reason": "nobody was there", "customer": "Corner Kitchen"},
        en=("Order {{ order }} was not handed over", "{{ customer }}: {{ reason }}. Route {{ route }}, {{ vehicle }}"),
        hi=("ऑर्डर {{ order }} नहीं दिया जा सका", "{{ customer }}: {{ reason }}। रूट {{ route }}, {{ vehicle }}"),
    ),
    "van.warm": _staff(
        {"vehicle": "KA-01-AB-1234", "what": "temperature above 8 °C"},
        en=(
            "Van {{ vehicle }}: {{ what }}",
            "What lies in it is held and must not be handed over. Close the doors, look at the cooling and call "
            "dispatch.",
        ),
        hi=(
            "गाड़ी {{ vehicle }}: {{ what }}",
            "इसमें रखा माल रोक दिया गया है, उसे न दें। दरवाज़े बंद करें, कूलिंग देखें और डिस्पैच को फ़ोन करें।",
        ),
    ),
    "phone.silent": _staff(
        _STAFF_ROUTE,
        en=("Van {{ vehicle }} is silent", "Route {{ route }} is under way, and the phone in it says nothing."),
        hi=("गाड़ी {{ vehicle }} से कोई सूचना नहीं", "रूट {{ route }} चल रहा है, पर उसका फ़ोन कुछ नहीं बता रहा।"),
    ),
    "replan.proposed": _staff(
        {"warehouse": "Bengaluru South", "day": "2026-11-22", "why": "van KA-01-AB-1234 broke down"},
        en=("A change of plan waits for you", "{{ warehouse }}, {{ day }}{% if why %}: {{ why }}{% endif %}"),
        hi=("योजना में बदलाव का प्रस्ताव है", "{{ warehouse }}, {{ day }}{% if why %}: {{ why }}{% endif %}"),
    ),
    "fleet.due": _staff(
        {"vehicle": "KA-01-AB-1234", "what": "insurance", "on": "2026-12-01"},
        en=("Van {{ vehicle }}: {{ what }}", "Due on {{ on }}"),
        hi=("गाड़ी {{ vehicle }}: {{ what }}", "{{ on }} तक"),
    ),
}
