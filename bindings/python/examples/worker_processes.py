"""Clients and processes: whichever way workers are started, each opens a client of its own."""

import multiprocessing

import partnerbooking as pb

BOT_ID = "bot_01h2xcejqtf2nbrexx3vqjhp41"
CLINIC: pb.Configuration = {"endpoint": "sandbox", "sandbox": {"now": "2030-01-14T08:00:00Z"}}


def count_slots(day: str) -> int:
    with pb.Client(**CLINIC) as client:
        return len(client.search_availability(pb.SearchAvailabilityRequest(BOT_ID, day, day)).availabilities)


if __name__ == "__main__":
    days = ["2030-01-14", "2030-01-15", "2030-01-19"]
    for method in multiprocessing.get_all_start_methods():
        with multiprocessing.get_context(method).Pool(2) as pool:
            print(method, dict(zip(days, pool.map(count_slots, days))))
