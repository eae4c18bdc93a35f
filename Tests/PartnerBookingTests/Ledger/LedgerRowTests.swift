import Testing

@testable import PartnerBooking

/// Rows and results of the host, who may write anything.
@Suite struct LedgerRowTests {
    private static let hex = JournalSample.wish.fingerprint.hex
    // Computed, as in `RequestText`.
    private static var open: RequestText {
        RequestText()
            .setting("key", #""k""#).setting("state", #""open""#).setting("fingerprint", #""\#(hex)""#)
            .setting("claim", #""c""#).setting("recorded_at", "5").setting("body", #""{}""#).setting("lease_ms", "9")
    }
    private static var booked: RequestText { ended("booked").setting("reply", #""{}""#) }
    private static var refused: RequestText { ended("refused").setting("outcome", #""not_sent""#) }

    private static func ended(_ state: String) -> RequestText {
        open.setting("state", #""\#(state)""#).setting("body", "null").setting("lease_ms", "null")
    }

    private static var rows: [String: String] { ["open": open.text, "booked": booked.text, "refused": refused.text] }

    private static func row(_ text: RequestText) throws -> LedgerRow? {
        LedgerRow(try JSONDocument(text.bytes, profile: .reply).root)
    }

    private static func answer(_ json: String, to operation: LedgerOperation) throws -> LedgerAnswer? {
        LedgerAnswer(try JSONDocument(Array(json.utf8), profile: .reply).root, to: operation)
    }

    // MARK: Rows

    @Test func everyMemberIsRead() throws {
        let text = Self.open.setting("owner", #""o""#).setting("account_id", #""a""#).setting("conversation", #""call""#)
            .setting("withdrawn", "true").setting("heard", "true").setting("bot_id", #""b""#)
            .setting("start_at", #""2030-01-14T10:00:00Z""#).setting("duration_minutes", "30").setting("x", "{}")
        let row = try #require(try Self.row(text))
        #expect(row.key == "k" && row.claim == "c" && row.owner == "o" && row.accountID == "a")
        #expect(row.state == .open && row.leaseMilliseconds == 9 && row.recordedAt == 5 && row.body == Array("{}".utf8))
        #expect(row.isWithdrawn && row.isHeard && row.isLive && !row.isRefused)
        let wish = Wish(
            fingerprint: JournalSample.wish.fingerprint, summary: JournalSample.wish.summary, conversation: "call")
        #expect(row.wish == wish)
    }

    @Test func whatIsNotNeededMayBeMissingOrNull() throws {
        let row = try #require(try Self.row(Self.open))
        #expect(row.owner == nil && row.accountID == nil && row.wish.summary == nil && row.wish.conversation == nil)
        #expect(!row.isWithdrawn && !row.isHeard)
        var text = Self.open
        for name in ["owner", "account_id", "conversation", "withdrawn", "heard", "bot_id", "reply", "outcome"] {
            text = text.setting(name, "null")
        }
        #expect(try Self.row(text) == row)
    }

    /// The request of an open row is what would be sent.
    @Test func theRequestSaysMoreThanTheColumns() throws {
        let body = JSONWriter.string(String(decoding: JournalSample.body, as: UTF8.self))
        let text = Self.open.setting("body", String(decoding: body, as: UTF8.self)).setting("bot_id", #""other""#)
        #expect(try Self.row(text)?.wish.summary == JournalSample.wish.summary)
    }

    @Test func theStateSaysWhatHolds() throws {
        let booked = try #require(try Self.row(Self.booked))
        #expect(booked.state == .booked(reply: Array("{}".utf8)) && booked.pendingState == .booked)
        #expect(!booked.isLive && booked.leaseMilliseconds == nil)
        let outcomes = [
            "not_sent": LedgerRow.State.refused(.notSent), "rejected": .refused(.rejected), "given_up": .givenUp,
        ]
        for (word, state) in outcomes {
            let row = try #require(try Self.row(Self.refused.setting("outcome", #""\#(word)""#)))
            #expect(row.state == state && row.pendingState == .refused && row.isRefused && !row.isLive)
        }
        for (lease, isLive) in [("1", true), ("0", false), ("-1", false), ("9223372036854775807", true)] {
            let row = try #require(try Self.row(Self.open.setting("lease_ms", lease)))
            #expect(row.isLive == isLive && row.pendingState == (isLive ? .inFlight : .inDoubt))
        }
    }

    @Test(arguments: ["key", "state", "fingerprint", "claim", "recorded_at"])
    func everyRowNeedsIt(_ name: String) throws {
        for text in [Self.open, Self.booked, Self.refused] {
            #expect(try Self.row(text) != nil)
            for value in [nil, "null", "true", "1.5", "[]", "{}"] as [String?] {
                #expect(try Self.row(text.setting(name, value)) == nil, "\(name): \(value ?? "missing")")
            }
        }
    }

    @Test func eachStateNeedsMembersOfItsOwn() throws {
        for (text, name) in [
            (Self.open, "body"), (Self.open, "lease_ms"), (Self.booked, "reply"), (Self.refused, "outcome"),
        ] {
            for value in [nil, "null", "false", "1.5", "1e3", "[]", "{}"] as [String?] {
                #expect(try Self.row(text.setting(name, value)) == nil, "\(name): \(value ?? "missing")")
            }
        }
    }

    @Test(arguments: [
        ("state", #""OPEN""#), ("state", #""unknown""#), ("fingerprint", #""""#), ("fingerprint", #""00""#),
        ("recorded_at", "9223372036854775808"), ("recorded_at", "1e3"), ("recorded_at", #""5""#),
        ("lease_ms", "-9223372036854775809"), ("lease_ms", #""9""#),
    ])
    func aHostileMemberMakesNoRow(_ name: String, _ value: String) throws {
        #expect(try Self.row(Self.open.setting(name, value)) == nil)
    }

    @Test(arguments: ["null", "true", "5", #""row""#, "[]", "{}"])
    func whatIsNoObjectIsNoRow(_ json: String) throws {
        let list = try JSONDocument(Array("[\(json)]".utf8), profile: .reply).root.elements.map { $0 }
        #expect(list.count == 1 && list.allSatisfy { LedgerRow($0) == nil })
    }

    /// They come from the store and go into sums.
    @Test(arguments: ["-9223372036854775808", "9223372036854775807"])
    func hugeNumbersDoNoHarm(_ number: String) throws {
        var text = Self.open.setting("bot_id", #""b""#).setting("start_at", #""9999-12-31T23:59:59Z""#)
        for name in ["lease_ms", "duration_minutes"] { text = text.setting(name, number) }
        let row = try #require(try Self.row(text))
        #expect(try Self.row(text.setting("recorded_at", number)) == nil)
        #expect(row.existing.startAt == "9999-12-31T23:59:59Z")
    }

    @Test func theEntryIsThatOfAJournal() throws {
        let open = try #require(try Self.row(Self.open)).entry(clock: 3)
        #expect(open.state == .unsettled(body: Array("{}".utf8)) && open.clock == 3 && open.key == "k")
        #expect(try Self.row(Self.booked)?.entry(clock: 3).state == .booked(reply: Array("{}".utf8)))
        #expect(try Self.row(Self.refused)?.entry(clock: 3).state == .refused(.notSent))
    }

    // MARK: Results

    private static var claim: LedgerOperation {
        .claim("c", LedgerOperation.Intent(wish: JournalSample.wish, body: [], accountID: nil, recordedAt: 1))
    }
    private static var settle: LedgerOperation { .settle("c", JournalSample.wish, recordedAt: 1, reply: []) }
    private static var void: LedgerOperation { .void("c", JournalSample.wish, recordedAt: 1, .rejected) }

    /// The results of an operation, with the states of the row that they need.
    private static var results: [(operation: LedgerOperation, known: [String: [String]])] {
        let ends = ["done": [String](), "lost": []]
        return [
            (
                claim,
                [
                    "claimed": [], "lost": [], "in_doubt": ["open"], "held": ["open"], "booked": ["booked"],
                    "refused": ["refused"], "other": ["open", "booked", "refused"],
                ]
            ),
            (.wait, ["absent": [], "open": ["open"], "booked": ["booked"], "refused": ["refused"]]),
            (settle, ["done": [], "other": []]), (void, ends), (.withdraw("c"), ends), (.heard("c"), ends),
            (
                .giveUp("c"),
                ["absent": [], "given_up": ["open", "refused"], "kept": ["booked", "refused"], "held": ["open"]]
            ),
            (.renew([]), ["renewed": []]),
        ]
    }

    @Test func everyOperationHasItsResultsAndNoOthers() throws {
        let words = Set(Self.results.flatMap(\.known.keys)).union(["rows", "nonsense", "CLAIMED", ""])
        for (operation, known) in Self.results {
            for word in words {
                let bare = try Self.answer(#"{"result":"\#(word)"}"#, to: operation)
                #expect((bare != nil) == (known[word]?.isEmpty ?? false), "\(operation.name): \(word)")
                for (state, row) in Self.rows where known[word] == nil || known[word]?.contains(state) == true {
                    let answer = try Self.answer(#"{"result":"\#(word)","row":\#(row)}"#, to: operation)
                    #expect((answer != nil) == (known[word] != nil), "\(operation.name): \(word), \(state)")
                    #expect(answer == nil || answer?.row?.key == "k")
                }
            }
            #expect(try Self.answer(#"{"result":"failed","message":"m"}"#, to: operation) == .failed("m"))
            for json in ["{}", #"{"result":7}"#, #"{"result":null}"#, "[]"] {
                #expect(try Self.answer(json, to: operation) == nil)
            }
        }
    }

    @Test(arguments: [
        ("in_doubt", "booked"), ("in_doubt", "refused"), ("held", "booked"), ("held", "refused"), ("booked", "open"),
        ("booked", "refused"), ("refused", "open"), ("refused", "booked"),
    ])
    func aRowInAnotherStateIsNoAnswerToAClaim(_ word: String, _ state: String) throws {
        let row = try #require(Self.rows[state])
        #expect(try Self.answer(#"{"result":"\#(word)","row":\#(row)}"#, to: Self.claim) == nil)
    }

    @Test func listsAreRead() throws {
        let rows = #"{"result":"rows","rows":[\#(Self.open.text),{},\#(Self.booked.text)]}"#
        for operation in [LedgerOperation.orphans(limit: 1, notBefore: 1), .pending(botID: nil, limit: 1)] {
            guard case .rows(let list) = try Self.answer(rows, to: operation) else {
                Issue.record("no rows")
                continue
            }
            #expect(list.map(\.pendingState) == [.inFlight, .booked])
            for json in [#"{"result":"rows"}"#, #"{"result":"rows","rows":null}"#, #"{"result":"rows","rows":{}}"#] {
                #expect(try Self.answer(json, to: operation) == nil)
            }
        }
        for lost in ["", #","lost":null"#, #","lost":[]"#] {
            #expect(try Self.answer(#"{"result":"renewed"\#(lost)}"#, to: .renew([])) == .renewed(lost: []))
        }
        #expect(try Self.answer(#"{"result":"renewed","lost":["a","b"]}"#, to: .renew([])) == .renewed(lost: ["a", "b"]))
        #expect(try Self.answer(#"{"result":"renewed","lost":"a"}"#, to: .renew([])) == nil)
    }
}
