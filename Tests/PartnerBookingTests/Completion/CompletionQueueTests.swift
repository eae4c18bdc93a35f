import Glibc
import Testing

@testable import PartnerBooking

/// Where completions wait for a host that takes them: order, descriptor, places, and the end.
@Suite struct CompletionQueueTests {
    fileprivate static func completion(_ ticket: CallTicket, _ event: CallCompletion.Event = .done(.success([])))
        -> CallCompletion
    {
        let timing = CallTiming(totalMicroseconds: 0, queueMicroseconds: 0, attempts: 0, lastAttempt: nil)
        return CallCompletion(
            ticket: ticket, kind: .searchAvailability, idempotencyKey: nil, tag: nil, event: event, timing: timing,
            receipt: nil)
    }

    private func isReadable(_ queue: CompletionQueue, within milliseconds: Int32 = 0) throws -> Bool {
        var descriptor = pollfd(fd: try queue.descriptor(), events: Int16(POLLIN), revents: 0)
        return poll(&descriptor, 1, milliseconds) == 1
    }

    // MARK: Order

    @Test func givesTheOldestFirst() throws {
        let queue = CompletionQueue(limit: 1_000)
        for number in 1...500 { queue.append(Self.completion(CallTicket(number)), context: UInt(number) * 3) }
        for number in 1...500 {
            let entry = try #require(queue.next(timeoutMilliseconds: 0).entry)
            #expect(entry.completion.ticket == CallTicket(number))
            #expect(entry.context == UInt(number) * 3)
        }
        #expect(queue.next(timeoutMilliseconds: 0).isTimeout)
    }

    @Test func slowComesBeforeDone() throws {
        let queue = CompletionQueue(limit: 1)
        try queue.reserve()
        queue.append(Self.completion(7, .slow), context: 0)
        queue.append(Self.completion(7), context: 0)
        #expect(try #require(queue.next(timeoutMilliseconds: 0).entry).completion.event.isSlow)
        #expect(try #require(queue.next(timeoutMilliseconds: 0).entry).completion.event.isDone)
    }

    // MARK: The descriptor

    @Test(arguments: [0, 1, 3])
    func descriptorIsReadableWhileSomethingWaits(_ before: Int) throws {
        let queue = CompletionQueue(limit: 100)
        // Asked for when so many wait already.
        for number in 0..<before { queue.append(Self.completion(CallTicket(number)), context: 0) }
        #expect(try isReadable(queue) == (before > 0))
        var waiting = before
        for (number, appends) in [true, true, false, true, false, false, true, true, true, false].enumerated() {
            if appends {
                queue.append(Self.completion(CallTicket(number), number % 2 == 0 ? .slow : .done(.success([]))), context: 0)
                waiting += 1
            } else {
                #expect(queue.next(timeoutMilliseconds: 0).entry != nil)
                waiting -= 1
            }
            #expect(try isReadable(queue) == (waiting > 0))
            // Level-triggered: being asked changes nothing.
            #expect(try isReadable(queue) == (waiting > 0))
        }
        while queue.next(timeoutMilliseconds: 0).entry != nil { waiting -= 1 }
        #expect(waiting == 0)
        #expect(try !isReadable(queue))
    }

    @Test func descriptorIsTheSameAllAlong() throws {
        let queue = CompletionQueue(limit: 10)
        let descriptor = try queue.descriptor()
        #expect(descriptor >= 0)
        let numbers = Monitor<Set<Int32>>([])
        onThreads(8) { _ in
            for number in 0..<50 {
                queue.append(Self.completion(CallTicket(number)), context: 0)
                _ = queue.next(timeoutMilliseconds: 0)
                if let descriptor = try? queue.descriptor() { _ = numbers.withLock { $0.insert(descriptor) } }
            }
        }
        #expect(numbers.withLock { $0 } == [descriptor])
    }

    @Test func descriptorWakesAThreadInPoll() throws {
        let queue = CompletionQueue(limit: 1)
        _ = try queue.descriptor()
        let thread = background {
            sleep(milliseconds: 20)
            queue.append(Self.completion(1), context: 0)
        }
        #expect(try isReadable(queue, within: 20_000))
        #expect(queue.next(timeoutMilliseconds: 0).entry?.completion.ticket == 1)
        thread.join()
    }

    // MARK: Places

    @Test func placesAreLimited() throws {
        let queue = CompletionQueue(limit: 2)
        try queue.reserve()
        try queue.reserve()
        let error = #expect(throws: PartnerBookingError.self) { try queue.reserve() }
        #expect(error?.code == .queueFull)
        #expect(error?.isRetryable == true)
        queue.unreserve()
        try queue.reserve()
        #expect(throws: PartnerBookingError.self) { try queue.reserve() }
    }

    @Test func onlyTakingTheEndGivesAPlaceBack() throws {
        let queue = CompletionQueue(limit: 1)
        try queue.reserve()
        queue.append(Self.completion(1, .slow), context: 0)
        #expect(throws: PartnerBookingError.self) { try queue.reserve() }
        _ = queue.next(timeoutMilliseconds: 0)
        #expect(throws: PartnerBookingError.self) { try queue.reserve() }
        queue.append(Self.completion(1), context: 0)
        // Over, and not taken.
        #expect(throws: PartnerBookingError.self) { try queue.reserve() }
        _ = queue.next(timeoutMilliseconds: 0)
        try queue.reserve()
        #expect(throws: PartnerBookingError.self) { try queue.reserve() }
    }

    @Test func failureGivesAPlaceBackToo() throws {
        let queue = CompletionQueue(limit: 1)
        try queue.reserve()
        queue.append(Self.completion(1, .done(.failure(.cancelled))), context: 0)
        _ = queue.next(timeoutMilliseconds: 0)
        try queue.reserve()
    }

    // MARK: Waiting

    @Test(arguments: [Int.min, -1, 0])
    func noTimeIsNoWait(_ milliseconds: Int) {
        let queue = CompletionQueue(limit: 1)
        #expect(queue.next(timeoutMilliseconds: milliseconds).isTimeout)
        queue.append(Self.completion(3), context: 0)
        #expect(queue.next(timeoutMilliseconds: milliseconds).entry?.completion.ticket == 3)
    }

    @Test func waitEndsAtItsTime() {
        let queue = CompletionQueue(limit: 1)
        var taken: CompletionQueue.Taken?
        let elapsed = elapsedMilliseconds { taken = queue.next(timeoutMilliseconds: 30) }
        #expect(taken?.isTimeout == true)
        #expect((30..<20_000).contains(elapsed))
    }

    @Test func waitEndsWithACompletion() {
        let queue = CompletionQueue(limit: 1)
        let thread = background {
            sleep(milliseconds: 20)
            queue.append(Self.completion(9), context: 4)
        }
        #expect(queue.next(timeoutMilliseconds: 600_000).entry?.context == 4)
        thread.join()
    }

    @Test func eachCompletionGoesToOneTaker() {
        let queue = CompletionQueue(limit: 10_000)
        let taken = Monitor<[UInt]>([])
        let ended = Counter()
        let takers = background {
            onThreads(8) { _ in
                while let entry = queue.next(timeoutMilliseconds: 20_000).entry { taken.update { $0.append(entry.context) } }
                ended.increment()
            }
        }
        onThreads(4) { producer in
            for number in 0..<500 { queue.append(Self.completion(1), context: UInt(producer * 500 + number)) }
        }
        #expect(taken.becomes { $0.count >= 2_000 })
        queue.close()
        takers.join()
        #expect(ended.value == 8)
        #expect(taken.withLock { $0.sorted() } == (0..<2_000).map { UInt($0) })
    }

    // MARK: The end

    @Test func finishWakesAllWaiters() {
        let queue = CompletionQueue(limit: 1)
        let woken = Monitor<[Bool]>([])
        let elapsed = elapsedMilliseconds {
            let waiters = background {
                onThreads(8) { _ in
                    let isClosed = queue.next(timeoutMilliseconds: 60_000).isClosed
                    woken.withLock { $0.append(isClosed) }
                }
            }
            sleep(milliseconds: 20)
            queue.close()
            waiters.join()
        }
        #expect(woken.withLock { $0 } == [Bool](repeating: true, count: 8))
        #expect(elapsed < 50_000)
    }

    @Test func whatWaitsCanBeTakenAfterTheEnd() {
        let queue = CompletionQueue(limit: 10)
        #expect(!queue.isDrained)
        for number in 1...3 { queue.append(Self.completion(CallTicket(number)), context: 0) }
        #expect(!queue.isDrained)
        queue.close()
        for number in 1...3 {
            #expect(!queue.isDrained)
            #expect(queue.next(timeoutMilliseconds: 60_000).entry?.completion.ticket == CallTicket(number))
        }
        #expect(queue.isDrained)
        for _ in 0..<2 { #expect(queue.next(timeoutMilliseconds: 60_000).isClosed) }
        #expect(queue.isDrained)
    }

    @Test func emptyIsNotDrained() {
        let queue = CompletionQueue(limit: 1)
        #expect(!queue.isDrained)
        queue.close()
        #expect(queue.isDrained)
    }

    /// In a process of its own: elsewhere another test may be given the number at once.
    @Test func descriptorGoesWithTheEnd() async {
        await #expect(processExitsWith: .success) {
            let queue = CompletionQueue(limit: 1)
            let descriptor = try queue.descriptor()
            queue.append(CompletionQueueTests.completion(1), context: 0)
            #expect(fcntl(descriptor, F_GETFD) >= 0)
            queue.close()
            #expect(fcntl(descriptor, F_GETFD) == -1)
            let error = #expect(throws: PartnerBookingError.self) { try queue.descriptor() }
            #expect(error?.code == .clientClosed)
            // What is left needs none.
            #expect(queue.next(timeoutMilliseconds: 0).entry?.completion.ticket == 1)
        }
        await #expect(processExitsWith: .success) {
            var queue: CompletionQueue? = CompletionQueue(limit: 1)
            let descriptor = try #require(try queue?.descriptor())
            #expect(fcntl(descriptor, F_GETFD) >= 0)
            queue = nil
            #expect(fcntl(descriptor, F_GETFD) == -1)
        }
    }
}

extension CompletionQueue.Taken {
    fileprivate var entry: CompletionQueue.Entry? { if case .entry(let entry) = self { entry } else { nil } }
    fileprivate var isTimeout: Bool { if case .timeout = self { true } else { false } }
    fileprivate var isClosed: Bool { if case .closed = self { true } else { false } }
}

extension CallCompletion.Event {
    var isSlow: Bool { if case .slow = self { true } else { false } }
    var isDone: Bool { !isSlow }
}
