"""How a gateway becomes known to its cloud, and learns what the cloud wants of it."""

import asyncio
import logging
import secrets
from collections.abc import Callable

from gateway.backoff import Backoff
from gateway.clock import Clock
from gateway.cloud import Cloud, CloudError, CloudRefused
from gateway.contract import GatewayConfig, ProvisionAnswer
from gateway.errors import ClaimRefused, ConfigError
from gateway.spool import Credential, Spool, Store

_log = logging.getLogger(__name__)


async def provision(
    spool: Spool, cloud: Cloud, clock: Clock, claim_code: str | None, on_failure: Callable[[], None]
) -> Credential:
    """The saved credential, or a new one for the claim code; tries until the cloud answers.

    The secret is drawn and saved before it is sent: when the answer is lost, the same request is made again.
    `on_failure` is called after each try that did not reach the cloud.

    Raises:
        ConfigError: there is neither a credential nor a claim code.
        ClaimRefused: the cloud does not accept the code.
    """
    saved = await spool.submit(Store.credential)
    if saved is not None:
        return saved
    if claim_code is None:
        raise ConfigError("the gateway has no credential yet: set cloud.claim_code to the code that the cloud shows.")
    secret = await spool.submit(_secret)
    answer = await _ask(cloud, clock, claim_code, secret, on_failure)
    await spool.submit(lambda store: _save(store, answer))
    _log.info("provisioned as %s (%s)", answer.name, answer.gateway_id)
    return Credential(answer.gateway_id, secret)


class RemoteConfig:
    """The configuration in force. A version never changes its content, so a known one costs nothing."""

    def __init__(self, spool: Spool, cloud: Cloud, apply: Callable[[GatewayConfig], None]) -> None:
        self.current = GatewayConfig(0, [])
        self._spool = spool
        self._cloud = cloud
        self._apply = apply
        self._refused_version = 0
        self._fetching = asyncio.Lock()

    async def restore(self) -> None:
        """Apply what was saved."""
        self._try(await self._spool.submit(Store.config))

    async def seen(self, version: int, credential: Credential) -> None:
        """The cloud has mentioned a version: fetch, check, save and apply it when it is newer.

        Raises:
            CloudError: it could not be fetched; the next mention tries again.
        """
        async with self._fetching:
            if version <= max(self.current.version, self._refused_version):
                return
            config = await self._cloud.config(credential)
            if self._try(config):
                await self._spool.submit(lambda store: store.save_config(config))

    def _try(self, config: GatewayConfig) -> bool:
        try:
            self._apply(config)
        except ValueError as error:
            self._refused_version = config.version
            _log.error("configuration %d refused, %d stays: %s", config.version, self.current.version, error)
            return False
        self.current = config
        _log.info("configuration %d in force: %d limits", config.version, len(config.limits))
        return True


async def _ask(
    cloud: Cloud, clock: Clock, claim_code: str, secret: str, on_failure: Callable[[], None]
) -> ProvisionAnswer:
    backoff = Backoff()
    while True:
        try:
            return await cloud.provision(claim_code, secret)
        except CloudRefused as refusal:
            raise ClaimRefused(f"the cloud refused the claim code ({refusal}): set cloud.claim_code anew.") from None
        except CloudError as failure:
            delay_s = backoff.next_delay_s(failure.retry_after_s)
            _log.warning("provisioning: %s; again in %.0f s", failure, delay_s)
        on_failure()
        await clock.sleep(delay_s)


def _secret(store: Store) -> str:
    secret = store.meta("secret")
    if secret is None:
        secret = secrets.token_hex(32)
        store.save_meta("secret", secret)
    return secret


def _save(store: Store, answer: ProvisionAnswer) -> None:
    store.save_meta("gateway_id", answer.gateway_id)
    store.save_config(answer.config)
