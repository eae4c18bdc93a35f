/// A slot that can be offered and booked.
public struct Slot: Sendable, Equatable {
    /// Name of the slot for a language model, such as `tue15-0930u`. The same slot has the
    /// same name in every search.
    public let token: String
    /// Start in RFC 3339 with the clinic's offset, as a booking takes it.
    public let startAt: String
    /// End in the same form.
    public let endAt: String
    /// Length of the appointment.
    public let durationMinutes: Int
    /// Start on the clinic's clock, such as `2030-01-15T09:30`.
    public let local: String
    /// The clinic's offset at the start, such as `-05:00`.
    public let utcOffset: String
    /// Part of the day at the start.
    public let part: SlotOptions.PartOfDay
    /// Position of the slot's item in the reply, counted from 0.
    public let item: Int
}

/// The internal form of a slot: a start, and the clinic's clock at that instant.
struct SlotStart: Equatable {
    /// Seconds since 1970.
    let instant: Int
    let local: LocalTime
    /// Seconds east of UTC when the appointment ends. The clock may change before that.
    let endOffset: Int
    /// Position of the slot's item in the reply.
    let item: Int

    var part: SlotOptions.PartOfDay { SlotOptions.PartOfDay(minuteOfDay: local.minuteOfDay) }
}
