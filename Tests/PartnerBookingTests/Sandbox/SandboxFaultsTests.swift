import Glibc
import Testing

@testable import PartnerBooking

/// The sandbox's trouble on purpose, seen from a client.
@Suite struct SandboxFaultsTests {
    private static func client(_ faults: String, attempts: Int = 1, _ more: String = "") throws -> PartnerBookingClient {
        let sandbox = #""sandbox":{"now":"2030-01-14T08:00:00Z","capacity":1000,"faults":[\#(faults)]\#(more)}"#
        let retry = #""retry":{"max_attempts":\#(attempts),"base_delay_ms":1,"budget":0},"circuit_breaker":{"failures":0}"#
        return try PartnerBookingClient(
            json: Array(#"{"endpoint":"sandbox","settle_for_ms":0,\#(retry),\#(sandbox)}"#.utf8))
    }

    private static func count(_ client: PartnerBookingClient) throws -> Int {
        try JSONDocument(client.sandboxBookings(), profile: .reply).root["bookings"]?.elements.reduce(0) { sum, _ in sum + 1
        } ?? -1
    }

    /// What the first call says of its last answer, what is in the books then, and that the second one with the key always books,
    /// once. A booking that is late has no answer yet: its call times out.
    @Test(
        arguments: [
            (#"{"fault":"lose_request","calls":[1]}"#, "connection_lost", 0),
            (#"{"fault":"lose_reply","calls":[1]}"#, "connection_lost", 1),
            (#"{"fault":"error","calls":[1]}"#, "scripted_error", 0),
            (#"{"fault":"error","status":503,"calls":[1]}"#, "scripted_error", 0),
            (#"{"fault":"error_after","calls":[1]}"#, "scripted_error", 1),
            (#"{"fault":"late","ms":2000,"calls":[1]}"#, nil, 1),
            (#"{"fault":"in_progress","ms":300,"calls":[1]}"#, "idempotency_key_in_progress", 1),
        ] as [(String, String?, Int)])
    func eachFaultIsWhatItSays(_ fault: String, _ code: String?, _ booked: Int) throws {
        let client = try Self.client(fault)
        let first = client.call(.createBooking, request: Sample.booking(Sample.shortOfAQuestion)).failure
        #expect(first?.code == (code == nil ? .timeout : .inDoubt) && first?.doubt?.code?.rawValue == code)
        #expect(first?.outcome == .unknown)
        #expect(try Self.count(client) == booked)
        #expect(try client.pendingBookings().map(\.idempotencyKey) == ["key-1"])
        #expect(client.call(.createBooking, request: Sample.resume()).failure == nil)
        #expect(try Self.count(client) == 1)
        #expect(eventually { client.pendingStates == [] }, "a second after the call")
    }

    /// What is wrong with a later request says nothing of an earlier one with the key.
    @Test func aKeyInDoubtStaysSoWhateverIsWrongWithTheNextRequest() throws {
        let client = try Self.client(#"{"fault":"lose_reply","calls":[1]}"#)
        let first = client.call(.createBooking, request: Sample.booking(Sample.shortOfAQuestion)).failure
        #expect(first?.code == .inDoubt && first?.outcome == .unknown)
        let wrong = client.call(.createBooking, request: Sample.booking(Sample.timeout(0))).failure
        #expect(wrong?.code == .invalidField)
        #expect(wrong?.outcome == .unknown)
        let other = client.call(.createBooking, request: Sample.booking(key: "other", Sample.timeout(0))).failure
        #expect(other?.outcome == .notSent)
    }

    @Test func retriesMeetTheNextNumber() throws {
        let client = try Self.client(
            #"{"fault":"lose_reply","calls":[1]},{"fault":"error","status":503,"calls":[2]}"#, attempts: 3)
        #expect(client.call(.createBooking, request: Sample.booking()).failure == nil)
        #expect(try Self.count(client) == 1)
    }

    @Test func aDuplicateBooksOnce() throws {
        let client = try Self.client(#"{"fault":"slow_duplicate","ms":30}"#)
        let elapsed = elapsedMilliseconds { #expect(client.call(.createBooking, request: Sample.booking()).failure == nil) }
        #expect(elapsed >= 30)
        #expect(try Self.count(client) == 1)
    }

    @Test func aKeyInProgressIsWaitedForBeyondTheAttempts() throws {
        let client = try Self.client(#"{"fault":"in_progress","ms":100,"calls":[1]}"#)
        #expect(client.call(.createBooking, request: Sample.booking()).failure == nil)
        #expect(try Self.count(client) == 1)
    }

    /// The same seed, the same trouble; another seed, other trouble. About as much as asked for.
    @Test func chanceIsSeeded() throws {
        func outcomes(seed: Int) throws -> [Bool] {
            let client = try Self.client(#"{"fault":"error","percent":30}"#, #","seed":\#(seed)"#)
            return (0..<200).map {
                client.call(.createBooking, request: Sample.booking(key: "\($0)", Sample.shortOfAQuestion)).failure == nil
            }
        }
        let first = try outcomes(seed: 1)
        #expect(try outcomes(seed: 1) == first)
        #expect(try outcomes(seed: 2) != first)
        #expect((30...90).contains(first.count { !$0 }))
    }

    @Test func searchesAreSpared() throws {
        let client = try Self.client(#"{"fault":"lose_request"}"#)
        #expect(client.call(.searchAvailability, request: Sample.search()).failure == nil)
    }

    @Test(arguments: [
        (#"{"fault":"other"}"#, "sandbox.faults.fault"), (#"{}"#, "sandbox.faults.fault"),
        (#"{"fault":"late"}"#, "sandbox.faults.ms"), (#"{"fault":"late","ms":-1}"#, "sandbox.faults.ms"),
        (#"{"fault":"error","status":200}"#, "sandbox.faults.status"),
        (#"{"fault":"error","calls":[0]}"#, "sandbox.faults.calls"),
        (#"{"fault":"error","calls":["1"]}"#, "sandbox.faults.calls"),
        (#"{"fault":"error","percent":101}"#, "sandbox.faults.percent"),
        (#"{"fault":"error","often":1}"#, "sandbox.faults.often"), ("1", "sandbox.faults"),
    ])
    func whatIsWrongIsNamed(_ fault: String, _ field: String) {
        let error = #expect(throws: PartnerBookingError.self) { try Self.client(fault) }
        #expect(error?.code == .invalidConfig)
        #expect(error?.field == field)
    }

    @Test func booksAreListedInOrder() throws {
        let client = try Self.client("")
        for key in ["b", "a"] { #expect(client.call(.createBooking, request: Sample.booking(key: key)).failure == nil) }
        let books = try JSONDocument(client.sandboxBookings(), profile: .reply).root["bookings"]
        #expect(books?.elements.map { $0["idempotency_key"]?.string } == ["b", "a"])
        #expect(books?.elements.map { $0["start_at"]?.string } == ["2030-01-14T10:00:00Z", "2030-01-14T10:00:00Z"])
        #expect(books?.elements.map { $0["end_at"]?.string } == ["2030-01-14T10:30:00Z", "2030-01-14T10:30:00Z"])
    }

    @Test func otherClientsHaveNoBooks() throws {
        let client = try PartnerBookingClient("http://127.0.0.1:9")
        let error = #expect(throws: PartnerBookingError.self) { try client.sandboxBookings() }
        #expect(error?.code == .invalidArgument)
    }
}
