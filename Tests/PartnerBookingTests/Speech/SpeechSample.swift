@testable import PartnerBooking

/// Requests and answers of `Speech`, for its tests.
enum SpeechSample {
    /// Monday, 2030-01-14, 08:00 in New York.
    static let common = #""time_zone":"America/New_York","now":"2030-01-14T08:00:00-05:00""#

    static func reply(_ request: String) throws(PartnerBookingError) -> String {
        String(decoding: try Speech.reply(json: Array(request.utf8)), as: UTF8.self)
    }

    /// The words for times, such as `2030-01-15T09:00`.
    static func say(_ times: [String], _ locale: String = "en-US", _ more: String = "") throws(PartnerBookingError) -> String
    {
        let list = times.map { #""\#($0)""# }.joined(separator: ",")
        return words(try reply(#"{"slots":[\#(list)],\#(common),"locale":"\#(locale)"\#(more)}"#))
    }

    /// The words of a reply.
    static func words(_ reply: String) -> String {
        let (start, end) = (#"{"say":""#, #""}"#)
        guard reply.hasPrefix(start), reply.hasSuffix(end) else { return "not a reply: \(reply)" }
        return String(reply.dropFirst(start.count).dropLast(end.count))
    }

    /// Letters, blanks, commas, apostrophes and hyphens: each sign between letters, and a blank behind each comma.
    static func isWellMade(_ words: some Collection<UInt8>) -> Bool {
        var last = UInt8(ascii: " ")
        for byte in words {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), 0x80...:
                if last == UInt8(ascii: ",") { return false }
            case UInt8(ascii: " "):
                if !isLetter(last) && last != UInt8(ascii: ",") { return false }
            case UInt8(ascii: ","), UInt8(ascii: "'"), UInt8(ascii: "-"):
                if !isLetter(last) { return false }
            default: return false
            }
            last = byte
        }
        return isLetter(last)
    }

    private static func isLetter(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "A") }
}
