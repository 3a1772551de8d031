"""`/console/settings/providers`: identity providers and directories that people sign in through."""

from collections.abc import Mapping

from fastapi import Request, Response

from cloud_api.console import clashes, forms
from cloud_api.console.asking import Answer, Desk, Refused
from cloud_api.console.pages import Visitor, go, show
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.tables import table

router = console_router("/settings/providers")
PROVIDERS = "/console/settings/providers"
_SOURCE = "/admin/identity-providers"
KINDS: Mapping[str, str] = {"oidc": "OpenID provider", "ldap": "Directory (LDAP)"}
_BOTH = ("name", "display_name", "default_role")
_OF_KIND: Mapping[str, tuple[str, ...]] = {
    "oidc": ("issuer", "client_id", "scopes", "role_claim", "redirect_url"),
    "ldap": ("url", "base_dn", "user_filter", "bind_dn", "ca_certificates"),
}
#: never shown again
_SECRETS: Mapping[str, str] = {"oidc": "client_secret", "ldap": "bind_password"}
_TICKS: Mapping[str, tuple[str, ...]] = {
    "oidc": ("create_users", "is_active"),
    "ldap": ("create_users", "is_active", "start_tls", "trusts_email"),
}
#: what two people may say differently, as the form calls it
_LABELS = {
    "display_name": "Name on the sign-in",
    "name": "Short name",
    "issuer": "Issuer",
    "redirect_url": "Redirect address",
    "client_id": "Client ID",
    "scopes": "Scopes",
    "role_claim": "Claim with the groups",
    "url": "Address",
    "base_dn": "Where people are looked for",
    "bind_dn": "Who looks",
    "user_filter": "How somebody is found",
    "ca_certificates": "Certificates of its authority",
    "role_mapping": "Groups and roles",
    "default_role": "Role of everybody else",
    "allowed_domains": "Only with addresses of",
    "is_active": "People can sign in through it",
    "create_users": "Make an account for whoever comes the first time",
    "start_tls": "Encrypt the connection (StartTLS)",
    "trusts_email": "Its mail addresses are true: they tell which account is somebody's",
}


@router.get("")
async def list_providers(request: Request, desk: AtDesk) -> Response:
    """Whom the organisation trusts to say who somebody is."""
    return show(request, "settings/providers.html", table=await table(request, desk, _SOURCE), kinds=KINDS)


@router.get("/new")
async def show_new(request: Request, desk: AtDesk, who: Looking) -> Response:
    """The form; `kind` is what it is for."""
    kind = "ldap" if request.query_params.get("kind") == "ldap" else "oidc"
    usual = {"scopes": "openid email profile", "role_claim": "groups", "user_filter": "(uid={login})"}
    form = forms.Form.of(usual, kind=kind, is_active=True, start_tls=True)
    return await _page(request, desk, who, form, kind)


@router.post("/new")
async def connect(request: Request, desk: AtDesk, who: Looking) -> Response:
    """Trust another one."""
    form = await forms.read(request)
    kind = "ldap" if form.get("kind") == "ldap" else "oidc"
    try:
        await desk.do("POST", _SOURCE, _body(form, kind), key=form.key)
    except Refused as refused:
        _beside(form, refused, kind)
        return await _page(request, desk, who, form, kind, status=refused.status)
    return go(request, PROVIDERS, said="People can sign in through it now.")


@router.get("/{id}")
async def show_provider(request: Request, desk: AtDesk, who: Looking, id: str) -> Response:
    """One identity provider, in a form where it can be changed."""
    provider = await desk.get(f"{_SOURCE}/{id}")
    return await _page(request, desk, who, _form_of(provider), provider["kind"], provider=provider)


@router.post("/{id}")
async def change(request: Request, desk: AtDesk, who: Looking, id: str) -> Response:
    """Change all but its kind; a secret that is not typed stays."""
    form = await forms.read(request)
    provider = await desk.get(f"{_SOURCE}/{id}")
    try:
        body = {**_body(form, provider["kind"]), **clashes.version_of(form)}
        await desk.do("PUT", f"{_SOURCE}/{id}", body, key=form.key)
    except Refused as refused:
        _beside(form, refused, provider["kind"])
        provider = await desk.get(f"{_SOURCE}/{id}")
        asked = {*form.values, *_TICKS[provider["kind"]]}
        labels = {name: label for name, label in _LABELS.items() if name in asked}
        clashes.meet(form, refused, _form_of(provider), clashes.said(who, labels))
        return await _page(request, desk, who, form, provider["kind"], provider=provider, status=refused.status)
    return go(request, PROVIDERS, said="Saved.")


@router.post("/{id}/disconnect")
async def disconnect(request: Request, desk: AtDesk, id: str) -> Response:
    """Trust it no longer."""
    await desk.do("DELETE", f"{_SOURCE}/{id}")
    return go(request, PROVIDERS, said="Nobody signs in through it any more.")


def _body(form: forms.Form, kind: str) -> dict[str, Answer]:
    """What was typed; lines of `group = role` are the mapping, domains stand with blanks or commas between."""
    lines = [line.rpartition("=") for line in form.get("role_mapping").splitlines() if line.strip()]
    body = form.body(*_BOTH, *_OF_KIND[kind], kind=kind)
    body["role_mapping"] = {group.strip(): role.strip() for group, _, role in lines}
    body["allowed_domains"] = form.get("allowed_domains").lower().replace(",", " ").split()
    body |= {name: form.ticked(name) for name in _TICKS[kind]}
    if form.values.get(_SECRETS[kind]):
        body[_SECRETS[kind]] = form.values[_SECRETS[kind]]
    return body


def _form_of(provider: Answer) -> forms.Form:
    mapping = "\n".join(f"{group} = {role}" for group, role in provider["role_mapping"].items())
    plain = {name: said for name, said in provider.items() if not isinstance(said, dict | list)}
    domains = " ".join(provider["allowed_domains"])
    return forms.Form.of(plain, role_mapping=mapping, allowed_domains=domains, issuer=provider["url"])


def _beside(form: forms.Form, refused: Refused, kind: str) -> None:
    """The API names a field within the kind's own body."""
    form.refuse(refused, **{name: name.removeprefix(f"{kind}.") for name in refused.fields})


async def _page(
    request: Request,
    desk: Desk,
    who: Visitor,
    form: forms.Form,
    kind: str,
    *,
    provider: Answer | None = None,
    status: int = 200,
) -> Response:
    roles = await desk.every("/admin/roles") if who.may("roles:read") else []
    return show(
        request,
        "settings/provider.html",
        status=status,
        form=form,
        kind=kind,
        kinds=KINDS,
        provider=provider,
        roles=sorted(role["name"] for role in roles),
        secret=_SECRETS[kind],
        callback=str(request.url.replace(path="/console/sign-in/callback", query="")),
    )
