import Testing

@testable import PartnerBooking

/// Clients whose bookings are in a store of the host's, from the call to the row.
@Suite struct LedgerClientTests {
    private static let alone = #","ledger_takes_over":false"#

    private static func submit(_ client: PartnerBookingClient, _ json: [UInt8] = Sample.booking()) throws -> Ending {
        let ending = Ending()
        try client.submit(.createBooking, request: json, handler: ending.handler)
        return ending
    }

    /// The next batch of a client that is not closed.
    private static func batch(_ client: PartnerBookingClient) throws -> (number: UInt64, json: [UInt8]) {
        guard case .batch(let number, let json) = try client.nextLedgerBatch(timeout: .seconds(20)) else {
            throw TestFailure("no batch came")
        }
        return (number, json)
    }

    private static func names(_ batch: [UInt8]) throws -> [String] {
        let operations = try JSONDocument(batch, profile: .reply).root["operations"]
        return try #require(operations).elements.map { $0["op"]?.string ?? "" }
    }

    // MARK: Booking

    @Test func aBookingIsInTheStoreWhenItsCallEnds() throws {
        let store = SharedStore()
        let client = try store.client(#","ledger_scope":"s""#)
        let reply = try #require(try Self.submit(client).result().success)
        #expect(store.isSoon { $0.state == "booked" })
        #expect(store.row()?.reply == String(decoding: reply, as: UTF8.self))
        #expect(store.row()?.body == nil && store.row()?.botID == "bot_1" && store.row()?.startAt == "2030-01-14T10:00:00Z")
        #expect(try client.close(timeout: .seconds(20)) == 0)
        #expect(store.row()?.isHeard == true, "the close hands over what was heard")
    }

    @Test func theHostMayTakeTheBatches() throws {
        let store = SharedStore()
        let client = try SharedStore.pulledClient()
        let thread = store.serve(client)
        #expect(client.book().success != nil)
        #expect(store.isSoon { $0.state == "booked" })
        #expect(try client.close(timeout: .seconds(20)) == 0)
        thread.join()
    }

    @Test func aRefusalIsInTheStoreBeforeItsCallEnds() throws {
        let store = SharedStore()
        let client = try store.client()
        #expect(client.book(Sample.booking(key: "somebody")).success != nil)
        let error = try Self.submit(client).error()
        #expect(error.isSlotConflict && error.outcome == .rejected)
        #expect(store.row()?.state == "refused" && store.row()?.outcome == "rejected")
        // The key is free again.
        #expect(client.book().failure?.outcome == .rejected)
        #expect(try client.close(timeout: .seconds(20)) == 0)
    }

    // MARK: Two engines

    @Test func aTwinOnAnotherEngineGetsTheSameReply() throws {
        let store = SharedStore()
        let (first, second) = (try store.client(latency: 400), try store.client())
        let one = try Self.submit(first)
        #expect(store.isSoon { $0.state == "open" })
        let two = try Self.submit(second)
        let reply = try #require(try one.result().success)
        #expect(try two.result().success == reply)
        let timing = try #require(two.completions.first?.timing)
        #expect(timing.attempts == 0 && timing.isReplayed)
        // The second one has sent nothing: its clinic has the slot.
        #expect(second.book(Sample.booking(key: "other")).success != nil)
        for client in [first, second] { #expect(try client.close(timeout: .seconds(20)) == 0) }
    }

    @Test func aKeyThatIsBookedElsewhereIsReplayedOrRefused() throws {
        let store = SharedStore()
        let (first, second) = (try store.client(), try store.client())
        let reply = try #require(try Self.submit(first).result().success)
        #expect(try Self.submit(second).result().success == reply)
        let third = try store.client()
        let other = try Self.submit(third, Sample.booking(bot: "bot_2")).error()
        #expect(other.code == .idempotencyKeyReused && other.outcome == .unknown)
        #expect(other.existing?.state == .booked)
        for client in [first, second, third] { #expect(try client.close(timeout: .seconds(20)) == 0) }
    }

    @Test func whatADeadEngineHasLeftIsSentAgain() throws {
        let store = SharedStore()
        let lease = #","ledger_lease_ms":2000,"settle_for_ms":0"#
        let dead = try store.client(lease, faults: #"{"fault":"lose_request","calls":[1]}"#)
        #expect(dead.book(Sample.booking(Sample.shortOfAQuestion)).failure?.code == .inDoubt)
        #expect(store.row()?.state == "open")
        #expect(try dead.close(timeout: .seconds(20)) == 0)
        let heir = try store.client(lease)
        #expect(store.isSoon { $0.state == "booked" })
        #expect(try heir.close(timeout: .seconds(20)) == 0)
    }

    @Test func itIsResumedByAnyEngine() throws {
        let store = SharedStore()
        let members = Self.alone + #","ledger_lease_ms":2000,"settle_for_ms":0"#
        let dead = try store.client(members, faults: #"{"fault":"lose_request","calls":[1]}"#)
        #expect(dead.book(Sample.booking(Sample.shortOfAQuestion)).failure?.code == .inDoubt)
        #expect(try dead.close(timeout: .seconds(20)) == 0)
        let other = try store.client(members)
        #expect(other.book(Sample.resume(Sample.timeout(20_000))).success != nil)
        #expect(other.book(Sample.resume(key: "unknown")).failure?.code == .notRecorded)
        #expect(store.row()?.state == "booked")
        #expect(try other.close(timeout: .seconds(20)) == 0)
    }

    @Test func aPersonGivesItUpOnAnyEngine() throws {
        let store = SharedStore()
        let members = Self.alone + #","ledger_lease_ms":2000,"settle_for_ms":0"#
        let first = try store.client(members, faults: #"{"fault":"lose_request","calls":[1]}"#)
        #expect(first.book(Sample.booking(Sample.shortOfAQuestion)).failure?.code == .inDoubt)
        let other = try store.client(members)
        let kept = GiveUpReply(json: try #require(other.book(Sample.giveUp()).success))
        #expect(kept.givenUp.isEmpty && kept.kept.map(\.state) == [.inFlight], "its lease is not over")
        let given = GiveUpReply(json: try #require(first.book(Sample.giveUp()).success))
        #expect(given.givenUp.map(\.idempotencyKey) == ["key-1"] && given.kept.isEmpty)
        #expect(store.row()?.outcome == "given_up" && first.pendingStates == [])
        for client in [first, other] { #expect(try client.close(timeout: .seconds(20)) == 0) }
    }

    // MARK: A store without answers

    @Test func withoutAnswerNothingIsSent() throws {
        for manner in [SharedStore.Manner.isSilent, .fails] {
            let store = SharedStore()
            let client = try store.client(#","journal_timeout_ms":100"#)
            store.become(manner)
            let error = try Self.submit(client).error()
            #expect(error.code == .journalUnavailable && error.outcome == .unknown && error.attempts == 0)
            #expect(store.row() == nil)
            // The claim is repeated until its fate is known, and must not stand then.
            store.become(.answers)
            #expect(store.isSoon { $0.state == "refused" && $0.outcome == "not_sent" })
            #expect(client.book().success != nil)
            #expect(try client.close(timeout: .seconds(20)) == 0)
        }
    }

    @Test func aBookingMayGoWithoutTheStore() throws {
        let store = SharedStore()
        let client = try store.client(#","journal_timeout_ms":100,"journal_required":false"#)
        store.become(.isSilent)
        let ending = try Self.submit(client)
        #expect(try ending.result().success != nil)
        #expect(ending.completions.first?.timing.isUnprotected == true)
        store.become(.answers)
        #expect(store.isSoon { $0.state == "booked" })
        #expect(try client.close(timeout: .seconds(20)) == 0)
    }

    @Test func anAnswerThatIsNoneMayBeMadeGood() throws {
        let store = SharedStore()
        let client = try SharedStore.pulledClient(Self.alone + #","journal_timeout_ms":20000"#)
        let ending = try Self.submit(client)
        let (number, json) = try Self.batch(client)
        #expect(try Self.names(json) == ["claim"])
        #expect(throws: PartnerBookingError.self) { try client.answerLedger(batch: number + 1, json: Array("{}".utf8)) }
        for text in ["", "{}", #"{"results":[]}"#] {
            #expect(throws: PartnerBookingError.self) { try client.answerLedger(batch: number, json: Array(text.utf8)) }
        }
        let thread = store.serve(client)
        try client.answerLedger(batch: number, json: try #require(store.answer(json)))
        #expect(try ending.result().success != nil)
        #expect(throws: PartnerBookingError.self) { try client.answerLedger(batch: number, json: Array("{}".utf8)) }
        #expect(try client.close(timeout: .seconds(20)) == 0)
        thread.join()
    }

    // MARK: The end

    @Test func aCloseWritesWhatIsLeft() throws {
        let store = SharedStore()
        let client = try SharedStore.pulledClient(Self.alone)
        let ending = try Self.submit(client)
        let (number, json) = try Self.batch(client)
        let closer = background { _ = try? client.close(timeout: .zero) }
        #expect(eventually { client.pendingStates == nil })
        // The call is told to end; its row must not stand.
        let thread = store.serve(client)
        try client.answerLedger(batch: number, json: try #require(store.answer(json)))
        let error = try ending.error()
        closer.join()
        thread.join()
        #expect(error.code == .clientClosed && ending.count == 1)
        #expect(store.row()?.outcome == "not_sent" || error.outcome == .unknown)
    }

    @Test func afterTheCloseNothingIsTaken() throws {
        let client = try SharedStore.pulledClient(Self.alone)
        let ending = try Self.submit(client)
        let (number, json) = try Self.batch(client)
        #expect(try client.close(timeout: .zero) == 1)
        #expect(try ending.error().code == .clientClosed)
        #expect(try ending.error().outcome == .unknown, "the store may have the claim")
        let answer = try #require(SharedStore().answer(json))
        // Batches come until the thread of the ledger has ended.
        while case .batch = try client.nextLedgerBatch(timeout: .seconds(20)) {}
        do throws(PartnerBookingError) {
            try client.answerLedger(batch: number, json: answer)
            Issue.record("the answer was taken")
        } catch {
            #expect(error.code == .clientClosed)
        }
        guard case .closed = try client.nextLedgerBatch(timeout: .zero) else {
            Issue.record("a batch after the end")
            return
        }
    }

    @Test func nobodyClosesAClientInItsHandler() throws {
        let store = SharedStore()
        let codes = Monitor<[PartnerBookingError.Code]>([])
        let client = try store.client(Self.alone) { client in
            do throws(PartnerBookingError) {
                try client.close(timeout: .zero)
            } catch {
                codes.update { $0.append(error.code) }
            }
        }
        #expect(client.book().success != nil)
        #expect(codes.withLock { $0.first } == .wouldDeadlock)
        #expect(try client.close(timeout: .seconds(20)) == 0)
    }

    @Test func onlyWhoMayTakeBatchesTakesThem() throws {
        let plain = try PartnerBookingClient(json: Array(#"{"endpoint":"sandbox"}"#.utf8))
        let handled = try SharedStore().client()
        let pulled = try SharedStore.pulledClient(Self.alone)
        for client in [plain, handled] {
            #expect(throws: PartnerBookingError.self) { _ = try client.nextLedgerBatch(timeout: .zero) }
        }
        #expect(throws: PartnerBookingError.self) { try plain.answerLedger(batch: 1, json: Array("{}".utf8)) }
        guard case .timedOut = try pulled.nextLedgerBatch(timeout: .milliseconds(1)) else {
            Issue.record("a batch without work")
            return
        }
        for client in [plain, handled, pulled] { #expect(try client.close(timeout: .seconds(20)) == 0) }
    }
}
