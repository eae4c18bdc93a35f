import CPartnerBooking
import Glibc
import Synchronization
import Testing

@testable import PartnerBooking
@testable import PartnerBookingABI

/// What is known of one submission. Its context points here.
private struct Entry: ~Copyable {
    let stress: Unmanaged<Stress>
    let number: Int
    let isAccepted = Atomic(false)
    let ends = Atomic(0)
    let slows = Atomic(0)
    /// The ticket, as the submission told it and as the completion did.
    let given = Atomic<UInt64>(0)
    let told = Atomic<UInt64>(0)

    static func at(_ context: UnsafeMutableRawPointer?) -> UnsafeMutablePointer<Entry>? {
        context?.assumingMemoryBound(to: Entry.self)
    }
}

/// Atomics throughout: a lock would keep apart what is to meet.
///
/// `@unchecked Sendable` is safe because all that changes is atomic, or behind the lock of a slot.
final class Stress: @unchecked Sendable {
    /// Where a client is open, and another when it is closed.
    final class Slot: @unchecked Sendable {
        let configuration: String
        let handle = Atomic<UInt>(0)
        /// Held while the descriptor is used, and for writing while its client is closed.
        let descriptorLock = UnsafeMutablePointer<pthread_rwlock_t>.allocate(capacity: 1)

        init(_ configuration: String) {
            self.configuration = configuration
            pthread_rwlock_init(descriptorLock, nil)
        }

        deinit {
            pthread_rwlock_destroy(descriptorLock)
            descriptorLock.deallocate()
        }

        var client: OpaquePointer? { OpaquePointer(bitPattern: handle.load(ordering: .relaxed)) }

        /// Opens another client; gives the one before.
        func open() -> OpaquePointer? {
            let client = pbk_client_open(configuration, nil, nil)
            let before = handle.exchange(UInt(bitPattern: client), ordering: .acquiringAndReleasing)
            return OpaquePointer(bitPattern: before)
        }
    }

    enum Count: String, CaseIterable {
        case operations, callbacks, queued, full, closed, cancels, taken, empty, polls, readable, prewarms, reopened, late,
            slow, done
    }

    private static let threads = stressNumber("PBK_STRESS_THREADS", else: 16)

    private let slots: [Slot]
    private let capacity: Int
    private let log: UnsafeMutablePointer<Entry>
    private let issued = Atomic(0)
    private let counts = Counts(Count.allCases.count)
    /// How often each status came.
    private let statuses = Counts(128)
    /// What must not be.
    private let violations = Monitor<[String]>([])
    private let requests: [(operation: pbk_operation, text: UnsafeMutablePointer<CChar>)]

    // MARK: A run

    /// Runs a little, so that whatever is made once is there, and then in earnest.
    static func run(_ configurations: [String], operations: Int) throws {
        _ = try Stress(configurations, operations: 320).run(operations: 320)
        // The server's last connections may be on their way out.
        let (threads, descriptors) = (settled("/proc/self/task"), settled("/proc/self/fd"))
        let stress = Stress(configurations, operations: operations)
        let elapsed = try elapsedMilliseconds { try stress.run(operations: operations) }
        #expect(eventually { entries("/proc/self/task") <= threads })
        #expect(eventually { entries("/proc/self/fd") <= descriptors })
        for line in stress.report { print("stress: \(line)") }
        let after = "\(entries("/proc/self/task")) threads, \(entries("/proc/self/fd")) descriptors"
        print("stress: before \(threads) threads, \(descriptors) descriptors; after \(after); \(elapsed) ms")
        fflush(nil)
    }

    private static func settled(_ path: String) -> Int {
        var least = entries(path)
        for _ in 0..<40 {
            sleep(milliseconds: 5)
            least = min(least, entries(path))
        }
        return least
    }

    private init(_ configurations: [String], operations: Int) {
        slots = configurations.map { Slot($0) }
        capacity = operations * 2
        log = .allocate(capacity: capacity)
        let samples: [(pbk_operation, [UInt8])] =
            [
                (PBK_SEARCH_AVAILABILITY, Sample.search()), (PBK_SEARCH_AVAILABILITY, Sample.search(Sample.timeout(3))),
                (PBK_CREATE_BOOKING, Sample.booking(key: "detached", #","detach":true"#)),
                (PBK_CREATE_BOOKING, Sample.booking(key: "tag", #","tag":"a tag","slow_after_ms":2"#)),
                (PBK_CREATE_BOOKING, Sample.booking(key: "short", Sample.timeout(1))),
            ] + (0..<4).map { (PBK_CREATE_BOOKING, Sample.booking(key: "key-\($0)")) }
        requests = samples.compactMap { operation, json in
            withCString(json) { strdup($0) }.map { (operation, $0) }
        }
        let stress = Unmanaged.passUnretained(self)
        for number in 0..<capacity { (log + number).initialize(to: Entry(stress: stress, number: number)) }
    }

    deinit {
        log.deinitialize(count: capacity).deallocate()
        for request in requests { free(request.text) }
    }

    private func run(operations: Int) throws {
        for slot in slots { #expect(slot.open() == nil) }
        onThreads(Self.threads) { thread in
            var random = SplitMix64(state: UInt64(thread))
            var tickets: [pbk_ticket] = [0, 1]
            for _ in 0..<operations / Self.threads { self.doSomething(&random, &tickets) }
        }
        for slot in slots {
            let client = slot.client
            let status = pbk_client_close(client, 20_000)
            #expect(status == PBK_OK)
            drain(client)
        }
        check()
    }

    private func check() {
        let violations = violations.withLock { $0 }
        #expect(violations.isEmpty, "\(violations.count) in all")
        var (accepted, wrong) = (0, 0)
        for number in 0..<min(issued.load(ordering: .relaxed), capacity) {
            let isAccepted = log[number].isAccepted.load(ordering: .relaxed)
            let ends = log[number].ends.load(ordering: .relaxed)
            if isAccepted { accepted += 1 }
            if ends != (isAccepted ? 1 : 0) || log[number].slows.load(ordering: .relaxed) > ends { wrong += 1 }
            let given = log[number].given.load(ordering: .relaxed)
            if isAccepted, given == 0 || given != log[number].told.load(ordering: .relaxed) { wrong += 1 }
        }
        #expect(wrong == 0)
        #expect(accepted > 0)
        #expect(counts[.callbacks] + counts[.queued] == accepted)
        #expect(counts[.done] == accepted)
    }

    private var report: [String] {
        let counted = Count.allCases.map { "\($0.rawValue) \(counts[$0])" }.joined(separator: ", ")
        let ended = (0..<128).filter { statuses[$0] > 0 }.map { status in
            let text = pbk_status_text(pbk_status(rawValue: UInt32(status))).map { String(cString: $0) } ?? ""
            return "\(statuses[status]) \(text)"
        }
        return [counted, "completions: " + ended.joined(separator: "; ")]
    }

    // MARK: Operations

    private func doSomething(_ random: inout SplitMix64, _ tickets: inout [pbk_ticket]) {
        counts.add(.operations)
        let slot = slots[Int.random(in: 0..<slots.count, using: &random)]
        switch Int.random(in: 0..<1_000, using: &random) {
        case 0..<550:
            let isQueued = Bool.random(using: &random)
            let ticket = submit(to: slot, isQueued: isQueued, Int.random(in: 0..<requests.count, using: &random))
            if ticket > 0 { tickets[Int.random(in: 0..<2, using: &random)] = ticket }
        case 550..<700:
            counts.add(.cancels)
            expect(
                pbk_cancel(slot.client, tickets[Int.random(in: 0..<2, using: &random)]), PBK_OK, PBK_INVALID_ARGUMENT,
                PBK_CLIENT_CLOSED)
        case 700..<920: take(from: slot.client, within: Int.random(in: 0..<20, using: &random) == 0 ? 1 : 0)
        case 920..<960: pollDescriptor(of: slot)
        case 960..<998:
            counts.add(.prewarms)
            expect(pbk_prewarm(slot.client), PBK_OK, PBK_CLIENT_CLOSED)
        default: reopen(slot, within: Int32.random(in: 0...20, using: &random))
        }
    }

    /// The ticket; 0 when it is refused.
    @discardableResult
    private func submit(to slot: Slot, isQueued: Bool, _ request: Int) -> pbk_ticket {
        let number = issued.add(1, ordering: .relaxed).oldValue
        guard number < capacity else { return 0 }
        let entry = log + number
        // Accepted is noted first: the completion may come before the return.
        entry.pointee.isAccepted.store(true, ordering: .relaxed)
        var ticket: pbk_ticket = 99
        let (operation, text) = requests[request]
        let status = pbk_submit(slot.client, operation, text, &ticket, nil, isQueued ? nil : Self.callback, entry)
        if status == PBK_OK {
            counts.add(isQueued ? .queued : .callbacks)
            entry.pointee.given.store(ticket, ordering: .relaxed)
            return ticket
        }
        entry.pointee.isAccepted.store(false, ordering: .relaxed)
        if ticket != 0 { violation("a refused call has the ticket \(ticket)") }
        counts.add(status == PBK_QUEUE_FULL ? .full : .closed)
        expect(status, PBK_QUEUE_FULL, PBK_CLIENT_CLOSED)
        if status == PBK_QUEUE_FULL && isQueued { while take(from: slot.client, within: 0) {} }
        return 0
    }

    /// False when there was none.
    @discardableResult
    private func take(from client: OpaquePointer?, within milliseconds: Int32) -> Bool {
        var status = PBK_OK
        let completion = pbk_next_completion(client, milliseconds, &status)
        guard let completion else {
            counts.add(.empty)
            expect(status, PBK_TIMEOUT, PBK_CLIENT_CLOSED)
            return false
        }
        counts.add(.taken)
        expect(status, PBK_OK)
        note(completion)
        return true
    }

    private func pollDescriptor(of slot: Slot) {
        guard pthread_rwlock_tryrdlock(slot.descriptorLock) == 0 else { return }
        defer { pthread_rwlock_unlock(slot.descriptorLock) }
        counts.add(.polls)
        var descriptor = pollfd(fd: pbk_client_fd(slot.client), events: Int16(POLLIN), revents: 0)
        if descriptor.fd < 0 { violation("no descriptor") }
        if poll(&descriptor, 1, 0) == 1 { counts.add(.readable) }
        if descriptor.revents & ~Int16(POLLIN) != 0 { violation("poll tells \(descriptor.revents)") }
    }

    private func reopen(_ slot: Slot, within milliseconds: Int32) {
        counts.add(.reopened)
        pthread_rwlock_wrlock(slot.descriptorLock)
        let client = slot.open()
        // A close that has given its thread up leaves calls without an end: printed, so that such a failure explains itself.
        let patience = MonotonicTime.now().adding(milliseconds: Int(milliseconds) + 2_000)
        let status = pbk_client_close(client, milliseconds)
        if MonotonicTime.now() >= patience { counts.add(.late) }
        pthread_rwlock_unlock(slot.descriptorLock)
        expect(status, PBK_OK, PBK_TIMEOUT)
        expect(pbk_client_close(client, milliseconds), PBK_CLIENT_CLOSED)
        drain(client)
    }

    /// Of a closed client nobody else's completions are to come.
    private func drain(_ client: OpaquePointer?) {
        while take(from: client, within: 0) {}
        var status = PBK_OK
        if pbk_next_completion(client, 0, &status) != nil || status != PBK_CLIENT_CLOSED { violation("more after the end") }
    }

    // MARK: Completions

    private static let callback: pbk_callback = { context, completion in
        guard let entry = Entry.at(context), let completion else { return }
        let stress = entry.pointee.stress.takeUnretainedValue()
        if pbk_completion_context(completion) != context { stress.violation("another context") }
        let isDone = pbk_completion_event(completion) == PBK_EVENT_DONE
        stress.note(completion)
        if isDone { stress.doMore(entry.pointee.number) }
    }

    /// On a transfer thread.
    private func doMore(_ number: Int) {
        let slot = slots[number / 16 % slots.count]
        switch number % 16 {
        case 0: submit(to: slot, isQueued: number % 32 == 0, number % requests.count)
        case 1: expect(pbk_prewarm(slot.client), PBK_OK, PBK_CLIENT_CLOSED)
        case 2:
            let ticket = log[number].given.load(ordering: .relaxed) + 1
            expect(pbk_cancel(slot.client, ticket), PBK_OK, PBK_INVALID_ARGUMENT, PBK_CLIENT_CLOSED)
        case 3: take(from: slot.client, within: 60_000)
        case 4: expect(pbk_client_close(slot.client, 0), PBK_WOULD_DEADLOCK)
        default: break
        }
    }

    private func note(_ completion: OpaquePointer) {
        defer { pbk_completion_free(completion) }
        guard let entry = Entry.at(pbk_completion_context(completion)) else { return violation("no context") }
        if pbk_completion_timing(completion) == nil { violation("no timing") }
        let reply = pbk_completion_reply(completion)
        switch pbk_completion_event(completion) {
        case PBK_EVENT_SLOW:
            counts.add(.slow)
            if entry.pointee.slows.add(1, ordering: .relaxed).newValue > 1 { violation("slow twice") }
            if reply != nil { violation("slow, with a reply") }
        case PBK_EVENT_DONE:
            counts.add(.done)
            if entry.pointee.ends.add(1, ordering: .relaxed).newValue > 1 { violation("done twice") }
            entry.pointee.told.store(pbk_completion_ticket(completion), ordering: .relaxed)
            let status = pbk_completion_status(completion)
            statuses.add(min(Int(status.rawValue), 127))
            let start: StaticString = status == PBK_OK ? #"{""# : #"{"error":{"code":""#
            guard let reply, strncmp(reply, start.utf8Pointer, start.utf8CodeUnitCount) == 0 else {
                return violation("a reply of another kind")
            }
            if strlen(reply) != pbk_completion_reply_length(completion) { violation("a reply of another length") }
        default: violation("an event of another kind")
        }
    }

    private func expect(_ status: pbk_status, _ expected: pbk_status...) {
        if !expected.contains(status) { violation("status \(status.rawValue)") }
    }

    private func violation(_ what: String) { violations.withLock { $0.append(what) } }
}

/// Numbers that many threads count.
private final class Counts: @unchecked Sendable {
    private let numbers: UnsafeMutablePointer<Atomic<Int>>
    private let count: Int

    init(_ count: Int) {
        self.count = count
        numbers = .allocate(capacity: count)
        for index in 0..<count { (numbers + index).initialize(to: Atomic(0)) }
    }

    deinit { numbers.deinitialize(count: count).deallocate() }

    func add(_ index: Int) { numbers[index].add(1, ordering: .relaxed) }

    subscript(index: Int) -> Int { numbers[index].load(ordering: .relaxed) }

    func add(_ count: Stress.Count) { add(Stress.Count.allCases.firstIndex(of: count) ?? 0) }

    subscript(count: Stress.Count) -> Int { self[Stress.Count.allCases.firstIndex(of: count) ?? 0] }
}

extension StaticString {
    fileprivate var utf8Pointer: UnsafePointer<CChar> { UnsafeRawPointer(utf8Start).assumingMemoryBound(to: CChar.self) }
}
