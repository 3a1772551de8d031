"""How an organisation's pages look: its name, its colour, its logo."""

from dataclasses import dataclass
from urllib.parse import urlencode

from cloud_api.console.asking import Answer
from cloud_api.kernel.colours import LEAST_CONTRAST, WHITE, contrast

_OURS = "/api/v1/organizations/"


@dataclass(frozen=True)
class Look:
    """What pages show of an organisation; Coldfleet's own, where nothing is said."""

    slug: str = ""
    name: str = "Coldfleet"
    #: of this platform only: the page's policy loads no others
    logo: str = ""
    #: `#rrggbb` that white text can be read on; empty: the platform's own
    colour: str = ""
    #: ways to sign in beside a password
    providers: tuple[Answer, ...] = ()

    def address(self, path: str, **query: str) -> str:
        """A page before the sign-in, of the same organisation."""
        asked = {name: said for name, said in {"organization": self.slug, **query}.items() if said}
        return f"{path}?{urlencode(asked)}" if asked else path


def look_of(branding: Answer, slug: str = "", providers: tuple[Answer, ...] = ()) -> Look:
    """From the API's white label."""
    logo, colour = str(branding["logo_url"]), str(branding["primary_colour"])
    readable = contrast(colour, WHITE) >= LEAST_CONTRAST
    return Look(slug, branding["name"], logo if logo.startswith(_OURS) else "", colour if readable else "", providers)
