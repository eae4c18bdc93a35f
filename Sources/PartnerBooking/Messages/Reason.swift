/// The reasons inside a message, behind a colon or in brackets.
enum Reason {
    // MARK: JSON

    static var noName: String { "a member name in quotes is expected" }
    static var noColon: String { "a colon is expected" }
    static var noCommaOrBrace: String { "a comma or } is expected" }
    static var noCommaOrBracket: String { "a comma or ] is expected" }
    static var noValue: String { "a value is expected" }
    static var noDigit: String { "a digit is expected" }
    static var noHexDigit: String { "a hexadecimal digit is expected" }
    static var endsTooEarly: String { "the text ends too early" }
    static var textAfterEnd: String { "there is text after the end" }
    static var controlCharacter: String { "a control character must be escaped" }
    static var noSuchEscape: String { "this escape does not exist" }
    static var halfPair: String { "half of a surrogate pair" }
    static var tooLong: String { "too long" }
    static var noMemory: String { "no memory" }

    static func tooDeep(_ limit: Int) -> String { "nested deeper than \(limit)" }

    // MARK: Time zones

    static var versionsDiffer: String { "its two headers have different versions" }
    static var leapSeconds: String {
        "it counts leap seconds, which the system's clock does not: use the name without right/"
    }
    static var noAbbreviations: String { "it has no abbreviations" }
    static var wrongType: String { "a type of time has a wrong flag or no abbreviation" }

    static func changeTooFar(_ index: Int, _ instant: Int) -> String { "change \(index) is at \(instant), too far away" }
    static func changeUnordered(_ index: Int) -> String { "change \(index) does not come after the one before it" }
    static func noSuchType(_ type: UInt8, of count: Int) -> String { "a change leads to type \(type) of \(count)" }
    static func typeCount(_ count: Int) -> String { "it has \(count) types of time, not 1 to 256" }
    static func indicators(_ count: Int, types: Int) -> String { "it has \(types) types of time, but \(count) indicators" }
    static func endsTooEarly(_ place: Int, needs count: Int, has rest: Int) -> String {
        "it ends too early: byte \(place) should begin \(count) bytes, and \(rest) are left"
    }

    static func noHeader(_ place: Int) -> String { "there is no TZif header at byte \(place)" }
    static func version(_ byte: UInt8) -> String { "its version byte is \(byte)" }
    static func offset(_ seconds: Int) -> String { "an offset of \(seconds) seconds is out of range" }
    static func noFooter(_ place: Int) -> String { "it has no footer behind byte \(place)" }
    static func footer(_ text: String, column: Int) -> String { "its footer \"\(text)\" is wrong at character \(column)" }
    static func zoneBytes(_ count: Int, most: Int) -> String { "it has \(count) bytes, and a zone at most \(most)" }
    static func zoneName(_ name: String) -> String {
        "the time zone \"\(name)\" is no IANA name, such as America/New_York"
    }

    static func zoneUnreadable(_ name: String, _ reason: String) -> String {
        "the file of the time zone \(name) could not be read: \(reason)"
    }

    static func noZone(_ name: String, _ directories: [String], tzdata: String) -> String {
        "there is no time zone \(name) in \(directories.joined(separator: ", ")), "
            + "or in the built-in table of tzdata \(tzdata)"
    }

    // MARK: Journals

    static var notAFile: String { "it is no file" }
    static var symbolicLink: String { "it is a symbolic link" }
    static var noJournal: String { "it is no journal" }
    static var laterVersion: String { "a later version of this library wrote it" }
    static var otherService: String { "it is the journal of another service" }
    static var damaged: String { "it is damaged: open it by journal_path" }
    static var otherBooking: String { "it has another booking under a key of this journal" }

    static func ofUser(_ user: UInt32) -> String { "it belongs to user \(user)" }
    static func notKept(_ path: String, _ reason: String) -> String {
        "it is damaged and could not be kept as \(path): \(reason)"
    }

    static func tooLarge(_ bytes: Int) -> String { "it has more than \(bytes) bytes" }
    static func full(_ size: Int, _ limit: Int) -> String { "it is full: \(size) bytes of journal_max_bytes \(limit)" }
    static func replaced(_ path: String) -> String { "another file has taken the place of \(path)" }

    // MARK: Ledgers

    static var noReason: String { "no reason was given" }
    static var unreadableRow: String { "its row cannot be read" }
    static var rowOfOtherKey: String { "the answer has the row of another key" }
    static var keyOfOtherRequest: String { "a booking was made, and its key belongs to another request in the store" }
    static var hostSilent: String { "the host did not answer within journal_timeout_ms" }
    static var recordSilent: String { "it did not take it within journal_timeout_ms" }

    static func silent(_ milliseconds: Int) -> String { "no answer within \(milliseconds) ms (journal_timeout_ms)" }
}
