import Testing

@testable import PartnerBooking

/// The items of `pbk_pending_bookings`.
@Suite struct PendingBookingTests {
    private static func booking(
        _ state: PendingBooking.State, conversation: String? = nil, now: Int = 0
    ) throws -> PendingBooking {
        let summary = try #require(BookingSummary(body: LedgerFixture.body("2030-01-14T10:00:00-05:00", bot: "bot_1")))
        let pending = BookingLedger.Pending(
            key: "k", summary: summary, recordedAt: 1_800_000_000_123, conversation: conversation, state: state)
        return PendingBooking(pending, now: now)
    }

    private static func text(_ booking: PendingBooking) -> String {
        String(decoding: JSONWriter.object { booking.write(&$0) }, as: UTF8.self)
    }

    @Test(
        arguments: [
            (.inFlight, "in_flight", true), (.inDoubt, "in_doubt", false), (.booked, "booked", false),
            (.refused, "refused", false),
        ] as [(PendingBooking.State, String, Bool)])
    func anItemHasTheDocumentedMembers(_ state: PendingBooking.State, _ name: String, _ isInFlight: Bool) throws {
        let booking = try Self.booking(state)
        #expect(booking.state == state && booking.isInFlight == isInFlight)
        let expected =
            #"{"idempotency_key":"k","bot_id":"bot_1","start_at":"2030-01-14T10:00:00-05:00","duration_minutes":30,"#
            + #""recorded_at":"2027-01-15T08:00:00.123Z","state":"\#(name)","#
            + #""in_flight":\#(isInFlight),"expired":false}"#
        #expect(Self.text(booking) == expected)
    }

    @Test func theConversationIsThereIfTheRequestNamedOne() throws {
        #expect(
            Self.text(try Self.booking(.booked, conversation: "call \"7\"")).hasSuffix(
                #","conversation":"call \"7\""}"#))
        #expect(!Self.text(try Self.booking(.booked)).contains("conversation"))
    }

    /// The start has passed, on the wall clock.
    @Test func anItemExpiresWithItsStart() throws {
        let start = 1_894_633_200_000  // 2030-01-14T15:00:00Z
        #expect(try !Self.booking(.inDoubt, now: start - 1).isExpired)
        #expect(try Self.booking(.inDoubt, now: start).isExpired)
    }

    @Test(arguments: [nil, "call-7"])
    func anItemIsReadAsItWasWritten(_ conversation: String?) throws {
        for state in [PendingBooking.State.inFlight, .inDoubt, .booked, .refused] {
            let booking = try Self.booking(state, conversation: conversation)
            let root = try JSONDocument(Array(Self.text(booking).utf8), profile: .reply).root
            #expect(PendingBooking(root) == booking)
        }
    }

    @Test func anotherObjectIsNoItem() throws {
        let text = Self.text(try Self.booking(.booked))
        for name in ["idempotency_key", "bot_id", "start_at", "duration_minutes", "recorded_at", "state", "expired"] {
            let other = text.replacing("\"\(name)\"", with: "\"x\"")
            #expect(PendingBooking(try JSONDocument(Array(other.utf8), profile: .reply).root) == nil, "\(name)")
        }
        let unknown = text.replacing("\"booked\"", with: "\"other\"")
        #expect(PendingBooking(try JSONDocument(Array(unknown.utf8), profile: .reply).root) == nil)
    }
}
