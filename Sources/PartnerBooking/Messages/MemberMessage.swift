/// The faults of members. Each follows the path of a member: `booking.start_at must be …`.
enum MemberMessage {
    // MARK: Any member

    static func mustBe(_ form: StaticString) -> String { "must be \(form)" }
    static func mustBe(_ form: String) -> String { "must be \(form)" }
    static func required(_ form: StaticString) -> String { "is required: \(form)" }
    static func required(_ form: String) -> String { "is required: \(form)" }
    static var object: String { "must be a JSON object" }
    static var objects: String { "must be a list of JSON objects" }
    static var objectsByName: String { "must be a JSON object, and so must each of its members" }
    static var boolean: String { "must be \(Form.anyBoolean)" }
    static var strings: String { "must be a list of strings" }
    static var twice: String { "must not appear twice" }
    static var null: String { "must not contain the character U+0000" }
    static var controlCharacters: String { "must not contain control characters" }
    static var emptyText: String { "an empty string" }
    static var blankText: String { "only blanks" }

    static func unknown(_ known: [String]) -> String {
        "is not a known member here; known are: \(known.joined(separator: ", "))"
    }

    static func listOfAtMost(_ count: Int) -> String { "must be a list of at most \(count) elements" }

    static func outside(_ range: ClosedRange<Int>, _ value: Int) -> String {
        "is \(value) and must be from \(range.lowerBound) to \(range.upperBound)"
    }

    // MARK: The value that came

    /// Appends a description of the value, such as `a string`, to a whole fault.
    static func found(_ found: String, _ expected: String) -> String { "\(expected); it is \(found)" }
    static func hasBytes(_ count: Int, _ expected: String) -> String { "\(expected); it has \(count) bytes" }
    static func hasControlCharacter(_ expected: String) -> String { "\(expected); it contains a control character" }

    static func quotedObject(_ expected: String) -> String {
        "\(expected); it is a string that contains one: write it without quotes around it"
    }

    static func quotedNumber(_ number: String, _ expected: String) -> String {
        "\(expected); it is a string: write it as a number, without quotes: \(number)"
    }

    static func quotedBoolean(_ word: String, _ expected: String) -> String {
        "\(expected); it is a string: write it without quotes: \(word)"
    }

    static func string(_ form: String) -> String { "must be a string: \(form)" }

    static func otherName(_ other: String, _ expected: String) -> String { "\(expected). Rename the member \(other)" }
    static func otherPlace(_ other: String, _ expected: String) -> String { "\(expected). Move the member \(other) here" }

    // MARK: Times

    static var notADate: String {
        "is no date-time that can be read: write it as \(Form.timestampExample), with the clinic's UTC offset"
    }
    static var noDate: String {
        "is empty: write a date-time with the clinic's UTC offset, such as \(Form.timestampExample)"
    }
    static var noSuchMinute: String { "hours are 00 to 23, minutes and seconds 00 to 59" }
    static var midnight: String { "midnight is 00:00:00 of the next day" }
    static var twelveHours: String {
        "is a time of the 12-hour clock: write it from 00:00 to 23:59, as \(Form.timestampExample)"
    }
    static var zoneName: String {
        "has the name of a time zone: write only the clinic's UTC offset at that time, as in \(Form.timestampExample)"
    }
    static var oneDigit: String {
        "has a month, a day or an hour of one digit: write two digits, as in \(Form.timestampExample)"
    }
    static var dateOrder: String {
        "is a date in another form: write year, month and day with hyphens, as in \(Form.timestampExample)"
    }
    static var timeOnly: String {
        "is a time without a date: write the date in front of it, as in \(Form.timestampExample)"
    }
    static var notAfterStart: String { "must be after start_at" }
    static var seconds: String { "must be from 0 to 253402300799" }
    static var sevenDays: String { "must have seven days" }

    /// Describes a date without a time. `came` is empty, or the received text in brackets, here
    /// and below.
    static func dateOnly(_ came: String) -> String {
        "is a date without a time\(came). Write the time and the clinic's UTC offset, too: \(Form.timestampExample)"
    }

    static func year0(_ came: String) -> String { "is in the year 0000\(came)" }
    static func noSuchDate(_ came: String) -> String { "is a date that does not exist\(came)" }
    static func noSuchTime(_ came: String, _ advice: String) -> String {
        "is a time that does not exist\(came): \(advice)"
    }

    static func noOffset(_ came: String) -> String {
        "has no UTC offset\(came): write the clinic's offset at that time behind it, as in \(Form.timestampExample). "
            + "Do not add Z unless the time is UTC"
    }

    static func wrongOffset(_ came: String) -> String {
        "has a UTC offset that cannot be read\(came): write it as -05:00 or +01:00, as in \(Form.timestampExample)"
    }

    static func notAfterStart(daysIn zone: String) -> String {
        "must be after start_at: plain dates are days in \(zone)"
    }

    static func past(_ time: String, today: String) -> String {
        "is \(time), which is in the past: today is \(today). Ask for a future time"
    }

    static var someTime: String { "a time" }

    static func today(_ weekday: String, _ date: String, time: String) -> String {
        "\(weekday), \(date), and the time is \(time) in UTC"
    }

    static func zone(_ reason: String) -> String { "cannot be used: \(reason)" }
    static var hours: String { "must be a list such as [\"09:00-12:00\",\"13:00-17:00\"]" }
    static var separateHours: String { "must be a list such as [\"09:00-12:00\",\"13:00-17:00\"], without overlaps" }

    // MARK: Phone numbers

    static var noPhone: String { "is empty: it must be \(Form.phone)" }
    static var severalPhones: String { "contains several numbers, or marks between them: write one number" }
    static var phoneExtension: String { "has an extension, which E.164 does not have: leave it out" }
    static var phoneCharacters: String { "contains characters that no phone number has: it must be \(Form.phone)" }
    static var zeroForCountry: String { "has no country code, which never begins with 0: it must be \(Form.phone)" }
    static var trunkZero: String {
        "has a zero in brackets: write it as it is dialled from abroad, mostly without that zero"
    }
    static var dialledAbroad: String {
        "has no plus sign, so the country code is missing: write + in place of the digits that are dialled for a call abroad"
    }
    static var noCountryCode: String {
        "has no plus sign, so the country code is missing: "
            + "write + and the country code in front of it, such as +1 or +49, and leave out a leading 0"
    }
    static var tooFewDigits: String { "has too few digits: it must be \(Form.phone)" }
    static var tooManyDigits: String { "has too many digits: it must be \(Form.phone)" }

    // MARK: Requests

    static var notForResume: String { "must be left out with \"resume\":true: the library sends the recorded request" }
    static var notForGiveUp: String { "must be left out with \"give_up\":true" }
    static var notForGiveUpByKey: String { "must be left out with \"give_up\":true and an idempotency_key" }
    static var onlyForGiveUp: String { "needs \"give_up\":true" }
    static var callerPhone: String { "must be the number that the caller calls from, or null" }
    static var noClinic: String { "has no clinic: the configuration needs voice.time_zone for tools" }
    static var unclear: String { "is missing or not clear" }
    static var noSearchReply: String { "is not there, or is no list: give the reply of a search that succeeded" }
    static var nothingToSay: String { "is required, or one of start_at, slot, phone and duration_minutes" }

    static func tooMuch(beside other: StaticString) -> String { "must be left out beside \(other)" }
    static func startAt(_ form: StaticString) -> String { "must have a start_at: \(form)" }
    static func noStart(at place: Int, _ form: String) -> String {
        "must be \(form); the one at place \(place) has no usable start_at"
    }

    static func listOf(_ names: [String]) -> String { "must be a list of \(names.joined(separator: ", "))" }

    // MARK: Configuration

    static var samePaths: String { "must be two different paths" }
    static var lookupPath: String { "must not be /v1/customers/lookup, where the sandbox looks up customers" }
    static var botIDs: String { "must have bot_ids of 1 to 256 bytes as names" }
    static var botIDTwice: String { "must not name a bot_id twice" }
    static var https: String { "must start with https:// (http:// is for loopback addresses only)" }
    static var proxyInTheClear: String { "needs an https base_url or webhook_url: a proxy could read the requests" }
    static var noPlatforms: String { "is required: an object with a member for each bot_id" }
    static var noSecret: String { "is required with a webhook_url: \(Form.webhookSecret)" }
    static var privateHosts: String {
        "must be a list of host names and addresses, such as [\"clinic.internal\",\"10.1.2.3\"]"
    }
    static var noServices: String { "must name one service or more, or be left out" }
    static var thisMachine: String { "this machine" }
    static var privateAddress: String { "an address that is not public" }
    static var faultOfBookings: String { "must be \"create_booking\" with this fault, which needs a booking" }
    static var callNumbers: String { "must be a list of whole numbers from 1" }

    static func ofEndpoint(_ endpoint: String) -> String { "belongs to \"endpoint\":\"\(endpoint)\" only" }
    static func leads(to place: String, _ host: String) -> String {
        "leads to \(place), \(host): add \"\(host)\" to private_hosts if that is intended"
    }

    // MARK: Journal and ledger

    static var notWithLedger: String { "belongs to a journal: leave it out with a ledger" }
    static var needsLedger: String { "needs a ledger: open with pbk_client_open_with_ledger" }
    static var needsJournal: String { "needs a journal_path or journal_dir" }
    static var twoJournals: String { "takes the place of journal_path: leave one of them out" }
    static var absolutePath: String { "must start with / here" }
    static var notAFile: String { "must name a file that exists or can be created" }
    static var linkToFile: String { "names a symbolic link: name the file itself" }
    static var notADirectory: String { "must name a directory that exists or can be created" }
    static var noParent: String { "names a directory without a parent: create the parent directory" }
    static var linkToDirectory: String { "names a symbolic link: name the directory itself" }
    static var noJournal: String { "names a file that is no journal: move it away, or use another path" }
    static var laterJournal: String {
        "names a journal of a later version of this library: use that version, or another path"
    }

    static func fileOfUser(_ owner: UInt32, notOf user: UInt32) -> String {
        "names a file of user \(owner), and this process runs as user \(user): change one of them, or the path"
    }

    static func directoryOfUser(_ owner: UInt32) -> String {
        "names a directory of another user (\(owner)): name one inside it, which the library creates"
    }

    static func journalOf(_ service: String) -> String {
        "names the journal of another service (\(service)): use one path for each service"
    }
}
