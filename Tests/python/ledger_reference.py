"""A ledger in memory, written from docs/ledger-protocol.md: the answers of a store. Tests set its
clock."""

from __future__ import annotations

from typing import Any

Row = dict[str, Any]
Operation = dict[str, Any]
Result = dict[str, Any]

BOOKING = ("fingerprint", "recorded_at", "bot_id", "start_at", "duration_minutes", "start_ms", "conversation")
COLUMNS = ("key", "state", *BOOKING, "claim", "owner", "lease_until", "withdrawn", "heard", "took_over")
COLUMNS += ("account_id", "body", "reply", "outcome", "updated_at")


class ReferenceLedger:
    def __init__(self, now: int = 1_900_000_000_000, retention: int = 86_400_000) -> None:
        self.now = now
        self.retention = retention
        self.rows: dict[tuple[str, str], Row] = {}

    def execute(self, operations: list[Operation]) -> list[Result]:
        return [{"id": op["id"], **getattr(self, op["op"])(op)} for op in operations]

    def age(self, _scope: str, milliseconds: int) -> None:
        self.now += milliseconds

    # ---- The operations --------------------------------------------------------------------------

    def claim(self, op: Operation) -> Result:
        row = self.row(op)
        if row and row["claim"] == op["claim"]:
            if row["state"] == "booked":
                return self.with_row("booked", row)
            if row["state"] == "refused":
                return {"result": "lost"}
            answer = self.with_row("in_doubt", row) if row["took_over"] else {"result": "claimed"}
            row.update(lease_until=self.now + op["lease_ms"], updated_at=self.now)
            return answer
        if op.get("orphan") and (row is None or row["state"] == "refused"):
            return {"result": "lost"}
        if row and row["state"] == "refused" and row["claim"] != op.get("replaces"):
            return self.with_row("refused", row)
        if row is None or row["state"] == "refused":
            row = self.insert(op, "open")
            row.update(lease_until=self.now + op["lease_ms"], account_id=op.get("account_id"), body=op["body"])
            return {"result": "claimed"}
        if row["fingerprint"] != op["fingerprint"]:
            return self.with_row("other", row)
        if row["state"] == "booked":
            return self.with_row("booked", row)
        if op.get("orphan") and row["withdrawn"]:
            return {"result": "lost"}
        if self.live(row) and row["owner"] != op["owner"]:
            return self.with_row("held", row)
        if row["claim"] != op.get("replaces"):
            return self.with_row("held", row)
        answer = self.with_row("in_doubt", row)
        row.update(claim=op["claim"], owner=op["owner"], withdrawn=False, took_over=True)
        row.update(lease_until=self.now + op["lease_ms"], updated_at=self.now)
        return answer

    def wait(self, op: Operation) -> Result:
        row = self.row(op)
        return self.with_row(row["state"], row) if row else {"result": "absent"}

    def settle(self, op: Operation) -> Result:
        row = self.row(op)
        if row is None:
            self.insert(op, "booked")["reply"] = op["reply"]
        elif row["fingerprint"] != op["fingerprint"]:
            return {"result": "other"}
        elif row["state"] != "booked":
            row.update(state="booked", reply=op["reply"], claim=op["claim"], body=None, outcome=None)
            row.update(heard=False, updated_at=self.now)
        return {"result": "done"}

    def void(self, op: Operation) -> Result:
        row = self.row(op)
        if row is None:
            self.insert(op, "refused").update(outcome=op["outcome"], heard=True)
        elif row["claim"] != op["claim"] or row["state"] == "booked":
            return {"result": "lost"}
        elif row["state"] == "open":
            row.update(state="refused", outcome=op["outcome"], body=None, heard=False, updated_at=self.now)
        return {"result": "done"}

    def withdraw(self, op: Operation) -> Result:
        row = self.row(op)
        if not row or row["state"] != "open" or row["claim"] != op["claim"]:
            return {"result": "lost"}
        row.update(withdrawn=op["withdrawn"], updated_at=self.now)
        return {"result": "done"}

    def give_up(self, op: Operation) -> Result:
        row = self.row(op)
        if row is None:
            return {"result": "absent"}
        if row["state"] != "open":
            repeated = row["outcome"] == "given_up" and row["claim"] == op["claim"]
            return self.with_row("given_up" if repeated else "kept", row)
        if row["claim"] != op["claim"] or (self.live(row) and row["owner"] != op["owner"]):
            return self.with_row("held", row)
        answer = self.with_row("given_up", row)
        row.update(state="refused", outcome="given_up", body=None, heard=True, updated_at=self.now)
        return answer

    def heard(self, op: Operation) -> Result:
        row = self.row(op)
        if not row or row["state"] == "open" or row["claim"] != op["claim"]:
            return {"result": "lost"}
        if not row["heard"]:
            row.update(heard=True, updated_at=self.now)
        return {"result": "done"}

    def renew(self, op: Operation) -> Result:
        lost = []
        for each in op["claims"]:
            row = self.row({**op, "key": each["key"]})
            if row and row["state"] == "open" and (row["claim"], row["owner"]) == (each["claim"], op["owner"]):
                row["lease_until"] = self.now + op["lease_ms"]
            else:
                lost.append(each["key"])
        return {"result": "renewed", "lost": lost}

    def orphans(self, op: Operation) -> Result:
        found = [row for row in self.of_scope(op) if row["state"] == "open" and not self.live(row)]
        found = [row for row in found if not row["withdrawn"] and not self.is_past(row, op["not_before_ms"])]
        found.sort(key=lambda row: (row["lease_until"], row["key"]))
        return {"result": "rows", "rows": [self.shown(row) for row in found[: op["limit"]]]}

    def pending(self, op: Operation) -> Result:
        found = [row for row in self.of_scope(op) if row["state"] == "open" or not row["heard"]]
        found = [row for row in found if op.get("bot_id") in (None, row["bot_id"])]
        found.sort(key=lambda row: (row["recorded_at"], row["key"]))
        return {"result": "rows", "rows": [self.shown(row) for row in found[: op["limit"]]]}

    # ---- Rows ------------------------------------------------------------------------------------

    def row(self, op: Operation) -> Row | None:
        row = self.rows.get((op["scope"], op["key"]))
        return None if row is None or self.is_expired(row) else row

    def of_scope(self, op: Operation) -> list[Row]:
        return [row for (scope, _), row in self.rows.items() if scope == op["scope"] and not self.is_expired(row)]

    def insert(self, op: Operation, state: str) -> Row:
        row = dict.fromkeys(COLUMNS) | {name: op.get(name) for name in BOOKING}
        row.update(key=op["key"], state=state, claim=op["claim"], owner=op["owner"], updated_at=self.now)
        row.update(withdrawn=False, heard=False, took_over=False)
        self.rows[op["scope"], op["key"]] = row
        return row

    def live(self, row: Row) -> bool:
        return row["state"] == "open" and row["lease_until"] > self.now

    def is_expired(self, row: Row) -> bool:
        return row["state"] != "open" and row["updated_at"] + self.retention <= self.now

    @staticmethod
    def is_past(row: Row, moment: int) -> bool:
        return row["start_ms"] is not None and row["start_ms"] <= moment

    def shown(self, row: Row) -> Row:
        shown = {name: value for name, value in row.items() if value is not None}
        return shown | ({"lease_ms": row["lease_until"] - self.now} if row["state"] == "open" else {})

    def with_row(self, result: str, row: Row) -> Result:
        return {"result": result, "row": self.shown(row)}
