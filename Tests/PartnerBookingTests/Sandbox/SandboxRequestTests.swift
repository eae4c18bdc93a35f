import Testing

@testable import PartnerBooking

/// The sandbox as a service: keys, bots, paths, bodies that no pipeline has checked; and the ids it gives.
@Suite struct SandboxRequestTests {
    private static let bookingBody =
        #"{"bot_id":"bot_7","booking":{"start_at":"2030-01-14T10:00:00Z","duration_minutes":30,"#
        + #""customer":{"phone":"+4930987","name":"Q"}}}"#
    private static let searchBody =
        #"{"bot_id":"bot_7","query":{"filter":{"start_at_range":{"start_at":"2030-01-14","end_at":"2030-01-14"}}}}"#
    private static let bearer = "Authorization: Bearer sk_ptnr_x"
    private static let key = "Idempotency-Key: k"

    // MARK: Keys

    @Test(
        arguments: [
            ([], 401), (["Authorization: Bearer "], 401), (["Authorization: Bearer sk_live_x"], 401),
            (["Authorization: Basic sk_ptnr_x"], 401),
            (["Authorization: sk_ptnr_x"], 401), (["X-Authorization: Bearer sk_ptnr_x"], 401), ([bearer], 200),
            (["Accept: a", "Authorization: Bearer sk_ptnr_other"], 200),
        ] as [([String], Int)])
    func anyPartnerKeyIsKnown(_ headers: [String], _ status: Int) throws {
        var clinic = try SandboxFixture()
        let reply = clinic.answer(path: "/v1/availability/search", headers: headers, Self.searchBody)
        reply.expect(status, status == 401 ? "unauthorized" : nil)
    }

    @Test(arguments: [
        ("sk_ptnr_known", 200), ("sk_ptnr_knowN", 401), ("sk_ptnr_known1", 401), ("sk_ptnr_know", 401), ("", 401),
    ])
    func aKeyThatIsConfiguredIsTheOnlyOne(_ key: String, _ status: Int) throws {
        var clinic = try SandboxFixture(["api_key": #""sk_ptnr_known""#])
        for path in ["/v1/availability/search", "/v1/bookings", "/v1/other"] {
            let headers = ["Authorization: Bearer \(key)", Self.key]
            let reply = clinic.answer(
                path: path, headers: headers, path.hasSuffix("search") ? Self.searchBody : Self.bookingBody)
            if status == 401 { reply.expect(401, "unauthorized") } else { #expect(reply.status != 401) }
        }
        #expect(try clinic.slots("2030-01-14", "2030-01-14").count == (status == 401 ? 16 : 15))
    }

    @Test func theClientsKeyIsTheOneThatCounts() throws {
        var stranger = try SandboxFixture(["api_key": #""sk_ptnr_known""#], configuration: ["api_key": #""sk_ptnr_other""#])
        try stranger.book("2030-01-14T10:00:00Z", key: "k").expect(401, "unauthorized")
        var friend = try SandboxFixture(["api_key": #""sk_ptnr_known""#], configuration: ["api_key": #""sk_ptnr_known""#])
        try friend.book("2030-01-14T10:00:00Z", key: "k").expect(201)
    }

    // MARK: Bots

    @Test func onlyKnownBotsAreServed() throws {
        var clinic = try SandboxFixture(["bots": #"["bot_7","bot_8"]"#])
        for bot in ["bot_7", "bot_8"] {
            let search = SandboxFixture.searchText("2030-01-14", "2030-01-14", bot: bot)
            try clinic.answer(.searchAvailability, search).expect(200)
        }
        for bot in ["bot_9", "bot_", "bot_77", "Bot_7"] {
            let search = SandboxFixture.searchText("2030-01-14", "2030-01-14", bot: bot)
            try clinic.answer(.searchAvailability, search).expect(404, "bot_not_found")
            let booking = SandboxFixture.bookingText("2030-01-14T10:00:00Z", key: bot, bot: bot)
            try clinic.answer(.createBooking, booking).expect(404, "bot_not_found")
        }
        #expect(try clinic.slots("2030-01-14", "2030-01-14").count == 16)
        var closed = try SandboxFixture(["bots": "[]"])
        try closed.book("2030-01-14T10:00:00Z", key: "k").expect(404, "bot_not_found")
        var open = try SandboxFixture()
        try open.answer(.createBooking, SandboxFixture.bookingText("2030-01-14T10:00:00Z", bot: "anyone")).expect(201)
    }

    // MARK: Paths

    @Test func thereAreTwoPaths() throws {
        var clinic = try SandboxFixture()
        for path in ["", "/", "/v1", "/v1/bookings/", "/v1/bookings/1", "/v1/availability", "/V1/bookings"] {
            clinic.answer(path: path, Self.bookingBody).expect(404, "not_found")
        }
        clinic.answer(path: "/v1/bookings", Self.bookingBody).expect(201)
    }

    @Test(arguments: [("/a", "/b"), ("/a", "/b/a"), ("/b/a", "/a"), ("/", "/b/"), ("/api/x", "/x")])
    func pathsThatAreConfiguredLeadWhereTheyShould(_ search: String, _ booking: String) throws {
        let paths = ["paths.search_availability": "\"\(search)\"", "paths.create_booking": "\"\(booking)\""]
        var clinic = try SandboxFixture(configuration: paths)
        #expect(try clinic.slots("2030-01-14", "2030-01-14").count == 16)
        try clinic.book("2030-01-14T10:00:00Z", key: "k").expect(201)
    }

    // MARK: Bodies

    @Test func aBookingNeedsAnIdempotencyKey() throws {
        var clinic = try SandboxFixture()
        clinic.answer(path: "/v1/bookings", headers: [Self.bearer], Self.bookingBody).expect(400, "idempotency_key_required")
        #expect(try clinic.slots("2030-01-14", "2030-01-14").count == 16)
    }

    @Test(arguments: RequestField.all.filter { !$0.isOwn })
    func bodiesAreHeldToTheSameRules(_ field: RequestField) throws {
        var clinic = try SandboxFixture()
        let path =
            switch field.operation {
            case .searchAvailability: "/v1/availability/search"
            case .createBooking: "/v1/bookings"
            case .lookupCustomer: "/v1/customers/lookup"
            }
        let sent = RequestText.of(field.operation).setting("idempotency_key", nil).setting("tag", nil)
        for value in field.refused where field.path != "bot_id" || value != #""""# {
            let reply = clinic.answer(path: path, sent.setting(field.path, value).text)
            reply.expect(400, "invalid_payload")
            let message = try #require(reply.refusal?.message)
            #expect(message.hasPrefix("\(field.path) "))
            #expect(!message.contains("Zaphod") && !message.contains("+4930") && !message.contains("qwxyz"))
        }
    }

    @Test(arguments: ["", "{", "[]", "null", "no JSON", #"{"bot_id":"\ud800"}"#, bookingBody + "x"])
    func whatIsNoJSONObjectIsRefused(_ body: String) throws {
        var clinic = try SandboxFixture()
        clinic.answer(path: "/v1/bookings", body).expect(400, "invalid_payload")
        clinic.answer(path: "/v1/availability/search", body).expect(400, "invalid_payload")
    }

    // MARK: Ids

    @Test func idsAreTypeIDsAndNeverTheSame() throws {
        var clinic = try SandboxFixture(["capacity": "1000", "days": "366"])
        var ids: Set<String> = []
        let alphabet = Set("0123456789abcdefghjkmnpqrstvwxyz")
        let slots = try clinic.slots("2030-01-14", "2030-02-14")
        for number in 0..<manyCalls {
            let body = try clinic.book(slots[number % slots.count], key: "\(number)").booking("id")
            let id = try #require(body)
            let digits = id.dropFirst(4)
            if !id.hasPrefix("bkg_") || digits.count != 26 || !("0"..."7" ~= digits.first ?? "8")
                || !digits.allSatisfy(alphabet.contains)
            {
                Issue.record("\(id) is no id")
            }
            ids.insert(id)
        }
        #expect(ids.count == manyCalls)
    }

    /// A UUID of version 7, in Crockford's base 32, of the clock's second.
    @Test(arguments: ["1970-01-01T00:00:01Z", "2001-09-09T01:46:40Z", "2030-01-14T08:00:00Z", "2106-02-07T00:00:00Z"])
    func anIDIsAUUIDOfVersionSeven(_ now: String) throws {
        var clinic = try SandboxFixture(["opening_hours": SandboxFixture.alwaysOpen, "capacity": "1000"], now: now)
        let slot = try #require(try clinic.slots(String(now.prefix(10)), "2200-01-01").first)
        let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)
        for number in 0..<50 {
            let id = try #require(try clinic.book(slot, key: "\(number)").booking("id"))
            let uuid = id.utf8.dropFirst(4).reduce(UInt128(0)) { $0 << 5 | UInt128(alphabet.firstIndex(of: $1) ?? 0) }
            #expect(uuid >> 80 == UInt128(clinic.now * 1_000))
            #expect(uuid >> 76 & 0xF == 7, "the version")
            #expect(uuid >> 62 & 0x3 == 2, "the variant")
        }
    }

    @Test func idsSortByTheSecondOfTheirMaking() throws {
        var clinic = try SandboxFixture(["capacity": "1000"])
        var ids: [String] = []
        for number in 0..<300 {
            ids.append(try #require(try clinic.book("2030-01-16T10:00:00Z", key: "\(number)").booking("id")))
            clinic.now += [1, 1, 59, 600][number % 4]
        }
        #expect(ids == ids.sorted())
    }
}
