import Glibc
import Testing

@testable import PartnerBooking

/// Runs `body` on so many threads at once and waits for all of them.
func onThreads(_ count: Int, _ body: @escaping @Sendable (_ number: Int) -> Void) {
    let threads = (0..<count).map { number in background { body(number) } }
    for thread in threads { thread.join() }
}

/// Runs `body` on a thread of its own, to be joined.
func background(_ body: @escaping @Sendable () -> Void) -> PartnerBooking.Thread {
    do {
        return try PartnerBooking.Thread(name: "test", body)
    } catch {
        fatalError("No thread for a test: \(error)")
    }
}

func sleep(milliseconds: Int) { usleep(UInt32(milliseconds) * 1_000) }

func elapsedMilliseconds(_ body: () throws -> Void) rethrows -> Int {
    let start = MonotonicTime.now()
    try body()
    return MonotonicTime.now().milliseconds(since: start)
}

extension Monitor {
    /// Waits until the value is as wanted, or for very long: for the tests a failure, told by `false`.
    func becomes(within milliseconds: Int = 20_000, _ condition: (State) -> Bool) -> Bool {
        wait(until: .now().adding(milliseconds: milliseconds)) { condition($0) ? true : nil } ?? false
    }
}

extension PartnerBookingClient {
    /// The blocking calls, for tests whose body is asynchronous only because it runs in a process of its own.
    func wait(_ operation: PartnerBooking.CallOperation, _ json: [UInt8]) -> CallResult { call(operation, request: json) }

    /// The states of the bookings whose end nobody has heard. nil once it is closed.
    var pendingStates: [PendingBooking.State]? { try? pendingBookings().map(\.state) }

    func closeAndWait(_ milliseconds: Int = 0) throws(PartnerBookingError) -> Int {
        try close(timeout: .milliseconds(milliseconds))
    }
}

/// A number that several threads count.
final class Counter: Sendable {
    private let count = Monitor(0)

    var value: Int { count.withLock { $0 } }

    @discardableResult
    func increment() -> Int {
        var result = 0
        count.update { count in
            count += 1
            result = count
        }
        return result
    }

    func reaches(_ value: Int) -> Bool { count.becomes { $0 >= value } }
}

/// How many entries a directory has: of /proc/self/fd, the descriptors of this process and one more.
func entries(_ path: String) -> Int {
    guard let directory = opendir(path) else { return -1 }
    defer { closedir(directory) }
    var count = 0
    while readdir(directory) != nil { count += 1 }
    return count
}

/// Asks again and again until it is true, or for very long: for the tests a failure. For what tells nobody when it changes.
func eventually(_ condition: () -> Bool) -> Bool {
    let patience = MonotonicTime.now().adding(milliseconds: 20_000)
    while !condition() {
        guard MonotonicTime.now() < patience else { return false }
        sleep(milliseconds: 1)
    }
    return true
}

/// The same without blocking a thread of Swift concurrency. Other tests do block these threads, and each of the waits here may
/// take as long as all of them: so it is also the asking that is counted.
func becomesTrue(_ condition: () -> Bool) async -> Bool {
    let patience = MonotonicTime.now().adding(milliseconds: 20_000)
    var count = 0
    while !condition() {
        count += 1
        if count > 1_000, MonotonicTime.now() >= patience { return false }
        try? await Task.sleep(nanoseconds: 1_000_000)
    }
    return true
}

/// Holds up whoever comes to it until it is opened.
final class Gate: Sendable {
    private let state = Monitor((visitors: 0, isOpen: false))

    func pass() {
        state.update { $0.visitors += 1 }
        _ = state.becomes { $0.isOpen }
    }

    func open() { state.update { $0.isOpen = true } }

    /// Waits for the first to come.
    func hasVisitor() -> Bool { state.becomes { $0.visitors > 0 } }
}

/// A box for one completion, which tells when it came and whether it came once.
final class Ending: Sendable {
    private struct State {
        var results: [CallResult] = []
        var completions: [CallCompletion] = []
        var slow = 0
        var settled = 0
    }

    private let state = Monitor(State())

    var handler: CompletionHandler {
        { [state] completion in
            state.update { state in
                state.completions.append(completion)
                switch completion.event {
                case .done(let result): state.results.append(result)
                case .slow: state.slow += 1
                case .settled: state.settled += 1
                }
            }
        }
    }

    func end(_ result: CallResult) { state.update { $0.results.append(result) } }

    /// How often an end was told.
    var count: Int { state.withLock { $0.results.count } }

    /// How often the call was told to be slow.
    var slowCount: Int { state.withLock { $0.slow } }

    /// How often a settled booking was reported: never, because reports go to the queue.
    var settledCount: Int { state.withLock { $0.settled } }

    func isSlow() -> Bool { state.becomes { $0.slow > 0 } }

    /// All that was told, in order.
    var completions: [CallCompletion] { state.withLock { $0.completions } }

    /// Tells the client that the host has heard all of it.
    func acknowledge() { for completion in completions { completion.receipt?.acknowledge() } }

    /// The end, waited for.
    func result() throws -> CallResult {
        try #require(state.becomes { !$0.results.isEmpty }, "no completion came")
        return try #require(state.withLock { $0.results.first })
    }

    func error() throws -> PartnerBookingError { try #require(result().failure) }

    var isEmpty: Bool { count == 0 }
}

extension Result {
    var failure: Failure? {
        guard case .failure(let error) = self else { return nil }
        return error
    }

    var success: Success? { try? get() }
}

/// Why a test cannot go on.
struct TestFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// The path of a file in a directory of its own, which goes with this.
final class TemporaryPath {
    let path: String
    private let directory: String

    init() throws {
        var template = Array("/tmp/pbk-test-XXXXXX".utf8CString)
        directory = try #require(mkdtemp(&template).map { String(cString: $0) })
        path = directory + "/file"
    }

    deinit {
        unlink(path)
        rmdir(directory)
    }

    func read() throws -> [UInt8] {
        let file = try #require(fopen(path, "re"))
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = fread(&bytes, 1, bytes.count, file)
        return Array(bytes.prefix(count))
    }

    func write(_ bytes: [UInt8]) throws {
        let file = try #require(fopen(path, "we"))
        #expect(fwrite(bytes, 1, bytes.count, file) == bytes.count && fclose(file) == 0)
    }
}

/// Operations that the Partner API has.
let partnerAPIOperations: [PartnerBooking.CallOperation] = [.searchAvailability, .createBooking]

/// Requests and replies of the Partner API.
enum Sample {
    static let searchReply = Array(#"{"availabilities":[{"start_at":"2030-01-14T10:00:00Z","duration_minutes":30}]}"#.utf8)
    static let bookingReply = Array(#"{"booking":{"id":"bkg_1","status":"confirmed"}}"#.utf8)

    static func refusal(_ code: String) -> [UInt8] { Array(#"{"error":{"code":"\#(code)","message":"No."}}"#.utf8) }

    /// A search; `more` is put behind its members, and starts with a comma.
    static func search(bot: String = "bot_1", _ more: String = "") -> [UInt8] {
        let range = #"{"start_at":"2030-01-14T09:00:00Z","end_at":"2030-01-14T17:00:00Z"}"#
        return Array(#"{"bot_id":"\#(bot)","query":{"filter":{"start_at_range":\#(range)}}\#(more)}"#.utf8)
    }

    static func booking(bot: String = "bot_1", key: String = "key-1", _ more: String = "") -> [UInt8] {
        let booking =
            #"{"start_at":"2030-01-14T10:00:00Z","duration_minutes":30,"customer":{"phone":"+15551234567","name":"J"}}"#
        return Array(#"{"bot_id":"\#(bot)","idempotency_key":"\#(key)","booking":\#(booking)\#(more)}"#.utf8)
    }

    static func resume(key: String = "key-1", _ more: String = "") -> [UInt8] {
        Array(#"{"idempotency_key":"\#(key)","resume":true\#(more)}"#.utf8)
    }

    static func giveUp(key: String = "key-1", _ more: String = "") -> [UInt8] {
        Array(#"{"idempotency_key":"\#(key)","give_up":true\#(more)}"#.utf8)
    }

    /// The same request, not to be ended by a cancel.
    static func detached(_ request: [UInt8]) -> [UInt8] { Array(#"{"detach":true,"#.utf8) + request.dropFirst() }

    static func lookup(bot: String = "bot_1", _ more: String = "") -> [UInt8] {
        Array(#"{"bot_id":"\#(bot)","customer":{"phone":"+15551234567"}\#(more)}"#.utf8)
    }

    static func request(_ operation: PartnerBooking.CallOperation, key: String = "key-1", _ more: String = "") -> [UInt8] {
        switch operation {
        case .searchAvailability: search(more)
        case .createBooking: booking(key: key, more)
        case .lookupCustomer: lookup(more)
        }
    }

    static func reply(to operation: PartnerBooking.CallOperation) -> [UInt8] {
        switch operation {
        case .searchAvailability: searchReply
        case .createBooking: bookingReply
        case .lookupCustomer: Array(#"{"found":false}"#.utf8)
        }
    }

    static func timeout(_ milliseconds: Int) -> String { #","timeout_ms":\#(milliseconds)"# }

    /// The longest time in which a booking in doubt is not asked for again: the first pause would end after the deadline.
    static let shortOfAQuestion = timeout(1_000)
}

/// How many calls the largest tests make: PBK_TEST_CALLS, else 10,000, and fewer under a sanitizer, which makes them slow.
let manyCalls = getenv("PBK_TEST_CALLS").flatMap { Int(String(cString: $0)) } ?? (isSanitized ? 2_000 : 10_000)

let isSanitized = isThreadSanitized || dlsym(nil, "__asan_init") != nil

/// With ThreadSanitizer Swift's runtime takes one lock for all threads wherever it looks up the type of a tuple, as unoptimised
/// code does all the time: many threads that read JSON at once then hardly get on.
let isThreadSanitized = dlsym(nil, "__tsan_init") != nil
