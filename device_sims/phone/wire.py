"""The line between a phone and the platform."""

from typing import Any

import httpx2

_TRIES = 5


class PhoneProblem(Exception):
    """The platform refused something that a driver may do; the sentence says what."""


class NoSignal(Exception):
    """The platform cannot be reached, or its answer was lost."""


class Refused(PhoneProblem):
    """The platform answered with an error."""

    def __init__(self, what: str, status: int, code: str, text: str) -> None:
        super().__init__(f"{what} answered {status}: {text}")
        self.status = status
        self.code = code


class Line:
    """One phone's connection: it signs in when it has to, and again when its token is not good any more."""

    def __init__(
        self,
        url: str,
        login: str,
        password: str,
        *,
        device_id: str = "",
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self._credentials = {"login": login, "password": password}
        self._device_id = device_id
        self._client = httpx2.AsyncClient(base_url=f"{url}/api/v1", timeout=30, transport=transport)
        #: who is signed in
        self.user_id = ""
        #: requests that were sent
        self.requests = 0

    async def close(self) -> None:
        """Hang up."""
        await self._client.aclose()

    async def sign_in(self) -> None:
        """Sign in with the phone's id.

        Raises:
            PhoneProblem: when name or password are wrong.
            NoSignal: when the platform cannot be reached.
        """
        path, body = "/auth/login", self._credentials
        if self._device_id:
            path, body = "/mobile/auth/login", {**body, "device_id": self._device_id}
        answer = await self._request("POST", path, json=body)
        if not answer.is_success:
            raise PhoneProblem(f"signing in answered {answer.status_code}: {answer.text}")
        self._client.headers["Authorization"] = f"Bearer {answer.json()['data']['access_token']}"
        me = await self._request("GET", "/auth/me")
        self.user_id = me.json()["data"]["id"]

    async def ask(self, method: str, path: str, **options: Any) -> Any:
        """The `data` of an answer; None of one without content.

        Raises:
            Refused: when the platform refuses.
            NoSignal: when it cannot be reached.
        """
        for _ in range(_TRIES):
            answer = await self._request(method, path, **options)
            if answer.status_code != 401:
                break
            await self.sign_in()
        if answer.status_code == 304:
            return None
        if not answer.is_success:
            said = answer.json() if "json" in answer.headers.get("content-type", "") else {}
            raise Refused(f"{method} {path}", answer.status_code, said.get("error", {}).get("code", ""), answer.text)
        return answer.json()["data"] if answer.content else None

    async def _request(self, method: str, path: str, **options: Any) -> httpx2.Response:
        self.requests += 1
        try:
            return await self._client.request(method, path, **options)
        except httpx2.TransportError as error:
            raise NoSignal(f"{method} {path}: {error}") from error
