#!/usr/bin/env python3
"""Compares the library's reading of wishes with what tables say: wishes.py PROGRAM [TABLE …].

PROGRAM is build/voice/wishes. Each table in wishes/ has phrases and expressions; each phrase is asked on 28 days. The
expressions are evaluated here, with datetime and zoneinfo, and know nothing of the library's words:

    today+3                     the third day from today
    coming tue                  the next Tuesday; on a Tuesday two readings, today and in a week
    next tue, this tue          "next" has two readings while a Tuesday is ahead in this week
    tue@week+1, week+1          a day of next week, all of it from Monday (of this week: from today)
    list tue,thu [week+1]       one of these days; run mon wed [week+1]: one of Monday to Wednesday
    days mon tue week+1         a part of that week
    every tue,thu               these weekdays within 60 days
    weekend+0, next weekend, month+1, month 4, early|mid|late month …
    dom 14, date 4-14, date-in month+1 14
    span A .. B, after A, from A, before A, until A, weeks 1 A, any
    !weekday, !year             expected in `corrected`

Times are `any`, `15:00+`, `-15:00`, `14:00-16:00`, `~15:00`, parts with a pause between (`morning,evening`), `first`;
`?` expects an assumption and ` / ` parts two readings. ` || ` parts meanings of which each is right, and `unclear`
names the field, or none if either will do. The tables in wishes/held-out have a score of their own: nobody who wrote
them had read the grammar. Prints the shares. Exits with 1 if a bar is missed.
"""

import json
import pathlib
import subprocess
import sys
from collections import Counter
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
HORIZON = 60
DAYS = 28


class Days:
    """A range of days, and the weekdays in it if not all count."""

    def __init__(self, start, end, weekdays=None):
        self.start, self.end, self.weekdays = start, end, weekdays

    def moved(self, days):
        return Days(self.start + timedelta(days), self.end + timedelta(days), self.weekdays)


def one(day):
    return Days(day, day)


def ahead(today, weekday):
    """The first such day from today on."""
    return today + timedelta((weekday - today.weekday()) % 7)


def week(today, number):
    monday = today - timedelta(today.weekday()) + timedelta(7 * number)
    return Days(max(monday, today), monday + timedelta(6))


def month_of(year, month):
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    following = date(year + month // 12, month % 12 + 1, 1)
    return Days(date(year, month, 1), following - timedelta(1))


def month(today, words):
    """`month+1`, or `month 4`."""
    if words[0] != "month":
        found = month_of(today.year, today.month + int(words[0].removeprefix("month+")))
    else:
        found = month_of(today.year + (int(words[1]) < today.month), int(words[1]))
    return Days(max(found.start, today), found.end)


def next_date(today, number, day):
    for year in (today.year, today.year + 1):
        try:
            if (found := date(year, number, day)) >= today:
                return found
        except ValueError:
            pass


def listed(today, weekdays, words):
    """Days of a week, or the first of each from today on."""
    if words:
        inside = week(today, int(words[0].removeprefix("week+")))
        start = inside.start - timedelta(inside.start.weekday())
        days = [start + timedelta(weekday) for weekday in weekdays]
        days = [day for day in days if day >= today]
    else:
        days = [ahead(today, weekday) for weekday in weekdays]
    days.sort()
    return between(days)


def between(days):
    whole = (days[-1] - days[0]).days + 1 == len(days)
    return Days(days[0], days[-1], None if whole else sorted(day.weekday() for day in days))


def readings(text, today):
    """The days of an expression: a list of Days, of which each is a reading."""
    words = [word for word in text.split() if not word.startswith("!")]
    head, rest = words[0], words[1:]
    if head == "any":
        return [Days(today, today + timedelta(HORIZON))]
    if head == "today" or head.startswith("today+"):
        return [one(today + timedelta(int(head[6:] or 0)))]
    if head == "coming":
        first = ahead(today, WEEKDAYS.index(rest[0]))
        return [one(first)] + ([one(first + timedelta(7))] if first == today else [])
    if head == "this":
        return [one(ahead(today, WEEKDAYS.index(rest[0])))]
    if head == "next" and rest == ["weekend"]:
        later = Days(*(week(today, 1).start + timedelta(number) for number in (5, 6)))
        return [later.moved(-7), later] if today.weekday() < 5 else [later]
    if head == "next":
        weekday = WEEKDAYS.index(rest[0])
        later = one(week(today, 1).start + timedelta(weekday))
        return [later.moved(-7), later] if today.weekday() < weekday else [later]
    if head == "weeks":
        return [days.moved(7 * int(rest[0])) for days in readings(" ".join(rest[1:]), today)]
    if "@" in head:
        weekday, number = head.split("@")
        return [listed(today, [WEEKDAYS.index(weekday)], [number])]
    if head.startswith("week+"):
        return [week(today, int(head[5:]))]
    if head == "weekend+0":
        saturday = ahead(today, 5) if today.weekday() < 5 else today
        return [Days(saturday, saturday + timedelta(6 - saturday.weekday()))]
    if head == "list":
        return [listed(today, [WEEKDAYS.index(name) for name in rest[0].split(",")], rest[1:])]
    if head == "every":
        return [Days(today, today + timedelta(HORIZON), [WEEKDAYS.index(name) for name in rest[0].split(",")])]
    if head in ("run", "days"):
        first, last = (WEEKDAYS.index(name) for name in rest[:2])
        if rest[2:]:
            return [listed(today, range(first, last + 1), rest[2:])]
        start = ahead(today, first)
        return [Days(start, start + timedelta(last - first))]
    if head.startswith("month"):
        return [month(today, words)]
    if head in ("early", "mid", "late"):
        whole = month(today, rest)
        first = whole.start.replace(day=1)
        start, end = {"early": (0, 9), "mid": (10, 19), "late": (20, 30)}[head]
        return [Days(max(today, first + timedelta(start)), min(first + timedelta(end), whole.end))]
    if head == "dom":
        return [one(next(day for number in range(400)
                         if (day := today + timedelta(number)).day == int(rest[0])))]
    if head == "date":
        return [one(next_date(today, *map(int, rest[0].split("-"))))]
    if head == "date-in":
        return [one(month(today, rest[:1]).end.replace(day=int(rest[1])))]
    if head == "span":
        start, end = " ".join(rest).split(" .. ")
        return [Days(readings(start, today)[0].start, readings(end, today)[0].end)]
    days = readings(" ".join(rest), today)[0]
    last = today + timedelta(HORIZON)
    if head == "after":
        return [Days(days.end + timedelta(1), max(last, days.end + timedelta(1)))]
    if head == "from":
        return [Days(days.start, max(last, days.start))]
    if head == "before":
        return [Days(today, days.start - timedelta(1))]
    if head == "until":
        return [Days(today, days.end)]
    raise ValueError(text)


def time_members(text):
    """The members of a time, and what it assumes."""
    found, assumed = {}, []
    for word in text.split():
        if word == "?local_time":
            assumed.append("local_time")
            continue
        if word == "any":
            continue
        if word == "first":
            found["earliest"] = True
            continue
        if word.endswith("?"):
            word = word[:-1]
            hour = int(word.strip("~+-")[:2])
            assumed.append("morning" if hour < 12 else "noon" if hour == 12 else "afternoon")
        if "," in word:
            found["parts"] = word.split(",")
        elif word.startswith("~"):
            found["around"] = word[1:]
        elif word.endswith("+"):
            found["not_before"] = word[:-1]
        else:
            start, end = word.split("-")
            found |= {"not_before": start} if start else {}
            found["before"] = end
    return found, assumed


def start_of_day(day, zone):
    return datetime(day.year, day.month, day.day, tzinfo=zone)


def alternatives(text, today, zone):
    """What the tables take for right on that day: late this week is nothing on a Sunday."""
    found = []
    for meaning in text.split(" || "):
        try:
            found.append(expectations(meaning, today, zone))
        except IndexError:
            pass
    return found


def expectations(text, today, zone):
    """The reply, as the tables want it; or the field that is unclear, of which "" is either."""
    if text.startswith("unclear"):
        return text.removeprefix("unclear").strip()
    days, _, times = text.partition(";")
    assumed, wanted = set(), []
    for reading in readings(days.strip(), today):
        for time in times.strip().split(" / "):
            members, assumptions = time_members(time)
            assumed |= set(assumptions)
            members["from"], members["to"] = reading.start.isoformat(), reading.end.isoformat()
            if reading.weekdays is not None:
                members["weekdays"] = [WEEKDAYS[number] for number in reading.weekdays]
            members["start_at"] = start_of_day(reading.start, zone).isoformat()
            members["end_at"] = start_of_day(reading.end + timedelta(1), zone).isoformat()
            members = {name: value.replace("+00:00", "Z") if name.endswith("_at") else value
                       for name, value in members.items()}
            wanted.append(members)
    corrected = {word[1:] for word in days.split() if word.startswith("!")}
    return {"clear": len(wanted) == 1, "readings": wanted, "corrected": corrected, "assumed": assumed}


def table(path):
    """The settings of a table, and its phrases."""
    settings, phrases = {"locale": path.stem}, []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("#") or not line.strip():
            continue
        if "=" not in line:
            name, value = line.split(" ", 1)
            settings[name] = value
            continue
        said, meaning = line.rsplit("=", 1)
        when, _, time = said.partition("|")
        phrases.append((when.strip(), time.strip(), meaning.strip()))
    return settings, phrases


def request(settings, when, time, now):
    members = {"when": when, "time": time, "time_zone": settings["zone"], "locale": settings["locale"],
               "now": now.isoformat()}
    if "opening" in settings:
        members["opening"] = {day: [settings["opening"]] for day in WEEKDAYS}
    return json.dumps(members, ensure_ascii=False)


def questions(paths, days=DAYS):
    for path in paths:
        settings, phrases = table(path)
        zone = ZoneInfo(settings["zone"])
        for when, time, meaning in phrases:
            for number in range(days):
                today = date.fromisoformat(settings["start"]) + timedelta(number)
                # Early enough that nothing of the day has passed, and at another minute each day.
                now = datetime(today.year, today.month, today.day, 5, (number * 7) % 60, tzinfo=zone)
                wanted = alternatives(meaning, today, zone)
                yield (path.stem, when, time, today), request(settings, when, time, now), wanted


def verdict(wanted, reply):
    """right, unclear (a question instead of an answer), noted (another answer that says it is a guess) or WRONG."""
    if "error" in reply:
        error = reply["error"]
        if error["code"] != "time_unclear":
            return "WRONG"
        return "right" if error["field"] in wanted or "" in wanted else "unclear"
    got = reply | {"corrected": set(reply["corrected"]), "assumed": set(reply["assumed"])}
    if got in wanted:
        return "right"
    if all(isinstance(meaning, str) for meaning in wanted):
        return "WRONG"
    if not reply["clear"]:
        return "unclear"
    return "noted" if reply["corrected"] or reply["assumed"] else "WRONG"


def score(program, title, paths):
    """Prints the shares of these tables, and whether they meet the bars."""
    asked = list(questions(paths))
    text = "".join(line + "\n" for _, line, _ in asked)
    output = subprocess.run([program], input=text, capture_output=True, text=True, check=True).stdout
    replies = [json.loads(line) for line in output.split("\n")[:-1]]
    assert len(replies) == len(asked)
    counts, questioned, shown = Counter(), Counter(), Counter()
    for ((name, when, time, today), _, wanted), reply in zip(asked, replies):
        result = verdict(wanted, reply)
        counts[name, result] += 1
        # A caller is asked again: as the table wants it, or not.
        questioned[name] += "error" in reply or not reply["clear"]
        if result != "right" and not shown[name, when, time]:
            print(f"  {result}: {name} {today:%a %F} [{when}|{time}]\n    wanted {wanted}\n    got    {reply}")
        shown[name, when, time] += result != "right"
    totals = Counter()
    for name in sorted({name for name, _ in counts}):
        share = {result: counts[name, result] for result in ("right", "unclear", "noted", "WRONG")}
        total = sum(share.values())
        totals.update(share)
        totals["questioned"] += questioned[name]
        print(f"{name:20} {total // DAYS:4} phrases  "
              + "  ".join(f"{result} {count / total:7.2%}" for result, count in share.items())
              + f"  asked back {questioned[name] / total:.1%}")
    total = sum(totals[result] for result in ("right", "unclear", "noted", "WRONG"))
    print(f"{title}: {total // DAYS} phrases x {DAYS} days: {totals['right'] / total:.2%} right, "
          f"{totals['unclear'] / total:.2%} unclear, {totals['WRONG']} wrong; "
          f"{totals['questioned'] / total:.1%} are asked back, as wanted or not")
    return totals["right"] >= 0.98 * total and totals["unclear"] <= 0.1 * total and totals["WRONG"] == 0


def main():
    program, *names = sys.argv[1:]
    folder = pathlib.Path(__file__).parent / "wishes"
    if names:
        met = [score(program, "all", [folder / f"{name}.txt" for name in names])]
    else:
        met = [score(program, "all", sorted(folder.glob("*.txt"))),
               score(program, "held out", sorted(folder.glob("held-out/*.txt")))]
    sys.exit(not all(met))


if __name__ == "__main__":
    main()
