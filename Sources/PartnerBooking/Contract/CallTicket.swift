/// The ID of one accepted call of a client. A client never uses a ticket twice.
public struct CallTicket: Hashable, Sendable {
    /// The number of the ticket in the C ABI: `pbk_ticket`.
    public let rawValue: UInt64

    /// Creates a ticket from a C caller's number.
    package init(_ rawValue: UInt64) { self.rawValue = rawValue }
}

/// The ID of one exchange of a client, and of the transfers that carry its attempts.
struct TransferID: Hashable, Sendable, CounterName {
    let rawValue: UInt64

    init(_ rawValue: UInt64) { self.rawValue = rawValue }

    /// Creates the ID of the exchange that begins with this call.
    init(firstCall ticket: CallTicket) { rawValue = ticket.rawValue }

    /// The ID of no exchange.
    static let none = TransferID(0)

    /// Returns whether the left exchange began first.
    static func < (left: TransferID, right: TransferID) -> Bool { left.rawValue < right.rawValue }
}
