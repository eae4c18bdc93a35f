@testable import PartnerBooking

/// A member of a request, and what may and what may not stand there.
struct RequestField: Sendable, CustomStringConvertible {
    let operation: CallOperation
    let path: String
    let isRequired: Bool
    let accepted: [String]
    let refused: [String]

    var description: String { "\(operation.rawValue): \(path)" }

    private init(_ operation: CallOperation, _ path: String, isRequired: Bool = true, accepted: [String], refused: [String])
    {
        self.operation = operation
        self.path = path
        self.isRequired = isRequired
        self.accepted = accepted
        self.refused = refused
    }

    /// Whether the member is the library's own, and is not sent.
    var isOwn: Bool {
        let names = ["tag", "timeout_ms", "slow_after_ms", "traceparent", "idempotency_key", "detach", "conversation"]
        return names.contains(path)
    }

    /// What is no string, and no object either.
    static let noOptionalStrings = ["true", "false", "0", "2345", "[]", #"["word"]"#, "{}"]
    static let noStrings = ["null"] + noOptionalStrings
    static let noOptionalNumbers = ["true", "false", #""30""#, #""""#, "[]", "[30]", "{}"]
    static let noNumbers = ["null"] + noOptionalNumbers
    static let noObjects = ["null", "true", "false", "2345", #""word""#, "[]", "[{}]"]

    /// In the order in which they are read, which is the order in which they are named.
    static let ofBookings: [RequestField] =
        [
            key, tag(.createBooking), detach, milliseconds(.createBooking, "timeout_ms"),
            milliseconds(.createBooking, "slow_after_ms"), traceparent(.createBooking), bot(.createBooking),
        ] + booking + [conversation]
    static let ofSearches: [RequestField] =
        [
            tag(.searchAvailability), milliseconds(.searchAvailability, "timeout_ms"),
            milliseconds(.searchAvailability, "slow_after_ms"), traceparent(.searchAvailability), bot(.searchAvailability),
        ]
        + query
    static let ofLookups: [RequestField] = [
        tag(.lookupCustomer), milliseconds(.lookupCustomer, "timeout_ms"), milliseconds(.lookupCustomer, "slow_after_ms"),
        traceparent(.lookupCustomer), bot(.lookupCustomer),
        RequestField(.lookupCustomer, "customer", accepted: [], refused: noObjects),
        phone(.lookupCustomer, "customer.phone"),
    ]
    static let all = ofSearches + ofBookings + ofLookups

    private static func tag(_ operation: CallOperation) -> RequestField {
        RequestField(
            operation, "tag", isRequired: false,
            accepted: [
                "null", #""""#, #""x""#, RequestText.string(256), RequestText.string(128, of: "ä"), #""\u0000\n""#,
            ],
            refused: noOptionalStrings + [
                RequestText.string(257), RequestText.string(129, of: "ä"), RequestText.string(257, of: "\\n"),
            ])
    }

    private static let key = RequestField(
        .createBooking, "idempotency_key",
        accepted: [
            #""k""#, #""!~""#, RequestText.string(255), #""\u006b""#, RequestText.string(255, of: "\\u006b"), #""a\"b\\c""#,
        ],
        refused: noStrings + [
            #""""#, RequestText.string(256), #""two words""#, #"" key7""#, #""key7 ""#, #""kéy7""#, #""key7\u007f""#,
            #""key7\r\nX-Evil: 1""#, #""key7\n""#, #""key7\u0000""#, #""key7\t""#, #""key7\u0080""#,
        ])

    private static let detach = RequestField(
        .createBooking, "detach", isRequired: false, accepted: ["null", "true", "false"],
        refused: ["0", "1", "2345", #""yes""#, #""""#, "[]", "[true]", "{}"])

    private static let conversation = RequestField(
        .createBooking, "conversation", isRequired: false,
        accepted: [
            "null", #""""#, #""c""#, #"" ""#, #""\u0000\n""#, RequestText.string(256), RequestText.string(128, of: "ä"),
            RequestText.string(256, of: "\\u0062"),
        ],
        refused: noOptionalStrings + [RequestText.string(257), RequestText.string(129, of: "ä")])

    private static func milliseconds(_ operation: CallOperation, _ path: String) -> RequestField {
        RequestField(
            operation, path, isRequired: false, accepted: ["null", "1", "2", "5000", "600000", "5000.0", "5e3", "0.5e1"],
            refused: noOptionalNumbers + [
                "0", "-1", "-0", "600001", "600001.0", "0.5", "9223372036854775807", "9223372036854775808",
                "18446744073709551617", "-9223372036854775809",
            ])
    }

    private static func traceparent(_ operation: CallOperation) -> RequestField {
        let (trace, span) = ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331")
        let zeros = String(repeating: "0", count: 32)
        return RequestField(
            operation, "traceparent", isRequired: false,
            accepted: ["null", #""""#]
                + [
                    "00-\(trace)-\(span)-00", "00-\(trace)-\(span)-01", "00-\(trace)-\(span)-ff",
                    "00-\(zeros.dropLast())1-\(zeros.prefix(15))1-01",
                ].map { "\"\($0)\"" },
            refused: noOptionalStrings
                + [
                    "00", "-", "00-\(trace)-\(span)", "00-\(trace)-\(span)-", "00-\(trace)-\(span)-1",
                    "00-\(trace)-\(span)-011",
                    "00-\(trace)-\(span)-01-", "01-\(trace)-\(span)-01", "ff-\(trace)-\(span)-01", "0-\(trace)-\(span)-01",
                    "00-\(trace.dropLast())-\(span)-01", "00-\(trace)0-\(span)-01", "00-\(trace)-\(span.dropLast())-01",
                    "00-\(trace)-\(span)0-01", "00-\(zeros)-\(span)-01", "00-\(trace)-\(zeros.prefix(16))-01",
                    "00-\(trace.uppercased())-\(span)-01", "00-\(trace)-\(span.uppercased())-01", "00-\(trace)-\(span)-0A",
                    "00-\(trace.dropLast())g-\(span)-01", "00-\(trace)-\(span)-0 ", "00_\(trace)_\(span)_01",
                    "00-\(trace)-\(span)-01\\r\\n",
                ].map { "\"\($0)\"" })
    }

    private static func bot(_ operation: CallOperation) -> RequestField {
        RequestField(
            operation, "bot_id",
            accepted: [#""b""#, #""ä""#, RequestText.string(256), RequestText.string(256, of: "\\u0062")],
            refused: noStrings + [#""""#, RequestText.string(257), RequestText.string(129, of: "ä")])
    }

    private static func phone(_ operation: CallOperation, _ path: String) -> RequestField {
        RequestField(
            operation, path,
            accepted: [
                #""+12""#, #""+123456789012345""#, #""+4930987654321""#, #""\u002b4930987654321""#, #""+90""#,
                #""+49 30 987654""#, #""+49-30-987654""#, #""+49(30)987654""#, #"" +4930987654""#, #""+4930987654\n""#,
                #""tel:+4930987654""#, #""+４９３０９８７""#,
            ],
            refused: noStrings + [
                #""""#, #""+""#, #""+1""#, #""+1234567890123456""#, #""4930987654321""#, #""004930987654321""#,
                #""+04930987654""#, #""++4930987654""#, #""+4930987654x""#, #""+49)30(987654""#, #""+49((30))987654""#,
                #""+4930987\u0000""#,
            ])
    }

    private static let noTimestamps = [
        #""""#, #""soon""#, #""2031-02-30""#, #""2031-02-03T10:11:12""#, #""2031-02-03T25:11:12Z""#,
        #""2031-02-03T10:11:12.Z""#, #""1927-13-03""#, #""2031-02-03T10:11:60Z""#, #""0000-02-03T10:11:12Z""#,
        // 65 bytes, which no date-time needs.
        "\"2031-02-03T10:11:12." + String(repeating: "1", count: 44) + "Z\"",
    ]

    private static let query = [
        RequestField(.searchAvailability, "query", accepted: [], refused: noObjects),
        RequestField(.searchAvailability, "query.filter", accepted: [], refused: noObjects),
        RequestField(.searchAvailability, "query.filter.start_at_range", accepted: [], refused: noObjects),
        RequestField(
            .searchAvailability, "query.filter.start_at_range.start_at",
            accepted: [
                #""2031-02-03T10:11:12Z""#, #""2031-02-03t10:11:12.5z""#, #""2031-02-03T10:11:12-05:30""#, #""2031-02-03""#,
                #""2031-02-04""#, #""2031-02-04T10:11:11.999Z""#, #""2031-02-03T10:11:12\u005a""#,
                #""2031-02-03 10:11:12Z""#, #""2031-02-03T10:11:12Z ""#,
                "\"2031-02-03T10:11:12." + String(repeating: "1", count: 43) + "Z\"",
            ],
            refused: noStrings + noTimestamps),
        RequestField(
            .searchAvailability, "query.filter.start_at_range.end_at",
            accepted: [
                #""2031-02-03T10:11:13Z""#, #""2031-02-03T10:11:12.1Z""#, #""2031-02-03""#, #""2031-02-04""#,
                #""2031-02-03T10:11:12-05:30""#, #""2999-02-03""#,
            ],
            refused: noStrings + noTimestamps + [
                #""2031-02-03T10:11:12Z""#, #""2031-02-03T10:11:11Z""#, #""2031-02-01""#, #""2031-02-03T10:11:12+05:30""#,
            ]),
    ]

    private static let booking = [
        RequestField(.createBooking, "booking", accepted: [], refused: noObjects),
        RequestField(
            .createBooking, "booking.start_at",
            accepted: [#""2031-02-03T10:11:12Z""#, #""2031-02-03T10:11:12.5-05:30""#, #""2001-01-01T00:00:00Z""#],
            refused: noStrings + noTimestamps + [#""2031-02-03""#]),
        RequestField(
            .createBooking, "booking.duration_minutes", accepted: ["1", "30", "1440", "30.0", "3e1"],
            refused: noNumbers + ["0", "-30", "1441", "30.5", "3e9", "3e99999999999999999999", "9223372036854775808", "-0"]),
        RequestField(.createBooking, "booking.customer", accepted: [], refused: noObjects),
        phone(.createBooking, "booking.customer.phone"),
        RequestField(
            .createBooking, "booking.customer.name",
            accepted: [
                #""Q""#, #"" Q ""#, #""Ж""#, #""😀""#, #""\ud83d\ude00""#, RequestText.string(256),
                RequestText.string(128, of: "ä"),
            ],
            refused: noStrings + [
                #""""#, #"" ""#, #""\t\r\n ""#, #""\u00a0\u3000\u2003""#, RequestText.string(257),
                RequestText.string(129, of: "ä"), RequestText.string(65, of: "😀"), RequestText.string(256, of: " "),
                #""Q\u0000""#, #""Q\nQ""#,
            ]),
        RequestField(
            .createBooking, "booking.customer.email", isRequired: false,
            accepted: [
                "null", #""""#, #"" ""#, #"" zaphod@qwxyz.test""#, #""zaphod@qwxyz.test\n""#, #""a@b""#, #""a@b.c""#,
                #""first.last+tag@sub.qwxyz.test""#, #""jürgen@müller.test""#, #""'@qwxyz.test""#,
                "\"" + String(repeating: "a", count: 252) + "@b\"",
            ],
            refused: noOptionalStrings + [
                #""@""#, #""zaphod""#, #""@qwxyz.test""#, #""zaphod@""#, #""zaphod@@qwxyz.test""#,
                #""zap@hod@qwxyz.test""#,
                #""zaphod@.qwxyz""#, #""zaphod@qwxyz.""#, #""zaphod@qwxyz..test""#, #""zap hod@qwxyz.test""#,
                #""zaphod\u0000@qwxyz.test""#, #""zaphod@qw\u00a0xyz.test""#,
                #""zaphod\u007f@qwxyz.test""#,
                "\"" + String(repeating: "a", count: 253) + "@b\"",
            ]),
        RequestField(
            .createBooking, "booking.notes", isRequired: false,
            accepted: [
                "null", #""""#, #"" ""#, RequestText.string(16_384), RequestText.string(8_192, of: "ä"),
                RequestText.string(16_384, of: "\\n"),
            ],
            refused: noOptionalStrings + [
                RequestText.string(16_385), RequestText.string(8_193, of: "ä"), #""grumbles\u0000""#, #""grumbles\u001b""#,
            ]),
    ]
}

/// One wrong value of one member.
struct WrongValue: Sendable, CustomStringConvertible {
    let field: RequestField
    /// nil: the member is left out.
    let value: String?

    var request: RequestText { RequestText.of(field.operation).setting(field.path, value) }
    var description: String { "\(field): \(value.map { String($0.prefix(48)) } ?? "left out")" }

    static let all = RequestField.all.flatMap { field in
        field.refused.map { WrongValue(field: field, value: $0) }
            + (field.isRequired ? [WrongValue(field: field, value: nil)] : [])
    }
}
