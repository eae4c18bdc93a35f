"""Clients and processes: whichever way workers are started, each opens a client of its own. All share one directory of
journals."""

import functools
import multiprocessing
import tempfile

import partnerbooking as pb

BOT_ID = "bot_01h2xcejqtf2nbrexx3vqjhp41"
CLINIC: pb.Configuration = {"endpoint": "sandbox", "sandbox": {"now": "2030-01-14T08:00:00Z", "time_zone": "-05:00"}}


def count_slots(journals: str, day: str) -> int:
    # Takes a journal that no process has, and settles what dead processes have left.
    configuration: pb.Configuration = {**CLINIC, "journal_dir": journals, "resume_on_open": True}
    with pb.Client(**configuration) as client:
        request = pb.SearchAvailabilityRequest(BOT_ID, f"{day}T09:00:00-05:00", f"{day}T17:00:00-05:00")
        return len(client.search_availability(request).availabilities)


if __name__ == "__main__":
    days = ["2030-01-14", "2030-01-15", "2030-01-19"]
    with tempfile.TemporaryDirectory() as journals:  # An engine has one that stays: /var/lib/engine/journals
        count = functools.partial(count_slots, journals)
        for method in multiprocessing.get_all_start_methods():
            with multiprocessing.get_context(method).Pool(2) as pool:
                print(method, dict(zip(days, pool.map(count, days))))
