@testable import PartnerBooking

extension Timestamp {
    /// Reads a text; nil when it is none.
    static func read(_ text: String) -> Timestamp? {
        var text = text
        return text.withUTF8 { Timestamp(UnsafeRawBufferPointer($0)) }
    }
}
