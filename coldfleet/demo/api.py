"""The platform's API as a person uses it: signed in, and signed in again when the hour is over."""

import time
from typing import Any

import httpx2

from coldfleet.demo.processes import DemoProblem

ADMIN = "admin"
PASSWORD = "Cold-room-1"  # noqa: S105 - of a demonstration on this machine, gone with it
#: what an administrator gives somebody new, who has to change it
GIVEN_PASSWORD = "Given-room-7"  # noqa: S105 - the same


class Api:
    """One person's connection."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._client = httpx2.Client(base_url=f"{url}/api/v1", timeout=20)

    def get(self, path: str, **parameters: str) -> Any:
        """The `data` of an answer."""
        return self._request("GET", path, params=parameters)

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """The `data` of an answer."""
        return self._request("POST", path, json=body or {})

    def try_post(self, path: str, body: dict[str, Any] | None = None) -> bool:
        """Whether a POST is accepted."""
        return self._send("POST", path, json=body or {}).is_success

    def put(self, path: str, body: dict[str, Any]) -> Any:
        """The `data` of an answer."""
        return self._request("PUT", path, json=body)

    def take_own_password(self, login: str, *, given: str, chosen: str) -> None:
        """Do what somebody new has to do first: take another password than the one an administrator gave them."""
        signed_in = self.post("/auth/login", {"login": login, "password": given})
        answer = self._client.post(
            "/auth/change-password",
            json={"current_password": given, "new_password": chosen},
            headers={"Authorization": f"Bearer {signed_in['access_token']}"},
        )
        if not answer.is_success:
            raise DemoProblem(f"{login} could not change the password: {answer.status_code} {answer.text}")

    def close(self) -> None:
        """Hang up."""
        self._client.close()

    def _request(self, method: str, path: str, **options: Any) -> Any:
        answer = self._send(method, path, **options)
        if not answer.is_success:
            raise DemoProblem(f"{method} {path} answered {answer.status_code}: {answer.text}")
        return answer.json()["data"]

    def _send(self, method: str, path: str, **options: Any) -> httpx2.Response:
        answer = self._client.request(method, path, **options)
        if answer.status_code == 401:
            self._sign_in()
            answer = self._client.request(method, path, **options)
        return answer

    def _sign_in(self) -> None:
        answer = self._client.post("/auth/login", json={"login": ADMIN, "password": PASSWORD})
        if not answer.is_success:
            raise DemoProblem(f"signing in answered {answer.status_code}: {answer.text}")
        self._client.headers["Authorization"] = f"Bearer {answer.json()['data']['access_token']}"


def wait_until(condition: Any, *, timeout_s: float) -> bool:
    """Whether `condition()` became true within `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.1)
    return True
