import Testing

@testable import PartnerBooking

/// A search reply of windows, each `start/minutes`, and its slots.
func slots(
    _ windows: [(start: String, minutes: Int)], _ zone: String, duration: Int = 30, step: Int = 30, now: String? = nil,
    _ change: (inout SlotOptions) -> Void = { _ in }
) throws -> SlotList {
    let items = windows.map { #"{"start_at":"\#($0.start)","duration_minutes":\#($0.minutes)}"# }
    return try slots(of: "[\(items.joined(separator: ","))]", zone, duration: duration, step: step, now: now, change)
}

/// The slots of items as they are written.
func slots(
    of items: String, _ zone: String, duration: Int = 30, step: Int = 30, now: String? = nil,
    _ change: (inout SlotOptions) -> Void = { _ in }
) throws -> SlotList {
    var options = SlotOptions(timeZone: zone)
    options.durationMinutes = duration
    options.stepMinutes = step
    options.now = Timestamp(now ?? "2024-01-01T00:00:00Z")?.instantSeconds
    change(&options)
    return try SlotList(reply: Array(#"{"availabilities":\#(items)}"#.utf8), options: options)
}

extension SlotList {
    var starts: [String] { slots.map(\.startAt) }
    var tokens: [String] { slots.map(\.token) }
    var reasons: [String] { skipped.map { "\($0.item) \($0.reason)" } }
}
