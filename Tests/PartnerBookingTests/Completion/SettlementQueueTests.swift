import Glibc
import Testing

@testable import PartnerBooking

/// Reports of bookings that were settled after their calls had ended: they share the queue with the calls' completions, and not
/// their places.
@Suite struct SettlementQueueTests {
    private static func settlement(
        _ key: String = "key-1", _ result: CallResult = .success([]), _ receipt: Receipt? = nil
    ) -> Settlement {
        Settlement(idempotencyKey: key, tag: "call-7", result: result, timing: timing, receipt: receipt)
    }

    private static let timing = CallTiming(totalMicroseconds: 7, queueMicroseconds: 1, attempts: 3)

    private static func completion(_ ticket: CallTicket) -> CallCompletion {
        CallCompletion(
            ticket: ticket, kind: .searchAvailability, idempotencyKey: nil, tag: nil, event: .done(.success([])),
            timing: timing,
            receipt: nil)
    }

    private func isReadable(_ queue: CompletionQueue) throws -> Bool {
        var descriptor = pollfd(fd: try queue.descriptor(), events: Int16(POLLIN), revents: 0)
        return poll(&descriptor, 1, 0) == 1
    }

    @Test func aReportNamesItsBookingAndNoCall() throws {
        let queue = CompletionQueue(limit: 1)
        queue.append(Self.settlement("key-7", .success(Sample.bookingReply)))
        queue.append(Self.settlement("key-8", .failure(.timeout)))
        let booked = try #require(queue.take())
        #expect(booked.completion.ticket == nil && booked.context == 0)
        #expect(booked.completion.idempotencyKey == "key-7" && booked.completion.tag == "call-7")
        #expect(booked.completion.event.settled == .success(Sample.bookingReply))
        #expect(booked.completion.timing == Self.timing)
        #expect(try #require(queue.take()).completion.event.settled == .failure(.timeout))
        #expect(queue.take() == nil)
    }

    @Test func reportsAndCompletionsComeInTheirOrder() {
        let queue = CompletionQueue(limit: 10)
        queue.append(Self.completion(1), context: 5)
        queue.append(Self.settlement())
        queue.append(Self.completion(2), context: 6)
        #expect((0..<3).compactMap { _ in queue.take()?.completion }.map(\.ticket) == [1, nil, 2])
    }

    @Test func theDescriptorIsReadableWhileAReportWaits() throws {
        let queue = CompletionQueue(limit: 1)
        #expect(try !isReadable(queue))
        queue.append(Self.settlement())
        #expect(try isReadable(queue))
        #expect(queue.take() != nil)
        #expect(try !isReadable(queue))
        // Asked for when a report waits already.
        let late = CompletionQueue(limit: 1)
        late.append(Self.settlement())
        #expect(try isReadable(late))
    }

    @Test func aReportWakesWhoWaits() {
        let queue = CompletionQueue(limit: 1)
        let thread = background {
            sleep(milliseconds: 20)
            queue.append(SettlementQueueTests.settlement("late"))
        }
        #expect(queue.take(within: 600_000)?.completion.idempotencyKey == "late")
        thread.join()
    }

    // MARK: Places

    @Test func aReportTakesNoPlaceOfACallAndGivesNoneBack() throws {
        let queue = CompletionQueue(limit: 1)
        queue.append(Self.settlement())
        try queue.reserve()
        #expect(throws: PartnerBookingError.self) { try queue.reserve() }
        queue.append(Self.settlement())
        #expect(queue.take() != nil && queue.take() != nil, "nor does a call take one of a report")
        #expect(throws: PartnerBookingError.self) { try queue.reserve() }
        queue.append(Self.completion(1), context: 0)
        #expect(queue.take() != nil)
        try queue.reserve()
    }

    @Test func aThousandReportsWaitAtMost() {
        let queue = CompletionQueue(limit: 1)
        #expect(CompletionQueue.settlementLimit == 1_000)
        for number in 0..<1_000 { queue.append(Self.settlement("key-\(number)")) }
        queue.append(Self.settlement("one too many"))
        #expect(queue.take()?.completion.idempotencyKey == "key-0")
        queue.append(Self.settlement("the next one"))
        queue.append(Self.settlement("again too many"))
        var keys: [String?] = []
        while let entry = queue.take() { keys.append(entry.completion.idempotencyKey) }
        #expect(keys.count == 1_000 && keys.first == "key-1" && keys.last == "the next one")
        queue.append(Self.settlement("with room"))
        #expect(queue.take()?.completion.idempotencyKey == "with room")
    }

    // MARK: Who hears of an end

    /// The host hears an end by its completion only. One without room stays unheard.
    @Test func theReceiptComesWithTheReportAndIsNotAcknowledgedWithout() throws {
        let (queue, ledger) = (CompletionQueue(limit: 1), ScriptedLoop.ledger())
        let request = try Request(.createBooking, json: Sample.booking())
        _ = ledger.begin(request, "key-1", service: 0, id: 1)
        ledger.ended("key-1", .booked(reply: Sample.bookingReply), end: 1)
        let receipt = Receipt(ledger, key: "key-1", end: 1)
        for number in 0..<CompletionQueue.settlementLimit { queue.append(Self.settlement("key-\(number)")) }
        queue.append(Self.settlement("key-1", .success(Sample.bookingReply), receipt))
        while let entry = queue.take() { #expect(entry.completion.receipt == nil) }
        #expect(ledger.pending.map(\.state) == [.booked])

        queue.append(Self.settlement("key-1", .success(Sample.bookingReply), receipt))
        let taken = try #require(queue.take()).completion
        #expect(taken.receipt === receipt)
        #expect(ledger.pending.map(\.state) == [.booked], "taking it is not hearing it")
        taken.receipt?.acknowledge()
        #expect(ledger.pending.isEmpty)
    }

    // MARK: The end

    @Test func noneComesAfterTheEndAndThoseThatWaitCanBeTaken() {
        let queue = CompletionQueue(limit: 1)
        queue.append(Self.settlement("before"))
        queue.close()
        queue.append(Self.settlement("after"))
        #expect(!queue.isDrained)
        #expect(queue.take()?.completion.idempotencyKey == "before")
        #expect(queue.isDrained && queue.take() == nil)
    }
}

extension CompletionQueue {
    fileprivate func take(within milliseconds: Int = 0) -> Entry? {
        if case .entry(let entry) = next(timeoutMilliseconds: milliseconds) { entry } else { nil }
    }
}

extension CallCompletion.Event {
    /// The end of a booking whose call had ended before.
    var settled: CallResult? {
        if case .settled(let result) = self { result } else { nil }
    }
}
