"""What the page says to whoever waits for an order, by language."""

from collections.abc import Mapping

ENGLISH: Mapping[str, str] = {
    "title": "Your delivery",
    "order": "Order {number}",
    "eta": "Expected about",
    "by": "nine times out of ten by {time}",
    "late": "later than the window that was agreed",
    "window": "Agreed window",
    "before_0": "You are next",
    "before_1": "1 stop before you",
    "before_n": "{count} stops before you",
    "van": "The van is {distance} away",
    "grid": "Where the van is, seen from your door",
    "door": "Your door",
    "handed_over": "Handed over",
    "proof_photo": "A photo of the hand-over is kept.",
    "proof_signature": "A signature is kept.",
    "temperature": "Temperature at hand-over",
    "updated": "As of {time}. This page renews itself.",
    "final": "As of {time}.",
    "taken": "Order taken",
    "packed": "Packed",
    "on_the_way": "On the way",
    "next": "You are next",
    "arrived": "At your door",
    "delivered": "Delivered",
    "done": "done",
    "to_come": "to come",
    "say_taken": "We have your order.",
    "say_packed": "Your order is packed and waits for its van.",
    "say_on_the_way": "Your order is on its way.",
    "say_next": "The van is on its way to you.",
    "say_arrived": "The van is at your door.",
    "say_delivered": "Your order was delivered.",
    "say_failed": "We could not hand over your order. The store will tell you when we come again.",
    "say_returned": "Your order went back to the store.",
    "say_cancelled": "This order was cancelled.",
    "unknown_title": "This address shows nothing",
    "unknown_text": "It is not complete, or its time is over.",
    "unknown_help": "Open the newest message that the store sent you, or ask the store where your order is.",
}

HINDI: Mapping[str, str] = {
    "title": "आपकी डिलीवरी",
    "order": "ऑर्डर {number}",
    "eta": "पहुँचने का अनुमानित समय",
    "by": "दस में से नौ बार {time} तक",
    "late": "तय समय के बाद",
    "window": "तय समय",
    "before_0": "अगली बारी आपकी है",
    "before_1": "आपसे पहले 1 पड़ाव",
    "before_n": "आपसे पहले {count} पड़ाव",
    "van": "गाड़ी {distance} दूर है",
    "grid": "आपके दरवाज़े से गाड़ी कहाँ है",
    "door": "आपका दरवाज़ा",
    "handed_over": "सौंपा गया",
    "proof_photo": "सौंपने की फ़ोटो रखी गई है।",
    "proof_signature": "हस्ताक्षर रखा गया है।",
    "temperature": "सौंपते समय तापमान",
    "updated": "{time} की स्थिति। यह पृष्ठ अपने आप ताज़ा होता है।",
    "final": "{time} की स्थिति।",
    "taken": "ऑर्डर मिला",
    "packed": "पैक हुआ",
    "on_the_way": "रास्ते में",
    "next": "अगली बारी आपकी",
    "arrived": "आपके दरवाज़े पर",
    "delivered": "पहुँचा दिया",
    "done": "हो गया",
    "to_come": "बाक़ी",
    "say_taken": "आपका ऑर्डर हमें मिल गया है।",
    "say_packed": "आपका ऑर्डर पैक है और गाड़ी का इंतज़ार कर रहा है।",
    "say_on_the_way": "आपका ऑर्डर रास्ते में है।",
    "say_next": "गाड़ी आपकी ओर आ रही है।",
    "say_arrived": "गाड़ी आपके दरवाज़े पर है।",
    "say_delivered": "आपका ऑर्डर पहुँचा दिया गया।",
    "say_failed": "हम आपका ऑर्डर सौंप नहीं पाए। अगली बार कब आएँगे, यह आपको दुकान बताएगी।",
    "say_returned": "आपका ऑर्डर दुकान को लौट गया।",
    "say_cancelled": "यह ऑर्डर रद्द कर दिया गया।",
    "unknown_title": "इस पते पर कुछ नहीं है",
    "unknown_text": "पता अधूरा है, या उसका समय समाप्त हो गया है।",
    "unknown_help": "दुकान का भेजा सबसे नया संदेश खोलें, या दुकान से पूछें कि आपका ऑर्डर कहाँ है।",
}

_LANGUAGES: Mapping[str, Mapping[str, str]] = {"en": ENGLISH, "hi": HINDI}


def language_of(locale: str) -> str:
    """The language in which a page is written for somebody of this locale (BCP 47): English unless we know theirs."""
    language = locale.partition("-")[0]
    return language if language in _LANGUAGES else "en"


def words_of(language: str) -> Mapping[str, str]:
    """What stands on the page."""
    return _LANGUAGES[language]
