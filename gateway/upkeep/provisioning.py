"""How a gateway becomes known to its cloud: a claim code is traded for an identity."""

import logging
from collections.abc import Callable

from gateway.backoff import Backoff
from gateway.clock import Clock
from gateway.contract import GatewayConfig
from gateway.credentials import Credentials
from gateway.errors import ClaimRefused, ConfigError
from gateway.uplink.cloud import Cloud, CloudError, CloudRefused

_log = logging.getLogger(__name__)


async def provision(
    credentials: Credentials, cloud: Cloud, clock: Clock, claim_code: str | None, on_failure: Callable[[], None]
) -> GatewayConfig | None:
    """Claim the gateway unless it has been claimed; tries until the cloud answers.

    The secret is drawn and saved before it is sent: when the answer is lost, the same request is made again.
    `on_failure` is called after each try that did not reach the cloud.

    Returns:
        The first configuration; None when the gateway had been claimed before.

    Raises:
        ConfigError: there is neither a credential nor a claim code.
        ClaimRefused: the cloud does not accept the code.
    """
    if credentials.gateway_id is not None:
        return None
    if claim_code is None:
        raise ConfigError("the gateway has no credential yet: set cloud.claim_code to the code that the cloud shows.")
    backoff = Backoff()
    while True:
        try:
            return await _claim(credentials, cloud, claim_code)
        except CloudRefused as refusal:
            raise ClaimRefused(f"the cloud refused the claim code ({refusal}): set cloud.claim_code anew.") from None
        except (CloudError, OSError) as failure:  # OSError: the disk does not take the secret
            delay_s = backoff.next_delay_s(failure.retry_after_s if isinstance(failure, CloudError) else 0.0)
            _log.warning("provisioning: %s; again in %.0f s", failure, delay_s)
        on_failure()
        await clock.sleep(delay_s)


async def _claim(credentials: Credentials, cloud: Cloud, claim_code: str) -> GatewayConfig:
    answer = await cloud.provision(claim_code, await credentials.first_secret())
    await credentials.claimed(answer.gateway_id, answer.config_key)
    _log.info("provisioned as %s (%s)", answer.name, answer.gateway_id)
    return answer.config
