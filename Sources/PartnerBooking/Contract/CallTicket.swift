/// The name of one accepted call of a client. A client never uses a ticket twice.
public struct CallTicket: Hashable, Sendable {
    /// The number of the C ABI: `pbk_ticket`.
    public let rawValue: UInt64

    /// A ticket that the C ABI hands back.
    package init(_ rawValue: UInt64) { self.rawValue = rawValue }
}

/// The name of one exchange of a client, and of the transfers that carry its attempts.
struct TransferID: Hashable, Sendable, CounterName {
    let rawValue: UInt64

    init(_ rawValue: UInt64) { self.rawValue = rawValue }

    /// The exchange that begins with this call.
    init(firstCall ticket: CallTicket) { rawValue = ticket.rawValue }

    /// No exchange of this client.
    static let none = TransferID(0)

    /// In the order in which they began.
    static func < (left: TransferID, right: TransferID) -> Bool { left.rawValue < right.rawValue }
}
