"""The loop of the bridge: take a push, register it, only then let go of it."""

import json
import time

from redis.exceptions import RedisError, ResponseError

from dj_servicekit.logs import log
from download_worker.bridge.gateway_pushes import PushGateway
from download_worker.bridge.lists import PushLists
from download_worker.bridge.older_status import OlderStatus
from download_worker.bridge.pushes import Poison, parse
from download_worker.errors import GatewayAway
from download_worker.redis_client import connect
from download_worker.settings import Settings

_FIRST_WAIT_SECONDS = 0.5
_LONGEST_WAIT_SECONDS = 5.0
_LOOK_EVERY_SECONDS = 2.0
_LOOK_AT_ONCE = 20


class Bridge:
    def __init__(self, lists: PushLists, status: OlderStatus, gateway: PushGateway) -> None:
        self._lists = lists
        self._status = status
        self._gateway = gateway

    def step(self) -> None:
        """One push at most, and a look at some that are under way."""
        if not self._lists.hold_lease():
            time.sleep(_FIRST_WAIT_SECONDS)
            return
        taken = self._lists.take()
        if taken:
            self._pass_on(*taken)
        self._look_after_open()

    def _pass_on(self, name: str, raw: bytes) -> None:
        try:
            push, older_id = parse(raw)
            state = self._gateway.register(push)
        except Poison as exc:
            log.warning("push_buried", list=name, reason=str(exc))
            self._show_poison(raw, str(exc))
            self._lists.bury(name, raw, str(exc))
            return
        if older_id:
            self._status.show(older_id, state)
        self._lists.settle(name, raw)
        log.info("push_registered", list=name, job_id=state.job_id, push_id=push.id)

    def _show_poison(self, raw: bytes, reason: str) -> None:
        """An older reader waits for an answer, also when the push as a whole makes no sense."""
        try:
            older_id = json.loads(raw).get("job_id")
        except (ValueError, AttributeError, RecursionError):
            return
        if isinstance(older_id, str) and 0 < len(older_id) <= 128:
            self._status.show_poison(older_id, reason)

    def _look_after_open(self) -> None:
        for job_id, older_id in self._status.list_open(
            not_seen_for_seconds=_LOOK_EVERY_SECONDS, limit=_LOOK_AT_ONCE
        ):
            state = self._gateway.find_state(job_id)
            if state:
                self._status.show(older_id, state)
            else:
                self._status.forget(job_id, older_id)


def run_bridge(settings: Settings) -> None:
    """Until the process ends. A push that is under way then is put back by the next bridge."""
    pause = _FIRST_WAIT_SECONDS
    while True:
        redis = connect(settings, socket_timeout=10)
        lists = PushLists(redis)
        try:
            with PushGateway(settings.gateway_url, settings.service_token.get_secret_value()) as gateway:
                bridge = Bridge(lists, OlderStatus(redis), gateway)
                while True:
                    bridge.step()
                    pause = _FIRST_WAIT_SECONDS
        except GatewayAway as exc:
            log.warning("bridge_waits_for_gateway", reason=str(exc), retry_in_seconds=pause)
            _give_back(lists)
        except ResponseError as exc:
            # Somebody keeps another kind of value under the name of a list: nothing we may delete.
            log.error("bridge_refused_by_redis", reason=str(exc))
            _give_back(lists)
        except RedisError as exc:
            log.warning("redis_away", reason=str(exc), retry_in_seconds=pause)
        finally:
            redis.close()
        time.sleep(pause)
        pause = min(pause * 2, _LONGEST_WAIT_SECONDS)


def _give_back(lists: PushLists) -> None:
    """So that the next turn takes the lease anew, and with it what stands in the processing lists."""
    try:
        lists.give_lease_back()
    except RedisError as exc:
        log.warning("redis_away", reason=str(exc))
