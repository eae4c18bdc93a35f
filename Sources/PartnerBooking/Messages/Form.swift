/// The forms of members' values. Each completes "must be …" and "is required: …".
///
/// This folder contains all texts of the library's errors. A test refuses them anywhere else, and
/// checks their length and form. A `String` here is computed, because a stored global could block
/// the child of a fork.
enum Form {
    // MARK: Texts

    static let partnerKey: StaticString = "a partner key: sk_ptnr_ and more visible ASCII characters, at most 512 bytes"
    static let sandboxKey: StaticString = "a partner key that starts with sk_ptnr_"
    static let idempotencyKey: StaticString = "1 to 255 visible ASCII characters"
    static let accountID: StaticString = "1 to 256 visible ASCII characters, such as acct_01h2xcejqtf2nbrexx3vqjhp41"
    static let text1To200: StaticString = "a string of 1 to 200 bytes"
    static let text1To256: StaticString = "a string of 1 to 256 bytes"
    static let textUpTo256: StaticString = "a string of at most 256 bytes"
    static let textUpTo65536: StaticString = "a string of at most 65536 bytes"
    static let botIDToGiveUp: StaticString = "a string of 1 to 256 bytes, with \"give_up\":true and no idempotency_key"
    static let customerName: StaticString = "a name of 1 to 256 bytes, not only white space"
    static let email: StaticString = "an email address with one @ and without blanks, or left out"
    static let notes: StaticString = "a string of at most 16384 bytes, or left out"
    static let serviceName: StaticString = "a name of 1 to 64 bytes"
    static let knownService: StaticString = "the name of a service of voice.services"
    static let toolName: StaticString = "the name of the tool, such as find_appointment_slots"
    static let slotName: StaticString = "the name of a slot, such as tue15-0930u"
    static let traceparent: StaticString =
        "a W3C trace context of version 00, such as 00-<32 hex digits>-<16 hex digits>-01"
    static let webhookSecret: StaticString = """
        a string of 1 to 512 bytes, or a list of two while you replace one (the second is tried when the first is not \
        accepted)
        """
    static let object: StaticString = "a JSON object"

    // MARK: Types

    static var anyObject: String { "an object" }
    static var anyList: String { "a list" }
    static var anyString: String { "a string" }
    static var anyNumber: String { "a number" }
    static var anyBoolean: String { "true or false" }
    static var null: String { "null" }

    // MARK: Times

    static var timestampExample: String { "2030-01-15T14:00:00-05:00" }
    static var timestamp: String { "a date-time with offset, such as \(timestampExample)" }
    static var timestampOrDate: String { "a date-time with offset, such as \(timestampExample), or a date" }
    static let rfc3339: StaticString = "an RFC 3339 date-time with offset"
    static let instant: StaticString = "an RFC 3339 date-time with offset, such as 2030-01-15T14:00:00-05:00"
    static let instantOrDate: StaticString =
        "an RFC 3339 date-time with offset, such as 2030-01-15T14:00:00-05:00, or a date such as 2030-01-15"
    static let dateTime: StaticString = "a date-time such as 2030-01-15T09:30:00-05:00"
    static let dateOrDateTime: StaticString = "a date or a date-time"
    static var slotBound: String { "a date such as 2030-01-15, or a date-time such as 2030-01-15T09:30:00-05:00" }
    static let aroundText: StaticString = "a date-time, or a time such as 15:00"
    static var around: String { "a date-time such as 2030-01-15T15:00:00-05:00, or a time such as 15:00" }
    static let clockTime: StaticString = "a time from 00:00 to 24:00, such as 09:30"
    static let spokenStart: StaticString = "a date-time on the clinic's clock, such as 2030-01-15T09:30:00-05:00"
    static let spokenTime: StaticString = "the caller's words about the time, in at most 512 bytes, or null"
    static let zoneName: StaticString = "an IANA name, such as America/New_York"
    static let zoneOrOffset: StaticString =
        "an IANA name such as \"America/New_York\", or a fixed offset, \"Z\" or \"±HH:MM\" such as \"-05:00\""

    // MARK: Phone numbers

    static let phone: StaticString =
        "an E.164 number: a plus sign, the country code and the number, 2 to 15 digits in all"
    static let spokenPhone: StaticString = "a phone number as spoken or written, in at most 1024 bytes"
    static let region: StaticString = "an ISO 3166 code of two capital letters, such as US or GB"

    // MARK: Addresses and files

    static let baseURL: StaticString =
        "an https URL without user, query or fragment, such as https://appointments.dialstack.ai"
    static let webhookURL: StaticString =
        "an https URL without user, query or fragment, such as https://clinic.example/webhook"
    static let proxyURL: StaticString = "a URL such as http://proxy.example.com:3128 (http, https, socks5 or socks5h)"
    static let urlPath: StaticString = "a path that starts with /, without query or fragment"
    static let file: StaticString = "the path of a file"
    static let directory: StaticString = "the path of a directory"
    static let certificateFile: StaticString = "the path of a PEM file with certificates"

    // MARK: Choices

    static let endpoint: StaticString = "\"partner_api\", \"platform_webhook\" or \"sandbox\""
    static let platformKeys: StaticString = "\"kept\", \"first\" or \"none\""
    static let confirm: StaticString = "readback or none"
    static let items: StaticString = "auto, slots or windows"
    static let speechStyle: StaticString = "full, day or time"
    static let speechJoiner: StaticString = "or, or and"

    static func oneOf(_ names: [String]) -> String {
        "\(names.dropLast().joined(separator: ", ")) or \(names.last ?? "")"
    }

    // MARK: Numbers and lists

    static func wholeNumber(_ range: ClosedRange<Int>) -> String {
        "a whole number from \(range.lowerBound) to \(range.upperBound)"
    }

    static func list(of range: ClosedRange<Int>) -> String {
        "a list of \(range.lowerBound) to \(range.upperBound) slots"
    }

    // MARK: Faults of the sandbox

    static let fault: StaticString = "the name of a fault"
    static let faults: StaticString = """
        one of lose_request, lose_reply, cuts, queues, late, error, limits, respells, error_after, slow_duplicate, \
        in_progress, works, gives_up, drops, own_conflict, declined, books_as, cancels_later, other_booking, \
        empty_booking or error_in_booking
        """
    static let bookingStatus: StaticString = "the status of the booking"
    static let errorCode: StaticString = "the code of the error"
    static let contentType: StaticString = "the value of a Content-Type header"
}
