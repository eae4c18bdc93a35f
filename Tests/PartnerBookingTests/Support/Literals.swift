@testable import PartnerBooking

// Tests name calls and exchanges by plain numbers.

extension CallTicket: ExpressibleByIntegerLiteral, Comparable, CustomStringConvertible {
    public init(integerLiteral value: UInt64) { self.init(value) }
    init(_ number: Int) { self.init(UInt64(number)) }

    var next: CallTicket { CallTicket(rawValue + 1) }
    public var description: String { "\(rawValue)" }

    public static func < (left: CallTicket, right: CallTicket) -> Bool { left.rawValue < right.rawValue }
}

extension TransferID: ExpressibleByIntegerLiteral, CustomStringConvertible {
    public init(integerLiteral value: UInt64) { self.init(value) }
    init(_ number: Int) { self.init(UInt64(number)) }

    var next: TransferID { TransferID(rawValue + 1) }
    public var description: String { "\(rawValue)" }
}
