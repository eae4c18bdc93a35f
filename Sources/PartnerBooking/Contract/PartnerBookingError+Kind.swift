extension PartnerBookingError {
    /// The kind of mistake in a request, for programs. `message` explains it in words. Later
    /// versions may add kinds.
    public struct Kind: RawRepresentable, Hashable, Sendable {
        /// The kind, as in JSON.
        public let rawValue: String
        /// Creates a kind from its name.
        public init(rawValue: String) { self.rawValue = rawValue }
        private init(_ rawValue: String) { self.rawValue = rawValue }

        // MARK: Members

        /// A required member is missing.
        public static let missing = Kind("missing")
        /// A required member is missing. A member with a similar name is there.
        public static let otherName = Kind("other_name")
        /// A required member is missing, but another object has it.
        public static let otherPlace = Kind("other_place")
        /// A member appears twice.
        public static let repeated = Kind("repeated")
        /// A member does not fit another member.
        public static let unexpected = Kind("unexpected")
        /// A value has the wrong JSON type.
        public static let wrongType = Kind("wrong_type")
        /// A number is written as a string.
        public static let quotedNumber = Kind("quoted_number")
        /// `true` or `false` is written as a string.
        public static let quotedBoolean = Kind("quoted_boolean")
        /// An object is written as a string.
        public static let quotedObject = Kind("quoted_object")

        // MARK: Values

        /// A text has no characters, or blanks only.
        public static let empty = Kind("empty")
        /// A text is longer than its limit.
        public static let tooLong = Kind("too_long")
        /// A text contains a control character.
        public static let controlCharacter = Kind("control_character")
        /// A text does not have the required form.
        public static let malformed = Kind("malformed")
        /// A number is not whole.
        public static let notWhole = Kind("not_whole")
        /// A value is outside its range.
        public static let outOfRange = Kind("out_of_range")

        // MARK: Times

        /// A time has no UTC offset.
        public static let noOffset = Kind("no_offset")
        /// A time has an offset that RFC 3339 does not allow.
        public static let wrongOffset = Kind("wrong_offset")
        /// A time has a zone name, such as `EST`.
        public static let zoneName = Kind("zone_name")
        /// A date without a time.
        public static let dateOnly = Kind("date_only")
        /// A time without a date.
        public static let timeOnly = Kind("time_only")
        /// A day that the calendar does not have, or the year 0000.
        public static let noSuchDate = Kind("no_such_date")
        /// A time that a clock does not show.
        public static let noSuchTime = Kind("no_such_time")
        /// A time of the 12-hour clock.
        public static let twelveHourClock = Kind("twelve_hour_clock")
        /// A date in another order than year, month, day, or without hyphens.
        public static let dateOrder = Kind("date_order")
        /// A month, a day or an hour with one digit.
        public static let oneDigit = Kind("one_digit")
        /// A time that has passed.
        public static let inThePast = Kind("in_the_past")
        /// Not a date.
        public static let notADate = Kind("not_a_date")

        // MARK: Phone numbers

        /// A number without plus sign and country code.
        public static let noCountryCode = Kind("no_country_code")
        /// A number with `(0)`, which is not dialled from abroad.
        public static let trunkZero = Kind("trunk_zero")
        /// A number with an extension.
        public static let phoneExtension = Kind("extension")
        /// Too few or too many digits.
        public static let phoneLength = Kind("phone_length")
        /// Several numbers.
        public static let severalNumbers = Kind("several_numbers")
        /// Not a phone number.
        public static let notAPhone = Kind("not_a_phone")

        // MARK: JSON

        /// JSON in a code fence.
        public static let codeFence = Kind("code_fence")
        /// Text before or after the object.
        public static let textAround = Kind("text_around")
        /// A byte order mark.
        public static let byteOrderMark = Kind("byte_order_mark")
        /// Quotation marks that JSON does not have.
        public static let otherQuotes = Kind("other_quotes")
        /// `True`, `False`, `None` or similar.
        public static let otherLiteral = Kind("other_literal")
        /// A comma after the last member.
        public static let trailingComma = Kind("trailing_comma")
        /// A comment.
        public static let comment = Kind("comment")
        /// The text ends too early.
        public static let cutOff = Kind("cut_off")
        /// Any other mistake in the JSON.
        public static let syntax = Kind("syntax")
    }
}
