import CSystem
import Glibc

/// The counters of one client since it was opened. Any thread adds to them and reads them,
/// without a lock. So two counters that are read together may be one call apart.
///
/// The value is a pointer, and its owner calls `free` once. `@unchecked Sendable` is safe
/// because each access to the numbers is atomic.
struct CallStatistics: @unchecked Sendable {
    /// The single numbers. The cases from `inFlight` on are gauges, which also go down.
    enum Number: Int, CaseIterable {
        case slow, retries, connectionsOpened, connectionsReused, searchesJoined, cacheHits, cacheMisses
        case breakersOpened, journalFailures, ledgerFailures, ledgerTakeovers, ledgerLeasesLost, logLinesDropped
        case inFlight, queued, breakersOpen

        var name: StaticString {
            switch self {
            case .slow: "slow"
            case .retries: "retries"
            case .connectionsOpened: "connections_opened"
            case .connectionsReused: "connections_reused"
            case .searchesJoined: "searches_joined"
            case .cacheHits: "cache_hits"
            case .cacheMisses: "cache_misses"
            case .breakersOpened: "breakers_opened"
            case .journalFailures: "journal_failures"
            case .ledgerFailures: "ledger_failures"
            case .ledgerTakeovers: "ledger_takeovers"
            case .ledgerLeasesLost: "ledger_leases_lost"
            case .logLinesDropped: "log_lines_dropped"
            case .inFlight: "in_flight"
            case .queued: "queued"
            case .breakersOpen: "breakers_open"
            }
        }
    }

    /// The end of one attempt.
    enum Attempt: Int, CaseIterable {
        case success, redirected, refused, failed
        case timeout, dnsFailed, connectFailed, tlsFailed, connectionLost, proxyFailed, addressRefused, replyTooLarge
        case abandoned, other

        @inline(__always)
        init(httpStatus: Int) {
            switch httpStatus {
            case ..<300: self = .success
            case 300...399: self = .redirected
            case 400...499: self = .refused
            default: self = .failed
            }
        }

        init(_ code: PartnerBookingError.Code) {
            switch code {
            case .timeout: self = .timeout
            case .dnsFailed: self = .dnsFailed
            case .connectFailed: self = .connectFailed
            case .tlsFailed: self = .tlsFailed
            case .connectionLost: self = .connectionLost
            case .proxyFailed: self = .proxyFailed
            case .addressRefused: self = .addressRefused
            case .replyTooLarge: self = .replyTooLarge
            default: self = .other
            }
        }

        var name: StaticString {
            switch self {
            case .success: "http_2xx"
            case .redirected: "http_3xx"
            case .refused: "http_4xx"
            case .failed: "http_5xx"
            case .timeout: "timeout"
            case .dnsFailed: "dns_failed"
            case .connectFailed: "connect_failed"
            case .tlsFailed: "tls_failed"
            case .connectionLost: "connection_lost"
            case .proxyFailed: "proxy_failed"
            case .addressRefused: "address_refused"
            case .replyTooLarge: "reply_too_large"
            case .abandoned: "abandoned"
            case .other: "other"
            }
        }
    }

    /// The durations of the calls with one operation and one status.
    struct Durations {
        /// Number of calls in each bucket, as `bucket` sorts them.
        let buckets: [UInt64]
        let totalMicroseconds: UInt64

        var count: UInt64 { buckets.reduce(0, &+) }
    }

    /// The longest duration in each bucket except the last, in milliseconds.
    static let bounds = [5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000]

    // The layout, in numbers that the compiler can compute with.
    private static var kinds: Int { 4 }
    /// A number above each status's raw value.
    private static var statuses: Int { 85 }
    private static var bucketCount: Int { 13 }
    /// The size of a row, which has the buckets and the sum of the durations.
    private static var rowSize: Int { bucketCount + 1 }
    private static var attemptCount: Int { 16 }
    private static var attempts: Int { kinds * statuses * rowSize }
    private static var settlements: Int { attempts + attemptCount }
    private static var tools: Int { settlements + statuses }
    private static var toolCount: Int { 4 }
    private static var resultCount: Int { 16 }
    private static var outcomeCount: Int { 4 }
    private static var outcomes: Int { tools + toolCount * resultCount }
    private static var numbers: Int { outcomes + outcomeCount }

    private let counters: UnsafeMutablePointer<UInt64>

    /// Allocates the counters. Returns nil when memory is out. Most of the memory is never touched.
    init?() {
        let size = Self.numbers + Number.allCases.count
        guard let memory = calloc(size, MemoryLayout<UInt64>.stride) else { return nil }
        counters = memory.bindMemory(to: UInt64.self, capacity: size)
    }

    func free() { Glibc.free(counters) }

    private func row(_ kind: CallKind, _ status: CallStatus) -> UnsafeMutablePointer<UInt64> {
        counters + (kind.place * Self.statuses + Int(status.rawValue)) * Self.rowSize
    }

    private func cell(_ tool: ToolRequest.Tool?, _ result: ToolReply.Result) -> UnsafeMutablePointer<UInt64> {
        counters + Self.tools + (tool?.place ?? 0) * Self.resultCount + result.place
    }

    // MARK: Counting

    func ended(_ kind: CallKind, _ status: CallStatus, microseconds: Int) {
        let row = row(kind, status)
        csystem_add(row + Self.bucket(microseconds), 1)
        csystem_add(row + Self.bucketCount, UInt64(clamping: microseconds))
    }

    func attemptEnded(_ attempt: Attempt) { csystem_add(counters + Self.attempts + attempt.rawValue, 1) }

    /// Counts a booking that is settled after its call ended `unknown`.
    func settled(_ status: CallStatus) { csystem_add(counters + Self.settlements + Int(status.rawValue), 1) }

    func failed(_ outcome: PartnerBookingError.Outcome) { csystem_add(counters + Self.outcomes + outcome.place, 1) }

    /// Counts the result of a tool call. `tool` is nil when the called tool does not exist.
    func answered(_ tool: ToolRequest.Tool?, _ result: ToolReply.Result) { csystem_add(cell(tool, result), 1) }

    func count(_ number: Number) { csystem_add(counters + Self.numbers + number.rawValue, 1) }

    /// Sets a gauge.
    func set(_ number: Number, to value: Int) {
        csystem_store(counters + Self.numbers + number.rawValue, UInt64(clamping: value))
    }

    private static func bucket(_ microseconds: Int) -> Int {
        switch microseconds {
        case ...5_000: 0
        case ...10_000: 1
        case ...25_000: 2
        case ...50_000: 3
        case ...100_000: 4
        case ...250_000: 5
        case ...500_000: 6
        case ...1_000_000: 7
        case ...2_500_000: 8
        case ...5_000_000: 9
        case ...10_000_000: 10
        case ...30_000_000: 11
        default: 12
        }
    }

    // MARK: Reading

    func durations(_ kind: CallKind, _ status: CallStatus) -> Durations {
        let row = row(kind, status)
        return Durations(
            buckets: (0..<Self.bucketCount).map { csystem_load(row + $0) },
            totalMicroseconds: csystem_load(row + Self.bucketCount))
    }

    func attempts(_ attempt: Attempt) -> UInt64 { csystem_load(counters + Self.attempts + attempt.rawValue) }

    func settlements(_ status: CallStatus) -> UInt64 { csystem_load(counters + Self.settlements + Int(status.rawValue)) }

    func answers(_ tool: ToolRequest.Tool?, _ result: ToolReply.Result) -> UInt64 { csystem_load(cell(tool, result)) }

    func failures(_ outcome: PartnerBookingError.Outcome) -> UInt64 {
        csystem_load(counters + Self.outcomes + outcome.place)
    }

    func value(_ number: Number) -> UInt64 { csystem_load(counters + Self.numbers + number.rawValue) }
}

extension CallKind {
    fileprivate var place: Int {
        switch self {
        case .searchAvailability: 0
        case .createBooking: 1
        case .lookupCustomer: 2
        case .callTool: 3
        }
    }
}

extension PartnerBookingError.Outcome {
    fileprivate var place: Int {
        switch self {
        case .notSent: 0
        case .rejected: 1
        case .unknown: 2
        }
    }
}

extension ToolRequest.Tool {
    /// The tool's place in the counters. Place 0 is for tools that do not exist.
    fileprivate var place: Int {
        switch self {
        case .find: 1
        case .book: 2
        case .lookUp: 3
        }
    }
}

extension ToolReply.Result {
    fileprivate var place: Int {
        switch self {
        case .offered: 0
        case .none: 1
        case .unclear: 2
        case .invalid: 3
        case .notOffered: 4
        case .readback: 5
        case .held: 6
        case .booked: 7
        case .already: 8
        case .slotGone: 9
        case .inDoubt: 10
        case .failed: 11
        case .known: 12
        case .notKnown: 13
        }
    }
}
