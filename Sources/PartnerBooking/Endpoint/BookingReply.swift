/// The parts of a booking's reply that decide if it is a success.
struct BookingReply {
    /// Longer replies are not read, because reading takes several times their size in memory.
    private static let maxBytes = 1_048_576

    /// The start of the booking, in seconds since 1970. nil: missing, or written without an
    /// offset.
    let startSeconds: Int?
    /// The status if it means that there is no appointment; nil for all others and for unknown
    /// ones.
    let refusingStatus: String?

    /// Returns nil unless the body has an object `booking` with an `id` or a `start_at`, and
    /// without an `error`.
    init?(_ body: [UInt8]) {
        guard body.count <= Self.maxBytes else { return nil }
        guard let root = (try? JSONDocument(body, profile: .reply))?.root, let booking = Self.last("booking", of: root),
            booking.kind == .object
        else { return nil }
        func isThere(_ name: StaticString) -> Bool { (booking[name]?.kind ?? .null) != .null }
        guard isThere("id") || isThere("start_at"), !isThere("error") else { return nil }
        startSeconds = booking["start_at"]?.withText { Timestamp($0)?.instantSeconds } ?? nil
        refusingStatus = booking["status"]?.withText(Self.refusingStatus) ?? nil
    }

    /// Returns the last copy of a member, as most readers do.
    private static func last(_ name: StaticString, of object: JSONValue) -> JSONValue? {
        let (first, count) = object.member(name)
        return count < 2 ? first : object.members.reduce(nil) { $1.key.equals(name) ? $1.value : $0 }
    }

    /// Returns whether the reply names another instant than `wanted`. A start that is missing,
    /// or written without an offset, proves nothing.
    func startsElsewhere(than wanted: Int?) -> Bool {
        guard let wanted, let startSeconds else { return false }
        return startSeconds != wanted
    }

    private static let refusing: [StaticString] = [
        "declined", "cancelled", "canceled", "rejected", "no_show", "failed", "expired",
    ]

    /// Returns whether the status means that there is no appointment.
    static func isRefusing(_ status: String) -> Bool {
        var status = status
        return status.withUTF8 { refusingStatus(UnsafeRawBufferPointer($0)) != nil }
    }

    private static func refusingStatus(_ text: UnsafeRawBufferPointer) -> String? {
        refusing.first { word in
            guard word.utf8CodeUnitCount == text.count else { return false }
            let word = UnsafeRawBufferPointer(start: word.utf8Start, count: text.count)
            return zip(text, word).allSatisfy { $0 == $1 || (0x41...0x5A).contains($0) && $0 | 0x20 == $1 }
        }?.description
    }
}
