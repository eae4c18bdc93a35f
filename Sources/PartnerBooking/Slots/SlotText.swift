/// Writes slots as JSON. Allocates no memory per slot, because a reply may list hundreds.
struct SlotText {
    private(set) var bytes: [UInt8] = []

    init(capacity: Int) { bytes.reserveCapacity(capacity) }

    mutating func append(_ text: StaticString) { text.withUTF8Buffer { bytes.append(contentsOf: $0) } }

    mutating func append(_ slot: SlotStart, _ durationMinutes: Int) {
        let end = slot.instant + durationMinutes * 60
        append(#"{"slot":""#)
        let token = SlotToken(slot.local, durationMinutes: durationMinutes)
        for index in token.bytes.indices { bytes.append(token.bytes[index]) }
        append(#"","start_at":""#)
        dateTime(slot.local.wall, withSeconds: true)
        offset(slot.local.offset)
        append(#"","end_at":""#)
        dateTime(end + slot.endOffset, withSeconds: true)
        offset(slot.endOffset)
        append(#"","duration_minutes":"#)
        durationMinutes.forEachDigit { bytes.append($0) }
        append(#","local":""#)
        dateTime(slot.local.wall, withSeconds: false)
        append(#"","utc_offset":""#)
        offset(slot.local.offset)
        append(#"","part":""#)
        switch slot.part {
        case .morning: append("morning")
        case .afternoon: append("afternoon")
        case .evening: append("evening")
        case .night: append("night")
        }
        append(#"","item":"#)
        slot.item.forEachDigit { bytes.append($0) }
        append("}")
    }

    /// Appends a time such as `2030-01-15T09:30`, optionally with seconds.
    mutating func dateTime(_ wall: Int, withSeconds: Bool) {
        let time = LocalTime(wall: wall, offset: 0, isRepeated: false)
        let (date, second) = (time.date, time.secondOfDay)
        pair(date.year / 100)
        pair(date.year % 100)
        append("-")
        pair(date.month)
        append("-")
        pair(date.day)
        append("T")
        pair(second / 3_600)
        append(":")
        pair(second / 60 % 60)
        guard withSeconds else { return }
        append(":")
        pair(second % 60)
    }

    /// Appends an offset such as `-05:00`. RFC 3339 allows no seconds in it.
    mutating func offset(_ seconds: Int) {
        append(seconds < 0 ? "-" : "+")
        let minutes = abs(seconds) / 60
        pair(minutes / 60)
        append(":")
        pair(minutes % 60)
    }

    private mutating func pair(_ number: Int) {
        bytes.append(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: number / 10))
        bytes.append(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: number % 10))
    }
}

extension SlotStart {
    func json(_ durationMinutes: Int) -> [UInt8] {
        var text = SlotText(capacity: 200)
        text.append(self, durationMinutes)
        return text.bytes
    }
}

extension Slot {
    init(_ start: SlotStart, durationMinutes: Int) {
        func text(_ write: (inout SlotText) -> Void) -> String {
            var text = SlotText(capacity: 32)
            write(&text)
            return String(decoding: text.bytes, as: UTF8.self)
        }
        let offset = start.local.offset
        token = SlotToken(start.local, durationMinutes: durationMinutes).text
        startAt = text {
            $0.dateTime(start.local.wall, withSeconds: true)
            $0.offset(offset)
        }
        endAt = text {
            $0.dateTime(start.instant + durationMinutes * 60 + start.endOffset, withSeconds: true)
            $0.offset(start.endOffset)
        }
        self.durationMinutes = durationMinutes
        local = text { $0.dateTime(start.local.wall, withSeconds: false) }
        utcOffset = text { $0.offset(offset) }
        part = start.part
        item = start.item
    }
}
