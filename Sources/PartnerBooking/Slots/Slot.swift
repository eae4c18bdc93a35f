/// A slot that can be offered and booked.
public struct Slot: Sendable, Equatable {
    /// Its name for a language model: `tue15-0930u`. The same slot has the same name in every search.
    public let token: String
    /// RFC 3339 with the clinic's offset, as a booking takes it.
    public let startAt: String
    /// The same, of its end.
    public let endAt: String
    /// Its length.
    public let durationMinutes: Int
    /// The start on the clinic's clock: `2030-01-15T09:30`.
    public let local: String
    /// The clinic's offset at the start: `-05:00`.
    public let utcOffset: String
    /// The part of the day of the start.
    public let part: SlotOptions.PartOfDay
    /// The place of the reply's item that it was made of, from 0.
    public let item: Int
}

/// A slot while it is worked with: a start, and what the clinic's clock shows then.
struct SlotStart: Equatable {
    /// Seconds since 1970.
    let instant: Int
    let local: LocalTime
    /// Seconds east of UTC when the appointment ends: the clock may be set in between.
    let endOffset: Int
    /// The place of its item.
    let item: Int

    var part: SlotOptions.PartOfDay { SlotOptions.PartOfDay(minuteOfDay: local.minuteOfDay) }
}
