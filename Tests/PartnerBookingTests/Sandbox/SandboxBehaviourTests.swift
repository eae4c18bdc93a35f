import Glibc
import Testing

@testable import PartnerBooking

/// Faults that play what platforms and gateways were seen to do, seen from a client.
@Suite struct SandboxBehaviourTests {
    private static func client(_ faults: String, attempts: Int = 1, _ more: String = "") throws -> PartnerBookingClient {
        let sandbox = #""sandbox":{"now":"2030-01-14T08:00:00Z","faults":[\#(faults)]\#(more)}"#
        let retry = #""retry":{"max_attempts":\#(attempts),"base_delay_ms":1,"budget":0},"circuit_breaker":{"failures":0}"#
        return try PartnerBookingClient(
            json: Array(#"{"endpoint":"sandbox","settle_for_ms":0,\#(retry),\#(sandbox)}"#.utf8))
    }

    private static func books(_ client: PartnerBookingClient) throws -> [(key: String?, status: String?)] {
        let books = try JSONDocument(client.sandboxBookings(), profile: .reply).root["bookings"]
        return books?.elements.map { ($0["idempotency_key"]?.string, $0["status"]?.string) } ?? []
    }

    private static func member(_ name: StaticString, _ result: CallResult) throws -> String? {
        try JSONDocument(try result.get(), profile: .reply).root["booking"]?[name]?.string
    }

    // MARK: Searches and look-ups

    @Test(arguments: [
        (#""fault":"lose_request""#, "connection_lost"), (#""fault":"lose_reply""#, "connection_lost"),
        (#""fault":"cuts""#, "connection_lost"), (#""fault":"error","status":404,"code":"no_clinic""#, "no_clinic"),
        (#""fault":"error","status":200,"body":"{}""#, "invalid_reply"),
        (#""fault":"error","status":502,"body":"<html>","content_type":"text/html""#, "http_error"),
        (#""fault":"limits","ms":5"#, "rate_limited"),
    ])
    func everyOperationCanFail(_ fault: String, _ code: String) throws {
        for operation in CallOperation.allCases {
            let client = try Self.client(#"{\#(fault),"operation":"\#(operation.rawValue)","calls":[1]}"#)
            for other in CallOperation.allCases where other != operation {
                #expect(client.call(other, request: Sample.request(other, key: "other")).failure == nil)
            }
            let request = Sample.request(operation, Sample.shortOfAQuestion)
            let error = client.call(operation, request: request).failure
            #expect((error?.doubt?.code ?? error?.code)?.rawValue == code, "\(operation): \(String(describing: error))")
            if operation != .createBooking { #expect(client.call(operation, request: request).failure == nil) }
        }
    }

    @Test func everyOperationCanBeLate() throws {
        for fault in ["late", "queues"] {
            for operation in CallOperation.allCases {
                let client = try Self.client(#"{"fault":"\#(fault)","operation":"\#(operation.rawValue)","ms":40}"#)
                let elapsed = elapsedMilliseconds {
                    #expect(client.call(operation, request: Sample.request(operation)).failure == nil)
                }
                #expect(elapsed >= 40)
            }
        }
    }

    /// Each operation counts its own requests and draws its own lots: a search more changes nothing for bookings.
    @Test func operationsDoNotDisturbEachOther() throws {
        func outcomes(searches: Int) throws -> [Bool] {
            let faults =
                #"{"fault":"error","status":422,"percent":40},{"fault":"error","operation":"search_availability","percent":40}"#
            let client = try Self.client(faults, #","capacity":1000"#)
            return (0..<100).map { number in
                for _ in 0..<searches { _ = client.call(.searchAvailability, request: Sample.search()) }
                return client.call(.createBooking, request: Sample.booking(key: "\(number)")).failure == nil
            }
        }
        let alone = try outcomes(searches: 0)
        #expect(try outcomes(searches: 1) == alone && outcomes(searches: 3) == alone)
        #expect((20...60).contains(alone.count { !$0 }))
    }

    @Test(arguments: [
        "error_after", "slow_duplicate", "in_progress", "works", "gives_up", "drops", "own_conflict", "declined", "books_as",
        "cancels_later", "other_booking", "empty_booking", "error_in_booking",
    ])
    func aFaultOfBookingsIsForBookings(_ fault: String) throws {
        let members = #""ms":1,"work_ms":1,"booking_status":"pending""#
        for operation in ["search_availability", "lookup_customer"] {
            let error = #expect(throws: PartnerBookingError.self) {
                try Self.client(#"{"fault":"\#(fault)","operation":"\#(operation)",\#(members)}"#)
            }
            #expect(error?.field == "sandbox.faults.operation")
        }
        _ = try Self.client(#"{"fault":"\#(fault)","operation":"create_booking",\#(members)}"#)
    }

    @Test(arguments: [
        (#""fault":"late","ms":1,"operation":"book""#, "operation"), (#""fault":"queues""#, "ms"),
        (#""fault":"gives_up","ms":1"#, "work_ms"), (#""fault":"gives_up","ms":1,"work_ms":1,"status":404"#, "status"),
        (#""fault":"books_as""#, "booking_status"), (#""fault":"books_as","booking_status":"""#, "booking_status"),
        (#""fault":"respells","wrong":1"#, "wrong"), (#""fault":"error","status":200"#, "status"),
        (#""fault":"error","body":7"#, "body"), (#""fault":"error","content_type":"a\r\nb""#, "content_type"),
    ])
    func whatIsWrongIsNamed(_ fault: String, _ member: String) {
        let error = #expect(throws: PartnerBookingError.self) { try Self.client("{\(fault)}") }
        #expect(error?.code == .invalidConfig && error?.field == "sandbox.faults.\(member)")
    }

    // MARK: On the way

    @Test func aReplyThatIsCutLeavesADoubt() throws {
        let client = try Self.client(#"{"fault":"cuts","calls":[1]}"#)
        let error = client.call(.createBooking, request: Sample.booking(Sample.shortOfAQuestion)).failure
        #expect(error?.code == .inDoubt && error?.doubt?.code?.rawValue == "connection_lost")
        #expect(try Self.books(client).count == 1)
        #expect(client.call(.createBooking, request: Sample.resume()).failure == nil)
        #expect(try Self.books(client).count == 1)
    }

    /// Nothing holds the slot for a request that lies in a queue, and it books although its caller is gone.
    @Test func aRequestInAQueueIsNotAtTheClinicYet() throws {
        let client = try Self.client(#"{"fault":"queues","ms":300,"calls":[1,3]}"#, #","slot_minutes":30"#)
        let first = client.call(.createBooking, request: Sample.booking(Sample.timeout(50))).failure
        #expect(first?.code == .timeout && first?.outcome == .unknown)
        #expect(try Self.books(client).isEmpty)
        #expect(eventually { (try? Self.books(client).map(\.key)) == ["key-1"] }, "the clinic gets it all the same")
        let second = client.call(.createBooking, request: Sample.booking(key: "key-2")).failure
        #expect(second?.code.rawValue == "slot_unavailable")
    }

    @Test func aLimitSaysHowLongToWait() throws {
        let spared = try Self.client(#"{"fault":"limits","ms":60000,"operation":"search_availability"}"#)
        let error = spared.call(.searchAvailability, request: Sample.search()).failure
        #expect(error?.status == 429 && error?.isRetryable == true && error?.retryAfterMilliseconds == 60_000)
        let patient = try Self.client(#"{"fault":"limits","ms":40,"calls":[1]}"#, attempts: 2)
        let elapsed = elapsedMilliseconds {
            #expect(patient.call(.createBooking, request: Sample.booking()).failure == nil)
        }
        #expect(elapsed >= 40)
        #expect(try Self.books(patient).count == 1)
    }

    /// A gateway's 504 says nothing: the clinic books afterwards.
    @Test(arguments: [
        #"{"fault":"gives_up","ms":30,"work_ms":400,"calls":[1]}"#, #"{"fault":"drops","ms":400,"calls":[1]}"#,
        #"{"fault":"works","ms":400,"status":504,"calls":[1]}"#,
    ])
    func theClinicGoesOnWithoutTheGateway(_ fault: String) throws {
        let client = try Self.client(fault)
        let error = client.call(.createBooking, request: Sample.booking(Sample.timeout(200))).failure
        #expect(error?.outcome == .unknown)
        #expect(try Self.books(client).isEmpty)
        #expect(eventually { (try? Self.books(client).count) == 1 })
        #expect(client.call(.createBooking, request: Sample.resume()).failure == nil)
        #expect(try Self.books(client).count == 1)
    }

    @Test func aGatewayThatIsPatientPassesTheReplyOn() throws {
        let client = try Self.client(#"{"fault":"gives_up","ms":600000,"work_ms":30}"#)
        let elapsed = elapsedMilliseconds {
            #expect(client.call(.createBooking, request: Sample.booking()).failure == nil)
        }
        #expect((30..<20_000).contains(elapsed))
    }

    // MARK: What is booked, and what the reply says

    @Test(arguments: [("pending", true), ("accepted", true), ("declined", false), ("Cancelled", false)])
    func aBookingHasTheStatusThatIsGiven(_ status: String, _ isAppointment: Bool) throws {
        let client = try Self.client(#"{"fault":"books_as","booking_status":"\#(status)","calls":[1]}"#)
        let result = client.call(.createBooking, request: Sample.booking())
        #expect(result.failure?.code == (isAppointment ? nil : .notConfirmed))
        if isAppointment { #expect(try Self.member("status", result) == status) }
        #expect(try Self.books(client).map(\.status) == [status])
        // What is no appointment holds no slot.
        let next = client.call(.createBooking, request: Sample.booking(key: "key-2")).failure
        #expect(next?.code.rawValue == (isAppointment ? "slot_unavailable" : nil))
    }

    @Test func somebodyCancelsLater() throws {
        let client = try Self.client(#"{"fault":"cancels_later","ms":50,"calls":[1]}"#)
        let result = client.call(.createBooking, request: Sample.booking())
        #expect(try Self.member("status", result) == "confirmed")
        #expect(eventually { (try? Self.books(client).map(\.status)) == ["cancelled"] })
        let known = try JSONDocument(try client.call(.lookupCustomer, request: Sample.lookup()).get(), profile: .reply).root
        #expect(known["found"]?.boolean == true && known["customer"]?["existing_appointment"] == nil)
        #expect(client.call(.createBooking, request: Sample.booking(key: "key-2")).failure == nil, "the slot is free again")
    }

    /// A repeat of a key gives the booking as it is now.
    @Test func aKeyGivesItsBookingAsItIsNow() throws {
        var clinic = try SandboxFixture()
        let moment = MonotonicTime.now()
        func book(after milliseconds: Int) throws -> String? {
            let request = try clinic.request(.createBooking, SandboxFixture.bookingText("2030-01-14T10:00:00Z"))
            let manner = Sandbox.Manner(cancelledAfterMilliseconds: 1_000)
            return try clinic.answer(request, at: moment.adding(milliseconds: milliseconds), manner).booking("status")
        }
        #expect(try [0, 999, 1_000].map(book) == ["confirmed", "confirmed", "cancelled"])
    }

    @Test(arguments: [("false", "2030-01-14T05:00:00-05:00", true), ("true", "2030-01-14T10:00:00-05:00", false)])
    func timesAreWrittenWithAnotherOffset(_ isWrong: String, _ start: String, _ isRight: Bool) throws {
        let client = try Self.client(#"{"fault":"respells","wrong":\#(isWrong)}"#)
        let result = client.call(.createBooking, request: Sample.booking(Sample.shortOfAQuestion))
        if isRight {
            #expect(try Self.member("start_at", result) == start)
        } else {
            #expect(result.failure?.code == .otherBooking || result.failure?.doubt?.code?.rawValue == "other_booking")
        }
        let search = try Self.client(#"{"fault":"respells","wrong":\#(isWrong),"operation":"search_availability"}"#)
        let reply = try search.call(.searchAvailability, request: Sample.search()).get()
        let first = try JSONDocument(reply, profile: .reply).root["availabilities"]?.elements.first { _ in true }
        #expect(first?["start_at"]?.string == (isRight ? "2030-01-14T04:00:00-05:00" : "2030-01-14T09:00:00-05:00"))
    }

    @Test func aBookingMayHoldAnError() throws {
        let client = try Self.client(#"{"fault":"error_in_booking","calls":[1]}"#)
        let error = client.call(.createBooking, request: Sample.booking(Sample.shortOfAQuestion)).failure
        #expect(error?.code == .inDoubt && error?.doubt?.code?.rawValue == "invalid_reply")
        #expect(try Self.books(client).count == 1)
    }

    // MARK: A key whose first request is at work

    @Test(arguments: [("refuse", 409, "idempotency_key_in_progress"), ("look", 409, "slot_unavailable")])
    func aRepeatMeetsTheFirstRequest(_ inWork: String, _ status: Int, _ code: String) throws {
        for capacity in [1, 2] {
            var clinic = try SandboxFixture(["in_work": "\"\(inWork)\"", "capacity": "\(capacity)"])
            let request = try clinic.request(.createBooking, SandboxFixture.bookingText("2030-01-14T10:00:00Z"))
            let moment = MonotonicTime.now()
            clinic.answer(request, at: moment, .init(workMilliseconds: 1_000)).expect(201)
            let again = clinic.answer(request, at: moment.adding(milliseconds: 999))
            again.expect(status, capacity == 1 ? code : "idempotency_key_in_progress")
            clinic.answer(request, at: moment.adding(milliseconds: 1_000)).expect(200)
        }
    }

    @Test func aRepeatMayWaitForTheFirstRequest() throws {
        let faults = #"{"fault":"drops","ms":300,"calls":[1]}"#
        let client = try Self.client(faults, #","in_work":"wait""#)
        let first = client.call(.createBooking, request: Sample.booking(Sample.timeout(100))).failure
        #expect(first?.outcome == .unknown)
        #expect(try Self.books(client).isEmpty)
        #expect(client.call(.createBooking, request: Sample.resume()).failure == nil)
        #expect(try Self.books(client).count == 1)
    }
}
