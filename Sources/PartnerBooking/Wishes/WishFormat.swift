/// Formats for dates and times. Writing into a buffer is faster than joining strings.
enum WishFormat {
    /// Returns a date such as `2030-01-22`.
    static func date(_ day: Int) -> String {
        let date = CalendarDate(daysSinceEpoch: day)
        return String(unsafeUninitializedCapacity: 10) { buffer in
            put(date, buffer)
            return 10
        }
    }

    /// Returns a time such as `15:00`.
    static func time(_ minute: Int) -> String {
        String(unsafeUninitializedCapacity: 5) { buffer in
            put(minute / 60, buffer, 0)
            buffer[2] = UInt8(ascii: ":")
            put(minute % 60, buffer, 3)
            return 5
        }
    }

    /// Returns an instant such as `2030-01-22T00:00:00-05:00`. Leaves out the seconds of offsets
    /// before 1972.
    static func instant(_ instant: Int, _ zone: Zone) -> String {
        let local = zone.local(at: instant)
        let (date, second) = (local.date, local.secondOfDay)
        return String(unsafeUninitializedCapacity: 25) { buffer in
            put(date, buffer)
            buffer[10] = UInt8(ascii: "T")
            put(second / 3_600, buffer, 11)
            buffer[13] = UInt8(ascii: ":")
            put(second / 60 % 60, buffer, 14)
            buffer[16] = UInt8(ascii: ":")
            put(second % 60, buffer, 17)
            if local.offset == 0 {
                buffer[19] = UInt8(ascii: "Z")
                return 20
            }
            buffer[19] = local.offset < 0 ? UInt8(ascii: "-") : UInt8(ascii: "+")
            put(abs(local.offset) / 3_600, buffer, 20)
            buffer[22] = UInt8(ascii: ":")
            put(abs(local.offset) / 60 % 60, buffer, 23)
            return 25
        }
    }

    private static func put(_ date: CalendarDate, _ buffer: UnsafeMutableBufferPointer<UInt8>) {
        put(date.year / 100, buffer, 0)
        put(date.year % 100, buffer, 2)
        buffer[4] = UInt8(ascii: "-")
        put(date.month, buffer, 5)
        buffer[7] = UInt8(ascii: "-")
        put(date.day, buffer, 8)
    }

    private static func put(_ number: Int, _ buffer: UnsafeMutableBufferPointer<UInt8>, _ place: Int) {
        buffer[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number / 10 % 10)
        buffer[place + 1] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number % 10)
    }
}
