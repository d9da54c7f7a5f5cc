"""What the house does by itself from hour to hour: telling people in time."""

from __future__ import annotations

import logging

from django.core.cache import cache
from rq import Worker

from consent.services.expiry import expiry_tell
from consent.services.notices import letters_send
from consent.services.receipt_letters import receipts_send_late

log = logging.getLogger(__name__)

EVERY_S = 3600


def notices_send() -> None:
    """The job: tell of consents that come to their end, and mail what is left."""
    told, sent, late = expiry_tell(), letters_send(), receipts_send_late()
    if told or sent or late:
        log.info("notices told=%d letters=%d receipts=%d", told, sent, late)


class HouseWorker(Worker):
    """A worker that puts notices_send on the queue once an hour, in the moments in
    which RQ lets it look after its registries. Of several workers the first to come
    does; were the queue server to forget the hour, asking again harms nobody."""

    def run_maintenance_tasks(self) -> None:
        super().run_maintenance_tasks()  # type: ignore[no-untyped-call]
        if cache.add("housekeeping:notices", 1, EVERY_S):
            self.queues[0].enqueue("lipweb.housekeeping.notices_send", result_ttl=60)
