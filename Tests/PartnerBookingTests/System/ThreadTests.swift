import Glibc
import Testing

@testable import PartnerBooking

@Suite struct ThreadTests {
    private static let crashSignals = [SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS]

    /// The signals blocked on the calling thread.
    private static func blockedSignals() -> Set<Int32> {
        var mask = sigset_t()
        pthread_sigmask(SIG_BLOCK, nil, &mask)
        return Set((1...64).filter { sigismember(&mask, $0) == 1 })
    }

    @Test func runsItsBodyAndEnds() throws {
        let count = Counter()
        let threads = try (0..<8).map { _ in try PartnerBooking.Thread(name: "short") { count.increment() } }
        for thread in threads { thread.join() }
        #expect(count.value == 8)
    }

    @Test func detachedThreadRunsOn() throws {
        let (start, end) = (Monitor(false), Monitor(false))
        let thread = try PartnerBooking.Thread(name: "detached") {
            _ = start.becomes { $0 }
            end.update { $0 = true }
        }
        thread.detach()
        start.update { $0 = true }
        #expect(end.becomes { $0 })
    }

    @Test func bodyIsFreedAfterTheEnd() throws {
        weak var weakly: Counter?
        do {
            let counter = Counter()
            weakly = counter
            try PartnerBooking.Thread(name: "frees") { counter.increment() }.join()
        }
        #expect(weakly == nil)
    }

    @Test func signalsAreBlockedExceptThoseOfACrash() throws {
        let blocked = Monitor<Set<Int32>>([])
        try PartnerBooking.Thread(name: "mask") { blocked.withLock { $0 = Self.blockedSignals() } }.join()
        // KILL and STOP cannot be blocked; 32 and 33 are the C library's own.
        let all = Set(1...64).subtracting([SIGKILL, SIGSTOP, 32, 33])
        #expect(blocked.withLock { $0.subtracting([32, 33]) } == all.subtracting(Self.crashSignals))
    }

    @Test func creatorKeepsItsMask() throws {
        let masks = Monitor<[Set<Int32>]>([])
        // On a thread of its own: that of a test may be another one after a suspension.
        background {
            var some = sigset_t()
            sigemptyset(&some)
            sigaddset(&some, SIGUSR1)
            pthread_sigmask(SIG_SETMASK, &some, nil)
            let before = Self.blockedSignals()
            let thread = background {}
            let after = Self.blockedSignals()
            thread.join()
            masks.withLock { $0 = [before, after] }
        }.join()
        #expect(masks.withLock { $0 } == [[SIGUSR1], [SIGUSR1]])
    }

    /// The default of each of these is to end the process.
    @Test func blockedSignalsDoNotEndTheProcess() throws {
        let pending = Monitor<[Int32]>([])
        let signals = [SIGPIPE, SIGUSR1, SIGTERM, SIGINT]
        try PartnerBooking.Thread(name: "signals") {
            for signal in signals { pthread_kill(pthread_self(), signal) }
            var set = sigset_t()
            sigpending(&set)
            pending.withLock { $0 = signals.filter { sigismember(&set, $0) == 1 } }
        }.join()
        #expect(pending.withLock { $0 } == signals)
    }

    @Test func nameIsVisible() throws {
        let isOver = Monitor(false)
        let name = "pbk-test-name15"
        let thread = try PartnerBooking.Thread(name: name) { _ = isOver.becomes { $0 } }
        // The thread names itself when it starts.
        var isSeen = false
        for _ in 0..<1_000 where !isSeen {
            isSeen = threadNames().contains(name)
            sleep(milliseconds: 5)
        }
        #expect(isSeen)
        isOver.update { $0 = true }
        thread.join()
    }

    @Test func clientHasOneThread() async {
        await #expect(processExitsWith: .success) {
            func transferThreads() -> Int { threadNames().filter { $0 == "pbk-transfer" }.count }
            let client = try PartnerBookingClient(json: Array(#"{"endpoint":"sandbox"}"#.utf8))
            onThreads(8) { _ in
                for _ in 0..<20 { _ = client.wait(.searchAvailability, Sample.search()) }
            }
            #expect(transferThreads() == 1)
            #expect(try client.closeAndWait(100) == 0)
            #expect(transferThreads() == 0)
        }
    }

    /// A client that nobody closed ends its thread, too.
    @Test func threadEndsWithItsClient() async {
        await #expect(processExitsWith: .success) {
            do {
                let client = try PartnerBookingClient(json: Array(#"{"endpoint":"sandbox"}"#.utf8))
                _ = client.wait(.searchAvailability, Sample.search())
            }
            // Nobody waits for it: the last reference may go where nothing may wait.
            let patience = MonotonicTime.now().adding(milliseconds: 20_000)
            while threadNames().contains("pbk-transfer"), .now() < patience { sleep(milliseconds: 1) }
            #expect(!threadNames().contains("pbk-transfer"))
        }
    }
}
